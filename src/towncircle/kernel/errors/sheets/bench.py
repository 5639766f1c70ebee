"""Error codes of the benches."""

from towncircle.kernel.errors import Row

ROWS = {
    "bench.no-such-subject": Row(
        kind="input",
        sentence="There is nothing called '{subject}' to measure.",
        clause="house",
        next_step="Measure one of: {known}.",
    ),
    "bench.seconds": Row(
        kind="input",
        sentence="{seconds} is not a time to measure for.",
        clause="house",
        next_step="Give from 0.01 to 60 seconds.",
    ),
}
