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
    "bank.no-payer": Row(
        kind="refused",
        sentence="A deposit by {form} needs the routing number and the number of the account that pays it.",
        clause="P050 3.5(a)",
        next_step="Name them once: towncircle deposit DIR AMOUNT --by ach-debit --routing N --payer-account N",
    ),
    "bank.bad-payer": Row(
        kind="refused",
        sentence="The number of the account that pays, {payer}, cannot stand in an ACH file.",
        clause="P050 3.5(a)",
        next_step="Write it with letters, digits, blanks and hyphens, at most 17: --payer-account N",
    ),
    "bank.no-such-item": Row(
        kind="refused",
        sentence="The lockbox has no item {deposit_id}.",
        clause="502.25(c)",
        next_step="Name the deposit as its receipt does, such as DEP-7K3MQ9ZX2RTB.",
    ),
    "bank.returned-before": Row(
        kind="refused",
        sentence="The item {deposit_id} came back before, for {reason}.",
        clause="502.25(c)",
        next_step="Nothing is left to be done: an item is returned once.",
    ),
    "bank.no-check-of": Row(
        kind="refused",
        sentence="A check of {amount} cannot be issued: it is for whole cents, above nothing.",
        clause="502.27(c)(3)",
        next_step="Instruct the amount that the Provider's notice of the closing names.",
    ),
    "bank.other-check": Row(
        kind="refused",
        sentence="A check was issued for the closing {closing} before, with other words.",
        clause="502.27(c)(3), P050 3.3",
        next_step="Nothing is left to be done: a closing has one check.",
    ),
}
