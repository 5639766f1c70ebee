"""Accounts: deposits that wait, come back and are made good; advances, claims, closings, statements, three books."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, REGIMES, SUMMIT, hold_all, mailer, new_world, reopened
from tests.journeys.test_refunds import audited, refused, together
from tests.journeys.test_returning import break_down
from tests.parties.hand import BANK, Hand

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import ClosingId, DeviceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import BANK as BANK_CHART
from towncircle.ledger import LICENSEE as LICENSEE_CHART
from towncircle.ledger import POSTAL as POSTAL_CHART
from towncircle.ledger import Books
from towncircle.postal.daily import telling
from towncircle.provider import checkouts, daily
from towncircle.wire import bodies, nacha, statement_file
from towncircle.wire.bodies import AccountRequest
from towncircle.wire.nacha import MODIFIERS
from towncircle.world import accounts, returning
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.missing import at_provider
from towncircle.world.population import today
from towncircle.world.world import World

PERSONS = {HARBOR: ("ann", "ben", "cleo"), POSTAL: ("asc", "olaf"), MAILROOM: ("dora", "emil")}


def authorise(world: World) -> None:
    for party, names in PERSONS.items():
        hold_all(world, party, *names)


def funded(folder: Path, regime: str = "imi-2024") -> Journeys:
    """Give a mailer with $100 in the account and $200 in the device, in a world with authorised persons."""
    world = new_world(folder, regime)
    authorise(world)
    return mailer(world, deposit=300, reset=200)


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    made = funded(tmp_path / "world")
    yield made
    made.world.close()


def account(world: World, licensee: str = MAILROOM) -> Mills:
    with world.store(HARBOR).reading() as view:
        assert Books(view).equation(licensee).difference == ZERO
        return Books(view).balance(f"account/{licensee}")


def advances(world: World, licensee: str = MAILROOM) -> Mills:
    with world.store(HARBOR).reading() as view:
        return Books(view).balance(f"advances/{licensee}")


def held_at_bank(world: World) -> Mills:
    with world.store(BANK).reading() as view:
        return Books(view, BANK_CHART).balance(f"held/{HARBOR}/{MAILROOM}")


def on_deposit(world: World, licensee: str = MAILROOM) -> Mills:
    with world.store(licensee).reading() as view:
        return Books(view, LICENSEE_CHART).balance(f"on-deposit/{HARBOR}/{licensee}")


def trust(world: World) -> Mills:
    with world.store(POSTAL).reading() as view:
        return Books(view, POSTAL_CHART).balance(f"trust/{HARBOR}/{MAILROOM}")


# ---- deposits


@pytest.mark.parametrize(("form", "days"), [("ach-debit", 0), ("ach-credit", 0), ("wire", 0), ("check", 2)])
def test_a_deposit_may_be_drawn_on_when_its_form_says(form: str, days: int, tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world)  # a Monday
    journeys.deposit(Mills.dollars(100), form=form)
    assert account(world) == Mills.dollars(100)
    for _ in range(days):
        with refused("account.not-available") as caught:
            journeys.reset(Mills.dollars(100))
        assert "2026-11-25" in caught.value.sentence
        world.advance("1d")
    journeys.reset(Mills.dollars(100))
    world.close()


def test_what_is_available_may_be_drawn_beside_what_is_not(journeys: Journeys) -> None:
    journeys.deposit(Mills.dollars(50), form="check")
    journeys.reset(Mills.dollars(100))
    with refused("account.not-available"):
        journeys.reset(Mills.dollars(1))
    with refused("ledger.insufficient-funds"):
        journeys.reset(Mills.dollars(51))


def test_an_ach_deposit_is_in_the_days_file_and_a_returned_one_too(journeys: Journeys) -> None:
    world = journeys.world
    second = journeys.deposit(Mills.dollars(40), form="ach-credit", payer=("990000039", "77-1"))
    accounts.return_item(world, second.deposit_id, reason="R29")
    file = nacha.read(accounts.ach_file(world, today(world)))
    kinds = [(batch.service_class, [entry.code for entry in batch.entries]) for batch in file.batches]
    assert kinds == [("225", ["27"]), ("220", ["22"]), ("220", ["21"])]
    (debit,), (credit,), (back,) = (batch.entries for batch in file.batches)
    assert (debit.cents, debit.account) == (30_000, "000123456789")
    assert (credit.account, credit.routing, back.reason) == ("LOCKBOX1", "990000013", "R29")
    assert back.original == credit.trace
    assert back.identification == second.deposit_id.replace("-", "")
    with refused("ach.nothing"):
        accounts.ach_file(world, "1999-01-01")


def test_an_ach_entry_is_in_one_file_and_a_later_file_of_the_day_has_the_next_modifier(journeys: Journeys) -> None:
    world, day = journeys.world, today(journeys.world)
    first = accounts.ach_file(world, day)
    assert accounts.ach_file(world, day) == first  # nothing came in between: it is that file again
    second = journeys.deposit(Mills.dollars(40), form="ach-credit", payer=("990000039", "77-1"))
    third = journeys.deposit(Mills.dollars(1), form="ach-debit")  # the last account is taken again
    data = accounts.ach_file(world, day)
    file = nacha.read(data)
    assert (nacha.read(first).modifier, file.modifier) == ("A", "B")
    entries = [entry for batch in file.batches for entry in batch.entries]
    names = [entry.identification for entry in entries]
    assert names == [one.deposit_id.replace("-", "") for one in (third, second)]
    assert entries[0].account == "77-1"
    accounts.return_item(world, second.deposit_id, reason="R29")
    assert [accounts.ach_file(world, day, modifier=named) for named in "AB"] == [first, data]
    with refused("ach.no-such-file"):
        accounts.ach_file(world, day, modifier="C")
    back = nacha.read(accounts.ach_file(world, day))
    assert [(batch.purpose, len(batch.entries)) for batch in back.batches] == [("RETURN", 1)]


def test_the_last_file_that_a_day_may_have_waits_for_its_end(journeys: Journeys) -> None:
    world, day = journeys.world, today(journeys.world)
    accounts.ach_file(world, day)
    with world.store(BANK).transaction() as tx:
        for modifier in MODIFIERS[1:-1]:
            tx.put(
                "ach-file",
                f"{day} {modifier}",
                {"day": day, "modifier": modifier, "entries": []},
                owner=day,
                expected=0,
            )
    last = journeys.deposit(Mills.dollars(1), form="ach-debit")
    with refused("ach.day-not-over"):
        accounts.ach_file(world, day)
    world.advance("1d")
    file = nacha.read(accounts.ach_file(world, day))
    assert (file.modifier, file.date) == ("9", day.replace("-", "")[2:])
    assert [entry.identification for entry in file.batches[0].entries] == [last.deposit_id.replace("-", "")]


@cites("P050-3.5a")
def test_a_returned_item_locks_the_account_until_later_deposits_made_it_good(
    journeys: Journeys, tmp_path: Path
) -> None:
    world = journeys.world
    deposit = journeys.deposit(Mills.dollars(60), form="wire")
    journeys.reset(Mills.dollars(120))
    accounts.return_item(world, deposit.deposit_id, reason="R01")
    assert accounts.return_item(world, deposit.deposit_id, reason="R01").key == deposit.deposit_id  # once
    assert (account(world), advances(world)) == (ZERO, Mills.dollars(20))
    with refused("account.locked"):
        journeys.reset(Mills.dollars(1))
    journeys.deposit(Mills.dollars(59), form="wire")
    assert (account(world), advances(world)) == (Mills.dollars(39), ZERO)  # what was spent is repaid first
    with refused("account.locked") as caught:
        journeys.reset(Mills.dollars(1))
    assert "$1.00" in caught.value.sentence
    journeys.deposit(Mills.dollars(1), form="wire")
    journeys.reset(Mills.dollars(40))
    with refused("bank.returned-before"):
        accounts.return_item(world, deposit.deposit_id, reason="R02")
    with refused("bank.no-such-item"):
        accounts.return_item(world, "DEP-222222222222", reason="R02")
    with refused("ach.bad-reason"):
        accounts.return_item(world, deposit.deposit_id, reason="none")
    journeys.contact()
    audited(world, tmp_path / "export")


# ---- advances


@cites("502.25c/2")
def test_an_advance_is_given_within_its_agreement_and_repaid_first(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    with refused("advance.not-agreed"):
        accounts.ask_advance(journeys, Mills.dollars(10))
    with refused("advance.over-limit"):
        accounts.agree_advance(world, MAILROOM, Mills.dollars(301), by="ann")
    with refused("person.unknown"):
        accounts.agree_advance(world, MAILROOM, Mills.dollars(50), by="dora")
    with refused("account.unknown"):
        accounts.agree_advance(world, "licensee.nobody", Mills.dollars(50), by="ann")
    accounts.agree_advance(world, MAILROOM, Mills.dollars(50), by="ann")
    told = accounts.ask_advance(journeys, Mills.dollars(50))
    assert (told.outstanding, told.account_balance) == (Mills.dollars(50), Mills.dollars(150))
    assert accounts.follow(journeys, told.reference).amount == Mills.dollars(50)
    assert account(world) == Mills.dollars(150)  # asked twice, given once
    with refused("ledger.ceiling"):
        accounts.ask_advance(journeys, Mills(10))
    journeys.reset(Mills.dollars(150))
    journeys.deposit(Mills.dollars(30))
    assert (account(world), advances(world)) == (ZERO, Mills.dollars(20))
    journeys.deposit(Mills.dollars(30), form="check")
    assert (account(world), advances(world)) == (Mills.dollars(10), ZERO)
    with refused("account.not-available"):
        journeys.reset(Mills.dollars(10))
    world.advance("2d")
    journeys.reset(Mills.dollars(10))
    journeys.contact()
    audited(world, tmp_path / "export")


@cites("502.25c/2")
@pytest.mark.parametrize("by_a_limit_of_nothing", [False, True])
def test_an_agreement_that_ended_advances_nothing_and_forgives_nothing(
    journeys: Journeys, tmp_path: Path, by_a_limit_of_nothing: bool
) -> None:
    world = journeys.world
    with refused("advance.not-agreed"):
        accounts.end_advance(world, MAILROOM, reason="none was made", by="ann")
    accounts.agree_advance(world, MAILROOM, Mills.dollars(50), by="ann")
    accounts.ask_advance(journeys, Mills.dollars(20))
    with refused("person.unknown"):
        accounts.end_advance(world, MAILROOM, reason="it is over", by="dora")
    with pytest.raises(BadInput, match=r"advance\.no-reason"):
        accounts.end_advance(world, MAILROOM, reason=" ", by="ann")
    if by_a_limit_of_nothing:
        accounts.agree_advance(world, MAILROOM, ZERO, by="ann")
    else:
        accounts.end_advance(world, MAILROOM, reason="it is over", by="ann")
    with refused("advance.not-agreed"):
        accounts.ask_advance(journeys, Mills.dollars(1))
    assert advances(world) == Mills.dollars(20)  # still owed
    with world.store(HARBOR).reading() as view:
        (ended,) = (fact for fact in view.facts() if fact.type == "advance.ended")
    assert (ended.body["outstanding"], ended.clauses) == (20_000, ("502.25(c)(1)",))
    journeys.deposit(Mills.dollars(30))
    assert advances(world) == ZERO
    accounts.agree_advance(world, MAILROOM, Mills.dollars(5), by="ann")
    accounts.ask_advance(journeys, Mills.dollars(5))  # agreed on anew
    audited(world, tmp_path / "export")


# ---- malfunction


def broken(journeys: Journeys) -> DeviceId:
    """Have the device fail and give it back: it signs nothing any more."""
    device = journeys.device
    break_down(journeys.world, device)
    told = returning.withdraw(journeys, reason="it failed")
    assert told.outcome == "to be examined"
    return device


def examined(world: World, device: DeviceId) -> None:
    """Have the Provider examine a device that came back, and write it off."""
    at_provider(world, device, lambda ctx: checkouts.write_off(ctx, device=device, reference="bench-9"))


@cites("502.27d", "P050-3.3a")
def test_what_is_lost_in_a_device_is_borne_by_the_provider(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    with refused("claim.not-examined"):
        accounts.claim(journeys, journeys.device, Mills.dollars(200), reason="it is slow")
    device = broken(journeys)
    told = accounts.claim(journeys, device, Mills.dollars(999), reason="it shows an error", by="dora")
    assert (told.state, told.limit) == ("claimed", Mills.dollars(200))  # what its registers show
    with refused("claim.device-claimed"):
        accounts.claim(journeys, device, Mills.dollars(200), reason="again")
    decide = {"grant": True, "finding": "its memory is worn out"}
    for by, other, code in (
        ("ann", "", "person.not-approved"),
        ("ann", "ann", "person.same-person"),
        ("ann", "dora", "person.unknown"),
        ("dora", "ann", "person.unknown"),
    ):
        with refused(code):
            accounts.decide_claim(world, told.reference, by=by, approved_by=other, **decide)  # type: ignore[arg-type]
    with refused("claim.no-finding"):
        accounts.decide_claim(world, told.reference, grant=True, finding=" ", by="ann", approved_by="ben")
    held = trust(world)
    with refused("claim.not-written-off"):  # that it failed is its host's word only
        accounts.decide_claim(world, told.reference, by="ann", approved_by="ben", **decide)  # type: ignore[arg-type]
    examined(world, device)
    accounts.decide_claim(world, told.reference, by="ann", approved_by="ben", **decide)  # type: ignore[arg-type]
    assert accounts.decide_claim(world, told.reference, by="ann", approved_by="ben", **decide).body["amount"] == 200_000  # type: ignore[arg-type]
    with refused("claim.decided-before"):
        accounts.decide_claim(world, told.reference, by="ben", approved_by="ann", **decide)  # type: ignore[arg-type]
    assert account(world) == Mills.dollars(300)
    assert trust(world) == held  # no money of the Postal Service
    assert accounts.follow(journeys, told.reference).state == "granted"
    audited(world, tmp_path / "export")


def test_a_claim_that_is_declined_credits_nothing_and_may_be_made_anew(journeys: Journeys) -> None:
    device = broken(journeys)
    told = accounts.claim(journeys, device, Mills.dollars(5), reason="it shows an error")
    accounts.decide_claim(journeys.world, told.reference, grant=False, finding="none", by="ann", approved_by="ben")
    assert account(journeys.world) == Mills.dollars(100)
    again = accounts.claim(journeys, device, Mills.dollars(5), reason="examined elsewhere")
    assert again.state == "claimed"
    with refused("claim.unknown"):
        accounts.decide_claim(journeys.world, "CLM-2", grant=True, finding="x", by="ann", approved_by="ben")


# ---- closing


@cites("502.27c", "P050-3.3d")
@pytest.mark.parametrize("regime", REGIMES)
def test_a_closed_account_is_paid_out_by_one_check(regime: str, tmp_path: Path) -> None:
    journeys = funded(tmp_path / "world", regime)
    world = journeys.world
    with refused("closing.waits"):
        accounts.close(journeys, by="dora")
    with refused("person.unknown"):
        accounts.close(journeys, by="ann")
    returning.withdraw(journeys, reason="no longer wanted")
    told = accounts.close(journeys, by="dora", reason="we move")
    assert (told.state, told.amount, told.account_balance, told.check) == ("asked", Mills.dollars(300), ZERO, 0)
    with refused("closing.open") as caught:
        accounts.close(journeys, by="emil")
    assert "dora" in caught.value.sentence
    with refused("person.unknown"):
        accounts.instruct(world, told.reference, by="ann")
    paid = accounts.instruct(world, told.reference, by="asc")
    assert accounts.instruct(world, told.reference, by="asc").body["check"] == paid.body["check"] == 1
    with refused("closing.instructed-before"):
        accounts.instruct(world, told.reference, by="olaf")
    assert (trust(world), held_at_bank(world)) == (ZERO, ZERO)
    end = accounts.follow(journeys, told.reference)
    assert (end.state, end.check) == ("paid", 1)
    audited(world, tmp_path / "export")
    world.close()


def test_a_new_lease_opens_a_closed_account_again(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    returning.withdraw(journeys, reason="no longer wanted")
    accounts.instruct(world, accounts.close(journeys, by="dora").reference, by="asc")
    journeys.lease()
    journeys.deposit(Mills.dollars(20))
    journeys.reset(Mills.dollars(20))
    journeys.contact()
    audited(world, tmp_path / "export")


def test_credits_of_the_provider_and_repaid_advances_are_in_the_check(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    accounts.agree_advance(world, MAILROOM, Mills.dollars(50), by="ann")
    accounts.ask_advance(journeys, Mills.dollars(50))
    device = broken(journeys)
    told = accounts.claim(journeys, device, Mills.dollars(200), reason="it failed")
    with refused("closing.waits") as caught:
        accounts.close(journeys, by="dora")
    assert told.reference in caught.value.sentence
    examined(world, device)
    accounts.decide_claim(world, told.reference, grant=True, finding="worn out", by="ann", approved_by="ben")
    asked = accounts.close(journeys, by="dora")
    assert (asked.amount, advances(world)) == (Mills.dollars(300), ZERO)
    accounts.instruct(world, asked.reference, by="asc")
    assert trust(world) == -Mills.dollars(200)  # what the Provider owes the Postal Service
    audited(world, tmp_path / "export")


def test_an_advance_that_the_account_cannot_repay_keeps_it_open(journeys: Journeys) -> None:
    world = journeys.world
    accounts.agree_advance(world, MAILROOM, Mills.dollars(50), by="ann")
    accounts.ask_advance(journeys, Mills.dollars(50))
    journeys.reset(Mills.dollars(150))
    broken(journeys)
    with refused("closing.advance-outstanding"):
        accounts.close(journeys, by="dora")
    assert (account(world), advances(world)) == (ZERO, Mills.dollars(50))


def test_two_persons_who_close_at_once_have_one_closing_and_one_check(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    returning.withdraw(journeys, reason="no longer wanted")
    other = reopened(world.folder)
    answers = together(lambda: accounts.close(journeys, by="dora"), lambda: accounts.close(Journeys(other), by="emil"))
    assert answers == ["", "closing.open"]
    (closing,) = accounts.requests_of(journeys, "closing")
    answers = together(
        lambda: accounts.instruct(world, closing, by="asc"), lambda: accounts.instruct(other, closing, by="olaf")
    )
    other.close()
    assert answers == ["", "closing.instructed-before"]
    assert held_at_bank(world) == ZERO
    audited(world, tmp_path / "export")


def test_a_closing_during_a_reset_waits_and_a_reset_after_it_gets_nothing(journeys: Journeys) -> None:
    """The device has asked and the money is reserved: a closing finds it in transit, whoever comes first."""
    world, hand, device = journeys.world, Hand(journeys.world), journeys.device
    with world.shelf.client(device) as client:
        request = client.request_reset(Mills.dollars(100))
    world.desk(HARBOR).receive(request.message)  # authorised, and the answer is lost
    asked = AccountRequest(
        reference=ClosingId.new(hand.source), kind="closing", device="", amount=ZERO, reason="", asked_by="dora"
    )
    answer = hand.say(MAILROOM, HARBOR, asked)
    assert isinstance(answer, bodies.RefusedReply)
    assert answer.code == "closing.waits"
    journeys.settle()
    assert account(world) == ZERO
    returning.withdraw(journeys, reason="no longer wanted")
    assert accounts.close(journeys, by="dora").amount == Mills.dollars(300)
    with refused("closing.open"):
        accounts.close(journeys, by="dora")


def test_a_center_that_does_not_find_the_money_instructs_nothing(journeys: Journeys) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    asked = AccountRequest(
        reference=ClosingId.new(hand.source), kind="closing", device="", amount=ZERO, reason="", asked_by="dora"
    )
    notice = bodies.ClosingNotice(
        closing=asked.reference,
        account="a",
        amount=Mills.dollars(101),
        own=ZERO,
        request=hand.seal(MAILROOM, HARBOR, asked),
    )
    assert isinstance(hand.say(HARBOR, POSTAL, notice), bodies.Acknowledged)
    assert trust(world) == Mills.dollars(100)
    with refused("closing.differs"):
        accounts.instruct(world, asked.reference, by="asc")
    assert held_at_bank(world) == Mills.dollars(300)


def test_what_a_statement_tells_is_in_the_licensees_own_books_once(journeys: Journeys, tmp_path: Path) -> None:
    world, month = journeys.world, today(journeys.world)[:7]
    accounts.agree_advance(world, MAILROOM, Mills.dollars(50), by="ann")
    item = journeys.deposit(Mills.dollars(60), form="wire")
    accounts.return_item(world, item.deposit_id, reason="R01")
    journeys.deposit(Mills.dollars(60), form="wire")
    accounts.ask_advance(journeys, Mills.dollars(50))
    device = broken(journeys)
    told = accounts.claim(journeys, device, Mills.dollars(200), reason="it failed")
    examined(world, device)
    accounts.decide_claim(world, told.reference, grant=True, finding="worn out", by="ann", approved_by="ben")
    assert on_deposit(world) != account(world)
    for _ in range(2):
        accounts.statement(journeys, month)
        assert on_deposit(world) == account(world) == Mills.dollars(410)
    audited(world, tmp_path / "before")
    accounts.instruct(world, accounts.close(journeys, by="dora").reference, by="asc")
    accounts.statement(journeys, month)
    assert on_deposit(world) == account(world) == ZERO
    audited(world, tmp_path / "after")


def test_of_two_accounts_the_one_that_is_named_is_meant(journeys: Journeys) -> None:
    world = journeys.world
    device = broken(journeys)
    journeys.apply(Applicant(office_zip="10001"), provider=SUMMIT)
    journeys.lease()
    month = today(world)[:7]
    for ask in (
        lambda: accounts.agree_advance(world, MAILROOM, Mills.dollars(50), by="ann"),
        lambda: accounts.ask_advance(journeys, Mills.dollars(5)),
        lambda: accounts.statement(journeys, month),
        lambda: accounts.close(journeys, by="dora"),
    ):
        with refused("account.which-provider") as caught:
            ask()
        assert (HARBOR in caught.value.sentence, SUMMIT in caught.value.sentence) == (True, True)
    with refused("account.unknown"):
        accounts.statement(journeys, month, provider="mill")
    told = accounts.claim(journeys, device, Mills.dollars(200), reason="it failed")  # of the device's own Provider
    accounts.decide_claim(world, told.reference, grant=False, finding="none", by="ann", approved_by="ben")
    assert accounts.statement(journeys, month, provider="harbor").statement.closing == Mills.dollars(100)
    assert accounts.statement(journeys, month, provider=SUMMIT).statement.rows == ()
    assert accounts.close(journeys, by="dora", provider=HARBOR).amount == Mills.dollars(100)


# ---- statements and the three books


@cites("P050-3.5c")
def test_a_statement_has_every_transaction_and_its_file_says_the_same(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    journeys.deposit(Mills.dollars(20), form="wire")
    world.advance("10d")  # into December
    journeys.contact()
    journeys.reset(Mills.dollars(50))
    november, december = (accounts.statement(journeys, month) for month in ("2026-11", "2026-12"))
    kinds = [(row.kind, row.amount) for row in november.statement.rows]
    assert kinds == [
        ("deposit", Mills.dollars(300)),
        ("reset", -Mills.dollars(200)),
        ("deposit", Mills.dollars(20)),
    ]
    assert november.statement.closing == december.statement.opening == Mills.dollars(120)
    assert december.statement.closing == account(world)
    page, file = accounts.write_statement(december, tmp_path)
    assert page.read_bytes().startswith(b"%PDF-")
    assert statement_file.read(file.read_bytes()) == (december.statement, HARBOR, MAILROOM)
    reference = december.statement.rows[0].reference
    assert accounts.write_document(december, reference, tmp_path).is_file()
    with refused("statement.no-such-row"):
        accounts.write_document(december, "none", tmp_path)
    for month in ("2027-01", "2026-13", "then"):
        with refused("statement.bad-month"):
            accounts.statement(journeys, month)
    with refused("world.no-device"):
        accounts.statement(Journeys(world, ANNEX), "2026-11")


def test_a_statement_that_is_longer_than_a_message_comes_in_parts(
    journeys: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = accounts.statement(journeys, "2026-11").statement
    assert len(whole.rows) == 2
    for most in (1, 2, 3):  # a last part that is empty, full, and shorter
        monkeypatch.setattr("towncircle.licensee.accounts.STATEMENT_ROWS", most)
        monkeypatch.setattr("towncircle.provider.statements.STATEMENT_ROWS", most)
        assert accounts.statement(journeys, "2026-11").statement == whole
    monkeypatch.setattr("towncircle.licensee.accounts.STATEMENT_ROWS", 1)
    monkeypatch.setattr("towncircle.provider.statements._given", _another_opening)
    with refused("statement.does-not-add-up") as caught:
        accounts.statement(journeys, "2026-11")
    assert "part 2 does not follow" in caught.value.sentence


def test_a_statement_without_an_end_is_given_up(journeys: Journeys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("towncircle.licensee.accounts.STATEMENT_ROWS", 0)  # every part is a full one
    monkeypatch.setattr("towncircle.licensee.accounts.MOST_PARTS", 3)
    with refused("statement.does-not-add-up") as caught:
        accounts.statement(journeys, "2026-11")
    assert "not ended after 3 parts" in caught.value.sentence


def _another_opening(_ctx: object, told: bodies.MonthlyStatement, _licensee: str) -> bodies.MonthlyStatement:
    return replace(told, rows=told.rows[:1], opening=told.opening + Mills(1))


@cites("502.8", "502.20m")
def test_three_books_agree_and_each_difference_has_its_cause(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    first = dict(accounts.reconcile(world))[HARBOR]
    assert [(one.cause, one.explained) for one in first.differences] == [("a-later-message-or-reset", True)]
    assert dict(accounts.reconcile(world))[HARBOR] == first  # a day has one finding
    journeys.contact()
    world.advance("1d")
    day = today(world)
    assert dict(accounts.reconcile(world, day))[HARBOR].differences == ()
    with refused("daily.unknown"):
        accounts.reconcile(world, "1999-01-01")
    audited(world, tmp_path / "export")


@cites("502.20m")
def test_a_file_that_was_written_down_and_never_sent_goes_before_the_next_one(
    journeys: Journeys, tmp_path: Path
) -> None:
    world = journeys.world
    day = today(world)
    world.desk(HARBOR).perform(lambda ctx: daily.write_down(ctx, day=day), actor=HARBOR)  # and the process ended
    world.clock.advance("1d")
    journeys.contact()
    assert dict(accounts.reconcile(world))[HARBOR].number == 2
    with world.store(POSTAL).reading() as view:
        days = [row.key for row in view.find("daily-finding") if row.owner == HARBOR]
    assert sorted(days) == [f"{HARBOR} {day}", f"{HARBOR} {today(world)}"]
    audited(world, tmp_path / "export")


@cites("502.20m")
def test_a_daily_file_that_is_longer_than_a_message_goes_in_parts(journeys: Journeys, tmp_path: Path) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    day, desk = today(world), world.desk(HARBOR)
    desk.perform(lambda ctx: daily.write_down(ctx, day=day), actor=HARBOR)
    with world.store(HARBOR).reading() as view:
        row = view.get("daily-file", day)
    assert row is not None
    file = base64.b64decode(row.body["file"])
    events = file.count(b"\nE|")
    whole = {"day": day, "number": 1, "parts": 3, "digest": hashlib.sha256(file).hexdigest()}
    pieces = [file[:200], file[200:400], file[400:]]
    first, second, last = (
        bodies.DailyFilePart(part=part, data=data, **whole)  # type: ignore[arg-type]
        for part, data in enumerate(pieces, start=1)
    )
    attempts = (
        (last, "daily.part-missing"),  # before the others
        (replace(first, number=2), "daily.out-of-order"),
        (replace(first, parts=101), "daily.bad-part"),
        (replace(first, part=0), "daily.bad-part"),
    )
    for part, code in attempts:
        assert hand.refused(HARBOR, POSTAL, part) == code
    for part in (first, second):
        assert isinstance(hand.say(HARBOR, POSTAL, part), bodies.Acknowledged)
    assert hand.refused(HARBOR, POSTAL, replace(last, data=last.data + b"x")) == "daily.bad-part"
    found = desk.perform(lambda ctx: daily.tell(ctx, day=day, part_bytes=100), actor=HARBOR)
    assert (found.number, found.accounts, found.events) == (1, 1, events)
    again = desk.perform(lambda ctx: daily.tell(ctx, day=day, part_bytes=100), actor=HARBOR)
    assert again == found
    with world.store(POSTAL).reading() as view:
        assert {row.body["data"] for row in view.find("daily-part")} == {""}
    audited(world, tmp_path / "export")


def test_a_finding_tells_the_differences_that_a_message_holds_and_sums_up_the_rest() -> None:
    rows = tuple(
        bodies.MoneyDifference(
            about=f"{number}",
            code="x",
            cause="late" * (number % 2),
            sentence="x",
            amount=Mills(1),
            explained=bool(number % 2),
        )
        for number in range(400)
    )
    found = bodies.DailyFinding(day="2026-11-23", number=1, accounts=1, devices=1, events=1, differences=rows)
    told = telling(found).differences
    assert (len(told), told[-1].code, told[-1].amount, told[-1].explained) == (300, "daily.more", Mills(101), True)
    assert not any(one.explained for one in told[:200])
    assert telling(replace(found, differences=rows[:300])).differences == rows[:300]


def test_money_that_no_book_explains_is_shown_as_unexplained(journeys: Journeys) -> None:
    world = journeys.world
    journeys.contact()

    def lose(ctx: object) -> None:
        row = ctx.tx.get("ledger.balance", f"trust/{HARBOR}/{MAILROOM}")  # type: ignore[attr-defined]
        body = {**row.body, "credit": row.body["credit"] - 5}
        ctx.tx.put(row.kind, row.key, body, owner=row.owner, expected=row.version)  # type: ignore[attr-defined]

    world.desk(POSTAL).perform(lose, actor=POSTAL)
    (found,) = dict(accounts.reconcile(world))[HARBOR].differences
    assert (found.code, found.amount, found.explained) == ("daily.balance", Mills(5), False)


def test_a_report_that_stays_away_is_explained_for_a_day_and_not_longer(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world)
    hand = Hand(world)
    row = bodies.LockboxRow(
        deposit_id="DEP-222222222222", licensee=MAILROOM, provider=HARBOR, amount=Mills(5000), form="wire"
    )
    report = bodies.LockboxReport(day=today(world), number=1, deposits=(row,), opening=ZERO, closing=Mills(5000))
    hand.say(BANK, HARBOR, report)  # the Provider has it; the Postal Service never gets it
    journeys.contact()
    for explained in (True, True, False):
        (found,) = dict(accounts.reconcile(world))[HARBOR].differences
        assert (found.code, found.amount) == ("daily.not-in-trust", Mills(5000))
        assert found.explained is explained
        assert bool(found.cause) is explained
        world.advance("1d")
    world.close()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": 2}, "daily.not-its-own"),
        ({"file": b"H|x\n"}, "lines.broken"),
        ({"day": "2026-01-01"}, "daily.not-its-own"),
    ],
)
def test_a_daily_file_that_is_not_its_own_is_refused(journeys: Journeys, changes: dict, code: str) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    accounts.reconcile(world)
    with world.store(HARBOR).reading() as view:
        (row,) = view.find("daily-file")
    good = bodies.DailyFinancialFile(day=row.key, number=1, file=base64.b64decode(row.body["file"]))
    assert isinstance(hand.say(HARBOR, POSTAL, good), bodies.DailyFinding)
    answer = hand.say(HARBOR, POSTAL, replace(good, **changes))
    assert isinstance(answer, bodies.RefusedReply)
    assert answer.code == code
