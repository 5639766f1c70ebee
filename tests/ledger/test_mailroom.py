"""The licensee's own books: each event once, and no spending of what the device does not hold."""

import pytest

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Transaction
from towncircle.ledger import LICENSEE, Books, Entry, mailroom

L, P, D = "licensee.mailroom", "provider.harbor", "TC1A0000000017"


@pytest.fixture
def own(tx: Transaction) -> Books:
    return Books(tx, LICENSEE)


def deposit(own: Books, now: Instant, whole: int = 100, deposit_id: str = "DEP-1") -> Entry:
    amount = Mills.dollars(whole)
    return own.post(mailroom.deposit_made(deposit_id=deposit_id, licensee=L, provider=P, amount=amount, at=now))


def reset(own: Books, now: Instant, whole: int = 60, request_id: str = "REQ-1") -> Entry:
    about = {"licensee": L, "provider": P, "device": D, "at": now}
    return own.post(mailroom.reset_received(request_id=request_id, amount=Mills.dollars(whole), **about))


def spend(own: Books, now: Instant, mills: int, job: str = "JOB-1", department: str = "mailroom") -> Entry:
    about = {"licensee": L, "provider": P, "device": D, "at": now}
    return own.post(mailroom.postage_evidenced(job=job, department=department, amount=Mills(mills), **about))


def test_money_walks_from_the_bank_to_the_departments_postage(own: Books, now: Instant) -> None:
    deposit(own, now)
    reset(own, now)
    spend(own, now, 1_560)
    spend(own, now, 780, job="JOB-2", department="annex")
    assert own.balances() == {
        f"paid-in/{L}": Mills.dollars(100),
        f"on-deposit/{P}/{L}": Mills.dollars(40),
        f"in-device/{L}/{D}": Mills(57_660),
        f"postage/{L}/mailroom": Mills(1_560),
        f"postage/{L}/annex": Mills(780),
    }
    assert own.turnover(f"in-device/{L}/{D}") == (Mills(60_000), Mills(2_340))
    assert own.turnover(f"in-device/{L}/other") == (ZERO, ZERO)
    assert own.check() == 4


def test_each_event_is_booked_once_by_the_id_that_others_know(own: Books, now: Instant) -> None:
    first = deposit(own, now), reset(own, now), spend(own, now, 780)
    again = deposit(own, now.plus(hours=1)), reset(own, now.plus(hours=1)), spend(own, now.plus(hours=1), 780)
    assert again == first
    assert own.check() == 3
    for repeat in (
        lambda: deposit(own, now, whole=99),
        lambda: reset(own, now, whole=59),
        lambda: spend(own, now, 781),
    ):
        with pytest.raises(Refused) as caught:
            repeat()
        assert caught.value.code == "ledger.conflict"


def test_more_than_the_device_holds_cannot_be_spent(own: Books, now: Instant) -> None:
    reset(own, now, whole=1)
    with pytest.raises(Refused) as caught:
        spend(own, now, 1_001)
    assert caught.value.code == "ledger.floor"
    assert own.balance(f"in-device/{L}/{D}") == Mills.dollars(1)


def test_a_reset_on_the_providers_advance_leaves_the_deposit_below_zero(own: Books, now: Instant) -> None:
    reset(own, now, whole=1)
    assert own.balance(f"on-deposit/{P}/{L}") == -Mills.dollars(1)


def test_nothing_is_no_event(own: Books, now: Instant) -> None:
    with pytest.raises(BadInput):
        deposit(own, now, whole=0)
