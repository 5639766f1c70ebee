"""A hybrid started by its one command: its device dies, its host dies, the WAN host dies, and both; no piece twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.psd.setting import SECRET
from tests.psd.shops import FIRST, OTHER, Shop, funded, job

from towncircle.cli.main import main
from towncircle.kernel.errors import Refused
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.memory import MemoryInRam
from towncircle.psd.ports import ProcessPort
from towncircle.psd.process import create
from towncircle.transport.stations import StationServer
from towncircle.world.stations import port_to


class Hybrid:
    """The command `serve-hybrid` in a process of its own, over a WAN host of this test."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.store = shop, shop.folder / "own"
        create(self.store, **shop.workshop.birth(FIRST), secret=SECRET)
        with ProcessPort(self.store) as port:
            funded(shop, port)
        memory = MemoryInRam()
        manufacture(memory, **shop.workshop.birth(OTHER))
        self.hosted = shop.hosted(memory)
        self.wan = shop.serve("wan", self.hosted.exchange)
        self.direct = shop.station("direct", self.wan, "wan", OTHER)
        funded(shop, self.direct, OTHER)
        shop.station("hybrid", self.wan, "wan", OTHER).close()
        shop.station("desk", shop.serve("lan", lambda device, command: b""), "lan", FIRST).close()
        self.child: subprocess.Popen[str] | None = None
        self.start()
        shop.ends.append(self.kill)

    def start(self) -> None:
        wan = f"{self.wan.address[0]}:{self.wan.address[1]}"
        line = [sys.executable, "-m", "towncircle", "device", "serve-hybrid", str(self.store)]
        line += ["--stations", str(self.shop.folder / "lan"), "--wan", str(self.shop.folder / "wan-hybrid")]
        line += ["--wan-address", wan, "--hosted", OTHER, "--json"]
        self.child = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            told += self.child.stdout.readline()
        host, _, port = json.loads(told)["address"].rpartition(":")
        self.address = f"{host}:{port}"
        self.line = port_to(self.shop.folder / "lan-desk", (host, int(port)), FIRST)
        self.desk = DeviceClient(self.line)

    def kill(self) -> None:
        assert self.child is not None
        self.line.close()
        self.child.kill()
        self.child.communicate()

    def break_device(self) -> None:
        """Kill the LAN device's process, and let no other one open its store."""
        (self.store / "device.sqlite").rename(self.store / "away")
        assert self.child is not None
        told = subprocess.run(["pgrep", "-P", str(self.child.pid)], capture_output=True, text=True, check=False)
        for pid in told.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(1)  # the host notices before the next command: one under way would wait for its own device

    def mend_device(self) -> None:
        (self.store / "away").rename(self.store / "device.sqlite")


@pytest.fixture
def hybrid(tmp_path: Path) -> Iterator[Hybrid]:
    shop = Shop(tmp_path)
    yield Hybrid(shop)
    shop.close()


def until(hybrid: Hybrid, name: str) -> int:
    """Ask for a piece until the hybrid gives it."""
    for _ in range(100):
        with suppress(Refused):
            return hybrid.desk.evidence(job(name)).first_piece
        time.sleep(0.2)
    raise AssertionError("nobody gave the piece")


def test_a_dead_lan_device_is_stood_in_for_and_comes_back(hybrid: Hybrid, capsys: pytest.CaptureFixture[str]) -> None:
    assert hybrid.desk.evidence(job("A")).first_piece == 1
    hybrid.break_device()
    assert until(hybrid, "B") == 1  # the first piece of the hosted device
    told = hybrid.desk.status()
    assert (told.device, told.registers.pieces) == (OTHER, 1)
    assert main(["device", "status", str(hybrid.shop.folder / "lan-desk"), hybrid.address, FIRST]) == 0
    assert f"! The LAN device {FIRST} does not answer" in capsys.readouterr().out
    hybrid.kill()
    hybrid.start()  # with the LAN device still dead, and its name known from the notes
    assert hybrid.desk.recover("B").first_piece == 1
    hybrid.mend_device()
    hybrid.kill()
    hybrid.start()
    assert hybrid.desk.evidence(job("B")).first_piece == 1  # still the hosted device's piece
    assert hybrid.desk.evidence(job("C")).first_piece == 2
    assert DeviceClient(hybrid.direct).status().registers.pieces == 1
    assert hybrid.desk.status().registers.pieces == 2


def test_a_dead_wan_host_harms_nobody_while_the_lan_device_lives_and_both_dead_is_said(hybrid: Hybrid) -> None:
    hybrid.wan.close()
    hybrid.direct.close()
    assert hybrid.desk.evidence(job("A")).first_piece == 1
    hybrid.break_device()
    with pytest.raises(Refused, match=r"psd\.restarting|transport\.unreachable|psd\.unreachable|psd\.interrupted"):
        hybrid.desk.evidence(job("B"))
    hybrid.mend_device()
    assert until(hybrid, "B") == 2
    assert hybrid.desk.status().registers.pieces == 2


def test_a_killed_hybrid_host_asks_the_device_that_it_asked_before(hybrid: Hybrid) -> None:
    hybrid.break_device()
    asked = [f"J{n}" for n in range(6)]
    for name in asked[:3]:
        until(hybrid, name)
    hybrid.mend_device()
    hybrid.kill()
    hybrid.start()
    for name in asked:
        until(hybrid, name)
    assert main(["device", "move", str(hybrid.store)]) == 0
    until(hybrid, "moved")
    for name in asked:
        hybrid.desk.recover(name)
    counts = hybrid.desk.status().registers.pieces, DeviceClient(hybrid.direct).status().registers.pieces
    assert counts == (3, 4)
    assert isinstance(hybrid.wan, StationServer)
