"""The DSA domain of the 1998 specimens.

Here: one set of DSA parameters (1024-bit p, 160-bit q) as DER (`Dss-Parms`, RFC 3279 2.3.2), its reading and its check.
Not here: keys. Provenance: generated once for this project with OpenSSL 3 (`dsa.generate_parameters(1024)` of the
`cryptography` package, version 50.0.2) and frozen; no post ever used it. p and q are prime, q divides p - 1 and g has
order q: a test checks that again. FIPS 186-5 withdrew the making of such domains: this one exists for specimens only.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric.dsa import DSAParameterNumbers

from towncircle.kernel.errors import BadInput


@asn1.sequence
class _DssParms:
    p: int
    q: int
    g: int


DSA_1024_DOMAIN = bytes.fromhex(
    "3082011f02818100dcbeeba5449e1dc32b26a27bee9cf5cb8f56f2a6171dd95939ef1c8c6ef92e06f8d5f8b1310c58cf"
    "c0144dfdfdc5f7d1b10348c62709874b219ac20de39a971fd33a6267e527e817ce08206e75aa49b0201a9ebf9a280ef6"
    "f621ad82f227999c7f0e20095ec9998b1ef49d1d2175f164d3d4ad6cdeef566c00dd2bd6377ad261021500a99291d3b4"
    "b3a6fedb16d45a9821ede6347dd3eb028181008886efa50d1d1ffbddec71a4d03b34efa549ba3f4c9cd0088840b6d68c"
    "d7b5fcc52b9c438aa02a332e397cbde3e5e56be060364bdf90cb65e9469eb16043acef171b684c2e9aa980dd0ded8718"
    "84bb213ff0050e369c9dcaa9e7f9cd6a0d3566fb40e36502eeb66c6f96f9f6170299ad650677176fe7a906640efa8705"
    "8b59c3"
)


@lru_cache(maxsize=16)
def read_domain(der: bytes) -> DSAParameterNumbers:
    """Read DSA parameters of 1024 and 160 bits from their DER. Raises `BadInput` (pki.bad-domain)."""
    try:
        found = asn1.decode_der(_DssParms, der)
    except ValueError as error:
        raise BadInput("pki.bad-domain", why="it cannot be read") from error
    if found.p.bit_length() != 1024 or found.q.bit_length() != 160 or (found.p - 1) % found.q:
        raise BadInput("pki.bad-domain", why="it is not of 1024 and 160 bits")
    if not 1 < found.g < found.p or pow(found.g, found.q, found.p) != 1:
        raise BadInput("pki.bad-domain", why="its generator does not have the order q")
    return DSAParameterNumbers(found.p, found.q, found.g)
