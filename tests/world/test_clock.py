"""The world's clock: it goes forward only, and a damaged file is refused and left as it is."""

from pathlib import Path

import pytest

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.world import clock as clock_module
from towncircle.world.clock import WorldClock

START = Instant.parse("2026-11-23T14:00Z")


@pytest.fixture
def frozen(tmp_path: Path) -> WorldClock:
    return WorldClock.start(tmp_path / "clock.json", START)


def test_a_frozen_clock_stands_until_it_is_advanced(frozen: WorldClock) -> None:
    assert frozen.now() == frozen.now() == START
    assert frozen.advance("73h") == frozen.now() == START.plus(hours=73)


def test_every_reader_of_the_file_sees_the_same_time(frozen: WorldClock) -> None:
    other = WorldClock(frozen.path)
    frozen.advance("2d")
    assert other.now() == START.plus(days=2)


def test_months_are_calendar_months_of_the_eastern_zone(frozen: WorldClock) -> None:
    frozen.advance("4mo")  # from standard time to daylight saving time
    assert frozen.now() == Instant.parse("2027-03-23T13:00Z")


def test_a_running_clock_is_the_machines_with_an_offset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = START
    monkeypatch.setattr(clock_module, "machine_now", lambda: machine)
    running = WorldClock.start(tmp_path / "clock.json", None)
    assert running.now() == START
    running.advance("73h")
    machine = START.plus(hours=1)
    assert running.now() == START.plus(hours=74)


@pytest.mark.parametrize("step", ["0h", "0mo", "0s"])
def test_a_step_that_goes_nowhere_is_refused(frozen: WorldClock, step: str) -> None:
    with pytest.raises(Refused) as caught:
        frozen.advance(step)
    assert caught.value.code == "world.clock-back"
    assert frozen.now() == START


@pytest.mark.parametrize(
    ("step", "code"),
    [("-1h", "time.step-unreadable"), ("soon", "time.step-unreadable"), ("999999mo", "time.out-of-range"),
     ("999999w", "time.out-of-range")],
)  # fmt: skip
def test_an_impossible_step_is_refused_and_the_clock_stands(frozen: WorldClock, step: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        frozen.advance(step)
    assert caught.value.code == code
    assert frozen.now() == START


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "null", "{}", '{"mode": "frozen"}', '{"mode": "frozen", "now_us": "soon"}',
     '{"mode": "frozen", "now_us": 1.5}', '{"mode": "frozen", "now_us": true}', '{"mode": "running"}',
     '{"mode": "back", "now_us": 1}', '{"mode": "frozen", "now_us": 1e400}', "\ufffd\x00"],
)  # fmt: skip
def test_a_damaged_clock_file_is_refused_and_left_as_it_is(frozen: WorldClock, text: str) -> None:
    frozen.path.write_text(text)
    for use in (frozen.now, lambda: frozen.advance("1h")):
        with pytest.raises(Refused) as caught:
            use()
        assert caught.value.code == "world.damaged"
        assert "clock.json" in caught.value.sentence
    assert frozen.path.read_text() == text


def test_bytes_that_are_no_text_are_refused_too(frozen: WorldClock) -> None:
    frozen.path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Refused):
        frozen.now()


def test_a_clock_of_another_age_is_refused(frozen: WorldClock) -> None:
    frozen.path.write_text('{"mode": "frozen", "now_us": 99999999999999999999}')
    with pytest.raises(Refused):
        frozen.now()


def test_a_missing_clock_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        WorldClock(tmp_path / "clock.json").now()
    assert caught.value.code == "world.damaged"
