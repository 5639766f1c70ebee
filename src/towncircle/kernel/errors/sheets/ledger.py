"""Error codes of the ledger."""

from towncircle.kernel.errors import Row

_DEFECT = "Stop using this store, keep it as it is, restore a whole copy and run 'towncircle audit' on its export."

ROWS = {
    "ledger.not-positive": Row(
        kind="input",
        sentence="The amount of {what} is {amount}; it must be more than nothing.",
        clause="house",
        next_step="Give an amount above $0.00.",
    ),
    "ledger.insufficient-funds": Row(
        kind="refused",
        sentence="The account of {licensee} holds {held}; {wanted} is needed.",
        clause="P050 3.5a",
        next_step="Deposit the difference at the lockbox bank, or ask the Provider for an advance.",
    ),
    "ledger.floor": Row(
        kind="refused",
        sentence="{recipe} would bring {account} to {balance}, below zero.",
        clause="house",
        next_step="Take a signed reading of the device and look at 'towncircle status': the money is not where it was.",
    ),
    "ledger.ceiling": Row(
        kind="refused",
        sentence="It would bring {what} to {total}; the limit is {limit}.",
        clause="house",
        next_step="Ask for a smaller amount.",
    ),
    "ledger.conflict": Row(
        kind="refused",
        sentence="{recipe} was already booked under {key} (as {first}) with other inputs. Nothing was changed.",
        clause="house",
        next_step="Use a new id for a new event; repeat the first one unchanged to get its answer again.",
    ),
    "ledger.unbalanced": Row(
        kind="broken",
        sentence="The entry {recipe} {key} has debits of {debits} and credits of {credits}.",
        clause="house",
        next_step=_DEFECT,
    ),
    "ledger.no-such-account": Row(
        kind="broken",
        sentence="The chart of the {chart} books has no account '{account}'.",
        clause="house",
        next_step=_DEFECT,
    ),
    "ledger.books-unbalanced": Row(
        kind="broken",
        sentence="All debits are {debits} and all credits {credits}.",
        clause="house",
        next_step=_DEFECT,
    ),
    "ledger.equation-broken": Row(
        kind="broken",
        sentence="The money equation of {licensee} does not hold: {numbers}.",
        clause="house",
        next_step=_DEFECT,
    ),
    "ledger.number-gap": Row(
        kind="broken",
        sentence="Entry number {number} stands at place {place} of the books.",
        clause="house",
        next_step=_DEFECT,
    ),
    "ledger.balance-differs": Row(
        kind="broken",
        sentence="The kept balance of {account} is not the sum of its entries.",
        clause="house",
        next_step=_DEFECT,
    ),
}
