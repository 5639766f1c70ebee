"""Error codes of a Provider's test prints."""

from towncircle.kernel.errors import Row

ROWS = {
    "testrun.taken": Row(
        kind="refused",
        sentence="The test run {run} was printed before.",
        clause="502.17",
        next_step="Give each run a reference of its own.",
    ),
    "testrun.unknown": Row(
        kind="refused",
        sentence="No test run {run} was printed here.",
        clause="502.17",
        next_step="Name a run as it was printed: towncircle deadlines DIR shows what is to be destroyed.",
    ),
    "testrun.pieces": Row(
        kind="input",
        sentence="A test run has 1 to {most} pieces.",
        clause="house",
        next_step="Give --pieces a number in that range.",
    ),
}
