"""The ACH files of a day at the lockbox bank (P050 3.5(a)): what it collects, what came in, what came back.

Here: the day's items as batches, and which file has which item. Not here: the layout of a file (`wire.nacha`).
Kept: an item is in one file. What came since a file was written is in the next one of its day, which has the next
modifier; a file that was written gives the same bytes again. Account numbers leave the bank in these files only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from towncircle.bank.lockbox import REPORT_ZONE
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record, Transaction
from towncircle.wire.nacha import (
    CREDIT,
    DEBIT,
    MODIFIERS,
    RETURNED_CREDIT,
    RETURNED_DEBIT,
    AchFile,
    Batch,
    Entry,
)

MILLS_A_CENT = 10
_NAME = 22
Entries = list[list[str]]  # kind of record and deposit of each


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
def file_of(ctx: Context, day: str, *, modifier: str = "", lockbox: Lockbox = SPECIMEN) -> AchFile:
    """Give the next file of a day (`YYYY-MM-DD`): what no other file has; where nothing is new, the last one again.

    With a modifier it is that file, as it was. Raises `Refused`: ach.nothing where no ACH item is of the day,
    ach.no-such-file, ach.day-not-over for the last file that a day may have.
    """
    written = {row.body["modifier"]: row.body["entries"] for row in ctx.tx.find("ach-file", owner=day)}
    if modifier:
        if modifier not in written:
            raise Refused("ach.no-such-file", day=day[:20], modifier=modifier[:4])
    else:
        modifier = _next(ctx, day, written)
        if modifier not in written:
            entries = _unfiled(ctx.tx, day, written.values())
            record = {"day": day, "modifier": modifier, "entries": entries}
            ctx.tx.put("ach-file", f"{day} {modifier}", record, owner=day, expected=0)
            ctx.note("ach-file.written", f"{day} {modifier}", clauses=("P050 3.5(a)",), entries=len(entries))
            written[modifier] = entries
    return _file(ctx.tx, day, modifier, written[modifier], lockbox)


def _next(ctx: Context, day: str, written: Mapping[str, Entries]) -> str:
    """Name the file that is to be written: the next one, or the last one again where nothing is new."""
    last = max(written, key=MODIFIERS.index, default="")
    if not _unfiled(ctx.tx, day, written.values()):
        if not last:
            raise Refused("ach.nothing", day=day[:20])
        return last
    made = MODIFIERS[MODIFIERS.index(last) + 1] if last else MODIFIERS[0]
    if made == MODIFIERS[-1] and day >= ctx.now.date_in(REPORT_ZONE).isoformat():
        raise Refused("ach.day-not-over", day=day, files=len(written))  # what came after it would be in none
    return made


def _unfiled(tx: Transaction, day: str, written: Iterable[Entries]) -> Entries:
    """Name the ACH items and returns of a day that no file has: kind and deposit."""
    filed = {(kind, key) for entries in written for kind, key in entries}
    return [
        [kind, row.key]
        for kind in ("item", "returned")
        for row in tx.find(kind)
        if row.body["day"] == day and (kind, row.key) not in filed and tx.get("payer", row.key)
    ]


def _file(tx: Transaction, day: str, modifier: str, entries: Entries, lockbox: Lockbox) -> AchFile:
    rows = {kind: [_row(tx, kind, key) for one, key in entries if one == kind] for kind in ("item", "returned")}
    groups = [
        ("DEPOSIT", DEBIT, [row for row in rows["item"] if row.body["form"] == "ach-debit"]),
        ("DEPOSIT", CREDIT, [row for row in rows["item"] if row.body["form"] == "ach-credit"]),
        ("RETURN", RETURNED_DEBIT, [row for row in rows["returned"] if row.body["form"] == "ach-debit"]),
        ("RETURN", RETURNED_CREDIT, [row for row in rows["returned"] if row.body["form"] == "ach-credit"]),
    ]
    made = [(purpose, code, rows) for purpose, code, rows in groups if rows]
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
        modifier=modifier,
        batches=tuple(batches),
    )


def _row(tx: Transaction, kind: str, key: str) -> Record:
    row = tx.get(kind, key)
    assert row is not None
    return row


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
