"""Real device processes are killed at any moment and run out of disk: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, SECRET, START, batch

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.psd import resealing
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Evidence, Evidenced
from towncircle.psd.ports import ProcessPort
from towncircle.psd.process import STORE, create, open_device
from towncircle.psd.sqlite import SqliteMemory
from towncircle.testing.dice import dice_for
from towncircle.wire.bodies import Withdraw

KILLS = 60 if os.environ.get("CI") else 8


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return funded(tmp_path)


def funded(tmp_path: Path, *, withdrawn: bool = False) -> Path:
    """Make a funded device in a folder, under a clock that stands still."""
    workshop, folder = Workshop(START), tmp_path / "device"
    (tmp_path / "clock.json").write_text(json.dumps({"mode": "frozen", "now_us": int(START)}))
    create(folder, secret=SECRET, **workshop.birth(DEVICE))
    device = open_device(folder, clock_file=tmp_path / "clock.json", seed=3)
    workshop.commission(DeviceClient(device), DEVICE, START)
    workshop.reset(DeviceClient(device), DEVICE, Mills.dollars(500), START)
    if withdrawn:
        DeviceClient(device).withdraw(workshop.seal(DEVICE, Withdraw(reason="returned"), START))
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


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _killed_in_zeroise(place: Path, owner: object, name: str) -> None:
    """Have a process of its own zeroise the device and die as it comes to a step."""
    child = os.fork()
    if child == 0:
        try:
            client = DeviceClient(open_device(place, clock_file=place.parent / "clock.json"))
            setattr(owner, name, _die)
            client.zeroise(DEVICE)
        finally:
            os._exit(1)  # the step was not reached
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("owner", "name", "left"),
    [
        (SqliteMemory, "forget_keys", SECRET),  # just after the commit
        (resealing, "overwrite", SECRET),
        (Path, "unlink", bytes(32)),
    ],
    ids=["after the commit", "before it is overwritten", "before it is removed"],
)
def test_a_device_killed_after_the_commit_of_zeroise_destroys_its_secret_before_it_says_anything(
    tmp_path: Path, owner: object, name: str, left: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = funded(tmp_path, withdrawn=True)
    secret, clock = place / "operator.secret", tmp_path / "clock.json"
    with closing(SqliteMemory(place / STORE)) as memory:
        sealed = memory.load([DEVICE])[DEVICE].indicia_key
    assert sealed is not None
    assert sealed.sealed in (place / STORE).read_bytes()
    _killed_in_zeroise(place, owner, name)
    assert secret.read_bytes() == left
    with monkeypatch.context() as broken:
        broken.setattr(resealing, "overwrite", _refuse)
        with pytest.raises(Refused, match=r"psd\.store-failed.*gone"):
            open_device(place, clock_file=clock)
    assert secret.exists()
    with started(place) as port:
        assert DeviceClient(port).status().state == "zeroised"
        assert not secret.exists()
    assert not any(sealed.sealed in file.read_bytes() for file in place.iterdir() if file.is_file())


def _refuse(*_: object) -> None:
    raise OSError("the disk is gone")


def test_a_device_whose_secret_could_not_be_destroyed_does_not_say_that_it_is_zeroised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = funded(tmp_path, withdrawn=True)
    device = open_device(place, clock_file=tmp_path / "clock.json")
    client = DeviceClient(device)
    with monkeypatch.context() as broken:
        broken.setattr(resealing, "overwrite", _refuse)
        for call in (lambda: client.zeroise(DEVICE), client.status, client.identify):
            with pytest.raises(Refused, match=r"psd\.store-failed.*gone"):
                call()
    assert (place / "operator.secret").read_bytes() == SECRET
    assert client.status().state == "zeroised"
    assert not (place / "operator.secret").exists()
    device.close()
