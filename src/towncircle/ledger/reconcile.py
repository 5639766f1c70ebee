"""The reconciliation of three books: the Providers' subledgers, the Postal Service's trust, the bank's statement.

Here: events matched by the ids that the books share, and every difference explained. Not here: the books themselves,
and the auditor, which does its own arithmetic from exports.
Kept: three books are compared, not one table with itself (house.md 9). Advances and malfunction credits are the
Provider's own money: they stand in its books only (docs/readings.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger.entries import Entry

Book = Literal["provider", "postal", "bank"]
BOOKS: tuple[Book, ...] = ("provider", "postal", "bank")

# each recipe that several books know: what it is there, and the way it moves the licensee's money
_SHARED: Mapping[str, tuple[Book, str, int]] = MappingProxyType(
    {
        "deposit-received": ("provider", "deposit", 1),
        "deposit-reported": ("postal", "deposit", 1),
        "item-received": ("bank", "deposit", 1),
        "deposit-returned": ("provider", "returned item", -1),
        "return-reported": ("postal", "returned item", -1),
        "item-returned": ("bank", "returned item", -1),
        "reset-posted": ("provider", "reset", -1),
        "setting-filed": ("postal", "reset", -1),
        "balance-withdrawn": ("provider", "refund", 1),
        "unused-refunded": ("provider", "refund", 1),
        "refund-filed": ("postal", "refund", 1),
        "account-paid-out": ("provider", "payout", -1),
        "payout-instructed": ("postal", "payout", -1),
        "check-issued": ("bank", "payout", -1),
    }
)
_EXPECTED: Mapping[str, tuple[Book, ...]] = MappingProxyType(
    {"deposit": BOOKS, "returned item": BOOKS, "payout": BOOKS, "reset": BOOKS[:2], "refund": BOOKS[:2]}
)
_WAITS_FOR: Mapping[tuple[str, Book], str] = MappingProxyType(
    {
        ("deposit", "provider"): "the bank's receipt has not reached the Provider",
        ("deposit", "postal"): "it comes with the next lockbox report",
        ("deposit", "bank"): "no item stands behind it at the bank",
        ("returned item", "provider"): "the bank's notice has not reached the Provider",
        ("returned item", "postal"): "it comes with the next lockbox report",
        ("returned item", "bank"): "the bank returned no such item",
        ("reset", "provider"): "the Provider filed a reset that it has not posted",
        ("reset", "postal"): "it comes with the next daily file",
        ("refund", "provider"): "the Provider filed a refund that it has not credited",
        ("refund", "postal"): "it comes with the next daily file",
        ("payout", "provider"): "the Provider has not closed the account in its books",
        ("payout", "postal"): "the Postal Service has not booked its instruction",
        ("payout", "bank"): "the bank has not issued the check",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Hold one event on which the books differ: the amount in each book that has it, and why."""

    code: str
    kind: str
    provider: str
    licensee: str
    reference: str
    amounts: Mapping[Book, Mills]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Hold one licensee's money with one Provider in the three books, and what of the differences is explained.

    `provider` is account and in transit less the Provider's own advances and malfunction credits, `postal` the trust,
    `bank` what the bank holds, `filed` resets less refunds in the Postal Service's books. `unexplained` is what is left
    of provider against postal, and of postal against bank, when the listed differences are taken off.
    """

    provider_id: str
    licensee: str
    provider: Mills
    postal: Mills
    bank: Mills
    filed: Mills
    unexplained: tuple[Mills, Mills]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Hold the comparison of every licensee and every difference between the books."""

    comparisons: tuple[Comparison, ...]
    differences: tuple[Difference, ...]


@cites("502.8", "PRE-07")
def reconcile(
    *, providers: Mapping[str, Iterable[Entry]], postal: Iterable[Entry], bank: Iterable[Entry]
) -> Reconciliation:
    """Compare the three books and explain every difference.

    `providers` holds each Provider's entries by its party id; the entries of the other two books name the Provider.
    """
    books: dict[Book, list[tuple[str, Entry]]] = {
        "provider": [(name, entry) for name in sorted(providers) for entry in providers[name]],
        "postal": [(entry.provider, entry) for entry in postal],
        "bank": [(entry.provider, entry) for entry in bank],
    }
    found: dict[tuple[str, str, str, str], dict[Book, Mills]] = defaultdict(dict)
    money: dict[tuple[str, str], dict[str, Mills]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for book, rows in books.items():
        recipes: dict[str, str] = {entry.id: entry.recipe for _, entry in rows}
        for provider, entry in rows:
            _count(money[provider, entry.licensee], book, entry)
            back = entry.recipe == "correction"
            shared = _SHARED.get(recipes.get(entry.corrects, "") if back else entry.recipe)
            if shared is None:
                continue
            held = found[provider, entry.licensee, shared[1], entry.reference]
            amount = _size(entry) * (-shared[2] if back else shared[2])
            held[book] = held.get(book, ZERO) + amount
    differences = tuple(
        difference
        for (provider, licensee, kind, reference), amounts in sorted(found.items())
        for difference in _judge(kind, provider, licensee, reference, amounts)
    )
    return Reconciliation(
        comparisons=tuple(_compare(owner, sums, differences) for owner, sums in sorted(money.items())),
        differences=differences,
    )


def _size(entry: Entry) -> Mills:
    return sum((line.amount for line in entry.lines if line.side == "debit"), ZERO)


def _count(sums: dict[str, Mills], book: Book, entry: Entry) -> None:
    for line in entry.lines:
        kind = line.account.split("/", 1)[0]
        sign = 1 if line.side == "credit" else -1
        if book == "provider" and kind in {"account", "in-transit", "advances", "malfunction-credits"}:
            sums["provider"] += line.amount * sign
        elif (book, kind) in {("postal", "trust"), ("bank", "held")}:
            sums[book] += line.amount * sign
        elif kind == "postage-set":
            sums["filed"] += line.amount * sign


def _judge(
    kind: str, provider: str, licensee: str, reference: str, amounts: Mapping[Book, Mills]
) -> Iterable[Difference]:
    present = {book: amount for book, amount in amounts.items() if amount != ZERO}
    if not present or (len(present) == len(_EXPECTED[kind]) and len(set(present.values())) == 1):
        return
    missing = [book for book in _EXPECTED[kind] if book not in present]
    if len(set(present.values())) > 1:
        code = "reconcile.amount-differs"
        text = ", ".join(f"{amount} in the {book} books" for book, amount in present.items())
    else:
        code = f"reconcile.not-in-{missing[0]}"
        reasons = "; ".join(f"not in the {book} books: {_WAITS_FOR[kind, book]}" for book in missing)
        text = f"{next(iter(present.values()))} {reasons}"
    yield Difference(
        code=code,
        kind=kind,
        provider=provider,
        licensee=licensee,
        reference=reference,
        amounts=MappingProxyType(present),
        text=f"The {kind} {reference} of {licensee}: {text}.",
    )


def _compare(owner: tuple[str, str], sums: Mapping[str, Mills], differences: tuple[Difference, ...]) -> Comparison:
    provider, postal, bank, filed = (sums.get(name, ZERO) for name in ("provider", "postal", "bank", "filed"))
    own = [d for d in differences if (d.provider, d.licensee) == owner]
    first = sum((d.amounts.get("provider", ZERO) - d.amounts.get("postal", ZERO) for d in own), ZERO)
    through_bank = [d for d in own if "bank" in _EXPECTED[d.kind]]
    second = sum((d.amounts.get("postal", ZERO) - d.amounts.get("bank", ZERO) for d in through_bank), ZERO)
    return Comparison(
        provider_id=owner[0],
        licensee=owner[1],
        provider=provider,
        postal=postal,
        bank=bank,
        filed=filed,
        unexplained=(provider - postal - first, postal + filed - bank - second),
    )
