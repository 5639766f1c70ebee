"""Examinations on their way through the Provider (P050 2.6, 502.20(i)): orders out to hosts, reports back, unread.

Here: keeping an order until the licensee's host fetches it, returning the device's answer, and acting on the finding.
Not here: the order and the report, which the Provider can neither make nor change: each carries its maker's signature.
Kept: an order goes to the licensee of that device and to nobody else; a device found irregular is suspect from then on,
so it gets no postage until the case is over; the finding stays with the Provider.
"""

from __future__ import annotations

import base64

from towncircle.kernel.cases import add_step, open_case, open_case_of
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.provider.inventory import HELD, device_record, suspect
from towncircle.wire.bodies import (
    Acknowledged,
    ExaminationAnswer,
    ExaminationFinding,
    ExaminationQuery,
    ExaminationRequest,
    ExaminationReturned,
    ExaminationWaiting,
)
from towncircle.wire.message import Opened

WAITING, RETURNED = "waiting", "returned"


@cites("P050-2.6", "502.10")
def on_request(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep an examiner's order for the host of the device; it takes the place of an older one."""
    body = opened.body
    assert isinstance(body, ExaminationRequest)
    row = device_record(ctx, body.device)
    record = {
        "device": row.key,
        "state": WAITING,
        "order": base64.b64encode(body.order).decode(),
        "outcome": "",
        "case": "",
        "number": ctx.tx.next_number("examination"),
    }
    ctx.tx.put("examination", body.reference, record, owner=row.owner, expected=0)
    ctx.note("examination.passed", body.reference, clauses=("P050 2.6",), device=row.key, licensee=row.owner)
    return Acknowledged(note=f"examination {body.reference} waits for the host of {row.key}")


@cites("P050-2.6")
def on_query(ctx: Context, opened: Opened) -> ExaminationWaiting:
    """Hand the order that waits for a device to its licensee. Raises `Refused` (provider.unknown-device)."""
    body = opened.body
    assert isinstance(body, ExaminationQuery)
    row = device_record(ctx, body.device)
    if row.owner != opened.envelope.sender:
        raise Refused("provider.unknown-device", device=body.device, provider=ctx.party)
    out = ctx.tx.get("check-out", row.key)
    if out is not None and out.body["state"] in ("done", HELD):  # out of service, so its order has lapsed
        return ExaminationWaiting(reference="", order=b"")
    rows = [held for held in ctx.tx.find("examination", owner=row.owner) if held.body["device"] == row.key]
    last = max(rows, key=lambda held: held.body["number"], default=None)
    if last is None or last.body["state"] != WAITING:
        return ExaminationWaiting(reference="", order=b"")
    return ExaminationWaiting(reference=last.key, order=base64.b64decode(last.body["order"]))


@cites("P050-2.6", "502.20i")
def on_answer(ctx: Context, opened: Opened) -> Steps:
    """Return a device's answer to the Postal Service and act on what that found in it.

    Raises `Refused` (provider.no-such-examination), and the Postal Service's own refusal of a report.
    """
    body = opened.body
    assert isinstance(body, ExaminationAnswer)
    row = _own(ctx, body, opened.envelope.sender)
    if row.body["state"] == RETURNED:
        return _receipt(row)
    returned = ExaminationReturned(
        device=body.device, reference=row.key, report=body.report, code=body.code, words=body.words
    )
    answer = yield Ask("postal.usps", returned, f"examined {row.key} {opened.envelope.id}")
    finding = answer.body
    assert isinstance(finding, ExaminationFinding)
    row = _own(ctx, body, opened.envelope.sender)
    if row.body["state"] == RETURNED:
        return _receipt(row)
    device = device_record(ctx, body.device)
    held = open_case_of(ctx.tx, device.key)
    if held is not None and not finding.differences:
        add_step(ctx, held.key, f"Examination {row.key} is {finding.outcome}.", clauses=("P050 2.6",))
    if finding.case:
        ground = f"examination {row.key}: {finding.differences[0].sentence}"
        open_case(ctx, case=finding.case, device=device.key, other="postal.usps", ground=ground, clauses=("P050 2.6",))
        for difference in finding.differences:
            add_step(
                ctx,
                finding.case,
                f"Examination {row.key} is {finding.outcome}: {difference.sentence}",
                clauses=(difference.clause,),
            )
        suspect(ctx, device)
    ctx.note(
        "examination.returned",
        row.key,
        clauses=("P050 2.6",),
        device=device.key,
        licensee=row.owner,
        outcome=finding.outcome,
        case=finding.case,
    )
    record = {**row.body, "state": RETURNED, "outcome": finding.outcome, "case": finding.case}
    record["found_at"] = int(answer.envelope.issued)  # when the Postal Service found it: a case may be opened since
    row = ctx.tx.put("examination", row.key, record, owner=row.owner, expected=row.version)
    return _receipt(row)


def _own(ctx: Context, body: ExaminationAnswer, licensee: str) -> Record:
    row = ctx.tx.get("examination", body.reference)
    if row is None or (row.owner, row.body["device"]) != (licensee, body.device):
        raise Refused("provider.no-such-examination", reference=body.reference[:32], device=body.device)
    return row


def _receipt(row: Record) -> Acknowledged:
    return Acknowledged(note=f"examination {row.key} was returned to the Postal Service")
