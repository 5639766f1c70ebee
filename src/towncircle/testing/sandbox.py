"""A whole world in one process whose parts can be put back to an earlier moment, and that crash where they are told.

Here: the stores of the parties and of the devices in memory, marks of all of them together, and crash points: every
commit of every store, once before it is kept and once after. Not here: the network (`hostile_wire`).
Kept: the parties, the device, the books and the messages are the real ones; only what lies below the store ports and
the transport is replaced. A party that crashes loses what it had not committed; a device that crashes is started again
on its memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from towncircle.kernel.errors import Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Clock, Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.kernel.store import MemoryStore, Received, Store, Transaction
from towncircle.psd.device import Device
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Change, MemoryInRam
from towncircle.psd.process import SECRET, STORE
from towncircle.psd.sqlite import SqliteMemory
from towncircle.storage.sqlite import SqliteStore
from towncircle.transport import Transport
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import Wiring, World

START = Instant.parse("2026-11-21T15:00:00Z")
LICENSEE, PROVIDER = "licensee.mailroom", "provider.harbor"


class CrashError(Exception):
    """Ends the process of a party in the middle of its work."""


class Fuse:
    """Count the crash points and burn through where it is told."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self._burns: Callable[[int], bool] = _never

    def point(self, name: str) -> None:
        """Pass a crash point. Raises `CrashError` where it burns through."""
        self.passed.append(name)
        if self._burns(len(self.passed)):
            raise CrashError(name)

    def arm(self, burns: Callable[[int], bool] | None = None) -> None:
        """Count anew from 1, and burn where `burns` says so of the count (without it: nowhere)."""
        self.passed, self._burns = [], burns or _never


def _never(_count: int) -> bool:
    return False


class RewindableStore(MemoryStore):
    """Keep a party's store in memory; it can be marked, put back, and crashes around its commits."""

    def __init__(self, fuse: Fuse, name: str) -> None:
        super().__init__()
        self._fuse, self._name = fuse, name

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction, with a crash point before and after its commit."""
        with super().transaction() as tx:
            yield tx
            self._fuse.point(f"{self._name}, before a commit")
        self._fuse.point(f"{self._name}, after a commit")

    def mark(self) -> Callable[[], None]:
        """Give the way back to this moment."""
        held = self._state.copy()

        def back() -> None:
            self._state = held.copy()

        return back


class RewindableRam(MemoryInRam):
    """Keep devices in memory; it can be marked, put back, and crashes around its commits."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep the changes, with a crash point before and after."""
        self._fuse.point("the device, before a commit")
        super().commit(changes)
        self._fuse.point("the device, after a commit")

    def mark(self) -> Callable[[], None]:
        """Give the way back to this moment."""
        held = (self._states, self._records)  # a commit replaces both, it never changes them

        def back() -> None:
            self._states, self._records = held

        return back


class _Port:
    """Be the pipe to a device process; a crash ends the process, and the pipe with it."""

    def __init__(self, make: Callable[[], Device]) -> None:
        self._make = make
        self._device: Device | None = None

    def exchange(self, command: bytes) -> bytes:
        try:
            if self._device is None:
                self._device = self._make()
            return self._device.exchange(command)
        except CrashError as crash:
            self._device = None
            raise Refused("psd.unreachable", what="its process has ended") from crash

    def close(self) -> None:
        self._device = None


class Sandbox:
    """Hold a world with one licensee whose device is leased and funded. `around` wraps its transport."""

    def __init__(self, folder: Path, *, seed: int, around: Callable[[Transport], Transport]) -> None:
        World.create(folder, regime="imi-2024", seed=seed, start=START).close()
        self.fuse = Fuse()
        self._stores: dict[str, RewindableStore] = {}
        self._memories: dict[DeviceId, RewindableRam] = {}
        wiring = Wiring(store=self._store, transport=around, make_port=self._port)
        self.world = World.open(folder, wiring)
        self.journeys = Journeys(self.world, LICENSEE)
        self.journeys.apply(Applicant(), provider=PROVIDER)
        self.journeys.lease()
        self.journeys.deposit(Mills.dollars(1000))
        self.journeys.reset(Mills.dollars(100))
        self.device = self.journeys.device

    def store(self, party: str) -> RewindableStore:
        """Give a party's store."""
        return self._stores[party]

    def memory(self) -> RewindableRam:
        """Give the memory of the licensee's device."""
        return self._memories[self.device]

    def mark(self) -> Callable[[], None]:
        """Give the way back to this moment for every store; the devices are started again."""
        stores = [store.mark() for store in self._stores.values()]
        memories = [memory.mark() for memory in self._memories.values()]

        def back() -> None:
            for way in (*stores, *memories):
                way()
            self.world.shelf.close()

        return back

    def _store(self, inner: Store, party: str) -> Store:
        assert isinstance(inner, SqliteStore)
        inner.close()
        made = self._stores[party] = RewindableStore(self.fuse, party)
        _copy(inner.path, made)
        return made

    def _port(self, folder: Path) -> _Port:
        name, randomness = DeviceId.parse(folder.name), SeededRandomness(1, f"device {folder.name}")
        memory = self._memories.get(name)
        if memory is None:
            memory = self._memories[name] = RewindableRam(self.fuse)
            made = SqliteMemory(folder / STORE)
            memory.commit([Change(name, 0, 0, made.load([name])[name], tuple(made.records(name)))])
            made.close()
        secret, clock = (folder / SECRET).read_bytes(), self.world.clock
        return _Port(lambda: _started(memory, name, secret, randomness, clock))


def _started(memory: MemoryInRam, name: DeviceId, secret: bytes, randomness: SeededRandomness, clock: Clock) -> Device:
    return Device(memory, name, slots=SoftwareSlots(lambda: secret, randomness), clock=clock)


def _copy(path: Path, store: Store) -> None:
    """Copy what making the world has written."""
    connection = sqlite3.connect(path)

    def rows(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    with store.transaction() as tx:
        for kind, key, owner, version, body in rows("SELECT kind, key, owner, version, body FROM record"):
            for number in range(version):
                tx.put(kind, key, json.loads(body), owner=owner, expected=number)
        for (body,) in rows("SELECT body FROM fact ORDER BY number"):
            tx.append_fact(Fact.from_dict(json.loads(body)))
        for key, body in rows("SELECT key, body FROM entry ORDER BY number"):
            tx.append_entry(key, json.loads(body))
        for name, last in rows("SELECT name, last FROM number"):
            for _ in range(last):
                tx.next_number(name)
        for message, sender, counter, digest, expires, reply in rows("SELECT * FROM received"):
            tx.keep_received(
                Received(
                    message_id=message,
                    sender=sender,
                    counter=counter,
                    digest=digest,
                    expires=Instant(expires),
                    reply=reply,
                )
            )
    connection.close()
