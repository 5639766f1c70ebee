"""The audit, in the order of docs/export.md.

Here: `audit`. Not here: the checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from towncircle.auditor.accounts import check_accounts
from towncircle.auditor.books import Recounted, check_equations, check_facts, check_resets, recount
from towncircle.auditor.branches import check_branches
from towncircle.auditor.cases import check_cases, check_examinations
from towncircle.auditor.checkouts import check_checkouts
from towncircle.auditor.corrections import check_corrections
from towncircle.auditor.custody import check_custody
from towncircle.auditor.devices import check_devices, check_evidence, check_forwarded, check_scans
from towncircle.auditor.inspections import check_inspections
from towncircle.auditor.journal import check_acts, check_journals
from towncircle.auditor.licensees import check_licensees
from towncircle.auditor.licenses import check_revocations
from towncircle.auditor.limits import check_limits
from towncircle.auditor.missing import check_missing
from towncircle.auditor.notices import check_notices
from towncircle.auditor.quality import check_inventories, check_quality
from towncircle.auditor.reading import Export, read_export
from towncircle.auditor.refunds import check_refunds
from towncircle.auditor.report import Report
from towncircle.auditor.seals import Keys, check_heads, check_messages, read_keys
from towncircle.auditor.supervision import check_supervision
from towncircle.auditor.three import check_licenses, check_statement, check_three, check_totals
from towncircle.auditor.underway import Underway, check_waiting, read_underway
from towncircle.auditor.updates import check_updates
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput

_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)


@cites("PRE-15", "PRE-17", "502.8")
def audit(out: Path, *, root: str | None = None) -> Report:
    """Audit an export; `root` pins the root certificate (SHA-256, hex) instead of the one that the export names.

    Raises `BadInput` only where there is nothing to audit: audit.no-export, audit.empty, audit.not-an-export,
    audit.other-version, audit.too-large, audit.bad-root.
    """
    if root is not None and not _FINGERPRINT.fullmatch(root):
        raise BadInput("audit.bad-root", text=root[:80])
    report = Report()
    export = read_export(out, report)  # 1
    named = str(export.header.get("root", ""))
    if root is not None:
        text = "The export rests on another root than the one asked for."
        report.same("certificate.other-root", "manifest.json", text, expected=root, found=named)
    elif not _FINGERPRINT.fullmatch(named):
        report.differ("certificate.no-root", "manifest.json", "The export names no root.", found=named)
    pinned = root or (named if _FINGERPRINT.fullmatch(named) else "")
    keys = read_keys(export, bytes.fromhex(pinned), report)  # 2
    check_heads(export, keys, report)
    check_journals(export, report)  # 3
    check_acts(export, report)
    books = recount(export, report)  # 4, 5
    check_facts(books, report)
    providers = [books[party.id] for party in export.of_role("provider")]
    check_equations(providers, report)
    check_resets(export, providers, report)  # 6
    underway = read_underway(export, books, keys)
    devices = check_devices(export, providers, keys, report)  # 7
    check_forwarded(export, providers, underway, report)
    ranges = check_evidence(export, devices, report)  # 8
    check_scans(export, devices, ranges, report)
    check_three(books, underway, report)  # 9
    check_totals([books[party.id] for party in export.of_role("postal")], report)
    for party in export.of_role("bank"):
        check_statement(books[party.id], report)
    check_licenses(export, providers, report)
    check_messages(export, keys, report)  # 10
    check_waiting(export, report)
    check_licensees(export, books, devices, underway, report)  # 11
    check_checkouts(export, books, devices, keys, report)  # 12
    check_corrections(export, devices, report)  # 13
    check_examinations(export, keys, underway, report)  # 14
    check_cases(export, underway, report)
    check_limits(export, report)  # 15
    check_notices(export, underway, report)  # 16
    check_branches(export, report)
    _check_rooms(export, books, keys, underway, report)
    report.checked["parties"] += len(export.parties)
    return report


def _check_rooms(
    export: Export, books: Mapping[str, Recounted], keys: Keys, underway: Underway, report: Report
) -> None:
    """Make the checks 17 to 26, a room each."""
    check_quality(export, underway, report)  # 17
    check_inventories(export, report)
    check_revocations(export, report)  # 18
    check_refunds(export, books, keys, underway, report)  # 19
    check_missing(export, underway, report)  # 20
    check_supervision(export, books, report)  # 21
    check_updates(export, books, underway, report)  # 22
    check_accounts(export, books, underway, report)  # 23, 24
    check_custody(export, keys, underway, report)  # 25
    check_inspections(export, underway, report)  # 26
