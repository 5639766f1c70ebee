"""Inspections of a Provider's facilities and records (502.1(c), 502.19, 502.25(b)): announced, unannounced, refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import shows
from towncircle.cli.demo.regulation.town import PROVIDER
from towncircle.cli.demo.stage import expect
from towncircle.postal.inspections import Found, Visit
from towncircle.rules.duties import HEADQUARTERS
from towncircle.world import inspecting

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

_STORE = Visit(provider=PROVIDER, scope="distribution", site="the store at Nashua", records=("shipping book",))


@shows(
    84,
    "An inspection of facilities and records is announced, with the records that are asked for",
    "postal inspection.announced",
    "provider inspection.announced",
    clause="502.19",
)
def announced(town: Town) -> None:
    """Announce it for the day after tomorrow."""
    day = town.world.clock.now().date_in(HEADQUARTERS) + timedelta(days=2)
    inspecting.announce(town.world, inspection="I-1", visit=_STORE, on=day)


@shows(
    87,
    "An inspection finds something; the Provider answers each finding, and it is corrected",
    "postal inspection.reported outcome=deficient",
    "provider inspection.found outcome=deficient",
    "provider inspection.answered",
    "postal inspection.answer-filed",
    "postal inspection.closed",
    "provider inspection.closed",
    clause="502.19",
)
def found(town: Town) -> None:
    """Find no lock and no book; both are mended."""
    what = Found(outcome="deficient", document="ab" * 32, findings=("no lock",), not_shown=("shipping book",))
    held = inspecting.report(town.world, inspection="I-1", visit=_STORE, what=what)
    expect(held.body["announced"] != "", "it was not announced")
    answers = ("a lock is fitted", "the book is enclosed")
    inspecting.answer(town.world, provider=PROVIDER, inspection="I-1", answers=answers, document=b"photographs")
    inspecting.close(town.world, inspection="I-1", outcome="corrected", words="Seen on a second visit.")


@shows(
    89,
    "The manufacturing facilities are inspected unannounced",
    "postal inspection.reported scope=factory",
    clause="502.1(c)",
)
def unannounced(town: Town) -> None:
    """Come unannounced; all is in order."""
    works = Visit(provider=PROVIDER, scope="factory", site="the works at Keene")
    held = inspecting.report(
        town.world, inspection="I-2", visit=works, what=Found(outcome="in-order", document="cd" * 32)
    )
    expect(held.body["announced"] == "", "it was announced")


@shows(
    90,
    "An inspection of the resetting system is refused, and answered",
    "postal inspection.reported outcome=refused",
    "provider inspection.found outcome=refused",
    clause="502.25(b)",
)
def refused(town: Town) -> None:
    """Nobody opens; the Provider says why, and the inspector comes again."""
    hall = Visit(provider=PROVIDER, scope="resetting", site="the server room", records=("operation log",))
    what = Found(outcome="refused", document="ef" * 32, findings=("nobody opened",))
    inspecting.report(town.world, inspection="I-3", visit=hall, what=what)
    inspecting.answer(
        town.world, provider=PROVIDER, inspection="I-3", answers=("the gate is manned now",), document=b"rota"
    )
    inspecting.close(town.world, inspection="I-3", outcome="corrected", words="The log was shown on the next day.")
