"""Byte ports to a device: in this process, or in its own behind a pipe.

Here: the port, the frames of a pipe (4 bytes length, big-endian, then that many bytes), and the parent's end.
Not here: the child's end (`process`), and what the bytes mean (`commands`).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, Self

from towncircle.kernel.errors import Refused
from towncircle.psd import guard
from towncircle.psd.commands import MAX_COMMAND

MAX_FRAME = 2 * MAX_COMMAND
MODULE = "towncircle.psd.process"


class BytePort(Protocol):
    """Carry one command to a device and its answer back."""

    def exchange(self, command: bytes) -> bytes:
        """Give the answer. Raises `Refused` (psd.unreachable) when nobody can tell whether the command was run."""
        ...


class Readable(Protocol):
    """Be a stream of bytes to read from: a pipe, a file, a secured socket."""

    def read(self, size: int, /) -> bytes:
        """Give so many bytes, fewer at the end."""
        ...


class Writable(Protocol):
    """Be a stream of bytes to write to."""

    def write(self, data: bytes, /) -> object:
        """Take bytes."""
        ...

    def flush(self) -> object:
        """Pass on what was taken."""
        ...


def write_frame(stream: Writable, data: bytes) -> None:
    """Write one frame and flush it."""
    stream.write(len(data).to_bytes(4, "big") + data)
    stream.flush()


def read_frame(stream: Readable, *, most: int = MAX_FRAME) -> bytes | None:
    """Read one frame of so many bytes at most; None at the end of the stream.

    Raises `Refused` (psd.unreachable) for a frame that is longer, or cut short.
    """
    head = stream.read(4)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if len(head) < 4 or size > most:
        raise Refused("psd.unreachable", what="its frame cannot be read")
    data = stream.read(size)
    if len(data) < size:
        raise Refused("psd.unreachable", what="its frame was cut short")
    return data


class ProcessPort:
    """Run a device in a child process of its own and speak with it over a pipe.

    It goes in by `guard`, with the `arguments` of `towncircle.psd.process`; `module` names another entry (a rehearsal
    that dies on purpose). Ctrl-C in a terminal is for the parent: the child ends when its pipe closes. After
    `psd.unreachable` make a new port and ask `recover`: the store knows what was done.
    """

    def __init__(self, directory: Path, *, arguments: Sequence[str] = (), module: str = MODULE) -> None:
        entry = ["-P", guard.__file__] if module == MODULE else ["-m", module]
        line = [sys.executable, *entry, str(directory), *arguments]
        self._child = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)  # noqa: S603 - our own entry

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Give the child's process id."""
        return self._child.pid

    def exchange(self, command: bytes) -> bytes:
        """Give the answer. Raises `Refused` (psd.unreachable)."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            write_frame(self._child.stdin, command)
            answer = read_frame(self._child.stdout)
        except (BrokenPipeError, ValueError) as error:
            raise Refused("psd.unreachable", what="its process has ended") from error
        if answer is None:
            raise Refused("psd.unreachable", what="its process has ended")
        return answer

    def alive(self) -> bool:
        """Tell whether the child runs."""
        return self._child.poll() is None

    def kill(self) -> None:
        """End the child at once, from any thread; what waits for its answer gets `psd.unreachable`."""
        self._child.kill()

    def close(self) -> int:
        """End the child by closing its input, wait for it, and give its exit code."""
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None and not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # the child is gone already, with a command unread
        return self._child.wait()
