"""Changes as columns for the statements of the PostgreSQL memory.

Here: which stored parts and digests a change has, and its records, packed column by column. Not here: packing
(`postgres_arrays`), statements (`postgres_sql`), connections (`postgres`).
Kept: a steady part goes to the database only where the row has another one: it was read or written here under the
expected counter and epoch, and the statement compares those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeGuard

from towncircle.psd import postgres_arrays as arrays
from towncircle.psd import postgres_sql as sql
from towncircle.psd.debits import Debit
from towncircle.psd.evidencing import EVIDENCE
from towncircle.psd.memory import Change, Record
from towncircle.psd.sight import Seen

Notes = dict[str, "Steady"]  # what the rows have, once the changes are committed


class Steady(NamedTuple):
    """Remember which steady part a row has under a counter and an epoch."""

    counter: int
    epoch: int
    state: Seen
    digest: bytes


def statement(
    changes: Sequence[Change | Debit], known: Mapping[str, Steady | None], notes: Notes
) -> tuple[str, tuple[object, ...]]:
    """Give the statement that moves devices, and its columns; `known` are the steady parts as the rows have them."""
    if _debits(changes):
        return sql.DEBITS, _columns(changes, known, notes)
    rows = Rows(changes, known, notes)
    counters, epochs = _expected(changes)
    return sql.MOVE, (rows.names, counters, epochs, *rows.states(), *rows.records(), len(changes))


def _debits(changes: Sequence[Change | Debit]) -> TypeGuard[Sequence[Debit]]:
    return all(type(change) is Debit for change in changes)


def _expected(changes: Sequence[Change | Debit]) -> tuple[bytes, bytes]:
    """Give the columns that the guard compares."""
    counters = [change.expected_counter for change in changes]
    return arrays.bigints(counters), arrays.bigints([change.epoch for change in changes])


def _part(held: Steady | None, expected_counter: int, epoch: int, state: Seen) -> tuple[bytes | None, bytes]:
    """Give the steady part that a row needs, None where it has that very one, and its digest."""
    if held is not None and held.counter == expected_counter and held.epoch == epoch:
        known = held.state
        if known is state or known.steady() == state.steady():
            return None, held.digest
    part = state.encode_steady()
    return part, hashlib.sha256(part).digest()


def _columns(debits: Sequence[Debit], known: Mapping[str, Steady | None], notes: Notes) -> tuple[object, ...]:
    """Give the columns of debits, which have one record each, of one piece, in the order of `sql.DEBITS`."""
    sha256 = hashlib.sha256
    parts: list[bytes | None] = []
    digests: list[bytes] = []
    epochs: list[int] = []
    for debit in debits:
        standing, name = debit.standing, debit.device
        state, after = standing.base, standing.epoch
        part, first = _part(known[name], debit.expected_counter, debit.epoch, state)
        parts.append(part)
        epochs.append(after)
        digests.append(sha256(first + debit.moving).digest())
        notes[name] = Steady(debit.counter, after, state, first)
    responses = [debit.response for debit in debits]
    count = len(debits)
    return (
        arrays.texts([debit.device for debit in debits]),
        *_expected(debits),
        arrays.byteas(parts) if any(parts) else _nulls(count),
        arrays.bigints([debit.counter for debit in debits]),
        arrays.bigints(epochs),
        arrays.byteas([debit.moving for debit in debits]),
        arrays.byteas(digests),
        arrays.texts([debit.request_id for debit in debits]),
        arrays.byteas([debit.command_digest for debit in debits]),
        arrays.bigints([debit.first_piece for debit in debits]),
        arrays.byteas(responses),
        arrays.byteas([sha256(response).digest() for response in responses]),
        *(EVIDENCE, count),
    )


@lru_cache(maxsize=512)
def _nulls(count: int) -> bytes:
    return arrays.byteas([None] * count)


class Rows:
    """Turn changes into columns; `notes` takes what the rows have once they are committed."""

    def __init__(self, changes: Sequence[Change | Debit], known: Mapping[str, Steady | None], notes: Notes) -> None:
        self._changes = changes
        self._steady: list[bytes | None] = []
        self._counters: list[int] = []
        self._epochs: list[int] = []
        self._moving: list[bytes] = []
        self._digests: list[bytes] = []
        for change in changes:
            state, name = change.state, change.device
            moving = state.encode_moving()
            part, first = _part(known[name], change.expected_counter, change.epoch, state)
            self._steady.append(part)
            self._counters.append(state.counter)
            self._epochs.append(state.epoch)
            self._moving.append(moving)
            self._digests.append(hashlib.sha256(first + moving).digest())
            notes[name] = Steady(state.counter, state.epoch, state, first)
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
