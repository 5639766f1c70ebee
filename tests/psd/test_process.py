"""The device in a process of its own, and what a kill leaves behind."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, SECRET, START, batch

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.pki.keyfile import open_key
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import decode_answer, encode_command
from towncircle.psd.ports import ProcessPort
from towncircle.psd.process import STORE, create, open_device
from towncircle.wire.bodies import Withdraw


class World:
    def __init__(self, place: Path) -> None:
        self.place, self.clock = place / "device", place / "clock.json"
        self.workshop = Workshop(START)
        self.set_clock(START)
        create(self.place, secret=SECRET, **self.workshop.birth(DEVICE))
        device = self.open()
        client = DeviceClient(device)
        self.workshop.commission(client, DEVICE, START)
        self.workshop.reset(client, DEVICE, Mills.dollars(100), START)
        device.close()

    def set_clock(self, at: Instant) -> None:
        self.clock.write_text(json.dumps({"mode": "frozen", "now_us": int(at)}))

    def open(self):  # type: ignore[no-untyped-def]
        return open_device(self.place, clock_file=self.clock, seed=3)

    def port(self, *extra: str, module: str = "towncircle.psd.process") -> ProcessPort:
        return ProcessPort(self.place, arguments=["--clock", str(self.clock), "--seed", "3", *extra], module=module)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_process_answers_as_the_device_does_and_ends_with_its_input(world: World) -> None:
    with world.port() as port:
        client = DeviceClient(port)
        done = client.evidence(batch())
        assert done.registers.ascending == 730
        assert client.recover("JOB-1") == done
        for junk, code in ((b"", "wire.malformed"), (b"\xa0", "psd.malformed"), (b"\xff" * 99, "wire.malformed")):
            with pytest.raises(TowncircleError, match=code.replace(".", r"\.")):
                decode_answer(port.exchange(junk))
    assert port.close() == 0


def test_a_kill_between_evidence_and_answer_loses_nothing(world: World) -> None:
    with world.port() as port:
        client = DeviceClient(port)
        client.evidence(batch("JOB-0"))
        assert port._child.stdin is not None
        command = encode_command(batch("JOB-1", (730,) * 50))
        port._child.stdin.write(len(command).to_bytes(4, "big") + command)
        port._child.stdin.flush()
        assert port._child.stdout is not None
        port._child.stdout.peek(1)  # type: ignore[attr-defined]  # the answer has left, nobody read it
        os.kill(port.pid, signal.SIGKILL)
    with world.port() as port:
        client = DeviceClient(port)
        done = client.recover("JOB-1")
        assert (done.first_piece, done.count) == (2, 50)
        assert client.evidence(batch("JOB-1", (730,) * 50)) == done
        assert client.status().registers.pieces == 51


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("at", [1, 2])
def test_a_process_killed_at_a_write_is_settled_by_asking_again(world: World, at: int, how: str) -> None:
    module = "towncircle.testing.rehearsal"
    with world.port("--rehearse-kill", str(at), "--rehearse-how", how, module=module) as port:
        with pytest.raises(Refused, match=r"psd\.unreachable"):
            DeviceClient(port).evidence(batch("JOB-1", (10, 20)))
        assert port.close() == -signal.SIGKILL
    with world.port() as port:
        client = DeviceClient(port)
        if (at, how) == (2, "after"):
            assert client.recover("JOB-1").count == 2
        else:
            with pytest.raises(Refused, match=r"psd\.request-unknown"):
                client.recover("JOB-1")
        assert client.evidence(batch("JOB-1", (10, 20))).registers.ascending == 30
        assert client.status().registers.pieces == 2


def _in_memory(pid: int, secrets: list[bytes]) -> int:
    """Count how often any of the secrets lies in what a process may write."""
    found = 0
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            if not rights.startswith("rw") or "[v" in line:
                continue
            begin, end = (int(edge, 16) for edge in span.split("-"))
            memory.seek(begin)
            held = memory.read(end - begin)
            found += sum(held.count(secret) for secret in secrets)
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory of a process is a file on Linux only")
def test_a_key_that_has_ended_is_not_in_the_memory_of_the_process(world: World) -> None:
    device = world.open()
    sealed = device._load().indicia_key
    device.close()
    number = open_key(sealed.sealed, lambda: SECRET)._native.private_numbers().private_value
    secrets = [number.to_bytes(32, order) for order in ("big", "little")]
    withdraw = world.workshop.seal(DEVICE, Withdraw(reason="returned"), START)
    with world.port() as port:
        client = DeviceClient(port)
        client.evidence(batch())
        assert _in_memory(port.pid, secrets) > 0  # the scan does find what is there
        client.withdraw(withdraw)
        client.zeroise(DEVICE)
        assert _in_memory(port.pid, secrets) == 0


def test_the_worlds_clock_is_heeded_under_a_test_root_only(tmp_path: Path) -> None:
    workshop = Workshop(START)
    clock = tmp_path / "clock.json"
    clock.write_text(json.dumps({"mode": "frozen", "now_us": int(START)}))
    for test_root in (True, False):
        place = tmp_path / str(test_root)
        create(place, secret=SECRET, **{**workshop.birth(DEVICE), "test_root": test_root})
        device = open_device(place, clock_file=clock)
        assert (DeviceClient(device).status().now == START) is test_root
    clock.write_text(json.dumps({"mode": "running", "offset_us": -3_600_000_000}))
    place = tmp_path / "running"
    create(place, secret=SECRET, **workshop.birth(DEVICE))
    behind = DeviceClient(open_device(place, clock_file=clock)).status().now
    assert 3_590_000_000 < int(DeviceClient(open_device_now(tmp_path)).status().now) - int(behind) < 3_700_000_000


def open_device_now(tmp_path: Path):  # type: ignore[no-untyped-def]
    place = tmp_path / "now"
    create(place, secret=SECRET, **Workshop(START).birth(DEVICE))
    return open_device(place)


@pytest.mark.parametrize(
    "text",
    ["", "{}", '{"mode": "frozen"}', '{"mode": "backwards"}', '{"mode": "frozen", "now_us": "x"}'],
)
def test_a_clock_file_that_cannot_be_read_refuses(world: World, text: str) -> None:
    device = world.open()
    world.clock.write_text(text)
    with pytest.raises(Refused, match=r"psd\.clock-unreadable"):
        DeviceClient(device).status()


def test_one_store_has_one_process(world: World) -> None:
    with world.port() as first:
        assert DeviceClient(first).status().state == "in service"
        with world.port() as second, pytest.raises(Refused, match=r"psd\.store-busy"):
            DeviceClient(second).status()
        assert second.close() == 4


def test_a_damaged_store_is_an_answer_not_a_crash(world: World) -> None:
    store = world.place / STORE
    store.write_bytes(b"x" * store.stat().st_size)
    with world.port() as port:
        for _ in range(2):
            with pytest.raises(BrokenInvariant, match=r"psd\.store-damaged"):
                DeviceClient(port).status()


def test_without_the_operators_secret_nothing_is_signed(world: World) -> None:
    (world.place / "operator.secret").write_bytes(bytes(32))
    with pytest.raises(Refused, match=r"pki\.key-file-locked"):
        DeviceClient(world.open()).evidence(batch())
    (world.place / "operator.secret").unlink()


def _zeroised(world: World) -> None:
    device = world.open()
    client = DeviceClient(device)
    client.withdraw(world.workshop.seal(DEVICE, Withdraw(reason="returned"), START))
    client.zeroise(DEVICE)
    device.close()


def test_a_zeroised_store_has_no_secret_and_an_older_copy_of_it_alone_opens_no_more(world: World) -> None:
    secret, backup = world.place / "operator.secret", (world.place / STORE).read_bytes()
    _zeroised(world)
    assert not secret.exists()
    secret.write_bytes(SECRET)  # as a cut between the commit and this would have left it
    device = world.open()
    assert DeviceClient(device).status().state == "zeroised"
    device.close()
    assert not secret.exists()
    (world.place / STORE).write_bytes(backup)
    device = world.open()
    assert DeviceClient(device).status().state == "in service"
    with pytest.raises(Refused, match=r"psd\.no-secret"):
        DeviceClient(device).evidence(batch())
    device.close()


def test_a_secret_that_lies_in_another_folder_too_is_left_by_zeroise(world: World, tmp_path: Path) -> None:
    (tmp_path / "neighbour.secret").hardlink_to(world.place / "operator.secret")
    _zeroised(world)
    assert (tmp_path / "neighbour.secret").read_bytes() == SECRET
