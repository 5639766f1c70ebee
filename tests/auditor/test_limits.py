"""The auditor names an act on a limit that stands twice, without its cause, or at another time; and a denied reset."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.auditor.story import ACME, DEVICE, HARBOR, START, Story, told

from towncircle.auditor import audit

ANCHOR = 0  # the place of the fact from which the limit counts
UNTIL, LOOKED = START.plus(hours=2), START.plus(hours=3)
DUTY = "device-audit FCT-1"


def acts(story: Story, *kinds: str, until: Any = UNTIL, occurred: Any = None, at: Any = LOOKED, **more: Any) -> None:
    anchor = story.lines(HARBOR, "facts.jsonl")[ANCHOR]["id"]
    for kind in kinds:
        body = {"limit": "device-audit", "duty": DUTY}
        if not kind.startswith("resets."):
            body |= {"anchor": anchor, "until": until.iso(), "shape": "interval"}
        body |= {"to": ACME} if kind in ("notice.given", "limit.reminded") else {}
        body |= {"case": "audit overdue"} if kind.startswith("limit.case-") else {}
        story.fact(HARBOR, kind, DEVICE, at, **{**body, **more})
        if kind == "limit.missed":
            story.lines(HARBOR, "facts.jsonl")[-1]["occurred_at"] = (occurred or UNTIL).iso()
    story.rechain(HARBOR)


def found(story: Story, tmp_path: Path) -> set[str]:
    return {difference.code for difference in audit(story.write(tmp_path / "out")).differences}


def test_a_limit_that_was_missed_told_and_mended_is_no_difference(tmp_path: Path) -> None:
    story = told()
    acts(story, "limit.reminded", at=START.plus(hours=1))
    acts(story, "limit.missed", "notice.given", "limit.case-opened", "resets.denied")
    acts(story, "limit.mended", "limit.case-closed", "resets.allowed", at=START.plus(hours=4))
    report = audit(story.write(tmp_path / "out"))
    assert report.differences == []
    assert report.checked["acts on limits"] == 8


def _denied_reset(story: Story) -> None:
    rows = story.lines(HARBOR, "facts.jsonl")
    place = next(place for place, row in enumerate(rows) if row["type"] == "reset.reserved")
    acts(story, "limit.missed", "resets.denied")
    rows[place:place] = [rows.pop(-2), rows.pop(-1)]
    story.rechain(HARBOR)


CHEATS: dict[str, tuple[Callable[[Story], None], str]] = {
    "a notice given twice": (lambda s: acts(s, "limit.missed", "notice.given", "notice.given"), "limit.twice"),
    "a limit missed twice": (lambda s: acts(s, "limit.missed", "limit.missed"), "limit.twice"),
    "a notice without a missed limit": (lambda s: acts(s, "notice.given"), "limit.no-cause"),
    "a case without a missed limit": (lambda s: acts(s, "limit.case-opened"), "limit.no-cause"),
    "a case closed that was never opened": (lambda s: acts(s, "limit.missed", "limit.case-closed"), "limit.no-cause"),
    "a denial without a missed limit": (lambda s: acts(s, "resets.denied"), "limit.no-cause"),
    "an allowance without a denial": (lambda s: acts(s, "limit.missed", "resets.allowed"), "limit.no-cause"),
    "a limit that counts from a fact that is not there": (
        lambda s: acts(s, "limit.missed", "limit.case-opened", anchor="FCT-NONE"),
        "limit.no-anchor",
    ),
    "a limit missed before its time": (lambda s: acts(s, "limit.missed", until=START.plus(hours=4)), "limit.time"),
    "a limit dated when it was seen": (lambda s: acts(s, "limit.missed", occurred=LOOKED), "limit.time"),
    "a reminder of what is past": (lambda s: acts(s, "limit.reminded"), "limit.time"),
    "an end that is no instant": (lambda s: acts(s, "limit.missed", until=_Nonsense()), "limit.time"),
    "an act without its duty": (lambda s: acts(s, "limit.missed", duty=None), "fact.malformed"),
    "a reset of a denied device": (_denied_reset, "limit.denied"),
}


class _Nonsense:
    def iso(self) -> str:
        return "soon"


@pytest.mark.parametrize("name", CHEATS)
def test_each_cheat_is_named(tmp_path: Path, name: str) -> None:
    story = told()
    bend, expected = CHEATS[name]
    bend(story)
    assert expected in found(story, tmp_path)
