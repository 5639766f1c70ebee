"""The daily financial file (502.20(m)): what the books did since the last one, and how accounts and devices stand.

Here: making the file of a day and keeping what the Postal Service found. Not here: the layout (`wire.daily_file`), the
comparison (`postal.daily`), the file of each posted reset, which goes at once (`readings`).
Kept: one file a day, made from one instant and numbered without a gap; every entry of the books is in one file. A day
that was told gives the first finding again.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import Books, Entry
from towncircle.provider.statements import moved
from towncircle.wire import daily_file
from towncircle.wire.bodies import DailyFilePart, DailyFinancialFile, DailyFinding
from towncircle.wire.bodies.cmrs import PART_BYTES

TOLD, FOUND = "told", "found"
_BEFORE_LEASE = ("new", "stocked", "shipped")


@cites("502.20m")
def write_down(ctx: Context, *, day: str) -> None:
    """Write the file of a day down before it leaves; one that is written stays as it is."""
    if ctx.tx.get("daily-file", day) is not None:
        return
    standing = ctx.tx.get("daily-last", ctx.party)
    last = standing.body if standing else {"number": 0, "through": 0}
    books = Books(ctx.tx)
    fresh = books.entries(after=last["through"])
    made = daily_file.DailyFile(
        provider=ctx.party,
        day=day,
        number=last["number"] + 1,
        made_at=ctx.now,
        through=last["through"] + len(fresh),
        events=tuple(_event(entry) for entry in fresh),
        accounts=tuple(_accounts(books, fresh)),
        devices=tuple(_held(ctx, books)),
    )
    text = base64.b64encode(daily_file.write(made)).decode()
    body = {"number": made.number, "through": made.through, "state": TOLD, "file": text}
    ctx.tx.put("daily-file", day, body, owner=ctx.party, expected=0)
    now = {"number": made.number, "through": made.through}
    ctx.tx.put("daily-last", ctx.party, now, owner=ctx.party, expected=standing.version if standing else 0)


def untold(ctx: Context) -> list[str]:
    """Give the days whose file was written down and whose finding is still to come, in the order of their numbers."""
    rows = ctx.tx.find("daily-file", states=(TOLD,))
    return [row.key for row in sorted(rows, key=lambda row: int(row.body["number"]))]


def _event(entry: Entry) -> daily_file.Event:
    return daily_file.Event(
        at=entry.at,
        kind=entry.recipe,
        reference=entry.reference,
        licensee=entry.licensee,
        device=entry.device,
        size=int(sum((line.amount for line in entry.lines if line.side == "debit"), ZERO)),
        mills=int(moved(entry, f"account/{entry.licensee}")),
    )


def _accounts(books: Books, fresh: list[Entry]) -> list[daily_file.Account]:
    change: dict[str, Mills] = defaultdict(lambda: ZERO)
    for entry in fresh:
        change[entry.licensee] += moved(entry, f"account/{entry.licensee}")
    rows = []
    for licensee in sorted({name.split("/")[1] for name in books.balances()}):
        sums, closing = books.sums(licensee), books.balance(f"account/{licensee}")
        rows.append(
            daily_file.Account(
                licensee=licensee,
                opening=int(closing - change[licensee]),
                moved=int(change[licensee]),
                closing=int(closing),
                in_transit=int(sums.get("in-transit", ZERO)),
                advances=int(sums.get("advances", ZERO)),
                malfunction=int(sums.get("malfunction-credits", ZERO)),
            )
        )
    return rows


def _held(ctx: Context, books: Books) -> list[daily_file.Held]:
    rows = []
    for row in ctx.tx.find("device"):
        if row.body["custody"] in _BEFORE_LEASE:
            continue
        held = books.device(row.owner, row.key)
        rows.append(
            daily_file.Held(
                device=row.key,
                licensee=row.owner,
                ascending=int(held.ascending),
                descending=int(held.descending),
                pieces=row.body["pieces"],
                counter=row.body["message_counter"],
            )
        )
    return rows


def _parts(day: str, number: int, file: bytes, part_bytes: int) -> list[DailyFilePart]:
    pieces = [file[at : at + part_bytes] for at in range(0, len(file), part_bytes)]
    digest = hashlib.sha256(file).hexdigest()
    told = {"day": day, "number": number, "parts": len(pieces), "digest": digest}
    return [DailyFilePart(part=part, data=data, **told) for part, data in enumerate(pieces, start=1)]  # type: ignore[arg-type]


@cites("502.20m", "502.8")
def tell(ctx: Context, *, day: str, part_bytes: int = PART_BYTES) -> Steps:
    """Send the file of a day and keep what was found; a day that was found gives it again.

    A file that is longer than `part_bytes` goes in parts, one after the other.
    """
    held = ctx.tx.get("daily-file", day)
    assert held is not None
    number, file = held.body["number"], base64.b64decode(held.body["file"])
    if len(file) <= part_bytes:
        answer = yield Ask("postal.usps", DailyFinancialFile(day=day, number=number, file=file), f"daily file {day}")
    else:
        for part in _parts(day, number, file, part_bytes):
            answer = yield Ask("postal.usps", part, f"daily file {day} part {part.part}")
    finding = answer.body
    assert isinstance(finding, DailyFinding)
    row = ctx.tx.get("daily-file", day)
    assert row is not None
    if row.body["state"] == TOLD:
        ctx.tx.put("daily-file", day, {**row.body, "state": FOUND}, owner=ctx.party, expected=row.version)
        told: dict[str, Any] = {
            "number": finding.number,
            "events": finding.events,
            "differences": len(finding.differences),
        }
        unexplained = sum(not one.explained for one in finding.differences)
        ctx.note("daily-file.found", day, clauses=("502.20(m)",), unexplained=unexplained, **told)
    return finding
