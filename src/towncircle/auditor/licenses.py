"""Revoked licenses: the decision, its notice, the leases under it, appeals.

Here: check 16 of docs/export.md. Not here: whether a ground was there, which people found.
Kept: a notice rests on a decision and a cancelled lease on a notice; nothing is reset after its lease was cancelled; a
revocation is withdrawn only by an appeal that was decided so, and an appeal is decided once, by another person; nobody
holds two valid licenses at one post office.
"""

from __future__ import annotations

from collections.abc import Mapping

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report

_REVOKED = 110


def check_revocations(export: Export, report: Report) -> None:
    """Check 16: revocations reach their Providers and end the leases; appeals are decided once."""
    revoked: dict[tuple[str, str], Row] = {}
    for postal in export.of_role("postal"):
        for fact in facts_of(postal, "license.revoked"):
            report.checked["revocations"] += 1
            where, body = f"{postal.id}/facts.jsonl line {fact.line}", fact["body"]
            name = (fact["subject"], body["decision"])
            if name in revoked:
                report.differ("revocation.twice", where, f"The decision {name[1]} stands twice.")
            revoked[name] = fact
            if not body["grounds"] or not fact["clauses"]:
                report.differ("revocation.no-ground", where, "The license was revoked on no ground.")
        _check_appeals(postal, revoked, report)
        _check_offices(postal, report)
    noticed: set[tuple[str, str]] = set()
    for provider in export.of_role("provider"):
        noticed |= _check_leases(provider, revoked, report)
    waits = any(row["type"] == _REVOKED and row["direction"] == "waiting" for row in _messages(export))
    for (license_, decision), fact in sorted(revoked.items()):
        known = fact["body"]["provider"]
        if known in export.parties and (license_, decision) not in noticed and not waits and _leased(export, license_):
            text = f"The notice of {decision} never reached a Provider."
            report.differ("revocation.not-noticed", f"postal.usps line {fact.line}", text, expected=known)


def _messages(export: Export) -> list[Row]:
    return [row for postal in export.of_role("postal") for row in postal["messages.jsonl"]]


def _leased(export: Export, license_: str) -> bool:
    return any(
        row["kind"] == "license" and row["key"] == license_
        for provider in export.of_role("provider")
        for row in provider["records.jsonl"]
    )


def _check_leases(provider: Party, revoked: Mapping[tuple[str, str], Row], report: Report) -> set[tuple[str, str]]:
    noticed: set[tuple[str, str]] = set()
    ended: set[str] = set()
    for fact in facts_of(provider, "license.revocation-noticed", "lease.cancelled", "reset.reserved"):
        where, body = f"{provider.id}/facts.jsonl line {fact.line}", fact["body"]
        if fact["type"] == "license.revocation-noticed":
            name = (fact["subject"], body["decision"])
            noticed.add(name)
            if name not in revoked or revoked[name]["body"]["licensee"] != body["licensee"]:
                report.differ("revocation.unfounded", where, f"Nobody revoked {name[0]} by {name[1]}.")
        elif fact["type"] == "lease.cancelled":
            report.checked["cancelled leases"] += 1
            if (body["license"], body["decision"]) not in noticed:
                report.differ("lease.no-cause", where, f"No notice of {body['decision']} stands before it.")
            if fact["subject"] in ended:
                report.differ("lease.cancelled-twice", where, f"The lease {fact['subject']} is cancelled twice.")
            ended |= {fact["subject"], str(body["device"])}
        elif body["device"] in ended:
            text = f"The lease of {body['device']} was cancelled when {fact['subject']} was authorised."
            report.differ("lease.reset-after", where, text, found=fact["subject"])
    return noticed


def _check_offices(postal: Party, report: Report) -> None:
    """Check that an applicant holds one valid license at a post office (P050 2.1)."""
    held: dict[tuple[str, str], str] = {}
    for row in postal["records.jsonl"]:
        if row["kind"] == "license" and row["body"]["state"] == "valid":
            key = (str(row["owner"]), str(row["body"]["office_zip"]))
            if key in held:
                where = f"{postal.id}/records.jsonl line {row.line}"
                text = f"{key[0]} holds two valid licenses at the post office {key[1]}."
                report.differ("license.two-valid", where, text, expected=held[key], found=row["key"])
            held.setdefault(key, str(row["key"]))


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _check_appeals(postal: Party, revoked: Mapping[tuple[str, str], Row], report: Report) -> None:
    deciders = {decision: _letters(str(fact["actor"])) for (_, decision), fact in revoked.items()}
    dockets: dict[str, Row] = {}
    decided: dict[str, str] = {}
    reversed_: set[str] = set()
    for fact in facts_of(postal, "license.appealed", "license.appeal-decided"):
        where, body = f"{postal.id}/facts.jsonl line {fact.line}", fact["body"]
        if fact["type"] == "license.appealed":
            dockets[body["docket"]] = fact
        else:
            report.checked["appeals"] += 1
            if fact["subject"] not in dockets or fact["subject"] in decided:
                text = f"The appeal {fact['subject']} was not open when it was decided."
                report.differ("appeal.not-open", where, text)
            decided[fact["subject"]] = body["outcome"]
            if deciders.get(body["decision"]) == _letters(str(fact["actor"])):
                text = f"The appeal {fact['subject']} was decided by the person who made the decision."
                report.differ("appeal.same-person", where, text, found=fact["actor"])
            if body["outcome"] == "reversed":
                reversed_.add(body["decision"])
    for fact in facts_of(postal, "license.revocation-withdrawn"):
        if fact["body"]["decision"] not in reversed_:
            where = f"{postal.id}/facts.jsonl line {fact.line}"
            text = "A revocation was withdrawn, and no appeal against it was decided so."
            report.differ("appeal.no-reversal", where, text, found=fact["body"]["decision"])
