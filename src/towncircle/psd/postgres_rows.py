"""Changes as columns for the statements of the PostgreSQL memory.

Here: which stored parts and digests a change has, and its records, packed column by column. Not here: packing
(`postgres_arrays`), statements (`postgres_sql`), connections (`postgres`).
Kept: a steady part goes to the database only where the row has another one: it was read or written here under the
expected counter and epoch, and the statement compares those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from operator import is_

from towncircle.psd import postgres_arrays as arrays
from towncircle.psd.debits import Debit
from towncircle.psd.evidencing import EVIDENCE
from towncircle.psd.memory import Change, Record
from towncircle.psd.recent import Recent
from towncircle.psd.state import DeviceState


class Steady:
    """Remember which steady part a row has under a counter and an epoch."""

    __slots__ = ("counter", "digest", "epoch", "state")

    def __init__(self, counter: int, epoch: int, state: DeviceState, digest: bytes) -> None:
        self.counter, self.epoch, self.state, self.digest = counter, epoch, state, digest

    def is_of(self, change: Change | Debit, state: DeviceState) -> bool:
        """Tell whether the row that a change expects has the steady part of a state, object by object."""
        if self.counter != change.expected_counter or self.epoch != change.epoch:
            return False
        return self.state is state or all(map(is_, self.state.steady(), state.steady()))


class Rows:
    """Turn changes into columns; `notes` takes what the rows have once they are committed."""

    def __init__(self, changes: Sequence[Change | Debit], known: Recent[str, Steady], notes: dict[str, Steady]) -> None:
        self._changes = changes
        self._steady: list[bytes | None] = []
        self._counters: list[int] = []
        self._epochs: list[int] = []
        self._moving: list[bytes] = []
        self._digests: list[bytes] = []
        for change in changes:
            if type(change) is Debit:
                state, counter, epoch, moving = (
                    change.standing.base,
                    change.counter,
                    change.standing.epoch,
                    change.moving,
                )
            else:
                state = change.state
                counter, epoch, moving = state.counter, state.epoch, state.encode_moving()
            name = change.device
            held = known.get(name)
            if held is not None and held.is_of(change, state):
                part, first = None, held.digest
            else:
                part = state.encode_steady()
                first = hashlib.sha256(part).digest()
            self._steady.append(part)
            self._counters.append(counter)
            self._epochs.append(epoch)
            self._moving.append(moving)
            self._digests.append(hashlib.sha256(first + moving).digest())
            notes[name] = Steady(counter, epoch, state, first)
        self.names = arrays.texts([change.device for change in changes])

    def states(self) -> tuple[bytes, ...]:
        """Give the columns of the states: steady part (null: as it is), counter, epoch, moving part, digest."""
        return (
            arrays.byteas(self._steady),
            arrays.bigints(self._counters),
            arrays.bigints(self._epochs),
            arrays.byteas(self._moving),
            arrays.byteas(self._digests),
        )

    def records(self) -> tuple[bytes, ...]:
        """Give the columns of one INSERT of all records."""
        if all(type(change) is Debit for change in self._changes):
            return self._records_of_debits()
        rows = [(change, place, row) for change in self._changes for place, row in enumerate(change.records)]
        kept: list[Record] = [row for _, _, row in rows]
        return (
            arrays.texts(change.device for change, _, _ in rows),
            arrays.texts(row.kind for row in kept),
            arrays.texts(row.request_id for row in kept),
            arrays.bigints([change.state.counter for change, _, _ in rows]),
            arrays.integers([place for _, place, _ in rows]),
            arrays.byteas([row.command_digest for row in kept]),
            arrays.bigints([row.first_piece for row in kept]),
            arrays.integers([row.count for row in kept]),
            arrays.byteas([row.response for row in kept]),
            arrays.byteas([hashlib.sha256(row.response).digest() for row in kept]),
        )

    def _records_of_debits(self) -> tuple[bytes, ...]:
        """Give the same of debits, which have one record each, of one piece."""
        debits: Sequence[Debit] = self._changes  # type: ignore[assignment]  # the caller has looked
        kinds, places, counts = _same(len(debits))
        return (
            self.names,
            kinds,
            arrays.texts([debit.request_id for debit in debits]),
            arrays.bigints(self._counters),
            places,
            arrays.byteas([debit.command_digest for debit in debits]),
            arrays.bigints([debit.first_piece for debit in debits]),
            counts,
            arrays.byteas([debit.response for debit in debits]),
            arrays.byteas([hashlib.sha256(debit.response).digest() for debit in debits]),
        )


@lru_cache(maxsize=512)
def _same(count: int) -> tuple[bytes, bytes, bytes]:
    """Give the columns that are the same for every group of so many debits: kind, place, count of pieces."""
    return arrays.texts([EVIDENCE] * count), arrays.integers([0] * count), arrays.integers([1] * count)
