"""Departments as one walks them: who prints for which, and the PIN that proves it (IMI-05).

Here: the try of a PIN in its two transactions. Not here: budgets (`licensee.departments`), tries (`licensee.pins`).
Kept: the try stands in the store before the PIN is looked at, whatever becomes of this process in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import BatchId, JobId
from towncircle.licensee import pins
from towncircle.licensee.departments import DEFAULT
from towncircle.pki.pins import check_fit

if TYPE_CHECKING:
    from towncircle.world.journeys import Journeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Say for which department is printed, by whom (a sign-in name, or nobody named), and the PIN that was typed."""

    department: str = DEFAULT
    person: str = ""
    pin: str = field(default="", repr=False)


@cites("IMI-05/3")
def prove(journeys: Journeys, payer: Payer, *, job: JobId | BatchId) -> None:
    """Try the PIN of who prints a job. Raises `Refused` (person.unknown, pin.none, pin.wait, pin.wrong)."""
    if not payer.person:
        return
    name = payer.person
    journeys.do(lambda ctx: pins.begin_try(ctx, name=name))
    _go_on(journeys.do(lambda ctx: pins.end_try(ctx, name=name, pin=payer.pin, job=job)))


@cites("IMI-05/3")
def set_pin(journeys: Journeys, *, name: str, pin: str, old: str = "") -> None:
    """Set a person's first PIN, or change it by the old one.

    Raises `Refused` (person.unknown, pin.held, pin.wait, pin.wrong), `BadInput` (pin.unfit).
    """
    if not old:
        journeys.do(lambda ctx: pins.set_pin(ctx, name=name, pin=pin))
        return
    check_fit(pin)  # before a try is counted for it
    journeys.do(lambda ctx: pins.begin_try(ctx, name=name))
    _go_on(journeys.do(lambda ctx: pins.change_pin(ctx, name=name, old=old, pin=pin)))


@cites("IMI-05/3")
def reset_pin(journeys: Journeys, *, name: str, pin: str, by: str, proof: str) -> None:
    """Have another authorised person, who proves it by the own PIN, reset a person's PIN.

    Raises `Refused` (person.unknown, pin.reset-by-oneself, pin.none, pin.unvouched, pin.wait, pin.wrong), `BadInput`
    (pin.unfit).
    """
    check_fit(pin)
    journeys.do(lambda ctx: pins.begin_reset(ctx, name=name, by=by))
    _go_on(journeys.do(lambda ctx: pins.end_reset(ctx, name=name, pin=pin, by=by, proof=proof)))


def _go_on(wrong: Refused | None) -> None:
    if wrong is not None:
        raise wrong


def has_pin(journeys: Journeys, name: str) -> bool:
    """Tell whether a person has a PIN."""
    with journeys.world.store(journeys.licensee).reading() as view:
        return view.get("pin", name) is not None
