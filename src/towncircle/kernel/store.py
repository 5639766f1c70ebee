"""The store port of a party, and the store in memory.

Here: records, facts, ledger entries, inbox and outbox behind one transaction. Not here: SQL (`storage/`).
Kept: one command, one transaction, one audit record; a retried command gets the first answer (style.md).
A record is a JSON body with a version; writing names the version that was read, so a lost update is refused.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from towncircle.kernel.errors import Refused
from towncircle.kernel.facts import Fact, chained
from towncircle.kernel.instants import Instant

NEAR = 4  # records of one value that are given
WAITING = "waiting"  # the owner of a message of the outbox that is still to be sent
MarkKind: TypeAlias = Literal["scanned", "repaid"]
Register: TypeAlias = Literal["ascending", "pieces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Hold one stored record: its kind, key, owner (a licensee, provider or device id), version and JSON body."""

    kind: str
    key: str
    owner: str
    version: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Hold what is kept of a received message, so that a retry gets the first answer and a replay is known."""

    message_id: str
    sender: str
    counter: int
    digest: bytes
    expires: Instant
    reply: bytes


class Transaction(Protocol):
    """Read and write inside one transaction; nothing is kept unless the block ends without an exception."""

    def get(self, kind: str, key: str) -> Record | None:
        """Give the record, or None."""
        ...

    def find(self, kind: str, *, owner: str | None = None, states: Sequence[str] = ()) -> list[Record]:
        """Give the records of a kind (of one owner; in one of the states named), ordered by key."""
        ...

    def near(self, kind: MarkKind, *, owner: str, register: Register, value: int) -> list[Record]:
        """Give an owner's records around a value of a register: up to four of that value, one below, one above."""
        ...

    def audiences(self) -> list[str]:
        """Name those to whom messages of the outbox wait to be sent."""
        ...

    def waiting(self, audience: str, *, after: int = 0) -> Record | None:
        """Give the first message that waits to be sent to one of them, of those behind a place in the order."""
        ...

    def put(self, kind: str, key: str, body: Mapping[str, Any], *, owner: str, expected: int) -> Record:
        """Write a record whose version was `expected` (0: it is new). Raises `Refused` (store.stale)."""
        ...

    def append_fact(self, fact: Fact) -> Fact:
        """Append a fact, chained to the last one; give it as kept."""
        ...

    def facts(self) -> list[Fact]:
        """Give all facts, oldest first."""
        ...

    def append_entry(self, key: str, body: Mapping[str, Any]) -> None:
        """Append a ledger entry; it is never changed afterwards."""
        ...

    def entries(self, *, after: int = 0) -> list[dict[str, Any]]:
        """Give all ledger entries, oldest first, or those after the first so many."""
        ...

    def received(self, message_id: str) -> Received | None:
        """Give what is kept of a received message, or None."""
        ...

    def received_counter(self, sender: str, counter: int) -> Received | None:
        """Give the message of a sender that used a counter value, or None."""
        ...

    def keep_received(self, received: Received) -> None:
        """Keep a received message and its reply."""
        ...

    def next_number(self, name: str) -> int:
        """Count a named sequence up by one, starting from 1."""
        ...


class Store(Protocol):
    """Open transactions on one party's store."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a transaction; it commits when the block ends well and leaves no trace otherwise."""
        ...

    def reading(self) -> AbstractContextManager[Transaction]:
        """Open a view of what is committed, to read only; it may be open beside a transaction."""
        ...


class MemoryStore:
    """Keep one party's store in memory, for tests and rehearsals."""

    def __init__(self) -> None:
        self._state = _State()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction on a copy that replaces the state only when the block ends well."""
        draft = self._state.copy()
        yield draft
        self._state = draft

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a view to read only: a copy that is thrown away."""
        yield self._state.copy()


class _State:
    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Record] = {}
        self.journal: list[Fact] = []
        self.ledger: list[tuple[str, dict[str, Any]]] = []
        self.inbox: dict[str, Received] = {}
        self.numbers: dict[str, int] = {}

    def copy(self) -> _State:
        draft = copy.copy(self)
        draft.records, draft.numbers, draft.inbox = dict(self.records), dict(self.numbers), dict(self.inbox)
        draft.journal, draft.ledger = list(self.journal), list(self.ledger)
        return draft

    def get(self, kind: str, key: str) -> Record | None:
        return self.records.get((kind, key))

    def find(self, kind: str, *, owner: str | None = None, states: Sequence[str] = ()) -> list[Record]:
        rows = (row for row in self.records.values() if row.kind == kind and owner in (None, row.owner))
        chosen = (row for row in rows if not states or row.body.get("state") in states)
        return sorted(chosen, key=lambda row: row.key)

    def near(self, kind: MarkKind, *, owner: str, register: Register, value: int) -> list[Record]:
        rows = [row for row in self.find(kind, owner=owner) if row.body.get(register) is not None]
        rows.sort(key=lambda row: (row.body[register], row.key))
        below = [row for row in rows if row.body[register] < value][-1:]
        above = [row for row in rows if row.body[register] > value][:1]
        return [*below, *[row for row in rows if row.body[register] == value][:NEAR], *above]

    def audiences(self) -> list[str]:
        return sorted({str(row.body["audience"]) for row in self.find("outgoing", owner=WAITING)})

    def waiting(self, audience: str, *, after: int = 0) -> Record | None:
        rows = [row for row in self.find("outgoing", owner=WAITING) if row.body["audience"] == audience]
        rows = [row for row in rows if int(row.body["order"]) > after]
        return min(rows, key=lambda row: int(row.body["order"]), default=None)

    def put(self, kind: str, key: str, body: Mapping[str, Any], *, owner: str, expected: int) -> Record:
        held = self.records.get((kind, key))
        if (held.version if held else 0) != expected:
            raise Refused("store.stale", kind=kind, key=key)
        row = Record(kind=kind, key=key, owner=owner, version=expected + 1, body=copy.deepcopy(dict(body)))
        self.records[kind, key] = row
        return row

    def append_fact(self, fact: Fact) -> Fact:
        kept = chained(fact, self.journal[-1] if self.journal else None)
        self.journal.append(kept)
        return kept

    def facts(self) -> list[Fact]:
        return list(self.journal)

    def append_entry(self, key: str, body: Mapping[str, Any]) -> None:
        if any(key == held for held, _ in self.ledger):
            raise Refused("store.stale", kind="entry", key=key)
        self.ledger.append((key, copy.deepcopy(dict(body))))

    def entries(self, *, after: int = 0) -> list[dict[str, Any]]:
        return [copy.deepcopy(body) for _, body in self.ledger[after:]]

    def received(self, message_id: str) -> Received | None:
        return self.inbox.get(message_id)

    def received_counter(self, sender: str, counter: int) -> Received | None:
        return next((r for r in self.inbox.values() if (r.sender, r.counter) == (sender, counter)), None)

    def keep_received(self, received: Received) -> None:
        if received.message_id in self.inbox:
            raise Refused("store.stale", kind="message", key=received.message_id)
        self.inbox[received.message_id] = received

    def next_number(self, name: str) -> int:
        self.numbers[name] = self.numbers.get(name, 0) + 1
        return self.numbers[name]
