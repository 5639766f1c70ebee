"""The life of the device: keys, certificates, parameters of a licensee, the end of service.

Here: what initialise, certify, rekey, authorise, withdraw and zeroise do. Not here: custody (the Provider's record).
Kept: the key pair is born inside and leaves it only as a public key; nothing is trusted on first use, since the
Provider's key and the root were pinned at the factory; the balance is given back once.
"""

from __future__ import annotations

from dataclasses import replace

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO
from towncircle.pki.verifying import DEVICE_INDICIA, DEVICE_MESSAGES, check_chain, read_certificate
from towncircle.psd import commands, contact, states
from towncircle.psd.outcome import KeyBirth, Order, Outcome
from towncircle.psd.state import CertificateFacts, DeviceState, SealedKey
from towncircle.wire.bodies import Authorise, Certify, DeviceWithdrawal, FirstAuthorise, Initialise, Withdraw


@cites("P050-3.1", "502.8b")
def initialise(state: DeviceState, command: Order, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Ask for the two keys. The shell makes them, tests them as a pair, and signs the key report."""
    body = command.body
    assert isinstance(body, Initialise)
    if body.device != state.device:
        raise Refused("psd.not-this-device", device=body.device, mine=state.device)
    if body.root_fingerprint != state.root_fingerprint:
        raise Refused(
            "psd.wrong-root", given=body.root_fingerprint.hex()[:16], pinned=state.root_fingerprint.hex()[:16]
        )
    after = replace(state, regime=body.regime, scheme=body.scheme, domain=body.domain)
    return Outcome(
        state=after,
        answer=commands.Done(state=states.INITIALISED, sentence="The keys are made; the Provider can certify them."),
        in_reply_to=command.envelope.id,
        birth=KeyBirth(scheme=body.scheme, domain=body.domain),
    )


@cites("502.28")
def certify(state: DeviceState, command: Order, now: Instant) -> Outcome:
    """Take the certificates of both keys, checked to the pinned root. Raises `Refused` (psd.certificate-refused)."""
    body = command.body
    assert isinstance(body, Certify)
    key = state.indicia_key
    if state.next_key is not None and _is_for(body.indicia_certificate, state.next_key):
        key = state.next_key
    indicia = _certificate(state, body.indicia_certificate, body.chain, DEVICE_INDICIA, key, now)
    message = _certificate(state, body.message_certificate, body.chain, DEVICE_MESSAGES, state.message_key, now)
    kept = state.next_key if key is state.indicia_key else None
    after = replace(state, indicia_key=key, next_key=kept, indicia_certificate=indicia, message_certificate=message)
    return Outcome(
        state=after,
        answer=commands.Done(state=state.state, sentence=f"Certified under serial {indicia.serial}."),
        message=contact.report_body(after),
        in_reply_to=command.envelope.id,
    )


@cites("502.28")
def rekey(state: DeviceState, command: commands.Rekey, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Ask for the next indicia key beside the present one; the Provider has it certified and answers with Certify.

    Pieces of the old key verify under the old certificate for as long as it runs: that is the overlap. Asking again
    before the certificate came reports the same next key again, so a lost answer costs no second certificate.
    """
    return Outcome(
        state=replace(state),
        answer=commands.Done(state=state.state, sentence="The next key is made; the Provider can certify it."),
        birth=KeyBirth(scheme=state.scheme, domain=state.domain, next=True),
    )


def _is_for(der: bytes, key: SealedKey) -> bool:
    try:
        return read_certificate(der).public.raw == key.public
    except (BadInput, Refused):
        return False  # `_certificate` then says what is wrong with it


@cites("502.28/2")
def _certificate(
    state: DeviceState, der: bytes, chain: tuple[bytes, ...], purpose: str, key: SealedKey | None, now: Instant
) -> CertificateFacts:
    result = check_chain(
        [der, *chain], root_fingerprint=state.root_fingerprint, at=now, purpose=purpose, subject=state.device
    )
    fault = result.first_fault()
    if result.leaf is None or fault is not None:
        raise Refused("psd.certificate-refused", purpose=purpose, what=fault.text if fault else "it cannot be read")
    if key is None or result.leaf.public.raw != key.public:
        raise Refused("psd.certificate-refused", purpose=purpose, what="it is for another key")
    if result.leaf.test != state.test_root:
        raise Refused("psd.certificate-refused", purpose=purpose, what="it mixes the test root and a production root")
    leaf = result.leaf
    return CertificateFacts(serial=leaf.serial, not_before=leaf.not_before, not_after=leaf.not_after)


@cites("P050-3.1", "P050-1.3")
def authorise(state: DeviceState, command: Order, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Take the signed parameters of a licensee. Raises `Refused` (psd.not-certified, psd.parameters-unusable)."""
    body = command.body
    assert isinstance(body, Authorise | FirstAuthorise)
    if state.indicia_certificate is None:
        raise Refused("psd.not-certified", device=state.device)
    terms = body.terms if isinstance(body, Authorise) else state.terms
    after = contact.touched(contact.accept(state, body.parameters, terms), command.envelope.issued)
    after = replace(after, state=states.DEVICE.move(state.state, "authorise").to)
    return Outcome(
        state=after,
        answer=commands.Done(state=after.state, sentence=f"Authorised for license {body.parameters.license}."),
        message=contact.report_body(after),
        in_reply_to=command.envelope.id,
    )


@cites("502.27b", "502.20e")
def withdraw(state: DeviceState, command: Order, now: Instant) -> Outcome:
    """End the service: report the registers as they stand, then empty the descending one. Refuses an open reset.

    A mark that had run ahead follows the order's signed time, as it does at a contact.
    """
    body, pending = command.body, state.open_reset
    assert isinstance(body, Withdraw)
    if pending is not None:
        raise Refused("psd.reset-open", request=pending.request_id, amount=pending.amount)
    balance = state.registers.descending
    after = replace(
        state,
        registers=state.registers.emptied(),
        withdrawn_total=state.withdrawn_total + balance,
        balance_limit=ZERO,
        audit_counter=0,
        high_water=contact.mark(state, command.envelope.issued, now),
    )
    return Outcome(
        state=after,
        answer=commands.Done(state=states.WITHDRAWN, sentence=f"Withdrawn; the balance of {balance} is given back."),
        message=DeviceWithdrawal(registers=contact.reading(state), resets_total=state.resets_total, reason=body.reason),
        in_reply_to=command.envelope.id,
    )


@cites("502.28/7")
def zeroise(state: DeviceState, command: commands.Zeroise, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Destroy both keys. Raises `BadInput` (psd.zeroise-unconfirmed), `Refused` (psd.reset-open).

    A reset that is open waits at the Provider for a signed word of this device; one that is faulted has none to give.
    """
    if command.confirm != state.device:
        raise BadInput("psd.zeroise-unconfirmed", device=state.device)
    pending = state.open_reset
    if pending is not None and state.state != states.FAULTED:
        raise Refused("psd.reset-open", request=pending.request_id, amount=pending.amount)
    after = replace(state, indicia_key=None, message_key=None, next_key=None)
    return Outcome(state=after, answer=commands.Done(state=states.ZEROISED, sentence="The keys are destroyed."))
