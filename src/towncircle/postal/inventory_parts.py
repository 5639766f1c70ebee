"""Inventories that are longer than a message (502.8, total population management).

Here: keeping the parts of a Provider's inventory until the last one. Not here: the comparison (`reconciling`).
Kept: a Provider has one inventory under way; a part of another one takes the place of its part. The whole is compared
when its last part is there, by the digest over all rows, and never in part.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Transaction
from towncircle.postal.reconciling import expected_of, plain, reconciled, row_of
from towncircle.wire.bodies import Acknowledged, InventoryFile, InventoryFinding, InventoryPart, InventoryRow
from towncircle.wire.bodies.quality import digest_of
from towncircle.wire.message import Opened

MOST_PARTS = 100  # house: of an inventory, so that a whole one has 100,000 devices
_KIND = "inventory-part"
_EMPTY: dict[str, Any] = {"digest": "", "rows": []}


@cites("502.8/4", "502.8")
def on_part(ctx: Context, opened: Opened) -> InventoryFinding | Acknowledged:
    """Keep a part of a day's inventory; with the last one the whole is compared with the register.

    Raises `Refused`: population.bad-inventory, population.out-of-order, and what `reconciling.on_inventory` raises.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, InventoryPart)
    if not 1 <= body.part <= body.parts <= MOST_PARTS:
        raise _bad(provider, f"part {body.part} of {body.parts} is none: parts count from 1, at most {MOST_PARTS}")
    known = ctx.tx.get("inventory", f"{provider} {body.day}") is not None
    if not known:
        expected_of(ctx.tx, provider, number=body.number, day=body.day)
    _keep(ctx, provider, body.part, {"digest": body.digest, "rows": plain(body.rows)})
    if body.part < body.parts:
        return Acknowledged(note=f"part {body.part} of {body.parts} of {body.day}")
    whole = InventoryFile(day=body.day, number=body.number, rows=_whole(ctx.tx, provider, body))
    finding = reconciled(ctx, whole, provider)
    for part in range(1, body.parts + 1):  # the finding stands for them
        _keep(ctx, provider, part, _EMPTY)
    return finding


def _keep(ctx: Context, provider: str, part: int, record: dict[str, Any]) -> None:
    key = f"{provider} {part}"
    held = ctx.tx.get(_KIND, key)
    ctx.tx.put(_KIND, key, record, owner=provider, expected=held.version if held else 0)


def _whole(tx: Transaction, provider: str, last: InventoryPart) -> tuple[InventoryRow, ...]:
    rows: list[InventoryRow] = []
    for part in range(1, last.parts + 1):
        held = tx.get(_KIND, f"{provider} {part}")
        if held is None or held.body["digest"] != last.digest:
            raise _bad(provider, f"part {part} of {last.parts} is missing, or of another inventory")
        rows += map(row_of, held.body["rows"])
    if digest_of(rows) != last.digest:
        raise _bad(provider, "its parts do not make up the digest of the whole")
    return tuple(rows)


def _bad(provider: str, what: str) -> Refused:
    return Refused("population.bad-inventory", provider=provider, what=what)
