"""What is told of a device out of service and of a transfer: one changed word of it is a named difference."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.auditor.test_real_export import codes_of

from towncircle.auditor import audit
from towncircle.kernel import persons
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece.address_files import public_addresses
from towncircle.testing.rehearsal_world import in_process
from towncircle.world import printing, returning
from towncircle.world.exporting import export
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import Wiring, World

START = Instant.parse("2026-11-23T14:00Z")
POSTAL, HARBOR, MAILROOM = "postal.usps", "provider.harbor", "licensee.mailroom"
FIRST, SECOND = "TC1A0000000001", "TC1A0000000002"
Row = dict[str, Any]
Edit = Callable[[Path], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Live through a print, a transfer to a second device, another print, and its return; export all of it."""
    base = tmp_path_factory.mktemp("out of service")
    folder = base / "world"
    World.create(folder, regime="imi-2024", seed=7, start=START).close()
    world = World.open(folder, Wiring(make_port=in_process(folder)))
    journeys = Journeys(world)
    journeys.apply(Applicant(), provider=HARBOR)
    journeys.lease()
    journeys.deposit(Mills.dollars(300))
    journeys.reset(Mills.dollars(100))
    printing.print_job(journeys, public_addresses()[:2], base / "job1", formats=("pdf",))
    for name in ("anna", "ben"):
        journeys.do(lambda ctx, name=name: persons.authorise(ctx, name=name))  # type: ignore[misc]  # bound at once
    returning.request_transfer(journeys, by="anna", reason="the display is broken")
    returning.approve_transfer(journeys, by="ben")
    world.advance("1h")
    printing.print_job(journeys, public_addresses()[2:4], base / "job2", formats=("pdf",))
    returning.withdraw(journeys, reason="no longer wanted")
    export(world, base / "export")
    world.close()
    return base / "export"


def test_the_untouched_export_has_no_difference(copy: Path) -> None:
    report = audit(copy)
    assert report.differences == []
    expected = {"check-outs": 2, "transfers": 1, "devices": 2}
    assert {name: report.checked[name] for name in expected} == expected


def lines(file: str, change: Callable[[list[Row]], list[Row]]) -> Edit:
    def act(out: Path) -> None:
        rows = [json.loads(line) for line in (out / file).read_text().splitlines()]
        text = (json.dumps(row, sort_keys=True, separators=(",", ":")) for row in change(rows))
        (out / file).write_text("".join(f"{line}\n" for line in text))

    return act


def edit(file: str, change: Callable[[Row], object], **which: object) -> Edit:
    def act(rows: list[Row]) -> list[Row]:
        change(next(row for row in rows if all(row[name] == value for name, value in which.items())))
        return rows

    return lines(file, act)


def without(file: str, **which: object) -> Edit:
    kept = lambda row: any(row[name] != value for name, value in which.items())  # noqa: E731 - one test of a row
    return lines(file, lambda rows: [row for row in rows if kept(row)])


def body(**values: object) -> Callable[[Row], object]:
    return lambda row: row["body"].update(values)


def more(name: str, by: int) -> Callable[[Row], object]:
    return lambda row: row["body"].__setitem__(name, row["body"][name] + by)


def both(mills: int) -> Callable[[Row], object]:
    return lambda row: row.__setitem__("lines", [[account, side, mills] for account, side, _ in row["lines"]])


def forged(row: Row) -> None:
    data = bytearray(base64.b64decode(row["body"]["reading"]))
    data[-5] ^= 1
    row["body"]["reading"] = base64.b64encode(bytes(data)).decode()


def swapped_readings(rows: list[Row]) -> list[Row]:
    first, second = (row for row in rows if row["kind"] == "check-out")
    first["body"]["reading"], second["body"]["reading"] = second["body"]["reading"], first["body"]["reading"]
    return rows


def reset_afterwards(rows: list[Row]) -> list[Row]:
    late = next(row for row in rows if row["type"] == "reset.reserved" and row["body"]["device"] == FIRST)
    return [*rows, {**late, "subject": "REQ-999999999999"}]


def case_before(rows: list[Row]) -> list[Row]:
    place = next(number for number, row in enumerate(rows) if row["type"] == "device.checked-out")
    told = {"device": FIRST, "other": POSTAL, "ground": "a copy was seen"}
    case = {**rows[place], "type": "case.opened", "subject": "CSE-222222222222", "body": told}
    return [*rows[:place], case, *rows[place:]]


def ended(by: str, also_by: str) -> Callable[[list[Row]], list[Row]]:
    def act(rows: list[Row]) -> list[Row]:
        done = next(row for row in rows if row["type"] == "transfer.done")
        told = {"device": FIRST, "requested_by": by, "approved_by": also_by}
        return [*rows, {**done, "type": "transfer.ended", "body": told}]

    return act


FACTS, RECORDS, ENTRIES = f"{HARBOR}/facts.jsonl", f"{HARBOR}/records.jsonl", f"{HARBOR}/entries.jsonl"
OUT = {"type": "device.checked-out", "subject": FIRST}
DONE = {"type": "transfer.done"}
OWN = f"{MAILROOM}/facts.jsonl"

EDITS: dict[str, tuple[Edit, set[str]]] = {
    "a balance made larger in the journal": (
        edit(FACTS, more("amount", 1000), **OUT),
        {"check-out.amount", "check-out.credit", "check-out.device", "check-out.reading", "check-out.reported"},
    ),
    "what was noted": (edit(FACTS, more("noted", 1000), **OUT), {"check-out.amount", "check-out.record"}),
    "what was evidenced since": (
        edit(FACTS, more("ascending", 10), **OUT),
        {"check-out.amount", "check-out.reading"},
    ),
    "a check-out taken out of the journal": (
        without(FACTS, **OUT),
        {"check-out.missing", "check-out.record", "check-out.reported", "transfer.balance"},
    ),
    "a check-out told twice": (
        lines(FACTS, lambda rows: [*rows, next(row for row in rows if row["type"] == "device.checked-out")]),
        {"check-out.twice"},
    ),
    "a reset after the check-out": (lines(FACTS, reset_afterwards), {"check-out.reset-after"}),
    "a refund of another device": (
        edit(ENTRIES, lambda row: row.update(device=SECOND), recipe="balance-withdrawn", device=FIRST),
        {"entry.account", "check-out.credit", "entry.fact-differs"},
    ),
    "a credit made larger": (
        edit(ENTRIES, both(99_000), recipe="balance-withdrawn", device=FIRST),
        {"check-out.credit", "register.withdrawn", "entry.fact-differs", "reconcile.amount-differs"},
    ),
    "a credit taken out": (
        without(ENTRIES, recipe="balance-withdrawn", device=FIRST),
        {"check-out.credit", "register.withdrawn", "fact.no-entry", "reconcile.not-in-provider"},
    ),
    "one person in the Provider's journal": (
        edit(FACTS, body(approved_by="anna"), **OUT),
        {"transfer.one-person", "check-out.record", "transfer.balance"},
    ),
    "one person in two spellings": (edit(FACTS, body(approved_by="anna-"), **OUT), {"transfer.one-person"}),
    "somebody without a sign-in name": (edit(FACTS, body(approved_by="Ben"), **OUT), {"transfer.one-person"}),
    "a credit while a case was open": (lines(FACTS, case_before), {"check-out.case-open"}),
    "a transfer that was done and ended": (lines(OWN, ended("anna", "ben")), {"transfer.ended"}),
    "a transfer that one person ended": (lines(OWN, ended("anna", "anna")), {"transfer.one-person"}),
    "the record of a check-out": (
        edit(RECORDS, body(amount=1), kind="check-out", key=FIRST),
        {"check-out.record"},
    ),
    "a record that says it is open": (
        edit(RECORDS, body(state="ordered"), kind="check-out", key=FIRST),
        {"check-out.record"},
    ),
    "no record of a check-out": (without(RECORDS, kind="check-out", key=FIRST), {"check-out.record"}),
    "the device's signed word": (edit(RECORDS, forged, kind="check-out", key=FIRST), {"check-out.reading"}),
    "another device's signed word": (lines(RECORDS, swapped_readings), {"check-out.reading"}),
    "no signed word": (edit(RECORDS, body(reading=""), kind="check-out", key=FIRST), {"check-out.reading"}),
    "the device's own total": (
        edit(f"{HARBOR}/devices.jsonl", lambda row: row.update(withdrawn_total=0), device=FIRST),
        {"register.law", "register.withdrawn", "check-out.device"},
    ),
    "the amount at the Postal Service": (
        edit(f"{POSTAL}/facts.jsonl", more("amount", 1), type="device.withdrawn", subject=FIRST),
        {"check-out.reported", "fact.chain"},
    ),
    "a check-out that the Postal Service never heard of": (
        without(f"{POSTAL}/facts.jsonl", type="device.withdrawn", subject=FIRST),
        {"check-out.reported", "fact.chain"},
    ),
    "nobody signed section G": (
        without(FACTS, type="balance.signed"),
        {"check-out.arranged", "fact.chain"},
    ),
    "another signed section G": (
        edit(FACTS, body(signed_by="custodian"), type="balance.signed"),
        {"check-out.arranged", "fact.chain"},
    ),
    "no coordinator arranged the credit": (
        without(f"{POSTAL}/facts.jsonl", type="balance.arranged"),
        {"check-out.arranged", "fact.chain"},
    ),
    "the coordinator arranged another amount": (
        edit(f"{POSTAL}/facts.jsonl", more("amount", 1000), type="balance.arranged"),
        {"check-out.arranged", "fact.chain"},
    ),
    "a record that says its balance waits": (
        edit(RECORDS, body(state="held"), kind="check-out", key=FIRST),
        {"check-out.held", "check-out.credit"},
    ),
    "a refund in the postal books": (
        edit(f"{POSTAL}/entries.jsonl", both(1), recipe="refund-filed"),
        {"reconcile.amount-differs", "reconcile.total"},
    ),
    "a balance in the licensee's books": (
        edit(f"{MAILROOM}/entries.jsonl", both(1), recipe="balance-returned"),
        {"entry.fact-differs", "reconcile.amount-differs", "licensee.on-deposit", "licensee.in-device"},
    ),
    "a balance out of the licensee's books": (
        without(f"{MAILROOM}/entries.jsonl", recipe="balance-returned"),
        {"fact.no-entry", "reconcile.not-in-licensee", "licensee.on-deposit", "licensee.in-device"},
    ),
    "who approved a transfer": (
        edit(OWN, body(approved_by="anna"), **DONE),
        {"transfer.one-person", "transfer.persons", "transfer.balance"},
    ),
    "an approval taken out": (without(OWN, type="transfer.approved"), {"transfer.persons", "fact.chain"}),
    "who asked for a transfer": (
        edit(OWN, lambda row: row.update(actor="ben"), type="transfer.requested"),
        {"transfer.persons", "fact.chain"},
    ),
    "a transfer of more": (edit(OWN, more("amount", 1000), **DONE), {"transfer.balance", "transfer.not-set"}),
    "a transfer to another device": (edit(OWN, body(replacement=FIRST), **DONE), {"transfer.not-set"}),
    "a transfer by another reset": (edit(OWN, body(reset="REQ-999999999999"), **DONE), {"transfer.not-set"}),
    "a transfer told twice": (
        lines(OWN, lambda rows: [*rows, next(row for row in rows if row["type"] == "transfer.done")]),
        {"transfer.twice"},
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_each_edit_of_a_check_out_or_transfer_is_named(copy: Path, name: str) -> None:
    act, expected = EDITS[name]
    act(copy)
    assert expected | {"file.digest"} <= codes_of(copy)
