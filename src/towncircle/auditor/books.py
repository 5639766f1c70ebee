"""The books of every party, recomputed from the entries.

Here: checks 4 to 6 of docs/export.md. Not here: comparing parties with each other (`three`), devices (`devices`).
Kept: no balance is taken from anybody; each is added up here, entry by entry.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from towncircle.auditor.charts import ACCOUNTS, RECIPES
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report, dollars


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Hold an entry whose lines could be read: its row, and its lines as (account, whether debit, mills)."""

    row: Row
    lines: tuple[tuple[str, bool, int], ...]

    @property
    def amount(self) -> int:
        """Give what it debits in all."""
        return sum(mills for _, debit, mills in self.lines if debit)

    def kinds(self, *, debit: bool) -> set[str]:
        """Name the kinds of account on one side."""
        return {account.split("/", 1)[0] for account, is_debit, _ in self.lines if is_debit is debit}


@dataclass(slots=True, kw_only=True)
class Recounted:
    """Hold one party's books as recomputed: its readable entries in order, and every balance on its raising side."""

    party: Party
    entries: list[Posted] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def sums(self, licensee: str) -> dict[str, int]:
        """Give one licensee's sums by kind of account."""
        totals: dict[str, int] = defaultdict(int)
        for account, balance in self.balances.items():
            kind, *owners = account.split("/")
            if owners and owners[0] == licensee:
                totals[kind] += balance
        return totals

    def live(self, *recipes: str) -> list[Posted]:
        """Give the entries of some recipes that no correction takes back."""
        back = {entry.row["corrects"] for entry in self.entries if entry.row["recipe"] == "correction"}
        return [entry for entry in self.entries if entry.row["recipe"] in recipes and entry.row["id"] not in back]


def recount(export: Export, report: Report) -> dict[str, Recounted]:
    """Check 4, first half, and 5: add up the books of every party that has some."""
    found = {}
    for party in export.parties.values():
        books = found[party.id] = Recounted(party=party)
        seen: dict[str, str] = {}
        for place, row in enumerate(party["entries.jsonl"], start=1):
            where = f"{party.id}/entries.jsonl entry {row['number']}"
            report.same("entry.number", where, "Entries count 1, 2, 3, ...", expected=place, found=row["number"])
            for name in ("id", "key"):
                if row[name] in seen:
                    report.differ("entry.twice", where, f"The {name} {row[name]} stands in two entries.")
                seen[row[name]] = where
            if export.after_end(row.at("at")):
                report.differ("entry.time", where, "It was made after the export.", found=row["at"])
            lines = _lines(row, party.role, where, report)
            if lines:
                posted = Posted(row=row, lines=lines)
                books.entries.append(posted)
                _check_entry(posted, party.role, where, report)
                for account, debit, mills in lines:
                    books.balances[account] += mills if debit is not ACCOUNTS[account.split("/", 1)[0]][1] else -mills
                _check_floors(posted, books, where, report)
        _check_corrections(books, report)
        said, count = party.head.get("entries"), len(party["entries.jsonl"])
        report.same(
            "entry.count", f"{party.id}/head.json", "The number of entries differs.", expected=said, found=count
        )
        _check_total(books, report)
        report.checked["accounts"] += len(books.balances)
    return found


def _lines(row: Row, role: str, where: str, report: Report) -> tuple[tuple[str, bool, int], ...]:
    lines = []
    for line in row["lines"]:
        match line:
            case [str(account), ("debit" | "credit") as side, int(mills)] if type(mills) is int and mills > 0:
                kind, *owners = account.split("/")
                books, _, shape, _ = ACCOUNTS.get(kind, ("", False, (), False))
                own = {name: _owner(row, name) for name in shape}
                if books != role or owners != list(own.values()):
                    text = "The account is not one of these books, or not of the entry's own owners."
                    report.differ("entry.account", where, text, expected="/".join([kind, *own.values()]), found=account)
                if books == role and len(owners) == len(shape):
                    lines.append((account, side == "debit", mills))
            case _:
                report.differ("entry.malformed", where, "A line is not [account, side, mills above zero].", found=line)
    return tuple(lines)


def _owner(row: Row, name: str) -> str:
    if name != "department":
        return str(row[name])
    return str(row["names"][0]) if row["names"] else ""


def _check_entry(entry: Posted, role: str, where: str, report: Report) -> None:
    debits, credits_ = entry.amount, sum(mills for _, debit, mills in entry.lines if not debit)
    report.same("entry.unbalanced", where, "Debits and credits differ.", expected=debits, found=credits_)
    recipe = entry.row["recipe"]
    if recipe == "correction":
        return
    known = RECIPES.get((role, recipe))
    if known is None:
        report.differ("entry.recipe", where, "This recipe is not one of these books.", found=recipe)
        return
    debit, credit = entry.kinds(debit=True), entry.kinds(debit=False)
    if not debit <= known[0] or not credit <= known[1]:
        text = f"A {recipe} debits {' or '.join(sorted(known[0]))} and credits {' or '.join(sorted(known[1]))}."
        found = f"{'+'.join(sorted(debit))} to {'+'.join(sorted(credit))}"
        report.differ("entry.recipe", where, text, expected=recipe, found=found)


def _check_floors(entry: Posted, books: Recounted, where: str, report: Report) -> None:
    for account in {account for account, _, _ in entry.lines}:
        balance = books.balances[account]
        if balance < 0 and ACCOUNTS[account.split("/", 1)[0]][3]:
            report.differ(
                "account.below-zero", where, f"It brings {account} to {dollars(balance)}.", expected=0, found=balance
            )


def _check_corrections(books: Recounted, report: Report) -> None:
    by_id = {entry.row["id"]: entry for entry in books.entries}
    back: set[str] = set()
    for entry in books.entries:
        wrong = entry.row["corrects"]
        if (entry.row["recipe"] == "correction") != bool(wrong):
            report.differ("entry.correction", _where(books, entry), "A correction, and nothing else, names an entry.")
        elif wrong:
            old = by_id.get(wrong)
            turned = sorted((account, not debit, mills) for account, debit, mills in entry.lines)
            if old is None or sorted(old.lines) != turned or wrong in back:
                text = "It does not turn over, once, the lines of the entry that it names."
                report.differ("entry.correction", _where(books, entry), text, found=wrong)
            back.add(wrong)


def _check_total(books: Recounted, report: Report) -> None:
    debits = sum(entry.amount for entry in books.entries)
    credits_ = sum(mills for entry in books.entries for _, debit, mills in entry.lines if not debit)
    where = f"{books.party.id}/entries.jsonl"
    report.same("account.trial-balance", where, "All debits and credits differ.", expected=debits, found=credits_)


def check_equations(providers: list[Recounted], report: Report) -> None:
    """Check 5: the money equation of every licensee, stated from the recounted balances."""
    for books in providers:
        licensees = {account.split("/")[1] for account in books.balances}
        for licensee in sorted(licensees):
            sums = books.sums(licensee)
            left = sums["deposits"] + sums["advances"] + sums["malfunction-credits"]
            held = sums["account"] + sums["in-transit"] + sums["descending"] + sums["ascending"]
            right = held - sums["refunded-unused"] + sums["paid-out"]
            report.checked["equations"] += 1
            if left != right:
                text = (
                    "deposits + outstanding advances + malfunction credits = account + in transit + descending "
                    f"+ ascending - refunded unused + paid out does not hold: {dollars(left)} = {dollars(right)}."
                )
                report.differ("equation.broken", f"{books.party.id} {licensee}", text, expected=left, found=right)


def check_facts(books: dict[str, Recounted], report: Report) -> None:
    """Check 4, second half: each entry has its fact, each money fact its entry, with the same amount and time."""
    for one in books.values():
        role = one.party.role
        for (of, recipe), (_, _, kind) in RECIPES.items():
            if of == role and kind:
                _match(one, recipe, kind, report)


def _match(books: Recounted, recipe: str, kind: str, report: Report) -> None:
    facts = {_key(kind, fact): fact for fact in facts_of(books.party, kind)}
    entries = [entry for entry in books.entries if entry.row["recipe"] == recipe]
    found = set()
    for entry in entries:
        row, where = entry.row, _where(books, entry)
        key = (row["reference"], row["device"]) if kind == "audit.taken" else (row["reference"], "")
        found.add(key)
        fact = facts.get(key)
        if fact is None:
            report.differ("entry.no-fact", where, f"No fact {kind} of {row['reference']} stands behind this entry.")
            continue
        body = fact["body"]
        for name in ("licensee", "device", "provider"):
            if isinstance(body.get(name), str) and row[name]:
                text = f"Entry and fact {kind} name another {name}."
                report.same("entry.fact-differs", where, text, expected=body[name], found=row[name])
        amount = body.get("total" if kind == "evidence.made" else "amount", entry.amount)
        text = f"Entry and fact {kind} differ in the amount."
        report.same("entry.fact-differs", where, text, expected=amount, found=entry.amount)
        first, last = sorted((fact.at("occurred_at"), fact.at("recorded_at")))
        if not first <= row.at("at") <= last:
            text = f"Its time is not that of the fact {kind}."
            report.differ("entry.fact-time", where, text, expected=fact["occurred_at"], found=row["at"])
    for key, fact in facts.items():
        if key not in found and kind != "audit.taken":  # an audit without usage needs no entry
            where = f"{books.party.id}/facts.jsonl line {fact.line}"
            report.differ("fact.no-entry", where, f"No entry {recipe} books the fact {kind} of {fact['subject']}.")


def _key(kind: str, fact: Row) -> tuple[str, str]:
    if kind == "audit.taken":
        return str(fact["body"]["message_counter"]), fact["subject"]
    return fact["subject"], ""


def check_resets(export: Export, providers: list[Recounted], report: Report) -> None:
    """Check 6: a reservation is settled once, with its own amount; a device has one open at most."""
    for books in providers:
        reserved = {(e.row["device"], e.row["reference"]): e for e in books.live("reset-reserved")}
        settled: dict[tuple[str, str], Posted] = {}
        for entry in books.live("reset-posted", "reset-voided"):
            key, where = (entry.row["device"], entry.row["reference"]), _where(books, entry)
            if key in settled:
                report.differ("reset.settled-twice", where, f"The reset {key[1]} was settled before.")
            settled[key] = entry
            opened = reserved.get(key)
            if opened is None:
                report.differ("reset.not-reserved", where, f"The reset {key[1]} was never reserved.")
            else:
                text = f"The reset {key[1]} is settled with another amount."
                report.same("reset.amount", where, text, expected=opened.amount, found=entry.amount)
        report.checked["resets"] += len(reserved)
        _check_open(export, books, [entry for key, entry in reserved.items() if key not in settled], report)
        _check_records(books, reserved, settled, report)


def _check_open(export: Export, books: Recounted, unsettled: list[Posted], report: Report) -> None:
    last = {entry.row["device"]: entry for entry in unsettled}
    due = {f"in-transit/{e.row['licensee']}/{device}": e.amount for device, e in last.items() if not export.quiet}
    for entry in unsettled:
        device = entry.row["device"]
        if export.quiet or entry is not last[device]:
            text = f"The reset {entry.row['reference']} of {device} is not settled."
            report.differ("reset.open", _where(books, entry), text)
    for account, balance in sorted(books.balances.items()):
        if account.startswith("in-transit/") and balance != due.get(account, 0):
            where, text = f"{books.party.id} {account}", f"{dollars(balance)} are in transit."
            report.differ("reset.in-transit", where, text, expected=due.get(account, 0), found=balance)


def _check_records(books: Recounted, reserved: dict[Any, Posted], settled: dict[Any, Posted], report: Report) -> None:
    for row in books.party["records.jsonl"]:
        if row["kind"] != "reset":
            continue
        key, body = (str(row["body"].get("device")), row["key"]), row["body"]
        entry, end = reserved.get(key), settled.get(key)
        state = end.row["recipe"].removeprefix("reset-") if end else "reserved"
        expected = (state, entry.amount) if entry else ("no reservation", 0)
        text = f"The record of the reset {row['key']} says otherwise than the books."
        where = f"{books.party.id}/records.jsonl line {row.line}"
        report.same("reset.record", where, text, expected=expected, found=(body.get("state"), body.get("amount")))


def _where(books: Recounted, entry: Posted) -> str:
    return f"{books.party.id}/entries.jsonl entry {entry.row['number']}"
