"""Error codes of recorded acts."""

from towncircle.kernel.errors import Row

ROWS = {
    "acts.incomplete": Row(
        kind="input",
        sentence="To record an act, the world, the act, the party and a reference are needed.",
        clause="house",
        next_step="Type towncircle record DIR ACT --by PARTY --reference REF, or towncircle record --list",
    ),
    "acts.no-such-party": Row(
        kind="input",
        sentence="There is no party '{party}' here that an act could be of.",
        clause="house",
        next_step="Name one of: {known}. A party that runs as a process is stopped first.",
    ),
    "acts.no-such-act": Row(
        kind="input",
        sentence="There is no act '{name}' that the rule asks to be recorded.",
        clause="house",
        next_step="See which there are: towncircle record --list",
    ),
    "acts.bad-reference": Row(
        kind="input",
        sentence="'{text}' is not a reference.",
        clause="house",
        next_step="Give up to 80 letters, digits and . / : _ - without spaces: a file number, a device, a site.",
    ),
    "acts.bad-period": Row(
        kind="input",
        sentence="The act {act} is told for the period '{period}'.",
        clause="house",
        next_step="Give --period YYYY for a yearly act, YYYY-MM for a monthly one, as it is due, and none for another.",
    ),
    "acts.bad-about": Row(
        kind="input",
        sentence="'{act}' is about {needed}, and it was told about {about}.",
        clause="house",
        next_step="Name the party with --about where towncircle record --list says so, and nobody else.",
    ),
    "acts.not-this-party": Row(
        kind="refused",
        sentence="'{act}' is an act of {by}, not of {party}.",
        clause="house",
        next_step="Name the party that did it with --by.",
    ),
    "acts.done-by": Row(
        kind="refused",
        sentence="'{act}' is not recorded by hand: a procedure does it, with what the rule asks of it. ({does})",
        clause="house",
        next_step="Do it: towncircle {command} DIR",
    ),
    "acts.no-document": Row(
        kind="refused",
        sentence="'{act}' is shown by a paper, and none was given. ({does})",
        clause="house",
        next_step="Give the file with --document: its SHA-256 is recorded, its text is not.",
    ),
    "acts.not-yet": Row(
        kind="refused",
        sentence="'{act}' is said to have been done at {at}; it is {now} only.",
        clause="house",
        next_step="Record an act when it has been done.",
    ),
    "acts.conflict": Row(
        kind="refused",
        sentence="'{act}' of that day is already recorded under {reference}, with another document.",
        clause="house",
        next_step="Use a reference of its own for another act; facts are never edited.",
    ),
}
