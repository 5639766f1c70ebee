"""The device's process of a LAN host is killed under several stations: no piece is lost or doubled, nobody waits."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.psd.setting import SECRET
from tests.psd.shops import FIRST, Shop, funded, job

from towncircle.kernel.errors import Refused
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.keeping import KeptPort, back_off_ms, repeatable
from towncircle.psd.ports import ProcessPort
from towncircle.psd.process import create
from towncircle.transport.stations import StationPort, StationServer, context_for
from towncircle.world.stations import OneDevice, gate, port_to


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


AGAIN = {"psd.interrupted", "psd.restarting", "psd.host-busy"}
STATIONS, BATCHES = 4, 12


class Lan:
    """A LAN host whose device process is started by a keeper; `port` is the process that runs now."""

    def __init__(self, shop: Shop, start: Callable[[], ProcessPort] | None = None, **changes: object) -> None:
        place = shop.folder / FIRST
        create(place, **shop.workshop.birth(FIRST), secret=SECRET)
        self.told: list[str] = []
        self.start = start or (lambda: ProcessPort(place))
        self.kept = KeptPort(self._begin, told=self.told.append, **changes)  # type: ignore[arg-type]
        self.server = shop.serve("lan", OneDevice(self.kept, FIRST))
        self.place = place
        shop.ends.append(self.kept.close)

    def _begin(self) -> ProcessPort:
        self.port = self.start()
        return self.port


def insistent(client: DeviceClient, command: commands.Evidence) -> commands.Evidenced:
    """Ask under the same id for as long as the answer says that this is safe."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            return client.evidence(command)
        except Refused as refusal:
            if refusal.code not in AGAIN:
                raise
            time.sleep(0.05)
    raise AssertionError("nobody answered")


def test_a_killed_device_process_is_started_again_and_no_piece_is_lost_or_doubled(shop: Shop) -> None:
    lan = Lan(shop)
    desks = [DeviceClient(shop.station(f"desk{at}", lan.server, "lan", FIRST)) for at in range(STATIONS)]
    funded(shop, desks[0]._port)
    over, kills, chance = threading.Event(), [0], random.Random(7)
    got: dict[str, commands.Evidenced] = {}

    def kill() -> None:
        seen = 0
        while not over.is_set():
            if len(got) < seen + 4:  # some work between two kills, so that it ends
                time.sleep(0.005)
                continue
            seen = len(got)
            time.sleep(chance.uniform(0, 0.05))
            with suppress(ProcessLookupError):
                os.kill(lan.port.pid, signal.SIGKILL)
                kills[0] += 1

    def work(at: int) -> None:
        for turn in range(BATCHES):
            command = job(f"D{at}-{turn}", *[3] * 100)
            got[command.request_id] = insistent(desks[at], command)

    killer = threading.Thread(target=kill)
    workers = [threading.Thread(target=work, args=(at,)) for at in range(STATIONS)]
    for thread in (killer, *workers):
        thread.start()
    for thread in workers:
        thread.join(timeout=120)
        assert not thread.is_alive(), "a station waits for ever"
    over.set()
    killer.join()
    pieces = sorted(first for done in got.values() for first in range(done.first_piece, done.first_piece + done.count))
    assert pieces == list(range(1, STATIONS * BATCHES * 100 + 1))
    for name, done in got.items():
        assert insistent_recover(desks[0], name) == done
    assert insistent_status(desks[0]).registers.ascending == 3 * len(pieces)
    assert kills[0] >= 3
    assert any("under way" in words for words in lan.told)


def insistent_recover(client: DeviceClient, name: str) -> commands.Evidenced:
    with suppress(Refused):
        return client.recover(name)
    return client.recover(name)


def insistent_status(client: DeviceClient) -> commands.StatusReport:
    with suppress(Refused):
        return client.status()
    return client.status()


def test_a_process_that_died_between_two_commands_is_not_noticed_by_the_station(shop: Shop) -> None:
    lan = Lan(shop)
    line = shop.station("desk", lan.server, "lan", FIRST)
    client = funded(shop, line)
    epoch = client.status().epoch
    os.kill(lan.port.pid, signal.SIGKILL)
    lan.port._child.wait()
    assert client.evidence(job("JOB-1")).first_piece == 1
    assert client.status().epoch == epoch + 1


def test_a_process_that_hangs_is_ended_and_the_station_hears_the_truth(shop: Shop) -> None:
    lan = Lan(shop, answer_s=8)  # a start takes its share of it
    client = funded(shop, shop.station("desk", lan.server, "lan", FIRST))
    os.kill(lan.port.pid, signal.SIGSTOP)
    with pytest.raises(Refused, match=r"psd\.interrupted:") as refused:
        client.evidence(job("JOB-1"))
    assert "same request id" in refused.value.next_step
    assert client.evidence(job("JOB-1")).first_piece == 1
    os.kill(lan.port.pid, signal.SIGSTOP)
    with pytest.raises(Refused, match=r"psd\.interrupted-once"):
        client.audit()
    assert client.status().registers.pieces == 1


def test_a_process_that_cannot_start_is_tried_less_and_less_often_and_nothing_is_run(shop: Shop) -> None:
    at, broken, starts = [0], [False], [0]
    place = shop.folder / FIRST

    def start() -> ProcessPort:
        starts[0] += 1
        return ProcessPort(place if not broken[0] else shop.folder / "nowhere")

    lan = Lan(shop, start, monotonic_ms=lambda: at[0])  # type: ignore[arg-type]
    client = funded(shop, shop.station("desk", lan.server, "lan", FIRST))
    broken[0] = True
    os.kill(lan.port.pid, signal.SIGKILL)
    lan.port._child.wait()
    waits = []
    for _ in range(4):
        before = starts[0]
        with pytest.raises(Refused, match=r"psd\.restarting") as refused:
            client.evidence(job("JOB-1"))
        assert starts[0] == before + 1
        with pytest.raises(Refused, match=r"psd\.restarting"):
            client.evidence(job("JOB-1"))
        assert starts[0] == before + 1, "it is not tried again before its time"
        assert "Nothing of the command was run" in refused.value.next_step
        waits.append(lan.kept._not_before_ms - at[0])
        at[0] = lan.kept._not_before_ms
    assert waits == [500, 1000, 2000, 4000]
    broken[0] = False
    assert client.evidence(job("JOB-1")).first_piece == 1


def test_a_process_that_lost_its_store_is_let_go_with_its_answer_and_the_next_one_goes_on(shop: Shop) -> None:
    place, starts = shop.folder / FIRST, [0]

    def start() -> ProcessPort:
        starts[0] += 1
        return ProcessPort(place, module="tests.faults.full_disk" if starts[0] == 2 else "towncircle.psd.process")

    lan = Lan(shop, start)
    client = funded(shop, shop.station("desk", lan.server, "lan", FIRST))
    os.kill(lan.port.pid, signal.SIGKILL)
    lan.port._child.wait()
    with pytest.raises(Refused, match=r"psd\.store-failed"):
        client.evidence(job("JOB-1"))
    assert client.evidence(job("JOB-1")).first_piece == 1
    assert (starts[0], client.status().registers.pieces) == (3, 1)
    assert any("open its store anew" in line for line in lan.told)


def test_a_store_that_another_process_owns_is_said_as_it_is_and_a_start_leaves_time_for_the_command(
    shop: Shop,
) -> None:
    at = [0]
    lan = Lan(shop, monotonic_ms=lambda: at[0], answer_s=8)
    client = funded(shop, shop.station("desk", lan.server, "lan", FIRST))
    lan.port.kill()
    lan.port._child.wait()
    owner = ProcessPort(lan.place)
    assert DeviceClient(owner).identify().device == FIRST
    for _ in range(2):  # the second time within the back-off
        with pytest.raises(Refused, match=r"psd\.store-busy"):
            client.evidence(job("JOB-1"))
    owner.close()
    at[0] += 60_000
    slow, began = lan.start, time.monotonic()

    def late() -> ProcessPort:
        time.sleep(5.2)
        return slow()

    lan.start = late
    with pytest.raises(Refused, match=r"psd\.restarting.*start took too long"):
        client.evidence(job("JOB-1"))
    assert time.monotonic() - began < 13  # the start and a whole deadline after it would be 13.2
    assert client.evidence(job("JOB-1")).first_piece == 1


def test_the_back_off_is_bounded() -> None:
    assert [back_off_ms(n) for n in (0, 1, 2, 3, 8, 10_000)] == [0, 0, 500, 1000, 30_000, 30_000]


def test_the_first_start_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"psd\.store-missing"):
        KeptPort(lambda: ProcessPort(tmp_path))


def test_what_may_be_sent_again() -> None:
    good = (commands.Status(), commands.Recover(request_id="A"), job("A"), commands.Withdraw(message=b"x"))
    assert all(repeatable(commands.encode_command(command)) for command in good)
    once = (
        commands.Audit(),
        commands.Rekey(),
        commands.Zeroise(confirm="X"),
        commands.Reprint(request_id="A", offsets=(0,)),
    )
    assert not any(repeatable(commands.encode_command(command)) for command in once)


# lines


def counted(inner: Callable[..., bytes], ran: list[bytes]) -> Callable[..., bytes]:
    def call(device: object, command: bytes) -> bytes:
        ran.append(command)
        return inner(device, command)

    return call


class Wire:
    """A network between a station and its host that can be cut, or go silent (half open) after a request."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target, self.silent, self.pairs = target, False, []  # type: tuple[str, int], bool, list[socket.socket]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.target)
            except OSError:
                near.close()
                continue
            lost = [False]
            self.pairs += [near, far]
            self.lost = lost
            threading.Thread(target=self._pump, args=(near, far, lost, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, lost, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, lost: list[bool], back: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not (lost[0] and back):
                    sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        for end in self.pairs:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for end in self.pairs:
            end.close()


def station(shop: Shop, server: StationServer, name: str, address: tuple[str, int], **changes: float) -> StationPort:
    shop.station(name, server, "lan", FIRST).close()
    port = StationPort(shop.folder / f"lan-{name}", address, FIRST, host_name="device-host.towncircle", **changes)
    shop.ends.append(port.close)
    return port


def test_an_idle_line_that_the_host_ended_is_noticed_before_anything_is_sent(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("towncircle.transport.stations.TIMEOUT_S", 0.5)
    client = funded(shop, shop.lan())
    time.sleep(1)
    assert client.audit().message  # not repeatable: it goes over a new line, and once
    time.sleep(1)
    assert client.evidence(job("JOB-1")).first_piece == 1


def test_a_line_that_was_idle_too_long_is_not_used_though_it_looks_open(shop: Shop) -> None:
    ran: list[bytes] = []
    server = shop.serve("lan", counted(OneDevice(shop.alone(FIRST), FIRST), ran))
    wire = Wire(server.address)
    line = station(shop, server, "desk", wire.address, idle_s=0.2, timeout_s=3)
    client = funded(shop, line)
    time.sleep(0.4)
    wire.lost[0] = True  # half open: the station's line is dead, and nobody told it
    before = len(ran)
    assert client.audit().message
    assert len(ran) == before + 1
    wire.close()


def test_a_half_open_line_costs_one_wait_and_no_second_piece(shop: Shop) -> None:
    ran: list[bytes] = []
    server = shop.serve("lan", counted(OneDevice(shop.alone(FIRST), FIRST), ran))
    wire = Wire(server.address)
    client = funded(shop, station(shop, server, "desk", wire.address, timeout_s=4))
    wire.lost[0] = True  # requests arrive, answers do not
    before = len(ran)
    assert client.evidence(job("JOB-1")).first_piece == 1
    assert len(ran) == before + 2  # sent twice, evidenced once
    assert client.status().registers.pieces == 1
    wire.lost[0] = True
    before = len(ran)
    with pytest.raises(Refused, match=r"psd\.unreachable"):
        client.audit()
    assert len(ran) == before + 1  # an order that does something each time is never sent twice
    wire.close()


def test_a_host_that_was_restarted_is_found_again_by_a_station_that_was_idle(shop: Shop) -> None:
    place = shop.folder / FIRST
    create(place, **shop.workshop.birth(FIRST), secret=SECRET)

    def host(port: int) -> tuple[StationServer, KeptPort]:
        kept = KeptPort(lambda: ProcessPort(place))
        call = gate(shop.folder / "lan", OneDevice(kept, FIRST))
        made = StationServer(context_for(shop.folder / "lan", server=True), call, address=("127.0.0.1", port))
        threading.Thread(target=made.run, daemon=True).start()
        return made, kept

    shop.serve("lan", lambda device, command: b"").close()
    first, kept = host(0)
    wire = Wire(first.address)
    client = funded(shop, station(shop, first, "desk", wire.address))
    first.close()
    kept.close()
    wire.cut()  # the host's machine is gone, and its connections with it
    second, kept = host(0)
    wire.target = second.address
    assert client.audit().message
    assert client.evidence(job("JOB-1")).first_piece == 1
    second.close()
    kept.close()
    wire.close()
    with pytest.raises(Refused, match=r"transport\.unreachable"):  # the end was noticed: nothing was sent
        client.status()


def test_a_whole_lan_host_that_is_killed_keeps_every_piece(shop: Shop) -> None:
    place = shop.folder / FIRST
    create(place, **shop.workshop.birth(FIRST), secret=SECRET)
    shop.serve("lan", lambda device, command: b"").close()

    def host() -> tuple[subprocess.Popen[str], tuple[str, int]]:
        words = ["device", "serve-lan", str(place), "--stations", str(shop.folder / "lan")]
        child = subprocess.Popen([sys.executable, "-m", "towncircle", *words], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        where, _, port = child.stdout.readline().split()[-1].rpartition(":")
        return child, (where, int(port))

    child, address = host()
    shop.station("desk", shop.serve("lan", lambda device, command: b""), "lan", FIRST).close()
    client = funded(shop, port_to(shop.folder / "lan-desk", address, FIRST))
    for turn in range(3):
        threading.Timer(0.05 * turn, child.kill).start()
        got, name = None, f"JOB-{turn}"
        while got is None:
            with suppress(Refused):
                got = client.evidence(job(name, *[5] * 200))
            if child.poll() is not None:
                child.communicate()
                child, address = host()
                client._port.close()
                client = DeviceClient(port_to(shop.folder / "lan-desk", address, FIRST))
        assert got.first_piece == 200 * turn + 1
    child.kill()
    child.communicate()
    client._port.close()
