"""The custody of devices: where each one is, in the Provider's record (PRE-13, 502.20).

Here: the custody table and the record of a device. Not here: the device's own state, which it signs itself.
Kept: two automata, never merged; the joint table says which pairs may stand together (house.md 3).
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cases import open_case_of
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.machine import Move, StateTable
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record

ORDERED = "ordered"  # the state of a check-out whose device is on its way back
HELD = "held"  # the state of one whose device gave its balance back, which is not credited yet
CUSTODY = StateTable(
    "the device's custody",
    "new",
    [
        Move("new", "inspect", "stocked", "502.18"),
        Move("new", "reject", "scrapped", "502.18"),
        Move("stocked", "ship", "shipped", "502.20(l)"),
        Move("shipped", "lease", "leased", "502.20(c)"),
        Move("stocked", "scrap", "scrapped", "502.20(e)"),
        Move("shipped", "return", "returned", "P050 2.9"),
        Move("shipped", "miss", "missing", "502.24"),
        Move("leased", "suspect", "suspect", "P050 2.6"),
        Move("suspect", "clear", "leased", "P050 2.6"),
        Move("suspect", "return", "returned", "P050 2.9"),
        Move("suspect", "miss", "missing", "502.24"),
        Move("leased", "return", "returned", "P050 2.9"),
        Move("returned", "miss", "missing", "502.24"),
        Move("returned", "lose", "lost", "502.24(b)"),
        Move("returned", "steal", "stolen", "502.24(b)"),
        Move("leased", "miss", "missing", "502.24"),
        Move("leased", "lose", "lost", "502.24(b)"),
        Move("leased", "steal", "stolen", "502.24(b)"),
        Move("missing", "lose", "lost", "502.24(b)"),
        Move("missing", "steal", "stolen", "502.24(b)"),
        Move("lost", "steal", "stolen", "502.24(b)"),
        Move("missing", "recover", "recovered", "502.24(c)"),
        Move("lost", "recover", "recovered", "502.24(c)"),
        Move("stolen", "recover", "recovered", "502.24(c)"),
        Move("recovered", "clear", "leased", "502.24(c)"),
        Move("recovered", "return", "returned", "502.24(c)"),
        Move("recovered", "lose", "lost", "502.24(b)"),
        Move("recovered", "steal", "stolen", "502.24(b)"),
        Move("returned", "check out", "checked out", "502.20(e)"),
        Move("checked out", "scrap", "scrapped", "502.20(e)"),
    ],
)


@cites("PRE-13", "P050-3.5b", "PRE-13/1")
def device_record(ctx: Context, device: str) -> Record:
    """Give the record of one of this Provider's devices. Raises `Refused` (provider.unknown-device)."""
    row = ctx.tx.get("device", device)
    if row is None:
        raise Refused("provider.unknown-device", device=device, provider=ctx.party)
    return row


def change(ctx: Context, row: Record, **values: Any) -> Record:
    """Write some values of a device's record."""
    return ctx.tx.put("device", row.key, {**row.body, **values}, owner=row.owner, expected=row.version)


def move(ctx: Context, row: Record, event: str, **note: Any) -> Record:
    """Move a device's custody by an event, with a fact; an illegal event changes nothing."""
    step = CUSTODY.move(str(row.body["custody"]), event)
    ctx.note(f"custody.{step.to}", row.key, clauses=(step.clause,), licensee=row.owner, **note)
    return change(ctx, row, custody=step.to)


@cites("P050-2.6")
def suspect(ctx: Context, row: Record) -> Record:
    """Hold a leased device as suspect; one that is anywhere else stays there."""
    return move(ctx, row, "suspect") if row.body["custody"] == "leased" else row


@cites("502.20i/1", "P050-2.7/4")
def held_back(ctx: Context, row: Record) -> bool:
    """Tell whether a device is to be removed, or has a defect that is not over: no release gives its use back."""
    defects = ctx.tx.find("defect", owner=row.key)
    return bool(row.body.get("removal")) or any(held.body["state"] == "open" for held in defects)


@cites("502.20i/1", "P050-2.6")
def check_usable(ctx: Context, row: Record) -> None:
    """Check that nothing of the Postal Service's stands in the way of using a device again.

    Raises `Refused` (provider.case-open, custody.removal-ordered).
    """
    case = open_case_of(ctx.tx, row.key)
    if case is not None:
        raise Refused("provider.case-open", device=row.key, case=case.key)
    if row.body.get("removal"):
        raise Refused("custody.removal-ordered", device=row.key, order=row.body["removal"])


@cites("P050-2.7/4", "502.20j/2")
def check_mended(ctx: Context, row: Record) -> None:
    """Check that no defect of a device is open. Raises `Refused` (custody.still-defective)."""
    for held in ctx.tx.find("defect", owner=row.key):
        if held.body["state"] == "open":
            raise Refused("custody.still-defective", device=row.key, defect=held.key)


def balance_waits(held: Record) -> Refused:
    """Say for whom a balance waits that a device gave back and that is not credited yet."""
    waits = "the Provider's signature" if not held.body.get("signed_by") else "the District MATS coordinator"
    return Refused("provider.balance-waiting", device=held.key, amount=Mills(held.body["amount"]), waits=waits)
