"""Written notices: what one party says that it gave, the other has received, and the other way round.

Here: check 16 of docs/export.md. Not here: when a notice is owed (`limits` checks its cause).
Kept: a notice that is missing at its receiver is excused only by a message of its giver that waits, or by the giver's
own record that the licensee's host has not asked for it yet. Facts that name no notice are of releases that sent none.
"""

from __future__ import annotations

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Row
from towncircle.auditor.report import Report
from towncircle.auditor.underway import Underway

_NOTICE = 100
_KINDS = {"notice.given": "notice", "limit.reminded": "reminder", "license.decision-noticed": "notice"}
_SAME = ("limit", "duty", "until")


def check_notices(export: Export, underway: Underway, report: Report) -> None:
    """Check 16: each notice was given once and received once, by whom it was meant for, and says the same."""
    given = _given(export, report)
    waiting = _waiting(export)
    seen: set[str] = set()
    for party in export.parties.values():
        for row in facts_of(party, "notice.received"):
            body, where = row["body"], f"{party.id}/facts.jsonl line {row.line}"
            report.checked["notices"] += 1
            name = body["notice"]
            if name in seen:
                report.differ("notice.twice", where, f"The notice {name} was received twice.")
            seen.add(name)
            own = given.get((body["by"], name))
            found = [party.id, body["form"], row["subject"], *(body[field] for field in _SAME)]
            expected = _told(own) if own else "no such notice"
            report.same("notice.differs", where, f"{body['by']} gave it otherwise.", expected=expected, found=found)
    for (giver, name), row in sorted(given.items()):
        if name not in seen and (giver, name) not in waiting and (_NOTICE, name) not in underway.named:
            where = f"{giver}/facts.jsonl line {row.line}"
            report.differ("notice.not-received", where, f"{row['body']['to']} never received the notice {name}.")


def _given(export: Export, report: Report) -> dict[tuple[str, str], Row]:
    given: dict[tuple[str, str], Row] = {}
    for party in export.parties.values():
        for row in facts_of(party, *_KINDS):
            name = row["body"].get("notice")
            if not isinstance(name, str) or not name:
                continue
            if (party.id, name) in given:
                where = f"{party.id}/facts.jsonl line {row.line}"
                report.differ("notice.twice", where, f"The notice {name} was given twice.")
            given[party.id, name] = row
    return given


def _told(row: Row) -> list[object]:
    body = row["body"]
    return [body["to"], _KINDS[row["type"]], row["subject"], *(body[field] for field in _SAME)]


def _waiting(export: Export) -> set[tuple[str, str]]:
    """Name the notices that wait for a licensee's host to call."""
    return {
        (party.id, row["key"])
        for party in export.parties.values()
        for row in party["records.jsonl"]
        if row["kind"] == "notice-waiting" and row["body"].get("state") == "waiting"
    }
