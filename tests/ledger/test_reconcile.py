"""Three books are compared, and every difference has its reason."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import Entry, recipes, trust
from towncircle.ledger.reconcile import Reconciliation, reconcile

P, L, D = "provider.harbor", "20260-000001", "TC1A0000000017"
AT = Instant.parse("2026-11-21T15:00Z")
CAP, HUNDRED, SIXTY = Mills.dollars(500), Mills.dollars(100), Mills.dollars(60)


def dollars(whole: int) -> Mills:
    return Mills.dollars(whole)


@dataclass
class Three:
    provider: list[Entry] = field(default_factory=list)
    postal: list[Entry] = field(default_factory=list)
    bank: list[Entry] = field(default_factory=list)

    def compare(self) -> Reconciliation:
        return reconcile(providers={P: self.provider}, postal=self.postal, bank=self.bank)


def in_provider(deposit: str = "DEP-1", amount: Mills = HUNDRED) -> Entry:
    return recipes.deposit_received(deposit_id=deposit, licensee=L, amount=amount, at=AT)


def in_postal(deposit: str = "DEP-1", amount: Mills = HUNDRED) -> Entry:
    return trust.bank_reported(report="r", deposit_id=deposit, provider=P, licensee=L, amount=amount, at=AT)


def in_bank(deposit: str = "DEP-1", amount: Mills = HUNDRED) -> Entry:
    return trust.item_received(deposit_id=deposit, provider=P, licensee=L, amount=amount, at=AT)


def reset(amount: Mills = SIXTY) -> Iterable[Entry]:
    about = {"request_id": "REQ-1", "licensee": L, "device": D, "amount": amount, "at": AT}
    return recipes.reset_reserved(cap=CAP, **about), recipes.reset_posted(**about)


def filed(request: str = "REQ-1", amount: Mills = SIXTY) -> Entry:
    return trust.file_row(file="f", provider=P, licensee=L, device=D, request_id=request, amount=amount, at=AT)


def test_books_that_agree_have_no_difference() -> None:
    found = Three([in_provider(), *reset()], [in_postal(), filed()], [in_bank()]).compare()
    assert found.differences == ()
    (line,) = found.comparisons
    assert (line.provider, line.postal, line.bank, line.filed) == (dollars(40), dollars(40), dollars(100), dollars(60))
    assert line.unexplained == (ZERO, ZERO)


def test_a_deposit_that_the_bank_has_not_reported_yet_is_explained() -> None:
    (difference,) = Three([in_provider()], [], [in_bank()]).compare().differences
    assert difference.code == "reconcile.not-in-postal"
    assert "next lockbox report" in difference.text
    found = Three([in_provider()], [], [in_bank()]).compare()
    assert found.comparisons[0].unexplained == (ZERO, ZERO)


def test_a_reset_that_is_not_in_a_daily_file_is_explained() -> None:
    found = Three([in_provider(), *reset()], [in_postal()], [in_bank()]).compare()
    assert [d.code for d in found.differences] == ["reconcile.not-in-postal"]
    assert found.comparisons[0].unexplained == (ZERO, ZERO)


def test_a_filed_reset_that_the_provider_never_posted_is_named() -> None:
    found = Three([in_provider()], [in_postal(), filed()], [in_bank()]).compare()
    assert [d.code for d in found.differences] == ["reconcile.not-in-provider"]
    assert "has not posted" in found.differences[0].text


def test_two_amounts_for_one_deposit_are_named_with_both() -> None:
    found = Three([in_provider(amount=dollars(90))], [in_postal()], [in_bank()]).compare()
    assert [d.code for d in found.differences] == ["reconcile.amount-differs"]
    assert "$90.00 in the provider books, $100.00 in the postal books" in found.differences[0].text
    assert found.comparisons[0].unexplained == (ZERO, ZERO)


def test_money_that_no_item_backs_at_the_bank_is_named() -> None:
    found = Three([in_provider()], [in_postal()], []).compare()
    assert [d.code for d in found.differences] == ["reconcile.not-in-bank"]


def test_a_corrected_entry_counts_for_nothing() -> None:
    wrong = in_provider("DEP-2")
    found = Three([in_provider(), wrong, recipes.correction(wrong, at=AT)], [in_postal()], [in_bank()]).compare()
    assert found.differences == ()


def test_advances_and_malfunction_credits_are_the_providers_own_money() -> None:
    own = [
        recipes.advance_given(advance_id="ADV-1", licensee=L, amount=dollars(10), limit=CAP, at=AT),
        recipes.malfunction_credited(credit_id="MAL-1", licensee=L, device=D, amount=dollars(1), at=AT),
    ]
    found = Three([in_provider(), *own], [in_postal()], [in_bank()]).compare()
    assert found.differences == ()
    assert found.comparisons[0].unexplained == (ZERO, ZERO)


def test_money_moved_by_no_shared_event_stays_unexplained() -> None:
    stray = recipes.account_paid_out(payout_id="PAY-1", licensee=L, amount=dollars(5), at=AT)
    about = {"key": "odd", "at": AT, "inputs": "", "licensee": L, "lines": stray.lines}
    found = Three([in_provider(), Entry(recipe="odd", **about)], [in_postal()], [in_bank()]).compare()
    assert found.comparisons[0].unexplained == (dollars(-5), ZERO)


def test_refunds_and_payouts_are_matched_by_their_ids() -> None:
    refund = recipes.balance_withdrawn(refund_id="RFD-1", licensee=L, device=D, amount=dollars(60), at=AT)
    payout = recipes.account_paid_out(payout_id="PAY-1", licensee=L, amount=dollars(100), at=AT)
    found = Three(
        [in_provider(), *reset(), refund, payout],
        [
            in_postal(),
            filed(),
            filed("RFD-1", dollars(-60)),
            trust.payout_instructed(payout_id="PAY-1", provider=P, licensee=L, amount=dollars(100), at=AT),
        ],
        [in_bank(), trust.check_issued(payout_id="PAY-1", provider=P, licensee=L, amount=dollars(100), at=AT)],
    ).compare()
    assert found.differences == ()
    assert found.comparisons[0].bank == ZERO


def test_a_returned_item_shows_in_all_three() -> None:
    back = recipes.deposit_returned(deposit_id="DEP-1", licensee=L, amount=dollars(100), available=dollars(100), at=AT)
    bank = trust.item_returned(deposit_id="DEP-1", provider=P, licensee=L, amount=dollars(100), at=AT)
    found = Three([in_provider(), back], [in_postal(), in_postal(amount=dollars(-100))], [in_bank(), bank]).compare()
    assert found.differences == ()
