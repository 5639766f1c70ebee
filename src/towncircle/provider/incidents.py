"""Papers about missing devices (502.20(g) and (k), 502.24(d)): incident reports, and the monthly file.

Here: what goes to the Postal Service, and when it may. Not here: the incident itself (`missing`).
Kept: the first report comes after the location activities or the police path; a recovery is reported by a new report
that references the first; a period has one file, which is due also when nothing was lost, and a device that was found
is purged from it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused, RefusedOnGrounds, TowncircleError
from towncircle.kernel.ids import DeviceId, IncidentId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.ledger import Books
from towncircle.provider.inventory import device_record
from towncircle.provider.missing import LICENSEE, LOST, STOLEN, registers_of, write
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import IncidentReport, LostAndStolenFile, StepRow
from towncircle.wire.lost_and_stolen import MissingDevice, MonthlyFile, period_of
from towncircle.wire.lost_and_stolen import write as written


@cites("502.20g", "502.20g/2", "502.24", "502.24/2", "502.24b/1", "P050-2.8/3")
def file_report(ctx: Context, *, device: str) -> Record:
    """File the incident report of a lost or stolen device, once, that of its oldest incident first.

    Raises the refusal with every open step.
    """
    held = _first(ctx, device, _loss_open)
    if not held.body["determined_at"]:
        raise Refused("missing.not-determined", device=device)
    if held.body["filed_at"]:
        return held
    grounds = list(_open_police(held))
    if grounds:
        raise RefusedOnGrounds("missing.steps-open", tuple(grounds), device=device, count=len(grounds))
    words = _words(ctx, held)
    _send(ctx, held, report=held.key, references="", event=held.body["event"], words=(words["place"], words["details"]))
    ctx.note("incident.reported", device, clauses=("502.20(g)", "502.24"), incident=held.key, report=held.key)
    return write(ctx, held, filed_at=int(ctx.now))


def file_due(ctx: Context, *, device: str) -> Record:
    """File the report that is due of a device: of its loss first, then of its recovery."""
    held = _first(ctx, device, lambda body: _loss_open(body) or _find_open(body))
    return file_recovery(ctx, device=device) if _find_open(held.body) else file_report(ctx, device=device)


def _loss_open(body: Mapping[str, Any]) -> bool:
    return bool(body["determined_at"] and not body["filed_at"])


def _find_open(body: Mapping[str, Any]) -> bool:
    return bool(body["recovered_at"] and not body["recovery_report"] and not _loss_open(body))


def _open_police(held: Record) -> list[TowncircleError]:
    if held.body["source"] != LICENSEE or held.body["recovered_at"]:  # nothing is missing any more
        return []
    grounds: list[TowncircleError] = []
    if not held.body["police"]:
        grounds.append(Refused("missing.no-police-report", device=held.owner))
    if not held.body["cpip"]:
        grounds.append(Refused("missing.no-cpip-copy", device=held.owner))
    return grounds


@cites("502.24d", "502.24d/1")
def file_recovery(ctx: Context, *, device: str) -> Record:
    """File the new incident report of a recovered device; it references the first report where there was one.

    Raises `Refused` (missing.not-recovered, missing.first-report).
    """
    held = _first(ctx, device, lambda body: body["recovered_at"] and not body["recovery_report"])
    if not held.body["recovered_at"]:
        raise Refused("missing.not-recovered", device=device)
    if held.body["recovery_report"]:
        return held
    if held.body["determined_at"] and not held.body["filed_at"]:
        raise Refused("missing.first-report", device=device)
    report, words = IncidentId.new(ctx.randomness), _words(ctx, held)
    references = held.key if held.body["filed_at"] else ""
    told = (words.get("found_place", ""), words.get("found_details", ""))
    _send(ctx, held, report=report, references=references, event="recovered", words=told)
    ctx.note(
        "recovery.reported",
        device,
        clauses=("502.24(d)",),
        incident=held.key,
        report=report,
        references=references,
    )
    return write(ctx, held, recovery_report=report)


def _send(ctx: Context, held: Record, *, report: str, references: str, event: Any, words: tuple[str, str]) -> None:
    body = held.body
    steps = [
        StepRow(
            step=name,
            result=told["result"],
            reference=told["reference"],
            document=told["document"],
            at=Instant(told["at"]),
        )
        for name, told in sorted(body["steps"].items(), key=lambda item: item[1]["at"])
    ]
    for name, told in (("police-report", body["police"]), ("cpip-copy", body["cpip"])):
        if told:
            document = told.get("document", "")
            done = Instant(told["at"])
            steps.append(StepRow(step=name, result="done", reference=told["reference"], document=document, at=done))
    paper = IncidentReport(
        report=report,
        references=references,
        device=DeviceId(held.owner),
        license=body["license"],
        event=event,
        determined_at=Instant(body["recovered_at"] if event == "recovered" else body["determined_at"]),
        source=body["source"],
        place=words[0],
        details=words[1],
        steps=tuple(steps),
        registers=registers_of(ctx, device_record(ctx, held.owner)),
    )
    ctx.send("postal.usps", paper, key=f"incident report {report}")


@cites("502.20k", "502.24d/2")
def file_month(ctx: Context, *, period: str) -> Record:
    """Make and send the file of lost or stolen devices of a month that is over, once.

    Raises `BadInput` (missing.bad-period), `Refused` (missing.period-open).
    """
    period_of(period)
    held = ctx.tx.get("lost-and-stolen-file", period)
    if held is not None:
        return held
    if period >= month_of(ctx.now):
        raise Refused("missing.period-open", period=period)
    rows, purged = [], 0
    for incident in ctx.tx.find("incident"):
        body = incident.body
        determined = month_of(Instant(body["determined_at"])) if body["determined_at"] else ""
        if not determined or determined > period:
            continue
        if body["recovered_at"]:
            purged += month_of(Instant(body["recovered_at"])) == period
        elif body["state"] in (LOST, STOLEN):
            rows.append(_row(ctx, incident, new=determined == period))
    file = MonthlyFile(
        provider=ctx.party,
        period=period,
        made_at=ctx.now,
        devices=tuple(sorted(rows, key=lambda row: row.device)),
        purged=purged,
    )
    data = written(file)
    digest = hashlib.sha256(data).hexdigest()
    ctx.send("postal.usps", LostAndStolenFile(period=period, file=data), key=f"lost and stolen {period}")
    ctx.note(
        "lost-and-stolen-file.sent",
        period,
        clauses=("502.20(k)",),
        period=period,
        digest=digest,
        rows=len(rows),
        purged=purged,
    )
    record = {"file": base64.b64encode(data).decode(), "digest": digest, "made_at": int(ctx.now)}
    return ctx.tx.put("lost-and-stolen-file", period, record, owner=ctx.party, expected=0)


def _row(ctx: Context, incident: Record, *, new: bool) -> MissingDevice:
    held = Books(ctx.tx).device(incident.body["licensee"], incident.owner)
    return MissingDevice(
        device=incident.owner,
        license=incident.body["license"],
        status=incident.body["state"],
        since=Instant(incident.body["since"]),
        incident=incident.key,
        new=new,
        descending_mills=int(held.descending),
    )


def month_of(at: Instant) -> str:
    """Give the month (`YYYY-MM`) of an instant in Washington, where the file goes."""
    return at.date_in(HEADQUARTERS).isoformat()[:7]


def _first(ctx: Context, device: str, wanted: Callable[[Mapping[str, Any]], object]) -> Record:
    """Give the oldest incident of a device whose report is wanted; where there is none, the last incident."""
    device_record(ctx, device)
    rows = ctx.tx.find("incident", owner=device)
    if not rows:
        raise Refused("missing.no-incident", device=device)
    rows.sort(key=lambda row: int(row.body["number"]))
    return next((row for row in rows if wanted(row.body)), rows[-1])


def _words(ctx: Context, held: Record) -> Mapping[str, str]:
    row = ctx.tx.get("incident-words", held.key)
    assert row is not None
    return row.body
