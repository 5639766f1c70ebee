"""The speed of the simulated year as it is told: what was measured last stands on the page, and is within its goal."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_SECONDS = 300


def test_the_page_tells_the_time_of_a_year_as_it_was_measured_and_it_is_within_five_minutes() -> None:
    measured = json.loads((ROOT / "bench" / "year.json").read_text("utf-8"))
    assert (measured["licensees"], measured["days"], measured["ok"]) == (50, 365, True)
    assert measured["time"]["processor_seconds"] < MOST_SECONDS
    page = (ROOT / "docs" / "speed.md").read_text("utf-8")
    for name in ("processor_seconds", "wall_seconds"):
        assert f"{measured['time'][name]:.0f} s" in page
