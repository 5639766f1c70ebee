"""Devices over a network: TLS 1.3 with certificates on both sides, one frame a command.

Here: what a host does with a line, and the workstation's byte port. Not here: who gets a line (`reception`),
certificates (`pki.stations`), who is enrolled and which devices he may call (`world.stations`), and the devices.
Kept: a frame is 14 bytes device id and the command; an answer is the device's own. Nobody is heard before both sides
have proved who they are; TLS keeps frames from being read, altered or played again. A command that was not sent is
transport.unreachable; one whose answer was lost is psd.unreachable, since nobody can tell whether it was run: ask
`recover`. A kept line is looked at before it is used, and not used after a long silence; a command that gets its first
answer again (`psd.keeping.repeatable`) is sent once more over a new line, no other ever is. What refuses the second
sending says nothing of the first one, which may have been run or may still wait at the host: that is psd.unreachable.
One sending, from the connection to the answer, has one deadline.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.psd import commands
from towncircle.psd.commands import MAX_COMMAND
from towncircle.psd.keeping import repeatable
from towncircle.psd.ports import read_frame, write_frame
from towncircle.transport.reception import ID_BYTES, TIMEOUT_S, Line, Reception

IDLE_S = 20  # house: a line idle for longer is not used again; the host ends it at 30 s, and it may be half open
_OF_ONE_SENDING = frozenset(
    {"psd.host-busy", "psd.restarting", "psd.store-busy", "transport.unreachable", "world.station-refused"}
)
_OF_BOTH = frozenset({"psd.request-conflict", "psd.interrupted"})  # true of a request however often it was sent


def context_for(folder: Path, *, server: bool) -> ssl.SSLContext:
    """Read `authority.pem`, `own.pem` and `own.key` of a folder into the one way of speaking. Raises `Refused`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(folder / "authority.pem")
        context.load_cert_chain(folder / "own.pem", folder / "own.key")
    except (OSError, ssl.SSLError) as error:
        raise Refused("transport.not-enrolled", folder=folder) from error
    return context


class Call(Protocol):
    """Be what commands of callers go to: the gate of a host."""

    def __call__(self, caller: str, device: DeviceId, command: bytes, /) -> bytes:
        """Take a caller's certificate fingerprint, a device and a command, and give the answer."""
        ...

    def knows(self, caller: str) -> bool:
        """Tell whether a caller is to be heard at all."""
        ...


class StationServer:
    """Serve devices to enrolled callers until it is closed; `note` hears what keeps callers out."""

    def __init__(
        self,
        context: ssl.SSLContext,
        call: Call,
        *,
        address: tuple[str, int] = ("127.0.0.1", 0),
        note: Callable[[str], None] = lambda _words: None,
    ) -> None:
        self._call = call
        self._reception = Reception(context, call.knows, self._serve, address=address, note=note)
        self.address = self._reception.address

    def run(self) -> None:
        """Take callers; each line gets a thread."""
        self._reception.run()

    def close(self) -> None:
        """Take no more callers, and end `run`."""
        self._reception.close()

    def _serve(self, line: Line) -> None:
        with suppress(OSError, Refused):  # a cut line, a frame that is too long or too slow: nothing was run
            heard = True
            while heard and line.begins() and (frame := read_frame(line, most=MAX_COMMAND + ID_BYTES)) is not None:
                answer, heard = self._answer(line.caller, frame)
                write_frame(line, answer)
                line.rests()

    def _answer(self, caller: str, frame: bytes) -> tuple[bytes, bool]:
        """Give an answer, and whether the caller is still to be heard."""
        try:
            device = DeviceId.parse(frame[:ID_BYTES].decode("ascii", errors="replace"))
            return self._call(caller, device, frame[ID_BYTES:]), True
        except TowncircleError as error:
            heard = error.code != "world.station-refused" or self._call.knows(caller)
            return commands.encode_error(error), heard


def _open_and_quiet(line: ssl.SSLSocket) -> bool:
    """Tell whether the other end has neither ended an idle line nor said anything unasked (TLS's own tickets aside)."""
    line.settimeout(0)
    try:
        line.recv(1)
    except (ssl.SSLWantReadError, BlockingIOError):
        return True
    except OSError:
        return False
    return False


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.001)


def _check_second(command: bytes, answer: bytes) -> None:
    """Check an answer to a command that was sent before, with that answer lost. Raises `Refused` (psd.unreachable)."""
    if not commands.is_error(answer):
        return
    try:
        commands.decode_answer(answer)
    except Refused as refusal:
        evidence = isinstance(commands.decode_command(command), commands.Evidence)
        if refusal.code in _OF_ONE_SENDING or (evidence and refusal.code not in _OF_BOTH):
            what = f"the answer to its first sending was lost, and the second one was refused ({refusal.sentence})"
            raise Refused("psd.unreachable", what=what) from refusal
    except TowncircleError:
        return


class StationPort:
    """Reach one device of a host from an enrolled workstation."""

    def __init__(
        self,
        folder: Path,
        address: tuple[str, int],
        device: DeviceId,
        *,
        host_name: str,
        timeout_s: float = TIMEOUT_S,
        idle_s: float = IDLE_S,
    ) -> None:
        self._context, self._address, self._device = context_for(folder, server=False), address, device
        self._host_name, self._timeout_s, self._idle_s = host_name, timeout_s, idle_s
        self._line: ssl.SSLSocket | None = None
        self._used = 0.0

    def exchange(self, command: bytes) -> bytes:
        """Give the answer. Raises `Refused` (transport.unreachable, psd.unreachable)."""
        until = time.monotonic() + self._timeout_s
        line = self._kept() or self._connected(until)
        try:
            return self._asked(line, command, until)
        except Refused:
            if not repeatable(command):
                raise
        until = time.monotonic() + self._timeout_s
        try:
            line = self._connected(until)
        except Refused as error:  # the first sending may have been run
            raise Refused("psd.unreachable", what="its host does not answer any more") from error
        answer = self._asked(line, command, until)
        _check_second(command, answer)
        return answer

    def _asked(self, line: ssl.SSLSocket, command: bytes, until: float) -> bytes:
        self._line = None  # kept only if all goes well
        line.settimeout(_left(until))
        try:
            with line.makefile("rwb") as stream:
                write_frame(stream, self._device.encode("ascii") + command)
                answer = read_frame(stream)
        except OSError as error:
            line.close()
            raise Refused("psd.unreachable", what=f"the line to its host broke ({type(error).__name__})") from error
        except Refused:
            line.close()
            raise
        if answer is None:
            line.close()
            raise Refused("psd.unreachable", what="its host has ended the line")
        self._line, self._used = line, time.monotonic()
        return answer

    def _kept(self) -> ssl.SSLSocket | None:
        """Give the line of the last command, if it is still fit for use; nothing of a command was sent otherwise."""
        line, self._line = self._line, None
        if line is None:
            return None
        if time.monotonic() - self._used <= self._idle_s and _open_and_quiet(line):
            return line
        line.close()
        return None

    def _connected(self, until: float) -> ssl.SSLSocket:
        where = f"{self._address[0]}:{self._address[1]}"
        try:
            plain = socket.create_connection(self._address, timeout=_left(until))
            plain.settimeout(_left(until))
            return self._context.wrap_socket(plain, server_hostname=self._host_name)
        except OSError as error:  # ssl.SSLError is one
            raise Refused("transport.unreachable", audience=where, what=type(error).__name__) from error

    def close(self) -> None:
        """End the line."""
        if self._line is not None:
            self._line.close()
            self._line = None
