"""What stands in the way of a device that leaves: reprints, suspicion, faults on the way, reasons and names."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, MAILROOM, PEOPLE, mailer, refused
from tests.journeys.test_examinations import STAFF
from tests.journeys.test_returning import account, audited, break_down, two_persons, withdraw
from tests.parties.hand import Hand

from towncircle.auditor import audit
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import Books
from towncircle.licensee import returns
from towncircle.licensee.corrections import Redate, Shortpaid
from towncircle.wire import bodies
from towncircle.world import printing, returning, verifying
from towncircle.world.examinations import cases_of, close, examine
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.world import World


def approved(journeys: Journeys) -> None:
    """Have anna ask for a transfer, and the walk of ben's approval stop after the notice."""
    two_persons(journeys)
    returning.request_transfer(journeys, by="anna", reason="the display is broken")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(returns, "give_back", _stopped)
        with pytest.raises(KeyboardInterrupt):
            returning.approve_transfer(journeys, by="ben")


def _stopped(*_: object, **__: object) -> str:
    raise KeyboardInterrupt


def transfer_of(journeys: Journeys) -> dict[str, object]:
    with journeys.world.store(MAILROOM).reading() as view:
        return dict(view.find("transfer")[-1].body)


# ---- the whole walk


@cites("502.8b", "502.27b", "P050-2.6")
def test_a_device_that_reprinted_leaves_and_a_whole_life_audits_to_nothing(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=600, reset=200)
    old, today = journeys.device, journeys.today()
    first = printing.print_job(journeys, PEOPLE, tmp_path / "1", formats=("pdf",))
    short = Shortpaid(job=JobId(first.job.key), pieces=(1,), mailing_date=today, due=Mills(2000))
    printing.correct_job(journeys, short, tmp_path / "2", formats=("pdf",))
    later = Redate(job=JobId(first.job.key), pieces=(2,), mailing_date=today + timedelta(days=1))
    printing.redate_job(journeys, later, tmp_path / "3", formats=("pdf",))
    printing.reprint_job(journeys, JobId(first.job.key), (), tmp_path / "4", formats=("pdf",))
    assert examine(world, old).record.body["outcome"] == "regular"
    journeys.contact()
    world.advance("1h")
    two_persons(journeys)
    returning.request_transfer(journeys, by="anna", reason="the display is broken")
    moved = returning.approve_transfer(journeys, by="ben")
    assert moved.amount == Mills.dollars(200) - first.total - (
        Mills(2000) - Mills(first.job.body["pieces"][0]["amount"])
    )
    second = printing.print_job(journeys, PEOPLE, tmp_path / "5", formats=("pdf",))
    printing.reprint_job(journeys, JobId(second.job.key), (1,), tmp_path / "6", formats=("pdf",))
    examine(world, journeys.device)
    told = withdraw(journeys)
    assert told.amount == moved.amount - second.total
    with world.store(HARBOR).reading() as view:
        assert [row.body["reprints"] for row in view.find("device")] == [2, 1]  # the last count that each has signed
    audited(world, tmp_path / "export")


# ---- suspicion


def copied(world: World, journeys: Journeys, base: Path) -> None:
    """Copy the device's store, print, bring what was printed to a facility, and put the older store back."""
    folder = world.shelf.folder_of(journeys.device)
    world.shelf.close()
    shutil.copytree(folder, base / "away")
    done = printing.print_job(journeys, PEOPLE, base / "printed", formats=("pdf",))
    for mark in verifying.marks_of(done.pdf):
        assert verifying.record(mark, world, site="here").verdict.verdict == "VALID"
    world.shelf.close()
    shutil.rmtree(folder)
    (base / "away").rename(folder)
    world.advance("1m")
    assert examine(world, journeys.device).record.body["outcome"] == "irregular"


@cites("P050-2.6")
def test_while_a_case_is_open_a_balance_neither_goes_back_nor_moves(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=600, reset=200)
    two_persons(journeys)
    copied(world, journeys, tmp_path)
    with refused("provider.case-open") as caught:
        withdraw(journeys)
    assert caught.value.clause == "P050 2.6"
    assert "towncircle cases" in caught.value.next_step
    returning.request_transfer(journeys, by="anna", reason="x")
    with refused("provider.case-open"):
        returning.approve_transfer(journeys, by="ben")
    assert transfer_of(journeys)["state"] == "cancelled"
    assert account(journeys) == Mills.dollars(400)
    with world.store(HARBOR).reading() as view:
        assert view.find("check-out") == []


def case_of(world: World) -> str:
    return next(case.record.key for case in cases_of(world) if case.party == HARBOR)


def suspected(world: World, journeys: Journeys, tmp_path: Path) -> str:
    """Open a case on the device, which itself is well, as an examination of a copy of it does."""
    from towncircle.kernel.cases import open_case

    def job(ctx):  # type: ignore[no-untyped-def]  # the context of two parties
        open_case(
            ctx,
            case="CSE-222222222222",
            device=journeys.device,
            other=OTHER[ctx.party],
            ground="a copy was seen",
            clauses=("502.8",),
        )

    for party in OTHER:
        world.desk(party).perform(job, actor=party)
    return "CSE-222222222222"


OTHER = {HARBOR: "postal.usps", "postal.usps": HARBOR}


@cites("P050-2.6")
@pytest.mark.parametrize("word", ["before the order", "between order and word"])
def test_a_case_opened_after_the_notice_holds_the_credit_until_it_is_closed(
    word: str, world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    device = journeys.device
    if word == "before the order":
        journeys.do(lambda ctx: returns.begin(ctx, device=device, purpose="return", reason="x"))
        journeys.do(lambda ctx: returns.give_notice(ctx, device=device, faulted=False))
        case = suspected(world, journeys, tmp_path)
    else:
        case = ""
        inner = returns.raise_refusal

        def between(ctx: object, reply: bytes, of: DeviceId) -> object:
            nonlocal case
            case = case or suspected(world, journeys, tmp_path)
            return inner(ctx, reply, of)  # type: ignore[arg-type]  # it is the context

        with pytest.MonkeyPatch.context() as patch, refused("provider.case-open"):
            patch.setattr(returns, "raise_refusal", between)
            withdraw(journeys)
        assert journeys.status().state == "withdrawn"
    with refused("provider.case-open"):
        withdraw(journeys)
    assert account(journeys) == Mills.dollars(100)
    export(world, tmp_path / "meanwhile")
    assert [str(one) for one in audit(tmp_path / "meanwhile").differences] == []
    done = examine(world, device).record.body
    assert (done["outcome"], done["differences"]) == ("regular", [])
    close(world, case, outcome="released", reason="It was another device.", approved_by=STAFF)
    journeys.settle()
    assert account(journeys) == Mills.dollars(300)
    audited(world, tmp_path / "export")


# ---- a transfer that cannot end as it was meant


@cites("P050-2.6", "P050-2.7")
def test_a_device_that_fails_between_notice_and_word_is_examined_and_its_transfer_ends(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    old = journeys.device
    approved(journeys)
    break_down(world, old)
    journeys.settle()
    assert (transfer_of(journeys)["state"], transfer_of(journeys)["amount"]) == ("done", 0)
    assert account(journeys) == Mills.dollars(100)  # what the old device holds waits for its examination
    assert journeys.device != old
    journeys.reset(Mills.dollars(60))
    audited(world, tmp_path / "export")


@cites("P050-2.6")
def test_a_transfer_whose_device_was_frozen_and_retired_ends_with_nothing_moved(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=600, reset=200)
    old = journeys.device
    folder = world.shelf.folder_of(old)
    world.shelf.close()
    shutil.copytree(folder, tmp_path / "away")
    printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    journeys.contact()
    approved(journeys)
    world.shelf.close()
    folder.rename(tmp_path / "real")
    (tmp_path / "away").rename(folder)
    world.advance("5m")
    with refused("provider.frozen"):
        journeys.settle()
    world.shelf.close()
    shutil.rmtree(folder)
    (tmp_path / "real").rename(folder)
    close(world, case_of(world), outcome="retired", reason="It cannot be trusted.", approved_by=STAFF)
    journeys.settle()
    assert (transfer_of(journeys)["state"], transfer_of(journeys)["amount"]) == ("done", 0)
    journeys.reset(Mills.dollars(60))
    assert journeys.status().registers.descending == Mills.dollars(60)
    audited(world, tmp_path / "export")


def test_a_retired_device_goes_out_of_service_so_that_another_can_be_leased(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=600, reset=200)
    copied(world, journeys, tmp_path)
    close(world, case_of(world), outcome="retired", reason="It cannot be trusted.", approved_by=STAFF)
    old = journeys.device
    assert (withdraw(journeys).outcome, account(journeys)) == ("to be examined", Mills.dollars(400))
    journeys.lease()
    assert journeys.device != old
    journeys.reset(Mills.dollars(60))


def stopped_before_setting(journeys: Journeys) -> DeviceId:
    two_persons(journeys)
    returning.request_transfer(journeys, by="anna", reason="x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(returning, "_set", _stopped)
        with pytest.raises(KeyboardInterrupt):
            returning.approve_transfer(journeys, by="ben")
    return journeys.device


@cites("P050-2.6", "P050-2.7")
@pytest.mark.parametrize("trouble", ["failed", "suspect"])
def test_a_replacement_that_fails_or_is_suspect_before_it_is_set_is_replaced_in_its_turn(
    trouble: str, world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    second = stopped_before_setting(journeys)
    if trouble == "failed":
        break_down(world, second)
    else:
        with world.store(HARBOR).transaction() as tx:
            row = tx.get("device", second)
            assert row is not None
            tx.put("device", second, {**row.body, "custody": "suspect"}, owner=row.owner, expected=row.version)
    journeys.settle()
    assert journeys.device != second
    assert journeys.status().registers.descending == Mills.dollars(200)
    assert account(journeys) == Mills.dollars(100)
    told = transfer_of(journeys)
    assert (told["state"], told["replacement"]) == ("done", journeys.device)
    journeys.reset(Mills.dollars(50))
    audited(world, tmp_path / "export")


@cites("P050-2.6")
def test_two_persons_end_an_approved_transfer_whose_device_is_out_and_the_money_stays_in_the_account(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    two_persons(journeys)
    returning.request_transfer(journeys, by="anna", reason="x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(returns, "give_notice", _stopped)
        with pytest.raises(KeyboardInterrupt):
            returning.approve_transfer(journeys, by="ben")
    with refused("licensee.transfer-open"):  # the device still holds the balance
        returning.cancel_transfer(journeys, by="carl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(returning, "_set", _stopped)
        with pytest.raises(KeyboardInterrupt):
            returning.approve_transfer(journeys, by="ben")
    for _ in range(2):  # one person twice is one person
        assert returning.cancel_transfer(journeys, by="carl").body["state"] == "approved"
    with refused("licensee.transfer-open"):
        journeys.reset(Mills.dollars(50))
    assert returning.cancel_transfer(journeys, by="anna").body["state"] == "ended"
    assert account(journeys) == Mills.dollars(300)
    journeys.lease()
    journeys.reset(Mills.dollars(50))
    audited(world, tmp_path / "export")


# ---- what a host says


@cites("P050-2.7", "502.25a")
def test_a_hosts_word_that_a_device_failed_ends_nothing_while_a_reset_is_under_way(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    device = journeys.device
    reserve(journeys)
    asked = {"device": device, "purpose": "return", "reason": "x", "transfer": "", "faulted": True}  # it is well
    lie = bodies.CheckOutRequest(**asked, requested_by=MAILROOM, approved_by="")  # type: ignore[arg-type]
    assert Hand(world).refused(MAILROOM, HARBOR, lie) == "provider.reset-open"
    told = withdraw(journeys)
    assert (told.outcome, told.amount) == ("credited", Mills.dollars(250))  # settled by the device's own word
    assert account(journeys) == Mills.dollars(300)
    audited(world, tmp_path / "export")


def reserve(journeys: Journeys) -> None:
    """Have a reset of $50 reserved and its authorisation lost."""
    from towncircle.kernel.context import Carry, Exchange

    def steps(ctx):  # type: ignore[no-untyped-def]  # a generator of questions
        made = yield Exchange(journeys.device, lambda client: client.request_reset(Mills.dollars(50)))
        yield Carry(HARBOR, made.message)

    journeys.do(steps)
    assert account(journeys) == Mills.dollars(50)


@cites("P050-2.7", "502.20f")
def test_a_device_that_fails_with_a_reset_under_way_waits_for_its_examination_and_another_is_leased(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    old = journeys.device
    reserve(journeys)
    break_down(world, old)
    for _ in range(2):
        with refused("licensee.fault-unsettled"):
            withdraw(journeys)
    journeys.settle()
    journeys.lease()
    assert journeys.device != old
    journeys.reset(Mills.dollars(30))
    assert account(journeys) == Mills.dollars(20)
    with world.store(HARBOR).reading() as view:
        assert Books(view).device(MAILROOM, old).descending == Mills.dollars(200)
    journeys.settle()
    assert not export(world, tmp_path / "export").quiet
    assert [str(one) for one in audit(tmp_path / "export").differences] == []


@pytest.mark.parametrize(
    ("reason", "well"),
    [("", False), (" ", False), ("x", True), ("x" * 200, True), ("x" * 201, False), ("two\nlines", False)],
)
def test_a_reason_that_cannot_be_told_is_refused_before_anything_is_begun(
    reason: str, well: bool, world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    two_persons(journeys)
    if well:
        assert returning.withdraw(journeys, reason=reason).amount == Mills.dollars(200)
        return
    with pytest.raises(BadInput, match=r"licensee\.reason"):
        returning.withdraw(journeys, reason=reason)
    with pytest.raises(BadInput, match=r"licensee\.reason"):
        returning.request_transfer(journeys, by="anna", reason=reason)
    journeys.settle()
    journeys.reset(Mills.dollars(10))
    assert withdraw(journeys).amount == Mills.dollars(210)
    audited(world, tmp_path / "export")


def test_a_check_out_that_was_begun_with_a_reason_too_long_is_declined(world: World) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    device = journeys.device
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(returns, "REASON", 1000)  # as it was begun by an earlier release
        journeys.do(lambda ctx: returns.begin(ctx, device=device, purpose="return", reason="x" * 300))
    with pytest.raises(BadInput, match=r"wire\.bad-field"):
        withdraw(journeys)
    assert withdraw(journeys).amount == Mills.dollars(200)


@cites("P050-2.6")
@pytest.mark.parametrize(
    ("asks", "approves", "code"),
    [
        ("officer-17", "officer-17.", "person.unreadable"),
        ("officer-17", "Officer-17", "person.unreadable"),
        ("officer-17", "officer17", "person.same-person"),
        ("officer-17", "officer-17-", "person.same-person"),
        ("Jane Doe", "ben", "person.unreadable"),
        ("x" * 33, "ben", "person.unreadable"),
    ],
)
def test_the_provider_takes_two_spellings_of_a_name_for_one_person(
    asks: str, approves: str, code: str, world: World
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    asked = {"device": journeys.device, "purpose": "replacement", "reason": "x", "transfer": "TRF-222222222222"}
    body = bodies.CheckOutRequest(**asked, requested_by=asks, approved_by=approves, faulted=False)  # type: ignore[arg-type]
    assert Hand(world).refused(MAILROOM, HARBOR, body) == code


# ---- pieces of a device that is out


@cites("502.20e")
def test_pieces_of_a_device_that_is_out_are_neither_corrected_redated_nor_reprinted(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    job = JobId(printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",)).job.key)
    withdraw(journeys)
    for leased in (False, True):
        if leased:
            journeys.lease()
            journeys.reset(Mills.dollars(20))
        today = journeys.today()
        with refused("licensee.checked-out") as caught:
            printing.reprint_job(journeys, job, (), tmp_path / "1", formats=("pdf",))
        assert "print anew" in caught.value.next_step
        with refused("licensee.checked-out"):
            order = Shortpaid(job=job, pieces=(1,), mailing_date=today, due=Mills(2000))
            printing.correct_job(journeys, order, tmp_path / "2", formats=("pdf",))
        with refused("licensee.checked-out"):
            later = Redate(job=job, pieces=(2,), mailing_date=today + timedelta(days=1))
            printing.redate_job(journeys, later, tmp_path / "3", formats=("pdf",))
    assert printing.print_job(journeys, PEOPLE, tmp_path / "anew", formats=("pdf",)).total > ZERO
    audited(world, tmp_path / "export")
