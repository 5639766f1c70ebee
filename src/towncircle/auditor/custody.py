"""The custody of devices: hand-overs that both sides signed, services, defects told, devices scrapped.

Here: check 21 of docs/export.md. Not here: check-outs (`checkouts`), devices that are missing (`missing`).
Kept: a device is leased by its licensee's own signed receipt; it went by Registered Mail or by what the Postal Service
has permitted; a defect that a Provider knows of is known to the Postal Service; nothing is scrapped that did not leave
service and come back.
"""

from __future__ import annotations

import base64
from collections import Counter

from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report
from towncircle.auditor.seals import Keys, envelope_of, issued_at, read_sealed
from towncircle.auditor.underway import Underway

_REGISTERED = "Registered Mail"
_RECEIPT, _TYPE, _SENDER, _BODY = 132, 1, 3, 10
_MALFUNCTION = 135


def check_custody(export: Export, keys: Keys, underway: Underway, report: Report) -> None:
    """Check 21: hand-overs, services, defects and the end of devices."""
    permitted = {
        (str(fact["subject"]), *(str(fact["body"][name]) for name in ("direction", "service", "permission")))
        for postal in export.of_role("postal")
        for fact in facts_of(postal, "service.permitted")
    }
    for provider in export.of_role("provider"):
        _check_hand_overs(provider, permitted, keys, report)
        _check_ends(provider, report)
        _check_uses(provider, report)
        for postal in export.of_role("postal"):
            _check_told(provider, postal, underway, report)


def _check_hand_overs(provider: Party, permitted: set[tuple[str, ...]], keys: Keys, report: Report) -> None:
    records = {row["key"]: row for row in provider["records.jsonl"] if row["kind"] == "shipment"}
    shipped = {str(fact["body"].get("shipment", "")) for fact in facts_of(provider, "custody.shipped")} - {""}
    signed = set[str]()
    for fact in facts_of(provider, "hand-over.signed", "custody.leased"):
        where = f"{provider.id}/facts.jsonl line {fact.line}"
        if fact["type"] == "hand-over.signed":
            report.checked["hand-overs"] += 1
            signed.add(fact["subject"])
            _check_service(fact, provider.id, permitted, where, report)
            _check_receipt(fact, records.get(fact["subject"]), keys, where, report)
        elif str(fact["body"].get("shipment", "")) in shipped - signed:
            text = f"{fact['subject']} was leased before its licensee signed for it."
            report.differ("custody.unsigned", where, text)


def _check_service(fact: Row, provider: str, permitted: set[tuple[str, ...]], where: str, report: Report) -> None:
    body = fact["body"]
    named = (provider, body["direction"], body["service"], body["permission"])
    if body["permission"] and named not in permitted:
        text = f"{body['device']} went by {body['service']}, which the Postal Service has not permitted."
        report.differ("custody.service", where, text, found=body["permission"])
    elif not body["permission"] and body["direction"] == "out" and body["service"] != _REGISTERED:
        text = f"{body['device']} was shipped by {body['service']} without a written permission."
        report.differ("custody.service", where, text, expected=_REGISTERED, found=body["service"])


def _check_receipt(fact: Row, record: Row | None, keys: Keys, where: str, report: Report) -> None:
    """Check the receipt that the licensee signed for what was sent out, or its paper for what it sent back."""
    body = fact["body"]
    if record is None or record["body"].get("device") != body["device"]:
        report.differ("custody.record", where, "There is no record of this hand-over.")
        return
    name = "receipt" if body["direction"] == "out" else "paper"
    try:
        sealed = read_sealed(base64.b64decode(str(record["body"].get(name, "")), validate=True))
    except ValueError:
        sealed = None
    envelope = envelope_of(sealed) if sealed else None
    issued = issued_at(envelope) if envelope else None
    if sealed is None or envelope is None or issued is None:
        report.differ("custody.receipt", where, "The licensee's signed word of this hand-over is not there.")
        return
    fault = keys.fault(sealed, body["licensee"], issued)
    if fault or envelope.get(_SENDER) != body["licensee"]:
        report.differ("custody.receipt", where, fault or "Another party signed it.", expected=body["licensee"])
    told = envelope.get(_BODY)
    said = (told.get(1), told.get(2)) if isinstance(told, dict) else None
    text = "The licensee signed for another device or another hand-over."
    report.same("custody.receipt", where, text, expected=(fact["subject"], body["device"]), found=said)


def _check_ends(provider: Party, report: Report) -> None:
    """Check that a device is scrapped after it left service and came back, or before it was ever shipped; then never.

    One that the inspection rejected was made ("custody.new") and goes nowhere.
    """
    out, back, made, gone = set[str](), set[str](), set[str](), set[str]()
    of_kind = {"custody.checked out": out, "device.came-back": back, "element.hosted": back, "custody.new": made}
    for fact in facts_of(provider, *of_kind, "custody.shipped", "custody.scrapped"):
        where, device = f"{provider.id}/facts.jsonl line {fact.line}", fact["subject"]
        if fact["type"] in of_kind:
            of_kind[fact["type"]].add(device)
        elif fact["type"] == "custody.shipped":
            made.discard(device)
            if device in gone:
                report.differ("custody.scrapped", where, f"{device} was shipped after it was scrapped.")
        elif device in out & back or device in made:
            gone.add(device)
        else:
            text = f"{device} was scrapped without having left service and come back."
            report.differ("custody.scrapped", where, text)


def _check_uses(provider: Party, report: Report) -> None:
    """Check that no reset was authorised to a device while a defect of it was open or its removal was ordered."""
    held: dict[str, str] = {}
    kinds = ("defect.notified", "defect.examined", "removal.ordered", "reset.reserved")
    for fact in facts_of(provider, *kinds):
        body = fact["body"]
        if fact["type"] == "reset.reserved" and body["device"] in held:
            where = f"{provider.id}/facts.jsonl line {fact.line}"
            text = f"A reset of {body['device']} was authorised after {held[body['device']]}."
            report.differ("custody.reset", where, text)
        elif fact["type"] == "defect.examined":
            if body["remedy"] == "corrected" and held.get(fact["subject"]) == "its defect was notified":
                del held[fact["subject"]]
        elif fact["type"] == "defect.notified":
            held.setdefault(fact["subject"], "its defect was notified")
        elif fact["type"] == "removal.ordered":
            held[fact["subject"]] = "its removal was ordered"


def _check_told(provider: Party, postal: Party, underway: Underway, report: Report) -> None:
    """Set each malfunction that a Provider reported against what the Postal Service filed, and each defect to both."""
    own = Counter(_malfunction(fact) for fact in facts_of(provider, "malfunction.reported"))
    theirs = Counter(
        _malfunction(fact) for fact in facts_of(postal, "malfunction.told") if fact["body"]["provider"] == provider.id
    )
    for key in sorted(own.keys() | theirs.keys()):
        waits = own[key] > theirs[key] and (_MALFUNCTION, provider.id) in underway.named
        if own[key] != theirs[key] and not waits:
            text = f"The {key[2]} of the defect {key[1]} of {key[0]} stands at one party only."
            where = f"{provider.id} {key[1]}"
            report.differ("custody.malfunction", where, text, expected=own[key], found=theirs[key])
    for fact in facts_of(provider, "defect.notified"):
        key = (fact["subject"], str(fact["body"]["defect"]), "notice")
        if not own[key]:
            where = f"{provider.id}/facts.jsonl line {fact.line}"
            report.differ("custody.malfunction", where, f"The defect of {fact['subject']} was reported to nobody.")


def _malfunction(fact: Row) -> tuple[str, str, str]:
    return fact["subject"], str(fact["body"]["defect"]), str(fact["body"]["stage"])
