"""Time limits: what a party did about them, and whether a denied device was reset all the same.

Here: check 12 of docs/export.md. Not here: when a limit runs out, which the rule sets say; the auditor reads no rule.
Kept: each act stands once, rests on a fact of the same journal, and is not dated before its cause.
"""

from __future__ import annotations

from collections import defaultdict

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row, instant_of
from towncircle.auditor.report import Report
from towncircle.auditor.shapes import LIMIT_FACTS

# what each act rests on: an earlier fact of the same duty
_RESTS_ON = {
    "limit.mended": "limit.missed",
    "notice.given": "limit.missed",
    "limit.case-opened": "limit.missed",
    "limit.case-closed": "limit.case-opened",
    "resets.denied": "limit.missed",
    "resets.allowed": "resets.denied",
}


def check_limits(export: Export, report: Report) -> None:
    """Check 12: acts on time limits stand once, rest on their causes, and a denied device is not reset."""
    for _, party in sorted(export.parties.items()):
        _check_acts(party, report)
        if party.role == "provider":
            _check_denied(party, report)


def _check_acts(party: Party, report: Report) -> None:
    places = {row["id"]: row.line for row in party["facts.jsonl"]}
    seen: dict[tuple[str, ...], Row] = {}
    for row in facts_of(party, *LIMIT_FACTS):
        report.checked["acts on limits"] += 1
        body, where = row["body"], f"{party.id}/facts.jsonl line {row.line}"
        duty, kind = body["duty"], row["type"]
        name = (kind, duty, *([body["to"]] if kind == "notice.given" else []))
        if name in seen:
            report.differ("limit.twice", where, f"{kind} of the duty '{duty}' stands twice.", found=row["id"])
        seen.setdefault(name, row)
        cause = _RESTS_ON.get(kind)
        if cause is not None and (cause, duty) not in seen:
            report.differ("limit.no-cause", where, f"No {cause} of the duty '{duty}' stands before it.", expected=cause)
        if "anchor" in body and places.get(body["anchor"], row.line) >= row.line:
            text = "The fact from which the limit counts does not stand before it in this journal."
            report.differ("limit.no-anchor", where, text, expected="an earlier fact", found=body["anchor"])
        if kind in ("limit.reminded", "limit.missed"):
            _check_time(row, where, report)


def _check_time(row: Row, where: str, report: Report) -> None:
    until = instant_of(row["body"]["until"])
    if until is None:
        report.differ("limit.time", where, "Its last instant is no instant.", found=row["body"]["until"])
        return
    recorded, occurred = row.at("recorded_at"), row.at("occurred_at")
    if row["type"] == "limit.reminded" and recorded > until:
        report.differ("limit.time", where, "It reminds of a limit that is past.", expected=until.iso())
    elif row["type"] == "limit.missed" and row["body"]["shape"] != "retention" and not until == occurred < recorded:
        text = "A missed limit is dated when its time ran out, and recorded afterwards."
        report.differ("limit.time", where, text, expected=until.iso(), found=occurred.iso())


def _check_denied(party: Party, report: Report) -> None:
    denied: dict[str, set[str]] = defaultdict(set)
    for row in facts_of(party, "resets.denied", "resets.allowed", "reset.reserved"):
        if row["type"] == "resets.denied":
            denied[row["subject"]].add(row["body"]["duty"])
        elif row["type"] == "resets.allowed":
            denied[row["subject"]].discard(row["body"]["duty"])
        elif denied[row["body"]["device"]]:
            where = f"{party.id}/facts.jsonl line {row.line}"
            text = f"The resets of {row['body']['device']} were denied when {row['subject']} was authorised."
            report.differ("limit.denied", where, text, found=", ".join(sorted(denied[row["body"]["device"]])))
