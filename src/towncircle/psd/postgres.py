"""The memory of many devices in one PostgreSQL database.

Here: the adapter of `psd.memory.Memory` with psycopg and raw SQL, its numbered migrations, its durability check, and
`commit_each` for groups of devices that do not depend on each other. Not here: any rule about registers; the one guard
in SQL is compare-and-swap on counter and epoch. Queues, caches and epochs of a host are in `hosted`.
Kept: a commit of any number of devices is one statement over `unnest`, under READ COMMITTED with the guard in its
WHERE, so two hosts never both win; `fsync`, `full_page_writes` and `synchronous_commit` are read back and a server that
does not promise durability is refused (house.md 8). A commit whose wait for the standby was cut short is not a commit.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd import postgres_arrays as arrays
from towncircle.psd import postgres_sql as sql
from towncircle.psd.memory import Change, Record, RecordName
from towncircle.psd.postgres_rows import Rows, Steady, statement
from towncircle.psd.recent import Recent
from towncircle.psd.sight import Seen, sight_of
from towncircle.psd.state import DeviceState

if TYPE_CHECKING:
    import psycopg

_PLACE = "PostgreSQL"
_UNREADABLE = "its connection string cannot be read: give key=value pairs, or postgresql://user@host/database"
_WANTED = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
    "transaction_isolation": ("read committed",),
}
_SESSION = "-c synchronous_commit=on -c default_transaction_isolation=read\\ committed -c jit=off -c timezone=UTC"
_SERVED = 7467324  # the advisory lock that every session of a host shares
_FIRST = "UPDATE fleet_store SET sealed = %s WHERE sealed IS NULL AND (%s OR NOT EXISTS (SELECT FROM device))"
_SECRET = b"towncircle secret of a fleet 1\n"  # what its mark is made of, with the store's name
_AT_HAND = 4096  # steady parts that are remembered
_DEADLOCKS = 3  # two hosts on the same devices may lock each other out; the statement is then tried again


class PostgresMemory:
    """Keep devices in a PostgreSQL database that several hosts may share.

    `dsn` is a libpq connection string; `create` makes the tables where there are none, in `partitions` parts by device
    id (0: plain tables). With `alone` no other may have the database meanwhile; with `standby` every session asks that
    commits wait for a standby; with `secret`, that the fleet was sealed under it last, and from the first host on.
    With `aside` the errors of the database, which name its server, its user and itself, go there; what is raised says
    their kind only, since every caller of a host hears it.
    Raises `BadInput` (psd.store-missing), `Refused` (psd.library-missing, psd.store-failed, psd.store-not-durable,
    psd.store-too-new, psd.fleet-served, psd.fleet-resealed) when it opens.
    """

    def __init__(
        self,
        dsn: str,
        *,
        create: bool = False,
        partitions: int = 0,
        alone: bool = False,
        standby: bool = False,
        secret: bytes = b"",
        aside: Callable[[str], None] | None = None,
    ) -> None:
        self._library, self._aside, self.path = sql.library(), aside, _PLACE
        self._steady: Recent[str, Steady] = Recent(_AT_HAND)
        self._alone, self._needs_standby, self._own = alone, standby, b""
        self._dsn, self._idle, self._lock = dsn, [], threading.Lock()  # type: tuple[str, list[Any], Any]
        try:
            info = self._library.conninfo.conninfo_to_dict(dsn)
        except self._library.Error:  # its words quote the string, and the password in it
            raise Refused("psd.store-failed", path=self.path, what=_UNREADABLE) from None
        self._place = f"PostgreSQL {info.get('dbname', '')} at {info.get('host', 'localhost')}"  # never the password
        self.path = self._place if aside is None else _PLACE
        try:
            with self._session() as connection:
                self._migrate(connection, create=create, partitions=partitions)
            if secret:
                self.own(secret)
        except BaseException:
            self.close()
            raise

    def _migrate(self, connection: psycopg.Connection[Any], *, create: bool, partitions: int) -> None:
        scripts = sql.migrations()
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(7467323)")  # two hosts may start at once
            row = connection.execute("SELECT to_regclass('fleet_store') IS NOT NULL").fetchone()
            assert row is not None
            if not row[0]:
                if not create:
                    raise BadInput("psd.store-missing", path=self.path)
                connection.execute("CREATE TABLE fleet_store (format integer NOT NULL, partitions integer NOT NULL)")
                connection.execute("INSERT INTO fleet_store VALUES (0, %s)", (partitions,))
            found = connection.execute("SELECT format, partitions FROM fleet_store FOR UPDATE").fetchone()
            assert found is not None
            at, parts = found
            if partitions not in (0, parts):
                raise Refused("psd.store-parted", path=self.path, asked=partitions, found=parts or "no")
            if at > len(scripts):
                raise Refused("psd.store-too-new", path=self.path, found=at, known=len(scripts))
            for script in scripts[at:]:
                connection.execute(sql.filled(script, parts).encode())
            for table in [f"device_{part}" for part in range(parts)] or ["device"]:
                connection.execute(f"ALTER TABLE {table} SET (fillfactor = 70)".encode())  # room for the next version
            connection.execute("UPDATE fleet_store SET format = %s", (len(scripts),))

    # connections

    def _connect(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = self._library.connect(self._dsn, autocommit=True, options=_SESSION)
        arrays.register(connection)
        try:
            for name, wanted in _WANTED.items():
                row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
                assert row is not None
                if row[0] not in wanted:
                    raise Refused("psd.store-not-durable", path=self.path, pragma=name, found=row[0])
            if self._needs_standby and not _standbys(connection):
                raise Refused("psd.no-standby", path=self.path)
            lock = "pg_try_advisory_lock" if self._alone else "pg_try_advisory_lock_shared"
            row = connection.execute(f"SELECT {lock}({_SERVED})").fetchone()
            if not (row and row[0]):
                raise Refused("psd.fleet-served" if self._alone else "psd.fleet-resealed", path=self.path)
            self._refuse_other(connection)  # its file may be another one since this host read it
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _session(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection to one caller; one that failed is not used again."""
        with self._translated():
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None or connection.closed:
                connection = self._connect()
            try:
                yield connection
            except self._library.OperationalError:
                connection.close()
                raise
            finally:
                if connection.info.transaction_status == self._library.pq.TransactionStatus.IDLE:
                    with self._lock:
                        self._idle.append(connection)
                else:  # broken, or left by an interrupt in the middle of a statement
                    connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        errors = self._library.errors
        try:
            yield
        except (errors.DataCorrupted, errors.IndexCorrupted) as error:
            raise BrokenInvariant("psd.store-damaged", path=self.path, what=self._worded(error)) from error
        except self._library.Error as error:
            raise Refused("psd.store-failed", path=self.path, what=self._worded(error)) from error

    def _worded(self, error: Exception) -> str:
        first = str(error).split("\n", 1)[0]
        if self._aside is None:
            return first
        self._aside(f"{self._place}: {first}")
        return f"its database says {type(error).__name__}"

    # reading

    def load(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, DeviceState]:
        """Give the states of the devices that are kept. Raises `BrokenInvariant` (psd.store-damaged)."""
        return {name: seen.whole() for name, seen in self._seen(ids, sights=False).items()}

    def sights(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, Seen]:
        """Give of each device what a debit reads of it, or its whole state where that is not enough.

        Raises `BrokenInvariant` (psd.store-damaged).
        """
        return self._seen(ids, sights=True)

    def _seen(self, ids: Iterable[DeviceId], *, sights: bool) -> Mapping[DeviceId, Seen]:
        names, sha256 = [str(name) for name in ids], hashlib.sha256
        with self._session() as connection:
            rows = connection.execute(sql.LOAD, (arrays.texts(names),), binary=True).fetchall()
        found: dict[DeviceId, Seen] = {}
        notes: dict[str, Steady] = {}
        for name, steady, counter, epoch, moving, digest in rows:
            first = sha256(steady).digest()
            if sha256(first + moving).digest() != digest:
                self._damaged(f"the state of {name} is not the one that was written")
            seen: Seen | None = sight_of(steady, moving) if sights else None
            as_cut = True
            if seen is None:
                seen, as_cut = DeviceState.join(steady, moving)
            if seen.device != name:
                self._damaged(f"the state of {name} is another device's")
            found[seen.device] = seen
            if as_cut:
                notes[name] = Steady(counter, epoch, seen, first)
            else:
                self._steady.drop(name)
        self._steady.put_all(notes)
        return found

    def record(self, device: DeviceId, *, kind: str, request_id: str) -> Record | None:
        """Give the record of a request, or None. Raises `BrokenInvariant` (psd.store-damaged)."""
        name = RecordName(device, kind, request_id)
        return self.find([name]).get(name)

    def find(self, names: Collection[RecordName]) -> Mapping[RecordName, Record]:
        """Give the records of many requests at once. Raises `BrokenInvariant` (psd.store-damaged)."""
        columns = [arrays.texts(name[at] for name in names) for at in range(3)]
        with self._session() as connection:
            rows = connection.execute(sql.NAMED, columns, binary=True).fetchall()
        return {RecordName(DeviceId(row[0]), row[1], row[2]): self._read(row) for row in rows}

    def records(self, device: DeviceId) -> Iterable[Record]:
        """Give all records of a device, oldest first. Raises `BrokenInvariant` (psd.store-damaged)."""
        with self._session() as connection:
            rows = connection.execute(sql.ALL, (str(device),), binary=True).fetchall()
        return [self._read(row) for row in rows]

    def devices(self) -> tuple[DeviceId, ...]:
        """Name the devices in this store."""
        with self._session() as connection:
            return tuple(DeviceId(row[0]) for row in connection.execute("SELECT id FROM device ORDER BY id"))

    def _read(self, row: Sequence[Any]) -> Record:
        _, kind, request_id, command_digest, response, first_piece, count, digest = row
        if hashlib.sha256(response).digest() != digest:
            self._damaged(f"the record of {request_id} is not the one that was written")
        return Record(
            kind=kind,
            request_id=request_id,
            command_digest=command_digest,
            response=response,
            first_piece=first_piece,
            count=count,
        )

    def _damaged(self, what: str) -> NoReturn:
        raise BrokenInvariant("psd.store-damaged", path=self.path, what=what)

    # writing

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep all changes or none. Raises `Refused` (psd.store-stale, psd.store-failed)."""
        self._write(changes, together=True)

    def commit_each(self, changes: Sequence[Change]) -> Collection[DeviceId]:
        """Keep the change of every device whose counter and epoch are the expected ones, in one transaction.

        Gives the devices that were not: nothing of theirs is kept. Raises `Refused` (psd.store-failed) and
        `BrokenInvariant` (psd.record-doubled), and then nothing of any device is kept.
        """
        return self._write(changes, together=False)

    def _write(self, changes: Sequence[Change], *, together: bool) -> Collection[DeviceId]:
        births = [change for change in changes if change.expected_counter == 0]
        moves = [change for change in changes if change.expected_counter != 0]
        notes: dict[str, Steady] = {}  # what the rows have, once this is committed
        doubled = self._library.errors.UniqueViolation
        with self._session() as connection, sql.warned(connection) as warnings:
            try:
                for attempt in range(_DEADLOCKS):
                    try:
                        if not births and (len(moves) == 1 or not together):
                            won = self._move(connection, moves, notes)
                        else:
                            won = self._transact(connection, births, moves, notes, together=together)
                        break
                    except self._library.errors.DeadlockDetected:
                        if attempt == _DEADLOCKS - 1:
                            raise
            except doubled as error:
                name = changes[0]
                request = name.records[0].request_id if name.records else ""
                raise BrokenInvariant("psd.record-doubled", device=name.device, request=request) from error
            if warnings:
                connection.close()
                raise Refused("psd.store-failed", path=self.path, what=warnings[0])
        lost = [change.device for change in changes if change.device not in won]
        if lost and (together or births):
            raise Refused("psd.store-stale", device=lost[0])
        self._steady.put_all({name: notes[name] for name in won} if lost else notes)
        return lost

    def _transact(
        self,
        connection: psycopg.Connection[Any],
        births: list[Change],
        moves: list[Change],
        notes: dict[str, Steady],
        *,
        together: bool,
    ) -> set[str]:
        with connection.transaction() as block:
            won = self._bear(connection, births, notes) if births else set()
            if moves:
                won |= self._move(connection, moves, notes)
            if (together or births) and len(won) < len(births) + len(moves):
                raise self._library.Rollback(block)
        return won

    def _move(self, connection: psycopg.Connection[Any], moves: Sequence[Change], notes: dict[str, Steady]) -> set[str]:
        text, columns = statement(moves, self._steady.all(change.device for change in moves), notes)
        found = connection.execute(text, columns, binary=True, prepare=True).fetchone()
        assert found is not None
        won: set[str] = {change.device for change in moves}
        return won if found[0] == len(won) else set(found[1] or ())

    def _bear(
        self, connection: psycopg.Connection[Any], births: Sequence[Change], notes: dict[str, Steady]
    ) -> set[str]:
        rows = Rows(births, dict.fromkeys(change.device for change in births), notes)
        found = connection.execute(sql.BIRTH, (rows.names, *rows.states()))
        born = {row[0] for row in found}
        if any(change.records for change in births):
            connection.execute(sql.KEEP, rows.records())
        return born

    def standbys(self) -> str:
        """Name the synchronous standbys that every commit waits for, as the server has them; empty: none."""
        with self._session() as connection:
            return _standbys(connection)

    def bind(self, folder: str) -> tuple[str, str]:
        """Keep the name of the folder of wrapping keys, unless it is empty or there is one.

        Gives this store's own name, and the folder's that is kept (empty: none).
        """
        with self._session() as connection:
            if folder:
                connection.execute("UPDATE fleet_store SET wrapping = %s WHERE wrapping IS NULL", (folder,))
            found = connection.execute("SELECT name::text, coalesce(wrapping, '') FROM fleet_store").fetchone()
        assert found is not None
        return found[0], found[1]

    def own(self, secret: bytes, *, opens: bool = False) -> bool:
        """Have the secret of this host, and refuse where the fleet has another; tell whether the database has a mark.

        The first one is kept where there is no device, or with `opens`: the caller has seen that its keys open.
        """
        with self._session() as connection:
            connection.execute(_FIRST, (_marks(connection, secret)[0], opens))
            self._own = secret
            self._refuse_other(connection)
            return _marks(connection, secret)[1] is not None

    def is_secret(self, secret: bytes) -> bool:
        """Tell whether the fleet was sealed under this secret last; no, where no mark is kept."""
        with self._session() as connection:
            own, kept = _marks(connection, secret)
        return own == kept

    def keep_secret_mark(self, secret: bytes) -> None:
        """Have the database refuse from now on whoever has another secret; the mark does not tell the secret."""
        with self._session() as connection:
            connection.execute("UPDATE fleet_store SET sealed = %s", (_marks(connection, secret)[0],))

    def _refuse_other(self, connection: psycopg.Connection[Any]) -> None:
        if self._own and (marks := _marks(connection, self._own))[1] not in (None, marks[0]):
            raise Refused("psd.fleet-resealed", path=self.path)

    def forget_keys(self) -> None:
        """Remove the older versions of the states from the table.

        What the write-ahead log, its archive and backups still hold is encrypted under the operator's secret.
        """
        with self._session() as connection:
            connection.execute("VACUUM device")

    def close(self) -> None:
        """Let go of the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _marks(connection: psycopg.Connection[Any], secret: bytes) -> tuple[bytes, bytes | None]:
    """Give the mark of a secret, and the one that is kept (None: its first host was older than marks)."""
    found = connection.execute("SELECT name::text, sealed FROM fleet_store").fetchone()
    assert found is not None
    return hmac.digest(secret, _SECRET + found[0].encode(), "sha256"), found[1]


def _standbys(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute("SELECT current_setting('synchronous_standby_names')").fetchone()
    return str(row[0]) if row else ""
