"""The memory of the device in one SQLite file.

Here: the adapter of `psd.memory.Memory` over apsw with raw SQL, its numbered migrations and its durability check. Not
here: any rule about registers; the one guard in SQL is compare-and-swap on counter and epoch.
Kept: WAL, `synchronous=FULL`, one owner process (`locking_mode=EXCLUSIVE`), `BEGIN IMMEDIATE`; the effective settings
are read back and a device that did not get them refuses to run (house.md 8). Deleted bytes are overwritten. What an
opening finds in the write-ahead log is written into the file and synced before it is believed: after a failed sync the
machine may still show what its disk never got. `vfs` names another disk below, for rehearsals of power cuts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NoReturn

import apsw

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd import codec
from towncircle.psd.debits import Debit
from towncircle.psd.memory import Change, Record
from towncircle.psd.state import MOVED, DeviceState

# (pragma, value to ask for, value that must be read back); the lock mode comes before the first read of the file
_WANTED: tuple[tuple[str, str, object], ...] = (
    ("locking_mode", "EXCLUSIVE", "exclusive"),
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("secure_delete", "ON", 1),
    ("foreign_keys", "ON", 1),
)
_PAGE_BYTES = 8192  # a batch of 1,000 indicia is one large value: larger pages mean fewer WAL frames
_CHECKPOINT_PAGES = 1000
_BUSY = (apsw.SQLITE_BUSY, apsw.SQLITE_LOCKED)
_DAMAGED = (apsw.SQLITE_CORRUPT, apsw.SQLITE_NOTADB)
_READ = "SELECT kind, request_id, command_digest, response, first_piece, count, digest FROM record WHERE device = ?"


@cache
def _migrations() -> tuple[str, ...]:
    folder = resources.files("towncircle.psd") / "migrations"
    return tuple(item.read_text() for item in sorted(folder.iterdir(), key=lambda item: item.name))


def is_begun(path: Path) -> bool:
    """Tell whether anything was ever committed to a store: whoever made it may have been killed before.

    Raises `Refused` (psd.store-busy), `BrokenInvariant` (psd.store-damaged).
    """
    log = path.with_name(f"{path.name}-wal")
    if not path.is_file() or not (path.read_bytes().strip(b"\0") or (log.is_file() and log.stat().st_size)):
        return False
    with _Translated(path), closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as store:
        run = store.execute
        return bool(run("PRAGMA user_version").get or run("SELECT count(*) FROM sqlite_schema").get)


class SqliteMemory:
    """Keep devices in one SQLite file that one process owns.

    `vfs` names the SQLite disk to use (empty: the machine's own); `checkpoint_pages` says how many pages the
    write-ahead log takes before it is written back. Raises `BadInput` (psd.store-missing), `Refused` (psd.store-busy,
    psd.store-not-durable, psd.store-too-new) and `BrokenInvariant` (psd.store-damaged) when it opens.
    """

    def __init__(
        self, path: Path, *, create: bool = False, vfs: str = "", checkpoint_pages: int = _CHECKPOINT_PAGES
    ) -> None:
        if not create and not vfs and not path.exists():
            raise BadInput("psd.store-missing", path=path)
        self.path = path
        if not create and not vfs and not path.stat().st_size:  # else it would be taken for a new one
            self._damaged("it is empty")
        self._failed, self._writer = "", codec.Writer(DeviceState, MOVED)
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
        self._translated = _Translated(path)
        with self._translated:
            self._connection = apsw.Connection(str(path), flags=flags, vfs=vfs or None)
        try:
            with self._translated:
                self._open(new=create)
                self._connection.wal_autocheckpoint(checkpoint_pages)
        except BaseException:
            with suppress(apsw.Error):
                self._connection.close()
            raise

    def _open(self, *, new: bool) -> None:
        run = self._connection.execute
        run(f"PRAGMA page_size={_PAGE_BYTES}")
        for name, value, wanted in _WANTED:
            run(f"PRAGMA {name}={value}")
            found = run(f"PRAGMA {name}").get
            if found != wanted:
                raise Refused("psd.store-not-durable", path=self.path, pragma=name, found=found)
        run("BEGIN IMMEDIATE")  # takes the exclusive lock now, not at the first debit
        run("COMMIT")
        scripts = _migrations()
        at = run("PRAGMA user_version").get
        if at == 0 and not new:
            self._damaged("it is empty")
        if at > len(scripts):
            raise Refused("psd.store-too-new", path=self.path, found=at, known=len(scripts))
        for number, script in enumerate(scripts[at:], start=at + 1):
            run(f"BEGIN IMMEDIATE;{script};PRAGMA user_version={number};COMMIT;")
        verdict = run("PRAGMA quick_check('device')").get
        if verdict != "ok":
            self._damaged(str(verdict))
        self._checkpoint()

    def _checkpoint(self) -> None:
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _damaged(self, what: str) -> NoReturn:
        raise BrokenInvariant("psd.store-damaged", path=self.path, what=what)

    def load(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, DeviceState]:
        """Give the states of the devices that are kept. Raises `BrokenInvariant` (psd.store-damaged)."""
        found: dict[DeviceId, DeviceState] = {}
        with self._translated:
            for name in ids:
                row = self._connection.execute("SELECT state, digest FROM device WHERE id = ?", (name,)).fetchone()
                if row is None:
                    continue
                if hashlib.sha256(row[0]).digest() != row[1]:
                    self._damaged(f"the state of {name} is not the one that was written")
                found[name] = DeviceState.decode(row[0])
                if found[name].device != name:
                    self._damaged(f"the state of {name} is another device's")
        return found

    def devices(self) -> tuple[DeviceId, ...]:
        """Name the devices in this store."""
        with self._translated:
            return tuple(DeviceId(row[0]) for row in self._connection.execute("SELECT id FROM device ORDER BY id"))

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep all changes or none. Raises `Refused` (psd.store-stale, psd.store-failed)."""
        if self._failed:
            raise Refused("psd.store-failed", path=self.path, what=self._failed)
        try:
            with self._translated:
                self._connection.execute("BEGIN IMMEDIATE")
                for change in changes:
                    self._write(change)
                self._connection.execute("COMMIT")
        except BaseException as error:
            with suppress(apsw.Error):
                self._connection.execute("ROLLBACK")
            if isinstance(error, Refused) and error.code == "psd.store-failed":
                # after a failed write or sync nobody knows what the disk holds: only opening the file again tells
                self._failed = str(error.params["what"])
            raise

    def _write(self, change: Change | Debit) -> None:
        device, expected_counter, epoch, records = change.device, change.expected_counter, change.epoch, change.records
        if type(change) is Debit:
            counter, now_epoch = change.counter, change.standing.epoch
            blob = self._writer.spliced(change.standing.base.whole(), change.moved)
        else:
            state = change.state
            counter, now_epoch, blob = state.counter, state.epoch, self._writer.encode(state)
        run, changes = self._connection.execute, self._connection.changes
        digest = hashlib.sha256(blob).digest()
        if expected_counter == 0:
            run(
                "INSERT INTO device (id, counter, epoch, state, digest) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING",
                (device, counter, now_epoch, blob, digest),
            )
        else:
            run(
                "UPDATE device SET counter=?, epoch=?, state=?, digest=? WHERE id=? AND counter=? AND epoch=?",
                (counter, now_epoch, blob, digest, device, expected_counter, epoch),
            )
        if changes() != 1:
            raise Refused("psd.store-stale", device=device)
        for row in records:
            run(
                "INSERT INTO record (device, kind, request_id, command_digest, first_piece, count, response, digest) "
                "VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                (
                    *(device, row.kind, row.request_id, row.command_digest, row.first_piece, row.count, row.response),
                    hashlib.sha256(row.response).digest(),
                ),
            )
            if changes() != 1:
                raise BrokenInvariant("psd.record-doubled", device=device, request=row.request_id)

    def record(self, device: DeviceId, *, kind: str, request_id: str) -> Record | None:
        """Give the record of a request, or None. Raises `BrokenInvariant` (psd.store-damaged)."""
        with self._translated:
            statement = f"{_READ} AND kind = ? AND request_id = ?"
            row = self._connection.execute(statement, (device, kind, request_id)).fetchone()
        return None if row is None else self._read(row)

    def records(self, device: DeviceId) -> Iterable[Record]:
        """Give all records of a device, oldest first. Raises `BrokenInvariant` (psd.store-damaged)."""
        with self._translated:
            for row in self._connection.execute(f"{_READ} ORDER BY rowid", (device,)):
                yield self._read(row)

    def _read(self, row: tuple[str, str, bytes, bytes, int, int, bytes]) -> Record:
        kind, request_id, command_digest, response, first_piece, count, digest = row
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

    def forget_keys(self) -> None:
        """Leave no older copy of a state in the write-ahead log, after a power cut neither.

        The log is cut short by the checkpoint, which nothing syncs; a commit that changes nothing does.
        """
        run = self._connection.execute
        with self._translated:
            self._checkpoint()
            run(f"BEGIN IMMEDIATE;PRAGMA user_version={len(_migrations())};COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with self._translated:
            self._connection.close()


class _Translated:
    """Word the library's errors; a class, because a debit passes it twice."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, apsw.Error):
            return
        code = getattr(error, "result", apsw.SQLITE_ERROR)  # apsw's own errors (a closed connection) carry none
        if code in _BUSY:
            raise Refused("psd.store-busy", path=self._path) from error
        if code in _DAMAGED:
            raise BrokenInvariant("psd.store-damaged", path=self._path, what=str(error)) from error
        raise Refused("psd.store-failed", path=self._path, what=str(error)) from error
