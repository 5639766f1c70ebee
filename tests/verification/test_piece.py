"""A piece with a REDATE, and a piece with several indicia: the piece is what is judged."""

from dataclasses import replace
from datetime import date

import pytest
from tests.verification.story import NOON, Story

from towncircle.kernel.cites import cites
from towncircle.kernel.money import ZERO, Mills
from towncircle.verification import Observed, PriorScan, StatusFacts, content_key, judge, judge_piece

STORY = Story()
FACTS = StatusFacts()
FIRST = STORY.mark()
SECOND = STORY.mark(ascending_mills=1_000_290, postage_mills=290, descending_mills=399_710, piece_count=1501)
THIRD = STORY.mark(ascending_mills=1_000_300, postage_mills=10, descending_mills=399_700, piece_count=1502)
TWIN = STORY.mark(ascending_mills=1_000_000, postage_mills=290, descending_mills=400_000, piece_count=1500)
FORGED = FIRST[:-1] + bytes([FIRST[-1] ^ 1])
FIRST_CHANGED = bytes([*FIRST[:21], FIRST[21] ^ 1, *FIRST[22:]])


def dated(redate, *, days, purpose="postage"):
    """Judge a mark that is presented so many days after the 21st with a REDATE."""
    observed = Observed(redate=redate, deposited_at=NOON.plus(days=days), purpose=purpose)
    pack = STORY.pack(next_update=NOON.plus(days=400))
    return judge(FIRST, pack, FACTS, NOON.plus(days=days), observed)


def ok(verdict, code):
    found = verdict.finding(code)
    return "none" if found is None else found.ok


@cites("P050-4.8")
def test_an_old_date_is_stale_without_a_redate_and_not_with_one():
    assert ok(dated(None, days=10), "date.stale") is True
    stale = dated(None, days=11)
    assert (ok(stale, "date.stale"), stale.disposition) == (False, "hold")
    assert ok(stale, "date.redate") == "none"
    mended = dated(date(2026, 12, 2), days=11)
    assert (ok(mended, "date.stale"), mended.verdict, mended.disposition) == (True, "VALID", "accept with notes")
    assert "REDATE 2026-12-02" in mended.finding("date.stale").text


@cites("P050-4.8")
def test_that_a_redate_is_there_is_never_well_by_itself_because_nobody_signed_it():
    for redate in (date(2026, 11, 21), date(2026, 12, 1), date(2026, 12, 5)):
        assert ok(dated(redate, days=11), "date.redate") is None


@pytest.mark.parametrize(
    ("redate", "heeded"),
    [
        (date(2026, 11, 20), False),  # earlier than the indicium
        (date(2026, 11, 21), True),
        (date(2026, 11, 22), True),
        (date(2026, 12, 5), True),  # the last day a next collection may lie ahead of the 2nd
        (date(2026, 12, 6), False),
        (date.min, False),
        (date.max, False),
    ],
)
def test_a_redate_that_cannot_be_true_is_a_fault_and_not_heeded(redate, heeded):
    verdict = dated(redate, days=11)
    assert ok(verdict, "date.redate") is (None if heeded else False)
    assert ok(verdict, "date.stale") is (heeded and redate >= date(2026, 11, 22))
    assert verdict.verdict == "VALID"
    assert (verdict.disposition == "hold") is (not heeded or redate < date(2026, 11, 22))


def test_a_redate_that_is_old_itself_leaves_the_piece_stale():
    assert ok(dated(date(2026, 11, 25), days=15), "date.stale") is False
    assert ok(dated(date(2026, 11, 25), days=14), "date.stale") is True


def test_a_redate_does_not_make_a_refund_younger():
    late = dated(date(2026, 12, 25), days=34, purpose="refund")
    assert ok(late, "refund.window") is False
    assert ok(late, "date.redate") == "none"


def test_without_a_pack_a_redate_says_nothing():
    verdict = judge(FIRST, None, None, NOON, Observed(redate=date(2026, 11, 22)))
    assert ok(verdict, "date.redate") == "none"
    assert ok(verdict, "date.future") is None


# ---- several indicia


def judged(*payloads, due=None, facts=FACTS, pack=None):
    observed = Observed(amount_due=Mills(due) if due is not None else None, origin="20260", deposited_at=NOON)
    return judge_piece([(payload, facts) for payload in payloads], pack or STORY.pack(), NOON, observed)


def finding(verdict, code):
    return next(one.ok for one in verdict.findings if one.code == code)


@cites("P050-1.5", "P050-1.6", "P050-4.9")
@pytest.mark.parametrize(
    ("payloads", "due", "paid", "well"),
    [
        ((FIRST,), 740, 740, True),
        ((FIRST,), 741, 740, False),
        ((FIRST, SECOND), 1030, 1030, True),
        ((FIRST, SECOND), 1029, 1030, True),
        ((FIRST, SECOND), 1031, 1030, False),
        ((SECOND, FIRST), 1030, 1030, True),
        ((FIRST, SECOND, THIRD), 1040, 1040, True),
        ((FIRST, SECOND, THIRD), 1041, 1040, False),
    ],
)
def test_the_valid_indicia_of_a_piece_add_up(payloads, due, paid, well):
    verdict = judged(*payloads, due=due)
    assert (verdict.verdict, verdict.paid, finding(verdict, "piece.value")) == ("VALID", Mills(paid), well)
    assert verdict.disposition == ("accept with notes" if well else "hold")
    assert all(mark.finding("value.due").ok is well for mark in verdict.marks)


def test_what_is_due_and_was_not_observed_is_not_well():
    verdict = judged(FIRST, SECOND)
    assert finding(verdict, "piece.value") is None
    assert [mark.finding("value.due").ok for mark in verdict.marks] == [None, None]


def test_a_copy_of_an_indicium_on_the_same_piece_pays_nothing_more():
    verdict = judged(FIRST, FIRST, due=1480)
    assert (verdict.verdict, verdict.disposition, verdict.paid) == ("DUPLICATE", "reject", Mills(740))
    assert finding(verdict, "piece.once") is False
    assert finding(verdict, "piece.value") is False


def test_the_second_copy_on_a_piece_is_the_duplicate_and_the_first_is_not_accepted_either():
    verdict = judged(FIRST, FIRST, due=740)
    assert [mark.verdict for mark in verdict.marks] == ["VALID", "DUPLICATE"]
    assert [mark.disposition for mark in verdict.marks] == ["hold", "reject"]
    assert "mark 1" in verdict.marks[1].finding("used.mailed").text


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_contents_of_one_counter_on_one_piece_do_not_add_up(order):
    """Two devices that bear one key and one state each evidenced something else with the same counter."""
    marks = (FIRST, TWIN)
    verdict = judged(*(marks[place] for place in order), due=1030)
    assert [mark.verdict for mark in verdict.marks] == ["VALID", "INVALID"]
    assert [mark.disposition for mark in verdict.marks] == ["hold", "reject"]
    assert verdict.marks[1].finding("used.counter").ok is False
    assert (verdict.verdict, verdict.disposition) == ("INVALID", "reject")
    assert verdict.paid == Mills((740, 290)[order[0]])
    assert finding(verdict, "piece.value") is False
    assert finding(verdict, "piece.marks") is False


def test_registers_that_do_not_go_together_are_found_on_one_piece():
    early = STORY.mark(ascending_mills=1_000_100, postage_mills=290, descending_mills=399_900, piece_count=1501)
    verdict = judged(FIRST, early, due=1030)
    assert verdict.marks[1].finding("registers.order").ok is False
    assert (verdict.verdict, verdict.disposition, verdict.paid) == ("INVALID", "reject", Mills(740))


def test_a_forged_mark_says_nothing_about_the_marks_beside_it():
    forged = TWIN[:-1] + bytes([TWIN[-1] ^ 1])
    verdict = judged(forged, FIRST, due=740)
    assert [mark.verdict for mark in verdict.marks] == ["INVALID", "VALID"]
    assert verdict.marks[1].finding("used.counter").ok is True


def test_every_mark_of_a_piece_that_is_not_accepted_is_held_at_best():
    for payloads, due in (((SECOND, FORGED), 290), ((FIRST, b"\x00"), 740), ((FIRST, SECOND), 1031)):
        verdict = judged(*payloads, due=due)
        assert verdict.disposition in ("hold", "reject")
        assert all(mark.disposition in ("hold", "reject") for mark in verdict.marks), payloads
    assert finding(judged(FIRST, b"\x00"), "piece.marks") is None
    assert finding(judged(FIRST, SECOND, due=1031), "piece.marks") is True


@pytest.mark.parametrize(("payloads", "due", "over"), [((FIRST,), 200, 540), ((FIRST, SECOND), 200, 830)])
def test_an_overpaid_piece_says_so_and_no_mark_owes_less_than_nothing(payloads, due, over):
    verdict = judged(*payloads, due=due)
    assert (verdict.verdict, verdict.disposition, finding(verdict, "piece.value")) == (
        "VALID",
        "accept with notes",
        True,
    )
    (value,) = [one.text for one in verdict.findings if one.code == "piece.value"]
    assert f"{Mills(over)} more" in value
    assert not any("-" in mark.finding("value.due").text for mark in verdict.marks)
    exact = judged(*payloads, due=sum((740, 290)[: len(payloads)]))
    assert not any("more" in one.text for one in exact.findings)


def test_a_mark_that_was_held_before_may_pay_and_is_not_well_by_itself():
    held = StatusFacts(scans={content_key(FIRST): PriorScan(scan_id="SCN-1", site="here", at=NOON, held=True)})
    verdict = judged(FIRST, due=740, facts=held)
    assert (verdict.verdict, verdict.disposition, verdict.paid) == ("VALID", "accept with notes", Mills(740))
    found = verdict.marks[0].finding("used.mailed")
    assert found.ok is None
    assert "here" in found.text
    assert "SCN-1" in found.text


def test_an_indicium_that_was_used_before_pays_nothing():
    seen = StatusFacts(scans={content_key(SECOND): PriorScan(scan_id="SCN-1", site="here", at=NOON)})
    verdict = judged(FIRST, SECOND, due=1030, facts=seen)
    assert (verdict.verdict, verdict.disposition, verdict.paid) == ("DUPLICATE", "reject", Mills(740))
    assert finding(verdict, "piece.value") is False


@pytest.mark.parametrize("bad", [FORGED, FIRST_CHANGED])
def test_a_forged_indicium_pays_nothing_and_condemns_the_piece(bad):
    verdict = judged(SECOND, bad, due=290)
    assert (verdict.verdict, verdict.disposition, verdict.paid) == ("INVALID", "reject", Mills(290))
    assert finding(verdict, "piece.value") is True
    assert [mark.verdict for mark in verdict.marks] == ["VALID", "INVALID"]


def test_a_piece_without_marks_or_with_a_broken_one_is_unreadable():
    assert (judged().verdict, judged().disposition, judged().paid) == ("UNREADABLE", "hold", ZERO)
    assert judged(b"").verdict == "UNREADABLE"
    assert judged(FIRST, b"\x00").verdict == "UNREADABLE"


def test_without_a_pack_a_piece_is_undecided():
    verdict = judge_piece([(FIRST, None), (SECOND, None)], None, NOON, Observed(amount_due=Mills(1030)))
    assert (verdict.verdict, verdict.disposition, verdict.paid) == ("UNDECIDED", "hold", ZERO)
    assert finding(verdict, "piece.value") is False


def test_a_redate_between_two_indicia_is_heeded_for_the_older_and_doubted_for_the_newer():
    pack = STORY.pack(next_update=NOON.plus(days=400))
    later = STORY.mark(ascending_mills=1_000_290, postage_mills=290, piece_count=1501, date="2026-12-02")
    now = NOON.plus(days=11)
    observed = Observed(redate=date(2026, 12, 2), amount_due=Mills(1030), deposited_at=now)
    verdict = judge_piece([(FIRST, FACTS), (later, FACTS)], pack, now, observed)
    assert [mark.finding("date.stale").ok for mark in verdict.marks] == [True, True]
    assert [mark.finding("date.redate").ok for mark in verdict.marks] == [None, None]
    contrary = judge_piece([(FIRST, FACTS), (later, FACTS)], pack, now, replace(observed, redate=date(2026, 12, 1)))
    assert [mark.finding("date.redate").ok for mark in contrary.marks] == [None, False]
    assert contrary.disposition == "hold"
