"""Error codes of examinations and irregularity cases."""

from towncircle.kernel.errors import Row

ROWS = {
    "case.unknown": Row(
        kind="refused",
        sentence="There is no case {case}.",
        clause="502.8",
        next_step="Ask for the cases that there are: towncircle cases DIR",
    ),
    "case.elsewhere": Row(
        kind="refused",
        sentence="The case {case} is closed by staff of {provider}, which runs as a process of its own.",
        clause="house",
        next_step="Stop 'towncircle up' with Ctrl-C, then close the case.",
    ),
    "case.over": Row(
        kind="refused",
        sentence="The case {case} is over: its device was {state}.",
        clause="502.8",
        next_step="Nothing is to be done. A new irregularity opens a new case.",
    ),
    "case.two-persons": Row(
        kind="refused",
        sentence="The case {case} is closed by two different persons, each named by a staff number.",
        clause="P050 2.6 (house)",
        next_step="Name both: --by officer-17 --by officer-23 (small letters and digits; dots and dashes stand between "
        "them and make no other person).",
    ),
    "case.reason": Row(
        kind="input",
        sentence="A case is closed with a reason of 1 to {most} characters.",
        clause="502.14(c)",
        next_step="Say what was found and done: --reason 'the copy of the store was destroyed'.",
    ),
    "case.nothing-to-close": Row(
        kind="input",
        sentence="It is not said which case is to be closed.",
        clause="502.8",
        next_step="Add --release CASE or --retire CASE, or leave --by and --reason out to see the cases.",
    ),
    "case.not-cleared": Row(
        kind="refused",
        sentence="The device {device} of case {case} has not been found regular since the case was opened.",
        clause="P050 2.6",
        next_step="Have it examined (towncircle examine); if it stays irregular, close the case with --retire.",
    ),
}
