"""The auditor names who decided the appeal against an own decision, and two valid licenses at one post office."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.auditor.story import ACME, HARBOR, POST, START, Story, told

from towncircle.auditor import audit

LATE = START.plus(hours=3)
LICENSE, DECISION, DOCKET = "20260-000009", "RVK-20260-000009-1", "MTM-2026-000001"


def appealed(story: Story, *, decider: str) -> None:
    """Revoke a license by mats, and have an appeal against it decided."""
    about = {"licensee": ACME, "decision": DECISION}
    story.fact(
        POST, "license.revoked", LICENSE, LATE, person="mats", provider="provider.none", grounds=["control"], **about
    )
    story.fact(POST, "license.appealed", LICENSE, LATE, docket=DOCKET, **about)
    told_ = {"about": LICENSE, "outcome": "upheld", **about}
    story.fact(POST, "license.appeal-decided", DOCKET, LATE, person=decider, **told_)


def licensed(story: Story, number: str, *, office: str = "20260", state: str = "valid") -> None:
    body = {"licensee": ACME, "state": state, "office_zip": office, "provider": HARBOR}
    line = {"kind": "license", "key": number, "owner": ACME, "version": 1, "body": body}
    story.lines(POST, "records.jsonl").append(line)


def codes(story: Story, out: Path) -> set[str]:
    return {one.code for one in audit(story.write(out / "out")).differences}


@pytest.mark.parametrize(("decider", "named"), [("olaf", False), ("mats", True), ("m-ats", True)])
def test_an_appeal_decided_by_who_made_the_decision_is_named(decider: str, named: bool, tmp_path: Path) -> None:
    story = told()
    appealed(story, decider=decider)
    assert ("appeal.same-person" in codes(story, tmp_path)) is named


@pytest.mark.parametrize(
    ("office", "state", "named"), [("20260", "valid", True), ("20260", "revoked", False), ("10001", "valid", False)]
)
def test_two_valid_licenses_at_one_office_are_named(office: str, state: str, named: bool, tmp_path: Path) -> None:
    story = told()
    licensed(story, "20260-000008")
    licensed(story, "20260-000009", office=office, state=state)
    assert ("license.two-valid" in codes(story, tmp_path)) is named
