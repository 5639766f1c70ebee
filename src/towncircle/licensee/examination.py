"""Examinations at the licensee's host (P050 2.6, 3.4): the order is fetched and shown to the device.

Here: the host's part. Not here: what the Postal Service makes of the report.
Kept: the host reads what it carries and nothing more: the order's reference and its own device's registers. Neither
the ground of an examination nor its finding comes here; the licensee gets a receipt that the report went on.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Exchange, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, MessageId
from towncircle.licensee.funds import held_device
from towncircle.psd.client import DeviceClient
from towncircle.wire.bodies import ExaminationAnswer, ExaminationQuery, ExaminationWaiting

# no word of the device about the order: it was not reached, so it is asked again later
_NOT_REACHED = ("psd.unreachable", "psd.store-")


@cites("P050-2.6", "P050-3.4")
def answer(ctx: Context, *, device: DeviceId) -> Steps:
    """Fetch the order that waits for a device, let the device answer, and send that back; give the reference or ''."""
    provider = held_device(ctx, device).body["provider"]
    told = yield Ask(provider, ExaminationQuery(device=device), f"examination query {MessageId.new(ctx.randomness)}")
    waiting = told.body
    assert isinstance(waiting, ExaminationWaiting)
    if not waiting.reference:
        return ""
    report, code, words = yield Exchange(device, lambda client: _shown(client, waiting.order))
    body = ExaminationAnswer(device=device, reference=waiting.reference, report=report, code=code, words=words[:1000])
    yield Ask(provider, body, f"examination {waiting.reference}")
    ctx.note("examination.answered", waiting.reference, clauses=("P050 2.6",), device=device, provider=provider)
    return waiting.reference


def _shown(client: DeviceClient, order: bytes) -> tuple[bytes, str, str]:
    try:
        return client.examine(order).message, "", ""
    except Refused as refusal:
        if refusal.code.startswith(_NOT_REACHED):
            raise
        return b"", refusal.code, refusal.sentence
