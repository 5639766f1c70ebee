"""Accounts under attack: money that comes late or is collected from nobody, checks by halves, words that lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, MAILROOM, refused
from tests.journeys.test_accounts import account, funded, held_at_bank, trust
from tests.journeys.test_refunds import audited
from tests.parties.hand import BANK, Hand, Line, Puppet

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import AdvanceId, DepositId
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import POSTAL as POSTAL_CHART
from towncircle.ledger import Books
from towncircle.ledger.trust import payout_instructed
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire import bodies, daily_file
from towncircle.wire.daily_file import Account, DailyFile, Event
from towncircle.wire.message import peek
from towncircle.world import accounts, returning
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    made = funded(tmp_path / "world")
    yield made
    made.world.close()


def closed(journeys: Journeys) -> str:
    """Give the device back and ask for the closing; give its number."""
    returning.withdraw(journeys, reason="no longer wanted")
    return accounts.close(journeys, by="dora").reference


def on_a_line(journeys: Journeys) -> tuple[Journeys, Line]:
    """Open the world again with somebody on the line."""
    folder, line = journeys.world.folder, Line()
    journeys.world.close()
    return Journeys(World.open(folder, Wiring(make_port=in_process(folder), transport=line.over))), line


# ---- what is collected from nobody


def test_an_ach_deposit_of_no_account_is_not_taken_in_in_any_version_of_the_order(journeys: Journeys) -> None:
    """The bank would credit it at once, and no file of the day would ever collect it."""
    hand = Hand(journeys.world)
    order = bodies.FirstDepositOrder(
        deposit_id=DepositId.new(hand.source),
        provider=HARBOR,
        account="a",
        amount=Mills.dollars(1_000),
        form="ach-debit",
    )
    assert hand.refused(MAILROOM, BANK, order) == "bank.no-payer"
    assert account(journeys.world) == Mills.dollars(100)


@pytest.mark.parametrize("payer", ["käse", "1\n2", " 12", "12 "])
def test_one_payer_that_no_record_holds_does_not_spoil_the_file_of_the_day(payer: str, journeys: Journeys) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    order = bodies.DepositOrder(
        deposit_id=DepositId.new(hand.source),
        provider=HARBOR,
        account="a",
        amount=Mills.dollars(1),
        form="ach-debit",
        routing="990000039",
        payer=payer,
    )
    assert hand.refused(MAILROOM, BANK, order) == "bank.bad-payer"
    assert accounts.ach_file(world, str(world.clock.now().date_in("America/New_York")))


# ---- money that comes and goes while an account is closed


def test_money_that_comes_while_the_check_is_awaited_keeps_no_check_back(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    closing = closed(journeys)
    journeys.deposit(Mills.dollars(50))  # it was on its way
    assert accounts.instruct(world, closing, by="asc").body["amount"] == 300_000
    assert (account(world), trust(world), held_at_bank(world)) == (Mills.dollars(50),) * 3
    again = accounts.close(journeys, by="dora")  # what came late goes the same way
    assert (again.state, again.amount) == ("asked", Mills.dollars(50))
    accounts.instruct(world, again.reference, by="asc")
    assert (account(world), trust(world), held_at_bank(world)) == (ZERO, ZERO, ZERO)
    audited(world, tmp_path / "export")


def test_a_provider_that_pays_out_less_than_it_holds_gets_no_check(journeys: Journeys) -> None:
    """Only what came in about or after the request may stay behind."""
    world, hand = journeys.world, Hand(journeys.world)
    world.advance("3d")
    asked = bodies.AccountRequest(
        reference="CLO-7K3MQ9ZX2RTB", kind="closing", device="", amount=ZERO, reason="", asked_by="dora"
    )
    told = {"account": "a", "own": ZERO, "request": hand.seal(MAILROOM, HARBOR, asked)}
    notice = bodies.ClosingNotice(closing=asked.reference, amount=Mills.dollars(60), **told)  # type: ignore[arg-type]
    assert isinstance(hand.say(HARBOR, POSTAL, notice), bodies.Acknowledged)
    with refused("closing.differs"):
        accounts.instruct(world, asked.reference, by="asc")


def test_a_check_that_the_bank_has_issued_is_booked_though_a_deposit_came_back_since(
    journeys: Journeys, tmp_path: Path
) -> None:
    deposit = journeys.deposit(Mills.dollars(40), form="wire")
    closing = closed(journeys)
    journeys, line = on_a_line(journeys)
    world = journeys.world

    def lost(audience: str, raw: bytes) -> bytes:
        if audience == BANK:
            raise Refused("transport.unreachable", party=BANK)
        return raw

    line.coming = lost  # the check is out, and the center does not hear of it
    with refused("transport.unreachable"):
        accounts.instruct(world, closing, by="asc")
    accounts.return_item(world, deposit.deposit_id, reason="R01")
    line.coming = lambda _audience, raw: raw
    with refused("closing.instructed-before"):
        accounts.instruct(world, closing, by="olaf")  # it is finished, and it was not olaf
    assert accounts.instruct(world, closing, by="asc").body["check"] == 1
    assert accounts.follow(journeys, closing).state == "paid"
    assert trust(world) == held_at_bank(world) == -Mills.dollars(40)
    audited(world, tmp_path / "export")
    world.close()


def test_a_lease_that_is_signed_while_the_check_is_awaited_opens_the_account(
    journeys: Journeys, tmp_path: Path
) -> None:
    world = journeys.world
    closing = closed(journeys)
    journeys.lease()
    journeys.deposit(Mills.dollars(20))
    journeys.reset(Mills.dollars(15))
    accounts.instruct(world, closing, by="asc")
    journeys.reset(Mills.dollars(5))
    journeys.contact()
    assert (account(world), trust(world)) == (ZERO, ZERO)
    audited(world, tmp_path / "export")


# ---- words about the way are no decision


def test_a_request_that_a_busy_provider_did_not_take_is_not_dropped(journeys: Journeys) -> None:
    accounts.agree_advance(journeys.world, MAILROOM, Mills.dollars(50), by="ann")
    journeys, line = on_a_line(journeys)
    hand = Hand(journeys.world)

    def busy(audience: str, raw: bytes) -> bytes:
        if audience != HARBOR:
            return raw
        told = {"clause": "", "next_step": "", "grounds": ()}
        reply = bodies.RefusedReply(code="storage.busy", sentence="It is busy.", **told)  # type: ignore[arg-type]
        return hand.seal(HARBOR, MAILROOM, reply, in_reply_to=peek(line.sent[-1]).id)

    line.coming = busy
    with refused("storage.busy"):
        accounts.ask_advance(journeys, Mills.dollars(20))
    line.coming = lambda _audience, raw: raw
    journeys.settle()
    assert account(journeys.world) == Mills.dollars(120)  # once, although it left more than once
    (reference,) = accounts.requests_of(journeys, "advance")
    assert accounts.follow(journeys, reference).state == "advanced"
    AdvanceId.parse(reference)
    journeys.world.close()


# ---- words that lie


@pytest.mark.parametrize("name", ["RFD-7K3MQ9ZX2RT|", "RFD-7K3MQ9ZX2RTB\n", "refund", "CLM-7K3MQ9ZX2RTB"])
def test_a_name_that_no_file_of_lines_holds_is_refused_at_the_door(name: str, journeys: Journeys) -> None:
    """Once credited or shipped under such a name, the Provider's daily file could not be written any more."""
    hand, device = Hand(journeys.world), journeys.device
    form = bodies.RefundApplication(refund=name, device=device, pieces=(), groups=(), total=ZERO, claimed_by="dora")
    assert hand.refused(MAILROOM, HARBOR, form) == "id.unreadable"
    told = {"device": device, "direction": "back", "service": "x", "article": "y", "permission": ""}
    paper = bodies.HandOver(shipment=name, at=journeys.world.clock.now(), **told)  # type: ignore[arg-type]
    assert hand.refused(MAILROOM, HARBOR, paper) == "id.unreadable"
    asked = Puppet(hand, HARBOR, MAILROOM, 77).ask_reset(name, Mills.dollars(1), counter=1)
    assert isinstance(asked, bodies.RefusedReply)
    assert asked.code == "id.unreadable"


def daily_of(world: World, **changes: object) -> DailyFile:
    empty = {"number": 1, "made_at": world.clock.now(), "through": 0, "events": (), "accounts": (), "devices": ()}
    day = str(world.clock.now().date_in("America/New_York"))
    return DailyFile(**{**empty, "provider": HARBOR, "day": day, **changes})  # type: ignore[arg-type]


def told(hand: Hand, file: DailyFile) -> object:
    return hand.say(HARBOR, POSTAL, filed(file))


def test_a_provider_explains_nothing_away_by_a_time_to_come(journeys: Journeys) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    assert hand.refused(HARBOR, POSTAL, filed(daily_of(world, day="2026-11-24"))) == "daily.not-yet"
    event = Event(
        at=world.clock.now().plus(days=9_000),
        kind="deposit-received",
        reference="DEP-222222222222",
        licensee=MAILROOM,
        device="",
        size=500,
        mills=500,
    )
    row = Account(licensee=MAILROOM, opening=0, moved=500, closing=500, in_transit=0, advances=0, malfunction=0)
    first = told(hand, daily_of(world, events=(event,), accounts=(row,)))
    assert isinstance(first, bodies.DailyFinding)
    mine = [one for one in first.differences if "DEP-222222222222" in one.about]
    assert [one.explained for one in mine] == [True]  # it may be on its way for a day
    world.advance("2d")
    still = replace(row, opening=500, moved=0)
    second = told(hand, daily_of(world, number=2, accounts=(still,)))
    assert isinstance(second, bodies.DailyFinding)
    mine = [one for one in second.differences if "DEP-222222222222" in one.about]
    assert [one.explained for one in mine] == [False]


def filed(file: DailyFile) -> bodies.DailyFinancialFile:
    return bodies.DailyFinancialFile(day=file.day, number=file.number, file=daily_file.write(file))


def test_a_check_that_the_provider_never_booked_is_explained_by_nothing(journeys: Journeys) -> None:
    world = journeys.world
    with world.store(POSTAL).transaction() as tx:
        about = {"provider": HARBOR, "licensee": MAILROOM, "at": world.clock.now()}
        Books(tx, POSTAL_CHART).post(
            payout_instructed(payout_id="CLO-222222222222", amount=Mills.dollars(9), **about)  # type: ignore[arg-type]
        )
    world.advance("2d")
    finding = dict(accounts.reconcile(world))[HARBOR]
    (payout,) = (one for one in finding.differences if one.about.startswith("payout"))
    assert (payout.code, payout.explained) == ("daily.not-in-provider", False)


def test_a_report_of_the_bank_that_cannot_be_booked_is_refused_and_the_next_one_is_taken(journeys: Journeys) -> None:
    world, hand = journeys.world, Hand(journeys.world)
    row = bodies.LockboxRow(
        deposit_id="DEP-222222222222", licensee=MAILROOM, provider=HARBOR, amount=Mills(100), form="wire"
    )
    good = bodies.LockboxReport(day="2026-11-23", number=2, deposits=(row,), opening=ZERO, closing=Mills(100))
    bent: list[bodies.LockboxReport] = [replace(good, day=day) for day in ("x", "2026-11-24", "9999-12-31")]
    rows: list[dict[str, object]] = [
        {"form": "gold"},
        {"amount": ZERO},
        {"licensee": "a/b"},
        {"licensee": HARBOR},
        {"deposit_id": "a|b"},
    ]
    bent += [replace(good, deposits=(replace(row, **one),)) for one in rows]  # type: ignore[arg-type]
    for report in bent:
        assert hand.refused(BANK, HARBOR, report) == "provider.bad-report", report
    assert isinstance(hand.say(BANK, HARBOR, good), bodies.Acknowledged)
    assert account(world) == Mills.dollars(100) + Mills(100)
