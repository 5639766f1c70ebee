"""Whose key was good when.

Here: a key directory in memory. Not here: certificates (`pki.verifying`), storing (`storage/`).
Kept: a key is known from an instant on and, once withdrawn, only for what was issued before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.pki.verifying import Certificate, PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """Hold one known key: from when it is good and, where it ends, until when (both included)."""

    public: PublicKey
    since: Instant
    until: Instant | None = None


@dataclass(slots=True)
class Keyring:
    """Keep the known keys of senders in memory; it is a `KeyDirectory`."""

    _keys: dict[str, dict[bytes, KnownKey]] = field(default_factory=dict)

    def copy(self) -> Keyring:
        """Give a ring with the same keys, to which others may be added."""
        return Keyring({sender: dict(keys) for sender, keys in self._keys.items()})

    def add(self, sender: str, public: PublicKey, *, since: Instant, until: Instant | None = None) -> None:
        """Make a sender's key known, or change its term."""
        self._keys.setdefault(sender, {})[public.key_id] = KnownKey(public=public, since=since, until=until)

    def add_certificate(self, certificate: Certificate) -> None:
        """Make the key of a checked certificate known for its subject and validity."""
        self.add(certificate.subject, certificate.public, since=certificate.not_before, until=certificate.not_after)

    def withdraw(self, sender: str, key_id: bytes, at: Instant) -> None:
        """End a key: what was issued after this instant is refused. Raises `Refused` like `find`."""
        held = self._held(sender, key_id)
        self._keys[sender][key_id] = KnownKey(public=held.public, since=held.since, until=at)

    @cites("502.28/4")
    def find(self, sender: str, key_id: bytes, at: Instant) -> PublicKey:
        """Give a sender's key as it stood at an instant. Raises `Refused` (wire.unknown-sender, wire.unknown-key)."""
        held = self._held(sender, key_id)
        if at < held.since or (held.until is not None and at > held.until):
            raise Refused("wire.unknown-key", sender=sender, key_id=key_id.hex())
        return held.public

    def _held(self, sender: str, key_id: bytes) -> KnownKey:
        keys = self._keys.get(sender)
        if keys is None:
            raise Refused("wire.unknown-sender", sender=sender[:64])
        if key_id not in keys:
            raise Refused("wire.unknown-key", sender=sender, key_id=key_id.hex())
        return keys[key_id]
