"""The daily financial files, added up anew from the entries of the Provider's books.

Here: check 22 of docs/export.md. Not here: the accounts themselves (`accounts`), the reader that issuers use.
Kept: the layout is read here from its page, docs/daily-financial-file.md, and from nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from towncircle.auditor.books import Posted, Recounted
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Row
from towncircle.auditor.report import Report

_SUMS = (("in-transit", True), ("advances", False), ("malfunction-credits", False))


def check_daily(export: Export, books: Mapping[str, Recounted], report: Report) -> None:
    """Check 22: every entry is in one file, every account stands in it as the entries say, and both ends have it."""
    told = {
        fact["subject"]: fact for postal in export.of_role("postal") for fact in facts_of(postal, "books.reconciled")
    }
    for provider in export.of_role("provider"):
        files = sorted(
            (row for row in provider["records.jsonl"] if row["kind"] == "daily-file"), key=lambda row: str(row["key"])
        )
        through = 0
        for number, row in enumerate(files, start=1):
            where = f"{provider.id}/records.jsonl line {row.line}"
            raw = _raw(row)
            lines = [line.split("|") for line in raw.decode("ascii", "replace").splitlines()]
            if not lines or len(lines[0]) != 8 or lines[0][0] != "H":
                report.differ("daily.malformed", where, "The file has no header.")
                continue
            report.checked["daily files"] += 1
            head = {"provider": provider.id, "day": row["key"], "number": str(number)}
            found = dict(zip(head, lines[0][3:6], strict=True))
            report.same("daily.header", where, "The header is of another file.", expected=head, found=found)
            upto = int(lines[0][7]) if lines[0][7].isdigit() else 0
            _compare(lines, books[provider.id].entries, through, upto, where, report)
            through = upto
            if row["body"].get("state") == "found":
                fact = told.get(f"{provider.id} {row['key']}")
                digest = fact["body"].get("digest") if fact else "not received"
                mine = hashlib.sha256(raw).hexdigest()
                report.same("daily.received", where, "Another file was received.", expected=mine, found=digest)


def _raw(row: Row) -> bytes:
    try:
        return base64.b64decode(str(row["body"].get("file")), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _compare(
    lines: list[list[str]], entries: list[Posted], through: int, upto: int, where: str, report: Report
) -> None:
    events = [line[1:] for line in lines if line[0] == "E"]
    report.same(
        "daily.events",
        where,
        "Its events are not the entries.",
        expected=list(_events(entries[through:upto])),
        found=events,
    )
    accounts = {line[1]: line[2:] for line in lines if line[0] == "A" and len(line) == 8}
    expected = dict(_accounts(entries[:through], entries[:upto]))
    for licensee in sorted(accounts.keys() | expected.keys()):
        text = f"The account of {licensee} is another one."
        due, has = expected.get(licensee), accounts.get(licensee)
        report.same("daily.account", where, text, expected=due, found=has)


def _events(entries: list[Posted]) -> Iterator[list[str]]:
    for entry in entries:
        row = entry.row
        named = [row["at"], row["recipe"], row["reference"], row["licensee"], row["device"]]
        yield [*named, str(entry.amount), str(_balances([entry])[row["licensee"]]["account"])]


def _accounts(before: list[Posted], after: list[Posted]) -> Iterator[tuple[str, list[str]]]:
    opening, closing = _balances(before), _balances(after)
    for licensee, sums in closing.items():
        first, last = opening[licensee]["account"], sums["account"]
        beside = [sums[kind] if credit else -sums[kind] for kind, credit in _SUMS]
        yield licensee, [str(number) for number in (first, last - first, last, *beside)]


def _balances(entries: list[Posted]) -> dict[str, dict[str, Any]]:
    """Add up the accounts of each licensee by kind; a credit raises."""
    found: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    for entry in entries:
        for account, debit, mills in entry.lines:
            kind, licensee = account.split("/")[:2]
            found[licensee][kind] += -mills if debit else mills
    return found
