"""The licensee's custody of a device (P050 2.5(a), 2.7, 2.9): signing for it, reporting a defect, sending it back.

Here: what the licensee signs and keeps, and that it does not use a defective device. Not here: the balance of a device
that leaves (`returns`), loss and theft (`missing`).
Kept: nothing is signed for but the device that is there, as its Provider's paper says; a defect is written down before
it is told, and from then on the device prints and resets nothing here; the giver's paper and the receiver's receipt of
each hand-over are kept.
"""

from __future__ import annotations

import base64
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Exchange, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId, MessageId, RemovalId, ShipmentId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import missing, returns
from towncircle.licensee.funds import held_device
from towncircle.licensee.returns import DONE, NOTED
from towncircle.psd.states import AUTHORISED
from towncircle.rules.acts import check_reference
from towncircle.rules.articles import read_article
from towncircle.wire.bodies import (
    COLLECTED,
    DefectNoted,
    DefectReport,
    HandOver,
    HandOverQuery,
    HandOverReceipt,
)
from towncircle.wire.message import body_of

AWAITED = "awaited"  # a field of the licensee's record of a device: it was leased and did not come yet
FOUND, REPORTED, OVER = "found", "reported", "over"
DETAILS = 400


@cites("P050-2.5a", "502.20l")
def accept(ctx: Context, *, device: DeviceId) -> Steps:
    """Sign for a device that came: it is the one on the Provider's paper, and nobody has used it.

    Raises `Refused` (custody.not-as-stated), and the Provider's own refusals.
    """
    row = held_device(ctx, device)
    if not row.body.get(AWAITED):
        return
    provider = row.body["provider"]
    answer = yield Ask(provider, HandOverQuery(device=device, direction="out"), f"hand-over {device}")
    paper = answer.body
    assert isinstance(paper, HandOver)
    told = yield Exchange(device, lambda client: client.status())
    empty = told.resets_total == ZERO and told.registers.pieces == 0
    if (paper.device, told.device, told.state) != (device, device, AUTHORISED) or not empty:
        raise Refused("custody.not-as-stated", device=device, shipment=paper.shipment, state=told.state)
    receipt = HandOverReceipt(
        shipment=paper.shipment, device=device, condition="sound, unused", hand_over=answer.raw, at=ctx.now
    )
    yield Ask(provider, receipt, f"receipt {paper.shipment}")
    row = held_device(ctx, device)
    if row.body.get(AWAITED):
        ctx.tx.put("device", device, {**row.body, AWAITED: False}, owner=row.owner, expected=row.version)
        _keep(ctx, paper.shipment, device=device, direction="out", paper=answer.raw)
        named = {"shipment": paper.shipment, "service": paper.service, "provider": provider}
        ctx.note("device.taken-over", device, clauses=("P050 2.5(a)",), **named)


def awaited(ctx: Context) -> list[DeviceId]:
    """Give the leased devices that nobody has signed for yet, but those that are missing or are given back."""
    rows = [DeviceId(row.key) for row in ctx.tx.find("device") if row.body.get(AWAITED)]
    here = [device for device in rows if not missing.away(ctx, device=device)]
    return [device for device in here if not returns.going(ctx, device=device)]


@cites("P050-2.7", "P050-2.5f", "P050-2.7/1")
def find_defect(ctx: Context, *, device: DeviceId, kind: str, details: str) -> Record:
    """Write down that a device is defective; from now on it is not used. The same found again is taken up.

    Raises `BadInput` (custody.details), `Refused` (licensee.no-device).
    """
    held_device(ctx, device)
    held = ctx.tx.get("defect", device)
    if held is not None and held.body["state"] != OVER:
        return held
    if not details.strip() or len(details) > DETAILS:
        raise BadInput("custody.details", most=DETAILS)
    body = {
        "state": FOUND,
        "kind": kind,
        "details": details,
        "found_at": int(ctx.now),
        "number": ctx.tx.next_number("defect"),
        "defect": "",
        "retrieve_by": "",
        "remedy": "",
    }
    ctx.note("defect.found", device, clauses=("P050 2.7",), nature=kind)
    return ctx.tx.put("defect", device, body, owner=ctx.party, expected=held.version if held else 0)


@cites("P050-2.7/1", "P050-2.5f/1", "P050-2.7")
def report_defect(ctx: Context, *, device: DeviceId) -> Steps:
    """Report a defect that was written down to the Provider, or ask how it stands; give the record.

    One that the Provider has corrected is over, and the device is used again.
    """
    held = _defect(ctx, device)
    if held.body["state"] == OVER:
        return held
    report = DefectReport(
        device=device,
        kind=held.body["kind"],
        details=held.body["details"],
        found_at=Instant(held.body["found_at"]),
    )
    asked = "" if held.body["state"] == FOUND else f" {MessageId.new(ctx.randomness)}"
    key = f"defect {device} {held.body['number']}{asked}"
    answer = yield Ask(held_device(ctx, device).body["provider"], report, key)
    noted = answer.body
    assert isinstance(noted, DefectNoted)
    held = _defect(ctx, device)
    if held.body["state"] == FOUND:
        ctx.note("defect.reported", device, clauses=("P050 2.7",), defect=noted.defect, retrieve_by=noted.retrieve_by)
        held = _write(ctx, held, state=REPORTED, defect=noted.defect, retrieve_by=noted.retrieve_by)
    if held.body["state"] == REPORTED and noted.remedy == "corrected":
        ctx.note("defect.corrected", device, clauses=("P050 2.7",), defect=noted.defect)
        held = _write(ctx, held, state=OVER)
    return held if held.body["remedy"] == noted.remedy else _write(ctx, held, remedy=noted.remedy)


@cites("P050-2.7")
def withdraw_defect(ctx: Context, *, device: DeviceId) -> None:
    """Take a report back that the Provider has refused: the device is as before."""
    held = _defect(ctx, device)
    if held.body["state"] == FOUND:
        ctx.note("defect.reported", device, clauses=("P050 2.7",), defect="", retrieve_by="")
        _write(ctx, held, state=OVER)


@cites("P050-2.7/4", "P050-2.5f")
def sound(ctx: Context, *, device: DeviceId) -> None:
    """Refuse to use a device that is defective. Raises `Refused` (custody.defective)."""
    held = ctx.tx.get("defect", device)
    if held is not None and held.body["state"] != OVER:
        raise Refused("custody.defective", device=device, kind=held.body["kind"], at=Instant(held.body["found_at"]))


@cites("P050-2.5a", "P050-2.9/1")
def write_return(ctx: Context, *, device: DeviceId, service: str, article: str) -> Record:
    """Write down that a device is sent back, before its Provider is told; one that was told stays as it was told.

    A defective one may be handed to the Provider's own people (`COLLECTED`), under the reference of the retrieval.

    Raises `Refused` (custody.not-given-up), `BadInput` (custody.article, acts.bad-reference).
    """
    case = ctx.tx.get("check-out", device)
    defect = ctx.tx.get("defect", device)
    collected = service == COLLECTED and defect is not None and defect.body["state"] != FOUND
    if not collected and (case is None or case.body["state"] not in (NOTED, DONE)):
        raise Refused("custody.not-given-up", device=device)
    if service == COLLECTED:
        check_reference(article)
    else:
        article = read_article(article, service=service)
    held = _sent_back(ctx.tx, device)
    if held is None:
        held = _keep(ctx, ShipmentId.new(ctx.randomness), device=device, direction="back", paper=b"")
    if held.body.get("told"):
        return held
    body = {**held.body, "service": service, "article": article, "told": False}
    return ctx.tx.put("hand-over", held.key, body, owner=held.owner, expected=held.version)


@cites("P050-2.9/2", "P050-2.9/1")
def tell_return(ctx: Context, *, device: DeviceId) -> Steps:
    """Tell the Provider by which service a device is on its way back; give the record of the hand-over."""
    held = _sent_back(ctx.tx, device)
    if held is None:
        raise Refused("custody.not-given-up", device=device)
    if held.body["told"]:
        return held
    service, article = held.body["service"], held.body["article"]
    paper = HandOver(
        shipment=held.key,
        device=device,
        direction="back",
        service=service,
        article=article,
        permission="",  # the Provider looks it up: it has the Postal Service's paper
        at=Instant(held.body["at"]),
    )
    yield Ask(held_device(ctx, device).body["provider"], paper, f"sent back {held.key} {service} {article}")
    held = _sent_back(ctx.tx, device)
    assert held is not None
    if held.body["told"]:
        return held
    named = {"shipment": held.key, "service": service, "article": article}
    ctx.note("device.sent-back", device, clauses=("P050 2.9",), **named)
    return ctx.tx.put("hand-over", held.key, {**held.body, "told": True}, owner=held.owner, expected=held.version)


@cites("P050-2.9/1")
def fetch_receipt(ctx: Context, *, device: DeviceId) -> Steps:
    """Fetch the Provider's receipt for a device that was sent back; give the record of the hand-over.

    Raises `Refused` (custody.other-receipt, custody.not-given-up), and the Provider's own refusals.
    """
    held = _sent_back(ctx.tx, device)
    if held is None:
        raise Refused("custody.not-given-up", device=device)
    if held.body["receipt"]:
        return held
    query, key = HandOverQuery(device=device, direction="back"), f"came back {device} {MessageId.new(ctx.randomness)}"
    answer = yield Ask(held_device(ctx, device).body["provider"], query, key)
    receipt = answer.body
    assert isinstance(receipt, HandOverReceipt)
    held = _sent_back(ctx.tx, device)
    assert held is not None
    if (receipt.shipment, receipt.device) != (held.key, device) or not _own_paper(held, receipt):
        raise Refused("custody.other-receipt", device=device, shipment=held.key)
    ctx.note("receipt.kept", device, clauses=("P050 2.9",), shipment=receipt.shipment)
    return _receipt(ctx, held, answer.raw, receipt)


@cites("P050-2.6/4")
def fetch_inspectors_receipt(ctx: Context, *, device: DeviceId, postal: str) -> Steps:
    """Fetch the receipt of an inspector who took a device along; from then on it is not used here."""
    answer = yield Ask(postal, HandOverQuery(device=device, direction="inspector"), f"inspector {device}")
    receipt = answer.body
    assert isinstance(receipt, HandOverReceipt)
    RemovalId.parse(receipt.shipment)
    if receipt.device != device:
        raise Refused("custody.other-receipt", device=device, shipment=receipt.shipment)
    held = ctx.tx.get("hand-over", receipt.shipment)
    if held is None:
        held = _keep(ctx, receipt.shipment, device=device, direction="inspector", paper=b"")
        ctx.note("receipt.kept", device, clauses=("P050 2.6",), shipment=receipt.shipment)
        held = _receipt(ctx, held, answer.raw, receipt)
    return held


def _own_paper(held: Record, receipt: HandOverReceipt) -> bool:
    """Tell whether a receipt holds the paper that this licensee signed for its hand-over."""
    try:
        paper = body_of(receipt.hand_over)
    except Refused:
        return False
    told = {name: held.body[name] for name in ("device", "service", "article", "direction")}
    return isinstance(paper, HandOver) and all(getattr(paper, name) == value for name, value in told.items())


def hand_overs(tx: Transaction, device: str) -> list[Record]:
    """Give the hand-overs of a device that are kept here, oldest first."""
    return sorted(
        (row for row in tx.find("hand-over") if row.body["device"] == device), key=lambda row: int(row.body["at"])
    )


def _sent_back(tx: Transaction, device: str) -> Record | None:
    rows = [row for row in hand_overs(tx, device) if row.body["direction"] == "back"]
    return rows[-1] if rows else None


def _keep(ctx: Context, shipment: str, *, device: str, direction: str, paper: bytes) -> Record:
    body = {
        "device": device,
        "direction": direction,
        "paper": base64.b64encode(paper).decode(),
        "receipt": "",
        "condition": "",
        "at": int(ctx.now),
    }
    return ctx.tx.put("hand-over", shipment, body, owner=ctx.party, expected=0)


def _receipt(ctx: Context, held: Record, raw: bytes, receipt: HandOverReceipt) -> Record:
    kept = {"receipt": base64.b64encode(raw).decode(), "condition": receipt.condition, "received_at": int(receipt.at)}
    return ctx.tx.put("hand-over", held.key, {**held.body, **kept}, owner=held.owner, expected=held.version)


def _defect(ctx: Context, device: DeviceId) -> Record:
    held = ctx.tx.get("defect", device)
    assert held is not None
    return held


def _write(ctx: Context, held: Record, **values: Any) -> Record:
    return ctx.tx.put("defect", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)


def untold(ctx: Context) -> list[DeviceId]:
    """Give the devices whose defect was written down and has not reached the Provider."""
    return [DeviceId(row.key) for row in ctx.tx.find("defect") if row.body["state"] == FOUND]
