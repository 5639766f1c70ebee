"""Supervision as one walks it in a world: acts of the Postal Service, answers of a Provider (502.1 to 502.21).

Here: who does what at which desk, and bringing what was said to the other side. Not here: arguments, decisions.
Kept: every step can be run again after a crash; what was begun is finished or refused with how it stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.rules.offices import OfficeAct, check_office
from towncircle.world.config import POSTAL
from towncircle.world.world import World


def at_postal(world: World, job: Callable[[Context], Any], *, by: str = "") -> Any:
    """Do a job at the Postal Service, by one of its officers, and bring its notices to their Providers."""
    done = world.desk(POSTAL).perform(job, actor=f"{POSTAL}/{by}" if by else POSTAL)
    world.deliver()
    return done


def in_office(job: Callable[[Context], Any], *, by: str, act: str | OfficeAct) -> Callable[[Context], Any]:
    """Give a job that is done only by a person who holds the office of an act (`rules.offices`)."""

    def checked(ctx: Context) -> Any:
        check_office(ctx, by, act)
        return job(ctx)

    return checked


def by_officer(world: World, job: Callable[[Context], Any], *, by: str, act: str) -> Any:
    """Do an act of an office at the Postal Service as a person who holds it, and bring its notices to their Providers.

    Raises `Refused` (person.unknown, person.other-office).
    """
    return at_postal(world, in_office(job, by=by, act=act), by=by)


def at_provider(world: World, provider: str, job: Callable[[Context], Any], *, by: str = "", act: str = "") -> Any:
    """Do a job at a Provider's desk, and bring what it says to the Postal Service.

    An act of an office is done by a person, `by`, and its fact names him; without one it is the program's own step.
    Raises `Refused` (missing.elsewhere, person.unknown, person.other-office).
    """
    if provider not in world.desks or not provider.startswith("provider."):
        raise Refused("missing.elsewhere", provider=provider[:64])
    named, actor = as_person(provider, job, by=by, act=act)
    done = world.desk(provider).perform(named, actor=actor)
    world.deliver()
    return done


def provider_of(world: World, device: str) -> str:
    """Name the Provider that has a device. Raises `Refused` (provider.unknown-device)."""
    for provider in world.config.providers:
        with world.store(provider).reading() as view:
            if view.get("device", device) is not None:
                return provider
    raise Refused("provider.unknown-device", device=device, provider="any Provider")


def as_person(
    party: str, job: Callable[[Context], Any], *, by: str, act: str | OfficeAct
) -> tuple[Callable[[Context], Any], str]:
    """Give a job and its actor: a person of the party who holds the act's office, or without an act the party."""
    return (in_office(job, by=by, act=act), f"{party}/{by}") if act else (job, party)


def kept(world: World, party: str, kind: str) -> list[Record]:
    """Give the records of a kind that a party keeps."""
    with world.store(party).reading() as view:
        return view.find(kind)


def evidence_of(papers: Iterable[Path]) -> list[str]:
    """Name each paper by its file name and SHA-256, as an answer includes it."""
    return [f"{paper.name} sha256:{hashlib.sha256(paper.read_bytes()).hexdigest()}" for paper in papers]
