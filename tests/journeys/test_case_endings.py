"""What the end of a case does to its device: to its other cases, its postage, its balance and its examinations."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, MAILROOM, PEOPLE, mailer, new_world, refused
from tests.journeys.test_cases import Twice, closed, copied, report, twice
from tests.journeys.test_examinations import STAFF, no_difference, ordered, outcome, report_of, returned
from tests.journeys.test_refunds import authorise
from tests.journeys.test_returning import two_persons
from tests.parties.hand import Hand

from towncircle.auditor import audit
from towncircle.kernel.cites import cites
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import examination, returns
from towncircle.wire import bodies
from towncircle.world import printing, refunding, returning, verifying
from towncircle.world.config import POSTAL
from towncircle.world.examinations import cases_of, close, examine, examined
from towncircle.world.exporting import export
from towncircle.world.world import World

__all__ = ["twice"]  # the fixture: a device of which an older copy runs, and its case


@pytest.fixture
def double(tmp_path: Path) -> tuple[Twice, str, str]:
    """Give a device with two open cases, of an examination and then of a freeze, that was found regular after both."""
    both = copied(tmp_path)
    journeys, world = both.journeys, both.journeys.world
    assert outcome(examine(world, journeys.device))[0] == "irregular"
    world.advance("5m")
    with refused("provider.frozen"):
        journeys.contact()
    both.swap()
    world.advance("5m")
    assert outcome(examine(world, journeys.device)) == ("regular", [])
    first, second = (case.record.key for case in cases_of(world) if case.party == HARBOR)
    return both, first, second


def end(both: Twice, case: str, outcome_: str) -> None:
    close(both.world, case, outcome=outcome_, reason="It was looked at.", approved_by=STAFF)


def row_of(world: World, party: str, kind: str, key: str) -> Record:
    with world.store(party).reading() as view:
        row = view.get(kind, key)
    assert row is not None
    return row


# ---- two cases of one device


@cites("P050-2.6")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_device_gets_its_use_back_with_the_release_of_its_last_case(
    double: tuple[Twice, str, str], order: tuple[int, int], tmp_path: Path
) -> None:
    both, *cases = double
    end(both, cases[order[0]], "released")
    assert both.custody() == "suspect"
    with refused("provider.frozen"):
        both.journeys.contact()
    with refused("provider.frozen"):
        both.journeys.reset(Mills.dollars(50))
    end(both, cases[order[1]], "released")
    assert both.custody() == "leased"
    both.journeys.contact()
    both.journeys.reset(Mills.dollars(50))
    no_difference(both.world, tmp_path / "export")
    both.world.close()


@cites("P050-2.6")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("endings", [("retired", "released"), ("released", "retired"), ("retired", "retired")])
def test_a_retired_device_stays_retired_whatever_becomes_of_its_other_case(
    double: tuple[Twice, str, str], order: tuple[int, int], endings: tuple[str, str], tmp_path: Path
) -> None:
    both, *cases = double
    for place, ending in zip(order, endings, strict=True):
        end(both, cases[place], ending)
    assert both.custody() == "returned"
    with refused("provider.retired"):
        both.journeys.contact()
    told = returning.withdraw(both.journeys, reason="retired")
    assert told.outcome == "to be examined"
    assert both.journeys.lease().device != told.device
    no_difference(both.world, tmp_path / "export")
    both.world.close()


# ---- the postage of a retired device


@cites("P050-2.6", "502.28")
def test_a_retired_device_prints_nothing_that_is_valid_from_that_day_on(twice: Twice, tmp_path: Path) -> None:
    world, journeys = twice.world, twice.journeys
    twice.swap()
    before = printing.print_job(journeys, PEOPLE, tmp_path / "before", formats=("pdf",))
    world.advance("1d")
    end(twice, twice.case().record.key, "retired")
    assert row_of(world, POSTAL, "device", journeys.device).body["status"] == "withdrawn"
    assert row_of(world, POSTAL, "device-certificates", journeys.device).body["revoked_reason"] == "withdrawn"
    world.advance("1m")
    after = printing.print_job(journeys, PEOPLE, tmp_path / "after", formats=("pdf",))
    good, bad = (next(iter(verifying.marks_of(done.pdf))) for done in (before, after))
    verdict = verifying.verify(bad, world).verdict
    assert verdict.verdict == "INVALID"
    assert {one.code for one in verdict.faults()} == {"certificate.revoked", "device.status"}
    assert verifying.verify(good, world).verdict.verdict == "VALID"
    no_difference(world, tmp_path / "export")


@cites("502.27a/4")
def test_a_refund_whose_device_is_retired_meanwhile_ends_with_that_word(tmp_path: Path) -> None:
    both = copied(tmp_path)
    world, journeys = both.world, both.journeys
    authorise(world)
    with world.store(journeys.licensee).reading() as view:
        pieces = tuple(bytes.fromhex(one) for one in view.find("job")[0].body["indicia"])
    told = refunding.submit(journeys, pieces)
    refunding.scan(world, told.refund, pieces, by="ann")
    with refused("provider.frozen"):
        journeys.contact()
    with refused("provider.frozen"):
        refunding.certify(world, told.refund, by="ben")
    with refused("refund.some-qualify"):  # it may be released yet
        refunding.refuse(world, told.refund, by="ben")
    end(both, both.case().record.key, "retired")
    with refused("provider.retired"):
        refunding.certify(world, told.refund, by="ben")
    refunding.refuse(world, told.refund, by="ben")
    ended = refunding.follow(journeys, told.refund)
    assert ended.state == "refused"
    assert {one.code for one in ended.annotations} == {"provider.retired"}
    both.swap()
    no_difference(world, tmp_path / "export")
    world.close()


# ---- giving a retired device back


def leased_anew(both: Twice, export_to: Path) -> None:
    """Withdraw a retired device and lease another, which is set and printed with."""
    world, journeys = both.world, both.journeys
    old = journeys.device
    both.swap()  # an export is of the real one; the copy would be named in it
    told = returning.withdraw(journeys, reason="retired")
    assert (told.outcome, told.amount) == ("to be examined", Mills(0))
    with refused("licensee.checked-out"):
        returning.withdraw(journeys, reason="retired")
    assert row_of(world, POSTAL, "device", old).body["refund"] == told.refund
    assert journeys.settle() is None  # the old one is left alone
    assert journeys.lease().device == journeys.device != old
    journeys.reset(Mills.dollars(50))
    printing.print_job(journeys, PEOPLE, export_to / "anew", formats=("pdf",))
    no_difference(world, export_to / "export")


@cites("P050-2.6", "502.20f")
@pytest.mark.parametrize("wait", ["0s", "1d", "30d"])
def test_a_retired_device_is_given_back_and_another_is_leased(twice: Twice, wait: str, tmp_path: Path) -> None:
    end(twice, twice.case().record.key, "retired")
    if wait != "0s":
        twice.world.advance(wait)
    leased_anew(twice, tmp_path)


def test_a_device_that_was_retired_after_its_notice_is_given_back(twice: Twice, tmp_path: Path) -> None:
    world, journeys, device = twice.world, twice.journeys, twice.journeys.device
    twice.swap()
    assert outcome(examine(world, device)) == ("regular", [])
    end(twice, twice.case().record.key, "released")
    journeys.do(lambda ctx: returns.begin(ctx, device=device, purpose="return", reason="no longer wanted"))
    journeys.do(lambda ctx: returns.give_notice(ctx, device=device, faulted=False))
    twice.swap()
    with refused("provider.frozen"):
        returning.withdraw(journeys, reason="no longer wanted")
    (case,) = [one.record.key for one in cases_of(world) if (one.party, one.record.body["state"]) == (HARBOR, "open")]
    end(twice, case, "retired")
    leased_anew(twice, tmp_path)


def test_a_retired_device_is_replaced_and_no_balance_goes_along(twice: Twice, tmp_path: Path) -> None:
    end(twice, twice.case().record.key, "retired")
    twice.swap()
    twice.world.advance("1d")
    two_persons(twice.journeys)
    old = twice.journeys.device
    returning.request_transfer(twice.journeys, by="anna", reason="it was retired")
    done = returning.approve_transfer(twice.journeys, by="ben")
    assert (done.device, done.replacement, done.amount) == (old, twice.journeys.device, Mills(0))
    no_difference(twice.world, tmp_path / "export")


def test_a_frozen_device_that_is_not_retired_is_not_given_back(twice: Twice) -> None:
    with refused("provider.frozen"):
        returning.withdraw(twice.journeys, reason="no longer wanted")


# ---- examinations of devices out of service


@cites("P050-2.6", "502.28")
def test_a_device_out_of_service_is_not_examined_and_its_waiting_order_lapses(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=600, reset=200)
    device = journeys.device
    reference = ordered(world, device)
    held = report_of(world, device, reference)
    returning.withdraw(journeys, reason="no longer wanted")
    assert outcome(examined(world, reference)) == ("lapsed", [])
    told = world.desk(MAILROOM).perform(lambda ctx: examination.answer(ctx, device=device), actor=MAILROOM)
    assert told == ""
    for step in ("1s", "1d"):
        with refused("postal.out-of-service"):
            examine(world, device)
        world.advance(step)
    late = Hand(world).say(HARBOR, POSTAL, returned(world, device, reference, held))
    assert isinstance(late, bodies.ExaminationFinding)
    assert late.outcome == "lapsed"
    assert cases_of(world) == []
    no_difference(world, tmp_path / "export")
    world.close()


def test_the_order_that_waits_for_a_retired_device_lapses(twice: Twice) -> None:
    reference = ordered(twice.world, twice.journeys.device)
    end(twice, twice.case().record.key, "retired")
    assert outcome(examined(twice.world, reference)) == ("lapsed", [])


# ---- what clears a case


@cites("502.14b")
def test_a_case_is_not_older_than_the_message_that_shows_it(twice: Twice, tmp_path: Path) -> None:
    """A Provider says that it knew before an examination that was regular; the message it encloses is younger."""
    world, device, hand = twice.world, twice.journeys.device, Hand(twice.world)
    twice.swap()
    assert outcome(examine(world, device)) == ("regular", [])
    good = examine(world, device).record.key
    long_ago = world.clock.now()
    world.advance("1h")
    with world.shelf.client(device) as client:
        evidence = client.audit().message
    hand.say(HARBOR, POSTAL, report(twice, evidence, discovered_at=long_ago))
    opened_ = row_of(world, POSTAL, "case", "CSE-222222222222").body["opened_at"]
    assert opened_ == int(world.clock.now()) > int(long_ago)
    body = closed(twice, case="CSE-222222222222", examination=good)
    assert hand.refused(HARBOR, POSTAL, body) == "postal.not-cleared"


@cites("P050-2.6")
def test_only_the_last_examination_clears_a_case(twice: Twice, tmp_path: Path) -> None:
    world, device, case, hand = twice.world, twice.journeys.device, twice.case().record.key, Hand(twice.world)
    twice.swap()
    good = examine(world, device).record.key
    twice.swap()
    assert outcome(examine(world, device))[0] == "irregular"
    with refused("case.not-cleared"):
        end(twice, case, "released")
    assert hand.refused(HARBOR, POSTAL, closed(twice, examination=good)) == "postal.not-cleared"
    twice.swap()
    last = examine(world, device).record.key
    assert hand.refused(HARBOR, POSTAL, closed(twice, examination=good)) == "postal.not-cleared"
    ordered(world, device)
    world.advance("25h")
    world.desk(MAILROOM).perform(lambda ctx: examination.answer(ctx, device=device), actor=MAILROOM)
    end(twice, case, "released")  # an order that lapsed has found nothing
    assert twice.case().steps[-1].body["examination"] == last
    assert twice.case(POSTAL).record.body["state"] == "released"
    no_difference(world, tmp_path / "export")


def test_the_auditor_names_a_provider_that_uses_a_device_in_spite_of_a_case(
    double: tuple[Twice, str, str], tmp_path: Path
) -> None:
    both, first, _ = double
    end(both, first, "released")
    with both.world.store(HARBOR).transaction() as tx:
        row = tx.get("device", both.journeys.device)
        assert row is not None
        free = {**row.body, "frozen": "", "custody": "leased"}
        tx.put("device", row.key, free, owner=row.owner, expected=row.version)
    both.journeys.contact()
    both.journeys.reset(Mills.dollars(50))
    export(both.world, tmp_path / "export")
    found = [one for one in audit(tmp_path / "export").differences if one.code == "case.device-used"]
    assert {"a contact", "a reset"} <= {one.text.split(" had ")[1].split(",")[0] for one in found}
    both.world.close()
