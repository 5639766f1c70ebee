"""Files that strangers made, opened in a process with limits.

Here: starting that process, its time, and what is said where it was stopped. Not here: what it does (`world.guarded`).
Kept: a file costs at most its seconds, whatever is in it, and nothing of it runs in this process. One file is open at a
time; the process stays for the next one and is started anew after an end it was not told to make. Where one ended that
had read other files before, a new one tries the file once more: the end may have been theirs.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import date
from typing import Any

from towncircle.kernel.errors import BadInput, BrokenInvariant
from towncircle.symbol.reflectance import Reflectance
from towncircle.symbol.sighting import Sighting

PIECE_SECONDS = 20  # house: below the 30 that a party waits for an answer
FILE_SECONDS = 600  # house: 2,000 pages at three a second
PAGE_SECONDS = 60  # house
START_SECONDS = 60
MOST_ANSWER_BYTES = 32_000_000  # house: of one file; 2,000 pages with ten marks each say two millions
_INHERITED = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LANG", "LC_ALL", "TMPDIR", "HOME")
_FILES_EACH = 1_000  # after which a new process is started
_MODULE = "towncircle.world.guarded"
_FULL = "scan.too-much-memory"
_TRANSIENT = frozenset({"scan.took-too-long", "scan.reader-ended", "scan.not-readable", "scan.no-such-file"})
_OF_A_FILE = ("scan.", "symbol.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Hold what a page shows: its marks and how each is printed, whether there are more, and its REDATE."""

    marks: list[bytes]
    more: bool
    prints: list[Reflectance | None]
    redate: date | None


class _EndedError(Exception):
    """Say that the process ended by itself, and how."""


class Guard:
    """Hold the process that opens files; give it one at a time."""

    def __init__(self, *, module: str = _MODULE) -> None:
        self._module = module
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._files = 0

    def ask(self, what: str, data: bytes, name: str, *, seconds: float, page_seconds: float) -> list[dict[str, Any]]:
        """Have a file read and give the answers, one a page.

        Raises `BadInput`: scan.took-too-long, scan.reader-ended, scan.too-many-marks, and what the file raises there.
        """
        with self._turn:
            for chance in (1, 2):
                fresh = self._started()
                try:
                    return self._asked(what, data, name, seconds=seconds, page_seconds=page_seconds)
                except _EndedError as error:
                    self._stop()
                    if fresh or chance == 2:
                        raise BadInput("scan.reader-ended", file=name, why=str(error)) from error
                except BadInput as error:
                    if error.code != _FULL or fresh or chance == 2:
                        raise
                    self._stop()  # it may be full of what other files left
                except BaseException:
                    self._stop()  # half of an answer may be on its way
                    raise
        raise AssertionError("not reached")

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._stop()

    def _started(self) -> bool:
        """See that there is a process, and tell whether it has read nothing yet."""
        if self._child is not None and (self._files >= _FILES_EACH or self._child.poll() is not None):
            self._stop()
        if self._child is None:
            line = [sys.executable, "-m", self._module]
            kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}  # no secret of anybody's
            environment = {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            self._child = subprocess.Popen(  # noqa: S603  # our own module
                line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0, env=environment
            )
            self._files = 0
        self._files += 1
        return self._files == 1

    def _asked(self, what: str, data: bytes, name: str, *, seconds: float, page_seconds: float) -> list[dict[str, Any]]:
        end = time.monotonic() + seconds + (START_SECONDS if self._files == 1 else 0)
        head = {"what": what, "name": name, "size": len(data), "processor_seconds": int(seconds) + 1}
        self._write(json.dumps(head).encode() + b"\n" + data, name, end, seconds)
        answers: list[dict[str, Any]] = []
        held, size = bytearray(), 0
        patience = page_seconds + (START_SECONDS if self._files == 1 else 0)
        while True:
            line = self._line(held, name, min(end, time.monotonic() + patience), seconds=int(min(seconds, patience)))
            patience, size = page_seconds, size + len(line)
            if size > MOST_ANSWER_BYTES:
                self._stop()
                raise BadInput("scan.too-many-marks", file=name)
            answer = _read(line)
            if answer.get("done"):
                return answers
            if "error" in answer:
                raise _error(answer)
            answers.append(answer)

    def _write(self, data: bytes, name: str, end: float, seconds: float) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        pipe, left = self._child.stdin.fileno(), memoryview(data)
        os.set_blocking(pipe, False)
        while left:
            if not select.select([], [pipe], [], max(end - time.monotonic(), 0))[1]:
                self._stop()
                raise BadInput("scan.took-too-long", file=name, seconds=int(seconds))
            try:
                left = left[os.write(pipe, left[: 1 << 20]) :]
            except BrokenPipeError as error:
                raise _EndedError(self._how()) from error

    def _line(self, held: bytearray, name: str, end: float, *, seconds: int) -> bytes:
        assert self._child is not None
        assert self._child.stdout is not None
        pipe = self._child.stdout.fileno()
        while b"\n" not in held:
            if len(held) > MOST_ANSWER_BYTES:
                self._stop()
                raise BadInput("scan.too-many-marks", file=name)
            if not select.select([pipe], [], [], max(end - time.monotonic(), 0))[0]:
                self._stop()
                raise BadInput("scan.took-too-long", file=name, seconds=seconds)
            data = os.read(pipe, 1 << 16)
            if not data:
                if self._child.wait(10) == -signal.SIGXCPU:
                    self._stop()
                    raise BadInput("scan.took-too-long", file=name, seconds=seconds)
                raise _EndedError(self._how())
            held += data
        line, _, rest = bytes(held).partition(b"\n")
        held[:] = rest
        return line

    def _how(self) -> str:
        assert self._child is not None
        code = self._child.wait(10)
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()


def _read(line: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError, RecursionError) as error:
        raise _EndedError(_NO_ANSWER) from error


def _error(answer: dict[str, Any]) -> BadInput:
    code, params = str(answer["error"]), answer.get("params")
    if not code.startswith(_OF_A_FILE) or not isinstance(params, dict):
        raise _EndedError(_NO_ANSWER)
    try:
        return _AS_TOLD(code, **{str(name): value for name, value in params.items()})
    except BrokenInvariant as error:  # a code that is none
        raise _EndedError(_NO_ANSWER) from error


_AS_TOLD = BadInput  # the code is the reader's
_NO_ANSWER = "it said what is no answer"
_GUARD = Guard()
atexit.register(_GUARD.close)


def pages_with_marks(data: bytes, name: str) -> list[Page]:
    """Give what each page of a scan shows.

    Raises `BadInput` as `Guard.ask`, `scan.pages_of` and `symbol.read` do.
    """
    told = _GUARD.ask("marks", data, name, seconds=FILE_SECONDS, page_seconds=PAGE_SECONDS)
    try:
        return [_page(page) for page in told]
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("scan.reader-ended", file=name, why=_NO_ANSWER) from error


def _print(*, red: int | None, green: int | None, grey: int | None, dim: bool) -> Reflectance:
    shares = {"red": red, "green": green, "grey": grey}
    return Reflectance(dim=bool(dim), **{name: None if one is None else int(one) for name, one in shares.items()})


def _page(told: dict[str, Any]) -> Page:
    marks = [bytes.fromhex(mark) for mark in told["marks"]]
    prints = [None if one is None else _print(**one) for one in told["prints"]]
    if len(prints) != len(marks):
        raise ValueError("a mark without its print")
    redate = date.fromisoformat(told["redate"]) if told["redate"] else None
    return Page(marks=marks, more=bool(told["more"]), prints=prints, redate=redate)


def first_mark(data: bytes, name: str) -> bytes:
    """Open a scan and give the indicium of its first page, or nothing where that is not easily read.

    Raises `BadInput` as `pages_with_marks`.
    """
    ((marks, _),) = _marks(_GUARD.ask("first", data, name, seconds=PIECE_SECONDS, page_seconds=PIECE_SECONDS), name)
    return marks[0] if marks else b""


def _marks(told: list[dict[str, Any]], name: str) -> list[tuple[list[bytes], bool]]:
    try:
        return [([bytes.fromhex(mark) for mark in page["marks"]], bool(page["more"])) for page in told]
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("scan.reader-ended", file=name, why=_NO_ANSWER) from error


def sighting(data: bytes, name: str = "the scan") -> Sighting:
    """Look at the scan of one piece. Raises `BadInput` as `Guard.ask`, `scan.pages_of` and `symbol.read` do."""
    told = _GUARD.ask("piece", data, name, seconds=PIECE_SECONDS, page_seconds=PIECE_SECONDS)
    try:
        (seen,) = told
        return Sighting.from_dict(seen)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("scan.reader-ended", file=name, why=_NO_ANSWER) from error


def is_transient(code: str) -> bool:
    """Tell whether an error of a file may be none at another time."""
    return code in _TRANSIENT or code.startswith("storage.")
