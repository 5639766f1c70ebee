"""Error codes of the command line."""

from towncircle.kernel.errors import Row

ROWS = {
    "cli.file-or-hex": Row(
        kind="input",
        sentence="Name files, or give one mark by --hex: one of the two.",
        clause="house",
        next_step="For example: towncircle verify envelopes.pdf --world DIR",
    ),
    "cli.amount-or-finish": Row(
        kind="input",
        sentence="Give an amount, or --finish: one of the two.",
        clause="house",
        next_step="For example: towncircle reset DIR 200, or towncircle reset DIR --finish",
    ),
}
