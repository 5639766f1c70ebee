"""Inspections of a Provider's facilities and records (502.1(c), 502.19, 502.25(b)), at the Postal Service.

Here: the file of each inspection: announced or not, what was asked for, what was found, the Provider's answer, the end.
Not here: examinations of devices (`examining`), what may follow (`suspensions`, `sanctions`).
Kept: an inspection is announced for a day to come, or it is unannounced, also where the inspector comes before the day;
records that were asked for and not shown are findings; what was found, and an inspection that was refused, stay open
until the Provider has answered each finding, or the file is referred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.rules.acts import check_reference
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import (
    Acknowledged,
    InspectionAnnounced,
    InspectionAnswer,
    InspectionClosed,
    InspectionReport,
)
from towncircle.wire.bodies.inspections import CLAUSES
from towncircle.wire.message import Opened

KIND = "inspection"
ANNOUNCED, OPEN, ANSWERED, CLOSED = "announced", "open", "answered", "closed"
IN_ORDER, DEFICIENT, REFUSED = "in-order", "deficient", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Hold which facilities of a Provider are inspected, where, and which records are asked for."""

    provider: str
    scope: Any
    site: str
    records: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hold what an inspection found, and the SHA-256 of the paper that says so."""

    outcome: Any
    document: str
    findings: Sequence[str] = ()
    not_shown: Sequence[str] = ()


@cites("502.19/2", "502.25b/2", "502.1/3")
def announce(ctx: Context, *, inspection: str, visit: Visit, on: date) -> Record:
    """Announce an inspection to its Provider; the same told again is one inspection.

    Raises `Refused` (inspection.not-ahead, inspection.taken, inspection.incomplete), `BadInput` (acts.bad-reference).
    """
    check_reference(inspection)
    provider, scope, site, records = visit.provider, visit.scope, visit.site, visit.records
    told = {"scope": scope, "site": site, "on": on.isoformat(), "records": list(records)}
    held = ctx.tx.get(KIND, inspection)
    if held is not None:
        if held.owner != provider or any(held.body[name] != value for name, value in told.items()):
            raise Refused("inspection.taken", inspection=inspection, provider=held.owner, clause=CLAUSES[scope])
        return held
    _check_complete(inspection, scope, lacks=[] if site.strip() else ["where it is"])
    if on <= ctx.now.date_in(HEADQUARTERS):
        raise Refused("inspection.not-ahead", on=on, clause=CLAUSES[scope])
    body = InspectionAnnounced(
        inspection=inspection, scope=scope, site=site, on=told["on"], records=tuple(records), at=ctx.now
    )
    ctx.note("inspection.announced", inspection, clauses=(CLAUSES[scope],), provider=provider, **told)
    ctx.send(provider, body, key=f"inspection announced {inspection}")
    return ctx.tx.put(KIND, inspection, {**told, "state": ANNOUNCED}, owner=provider, expected=0)


@cites("502.19/2", "502.25b/2", "502.1/3")
def report(ctx: Context, *, inspection: str, visit: Visit, what: Found) -> Record:
    """Report an inspection, announced before or not: in order, deficient with its findings, or refused.

    Raises `Refused` (inspection.reported, inspection.other, inspection.incomplete), `BadInput` (acts.bad-reference).
    """
    check_reference(inspection)
    provider, scope, site = visit.provider, visit.scope, visit.site
    held = ctx.tx.get(KIND, inspection)
    before: Mapping[str, Any] = held.body if held is not None else {"on": "", "records": [], "state": ANNOUNCED}
    if before["state"] != ANNOUNCED:
        raise Refused("inspection.reported", inspection=inspection, state=before["state"], clause=CLAUSES[scope])
    if held is not None and (held.owner, held.body["scope"], held.body["site"]) != (provider, scope, site):
        raise Refused("inspection.other", inspection=inspection, provider=held.owner, clause=CLAUSES[scope],
                      scope=held.body["scope"], site=held.body["site"])  # fmt: skip
    asked = [*before["records"], *(one for one in visit.records if one not in before["records"])]
    found = [*what.findings, *(f"Not shown: {one}" for one in what.not_shown)]
    _check_complete(inspection, scope, lacks=_lacks(visit, what, asked, found))
    announced = before["on"] if before["on"] and date.fromisoformat(before["on"]) <= _today(ctx) else ""
    told = {"scope": scope, "site": site, "announced": announced, "outcome": what.outcome}
    ctx.note("inspection.reported", inspection, clauses=(CLAUSES[scope],), provider=provider, records=asked,
             findings=len(found), document=what.document, **told)  # fmt: skip
    body = InspectionReport(
        inspection=inspection, records=tuple(asked), findings=tuple(found), document=what.document, at=ctx.now, **told
    )
    ctx.send(provider, body, key=f"inspection reported {inspection}")
    state = CLOSED if what.outcome == IN_ORDER else OPEN
    kept = {**before, **told, "records": asked, "findings": found, "document": what.document, "state": state}
    return ctx.tx.put(KIND, inspection, kept, owner=provider, expected=held.version if held is not None else 0)


def _lacks(visit: Visit, what: Found, asked: Sequence[str], found: Sequence[str]) -> list[str]:
    lacks = [] if visit.site.strip() else ["where it was"]
    lacks += [f"a request for the record {one!r}, which was not shown" for one in what.not_shown if one not in asked]
    if what.outcome == IN_ORDER:
        return lacks + (["an outcome that goes with its findings"] if found else [])
    return lacks + ([] if found and all(map(str.strip, found)) else ["a finding, or the words of the refusal"])


@cites("502.19/2", "502.25b/2", "502.1/3")
def on_answer(ctx: Context, opened: Opened) -> Acknowledged:
    """File a Provider's answer, late too. Raises `Refused` (inspection.unknown, inspection.answers)."""
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, InspectionAnswer)
    held = _held(ctx, body.inspection, provider)
    clause = CLAUSES[held.body["scope"]]
    if held.body["state"] != OPEN or len(body.answers) != len(held.body["findings"]) or not all(body.answers):
        raise Refused("inspection.answers", inspection=held.key, state=held.body["state"], clause=clause,
                      findings=len(held.body.get("findings", ())))  # fmt: skip
    ctx.note("inspection.answer-filed", held.key, clauses=(clause,), provider=provider, document=body.document)
    _put(ctx, held, state=ANSWERED, answers=list(body.answers), answer_document=body.document)
    return Acknowledged(note=f"the answer to {held.key} is filed")


@cites("502.19/2", "502.25b/2", "502.1/3")
def close(ctx: Context, *, inspection: str, outcome: Any, words: str) -> Record:
    """Close an inspection that found something: corrected after the answer, or referred for what the rule allows.

    Raises `Refused` (inspection.unknown, inspection.not-answered, inspection.incomplete).
    """
    held = _held(ctx, inspection)
    clause = CLAUSES[held.body["scope"]]
    if held.body["state"] == CLOSED and held.body.get("end") == outcome:
        return held
    if held.body["state"] != ANSWERED and not (held.body["state"] == OPEN and outcome == "referred"):
        raise Refused("inspection.not-answered", inspection=inspection, state=held.body["state"], clause=clause)
    _check_complete(inspection, held.body["scope"], lacks=[] if words.strip() else ["the reasons"])
    ctx.note("inspection.closed", inspection, clauses=(clause,), provider=held.owner, outcome=outcome)
    body = InspectionClosed(inspection=inspection, outcome=outcome, words=words, at=ctx.now)
    ctx.send(held.owner, body, key=f"inspection closed {inspection}")
    return _put(ctx, held, state=CLOSED, end=outcome, words=words)


def _check_complete(inspection: str, scope: str, *, lacks: list[str]) -> None:
    if lacks:
        raise Refused("inspection.incomplete", inspection=inspection, lacks="; ".join(lacks), clause=CLAUSES[scope])


def _held(ctx: Context, inspection: str, provider: str = "") -> Record:
    held = ctx.tx.get(KIND, inspection)
    if held is None or provider not in ("", held.owner):
        raise Refused("inspection.unknown", inspection=inspection[:80])
    return held


def _put(ctx: Context, held: Record, **values: Any) -> Record:
    return ctx.tx.put(KIND, held.key, {**held.body, **values}, owner=held.owner, expected=held.version)


def _today(ctx: Context) -> date:
    return ctx.now.date_in(HEADQUARTERS)
