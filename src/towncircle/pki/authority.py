"""The Postal Service's certificate authority.

Here: the root, the issuing authority below it, the certificates of parties and devices, and the revocation list.
Not here: who may ask for a certificate (`postal/`), the trust list and the published pack (`wire/`, `verification/`),
where serial numbers are kept (the Postal Service's store counts; `serial_for` places the count).
Kept: serials are one 32-bit sequence of the issuing authority, the test root counts from 0x80000000; a test root says
TEST in every subject and policy below it; only certificates of the Postal Service make indicia verifiable (502.28).
Time in certificates has whole seconds: instants are cut down to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.x509.oid import NameOID

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId, PartyId
from towncircle.kernel.instants import Instant
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.verifying.certificates import (
    AUTHORITY,
    BANK,
    DEVICE_INDICIA,
    DEVICE_MESSAGES,
    LICENSEE,
    POSTAL,
    PRODUCTION_POLICY,
    PRODUCTION_UNIT,
    PROVIDER,
    PURPOSE_OIDS,
    ROOT,
    TEST_POLICY,
    TEST_SERIAL_FIRST,
    TEST_UNIT,
    Certificate,
    read_certificate,
)
from towncircle.pki.verifying.lists import REASONS, Revocation
from towncircle.pki.verifying.signatures import PublicKey, native_key

_PARTIES = {"postal": POSTAL, "provider": PROVIDER, "licensee": LICENSEE, "bank": BANK}
_ISSUED_BY_AUTHORITY = (POSTAL, PROVIDER, LICENSEE, BANK, DEVICE_INDICIA, DEVICE_MESSAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Hold a root or an issuing authority: its key and its certificate."""

    key: SoftwareKey
    certificate: Certificate

    def certify_authority(
        self, *, name: str, public: PublicKey, serial: int, not_before: Instant, not_after: Instant
    ) -> bytes:
        """Certify an issuing authority (done by a root). Gives DER."""
        self._must_be(ROOT)
        return self._issue(
            subject=name, public=public, purpose=AUTHORITY, serial=serial, not_before=not_before, not_after=not_after
        )

    def certify_party(
        self, *, party: PartyId, public: PublicKey, serial: int, not_before: Instant, not_after: Instant
    ) -> bytes:
        """Certify the message key of the Postal Service, a Provider, a licensee or a bank. Gives DER."""
        self._must_be(AUTHORITY)
        purpose = _PARTIES.get(party.role)
        if purpose is None:
            raise BadInput("pki.not-a-party", subject=party)
        return self._issue(
            subject=party, public=public, purpose=purpose, serial=serial, not_before=not_before, not_after=not_after
        )

    def certify_device(
        self,
        *,
        device: DeviceId,
        indicia: PublicKey,
        messages: PublicKey,
        serials: tuple[int, int],
        not_before: Instant,
        not_after: Instant,
        messages_since: Instant | None = None,
    ) -> tuple[bytes, bytes]:
        """Certify a device's two keys: for indicia (first serial) and for messages (second). Gives their DER.

        A message key that is certified anew keeps the beginning of its first certificate (`messages_since`): what it
        signed since then stays readable.
        """
        self._must_be(AUTHORITY)
        began = messages_since or not_before
        pairs = ((indicia, DEVICE_INDICIA, serials[0], not_before), (messages, DEVICE_MESSAGES, serials[1], began))
        first, second = (
            self._issue(
                subject=device, public=key, purpose=purpose, serial=serial, not_before=since, not_after=not_after
            )
            for key, purpose, serial, since in pairs
        )
        return first, second

    def revocation_list(
        self, *, number: int, issued: Instant, next_update: Instant, revoked: Iterable[Revocation]
    ) -> bytes:
        """Make the list of revoked serials, with its number and next update. Gives DER."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_name(self.certificate.subject, test=self.certificate.test))
            .last_update(_second(issued))
            .next_update(_second(next_update))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(_authority_id(self.key.public), critical=False)
        )
        for row in sorted(revoked, key=lambda row: row.serial):
            entry = x509.RevokedCertificateBuilder().serial_number(row.serial).revocation_date(_second(row.at))
            reason = x509.CRLReason(REASONS[row.reason])
            builder = builder.add_revoked_certificate(entry.add_extension(reason, critical=False).build())
        return self.key.sign_revocation_list(builder)

    def _issue(
        self, *, subject: str, public: PublicKey, purpose: str, serial: int, not_before: Instant, not_after: Instant
    ) -> bytes:
        test = self.certificate.test
        _check_serial(serial, test=test)
        builder = _builder(
            subject=subject,
            issuer=self.certificate.subject,
            public=public,
            purpose=purpose,
            serial=serial,
            test=test,
            validity=(not_before, not_after),
        )
        return self.key.sign_certificate(builder.add_extension(_authority_id(self.key.public), critical=False))

    def _must_be(self, purpose: str) -> None:
        if self.certificate.purpose != purpose:
            raise Refused("pki.not-the-issuer", issuer=self.certificate.subject, needed=purpose)


def serial_for(count: int, *, test: bool) -> int:
    """Place the n-th certificate (1, 2, ...) in the 32-bit sequence. Raises `Refused` (pki.serials-used-up)."""
    serial = TEST_SERIAL_FIRST + count - 1 if test else count
    _check_serial(serial, test=test)
    return serial


def found_root(
    *, name: str, key: SoftwareKey, test: bool, serial: int, not_before: Instant, not_after: Instant
) -> Issuer:
    """Make a self-signed root, for production or for tests."""
    _check_serial(serial, test=test)
    builder = _builder(
        subject=name,
        issuer=name,
        public=key.public,
        purpose=ROOT,
        serial=serial,
        test=test,
        validity=(not_before, not_after),
    )
    return Issuer(key=key, certificate=read_certificate(key.sign_certificate(builder)))


def found_authority(
    *, root: Issuer, name: str, key: SoftwareKey, serial: int, not_before: Instant, not_after: Instant
) -> Issuer:
    """Make an issuing authority below a root."""
    der = root.certify_authority(
        name=name, public=key.public, serial=serial, not_before=not_before, not_after=not_after
    )
    return Issuer(key=key, certificate=read_certificate(der))


def _builder(
    *,
    subject: str,
    issuer: str,
    public: PublicKey,
    purpose: str,
    serial: int,
    test: bool,
    validity: tuple[Instant, Instant],
) -> x509.CertificateBuilder:
    native = native_key(public)
    issues = purpose in (ROOT, AUTHORITY)
    if (issues or purpose != DEVICE_INDICIA) and not isinstance(native, ec.EllipticCurvePublicKey):
        raise BadInput("pki.wrong-scheme", purpose=purpose, scheme=public.scheme)
    length = {ROOT: 1, AUTHORITY: 0}.get(purpose)
    policy = x509.PolicyInformation(TEST_POLICY if test else PRODUCTION_POLICY, None)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject, test=test))
        .issuer_name(_name(issuer, test=test))
        .public_key(native)
        .serial_number(serial)
        .not_valid_before(_second(validity[0]))
        .not_valid_after(_second(validity[1]))
        .add_extension(x509.BasicConstraints(ca=issues, path_length=length), critical=True)
        .add_extension(_usage(issues=issues), critical=True)
        .add_extension(x509.ExtendedKeyUsage([PURPOSE_OIDS[purpose]]), critical=False)
        .add_extension(x509.CertificatePolicies([policy]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(native), critical=False)
    )


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str, *, test: bool) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "towncircle"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, TEST_UNIT if test else PRODUCTION_UNIT),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _authority_id(public: PublicKey) -> x509.AuthorityKeyIdentifier:
    native = native_key(public)
    assert not isinstance(native, dsa.DSAPublicKey)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(native)


def _second(at: Instant) -> datetime:
    return at.utc().astimezone(UTC).replace(microsecond=0)


def _check_serial(serial: int, *, test: bool) -> None:
    low, high = (TEST_SERIAL_FIRST, 2**32) if test else (1, TEST_SERIAL_FIRST)
    if not low <= serial < high:
        raise Refused("pki.serials-used-up", serial=serial)
