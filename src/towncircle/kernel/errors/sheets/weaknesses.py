"""Error codes of reports on security weaknesses."""

from towncircle.kernel.errors import Row


def _refused(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="refused", sentence=sentence, clause=clause, next_step=next_step)


def _input(sentence: str, clause: str, next_step: str) -> Row:
    return Row(kind="input", sentence=sentence, clause=clause, next_step=next_step)


ROWS = {
    "weakness.no-such-category": _input(
        "'{name}' is no category of a weakness; there are {known}.", "502.14(b)", "Name one with --category."
    ),
    "weakness.no-such-stage": _input(
        "There is no {name} report; there are {known}.", "502.14", "Name one of them with --stage."
    ),
    "weakness.no-words": _input(
        "It is not said what was discovered, in at most {most} characters.", "502.14(b)", "Say it, without names."
    ),
    "weakness.not-yet": _refused("The discovery lies ahead: {at}.", "502.14(b)", "Give the instant of the discovery."),
    "weakness.unknown": _refused(
        "No weakness and no frozen device {about} is known here.",
        "502.14(b)",
        "Record the discovery: towncircle provider discover DIR",
    ),
    "weakness.no-report": _refused(
        "No report of {provider} on {about} is on file at the Postal Service.",
        "502.14",
        "Report it first: towncircle provider report DIR WEAKNESS --stage preliminary",
    ),
    "weakness.taken": _refused(
        "The name {about} stands for a weakness of another Provider.", "502.14(b)", "Report it under a new name."
    ),
    "weakness.out-of-order": _refused(
        "A {stage} report on {about} does not follow {before}; possible now: {possible}.",
        "502.14(c)",
        "Make the reports in their order: preliminary, written, statuses, summary.",
    ),
    "weakness.incomplete": _refused(
        "The {stage} report on {about} lacks: {lacks}.", "502.14", "Add it, and report again."
    ),
}
