"""Real device processes are killed at any moment and run out of disk: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, SECRET, START, batch

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Evidence, Evidenced
from towncircle.psd.ports import ProcessPort
from towncircle.psd.process import create, open_device
from towncircle.testing.dice import dice_for

KILLS = 60 if os.environ.get("CI") else 8


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A funded device in a folder, under a clock that stands still."""
    workshop, folder = Workshop(START), tmp_path / "device"
    (tmp_path / "clock.json").write_text(json.dumps({"mode": "frozen", "now_us": int(START)}))
    create(folder, secret=SECRET, **workshop.birth(DEVICE))
    device = open_device(folder, clock_file=tmp_path / "clock.json", seed=3)
    workshop.commission(DeviceClient(device), DEVICE, START)
    workshop.reset(DeviceClient(device), DEVICE, Mills.dollars(500), START)
    device.close()
    return folder


def started(place: Path) -> ProcessPort:
    return ProcessPort(place, arguments=["--clock", str(place.parent / "clock.json"), "--seed", "3"])


def test_killed_again_and_again_the_device_keeps_every_acknowledged_debit(place: Path) -> None:
    dice = dice_for("kill loop")
    answers: dict[str, Evidenced] = {}
    waiting: Evidence | None = None
    spent = met = 0
    for _ in range(KILLS):
        with started(place) as port:
            client = DeviceClient(port)
            assert client.status().registers.ascending >= spent
            for name in list(answers)[-5:]:
                assert client.recover(name) == answers[name]
            killer = threading.Timer(dice.random() / 5, os.kill, (port.pid, signal.SIGKILL))
            killer.start()
            try:
                while True:
                    if waiting is None:
                        amounts = tuple(dice.randrange(1, 3) for _ in range(dice.choice((1, 3, 100))))
                        waiting = batch(f"JOB-{len(answers)}", amounts)
                    done = client.evidence(waiting)
                    assert done.first_piece == 1 + sum(held.count for held in answers.values())
                    answers[waiting.request_id] = done
                    spent, waiting = int(done.registers.ascending), None
            except Refused as refusal:
                if refusal.code == "psd.funds-short":
                    killer.join()
                    break
                if refusal.code != "psd.unreachable":
                    raise
                met += 1
            killer.join()
    assert met > 5
    with started(place) as port:
        client = DeviceClient(port)
        if waiting is not None:
            answers[waiting.request_id] = client.evidence(waiting)
        for name, done in answers.items():
            assert client.recover(name) == done
        registers = client.status().registers
        assert registers.ascending + registers.descending == Mills.dollars(500)
        assert registers.pieces == sum(done.count for done in answers.values())


def test_a_process_whose_files_may_not_grow_refuses_and_goes_on_after_that(place: Path) -> None:
    with started(place) as port:
        client = DeviceClient(port)
        first = client.evidence(batch("JOB-1"))
        size = max(file.stat().st_size for file in place.iterdir())
        resource.prlimit(port.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        for name in ("JOB-2", "JOB-3"):
            with pytest.raises(Refused, match=r"psd\.store-failed"):
                client.evidence(batch(name, (5,) * 1000))
        assert client.recover("JOB-1") == first
        os.kill(port.pid, signal.SIGKILL)
    with started(place) as port:
        client = DeviceClient(port)
        assert client.status().registers.pieces == 1
        assert client.recover("JOB-1") == first
        assert client.evidence(batch("JOB-2", (5,) * 1000)).first_piece == 2
