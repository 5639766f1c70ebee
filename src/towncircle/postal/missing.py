"""Missing devices at the Postal Service (502.24, P050 2.8): what licensees tell, what Providers file, the monthly file.

Here: the reports and files about missing devices, the CPIP specialist's copy of the police report. Not here: the
register's own status of a device (`population`), which verifiers see at once.
Kept: a recovery references the first report of that device; a file that does not agree with its own totals is refused;
one that does not agree with the register is kept, with every difference.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.postal.population import own_device
from towncircle.rules.acts import check_reference
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import (
    Acknowledged,
    IncidentReport,
    LocationInquiry,
    LostAndStolenFile,
    MissingReport,
    PoliceCopyReceived,
    PoliceCopySent,
)
from towncircle.wire.lost_and_stolen import MonthlyFile, read
from towncircle.wire.message import Opened

_MISSING = ("lost", "stolen")
_SHOWN = 100  # house: how many differences of a file are kept by name


@cites("P050-2.8", "P050-2.8/1", "P050-2.8/2", "PRE-07/5")
def on_report(ctx: Context, opened: Opened) -> Acknowledged:
    """Note at the licensing post office what a licensee tells of its device; its Provider changes the register.

    Raises `Refused` (postal.unknown-device, missing.not-yet, missing.no-details).
    """
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, MissingReport)
    row = ctx.tx.get("device", body.device)
    if row is None or row.body["licensee"] != licensee:
        raise Refused("postal.unknown-device", device=body.device, provider=licensee)
    if body.at > ctx.now:
        raise Refused("missing.not-yet", device=body.device, at=body.at)
    if not body.place.strip() or not body.details.strip():
        raise Refused("missing.no-details", device=body.device)
    ctx.note(
        "missing.told", body.device, clauses=("P050 2.8",), licensee=licensee, provider=row.owner, event=body.event
    )
    return Acknowledged(note=f"{body.device}: {body.event}, noted at the licensing post office")


@cites("502.24", "502.24d", "502.24d/1", "502.8/8", "PRE-07/5", "502.24/2", "502.20g/1", "P050-2.8/3")
def on_incident(ctx: Context, opened: Opened) -> Acknowledged:
    """File a Lost and Stolen PSD Incident Report.

    Raises `Refused`: postal.unknown-device, missing.no-details, missing.report-taken, missing.no-reference,
    missing.not-registered.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, IncidentReport)
    row = own_device(ctx, body.device, provider)
    if not body.details.strip():  # the place of what was searched for in vain is not known
        raise Refused("missing.no-details", device=body.device)
    if ctx.tx.get("incident-report", body.report) is not None:
        raise Refused("missing.report-taken", report=body.report)
    first = ctx.tx.get("incident-report", body.references) if body.references else None
    if body.event == "recovered":
        _check_reference(ctx, body, first.owner if first is not None else "")
    elif body.references or "missing_since" not in row.body:  # it may have been found, and given back, before
        raise Refused("missing.not-registered", device=body.device, status=row.body["status"])
    record = {
        "device": body.device,
        "event": body.event,
        "references": body.references,
        "source": body.source,
        "determined_at": int(body.determined_at),
        "steps": [[step.step, step.result, step.reference, step.document, int(step.at)] for step in body.steps],
        "provider": provider,
        "license": body.license,
        "registers": [int(body.registers.ascending), int(body.registers.descending), body.registers.pieces],
    }
    ctx.tx.put("incident-report", body.report, record, owner=body.device, expected=0)
    words = {"place": body.place, "details": body.details}  # apart, as the Provider keeps them: exports carry none
    ctx.tx.put("incident-words", body.report, words, owner=body.device, expected=0)
    ctx.note(
        "incident.filed",
        body.report,
        clauses=("502.24(d)",) if body.event == "recovered" else ("502.24",),
        device=body.device,
        provider=provider,
        event=body.event,
        references=body.references,
    )
    return Acknowledged(note=f"incident report {body.report} filed")


@cites("502.24a/3")
def on_inquiry(ctx: Context, opened: Opened) -> Acknowledged:
    """Take a Provider's question where a licensee is, and say what the CMLS has.

    The District MATS coordinator answers by a paper of his own. Raises `Refused` (postal.unknown-device).
    """
    body = opened.body
    assert isinstance(body, LocationInquiry)
    row = own_device(ctx, body.device, opened.envelope.sender)
    held = ctx.tx.get("license", row.body["license"])
    state = f"{held.body['state']}, of the post office {held.body['office_zip']}" if held is not None else "not here"
    named: dict[str, Any] = {"reference": body.reference, "licensee": row.body["licensee"]}
    ctx.note("location.inquired", body.device, clauses=("502.24(a)(3)",), provider=row.owner, **named)
    return Acknowledged(note=f"the license {row.body['license']} is {state}")


@cites("502.24b/1")
def on_copy_sent(ctx: Context, opened: Opened) -> Acknowledged:
    """Take a Provider's word of the copy that it sent to the CPIP specialist.

    Raises `Refused` (postal.unknown-device).
    """
    body = opened.body
    assert isinstance(body, PoliceCopySent)
    row = own_device(ctx, body.device, opened.envelope.sender)
    key, sent = f"{body.device} {body.reference}", {"device": body.device, "document": body.document}
    held = ctx.tx.get("police-copy-sent", key)
    ctx.tx.put("police-copy-sent", key, sent, owner=row.owner, expected=held.version if held is not None else 0)
    named: dict[str, Any] = {"reference": body.reference, "document": body.document}
    ctx.note("cpip.announced", body.device, clauses=("502.24(b)(1)",), provider=row.owner, **named)
    return Acknowledged(note=f"the copy {body.reference} is expected")


@cites("502.24b/1")
def take_copy(ctx: Context, *, device: str, reference: str, document: str) -> Record:
    """Take the copy of the police report on a missing device, as the CPIP specialist to whom it goes.

    It is compared with what the Provider sent, and the Provider gets a receipt for what came.

    The same paper again is the same copy. Raises `Refused` (postal.unknown-device, missing.not-registered,
    missing.no-copy), `BadInput` (acts.bad-reference).
    """
    row = ctx.tx.get("device", device)
    if row is None:
        raise Refused("postal.unknown-device", device=device[:20], provider="any Provider")
    if "missing_since" not in row.body:
        raise Refused("missing.not-registered", device=device, status=row.body["status"])
    check_reference(reference)
    if not document:
        raise Refused("missing.no-copy", device=device)
    key = f"{device} {reference}"
    held = ctx.tx.get("police-copy", key)
    if held is not None and held.body["document"] == document:
        return held
    sent = ctx.tx.get("police-copy-sent", key)
    body = {"device": device, "reference": reference, "document": document, "at": int(ctx.now), "by": ctx.actor}
    ctx.note(
        "cpip.received",
        device,
        clauses=("502.24(b)(1)",),
        provider=row.owner,
        reference=reference,
        document=document,
        agrees="not told" if sent is None else "yes" if sent.body["document"] == document else "no",
    )
    receipt = PoliceCopyReceived(device=DeviceId(device), reference=reference, document=document, at=ctx.now)
    number = ctx.tx.next_number("police-copy")  # the right paper may come again after a wrong one
    ctx.send(row.owner, receipt, key=f"police copy receipt {number} {key}")
    return ctx.tx.put("police-copy", key, body, owner=device, expected=held.version if held else 0)


def _check_reference(ctx: Context, body: IncidentReport, device: str) -> None:
    """Check that a recovery names the first report of this device that no recovery names yet."""
    rows = ctx.tx.find("incident-report", owner=body.device)
    named = {row.body["references"] for row in rows}
    open_ = [row.key for row in rows if row.body["event"] != "recovered" and row.key not in named]
    if (device and device != body.device) or body.references not in (open_ or [""]):
        raise Refused("missing.no-reference", device=body.device, first=", ".join(open_) or "none")


@cites("502.20k", "502.24d/2", "502.8/8")
def on_file(ctx: Context, opened: Opened) -> Acknowledged:
    """Take a Provider's monthly file: read it, check it against the register, keep it with every difference.

    Raises `Refused`: missing.file-broken, missing.file-not-yours, missing.file-twice, missing.period-open.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, LostAndStolenFile)
    file, key = read(body.file), f"{provider} {body.period}"
    if (file.provider, file.period) != (provider, body.period):
        raise Refused("missing.file-not-yours", provider=file.provider, period=file.period)
    if file.made_at > ctx.now or body.period >= _month(ctx.now):
        raise Refused("missing.period-open", period=body.period)
    if ctx.tx.get("lost-and-stolen-file", key) is not None:
        raise Refused("missing.file-twice", period=body.period)
    differences = list(islice(_differences(ctx, file, provider), _SHOWN))
    digest = hashlib.sha256(body.file).hexdigest()
    record = {"file": base64.b64encode(body.file).decode(), "digest": digest, "differences": differences}
    ctx.tx.put("lost-and-stolen-file", key, record, owner=provider, expected=0)
    ctx.note(
        "lost-and-stolen-file.received",
        body.period,
        clauses=("502.20(k)", *(("502.24(d)",) if differences else ())),
        provider=provider,
        period=body.period,
        digest=digest,
        rows=len(file.devices),
        differences=len(differences),
    )
    return Acknowledged(note=f"{body.period}: {len(file.devices)} devices, {len(differences)} differences")


def _month(at: Instant) -> str:
    return at.date_in(HEADQUARTERS).isoformat()[:7]


def _differences(ctx: Context, file: MonthlyFile, provider: str) -> Iterator[str]:
    told = {row.device: row.status for row in file.devices}
    held = {row.key: row for row in ctx.tx.find("device", owner=provider)}
    for device, status in told.items():
        known = held[device].body["status"] if device in held else "unknown"
        if known != status:
            yield f"{device} is {status} in the file and {known} in the register"
    for device, row in held.items():
        gone = row.body["status"] in _MISSING and _month(Instant(row.body["reported_at"])) <= file.period
        if gone and device not in told:
            yield f"{device} is {row.body['status']} in the register and not in the file"
