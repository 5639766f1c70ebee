"""A device that is given back, and a balance that moves to a replacement: once, by whom it may, found by everybody."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from tests.journeys.stories import (
    ANNEX,
    HARBOR,
    MAILROOM,
    PEOPLE,
    REGIMES,
    SUMMIT,
    hold_all,
    mailer,
    new_world,
    refused,
    reopened,
)

from towncircle.auditor import audit
from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import LICENSEE, Books
from towncircle.licensee import funds, returns
from towncircle.psd.automaton import faulted
from towncircle.psd.commands import Evidence
from towncircle.psd.memory import Change
from towncircle.psd.process import STORE
from towncircle.psd.sqlite import SqliteMemory
from towncircle.testing.rehearsal_world import in_process
from towncircle.transport import Transport
from towncircle.wire import bodies
from towncircle.wire.message import peek
from towncircle.wire.registry import find_type
from towncircle.world import accounts, printing, returning, verifying
from towncircle.world.config import POSTAL
from towncircle.world.deadlines import duties_of
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World

REFUSED = 54


def account(journeys: Journeys, provider: str = HARBOR) -> Mills:
    with journeys.world.store(provider).reading() as view:
        Books(view).equation(journeys.licensee)
        return Books(view).balance(f"account/{journeys.licensee}")


def audited(world: World, out: Path) -> None:
    assert export(world, out).quiet
    assert [str(one) for one in audit(out).differences] == []


def two_persons(journeys: Journeys) -> None:
    for name in ("anna", "ben", "carl"):
        journeys.do(lambda ctx, name=name: persons.authorise(ctx, name=name))  # type: ignore[misc]  # bound at once


def withdraw(journeys: Journeys) -> bodies.CheckOutStatement:
    return returning.withdraw(journeys, reason="no longer wanted")


# ---- withdrawal


@cites("502.27b", "P050-3.3c", "502.20e")
@pytest.mark.parametrize("regime", REGIMES)
def test_a_device_that_is_given_back_has_its_balance_credited_once(regime: str, tmp_path: Path) -> None:
    world = new_world(tmp_path / "world", regime)
    journeys = mailer(world, deposit=300, reset=200)
    spent = printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",)).total
    told = withdraw(journeys)
    left = Mills.dollars(200) - spent
    assert (told.outcome, told.noted, told.used, told.amount) == ("credited", left, ZERO, left)
    assert account(journeys) == told.account_balance == Mills.dollars(300) - spent
    status = journeys.status()
    assert (status.state, status.registers.descending, status.withdrawn_total) == ("withdrawn", ZERO, left)
    with world.store(HARBOR).reading() as view:
        (row,) = view.find("device")
        assert row.body["custody"] == "checked out"
    with world.store(POSTAL).reading() as view:
        (row,) = view.find("device")
        assert (row.body["status"], row.body["descending"]) == ("withdrawn", 0)
    with world.store(MAILROOM).reading() as view:
        assert Books(view, LICENSEE).balance(f"in-device/{MAILROOM}/{told.device}") == ZERO
    later = world.clock.now().plus(days=365)  # nobody is told to connect a device that he gave back
    left_open = {duty.limit.id for duty in duties_of(world, MAILROOM, as_of=later) if duty.closed is None}
    assert not left_open & {"contact", "quality-piece-forwarded"}
    with refused("licensee.checked-out") as caught:
        withdraw(journeys)
    assert caught.value.clause == "502.20(e), 502.27(b), P050 3.3(c), PRE-19"
    assert told.refund in caught.value.sentence
    assert account(journeys) == Mills.dollars(300) - spent
    audited(world, tmp_path / "export")
    world.close()


@cites("502.27b/2", "502.27b/4")
def test_a_balance_waits_for_the_signature_in_section_g_and_for_the_coordinator(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    device, hundred = journeys.device, Mills.dollars(100)
    again = lambda: returning.withdraw(journeys, reason="no longer wanted", wait=True)  # noqa: E731
    with refused("provider.balance-waiting") as caught:
        again()
    assert "the Provider's signature" in caught.value.sentence
    for act, by, code in (
        (returning.arrange, "mats", "postal.no-balance-form"),
        (returning.sign_form, "custodian", "person.other-office"),
    ):
        with refused(code):
            act(world, device, by=by)
    journeys.settle()  # what is left to others is not done by the sandbox
    with world.store(HARBOR).reading() as view:
        assert Books(view).device(MAILROOM, device).descending == 2 * hundred  # in one place: its own account
    assert (account(journeys), returning.waiting(journeys)) == (hundred, [(device, 2 * hundred)])
    two_persons(journeys)
    with refused("closing.waits") as caught:  # else it were paid out without what is credited later
        accounts.close(journeys, by="anna")
    assert f"the balance of {device}" in caught.value.sentence
    assert returning.sign_form(world, device, by="officer").body["signed_by"] == "officer"
    with refused("provider.balance-waiting") as caught:
        again()
    assert "MATS coordinator" in caught.value.sentence
    with refused("person.other-office"):
        returning.arrange(world, device, by="inspector")
    world.advance("25h")
    found = dict(accounts.reconcile(world))[HARBOR].differences
    assert {(one.about, one.cause) for one in found} == {(device, "a-balance-that-waits")}
    export(world, tmp_path / "waiting")
    assert [str(one) for one in audit(tmp_path / "waiting").differences] == []
    for _ in range(2):  # once
        returning.arrange(world, device, by="mats")
    assert account(journeys) == 3 * hundred
    assert again().account_balance == 3 * hundred
    assert returning.waiting(journeys) == []
    audited(world, tmp_path / "export")


@cites("502.20e")
def test_after_the_withdrawal_nothing_is_printed_set_or_renewed_and_a_new_lease_brings_a_new_device(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    old = journeys.device
    withdraw(journeys)
    with refused("licensee.checked-out"):
        printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    assert journeys.open_jobs() == []
    with refused("licensee.checked-out"):
        journeys.reset(Mills.dollars(1))
    device, today = journeys.device, journeys.today().isoformat()
    with world.shelf.client(device) as client, refused("machine.illegal-move"):  # nor by the device itself
        client.evidence(Evidence.of("JOB-1", amounts=(780,), date=today, category="FCLM"))
    with refused("licensee.check-out-open"):
        journeys.contact()
    assert journeys.lease().device != old
    assert journeys.lease().device == journeys.device != old
    journeys.reset(Mills.dollars(300))
    printing.print_job(journeys, PEOPLE, tmp_path / "out2", formats=("pdf",))
    audited(world, tmp_path / "export")


@cites("502.20e", "502.28")
def test_what_a_copy_of_the_device_signs_after_its_withdrawal_is_refused(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    before = printing.print_job(journeys, PEOPLE, tmp_path / "before", formats=("pdf",))
    world.advance("1d")
    world.shelf.close()
    copy = Path(shutil.copytree(world.folder, tmp_path / "copy"))
    withdraw(journeys)
    world.advance("1d")
    elsewhere = reopened(copy)  # a whole mail room that knows nothing of the withdrawal
    elsewhere.advance("1d")
    after = printing.print_job(Journeys(elsewhere), PEOPLE, tmp_path / "after", formats=("pdf",))
    elsewhere.close()
    good, bad = (next(iter(verifying.marks_of(done.pdf))) for done in (before, after))
    verdict = verifying.verify(bad, world).verdict
    assert verdict.verdict == "INVALID"
    assert {one.code for one in verdict.faults()} == {"certificate.revoked", "device.status"}
    assert verifying.verify(good, world).verdict.verdict == "VALID"  # it was dated before that day


@cites("502.27b")
def test_what_was_printed_on_the_day_of_the_withdrawal_is_good_when_it_is_presented_afterwards(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    done = printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    withdraw(journeys)
    world.advance("1d")
    verdict = verifying.verify(next(iter(verifying.marks_of(done.pdf))), world).verdict
    assert (verdict.verdict, [one.code for one in verdict.faults()]) == ("VALID", [])


@cites("502.25a", "502.27b")
def test_an_open_reset_is_settled_before_the_device_gives_back(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    with world.shelf.client(journeys.device) as client:
        client.request_reset(Mills.dollars(50))  # the host died before it carried the request
    told = withdraw(journeys)
    assert told.amount == Mills.dollars(250)
    assert account(journeys) == Mills.dollars(300)
    audited(world, tmp_path / "export")


@cites("502.27b")
def test_what_is_evidenced_between_notice_and_withdrawal_is_taken_off_the_noted_balance(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    device = journeys.device
    journeys.do(lambda ctx: returns.begin(ctx, device=device, purpose="return", reason="no longer wanted"))
    journeys.do(lambda ctx: returns.give_notice(ctx, device=device, faulted=False))
    spent = printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",)).total
    told = withdraw(journeys)
    assert (told.noted, told.used) == (Mills.dollars(200), spent)
    assert told.amount == Mills.dollars(200) - spent
    audited(world, tmp_path / "export")


def test_a_device_that_never_held_money_and_a_locked_one_go_out_of_service_too(world: World, tmp_path: Path) -> None:
    fresh = mailer(world)
    assert withdraw(fresh).outcome == "empty"
    locked = mailer(world, ANNEX, provider=SUMMIT, deposit=100, reset=60)
    world.advance("73h")
    assert locked.status().state == "locked"
    assert withdraw(locked).amount == Mills.dollars(60)
    assert account(locked, SUMMIT) == Mills.dollars(100)
    audited(world, tmp_path / "export")


class Doubling:
    """Delivers every message twice, and the first answer to one kind of message never comes back."""

    def __init__(self, loses: type) -> None:
        self.loses, self.lost, self.begun = loses, False, False

    def around(self, inner: Transport) -> Doubling:
        self.inner = inner
        return self

    def send(self, audience: str, raw: bytes) -> bytes:
        first, again = self.inner.send(audience, raw), self.inner.send(audience, raw)
        refused = peek(first).type == REFUSED  # a refusal is no decision, so it is sealed anew each time
        assert refused or again == first
        envelope = peek(raw)
        body = find_type(envelope.type, envelope.version).body
        self.begun = self.begun or body is bodies.CheckOutRequest
        if not self.lost and self.begun and body is self.loses:
            self.lost = True
            raise Refused("transport.unreachable", audience=audience, what="the answer was lost")
        return first


@pytest.mark.parametrize(
    "loses",
    [bodies.CheckOutRequest, bodies.DeviceWithdrawal, bodies.CheckOutQuery, bodies.CheckOutReport, bodies.DeviceAudit],
)
@pytest.mark.parametrize("wait", ["", "25h"])
def test_doubled_messages_and_a_lost_answer_credit_the_balance_once(loses: type, wait: str, tmp_path: Path) -> None:
    folder = tmp_path / "world"
    made = new_world(folder)
    mailer(made, deposit=300, reset=200)
    made.close()
    line = Doubling(loses)
    world = World.open(folder, Wiring(make_port=in_process(folder), transport=line.around))
    journeys = Journeys(world)
    try:
        told = withdraw(journeys)
    except Refused:
        if wait:
            world.advance(wait)
        journeys.settle()
        with refused("licensee.checked-out"):
            withdraw(journeys)
    else:
        assert told.amount == Mills.dollars(200)
    assert line.lost
    world.deliver()
    assert account(journeys) == Mills.dollars(300)
    audited(world, tmp_path / "export")
    world.close()


# ---- whose device it is


@cites("P050-2.9")
def test_nobody_takes_anothers_device_out_of_service(world: World, tmp_path: Path) -> None:
    from tests.parties.hand import Hand

    journeys = mailer(world, deposit=300, reset=200)
    other = mailer(world, ANNEX, provider=SUMMIT, deposit=100, reset=50)
    hand, device = Hand(world), journeys.device
    asked = {"device": device, "purpose": "return", "reason": "x", "transfer": "", "faulted": False}
    ours = bodies.CheckOutRequest(**asked, requested_by="anna", approved_by="")  # type: ignore[arg-type]
    assert hand.refused(ANNEX, HARBOR, ours) == "provider.unknown-device"
    assert hand.refused(MAILROOM, SUMMIT, ours) == "provider.unknown-device"
    assert hand.refused(ANNEX, HARBOR, bodies.CheckOutQuery(device=device)) == "provider.unknown-device"
    assert hand.refused(MAILROOM, HARBOR, bodies.CheckOutQuery(device=device)) == "provider.not-given-back"
    told = withdraw(journeys)
    report = bodies.CheckOutReport(
        device=other.device,
        license=hand.license_of(ANNEX),
        refund="RFD-222222222222",
        outcome="credited",
        noted=Mills(1),
        amount=Mills(1),
        signed_by=SUMMIT,
        requested_by="x",
        approved_by="",
        reading=b"",
        at=world.clock.now(),
    )
    assert hand.refused(HARBOR, POSTAL, report) == "postal.unknown-device"
    assert hand.refused(SUMMIT, POSTAL, report).startswith("world.")  # no signed word of the device is enclosed
    assert told.amount == Mills.dollars(200)
    assert (account(journeys), account(other, SUMMIT)) == (Mills.dollars(300), Mills.dollars(50))
    audited(world, tmp_path / "export")


@cites("P050-2.6", "502.14b")
def test_a_device_that_gives_back_what_nobody_ordered_is_frozen_and_nothing_is_credited(world: World) -> None:
    from tests.parties.hand import Hand, Puppet

    journeys = mailer(world, deposit=300, reset=200)
    puppet = Puppet(Hand(world), HARBOR, MAILROOM, 77)
    empty = bodies.Registers(ascending=ZERO, descending=Mills(5000), pieces=0)
    answer = puppet.say(bodies.DeviceWithdrawal(registers=empty, resets_total=Mills(5000), reason="x"), counter=1)
    assert isinstance(answer, bodies.RefusedReply)
    assert answer.code == "provider.frozen"
    assert account(journeys) == Mills.dollars(100)


@cites("P050-2.6")
def test_a_frozen_device_gives_nothing_back(world: World) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    with world.store(HARBOR).transaction() as tx:
        (row,) = tx.find("device")
        tx.put("device", row.key, {**row.body, "frozen": "a test"}, owner=row.owner, expected=row.version)
    with refused("provider.frozen"):
        withdraw(journeys)
    assert account(journeys) == Mills.dollars(100)


# ---- a device that cannot sign


def break_down(world: World, device: DeviceId) -> None:
    """Make a device faulted, as a failed self-test does."""
    world.shelf.close()
    memory = SqliteMemory(world.shelf.folder_of(device) / STORE)
    state = memory.load([device])[device]
    after = faulted(state, "a self-test failed", world.clock.now())
    memory.commit([Change(device, state.counter, state.epoch, after, ())])
    memory.close()


@cites("P050-2.7", "502.20f")
def test_a_faulted_device_goes_out_of_service_and_its_balance_waits_for_its_examination(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    old = journeys.device
    two_persons(journeys)
    break_down(world, old)
    with refused("licensee.device-faulted") as caught:
        returning.request_transfer(journeys, by="anna", reason="it is faulted")
    assert "502.20(f)" in caught.value.next_step
    told = withdraw(journeys)
    assert (told.outcome, told.noted, told.amount) == ("to be examined", Mills.dollars(200), ZERO)
    assert account(journeys) == Mills.dollars(100)  # nothing is credited that no device has signed
    with world.store(HARBOR).reading() as view:
        (row,) = view.find("device")
        assert row.body["custody"] == "returned"
        assert Books(view).device(MAILROOM, old).descending == Mills.dollars(200)
    with world.store(POSTAL).reading() as view:
        assert view.find("device")[0].body["status"] == "withdrawn"
        assert view.find("device-certificates")[0].body["revoked_reason"] == "withdrawn"
    journeys.lease()
    assert journeys.device != old
    journeys.reset(Mills.dollars(100))
    audited(world, tmp_path / "export")


# ---- transfer


@cites("P050-2.6", "P050-3.6")
@pytest.mark.parametrize("regime", REGIMES)
def test_a_balance_moves_to_a_replacement_when_another_person_approves(regime: str, tmp_path: Path) -> None:
    world = new_world(tmp_path / "world", regime)
    journeys = mailer(world, deposit=600, reset=500)  # up to the cap
    old = journeys.device
    two_persons(journeys)
    returning.request_transfer(journeys, by="anna", reason="the display is broken")
    assert journeys.status().registers.descending == Mills.dollars(500)  # nothing has moved yet
    done = returning.approve_transfer(journeys, by="ben")
    assert (done.device, done.amount) == (old, Mills.dollars(500))
    assert (done.requested_by, done.approved_by) == ("anna", "ben")
    assert journeys.device == done.replacement != old
    assert journeys.status().registers.descending == Mills.dollars(500)
    assert journeys.status_of(old).registers.descending == ZERO
    assert account(journeys) == Mills.dollars(100)
    assert returning.approve_transfer(journeys, by="ben") == done  # asked again: the first answer
    with refused("psd.over-cap"):
        journeys.reset(Mills(1))
    printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    journeys.contact()
    with world.store(MAILROOM).reading() as view:
        facts = {fact.type: fact for fact in view.facts()}
    assert (facts["transfer.approved"].actor, facts["transfer.done"].actor) == ("ben", "anna")
    assert facts["transfer.done"].body["approvals"] == ["ben"]
    audited(world, tmp_path / "export")
    world.close()


@cites("P050-2.6")
def test_one_person_alone_transfers_nothing(world: World, tmp_path: Path) -> None:
    from tests.parties.hand import Hand

    journeys = mailer(world, deposit=300, reset=200)
    with refused("person.unknown"):
        returning.request_transfer(journeys, by="anna", reason="x")
    two_persons(journeys)
    with refused("licensee.no-transfer"):
        returning.approve_transfer(journeys, by="ben")
    returning.request_transfer(journeys, by="anna", reason="x")
    with refused("person.same-person") as caught:
        returning.approve_transfer(journeys, by="anna")
    assert caught.value.clause == "P050 2.6"
    with refused("person.unknown"):
        returning.approve_transfer(journeys, by="mallory")
    with refused("licensee.transfer-open"):
        withdraw(journeys)
    journeys.do(lambda ctx: persons.strike(ctx, name="anna"))
    with refused("person.unknown"):  # who asked must still be authorised
        returning.approve_transfer(journeys, by="ben")
    asked = {"device": journeys.device, "purpose": "replacement", "reason": "x", "transfer": "TRF-222222222222"}
    hand = Hand(world)
    for approver, code in (("", "person.not-approved"), ("anna", "person.same-person")):
        alone = bodies.CheckOutRequest(**asked, requested_by="anna", approved_by=approver, faulted=False)  # type: ignore[arg-type]
        assert hand.refused(MAILROOM, HARBOR, alone) == code  # the Provider looks for itself
    assert journeys.status().registers.descending == Mills.dollars(200)
    audited(world, tmp_path / "export")


@cites("P050-2.6")
def test_of_two_transfers_one_comes_about_and_the_other_is_told_of_it(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    two_persons(journeys)
    first = returning.request_transfer(journeys, by="anna", reason="x")
    with refused("licensee.transfer-open") as caught:
        returning.request_transfer(journeys, by="ben", reason="y")
    assert first.key in caught.value.sentence
    assert "anna" in caught.value.sentence
    returning.cancel_transfer(journeys, by="carl")
    returning.request_transfer(journeys, by="ben", reason="y")
    answers: list[object] = []

    def approve(name: str) -> None:
        try:
            answers.append(returning.approve_transfer(Journeys(world), by=name))
        except Refused as refusal:
            answers.append(refusal)

    held = journeys.do(lambda ctx: ctx.tx.find("transfer"))
    threads = [threading.Thread(target=approve, args=(name,)) for name in ("anna", "carl")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journeys.settle()
    assert len(held) == 2
    told = [answer for answer in answers if isinstance(answer, Refused)]
    assert [answer.code for answer in told] in (["licensee.transfer-open"], ["licensee.no-transfer"])
    assert journeys.status().registers.descending == Mills.dollars(200)
    assert len(world.shelf.devices()) == 2
    assert account(journeys) == Mills.dollars(100)
    audited(world, tmp_path / "export")


@cites("P050-2.6", "502.27b/2")
def test_a_transfer_whose_balance_waits_for_persons_holds_up_nothing_else(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    two_persons(journeys)
    device = journeys.device
    hold_all(world, HARBOR, "olga")
    world.desk(HARBOR).perform(lambda ctx: persons.strike(ctx, name="officer"), actor=HARBOR)
    returning.request_transfer(journeys, by="anna", reason="x")
    with refused("person.unknown"):
        returning.approve_transfer(journeys, by="ben")
    journeys.settle()
    assert returning.waiting(journeys) == [(device, Mills.dollars(200))]
    returning.sign_form(world, device, by="olga")
    returning.arrange(world, device, by="mats")
    journeys.settle()
    assert journeys.device != device
    assert journeys.status().registers.descending == Mills.dollars(200)
    assert account(journeys) == Mills.dollars(100)
    audited(world, tmp_path / "export")


def test_while_a_balance_is_under_way_the_replacement_takes_no_other_reset_and_a_reopened_world_finishes(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "world"
    world = new_world(folder)
    journeys = mailer(world, deposit=300, reset=200)
    two_persons(journeys)
    returning.request_transfer(journeys, by="anna", reason="x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(returning, "_set", _stopped)
        with pytest.raises(KeyboardInterrupt):
            returning.approve_transfer(journeys, by="ben")
    with refused("licensee.transfer-open") as caught:
        journeys.reset(Mills.dollars(50))
    assert "reset DIR --finish" in caught.value.next_step
    assert account(journeys) == Mills.dollars(300)  # between the two devices the value lies in the account
    with refused("licensee.transfer-open"):
        returning.approve_transfer(journeys, by="carl")
    world.close()
    world = reopened(folder)
    journeys = Journeys(world)
    journeys.settle()
    assert journeys.status().registers.descending == Mills.dollars(200)
    assert account(journeys) == Mills.dollars(100)
    assert returning.approve_transfer(journeys, by="ben").amount == Mills.dollars(200)
    journeys.reset(Mills.dollars(50))
    journeys.do(lambda ctx: funds.contact(ctx, device=journeys.device))
    audited(world, tmp_path / "export")
    world.close()


def _stopped(*_: object) -> str:
    raise KeyboardInterrupt
