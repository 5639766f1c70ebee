"""The shapes of an export's lines, as docs/export.md gives them.

Here: which keys a line must have and of what kind, and the bodies of facts. Not here: reading, the tables of the books
(`charts`).
Kept: this is the auditor's own copy of the documented format; it is not taken from the rooms that issue.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

T, N, B, L, O = "text", "number", "yes or no", "list", "object"  # noqa: E741 - the columns of the tables below

LINES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "facts.jsonl": {
            "id": T,
            "type": T,
            "version": N,
            "subject": T,
            "actor": T,
            "occurred_at": T,
            "recorded_at": T,
            "clauses": L,
            "rule_digest": T,
            "request_id": T,
            "body": O,
            "previous_hash": T,
        },
        "entries.jsonl": {
            "id": T,
            "number": N,
            "key": T,
            "at": T,
            "recipe": T,
            "licensee": T,
            "provider": T,
            "device": T,
            "reference": T,
            "names": L,
            "corrects": T,
            "inputs": T,
            "lines": L,
        },
        "records.jsonl": {"kind": T, "key": T, "owner": T, "version": N, "body": O},
        "messages.jsonl": {
            "id": T,
            "direction": T,
            "sender": T,
            "audience": T,
            "type": N,
            "counter": N,
            "issued": T,
            "message": T,
        },
        "devices.jsonl": {
            "device": T,
            "licensee": T,
            "provider": T,
            "state": T,
            "ascending": N,
            "descending": N,
            "pieces": N,
            "resets_total": N,
            "withdrawn_total": N,
            "reprints": N,
            "counter": N,
            "read_at": T,
            "audit": T,
        },
        "scans.jsonl": {
            "scan": T,
            "device": T,
            "certificate_serial": N,
            "ascending": N,
            "postage": N,
            "date": T,
            "verdict": T,
            "disposition": T,
            "piece": T,
            "scanned_at": T,
            "site": T,
        },
        "certificates.jsonl": {"subject": T, "purpose": T, "chain": L},
        "statement.jsonl": {
            "number": N,
            "at": T,
            "kind": T,
            "reference": T,
            "provider": T,
            "licensee": T,
            "amount": N,
            "balance": N,
        },
    }
)
HEADER: Mapping[str, str] = MappingProxyType(
    {"format": T, "version": N, "world": T, "regimes": L, "made_at": T, "root": T, "quiet": B}
)
INSTANTS = ("at", "made_at", "occurred_at", "recorded_at", "issued", "read_at", "scanned_at")

_ROLES = ("provider", "postal", "bank", "licensee")
_MONEY = {"licensee": T, "amount": N}
_AT_DEVICE = {**_MONEY, "device": T}
_AT_BANK = {**_MONEY, "provider": T}
_ACT = {"act": T, "duty": T, "document": T}
_LIMIT = {"limit": T, "duty": T}
_TIMED = {**_LIMIT, "anchor": T, "until": T, "shape": T}
LIMIT_FACTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "limit.reminded": {**_TIMED, "to": T},
        "limit.missed": _TIMED,
        "limit.mended": _TIMED,
        "notice.given": {**_TIMED, "to": T},
        "limit.case-opened": {**_TIMED, "case": T},
        "limit.case-closed": {**_TIMED, "case": T},
        "resets.denied": _LIMIT,
        "resets.allowed": _LIMIT,
    }
)
_PIECE = {"piece": T, "grade": T, "deficiencies": L}
_INVENTORY = {"day": T, "number": N, "devices": N, "differences": N, "unexplained": N}
_NOTICE = {"notice": T, "by": T, "form": T, "limit": T, "duty": T, "until": T}
_READING = {"ascending": N, "descending": N, "pieces": N, "message_counter": N}
_PERSONS = {"requested_by": T, "approved_by": T}
_GIVEN = {"refund": T, "outcome": T, "noted": N, "noted_ascending": N, "ascending": N}
_OF_A_JOB = {"device": T, "of": T, "count": N}
_REFUND = {**_AT_DEVICE, "share": N, "total": N, "scanned_by": T, "certified_by": T}
_EXAMINED = {"device": T, "provider": T}
_CASE = {"device": T, "other": T, "ground": T}
_CLOSED = {"device": T, "outcome": T, "approved_by": L, "examination": T}
_INCIDENT = {"incident": T}
_RELEASED = {"version": N, "build": T, "model": T}
_MISSING: Mapping[str, Mapping[str, str]] = {
    "custody.lost": {**_INCIDENT, "source": T},
    "custody.stolen": {**_INCIDENT, "source": T},
    "custody.recovered": _INCIDENT,
    "incident.opened": {"device": T, "licensee": T, "source": T},
    "location-step.taken": {**_INCIDENT, "step": T, "result": T, "reference": T, "document": T},
    "police.reported": {**_INCIDENT, "reference": T, "document": T},
    "cpip.copied": {**_INCIDENT, "reference": T},
    "replacement.supplied": {**_INCIDENT, "by": T},
    "incident.reported": {**_INCIDENT, "report": T},
    "recovery.reported": {**_INCIDENT, "report": T, "references": T},
    "lost-and-stolen-file.sent": {"period": T, "digest": T, "rows": N, "purged": N},
}
_CUSTODY: Mapping[str, Mapping[str, str]] = {
    "hand-over.signed": {"licensee": T, "device": T, "direction": T, "service": T, "permission": T},
    "defect.notified": {"licensee": T, "defect": T},
    "defect.examined": {"licensee": T, "defect": T, "remedy": T},
    "malfunction.reported": {"defect": T, "stage": T},
    "removal.ordered": {"licensee": T, "order": T, "receipt": T},
}
_VISIT = {"scope": T, "site": T, "on": T, "records": L}
_VISITED = {"scope": T, "announced": T, "outcome": T, "findings": N}
_INSPECTED: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("postal", "inspection.announced"): {**_VISIT, "provider": T},
    ("provider", "inspection.announced"): _VISIT,
    ("postal", "inspection.reported"): {**_VISITED, "provider": T},
    ("provider", "inspection.found"): _VISITED,
    ("postal", "inspection.answer-filed"): {"provider": T, "document": T},
    ("provider", "inspection.answered"): {"document": T},
    ("postal", "inspection.closed"): {"provider": T, "outcome": T},
    ("provider", "inspection.closed"): {"outcome": T},
}
FACTS: Mapping[tuple[str, str], Mapping[str, str]] = MappingProxyType(
    {
        ("provider", "deposit.credited"): _MONEY,
        ("provider", "deposit.returned"): _MONEY,
        ("provider", "advance.agreed"): {"licensee": T, "limit": N},
        ("provider", "advance.given"): {**_MONEY, "limit": N},
        ("provider", "advance.repaid"): _MONEY,
        ("provider", "reset.reserved"): _AT_DEVICE,
        ("provider", "reset.posted"): _AT_DEVICE,
        ("provider", "reset.voided"): _AT_DEVICE,
        ("provider", "audit.taken"): {
            **_READING,
            "licensee": T,
            "resets_total": N,
            "withdrawn_total": N,
            "reprints": N,
        },
        ("provider", "balance.withdrawn"): _AT_DEVICE,
        ("provider", "balance.signed"): {**_AT_DEVICE, "signed_by": T},
        ("postal", "balance.arranged"): {**_AT_DEVICE, "signed_by": T, "arranged_by": T},
        ("provider", "unused.refunded"): _AT_DEVICE,
        ("provider", "device.checked-out"): {**_PERSONS, **_GIVEN, **_MONEY, "purpose": T},
        ("provider", "malfunction.credited"): {**_AT_DEVICE, "decided_by": T, "approved_by": T},
        ("provider", "account.closing-asked"): {**_MONEY, "own": N, "asked_by": T},
        ("provider", "account.closed"): {"licensee": T, "check": N},
        ("postal", "closing.noticed"): {**_AT_BANK, "own": N},
        ("postal", "books.reconciled"): {"provider": T, "day": T, "digest": T, "unexplained": N},
        ("provider", "account.paid-out"): _MONEY,
        ("bank", "deposit.received"): _AT_BANK,
        ("bank", "item.returned"): _AT_BANK,
        ("bank", "check.issued"): _AT_BANK,
        ("postal", "license.issued"): {"licensee": T},
        ("postal", "permit.granted"): {"licensee": T, "permit": T, "reference": T, "until": T},
        ("postal", "permit.withdrawn"): {"licensee": T, "permit": T, "reference": T},
        ("postal", "license.decision-noticed"): {**_LIMIT, "notice": T, "to": T, "until": T},
        ("postal", "license.revoked"): {"licensee": T, "provider": T, "decision": T, "grounds": L},
        ("postal", "license.revocation-withdrawn"): {"licensee": T, "decision": T},
        ("postal", "license.appealed"): {"licensee": T, "docket": T, "decision": T},
        ("postal", "license.appeal-decided"): {"licensee": T, "about": T, "outcome": T, "decision": T},
        ("provider", "license.revocation-noticed"): {"licensee": T, "decision": T},
        ("provider", "lease.cancelled"): {"licensee": T, "license": T, "device": T, "decision": T},
        ("postal", "supervision.given"): {"provider": T, "number": N, "form": T, "step": T, "force": T},
        **{
            ("postal", f"{form}.{kind}"): shape
            for form in ("reporting-sanction", "sanction")
            for kind, shape in {
                "assessed": {"rows": L, "rate": N, "to": T, "total": N},
                "imposed": {"amount": N},
                "paid": {"amount": N, "paid": N},
                "repaid": {"amount": N, "provider": T, "reference": T},
            }.items()
        },
        ("provider", "supervision.noticed"): {
            "number": N,
            "form": T,
            "step": T,
            "force": T,
            "begins": T,
            "ends": T,
            "scope": L,
        },
        ("postal", "lockbox.reported"): {"day": T, "total": N},
        ("postal", "file.booked"): {"provider": T, "day": T, "total": N},
        ("postal", "audit.forwarded"): {**_READING, "provider": T},
        ("postal", "device.withdrawn"): {"provider": T, "refund": T, "outcome": T, "amount": N},
        ("postal", "payout.instructed"): _AT_BANK,
        ("postal", "scan.recorded"): {
            "device": T,
            "certificate_serial": N,
            "ascending": N,
            "postage": N,
            "verdict": T,
            "disposition": T,
            "piece": T,
            "site": T,
        },
        ("postal", "examination.ordered"): _EXAMINED,
        ("postal", "examination.found"): {
            **_READING,
            **_EXAMINED,
            "resets_total": N,
            "withdrawn_total": N,
            "outcome": T,
            "differences": L,
        },
        ("postal", "examination.unanswered"): _EXAMINED,
        ("postal", "examination.lapsed"): _EXAMINED,
        ("provider", "examination.returned"): {"device": T, "licensee": T, "outcome": T, "case": T},
        ("provider", "device.frozen"): {"licensee": T, "trouble": T},
        ("provider", "case.opened"): _CASE,
        ("provider", "case.closed"): _CLOSED,
        ("postal", "case.opened"): _CASE,
        ("postal", "case.closed"): _CLOSED,
        **{(role, "notice.received"): _NOTICE for role in _ROLES},
        ("provider", "notice.delivered"): {"notice": T, "to": T},
        ("postal", "notice.delivered"): {"notice": T, "to": T},
        ("provider", "quality-piece.received"): {**_PIECE, "licensee": T},
        ("licensee", "quality-piece.forwarded"): {**_PIECE, "provider": T},
        ("postal", "quality-piece.reported"): {**_PIECE, "provider": T, "licensee": T},
        ("postal", "quality.noncompliance-reported"): {"device": T, "licensee": T, "provider": T, "notice": T},
        ("postal", "population.reconciled"): {**_INVENTORY, "provider": T, "codes": L},
        ("provider", "inventory.reconciled"): _INVENTORY,
        ("provider", "inventory.refused"): {"number": N, "code": T},
        ("provider", "act.recorded"): _ACT,
        ("postal", "act.recorded"): _ACT,
        ("licensee", "deposit.made"): {"provider": T, "amount": N},
        ("licensee", "reset.received"): {"provider": T, "device": T, "amount": N},
        ("licensee", "balance.returned"): {"provider": T, "device": T, "amount": N},
        ("licensee", "transfer.requested"): {"device": T},
        ("licensee", "transfer.approved"): {**_PERSONS, "device": T},
        ("licensee", "transfer.ended"): {**_PERSONS, "device": T},
        ("licensee", "transfer.done"): {
            **_PERSONS,
            "device": T,
            "replacement": T,
            "refund": T,
            "reset": T,
            "amount": N,
        },
        ("licensee", "evidence.made"): {
            "device": T,
            "first_piece": N,
            "count": N,
            "total": N,
            "ascending_after": N,
            "mailing_date": T,
        },
        ("licensee", "date.corrected"): {**_OF_A_JOB, "printed_date": T, "mailing_date": T},
        ("licensee", "postage.corrected"): {**_OF_A_JOB, "total": N, "overpaid": N},
        ("licensee", "print.reprinted"): {**_OF_A_JOB, "reprints": N},
        ("provider", "form-3533.sent"): _REFUND,
        ("provider", "form-3533.refused"): {"licensee": T, "device": T, "code": T},
        ("postal", "form-3533.received"): {**_REFUND, "provider": T},
        ("postal", "refund.decided"): {
            **_AT_DEVICE,
            "provider": T,
            "share": N,
            "total": N,
            "pieces": N,
            "outcome": T,
        },
        ("provider", "refunded-envelopes.destroyed"): {"kept_until": T},
        ("provider", "rates.published"): {"number": N, "in_force_from": T, "digest": T, "lines": N, "total": N},
        ("provider", "software.released"): _RELEASED,
        ("provider", "software.reported"): {"licensee": T, "version": N, "next": N, "running": T},
        ("postal", "build.approved"): {**_RELEASED, "regime": T},
        ("postal", "rates.filed"): {"provider": T, "number": N, "in_force_from": T, "digest": T},
        ("postal", "rates.accepted"): {"provider": T, "number": N, "in_force_from": T, "digest": T},
        ("provider", "rates.accepted"): {"number": N, "digest": T},
        ("postal", "product.approved"): {"provider": T, "build": T, "reference": T},
        ("postal", "product.submitted"): {"provider": T, "build": T, "step": T},
        ("postal", "software.forwarded"): {"provider": T, "software_version": N, "software_build": T},
        ("licensee", "rates.received"): {"provider": T, "number": N, "in_force_from": T},
        **{("provider", kind): shape for kind, shape in {**_MISSING, **_CUSTODY}.items()},
        ("postal", "branch.approved"): {"branch": T},
        ("postal", "branch.refused"): {"branch": T},
        ("licensee", "branch.answered"): {"branch": T, "outcome": T},
        ("postal", "service.permitted"): {"direction": T, "service": T, "permission": T},
        ("postal", "malfunction.told"): {"provider": T, "defect": T, "stage": T},
        ("postal", "device.lost"): {"provider": T},
        ("postal", "device.stolen"): {"provider": T},
        ("postal", "missing.told"): {"licensee": T, "provider": T, "event": T},
        ("postal", "incident.filed"): {"device": T, "provider": T, "event": T, "references": T},
        ("postal", "lost-and-stolen-file.received"): {"provider": T, "period": T, "digest": T, "differences": N},
        ("licensee", "device.incident-reported"): {"event": T, "incident": T},
        **{(role, kind): shape for role in _ROLES for kind, shape in LIMIT_FACTS.items()},
        **_INSPECTED,
    }
)


def fits(value: object, kind: str) -> bool:
    """Tell whether a JSON value is of a kind of this table."""
    match kind:
        case "text":
            return isinstance(value, str)
        case "number":
            return type(value) is int
        case "yes or no":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)
