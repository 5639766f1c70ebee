"""Error codes of the demo's long chapter."""

from towncircle.kernel.errors import Row

ROWS = {
    "demo.no-checkpoint": Row(
        kind="input",
        sentence="There is no interrupted year in {path}.",
        clause="house",
        next_step="Begin one: towncircle demo --chapter regulation --out DIR (without --resume)",
    ),
    "demo.other-year": Row(
        kind="input",
        sentence="The year in {path} is another one ({found}); asked for is {wanted}.",
        clause="house",
        next_step="Resume it with its own seed, regime and licensees, or begin anew without --resume.",
    ),
    "demo.too-few": Row(
        kind="input",
        sentence="A year needs {least} to {most} licensees, for each of its stories one; {given} were asked for.",
        clause="house",
        next_step="For example: towncircle demo --chapter regulation --licensees {least}",
    ),
}
