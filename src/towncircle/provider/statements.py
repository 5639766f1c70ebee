"""Monthly statements (P050 3.5(c)): all transactions of an account in a month, with the balance after each.

Here: the statement, made from the books. Not here: the document of one reset (`resetting`), pages and files.
Kept: a month is one of Washington (house); a statement of the month that runs says until when it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import Books, Entry
from towncircle.rules.calendars import start_of_day
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import MonthlyStatement, StatementPartRequest, StatementRequest, StatementRow
from towncircle.wire.bodies.cmrs import STATEMENT_ROWS
from towncircle.wire.message import Opened

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "deposit-received": "deposit",
        "deposit-returned": "deposit returned unpaid",
        "advance-given": "advance",
        "advance-repaid": "advance repaid",
        "reset-reserved": "reset",
        "reset-voided": "reset not applied",
        "balance-withdrawn": "balance of a device",
        "unused-refunded": "refund of unused postage",
        "malfunction-credited": "malfunction credit",
        "account-paid-out": "refund check",
        "correction": "correction",
    }
)


def months(text: str) -> tuple[Instant, Instant]:
    """Give the first instant of a month and that of the next. Raises `BadInput` (statement.bad-month)."""
    if not _MONTH.fullmatch(text) or text < "1900":
        raise BadInput("statement.bad-month", text=text[:20])
    year, month = map(int, text.split("-"))
    after = date(year + month // 12, month % 12 + 1, 1)
    return start_of_day(date(year, month, 1), HEADQUARTERS), start_of_day(after, HEADQUARTERS)


def moved(entry: Entry, account: str) -> Mills:
    """Give by how much an entry moves an account that a credit raises."""
    own = (line for line in entry.lines if line.account == account)
    return sum((line.amount if line.side == "credit" else -line.amount for line in own), ZERO)


@cites("P050-3.5c")
def on_request(ctx: Context, opened: Opened) -> MonthlyStatement:
    """State a month of the sender's account. Raises `BadInput` (statement.bad-month), `Refused` (account.unknown)."""
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, StatementRequest)
    return _given(ctx, _whole(ctx, licensee, body.month, ctx.now), licensee)


@cites("P050-3.5c")
def on_part_request(ctx: Context, opened: Opened) -> MonthlyStatement:
    """State a part of a month: the transactions of one message and the balance before them. Raises as `on_request`."""
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, StatementPartRequest)
    whole = _whole(ctx, licensee, body.month, min(body.until, ctx.now) if body.until else ctx.now)
    begun = max(body.part - 1, 0) * STATEMENT_ROWS
    rows = whole.rows[begun : begun + STATEMENT_ROWS]
    opening = whole.rows[min(begun, len(whole.rows)) - 1].balance if begun and whole.rows else whole.opening
    part = replace(whole, opening=opening, closing=rows[-1].balance if rows else opening, rows=rows)
    return _given(ctx, part, licensee)


def _given(ctx: Context, told: MonthlyStatement, licensee: str) -> MonthlyStatement:
    about: dict[str, Any] = {"licensee": licensee, "month": told.month, "rows": len(told.rows)}
    ctx.note("statement.given", f"{licensee} {told.month}", clauses=("P050 3.5(c)",), **about)
    return told


def _whole(ctx: Context, licensee: str, month: str, now: Instant) -> MonthlyStatement:
    first, after = months(month)
    if first > now:
        raise BadInput("statement.bad-month", text=month)
    row = ctx.tx.get("account", licensee)
    if row is None:
        raise Refused("account.unknown", licensee=licensee, provider=ctx.party)
    account, opening, rows = f"account/{licensee}", ZERO, []
    balance = ZERO
    for entry in Books(ctx.tx).entries(licensee):
        amount = moved(entry, account)
        if amount == ZERO or entry.at >= after or entry.at > now:
            continue
        balance += amount
        if entry.at < first:
            opening = balance
            continue
        rows.append(
            StatementRow(
                at=entry.at,
                kind=WORDS[entry.recipe],
                reference=entry.reference,
                device=entry.device,
                amount=amount,
                balance=balance,
            )
        )
    return MonthlyStatement(
        month=month,
        account=row.body["account"],
        until=min(now, after),
        opening=opening,
        closing=balance,
        rows=tuple(rows),
    )
