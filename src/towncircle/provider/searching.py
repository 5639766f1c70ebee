"""The search for a device that cannot be located (502.24(a)): its steps, and the determination that follows them.

Here: the checklist of an incident. Not here: the incident itself, the police, the recovery (`missing`).
Kept: a loss that nobody but the Provider assumes needs all the steps of 502.24(a), each with its evidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.provider.inventory import device_record, move
from towncircle.provider.missing import (
    SEARCH,
    SEARCHING,
    checked,
    held_incident,
    hold,
    new_incident,
    open_incident,
    write,
)
from towncircle.rules.articles import read_article
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import LocationInquiry

ASKED_OF_POSTAL = "cmls-and-mats"
_NUMBER, _ZIP = re.compile(r"[0-9][0-9 -]{1,19}", re.ASCII), re.compile(r"[0-9]{5}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,&'-]{1,79}", re.ASCII)
NOTHING, NEW_ADDRESS, NOT_APPLICABLE = "nothing", "new-address", "not-applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Describe one location step: its clause, what is done, what its evidence says, whether a paper must show it."""

    name: str
    clause: str
    does: str
    document: bool = False
    may_not_apply: bool = False
    tells: str = ""  # what its evidence says beside the reference


STEPS = (
    Step(
        name="directory-assistance",
        clause="502.24(a)(1)",
        does="Directory assistance is called.",
        tells="number-called",
    ),
    Step(
        name="post-office",
        clause="502.24(a)(2)",
        does="The local post office is asked for a change of address.",
        tells="office-zip",
    ),
    Step(name="cmls-and-mats", clause="502.24(a)(3)", does="The CMLS site and the MATS coordinator are contacted."),
    Step(
        name="rental-agency",
        clause="502.24(a)(4)",
        does="The rental agency is contacted, if applicable.",
        may_not_apply=True,
        tells="agency",
    ),
    Step(name="last-address", clause="502.24(a)(5)", does="The last known address is visited.", tells="visited-on"),
    Step(
        name="certified-letter",
        clause="502.24(a)(6)",
        does="A certified letter goes to the last known address, with return receipt and endorsement.",
        document=True,
        tells="article",
    ),
)
INSPECTION = Step(
    name="inspection", clause="502.24(a)(7)", does="The scheduled inspection at the new address is completed."
)
_STEPS = {step.name: step for step in (*STEPS, INSPECTION)}


@cites("502.24", "502.24/1")
def search(ctx: Context, *, device: str, reason: str) -> Record:
    """Begin the search for a device that cannot be located: it is missing, and its resets are denied.

    Raises `Refused` (machine.illegal) for one that is elsewhere, `BadInput` (missing.reason).
    """
    if not reason.strip():
        raise BadInput("missing.reason")
    row = device_record(ctx, device)
    held = open_incident(ctx.tx, device)
    if held is not None and held.body["state"] == SEARCHING:
        return held
    move(ctx, row, "miss", zone=row.body["zone"])
    return new_incident(ctx, row, source=SEARCH, state=SEARCHING, place="", details=reason)


@cites("502.24a", "502.24a/1", "502.24a/2", "502.24a/3", "502.24a/4", "502.24a/5", "502.24a/6", "502.24a/7", "502.24/1")
def take_step(
    ctx: Context, *, device: str, step: str, result: str, reference: str, document: str, told: str = ""
) -> Record:
    """Record a location step with its evidence; `document` is the SHA-256 (hex) of the paper that shows it, or empty.

    `told` is what the evidence of that kind says (`Step.tells`). The question to the CMLS site and the MATS coordinator
    goes to the Postal Service, whose they are.

    Raises `BadInput` (missing.no-such-step, missing.bad-reference, missing.step-evidence), `Refused`
    (missing.no-search, missing.step-needs-paper, missing.step-applies, missing.not-located).
    """
    about = _STEPS.get(step)
    if about is None:
        raise BadInput("missing.no-such-step", name=step[:40], known=", ".join(_STEPS))
    checked(reference)
    held = held_incident(ctx, device)
    if held.body["state"] != SEARCHING:
        raise Refused("missing.no-search", device=device, state=held.body["state"])
    if about.document and not document:
        raise Refused("missing.step-needs-paper", step=step, does=about.does, clause=about.clause)
    if result == NOT_APPLICABLE and not about.may_not_apply:
        raise Refused("missing.step-applies", step=step, clause=about.clause)
    if about is INSPECTION and not held.body["located_at"]:
        raise Refused("missing.not-located", device=device)
    if result != NOT_APPLICABLE:
        told = _evidence(ctx, about, told)
    said: dict[str, Any] = {"result": result, "reference": reference, "document": document}
    taken = {**said, "at": int(ctx.now), **({"told": told} if told else {})}
    before = held.body["steps"].get(step, {})
    if {**before, "at": 0} == {**taken, "at": 0}:
        return held
    ctx.note("location-step.taken", device, clauses=(about.clause,), incident=held.key, step=step, **said)
    if step == ASKED_OF_POSTAL:
        inquiry = LocationInquiry(device=DeviceId(device), reference=reference, at=ctx.now)
        ctx.send("postal.usps", inquiry, key=f"location {held.key} {reference}")
    values: dict[str, Any] = {"steps": {**held.body["steps"], step: taken}}
    if result == NEW_ADDRESS:
        row = device_record(ctx, device)
        ctx.note("licensee.located", device, clauses=("502.24(a)(7)",), incident=held.key, zone=row.body["zone"])
        values |= {"located_at": int(ctx.now), "located_counter": row.body["message_counter"]}
    return write(ctx, held, **values)


def _evidence(ctx: Context, step: Step, told: str) -> str:
    """Read what the evidence of a step says, in the form of its kind. Raises `BadInput` (missing.step-evidence)."""
    if step.tells == "article":
        return read_article(told, service="Certified Mail")
    day = _day(told) if step.tells == "visited-on" else None
    fits = {
        "": not told,
        "number-called": bool(_NUMBER.fullmatch(told)),
        "office-zip": bool(_ZIP.fullmatch(told)),
        "agency": bool(_WORD.fullmatch(told)),
        "visited-on": day is not None and day <= ctx.now.date_in(HEADQUARTERS),
    }
    if not fits[step.tells]:
        raise BadInput("missing.step-evidence", step=step.name, needs=step.tells or "nothing", told=told[:40])
    return told


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@cites("502.24", "502.24/1", "502.24a/7")
def determine(ctx: Context, *, device: str, event: str) -> Record:
    """Determine that a device which was searched for is lost or stolen. Raises the refusal with every open step."""
    held = held_incident(ctx, device)
    if held.body["state"] == event:
        return held
    if held.body["state"] != SEARCHING:
        raise Refused("missing.no-search", device=device, state=held.body["state"])
    row = device_record(ctx, device)
    grounds = list(_open_steps(held, counter=row.body["message_counter"]))
    if grounds:
        raise RefusedOnGrounds("missing.steps-open", tuple(grounds), device=device, count=len(grounds))
    _, incident = hold(ctx, row, event=event, source=SEARCH, at=ctx.now, place="", details="")
    return incident


def _open_steps(incident: Record, *, counter: int) -> list[TowncircleError]:
    done, located = incident.body["steps"], incident.body["located_at"]
    grounds: list[TowncircleError] = [
        Refused("missing.step-open", step=step.name, does=step.does, clause=step.clause)
        for step in STEPS
        if step.name not in done
    ]
    audited = counter > incident.body["located_counter"]
    if located and not audited and done.get(INSPECTION.name, {}).get("at", 0) < located:
        grounds.append(
            Refused("missing.step-open", step=INSPECTION.name, does=INSPECTION.does, clause=INSPECTION.clause)
        )
    return grounds
