"""Bytes to a printer: into a spool folder, through the system's `lp`, or over a raw socket (port 9100).

Here: one way each, in two steps: `ready` does what may fail without a trace, `hand_over` is where paper may move. Not
here: what was sent and what came out (`towncircle.licensee.spool`).
Kept: an error says whether anything can have been printed. `printer.doubt` means that nobody knows, `printer.away` that
nobody knows yet; every other error means that certainly nothing was. Nothing is sent twice here, and no shell reads an
address.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from towncircle.kernel.errors import Refused

CONNECT_S = 5  # house
SEND_S = 60  # house: how long a printer may take nothing before the line is given up
CLOSE_S = 10  # house: how long it may take to close its side when it has everything, however much it says
LP_S = 60  # house
_CHUNK = 64 * 1024


class Way(Protocol):
    """Hand one file to one printer."""

    def ready(self) -> None:
        """Prepare. Raises `Refused`; nothing was printed then."""
        ...

    def hand_over(self) -> str:
        """Hand over and give the printer's own reference, if it has one. Raises `Refused`: printer.doubt and others."""
        ...

    def after_crash(self) -> bool:
        """Finish a handing-over whose process died: True it is there, False nobody knows. Raises `Refused`."""
        ...

    def written_down(self) -> None:
        """Forget what was kept for a crash: it stands in the store that all was handed over."""
        ...

    def close(self) -> None:
        """Let go of what `ready` took."""
        ...


class FolderWay:
    """Put a file into a spool folder under its name, whole or not at all.

    What is not whole lies beside it under a hidden name, with a hidden, empty receipt. Both are made before the sending
    is written down; the first goes when the file gets its name, the receipt when that is written down too. After a
    crash they tell whether it was handed over; a folder without the receipt (an empty mount point) is another one, and
    so is one without the `mark` that was laid into it.
    """

    def __init__(self, folder: Path, name: str, file: Path, mark: str = "") -> None:
        self._folder, self._target, self._mark = folder, folder / name, mark
        self._draft, self._receipt, self._file = folder / f".{name}.part", folder / f".{name}.receipt", file

    def ready(self) -> None:
        """Copy the file beside its place.

        Raises `Refused` (printer.unreachable, printer.other-folder, printer.name-taken).
        """
        if self._mark and self._folder.is_dir() and not _marked(self._folder, self._mark).exists():
            raise Refused("printer.other-folder", address=self._folder)
        if self._target.exists():
            raise Refused("printer.name-taken", path=self._target)
        try:
            with self._file.open("rb") as source, self._draft.open("wb") as draft:
                shutil.copyfileobj(source, draft)
                draft.flush()
                os.fsync(draft.fileno())
            self._receipt.touch()
            _sync(self._folder)
        except OSError as error:
            raise Refused("printer.unreachable", address=self._folder, why=error.strerror or error) from error

    def hand_over(self) -> str:
        """Give the file its name. Raises `Refused` (printer.doubt)."""
        try:
            self._draft.rename(self._target)
            _sync(self._folder)
        except OSError as error:
            told = {"address": self._folder, "why": error.strerror or error}
            if self._draft.exists():  # it never got its name
                raise Refused("printer.unreachable", **told) from error
            raise Refused("printer.doubt", **told) from error
        return self._target.name

    def after_crash(self) -> bool:
        """Finish the handing-over. Raises `Refused` (printer.away) where the folder is not there, or is another one."""
        if not any(one.exists() for one in (self._receipt, self._draft, self._target)):
            raise Refused("printer.away", address=self._folder)
        if self._draft.exists():
            self.hand_over()
        return True

    def written_down(self) -> None:
        """Take the receipt away: nobody asks any more."""
        with suppress(OSError):
            self._receipt.unlink()

    def close(self) -> None:
        """Leave the draft: the next attempt writes it anew."""


def lay_mark(folder: Path, mark: str) -> None:
    """Lay a mark into a spool folder, by which it is known again. Raises `Refused` (printer.unreachable)."""
    try:
        _marked(folder, mark).touch()
        _sync(folder)
    except OSError as error:
        raise Refused("printer.unreachable", address=folder, why=error.strerror or error) from error


def has_mark(folder: Path, mark: str) -> bool:
    """Tell whether a spool folder has a mark."""
    return _marked(folder, mark).exists()


def _marked(folder: Path, mark: str) -> Path:
    return folder / f".towncircle-{mark}"


class LpWay:
    """Hand a file to the system's print service through `lp`, which speaks CUPS and IPP."""

    def __init__(self, queue: str, title: str, file: Path, options: Sequence[str] = ()) -> None:
        self._queue, self._title, self._file, self._options = queue, title, file, options
        self._program = ""

    def ready(self) -> None:
        """Find `lp`. Raises `Refused` (printer.no-lp)."""
        found = shutil.which("lp")
        if found is None:
            raise Refused("printer.no-lp")
        self._program = found

    def hand_over(self) -> str:
        """Run `lp` and give its request id. Raises `Refused` (printer.lp-refused, printer.doubt)."""
        options = [part for option in self._options for part in ("-o", option)]
        line = [self._program, "-d", self._queue, "-t", self._title, *options, "--", str(self._file)]
        try:
            done = subprocess.run(  # noqa: S603  # the system's own program, and the queue was checked
                line,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LP_S,
                check=False,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise Refused("printer.lp-refused", queue=self._queue, why=error.strerror or error) from error
        except subprocess.TimeoutExpired as error:
            raise Refused("printer.doubt", address=self._queue, why=f"lp gave no answer in {LP_S} s") from error
        if done.returncode < 0:
            raise Refused("printer.doubt", address=self._queue, why=f"lp was ended by signal {-done.returncode}")
        if done.returncode:
            told = " ".join(done.stderr.split())[:200] or f"exit code {done.returncode}"
            raise Refused("printer.lp-refused", queue=self._queue, why=told)
        return " ".join(done.stdout.split())[:200]

    def after_crash(self) -> bool:
        """Say that nobody knows: `lp` keeps no trace by our name."""
        return False

    def written_down(self) -> None:
        """Nothing was kept."""

    def close(self) -> None:
        """Nothing is held."""


class RawWay:
    """Send a file over a raw TCP connection, as printers take it at port 9100."""

    def __init__(self, host: str, port: int, file: Path) -> None:
        self._host, self._port, self._file = host, port, file
        self._line: socket.socket | None = None

    def ready(self) -> None:
        """Connect. Raises `Refused` (printer.unreachable)."""
        try:
            self._line = socket.create_connection((self._host, self._port), timeout=CONNECT_S)
        except OSError as error:
            why = error.strerror or error
            raise Refused("printer.unreachable", address=f"{self._host}:{self._port}", why=why) from error

    def hand_over(self) -> str:
        """Send all, and wait until the printer closes. Raises `Refused` (printer.doubt)."""
        assert self._line is not None, "ready() comes first"
        sent = 0
        try:
            with self._line as line, self._file.open("rb") as source:
                line.settimeout(SEND_S)
                while chunk := source.read(_CHUNK):
                    line.sendall(chunk)
                    sent += len(chunk)
                line.shutdown(socket.SHUT_WR)
                _hear_out(line)
        except OSError as error:
            why = f"after {sent} of {self._file.stat().st_size} bytes: {error.strerror or error}"
            raise Refused("printer.doubt", address=f"{self._host}:{self._port}", why=why) from error
        return f"{sent} bytes"

    def after_crash(self) -> bool:
        """Say that nobody knows: a socket keeps no trace."""
        return False

    def written_down(self) -> None:
        """Nothing was kept."""

    def close(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.close()


def _hear_out(line: socket.socket) -> None:
    """Read until the printer closes; what it says is for its maker's tools. Raises `OSError` where it never ends."""
    ends = time.monotonic() + CLOSE_S
    while (left := ends - time.monotonic()) > 0:
        line.settimeout(left)
        if not line.recv(_CHUNK):
            return
    raise TimeoutError(f"it has everything and did not close in {CLOSE_S} s")


def _sync(folder: Path) -> None:
    with suppress(OSError):  # some network file systems do not let a folder be synced
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
