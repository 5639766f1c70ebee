"""Error codes of the transports."""

from towncircle.kernel.errors import Row

ROWS = {
    "transport.unreachable": Row(
        kind="refused",
        sentence="{audience} does not answer ({what}). What was begun is kept and finished at the next contact.",
        clause="502.25(a)",
        next_step="Check that the party runs (towncircle up DIR), then run the same command again.",
    ),
    "transport.not-enrolled": Row(
        kind="refused",
        sentence="{folder} holds no enrolment for a device host.",
        clause="house",
        next_step="Enrol the workstation at the host (towncircle device enrol) and bring its folder here.",
    ),
}
