"""The journals of facts.

Here: check 3 of docs/export.md, and the facts by type with their bodies checked. Not here: what they prove.
Kept: the digest is computed here anew from the line itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator

from towncircle.auditor.reading import SKEW_US, Export, Party, Row
from towncircle.auditor.report import Report
from towncircle.auditor.shapes import FACTS, LINES, fits

_GENESIS = "0" * 64
_DOCUMENT = re.compile(r"([0-9a-f]{64})?", re.ASCII)
_KEYS = LINES["facts.jsonl"].keys()


def check_journals(export: Export, report: Report) -> None:
    """Check 3: each fact names the one before it, the head names the last, and what is needed has its shape."""
    for party in export.parties.values():
        expected, ids = _GENESIS, set[str]()
        for row in party["facts.jsonl"]:
            where = f"{party.id}/facts.jsonl line {row.line}"
            if row["previous_hash"] != expected:
                text = "The fact does not name the one before it: a fact was changed, taken out, put in or moved."
                report.differ("fact.chain", where, text, expected=expected, found=row["previous_hash"])
            expected = _digest(row)
            if row["id"] in ids:
                report.differ("fact.twice", where, f"The fact {row['id']} stands twice.")
            ids.add(row["id"])
            early = row.at("occurred_at") > row.at("recorded_at").plus(microseconds=SKEW_US)
            if early or export.after_end(row.at("recorded_at")):
                report.differ("fact.time", where, "It was recorded before it occurred, or after the export was made.")
            for name, kind in FACTS.get((party.role, row["type"]), {}).items():
                if not fits(row["body"].get(name), kind):
                    report.differ("fact.malformed", where, f"'{name}' of {row['type']} is missing or not a {kind}.")
        said = party.head.get("facts")
        said = said if isinstance(said, dict) else {}
        where, count = f"{party.id}/head.json", len(party["facts.jsonl"])
        report.same("fact.head", where, "The last fact is another one.", expected=said.get("head"), found=expected)
        report.same("fact.count", where, "The number of facts differs.", expected=said.get("count"), found=count)


def check_acts(export: Export, report: Report) -> None:
    """Check 3, the acts of people: each stands once, under a clause, with the digest of its paper or none."""
    for party in export.parties.values():
        seen: set[tuple[str, ...]] = set()
        for row in facts_of(party, "act.recorded"):
            where, body = f"{party.id}/facts.jsonl line {row.line}", row["body"]
            name = (body["act"], row["subject"], row["occurred_at"][:10], str(body.get("about", "")))
            if name in seen:
                report.differ("act.twice", where, f"The act {name[0]} of {name[1]} is recorded twice for {name[2]}.")
            seen.add(name)
            if not row["clauses"] or not _DOCUMENT.fullmatch(body["document"]):
                text = f"The act {name[0]} has no clause, or no SHA-256 where its document is."
                report.differ("act.malformed", where, text, found=body["document"])
            report.checked["acts"] += 1


def facts_of(party: Party, *types: str) -> Iterator[Row]:
    """Give a party's facts of some types whose bodies have their documented shape, in order."""
    for row in party["facts.jsonl"]:
        if row["type"] in types:
            shape = FACTS.get((party.role, row["type"]), {})
            if all(fits(row["body"].get(name), kind) for name, kind in shape.items()):
                yield row


def _digest(row: Row) -> str:
    record = {key: row[key] for key in _KEYS}
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
