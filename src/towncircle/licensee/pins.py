"""PINs: who prints for a department proves to be the person (IMI-05).

Here: setting a PIN, trying one, and what a proof is good for. Not here: Argon2id (`pki.pins`), whom a department admits
(`departments`).
Kept: a PIN is neither stored, exported nor written into the journal. A try is counted and committed before the PIN is
looked at, so that no kill and no second caller makes a try free; after `MOST_TRIES` wrong ones in a row each further
one waits `WAIT_MINUTES`. A PIN is changed by who knows it, or reset by another authorised person, who proves it by
the own PIN and is recorded; a PIN that a person gave itself resets nobody's for `VOUCHED_DAYS`, unless it was the first
of all. A proof is good for one job and no other.
"""

from __future__ import annotations

from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, same_person
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import BatchId, JobId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.pki.pins import matches, protected

MOST_TRIES, WAIT_MINUTES = 5, 15  # house
VOUCHED_DAYS = 7  # house: so long the journal tells of a PIN that nobody else vouched for before it proves a reset
_MINUTE_US = 60_000_000


@cites("IMI-05/3")
def set_pin(ctx: Context, *, name: str, pin: str) -> None:
    """Give an authorised person a first PIN. Raises `Refused` (person.unknown, pin.held), `BadInput` (pin.unfit)."""
    persons.check(ctx, name, clause="IMI-05")
    held = ctx.tx.get("pin", name)
    if held is not None:
        raise Refused("pin.held", name=name)
    _set(ctx, held, name=name, pin=pin, how="first", by=name)


@cites("IMI-05/3")
def begin_reset(ctx: Context, *, name: str, by: str) -> None:
    """Count a try of the PIN of who resets another person's, before it is looked at.

    Raises `Refused` (person.unknown, pin.reset-by-oneself, pin.none, pin.wait, pin.unvouched).
    """
    persons.check(ctx, name, clause="IMI-05")
    persons.check(ctx, by, clause="IMI-05")
    if same_person(name, by):
        raise Refused("pin.reset-by-oneself", name=name)
    _held(ctx, by)
    _check_vouched(ctx, by)
    begin_try(ctx, name=by)


def _check_vouched(ctx: Context, name: str) -> None:
    """Check that another one vouched for a person's PIN, or that it stood for all to see; the first of all counts.

    Raises `Refused` (pin.unvouched).
    """
    told = [fact for fact in ctx.tx.facts() if fact.type == "pin.set"]
    own = [fact for fact in told if fact.subject == name]
    if not own or told[0].subject == name or any(not same_person(str(fact.body["by"]), name) for fact in own):
        return
    free = own[0].recorded_at.plus(days=VOUCHED_DAYS)
    if ctx.now < free:
        raise Refused("pin.unvouched", name=name, until=free)


@cites("IMI-05/3")
def end_reset(ctx: Context, *, name: str, pin: str, by: str, proof: str) -> Refused | None:
    """Give a person a new PIN for one that was forgotten, for the own PIN of another person, whose try was counted.

    Gives the refusal of a wrong one, or None. Raises `Refused` (pin.none), `BadInput` (pin.unfit).
    """
    proves = _held(ctx, by)
    wrong = _wrong(ctx, proves, proof)
    if wrong is None:
        _write(ctx, proves, tries=0)
        held = ctx.tx.get("pin", name)
        _set(ctx, held, name=name, pin=pin, how="reset" if held is not None else "first", by=by)
    return wrong


@cites("IMI-05/3")
def change_pin(ctx: Context, *, name: str, old: str, pin: str) -> Refused | None:
    """Give a person a new PIN for the old one, whose try was counted; give the refusal of a wrong one, or None.

    Raises `Refused` (pin.none), `BadInput` (pin.unfit).
    """
    held = _held(ctx, name)
    wrong = _wrong(ctx, held, old)
    if wrong is None:
        _set(ctx, held, name=name, pin=pin, how="changed", by=name)
    return wrong


def _set(ctx: Context, held: Record | None, *, name: str, pin: str, how: str, by: str) -> None:
    body = {"kept": protected(pin, ctx.randomness), "tries": 0, "tried_at": 0, "proved_for": ""}
    ctx.tx.put("pin", name, body, owner=ctx.party, expected=held.version if held else 0)
    ctx.note("pin.set", name, clauses=("IMI-05",), how=how, by=by)


def _wrong(ctx: Context, held: Record, pin: str) -> Refused | None:
    """Compare a PIN; note and give the refusal of a wrong one."""
    if matches(pin, held.body["kept"]):
        return None
    ctx.note("pin.refused", held.key, clauses=("IMI-05",), tries=held.body["tries"])
    return Refused("pin.wrong", name=held.key, left=max(MOST_TRIES - int(held.body["tries"]), 0))


@cites("IMI-05/3")
def begin_try(ctx: Context, *, name: str) -> None:
    """Count a try before the PIN is looked at. Raises `Refused` (person.unknown, pin.none, pin.wait)."""
    persons.check(ctx, name)
    held = _held(ctx, name)
    tries = int(held.body["tries"])
    free = Instant(held.body["tried_at"]).plus(microseconds=WAIT_MINUTES * _MINUTE_US)
    if tries >= MOST_TRIES and ctx.now < free:
        raise Refused("pin.wait", name=name, tries=tries, until=free)
    _write(ctx, held, tries=tries + 1, tried_at=int(ctx.now))


@cites("IMI-05/3")
def end_try(ctx: Context, *, name: str, pin: str, job: JobId | BatchId) -> Refused | None:
    """Compare a PIN whose try was counted; give the refusal of a wrong one, or None: it is proved for the job."""
    held = _held(ctx, name)
    wrong = _wrong(ctx, held, pin)
    if wrong is None:
        _write(ctx, held, tries=0, proved_for=job)
    return wrong


@cites("IMI-05/3")
def proved(ctx: Context, *, name: str, job: JobId | BatchId) -> None:
    """Check that a person has proved to be it, for just this job. Raises `Refused` (person.unknown, pin.needed)."""
    persons.check(ctx, name)
    held = ctx.tx.get("pin", name)
    if held is None or held.body["proved_for"] != job:
        raise Refused("pin.needed", name=name)


def _held(ctx: Context, name: str) -> Record:
    held = ctx.tx.get("pin", name)
    if held is None:
        raise Refused("pin.none", name=name)
    return held


def _write(ctx: Context, held: Record, **values: int | str) -> None:
    ctx.tx.put("pin", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)
