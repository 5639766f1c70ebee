"""Error codes of the bank."""

from towncircle.kernel.errors import Row

ROWS = {
    "bank.unknown-form": Row(
        kind="refused",
        sentence="'{form}' is not a form of payment that the lockbox takes.",
        clause="P050 3.5(a)",
        next_step="Choose one, best first: {forms}.",
    ),
    "bank.nothing-to-deposit": Row(
        kind="refused",
        sentence="A deposit must be more than nothing; this one is {amount}.",
        clause="P050 3.2",
        next_step="Order a deposit of a positive amount.",
    ),
    "bank.item-too-large": Row(
        kind="refused",
        sentence="One item of {amount} is more than the lockbox takes at once, {limit}.",
        clause="house",
        next_step="Order the deposit in smaller items.",
    ),
    "bank.no-such-provider": Row(
        kind="refused",
        sentence="The lockbox knows no Provider '{provider}'.",
        clause="502.25(c)",
        next_step="Name the Provider that holds the account.",
    ),
    "bank.not-whole-cents": Row(
        kind="refused",
        sentence="A deposit is in whole cents; this one is {amount}.",
        clause="house",
        next_step="Order a deposit without tenths of a cent.",
    ),
}
