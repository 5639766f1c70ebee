"""Four product categories, one device: each passes the same contract (PRE-02, PRE-03)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conformance.breaking import refused
from tests.psd.setting import Hands
from tests.psd.shops import CHANCE, FIRST, NOW, OTHER, Shop, funded, job

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.memory import MemoryInRam
from towncircle.psd.ports import BytePort
from towncircle.psd.postgres import PostgresMemory
from towncircle.wire.bodies import Withdraw
from towncircle.world.notebook import move
from towncircle.world.stations import OneDevice, enrol, found, port_to, strike


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["stand-alone", "LAN", "WAN", "hybrid"])
def port(request: pytest.FixtureRequest, shop: Shop) -> BytePort:
    if request.param == "stand-alone":
        return shop.alone(FIRST)
    if request.param == "LAN":
        return shop.lan()
    if request.param == "WAN":
        return shop.wan(PostgresMemory(request.getfixturevalue("databases")(), create=True))
    return shop.hybrid(shop.lan(), shop.wan(MemoryInRam(), OTHER))


# the contract


def test_a_device_lives_its_whole_life(shop: Shop, port: BytePort) -> None:
    client = funded(shop, port)
    done = client.evidence(job("JOB-1", *[40, 50] * 500))
    assert (done.count, client.status().registers.pieces) == (1000, 1000)
    client.withdraw(shop.workshop.seal(FIRST, Withdraw(reason="returned"), NOW))
    assert client.status().state == "withdrawn"
    if shop.officer is not None:  # over a network only the Provider destroys keys
        with pytest.raises(Refused, match=r"psd\.role-refused"):
            client.zeroise(FIRST)
    DeviceClient(shop.officer or port).zeroise(FIRST)
    assert client.status().state == "zeroised"


def test_a_repeated_request_gets_the_first_bytes_and_is_paid_once(shop: Shop, port: BytePort) -> None:
    client = funded(shop, port)
    first = client.evidence(job("JOB-1", 5, 6))
    assert client.evidence(job("JOB-1", 5, 6)) == first == client.recover("JOB-1")
    assert client.status().registers.ascending == Mills(11)


@pytest.mark.requirement("PRE-03/2", "PRE-23/2")
def test_a_refusal_keeps_its_code_over_any_line(shop: Shop, port: BytePort) -> None:
    client = funded(shop, port, dollars=1)
    for row in ("PRE-03", "PRE-23"):
        with refused(row, "psd.field-not-from-host"):
            client.evidence(job("JOB-0", 20, ascending_mills=1))
    with pytest.raises(Refused, match=r"psd\.funds-short"):
        client.evidence(job("JOB-1", 2000))
    with pytest.raises(Refused, match=r"psd\.request-unknown"):
        client.recover("JOB-1")
    assert client.status().registers.pieces == 0


# lines


def test_a_command_that_waits_for_a_lan_device_is_run_before_one_that_came_later() -> None:
    ran, begun, go_on = list[bytes](), threading.Event(), threading.Event()

    class Port:
        def exchange(self, command: bytes) -> bytes:
            ran.append(command)
            if command == b"a batch":
                begun.set()
                assert go_on.wait(10)
            return command

    call = OneDevice(Port(), FIRST)

    def busy() -> None:
        call(FIRST, b"a batch")
        call(FIRST, b"recover")  # by the thread that has just run: nobody is woken for it

    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            first = pool.submit(busy)
            assert begun.wait(10)
            waiting = pool.submit(call, FIRST, b"evidence")
            while call.callers < 2:
                time.sleep(0.001)
            go_on.set()
            first.result()
            waiting.result()
            begun.clear()
            go_on.clear()
    assert ran == [b"a batch", b"evidence", b"recover"] * 20


def test_two_workstations_share_one_device_and_no_piece(shop: Shop) -> None:
    server = shop.serve("lan", OneDevice(shop.alone(FIRST), FIRST))
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
    with refused("PRE-02", "world.station-refused"):
        client.identify()
    line._device = FIRST
    strike(shop.folder / "wan", "licensee")
    with refused("PRE-02", "world.station-refused"):
        client.identify()
    with pytest.raises(BadInput, match=r"world\.station-unknown"):
        strike(shop.folder / "wan", "licensee")


def test_a_station_does_what_its_role_allows(shop: Shop) -> None:
    server = shop.serve("lan", OneDevice(shop.alone(FIRST), FIRST))
    desk, watch, officer = (
        DeviceClient(shop.station(role, server, "lan", FIRST, role=role)) for role in ("user", "watch", "provider")
    )
    shop.workshop.commission(desk, FIRST, NOW)
    assert {one.status().state for one in (desk, watch, officer)} == {"authorised"}
    officer.audit()
    for call in (watch.audit, lambda: watch.recover("JOB-1"), lambda: officer.recover("JOB-1")):
        with pytest.raises(Refused, match=r"psd\.role-refused"):
            call()
    with pytest.raises(Refused, match=r"psd\.role-refused"):
        desk.zeroise(FIRST)


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


@pytest.fixture
def pair(shop: Shop) -> tuple[Broken, Broken]:
    pair = Broken(shop.lan()), Broken(shop.wan(MemoryInRam(), OTHER))
    funded(shop, pair[0])
    funded(shop, pair[1], OTHER)
    return pair


def pieces(pair: tuple[Broken, Broken]) -> list[int]:
    return [DeviceClient(side.inner).status().registers.pieces for side in pair]


def test_the_hybrid_falls_back_for_new_work_and_never_repeats_doubtful_work(
    shop: Shop, pair: tuple[Broken, Broken]
) -> None:
    first, other = pair
    port = shop.hybrid(first, other)
    hybrid = DeviceClient(port)
    first.how = "after"
    with pytest.raises(Refused, match=r"psd\.unreachable"):
        hybrid.evidence(job("DOUBT"))
    first.how = "before"
    with pytest.raises(Refused, match=r"transport\.unreachable"):
        hybrid.evidence(job("DOUBT"))  # not sent to the other device
    fallen = hybrid.evidence(job("NEW"))
    told = hybrid.status()
    assert told.device == OTHER
    assert told.registers.pieces == 1
    assert f"The LAN device {FIRST} does not answer" in told.warnings[0]
    first.how = ""
    again = DeviceClient(shop.hybrid(first, other, again=port))  # the notebook outlives the process
    assert again.evidence(job("NEW")) == fallen == again.recover("NEW")
    assert again.evidence(job("DOUBT")).first_piece == 1
    assert again.status().device == FIRST
    assert not any("does not answer" in line for line in again.status().warnings)
    assert pieces(pair) == [1, 1]


def test_with_both_devices_away_nothing_is_noted_against_either(shop: Shop, pair: tuple[Broken, Broken]) -> None:
    first, other = pair
    hybrid = DeviceClient(shop.hybrid(first, other))
    first.how = other.how = "before"
    with pytest.raises(Refused, match=r"transport\.unreachable"):
        hybrid.evidence(job("JOB-1"))
    with pytest.raises(Refused, match=r"transport\.unreachable"):
        hybrid.status()
    first.how = ""  # the LAN device is back first: the request is free to go there
    hybrid.evidence(job("JOB-1"))
    assert pieces(pair) == [1, 0]


def test_a_hosted_device_that_dies_after_sending_keeps_its_request(shop: Shop, pair: tuple[Broken, Broken]) -> None:
    first, other = pair
    port = shop.hybrid(first, other)
    first.how, other.how = "before", "after"
    with pytest.raises(Refused, match=r"psd\.unreachable"):
        DeviceClient(port).evidence(job("JOB-1"))
    first.how, other.how = "", "before"
    again = DeviceClient(shop.hybrid(first, other, again=port))
    with pytest.raises(Refused, match=r"transport\.unreachable"):
        again.evidence(job("JOB-1"))  # the LAN device is well, but the hosted one has run it
    other.how = ""
    assert again.evidence(job("JOB-1")).first_piece == 1
    assert pieces(pair) == [0, 1]


def test_a_hybrid_that_was_moved_sends_new_work_to_the_hosted_device_only(
    shop: Shop, pair: tuple[Broken, Broken]
) -> None:
    port = shop.hybrid(*pair)
    hybrid = DeviceClient(port)
    kept = hybrid.evidence(job("OLD"))
    move(shop.folder / "hybrid")
    hybrid.evidence(job("NEW"))
    assert hybrid.recover("OLD") == hybrid.evidence(job("OLD")) == kept
    assert pieces(pair) == [1, 1]
    told = hybrid.status()
    assert told.device == FIRST
    assert "moved for good" in told.warnings[0]
    assert "the LAN device of a hybrid" in told.sentence
    hybrid.withdraw(shop.workshop.seal(FIRST, Withdraw(reason="moved"), NOW))
    assert hybrid.status().state == "withdrawn"
    assert hybrid.evidence(job("LATER")).first_piece == 2


def test_one_request_of_two_stations_goes_to_one_device_while_the_line_comes_and_goes(
    shop: Shop, pair: tuple[Broken, Broken]
) -> None:
    first, other = pair
    hybrid = shop.hybrid(first, other)
    got: dict[str, set[bytes]] = {f"R{n}": set() for n in range(30)}

    def work(at: int) -> None:
        for name, seen in got.items():
            first.how = "before" if (at + len(seen)) % 2 else ""
            with suppress(Refused):
                seen.add(hybrid.exchange(commands.encode_command(job(name, 3))))

    threads = [threading.Thread(target=work, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first.how = ""
    for name, seen in got.items():
        seen.add(hybrid.exchange(commands.encode_command(job(name, 3))))
        assert len(seen) == 1
    assert sum(pieces(pair)) == len(got)


def test_orders_and_resets_never_fall_back_and_each_device_is_reached_by_its_name(
    shop: Shop, pair: tuple[Broken, Broken]
) -> None:
    first, other = pair
    port = shop.hybrid(first, other)
    first.how = "before"
    with pytest.raises(Refused, match=r"transport\.unreachable"):
        DeviceClient(port).request_reset(Mills.dollars(5))
    told = commands.decode_answer(port.call(OTHER, commands.encode_command(commands.Identify())))
    assert isinstance(told, commands.Identity)
    assert told.device == OTHER
    with pytest.raises(BadInput, match=r"psd\.no-such-device"):
        port.call("TC1A0000009999", commands.encode_command(commands.Identify()))


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
