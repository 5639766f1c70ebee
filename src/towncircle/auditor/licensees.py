"""The licensees' own books against what others have of them.

Here: check 11 of docs/export.md. Not here: the books added up (`books`), deposits and resets one by one (`three`).
Kept: on deposit is what the Provider's account holds, in the device is what the device holds, postage is what was
evidenced. What only the Provider knows of an account (advances, returned items, refunds, payouts) is taken off first,
but for what its statements told and the licensee has booked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from towncircle.auditor.books import Recounted
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Row
from towncircle.auditor.report import Report, dollars
from towncircle.auditor.underway import Carried, Underway

_TOLD = {"deposit-received", "reset-reserved", "reset-posted", "reset-voided", "balance-withdrawn"}


def check_licensees(
    export: Export,
    books: Mapping[str, Recounted],
    devices: Mapping[str, Row],
    underway: Underway,
    report: Report,
) -> None:
    """Check 11: every licensee's books are what Providers, devices and evidence say, but for what is under way."""
    providers = [books[party.id] for party in export.of_role("provider")]
    licensees = {party.id: books[party.id] for party in export.of_role("licensee")}
    for one in providers:
        for licensee in sorted(_customers(one) - licensees.keys()):
            text = f"{licensee} has an account with {one.party.id}, and its books are not there."
            report.differ("licensee.no-books", licensee, text)
    for own in licensees.values():
        report.checked["licensees"] += 1
        _check_postage(own, report)
        _check_deposits(own, providers, underway, report)
        _check_devices(own, devices, providers, underway, report)


def _customers(books: Recounted) -> set[str]:
    return {account.split("/")[1] for account in books.balances if account.startswith("account/")}


def _check_deposits(own: Recounted, providers: Iterable[Recounted], underway: Underway, report: Report) -> None:
    licensee = own.party.id
    expected: dict[str, int] = {
        one.party.id: one.balances[f"account/{licensee}"]
        - sum(mills for _, mills in _untold(one, f"account/{licensee}"))
        + _stated(own, one, report)
        + _underway(own, one, underway)
        for one in providers
        if licensee in _customers(one)
    }
    found = {name.split("/")[1]: mills for name, mills in own.balances.items() if name.startswith("on-deposit/")}
    for provider in sorted(expected.keys() | found.keys()):
        due, has = expected.get(provider, 0), found.get(provider, 0)
        text = f"{licensee} has {dollars(has)} on deposit, and {provider} holds {dollars(due)} for it."
        report.same("licensee.on-deposit", f"{licensee} {provider}", text, expected=due, found=has)


def _untold(books: Recounted, account: str) -> list[tuple[str, int]]:
    """Give what moved an account and only the Provider books: the reference of each, and by how much."""
    recipes = {entry.row["id"]: entry.row["recipe"] for entry in books.entries}
    return [
        (
            entry.row["reference"],
            sum(-mills if debit else mills for name, debit, mills in entry.lines if name == account),
        )
        for entry in books.entries
        if recipes.get(entry.row["corrects"] or entry.row["id"]) not in _TOLD
    ]


def _stated(own: Recounted, provider: Recounted, report: Report) -> int:
    """Add up what a licensee booked by a Provider's statements, each as the Provider has it."""
    theirs, total = _untold(provider, f"account/{own.party.id}"), 0
    for recipe, sign in (("account-credited", 1), ("account-charged", -1)):
        for entry in own.live(recipe):
            if entry.row["provider"] != provider.party.id:
                continue
            told = (entry.row["reference"], sign * entry.amount)
            if told in theirs:
                theirs.remove(told)
            else:
                where = f"{own.party.id}/entries.jsonl entry {entry.row['number']}"
                text = f"{provider.party.id} has no such transaction of {own.party.id}, or has it once."
                report.differ("licensee.stated", where, text, found=told)
            total += told[1]
    return total


def _underway(own: Recounted, provider: Recounted, underway: Underway) -> int:
    """Add up what the one has booked and the other not yet, of an account."""
    made, received = _references(own, "deposit-made"), _references(provider, "deposit-received")
    returned = _references(own, "balance-returned")
    total = sum(reset.amount for reset in _unbooked(own, underway) if reset.provider == provider.party.id)
    for (kind, role, (issuer, licensee, reference)), amount in underway.coming.items():
        if (kind, issuer, licensee) == ("deposit", provider.party.id, own.party.id):
            if role == "provider" and reference in made - received:
                total += amount
            elif role == "licensee" and reference in received - made:
                total -= amount
        elif (kind, issuer, licensee) == ("balance", provider.party.id, own.party.id) and reference not in returned:
            total -= amount
    return total


def _unbooked(own: Recounted, underway: Underway) -> list[Carried]:
    """Give the resets that a device carries and its licensee has not booked."""
    booked = {(entry.row["device"], entry.row["reference"]) for entry in own.live("reset-received")}
    return [
        reset
        for reset in (*underway.open, *underway.unseen)
        if reset.licensee == own.party.id and (reset.device, reset.request_id) not in booked
    ]


def _references(books: Recounted, recipe: str) -> set[str]:
    return {entry.row["reference"] for entry in books.live(recipe)}


def _check_devices(
    own: Recounted, devices: Mapping[str, Row], providers: Iterable[Recounted], underway: Underway, report: Report
) -> None:
    licensee = own.party.id
    expected = {name: row["descending"] for name, row in devices.items() if row["licensee"] == licensee}
    posted: dict[str, int] = defaultdict(int)
    for one in providers:
        for entry in one.live("reset-posted"):
            posted[entry.row["device"]] += entry.amount
    for reset in _unbooked(own, underway):
        row = devices.get(reset.device)
        if row is not None and (reset in underway.unseen or row["resets_total"] > posted[reset.device]):
            expected[reset.device] -= reset.amount  # the device has applied it
    for device in underway.leaving & expected.keys():  # given back, and its licensee has not booked it
        returned = sum(entry.amount for entry in own.live("balance-returned") if entry.row["device"] == device)
        expected[device] += devices[device]["withdrawn_total"] - returned
    found = {name.split("/")[2]: mills for name, mills in own.balances.items() if name.startswith("in-device/")}
    for device in sorted(expected.keys() | found.keys()):
        due, has = expected.get(device, 0), found.get(device, 0)
        text = f"{licensee} has {dollars(has)} in the device, and its descending register is {dollars(due)}."
        report.same("licensee.in-device", f"{licensee} {device}", text, expected=due, found=has)


def _check_postage(own: Recounted, report: Report) -> None:
    evidenced: dict[str, int] = defaultdict(int)
    for fact in facts_of(own.party, "evidence.made"):
        evidenced[fact["body"]["device"]] += fact["body"]["total"]
    booked: dict[str, int] = defaultdict(int)
    for entry in own.live("postage-evidenced"):
        booked[entry.row["device"]] += entry.amount
    for device in sorted(evidenced.keys() | booked.keys()):
        due, has = evidenced.get(device, 0), booked.get(device, 0)
        text = f"{own.party.id} booked {dollars(has)} of postage on {device} and evidenced {dollars(due)}."
        report.same("licensee.postage", f"{own.party.id} {device}", text, expected=due, found=has)
