"""A device's process kept running for those it serves: started again when it dies, with the same store.

Here: `KeptPort`, and which commands may be sent again without asking. Not here: the process (`process`, `ports`), and
who may call (`world.stations`).
Kept: the old process is gone before a new one opens the store, and the new one counts up the epoch, so no two of them
commit. Nobody waits for ever: a process that does not answer in time is ended, which loses nothing it has released;
one deadline holds for a command and the start it may need. A process that has lost its store is let go with its answer.
That another process owns the store is said as it is (psd.store-busy): that one may have run what is asked.
A command that was under way is answered with the truth (psd.interrupted, psd.interrupted-once), never run again here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.ports import BytePort

ANSWER_S = 15  # house: with a host's own wait shorter than a station waits, so that it hears the truth
_LEAST_S = 3  # house: with less left after a start, a command is not sent any more
_STORE_LOST = ("psd.store-failed", "psd.store-stale")
_FIRST_WAIT_MS, _LONGEST_WAIT_MS = 500, 30_000  # house
_REPEATABLE = (
    commands.Identify,
    commands.Status,
    commands.SelfTest,
    commands.FromProvider,
    commands.Evidence,
    commands.Recover,
)


class ChildPort(BytePort, Protocol):
    """Be a port whose process can be ended, from another thread too."""

    def kill(self) -> None:
        """End the process at once."""
        ...

    def alive(self) -> bool:
        """Tell whether the process runs."""
        ...

    def close(self) -> object:
        """End the process and wait for it."""
        ...


def repeatable(command: bytes) -> bool:
    """Tell whether a command may be sent again when nobody knows whether it was run.

    Readings may; evidence and sealed orders get their first answer. The others do something each time: an audit, a
    reset request that was answered meanwhile, a reprint, a key, the end of the keys.
    """
    try:
        return isinstance(commands.decode_command(command), _REPEATABLE)
    except TowncircleError:
        return True  # no device runs what cannot be read


def back_off_ms(failures: int) -> int:
    """Give how long to wait after so many failures in a row: nothing after the first, then doubled, 30 s at most."""
    return 0 if failures <= 1 else min(_FIRST_WAIT_MS << min(failures - 2, 16), _LONGEST_WAIT_MS)


class _Watched:
    """End a process that does not answer in time, which loses nothing that it has released."""

    def __init__(self, port: ChildPort, until: float) -> None:
        self._port, self.until = port, until
        self.kill, self.alive, self.close = port.kill, port.alive, port.close

    def exchange(self, command: bytes) -> bytes:
        watch = threading.Timer(self.until - time.monotonic(), self.kill)
        watch.daemon = True
        watch.start()
        try:
            return self._port.exchange(command)
        finally:
            watch.cancel()


@cites("PRE-02")
class KeptPort:
    """Call a device through a process that is started again when it has died. One caller at a time.

    The first start raises what keeps the device from opening; a later one is answered with psd.restarting, which says
    that nothing was run. Whoever knows the `device` already starts with its first command. `told` hears of every end
    and start.
    """

    def __init__(
        self,
        start: Callable[[], ChildPort],
        *,
        monotonic_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
        answer_s: int = ANSWER_S,
        told: Callable[[str], object] = lambda _: None,
        device: DeviceId | None = None,
    ) -> None:
        self._start, self._monotonic_ms, self._answer_s, self._told = start, monotonic_ms, answer_s, told
        self._failures, self._not_before_ms = 0, 0
        self._busy: Refused | None = None  # that another process owned the store at the last try
        self._port: _Watched | None = None
        if device is None:
            self._port, device = self._started(time.monotonic() + answer_s)
        self.device = device

    def exchange(self, command: bytes) -> bytes:
        """Give the answer.

        Raises `Refused` (psd.restarting, psd.store-busy, psd.not-this-device: nothing was sent; psd.interrupted,
        psd.interrupted-once).
        """
        port = self._running(time.monotonic() + self._answer_s)
        try:
            answer = port.exchange(command)
        except Refused as refusal:
            self._let_go(port)
            self._failed()
            self._told(f"the device's process ended with a command under way ({refusal.sentence})")
            if repeatable(command):
                raise Refused("psd.interrupted") from refusal
            raise Refused("psd.interrupted-once") from refusal
        lost = _store_lost(answer)
        if lost:
            self._let_go(port)
            self._failed()
            self._told(f"the device's process is ended, to open its store anew: {lost}")
        else:
            self._failures = 0
        return answer

    def close(self) -> None:
        """End the process."""
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def _running(self, until: float) -> _Watched:
        if self._port is not None and not self._port.alive():
            self._let_go(self._port)
            self._told("the device's process ended")
        if self._port is None:
            left_ms = self._not_before_ms - self._monotonic_ms()
            if left_ms > 0:
                if self._busy is not None:
                    raise self._busy
                raise Refused("psd.restarting", what="its process ended again and again", seconds=left_ms // 1000 + 1)
            self._port = self._again(until)
            if until - time.monotonic() < min(_LEAST_S, self._answer_s / 2):
                raise Refused("psd.restarting", what="its start took too long", seconds=1)
        self._port.until = until
        return self._port

    def _again(self, until: float) -> _Watched:
        self._busy = None
        try:
            port, device = self._started(until)
        except (TowncircleError, OSError) as error:
            self._failed(at_least=2)
            what = error.sentence if isinstance(error, TowncircleError) else type(error).__name__
            self._told(f"the device's process cannot be started: {what}")
            if isinstance(error, Refused) and error.code == "psd.store-busy":
                self._busy = error
                raise
            raise Refused("psd.restarting", what=what, seconds=back_off_ms(self._failures) // 1000 + 1) from error
        if device != self.device:
            self._let_go(port)
            raise Refused("psd.not-this-device", device=device, mine=self.device)
        self._told("the device's process was started again")
        return port

    def _started(self, until: float) -> tuple[_Watched, DeviceId]:
        port = _Watched(self._start(), until)
        try:
            return port, DeviceClient(port).identify().device
        except TowncircleError:
            self._let_go(port)
            raise

    def _failed(self, *, at_least: int = 1) -> None:
        self._failures = max(self._failures + 1, at_least)
        self._not_before_ms = self._monotonic_ms() + back_off_ms(self._failures)

    def _let_go(self, port: _Watched) -> None:
        self._port = None
        port.kill()
        port.close()


def _store_lost(answer: bytes) -> str:
    """Say that a process has lost its store, which it opens once; empty where it has not."""
    if not commands.is_error(answer):
        return ""
    try:
        commands.decode_answer(answer)
    except TowncircleError as error:
        return error.sentence if error.code in _STORE_LOST else ""
    return ""
