"""Certificates for devices (502.28, PRE-05): the Postal Service certifies the device, not the licensee.

Here: the decision on a device's key report, and the register of what was certified. Not here: X.509 (`pki.authority`).
Kept: only for an authorized Provider with an approved system and a valid license, only for keys that prove themselves.
A device in use may bring its next indicia key: its known message key signs the report, the certificate of the old key
runs on, and both stand in the pack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import SECOND_US, Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.pki.authority import Issuer, serial_for
from towncircle.pki.verifying import REASONS, PublicKey, read_certificate, signature_valid
from towncircle.postal.procedures import barred
from towncircle.postal.products import check_authorized, check_system
from towncircle.postal.standing import VALID, serves
from towncircle.rules.procedures import Subject
from towncircle.wire.bodies import CertificateIssued, CertificateRequest, DeviceKeyReport
from towncircle.wire.message import Envelope, Opened, open_certified
from towncircle.wire.shape import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Hold what the Postal Service has assigned to a Provider: vendor, model, serials, regime and scheme."""

    vendor: str
    model: str
    first: int
    last: int
    regime: str
    scheme: str
    category: str = ""
    build: str = ""

    @property
    def subject(self) -> Subject:
        """Name the system as decisions of the Postal Service name it."""
        return Subject(system=self.vendor + self.model, category=self.category, build=self.build)

    def covers(self, report: DeviceKeyReport) -> bool:
        """Tell whether a device that reports its keys is of this assignment."""
        device = report.device
        return (device.vendor, device.model, report.regime, report.scheme) == (
            self.vendor,
            self.model,
            self.regime,
            self.scheme,
        ) and self.first <= device.serial <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Hold what issuing needs: the issuing authority, the chain above it, the life of a device's certificates."""

    issuer: Issuer
    chain: tuple[bytes, ...]
    life_days: int
    assigned: Mapping[str, Assigned]


@cites("502.28", "PRE-05", "PRE-07", "502.2/2", "IMI-07", "PRE-07/6", "502.28/5", "502.3", "502.11/2")
def on_request(ctx: Context, opened: Opened, *, authority: Authority) -> CertificateIssued:
    """Certify a device's two keys for a Provider."""
    body = opened.body
    assert isinstance(body, CertificateRequest)
    report = _report(ctx, body, opened.envelope.sender)
    provider = opened.envelope.sender
    license_row = ctx.tx.get("license", body.license)
    if license_row is None or license_row.body["state"] != VALID or not serves(license_row, provider):
        raise Refused("postal.no-license", license=body.license, licensee="this device")
    assigned = authority.assigned.get(provider)
    if assigned is None or not assigned.covers(report):
        raise Refused("postal.not-assigned", device=report.device, provider=provider)
    held = ctx.tx.get("device-certificates", report.device)
    if held is None:  # a device in use may bring its next key
        check_authorized(ctx, provider)
        check_system(ctx, provider, assigned.subject)
        if (refusal := barred(ctx, provider, assigned.subject)) is not None:
            raise refusal
    if held is not None:
        messages = read_certificate(bytes.fromhex(held.body["messages"]))
        other = (held.owner, held.body["license"]) != (provider, body.license)
        if other or messages.public.raw != report.message_public or held.body["revoked_at"]:
            raise Refused("postal.already-certified", device=report.device)
        if held.body["indicia_public"] == report.indicia_public.hex():
            return _issued(report, held.body["indicia"], held.body["messages"], authority)
    first, second, serials = _certify(ctx, report, authority, since=messages.not_before if held is not None else None)
    former = [*held.body.get("former", ()), held.body["indicia"], held.body["messages"]] if held is not None else []
    record = {
        "former": former,
        "indicia_public": report.indicia_public.hex(),
        "indicia": first.hex(),
        "messages": second.hex(),
        "license": body.license,
        "regime": report.regime,
        "revoked_at": 0,
        "revoked_reason": "",
    }
    ctx.tx.put("device-certificates", report.device, record, owner=provider, expected=held.version if held else 0)
    ctx.note(
        "certificate.issued",
        report.device,
        clauses=("502.28",),
        provider=opened.envelope.sender,
        license=body.license,
        serials=serials,
    )
    return _issued(report, first.hex(), second.hex(), authority)


@cites("502.28/1")
def _certify(
    ctx: Context, report: DeviceKeyReport, authority: Authority, *, since: Instant | None
) -> tuple[bytes, bytes, list[int]]:
    """Certify both keys under the next two serials, once the indicia key has proved itself."""
    indicia = PublicKey(report.scheme, report.indicia_public)
    if not signature_valid(indicia, report.indicia_proof, report.message_public):
        raise Refused("postal.no-key-proof", device=report.device)
    test = authority.issuer.certificate.test
    serials = [serial_for(ctx.tx.next_number("certificate"), test=test) for _ in range(2)]
    first, second = authority.issuer.certify_device(
        device=report.device,
        indicia=indicia,
        messages=PublicKey("ecdsa-p256", report.message_public),
        serials=(serials[0], serials[1]),
        not_before=ctx.now,
        not_after=ctx.now.plus(days=authority.life_days),
        messages_since=since,
    )
    return first, second, serials


def certificates_of(view: Transaction) -> Iterator[tuple[Record, bytes]]:
    """Give every certificate ever issued to a device (DER), with the device's record: the former ones first."""
    for row in view.find("device-certificates"):
        for text in (*row.body.get("former", ()), row.body["indicia"], row.body["messages"]):
            yield row, bytes.fromhex(text)


def _report(ctx: Context, body: CertificateRequest, provider: str) -> DeviceKeyReport:
    opened = open_certified(body.report, audience=provider, key_of=_own_key)
    report = opened.body
    assert isinstance(report, DeviceKeyReport)
    if ctx.now > opened.envelope.expires:
        raise Refused("postal.stale-report", device=report.device, expired=opened.envelope.expires)
    if opened.envelope.sender != f"device.{report.device}":
        raise Refused("postal.no-key-proof", device=report.device)
    return report


def _own_key(envelope: Envelope, body: Body) -> PublicKey:
    """Give the key that a new device reports of itself: it is not certified yet, so it proves itself."""
    if not isinstance(body, DeviceKeyReport):
        raise Refused("postal.no-key-proof", device=envelope.sender)
    return PublicKey("ecdsa-p256", body.message_public)


def _issued(report: DeviceKeyReport, indicia: str, messages: str, authority: Authority) -> CertificateIssued:
    return CertificateIssued(
        device=report.device,
        indicia_certificate=bytes.fromhex(indicia),
        message_certificate=bytes.fromhex(messages),
        chain=authority.chain,
    )


@cites("502.28", "502.14b", "502.28/6")
def revoke(ctx: Context, *, device: str, reason: str, at: Instant | None = None) -> None:
    """Revoke every certificate of a device, its former ones too: its keys are compromised or no longer trusted.

    The next pack and the next revocation list say since when (`at`, else now); its messages are believed by nobody from
    then on, so its contact term runs out and it locks. Raises `BadInput` (postal.no-such-reason), `Refused`
    (postal.not-certified); revoking again changes nothing.
    """
    if reason not in REASONS:
        raise BadInput("postal.no-such-reason", reason=reason[:40], known=", ".join(REASONS))
    held = ctx.tx.get("device-certificates", device)
    if held is None:
        raise Refused("postal.not-certified", device=device)
    if held.body["revoked_at"]:
        return
    record = {**held.body, "revoked_at": int(at or ctx.now), "revoked_reason": reason}
    ctx.tx.put("device-certificates", device, record, owner=held.owner, expected=held.version)
    ctx.note("certificate.revoked", device, clauses=("502.28",), provider=held.owner, reason=reason)


def revoke_withdrawn(ctx: Context, *, device: str) -> None:
    """Revoke the certificates of a device that went out of service.

    Revocation lists count whole seconds: from the next one on, or the device's last word would be struck with it.
    """
    revoke(ctx, device=device, reason="withdrawn", at=Instant(int(ctx.now) // SECOND_US * SECOND_US + SECOND_US))
