"""The duties that show at the scanner: each deviation is a finding that names the requirement it breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.conformance.breaking import names, refused
from tests.verification.story import NOON, TERMS, Story

from towncircle.indicium import decode, join
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.rules import ruleset
from towncircle.verification import Observed, PriorScan, Refunded, StatusFacts, content_key, judge
from towncircle.verification.verdict import Verdict

STORY = Story()
SEEN = Observed(amount_due=Mills(740), origin="20260", destination="10001", weight_tenths=10, deposited_at=NOON)


def judged(
    payload: bytes, story: Story = STORY, *, observed: Observed = SEEN, now: Instant = NOON, **pack: object
) -> Verdict:
    return judge(payload, story.pack(**pack), StatusFacts(), now, observed)


def found(verdict: Verdict, code: str, row: str) -> None:
    """Expect that a finding went against the mark under a requirement, and that the mark is not accepted."""
    finding = verdict.finding(code)
    assert finding.ok is not True
    assert names(finding.clause, row), (code, finding.clause)
    assert not verdict.disposition.startswith("accept")


@pytest.mark.requirement("PRE-05/1")
def test_a_mark_without_a_certificate_that_is_known_is_not_accepted() -> None:
    found(judged(STORY.mark(certificate_serial=99)), "mark.certificate", "PRE-05")


@pytest.mark.requirement("PRE-05/2")
def test_every_changed_byte_of_a_mark_is_found() -> None:
    good = STORY.mark()
    size = len(good) - 64
    for at in range(14, size):
        bent = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        assert not judged(bent).disposition.startswith("accept"), at
    bent = join(STORY.content(postage_mills=9_740), STORY.key.sign(STORY.content()))
    found(judged(bent), "signature.match", "PRE-05")


@pytest.mark.requirement("P050-4.1")
def test_a_mark_of_another_design_than_its_device_was_approved_for_is_not_accepted() -> None:
    row = STORY.row(layout="imi-max")
    found(judged(STORY.mark(), certificates=(row,)), "mark.layout", "P050-4.1")


@pytest.mark.requirement("P050-4.2/1")
def test_an_illegible_mark_is_no_postage() -> None:
    for illegible, code in ((b"", "mark.readable"), (STORY.mark()[:30], "mark.length")):
        verdict = judged(illegible)
        assert verdict.verdict == "UNREADABLE"
        found(verdict, code, "P050-4.2")


@pytest.mark.requirement("P050-1.5/2")
def test_a_piece_that_carries_less_than_is_due_is_not_accepted() -> None:
    found(judged(STORY.mark(), observed=replace(SEEN, amount_due=Mills(741))), "value.due", "P050-1.5")


@pytest.mark.requirement("P050-5.3/1")
def test_a_piece_deposited_elsewhere_is_held() -> None:
    found(judged(STORY.mark(), observed=replace(SEEN, origin="10001")), "origin.deposit", "P050-5.3")


@pytest.mark.requirement("P050-3.3b/1", "502.27a/1", well=False)
@pytest.mark.parametrize(("day", "well"), [("2026-10-22", True), ("2026-10-21", False)])
def test_a_piece_older_than_30_days_is_not_refunded(day: str, well: bool) -> None:
    verdict = judged(STORY.mark(date=day), observed=replace(SEEN, purpose="refund"))
    assert verdict.finding("refund.window").ok is well
    assert names(verdict.finding("refund.window").clause, "P050-3.3b")


@pytest.mark.requirement("502.27a/3")
def test_a_piece_that_was_mailed_or_refunded_before_does_not_qualify() -> None:
    mark = STORY.mark()
    key = content_key(mark)
    scan = PriorScan(scan_id="SCN-1", site="somewhere", at=NOON)
    paid = Refunded(case="RFD-1", at=NOON)
    for facts, code in (
        (StatusFacts(scans={key: scan}), "used.mailed"),
        (StatusFacts(refunds={key: paid}), "used.repaid"),
    ):
        verdict = judge(mark, STORY.pack(), facts, NOON, replace(SEEN, purpose="refund"))
        found(verdict, code, "502.27a")


@pytest.mark.requirement("502.8/5")
def test_a_mark_under_a_revoked_certificate_is_not_accepted() -> None:
    row = STORY.row(revoked_at=NOON.plus(days=-2), revoked_reason="key-compromise")
    found(judged(STORY.mark(), certificates=(row,)), "certificate.revoked", "502.8")


@pytest.mark.requirement("502.8/9")
def test_a_layout_that_nobody_knows_is_no_indicium() -> None:
    with refused("P050-4.5", "indicium.unknown-version"):
        decode(b"\xee" + bytes(88))


@pytest.mark.requirement("502.17/1")
def test_a_specimen_is_postage_under_no_production_pack() -> None:
    specimen = Story(anchor="test")
    verdict = judge(specimen.mark(), STORY.pack(), StatusFacts(), NOON, SEEN)
    assert not verdict.disposition.startswith("accept")
    row = STORY.row(specimen=True)
    found(judged(STORY.mark(), certificates=(row,)), "mark.anchor", "502.17")


@pytest.mark.requirement("IMI-09/1", purpose="postage")
@pytest.mark.requirement("IMI-09/2", purpose="refund")
@pytest.mark.parametrize("purpose", ["postage", "refund"])
def test_a_mark_of_a_decertified_system_ends_after_its_last_day(purpose: str) -> None:
    story = Story("ibi-full")
    last, after = Instant.parse("2025-07-01T03:00Z"), Instant.parse("2025-07-01T05:00Z")  # 30 June and 1 July there
    for now, well in ((last, True), (after, False)):
        seen = replace(SEEN, deposited_at=now, purpose=purpose)
        verdict = judged(story.mark(date="2025-06-28"), story, observed=seen, now=now, next_update=now.plus(days=9))
        assert verdict.finding("regime.valid-through").ok is well
    assert names(verdict.finding("regime.valid-through").clause, "IMI-09")
    assert not verdict.disposition.startswith("accept")
    assert TERMS["ibi-1998"].indicia_valid_through == ruleset("imi-2024").day("indicia_valid_through").isoformat()


@pytest.mark.requirement("PRE-11/2")
def test_the_cap_is_a_dated_parameter_that_binds_the_scanner_too() -> None:
    rules = ruleset("ibi-1998").parameters["descending_cap"]
    assert rules.values[0].since.isoformat() == "1998-09-02"
    terms = tuple(replace(term, cap_mills=Mills(399_999)) for term in TERMS.values())
    found(judged(STORY.mark(), terms=terms), "registers.cap", "P050-3.6")
