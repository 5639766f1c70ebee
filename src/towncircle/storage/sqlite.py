"""The SQLite store of a party.

Here: the adapter of `kernel.store.Store` over one file, its migrations and its durability check. Not here: the memory
of a device (`psd`), and PostgreSQL.
Kept: WAL, `synchronous=FULL`, `BEGIN IMMEDIATE`; the effective settings are read back and a store that did not get
them refuses to run (house.md 8). Facts and entries are only ever appended.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.facts import Fact, chained
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import NEAR, WAITING, MarkKind, Received, Record, Register, Transaction

BUSY_MS = 20_000
CHECKED_BYTES = 64 * 1024 * 1024  # a store up to this size is checked whole when it is opened
_WANTED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


# The kind stands in the text, as it does in the index: only so does SQLite use one that is of some kinds alone.
_NEAR = {
    (kind, register): (
        f"SELECT key, version, body FROM record INDEXED BY record_{register} WHERE kind='{kind}' AND owner=?"  # noqa: S608  # fixed words
        f" AND json_extract(body,'$.{register}'){{sign}}? ORDER BY json_extract(body,'$.{register}') {{order}} LIMIT ?"
    )
    for kind in get_args(MarkKind)
    for register in get_args(Register)
}

_OUTBOX = f"record INDEXED BY record_waiting WHERE kind='outgoing' AND owner='{WAITING}'"
_AUDIENCE, _ORDER = "json_extract(body,'$.audience')", "json_extract(body,'$.order')"
# From one audience to the next: what waits is never read through, however much it is.
_AFTER = f"SELECT {_AUDIENCE} FROM {_OUTBOX} AND {_AUDIENCE}>{{}} ORDER BY {_AUDIENCE} LIMIT 1"  # noqa: S608  # fixed words
_NAMES = "found(name) AS (SELECT ({}) UNION ALL SELECT ({}) FROM found WHERE name IS NOT NULL)"
_ALL = _NAMES.format(_AFTER.format("''"), _AFTER.format("found.name"))
_AUDIENCES = f"WITH RECURSIVE {_ALL} SELECT name FROM found WHERE name IS NOT NULL"  # noqa: S608  # fixed words
_NEXT = f"SELECT key, version, body FROM {_OUTBOX} AND {_AUDIENCE}=? AND {_ORDER}>? ORDER BY {_ORDER} LIMIT 1"  # noqa: S608  # fixed words


def _migrations() -> list[str]:
    folder = resources.files("towncircle.storage") / "migrations"
    return [item.read_text() for item in sorted(folder.iterdir(), key=lambda item: item.name)]


class SqliteStore:
    """Keep one party's store in a SQLite file. Raises `Refused` (storage.busy, ...), `BrokenInvariant`."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not create and not path.exists():
            raise BadInput("storage.missing", path=path)
        if not create and not path.stat().st_size:  # else it would be taken for a new one
            raise BrokenInvariant("storage.damaged", path=path, what="it is empty")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._reading, self._depth = threading.RLock(), 0
        self._writing, self._writer = threading.Lock(), 0
        with self._translated():
            # one connection, used under BEGIN IMMEDIATE; an HTTP server may call from another thread than the opener
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            for name, value in _WANTED.items():
                self._connection.execute(f"PRAGMA {name}={value}")
                (found,) = self._connection.execute(f"PRAGMA {name}").fetchone()
                if found != value:
                    raise Refused("storage.not-durable", path=path, pragma=name, found=found)
            self._migrate(new=create)
            self._reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._reader.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            self._reader.execute("PRAGMA query_only=1")
        self._journal = _Journal()

    def _migrate(self, *, new: bool) -> None:
        scripts = _migrations()
        (at,) = self._connection.execute("PRAGMA user_version").fetchone()
        if at == 0 and not new:
            raise BrokenInvariant("storage.damaged", path=self.path, what="it is empty")
        if self.path.stat().st_size <= CHECKED_BYTES:
            (verdict,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise BrokenInvariant("storage.damaged", path=self.path, what=" ".join(verdict.split()))
        if at > len(scripts):
            raise Refused("storage.too-new", path=self.path, found=at, known=len(scripts))
        for number, script in enumerate(scripts[at:], start=at + 1):
            self._connection.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version={number};COMMIT;")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise Refused("storage.busy", path=self.path) from error
            raise BrokenInvariant("storage.damaged", path=self.path, what=str(error)) from error

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction; it commits when the block ends well and is rolled back otherwise.

        Threads of this process wait for each other here, processes in SQLite. Raises `BrokenInvariant`
        (storage.nested) where a thread opens a second one inside its first.
        """
        if self._writer == threading.get_ident():
            raise BrokenInvariant("storage.nested", path=self.path)
        with self._writing, self._translated():
            self._writer = threading.get_ident()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield _Sql(self._connection, self._journal)
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            finally:
                self._writer = 0

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a view of what is committed, to read only; it may be open beside a transaction, and inside another."""
        with self._reading, self._translated():
            self._depth += 1
            try:
                if self._depth == 1:
                    self._reader.execute("BEGIN")
                yield _Sql(self._reader, self._journal, reads=True)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._reader.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._connection.close()


def _json(body: Mapping[str, Any]) -> str:
    return json.dumps(dict(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class _Journal:
    """Remember the facts that were read from the file, so that each is parsed once: facts are only ever appended.

    Only the reader adds to it, so that what a transaction appended and did not commit is never in it; and what one view
    of the reader saw, each later view and each transaction sees too.
    """

    def __init__(self) -> None:
        self._known: tuple[int, list[Fact]] = (0, [])

    def facts(self, db: sqlite3.Connection, *, keep: bool) -> list[Fact]:
        """Give all facts of a view, oldest first."""
        last, known = self._known
        rows = db.execute("SELECT number, body FROM fact WHERE number>? ORDER BY number", (last,)).fetchall()
        facts = known + [Fact.from_dict(json.loads(body)) for _, body in rows]
        if keep and rows:
            self._known = (rows[-1][0], list(facts))
        return facts


class _Sql:
    def __init__(self, connection: sqlite3.Connection, journal: _Journal, *, reads: bool = False) -> None:
        self._db, self._journal, self._reads = connection, journal, reads

    def get(self, kind: str, key: str) -> Record | None:
        row = self._db.execute("SELECT owner, version, body FROM record WHERE kind=? AND key=?", (kind, key)).fetchone()
        return row and Record(kind=kind, key=key, owner=row[0], version=row[1], body=json.loads(row[2]))

    def find(self, kind: str, *, owner: str | None = None, states: Sequence[str] = ()) -> list[Record]:
        query, values = "SELECT key, owner, version, body FROM record WHERE kind=?", [kind]
        if owner is not None:
            query, values = f"{query} AND owner=?", [kind, owner]
        if states:
            query = f"{query} AND json_extract(body,'$.state') IN ({','.join('?' * len(states))})"
            values += states
        return [
            Record(kind=kind, key=key, owner=held, version=version, body=json.loads(body))
            for key, held, version, body in self._db.execute(f"{query} ORDER BY key", values)
        ]

    def near(self, kind: MarkKind, *, owner: str, register: Register, value: int) -> list[Record]:
        found: list[Record] = []
        for sign, order, most in (("<", "DESC", 1), ("=", "ASC", NEAR), (">", "ASC", 1)):
            query = _NEAR[kind, register].format(sign=sign, order=order)
            found += [
                Record(kind=kind, key=key, owner=owner, version=version, body=json.loads(body))
                for key, version, body in self._db.execute(query, (owner, value, most))
            ]
        return found

    def audiences(self) -> list[str]:
        return [name for (name,) in self._db.execute(_AUDIENCES)]

    def waiting(self, audience: str, *, after: int = 0) -> Record | None:
        row = self._db.execute(_NEXT, (audience, after)).fetchone()
        return row and Record(kind="outgoing", key=row[0], owner=WAITING, version=row[1], body=json.loads(row[2]))

    def put(self, kind: str, key: str, body: Mapping[str, Any], *, owner: str, expected: int) -> Record:
        text = _json(body)
        if expected == 0:
            query = "INSERT INTO record VALUES (?,?,?,1,?) ON CONFLICT DO NOTHING"
            done = self._db.execute(query, (kind, key, owner, text))
        else:
            query = "UPDATE record SET owner=?, version=version+1, body=? WHERE kind=? AND key=? AND version=?"
            done = self._db.execute(query, (owner, text, kind, key, expected))
        if done.rowcount != 1:
            raise Refused("store.stale", kind=kind, key=key)
        return Record(kind=kind, key=key, owner=owner, version=expected + 1, body=json.loads(text))

    def append_fact(self, fact: Fact) -> Fact:
        row = self._db.execute("SELECT body FROM fact ORDER BY number DESC LIMIT 1").fetchone()
        kept = chained(fact, Fact.from_dict(json.loads(row[0])) if row else None)
        self._db.execute("INSERT INTO fact (id, body) VALUES (?,?)", (kept.id, _json(kept.as_dict())))
        return kept

    def facts(self) -> list[Fact]:
        return self._journal.facts(self._db, keep=self._reads)

    def append_entry(self, key: str, body: Mapping[str, Any]) -> None:
        done = self._db.execute("INSERT INTO entry (key, body) VALUES (?,?) ON CONFLICT DO NOTHING", (key, _json(body)))
        if done.rowcount != 1:
            raise Refused("store.stale", kind="entry", key=key)

    def entries(self, *, after: int = 0) -> list[dict[str, Any]]:
        rows = self._db.execute("SELECT body FROM entry WHERE number>? ORDER BY number", (after,))
        return [json.loads(body) for (body,) in rows]

    def received(self, message_id: str) -> Received | None:
        return self._received("message_id=?", (message_id,))

    def received_counter(self, sender: str, counter: int) -> Received | None:
        return self._received("sender=? AND counter=?", (sender, counter))

    def _received(self, condition: str, values: tuple[object, ...]) -> Received | None:
        query = f"SELECT message_id, sender, counter, digest, expires, reply FROM received WHERE {condition}"  # noqa: S608  # two fixed conditions
        row = self._db.execute(query, values).fetchone()
        if row is None:
            return None
        message_id, sender, counter, digest, expires, reply = row
        return Received(
            message_id=message_id, sender=sender, counter=counter, digest=digest, expires=Instant(expires), reply=reply
        )

    def keep_received(self, received: Received) -> None:
        done = self._db.execute(
            "INSERT INTO received VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING",
            (
                received.message_id,
                received.sender,
                received.counter,
                received.digest,
                int(received.expires),
                received.reply,
            ),
        )
        if done.rowcount != 1:
            raise Refused("store.stale", kind="message", key=received.message_id)

    def next_number(self, name: str) -> int:
        query = "INSERT INTO number VALUES (?,1) ON CONFLICT (name) DO UPDATE SET last=last+1 RETURNING last"
        (last,) = self._db.execute(query, (name,)).fetchone()
        return int(last)
