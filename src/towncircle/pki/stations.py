"""Certificates of workstations and of the host that they call: who may reach a device over a network.

Here: a small authority of one host, its own certificate, and one for each workstation or licensee, for TLS 1.3 with
certificates on both sides. Not here: sockets (`transport.stations`), which of them is enrolled (`world.stations`),
and the postal certificates (`authority`): these say who may call, never what postage is worth.
Kept: P-256; the authority signs for its own host only, and a host believes a certificate only if it enrolled it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import Randomness, below
from towncircle.pki.verifying.signatures import P256_ORDER

HOST_NAME = "device-host.towncircle"  # house: the name in the host's certificate, whatever its address
_YEARS_MONTHS, _AUTHORITY_MONTHS = 12 * 5, 12 * 20  # house
_SERIAL_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Hold a key and its certificate as PEM."""

    key: bytes = field(repr=False)
    certificate: bytes

    @property
    def fingerprint(self) -> str:
        """Give the SHA-256 of the certificate's DER, in hex."""
        return fingerprint_of(x509.load_pem_x509_certificate(self.certificate).public_bytes(Encoding.DER))


def fingerprint_of(der: bytes) -> str:
    """Give the SHA-256 of a certificate, in hex."""
    return hashlib.sha256(der).hexdigest()


def ends(certificate: bytes) -> Instant:
    """Give the end of a certificate (PEM)."""
    at = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
    return Instant(int(at.timestamp()) * 1_000_000)


def found_host(name: str, randomness: Randomness, now: Instant) -> Identity:
    """Make the authority of one host."""
    return _issue(name, None, randomness, now, host=False)


def certify(authority: Identity, name: str, randomness: Randomness, now: Instant, *, host: bool) -> Identity:
    """Make a key with a certificate for a workstation, or for the host itself."""
    return _issue(name, authority, randomness, now, host=host)


def _issue(name: str, authority: Identity | None, randomness: Randomness, now: Instant, *, host: bool) -> Identity:
    until = now.plus_months(_YEARS_MONTHS if authority is not None else _AUTHORITY_MONTHS, zone="UTC")
    if authority is not None:  # an end that nobody can use is not promised
        until = min(until, ends(authority.certificate))
    key = ec.derive_private_key(1 + below(randomness, P256_ORDER - 1), ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signer = subject, key
    if authority is not None:
        issuer = x509.load_pem_x509_certificate(authority.certificate).subject
        loaded = load_pem_private_key(authority.key, password=None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        signer = loaded
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(randomness.take(_SERIAL_BYTES), "big") >> 1)
        .not_valid_before(now.plus(days=-1).utc())
        .not_valid_after(until.utc())
        .add_extension(_constraints(authority=authority is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(authority=authority is None), critical=True)
    )
    if authority is not None:
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if host else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
    if host:
        names = [x509.DNSName(HOST_NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = builder.sign(signer, hashes.SHA256())
    return Identity(
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate=made.public_bytes(Encoding.PEM),
    )


def _constraints(*, authority: bool) -> x509.BasicConstraints:
    return x509.BasicConstraints(ca=authority, path_length=0 if authority else None)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
