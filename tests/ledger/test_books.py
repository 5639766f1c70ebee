"""The Provider's books: every money event, its floors and ceilings, and the money equation."""

import pytest

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import MemoryStore, Transaction
from towncircle.ledger import BANK, POSTAL, PROVIDER, Books, Entry, Line, recipes, trust

L, D = "20260-000001", "TC1A0000000017"
CAP = Mills.dollars(500)


def dollars(whole: int) -> Mills:
    return Mills.dollars(whole)


def code(caught: pytest.ExceptionInfo[Refused]) -> str:
    return caught.value.code


def deposit(books: Books, now: Instant, whole: int = 100, deposit_id: str = "DEP-1") -> Entry:
    return books.post(recipes.deposit_received(deposit_id=deposit_id, licensee=L, amount=dollars(whole), at=now))


def reserve(books: Books, now: Instant, whole: int, request: str = "REQ-1", cap: Mills = CAP) -> Entry:
    return books.post(
        recipes.reset_reserved(request_id=request, licensee=L, device=D, amount=dollars(whole), cap=cap, at=now)
    )


def settle(books: Books, now: Instant, whole: int, request: str = "REQ-1", *, void: bool = False) -> Entry:
    recipe = recipes.reset_voided if void else recipes.reset_posted
    return books.post(recipe(request_id=request, licensee=L, device=D, amount=dollars(whole), at=now))


def test_a_dollar_walks_from_deposit_to_evidence_and_back(books: Books, now: Instant) -> None:
    deposit(books, now)
    reserve(books, now, 60)
    assert books.device(L, D).in_transit == dollars(60)
    settle(books, now, 60)
    about = {"licensee": L, "device": D, "at": now}
    books.post(recipes.usage_read(reading_id="MSG-1", amount=dollars(20), **about))
    books.post(recipes.unused_refunded(refund_id="RFD-1", amount=dollars(5), **about))
    books.post(recipes.malfunction_credited(credit_id="MAL-1", amount=dollars(1), **about))
    books.post(recipes.balance_withdrawn(refund_id="RFD-2", amount=dollars(40), **about))
    assert books.balance(f"account/{L}") == dollars(86)
    books.post(recipes.account_paid_out(payout_id="PAY-1", licensee=L, amount=dollars(86), at=now))
    assert books.device(L, D).control_total == dollars(20)
    equation = books.equation(L)
    assert equation.words() == (
        "deposits (returned items negative) + outstanding advances + malfunction credits = "
        "account + in transit + sum(descending) + sum(ascending) - refunded unused + paid out"
    )
    assert equation.numbers() == "$100.00 + $0.00 + $1.00 = $0.00 + $0.00 + $0.00 + $20.00 - $5.00 + $86.00"
    assert books.check() == 8
    assert books.trial_balance().debits == books.trial_balance().credits


@pytest.mark.parametrize(("wanted", "refused"), [(99, False), (100, False), (101, True)])
def test_no_reset_takes_more_than_the_account_holds(books: Books, now: Instant, wanted: int, refused: bool) -> None:
    deposit(books, now)
    if not refused:
        reserve(books, now, wanted)
        return
    with pytest.raises(Refused) as caught:
        reserve(books, now, wanted)
    assert code(caught) == "ledger.insufficient-funds"
    assert "holds $100.00; $101.00 is needed" in caught.value.sentence
    assert len(books.entries()) == 1


@pytest.mark.parametrize(("second", "refused"), [(199, False), (200, False), (201, True)])
def test_the_cap_counts_what_the_device_holds_and_what_is_on_its_way(
    books: Books, now: Instant, second: int, refused: bool
) -> None:
    deposit(books, now, 1000)
    reserve(books, now, 300)
    settle(books, now, 300)
    if not refused:
        reserve(books, now, second, "REQ-2")
        return
    with pytest.raises(Refused) as caught:
        reserve(books, now, second, "REQ-2")
    assert (code(caught), caught.value.clause) == ("ledger.ceiling", "P050 3.6")


def test_after_the_cap_has_changed_the_new_cap_binds_and_a_reserved_reset_still_posts(
    books: Books, now: Instant
) -> None:
    deposit(books, now, 1000)
    reserve(books, now, 300)
    with pytest.raises(Refused):
        reserve(books, now, 1, "REQ-2", cap=dollars(200))
    settle(books, now, 300)
    assert books.device(L, D).descending == dollars(300)


def test_a_voided_reset_gives_the_money_back_and_cannot_be_posted_too(books: Books, now: Instant) -> None:
    deposit(books, now)
    reserve(books, now, 60)
    settle(books, now, 60, void=True)
    assert books.balance(f"account/{L}") == dollars(100)
    with pytest.raises(Refused) as caught:
        settle(books, now, 60)
    assert code(caught) == "ledger.conflict"


def test_a_retried_event_gets_the_first_entry_and_moves_no_money(books: Books, now: Instant) -> None:
    first = deposit(books, now)
    again = deposit(books, now.plus(hours=1))
    assert again == first
    assert books.balance(f"account/{L}") == dollars(100)


def test_the_same_key_with_other_inputs_is_a_conflict(books: Books, now: Instant) -> None:
    deposit(books, now)
    with pytest.raises(Refused) as caught:
        deposit(books, now, 200)
    assert code(caught) == "ledger.conflict"


def test_a_returned_deposit_that_is_spent_becomes_the_providers_advance(books: Books, now: Instant) -> None:
    deposit(books, now)
    reserve(books, now, 60)
    about = {"deposit_id": "DEP-1", "licensee": L, "amount": dollars(100), "at": now}
    returned = books.post(recipes.deposit_returned(available=books.balance(f"account/{L}"), **about))
    assert books.balance(f"account/{L}") == ZERO
    assert books.balance(f"advances/{L}") == dollars(60)
    assert books.balance(f"deposits/{L}") == ZERO
    assert books.post(recipes.deposit_returned(available=ZERO, **about)) == returned
    books.equation(L)


@pytest.mark.parametrize(("second", "refused"), [(49, False), (50, False), (51, True)])
def test_advances_stay_within_the_limit(books: Books, now: Instant, second: int, refused: bool) -> None:
    limit = dollars(100)
    books.post(recipes.advance_given(advance_id="ADV-1", licensee=L, amount=dollars(50), limit=limit, at=now))
    more = recipes.advance_given(advance_id="ADV-2", licensee=L, amount=dollars(second), limit=limit, at=now)
    if not refused:
        books.post(more)
        return
    with pytest.raises(Refused) as caught:
        books.post(more)
    assert (code(caught), caught.value.clause) == ("ledger.ceiling", "P050 3.5a")


def test_no_more_is_repaid_than_was_advanced(books: Books, now: Instant) -> None:
    deposit(books, now)
    books.post(recipes.advance_given(advance_id="ADV-1", licensee=L, amount=dollars(50), limit=CAP, at=now))
    books.post(recipes.advance_repaid(repayment_id="RPY-1", licensee=L, amount=dollars(50), at=now))
    with pytest.raises(Refused) as caught:
        books.post(recipes.advance_repaid(repayment_id="RPY-2", licensee=L, amount=dollars(1), at=now))
    assert code(caught) == "ledger.floor"


def test_no_device_evidences_more_than_the_books_gave_it(books: Books, now: Instant) -> None:
    with pytest.raises(Refused) as caught:
        books.post(recipes.usage_read(reading_id="MSG-1", licensee=L, device=D, amount=dollars(1), at=now))
    assert code(caught) == "ledger.floor"


def test_nothing_is_no_amount(now: Instant) -> None:
    for amount in (ZERO, dollars(-1)):
        with pytest.raises(BadInput):
            recipes.deposit_received(deposit_id="DEP-1", licensee=L, amount=amount, at=now)


def test_a_correction_names_what_it_takes_back_and_is_made_once(books: Books, now: Instant) -> None:
    wrong = deposit(books, now)
    fixed = books.post(recipes.correction(wrong, at=now))
    assert fixed.corrects == wrong.id
    assert books.balance(f"account/{L}") == ZERO
    assert books.post(recipes.correction(wrong, at=now)) == fixed
    assert books.entries() == [wrong, fixed]


def test_an_entry_that_does_not_balance_cannot_be_built(now: Instant) -> None:
    lines = (
        Line(account=f"account/{L}", side="debit", amount=dollars(2)),
        Line(account=f"paid-out/{L}", side="credit", amount=dollars(1)),
    )
    with pytest.raises(BrokenInvariant) as caught:
        Entry(key="k", at=now, recipe="r", lines=lines, inputs="", licensee=L)
    assert caught.value.code == "ledger.unbalanced"


def test_an_account_outside_the_chart_is_a_defect(tx: Transaction, now: Instant) -> None:
    with pytest.raises(BrokenInvariant) as caught:
        deposit(Books(tx, POSTAL), now)
    assert caught.value.code == "ledger.no-such-account"
    for account in ("account", "account/", "account/a/b", "purse/a"):
        with pytest.raises(BrokenInvariant):
            PROVIDER.kind_of(account)


def test_an_entry_is_stored_as_it_is_read(books: Books, now: Instant) -> None:
    entry = reserve(books, now, 60) if deposit(books, now) else None
    assert entry is not None
    assert Entry.from_dict(entry.as_dict()) == entry
    assert entry.number == 2


def test_a_kept_balance_that_entries_do_not_give_is_found(tx: Transaction, books: Books, now: Instant) -> None:
    deposit(books, now)
    record = tx.get("ledger.balance", f"account/{L}")
    assert record is not None
    tx.put(record.kind, record.key, {"debit": 0, "credit": 5}, owner=record.owner, expected=record.version)
    for ask, expected in (
        (books.check, "ledger.balance-differs"),
        (books.trial_balance, "ledger.books-unbalanced"),
        (books.equation, "ledger.equation-broken"),
    ):
        with pytest.raises(BrokenInvariant) as caught:
            ask()
        assert caught.value.code == expected


def test_the_postal_and_bank_books_balance_too(now: Instant) -> None:
    about = {"provider": "provider.harbor", "licensee": L, "at": now}
    with MemoryStore().transaction() as tx:
        books = Books(tx, POSTAL)
        books.post(trust.bank_reported(report="2026-11-21/1", deposit_id="DEP-1", amount=dollars(100), **about))
        books.post(trust.bank_reported(report="2026-11-22/2", deposit_id="DEP-1", amount=dollars(-100), **about))
        row = {"file": "2026-11-21/1", "device": D, **about}
        books.post(trust.file_row(request_id="REQ-1", amount=dollars(60), **row))
        books.post(trust.file_row(request_id="RFD-1", amount=dollars(-10), **row))
        books.post(trust.payout_instructed(payout_id="PAY-1", amount=dollars(5), **about))
        assert books.balance(f"trust/provider.harbor/{L}") == dollars(-55)
        assert books.balance("lockbox/provider.harbor") == dollars(-5)
        assert books.balances(L).keys() == {f"trust/provider.harbor/{L}", f"postage-set/provider.harbor/{L}"}
        assert books.check() == 5
    with MemoryStore().transaction() as tx:
        books = Books(tx, BANK)
        books.post(trust.item_received(deposit_id="DEP-1", amount=dollars(100), form="check", **about))
        books.post(trust.item_returned(deposit_id="DEP-1", amount=dollars(100), **about))
        books.post(trust.check_issued(payout_id="PAY-1", amount=dollars(5), **about))
        assert books.balance(f"held/provider.harbor/{L}") == dollars(-5)
        assert books.check() == 3
