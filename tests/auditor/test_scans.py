"""Scans that were held and scans that were accepted, as the auditor sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.auditor.story import DEVICE, POST, Story, scanned, told

from towncircle.auditor import audit

SCANS = "scans.jsonl"
HELD: dict[str, Any] = {"disposition": "hold"}
TAKEN: dict[str, Any] = {}
DUPLICATE = {"verdict": "DUPLICATE", "disposition": "reject"}


def story_of(*scans: dict[str, Any]) -> Story:
    """Tell scans of the indicium at 730, in this order, beside that of 1460."""
    story = told()
    for file in (SCANS, "facts.jsonl"):
        del story.lines(POST, file)[-2:]
    scanned(story, hours=2, ascending=1460)
    for hours, changes in enumerate(scans, start=3):
        scanned(story, hours=hours, **changes)
    return story


def codes_of(story: Story, out: Path) -> set[str]:
    return {difference.code for difference in audit(story.write(out)).differences}


@pytest.mark.parametrize(
    "scans",
    [
        (HELD,),
        (HELD, HELD),
        (HELD, TAKEN),
        (HELD, TAKEN, DUPLICATE),
        ({**HELD, "piece": "SCN-P"}, {**DUPLICATE, "piece": "SCN-P"}, TAKEN),
        ({"piece": "SCN-P"}, {"piece": "SCN-Q", **DUPLICATE}),
    ],
)
def test_a_mark_may_be_held_before_it_is_accepted_and_is_a_duplicate_afterwards(
    tmp_path: Path, scans: tuple[dict[str, Any], ...]
) -> None:
    assert codes_of(story_of(*scans), tmp_path / "out") == set()


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_the_lines_says_nothing_about_the_order_of_the_scans(tmp_path: Path, turned: bool) -> None:
    """The lines stand by id, which is drawn by chance; the journal tells what came first."""
    story = story_of(HELD, TAKEN)
    if turned:
        story.lines(POST, SCANS).reverse()
    assert codes_of(story, tmp_path / "out") == set()


@pytest.mark.parametrize(
    ("scans", "codes"),
    [
        ((TAKEN, TAKEN), {"scan.twice"}),
        ((HELD, TAKEN, TAKEN), {"scan.twice"}),
        ((TAKEN, HELD), {"scan.twice"}),
        ((TAKEN, {"disposition": "accept"}), {"scan.twice"}),
        (({**HELD, "ascending": 9_999},), {"scan.not-evidenced"}),
        (({**TAKEN, "verdict": "INVALID"},), {"scan.accepted"}),
        ((HELD, {**TAKEN, "verdict": "DUPLICATE"}), {"scan.accepted"}),
        (({"piece": "SCN-P"}, {**DUPLICATE, "piece": "SCN-P"}), {"scan.piece"}),
        (({"piece": "SCN-P"}, {"verdict": "UNREADABLE", **HELD, "piece": "SCN-P"}), {"scan.piece"}),
    ],
)
def test_a_mark_that_was_accepted_against_the_rule_is_named(
    tmp_path: Path, scans: tuple[dict[str, Any], ...], codes: set[str]
) -> None:
    assert codes_of(story_of(*scans), tmp_path / "out") == codes


@pytest.mark.parametrize(("name", "to"), [("disposition", "accept"), ("piece", "SCN-P")])
def test_a_line_that_was_bent_is_not_what_its_fact_says(tmp_path: Path, name: str, to: str) -> None:
    out = story_of(HELD).write(tmp_path / "out")
    path = out / POST / SCANS
    rows = [json.loads(text) for text in path.read_text().splitlines()]
    assert rows[1]["device"] == DEVICE
    rows[1][name] = to
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "scan.fact-differs" in {difference.code for difference in audit(out).differences}
