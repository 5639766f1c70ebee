"""The daily inventory (502.8, total population management): every device of this Provider, told to the Postal Service.

Here: making the inventory of a day and keeping what the Postal Service found. Not here: the comparison (the Postal
Service's), custody itself (`inventory`).
Kept: it has every device from the day it is made to the scrap, also those that nobody has signed for yet. One inventory
a day, made from the records of one instant and numbered without a gap; a day that was told gives
the first finding again. What was written down is told, later too, in the order of its numbers; a day that was never
written down cannot be told any more: nobody knows then how it stood.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.provider.stock import before_lease
from towncircle.wire.bodies import (
    InventoryDifference,
    InventoryFile,
    InventoryFinding,
    InventoryPart,
    InventoryRow,
    Registers,
)
from towncircle.wire.bodies.quality import PART_ROWS, digest_of

_BEFORE_LEASE = ("new", "stocked")


def write_down(ctx: Context, *, day: str) -> bool:
    """Write the inventory of a day down before it leaves; tell whether its finding is still to come."""
    held = ctx.tx.get("inventory", day)
    if held is None:
        rows = [_row(row.key, row.owner, row.body) for row in _devices(ctx)]
        rows += [[row.key, row.body["custody"], "", ctx.party, 0, 0, 0, 0] for row in before_lease(ctx.tx)]
        body = {"number": ctx.tx.next_number("inventory"), "state": "told", "rows": rows}
        ctx.tx.put("inventory", day, body, owner=ctx.party, expected=0)
        return True
    return bool(held.body["state"] == "told")


def untold(ctx: Context) -> list[str]:
    """Give the days that were written down and whose finding is still to come, in the order of their numbers."""
    rows = ctx.tx.find("inventory", states=("told",))
    return [row.key for row in sorted(rows, key=lambda row: int(row.body["number"]))]


def refused(ctx: Context, *, day: str, code: str) -> None:
    """Note once that the inventory of a day was refused; it is told again at the next round."""
    row = ctx.tx.get("inventory", day)
    if row is not None and row.body.get("refused") != code:
        ctx.tx.put("inventory", day, {**row.body, "refused": code}, owner=ctx.party, expected=row.version)
        ctx.note("inventory.refused", day, clauses=("502.8",), number=row.body["number"], code=code)


@cites("502.8/4", "502.8")
def tell(ctx: Context, *, day: str, part_rows: int = PART_ROWS) -> Steps:
    """Tell the Postal Service the inventory of a day and keep its finding; a day that was found gives it again.

    An inventory of more than `part_rows` devices goes in parts, one after the other.
    """
    held = ctx.tx.get("inventory", day)
    assert held is not None
    rows = tuple(
        InventoryRow(
            device=DeviceId(device),
            custody=custody,
            license=license_number,
            licensee=licensee,
            registers=Registers(ascending=Mills(ascending), descending=Mills(descending), pieces=pieces),
            message_counter=counter,
        )
        for device, custody, license_number, licensee, ascending, descending, pieces, counter in held.body["rows"]
    )
    if len(rows) <= part_rows:
        body = InventoryFile(day=day, number=held.body["number"], rows=rows)
        answer = yield Ask("postal.usps", body, f"inventory {day}")
    else:
        for part in _parts(day, held.body["number"], rows, part_rows):
            answer = yield Ask("postal.usps", part, f"inventory {day} part {part.part}")
    finding = answer.body
    assert isinstance(finding, InventoryFinding)
    row = ctx.tx.get("inventory", day)
    assert row is not None
    if row.body["state"] == "told":
        ctx.tx.put("inventory", day, {**row.body, "state": "found"}, owner=ctx.party, expected=row.version)
        ctx.note(
            "inventory.reconciled",
            day,
            clauses=("502.8",),
            day=day,
            number=finding.number,
            devices=finding.devices,
            differences=len(finding.differences),
            unexplained=unexplained(finding.differences),
        )
    return finding


def _parts(day: str, number: int, rows: tuple[InventoryRow, ...], part_rows: int) -> list[InventoryPart]:
    pieces = [rows[at : at + part_rows] for at in range(0, len(rows), part_rows)]
    told = {"day": day, "number": number, "parts": len(pieces), "digest": digest_of(rows)}
    return [InventoryPart(part=part, rows=held, **told) for part, held in enumerate(pieces, start=1)]  # type: ignore[arg-type]


def unexplained(differences: tuple[InventoryDifference, ...]) -> int:
    """Count the differences that nothing explains."""
    return sum(not one.explained for one in differences)


def _devices(ctx: Context) -> list[Any]:
    return [row for row in ctx.tx.find("device") if row.body["custody"] not in _BEFORE_LEASE]


def _row(device: str, owner: str, body: Any) -> list[Any]:
    named = [device, body["custody"], body["license"], owner]
    return [*named, body["ascending"], body["descending"], body["pieces"], body["message_counter"]]
