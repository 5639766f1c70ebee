"""Devices, their audits, what they evidenced and what was scanned.

Here: checks 7 and 8 of docs/export.md. Not here: money (`books`).
Kept: the law of the registers from the outside: ascending + descending = resets - withdrawn, nothing ever goes back,
and the device, its audits, its Provider's books and its evidence tell one story.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from towncircle.auditor.books import Recounted
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Party, Row
from towncircle.auditor.report import Report, dollars
from towncircle.auditor.seals import WITHDRAWAL, Keys, audit_data, issued_at
from towncircle.auditor.underway import Underway

_REGISTERS = ("ascending", "descending", "pieces")
_SIGNED = (*_REGISTERS, "resets_total", "withdrawn_total")
_RISING = ("ascending", "pieces", "resets_total", "withdrawn_total", "reprints")
_RECORDED = ("device", "certificate_serial", "ascending", "postage", "verdict", "disposition", "piece", "site")
ACCEPTED = ("accept", "accept with notes")


def check_devices(export: Export, providers: list[Recounted], keys: Keys, report: Report) -> dict[str, Row]:
    """Check 7: the registers of every device. Gives the device lines by device id, for check 8."""
    devices: dict[str, Row] = {}
    for books in providers:
        party = books.party
        for row in party["devices.jsonl"]:
            where = f"{party.id} {row['device']}"
            report.checked["devices"] += 1
            if row["device"] in devices:
                report.differ("device.twice", where, "The device stands in two lines.")
            devices[row["device"]] = row
            _check_law(row.data, where, report)
            _check_against_books(row, books, where, report, quiet=export.quiet)
            audits = [fact for fact in facts_of(party, "audit.taken") if fact["subject"] == row["device"]]
            _check_audits(row, audits, books, where, report)
            _check_sealed(row, audits, keys, where, report)
        known = {account.split("/")[2] for account in books.balances if account.count("/") == 2}
        for device in sorted(known - {row["device"] for row in party["devices.jsonl"]}):
            report.differ("device.missing", f"{party.id} {device}", "The books have money of a device without a line.")
    return devices


def _check_law(data: Mapping[str, Any], where: str, report: Report) -> None:
    control, due = data["ascending"] + data["descending"], data["resets_total"] - data["withdrawn_total"]
    text = f"ascending and descending make {dollars(control)}, resets less withdrawals {dollars(due)}."
    report.same("register.law", where, text, expected=due, found=control)
    for name in (*_REGISTERS, "resets_total", "withdrawn_total", "reprints"):
        if data[name] < 0:
            report.differ("register.negative", where, f"'{name}' is below zero.", expected=0, found=data[name])


def _check_against_books(row: Row, books: Recounted, where: str, report: Report, *, quiet: bool) -> None:
    device = row["device"]
    posted = sum(e.amount for e in books.live("reset-posted") if e.row["device"] == device)
    withdrawn = sum(e.amount for e in books.live("balance-withdrawn") if e.row["device"] == device)
    held = {kind: books.balances.get(f"{kind}/{row['licensee']}/{device}", 0) for kind in ("in-transit", "ascending")}
    applied = row["resets_total"] - posted
    if applied not in ({0} if quiet else {0, held["in-transit"]}):  # applied, and not yet told
        text = "The device counts other resets than its Provider posted."
        report.differ("register.resets", where, text, expected=posted, found=row["resets_total"])
    if withdrawn > row["withdrawn_total"] or (quiet and withdrawn != row["withdrawn_total"]):
        text = "Another balance was credited than the device gave up."
        report.differ("register.withdrawn", where, text, expected=row["withdrawn_total"], found=withdrawn)
    if held["ascending"] > row["ascending"]:
        text = "The books have more evidenced than the device."
        report.differ("register.went-back", where, text, expected=held["ascending"], found=row["ascending"])


def _check_audits(row: Row, audits: list[Row], books: Recounted, where: str, report: Report) -> None:
    last: dict[str, Any] = {**dict.fromkeys(_RISING, 0), "message_counter": 0}
    for fact in audits:
        body, at = fact["body"], f"{books.party.id}/facts.jsonl line {fact.line}"
        report.checked["audits"] += 1
        _check_law(body, at, report)
        for name, before in last.items():
            if body[name] < before or (name == "message_counter" and body[name] == before):
                text = f"'{name}' of {row['device']} went back."
                report.differ("register.went-back", at, text, expected=before, found=body[name])
        last = {name: body[name] for name in last}
    for name in _RISING:
        if row[name] < last[name]:
            text = f"'{name}' is lower than at the last audit."
            report.differ("register.went-back", where, text, expected=last[name], found=row[name])
    if row["counter"] < last["message_counter"]:
        text = "The device counts fewer changes than it has signed."
        report.differ("register.went-back", where, text, expected=last["message_counter"], found=row["counter"])
    booked = books.balances.get(f"ascending/{row['licensee']}/{row['device']}", 0)
    text = "The books do not have what the last audit shows as evidenced."
    report.same("register.usage", where, text, expected=last["ascending"], found=booked)


def _check_sealed(row: Row, audits: list[Row], keys: Keys, where: str, report: Report) -> None:
    if not row["audit"]:
        if audits:
            report.differ("register.no-audit", where, "Audits were taken, and no sealed one is there.")
        return
    opened = audit_data(row["audit"])
    if opened is None:
        report.differ("register.bad-audit", where, "The last audit is no sealed audit of a device.")
        return
    sealed, envelope, body = opened
    sender = f"device.{row['device']}"
    issued = issued_at(envelope)
    fault = keys.fault(sealed, sender, issued) if issued else "It has no time."
    if fault or envelope.get(3) != sender:
        report.differ("register.bad-audit", where, fault or "The last audit is another device's.", expected=sender)
    registers = body.get(2)
    said = registers if isinstance(registers, dict) else {}
    names: tuple[str, ...] = _SIGNED
    found = [said.get(1), said.get(2), said.get(3), body.get(3), body.get(4)]
    if envelope.get(1) != WITHDRAWAL:  # it signs no count of reprints
        names, found = (*_SIGNED, "reprints"), [*found, body.get(11)]
    fact = next((fact for fact in audits if fact["body"]["message_counter"] == envelope.get(9)), None)
    if fact is None:
        report.differ("register.no-audit", where, "The sealed audit was never taken.", found=envelope.get(9))
        return
    expected = [fact["body"][name] for name in names]
    report.same("register.audit-differs", where, "It says otherwise than was signed.", expected=found, found=expected)


def check_forwarded(export: Export, providers: list[Recounted], underway: Underway, report: Report) -> None:
    """Check 7, last part: the audits that the Postal Service has are those that the Provider took."""
    taken: dict[tuple[str, str, int], Row] = {}
    for books in providers:
        for fact in facts_of(books.party, "audit.taken"):
            taken[books.party.id, fact["subject"], fact["body"]["message_counter"]] = fact
    got = set()
    for postal in export.of_role("postal"):
        for fact in facts_of(postal, "audit.forwarded"):
            body, where = fact["body"], f"{postal.id}/facts.jsonl line {fact.line}"
            key = (body["provider"], fact["subject"], body["message_counter"])
            got.add(key)
            own = taken.get(key)
            said = tuple(body[name] for name in _REGISTERS)
            expected = tuple(own["body"][name] for name in _REGISTERS) if own else "no such audit"
            report.same("audit.differs", where, "The Provider took another audit.", expected=expected, found=said)
    for key in sorted(taken.keys() - got - underway.audits):
        text = f"The audit {key[2]} of {key[1]} never reached the Postal Service."
        report.differ("audit.not-forwarded", f"{key[0]}/facts.jsonl line {taken[key].line}", text)


def check_evidence(export: Export, devices: Mapping[str, Row], report: Report) -> dict[str, list[tuple[int, int]]]:
    """Check 8, first half: batches follow each other. Gives the ascending range of each batch by device."""
    batches: dict[str, list[tuple[str, Row]]] = defaultdict(list)
    for party in export.of_role("licensee"):
        for fact in facts_of(party, "evidence.made"):
            batches[fact["body"]["device"]].append((party.id, fact))
    ranges: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for device in sorted(devices.keys() | batches.keys()):
        piece, ascending = 1, 0
        for licensee, fact in sorted(batches.get(device, []), key=lambda item: item[1]["body"]["first_piece"]):
            body, where = fact["body"], f"{licensee}/facts.jsonl line {fact.line}"
            report.checked["batches"] += 1
            if body["count"] < 1 or body["total"] < 0:
                report.differ(
                    "evidence.malformed", where, "A batch has at least one piece and costs nothing less than $0."
                )
            text = f"The batch does not follow the one before it on {device}: pieces."
            report.same("evidence.gap", where, text, expected=piece, found=body["first_piece"])
            begin = body["ascending_after"] - body["total"]
            text = f"The batch does not follow the one before it on {device}: ascending register."
            report.same("evidence.gap", where, text, expected=ascending, found=begin)
            piece, ascending = body["first_piece"] + body["count"], body["ascending_after"]
            ranges[device].append((begin, ascending))
        row = devices.get(device)
        if row is None:
            report.differ("device.missing", device, "A device without a line evidenced postage.")
            continue
        text = "The device evidenced other pieces than its licensee has."
        report.same("evidence.pieces", device, text, expected=row["pieces"], found=piece - 1)
        text = "The device evidenced other postage than its licensee has."
        report.same("evidence.ascending", device, text, expected=row["ascending"], found=ascending)
    return ranges


def check_scans(
    export: Export, devices: Mapping[str, Row], ranges: Mapping[str, list[tuple[int, int]]], report: Report
) -> None:
    """Check 8, second half: what was scanned was evidenced, and no indicium was accepted twice."""
    for postal in export.of_role("postal"):
        order = _check_recorded(postal, report)
        _check_pieces(postal, report)
        accepted: dict[tuple[str, int, int], str] = {}
        for row in sorted(postal["scans.jsonl"], key=lambda row: order.get(row["scan"], 0)):
            where = f"{postal.id}/scans.jsonl line {row.line}"
            report.checked["scans"] += 1
            if row["verdict"] != "VALID":
                if row["disposition"] in ACCEPTED:
                    report.differ("scan.accepted", where, f"A mark that is {row['verdict']} was accepted.")
                continue
            key = (row["device"], row["certificate_serial"], row["ascending"])
            if key in accepted:
                text = f"One indicium was valid again after it was accepted in scan {accepted[key]}."
                report.differ("scan.twice", where, text)
            if row["disposition"] in ACCEPTED:
                accepted[key] = row["scan"]
            if row["device"] not in devices:
                report.differ("scan.no-device", where, f"No Provider has the device {row['device']}.")
                continue
            begin, end = row["ascending"] - row["postage"], row["ascending"]
            if row["postage"] < 0 or not any(
                low <= begin and end <= high for low, high in ranges.get(row["device"], [])
            ):
                text = f"No batch of {row['device']} evidenced {dollars(row['postage'])} up to {dollars(end)}."
                report.differ("scan.not-evidenced", where, text, expected=ranges.get(row["device"]), found=(begin, end))
            if export.after_end(row.at("scanned_at")):
                report.differ("scan.time", where, "It was scanned after the export was made.", found=row["scanned_at"])


def _check_pieces(postal: Party, report: Report) -> None:
    """Find a piece of which one mark was accepted and another was not."""
    pieces: dict[str, list[Row]] = defaultdict(list)
    for row in postal["scans.jsonl"]:
        if row["piece"]:
            pieces[row["piece"]].append(row)
    for piece, rows in sorted(pieces.items()):
        if len({row["disposition"] in ACCEPTED for row in rows}) > 1:
            where = f"{postal.id}/scans.jsonl line {rows[0].line}"
            report.differ("scan.piece", where, f"Of the piece {piece} one mark was accepted and another was not.")


def _check_recorded(postal: Party, report: Report) -> dict[str, int]:
    """Set the scan lines against the facts of the Postal Service, one by one; give the place of each in the journal."""
    facts = {fact["subject"]: fact for fact in facts_of(postal, "scan.recorded") if fact["body"]["device"]}
    seen = set()
    for row in postal["scans.jsonl"]:
        where, fact = f"{postal.id}/scans.jsonl line {row.line}", facts.get(row["scan"])
        if row["scan"] in seen:
            report.differ("scan.line-twice", where, f"The scan {row['scan']} stands in two lines.")
        seen.add(row["scan"])
        found = (*(row[name] for name in _RECORDED), row["scanned_at"])
        expected = (*(fact["body"][name] for name in _RECORDED), fact["occurred_at"]) if fact else "no such fact"
        report.same("scan.fact-differs", where, "The fact of this scan differs.", expected=expected, found=found)
    for scan in sorted(facts.keys() - seen):
        where = f"{postal.id}/facts.jsonl line {facts[scan].line}"
        report.differ("scan.missing", where, f"The scan {scan} was recorded, and its line is not there.")
    return {scan: fact.line for scan, fact in facts.items()}
