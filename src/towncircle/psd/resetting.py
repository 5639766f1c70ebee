"""The reset protocol, the device's half (house.md 4; 502.25).

Here: the request, the authorisation, the refusal. Not here: funds and books (the Provider's).
Kept: the request id is made here and kept before the request leaves; one request is open at a time, and asking
again gives the same bytes; an authorisation names device, request, amount and the counter of the signed request, and is
applied at most once; only a signed word of the Provider closes an open request.
"""

from __future__ import annotations

from dataclasses import replace

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.psd import commands, contact, warning
from towncircle.psd.outcome import Order, Outcome, next_request_id
from towncircle.psd.state import DeviceState, OpenReset
from towncircle.psd.states import IN_SERVICE
from towncircle.wire.bodies import ResetAcknowledgment, ResetAuthorisation, ResetRefusal, ResetRequest

REQUESTED, APPLIED = "reset-requested", "reset-applied"
_REQUEST_VALID_HOURS = 24 * 30  # house: a request stays good for a month of bad network; the Provider settles it before


@cites("502.25a", "P050-3.6")
def request(state: DeviceState, command: commands.RequestReset, now: Instant) -> Outcome:
    """Ask for value. The cap is checked here and again when the value comes.

    Raises `BadInput` (psd.amount-out-of-range), `Refused` (psd.reset-open, psd.over-cap, psd.ascending-full).
    """
    granted, pending = state.granted(), state.open_reset
    if command.amount <= 0:
        raise BadInput("psd.amount-out-of-range", amount=command.amount, limit=granted.cap_mills)
    if pending is not None:
        if pending.amount == command.amount:
            return Outcome(state=state, answer=None, replay=(REQUESTED, pending.request_id))
        raise Refused("psd.reset-open", request=pending.request_id, amount=pending.amount)
    state.registers.check_room(command.amount, cap=granted.cap_mills)
    name = next_request_id(state)
    opened = OpenReset(request_id=name, amount=command.amount, counter=state.counter + 1, requested_at=now)
    after = replace(state, open_reset=opened)
    return Outcome(
        state=after,
        answer=commands.Done(state=state.state, sentence=warning.pending_words(opened), request_id=name),
        message=ResetRequest(request_id=name, amount=command.amount, audit=contact.audit_body(state)),
        valid_hours=_REQUEST_VALID_HOURS,
        record=(REQUESTED, name),
    )


@cites("502.25a", "P050-3.6", "P050-3.4", "502.25a/4", "P050-1.1/3", "PRE-17/1")
def apply(state: DeviceState, command: Order, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Apply a reset authorisation, once.

    1. it is for this device (psd.reset-not-mine); 2. the request is open (psd.reset-unknown) and agrees in amount and
    counter (psd.reset-mismatch); 3. the cap holds (psd.over-cap); 4. a reset is a contact (P050 3.4).
    """
    body, pending = command.body, state.open_reset
    assert isinstance(body, ResetAuthorisation)
    if body.device != state.device:  # 1
        raise Refused("psd.reset-not-mine", device=body.device, mine=state.device)
    if pending is None or pending.request_id != body.request_id:  # 2
        raise Refused("psd.reset-unknown", request=body.request_id)
    if (pending.amount, pending.counter) != (body.amount, body.request_counter):
        raise Refused("psd.reset-mismatch", request=body.request_id, amount=body.amount, asked=pending.amount)
    registers = state.registers.credited(body.amount, cap=state.granted().cap_mills)  # 3
    after = replace(
        contact.touched(state, command.envelope.issued),  # 4
        registers=registers,
        resets_total=state.resets_total + body.amount,
        balance_limit=state.granted().cap_mills,
        open_reset=None,
        last_applied=body.request_id,
        audit_counter=0,  # an audit from before this reset tells old registers: no renewal may answer it any more
    )
    return Outcome(
        state=after,
        answer=commands.Done(
            state=IN_SERVICE,
            sentence=f"The reset of {body.amount} is applied; the balance is {registers.descending}.",
            request_id=body.request_id,
        ),
        message=ResetAcknowledgment(
            request_id=body.request_id,
            amount=body.amount,
            registers=contact.reading(after),
            resets_total=after.resets_total,
        ),
        in_reply_to=command.envelope.id,
        valid_hours=_REQUEST_VALID_HOURS,
        record=(APPLIED, body.request_id),
    )


@cites("502.25a")
def close_refused(state: DeviceState, command: Order, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Close the open request on the Provider's signed refusal. Raises `Refused` (psd.reset-unknown)."""
    body, pending = command.body, state.open_reset
    assert isinstance(body, ResetRefusal)
    if pending is None or pending.request_id != body.request_id:
        raise Refused("psd.reset-unknown", request=body.request_id)
    after = replace(state, open_reset=None)
    words = f"The reset of {pending.amount} was refused: {body.sentence} {body.next_step}"
    return Outcome(
        state=after,
        answer=commands.Done(state=state.state, sentence=words, request_id=body.request_id),
        message=contact.report_body(after),
        in_reply_to=command.envelope.id,
    )
