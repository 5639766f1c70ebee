"""Messages from a Provider to a device.

Here: initialise, certify, authorise, renewal, reset authorisation and refusal, withdraw. Not here: when they are sent.
Kept: the first versions of Authorise and Renewal (release 0.1.0, without terms) are still read, never written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.wire.bodies.common import DeviceParameters, DeviceTerms
from towncircle.wire.registry import message
from towncircle.wire.shape import Body, Limit

_DOWN = "provider to device"
CERTIFICATE, CHAIN = Limit(4096), Limit(4)


@message(20, _DOWN)
@dataclass(frozen=True, slots=True, kw_only=True)
class Initialise(Body):
    """Give a new device its id, regime, scheme and root; `domain` is the DER of DSA parameters, or empty."""

    device: Annotated[DeviceId, 1]
    regime: Annotated[str, 2, Limit(16)]
    scheme: Annotated[str, 3, Limit(16)]
    domain: Annotated[bytes, 4, Limit(1024)]
    root_fingerprint: Annotated[bytes, 5, Limit(32)]


@message(21, _DOWN)
@dataclass(frozen=True, slots=True, kw_only=True)
class Certify(Body):
    """Give a device its two certificates and the chain above them: issuing authority, then root."""

    indicia_certificate: Annotated[bytes, 1, CERTIFICATE]
    message_certificate: Annotated[bytes, 2, CERTIFICATE]
    chain: Annotated[tuple[bytes, ...], 3, CHAIN]


@message(22, _DOWN, name="Authorise")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAuthorise(Body):
    """Put a device into service for a licensee, as release 0.1.0 did."""

    parameters: Annotated[DeviceParameters, 1]


@message(22, _DOWN, version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class Authorise(Body):
    """Put a device into service for a licensee."""

    parameters: Annotated[DeviceParameters, 1]
    terms: Annotated[DeviceTerms, 2]


@message(23, _DOWN, name="Renewal")
@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRenewal(Body):
    """Answer an audit as release 0.1.0 did: without terms."""

    audit_counter: Annotated[int, 1]
    contact_at: Annotated[Instant, 2]
    parameters: Annotated[DeviceParameters | None, 3]
    settle_request: Annotated[str, 4, Limit(32)]
    settle_outcome: Annotated[Literal["", "void"], 5]


@message(23, _DOWN, version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal(Body):
    """Answer an audit: renew the contact term, bring the terms of today, update parameters, settle an open request."""

    audit_counter: Annotated[int, 1]
    contact_at: Annotated[Instant, 2]
    parameters: Annotated[DeviceParameters | None, 3]
    settle_request: Annotated[str, 4, Limit(32)]
    settle_outcome: Annotated[Literal["", "void"], 5]
    terms: Annotated[DeviceTerms, 6]


@message(24, _DOWN)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResetAuthorisation(Body):
    """Authorise a reset: this request, this device, this amount, once (502.25(a))."""

    request_id: Annotated[str, 1, Limit(32)]
    device: Annotated[DeviceId, 2]
    amount: Annotated[Mills, 3]
    request_counter: Annotated[int, 4]


@message(25, _DOWN)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResetRefusal(Body):
    """Refuse a reset, with the reason and what to do next."""

    request_id: Annotated[str, 1, Limit(32)]
    code: Annotated[str, 2, Limit(80)]
    sentence: Annotated[str, 3]
    clause: Annotated[str, 4, Limit(80)]
    next_step: Annotated[str, 5]


@message(26, _DOWN)
@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Body):
    """Take a device out of service."""

    reason: Annotated[str, 1, Limit(200)]
