"""CMRS accounts, walked entry by entry: locks, availability, advances, malfunction credits, closings.

Here: check 21 of docs/export.md. Not here: the books added up (`books`), the same event in several books (`three`),
daily files (`daily`).
Kept: what an account allowed at each moment is worked out here from the entries before it, never taken from a record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from towncircle.auditor.books import Posted, Recounted
from towncircle.auditor.daily import check_daily
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report, dollars
from towncircle.auditor.underway import Underway

_ZONE = "America/New_York"
_NOTICE, _CHECK, _CENT = 122, 124, 10


@dataclass(slots=True, kw_only=True)
class _Account:
    """Hold how an account stands while its entries are walked."""

    balance: int = 0
    advances: int = 0
    owed: int = 0
    holds: dict[str, tuple[str, int]] = field(default_factory=dict)
    closed: bool = False


def check_accounts(export: Export, books: Mapping[str, Recounted], underway: Underway, report: Report) -> None:
    """Check 21: every account was drawn on only as far as it allowed, and closed by one check; then the daily files."""
    noticed = _of_postal(export, "closing.noticed", report)
    instructed = _of_postal(export, "payout.instructed", report)
    checks = {fact["subject"]: fact for bank in export.of_role("bank") for fact in facts_of(bank, "check.issued")}
    for provider in export.of_role("provider"):
        _walk(provider, books[provider.id], report)
        _check_credits(provider, books[provider.id], report)
        _check_closings(provider, noticed, instructed, checks, underway, report)
    check_daily(export, books, report)  # 22


def _of_postal(export: Export, kind: str, report: Report) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for postal in export.of_role("postal"):
        for fact in facts_of(postal, kind):
            if fact["subject"] in found:
                where = f"{postal.id}/facts.jsonl line {fact.line}"
                report.differ("closing.twice", where, f"{kind} of {fact['subject']} stands twice.")
            found.setdefault(fact["subject"], fact)
    return found


def _walk(provider: Party, books: Recounted, report: Report) -> None:
    """Walk the entries of a Provider's books in their order."""
    available = {fact["subject"]: fact["body"].get("available") for fact in facts_of(provider, "deposit.credited")}
    given = {fact["subject"]: fact["body"]["limit"] for fact in facts_of(provider, "advance.given")}
    agreed = [
        (fact.at("occurred_at"), {**fact["body"], **({"limit": 0} if fact["type"] == "advance.ended" else {})})
        for fact in facts_of(provider, "advance.agreed", "advance.ended")
    ]
    leased = [(fact.at("occurred_at"), fact["body"].get("licensee")) for fact in facts_of(provider, "lease.signed")]
    accounts: dict[str, _Account] = defaultdict(_Account)
    back = {entry.row["corrects"] for entry in books.entries}
    live = [entry for entry in books.entries if not entry.row["corrects"] and entry.row["id"] not in back]
    paid: dict[str, Posted] = {}
    for place, entry in enumerate(live):
        licensee, where = entry.row["licensee"], f"{provider.id}/entries.jsonl entry {entry.row['number']}"
        account = accounts[licensee]
        match entry.row["recipe"]:
            case "deposit-received":
                _deposit(
                    account, entry, live[place + 1 : place + 2], available.get(entry.row["reference"]), where, report
                )
            case "deposit-returned":
                account.owed += entry.amount
                account.advances += _part(entry, "advances")
                account.holds.pop(entry.row["reference"], None)
            case "advance-given":
                account.advances += entry.amount
                limit = _limit(agreed, licensee, entry)
                if account.advances > min(limit, given.get(entry.row["reference"], 0)):
                    text = f"The outstanding advances of {licensee} come to {dollars(account.advances)}."
                    report.differ("account.over-advance", where, text, expected=limit, found=account.advances)
                _unlocked(account, where, report)
            case "advance-repaid":
                account.advances -= entry.amount
            case "reset-reserved":
                reopened = licensee in paid and any(
                    who == licensee and at >= paid[licensee].row.at("at") for at, who in leased
                )
                _reset(account, entry, closed=licensee in paid and not reopened, where=where, report=report)
            case "account-paid-out":
                _paid_out(account, entry, where, report)
                paid[licensee] = entry
        account.balance += _moved(entry)
    report.checked["walked accounts"] += len(accounts)


def _moved(entry: Posted) -> int:
    own = [(debit, mills) for name, debit, mills in entry.lines if name.startswith("account/")]
    return sum(-mills if debit else mills for debit, mills in own)


def _part(entry: Posted, kind: str) -> int:
    return sum(mills for name, debit, mills in entry.lines if debit and name.startswith(f"{kind}/"))


def _limit(agreed: Iterable[tuple[object, Mapping[str, object]]], licensee: str, entry: Posted) -> int:
    """Give the limit that was agreed with a licensee when an entry was made, or 0 where none was, or it had ended.

    Of what was agreed and ended in the entry's own instant the highest counts: nothing says which came first.
    """
    at = entry.row.at("at")
    held = [(when, body.get("limit", 0)) for when, body in agreed if body.get("licensee") == licensee]
    before = [limit for when, limit in held if when < at]  # type: ignore[operator]  # instants
    limits = [*before[-1:], *(limit for when, limit in held if when == at)]
    return max((limit for limit in limits if isinstance(limit, int)), default=0)


def _deposit(
    account: _Account, entry: Posted, following: list[Posted], available: object, where: str, report: Report
) -> None:
    account.owed = max(0, account.owed - entry.amount)
    due = min(account.advances, entry.amount)
    found = 0
    for after in following:
        if after.row["recipe"] == "advance-repaid" and after.row["reference"] == entry.row["reference"]:
            found = after.amount
    text = "A deposit repays the outstanding advances first."
    report.same("account.not-repaid", where, text, expected=due, found=found)
    if isinstance(available, str):
        account.holds[entry.row["reference"]] = (available, entry.amount - found)


def _reset(account: _Account, entry: Posted, *, closed: bool, where: str, report: Report) -> None:
    day = entry.row.at("at").date_in(_ZONE).isoformat()
    held = sum(mills for until, mills in account.holds.values() if until > day)
    _unlocked(account, where, report)
    if account.balance - held < entry.amount:
        text = f"Only {dollars(account.balance - held)} were available on {day}."
        report.differ("account.not-available", where, text, expected=account.balance - held, found=entry.amount)
    if closed:
        report.differ("account.closed", where, "The account was closed, and no lease opened it again.")


def _unlocked(account: _Account, where: str, report: Report) -> None:
    if account.owed:
        text = f"The account was locked: {dollars(account.owed)} were to be made good."
        report.differ("account.locked", where, text, expected=0, found=account.owed)


def _paid_out(account: _Account, entry: Posted, where: str, report: Report) -> None:
    """Check that a closing pays out all that the account holds, to the cent, and leaves no advance behind."""
    left = account.balance - entry.amount
    if not 0 <= left < _CENT:
        text = f"The check leaves {dollars(left)} of {dollars(account.balance)} in the account."
        report.differ("closing.short", where, text, expected=0, found=left)
    if account.advances:
        text = "It was closed while advances of the Provider were outstanding."
        report.differ("closing.advance", where, text, expected=0, found=account.advances)


def _check_credits(provider: Party, books: Recounted, report: Report) -> None:
    """Check that each malfunction credit has two persons and the registers of a device that could give nothing back.

    Such a device is back, examined and written off before: till then only its host says that it failed.
    """
    written_off: dict[str, int] = {}
    for done in facts_of(provider, "custody.checked out"):
        written_off.setdefault(done["subject"], done.line)
    outcomes = {fact["subject"]: fact["body"]["outcome"] for fact in facts_of(provider, "device.checked-out")}
    facts = {fact["subject"]: fact for fact in facts_of(provider, "malfunction.credited")}
    left = {row["device"]: row["descending"] for row in provider["devices.jsonl"]}
    paid: set[str] = set()
    for entry in books.live("malfunction-credited"):
        row, where = entry.row, f"{provider.id}/entries.jsonl entry {entry.row['number']}"
        report.checked["malfunction credits"] += 1
        fact = facts.get(row["reference"])
        persons = [fact["body"]["decided_by"], fact["body"]["approved_by"]] if fact else []
        if len(set(persons)) != 2 or not all(persons):
            report.differ("claim.one-person", where, "It was credited without a second person.", found=persons)
        if outcomes.get(row["device"]) != "to be examined":
            text = "The device gave its balance back itself, or is in use."
            report.differ("claim.no-loss", where, text, expected="to be examined", found=outcomes.get(row["device"]))
        if fact and written_off.get(row["device"], fact.line) >= fact.line:
            text = "It was credited before the device was examined and written off."
            report.differ("claim.not-written-off", where, text, found=row["device"])
        if entry.amount > left.get(row["device"], 0):
            text = "More was credited than the last signed registers show."
            report.differ("claim.more", where, text, expected=left.get(row["device"], 0), found=entry.amount)
        if row["device"] in paid:
            report.differ("claim.twice", where, f"The loss of {row['device']} was credited before.")
        paid.add(row["device"])


def _check_closings(
    provider: Party,
    noticed: Mapping[str, Row],
    instructed: Mapping[str, Row],
    checks: Mapping[str, Row],
    underway: Underway,
    report: Report,
) -> None:
    """Check each closing from the written request to the number of its check."""
    closed = {fact["subject"]: fact["body"].get("check") for fact in facts_of(provider, "account.closed")}
    credits_: dict[str, int] = defaultdict(int)
    for fact in facts_of(provider, "malfunction.credited"):
        credits_[fact["body"]["licensee"]] += fact["body"]["amount"]
    for fact in facts_of(provider, "account.closing-asked"):
        name, body, where = fact["subject"], fact["body"], f"{provider.id}/facts.jsonl line {fact.line}"
        report.checked["closings"] += 1
        if not body["asked_by"].strip():
            report.differ("closing.no-request", where, "Nobody asked for it in writing.")
        if body["own"] > credits_[body["licensee"]]:
            text = "The Provider's own part is more than its malfunction credits."
            report.differ("closing.own", where, text, expected=credits_[body["licensee"]], found=body["own"])
        if body["amount"] == 0:
            continue
        said = {key: body[key] for key in ("licensee", "amount", "own")}
        told = noticed.get(name)
        if told is None:
            if (_NOTICE, name) not in underway.named:
                report.differ("closing.not-noticed", where, "The accounting service center was not notified.")
            continue
        found = {key: told["body"].get(key) for key in said}
        report.same("closing.notice", where, "The center was told otherwise.", expected=said, found=found)
        order, check = instructed.get(name), checks.get(name)
        if order is None:
            continue
        number = order["body"].get("check")
        issued = check["body"].get("check") if check else None
        report.same("closing.check", where, "Bank and center have another check.", expected=issued, found=number)
        if (_CHECK, name) not in underway.named:
            text = "The Provider was told of another check."
            report.same("closing.check", where, text, expected=number, found=closed.get(name))
