"""The keys of a world: the test root, the issuing authority, every party's message key.

Here: making them once (the sandbox's key ceremony), keeping them encrypted, opening them. Not here: device keys, which
are born in devices, and whom to trust (`world.trust`).
Kept: a sandbox keeps its secrets beside its keys, in files only the owner reads: it is for specimens, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import PartyId
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import Randomness
from towncircle.kernel.store import Store
from towncircle.pki.authority import Issuer, found_authority, found_root, serial_for
from towncircle.pki.keyfile import open_key, seal_key
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.verifying import Certificate, read_certificate

ROOT_YEARS, AUTHORITY_YEARS, PARTY_YEARS = 20, 10, 5  # house
YEAR_DAYS = 365


class KeyCabinet:
    """Keep keys and certificates in a folder: `secrets/NAME`, `keys/NAME.key`, `certificates/NAME.der`."""

    def __init__(self, folder: Path, *, repeatable: bool) -> None:
        self._folder = folder
        self._repeatable = repeatable

    def __repr__(self) -> str:
        return "KeyCabinet(...)"

    def make(self, name: str, randomness: Randomness) -> SoftwareKey:
        """Make a message key and keep it encrypted under a new secret."""
        secret = randomness.take(32)
        key = SoftwareKey.generate("ecdsa-p256", randomness)
        self._put(f"secrets/{name}", secret)
        self._put(f"keys/{name}.key", seal_key(key, lambda: secret, randomness))
        return key

    def key(self, name: str) -> SoftwareKey:
        """Open a kept key. Raises `Refused` (world.damaged, pki.key-file-locked)."""
        raw = self._get(f"keys/{name}.key")
        return open_key(raw, lambda: self.secret(name), repeatable=self._repeatable)

    def secret(self, name: str) -> bytes:
        """Give the operator's secret for a name, making none."""
        return self._get(f"secrets/{name}")

    def put_secret(self, name: str, secret: bytes) -> None:
        """Keep a new secret."""
        self._put(f"secrets/{name}", secret)

    def put_certificate(self, name: str, der: bytes) -> None:
        """Keep a certificate."""
        self._put(f"certificates/{name}.der", der)

    def has_certificate(self, name: str) -> bool:
        """Tell whether a certificate is kept."""
        return (self._folder / f"certificates/{name}.der").exists()

    def certificate(self, name: str) -> Certificate:
        """Give a kept certificate."""
        return read_certificate(self._get(f"certificates/{name}.der"))

    def _put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_bytes(data)

    def _get(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise Refused("world.damaged", path=self._folder / name, what=error.strerror) from error


def hold_ceremony(
    cabinet: KeyCabinet, parties: tuple[PartyId, ...], store: Store, randomness: Randomness, now: Instant
) -> Certificate:
    """Make the test root, the issuing authority and a certified message key for every party; give the root."""
    with _serials(store) as serial:
        key = cabinet.make("root", randomness)
        root = found_root(
            name="towncircle test root",
            key=key,
            test=True,
            serial=serial(),
            not_before=now,
            not_after=now.plus(days=ROOT_YEARS * YEAR_DAYS),
        )
        cabinet.put_certificate("root", root.certificate.der)
        authority = found_authority(
            root=root,
            name="towncircle test issuing authority",
            key=cabinet.make("authority", randomness),
            serial=serial(),
            not_before=now,
            not_after=now.plus(days=AUTHORITY_YEARS * YEAR_DAYS),
        )
        cabinet.put_certificate("authority", authority.certificate.der)
        for party in parties:
            _certify(cabinet, authority, party, randomness, serial(), now)
    return root.certificate


def certify_member(cabinet: KeyCabinet, party: PartyId, store: Store, randomness: Randomness, now: Instant) -> None:
    """Make a certified message key for a party that comes later; `store` is the Postal Service's."""
    with _serials(store) as serial:
        _certify(cabinet, authority_of(cabinet), party, randomness, serial(), now)


def _certify(
    cabinet: KeyCabinet, authority: Issuer, party: PartyId, randomness: Randomness, serial: int, now: Instant
) -> None:
    certificate = authority.certify_party(
        party=party,
        public=cabinet.make(party, randomness).public,
        serial=serial,
        not_before=now,
        not_after=now.plus(days=PARTY_YEARS * YEAR_DAYS),
    )
    cabinet.put_certificate(party, certificate)


@contextmanager
def _serials(store: Store) -> Iterator[Callable[[], int]]:
    with store.transaction() as tx:
        yield lambda: serial_for(tx.next_number("certificate"), test=True)


def authority_of(cabinet: KeyCabinet) -> Issuer:
    """Open the issuing authority."""
    return Issuer(key=cabinet.key("authority"), certificate=cabinet.certificate("authority"))
