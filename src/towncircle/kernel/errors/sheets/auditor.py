"""Error codes of the auditor."""

from towncircle.kernel.errors import Row

ROWS = {
    "audit.no-export": Row(
        kind="input",
        sentence="There is no folder {path}.",
        clause="house",
        next_step="Write an export first: towncircle export WORLD OUT, then towncircle audit OUT.",
    ),
    "audit.empty": Row(
        kind="input",
        sentence="The folder {path} is empty.",
        clause="house",
        next_step="Write an export into it: towncircle export WORLD OUT.",
    ),
    "audit.not-an-export": Row(
        kind="input",
        sentence="The folder {path} is not an export: it has no manifest.json and no party's head.json.",
        clause="house",
        next_step="Name the folder that 'towncircle export' has written, not the world itself.",
    ),
    "audit.other-version": Row(
        kind="input",
        sentence="The export {path} has the format version {found}; this auditor reads version {known}.",
        clause="house",
        next_step="Use the towncircle release that wrote it, or write the export again.",
    ),
    "audit.too-large": Row(
        kind="input",
        sentence="The file {path} is larger than {limit} bytes.",
        clause="house",
        next_step="Export a shorter span of time.",
    ),
    "audit.bad-root": Row(
        kind="input",
        sentence="'{text}' is not a root fingerprint.",
        clause="502.28",
        next_step="Give the SHA-256 of the root certificate as 64 hexadecimal digits.",
    ),
}
