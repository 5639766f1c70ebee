"""No sequence of money events breaks the equation or a floor."""

from hypothesis import given, settings
from hypothesis import strategies as st

from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import MemoryStore
from towncircle.ledger import Books, Entry, recipes

AT = Instant.parse("2026-11-21T15:00Z")
CAP, LIMIT = Mills(500_000), Mills(100_000)
EVENTS = (
    "deposit",
    "return",
    "advance",
    "repay",
    "reserve",
    "post",
    "void",
    "usage",
    "withdraw",
    "unused",
    "malfunction",
    "payout",
    "correct",
)
steps = st.lists(
    st.tuples(
        st.sampled_from(EVENTS),
        st.sampled_from(["20260-000001", "20260-000002"]),
        st.sampled_from(["TC1A0000000001", "TC1A0000000002"]),
        st.integers(1, 3),
        st.integers(1, 600_000),
    ),
    max_size=40,
)


def entry_of(books: Books, event: str, licensee: str, device: str, number: int, mills: int) -> Entry:
    name, amount = f"{licensee}-{device}-{number}", Mills(mills)
    owner = {"licensee": licensee, "amount": amount, "at": AT}
    at_device = {**owner, "device": device}
    available = books.balance(f"account/{licensee}")
    makers = {
        "deposit": lambda: recipes.deposit_received(deposit_id=name, **owner),
        "return": lambda: recipes.deposit_returned(deposit_id=name, available=available, **owner),
        "advance": lambda: recipes.advance_given(advance_id=name, limit=LIMIT, **owner),
        "repay": lambda: recipes.advance_repaid(repayment_id=name, **owner),
        "reserve": lambda: recipes.reset_reserved(request_id=name, cap=CAP, **at_device),
        "post": lambda: recipes.reset_posted(request_id=name, **at_device),
        "void": lambda: recipes.reset_voided(request_id=name, **at_device),
        "usage": lambda: recipes.usage_read(reading_id=name, **at_device),
        "withdraw": lambda: recipes.balance_withdrawn(refund_id=name, **at_device),
        "unused": lambda: recipes.unused_refunded(refund_id=name, **at_device),
        "malfunction": lambda: recipes.malfunction_credited(credit_id=name, **at_device),
        "payout": lambda: recipes.account_paid_out(payout_id=name, **owner),
        "correct": lambda: recipes.correction(books.entries()[mills % len(books.entries())], at=AT),
    }
    return makers[event]()


@given(steps)
@settings(max_examples=60, deadline=None)
def test_the_equation_and_the_floors_hold_after_any_sequence_of_events(sequence: list[tuple[str, ...]]) -> None:
    with MemoryStore().transaction() as tx:
        books = Books(tx)
        for event, licensee, device, number, mills in sequence:
            if event == "correct" and not books.entries():
                continue
            before = books.balances()
            try:
                books.post(entry_of(books, event, licensee, device, number, mills))  # type: ignore[arg-type]  # drawn
            except Refused:
                assert books.balances() == before
            for one in ("20260-000001", "20260-000002", None):
                assert books.equation(one).difference == ZERO
            for account, balance in books.balances().items():
                assert balance >= ZERO, account
        assert books.check() == len(books.entries())


@given(steps)
@settings(max_examples=25, deadline=None)
def test_a_replay_of_every_event_changes_nothing(sequence: list[tuple[str, ...]]) -> None:
    with MemoryStore().transaction() as tx:
        books, posted = Books(tx), []
        for step in sequence:
            if step[0] == "correct":
                continue
            entry = entry_of(books, *step)  # type: ignore[arg-type]  # drawn
            try:
                posted.append((entry, books.post(entry)))
            except Refused:
                continue
        before = books.balances()
        assert all(books.post(entry) == kept for entry, kept in posted)
        assert books.balances() == before
