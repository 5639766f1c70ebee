"""Quality pieces and inventories: what licensee, Provider and Postal Service say of each.

Here: check 17 of docs/export.md. Not here: what a piece is like (nobody exports a scan), the notices (`notices`).
Kept: all three ends name the same pieces with the same grade; nobody is denied resets for want of a piece that came in
its time; nobody is reported as noncomplying without a notice; a day is reconciled once, and its finding is one at both
ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report
from towncircle.auditor.underway import Underway

_REPORT, _LIMIT = 105, "quality-piece"
_FOUND = ("number", "devices", "differences", "unexplained")


def check_quality(export: Export, underway: Underway, report: Report) -> None:
    """Check 17, first half: each piece is the same at all three ends, and denials and reports have their cause."""
    received = _by_piece(export, "provider", "quality-piece.received", report)
    forwarded = _by_piece(export, "licensee", "quality-piece.forwarded", report)
    reported = _by_piece(export, "postal", "quality-piece.reported", report)
    sent = {
        row["key"]
        for party in export.of_role("licensee")
        for row in party["records.jsonl"]
        if row["kind"] == "quality-piece" and row["body"].get("state") == "sent"
    }
    for piece, (where, own) in sorted(received.items()):
        report.checked["quality pieces"] += 1
        for others, name, excused in (
            (forwarded, "its licensee", piece in sent),
            (reported, "the Postal Service", (_REPORT, piece) in underway.named),
        ):
            other = others.get(piece)
            if other is None and not excused:
                report.differ("quality.one-sided", where, f"The piece {piece} is not known to {name}.")
            elif other is not None:
                text = f"The piece {piece} is another one for {name}."
                report.same("quality.differs", other[0], text, expected=_told(own), found=_told(other[1]))
    for where, row in (*forwarded.values(), *reported.values()):
        if row["body"]["piece"] not in received:
            report.differ("quality.not-received", where, f"No Provider received the piece {row['body']['piece']}.")
    for provider in export.of_role("provider"):
        _check_denied(provider, report)
    for postal in export.of_role("postal"):
        _check_noncompliance(postal, report)


def check_inventories(export: Export, report: Report) -> None:
    """Check 17, second half: each day is reconciled once, in order, and both ends have the same finding."""
    found: dict[tuple[str, str], Row] = {}
    for postal in export.of_role("postal"):
        last: dict[str, int] = {}
        for row in facts_of(postal, "population.reconciled"):
            body, where = row["body"], f"{postal.id}/facts.jsonl line {row.line}"
            report.checked["inventories"] += 1
            key = (body["provider"], body["day"])
            if key in found:
                report.differ("inventory.twice", where, f"The inventory of {key[0]} for {key[1]} was reconciled twice.")
            found[key] = row
            text = f"The inventories of {key[0]} do not follow each other."
            expected = last.get(key[0], body["number"] - 1) + 1
            report.same("inventory.gap", where, text, expected=expected, found=body["number"])
            last[key[0]] = body["number"]
            if len(body["codes"]) != body["differences"] or not 0 <= body["unexplained"] <= body["differences"]:
                report.differ("inventory.count", where, "It counts other differences than it names.")
    for provider in export.of_role("provider"):
        for row in facts_of(provider, "inventory.reconciled"):
            where, other = f"{provider.id}/facts.jsonl line {row.line}", found.get((provider.id, row["body"]["day"]))
            expected = [other["body"][name] for name in _FOUND] if other else "no such inventory"
            text = "The Postal Service has another finding of this inventory."
            told = [row["body"][name] for name in _FOUND]
            report.same("inventory.differs", where, text, expected=expected, found=told)


def _by_piece(export: Export, role: str, kind: str, report: Report) -> dict[str, tuple[str, Row]]:
    found: dict[str, tuple[str, Row]] = {}
    for party in export.of_role(role):
        for row in facts_of(party, kind):
            where, piece = f"{party.id}/facts.jsonl line {row.line}", row["body"]["piece"]
            if piece in found:
                report.differ("quality.twice", where, f"{kind} of the piece {piece} stands twice.")
            found[piece] = (where, row)
    return found


def _told(row: Row) -> list[object]:
    body: Mapping[str, object] = row["body"]
    return [row["subject"], body["grade"], body["deficiencies"]]


def _check_denied(provider: Party, report: Report) -> None:
    """Find denials for want of a piece that had come between the beginning of its time and its end."""
    facts = {row["id"]: row for row in provider["facts.jsonl"]}
    pieces = list(facts_of(provider, "quality-piece.received"))
    for row in _missed(provider):
        anchor = facts.get(row["body"]["anchor"])
        since, until = (anchor.at("occurred_at") if anchor else None), row.at("occurred_at")
        for piece in pieces:
            at = piece.at("occurred_at")
            if piece["subject"] == row["subject"] and since is not None and since < at <= until:
                where = f"{provider.id}/facts.jsonl line {row.line}"
                text = f"The piece {piece['body']['piece']} had come in its time, and none is said to have."
                report.differ("quality.not-missed", where, text, found=row["subject"])


def _missed(provider: Party) -> Iterator[Row]:
    return (row for row in facts_of(provider, "limit.missed") if row["body"]["limit"] == _LIMIT)


def _check_noncompliance(postal: Party, report: Report) -> None:
    told = {row["body"]["notice"]: row for row in facts_of(postal, "notice.received")}
    for row in facts_of(postal, "quality.noncompliance-reported"):
        notice = told.get(row["body"]["notice"])
        expected = (row["body"]["provider"], row["body"]["device"], _LIMIT)
        found = (notice["body"]["by"], notice["subject"], notice["body"]["limit"]) if notice else "no such notice"
        where = f"{postal.id}/facts.jsonl line {row.line}"
        text = "No notice of the Provider says that this licensee forwarded no piece."
        report.same("quality.not-told", where, text, expected=expected, found=found)
