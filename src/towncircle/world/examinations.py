"""Examinations and irregularity cases as one walks them in a world (P050 2.6, 502.14).

Here: one examination from the Postal Service's desk to the device and back, and the cases as both parties keep them.
Not here: arguments of commands, decisions.
Kept: an examination that was interrupted is finished by examining again: the order, the host's answer and the finding
are each made once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from towncircle.kernel.cases import check_closing, opened_at, steps_of
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.licensee import examination
from towncircle.postal import examining
from towncircle.provider import cases
from towncircle.rules.offices import check_office
from towncircle.world.config import POSTAL
from towncircle.world.parties import approved_builds
from towncircle.world.supervising import as_person
from towncircle.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """Hold an examination as the Postal Service has it: its state, its finding, and the fact of the report if any."""

    record: Record
    found: Fact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Hold a case as one party keeps it, with its steps in order."""

    party: str
    record: Record
    opened_at: Instant
    steps: list[Fact]


def order(world: World, device: DeviceId, *, by: str = "inspector") -> str:
    """Order a device's examination, or take up the order that is open; give its reference."""
    chain = tuple(world.cabinet.certificate(name).der for name in (POSTAL, "authority", "root"))
    examiner = examining.Examiner(chain=chain, builds=approved_builds())
    named, actor = as_person(POSTAL, partial(examining.order, device=device, examiner=examiner), by=by, act="examine")
    return str(world.desk(POSTAL).perform(named, actor=actor))


def examine(world: World, device: DeviceId, *, by: str = "inspector") -> Examined:
    """Order a device's examination, have its host answer, and give what the Postal Service made of it."""
    reference = order(world, device, by=by)
    with world.store(POSTAL).reading() as view:
        row = view.get("device", device)
    if row is None:
        raise BrokenInvariant("kernel.internal", what="an examined device left the register")
    licensee = row.body["licensee"]
    world.desk(licensee).perform(lambda ctx: examination.answer(ctx, device=device), actor=licensee)
    return examined(world, reference)


def examined(world: World, reference: str) -> Examined:
    """Give an examination as the Postal Service has it. Raises `Refused` (postal.no-such-examination)."""
    with world.store(POSTAL).reading() as view:
        record = view.get("examination", reference)
        if record is None:
            raise Refused("postal.no-such-examination", reference=reference[:32], device="")
        told = [fact for fact in view.facts() if (fact.type, fact.subject) == ("examination.found", reference)]
    return Examined(record=record, found=told[0] if told else None)


def cases_of(world: World) -> list[Case]:
    """Give every case of every party that keeps it, the oldest first."""
    found = []
    for party in (*world.config.providers, POSTAL):
        with world.store(party).reading() as view:
            found += [
                Case(party=party, record=row, opened_at=opened_at(row), steps=steps_of(view, row.key))
                for row in view.find("case")
            ]
    return sorted(found, key=lambda case: (case.opened_at, case.record.key, case.party))


def close(world: World, case: str, *, outcome: str, reason: str, approved_by: tuple[str, ...]) -> None:
    """Close a case at the Provider that has the device; the Postal Service is told.

    Raises `Refused` (case.unknown, case.elsewhere) and what the Provider's `close` raises.
    """
    close = partial(cases.close, case=case, outcome=outcome, reason=reason)
    for provider in world.config.providers:
        with world.store(provider).reading() as view:
            if view.get("case", case) is None:
                continue
        if provider not in world.desks:
            raise Refused("case.elsewhere", case=case, provider=provider)
        world.desk(provider).perform(lambda ctx: _closed(ctx, case, close, approved_by), actor=provider)
        return
    raise Refused("case.unknown", case=case[:32])


def _closed(ctx: Context, case: str, close: Callable[..., Record], approved_by: tuple[str, ...]) -> Record:
    """Close a case where two persons approve it who hold the office."""
    row = ctx.tx.get("case", case)
    assert row is not None  # the caller found it
    check_closing(row, approved_by)
    for name in approved_by:
        check_office(ctx, name, "cases close")
    return close(ctx, approved_by=approved_by)
