"""Error codes of the register of devices and its daily reconciliation."""

from towncircle.kernel.errors import Row

ROWS = {
    "population.bad-inventory": Row(
        kind="refused",
        sentence="The inventory of {provider} cannot be compared: {what}.",
        clause="502.8",
        next_step="Make it anew from the records of custody: one row a device, and a day such as 2026-11-23.",
    ),
    "population.out-of-order": Row(
        kind="refused",
        sentence="The inventory of {provider} has the number {number} or an earlier day; {expected} is next.",
        clause="502.8",
        next_step="Tell the inventories in their order, one a day, numbered from 1.",
    ),
    "population.other-inventory": Row(
        kind="refused",
        sentence="{provider} has told its inventory of {day} already, and it said something else.",
        clause="502.8",
        next_step="Ask for that day's finding again with the first inventory; what has changed stands in tomorrow's.",
    ),
}
