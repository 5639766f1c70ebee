"""Inspections of a Provider's facilities and records as one walks them in a world (502.1(c), 502.19, 502.25(b)).

Here: who does what at which desk. Not here: arguments, decisions (`postal.inspections`, `provider.inspections`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.postal import inspections as postal
from towncircle.postal.inspections import Found, Visit
from towncircle.provider import inspections as provider_
from towncircle.wire.bodies.inspections import CLAUSES
from towncircle.world.config import POSTAL
from towncircle.world.supervising import at_provider, by_officer, kept
from towncircle.world.world import World

INSPECTOR, OFFICER = "inspector", "officer"


def announce(world: World, *, inspection: str, visit: Visit, on: date, by: str = INSPECTOR) -> Record:
    """Announce an inspection to a Provider, as an inspector."""
    _known(world, visit.provider)
    job = partial(postal.announce, inspection=inspection, visit=visit, on=on)
    held: Record = by_officer(world, job, by=by, act="inspection announce")
    return held


def report(world: World, *, inspection: str, visit: Visit, what: Found, by: str = INSPECTOR) -> Record:
    """Report an inspection, as an inspector; of an announced one what was announced need not be said again."""
    with world.store(POSTAL).reading() as view:
        held = view.get(postal.KIND, inspection)
    if held is not None:
        before = {"provider": held.owner, "scope": held.body["scope"], "site": held.body["site"]}
        visit = replace(visit, **{name: getattr(visit, name) or value for name, value in before.items()})
    if visit.scope not in CLAUSES:
        raise Refused("inspection.unknown", inspection=inspection[:80])
    _known(world, visit.provider)
    job = partial(postal.report, inspection=inspection, visit=visit, what=what)
    done: Record = by_officer(world, job, by=by, act="inspection report")
    return done


def answer(
    world: World, *, provider: str, inspection: str, answers: Sequence[str], document: bytes, by: str = OFFICER
) -> Record:
    """Answer the findings of an inspection, as an officer of the Provider."""
    digest = hashlib.sha256(document).hexdigest()
    job = partial(provider_.answer, inspection=inspection, answers=answers, document=digest)
    held: Record = at_provider(world, provider, job, by=by, act="inspection answer")
    return held


def close(world: World, *, inspection: str, outcome: str, words: str, by: str = INSPECTOR) -> Record:
    """Close an inspection that found something, as an inspector."""
    job = partial(postal.close, inspection=inspection, outcome=outcome, words=words)
    held: Record = by_officer(world, job, by=by, act="inspection close")
    return held


def inspections(world: World) -> list[Record]:
    """Give the file of each inspection, as the Postal Service keeps it."""
    return kept(world, POSTAL, postal.KIND)


def _known(world: World, provider: str) -> None:
    if provider not in world.config.providers:
        raise Refused("missing.elsewhere", provider=provider[:64])
