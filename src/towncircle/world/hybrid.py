"""The hybrid category: a LAN host's own device, and a hosted one to fall back to or to move to.

Here: which of the two a command goes to. Not here: the notes (`notebook`), the devices, and the transfer of value
between them, which is two steps through the Provider: the one is withdrawn, the other is reset.
Kept: they are two devices with keys and registers of their own, so no value is in two places and no state is copied.
A request for pieces stays with the device that it was first sent to: when nobody knows whether that device has run it,
it is not sent to the other one, or one piece would be paid twice. It is noted before it is sent, and freed again only
by an answer which says that nothing was run. Only where the first device has certainly not got it, it goes to the
other. What the first device evidenced before there were notes is asked of it first, while it answers. Orders, audits
and resets are for the device they are addressed to and never fall back. A command is answered before its station stops
waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused, TowncircleError
from towncircle.psd import commands
from towncircle.psd.client import MOVED
from towncircle.psd.evidencing import check_name
from towncircle.psd.keeping import ANSWER_S
from towncircle.psd.ports import BytePort
from towncircle.world.notebook import FIRST, NOWHERE, OTHER, Notebook
from towncircle.world.stations import COMMAND_S, WAIT_S

SENDING_S = 6  # house: how long one sending to the hosted device may last; its port sends twice at most
_LONGEST_S = {FIRST: ANSWER_S, OTHER: 2 * SENDING_S}
_NOT_SENT = frozenset({"transport.unreachable", "psd.restarting"})  # nothing of the command reached the device
_STORE = frozenset({"psd.store-busy", "psd.store-failed", "psd.store-stale"})  # whoever has the store may have run it
_LOST = frozenset({"psd.unreachable", "psd.interrupted", "psd.interrupted-once"})  # nobody knows whether it was run
_OF_KEYS = frozenset({"psd.wrapping-failed"})  # a host of an earlier release said so of pieces that it had kept
_UNREAD = frozenset({"psd.malformed"})  # it may be an answer that nobody can read
_DOUBT = _LOST | _STORE | _OF_KEYS | _UNREAD | {"psd.request-conflict"}


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
        until = time.monotonic() + COMMAND_S
        if isinstance(asked, commands.Evidence | commands.Recover | commands.Reprint):
            check_name(asked.request_id)  # before anything of it is written down
            with self._alone(asked.request_id):
                return self._pieces(asked, command, place, until)
        if isinstance(asked, commands.Status):
            return self._status(command, place, until)
        return self._ask(place, command, until)

    def _pieces(
        self, asked: commands.Evidence | commands.Recover | commands.Reprint, command: bytes, place: str, until: float
    ) -> bytes:
        request, to_other = asked.request_id, place == OTHER or self._notebook.moved
        noted = self._notebook.place(request)
        if not noted and isinstance(asked, commands.Evidence) and to_other and self._older(request, until):
            self._notebook.note(request, FIRST)
            noted = FIRST
        if noted == FIRST and place == OTHER:  # who may call the hosted device only
            raise Refused("world.hybrid-request", request=request, first=self._names[FIRST], other=self._names[OTHER])
        if noted or not isinstance(asked, commands.Evidence):
            return self._ask(noted or place, command, until)
        if to_other:
            return self._send(request, OTHER, command, until)
        try:
            return self._send(request, FIRST, command, until)
        except Refused as refusal:
            if refusal.code not in _NOT_SENT:
                raise
            return self._send(request, OTHER, command, until)

    def _older(self, request: str, until: float) -> bool:
        """Tell whether the first device evidenced a request before there were notes; no, where it cannot answer.

        Raises `Refused` where it may answer later (psd.host-busy, psd.unreachable, psd.interrupted, psd.store-busy).
        """
        if not self._notebook.used:
            return False
        try:
            commands.decode_answer(
                self._ask(FIRST, commands.encode_command(commands.Recover(request_id=request)), until)
            )
        except TowncircleError as error:
            if error.code in _DOUBT | {"psd.host-busy"}:
                raise
            return False
        return True

    def _send(self, request: str, place: str, command: bytes, until: float) -> bytes:
        """Note where a new request goes and send it there; free it again where certainly nothing was run."""
        self._notebook.note(request, place)
        try:
            answer = self._ask(place, command, until)
        except TowncircleError as error:
            self._free(request, error)
            raise
        if commands.is_error(answer):
            told = _error_of(answer)
            self._free(request, told)
            if told.code in _NOT_SENT:  # a host between here and the device says so
                raise told
        return answer

    def _free(self, request: str, error: TowncircleError) -> None:
        """Free a request that was refused before anything was committed: by the host, its gate, or the device."""
        if error.code in _DOUBT or isinstance(error, BrokenInvariant):
            return
        with suppress(Refused):  # notes that cannot be written keep it where it was sent
            self._notebook.note(request, NOWHERE)

    def _ask(self, place: str, command: bytes, until: float) -> bytes:
        """Ask a device when it is its turn, unless its answer could come too late. Raises `Refused` (psd.host-busy)."""
        turn, left = self._turns[place], until - time.monotonic() - _LONGEST_S[place]
        if left < 0 or not turn.acquire(timeout=min(left, WAIT_S)):
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

    def _status(self, command: bytes, place: str, until: float) -> bytes:
        """Show the device that was asked for; the hosted one in its stead where it cannot be reached, and say so.

        Only where it would get no pieces either: one that is busy, or nobody knows of, may pay them a moment later.
        """
        moved, away = self._notebook.moved, ""
        try:
            answer = self._ask(place, command, until)
            if commands.is_error(answer) and _error_of(answer).code in _NOT_SENT:
                raise _error_of(answer)
        except TowncircleError as error:
            if place == OTHER or error.code not in _NOT_SENT:
                raise
            away, answer = error.sentence, self._ask(OTHER, command, until)
        if commands.is_error(answer):
            return answer
        report = commands.decode_answer(answer)
        assert isinstance(report, commands.StatusReport)
        said = []
        if away:
            said.append(f"The LAN device {self._names[FIRST]} does not answer: {away} These are the registers of the")
            said[-1] += f" hosted device {report.device}; it has a balance of its own."
        if moved:
            said.append(f"{MOVED}: new pieces come from the hosted device {self._names[OTHER]}.")
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
