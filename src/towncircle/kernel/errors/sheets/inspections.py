"""Error codes of inspections of a Provider's facilities and records."""

from towncircle.kernel.errors import Row

_CLAUSE = "502.1(c), 502.19, 502.25(b)"


def _refused(sentence: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause=_CLAUSE, next_step=next_step)


ROWS = {
    "inspection.not-ahead": _refused(
        "An inspection is announced for a day to come, and {on} is none.",
        "Announce a later day; an inspection that comes unannounced is reported only: towncircle inspection report DIR",
    ),
    "inspection.taken": _refused(
        "The inspection {inspection} is another one, at {provider}.",
        "Give the inspection a number of its own with --reference.",
    ),
    "inspection.reported": _refused(
        "The inspection {inspection} was reported before; it is {state}.",
        "Report another visit under a number of its own.",
    ),
    "inspection.other": _refused(
        "The inspection {inspection} was announced to {provider}: {scope}, at {site}.",
        "Report that one, or another visit under a number of its own.",
    ),
    "inspection.incomplete": _refused(
        "The inspection {inspection} lacks: {lacks}.",
        "Add it: towncircle inspection --help",
    ),
    "inspection.unknown": _refused(
        "No inspection {inspection} is known here.",
        "See which there are: towncircle inspection show DIR; of an unannounced one say --provider, --scope, --site.",
    ),
    "inspection.answers": _refused(
        "The inspection {inspection} is {state}, with {findings} findings: each of an open one is answered, once.",
        "Give --answer once for each finding, in their order: towncircle inspection show DIR",
    ),
    "inspection.not-answered": _refused(
        "The inspection {inspection} is {state}: it is closed as corrected when its Provider has answered.",
        "Wait for the answer, or refer it: towncircle inspection close DIR --outcome referred",
    ),
}
