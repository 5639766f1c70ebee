"""Devices that are not located (502.24, 502.20(g), P050 2.8): the incident, the police, the recovery.

Here: the incident of a device. Not here: the search with its steps (`searching`), the papers that go to the Postal
Service (`incidents`), the balance of a recovered device (`checkouts`).
Kept: from the first word on the device is not leased any more, so its resets are denied; the Postal Service is told in
the same transaction, and its verifiers with it; no replacement leaves before the police has the report (502.24(b)(2));
what it last signed counts.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId, IncidentId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.ledger import Books
from towncircle.provider.inventory import ORDERED, change, check_mended, check_usable, device_record, move
from towncircle.wire.bodies import (
    Acknowledged,
    DeviceActivity,
    MissingNoted,
    MissingReport,
    PoliceCopyReceived,
    PoliceCopySent,
    Registers,
)
from towncircle.wire.message import Opened

SEARCHING, LOST, STOLEN, RECOVERED, CLOSED = "searching", "lost", "stolen", "recovered", "closed"
LICENSEE, SEARCH = "licensee", "search"
THIS_PAPER, OTHER_PAPER = "this paper", "another paper"  # what the CPIP specialist has, beside what was sent
AWAY = ("missing", "lost", "stolen", "recovered")
_MOVES = {LOST: "lose", STOLEN: "steal"}
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:_-]{0,79}", re.ASCII)


@cites("P050-2.8", "502.20g/1", "502.24b", "P050-2.8/3")
def on_report(ctx: Context, opened: Opened) -> MissingNoted:
    """Take a licensee's report of a loss, theft or recovery.

    Raises `Refused`: provider.unknown-device, missing.not-yet, missing.no-details, missing.no-police-paper.
    """
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, MissingReport)
    row = device_record(ctx, body.device)
    if row.owner != licensee:
        raise Refused("provider.unknown-device", device=body.device, provider=ctx.party)
    if body.at > ctx.now:
        raise Refused("missing.not-yet", device=row.key, at=body.at)
    if not body.place.strip() or not body.details.strip():
        raise Refused("missing.no-details", device=row.key)
    if body.event == "recovered":
        row, incident = _recover(ctx, row, place=body.place, details=body.details)
    else:
        row, incident = hold(
            ctx, row, event=body.event, source=LICENSEE, at=body.at, place=body.place, details=body.details
        )
        if body.police_reference:
            document = _digest(body.police_report)
            incident = police(ctx, device=row.key, reference=body.police_reference, document=document)
    return MissingNoted(
        device=DeviceId(row.key),
        incident=incident.key,
        custody=str(row.body["custody"]),
        in_transit=Mills(row.body["open_amount"]) if row.body["open_reset"] else Mills(0),
        next_step=_next(incident),
        at=ctx.now,
    )


def _digest(paper: bytes) -> str:
    return hashlib.sha256(paper).hexdigest() if paper else ""


def _next(incident: Record) -> str:
    body = incident.body
    if body["state"] == RECOVERED:
        return "Connect the device: the Provider inspects it before it is used again."
    if not body["police"]:
        return "File a police report and tell its number: no replacement is issued before (502.24(b)(2))."
    return "The Provider reports the incident; a replacement may be leased once the Inspection Service has a copy."


def new_incident(ctx: Context, row: Record, *, source: str, state: str, place: str, details: str) -> Record:
    """Open the incident of a device."""
    incident = IncidentId.new(ctx.randomness)
    body: dict[str, Any] = {
        "device": row.key,
        "licensee": row.owner,
        "license": row.body["license"],
        "source": source,
        "state": state,
        "number": ctx.tx.next_number("incident"),
        "opened_at": int(ctx.now),
        "determined_at": 0,
        "since": 0,
        "event": "",
        "steps": {},
        "located_at": 0,
        "located_counter": 0,
        "police": {},
        "cpip": {},
        "filed_at": 0,
        "replacement": "",
        "recovered_at": 0,
        "recovered_counter": 0,
        "inspected": {},
        "recovery_report": "",
    }
    ctx.tx.put("incident-words", incident, {"place": place, "details": details}, owner=row.key, expected=0)
    kept = ctx.tx.put("incident", incident, body, owner=row.key, expected=0)
    ctx.note("incident.opened", incident, clauses=("502.24",), device=row.key, licensee=row.owner, source=source)
    return kept


@cites("502.20g/1", "502.24")
def hold(
    ctx: Context, row: Record, *, event: str, source: str, at: Instant, place: str, details: str
) -> tuple[Record, Record]:
    """Hold a device as lost or stolen and tell the Postal Service; the same told again gives the same incident.

    One that was recovered and is lost again has another incident.
    """
    held = open_incident(ctx.tx, row.key)
    if held is not None and (held.body["state"] == event or held.body["state"] == STOLEN):
        return row, held
    if held is not None and held.body["state"] == RECOVERED:  # its papers are still filed
        write(ctx, held, state=CLOSED)
        held = None
    if held is None:
        held = new_incident(ctx, row, source=source, state=SEARCHING, place=place, details=details)
    elif place:
        words = ctx.tx.get("incident-words", held.key)
        assert words is not None
        ctx.tx.put(
            "incident-words", held.key, {"place": place, "details": details}, owner=row.key, expected=words.version
        )
    if row.body["custody"] == "suspect":
        row = move(ctx, row, "miss", zone=row.body["zone"])
    row = move(ctx, row, _MOVES[event], zone=row.body["zone"], incident=held.key, source=source)
    since = held.body["since"] or int(at)
    held = write(
        ctx,
        held,
        state=event,
        event=event,
        source=source,
        determined_at=held.body["determined_at"] or int(ctx.now),
        since=since,
    )
    tell(ctx, row, event=event, at=Instant(since), incident=held.key)
    ctx.note("loss.reported", row.key, clauses=("502.20(g)",), licensee=row.owner, incident=held.key, event=event)
    return row, held


def tell(ctx: Context, row: Record, *, event: str, at: Instant, incident: str) -> None:
    """Tell the Postal Service's register what happened to a device, with its last signed registers."""
    activity = DeviceActivity(
        device=DeviceId(row.key), license=row.body["license"], event=event, registers=registers_of(ctx, row), at=at
    )
    ctx.send("postal.usps", activity, key=f"{event} {row.key} {incident}")


def registers_of(ctx: Context, row: Record) -> Registers:
    """Give the registers that the books hold for a device: its last signed reading and what was posted since."""
    held = Books(ctx.tx).device(row.owner, row.key)
    return Registers(ascending=held.ascending, descending=held.descending, pieces=row.body["pieces"])


@cites("502.24b", "502.24b/1")
def police(ctx: Context, *, device: str, reference: str, document: str, cpip: str = "") -> Record:
    """Record the police report of a missing device, and the copy to the CPIP specialist where `cpip` names it.

    Raises `BadInput` (missing.bad-reference), `Refused` (missing.no-incident, missing.no-police-paper).
    """
    held = held_incident(ctx, device)
    if reference and reference != held.body["police"].get("reference"):
        checked(reference)
        if not document:
            raise Refused("missing.no-police-paper", device=device)
        told = {"reference": reference, "document": document, "at": int(ctx.now)}
        ctx.note(
            "police.reported",
            device,
            clauses=("502.24(b)(1)",),
            incident=held.key,
            reference=reference,
            document=document,
        )
        held = write(ctx, held, police=told)
    if cpip and cpip != held.body["cpip"].get("reference"):
        checked(cpip)
        if not held.body["police"]:
            raise Refused("missing.no-police-paper", device=device)
        ctx.note("cpip.copied", device, clauses=("502.24(b)(1)",), incident=held.key, reference=cpip)
        sent = PoliceCopySent(
            device=DeviceId(device), reference=cpip, document=held.body["police"]["document"], at=ctx.now
        )
        ctx.send("postal.usps", sent, key=f"police copy {held.key} {cpip}")
        held = write(ctx, held, cpip={"reference": cpip, "at": int(ctx.now)})
    return held


@cites("502.24b/1", "502.24b/2")
def on_copy_received(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the CPIP specialist's receipt: it is for the copy that was sent, or it says that another paper came."""
    body = opened.body
    assert isinstance(body, PoliceCopyReceived)
    rows = [row for row in ctx.tx.find("incident") if row.body["device"] == body.device and row.body["police"]]
    mine = [row for row in rows if row.body["cpip"].get("reference") == body.reference]
    for held in mine[-1:]:
        same = held.body["police"]["document"] == body.document
        receipt = THIS_PAPER if same else OTHER_PAPER
        named = {"incident": held.key, "reference": body.reference, "receipt": receipt}
        ctx.note("cpip.receipted", body.device, clauses=("502.24(b)(1)",), occurred_at=body.at, **named)
        write(ctx, held, cpip={**held.body["cpip"], "receipt": receipt})
    return Acknowledged(note=f"the receipt for {body.reference} is {'kept' if mine else 'of no copy of ours'}")


@cites("502.24b", "502.24b/2")
def may_replace(ctx: Context, licensee: str) -> None:
    """Withhold a replacement while a missing device is not properly reported (missing.replacement-withheld)."""
    for held in ctx.tx.find("incident"):
        body = held.body
        if body["licensee"] != licensee or body["state"] not in (SEARCHING, LOST, STOLEN):
            continue
        if not (body["police"] and body["cpip"]) or body["cpip"].get("receipt") == OTHER_PAPER:
            raise Refused("missing.replacement-withheld", device=body["device"], incident=held.key)


def replaced(ctx: Context, *, licensee: str, license_number: str, device: str) -> None:
    """Write down that a device replaces the missing ones of a license."""
    for held in ctx.tx.find("incident"):
        body = held.body
        mine = (body["licensee"], body["license"]) == (licensee, license_number)
        if mine and body["state"] in (LOST, STOLEN) and not body["replacement"]:
            ctx.note("replacement.supplied", body["device"], clauses=("502.24(b)(2)",), incident=held.key, by=device)
            write(ctx, held, replacement=device)


@cites("502.24c", "502.24c/1")
def recover(ctx: Context, *, device: str, place: str, details: str) -> Record:
    """Record that a missing device was found. Raises `Refused` (missing.no-incident), `BadInput` (missing.reason)."""
    if not details.strip():
        raise BadInput("missing.reason")
    return _recover(ctx, device_record(ctx, device), place=place, details=details)[1]


def _recover(ctx: Context, row: Record, *, place: str, details: str) -> tuple[Record, Record]:
    held = held_incident(ctx, row.key)
    if held.body["state"] == RECOVERED:
        return row, held
    row = move(ctx, row, "recover", zone=row.body["zone"], incident=held.key)
    lease = ctx.tx.get("lease", row.body["lease"])
    if lease is not None and lease.body.get("cancelled"):
        ctx.note("cancelled-device.recovered", row.key, clauses=("502.20(h)",), licensee=row.owner, incident=held.key)
    if held.body["determined_at"]:
        tell(ctx, row, event="recovered", at=ctx.now, incident=held.key)
    words = ctx.tx.get("incident-words", held.key)
    assert words is not None
    found = {**words.body, "found_place": place, "found_details": details}
    ctx.tx.put("incident-words", held.key, found, owner=row.key, expected=words.version)
    return row, write(
        ctx, held, state=RECOVERED, recovered_at=int(ctx.now), recovered_counter=row.body["message_counter"]
    )


@cites("502.24c/2")
def inspect(ctx: Context, *, device: str, outcome: str, reference: str, document: str) -> Record:
    """Record the inspection of a recovered device: `regular`, or `broken` where it signs nothing any more.

    Raises `Refused` (missing.not-recovered, missing.no-reading, missing.broken-signs), `BadInput`
    (missing.bad-reference).
    """
    checked(reference)
    held, row = held_incident(ctx, device), device_record(ctx, device)
    if held.body["state"] != RECOVERED:
        raise Refused("missing.not-recovered", device=device)
    read = row.body["message_counter"] > held.body["recovered_counter"]
    if outcome == "regular" and not read:
        raise Refused("missing.no-reading", device=device)
    if outcome == "broken" and read:
        raise Refused("missing.broken-signs", device=device)
    told: dict[str, Any] = {"outcome": outcome, "reference": reference, "document": document}
    if {**held.body["inspected"], "at": 0} == {**told, "at": 0}:
        return held
    ctx.note("recovered.inspected", device, clauses=("502.24(c)",), incident=held.key, **told)
    kept = write(ctx, held, inspected={**told, "at": int(ctx.now)})
    out = ctx.tx.get("check-out", device)
    if out is not None and out.body["state"] == ORDERED:  # it was lost on its way back, and is on it again
        kept = write(ctx, kept, state=CLOSED)
        move(ctx, row, "return", zone=row.body["zone"])
    return kept


@cites("502.24c/1", "502.24c/4")
def give_back(ctx: Context, *, device: str, regime: str) -> Record:
    """Give a recovered device back to its licensee, under a lease as before.

    Raises `Refused`: missing.not-recovered, missing.not-inspected, missing.replaced where a replacement was supplied;
    provider.case-open, custody.removal-ordered, custody.still-defective.
    """
    held, row = held_incident(ctx, device), device_record(ctx, device)
    if held.body["state"] != RECOVERED:
        raise Refused("missing.not-recovered", device=device)
    if held.body["inspected"].get("outcome") != "regular":
        raise Refused("missing.not-inspected", device=device)
    if held.body["replacement"]:
        raise Refused("missing.replaced", device=device, replacement=held.body["replacement"])
    check_usable(ctx, row)  # what was suspect or to be removed when it was lost is still so
    check_mended(ctx, row)
    row = move(ctx, row, "clear", zone=row.body["zone"], regime=regime, incident=held.key)
    change(ctx, row, contact_at=int(ctx.now))
    tell(ctx, row, event="installed", at=ctx.now, incident=held.key)
    return write(ctx, held, state=CLOSED)


@cites("502.24c/2", "502.24c/3", "502.24c/4")
def checked_in(ctx: Context, row: Record) -> None:
    """Look at the incident of a device that goes out of service: a recovered one was inspected before.

    Raises `Refused` (missing.not-inspected).
    """
    held = open_incident(ctx.tx, row.key)
    if held is None or row.body["custody"] != "recovered":
        return
    if not held.body["inspected"]:
        raise Refused("missing.not-inspected", device=row.key)
    write(ctx, held, state=CLOSED)


def away(ctx: Context, row: Record, *, open_request: str) -> Refused | None:
    """Give the refusal that a missing device gets when it connects, or None.

    One that was inspected and still has an open reset is told how that ended, so that it can be given back or returned.
    """
    if row.body["custody"] not in AWAY:
        return None
    held = open_incident(ctx.tx, row.key)
    if open_request and held is not None and held.body["inspected"].get("outcome") == "regular":
        return None
    return Refused("missing.reported", device=row.key, custody=row.body["custody"])


def open_incident(tx: Transaction, device: str) -> Record | None:
    """Give the incident that is not closed of a device, or None."""
    rows = [row for row in tx.find("incident", owner=device) if row.body["state"] != CLOSED]
    return rows[0] if rows else None


def held_incident(ctx: Context, device: str) -> Record:
    """Give the incident that is not closed of a device. Raises `Refused` (missing.no-incident)."""
    device_record(ctx, device)
    held = open_incident(ctx.tx, device)
    if held is None:
        raise Refused("missing.no-incident", device=device)
    return held


def write(ctx: Context, held: Record, **values: Any) -> Record:
    """Write some values of an incident."""
    return ctx.tx.put("incident", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)


def checked(reference: str) -> None:
    """Check that a reference can be read. Raises `BadInput` (missing.bad-reference)."""
    if not _REFERENCE.fullmatch(reference):
        raise BadInput("missing.bad-reference", text=reference[:40])
