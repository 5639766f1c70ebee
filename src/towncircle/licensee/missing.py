"""A device that its licensee misses, and finds again (P050 2.8, 502.24(b) and (c)).

Here: what the licensee learns, writes down and reports, and what it does not do with the device meanwhile. Not here:
the Provider's incident.
Kept: what was learned is written down before anything leaves, and from then on the device prints and resets nothing
here; the report goes to the Provider and to the licensing post office. A device that was found is used again only
after its Provider renewed it.
"""

from __future__ import annotations

import base64
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee.funds import held_device
from towncircle.wire.bodies import MissingNoted, MissingReport

LEARNED, TOLD, BACK = "learned", "told", "back"
RECOVERED = "recovered"
_PAPER = 65_536


@cites("P050-2.8", "P050-2.8/2")
def learn(
    ctx: Context,
    *,
    device: DeviceId,
    event: str,
    at: Instant,
    place: str,
    details: str,
    police_reference: str = "",
    police_report: bytes = b"",
) -> Record:
    """Write down that a device is lost, stolen or found; the same learned again is taken up where it was left.

    Raises `BadInput` (missing.paper-size), `Refused` (missing.no-details, missing.not-yet,
    missing.report-open, licensee.no-such-device).
    """
    held_device(ctx, device)
    if not place.strip() or not details.strip():
        raise Refused("missing.no-details", device=device)
    if len(police_report) > _PAPER:
        raise BadInput("missing.paper-size", most=_PAPER)
    if at > ctx.now:
        raise Refused("missing.not-yet", device=device, at=at)
    held = ctx.tx.get("missing", device)
    before = held.body if held is not None and held.body["state"] != BACK else None
    if before is not None and before["event"] == event:
        assert held is not None
        return held
    if before is not None and before["state"] == LEARNED:
        raise Refused("missing.report-open", device=device, event=before["event"])
    body = {
        "event": event,
        "state": LEARNED,
        "at": int(at),
        "place": place,
        "details": details,
        "police_reference": police_reference,
        "police_report": base64.b64encode(police_report).decode(),
        "number": ctx.tx.next_number("missing report"),
        "learned_at": int(ctx.now),
        "custody": "",
        "incident": "",
        "before": {name: value for name, value in held.body.items() if name != "before"} if held is not None else {},
    }
    kind = "device.found-again" if event == RECOVERED else "device.missed"
    ctx.note(kind, device, clauses=("P050 2.8",), event=event)
    return ctx.tx.put("missing", device, body, owner=ctx.party, expected=held.version if held else 0)


@cites("P050-2.8", "P050-2.8/1")
def tell(ctx: Context, *, device: DeviceId) -> Steps:
    """Report what was learned to the Provider and the licensing post office; give the Provider's answer as a record."""
    held = _held(ctx, device)
    if held.body["state"] != LEARNED:
        return held
    body = held.body
    report = MissingReport(
        device=device,
        event=body["event"],
        at=Instant(body["at"]),
        place=body["place"],
        details=body["details"],
        police_reference=body["police_reference"],
        police_report=base64.b64decode(body["police_report"]),
    )
    key = f"missing {device} {body['number']}"
    answer = yield Ask(held_device(ctx, device).body["provider"], report, key)
    noted = answer.body
    assert isinstance(noted, MissingNoted)
    held = _held(ctx, device)
    if held.body["state"] != LEARNED:
        return held
    ctx.send("postal.usps", report, key=f"post office {key}")
    ctx.note(
        "device.incident-reported",
        device,
        clauses=("P050 2.8",),
        event=body["event"],
        incident=noted.incident,
        custody=noted.custody,
    )
    told = {
        "state": TOLD,
        "incident": noted.incident,
        "custody": noted.custody,
        "next_step": noted.next_step,
        "in_transit": int(noted.in_transit),
    }
    return _write(ctx, held, **told)


def withdraw_report(ctx: Context, *, device: DeviceId, code: str) -> None:
    """Take back what was learned where the Provider has refused the report: what was reported before stands again."""
    held = ctx.tx.get("missing", device)
    if held is not None and held.body["state"] == LEARNED:
        ctx.note(
            "device.incident-reported",
            device,
            clauses=("P050 2.8",),
            event=held.body["event"],
            incident="",
            custody="",
            refused=code,
        )
        _write(ctx, held, **(held.body["before"] or {"state": BACK}))


@cites("P050-2.8", "502.24b")
def in_hand(ctx: Context, *, device: DeviceId) -> None:
    """Refuse to use a device that was missed and not given back yet. Raises `Refused` (missing.not-in-hand)."""
    held = ctx.tx.get("missing", device)
    if held is not None and held.body["state"] != BACK:
        raise Refused(
            "missing.not-in-hand", device=device, event=held.body["event"], at=Instant(held.body["learned_at"])
        )


def not_meanwhile(ctx: Context, *, device: DeviceId, job: str) -> None:
    """Say of a job that was evidenced while its device was reported: it stands, and is not handed over.

    Raises `Refused` (missing.evidenced-meanwhile).
    """
    held = ctx.tx.get("missing", device)
    if held is not None and held.body["state"] != BACK:
        raise Refused(
            "missing.evidenced-meanwhile",
            device=device,
            job=job,
            event=held.body["event"],
            at=Instant(held.body["learned_at"]),
        )


@cites("502.24c")
def back(ctx: Context, *, device: DeviceId) -> None:
    """Take a device into use again whose Provider has renewed it."""
    if found(ctx.tx, device):
        held = _held(ctx, device)
        ctx.note("device.back", device, clauses=("502.24(c)",), incident=held.body["incident"])
        _write(ctx, held, state=BACK)


def found(view: Transaction, device: str) -> bool:
    """Tell whether a device was missed, is reported as found, and is not in use again."""
    held = view.get("missing", device)
    return held is not None and (held.body["event"], held.body["state"]) == (RECOVERED, TOLD)


def gone(ctx: Context, *, device: DeviceId) -> bool:
    """Tell whether a device is reported as lost or stolen, so that another may be leased in its place."""
    held = ctx.tx.get("missing", device)
    return held is not None and held.body["state"] == TOLD and held.body["event"] != RECOVERED


def away(ctx: Context, *, device: DeviceId) -> bool:
    """Tell whether a device was missed and is not in use again."""
    held = ctx.tx.get("missing", device)
    return held is not None and held.body["state"] != BACK


def learned(view: Transaction) -> list[DeviceId]:
    """Give the devices whose report was written down and has not reached the Provider."""
    return [DeviceId(row.key) for row in view.find("missing") if row.body["state"] == LEARNED]


def _held(ctx: Context, device: DeviceId) -> Record:
    held = ctx.tx.get("missing", device)
    assert held is not None
    return held


def _write(ctx: Context, held: Record, **values: Any) -> Record:
    return ctx.tx.put("missing", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)
