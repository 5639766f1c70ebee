"""One story a check: what makes a mark good, and what each deviation is called."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.verification.story import NOON, Story, faults

from towncircle.indicium import join
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece.eligibility import Size
from towncircle.pki.verifying.signatures import P256_ORDER
from towncircle.symbol.reflectance import Reflectance
from towncircle.verification import Observed, PriorScan, Reading, Refunded, StatusFacts, content_key, judge, judge_piece
from towncircle.verification.finding import CLAUSES, PIECE_CLAUSES

FACTS = StatusFacts()
SEEN = Observed(
    amount_due=Mills(740), origin="20260", destination="10001", weight_tenths=10, deposited_at=NOON,
    size=Size.parse("9.5x4.125x0.02"),
)  # fmt: skip
BLACK = Reflectance(red=90, green=88)
STORY = Story()


def judged(payload, story=STORY, *, pack=None, facts=FACTS, now=NOON, observed=SEEN):
    return judge(payload, pack or story.pack(), facts, now, observed)


def outcome(verdict):
    return verdict.verdict, verdict.disposition


def test_a_mark_that_meets_every_check_is_accepted():
    story = Story("imi-max")
    payload = story.mark()
    verdict = judged(payload, story, observed=replace(SEEN, prints={payload: BLACK}))
    assert outcome(verdict) == ("VALID", "accept")
    assert all(one.ok is True for one in verdict.findings)
    assert not verdict.specimen


def test_what_a_layout_does_not_carry_is_not_checkable_and_never_shown_as_well():
    verdict = judged(STORY.mark())
    assert outcome(verdict) == ("VALID", "accept with notes")
    assert {one.code for one in verdict.findings if one.ok is None} == {
        *("mark.reflectance", "address.destination", "piece.weight"),
    }


def test_without_status_facts_and_observations_the_mark_is_accepted_with_notes():
    verdict = judge(STORY.mark(), STORY.pack(), None, NOON)
    assert outcome(verdict) == ("VALID", "accept with notes")
    open_ends = {one.code for one in verdict.findings if one.ok is None}
    assert {"used.mailed", "used.repaid", "used.counter", "value.due", "origin.deposit"} <= open_ends


def test_without_a_pack_nothing_is_decided_but_everything_is_read():
    verdict = judge(STORY.mark(), None, None, NOON)
    assert outcome(verdict) == ("UNDECIDED", "hold")
    assert verdict.fields["postage_mills"] == 740
    assert verdict.finding("signature.match").ok is None


def test_a_certificate_that_the_pack_does_not_know_leaves_the_mark_undecided():
    assert outcome(judged(STORY.mark(certificate_serial=99))) == ("UNDECIDED", "hold")


def test_a_pack_past_its_next_update_decides_nothing_well_but_still_knows_what_is_bad():
    late = NOON.plus(days=6, microseconds=1)
    observed = replace(SEEN, deposited_at=None)
    assert outcome(judged(STORY.mark(date="2026-11-27"), now=late, observed=observed)) == ("UNDECIDED", "hold")
    assert outcome(judged(STORY.mark(date="2026-11-27")[:-1] + b"\0", now=late, observed=observed))[0] == "INVALID"
    assert outcome(judged(STORY.mark(date="2026-11-27"), now=NOON.plus(days=6), observed=observed))[0] == "VALID"


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\xa2", b"\x00" * 112, b"x" * 5000])
def test_bytes_that_are_no_mark_are_unreadable(payload):
    verdict = judged(payload)
    assert outcome(verdict) == ("UNREADABLE", "hold")


def test_a_mark_that_was_cut_short_is_unreadable_but_shows_what_it_has():
    verdict = judged(STORY.mark()[:-1])
    assert outcome(verdict) == ("UNREADABLE", "hold")
    assert faults(verdict) == ["mark.length"]
    assert verdict.fields["origin_zip"] == "20260"


@pytest.mark.parametrize("payload", [b"DEA\x12" + bytes(40), b"JGB 0101" + b"1" * 37])
def test_another_posts_mark_is_foreign(payload):
    assert outcome(judged(payload)) == ("FOREIGN", "hold")


def test_bytes_behind_the_signature_are_a_fault_of_their_own():
    assert faults(judged(STORY.mark() + b"\0")) == ["mark.trailing"]


def test_a_real_mark_of_another_vendor_is_read_and_left_undecided():
    dump = bytes.fromhex((Path(__file__).parents[1] / "data" / "ibi_dump_a.hex").read_text())
    verdict = judged(dump)
    assert outcome(verdict) == ("UNDECIDED", "hold")
    assert (verdict.fields["origin_zip"], verdict.fields["postage_mills"]) == ("20260", 10_200)
    assert verdict.finding("mark.trailing").ok is None


def test_a_changed_field_does_not_match_its_signature():
    content = STORY.content()
    other = STORY.content(postage_mills=7400)
    verdict = judged(join(other, STORY.key.sign(content)), observed=Observed())
    assert outcome(verdict) == ("INVALID", "reject")
    assert faults(verdict) == ["signature.match"]


def test_the_other_form_of_a_signature_is_refused_and_is_the_same_piece():
    mark = STORY.mark()
    s = P256_ORDER - int.from_bytes(mark[-32:], "big")
    twin = mark[:-32] + s.to_bytes(32, "big")
    assert faults(judged(twin)) == ["signature.low-s"]
    assert content_key(twin) == content_key(mark) == judged(twin).content_key


def test_a_production_pack_takes_no_mark_of_the_test_root():
    test = Story(anchor="test")
    verdict = judged(test.mark())
    assert outcome(verdict) == ("INVALID", "reject")
    assert verdict.specimen
    assert "mark.anchor" in faults(verdict)


def test_under_a_test_pack_a_mark_is_valid_as_a_specimen_only():
    test = Story("imi-max", anchor="test")
    verdict = judged(test.mark(), test)
    assert outcome(verdict) == ("VALID", "accept with notes")
    assert verdict.specimen


def test_a_device_that_prints_specimens_makes_no_postage():
    pack = STORY.pack(certificates=(STORY.row(specimen=True),))
    verdict = judged(STORY.mark(), pack=pack)
    assert (outcome(verdict), faults(verdict)) == (("INVALID", "reject"), ["mark.anchor"])


def test_the_mark_must_name_the_device_and_layout_of_its_certificate():
    assert faults(judged(STORY.mark(psd_serial=18))) == ["mark.device"]
    pack = STORY.pack(certificates=(STORY.row(layout="imi-max"),))
    assert faults(judged(STORY.mark(), pack=pack)) == ["mark.layout"]
    assert faults(judged(STORY.mark(algorithm=1))) == ["mark.layout"]


@pytest.mark.parametrize(
    ("first", "last", "well"),
    [
        ("2026-11-21T20:00Z", "2027-01-01", True),
        ("2026-11-22T05:00Z", "2027-01-01", False),
        ("2026-01-01", "2026-11-21T05:00Z", True),
        ("2026-01-01", "2026-11-21T04:59Z", False),
    ],
)
def test_the_certificate_must_be_valid_on_the_mailing_date_in_the_offices_zone(first, last, well):
    row = STORY.row(not_before=Instant.parse(first), not_after=Instant.parse(last))
    found = faults(judged(STORY.mark(), pack=STORY.pack(certificates=(row,))))
    assert found == ([] if well else ["certificate.validity"])


@pytest.mark.parametrize(
    ("date", "presented", "reason", "well"),
    [
        ("2026-11-21", NOON.plus(hours=-1), "withdrawn", True),  # deposited before
        ("2026-11-21", NOON, "withdrawn", False),
        ("2026-11-21", NOON.plus(hours=1), "withdrawn", False),
        ("2026-11-20", NOON.plus(hours=1), "withdrawn", True),  # mailed the day before, scanned after
        ("2026-11-20", NOON.plus(hours=1), "key-compromise", False),  # a thief can sign any date
        ("2026-11-20", NOON.plus(hours=-1), "key-compromise", True),
    ],
)
def test_a_revocation_counts_from_its_instant_and_earlier_pieces_are_kept(date, presented, reason, well):
    pack = STORY.pack(certificates=(STORY.row(revoked_at=NOON, revoked_reason=reason),))
    observed = replace(SEEN, deposited_at=presented)
    found = faults(judged(STORY.mark(date=date), pack=pack, now=NOON.plus(hours=2), observed=observed))
    assert found == ([] if well else ["certificate.revoked"])


@pytest.mark.parametrize(
    ("date", "shown", "reason", "well"),
    [
        ("2026-11-21", 90_000, "withdrawn", True),  # printed that day, before the device's last word
        ("2026-11-21", 90_001, "withdrawn", False),
        ("2026-11-22", 90_000, "withdrawn", False),  # a copy of the device prints on
        ("2026-11-21", 90_000, "key-compromise", False),
    ],
)
def test_what_a_device_signed_on_the_day_of_its_withdrawal_is_good_by_its_register(date, shown, reason, well):
    row = STORY.row(revoked_at=NOON, revoked_reason=reason)
    pack = STORY.pack(certificates=(row,), status="withdrawn", last=90_000)
    mark = STORY.mark(date=date, ascending_mills=shown)
    found = faults(judged(mark, pack=pack, now=NOON.plus(hours=2)))
    if reason == "key-compromise":
        assert found == ["certificate.revoked"]
    else:
        assert found == ([] if well else ["certificate.revoked", "device.status"])


def test_the_last_word_of_a_withdrawn_device_says_nothing_of_a_stolen_one():
    pack = STORY.pack(status="stolen", last=90_000)
    assert faults(judged(STORY.mark(ascending_mills=90_000), pack=pack)) == ["device.status"]


@pytest.mark.parametrize("status", ["lost", "stolen", "withdrawn"])
@pytest.mark.parametrize(
    ("date", "shown", "well"),
    [
        ("2026-11-21", 90_000, True),
        ("2026-11-21", 90_001, False),
        ("2026-11-22", 90_000, True),  # dated ahead
        ("2026-11-20", 90_001, True),  # of the day before
    ],
)
def test_an_unused_piece_is_judged_by_the_last_register_of_its_device_and_not_by_the_hour(status, date, shown, well):
    pack = STORY.pack(status=status, last=90_000)
    mark = STORY.mark(date=date, ascending_mills=shown)
    refund = Observed(purpose="refund", deposited_at=NOON.plus(hours=2))
    assert faults(judged(mark, pack=pack, now=NOON.plus(hours=2), observed=refund)) == (
        [] if well else ["device.status"]
    )


def test_without_a_last_register_an_unused_piece_of_a_missing_device_is_not_refunded():
    refund = Observed(purpose="refund", deposited_at=NOON.plus(hours=2))
    assert faults(judged(STORY.mark(), pack=STORY.pack(status="lost"), observed=refund)) == ["device.status"]


@pytest.mark.parametrize("status", ["lost", "stolen", "suspended", "withdrawn"])
def test_a_device_out_of_service_evidences_nothing_from_then_on(status):
    assert faults(judged(STORY.mark(), pack=STORY.pack(status=status))) == ["device.status"]
    assert faults(judged(STORY.mark(date="2026-11-20"), pack=STORY.pack(status=status))) == []


def test_the_registers_must_obey_their_law():
    assert faults(judged(STORY.mark(postage_mills=0), observed=Observed())) == ["registers.postage"]
    assert faults(judged(STORY.mark(ascending_mills=739))) == ["registers.ascending"]
    assert faults(judged(STORY.mark(ascending_mills=740))) == []
    assert faults(judged(STORY.mark(descending_mills=500_000))) == []
    assert faults(judged(STORY.mark(descending_mills=500_001))) == ["registers.cap"]


@pytest.mark.parametrize(
    ("date", "verdict", "found"),
    [
        ("2026-11-24", "VALID", []),
        ("2026-11-25", "INVALID", ["date.future"]),
        ("2026-11-11", "VALID", []),
        ("2026-11-10", "VALID", ["date.stale"]),
    ],
)
def test_the_mailing_date_lies_in_the_window_around_the_deposit(date, verdict, found):
    result = judged(STORY.mark(date=date))
    assert (result.verdict, faults(result)) == (verdict, found)
    assert (result.disposition == "hold") == (found == ["date.stale"])


def test_the_day_of_presentation_is_that_of_the_licensing_office():
    late_evening = Instant.parse("2026-11-22T04:30Z")  # still the 21st in New York
    observed = replace(SEEN, deposited_at=late_evening)
    assert faults(judged(STORY.mark(date="2026-11-25"), observed=observed, now=late_evening)) == ["date.future"]


def test_the_zip_code_is_the_licensing_offices_and_a_deposit_elsewhere_holds_the_piece():
    assert faults(judged(STORY.mark(origin_zip="10001"))) == ["origin.license"]
    verdict = judged(STORY.mark(), observed=replace(SEEN, origin="10001"))
    assert (outcome(verdict), faults(verdict)) == (("VALID", "hold"), ["origin.deposit"])


@pytest.mark.parametrize(
    ("presented", "found"),
    [("2025-07-01T03:59Z", []), ("2025-07-01T04:00Z", ["regime.valid-through"])],
)
def test_marks_of_decertified_systems_count_through_their_last_day(presented, found):
    story = Story("ibi-full")
    now = Instant.parse(presented)
    pack = story.pack(issued=now.plus(days=-1), next_update=now.plus(days=1))
    observed = replace(SEEN, deposited_at=now)
    assert faults(judged(story.mark(date="2025-06-29"), story, pack=pack, now=now, observed=observed)) == found


@pytest.mark.parametrize(("date", "found"), [("2026-10-22", []), ("2026-10-21", ["refund.window"])])
def test_a_refund_is_for_pieces_of_thirty_days_or_less(date, found):
    verdict = judged(STORY.mark(date=date), observed=Observed(purpose="refund"))
    assert faults(verdict) == found
    assert verdict.finding("date.stale") is None
    assert judged(STORY.mark(date=date), observed=Observed()).finding("refund.window") is None


def test_a_second_scan_of_the_content_is_a_duplicate_whatever_the_bytes_of_its_signature():
    scan = PriorScan(scan_id="SCN-1", site="Washington", at=NOON.plus(hours=-1))
    facts = StatusFacts(scans={content_key(STORY.mark()): scan})
    verdict = judged(STORY.mark(), facts=facts)
    assert (outcome(verdict), faults(verdict)) == (("DUPLICATE", "reject"), ["used.mailed"])
    assert "Washington" in verdict.finding("used.mailed").text
    assert judged(STORY.mark(piece_count=1501), facts=facts).verdict == "VALID"


@pytest.mark.parametrize("purpose", ["postage", "refund"])
def test_a_refunded_piece_is_neither_mailed_nor_refunded_again(purpose):
    refund = Refunded(case="RFD-1", at=NOON.plus(hours=-1))
    facts = StatusFacts(refunds={content_key(STORY.mark()): refund})
    verdict = judged(STORY.mark(), facts=facts, observed=Observed(purpose=purpose))
    assert (outcome(verdict), faults(verdict)) == (("DUPLICATE", "reject"), ["used.repaid"])


def test_a_forged_copy_of_a_used_mark_is_invalid_not_just_a_duplicate():
    scan = PriorScan(scan_id="SCN-1", site="Washington", at=NOON)
    facts = StatusFacts(scans={content_key(STORY.mark()): scan})
    assert judged(STORY.mark()[:-1] + b"\0", facts=facts).verdict == "INVALID"


def reading(ascending, pieces, postage=740):
    shown = None if ascending is None else Mills(ascending)
    one = Reading(content_key="other", ascending=shown, postage=Mills(postage), pieces=pieces)
    return StatusFacts(readings={STORY.device: (one,)})


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (reading(999_260, 1499), []),
        (reading(999_261, 1499), ["registers.order"]),  # rose by less than this piece's postage
        (reading(1_000_740, 1501), []),
        (reading(1_000_739, 1501), ["registers.order"]),
        (reading(2_000_000, 1499), ["registers.order"]),  # an older piece shows more: a rollback
        (reading(900_000, 1500), ["used.counter"]),
        (reading(1_000_000, 1400), ["used.counter"]),
    ],
)
def test_one_counter_signs_one_content_and_registers_rise_with_the_pieces(facts, found):
    verdict = judged(STORY.mark(), facts=facts)
    assert faults(verdict) == found
    assert verdict.verdict == ("INVALID" if found else "VALID")


def test_a_layout_without_a_piece_count_is_compared_by_its_ascending_register():
    story = Story("ibi-full")
    now = Instant.parse("1998-12-01T17:00Z")
    pack = story.pack(issued=now, next_update=now.plus(days=1))

    def found(ascending):
        one = Reading(content_key="other", ascending=Mills(ascending), postage=Mills(740), pieces=None)
        facts = StatusFacts(readings={story.device: (one,)})
        observed = replace(SEEN, deposited_at=now)
        return faults(judged(story.mark(date="1998-12-01"), story, pack=pack, facts=facts, now=now, observed=observed))

    assert found(999_260) == []
    assert found(999_261) == ["registers.order"]
    assert found(1_000_740) == []
    assert found(1_000_000) == ["used.counter"]


def test_a_layout_without_registers_is_compared_by_its_piece_count():
    story = Story("imi-min")
    assert faults(judged(story.mark(), story, facts=reading(None, 1499))) == []
    assert faults(judged(story.mark(), story, facts=reading(1_000_000, 1499))) == []
    assert faults(judged(story.mark(), story, facts=reading(None, 1500))) == ["used.counter"]
    assert faults(judged(STORY.mark(), facts=reading(None, 1499))) == []


def test_a_marks_own_earlier_reading_is_not_held_against_it():
    own = Reading(content_key=content_key(STORY.mark()), ascending=Mills(1_000_000), postage=Mills(740), pieces=1500)
    assert faults(judged(STORY.mark(), facts=StatusFacts(readings={STORY.device: (own,)}))) == []


def test_a_piece_with_too_little_postage_is_held_though_its_mark_is_good():
    assert faults(judged(STORY.mark(), observed=replace(SEEN, amount_due=Mills(740)))) == []
    verdict = judged(STORY.mark(), observed=replace(SEEN, amount_due=Mills(741)))
    assert (outcome(verdict), faults(verdict)) == (("VALID", "hold"), ["value.due"])


@pytest.mark.parametrize(
    ("address", "found"),
    [("10001", []), ("100011234", []), ("10002", ["address.destination"]), ("100020001", ["address.destination"])],
)
def test_a_mark_is_for_the_address_it_was_signed_for(address, found):
    story = Story("imi-max")
    assert faults(judged(story.mark(), story, observed=replace(SEEN, destination=address))) == found


@pytest.mark.parametrize(("weight", "found"), [(10, []), (9, []), (11, ["piece.weight"])])
def test_a_mark_is_for_the_weight_it_was_signed_for(weight, found):
    story = Story("imi-max")
    assert faults(judged(story.mark(), story, observed=replace(SEEN, weight_tenths=weight))) == found


def test_the_code_of_ibi_lite_cannot_be_checked_by_the_public():
    lite = join(
        bytes([0x99]) + (7).to_bytes(4, "little") + bytes([27]) + (17).to_bytes(3, "little") + bytes([9] * 5), b"c" * 6
    )
    verdict = judged(lite)
    assert outcome(verdict) == ("UNDECIDED", "hold")
    assert verdict.fields["piece_count"] == 7


def test_a_device_of_1998_is_judged_by_its_dsa_signature():
    story = Story("ibi-full")
    now = Instant.parse("1998-12-01T17:00Z")
    pack = story.pack(issued=now, next_update=now.plus(days=1))
    observed = replace(SEEN, deposited_at=now)
    verdict = judged(story.mark(date="1998-12-01"), story, pack=pack, now=now, observed=observed)
    assert verdict.verdict == "VALID"
    assert verdict.finding("signature.low-s") is None


def test_a_pack_without_the_figures_of_a_regime_decides_nothing():
    assert judged(STORY.mark(), pack=STORY.pack(terms=())).verdict == "UNDECIDED"


def test_a_verdict_is_a_record_for_json():
    record = json.loads(json.dumps(judged(STORY.mark()).as_dict()))
    assert record.keys() == {"verdict", "disposition", "specimen", "findings", "fields"}
    assert record["findings"][0] == {
        "code": "mark.readable",
        "ok": True,
        "clause": "P050 4.2",
        "text": "Layout imi-std.",
    }


def test_every_finding_of_the_judge_stands_in_its_docstring():
    for code in CLAUSES:
        assert f"`{code}`" in judge.__doc__
    for code in PIECE_CLAUSES:
        assert f"`{code}`" in judge_piece.__doc__
