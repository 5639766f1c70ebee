"""Worker processes of one host: a fleet each, and every device always with the same one.

Here: the pool, its workers from outside, and the frames of their pipes. Not here: what a worker does (`worker`), the
fleet (`fleet`).
Kept: a worker that dies takes nothing with it but its answers: the commands it had are answered with psd.unreachable
(`recover` tells what became of them), and the next ones start a new worker, whose devices count their epochs up. A
secret goes to a worker through its pipe, never through an argument or the environment.

A frame is a count, that many lengths (all 4 bytes, big-endian), and the bytes. A group of commands is device, command,
device, command, and so on; its answer is one item a command.
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.pki.keyfile import checked
from towncircle.psd import commands, guard
from towncircle.psd.hosted.caches import DEFAULT_LIMIT, MIB
from towncircle.psd.ports import Readable, Writable

MODULE = "towncircle.psd.hosted.worker"
MAX_WORKERS = 64
ANSWER_S = 60  # house: longer than any group takes; a worker that hangs must not hold its callers for ever
_FRONT = 70 * MIB  # what the process in front of the workers takes itself, with the answers of a frame
_WORKER = 100 * MIB  # the least that a worker can do with
_BYTES_AT_ONCE = 8 * MIB  # of commands that are in one frame, but for a single larger one
_PART = 64 * 1024  # bytes; what a pipe holds
_GOLDEN, _WHOLE = 2654435769, 1 << 32  # 2^32 over the golden ratio spreads rising multiples evenly (Knuth, 6.4)
_COMMANDS_AT_ONCE = 100  # the answer of each may be as long as the evidence of a thousand pieces

_Asked = tuple[DeviceId, bytes]
TokenWords = tuple[Path, str, str]  # library, label and PIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Hold what a worker needs: the database, the operator's secret, its share of resident memory (bytes).

    `clock` is the clock file of a rehearsed world, or empty for the machine's time; `wrapping` the folder of the
    wrapping keys, or empty; `standby`: the database must have a synchronous standby. `library`, `label` and `pin` are
    those of the token that new keys are made in, or empty.
    """

    dsn: str = field(repr=False)
    secret: bytes = field(repr=False)
    memory_limit: int
    clock: str = ""
    wrapping: str = ""
    standby: bool = False
    library: str = ""
    label: str = ""
    pin: str = field(default="", repr=False)


@cites("PRE-03")
class Pool:
    """Host many devices of one store in several processes; callers may be many threads.

    `memory_limit` bounds the resident memory of all of them together (bytes). `clock` is the clock file of a rehearsed
    world, heeded by devices under a test root only. The workers go in by `guard`; `module` names another entry (a
    rehearsal that dies on purpose); new keys are made in `token`, which needs `wrapping`. Raises `BadInput`
    (psd.workers) where they do not fit into the memory, (pki.bad-secret) where the secret has another length, and
    (psd.token-folder).
    """

    def __init__(  # noqa: PLR0913 - each by name
        self,
        *,
        dsn: str,
        secret: bytes,
        workers: int,
        memory_limit: int = DEFAULT_LIMIT,
        clock: str = "",
        module: str = MODULE,
        wrapping: Path | None = None,
        standby: bool = False,
        token: TokenWords | None = None,
    ) -> None:
        if not 1 <= workers <= workers_within(memory_limit):
            most, least = workers_within(memory_limit), (_FRONT + workers * _WORKER) // MIB
            raise BadInput("psd.workers", workers=workers, memory=memory_limit // MIB, most=most, least=least)
        checked(secret)
        limit = (memory_limit - _FRONT) // workers
        folder = str(wrapping.absolute()) if wrapping is not None else ""
        if token is not None and not folder:
            raise BadInput("psd.token-folder")
        library, label, pin = (str(token[0].absolute()), *token[1:]) if token is not None else ("", "", "")
        setting = Setting(
            dsn=dsn,
            secret=secret,
            memory_limit=limit,
            clock=clock,
            wrapping=folder,
            standby=standby,
            library=library,
            label=label,
            pin=pin,
        )
        self.workers = tuple(Worker(setting, module) for _ in range(workers))

    def place(self, device: DeviceId) -> int:
        """Say which worker a device is with: serials that follow each other, or lie evenly apart, are shared evenly."""
        try:
            serial = int(device[-9:])
        except ValueError:  # not the id of a device: its worker answers so
            serial = zlib.crc32(device.encode())
        return (serial * _GOLDEN % _WHOLE) * len(self.workers) // _WHOLE

    def exchange(self, device: DeviceId, command: bytes) -> bytes:
        """Run one command of one device."""
        return self.exchange_many([(device, command)])[0]

    def exchange_many(self, asked: Sequence[_Asked]) -> list[bytes]:
        """Run commands of many devices and give their answers in order; commands of one device run in their order."""
        answers = [b""] * len(asked)
        shares: list[list[int]] = [[] for _ in self.workers]
        for at, (device, _) in enumerate(asked):
            shares[self.place(device)].append(at)
        busy = [(worker, share) for worker, share in zip(self.workers, shares, strict=True) if share]
        with ExitStack() as held:
            for worker, _ in busy:  # always in the same order, so no two callers wait for each other
                held.enter_context(worker.busy())
            waiting = [(worker, share, worker.send([asked[at] for at in share])) for worker, share in busy]
            for worker, share, sent in waiting:
                for at, answer in zip(share, worker.receive(sent), strict=True):
                    answers[at] = answer
        return answers

    def pids(self) -> list[int]:
        """Give the process ids of the workers that run."""
        running = [worker.child for worker in self.workers if worker.child is not None]
        return [child.pid for child in running if child.poll() is None]

    def close(self) -> None:
        """End the workers when they have finished what they have."""
        for worker in self.workers:
            worker.close()


class Worker:
    """Hold one worker process, started when it is first needed and again after it died."""

    def __init__(self, setting: Setting, module: str) -> None:
        self._setting, self._module = setting, module
        self._turn = threading.Lock()
        self.child: subprocess.Popen[bytes] | None = None
        self._answers: _Answers | None = None

    def exchange_many(self, asked: Sequence[_Asked]) -> list[bytes]:
        """Run commands of devices that are all with this worker, and give their answers in order."""
        with self.busy():
            return self.receive(self.send(list(asked)))

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Be this worker's only caller; if he is interrupted, what it still has to say is nobody's answer."""
        with self._turn:
            try:
                yield
            except BaseException:
                if self.child is not None:
                    self._lost()
                raise

    def send(self, asked: list[_Asked]) -> list[list[_Asked]]:
        """Send the first part of a group, so that the workers run side by side; give all parts."""
        parts = _parts(asked)
        self._write(parts[0])
        return parts

    def receive(self, parts: list[list[_Asked]]) -> list[bytes]:
        """Give the answers of all parts."""
        answers: list[bytes] = []
        for place, part in enumerate(parts):
            if place:
                self._write(part)
            answers += self._read(len(part))
        return answers

    def _write(self, part: list[_Asked]) -> None:
        """Hand a part to the worker, or to a new one where it has ended: half a frame is never run."""
        data = frame_of([item for device, command in part for item in (device.encode(), command)])
        for _ in range(2):
            child = self.child or self._start()
            if child is None:
                return
            try:
                if not _written(child, data):
                    self._lost()  # it hangs, and another one might
            except BrokenPipeError:
                self._lost()
            else:
                return

    def _read(self, count: int) -> list[bytes]:
        items = None
        if self._answers is not None:
            self._answers.until_ms = _monotonic_ms() + 1000 * ANSWER_S
            items = read_items(self._answers)
            if items is None:
                self._lost()
        if items is None:
            return [commands.encode_error(Refused("psd.unreachable", what="its worker process has ended"))] * count
        return items

    def _start(self) -> subprocess.Popen[bytes] | None:
        """Start the process; None where the machine has no room for one."""
        entry = ["-P", guard.__file__, guard.HOSTED] if self._module == MODULE else ["-m", self._module]
        line = [sys.executable, *entry]
        try:
            child = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)  # noqa: S603 - our own entry
        except OSError:
            return None
        self.child, self._answers = child, _Answers(child)
        assert child.stdin is not None
        os.set_blocking(child.stdin.fileno(), False)
        with suppress(BrokenPipeError):  # the group that follows says that it has ended
            _written(child, frame_of(_items_of(self._setting)))
        return child

    def _lost(self) -> None:
        """Let go of a worker that has ended, or that answers what nobody can read."""
        assert self.child is not None
        self.child.kill()
        self._end()

    def close(self) -> None:
        """End the process when it has finished what it has."""
        with self._turn:
            self._end()

    def _end(self) -> None:
        if self.child is None:
            return
        for stream in (self.child.stdin, self.child.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):  # it has ended with something unread
                stream.close()
        self.child.wait()
        self.child = self._answers = None


class _Answers:
    """Read what a worker says, and end one that hangs: it says nothing more, and loses nothing that it has released.

    A thread that watched over each answer would cost the front process more than all else that it does.
    """

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        self._child, self._pipe, self._held = child, child.stdout.fileno(), bytearray()
        self._something = select.poll()
        self._something.register(self._pipe, select.POLLIN)
        self.until_ms = 0

    def read(self, size: int, /) -> bytes:
        """Give so many bytes, fewer at the end, which comes when `until_ms` has passed on the monotonic clock."""
        while len(self._held) < size:
            if not self._something.poll(max(0, self.until_ms - _monotonic_ms())):
                self._child.kill()
            part = os.read(self._pipe, _PART)
            if not part:
                break
            self._held += part
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken


def _written(child: subprocess.Popen[bytes], data: bytes) -> bool:
    """Write to a worker; tell whether it took everything in time, which one that hangs does not.

    Raises `BrokenPipeError` for one that has ended.
    """
    assert child.stdin is not None
    pipe, room = child.stdin.fileno(), None
    done, until_ms = 0, 0
    while True:
        with suppress(BlockingIOError):
            done += os.write(pipe, memoryview(data)[done:])
        if done == len(data):
            return True
        if room is None:
            room, until_ms = select.poll(), _monotonic_ms() + 1000 * ANSWER_S
            room.register(pipe, select.POLLOUT)
        if not room.poll(max(0, until_ms - _monotonic_ms())):
            return False


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def workers_within(memory_limit: int) -> int:
    """Say how many workers a limit of resident memory (bytes) has room for."""
    return max(0, min(MAX_WORKERS, (memory_limit - _FRONT) // _WORKER))


def _parts(asked: list[_Asked]) -> list[list[_Asked]]:
    """Cut a group into parts that are not too large to be held at once."""
    parts: list[list[_Asked]] = [[]]
    size = 0
    for device, command in asked:
        full = len(parts[-1]) == _COMMANDS_AT_ONCE or size + len(command) > _BYTES_AT_ONCE
        if parts[-1] and full:
            parts.append([])
            size = 0
        parts[-1].append((device, command))
        size += len(command)
    return parts


def _items_of(setting: Setting) -> list[bytes]:
    places = [os.fsencode(setting.clock), os.fsencode(setting.wrapping)]
    more = [*places, b"standby" if setting.standby else b""]
    token = [os.fsencode(setting.library), os.fsencode(setting.label), os.fsencode(setting.pin)]
    return [setting.dsn.encode(), setting.secret, str(setting.memory_limit).encode(), *more, *token]


def frame_of(items: Sequence[bytes]) -> bytes:
    """Put items into one frame."""
    count = len(items)
    return struct.pack(f">{count + 1}I", count, *map(len, items)) + b"".join(items)


def write_items(stream: Writable, items: Sequence[bytes]) -> None:
    """Write one frame and flush it."""
    stream.write(frame_of(items))
    stream.flush()


def read_items(stream: Readable) -> list[bytes] | None:
    """Read one frame; None at the end of the stream, and for a frame that was cut short."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    count = int.from_bytes(head, "big")
    table = stream.read(4 * count)
    if len(table) < 4 * count:
        return None
    lengths = struct.unpack(f">{count}I", table)
    data = stream.read(sum(lengths))
    if len(data) < sum(lengths):
        return None
    items, at = [], 0
    for length in lengths:
        items.append(data[at : at + length])
        at += length
    return items
