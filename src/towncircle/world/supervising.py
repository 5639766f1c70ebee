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
from towncircle.kernel.persons import check
from towncircle.kernel.store import Record
from towncircle.world.config import POSTAL
from towncircle.world.world import World


def at_postal(world: World, job: Callable[[Context], Any], *, by: str = "") -> Any:
    """Do a job at the Postal Service, by one of its officers, and bring its notices to their Providers."""
    done = world.desk(POSTAL).perform(job, actor=f"{POSTAL}/{by}" if by else POSTAL)
    world.deliver()
    return done


def by_officer(world: World, job: Callable[[Context], Any], *, by: str, clause: str) -> Any:
    """Do a job at the Postal Service as one of its authorised persons, and bring its notices to their Providers.

    `clause` is what gives the decision to the Postal Service. Raises `Refused` (person.unknown).
    """

    def checked(ctx: Context) -> Any:
        check(ctx, by, clause=clause)
        return job(ctx)

    return at_postal(world, checked, by=by)


def at_provider(world: World, provider: str, job: Callable[[Context], Any]) -> Any:
    """Do a job at a Provider's desk, and bring what it says to the Postal Service. Raises `Refused`."""
    if provider not in world.desks or not provider.startswith("provider."):
        raise Refused("missing.elsewhere", provider=provider[:64])
    done = world.desk(provider).perform(job, actor=provider)
    world.deliver()
    return done


def kept(world: World, party: str, kind: str) -> list[Record]:
    """Give the records of a kind that a party keeps."""
    with world.store(party).reading() as view:
        return view.find(kind)


def evidence_of(papers: Iterable[Path]) -> list[str]:
    """Name each paper by its file name and SHA-256, as an answer includes it."""
    return [f"{paper.name} sha256:{hashlib.sha256(paper.read_bytes()).hexdigest()}" for paper in papers]
