"""What the device tells about itself: identity, status, and the human words for where it stands.

Here: the answers to `identify` and `status`. Not here: signed reports (`contact`).
"""

from __future__ import annotations

from dataclasses import replace

from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO
from towncircle.psd import commands, contact, states, warning
from towncircle.psd.keys import KeySlots
from towncircle.psd.outcome import Outcome
from towncircle.psd.state import NEVER, DeviceState


def identify(state: DeviceState, command: commands.Identify, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Tell who the device is, with its public keys."""
    return Outcome(
        state=state,
        answer=commands.Identity(
            device=state.device,
            provider=state.provider,
            regime=state.regime,
            scheme=state.scheme,
            test_root=state.test_root,
            root_fingerprint=state.root_fingerprint,
            indicia_public=state.indicia_key.public if state.indicia_key else b"",
            message_public=state.message_key.public if state.message_key else b"",
            certificate_serial=state.indicia_certificate.serial if state.indicia_certificate else 0,
        ),
    )


def status(state: DeviceState, command: commands.Status, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Tell state, registers and what is due."""
    granted, pending = state.parameters, state.open_reset
    return Outcome(
        state=state,
        answer=commands.StatusReport(
            device=state.device,
            state=state.state,
            sentence=sentence(state),
            since=state.since,
            registers=state.registers,
            resets_total=state.resets_total,
            withdrawn_total=state.withdrawn_total,
            cap=granted.cap_mills if granted else ZERO,
            counter=state.counter,
            epoch=state.epoch,
            now=now,
            high_water=state.high_water,
            last_contact=state.last_contact,
            contact_due=state.contact_due,
            contact_left_us=state.contact_due - now if state.contact_due else 0,
            open_request=pending.request_id if pending else "",
            open_amount=pending.amount if pending else ZERO,
            last_applied=state.last_applied,
            reprints=state.reprints,
            usage=contact.merged(state.reported, state.usage),
            layout=granted.layout if granted else "",
            zone=granted.zone if granted else "",
            specimen=granted.specimen if granted else True,
            approved_mode=state.state not in (states.FAULTED, states.ZEROISED) and state.scheme == "ecdsa-p256",
            warnings=warning.warnings(state, now),
            software_version=state.software_version,
            software_build=state.software_build,
            software_next=state.next_version,
            renew_from=warning.renewal_from(state, now),
            certificate_until=state.indicia_certificate.not_after if state.indicia_certificate else NEVER,
        ),
    )


def within(answer: object, slots: KeySlots) -> object:
    """Give an answer as it is over these key slots: under a passphrase or a seed nothing is in the approved mode."""
    if isinstance(answer, commands.StatusReport) and not slots.approved:
        return replace(answer, approved_mode=False)
    return answer


def sentence(state: DeviceState) -> str:
    """Say in words where the device stands."""
    words = states.WORDS[state.state]
    if state.state in (states.LOCKED, states.FAULTED):
        words = f"{words} Reason: {state.reason}."
    if state.open_reset is not None:
        words = f"{words} {warning.pending_words(state.open_reset)}"
    return words
