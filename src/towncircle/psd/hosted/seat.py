"""The seat of one device in a fleet: its memory between two commits of the store.

Here: `Seat`, which takes what a device commits and holds it until its host commits a whole group; the port of the
store below, and a reading of many devices of it. Not here: the group (`fleet`).
Kept: a seat compares counter and epoch as every memory does. It does not look for earlier records before it must: it
assumes that a request is new and notes that it did, and the host asks the store, or lets the unique name of a record
object, before anything is released.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from towncircle.kernel.errors import BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.psd.debits import Debit
from towncircle.psd.device import Device
from towncircle.psd.memory import Change, Memory, Record, RecordName
from towncircle.psd.sight import Seen
from towncircle.psd.state import DeviceState

S = TypeVar("S")


class FleetStore(Memory, Protocol):
    """Keep many devices, and commit and look up in groups."""

    def commit_each(self, changes: Sequence[Change]) -> Collection[DeviceId]:
        """Keep every change whose counter and epoch are the expected ones; give the devices whose were not."""
        ...

    def find(self, names: Collection[RecordName]) -> Mapping[RecordName, Record]:
        """Give the records of many requests at once."""
        ...


@runtime_checkable
class Sighted(Protocol):
    """Be a store that reads only what a debit needs."""

    def sights(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, Seen]:
        """Give of each device what a debit reads of it, or its whole state where that is not enough."""
        ...


def read_each(
    read: Callable[[Sequence[DeviceId]], Mapping[DeviceId, S]],
    names: Sequence[DeviceId],
    missing: dict[DeviceId, TowncircleError],
) -> Mapping[DeviceId, S]:
    """Read devices of a store; one whose row is damaged is missing, and holds nobody else up."""
    try:
        return read(names) if names else {}
    except BrokenInvariant:
        found: dict[DeviceId, S] = {}
        for name in names:
            try:
                found |= read([name])
            except BrokenInvariant as error:
                missing[name] = error
        return found


class Seat:
    """Be the memory of one device of a fleet."""

    __slots__ = ("_assumed", "_at", "_device", "_kept", "_known", "_rows", "_staged", "_store", "zeroised")

    def __init__(self, store: FleetStore, device: DeviceId, kept: DeviceState) -> None:
        self._store, self._device = store, device
        self._known: Mapping[RecordName, Record] | None = None
        self._rows: dict[RecordName, Record] = {}
        self._assumed: set[RecordName] = set()
        self._kept: DeviceState | None = kept  # None: debits have gone on from it, and the device knows it
        self._staged = kept
        self._at = (kept.counter, kept.epoch)
        self.zeroised = False

    @property
    def store(self) -> FleetStore:
        """Give the store below."""
        return self._store

    @property
    def at(self) -> tuple[int, int]:
        """Give counter and epoch as the store has them."""
        return self._at

    @property
    def staged(self) -> DeviceState:
        """Give the state as what came by way of this seat has made it."""
        return self._staged

    def kept(self, device: Device) -> DeviceState:
        """Give the state as the store has it; `device` is the one on this seat."""
        if self._kept is None:
            self._kept = self._staged = device.held
        return self._kept

    def begin(self, known: Mapping[RecordName, Record] | None) -> None:
        """Start a group; with `known`, nothing is assumed any more."""
        self._known = known

    def change(self) -> Change | None:
        """Give what the group has to keep for this device, as one change."""
        if self._staged is self._kept and not self._rows:
            return None
        return Change(self._device, *self._at, self._staged, tuple(self._rows.values()))

    def doubts(self, *, refused: bool) -> set[RecordName]:
        """Name the records that were assumed missing and that the commit itself will not prove missing."""
        return set(self._assumed) if refused else self._assumed - self._rows.keys()

    def names(self) -> set[RecordName]:
        """Name every record that was asked for or is to be written."""
        return self._assumed | self._rows.keys()

    def settled(self) -> None:
        """Take note that the group is kept."""
        self._kept, self._at = self._staged, (self._staged.counter, self._staged.epoch)
        self._rows, self._assumed, self._known = {}, set(), None

    def debited(self, kept: Debit) -> None:
        """Take note that a debit is kept, which did not come by way of this seat."""
        self._kept, self._at = None, (kept.counter, kept.standing.epoch)

    # the memory port

    def load(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, DeviceState]:
        """Give the state as the group has made it so far."""
        return {name: self._staged for name in ids if name == self._device}

    def commit(self, changes: Sequence[Change]) -> None:
        """Hold the change until the group is committed. Raises `Refused` (psd.store-stale)."""
        for device, expected_counter, epoch, state, records in changes:
            if (device, expected_counter, epoch) != (self._device, self._staged.counter, self._staged.epoch):
                raise Refused("psd.store-stale", device=device)
            self._staged = state
            for row in records:
                self._rows[RecordName(device, row.kind, row.request_id)] = row

    def record(self, device: DeviceId, *, kind: str, request_id: str) -> Record | None:
        """Give the record of a request, or None; an assumed None is noted."""
        name = RecordName(device, kind, request_id)
        held = self._rows.get(name)
        if held is not None:
            return held
        if self._known is None:
            self._assumed.add(name)
            return None
        return self._known.get(name) or self._store.record(device, kind=kind, request_id=request_id)

    def records(self, device: DeviceId) -> Iterable[Record]:
        """Give all records of the device that are kept, oldest first."""
        return self._store.records(device)

    def forget_keys(self) -> None:
        """Note that a key was destroyed: the store is cleaned after the commit."""
        self.zeroised = True

    def close(self) -> None:
        """Do nothing: the store is the host's."""
