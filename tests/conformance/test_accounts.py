"""The duties about accounts, each broken once: the refusal names its clause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.breaking import answered, noted, refused
from tests.journeys.stories import HARBOR, MAILROOM
from tests.journeys.test_accounts import account, broken, funded
from tests.parties.hand import BANK, POSTAL, Hand, Puppet

from towncircle.kernel.ids import AdvanceId, ClosingId, DeviceId, RequestId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import Books
from towncircle.ledger.recipes import usage_read
from towncircle.wire import bodies
from towncircle.world import accounts, returning
from towncircle.world.journeys import Journeys
from towncircle.world.world import World


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    made = funded(tmp_path / "world")
    yield made
    made.world.close()


def closing(hand: Hand, **changes: Any) -> bodies.AccountRequest:
    made = bodies.AccountRequest(
        reference=ClosingId.new(hand.source), kind="closing", device="", amount=ZERO, reason="", asked_by="dora"
    )
    return replace(made, **changes)


def balance(world: World, account_: str) -> Mills:
    with world.store(HARBOR).reading() as view:
        return Books(view).balance(account_)


@pytest.mark.requirement("P050-3.5a/2", "502.25c/2")
def test_nothing_is_advanced_that_the_provider_has_not_agreed_to(journeys: Journeys) -> None:
    hand = Hand(journeys.world)
    asked = closing(hand, reference=AdvanceId.new(hand.source), kind="advance", amount=Mills.dollars(10))
    for row in ("P050-3.5a", "502.25c"):
        answered(hand.say(MAILROOM, HARBOR, asked), row, "advance.not-agreed")
    with refused("502.25c", "advance.over-limit"):
        accounts.agree_advance(journeys.world, MAILROOM, Mills.dollars(10_000), by="ann")
    accounts.agree_advance(journeys.world, MAILROOM, Mills.dollars(10), by="ann")
    more = replace(asked, amount=Mills.dollars(11))
    answered(hand.say(MAILROOM, HARBOR, more), "P050-3.5a", "ledger.ceiling")
    assert balance(journeys.world, f"advances/{MAILROOM}") == ZERO


@pytest.mark.requirement("502.27d", "P050-3.3a")
def test_a_loss_that_the_registers_do_not_show_is_not_credited(journeys: Journeys) -> None:
    world, device = journeys.world, journeys.device
    with refused("502.27d", "claim.not-examined"):
        accounts.claim(journeys, device, Mills.dollars(200), reason="it is slow")
    broken(journeys)
    with world.store(HARBOR).transaction() as tx:
        row = tx.get("device", device)
        assert row is not None
        tx.put("device", device, {**row.body, "audit": ""}, owner=row.owner, expected=row.version)
    for clause in ("502.27d", "P050-3.3a"):
        with refused(clause, "claim.no-evidence"):
            accounts.claim(journeys, device, Mills.dollars(200), reason="it failed")
    with world.store(HARBOR).transaction() as tx:
        tx.put("device", device, row.body, owner=row.owner, expected=row.version + 1)
    told = accounts.claim(journeys, device, Mills.dollars(200), reason="it failed")
    with refused("502.27d", "person.same-person"):
        accounts.decide_claim(world, told.reference, grant=True, finding="x", by="ann", approved_by="ann")
    for clause in ("502.27d", "P050-3.3a"):
        with refused(clause, "claim.not-written-off"):
            accounts.decide_claim(world, told.reference, grant=True, finding="x", by="ann", approved_by="ben")
    assert account(world) == Mills.dollars(100)


@pytest.mark.requirement("502.27c/1", "P050-3.3d/1")
def test_an_account_is_not_closed_without_the_licensees_own_written_request(journeys: Journeys) -> None:
    hand = Hand(journeys.world)
    returning.withdraw(journeys, reason="no longer wanted")
    for row in ("502.27c", "P050-3.3d"):
        answered(hand.say(MAILROOM, HARBOR, closing(hand, asked_by=" ")), row, "closing.no-signature")
    asked = closing(hand)
    sealed = {
        "another's word": hand.seal(HARBOR, HARBOR, asked),
        "another closing": hand.seal(MAILROOM, HARBOR, closing(hand)),
        "another request": hand.seal(MAILROOM, HARBOR, replace(asked, kind="advance")),
    }
    for request in sealed.values():
        notice = bodies.ClosingNotice(
            closing=asked.reference, account="a", amount=Mills.dollars(300), own=ZERO, request=request
        )
        answered(hand.say(HARBOR, POSTAL, notice), "502.27c", "closing.not-its-licensee")
    assert account(journeys.world) == Mills.dollars(300)


@pytest.mark.requirement("502.27c/2")
def test_no_check_is_instructed_that_was_not_noticed_or_that_the_trust_does_not_hold(journeys: Journeys) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    with refused("502.27c", "closing.unknown"):
        accounts.instruct(world, ClosingId.new(hand.source), by="asc")
    returning.withdraw(journeys, reason="no longer wanted")
    told = accounts.close(journeys, by="dora")
    with world.store(POSTAL).transaction() as tx:
        row = tx.get("closing", told.reference)
        assert row is not None
        body = {**row.body, "amount": row.body["amount"] + 10}
        tx.put("closing", row.key, body, owner=row.owner, expected=row.version)
    with refused("502.27c", "closing.differs"):
        accounts.instruct(world, told.reference, by="asc")


@pytest.mark.requirement("502.27c/3", "P050-3.3d/2")
def test_a_closing_has_one_check(journeys: Journeys) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    returning.withdraw(journeys, reason="no longer wanted")
    told = accounts.close(journeys, by="dora")
    accounts.instruct(world, told.reference, by="asc")
    order = bodies.PayoutInstruction(
        closing=told.reference, provider=HARBOR, licensee=MAILROOM, amount=told.amount, instructed_by="olaf"
    )
    again = hand.say(POSTAL, BANK, order)
    assert isinstance(again, bodies.CheckIssued)
    assert again.check == 1
    for row in ("502.27c", "P050-3.3d"):
        other = replace(order, amount=told.amount + Mills(10))
        answered(hand.say(POSTAL, BANK, other), row, "bank.other-check")
    with refused("502.27c", "closing.instructed-before"):
        accounts.instruct(world, told.reference, by="olaf")
    issued = bodies.CheckIssued(
        closing=told.reference, licensee=MAILROOM, amount=told.amount + Mills(10), check=2, day="2026-11-23"
    )
    answered(hand.say(POSTAL, HARBOR, issued), "502.27c", "closing.unknown")
    with world.store(BANK).reading() as view:
        assert [row.body["check"] for row in view.find("check")] == [1]


@pytest.mark.requirement("PRE-19/3")
def test_the_balance_of_a_closed_account_is_refunded_once(journeys: Journeys) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    returning.withdraw(journeys, reason="no longer wanted")
    left = account(world)
    told = accounts.close(journeys, by="dora")
    assert (told.amount, account(world)) == (left, ZERO) == (Mills.dollars(300), ZERO)
    answered(hand.say(MAILROOM, HARBOR, closing(hand)), "PRE-19", "closing.open")
    accounts.instruct(world, told.reference, by="asc")
    with refused("PRE-19", "closing.instructed-before"):
        accounts.instruct(world, told.reference, by="olaf")
    with world.store(BANK).reading() as view:
        assert [row.body["amount"] for row in view.find("check")] == [int(left)]


# ---- the balance of a device


def use(world: World, device: str) -> None:
    """Let the Provider's books have another balance than the device: a mill was used that no reading shows."""
    entry = usage_read(reading_id="none", licensee=MAILROOM, device=device, amount=Mills(1), at=Instant(1))
    with world.store(HARBOR).transaction() as tx:
        Books(tx).post(entry)


@pytest.mark.requirement("502.27b/1", "P050-3.3c/1")
@pytest.mark.shows("502.27b/4")
def test_a_balance_that_is_not_the_one_noted_less_what_was_used_is_not_credited(journeys: Journeys) -> None:
    world = journeys.world
    use(world, journeys.device)
    for row in ("502.27b", "P050-3.3c"):
        with refused(row, "provider.balance-differs"):
            returning.withdraw(journeys, reason="no longer wanted")
    assert account(world) == Mills.dollars(100)


@pytest.mark.requirement("P050-3.3c/2")
def test_the_same_holds_for_another_logical_security_element(journeys: Journeys) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    element = Puppet(hand, HARBOR, MAILROOM, 77)  # keys and a voice, and no device
    name, fifty = RequestId.new(hand.source), Mills.dollars(50)
    assert isinstance(element.ask_reset(name, fifty, counter=1), bodies.ResetAuthorisation)
    full = bodies.Registers(ascending=ZERO, descending=fifty, pieces=0)
    taken = bodies.ResetAcknowledgment(request_id=name, registers=full, amount=fifty, resets_total=fifty)
    assert isinstance(element.say(taken, counter=2), bodies.AccountStatement)
    notice = bodies.CheckOutRequest(
        device=DeviceId(element.device),
        purpose="return",
        reason="x",
        transfer="",
        faulted=False,
        requested_by="dora",
        approved_by="",
    )
    assert isinstance(hand.say(MAILROOM, HARBOR, notice), bodies.CheckOutNoted)
    use(world, element.device)
    given = bodies.DeviceWithdrawal(registers=full, resets_total=fifty, reason="x")
    answered(element.say(given, counter=3), "P050-3.3c", "provider.balance-differs")
    assert account(world) == Mills.dollars(50)


@pytest.mark.requirement("502.27b/2", changes={"signed_by": ""})
@pytest.mark.requirement("502.27b/3", changes={})
@pytest.mark.parametrize(
    ("changes", "code"), [({"signed_by": ""}, "postal.unsigned-form"), ({}, "postal.balance-differs")]
)
def test_the_coordinator_takes_no_form_that_is_unsigned_or_without_the_devices_word(
    journeys: Journeys, changes: dict[str, str], code: str
) -> None:
    world, hand, device = journeys.world, Hand(journeys.world), journeys.device
    with world.shelf.client(device) as client:
        audit = client.audit()
    form = bodies.CheckOutReport(
        device=device,
        license=hand.license_of(MAILROOM),
        refund="RFD-222222222222",
        outcome="credited",
        noted=Mills.dollars(200),
        amount=Mills.dollars(200),
        signed_by=HARBOR,
        requested_by="dora",
        approved_by="",
        reading=audit.message,
        at=world.clock.now(),
    )
    # it has given nothing back
    answered(hand.say(HARBOR, POSTAL, replace(form, **changes)), "502.27b", code)  # type: ignore[arg-type]  # text
    query = bodies.CheckOutQuery(device=device)
    answered(hand.say(MAILROOM, HARBOR, query), "502.27b", "provider.not-given-back")


@pytest.mark.requirement("502.8/6")
def test_books_that_differ_are_named_by_the_reconciliation_of_the_day(journeys: Journeys) -> None:
    world = journeys.world
    journeys.contact()
    with world.store(POSTAL).transaction() as tx:
        row = tx.get("ledger.balance", f"trust/{HARBOR}/{MAILROOM}")
        assert row is not None
        body = {**row.body, "credit": row.body["credit"] - 5}
        tx.put(row.kind, row.key, body, owner=row.owner, expected=row.version)
    found = [one for one in dict(accounts.reconcile(world))[HARBOR].differences if not one.explained]
    assert [(one.code, one.amount) for one in found] == [("daily.balance", Mills(5))]
    with world.store(POSTAL).reading() as view:
        (told,) = [
            fact for fact in view.facts() if (fact.type, fact.body.get("provider")) == ("books.reconciled", HARBOR)
        ]
    noted([told], "502.8", unexplained=1)
