"""The hybrid category: a LAN host's own device, and a hosted one to fall back to or to move to.

Here: which of the two a command goes to. Not here: the notes (`notebook`), the devices, and the transfer of value
between them, which is two steps through the Provider: the one is withdrawn, the other is reset.
Kept: they are two devices with keys and registers of their own, so no value is in two places and no state is copied.
A request for pieces stays with the device that it was first sent to: when nobody knows whether that device has run it,
it is not sent to the other one, or one piece would be paid twice. It is noted before it is sent. Only where the first
device has certainly not got it, it goes to the other. Orders, audits and resets are for the device they are addressed
to and never fall back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.psd import commands
from towncircle.psd.ports import BytePort
from towncircle.world.notebook import FIRST, NOWHERE, OTHER, Notebook

WAIT_S = 10  # house
_NOT_SENT = frozenset({"transport.unreachable", "psd.restarting"})  # nothing of the command reached the device
_NOT_RUN = frozenset({"psd.host-busy", "psd.funds-short", "psd.locked"})  # refused before anything was done
_AWAY = _NOT_SENT | {"psd.unreachable", "psd.interrupted", "psd.host-busy"}


@cites("PRE-02", "PRE-03")
class HybridPort:
    """Reach the first device, and the other one for new pieces while the first cannot be reached."""

    def __init__(self, first: BytePort, other: BytePort, notebook: Notebook) -> None:
        self._ports = {FIRST: first, OTHER: other}
        self._names = {FIRST: notebook.first, OTHER: notebook.other}
        self._turns = {FIRST: threading.Lock(), OTHER: threading.Lock()}
        self._notebook = notebook
        self._under_way: set[str] = set()
        self._changed = threading.Condition()

    def exchange(self, command: bytes) -> bytes:
        """Give the answer to a command for the hybrid itself, which bears the name of its first device."""
        return self.call(self._names[FIRST], command)

    def call(self, device: str, command: bytes) -> bytes:
        """Give the answer to a command for one of the two. Raises what their ports raise, `BadInput`."""
        place = next((place for place, name in self._names.items() if name == device), None)
        if place is None:
            raise BadInput("psd.no-such-device", device=device)
        asked = commands.decode_command(command)
        if isinstance(asked, commands.Evidence | commands.Recover | commands.Reprint):
            with self._alone(asked.request_id):
                return self._pieces(asked, command, place)
        if isinstance(asked, commands.Status):
            return self._status(command, place)
        return self._ask(place, command)

    def _pieces(
        self, asked: commands.Evidence | commands.Recover | commands.Reprint, command: bytes, place: str
    ) -> bytes:
        noted = self._notebook.place(asked.request_id)
        if noted or not isinstance(asked, commands.Evidence):
            return self._ask(noted or place, command)
        if place == OTHER or self._notebook.moved:
            return self._send(asked.request_id, OTHER, command)
        try:
            return self._send(asked.request_id, FIRST, command)
        except Refused as refusal:
            if refusal.code not in _NOT_SENT:
                raise
            return self._send(asked.request_id, OTHER, command)

    def _send(self, request: str, place: str, command: bytes) -> bytes:
        """Note where a new request goes and send it there; free it again where certainly nothing was run."""
        self._notebook.note(request, place)
        try:
            answer = self._ask(place, command)
        except Refused as refusal:
            if refusal.code in _NOT_SENT | _NOT_RUN:
                self._notebook.note(request, NOWHERE)
            raise
        if commands.is_error(answer):
            code = _error_of(answer).code
            if code in _NOT_SENT | _NOT_RUN:
                self._notebook.note(request, NOWHERE)
            if code in _NOT_SENT:  # a host between here and the device says so
                raise _error_of(answer)
        return answer

    def _ask(self, place: str, command: bytes) -> bytes:
        turn = self._turns[place]
        if not turn.acquire(timeout=WAIT_S):
            raise Refused("psd.host-busy")
        try:
            return self._ports[place].exchange(command)
        finally:
            turn.release()

    @contextmanager
    def _alone(self, request: str) -> Iterator[None]:
        """Let one caller at a time have a request: two would find no note of it and send it to two devices."""
        with self._changed:
            if not self._changed.wait_for(lambda: request not in self._under_way, timeout=WAIT_S):
                raise Refused("psd.host-busy")
            self._under_way.add(request)
        try:
            yield
        finally:
            with self._changed:
                self._under_way.discard(request)
                self._changed.notify_all()

    def _status(self, command: bytes, place: str) -> bytes:
        """Show the device that was asked for; the hosted one in its stead where it cannot be reached, and say so."""
        moved, away = self._notebook.moved, ""
        try:
            answer = self._ask(place, command)
            if commands.is_error(answer) and _error_of(answer).code in _AWAY:
                raise _error_of(answer)
        except TowncircleError as error:
            if place == OTHER or error.code not in _AWAY:
                raise
            away, answer = error.sentence, self._ask(OTHER, command)
        if commands.is_error(answer):
            return answer
        report = commands.decode_answer(answer)
        assert isinstance(report, commands.StatusReport)
        said = []
        if away:
            said.append(f"The LAN device {self._names[FIRST]} does not answer: {away} These are the registers of the")
            said[-1] += f" hosted device {report.device}; it has a balance of its own."
        if moved:
            said.append(f"The service was moved for good: new pieces come from the hosted device {self._names[OTHER]}.")
        of = "hosted" if away or place == OTHER else "LAN"
        sentence = f"{report.sentence} It is the {of} device of a hybrid of {self._names[FIRST]} and"
        sentence += f" {self._names[OTHER]}."
        number = commands.NUMBERS[commands.Status]
        return commands.encode_answer(number, replace(report, sentence=sentence, warnings=(*said, *report.warnings)))


def _error_of(answer: bytes) -> TowncircleError:
    try:
        commands.decode_answer(answer)
    except TowncircleError as error:
        return error
    raise BadInput("psd.malformed", what="an error that is none")
