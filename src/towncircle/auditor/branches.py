"""Classified branches: what the licensing post office decided, and what its licensee was told of it (P050 4.5).

Here: the second half of check 16 of docs/export.md. Not here: what a piece shows, which the post office judges by its
own decisions; no Provider has a part in them, and no verification pack names them.
Kept: a decision that its licensee does not know is excused only by its notice that waits. A decision that names no
notice is of a release that gave none.
"""

from __future__ import annotations

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Row
from towncircle.auditor.report import Report

_DECIDED = ("branch.approved", "branch.refused")


def check_branches(export: Export, report: Report) -> None:
    """Check 16: a licensee knows of a branch what its post office decided last, and nothing that it did not decide."""
    decided = _decided(export, report)
    waiting = {
        row["key"]
        for postal in export.of_role("postal")
        for row in postal["records.jsonl"]
        if row["kind"] == "notice-waiting" and row["body"].get("state") == "waiting"
    }
    known: dict[tuple[str, str], str] = {}
    for party in export.of_role("licensee"):
        for row in facts_of(party, "branch.answered"):
            body, where = row["body"], f"{party.id}/facts.jsonl line {row.line}"
            name = (row["subject"], body["branch"])
            before = {
                _outcome(one) for one, _ in decided.get(name, ()) if one.at("recorded_at") <= row.at("recorded_at")
            }
            if body["outcome"] not in before:
                text = f"The post office had not decided so on the branch {name[1]} of {name[0]}."
                found = ", ".join(sorted(before)) or "nothing"
                report.differ("branch.differs", where, text, expected=found, found=body["outcome"])
            known[name] = body["outcome"]
    for name, rows in sorted(decided.items()):
        last, where = rows[-1]
        notice = last["body"].get("notice", "")
        if notice and notice not in waiting:
            text = f"The licensee of {name[0]} does not know what was decided last on the branch {name[1]}."
            report.same("branch.not-told", where, text, expected=_outcome(last), found=known.get(name, "nothing"))


def _decided(export: Export, report: Report) -> dict[tuple[str, str], list[tuple[Row, str]]]:
    found: dict[tuple[str, str], list[tuple[Row, str]]] = {}
    for postal in export.of_role("postal"):
        for row in facts_of(postal, *_DECIDED):
            report.checked["branches"] += 1
            where = f"{postal.id}/facts.jsonl line {row.line}"
            found.setdefault((row["subject"], row["body"]["branch"]), []).append((row, where))
    return found


def _outcome(row: Row) -> str:
    return str(row["type"]).partition(".")[2]
