"""A disk that forgets what was not synced: an SQLite disk (VFS) in memory, and what a power cut may leave of it.

Here: `ForgetfulDisk`, which holds the live files and writes down every operation, with faults on demand; `Platter`,
which plays the operations again and says after each what is durable and what still waits; and the images that a cut
at that moment may leave. Not here: what is asked of an image (`power_loss`).

The model. A write or truncation waits until its file is synced, a created or deleted name until its folder is synced.
A cut keeps any part of what waits: nothing, everything, any subset, and of a write any of its sectors of 512 bytes.
A name operation that is dropped takes the later ones on that name with it. The first sync of a new journal or log
syncs its folder too, as SQLite does on Unix. A sync that fails leaves its writes visible, but never durable: that is
what Linux does. Like SQLite's own Unix disk it promises that a write spoils no bytes beside it (power-safe overwrite).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

import apsw

from towncircle.testing.dice import Dice

SECTOR = 512
Kind = Literal["write", "truncate", "sync", "failed sync", "create", "delete", "sync folder"]
Fault = Callable[[int, Kind], None]
_NUMBERS = itertools.count(1)
_JOURNALS = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_SUPER_JOURNAL


@dataclass(frozen=True, slots=True)
class Operation:
    """Hold one operation: on a file (by number) or, with `name`, on a name. `size` is that of a truncation."""

    kind: Kind
    file: int
    name: str = ""
    offset: int = 0
    data: bytes = b""
    size: int = 0


def _nothing(_index: int, _kind: Kind) -> None:
    """Let every operation pass."""


class ForgetfulDisk(apsw.VFS):
    """Be a disk for SQLite under the name `vfs`. Close it when done.

    `operations` holds everything that changed it. `fault` is called before each operation with its index and kind and
    may raise (`apsw.FullError`, `apsw.IOError`): then the operation is not done.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None, *, fault: Fault = _nothing) -> None:
        self.vfs = f"forgetful-{next(_NUMBERS)}"
        super().__init__(self.vfs, "")
        self.operations: list[Operation] = []
        self.fault = fault
        self.age = 0
        self.insert(files or {})

    def insert(self, files: Mapping[str, bytes]) -> None:
        """Put other files on the disk, all of them durable, and forget what was done before."""
        self.kill()
        self.operations.clear()
        self.beginning = dict(files)
        self._names = {name: number for number, name in enumerate(files)}
        self._contents: list[bytes | bytearray] = list(files.values())

    def kill(self) -> None:
        """Kill the process that has files open: they read as empty now, and what is written to them is lost."""
        self.age += 1

    def do(self, operation: Operation) -> None:
        """Do an operation on the live files and write it down, unless the fault forbids it."""
        try:
            self.fault(len(self.operations), operation.kind)
        except apsw.Error:
            if operation.kind == "sync":
                self.operations.append(Operation("failed sync", operation.file))
            raise
        if operation.kind in ("write", "truncate"):
            held = self._contents[operation.file]
            if isinstance(held, bytes):
                held = self._contents[operation.file] = bytearray(held)
            change(held, operation)
        elif operation.kind == "create":
            self._names[operation.name] = operation.file
            self._contents.append(bytearray())
        elif operation.kind == "delete":
            del self._names[operation.name]
        self.operations.append(operation)

    def read(self, file: int, amount: int, offset: int) -> bytes:
        """Give bytes of a file as they are live."""
        return bytes(self._contents[file][offset : offset + amount])

    def size(self, file: int) -> int:
        """Give the live size of a file."""
        return len(self._contents[file])

    def live(self) -> dict[str, bytes]:
        """Give all files as a process that opens them now would read them."""
        return {name: bytes(self._contents[file]) for name, file in self._names.items()}

    def close(self) -> None:
        """Take the disk out of SQLite's list."""
        self.unregister()

    # what SQLite calls

    def excepthook(
        self,
        etype: type[BaseException] | None,  # noqa: ARG002 - SQLite's shape
        evalue: BaseException | None,  # noqa: ARG002
        etraceback: TracebackType | None,  # noqa: ARG002
    ) -> bool:
        """Say nothing of a fault that SQLite does not hand on."""
        return True

    def xFullPathname(self, name: str) -> str:  # noqa: N802 - SQLite's word
        """Give a name as it is: there is one folder."""
        return name

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # type: ignore[override]  # noqa: N802 - a file of ours
        """Open a file, or make it where SQLite wants that."""
        text = (
            f"temporary-{len(self._contents)}" if name is None else name if isinstance(name, str) else name.filename()
        )
        flags[1] = flags[0]
        made = text not in self._names
        if made:
            if not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError(text)
            self.do(Operation("create", len(self._contents), text))
        return _File(self, self._names[text], new_journal=made and bool(flags[0] & _JOURNALS))

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: FBT001, N802 - SQLite's shape
        """Delete a name, and sync the folder where SQLite wants that."""
        if name not in self._names:
            error = apsw.IOError(name)
            error.extendedresult = apsw.SQLITE_IOERR_DELETE_NOENT  # type: ignore[attr-defined]  # the stubs lack it
            raise error
        self.do(Operation("delete", self._names[name], name))
        if syncdir:
            self.do(Operation("sync folder", 0))

    def xAccess(self, name: str, flags: int) -> bool:  # noqa: ARG002, N802 - SQLite's shape
        """Tell whether a name is there."""
        return name in self._names


class _File:
    """An open file; SQLite calls its methods by these names. It has no locks: one owner opens the disk at a time."""

    def __init__(self, disk: ForgetfulDisk, number: int, *, new_journal: bool) -> None:
        self._disk, self._number, self._new_journal, self._age = disk, number, new_journal, disk.age

    def excepthook(
        self,
        etype: type[BaseException] | None,  # noqa: ARG002 - SQLite's shape
        evalue: BaseException | None,  # noqa: ARG002
        etraceback: TracebackType | None,  # noqa: ARG002
    ) -> bool:
        """Say nothing of a fault that SQLite does not hand on."""
        return True

    def _do(self, operation: Operation) -> None:
        if self._age == self._disk.age:
            self._disk.do(operation)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        return self._disk.read(self._number, amount, offset) if self._age == self._disk.age else b""

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._do(Operation("write", self._number, offset=offset, data=bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._do(Operation("truncate", self._number, size=size))

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802
        self._do(Operation("sync", self._number))
        if self._new_journal:
            self._do(Operation("sync folder", 0))
            self._new_journal = False

    def xFileSize(self) -> int:  # noqa: N802
        return self._disk.size(self._number) if self._age == self._disk.age else 0

    def xLock(self, level: int) -> None:  # noqa: N802
        """Do nothing."""

    def xUnlock(self, level: int) -> None:  # noqa: N802
        """Do nothing."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xClose(self) -> None:  # noqa: N802
        """Do nothing."""

    def xSectorSize(self) -> int:  # noqa: N802
        return 4096

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def xFileControl(self, operation: int, pointer: int) -> bool:  # noqa: ARG002, N802
        return False


def change(held: bytearray, operation: Operation) -> None:
    """Do a write or a truncation on the bytes of a file."""
    start = operation.size if operation.kind == "truncate" else operation.offset
    if len(held) < start:
        held.extend(bytes(start - len(held)))
    if operation.kind == "truncate":
        del held[start:]
    else:
        held[start : start + len(operation.data)] = operation.data


class Platter:
    """Play operations and tell what of them is durable. A disk that is not `honest` takes a sync for done."""

    def __init__(self, files: Mapping[str, bytes], *, honest: bool = True) -> None:
        self._honest = honest
        self._names = {name: number for number, name in enumerate(files)}
        self._contents: dict[int, bytes] = dict(enumerate(files.values()))
        self._waiting: dict[int, list[Operation]] = {}
        self._names_waiting: list[Operation] = []
        self.settled = 0  # counts the syncs that made something durable

    def play(self, operation: Operation) -> None:
        """Take in the next operation."""
        match operation.kind:
            case "create" | "delete":
                self._contents.setdefault(operation.file, b"")
                self._names_waiting.append(operation)
            case "write" | "truncate":
                self._waiting.setdefault(operation.file, []).append(operation)
            case "failed sync":
                self._waiting.pop(operation.file, None)
            case "sync" if self._honest:
                rows = self._waiting.pop(operation.file, None)
                if rows:
                    self._contents[operation.file] = _changed(self._contents[operation.file], rows)
                    self.settled += 1
            case "sync folder" if self._honest:
                for row in self._names_waiting:
                    _rename(self._names, row)
                self.settled += bool(self._names_waiting)
                self._names_waiting.clear()

    @property
    def waiting(self) -> int:
        """Count the operations that a cut may lose."""
        return len(self._names_waiting) + sum(map(len, self._waiting.values()))

    def image(self, choose: Callable[[Operation], Iterator[Operation]]) -> dict[str, bytes]:
        """Give the files that a cut leaves; `choose` gives what is kept of each waiting operation."""
        names, dropped = dict(self._names), set[str]()
        for row in self._names_waiting:
            if row.name not in dropped and any(True for _ in choose(row)):
                _rename(names, row)
            else:
                dropped.add(row.name)
        found = {}
        for name, file in names.items():
            rows = [part for row in self._waiting.get(file, ()) for part in choose(row)]
            found[name] = _changed(self._contents[file], rows) if rows else self._contents[file]
        return found


def _changed(before: bytes, rows: list[Operation]) -> bytes:
    held = bytearray(before)
    for row in rows:
        change(held, row)
    return bytes(held)


def _rename(names: dict[str, int], row: Operation) -> None:
    if row.kind == "create":
        names[row.name] = row.file
    else:
        names.pop(row.name, None)


def nothing(_operation: Operation) -> Iterator[Operation]:
    """Keep nothing of what waits."""
    return iter(())


def everything(operation: Operation) -> Iterator[Operation]:
    """Keep all that waits."""
    return iter((operation,))


def subset(dice: Dice) -> Callable[[Operation], Iterator[Operation]]:
    """Keep each waiting operation or not, under a chance that is drawn once an image."""
    chance = dice.choice((0.1, 0.5, 0.9))

    def choose(operation: Operation) -> Iterator[Operation]:
        return iter((operation,) if dice.random() < chance else ())

    return choose


def torn(dice: Dice) -> Callable[[Operation], Iterator[Operation]]:
    """Keep each waiting operation whole, not, or only some of its sectors."""
    chance = dice.choice((0.2, 0.5, 0.8))

    def choose(operation: Operation) -> Iterator[Operation]:
        if operation.kind != "write" or dice.random() < chance:
            if dice.random() < chance:
                yield operation
            return
        start, end = operation.offset, operation.offset + len(operation.data)
        while start < end:
            stop = min(end, (start // SECTOR + 1) * SECTOR)
            if dice.random() < chance:
                data = operation.data[start - operation.offset : stop - operation.offset]
                yield Operation("write", operation.file, offset=start, data=data)
            start = stop

    return choose
