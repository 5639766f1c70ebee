"""The approved label stocks that a licensee knows, and what it may print on (P050 4.3, 4.9).

Here: taking the published register, and the question before anything is printed on a label. Not here: approving.
Kept: an older register never replaces a newer one; an adhesive label that is not in the register is refused, whether it
bears an indicium or a postage correction.
"""

from __future__ import annotations

from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Transaction
from towncircle.mailpiece.forms import label_stock
from towncircle.mailpiece.geometry import form
from towncircle.wire.bodies.labels import LabelRegister
from towncircle.wire.message import Opened

KIND = "label-register"


def take(ctx: Context, opened: Opened) -> None:
    """Take a published register; the same or an older one changes nothing. Raises `Refused` (labels.not-a-register)."""
    body = opened.body
    if not isinstance(body, LabelRegister) or not opened.envelope.sender.startswith("postal."):
        raise Refused("labels.not-a-register", sender=opened.envelope.sender)
    held = ctx.tx.get(KIND, "last")
    if held is not None and held.body["number"] >= body.number:
        return
    rows = {
        row.stock: [row.form, int(row.approved_at), int(row.withdrawn_at) if row.withdrawn_at else 0]
        for row in body.stocks
    }
    record = {"number": body.number, "stocks": rows}
    ctx.tx.put(KIND, "last", record, owner=opened.envelope.sender, expected=held.version if held else 0)
    ctx.note("labels.received", str(body.number), clauses=("P050 4.3",), count=len(rows))


def number_held(view: Transaction) -> int:
    """Give the number of the register that is known here; 0 where none is."""
    held = view.get(KIND, "last")
    return int(held.body["number"]) if held is not None else 0


@cites("P050-4.3", "P050-4.9/5")
def require(view: Transaction, *, form_key: str, stock: str, on: date, zone: str) -> None:
    """Refuse to print on an adhesive label that is not of an approved stock.

    `on` is the mailing date in the office's time zone; `stock` names what lies in the printer. Raises `Refused`
    (labels.no-stock, labels.not-approved, labels.other-form).
    """
    found = form(form_key)
    if not stock:
        if label_stock(found):
            raise Refused("labels.no-stock", form=found.name, known=_names(view))
        return
    if approved_form(view, stock=stock, on=on, zone=zone) != form_key:
        raise Refused("labels.other-form", stock=stock, form=found.name)


@cites("P050-4.3")
def approved_form(view: Transaction, *, stock: str, on: date, zone: str) -> str:
    """Give the form of a stock that is approved on a day. Raises `Refused` (labels.not-approved)."""
    row = _rows(view).get(stock)
    if row is not None and _in_force(row, on, zone):
        return str(row[0])
    raise Refused("labels.not-approved", stock=stock[:40], known=_names(view))


@cites("P050-4.3")
def approved_forms(view: Transaction, *, on: date, zone: str) -> frozenset[str]:
    """Give the forms of all stocks that are approved on a day."""
    return frozenset(str(row[0]) for row in _rows(view).values() if _in_force(row, on, zone))


def _in_force(row: list[int | str], on: date, zone: str) -> bool:
    since, until = (Instant(int(at)).date_in(zone) if at else None for at in row[1:])
    return (since is None or since <= on) and (until is None or on < until)


def _rows(view: Transaction) -> dict[str, list[int | str]]:
    held = view.get(KIND, "last")
    return dict(held.body["stocks"]) if held is not None else {}


def _names(view: Transaction) -> str:
    return ", ".join(sorted(name for name, row in _rows(view).items() if not row[2])) or "none"
