"""The ACH file of a day at the lockbox bank (P050 3.5(a)): what it collects, what came in, what came back.

Here: the day's items as batches. Not here: the layout of the file (`wire.nacha`).
Kept: a file is made of recorded items, so the same day gives the same file; account numbers leave the bank in it only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record, Transaction
from towncircle.wire.nacha import CREDIT, DEBIT, RETURNED_CREDIT, RETURNED_DEBIT, AchFile, Batch, Entry

MILLS_A_CENT = 10
_NAME = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockbox:
    """Describe the lockbox as the ACH network knows it: routing number, account, names, company id."""

    routing: str
    account: str
    name: str
    operator: str
    operator_name: str
    company_id: str


# house: of institutions that do not exist, in a range of routing numbers that is not given out
SPECIMEN = Lockbox(
    routing="990000013",
    account="LOCKBOX1",
    name="LOCKBOX BANK",
    operator="990000039",
    operator_name="ACH OPERATOR",
    company_id="9USPSCMRS",
)


@cites("P050-3.5a")
def file_of(tx: Transaction, day: str, *, lockbox: Lockbox = SPECIMEN) -> AchFile:
    """Give the file of a day (`YYYY-MM-DD`). Raises `Refused` (ach.nothing) where no ACH item is of it."""
    items = [row for row in tx.find("item") if row.body["day"] == day and tx.get("payer", row.key)]
    back = [row for row in tx.find("returned") if row.body["day"] == day and tx.get("payer", row.key)]
    groups = [
        ("DEPOSIT", DEBIT, [row for row in items if row.body["form"] == "ach-debit"]),
        ("DEPOSIT", CREDIT, [row for row in items if row.body["form"] == "ach-credit"]),
        ("RETURN", RETURNED_DEBIT, [row for row in back if row.body["form"] == "ach-debit"]),
        ("RETURN", RETURNED_CREDIT, [row for row in back if row.body["form"] == "ach-credit"]),
    ]
    made = [(purpose, code, rows) for purpose, code, rows in groups if rows]
    if not made:
        raise Refused("ach.nothing", day=day)
    batches = (
        Batch(
            company="USPS CMRS",
            company_id=lockbox.company_id,
            purpose=purpose,
            effective=_short(day),
            origin=lockbox.routing[:8],
            number=number,
            entries=tuple(_entries(tx, code, rows, lockbox)),
        )
        for number, (purpose, code, rows) in enumerate(made, start=1)
    )
    return AchFile(
        destination=lockbox.operator,
        destination_name=lockbox.operator_name,
        origin=lockbox.routing,
        origin_name=lockbox.name,
        date=_short(day),
        time="",
        modifier="A",
        batches=tuple(batches),
    )


def _entries(tx: Transaction, code: str, rows: Iterable[Record], lockbox: Lockbox) -> Iterable[Entry]:
    for row in rows:
        payer = tx.get("payer", row.key)
        assert payer is not None
        ours = code in (CREDIT, RETURNED_CREDIT)  # the licensee's bank sent it: it credits the lockbox's own account
        trace = _trace(lockbox.routing, payer.body["trace"])
        reason = row.body.get("reason", "")
        yield Entry(
            code=code,
            routing=lockbox.routing if ours else payer.body["routing"],
            account=lockbox.account if ours else payer.body["payer"],
            cents=abs(row.body["amount"]) // MILLS_A_CENT,
            identification=row.key.replace("-", ""),
            name=row.owner.upper()[:_NAME],
            trace=_trace(lockbox.routing, row.body["trace"]) if reason else trace,
            reason=reason,
            original=trace if reason else "",
        )


def _trace(routing: str, number: int) -> str:
    return f"{routing[:8]}{number:07d}"


def _short(day: str) -> str:
    return day.replace("-", "")[2:]
