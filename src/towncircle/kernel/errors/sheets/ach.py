"""Error codes of NACHA files."""

from towncircle.kernel.errors import Row

ROWS = {
    "ach.bad-routing": Row(
        kind="input",
        sentence="'{text}' is no routing number: it has nine digits, and the ninth is the check digit of the others.",
        clause="P050 3.5(a)",
        next_step="Copy the nine digits from a check or from the bank's own statement.",
    ),
    "ach.field-too-long": Row(
        kind="input",
        sentence="The {field} of a record of type {kind} has {length} plain characters; '{value}' does not fit.",
        clause="P050 3.5(a)",
        next_step="Shorten it, or leave out what is not plain ASCII.",
    ),
    "ach.file-broken": Row(
        kind="refused",
        sentence="Line {line} of the NACHA file is not as it should be: {why}.",
        clause="P050 3.5(a)",
        next_step="Ask who sent it for the file anew; docs/ach-files.md describes every record.",
    ),
    "ach.nothing": Row(
        kind="refused",
        sentence="No ACH item of {day} is at the lockbox bank.",
        clause="P050 3.5(a)",
        next_step="Name another day, or order a deposit: towncircle deposit DIR AMOUNT --by ach-debit",
    ),
    "ach.no-such-file": Row(
        kind="refused",
        sentence="The lockbox bank has written no ACH file {modifier} of {day}.",
        clause="P050 3.5(a)",
        next_step="Files of a day are A, B, C and so on; without --modifier the next one is written.",
    ),
    "ach.day-not-over": Row(
        kind="refused",
        sentence="{files} ACH files of {day} are written: the last one that a day may have waits for its end.",
        clause="P050 3.5(a)",
        next_step="Write it tomorrow: towncircle ach write DIR FILE --day {day}",
    ),
    "ach.bad-reason": Row(
        kind="input",
        sentence="'{text}' is no return code: an R and two digits.",
        clause="P050 3.5(a)",
        next_step="Write it as the bank does, such as R01 for insufficient funds.",
    ),
}
