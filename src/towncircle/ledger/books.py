"""The books of a party over the transaction of its store.

Here: posting with floors, ceilings and idempotence; balances, trial balance, the money equation; the recount. Not here:
SQL, recipes.
Kept: entries are the truth. Balances are kept beside them as records, so that posting and asking cost the same however
many entries there are; `check` rebuilds every balance from the entries and refuses books that differ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Transaction
from towncircle.ledger.chart import PROVIDER, Chart, Side
from towncircle.ledger.entries import Entry
from towncircle.ledger.equation import Equation, equation_of

_BALANCE, _KEY = "ledger.balance", "ledger.key"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMoney:
    """Hold what the Provider's books say of one device."""

    in_transit: Mills
    descending: Mills
    ascending: Mills

    @property
    def control_total(self) -> Mills:
        """Give descending and ascending together: resets posted less balance withdrawn."""
        return self.descending + self.ascending


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBalance:
    """Hold every account with its debits and credits, and both sums."""

    rows: Mapping[str, tuple[Mills, Mills]]
    debits: Mills
    credits: Mills


class Books:
    """Keep one party's books inside one transaction."""

    def __init__(self, tx: Transaction, chart: Chart = PROVIDER) -> None:
        self._tx = tx
        self.chart = chart

    def post(self, entry: Entry) -> Entry:
        """Post an entry once and give it as kept.

        The same key with the same inputs gives the first entry again. Raises `Refused`: ledger.conflict (the key was
        used with other inputs), ledger.insufficient-funds, ledger.floor, ledger.ceiling. Then nothing is changed.
        """
        held = self._tx.get(_KEY, entry.key)
        if held is not None:
            if held.body["inputs"] != entry.inputs or held.body["recipe"] != entry.recipe:
                raise Refused("ledger.conflict", key=entry.key, recipe=entry.recipe, first=held.body["recipe"])
            return self.entries(after=held.body["number"] - 1)[0]
        after = self._after(entry)
        self._check_limits(entry, after)
        kept = replace(entry, number=self._tx.next_number("ledger.entry"))
        body = {"recipe": kept.recipe, "inputs": kept.inputs, "number": kept.number}
        self._tx.put(_KEY, kept.key, body, owner=kept.licensee, expected=0)
        for account, (sums, version) in after.items():
            self._tx.put(_BALANCE, account, sums, owner=self._owner(account), expected=version)
        self._tx.append_entry(kept.key, kept.as_dict())
        return kept

    def balance(self, account: str) -> Mills:
        """Give an account's balance on its own side (zero for one that was never used)."""
        record = self._tx.get(_BALANCE, account)
        return self._on_own_side(account, record.body if record else {"debit": 0, "credit": 0})

    def turnover(self, account: str) -> tuple[Mills, Mills]:
        """Give all that an account was ever debited and ever credited."""
        record = self._tx.get(_BALANCE, account)
        return (Mills(record.body["debit"]), Mills(record.body["credit"])) if record else (ZERO, ZERO)

    def balances(self, licensee: str | None = None) -> dict[str, Mills]:
        """Give all balances, or those of one licensee, by account."""
        records = self._tx.find(_BALANCE, owner=licensee)
        return {r.key: self._on_own_side(r.key, r.body) for r in records}

    def sums(self, licensee: str | None = None) -> dict[str, Mills]:
        """Give the sums by kind of account, of one licensee or over all."""
        totals: dict[str, Mills] = defaultdict(lambda: ZERO)
        for account, amount in self.balances(licensee).items():
            totals[account.split("/", 1)[0]] += amount
        return dict(totals)

    def device(self, licensee: str, device: str) -> DeviceMoney:
        """Give what the Provider's books say of one device."""
        return DeviceMoney(
            in_transit=self.balance(f"in-transit/{licensee}/{device}"),
            descending=self.balance(f"descending/{licensee}/{device}"),
            ascending=self.balance(f"ascending/{licensee}/{device}"),
        )

    def entries(self, licensee: str | None = None, *, after: int = 0) -> list[Entry]:
        """Give the entries in order, all or those of one licensee, or those after a number."""
        found = (Entry.from_dict(body) for body in self._tx.entries(after=after))
        return [entry for entry in found if licensee in (None, entry.licensee)]

    def trial_balance(self) -> TrialBalance:
        """Give the trial balance. Raises `BrokenInvariant` (ledger.books-unbalanced)."""
        rows = {r.key: (Mills(r.body["debit"]), Mills(r.body["credit"])) for r in self._tx.find(_BALANCE)}
        debits, credits_ = (sum((row[side] for row in rows.values()), ZERO) for side in (0, 1))
        if debits != credits_:
            raise BrokenInvariant("ledger.books-unbalanced", debits=debits, credits=credits_)
        return TrialBalance(rows=rows, debits=debits, credits=credits_)

    @cites("PRE-17")
    def equation(self, licensee: str | None = None) -> Equation:
        """State the money equation with its numbers, of one licensee or over all. Raises `BrokenInvariant`."""
        stated = equation_of(licensee or "", self.sums(licensee))
        if stated.difference != ZERO:
            raise BrokenInvariant(
                "ledger.equation-broken", licensee=licensee or "all licensees", numbers=stated.numbers()
            )
        return stated

    def check(self) -> int:
        """Recount all balances from the entries and give the number of entries. Raises `BrokenInvariant`."""
        counted: dict[str, dict[str, int]] = defaultdict(lambda: {"debit": 0, "credit": 0})
        entries = self.entries()
        for place, entry in enumerate(entries, start=1):
            if entry.number != place:
                raise BrokenInvariant("ledger.number-gap", number=entry.number, place=place)
            for line in entry.lines:
                counted[line.account][line.side] += int(line.amount)
        kept = {r.key: dict(r.body) for r in self._tx.find(_BALANCE)}
        for account in sorted(counted.keys() | kept.keys()):
            if counted.get(account) != kept.get(account):
                raise BrokenInvariant("ledger.balance-differs", account=account)
        self.trial_balance()
        return len(entries)

    def _owner(self, account: str) -> str:
        owners = dict(zip(self.chart.kind_of(account).owners, account.split("/")[1:], strict=True))
        return owners.get("licensee") or owners["provider"]

    def _after(self, entry: Entry) -> dict[str, tuple[dict[str, int], int]]:
        after: dict[str, tuple[dict[str, int], int]] = {}
        for line in entry.lines:
            self.chart.kind_of(line.account)
            if line.account not in after:
                record = self._tx.get(_BALANCE, line.account)
                after[line.account] = (dict(record.body), record.version) if record else ({"debit": 0, "credit": 0}, 0)
            after[line.account][0][line.side] += int(line.amount)
        return after

    def _check_limits(self, entry: Entry, after: Mapping[str, tuple[dict[str, int], int]]) -> None:
        for account, (sums, _) in after.items():
            kind, balance = self.chart.kind_of(account), self._on_own_side(account, sums)
            if kind.floor is None or balance >= kind.floor:
                continue
            if kind.name == "account":
                held = self.balance(account)
                raise Refused("ledger.insufficient-funds", licensee=entry.licensee, held=held, wanted=held - balance)
            raise Refused("ledger.floor", account=account, balance=balance, recipe=entry.recipe, clause=kind.clause)
        for ceiling in entry.ceilings:
            total = sum(
                (self._on_own_side(a, after[a][0]) if a in after else self.balance(a) for a in ceiling.accounts), ZERO
            )
            if total > ceiling.limit:
                raise Refused(
                    "ledger.ceiling", what=ceiling.what, total=total, limit=ceiling.limit, clause=ceiling.clause
                )

    def _on_own_side(self, account: str, sums: Mapping[str, Any]) -> Mills:
        side: Side = self.chart.kind_of(account).side
        difference = Mills(sums["debit"] - sums["credit"])
        return difference if side == "debit" else -difference
