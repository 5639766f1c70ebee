"""The auditor names tables that nobody published, versions that fall or that nobody approved, and wrong departments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.auditor.story import ACME, DEVICE, HARBOR, POST, START, Story, told

from towncircle.auditor import audit
from towncircle.auditor.report import Report

LATE = START.plus(hours=3)
BUILD, OTHER = "0a" * 32, "0b" * 32
RATES = {"number": 1, "in_force_from": "2026-12-01"}
TAKEN = {"provider": HARBOR, **RATES}
TABLE = {**RATES, "digest": OTHER, "lines": 3, "total": 2000}
FILED = {"provider": HARBOR, **RATES, "digest": OTHER}
RELEASE = {"model": "TC1A", "version": 1, "build": BUILD}
REPORT = {"licensee": ACME, "version": 1, "next": 0, "running": BUILD}
HEARD = {"provider": HARBOR, "software_version": 1, "software_build": BUILD}


def whole(story: Story) -> None:
    """Tell what agrees: a table, an approved version, and a device that runs it."""
    story.fact(HARBOR, "rates.published", "000001", LATE, **TABLE)
    story.fact(ACME, "rates.received", f"{HARBOR} 000001", LATE, provider=HARBOR, **RATES)
    story.fact(POST, "rates.filed", f"{HARBOR} 000001", LATE, **FILED)
    story.fact(POST, "build.approved", "TC1A 000001", LATE, **RELEASE, regime="imi-2024")
    story.fact(HARBOR, "software.released", "000001", LATE, **RELEASE)
    story.fact(HARBOR, "software.reported", DEVICE, LATE, **REPORT)
    story.fact(POST, "software.forwarded", DEVICE, LATE, **HEARD)


FILE = f"{HARBOR} TC1A"
STEPS = [
    ("product.submitted", {"step": "testing", "build": ""}),
    *(("product.submitted", {"step": step, "build": BUILD}) for step in ("product", "laboratory")),
    ("product.approved", {"build": BUILD, "reference": "APP-1"}),
]
AGREED = [*STEPS, ("build.approved", {**RELEASE, "regime": "imi-2024", "providers": [HARBOR]})]


def submitted(story: Story, facts: list[tuple[str, dict[str, Any]]]) -> None:
    """Tell facts of a submission at the Postal Service, and the release of its build at the Provider."""
    for kind, body in facts:
        told_of = {"provider": HARBOR, **body} if kind != "build.approved" else body
        story.fact(POST, kind, FILE if kind != "build.approved" else "TC1A 000001", LATE, **told_of)
    story.fact(HARBOR, "software.released", "000001", LATE, **RELEASE)


def codes(report: Report) -> set[str]:
    return {one.code for one in report.differences}


def found(story: Story, place: Path) -> set[str]:
    return codes(audit(story.write(place)))


def test_what_agrees_is_no_difference(tmp_path: Path) -> None:
    story = told()
    whole(story)
    report = audit(story.write(tmp_path / "out"))
    assert codes(report) == codes(audit(told().write(tmp_path / "bare")))
    assert report.checked["rate tables"] == 2
    assert report.checked["software reports"] == report.checked["approved builds"] == 1


@pytest.mark.parametrize(
    ("party", "kind", "subject", "body", "code"),
    [
        (ACME, "rates.received", "x", {**TAKEN, "number": 2}, "rates.not-published"),
        (ACME, "rates.received", "x", {**TAKEN, "in_force_from": "2026-12-02"}, "rates.not-published"),
        (POST, "rates.filed", "x", {**FILED, "number": 2}, "rates.not-published"),
        (POST, "rates.filed", "x", {**FILED, "digest": "00"}, "rates.not-published"),
        (POST, "rates.accepted", "x", {**FILED, "digest": "00"}, "rates.not-published"),
        (HARBOR, "rates.accepted", "000001", {"number": 1, "digest": OTHER}, "rates.not-accepted"),
        (HARBOR, "rates.published", "000001", TABLE, "rates.number-fell"),
        (POST, "build.approved", "TC1A 000001", {**RELEASE, "regime": "imi-2024"}, "software.version-fell"),
        (HARBOR, "software.released", "000002", {**RELEASE, "version": 2}, "software.not-approved"),
        (HARBOR, "software.released", "000001", {**RELEASE, "build": OTHER}, "software.not-approved"),
        (HARBOR, "software.reported", DEVICE, {**REPORT, "version": 2}, "software.not-approved"),
        (HARBOR, "software.reported", DEVICE, {**REPORT, "version": 0}, "software.rolled-back"),
        (HARBOR, "software.reported", DEVICE, {**REPORT, "version": 2}, "software.unforwarded"),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_named(
    party: str, kind: str, subject: str, body: dict[str, object], code: str, tmp_path: Path
) -> None:
    story = told()
    whole(story)
    assert code not in found(story, tmp_path / "before")
    story.fact(party, kind, subject, LATE, **body)
    assert code in found(story, tmp_path / "after")


def test_a_department_that_spent_something_else_is_named(tmp_path: Path) -> None:
    story = told()
    body = {"budget": None, "reserved": 0, "spent": 730}
    row = {"kind": "department", "key": "claims", "owner": "claims", "version": 1, "body": body}
    assert "department.spent" not in found(story, tmp_path / "before")
    story.lines(ACME, "records.jsonl").append(row)
    assert "department.spent" in found(story, tmp_path / "out")


def test_an_approved_build_rests_on_a_submission(tmp_path: Path) -> None:
    report = audit(written(AGREED, tmp_path / "whole"))
    assert "software.not-submitted" not in codes(report)
    assert report.checked["submitted builds"] == 2
    start = ("product.approved", {"build": BUILD, "reference": "from-the-start"})
    assert "software.not-submitted" in codes(audit(written([start, AGREED[-1]], tmp_path / "no house")))


def test_one_that_stands_from_the_start_says_so_and_one_of_an_earlier_release_asked_for_none(tmp_path: Path) -> None:
    story = told()
    submitted(story, [("product.approved", {"build": BUILD, "reference": "from-the-start"}), AGREED[-1]])
    for fact in story.lines(POST, "facts.jsonl"):
        if fact["type"] == "product.approved":
            fact["clauses"] = ["502.11", "house"]
    story.rechain(POST)
    early = [("build.approved", {**RELEASE, "regime": "imi-2024"})]
    for place in (story.write(tmp_path / "start"), written(early, tmp_path / "early")):
        assert "software.not-submitted" not in codes(audit(place))


@pytest.mark.parametrize(
    "facts",
    [
        AGREED[-1:],  # nothing was submitted
        AGREED[3:],  # nothing was handed over
        AGREED[1:],  # nobody tested it
        [*AGREED[:2], *AGREED[3:]],  # no laboratory had it
        [*AGREED[:3], AGREED[-1], AGREED[3]],  # it was approved afterwards
        [*STEPS[:3], ("product.approved", {"build": OTHER, "reference": "APP-1"}), AGREED[-1]],  # on another build
        [*STEPS, ("build.approved", {**RELEASE, "regime": "imi-2024", "providers": []})],
        [*STEPS, ("build.approved", {**RELEASE, "regime": "imi-2024", "providers": ["provider.summit"]})],
    ],
)
def test_a_build_without_a_whole_submission_is_named(facts: list[tuple[str, dict[str, Any]]], tmp_path: Path) -> None:
    assert "software.not-submitted" in codes(audit(written(facts, tmp_path / "out")))


def written(facts: list[tuple[str, dict[str, Any]]], place: Path) -> Path:
    story = told()
    submitted(story, facts)
    return story.write(place)
