"""The two files of an inspection are set against each other: one word that differs is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.auditor.story import HARBOR, POST, START, Story, sealed, told

from towncircle.auditor import audit
from towncircle.wire.bodies import InspectionAnswer, InspectionReport

LATE = START.plus(hours=4)
NAME, DAY, PAPER, ANSWER = "I-7", "2026-11-21", "ab" * 32, "cd" * 32
VISIT: dict[str, Any] = {"scope": "distribution", "site": "the store", "on": DAY, "records": ["shipping book"]}
FOUND: dict[str, Any] = {"scope": "distribution", "announced": DAY, "outcome": "deficient", "findings": 1}
FILE: dict[str, Any] = {**VISIT, **FOUND, "findings": ["no lock"], "document": PAPER, "answers": ["a lock"]}
END = {"state": "closed", "end": "corrected", "words": "seen"}
AT_POST: dict[str, dict[str, Any]] = {
    "inspection.announced": VISIT,
    "inspection.reported": {**FOUND, "site": "the store", "records": ["shipping book"], "document": PAPER},
    "inspection.answer-filed": {"document": ANSWER},
    "inspection.closed": {"outcome": "corrected"},
}
AT_PROVIDER: dict[str, dict[str, Any]] = {
    "inspection.announced": VISIT,
    "inspection.found": FOUND,
    "inspection.answered": {"document": ANSWER},
    "inspection.closed": {"outcome": "corrected"},
}
Bend = Callable[[Story], None]


def whole() -> Story:
    """Tell an inspection that was announced, answered and closed, alike at both ends."""
    story = told()
    for kind, body in AT_POST.items():
        story.fact(POST, kind, NAME, LATE, provider=HARBOR, **body)
    for kind, body in AT_PROVIDER.items():
        story.fact(HARBOR, kind, NAME, LATE, **body)
    for party, more in ((POST, {"answer_document": ANSWER}), (HARBOR, {})):
        row = {"kind": "inspection", "key": NAME, "owner": HARBOR, "version": 1, "body": {**FILE, **END, **more}}
        story.lines(party, "records.jsonl").append(row)
    return story


def codes(story: Story, place: Path) -> set[str]:
    return {one.code for one in audit(story.write(place)).differences if one.code.startswith("inspection.")}


def fact(party: str, kind: str, **changes: Any) -> Bend:
    """Change what a party's fact says, or take the fact out where nothing is named."""

    def bend(story: Story) -> None:
        lines = story.lines(party, "facts.jsonl")
        for row in [row for row in lines if row["type"] == kind]:
            row["body"] |= changes
            if not changes:
                lines.remove(row)
        story.rechain(party)

    return bend


def file(party: str, **changes: Any) -> Bend:
    """Change what a party's file says, or take the file out where nothing is named."""

    def bend(story: Story) -> None:
        lines = story.lines(party, "records.jsonl")
        for row in [row for row in lines if row["kind"] == "inspection"]:
            row["body"] = {**row["body"], **changes}
            if not changes:
                lines.remove(row)

    return bend


def test_two_files_that_agree_are_no_difference(tmp_path: Path) -> None:
    report = audit(whole().write(tmp_path / "out"))
    assert [one for one in report.differences if one.code.startswith("inspection.")] == []
    assert report.checked["inspections"] == 1


DAMAGE: dict[str, tuple[Bend, str]] = {
    "announced by nobody": (fact(POST, "inspection.announced"), "inspection.one-end"),
    "announced to nobody": (fact(HARBOR, "inspection.announced"), "inspection.one-end"),
    "found, and nobody told": (fact(HARBOR, "inspection.found"), "inspection.one-end"),
    "found by nobody": (fact(POST, "inspection.reported"), "inspection.one-end"),
    "an answer that nobody gave": (fact(HARBOR, "inspection.answered"), "inspection.one-end"),
    "an answer that nobody filed": (fact(POST, "inspection.answer-filed"), "inspection.one-end"),
    "closed by nobody": (fact(POST, "inspection.closed"), "inspection.one-end"),
    "another day": (fact(HARBOR, "inspection.announced", on="2026-11-22"), "inspection.differs"),
    "another place": (fact(HARBOR, "inspection.announced", site="the works"), "inspection.differs"),
    "other records": (fact(POST, "inspection.announced", records=[]), "inspection.differs"),
    "another outcome": (fact(HARBOR, "inspection.found", outcome="in-order"), "inspection.differs"),
    "fewer findings": (fact(HARBOR, "inspection.found", findings=0), "inspection.differs"),
    "another paper": (fact(POST, "inspection.answer-filed", document=PAPER), "inspection.differs"),
    "another end": (fact(HARBOR, "inspection.closed", outcome="referred"), "inspection.differs"),
    "no file at the Provider": (file(HARBOR), "inspection.file"),
    "no file at the Postal Service": (file(POST), "inspection.file"),
    "other findings": (file(HARBOR, findings=["no key"]), "inspection.file"),
    "other answers": (file(POST, answers=["a key"]), "inspection.file"),
    "other reasons": (file(HARBOR, words="not seen"), "inspection.file"),
    "a file that its own facts do not make": (file(POST, findings=["no lock", "no key"]), "inspection.file"),
    "another end in the file": (file(POST, end="referred"), "inspection.file"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_differs_is_named(name: str, tmp_path: Path) -> None:
    bend, code = DAMAGE[name]
    story = whole()
    bend(story)
    assert code in codes(story, tmp_path / "out")


def test_an_export_of_before_has_no_files_and_its_facts_are_compared(tmp_path: Path) -> None:
    story = whole()
    for party in (POST, HARBOR):
        file(party)(story)
    assert codes(story, tmp_path / "same") == set()
    fact(HARBOR, "inspection.closed", outcome="referred")(story)
    assert codes(story, tmp_path / "other") == {"inspection.differs"}


def test_what_waits_is_no_difference_and_what_is_refused_after_a_referral_neither(tmp_path: Path) -> None:
    report = InspectionReport(
        inspection=NAME, scope="distribution", site="the store", announced=DAY, records=(), outcome="deficient",
        findings=("no lock",), document=PAPER, at=LATE,
    )  # fmt: skip
    answer = InspectionAnswer(inspection=NAME, answers=("a lock",), document=ANSWER, at=LATE)
    for sender, to, kind, body in (
        (POST, HARBOR, "inspection.found", report),
        (HARBOR, POST, "inspection.answer-filed", answer),
    ):
        story = whole()
        fact(to, kind)(story)
        sealed(story, sender, to, "MSG-W", 9, LATE, body)
        story.lines(to, "messages.jsonl").pop()
        story.lines(sender, "messages.jsonl")[-1] |= {"direction": "waiting", "since": LATE.iso()}
        assert codes(story, tmp_path / f"quiet {kind}") == {"inspection.one-end"}
        story.header["quiet"] = False
        assert codes(story, tmp_path / kind) == set()
    story = whole()
    fact(POST, "inspection.answer-filed")(story)
    for party in (POST, HARBOR):
        fact(party, "inspection.closed", outcome="referred")(story)
        file(party, end="referred")(story)
    assert codes(story, tmp_path / "referred") == set()
