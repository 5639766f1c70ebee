"""Devices out of service and transferred balances, told by Provider, Postal Service, licensee and the device itself.

Here: check 12 of docs/export.md. Not here: the books added up (`books`), refunds in each book (`three`).
Kept: a device gives its balance back once: what was noted at the notice less what it evidenced since is what it signed,
what was credited and what Form 3601-C says. A transfer has two persons, and its balance is set once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from towncircle.auditor.books import Posted, Recounted
from towncircle.auditor.journal import facts_of
from towncircle.auditor.reading import Export, Row, letters
from towncircle.auditor.report import Report
from towncircle.auditor.seals import Keys, audit_data, issued_at, open_message

EXAMINATION = "to be examined"
_REPORT, _TYPE, _BODY, _AS_REPORTED = 66, 1, 10, {1: "device", 3: "refund", 4: "outcome", 6: "amount"}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_RECORDED = ("refund", "outcome", "amount", "noted", "requested_by", "approved_by", "purpose", "transfer")


def check_checkouts(
    export: Export, books: Mapping[str, Recounted], devices: Mapping[str, Row], keys: Keys, report: Report
) -> None:
    """Check 12: every device that went out of service, and every transfer."""
    out: dict[str, Row] = {}
    for party in export.of_role("provider"):
        mine = _check_provider(export, books[party.id], devices, keys, report)
        _check_reported(export, party.id, mine, report)
        _check_arranged(export, party.id, books[party.id], report)
        out |= mine
    for party in export.of_role("licensee"):
        _check_transfers(books[party.id], out, report)


def _check_provider(
    export: Export, books: Recounted, devices: Mapping[str, Row], keys: Keys, report: Report
) -> dict[str, Row]:
    party, facts = books.party, dict[str, Row]()
    credited: dict[str, list[Posted]] = defaultdict(list)
    for entry in books.live("balance-withdrawn"):
        credited[entry.row["device"]].append(entry)
    records = {row["key"]: row for row in party["records.jsonl"] if row["kind"] == "check-out"}
    for fact in facts_of(party, "device.checked-out"):
        device, where = fact["subject"], f"{party.id}/facts.jsonl line {fact.line}"
        report.checked["check-outs"] += 1
        if device in facts:
            report.differ("check-out.twice", where, f"{device} went out of service before.")
        facts[device] = fact
        held = device in records and records[device]["body"].get("state") == "held"
        _check_amount(fact, credited.get(device, []), devices.get(device), where, report, held=held)
        if held:
            standing = books.balances.get(f"descending/{fact['body']['licensee']}/{device}", 0)
            text = "Another balance stands in the account of the device than waits for the coordinator."
            report.same("check-out.held", where, text, expected=fact["body"]["amount"], found=standing)
        _check_no_case(books, fact, where, report)
        _check_persons(fact["body"], where, report, needed=fact["body"]["purpose"] == "replacement")
        _check_record(fact, records.get(device), keys, where, report)
        for later in facts_of(party, "reset.reserved"):
            if later.line > fact.line and later["body"]["device"] == device:
                text = f"A reset of {device} was authorised after it went out of service."
                report.differ("check-out.reset-after", f"{party.id}/facts.jsonl line {later.line}", text)
    for device in sorted(credited.keys() - facts.keys()):
        text = "A balance was credited for a device that never went out of service."
        report.differ("check-out.missing", f"{party.id} {device}", text)
    for device, row in records.items():
        done = row["body"].get("state") in ("done", "held")
        if done != (device in facts):
            text = "The record and the journal disagree whether the device is out of service."
            report.differ("check-out.record", f"{party.id}/records.jsonl line {row.line}", text)
        elif not done and export.quiet:
            report.differ("check-out.open", f"{party.id} {device}", "Its check-out is not finished.")
    return facts


def _check_amount(fact: Row, entries: list[Posted], row: Row | None, where: str, report: Report, *, held: bool) -> None:
    body, amount = fact["body"], fact["body"]["amount"]
    due = 0 if body["outcome"] == EXAMINATION else body["noted"] - (body["ascending"] - body["noted_ascending"])
    text = "It gave back another balance than was noted less what it evidenced since."
    report.same("check-out.amount", where, text, expected=due, found=amount)
    found = [(entry.row["reference"], entry.amount) for entry in entries]
    expected = [(body["refund"], amount)] if amount and not held else []
    report.same("check-out.credit", where, "Another balance was credited.", expected=expected, found=found)
    if row is not None:
        text = "The device itself gave back another balance."
        report.same("check-out.device", where, text, expected=row["withdrawn_total"], found=amount)


def _check_no_case(books: Recounted, fact: Row, where: str, report: Report) -> None:
    """Check that nothing was credited while the device was under suspicion."""
    open_ = set[str]()
    for one in facts_of(books.party, "case.opened", "case.closed"):
        if one.line < fact.line and one["body"]["device"] == fact["subject"]:
            (open_.add if one["type"] == "case.opened" else open_.discard)(one["subject"])
    if open_ and fact["body"]["amount"]:
        text = f"A balance was credited while the case {min(open_)} of the device was open."
        report.differ("check-out.case-open", where, text, expected=0, found=fact["body"]["amount"])


def _check_persons(body: Mapping[str, Any], where: str, report: Report, *, needed: bool) -> None:
    asked, approved = body["requested_by"], body["approved_by"]
    spelled = {letters(name) for name in (asked, approved)}
    if needed and not (len(spelled) == 2 and _NAME.fullmatch(asked) and _NAME.fullmatch(approved)):
        text = "A balance was transferred without a second person."
        report.differ("transfer.one-person", where, text, expected="two persons", found=[asked, approved])


def _check_record(fact: Row, record: Row | None, keys: Keys, where: str, report: Report) -> None:
    if record is None:
        report.differ("check-out.record", where, "There is no record of this check-out.")
        return
    body, kept = fact["body"], record["body"]
    expected = {name: body.get(name) for name in _RECORDED}
    found = {name: kept.get(name) for name in _RECORDED}
    report.same("check-out.record", where, "The record says otherwise.", expected=expected, found=found)
    if body["outcome"] == EXAMINATION:
        return
    opened = audit_data(str(kept.get("reading", "")))
    if opened is None:
        report.differ("check-out.reading", where, "The device's own signed word is not there.")
        return
    sealed, envelope, told = opened
    sender, issued = f"device.{fact['subject']}", issued_at(envelope)
    fault = keys.fault(sealed, sender, issued) if issued else "It has no time."
    if fault or envelope.get(3) != sender:
        report.differ("check-out.reading", where, fault or "Another device signed it.", expected=sender)
    registers = told.get(2)
    said = (registers.get(1) if isinstance(registers, dict) else None, told.get(4))
    text = "The device signed other registers."
    report.same("check-out.reading", where, text, expected=said, found=(body["ascending"], body["amount"]))


def _check_reported(export: Export, provider: str, out: Mapping[str, Row], report: Report) -> None:
    """Compare what the Postal Service has of each check-out; a report that waits will bring it."""
    told: dict[str, tuple[Any, ...]] = {}
    for postal in export.of_role("postal"):
        for fact in facts_of(postal, "device.withdrawn"):
            if fact["body"]["provider"] == provider:
                body = fact["body"]
                told[fact["subject"]] = (body["refund"], body["outcome"], body["amount"])
    if not export.quiet:
        for row in export.parties[provider]["messages.jsonl"]:
            content = (open_message(row) or (None, {}))[1] if row["direction"] == "waiting" else {}
            said = content.get(_BODY)
            if content.get(_TYPE) == _REPORT and isinstance(said, dict):
                named = {name: said.get(number) for number, name in _AS_REPORTED.items()}
                told.setdefault(str(named["device"]), (named["refund"], named["outcome"], named["amount"]))
    for device in sorted(out.keys() | told.keys()):
        body = out[device]["body"] if device in out else None
        own = (body["refund"], body["outcome"], body["amount"]) if body else "no such check-out"
        text = f"The Postal Service has another word of the check-out of {device}."
        report.same(
            "check-out.reported", f"{provider} {device}", text, expected=own, found=told.get(device, "no report")
        )


def _check_arranged(export: Export, provider: str, books: Recounted, report: Report) -> None:
    """Check that each balance was signed for by a person of the Provider, and arranged, before it was credited."""
    needed, signed, arranged = dict[str, str](), dict[str, Any](), dict[str, Any]()
    for postal in export.of_role("postal"):
        for fact in facts_of(postal, "device.withdrawn"):
            if fact["body"]["provider"] == provider and fact["body"].get("credit") == "waiting":
                needed[fact["body"]["refund"]] = fact["subject"]
        for fact in facts_of(postal, "balance.arranged"):
            body = fact["body"]
            arranged[fact["subject"]] = (body["device"], body["amount"], body["signed_by"])
    for fact in facts_of(books.party, "balance.signed"):
        signed[fact["subject"]] = (fact["body"]["device"], fact["body"]["amount"], fact["body"]["signed_by"])
    for entry in books.live("balance-withdrawn"):
        refund = entry.row["reference"]
        if refund not in needed:
            continue  # from before a coordinator was asked, or its report waits
        own = signed.get(refund, "nobody signed section G")
        where = f"{provider}/entries.jsonl entry {entry.row['number']}"
        text = "The credit of a balance was not arranged by the District MATS coordinator as it was signed for."
        report.same("check-out.arranged", where, text, expected=own, found=arranged.get(refund, "it was not arranged"))
        if own[:2] != (entry.row["device"], entry.amount):
            text = "Another amount was credited than section F says."
            report.differ("check-out.arranged", where, text, expected=own, found=[entry.row["device"], entry.amount])


def _check_transfers(own: Recounted, out: Mapping[str, Row], report: Report) -> None:
    party, seen = own.party, set[str]()
    done = {fact["subject"] for fact in facts_of(party, "transfer.done")}
    for fact in facts_of(party, "transfer.ended"):
        where = f"{party.id}/facts.jsonl line {fact.line}"
        _check_persons(fact["body"], where, report, needed=True)
        if fact["subject"] in done:
            report.differ("transfer.ended", where, "A transfer that was ended is done too.")
    asked = {fact["subject"]: fact["actor"] for fact in facts_of(party, "transfer.requested")}
    approved = {fact["subject"]: fact["body"]["approved_by"] for fact in facts_of(party, "transfer.approved")}
    sets = {(entry.row["device"], entry.row["reference"]): entry.amount for entry in own.live("reset-received")}
    for fact in facts_of(party, "transfer.done"):
        body, where = fact["body"], f"{party.id}/facts.jsonl line {fact.line}"
        report.checked["transfers"] += 1
        if body["device"] in seen:
            report.differ("transfer.twice", where, f"The balance of {body['device']} was transferred before.")
        seen.add(body["device"])
        _check_persons(body, where, report, needed=True)
        expected = (asked.get(fact["subject"]), approved.get(fact["subject"]))
        found = (body["requested_by"], body["approved_by"])
        report.same("transfer.persons", where, "Others asked for it or approved it.", expected=expected, found=found)
        source = out.get(body["device"])
        given = source["body"] if source is not None else {}
        due = tuple(given.get(name) for name in ("refund", "amount", "transfer", "requested_by", "approved_by"))
        took = (body["refund"], body["amount"], fact["subject"], *found)
        text = "The device gave back something else, or for something else."
        report.same("transfer.balance", where, text, expected=due, found=took)
        if body["amount"]:
            set_ = sets.get((body["replacement"], body["reset"]), "no such reset")
            text = "Just this balance was not set into the replacement."
            report.same("transfer.not-set", where, text, expected=body["amount"], found=set_)
