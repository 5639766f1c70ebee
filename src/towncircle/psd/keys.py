"""The key slots of the device behind one verb, `sign`.

Here: the slot port, and software slots whose private keys lie encrypted in the device's own state. Not here: PKCS#11
(`pkcs11`), and where the operator's secret comes from (a callback gives it).
Kept: a key is born inside and tested as a pair before it is used; an opened key stays in memory only while the device
runs; zeroising drops it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.randomness import Randomness
from towncircle.pki.keyfile import SecretProvider, open_key, seal_key
from towncircle.pki.keys import Signer, SoftwareKey
from towncircle.pki.verifying import PublicKey, verify
from towncircle.psd.state import SealedKey

PAIRWISE = b"towncircle pairwise test"
TOKEN_MARK = b"towncircle token key 1\n"  # begins what a slot holds of a key in a token: its name there follows
_P256_POINT = 65  # bytes of an uncompressed point


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLife:
    """Tell the life of one key: what it is, where it is born and kept, what it does, how it is replaced and ends."""

    name: str
    kind: str
    born: str
    kept: str
    used: str
    replaced: str
    ends: str


_ERASED = (
    "zeroise: dropped from memory; its sealed form overwritten in the device's own store and log; of a hosted device "
    "its wrapping key overwritten, without which no page, log or backup opens it; in a token destroyed there"
)
LIVES = (
    KeyLife(
        name="indicia key",
        kind="ECDSA P-256 (IMI), DSA 1024 with SHA-1 (specimens of 1998)",
        born="inside, by `initialise`; tested as a pair before it is kept",
        kept="sealed under the operator's secret in the device's state, or in a PKCS#11 token",
        used="`evidence`",
        replaced="`rekey` makes the next one, `certify` puts it into use; the old certificate runs on for verifiers",
        ends=_ERASED + "; the old one of a rollover in the same way",
    ),
    KeyLife(
        name="message key",
        kind="ECDSA P-256",
        born="inside, by `initialise`; tested as a pair before it is kept",
        kept="as the indicia key",
        used="every signed message to Provider and examiner",
        replaced="its certificate is renewed by `certify`; a new key needs a new device",
        ends=_ERASED,
    ),
    KeyLife(
        name="wrapping key of a hosted device's key",
        kind="32 bytes, mixed into the operator's secret by HMAC-SHA-256",
        born="by the host, with the key that it wraps",
        kept="in the host's folder of wrapping keys, in no database and in no backup of one",
        used="opening and sealing the key it wraps",
        replaced="never",
        ends="overwritten and synced when its key ends; what a dying host owes is done at its next start",
    ),
    KeyLife(
        name="operator's secret",
        kind="32 bytes for AES-256-GCM",
        born="outside, by the operator; from a passphrase by Argon2id with stored parameters",
        kept="outside the store: a file, or nowhere (passphrase)",
        used="opening and sealing the key slots",
        replaced="`towncircle device reseal`: every key is opened and sealed anew; old copies open with the old "
        "secret only",
        ends="overwritten where it lies in the device's folder, by zeroise and by `reseal`; elsewhere with its file; "
        "without it the sealed keys cannot be opened",
    ),
    KeyLife(
        name="Provider's public key, fingerprint of the root",
        kind="ECDSA P-256 point; SHA-256",
        born="outside, pinned at the factory",
        kept="in the clear in the device's state",
        used="every sealed order; certificates of device and examiner",
        replaced="never in this device",
        ends="with the store",
    ),
)


class KeySlots(Protocol):
    """Make keys and sign with them; a private key never comes out in the clear.

    `approved` is false where they rest on a passphrase or on a seed.
    """

    approved: bool

    def make(self, scheme: str, *, domain: bytes = b"") -> SealedKey:
        """Make a key and test it as a pair. Raises `BrokenInvariant` (psd.pairwise-failed)."""
        ...

    def signer(self, slot: SealedKey) -> Signer:
        """Open a slot for signing. Raises `Refused` (pki.key-file-locked) where the secret is another one."""
        ...

    def drop(self) -> None:
        """Forget every opened key."""
        ...

    def destroy(self, *ended: SealedKey) -> None:
        """Leave nothing behind of keys that have ended, here or in a token."""
        ...

    def may_end(self, *ended: SealedKey) -> None:
        """Check that keys can be destroyed here, now or later. Raises `Refused` (psd.token-unset)."""
        ...

    def end(self) -> None:
        """Leave nothing behind of what opened the keys of a device that has none any more, where it is its own."""
        ...


class SoftwareSlots:
    """Keep private keys encrypted under the operator's 32-byte secret (AES-256-GCM)."""

    def __init__(
        self,
        secret: SecretProvider,
        randomness: Randomness,
        *,
        last: Callable[[], None] = lambda: None,
        derived: bool = False,
    ) -> None:
        """Take the secret; `last` destroys what of it is this device's own, once the device has no key any more.

        `derived` says that the secret comes from a passphrase.
        """
        self.approved = not (derived or randomness.repeatable)
        self._secret = secret
        self._randomness = randomness
        self._last = last
        self._opened: dict[bytes, SoftwareKey] = {}

    def __repr__(self) -> str:
        return "SoftwareSlots(...)"

    @cites("502.8b")
    def make(self, scheme: str, *, domain: bytes = b"") -> SealedKey:
        """Make a key and test it as a pair. Raises `BadInput` (pki.unknown-scheme), `BrokenInvariant`."""
        key = SoftwareKey.generate(scheme, self._randomness, domain)
        if not verify(key.public, key.sign(PAIRWISE), PAIRWISE).accepted:
            raise BrokenInvariant("psd.pairwise-failed", scheme=scheme)
        return SealedKey(public=key.public.raw, sealed=seal_key(key, self._secret, self._randomness))

    def signer(self, slot: SealedKey) -> Signer:
        """Open a slot for signing, once."""
        held = self._opened.get(slot.public)
        if held is None:
            held = self._opened[slot.public] = self._open(slot.public, slot.sealed, self._secret)
        return held

    def _open(self, public: bytes, sealed: bytes, secret: SecretProvider) -> SoftwareKey:
        if sealed.startswith(TOKEN_MARK):
            raise Refused("psd.token-unset")
        known = PublicKey("ecdsa-p256", public) if len(public) == _P256_POINT else None
        try:
            key = open_key(sealed, secret, repeatable=self._randomness.repeatable, public=known)
        except BadInput as error:
            if error.code != "pki.bad-key-file":
                raise
            raise BrokenInvariant("psd.store-damaged", path="a key slot", what="it holds another key") from error
        if key.public.raw != public:
            raise BrokenInvariant("psd.store-damaged", path="a key slot", what="it holds another key")
        return key

    def sealed(self, key: Signer, former: SealedKey) -> SealedKey:  # noqa: ARG002 - wrapped slots heed it
        """Seal an opened key under this secret; `former` is how it was sealed."""
        assert isinstance(key, SoftwareKey)
        return SealedKey(public=key.public.raw, sealed=seal_key(key, self._secret, self._randomness))

    def drop(self) -> None:
        """Forget every opened key."""
        self._opened.clear()

    def destroy(self, *ended: SealedKey) -> None:
        """Forget every opened key: what is sealed ends with the state that holds it. Raises `Refused`, as below."""
        check_here(ended)
        self.drop()

    def may_end(self, *ended: SealedKey) -> None:
        """Check that keys can be destroyed here. Raises `Refused`, as below."""
        check_here(ended)

    def end(self) -> None:
        """Destroy the secret, where it is this device's own."""
        self._last()


class LostSlots:
    """Be the slots of a device whose keys nothing opens any more: whatever needs one is refused, for the reason given.

    What is sealed ends with the state that holds it, as everywhere; nothing that opened it is touched.
    """

    approved = False

    def __init__(self, lost: Callable[[], Refused]) -> None:
        self._lost = lost

    def make(self, scheme: str, *, domain: bytes = b"") -> SealedKey:  # noqa: ARG002 - the slots' shape
        """Refuse: another key would be lost with the first."""
        raise self._lost()

    def signer(self, slot: SealedKey) -> Signer:  # noqa: ARG002 - the slots' shape
        """Refuse."""
        raise self._lost()

    def drop(self) -> None:
        """Do nothing: no key was opened."""

    def destroy(self, *ended: SealedKey) -> None:
        """Do nothing here. Raises `Refused` (psd.token-unset) for a key in a token."""
        check_here(ended)

    def may_end(self, *ended: SealedKey) -> None:
        """Check that keys are not in a token. Raises `Refused` (psd.token-unset)."""
        check_here(ended)

    def end(self) -> None:
        """Do nothing: what is missing is not here, and what is here is left."""


def check_here(ended: Sequence[SealedKey]) -> None:
    """Check that keys may be said to be destroyed where no token is at hand. Raises `Refused` (psd.token-unset)."""
    if any(key.sealed.startswith(TOKEN_MARK) for key in ended):
        raise Refused("psd.token-unset")


@runtime_checkable
class ManySigner(Protocol):
    """Sign many contents at once, where the way to the key is long."""

    def sign_all(self, contents: Sequence[bytes]) -> list[bytes]:
        """Give the fixed-width r||s of each content."""
        ...
