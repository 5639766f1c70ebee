"""Examinations and irregularity cases.

Here: check 14 of docs/export.md. Not here: the registers of a device (`devices`).
Kept: a finding is worth what the device signed. The order and the report are opened here, the finding is set against
the audits and scans that stood in the journal before it, and no release rests on anybody's word but that report.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row, letters
from towncircle.auditor.report import Report
from towncircle.auditor.seals import Keys, envelope_of, issued_at, open_message, read_sealed
from towncircle.auditor.underway import Underway

_TYPE, _SENDER, _AUDIENCE, _ID, _REPLY, _COUNTER, _BODY = 1, 3, 4, 5, 6, 9, 10
_ORDER, _REPORT = 60, 61
_ANSWER, _RETURNED, _REPORTED, _CLOSED = 73, 74, 76, 77
_READ = ("ascending", "descending", "pieces", "resets_total", "withdrawn_total", "message_counter")
_ENDS = ("examination.found", "examination.unanswered", "examination.lapsed")
_USES = {"custody.leased": "its use back", "reset.reserved": "a reset", "audit.taken": "a contact"}
_OUTCOMES = {"examination.unanswered": "unanswered", "examination.lapsed": "lapsed"}


def check_examinations(export: Export, keys: Keys, underway: Underway, report: Report) -> None:
    """Check 14, first half: each finding is what the device signed, and overlooks nothing that was known."""
    ended: dict[str, tuple[str, str]] = {}
    for postal in export.of_role("postal"):
        ordered = {fact["subject"]: fact for fact in facts_of(postal, "examination.ordered")}
        kept = {row["key"]: row["body"] for row in postal["records.jsonl"] if row["kind"] == "examination"}
        for fact in facts_of(postal, *_ENDS):
            name, body, where = fact["subject"], fact["body"], f"{postal.id}/facts.jsonl line {fact.line}"
            report.checked["examinations"] += 1
            if name in ended:
                report.differ("examination.twice", where, f"The examination {name} ended twice.")
            order = ordered.get(name)
            if order is None or order.line > fact.line or order["body"]["device"] != body["device"]:
                report.differ("examination.not-ordered", where, f"Nobody ordered the examination {name}.")
            outcome = str(body.get("outcome", _OUTCOMES.get(fact["type"])))
            ended[name] = (str(body["device"]), outcome)
            if fact["type"] == "examination.found":
                _check_report(fact, kept.get(name, {}), postal, keys, where, report)
                _check_finding(fact, postal, where, report)
    _check_returned(export, ended, underway, report)


def _check_report(fact: Row, kept: Mapping[str, Any], postal: Party, keys: Keys, where: str, report: Report) -> None:
    body = fact["body"]
    sender = f"device.{body['device']}"
    order = _opened(kept.get("order"), keys, postal.id)
    answer = _opened(kept.get("report"), keys, sender)
    if order is None or order.get(_TYPE) != _ORDER or order.get(_AUDIENCE) != sender:
        report.differ("examination.no-order", where, "No order of the Postal Service to this device is kept.")
        return
    if answer is None or answer.get(_TYPE) != _REPORT or answer.get(_REPLY) != order.get(_ID):
        report.differ("examination.no-report", where, "No report that the device signed to this order is kept.")
        return
    told = answer.get(_BODY)
    told = told if isinstance(told, dict) else {}
    registers = told.get(4)
    registers = registers if isinstance(registers, dict) else {}
    said = (*(registers.get(key) for key in (1, 2, 3)), told.get(5), told.get(6), answer.get(_COUNTER))
    text = "The finding says otherwise than the device signed."
    report.same("examination.differs", where, text, expected=said, found=tuple(body[name] for name in _READ))
    text = "The report names another examination."
    report.same("examination.differs", where, text, expected=told.get(1), found=fact["subject"])


def _opened(text: object, keys: Keys, sender: str) -> Mapping[Any, Any] | None:
    """Give the envelope of what a sender sealed, or None for anything else."""
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return None
    sealed = read_sealed(raw) if raw else None
    content = envelope_of(sealed) if sealed else None
    if sealed is None or content is None or content.get(_SENDER) != sender:
        return None
    issued = issued_at(content)
    return content if issued and not keys.fault(sealed, sender, issued) else None


def _check_finding(fact: Row, postal: Party, where: str, report: Report) -> None:
    body = fact["body"]
    if (body["outcome"] == "regular") != (body["differences"] == []) or body["outcome"] not in ("regular", "irregular"):
        text = "An examination is regular without differences and irregular with any."
        report.differ("examination.outcome", where, text, expected=body["differences"], found=body["outcome"])
    overlooked = list(_faults(fact, postal))
    if body["outcome"] == "regular" and overlooked:
        report.differ("examination.overlooked", where, f"It was found regular, but {overlooked[0]}.")
    if body["outcome"] == "irregular":
        cases = [one for one in facts_of(postal, "case.opened") if one["body"]["device"] == body["device"]]
        if not cases:
            report.differ("examination.no-case", where, "It was found irregular, and no case was opened.")


def _faults(fact: Row, postal: Party) -> Iterator[str]:
    """Say what the journal shows against a reading, up to the finding."""
    body = fact["body"]
    if body["ascending"] + body["descending"] != body["resets_total"] - body["withdrawn_total"]:
        yield "its registers break the law"
    for audit in facts_of(postal, "audit.forwarded"):
        if audit.line < fact.line and audit["subject"] == body["device"]:
            for name in ("ascending", "pieces", "message_counter"):
                if audit["body"][name] > body[name]:
                    yield f"an audit had shown {audit['body'][name]} as its {name}"
    for scan in facts_of(postal, "scan.recorded"):
        told = scan["body"]
        own = (told["device"], told["verdict"]) == (body["device"], "VALID")
        if scan.line < fact.line and own and told["ascending"] > body["ascending"]:
            yield f"a valid piece had been scanned at {told['ascending']}"


def _check_returned(export: Export, ended: Mapping[str, tuple[str, str]], underway: Underway, report: Report) -> None:
    told = set()
    for provider in export.of_role("provider"):
        for fact in facts_of(provider, "examination.returned"):
            body, name, where = fact["body"], fact["subject"], f"{provider.id}/facts.jsonl line {fact.line}"
            told.add(name)
            text = "The Postal Service has another finding of this examination."
            found = (body["device"], body["outcome"])
            report.same("examination.returned", where, text, expected=ended.get(name), found=found)
    for name in sorted(ended.keys() - told):
        lapsed = ended[name][1] == "lapsed"  # it may have run out before any host saw it
        if not lapsed and not {(_ANSWER, name), (_RETURNED, name)} & underway.named:
            report.differ("examination.not-returned", name, "Its Provider does not know that it is over.")


def check_cases(export: Export, underway: Underway, report: Report) -> None:
    """Check 14, second half: every freeze has its case, both ends keep it alike, and two persons closed it.

    No device is used while a case holds it, or after one has retired it.
    """
    opened: dict[tuple[str, str], Row] = {}
    closed: dict[tuple[str, str], Row] = {}
    parties = (*export.of_role("provider"), *export.of_role("postal"))
    for party in parties:
        for fact in facts_of(party, "case.opened"):
            opened[party.id, fact["subject"]] = fact
            report.checked["cases"] += 1
    for party in parties:
        for fact in facts_of(party, "case.closed"):
            where = f"{party.id}/facts.jsonl line {fact.line}"
            if (party.id, fact["subject"]) in closed:
                report.differ("case.twice", where, f"The case {fact['subject']} was closed twice.")
            closed[party.id, fact["subject"]] = fact
            _check_closed(export, party, fact, opened, report)
    for provider in export.of_role("provider"):
        _check_uses(provider, report)
        _check_evidence(provider, opened, report)
    for provider in export.of_role("provider"):
        grounds = [one["body"] for (party, _), one in opened.items() if party == provider.id]
        for fact in facts_of(provider, "device.frozen"):
            if not any((g["device"], g["ground"]) == (fact["subject"], fact["body"]["trouble"]) for g in grounds):
                where = f"{provider.id}/facts.jsonl line {fact.line}"
                report.differ("case.missing", where, "The device was frozen, and no case was opened on this ground.")
    _check_ends(opened, closed, underway, report)


def _check_closed(
    export: Export, party: Party, fact: Row, opened: Mapping[tuple[str, str], Row], report: Report
) -> None:
    body, where = fact["body"], f"{party.id}/facts.jsonl line {fact.line}"
    start = opened.get((party.id, fact["subject"]))
    if start is None or start.line > fact.line or start["body"]["device"] != body["device"]:
        report.differ("case.not-open", where, f"The case {fact['subject']} was not open on this device.")
        return
    persons = {letters(one) for one in body["approved_by"] if isinstance(one, str)}
    if len(persons - {""}) != 2 or len(body["approved_by"]) != 2:
        report.differ("case.two-persons", where, "A case is closed by two persons.", found=body["approved_by"])
    if body["outcome"] == "released":
        ends = [row for (_, case), row in opened.items() if case == fact["subject"]]
        if not _cleared(export, party, fact, ends):
            text = "It was released, and its last examination was not found regular after the case was opened."
            report.differ("case.not-cleared", where, text, found=body["examination"])
    elif body["outcome"] != "retired":
        report.differ("case.outcome", where, "A case ends with its device released or retired.", found=body["outcome"])
    elif party.role == "postal":
        revoked = {one["subject"] for one in facts_of(party, "certificate.revoked")}
        if body["device"] not in revoked:
            report.differ("case.not-revoked", where, "The device was retired, and its certificates are not revoked.")


def _cleared(export: Export, party: Party, fact: Row, ends: list[Row]) -> bool:
    """Tell whether the last examination before a release is the one that it names, regular, after both openings."""
    body = fact["body"]
    named = [
        one
        for postal in export.of_role("postal")
        for one in facts_of(postal, "examination.found")
        if (one["subject"], one["body"]["device"]) == (body["examination"], body["device"])
    ]
    told = [
        one["subject"]
        for one in facts_of(party, "examination.found", "examination.unanswered", "examination.returned")
        if one["body"]["device"] == body["device"] and one.line < fact.line and one["body"].get("outcome") != "lapsed"
    ]
    return (
        bool(named and told)
        and told[-1] == body["examination"]
        and named[-1]["body"]["outcome"] == "regular"
        and all(named[-1].at("recorded_at") >= end.at("occurred_at") for end in ends)
    )


def _check_uses(provider: Party, report: Report) -> None:
    """Check that no device got anything while a case held it, or after one had retired it.

    Any open case keeps a device from postage; one that a freeze has opened, from every contact.
    """
    troubles, cases, frozen = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set), set[str]()
    for fact in facts_of(provider, "device.frozen", "case.opened", "case.closed", *_USES):
        body, kind = fact["body"], fact["type"]
        device = body["device"] if kind in ("case.opened", "case.closed", "reset.reserved") else fact["subject"]
        if kind == "device.frozen":
            troubles[device].add(body["trouble"])
        elif kind == "case.opened":
            cases[device].add(fact["subject"])
            frozen |= {fact["subject"]} if body["ground"] in troubles[device] else set()
        elif kind == "case.closed" and body["outcome"] == "retired":
            frozen.add(fact["subject"])
        elif kind == "case.closed":
            cases[device].discard(fact["subject"])
        elif held := sorted(cases[device] & frozen if kind == "audit.taken" else cases[device]):
            where = f"{provider.id}/facts.jsonl line {fact.line}"
            text = f"{device} had {_USES[kind]}, though the case {held[0]} is open or has retired it."
            report.differ("case.device-used", where, text)


def _check_evidence(provider: Party, opened: Mapping[tuple[str, str], Row], report: Report) -> None:
    """Check that no case is older than the message of the device that was reported with it."""
    for row in provider["messages.jsonl"]:
        content = (open_message(row) or (None, {}))[1] if row["type"] == _REPORTED else {}
        said = content.get(_BODY)
        if not isinstance(said, dict) or not isinstance(said.get(5), bytes):
            continue
        sealed = read_sealed(said[5])
        issued = issued_at((envelope_of(sealed) if sealed else None) or {})
        kept = opened.get((str(content.get(_AUDIENCE)), str(said.get(1))))
        if issued and kept is not None and kept.at("occurred_at") < min(issued, kept.at("recorded_at")):
            where = f"{content[_AUDIENCE]}/facts.jsonl line {kept.line}"
            text = "The case is told as older than the message of the device that shows it."
            report.differ("case.backdated", where, text, expected=issued.iso(), found=kept["occurred_at"])


def _check_ends(
    opened: Mapping[tuple[str, str], Row], closed: Mapping[tuple[str, str], Row], underway: Underway, report: Report
) -> None:
    """Set the two ends of each case against each other."""
    examined = {name for kind, name in underway.named if kind in (_ANSWER, _RETURNED)}
    for (party, case), fact in sorted(opened.items()):
        where, there = f"{party}/facts.jsonl line {fact.line}", (str(fact["body"]["other"]), case)
        other, waits = opened.get(there), (_REPORTED, case) in underway.named
        waits |= any(fact["body"]["ground"].startswith(f"examination {name}:") for name in examined)
        if other is None and not waits:
            report.differ("case.one-sided", where, f"{there[0]} does not have the case {case}.")
        elif other is not None:
            text = f"The two ends of the case {case} differ."
            said, found = ([one["body"][name] for name in ("device", "ground")] for one in (other, fact))
            report.same("case.differs", where, text, expected=said, found=found)
    for (party, case), fact in sorted(closed.items()):
        start = opened.get((party, case))
        there = (str(start["body"]["other"]), case) if start else ("", case)
        other = closed.get(there)
        ending = {name: fact["body"][name] for name in ("outcome", "approved_by", "examination")}
        if other is not None or (_CLOSED, case) not in underway.named:
            expected = {name: other["body"][name] for name in ending} if other else "still open"
            text = f"{there[0]} has the case {case} otherwise."
            where = f"{party}/facts.jsonl line {fact.line}"
            report.same("case.differs", where, text, expected=expected, found=ending)
