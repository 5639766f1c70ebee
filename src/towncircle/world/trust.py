"""Whom a world trusts: the trust list of the root, the revocation list of the issuing authority, and what follows.

Here: publishing both lists, loading them as every party does, and the directory of known keys. Not here: keys
(`world.keys`), the verification pack (`postal.publishing`).
Kept: a party believes a certificate only when its chain ends at the root pinned in the world file, its authority stands
on the trust list and its serial is not revoked; both lists say when the next one is due, and an old one is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import PartyId
from towncircle.kernel.instants import Clock, Instant
from towncircle.kernel.store import Record, Store, Transaction
from towncircle.pki.authority import Issuer
from towncircle.pki.verifying import (
    Certificate,
    PublicKey,
    Revocation,
    RevocationList,
    check_chain,
    check_revocation_list,
    read_certificate,
)
from towncircle.postal.certificates import certificates_of
from towncircle.wire.directory import Keyring
from towncircle.wire.trustlist import TrustList, read_trust_list, sign_trust_list
from towncircle.world.keys import KeyCabinet, authority_of

TRUST_LIST, REVOCATIONS = "published/trust-list.cose", "published/revocations.crl"
# House: the root signs once a year, the issuing authority once a month; both renew at half time.
TRUST_LIST_DAYS, REVOCATION_DAYS = 366, 31
_DAYS = {TRUST_LIST: TRUST_LIST_DAYS, REVOCATIONS: REVOCATION_DAYS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Hold the checked lists and the certificates above the parties."""

    root: Certificate
    authority: Certificate
    revocations: RevocationList

    def certified(self, der: bytes, *, purpose: str, subject: str, at: Instant) -> Certificate:
        """Give a certificate whose chain holds. Raises `Refused` (world.untrusted)."""
        result = check_chain(
            (der, self.authority.der, self.root.der),
            root_fingerprint=self.root.fingerprint,
            at=at,
            purpose=purpose,
            subject=subject,
            revocations=self.revocations,
        )
        fault = result.first_fault()
        if fault is not None or result.leaf is None:
            raise Refused("world.untrusted", subject=subject, why=fault.text if fault else "no certificate")
        return result.leaf


def publish_lists(cabinet: KeyCabinet, postal: Store, now: Instant, write: Callable[[str, bytes], None]) -> None:
    """Publish both lists where one is missing, half used up, or lacks a revocation."""
    issuer = authority_of(cabinet)
    with postal.transaction() as tx:
        revoked = [
            Revocation(serial=read_certificate(der).serial, at=at, reason=reason)
            for row, der in certificates_of(tx)
            if (at := Instant(row.body["revoked_at"])) and (reason := row.body["revoked_reason"])
        ]
        makers: dict[str, Callable[[int, Instant], bytes]] = {
            TRUST_LIST: lambda number, due: _trust_list(cabinet, issuer, number, now, due),
            REVOCATIONS: lambda number, due: _revocations(issuer, number, now, due, revoked),
        }
        for name, make in makers.items():
            days = _DAYS[name]
            held = tx.get("list", name)
            known = len(revoked) if name == REVOCATIONS else 0
            if held and _fresh(held, days, now) and held.body["revoked"] == known:
                continue
            number = int(held.body["number"]) + 1 if held else 1
            record = {"number": number, "issued": int(now), "revoked": known}
            tx.put("list", name, record, owner="postal", expected=held.version if held else 0)
            write(name, make(number, now.plus(days=days)))


def _fresh(held: Record, days: int, now: Instant) -> bool:
    return now < Instant(held.body["issued"]).plus(hours=12 * days)


def lists_fresh(view: Transaction, now: Instant) -> bool:
    """Tell whether neither list is half used up."""
    held = ((view.get("list", name), days) for name, days in _DAYS.items())
    return all(row is not None and _fresh(row, days, now) for row, days in held)


def _trust_list(cabinet: KeyCabinet, issuer: Issuer, number: int, now: Instant, due: Instant) -> bytes:
    body = TrustList(anchor="test", number=number, issued=now, next_update=due, authorities=(issuer.certificate.der,))
    return sign_trust_list(body, cabinet.key("root"))


def _revocations(issuer: Issuer, number: int, now: Instant, due: Instant, revoked: Iterable[Revocation]) -> bytes:
    return issuer.revocation_list(number=number, issued=now, next_update=due, revoked=revoked)


def load_trust(folder: Path, cabinet: KeyCabinet, *, root: bytes, now: Instant) -> Trust:
    """Load and check both lists as a party does, against the pinned root. Raises `Refused` (world.untrusted, ...)."""
    anchor, authority = cabinet.certificate("root"), cabinet.certificate("authority")
    if anchor.fingerprint != root:
        raise Refused("world.untrusted", subject="the root", why="it is not the root that the world file pins")
    listed = read_trust_list((folder / TRUST_LIST).read_bytes(), root=anchor, now=now)
    if not listed.names(authority.der):
        raise Refused("world.untrusted", subject=authority.subject, why="it is not on the trust list")
    der = (folder / REVOCATIONS).read_bytes()
    revocations, findings = check_revocation_list(der, issuer=authority, now=now)
    if revocations is None:
        fault = next(one for one in findings if not one.ok)
        raise Refused("world.untrusted", subject="the revocation list", why=fault.text)
    return Trust(root=anchor, authority=authority, revocations=revocations)


class Lists:
    """Read the lists on the board and the certificates of all parties: once for the parties of a process.

    They are read again when they change, and checked at the instant of each reading.
    """

    def __init__(self, folder: Path, cabinet: KeyCabinet, parties: tuple[PartyId, ...], *, root: bytes) -> None:
        self._folder, self._cabinet, self._parties, self._root = folder, cabinet, parties, root
        self._known: tuple[tuple[int, ...], Trust, Keyring] | None = None
        self._reading = threading.Lock()

    def stamp(self) -> tuple[int, ...]:
        """Say which files lie on the board."""
        about = [(self._folder / name).stat() for name in (TRUST_LIST, REVOCATIONS)]
        return tuple(part for one in about for part in (one.st_mtime_ns, one.st_ino, one.st_size))

    def read(self, stamp: tuple[int, ...], now: Instant) -> tuple[Trust, Keyring]:
        """Give what the lists of a stamp say, with a ring of the parties' keys. Raises `Refused` as `load_trust`."""
        with self._reading:
            if self._known is None or self._known[0] != stamp:
                self._known = stamp, *self._load(now)
            _, trust, ring = self._known
            return trust, ring.copy()

    def _load(self, now: Instant) -> tuple[Trust, Keyring]:
        ring = Keyring()
        trust = load_trust(self._folder, self._cabinet, root=self._root, now=now)
        for party in self._parties:
            der = self._cabinet.certificate(party).der
            ring.add_certificate(trust.certified(der, purpose=party.role, subject=party, at=now))
        return trust, ring


class WorldDirectory:
    """Know the keys of all parties, and those of the devices that this party's own records certify.

    The lists are read again when they change on the board, and are not believed past their next update: a party that
    stays open for weeks learns of a revocation as soon as it is published.
    """

    def __init__(self, lists: Lists, device: Callable[[str], bytes | None], *, clock: Clock) -> None:
        self._lists, self._device, self._clock = lists, device, clock
        self._read = lists.stamp()
        self._trust, self._ring = lists.read(self._read, clock.now())

    def find(self, sender: str, key_id: bytes, at: Instant) -> PublicKey:
        """Give a sender's key. Raises `Refused` (wire.unknown-sender, wire.unknown-key, world.untrusted)."""
        stamp = self._lists.stamp()
        if stamp != self._read:
            self._trust, self._ring = self._lists.read(stamp, self._clock.now())
            self._read = stamp
        due = self._trust.revocations.next_update
        if self._clock.now() > due:
            raise Refused("world.untrusted", subject="the revocation list", why=f"Its next update was due {due}.")
        role, _, name = sender.partition(".")
        der = self._device(name) if role == "device" else None
        if der is not None:
            certificate = _known(der)
            revoked = self._trust.revocations.entry(certificate.serial)
            until = revoked.at if revoked is not None else certificate.not_after
            self._ring.add(sender, certificate.public, since=certificate.not_before, until=until)
        return self._ring.find(sender, key_id, at)


@lru_cache(maxsize=1024)
def _known(der: bytes) -> Certificate:
    """Read a device's certificate, once for all of its messages; whether it holds is asked each time."""
    return read_certificate(der)


def no_devices(_device: str) -> None:
    """Know no device: for parties that read no message of one."""


def device_certificates(store: Store, *, kind: str, field: str) -> Callable[[str], bytes | None]:
    """Look a device's message certificate up in a party's own records."""

    def look_up(device: str) -> bytes | None:
        with store.reading() as view:
            row = view.get(kind, device)
        return bytes.fromhex(row.body[field]) if row is not None else None

    return look_up
