"""The register of devices against each Provider's inventory, daily (502.8, total population management).

Here: the comparison of one inventory with the register, each difference with what explains it. Not here: how the
register comes about (`population`), devices that nobody has signed for (`unissued`), money (`trust`).
Kept: a day of a Provider has one finding, given again whenever it is told again; a device that either side does not
know, another lease, another status, and registers that differ without a later message that accounts for it, are never
explained away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.postal import unissued
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import InventoryDifference, InventoryFile, InventoryFinding, InventoryRow, Registers
from towncircle.wire.message import Opened

# the custody that goes with each status of the register
_CUSTODY: Mapping[str, tuple[str, ...]] = {
    "installed": ("leased", "suspect"),
    "withdrawn": ("checked out", "scrapped"),
    "lost": ("lost",),
    "stolen": ("stolen",),
    "recovered": ("recovered", "leased", "suspect"),
}
# custody that is on its way to another status of the register, and where it will be reported
_ON_THE_WAY = {
    ("installed", "returned"): "The device was returned and is not checked out yet; its check-out will be reported.",
    ("recovered", "returned"): "The device was returned and is not checked out yet; its check-out will be reported.",
    ("lost", "returned"): "The device was returned and is not checked out yet; its check-out will be reported.",
    ("stolen", "returned"): "The device was returned and is not checked out yet; its check-out will be reported.",
    (
        "installed",
        "recovered",
    ): "The device was searched for and found before any loss was determined; it is inspected.",
    ("installed", "missing"): "The device is being looked for; a loss or theft is reported when that is determined.",
}
_CLAUSE = "502.8"
MOST_TOLD = 300  # house: differences that a message tells one by one
Found = tuple[str, str, bool]  # code, sentence, explained


@cites("502.8/4", "502.8", "PRE-07/3")
def on_inventory(ctx: Context, opened: Opened) -> InventoryFinding:
    """Compare a Provider's inventory with the register and keep the finding.

    Raises `Refused`: population.bad-inventory, population.out-of-order, population.other-inventory.
    """
    body = opened.body
    assert isinstance(body, InventoryFile)
    return reconciled(ctx, body, opened.envelope.sender)


def expected_of(tx: Transaction, provider: str, *, number: int, day: str) -> Record | None:
    """Give what was told last, where an inventory follows it. Raises `Refused` (population.out-of-order)."""
    last = tx.get("inventory-last", provider)
    expected = last.body["number"] + 1 if last else 1
    if number != expected or (last is not None and day <= last.body["day"]):
        raise Refused("population.out-of-order", provider=provider, number=number, expected=expected)
    return last


def reconciled(ctx: Context, body: InventoryFile, provider: str) -> InventoryFinding:
    """Compare an inventory, however it came, and keep the finding. Raises as `on_inventory`."""
    key = f"{provider} {body.day}"
    rows = _rows(body, provider)
    told = plain(body.rows)
    held = ctx.tx.get("inventory", key)
    if held is not None:
        if (held.body["number"], held.body["rows"]) != (body.number, told):
            raise Refused("population.other-inventory", provider=provider, day=body.day)
        return _finding(body.day, held)
    last = expected_of(ctx.tx, provider, number=body.number, day=body.day)
    differences = telling(_compare(ctx.tx, provider, rows, date.fromisoformat(body.day)))
    unissued.keep(ctx, provider, body.rows, day=body.day)
    record = {"number": body.number, "rows": told, "devices": len(rows), "differences": differences}
    held = ctx.tx.put("inventory", key, record, owner=provider, expected=0)
    standing = {"number": body.number, "day": body.day}
    ctx.tx.put("inventory-last", provider, standing, owner=provider, expected=last.version if last else 0)
    ctx.note(
        "population.reconciled",
        key,
        clauses=(_CLAUSE,),
        provider=provider,
        day=body.day,
        number=body.number,
        devices=len(rows),
        differences=len(differences),
        unexplained=sum(not explained for *_, explained in differences),
        codes=[code for _, code, _, _ in differences],
    )
    return _finding(body.day, held)


def telling(found: Iterable[list[Any]]) -> list[list[Any]]:
    """Give the differences as a message holds them: the last row sums up those that are not told one by one."""
    rows = list(found)
    if len(rows) <= MOST_TOLD:
        return rows
    rows.sort(key=lambda row: row[3])  # what nothing explains first
    rest = rows[MOST_TOLD - 1 :]
    text = f"It and {len(rest) - 1} more devices or registers differ; the register and the inventory say how."
    return [*rows[: MOST_TOLD - 1], [rest[0][0], "population.more", text, all(row[3] for row in rest)]]


def _rows(body: InventoryFile, provider: str) -> dict[str, InventoryRow]:
    rows = {str(row.device): row for row in body.rows}
    try:
        date.fromisoformat(body.day)
    except ValueError as error:
        raise Refused("population.bad-inventory", provider=provider, what="its day is no date") from error
    if len(rows) != len(body.rows):
        raise Refused("population.bad-inventory", provider=provider, what="a device stands in it twice")
    return rows


def _compare(tx: Transaction, provider: str, rows: Mapping[str, InventoryRow], day: date) -> Iterator[list[Any]]:
    register = {row.key: row for row in tx.find("device", owner=provider)}
    filed, before = filed_resets(tx), unissued.Unissued(tx, provider)
    for device in sorted(register.keys() | rows.keys() | before.devices):
        row, told = register.get(device), rows.get(device)
        if row is None:
            found = list(before.found(device, told, day))
        elif told is None:
            why = _since(row, day, "since", "reported_at")
            sentence = f"The register has it as {row.body['status']}; the inventory does not have it. {why}".strip()
            found = [("population.not-in-inventory", sentence, bool(why))]
        else:
            found = [
                *_lease(row, told),
                *_status(row, told, day),
                *registers_differ(tx, row, told, filed[device], day),
            ]
        yield from ([device, code, sentence, explained] for code, sentence, explained in found)


def _lease(row: Record, told: InventoryRow) -> Iterator[Found]:
    for name, ours, theirs in (
        ("license", row.body["license"], told.license),
        ("licensee", row.body["licensee"], told.licensee),
    ):
        if ours != theirs:
            sentence = f"The register has the {name} {ours}, the inventory {theirs}."
            yield f"population.{name}", sentence, False


def _since(row: Record, day: date, *names: str) -> str:
    """Explain what the register learned after the day that an inventory is of, or give nothing."""
    at = Instant(max(row.body.get(name, 0) for name in names))
    return f"The register learned it after {day}, at {at}." if at.date_in(HEADQUARTERS) > day else ""


def _status(row: Record, told: InventoryRow, day: date) -> Iterator[Found]:
    status = str(row.body["status"])
    if told.custody in _CUSTODY.get(status, ()):
        return
    why = _ON_THE_WAY.get((status, told.custody), "") or _since(row, day, "since", "reported_at")
    sentence = f"The register has it as {status}, the inventory as {told.custody}. {why}".strip()
    yield "population.status", sentence, bool(why)


def registers_differ(
    tx: Transaction,
    row: Record,
    told: InventoryRow,
    filed: list[tuple[str, int]],
    day: date,
    *,
    teller: str = "inventory",
) -> Iterator[Found]:
    """Give the difference of the registers of a device, where there is one, with what explains it."""
    body, read = row.body, told.registers
    ours, theirs = (body["ascending"], body["descending"], body["pieces"]), _of(read)
    if ours == theirs:
        return
    counter = int(body.get("message_counter", 0))
    words = f"The register has {_words(*ours)}, the {teller} {_words(*theirs)}."
    same_use = (body["ascending"], body["pieces"]) == (read.ascending, read.pieces)
    why = ""
    if told.message_counter > counter and read.ascending >= body["ascending"] and read.pieces >= body["pieces"]:
        why = f"The device's message {told.message_counter} is on its way; the register has {counter}."
    elif counter > told.message_counter and _examined(tx, row.key, row.owner):
        why = f"The Postal Service has examined the device since, at its message {counter}."
    elif same_use and int(read.descending) - int(body["descending"]) in _sums(filed, Instant(body["audited_at"])):
        why = "It is what the files say was reset since the device's last audit."
    elif counter > told.message_counter and body["ascending"] >= read.ascending and body["pieces"] >= read.pieces:
        why = _since(row, day, "audited_at")
    yield "population.registers", f"{words} {why}".strip(), bool(why)


def filed_resets(tx: Transaction) -> dict[str, list[tuple[str, int]]]:
    """Give the resets that were filed, by device, with when they were posted."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for entry in tx.entries():
        if entry["recipe"] == "setting-filed":
            found[entry["device"]].append((entry["at"], entry["lines"][0][2]))
    return found


def _sums(filed: list[tuple[str, int]], since: Instant) -> set[int]:
    """Give what the last reset comes to, and with each one before it, back to an instant."""
    found, total = set(), 0
    for at, amount in reversed(filed):
        if Instant.parse(at) < since:
            break
        total += amount
        found.add(total)
    return found


def _examined(tx: Transaction, device: str, provider: str) -> bool:
    rows = tx.find("examination", owner=provider)
    return any(row.body["device"] == device and row.body["outcome"] == "regular" for row in rows)


def _words(ascending: int, descending: int, pieces: int) -> str:
    return f"{Mills(ascending)} used, {Mills(descending)} left and {pieces} pieces"


def plain(rows: Iterable[InventoryRow]) -> list[list[Any]]:
    """Give an inventory's rows as the store keeps them."""
    return [
        [row.device, row.custody, row.license, row.licensee, *_of(row.registers), row.message_counter] for row in rows
    ]


def row_of(kept: Sequence[Any]) -> InventoryRow:
    """Read a row of an inventory as the store keeps it."""
    device, custody, license_number, licensee, ascending, descending, pieces, counter = kept
    return InventoryRow(
        device=DeviceId(device),
        custody=custody,
        license=license_number,
        licensee=licensee,
        registers=Registers(ascending=Mills(ascending), descending=Mills(descending), pieces=pieces),
        message_counter=counter,
    )


def _of(read: Registers) -> tuple[int, int, int]:
    return int(read.ascending), int(read.descending), read.pieces


def _finding(day: str, row: Record) -> InventoryFinding:
    return InventoryFinding(
        day=day,
        number=row.body["number"],
        devices=row.body["devices"],
        differences=tuple(
            InventoryDifference(
                device=DeviceId(device), code=code, sentence=sentence, clause=_CLAUSE, explained=explained
            )
            for device, code, sentence, explained in row.body["differences"]
        ),
    )
