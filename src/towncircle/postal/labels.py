"""The register of label stocks that the Manager, MTM, has approved (P050 4.3).

Here: approving and withdrawing a stock, and the register as it is published. Not here: the board it is put on, what a
licensee may print on.
Kept: only the Manager, MTM, approves; a stock is named once, with the form it has; a withdrawal is never undone by
another approval of the same name, so that old stock in a drawer does not come back.
"""

from __future__ import annotations

from typing import Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.mailpiece.forms import label_stock
from towncircle.mailpiece.geometry import form
from towncircle.postal.procedures import text_of
from towncircle.rules.acts import check_reference
from towncircle.wire.bodies.labels import LabelRegister, LabelStockRow

KIND, CLAUSE = "label-stock", "P050 4.3"
MANAGER = "manager-mtm"
NEXT_UPDATE_DAYS = 366  # house: how long a published register is believed


@cites("P050-4.3")
def approve(ctx: Context, *, stock: str, form_key: str, reference: str) -> Record:
    """Approve a label stock.

    Raises `Refused` (labels.taken, labels.no-label), `BadInput` (page.unknown-form, ...).
    """
    check_reference(stock)
    check_reference(reference)
    if not label_stock(form(form_key)):
        raise Refused("labels.no-label", form=form(form_key).name)
    if ctx.tx.get(KIND, stock) is not None:
        raise Refused("labels.taken", stock=stock)
    body = {
        "form": form_key,
        "state": "approved",
        "reference": reference,
        "approved_at": int(ctx.now),
        "withdrawn_at": 0,
        "reasons": "",
    }
    ctx.note("label.approved", stock, clauses=(CLAUSE,), form=form_key, reference=reference)
    return ctx.tx.put(KIND, stock, body, owner=ctx.party, expected=0)


@cites("P050-4.3")
def withdraw(ctx: Context, *, stock: str, reasons: str) -> Record:
    """Withdraw the approval of a stock, with reasons. Raises `Refused` (labels.not-approved), `BadInput`."""
    row = ctx.tx.get(KIND, stock)
    if row is None or row.body["state"] != "approved":
        raise Refused("labels.not-approved", stock=stock[:40], known=known(ctx.tx))
    words = text_of(reasons, CLAUSE)
    ctx.note("label.withdrawn", stock, clauses=(CLAUSE,))
    body = {**row.body, "state": "withdrawn", "withdrawn_at": int(ctx.now), "reasons": words}
    return ctx.tx.put(KIND, stock, body, owner=row.owner, expected=row.version)


def known(tx: Transaction) -> str:
    """Name the stocks that are approved."""
    return ", ".join(row.key for row in tx.find(KIND) if row.body["state"] == "approved") or "none"


def register(ctx: Context, *, test: bool) -> LabelRegister:
    """Make the next register for the board."""
    last = ctx.tx.get("label-register", "last")
    number = int(last.body["number"]) + 1 if last else 1
    ctx.tx.put("label-register", "last", {"number": number}, owner=ctx.party, expected=last.version if last else 0)
    anchor: Literal["test", "production"] = "test" if test else "production"
    return LabelRegister(anchor=anchor, number=number, issued=ctx.now, stocks=rows(ctx.tx))


def rows(view: Transaction) -> tuple[LabelStockRow, ...]:
    """Give every stock that was ever approved, as the register tells of it."""
    return tuple(
        LabelStockRow(
            stock=row.key,
            form=row.body["form"],
            approved_at=Instant(row.body["approved_at"]),
            withdrawn_at=Instant(row.body["withdrawn_at"]) if row.body["withdrawn_at"] else None,
        )
        for row in view.find(KIND)
    )
