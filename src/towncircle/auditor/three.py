"""Provider, Postal Service, bank and licensee against each other.

Here: check 9 of docs/export.md, and that every licensee with an account has a license. Not here: one party's own books.
Kept: an event is the same in every book that must have it; what is missing in one is named with those that have it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from towncircle.auditor.books import Posted, Recounted
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export
from towncircle.auditor.report import Report, dollars
from towncircle.auditor.underway import Event, Underway

_SHARED: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "deposit": (
        ("provider", ("deposit-received",)),
        ("postal", ("deposit-reported",)),
        ("bank", ("item-received",)),
        ("licensee", ("deposit-made",)),
    ),
    "returned item": (
        ("provider", ("deposit-returned",)),
        ("postal", ("return-reported",)),
        ("bank", ("item-returned",)),
    ),
    "reset": (
        ("provider", ("reset-posted",)),
        ("postal", ("setting-filed",)),
        ("licensee", ("reset-received",)),
    ),
    "refund": (("provider", ("balance-withdrawn", "unused-refunded")), ("postal", ("refund-filed",))),
    "balance": (("provider", ("balance-withdrawn",)), ("licensee", ("balance-returned",))),
    "payout": (
        ("provider", ("account-paid-out",)),
        ("postal", ("payout-instructed",)),
        ("bank", ("check-issued",)),
    ),
}
_STATEMENT = {"deposit": ("item-received", 1), "return": ("item-returned", -1), "check": ("check-issued", -1)}


def check_three(books: Mapping[str, Recounted], underway: Underway, report: Report) -> None:
    """Check 9: every deposit, returned item, reset, refund and payout stands in each book that must have it."""
    by_role: dict[str, list[Recounted]] = defaultdict(list)
    for one in books.values():
        by_role[one.party.role].append(one)
    for role in ("provider", "postal", "bank", "licensee"):
        if not by_role[role]:
            report.differ("reconcile.party-missing", role, f"The export has no books of a {role}.")
    for kind, expected in _SHARED.items():
        sides = {role: _events(by_role[role], recipes) for role, recipes in expected}
        for event in sorted(set().union(*sides.values())):
            amounts = {role: side[event] for role, side in sides.items() if event in side}
            report.checked["events"] += 1
            told = ", ".join(f"{dollars(amount)} in the {role} books" for role, amount in amounts.items())
            where = f"{kind} {event[2]} of {event[1]} with {event[0]}"
            if len(set(amounts.values())) > 1:
                report.differ("reconcile.amount-differs", where, f"The books differ: {told}.", found=amounts)
            for role in sides:
                if role not in amounts and not underway.brings(kind, role, event, amounts):
                    report.differ(f"reconcile.not-in-{role}", where, f"It is only {told}.", found=amounts)


def _events(books: Iterable[Recounted], recipes: tuple[str, ...]) -> dict[Event, int]:
    found: dict[Event, int] = defaultdict(int)
    for one in books:
        for entry in one.live(*recipes):
            provider = one.party.id if one.party.role == "provider" else entry.row["provider"]
            found[provider, entry.row["licensee"], entry.row["reference"]] += entry.amount
    return dict(found)


def check_totals(postal: Iterable[Recounted], report: Report) -> None:
    """Check 9: the lockbox reports and daily files add up to what the postal books have of them."""
    for books in postal:
        reported: dict[tuple[str, str], int] = defaultdict(int)
        for entry in books.live("deposit-reported", "return-reported", "setting-filed", "refund-filed"):
            recipe, names = entry.row["recipe"], entry.row["names"]
            sign = -1 if recipe in {"return-reported", "refund-filed"} else 1
            source = "" if recipe.endswith("reported") else entry.row["provider"]
            reported[source, str(names[0]) if names else ""] += sign * entry.amount
        told: dict[tuple[str, str], int] = {}
        for fact in facts_of(books.party, "lockbox.reported", "file.booked"):
            body = fact["body"]
            source = body["provider"] if fact["type"] == "file.booked" else ""
            told[source, f"{body['day']}/{fact['subject']}"] = body["total"]
        for source, name in sorted(reported.keys() | told.keys()):
            where = f"{books.party.id} {'file of ' + source if source else 'lockbox report'} {name}"
            text = "Its total is not what was booked of it."
            expected, found = told.get((source, name), "no such fact"), reported.get((source, name), 0)
            report.same("reconcile.total", where, text, expected=expected, found=found)


def check_statement(bank: Recounted, report: Report) -> None:
    """Check 9: the bank's statement adds up line by line and is what its books say."""
    party, balance = bank.party, 0
    booked: dict[tuple[str, str], Posted] = {
        (entry.row["recipe"], entry.row["reference"]): entry
        for entry in bank.live(*(recipe for recipe, _ in _STATEMENT.values()))
    }
    for place, row in enumerate(party["statement.jsonl"], start=1):
        where = f"{party.id}/statement.jsonl line {row.line}"
        report.checked["statement lines"] += 1
        report.same("statement.number", where, "Lines count 1, 2, 3, ...", expected=place, found=row["number"])
        recipe, sign = _STATEMENT.get(row["kind"], ("", 0))
        if not sign or row["amount"] <= 0:
            report.differ("statement.malformed", where, "No such kind of line, or no amount.", found=row["kind"])
        balance += sign * row["amount"]
        text = f"The balance after this line is {dollars(balance)}."
        report.same("statement.balance", where, text, expected=balance, found=row["balance"])
        balance = row["balance"]
        entry = booked.pop((recipe, row["reference"]), None)
        found = (row["provider"], row["licensee"], row["amount"])
        expected = (entry.row["provider"], entry.row["licensee"], entry.amount) if entry else "no such entry"
        report.same("statement.entry", where, "The bank's books say otherwise.", expected=expected, found=found)
        if entry and entry.row["at"] != row["at"]:
            text = "The bank's books have another time."
            report.differ("statement.entry", where, text, expected=entry.row["at"], found=row["at"])
    for (recipe, reference), entry in booked.items():
        where = f"{party.id}/entries.jsonl entry {entry.row['number']}"
        report.differ("statement.missing", where, f"The {recipe} {reference} is not on the statement.")


def check_licenses(export: Export, providers: Iterable[Recounted], report: Report) -> None:
    """Check that no account is kept for somebody without a license of the Postal Service."""
    licensed = {
        fact["body"].get("licensee")
        for postal in export.of_role("postal")
        for fact in facts_of(postal, "license.issued", "license.existing")
    }
    report.checked["licenses"] += len(licensed)
    for books in providers:
        for licensee in sorted({account.split("/")[1] for account in books.balances} - licensed):
            report.differ(
                "license.missing", f"{books.party.id} {licensee}", f"{licensee} has an account and no license."
            )
