"""Certificates as the verifying half reads them.

Here: the purposes, the marks of the test root, and `read_certificate`, which turns DER into typed facts.
Not here: issuing (`pki.authority`), chains (`pki.verifying.chains`).
Kept: the names of purposes and of the test policy are object identifiers under a UUID arc (ITU-T X.667), so that they
collide with nobody's and need no registration.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.pki.verifying.signatures import PublicKey

_ARC = "2.25.167701616073363225230587736855011331844"  # of the UUID 7e2a280a-9a41-43ac-b026-9facc1d30f04
ROOT, AUTHORITY, POSTAL, PROVIDER, LICENSEE, BANK = "root", "authority", "postal", "provider", "licensee", "bank"
DEVICE_INDICIA, DEVICE_MESSAGES = "device-indicia", "device-messages"
PURPOSES = (ROOT, AUTHORITY, POSTAL, PROVIDER, LICENSEE, BANK, DEVICE_INDICIA, DEVICE_MESSAGES)
PURPOSE_OIDS = {purpose: x509.ObjectIdentifier(f"{_ARC}.1.{n}") for n, purpose in enumerate(PURPOSES, start=1)}
TEST_POLICY = x509.ObjectIdentifier(f"{_ARC}.2.1")
PRODUCTION_POLICY = x509.ObjectIdentifier(f"{_ARC}.2.2")
TEST_SERIAL_FIRST = 0x8000_0000
TEST_UNIT, PRODUCTION_UNIT = "TEST - NOT FOR POSTAGE", "PRODUCTION"
_BY_OID = {oid: purpose for purpose, oid in PURPOSE_OIDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Hold what a certificate says.

    `subject` and `issuer` are the common names: a party id, a device id, or the name of a root or authority.
    `authority` is the CA flag, `test` says that it carries the test policy, `fingerprint` is the SHA-256 of the DER.
    """

    der: bytes
    serial: int
    subject: str
    issuer: str
    purpose: str
    public: PublicKey
    not_before: Instant
    not_after: Instant
    authority: bool
    path_length: int | None
    test: bool
    fingerprint: bytes

    def covers(self, at: Instant) -> bool:
        """Tell whether an instant lies within the validity, both ends included."""
        return self.not_before <= at <= self.not_after


@lru_cache(maxsize=8192)
def read_certificate(der: bytes) -> Certificate:
    """Read a certificate. Raises `BadInput` (pki.unreadable-certificate), which says what is missing."""
    try:
        found = x509.load_der_x509_certificate(der)
        constraints = found.extensions.get_extension_for_class(x509.BasicConstraints).value
        usages = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        policies = found.extensions.get_extension_for_class(x509.CertificatePolicies).value
        public = _public_key(found)
        subject, issuer = _common_name(found.subject), _common_name(found.issuer)
        unit = str(found.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)[0].value)
    except (
        ValueError,
        TypeError,
        IndexError,
        UnsupportedAlgorithm,
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.InvalidVersion,
    ) as error:
        raise BadInput("pki.unreadable-certificate", why=type(error).__name__) from error
    purposes = [_BY_OID[oid] for oid in usages if oid in _BY_OID]
    named = {policy.policy_identifier for policy in policies}
    if len(purposes) != 1:
        raise BadInput("pki.unreadable-certificate", why="it does not name exactly one purpose")
    if (unit, named) not in ((TEST_UNIT, {TEST_POLICY}), (PRODUCTION_UNIT, {PRODUCTION_POLICY})):
        raise BadInput("pki.unreadable-certificate", why="its unit and policy do not say test or production alike")
    return Certificate(
        der=der,
        serial=found.serial_number,
        subject=subject,
        issuer=issuer,
        purpose=purposes[0],
        public=public,
        not_before=Instant.of(found.not_valid_before_utc),
        not_after=Instant.of(found.not_valid_after_utc),
        authority=constraints.ca,
        path_length=constraints.path_length,
        test=unit == TEST_UNIT,
        fingerprint=hashlib.sha256(der).digest(),
    )


def _public_key(found: x509.Certificate) -> PublicKey:
    key = found.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return PublicKey("ecdsa-p256", key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    if isinstance(key, dsa.DSAPublicKey):
        return PublicKey("dsa-1024", key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).checked()
    raise BadInput("pki.unreadable-certificate", why="its key is of no known scheme")


def _common_name(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
