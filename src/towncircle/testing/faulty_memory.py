"""A device memory that fails at a chosen write.

Here: `FaultyMemory`, for sweeps over every write index. Not here: a disk that forgets what was not synced.
Kept: `before` fails as a disk does that refuses a write (nothing is kept), `after` as a machine does that dies between
the write and the answer (everything is kept, nobody is told).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd.memory import Change, Memory, Record
from towncircle.psd.state import DeviceState


def _refuse() -> None:
    raise Refused("psd.store-failed", path="the faulty memory", what="a rehearsed fault")


class FaultyMemory:
    """Wrap a memory and fail once, at the `fail_at`-th write (counted from 1), before or after it is kept.

    `fault` is what happens then: it raises `Refused` (psd.store-failed), unless another one is given. `writes` counts.
    """

    def __init__(
        self,
        inner: Memory,
        *,
        fail_at: int,
        how: Literal["before", "after"],
        fault: Callable[[], None] = _refuse,
    ) -> None:
        self._inner, self._fail_at, self._how, self._fault = inner, fail_at, how, fault
        self.writes = 0

    def load(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, DeviceState]:
        """Give the states of the devices that are kept."""
        return self._inner.load(ids)

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep the changes, and fail at the chosen write."""
        self.writes += 1
        if self.writes == self._fail_at and self._how == "before":
            self._fault()
        self._inner.commit(changes)
        if self.writes == self._fail_at and self._how == "after":
            self._fault()

    def record(self, device: DeviceId, *, kind: str, request_id: str) -> Record | None:
        """Give the record of a request, or None."""
        return self._inner.record(device, kind=kind, request_id=request_id)

    def records(self, device: DeviceId) -> Iterable[Record]:
        """Give all records of a device, oldest first."""
        return self._inner.records(device)

    def forget_keys(self) -> None:
        """Leave no older copy of a state behind."""
        self._inner.forget_keys()

    def close(self) -> None:
        """Let go of the store."""
        self._inner.close()
