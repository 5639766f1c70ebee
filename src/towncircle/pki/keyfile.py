"""Keys at rest.

Here: an encrypted form of a software key under a 32-byte secret of the operator. Not here: where the secret comes from
(a callback gives it), nor where the file lies.
Kept: AES-256-GCM over PKCS #8; scheme and key id are readable but authenticated; nothing secret is ever in a repr, an
error or a log. Form: the line `towncircle key 1`, the scheme, the key id in hex, 12 bytes nonce, the ciphertext.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.randomness import Randomness
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.verifying import PublicKey

SecretProvider = Callable[[], bytes]
_MAGIC = b"towncircle key 1\n"
_NONCE = 12
_MAX = 4096


def seal_key(key: SoftwareKey, secret: SecretProvider, randomness: Randomness) -> bytes:
    """Encrypt a key for storing. Raises `BadInput` (pki.bad-secret)."""
    head = _head(key.public)
    nonce = randomness.take(_NONCE)
    return head + nonce + _cipher(secret).encrypt(nonce, key.to_pkcs8(), head)


def open_key(
    raw: bytes, secret: SecretProvider, *, repeatable: bool = False, public: PublicKey | None = None
) -> SoftwareKey:
    """Decrypt a stored key. `repeatable` is for sandboxes: signatures then repeat to the byte.

    With `public` a P-256 key is opened in two thirds of the time: its id must be the authenticated one, which was taken
    from the private key when it was sealed, so the private key is not asked for its public part again.

    Raises `BadInput` (pki.bad-key-file, pki.bad-secret) and `Refused` (pki.key-file-locked) where the secret is
    another one or the file was changed.
    """
    if public is not None and raw.startswith(wanted := _head(public)) and len(wanted) + _NONCE < len(raw) <= _MAX:
        return SoftwareKey.from_pkcs8(_opened(raw, wanted, secret), repeatable=repeatable, public=public)
    lines = raw.split(b"\n", 3) if len(raw) <= _MAX and raw.startswith(_MAGIC) else []
    if len(lines) != 4 or len(lines[3]) <= _NONCE:
        raise BadInput("pki.bad-key-file")
    head = raw[: len(raw) - len(lines[3])]
    key = SoftwareKey.from_pkcs8(_opened(raw, head, secret), repeatable=repeatable)
    if _head(key.public) != head or (public is not None and key.public != public):
        raise BadInput("pki.bad-key-file")
    return key


def _head(public: PublicKey) -> bytes:
    """Give what stands readable before a sealed key: it names its public key."""
    return b"%s%s\n%s\n" % (_MAGIC, public.scheme.encode(), public.key_id.hex().encode())


def _opened(raw: bytes, head: bytes, secret: SecretProvider) -> bytes:
    """Decrypt what follows the head. Raises `Refused` (pki.key-file-locked)."""
    at = len(head)
    try:
        return _cipher(secret).decrypt(raw[at : at + _NONCE], raw[at + _NONCE :], head)
    except InvalidTag as error:
        raise Refused("pki.key-file-locked") from error


def _cipher(secret: SecretProvider) -> AESGCM:
    return AESGCM(checked(secret()))


def checked(secret: bytes) -> bytes:
    """Give a secret that has the length of one. Raises `BadInput` (pki.bad-secret)."""
    if len(secret) != 32:
        raise BadInput("pki.bad-secret", length=len(secret))
    return secret
