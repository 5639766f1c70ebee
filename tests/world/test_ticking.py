"""The clock of running parties acts on deadlines at the start, and a defect ends the process."""

import signal
import threading
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, mailer, new_world

from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.storage.sqlite import SqliteStore
from towncircle.world import ticking
from towncircle.world.ticking import Ticker
from towncircle.world.up import Servers
from towncircle.world.world import STORE, World


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """Make a world in which an audit fell overdue while nobody ran."""
    world = new_world(tmp_path / "world", "ibi-1998")
    mailer(world)
    world.clock.advance("4mo")
    world.close()
    return tmp_path / "world"


def missed(folder: Path) -> list[str]:
    store = SqliteStore(folder / HARBOR / STORE)
    try:
        with store.reading() as view:
            return [str(fact.body["limit"]) for fact in view.facts() if fact.type == "limit.missed"]
    finally:
        store.close()


def test_parties_that_run_as_processes_catch_up_when_they_start(silent: Path) -> None:
    assert missed(silent) == []
    servers = Servers.start(silent)
    try:
        pause = threading.Event()
        for _ in range(600):
            if len(missed(silent)) >= 5:
                break
            pause.wait(0.1)
    finally:
        servers.stop()
    found = missed(silent)
    assert found.count("device-audit") == 1
    assert found.count("lost-and-stolen-file") == 4


def test_a_ticker_looks_again_and_stops_when_told(silent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticking, "TICK_SECONDS", 0.01)
    looks = threading.Semaphore(0)
    monkeypatch.setattr(ticking, "act_on_deadlines", lambda _world: looks.release())
    ticker = Ticker(World.open(silent))
    ticker.start()
    for _ in range(3):
        assert looks.acquire(timeout=60)
    ticker.stop()


def test_a_busy_store_is_tried_again_and_a_defect_ends_the_process(
    silent: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ticking, "TICK_SECONDS", 0.01)
    troubles = [Refused("storage.busy", path="x"), BrokenInvariant("desk.no-answer", message="x")]
    ended: list[int] = []

    def fail(_world: World) -> None:
        raise troubles.pop(0)

    monkeypatch.setattr(ticking, "act_on_deadlines", fail)
    monkeypatch.setattr(ticking.os, "kill", lambda _pid, number: ended.append(number))
    monkeypatch.setattr(threading, "excepthook", lambda _told: None)
    ticker = Ticker(World.open(silent))
    ticker.start()
    ticker._thread.join(60)
    assert ended == [signal.SIGTERM]
    assert troubles == []
    assert "storage.busy" in capsys.readouterr().err
