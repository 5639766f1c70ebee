"""Error codes of the kernel."""

from towncircle.kernel.errors import Row

ROWS = {
    "money.unreadable": Row(
        kind="input",
        sentence="'{text}' is not an amount in dollars.",
        clause="house",
        next_step="Write it like 12.34 or $0.621: digits, at most three decimals, no commas.",
    ),
    "time.unreadable": Row(
        kind="input",
        sentence="'{text}' is not a date or time.",
        clause="house",
        next_step="Write ISO 8601, such as 2026-11-21 or 2026-11-21T15:04Z.",
    ),
    "time.out-of-range": Row(
        kind="input",
        sentence="That is a time before the year 1900 or after 2999.",
        clause="house",
        next_step="Check the year, or take a shorter step.",
    ),
    "time.step-unreadable": Row(
        kind="input",
        sentence="'{text}' is not a length of time.",
        clause="house",
        next_step="Write a number and a unit: 90s, 15m, 73h, 2d, 1w or 3mo (calendar months).",
    ),
    "time.no-such-zone": Row(
        kind="input",
        sentence="'{zone}' is not a time zone of the IANA data base.",
        clause="P050 4.7",
        next_step="Name a zone such as America/New_York.",
    ),
    "id.unreadable": Row(
        kind="input",
        sentence="'{text}' is not a {kind}.",
        clause="house",
        next_step="It looks like {example}.",
    ),
    "machine.illegal-move": Row(
        kind="refused",
        sentence="'{event}' is not possible while {subject} is '{state}'. Nothing was changed.",
        clause="house",
        next_step="Possible now: {legal}.",
    ),
    "kernel.unknown-error-code": Row(
        kind="broken",
        sentence="The program tried to report the unknown error code '{unknown}'.",
        clause="house",
        next_step="This is a defect: please report it with the command you ran.",
    ),
    "kernel.error-kind-mismatch": Row(
        kind="broken",
        sentence="The error code '{unknown}' was raised as '{kind}', which is not its kind.",
        clause="house",
        next_step="This is a defect: please report it with the command you ran.",
    ),
    "kernel.internal": Row(
        kind="broken",
        sentence="Something went wrong inside the program ({what}).",
        clause="house",
        next_step="Nothing was lost: run the command again. If it stays, report it with the command you ran.",
    ),
    "facts.chain-broken": Row(
        kind="broken",
        sentence="The journal of {party} is broken at fact {fact}: {what}.",
        clause="house",
        next_step="Keep the store as it is, restore a copy whose journal is whole, and run 'towncircle audit'.",
    ),
    "store.stale": Row(
        kind="refused",
        sentence="{kind} {key} was changed by somebody else in the meantime. Nothing was changed.",
        clause="house",
        next_step="Run the command again: it will see the present state.",
    ),
}
