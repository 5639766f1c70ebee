"""Error codes of the conformance matrix."""

from towncircle.kernel.errors import Row

ROWS = {
    "conformance.no-such-id": Row(
        kind="input",
        sentence="'{id}' is no requirement, no duty and no beginning of one.",
        clause="house",
        next_step="Ids look like PRE-11, P050-3.6, 502.25a/2 or IMI-01; without an id all are shown.",
    ),
    "conformance.no-such-kind": Row(
        kind="input",
        sentence="'{kind}' is no kind of duty.",
        clause="house",
        next_step="Use one of: {known}.",
    ),
    "conformance.no-facts": Row(
        kind="input",
        sentence="A span of time is counted in a world or an export, and none was named.",
        clause="house",
        next_step="Add --world DIR or --export OUT.",
    ),
}
