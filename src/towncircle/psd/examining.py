"""Examination by the Postal Service (P050 2.6 and 3.4): a signed order in, a signed report out, nothing changed.

Here: whose order it is, and the report. Not here: on whose desk the report lands (the Postal Service's room).
Kept: the examiner's certificate travels in the order and must reach the root pinned at the factory, so he needs
neither the Provider nor the licensee; the report names the order it answers and the build of the module that made it.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO
from towncircle.pki.verifying import POSTAL, PublicKey, check_chain
from towncircle.psd import commands, contact
from towncircle.psd.integrity import module_digest
from towncircle.psd.outcome import Order, Outcome, reply_id
from towncircle.psd.state import DeviceState
from towncircle.wire.bodies import ExaminationOrder, ExaminationReport
from towncircle.wire.message import Envelope
from towncircle.wire.shape import Body


@cites("P050-2.5b/1", "P050-3.4/3")
def examiner_key(state: DeviceState, now: Instant, envelope: Envelope, body: Body) -> PublicKey:
    """Give the key of who ordered an examination. Raises `Refused` (psd.wrong-order, psd.not-an-examiner)."""
    if not isinstance(body, ExaminationOrder):
        raise Refused("psd.wrong-order", verb="examine", got=type(body).__name__)
    result = check_chain(
        body.chain, root_fingerprint=state.root_fingerprint, at=now, purpose=POSTAL, subject=envelope.sender
    )
    fault = result.first_fault()
    if result.leaf is None or fault is not None:
        raise Refused("psd.not-an-examiner", sender=envelope.sender, what=fault.text if fault else "it cannot be read")
    return result.leaf.public


@cites("P050-2.6", "P050-3.4")
def examine(state: DeviceState, command: Order, now: Instant) -> Outcome:
    """Report everything an examiner asks for, signed. Raises `Refused` (psd.not-this-device)."""
    body = command.body
    assert isinstance(body, ExaminationOrder)
    if body.device != state.device:
        raise Refused("psd.not-this-device", device=body.device, mine=state.device)
    pending, certificate = state.open_reset, state.indicia_certificate
    report = ExaminationReport(
        reference=body.reference,
        state=state.state,
        reason=state.reason,
        registers=contact.reading(state),
        resets_total=state.resets_total,
        withdrawn_total=state.withdrawn_total,
        counter=state.counter,
        epoch=state.epoch,
        clock=now,
        high_water=state.high_water,
        contact_due=state.contact_due,
        open_request=pending.request_id if pending else "",
        open_amount=pending.amount if pending else ZERO,
        last_applied=state.last_applied,
        reprints=state.reprints,
        certificate_serial=certificate.serial if certificate else 0,
        module=bytes.fromhex(module_digest()),
    )
    return Outcome(
        state=state,
        answer=commands.Done(state=state.state, sentence="The examination report is signed; nothing was changed."),
        message=report,
        audience=command.envelope.sender,
        message_id=reply_id(state, command.envelope.id),
        in_reply_to=command.envelope.id,
    )
