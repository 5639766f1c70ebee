"""Callers who say nothing, who were struck, or who take more than their share keep no other one out of a host."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.journeys.stories import refused
from tests.psd.setting import DEVICE

from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.stations import HOST_NAME
from towncircle.psd import commands
from towncircle.psd.commands import MAX_COMMAND
from towncircle.psd.process import SystemClock
from towncircle.transport import reception
from towncircle.transport.stations import StationPort, StationServer, context_for
from towncircle.world.stations import enrol, found, gate, port_to, strike

CHANCE, NOW = SeededRandomness(5, "reception"), SystemClock().now()
STATUS = commands.encode_command(commands.Status())
DONE = commands.encode_answer(3, commands.SelfTested(passed=()))


class House:
    """A host with two desks; the device answers everything alike."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.list, self.ends, self.notes = folder, folder / "host", ExitStack(), list[str]()
        found(self.list, CHANCE, NOW)
        for name in ("desk", "other"):
            enrol(self.list, name, folder / name, devices=[DEVICE], randomness=CHANCE, now=NOW)
        call = gate(self.list, lambda _device, _command: DONE)
        self.server = StationServer(context_for(self.list, server=True), call, note=self.notes.append)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        self.ends.callback(self.server.close)

    def mute(self) -> socket.socket:
        return self.ends.enter_context(socket.create_connection(self.server.address))

    def line(self, name: str, said: bytes = b"") -> ssl.SSLSocket:
        """Give a line of a desk, with so much said on it."""
        made = context_for(self.folder / name, server=False).wrap_socket(self.mute(), server_hostname=HOST_NAME)
        made.settimeout(30)
        self.ends.enter_context(made)
        if said:
            made.sendall(said)
        return made

    def port(self, name: str) -> StationPort:
        made = port_to(self.folder / name, self.server.address, DEVICE)
        self.ends.callback(made.close)
        return made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    with made.ends:
        yield made
    made.thread.join(30)
    assert not made.thread.is_alive()


def ended(line: ssl.SSLSocket) -> bool:
    """Tell whether the host ends a line and answers nothing more on it."""
    with suppress(ConnectionError, ssl.SSLEOFError):
        return line.recv(1) == b""
    return True


def test_callers_who_say_nothing_and_those_who_were_struck_keep_nobody_out(house: House) -> None:
    for _ in range(reception.MAX_CALLERS):
        house.mute()
    assert house.port("desk").exchange(STATUS) == DONE
    early = [house.line("other", b"\0") for _ in range(4)]  # they have places, and a frame that has begun
    strike(house.list, "other")
    for _ in range(reception.MAX_CALLERS):
        house.line("other", b"\0")
    assert house.port("desk").exchange(STATUS) == DONE
    with refused("world.station-refused"):
        commands.decode_answer(house.port("other").exchange(STATUS))
    early[0].sendall(b"\0\0\x11" + DEVICE.encode() + STATUS)  # a whole command, after all
    assert (early[0].recv(4), early[0].recv(1)) != (b"", b"")  # its refusal
    while early[0].recv(4096):
        pass
    assert ended(early[0])


def test_more_callers_than_there_is_room_for_send_the_oldest_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "MAX_GUESTS", 3)
    mute = [house.mute() for _ in range(6)]
    assert house.port("desk").exchange(STATUS) == DONE
    mute[0].settimeout(30)
    assert mute[0].recv(1) == b""
    assert any("have not said who they are" in note for note in house.notes)


def test_one_caller_has_a_few_lines_and_others_come_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reception, "LINES_PER_CALLER", 2)
    monkeypatch.setattr(reception, "WAIT_S", 0.2)
    for _ in range(2):
        house.line("other", b"\0")
    assert house.port("desk").exchange(STATUS) == DONE
    _until(lambda: len(house.server._reception._lines) == 3)
    with refused("psd.host-busy"):
        commands.decode_answer(house.port("other").exchange(STATUS))
    assert any("2 lines in use" in note for note in house.notes)


def test_a_full_house_ends_the_line_that_rests_and_its_station_comes_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "MAX_CALLERS", 1)
    monkeypatch.setattr(reception, "RESTED_S", 0.0)
    desk, other = house.port("desk"), house.port("other")
    for _ in range(3):
        for port in (desk, other):
            assert port.exchange(STATUS) == DONE


def test_a_frame_that_comes_too_slowly_or_is_too_long_ends_its_line(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended(house.line("desk", (MAX_COMMAND + 15).to_bytes(4, "big")))
    monkeypatch.setattr(reception, "TIMEOUT_S", 0.3)
    slow = house.line("desk", b"\0\0\x10\0")
    _until(lambda: _refuses(slow, b"x"))


@pytest.mark.parametrize("code", [errno.ECONNABORTED, errno.EMFILE])
def test_an_accept_that_fails_ends_nothing_but_itself(house: House, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    accept, failed = socket.socket.accept, list[int]()

    def once(listener: socket.socket) -> object:
        if not failed:
            failed.append(1)
            raise OSError(code, "a test")
        return accept(listener)

    monkeypatch.setattr(socket.socket, "accept", once)
    assert house.port("desk").exchange(STATUS) == DONE
    assert (failed, len(house.notes)) == ([1], 1)
    assert "could not be taken" in house.notes[0]


def test_a_machine_without_a_thread_left_serves_the_caller_when_there_is_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[int] = []

    class Once(threading.Thread):
        def start(self) -> None:
            if not failed:
                failed.append(1)
                raise RuntimeError("can't start new thread")
            super().start()

    monkeypatch.setattr(reception, "threading", types.SimpleNamespace(**{**vars(threading), "Thread": Once}))
    assert house.port("desk").exchange(STATUS) == DONE
    assert [note.partition(":")[0] for note in house.notes] == ["a caller could not be served"]


def _refuses(line: ssl.SSLSocket, said: bytes) -> bool:
    try:
        line.sendall(said)
    except OSError:
        return True
    return False


def _until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(600):
        if holds():
            return
        pause.wait(0.05)
    raise AssertionError
