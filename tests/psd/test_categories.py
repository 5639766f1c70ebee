"""Four product categories, one device: each passes the same contract (PRE-02, PRE-03)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.psd.setting import SECRET, Hands, batch

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.hosted.funnel import Funnel
from towncircle.psd.memory import MemoryInRam
from towncircle.psd.ports import BytePort, ProcessPort
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock, create
from towncircle.transport.stations import Call, StationPort, StationServer, context_for
from towncircle.wire.bodies import Withdraw
from towncircle.world.hybrid import HybridPort
from towncircle.world.stations import enrol, found, gate, one_device, port_to, strike

FIRST, OTHER = (DeviceId.of(vendor="TC", model="1A", serial=serial) for serial in (301, 302))
CHANCE = SeededRandomness(3, "stations")
NOW = SystemClock().now()  # certificates of a line are judged by the machine's clock


class Shop:
    """A workshop and the folders of hosts; `close` ends what it started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workshop, self.ends = folder, Workshop(NOW), []  # type: tuple[Path, Workshop, list[Callable[[], object]]]

    def alone(self, device: DeviceId) -> ProcessPort:
        place = self.folder / device
        create(place, **self.workshop.birth(device), secret=SECRET)
        port = ProcessPort(place)
        self.ends.append(port.close)
        return port

    def hosted(self, store: MemoryInRam | PostgresMemory) -> Funnel:
        fleet = Fleet(store, secret=lambda: SECRET, randomness=SeededRandomness(7, "f"), clock=SystemClock())
        funnel = Funnel(fleet)
        self.ends += [funnel.close, fleet.close]
        return funnel

    def serve(self, name: str, call: Callable[[DeviceId, bytes], bytes]) -> StationServer:
        place = self.folder / name
        found(place, CHANCE, NOW)
        passed: Call = gate(place, call)
        server = StationServer(context_for(place, server=True), passed)
        threading.Thread(target=server.run, daemon=True).start()
        self.ends.append(server.close)
        return server

    def station(self, name: str, server: StationServer, host: str, device: DeviceId) -> StationPort:
        out = self.folder / f"{host}-{name}"
        enrol(self.folder / host, name, out, devices=[device], randomness=CHANCE, now=NOW)
        port = port_to(out, server.address, device)
        self.ends.append(port.close)
        return port

    def lan(self) -> StationPort:
        server = self.serve("lan", one_device(self.alone(FIRST), FIRST))
        return self.station("desk", server, "lan", FIRST)

    def wan(self, store: MemoryInRam | PostgresMemory, device: DeviceId = FIRST) -> StationPort:
        manufacture(store, **self.workshop.birth(device))
        server = self.serve("wan", self.hosted(store).exchange)
        return self.station("licensee", server, "wan", device)

    def close(self) -> None:
        for end in reversed(self.ends):
            end()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["stand-alone", "LAN", "WAN", "hybrid"])
def port(request: pytest.FixtureRequest, shop: Shop, tmp_path: Path) -> BytePort:
    if request.param == "stand-alone":
        return shop.alone(FIRST)
    if request.param == "LAN":
        return shop.lan()
    if request.param == "WAN":
        return shop.wan(PostgresMemory(request.getfixturevalue("databases")(), create=True))
    return HybridPort(shop.lan(), shop.wan(MemoryInRam(), OTHER), tmp_path / "notebook")


def funded(shop: Shop, port: BytePort, device: DeviceId = FIRST, dollars: int = 100) -> DeviceClient:
    client = DeviceClient(port)
    shop.workshop.commission(client, device, NOW)
    shop.workshop.reset(client, device, Mills.dollars(dollars), NOW)
    return client


def job(name: str, *amounts: int) -> commands.Evidence:
    return batch(name, amounts or (730,), date=SystemClock().now().date_in("America/New_York").isoformat())


# the contract


def test_a_device_lives_its_whole_life(shop: Shop, port: BytePort) -> None:
    client = funded(shop, port)
    done = client.evidence(job("JOB-1", *[40, 50] * 500))
    assert (done.count, client.status().registers.pieces) == (1000, 1000)
    client.withdraw(shop.workshop.seal(FIRST, Withdraw(reason="returned"), NOW))
    assert client.status().state == "withdrawn"
    client.zeroise(FIRST)
    assert client.status().state == "zeroised"


def test_a_repeated_request_gets_the_first_bytes_and_is_paid_once(shop: Shop, port: BytePort) -> None:
    client = funded(shop, port)
    first = client.evidence(job("JOB-1", 5, 6))
    assert client.evidence(job("JOB-1", 5, 6)) == first == client.recover("JOB-1")
    assert client.status().registers.ascending == Mills(11)


@pytest.mark.requirement("PRE-03/2", "PRE-23/2")
def test_a_refusal_keeps_its_code_over_any_line(shop: Shop, port: BytePort) -> None:
    client = funded(shop, port, dollars=1)
    with pytest.raises(Refused, match=r"psd\.funds-short"):
        client.evidence(job("JOB-1", 2000))
    with pytest.raises(Refused, match=r"psd\.request-unknown"):
        client.recover("JOB-1")
    assert client.status().registers.pieces == 0


# lines


def test_two_workstations_share_one_device_and_no_piece(shop: Shop) -> None:
    server = shop.serve("lan", one_device(shop.alone(FIRST), FIRST))
    desks = [DeviceClient(shop.station(name, server, "lan", FIRST)) for name in ("front", "back")]
    shop.workshop.commission(desks[0], FIRST, NOW)
    shop.workshop.reset(desks[0], FIRST, Mills.dollars(100), NOW)
    found_: list[int] = []

    def work(at: int) -> None:
        found_.extend(desks[at].evidence(job(f"D{at}-{turn}", 3)).first_piece for turn in range(10))

    threads = [threading.Thread(target=work, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found_) == list(range(1, 21))


def test_nobody_is_heard_without_a_certificate_of_this_host(shop: Shop, tmp_path: Path) -> None:
    shop.lan()
    server = shop.serve("lan", lambda device, command: b"never")
    found(tmp_path / "elsewhere", CHANCE, NOW)
    enrol(tmp_path / "elsewhere", "stranger", tmp_path / "strange", devices=[FIRST], randomness=CHANCE, now=NOW)
    with pytest.raises(Refused, match=r"unreachable"):
        DeviceClient(port_to(tmp_path / "strange", server.address, FIRST)).status()
    (tmp_path / "strange" / "authority.pem").write_bytes((tmp_path / "lan" / "authority.pem").read_bytes())
    with pytest.raises(Refused, match=r"unreachable"):  # believes the host, but is not believed
        DeviceClient(port_to(tmp_path / "strange", server.address, FIRST)).status()


@pytest.mark.requirement("PRE-02")
def test_a_caller_reaches_only_devices_it_was_enrolled_for_and_none_once_struck(shop: Shop) -> None:
    store = MemoryInRam()
    line = shop.wan(store)
    manufacture(store, **shop.workshop.birth(OTHER))
    client = DeviceClient(line)
    assert client.identify().device == FIRST
    line._device = OTHER
    with pytest.raises(Refused, match=r"world\.station-refused"):
        client.identify()
    line._device = FIRST
    strike(shop.folder / "wan", "licensee")
    with pytest.raises(Refused, match=r"world\.station-refused"):
        client.identify()
    with pytest.raises(BadInput, match=r"world\.station-unknown"):
        strike(shop.folder / "wan", "licensee")


def test_a_folder_without_enrolment_says_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"transport\.not-enrolled"):
        port_to(tmp_path, ("127.0.0.1", 9), FIRST)


# the hybrid


class Broken:
    """A port that fails before or after the command was run."""

    def __init__(self, inner: BytePort) -> None:
        self.inner, self.how = inner, ""

    def exchange(self, command: bytes) -> bytes:
        if self.how == "before":
            raise Refused("transport.unreachable", audience="the LAN host", what="rehearsed")
        answer = self.inner.exchange(command)
        if self.how == "after":
            raise Refused("psd.unreachable", what="rehearsed")
        return answer


def test_the_hybrid_falls_back_for_new_work_and_never_repeats_doubtful_work(tmp_path: Path, shop: Shop) -> None:
    first, other = Broken(shop.lan()), shop.wan(MemoryInRam(), OTHER)
    funded(shop, first)
    funded(shop, other, OTHER)
    notebook = tmp_path / "notebook"
    hybrid = DeviceClient(HybridPort(first, other, notebook))
    first.how = "after"
    with pytest.raises(Refused, match=r"psd\.unreachable"):
        hybrid.evidence(job("DOUBT"))
    first.how = "before"
    with pytest.raises(Refused, match=r"transport\.unreachable"):
        hybrid.evidence(job("DOUBT"))  # not sent to the other device
    fallen = hybrid.evidence(job("NEW"))
    first.how = ""
    again = DeviceClient(HybridPort(first, other, notebook))  # the notebook outlives the process
    assert again.evidence(job("NEW")) == fallen
    assert again.evidence(job("DOUBT")).first_piece == 1
    assert DeviceClient(first).status().registers.pieces == DeviceClient(other).status().registers.pieces == 1


def test_moving_from_lan_to_hosted_goes_through_the_provider_and_leaves_no_value_behind(shop: Shop) -> None:
    lan, hosted = funded(shop, shop.lan()), DeviceClient(shop.wan(MemoryInRam(), OTHER))
    lan.evidence(job("JOB-1", 30_000))
    message = lan.withdraw(shop.workshop.seal(FIRST, Withdraw(reason="moved to a hosted device"), NOW)).message
    told = shop.workshop.open(FIRST, lan, message).body
    balance = Mills(told.registers.descending)  # type: ignore[attr-defined]
    assert balance == Mills.dollars(70)
    shop.workshop.commission(hosted, OTHER, NOW)
    shop.workshop.reset(hosted, OTHER, balance, NOW)
    assert lan.status().registers.descending == 0
    assert hosted.status().registers.descending == balance
    with pytest.raises(Refused):
        lan.evidence(job("JOB-2"))


def test_the_setting_of_this_test_runs_on_the_machines_clock() -> None:
    assert Hands().now() != NOW
    assert isinstance(NOW, Instant)
