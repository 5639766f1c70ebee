"""Error codes of the command line."""

from towncircle.kernel.errors import Row

ROWS = {
    "cli.picture-kind": Row(
        kind="input",
        sentence="'{path}' does not say what kind of picture it is.",
        clause="house",
        next_step="End its name in .png, .pdf or .svg.",
    ),
    "cli.usage": Row(
        kind="input",
        sentence="{what}.",
        clause="house",
        next_step="Type {usage} (more: {command} --help)",
    ),
    "cli.which-world": Row(
        kind="input",
        sentence="No world is named, and this folder has {count} of them.",
        clause="house",
        next_step="Name the world's folder, or make one: towncircle world new DIR",
    ),
    "cli.file": Row(
        kind="input",
        sentence="The file or folder {path} cannot be used: {why}.",
        clause="house",
        next_step="Check the path, that you may read and write there, and that the disk is not full; then try again.",
    ),
    "cli.file-or-hex": Row(
        kind="input",
        sentence="Name files, or give one mark by --hex: one of the two.",
        clause="house",
        next_step="For example: towncircle verify envelopes.pdf --world DIR",
    ),
    "cli.one-folder": Row(
        kind="input",
        sentence="A folder of scans is judged by itself: {why}.",
        clause="house",
        next_step="For example: towncircle verify scans --out verdicts.jsonl --world DIR",
    ),
    "cli.amount-or-finish": Row(
        kind="input",
        sentence="Give an amount, --finish or --status: one of them.",
        clause="house",
        next_step="For example: towncircle reset DIR 200, or towncircle reset DIR --finish",
    ),
    "cli.nowhere": Row(
        kind="input",
        sentence="It is not said where to print.",
        clause="house",
        next_step="Say --out DIR or --printer NAME; a batch on a printer takes both, and its papers go into DIR.",
    ),
    "cli.argument-astray": Row(
        kind="input",
        sentence="{arguments} would not be heeded here: it goes with {needs}.",
        clause="house",
        next_step="Leave it out, or see: towncircle print --help",
    ),
    "cli.pieces-unreadable": Row(
        kind="input",
        sentence="'{text}' is not a list of numbers of pieces.",
        clause="house",
        next_step="Write them like --pieces 2 or --pieces 1,3.",
    ),
    "cli.no-device-named": Row(
        kind="input",
        sentence="No device is named that the station may call.",
        clause="house",
        next_step="Name one or more with --device, or all of the host with --every-device.",
    ),
    "cli.host-incomplete": Row(
        kind="input",
        sentence="A host has a database, a list of stations and an address.",
        clause="house",
        next_step="Give --dsn-from, --stations and --address; or --end to have no host any more.",
    ),
    "cli.no-address": Row(
        kind="input",
        sentence="'{text}' is not the address of a host.",
        clause="house",
        next_step="Write it like 127.0.0.1:8443, as the serving command printed it.",
    ),
    "cli.routing-and-account": Row(
        kind="input",
        sentence="An ACH deposit names its routing number and its account together, or neither.",
        clause="house",
        next_step="Give both: --routing N --payer-account N; they are kept for the next deposit.",
    ),
}
