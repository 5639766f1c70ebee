"""Inspections of this Provider's facilities and records, as it keeps them (502.1(c), 502.19, 502.25(b)).

Here: the announcement, the report, this Provider's answer to each finding, the end. Not here: the visit, which people
make, and the Postal Service's file.
Kept: what was found counts from the day this Provider learns it, and is answered finding by finding; an answer is given
once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
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
OPEN, ANSWERED, CLOSED = "open", "answered", "closed"
_UNTOLD: Mapping[str, Any] = MappingProxyType({"scope": "", "site": "", "on": "", "records": []})
_ANY = "502.19, 502.25(b), 502.1(c)"  # of an end that came before it was known what was looked at


@cites("502.19/2", "502.25b/2")
def on_announced(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the announcement of an inspection."""
    body = opened.body
    assert isinstance(body, InspectionAnnounced)
    told: dict[str, Any] = {"scope": body.scope, "site": body.site, "on": body.on, "records": list(body.records)}
    held = ctx.tx.get(KIND, body.inspection)
    if held is None or not held.body.get("on"):  # its report or its end may have come first, and goes before it
        ctx.note("inspection.announced", body.inspection, clauses=(CLAUSES[body.scope],), **told)
        later = held.body if held is not None else {}
        empty = {name: value for name, value in told.items() if not later.get(name)}
        record = {"state": "announced", **later, **empty}
        ctx.tx.put(KIND, body.inspection, record, owner=ctx.party, expected=held.version if held else 0)
    return Acknowledged(note=f"the inspection {body.inspection} is announced for {body.on}")


@cites("502.19/2", "502.25b/2", "502.1/3")
def on_report(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the report of an inspection; what was found, and a refusal, is to be answered from now on."""
    body = opened.body
    assert isinstance(body, InspectionReport)
    held = ctx.tx.get(KIND, body.inspection)
    if held is None or "outcome" not in held.body:
        named: dict[str, Any] = {"scope": body.scope, "announced": body.announced, "outcome": body.outcome}
        clause = CLAUSES[body.scope]
        ctx.note("inspection.found", body.inspection, clauses=(clause,), findings=len(body.findings), **named)
        told = {**named, "site": body.site, "records": list(body.records), "findings": list(body.findings)}
        ended = held is not None and held.body["state"] == CLOSED  # its end came first: it stays closed
        state = CLOSED if ended or body.outcome == "in-order" else OPEN
        record = {**(held.body if held else {}), **told, "document": body.document, "state": state}
        ctx.tx.put(KIND, body.inspection, record, owner=ctx.party, expected=held.version if held else 0)
        if held is not None and ended:
            ctx.note("inspection.closed", held.key, clauses=(clause,), outcome=held.body["end"])
    return Acknowledged(note=f"the report of {body.inspection} is here")


@cites("502.19/2", "502.25b/2", "502.1/3")
def answer(ctx: Context, *, inspection: str, answers: Sequence[str], document: str) -> Record:
    """Answer each finding of an inspection, in their order.

    Raises `Refused` (inspection.unknown, inspection.answers).
    """
    held = ctx.tx.get(KIND, inspection)
    if held is None:
        raise Refused("inspection.unknown", inspection=inspection[:80])
    findings = held.body.get("findings", ())
    if held.body["state"] != OPEN or len(answers) != len(findings) or not all(map(str.strip, answers)):
        raise Refused("inspection.answers", inspection=inspection, state=held.body["state"], findings=len(findings),
                      clause=_clause(held))  # fmt: skip
    body = InspectionAnswer(inspection=inspection, answers=tuple(answers), document=document, at=ctx.now)
    ctx.send("postal.usps", body, key=f"inspection answered {inspection}")
    ctx.note("inspection.answered", inspection, clauses=(_clause(held),), document=document)
    return _put(ctx, held, state=ANSWERED, answers=list(answers))


@cites("502.19/2", "502.25b/2")
def on_closed(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the end of an inspection, also where it overtook the announcement and the report."""
    body = opened.body
    assert isinstance(body, InspectionClosed)
    held = ctx.tx.get(KIND, body.inspection)
    if held is None or held.body["state"] != CLOSED:
        clause = _clause(held) if held is not None else _ANY
        ctx.note("inspection.closed", body.inspection, clauses=(clause,), outcome=body.outcome)
        ended = {**(held.body if held else _UNTOLD), "state": CLOSED, "end": body.outcome, "words": body.words}
        ctx.tx.put(KIND, body.inspection, ended, owner=ctx.party, expected=held.version if held else 0)
    return Acknowledged(note=f"the inspection {body.inspection} is closed")


def _put(ctx: Context, held: Record, **values: object) -> Record:
    return ctx.tx.put(KIND, held.key, {**held.body, **values}, owner=held.owner, expected=held.version)


def _clause(held: Record) -> str:
    return CLAUSES.get(held.body["scope"], _ANY)
