"""Monthly statements (P050 3.5(c)): all transactions of an account in a month, with the balance after each.

Here: the statement, made from the books. Not here: the document of one reset (`resetting`), pages and files.
Kept: a month is one of Washington (house); a statement of the month that runs says until when it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from towncircle.wire.bodies import MonthlyStatement, StatementRequest, StatementRow
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
    first, after = months(body.month)
    if first > ctx.now:
        raise BadInput("statement.bad-month", text=body.month)
    row = ctx.tx.get("account", licensee)
    if row is None:
        raise Refused("account.unknown", licensee=licensee, provider=ctx.party)
    account, opening, rows = f"account/{licensee}", ZERO, []
    balance = ZERO
    for entry in Books(ctx.tx).entries(licensee):
        amount = moved(entry, account)
        if amount == ZERO or entry.at >= after:
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
    about: dict[str, Any] = {"licensee": licensee, "month": body.month, "rows": len(rows)}
    ctx.note("statement.given", f"{licensee} {body.month}", clauses=("P050 3.5(c)",), **about)
    until = min(ctx.now, after)
    return MonthlyStatement(
        month=body.month,
        account=row.body["account"],
        until=until,
        opening=opening,
        closing=balance,
        rows=tuple(rows),
    )
