"""Rate tables, software, departments: check 21 of docs/export.md.

Here: what was published against what hosts hold, versions that only rise, what departments spent. Not here: whether
something was taken in time (`limits`), the signatures of what travelled (`seals`).
Kept: every count is made anew from the export; nothing of the issuers' own reports is believed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from towncircle.auditor.books import Recounted
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party
from towncircle.auditor.report import Report, dollars
from towncircle.auditor.submissions import check_submissions
from towncircle.auditor.underway import Underway

_FORWARD = 168


def check_updates(export: Export, books: Mapping[str, Recounted], underway: Underway, report: Report) -> None:
    """Check 21: tables are those that were published, no version falls or runs unapproved, departments add up."""
    approved: dict[tuple[str, int], str] = {}
    for postal in export.of_role("postal"):
        _check_approvals(postal, approved, report)
        check_submissions(export, postal, report)
    published = {
        (party.id, row["body"]["number"]): row["body"]
        for party in export.of_role("provider")
        for row in facts_of(party, "rates.published")
    }
    _check_tables(export, published, report)
    _check_accepted(export, report)
    for provider in export.of_role("provider"):
        _check_numbers(provider, report)
        _check_versions(provider, approved, report)
    for postal in export.of_role("postal"):
        _check_forwarded(export, postal, underway, report)
    _check_departments(export, books, report)


def _check_tables(export: Export, published: Mapping[tuple[str, int], Mapping[str, Any]], report: Report) -> None:
    """Check that what hosts price by, and what the Postal Service prices by, is what a Provider published."""
    nothing = {"in_force_from": "no such table", "digest": "no such table"}
    for party, kind, about in (
        *((one, "rates.received", ("in_force_from",)) for one in export.of_role("licensee")),
        *(
            (one, kind, ("in_force_from", "digest"))
            for one in export.of_role("postal")
            for kind in ("rates.filed", "rates.accepted", "rates.acceptance-withdrawn")
        ),
    ):
        for row in facts_of(party, kind):
            where, body = f"{party.id}/facts.jsonl line {row.line}", row["body"]
            told = published.get((body["provider"], body["number"]), nothing)
            text = f"{body['provider']} published another table under this number, or none."
            for name in about:
                report.same("rates.not-published", where, text, expected=told[name], found=body[name])
            report.checked["rate tables"] += 1


def _check_accepted(export: Export, report: Report) -> None:
    """Check that what a Provider was told is accepted, the Postal Service has accepted."""
    accepted = {
        (row["body"]["provider"], row["body"]["number"], row["body"]["digest"])
        for postal in export.of_role("postal")
        for row in facts_of(postal, "rates.accepted")
    }
    for provider in export.of_role("provider"):
        for row in facts_of(provider, "rates.accepted"):
            body, where = row["body"], f"{provider.id}/facts.jsonl line {row.line}"
            if (provider.id, body["number"], body["digest"]) not in accepted:
                text = f"The Postal Service has not accepted this table {body['number']} of {provider.id}."
                report.differ("rates.not-accepted", where, text, found=body["digest"])


def _check_departments(export: Export, books: Mapping[str, Recounted], report: Report) -> None:
    """Check that a department spent what its settled jobs cost and its postage account says."""
    for licensee in export.of_role("licensee"):
        settled: dict[str, int] = defaultdict(int)
        spent: dict[str, int] = {}
        for row in licensee["records.jsonl"]:
            if row["kind"] == "reservation" and row["body"].get("state") == "settled":
                settled[row["owner"]] += row["body"]["spent"]
            elif row["kind"] == "department":
                spent[row["key"]] = row["body"]["spent"]
        for name in sorted(spent.keys() | settled.keys()):
            where, has = f"{licensee.id}/records.jsonl department {name}", spent.get(name, 0)
            booked = books[licensee.id].balances.get(f"postage/{licensee.id}/{name}", 0)
            for due, who in ((settled.get(name, 0), "its jobs come to"), (booked, "its postage account has")):
                text = f"The department {name} spent {dollars(has)}, and {who} {dollars(due)}."
                report.same("department.spent", where, text, expected=due, found=has)
            report.checked["departments"] += 1


def _check_approvals(postal: Party, approved: dict[tuple[str, int], str], report: Report) -> None:
    highest: dict[str, int] = {}
    for row in facts_of(postal, "build.approved"):
        where, body = f"{postal.id}/facts.jsonl line {row.line}", row["body"]
        if body["version"] <= highest.get(body["model"], 0):
            report.differ("software.version-fell", where, f"Version {body['version']} was approved after a higher one.")
        highest[body["model"]] = max(body["version"], highest.get(body["model"], 0))
        approved[body["model"], body["version"]] = body["build"]
        report.checked["approved builds"] += 1


def _check_numbers(provider: Party, report: Report) -> None:
    last = 0
    for row in facts_of(provider, "rates.published"):
        where, number = f"{provider.id}/facts.jsonl line {row.line}", row["body"]["number"]
        if number <= last:
            report.differ("rates.number-fell", where, f"Table {number} was published after table {last}.")
        last = max(last, number)


def _check_versions(provider: Party, approved: dict[tuple[str, int], str], report: Report) -> None:
    bound: dict[str, int] = {}
    for row in facts_of(provider, "software.released"):
        where, body = f"{provider.id}/facts.jsonl line {row.line}", row["body"]
        expected = approved.get((body["model"], body["version"]), "no such approval")
        text = f"Version {body['version']} was released with another build than the Postal Service approved."
        report.same("software.not-approved", where, text, expected=expected, found=body["build"])
    for row in facts_of(provider, "software.reported"):
        where, device, version = f"{provider.id}/facts.jsonl line {row.line}", row["subject"], row["body"]["version"]
        if version < bound.get(device, 0):
            report.differ("software.rolled-back", where, f"{device} was bound to version {bound[device]} before.")
        if version and (device[:4], version) not in approved:
            text = f"{device} is bound to version {version}, which nobody approved."
            report.differ("software.not-approved", where, text)
        bound[device] = max(version, bound.get(device, 0))
        report.checked["software reports"] += 1


def _check_forwarded(export: Export, postal: Party, underway: Underway, report: Report) -> None:
    known = {(row["subject"], row["body"]["software_version"]) for row in facts_of(postal, "software.forwarded")}
    for provider in export.of_role("provider"):
        if any(number == _FORWARD for number, _ in underway.named):
            continue
        for row in facts_of(provider, "software.reported"):
            if (row["subject"], row["body"]["version"]) not in known:
                where = f"{provider.id}/facts.jsonl line {row.line}"
                text = f"The Postal Service does not know that {row['subject']} runs version {row['body']['version']}."
                report.differ("software.unforwarded", where, text)
