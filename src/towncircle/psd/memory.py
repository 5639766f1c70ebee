"""The memory port of the device, and the memory in RAM.

Here: what a memory keeps (one state a device, and records of what was released), the port, and the adapter for tests
and rehearsals. Not here: SQLite (`sqlite`), PostgreSQL (`postgres`), and the law of the registers, of which no store
holds a second copy.
Kept: one commit holds the new state and every record of it; the only guard is compare-and-swap on counter and epoch
(house.md 9).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd.state import DeviceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Hold what one request released, so that asking again gives the same bytes.

    `kind` and `request_id` name it, `command_digest` tells a repeated request from another one under the same id.
    `response` holds the signed contents, the signatures and the answer once, exactly as they left the device;
    `first_piece` and `count` say which pieces it evidences (0 and 0: none).
    """

    kind: str
    request_id: str
    command_digest: bytes
    response: bytes
    first_piece: int = 0
    count: int = 0


class Change(NamedTuple):
    """Hold one device's part of a commit. A device that is new has `expected_counter` 0 and `epoch` 0."""

    device: DeviceId
    expected_counter: int
    epoch: int
    state: DeviceState
    records: tuple[Record, ...]


class RecordName(NamedTuple):
    """Name one record of one device."""

    device: DeviceId
    kind: str
    request_id: str


class Memory(Protocol):
    """Keep states and records durably."""

    def load(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, DeviceState]:
        """Give the states of the devices that are kept. Raises `BrokenInvariant` (psd.store-damaged)."""
        ...

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep all changes or none; when this returns they survive a power cut.

        Raises `Refused` (psd.store-stale) when a counter or an epoch is not the expected one, (psd.store-failed)
        when the store could not write.
        """
        ...

    def record(self, device: DeviceId, *, kind: str, request_id: str) -> Record | None:
        """Give the record of a request, or None. Raises `BrokenInvariant` (psd.store-damaged)."""
        ...

    def records(self, device: DeviceId) -> Iterable[Record]:
        """Give all records of a device, oldest first."""
        ...

    def forget_keys(self) -> None:
        """Leave no older copy of a state behind (after zeroisation)."""
        ...

    def close(self) -> None:
        """Let go of the store."""
        ...


class MemoryInRam:
    """Keep devices in RAM, as encoded bytes, so that it forgets and refuses exactly what a disk would."""

    def __init__(self) -> None:
        self._states: dict[DeviceId, tuple[int, int, bytes]] = {}
        self._records: dict[tuple[DeviceId, str, str], Record] = {}  # by record name
        self._one_at_a_time = threading.RLock()

    def load(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, DeviceState]:
        """Give the states of the devices that are kept."""
        return {name: DeviceState.decode(self._states[name][2]) for name in ids if name in self._states}

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep all changes or none. Raises `Refused` (psd.store-stale)."""
        with self._one_at_a_time:
            self._commit(changes)

    def _commit(self, changes: Sequence[Change]) -> None:
        states, records = dict(self._states), dict(self._records)
        for device, expected_counter, epoch, state, rows in changes:
            if states.get(device, (0, 0, b""))[:2] != (expected_counter, epoch):
                raise Refused("psd.store-stale", device=device)
            states[device] = (state.counter, state.epoch, state.encode())
            for row in rows:
                if (device, row.kind, row.request_id) in records:
                    raise BrokenInvariant("psd.record-doubled", device=device, request=row.request_id)
                records[device, row.kind, row.request_id] = row
        self._states, self._records = states, records

    def commit_each(self, changes: Sequence[Change]) -> Collection[DeviceId]:
        """Keep every change whose counter and epoch are the expected ones; give the devices whose were not."""
        with self._one_at_a_time:
            held = {change.device: self._states.get(change.device, (0, 0, b""))[:2] for change in changes}
            lost = {row.device for row in changes if held[row.device] != (row.expected_counter, row.epoch)}
            self._commit([change for change in changes if change.device not in lost])
        return lost

    def find(self, names: Collection[RecordName]) -> Mapping[RecordName, Record]:
        """Give the records of many requests at once."""
        return {name: self._records[name] for name in names if name in self._records}

    def record(self, device: DeviceId, *, kind: str, request_id: str) -> Record | None:
        """Give the record of a request, or None."""
        return self._records.get((device, kind, request_id))

    def records(self, device: DeviceId) -> Iterable[Record]:
        """Give all records of a device, oldest first."""
        return [row for (owner, _, _), row in self._records.items() if owner == device]

    def forget_keys(self) -> None:
        """Do nothing: RAM keeps no older copy."""

    def close(self) -> None:
        """Do nothing: RAM holds no file."""
