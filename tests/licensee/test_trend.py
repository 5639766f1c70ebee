"""The trend of a printer: what its last pieces say against those before, and against the house's threshold."""

from __future__ import annotations

import pytest

from towncircle.kernel.instants import Instant
from towncircle.licensee.trend import Graded, trends

NOON = Instant.parse("2026-11-22T12:00Z")


def piece(day: int, *, printer: str = "desk", device: str = "D1", **components: str) -> Graded:
    return Graded(
        at=NOON.plus(hours=24 * day), device=device, printer=printer, forwarded=day % 2 == 0, components=components
    )


def of(grades: str) -> list[Graded]:
    return [piece(day, contrast="A", modulation=grade) for day, grade in enumerate(grades)]


@pytest.mark.parametrize(
    ("grades", "now", "before", "warned"),
    [
        ("A", 400, None, ""),
        ("CCCCC", 200, None, ""),
        ("CCCCD", 180, None, "below grade C"),
        ("AAAAAAAABB", 360, 400, ""),
        ("AAABBBBB", 300, 400, "a grade or more below"),
        ("AABBBBB", 300, None, ""),  # two pieces before are none to compare with
        ("FFFAAAAA", 400, 0, ""),
    ],
)
def test_a_printer_is_told_of_below_the_threshold_and_when_it_falls(
    grades: str, now: int, before: int | None, warned: str
) -> None:
    (found,) = trends(of(grades), by="printer")
    assert (found.recent_points, found.before_points) == (now, before)
    assert (warned in found.warning) if warned else found.warning == ""


def test_the_weakest_component_is_the_lowest_of_the_last_pieces() -> None:
    pieces = [piece(day, contrast="B", decodability="C" if day else "A", turn_free="A") for day in range(3)]
    (found,) = trends(pieces, by="printer")
    assert found.weakest == "decodability"
    assert [one.weakest for one in found.pieces] == ["contrast", "decodability", "decodability"]


def test_printers_and_devices_are_told_apart_and_what_is_unreadable_is_the_worst() -> None:
    pieces = [piece(0, contrast="A"), piece(1, printer="unknown"), piece(2, device="D2", contrast="B")]
    assert [(one.name, one.recent_points) for one in trends(pieces, by="printer")] == [("desk", 350), ("unknown", 0)]
    assert [(one.name, one.recent_points) for one in trends(pieces, by="device")] == [("D1", 200), ("D2", 300)]
    assert trends([], by="device") == []
