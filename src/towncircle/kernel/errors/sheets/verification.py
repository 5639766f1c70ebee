"""Error codes of verification."""

from towncircle.kernel.errors import Row

_NEW = "Load the Postal Service's latest pack."

ROWS = {
    "verification.not-a-pack": Row(
        kind="refused",
        sentence="This message is not a verification pack.",
        clause="502.28",
        next_step=_NEW,
    ),
    "verification.pack-untrusted": Row(
        kind="refused",
        sentence="The pack is not signed under the trusted root: {why}",
        clause="502.28",
        next_step="Do not use it. Load a pack from the Postal Service, and check the root fingerprint by another way.",
    ),
    "verification.wrong-anchor": Row(
        kind="refused",
        sentence="This pack is for '{anchor}', and {needed} was expected.",
        clause="502.17",
        next_step="Production verifiers load production packs; specimens are judged under a test pack.",
    ),
    "verification.pack-old": Row(
        kind="refused",
        sentence="Pack {number} is older than pack {last}, which was seen already.",
        clause="502.28",
        next_step=_NEW,
    ),
    "verification.pack-early": Row(
        kind="refused",
        sentence="Pack {number} is from the future ({issued}).",
        clause="502.28",
        next_step="Check the clock of this verifier.",
    ),
    "verification.pack-stale": Row(
        kind="refused",
        sentence="Pack {number} was to be replaced by {due}.",
        clause="502.28",
        next_step=_NEW,
    ),
}
