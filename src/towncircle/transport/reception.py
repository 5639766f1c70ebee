"""Taking the callers of a host in: who has proved who he is, is on the list, and finds a place.

Here: the one thread that takes all who come, and `Line`, a caller who is in. Not here: commands and answers
(`stations`), the list (`world.stations`).
Kept: nobody takes a place before both sides have proved who they are and the list names him. Who says nothing, or is
not let in, costs an open socket for a few seconds, and the oldest of them goes when there are too many. One caller has
a few lines at most, a frame has one deadline, and where all places are taken the line that was idle for longest is
ended. An accept that fails ends nothing but itself.
"""

from __future__ import annotations

import hashlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd import commands

# All of these are house.
TIMEOUT_S = 30  # of a frame, of an answer, and of a line that says nothing
HANDSHAKE_S = 5  # for a handshake; and for hearing why one is not let in
WAIT_S = 10  # for a place
RESTED_S = 1.0  # a line that was used later than this is not ended for another
MAX_CALLERS, LINES_PER_CALLER, MAX_GUESTS = 64, 8, 256
LARGE, MAX_LARGE = 64 * 1024, 8  # bytes; so many larger frames are held at once
ID_BYTES = 14
_HEAD = 4 + ID_BYTES  # of a frame
_TICK_S, _PAUSE_S, _NOTE_S = 0.1, 0.1, 60
_WAKE = b"w"
_SHAKING, _WAITING, _REFUSED, _LEAVING = "shaking", "waiting", "refused", "leaving"


class Line:
    """Hold the line of a caller who is in, as a stream of bytes with a deadline for each frame."""

    def __init__(self, secured: ssl.SSLSocket, caller: str, large: threading.Semaphore) -> None:
        self.caller, self._secured, self._large = caller, secured, large
        self._lock, self._until, self._has_large = threading.Lock(), 0.0, False
        self._first = b""
        self.idle_since: float | None = time.monotonic()
        self.ended = False

    def begins(self) -> bool:
        """Wait for the next frame; tell whether one begins."""
        self._secured.settimeout(TIMEOUT_S)
        self._first = self._secured.recv(1)
        with self._lock:
            self.idle_since = None
        self._until = time.monotonic() + TIMEOUT_S
        return bool(self._first) and not self.ended

    def read(self, size: int, /) -> bytes:
        """Give so many bytes, fewer at the end. Raises `OSError` at the frame's deadline."""
        if size > LARGE:
            self._has_large = self._large.acquire(timeout=self._left())
            self._left()
        got, self._first = bytearray(self._first[:size]), b""
        while len(got) < size:
            self._secured.settimeout(self._left())
            part = self._secured.recv(min(size - len(got), LARGE))
            if not part:
                break
            got += part
        return bytes(got)

    def write(self, data: bytes, /) -> None:
        """Send bytes. Raises `OSError` where the caller does not take them in time."""
        self._until = time.monotonic() + TIMEOUT_S
        rest = memoryview(data)
        while rest:
            self._secured.settimeout(self._left())
            rest = rest[self._secured.send(rest) :]

    def flush(self) -> None:
        """Do nothing: what was written is sent."""

    def rests(self) -> None:
        """Take note that the frame is answered."""
        self._release()
        with self._lock:
            self.idle_since = time.monotonic()

    def end(self) -> None:
        """End the line, from any thread, unless a frame has begun."""
        with self._lock:
            if self.idle_since is not None:
                self.ended = True
                with suppress(OSError):
                    socket.socket.shutdown(self._secured, socket.SHUT_RDWR)  # not as TLS does it: its thread reads

    def close(self) -> None:
        """Let go of it."""
        self._release()
        self._secured.close()

    def _release(self) -> None:
        if self._has_large:
            self._has_large = False
            self._large.release()

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Guest:
    """Hold one who has come and is not in."""

    def __init__(self, secured: ssl.SSLSocket) -> None:
        self.secured, self.stage, self.until = secured, _SHAKING, time.monotonic() + HANDSHAKE_S
        self.caller, self.code, self.said = "", "", b""


class Reception:
    """Take callers until it is closed; `serve` has a line as long as it lasts, in a thread of its own."""

    def __init__(
        self,
        context: ssl.SSLContext,
        knows: Callable[[str], bool],
        serve: Callable[[Line], None],
        *,
        address: tuple[str, int],
        note: Callable[[str], None],
    ) -> None:
        self._context, self._knows, self._serve, self._note = context, knows, serve, note
        self._listener = socket.create_server(address, backlog=MAX_GUESTS)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._bell, self._ear = socket.socketpair()
        self._closed, self._lock = threading.Event(), threading.Lock()
        self._lines: list[Line] = []
        self._guests: dict[_Guest, None] = {}  # in the order in which they came
        self._large = threading.Semaphore(MAX_LARGE)
        self._noted: dict[str, float] = {}

    def run(self) -> None:
        """Take callers; this thread shakes hands with all of them, and waits for none."""
        self._listener.setblocking(False)
        self._ear.setblocking(False)
        with selectors.DefaultSelector() as watched, self._listener, self._ear, self._bell:
            watched.register(self._listener, selectors.EVENT_READ)
            watched.register(self._ear, selectors.EVENT_READ)
            while not self._closed.is_set():
                for key, _ in watched.select(_TICK_S if self._guests else None):
                    if key.fileobj is self._listener:
                        self._accept(watched)
                    elif key.fileobj is self._ear:
                        self._ear.recv(4096)
                    elif key.data in self._guests:
                        self._step(watched, key.data)
                for guest in [*self._guests]:
                    self._look(watched, guest)  # which changes the table for this one alone
            for guest in [*self._guests]:
                self._drop(watched, guest)

    def close(self) -> None:
        """Take no more callers, and end `run`."""
        self._closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._ring()

    def _ring(self) -> None:
        with suppress(OSError):  # it is closed
            self._bell.send(_WAKE)

    def _tell(self, words: str) -> None:
        """Tell the operator, the same thing once a minute at most."""
        now = time.monotonic()
        if now - self._noted.get(words, -_NOTE_S) >= _NOTE_S:
            self._noted[words] = now
            self._note(words)

    def _accept(self, watched: selectors.BaseSelector) -> None:
        try:
            plain, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            if not self._closed.is_set():
                self._tell(f"a caller could not be taken: {error}")
                self._closed.wait(_PAUSE_S)
            return
        try:
            plain.setblocking(False)
            secured = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        except OSError:  # it has gone again
            plain.close()
            return
        if len(self._guests) >= MAX_GUESTS:
            self._tell(f"more than {MAX_GUESTS} callers have not said who they are; the oldest are sent away")
            self._drop(watched, next(iter(self._guests)))
        guest = _Guest(secured)
        self._guests[guest] = None
        watched.register(secured, selectors.EVENT_READ, guest)
        self._step(watched, guest)

    def _step(self, watched: selectors.BaseSelector, guest: _Guest) -> None:
        """Go on with a guest as far as it goes without waiting."""
        try:
            if guest.stage == _SHAKING:
                guest.secured.do_handshake()
                guest.caller = hashlib.sha256(guest.secured.getpeercert(binary_form=True) or b"").hexdigest()
                guest.until = time.monotonic() + WAIT_S
                guest.stage = _WAITING
                if not self._knows(guest.caller):
                    self._refuse(watched, guest, "world.station-refused")
                else:
                    watched.unregister(guest.secured)  # what he says waits for his place
                    self._look(watched, guest)
            elif guest.stage == _REFUSED:
                guest.said += self._heard(guest, _HEAD - len(guest.said))
                if len(guest.said) == _HEAD:
                    self._answer(guest)
            elif guest.stage == _LEAVING:
                self._heard(guest, LARGE)
        except ssl.SSLWantReadError:
            watched.modify(guest.secured, selectors.EVENT_READ, guest)
        except ssl.SSLWantWriteError:
            watched.modify(guest.secured, selectors.EVENT_WRITE, guest)
        except (OSError, Refused, BadInput):  # an unknown certificate, a cut line, a list that cannot be read
            self._drop(watched, guest)

    def _heard(self, guest: _Guest, size: int) -> bytes:
        heard = guest.secured.recv(size)
        if not heard:
            raise ConnectionResetError
        return heard

    def _refuse(self, watched: selectors.BaseSelector, guest: _Guest, code: str) -> None:
        """Let a guest ask, so that he hears why he is not let in."""
        guest.stage, guest.code, guest.until = _REFUSED, code, time.monotonic() + HANDSHAKE_S
        guest.secured.setblocking(False)
        if guest.secured not in watched.get_map():
            watched.register(guest.secured, selectors.EVENT_READ, guest)
        self._step(watched, guest)

    def _answer(self, guest: _Guest) -> None:
        device = DeviceId.parse(guest.said[4:].decode("ascii", errors="replace"))
        refusals = {
            "world.station-refused": Refused("world.station-refused", device=device),
            "psd.host-busy": Refused("psd.host-busy"),
        }
        told = commands.encode_error(refusals[guest.code])
        guest.secured.send(len(told).to_bytes(4, "big") + told)
        guest.stage = _LEAVING
        socket.socket.shutdown(guest.secured, socket.SHUT_WR)  # and he finds the line ended before he uses it again

    def _look(self, watched: selectors.BaseSelector, guest: _Guest) -> None:
        """Give a guest who waits a place, if there is one, and let nobody stay for too long."""
        if guest.stage == _WAITING and self._placed(guest):
            del self._guests[guest]
        elif time.monotonic() >= guest.until:
            if guest.stage == _WAITING:
                self._tell(f"all {MAX_CALLERS} places are taken, or a caller has {LINES_PER_CALLER} lines in use")
                self._refuse(watched, guest, "psd.host-busy")
            else:
                self._drop(watched, guest)

    def _placed(self, guest: _Guest) -> bool:
        with self._lock:
            own = [line for line in self._lines if line.caller == guest.caller]
            full = own if len(own) >= LINES_PER_CALLER else self._lines if len(self._lines) >= MAX_CALLERS else []
            if full:
                _make_room(full)
                return False
            guest.secured.setblocking(True)
            line = Line(guest.secured, guest.caller, self._large)
            self._lines.append(line)
        try:
            threading.Thread(target=self._have, args=(line,), daemon=True).start()
        except RuntimeError as error:  # the machine has no thread left
            with self._lock:
                self._lines.remove(line)
            self._tell(f"a caller could not be served: {error}")
            return False
        return True

    def _have(self, line: Line) -> None:
        try:
            self._serve(line)
        finally:
            line.close()
            with self._lock:
                self._lines.remove(line)
            self._ring()

    def _drop(self, watched: selectors.BaseSelector, guest: _Guest) -> None:
        self._guests.pop(guest, None)
        if guest.secured in watched.get_map():
            watched.unregister(guest.secured)
        guest.secured.close()


def _make_room(lines: list[Line]) -> None:
    """End the line that has been idle for longest, unless one is ending or none has rested."""
    resting = [(line.idle_since, at) for at, line in enumerate(lines) if line.idle_since is not None]
    if not any(line.ended for line in lines) and resting and time.monotonic() - min(resting)[0] >= RESTED_S:
        lines[min(resting)[1]].end()
