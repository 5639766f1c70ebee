"""The three books of a day (502.8, 502.20(m)): device readings, the Provider's daily file, the trust account.

Here: the comparison, each difference with the cause that explains it, or without one. Not here: the file's layout
(`wire.daily_file`), inventories and custody (`reconciling`).
Kept: an event is known by its kind, reference and licensee in both books. One that only one book has is explained while
the message that brings it may still be on its way: from the day of the event to the end of the next (house). Amounts
that differ, and what the listed differences leave over, are never explained away. A day has one finding.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.ledger import POSTAL, Books
from towncircle.postal.balances import ARRANGED
from towncircle.postal.reconciling import filed_resets, registers_differ
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire import daily_file
from towncircle.wire.bodies import (
    Acknowledged,
    DailyFilePart,
    DailyFinancialFile,
    DailyFinding,
    InventoryRow,
    MoneyDifference,
    Registers,
)
from towncircle.wire.daily_file import DailyFile
from towncircle.wire.message import Opened

# what the two books call an event, and the way it moves the licensee's trust
_PROVIDER: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "deposit-received": ("deposit", 1),
        "deposit-returned": ("returned item", -1),
        "reset-posted": ("reset", -1),
        "balance-withdrawn": ("refund", 1),
        "unused-refunded": ("refund", 1),
        "account-paid-out": ("payout", -1),
    }
)
_TRUST: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "deposit-reported": ("deposit", 1),
        "return-reported": ("returned item", -1),
        "setting-filed": ("reset", -1),
        "refund-filed": ("refund", 1),
        "payout-instructed": ("payout", -1),
    }
)
# which book lacks it: why it may, and the name of that cause
_CAUSES: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(
    {
        ("trust", "deposit"): ("lockbox-report-on-its-way", "The bank's report has not reached the trust account yet."),
        ("trust", "returned item"): (
            "lockbox-report-on-its-way",
            "The bank's report has not reached the trust account yet.",
        ),
        ("trust", "reset"): ("transaction-file-on-its-way", "The Provider's transaction file has not come yet."),
        ("trust", "refund"): ("transaction-file-on-its-way", "The Provider's transaction file has not come yet."),
        ("trust", "payout"): ("check-not-instructed", "The refund check has not been instructed yet."),
        ("provider", "deposit"): ("report-not-booked", "The Provider had not booked the bank's report."),
        ("provider", "returned item"): ("report-not-booked", "The Provider had not booked the bank's report."),
        ("provider", "reset"): ("booked-after-the-file", "The Provider booked it after it made its file."),
        ("provider", "refund"): ("booked-after-the-file", "The Provider booked it after it made its file."),
        ("provider", "payout"): ("booked-after-the-file", "The Provider booked it after it made its file."),
    }
)
MOST_PARTS = 100  # house: of a file, so that a whole one is 20 MB
MOST_TOLD = 300  # house: differences that a message tells one by one
GRACE_DAYS = 1  # house: how long a message may be on its way
FORM_DAYS = 28  # house: how long section G of a returned device's form may wait for its signature
Open = dict[str, list[Any]]  # "kind reference licensee": [mills, when]


@cites("502.20m", "502.8", "502.8/6", "PRE-07")
def on_file(ctx: Context, opened: Opened) -> DailyFinding:
    """Compare a day's file with trust account and register, and keep the finding.

    Raises `Refused`: lines.broken, daily.not-its-own, daily.not-yet, daily.out-of-order, daily.other-file.
    """
    body = opened.body
    assert isinstance(body, DailyFinancialFile)
    return telling(_compared(ctx, opened.envelope.sender, body.day, body.number, body.file))


@cites("502.20m")
def on_part(ctx: Context, opened: Opened) -> DailyFinding | Acknowledged:
    """Keep a part of a day's file that is longer than a message; with the last one the whole is compared.

    A Provider has one file under way; a part of another one takes the place of its part. Raises `Refused`:
    daily.bad-part, daily.part-missing, daily.out-of-order, and what `on_file` raises.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, DailyFilePart)
    if not 1 <= body.part <= body.parts <= MOST_PARTS:
        raise Refused("daily.bad-part", day=body.day, part=body.part, parts=body.parts, most=MOST_PARTS)
    known = ctx.tx.get("daily-finding", f"{provider} {body.day}")
    if known is None:
        before = _standing(ctx.tx, provider)
        _check_order(body.number, body.day, before)
        _keep(ctx, provider, body)
    if body.part < body.parts:
        return Acknowledged(note=f"part {body.part} of {body.parts} of {body.day}")
    if known is not None:
        if known.body["digest"] != body.digest:
            raise Refused("daily.other-file", day=body.day)
        return telling(finding_of(known))
    finding = _compared(ctx, provider, body.day, body.number, _whole(ctx.tx, provider, body))
    for row in ctx.tx.find("daily-part", owner=provider):  # the finding stands for it
        ctx.tx.put(row.kind, row.key, {"digest": "", "data": ""}, owner=provider, expected=row.version)
    return telling(finding)


def _keep(ctx: Context, provider: str, body: DailyFilePart) -> None:
    key = f"{provider} {body.part}"
    held = ctx.tx.get("daily-part", key)
    record = {"digest": body.digest, "data": base64.b64encode(body.data).decode()}
    ctx.tx.put("daily-part", key, record, owner=provider, expected=held.version if held else 0)


def _whole(tx: Transaction, provider: str, last: DailyFilePart) -> bytes:
    rows = [tx.get("daily-part", f"{provider} {part}") for part in range(1, last.parts + 1)]
    for part, row in enumerate(rows, start=1):
        if row is None or row.body["digest"] != last.digest:
            raise Refused("daily.part-missing", day=last.day, part=part, parts=last.parts)
    file = b"".join(base64.b64decode(row.body["data"]) for row in rows if row is not None)
    if hashlib.sha256(file).hexdigest() != last.digest:
        raise Refused("daily.bad-part", day=last.day, part=last.part, parts=last.parts, most=MOST_PARTS)
    return file


def telling(finding: DailyFinding) -> DailyFinding:
    """Give a finding as a message holds it: the last row sums up the differences that are not told one by one."""
    if len(finding.differences) <= MOST_TOLD:
        return finding
    rows = sorted(finding.differences, key=lambda one: one.explained)
    rest = rows[MOST_TOLD - 1 :]
    text = f"{len(rest)} more differences stand in the Postal Service's finding."
    cause = "" if not all(one.explained for one in rest) else "each-has-its-own"
    amount = Mills(sum(int(one.amount) for one in rest))
    more = _difference(finding.day, "daily.more", text, amount, cause=cause)
    return replace(finding, differences=(*rows[: MOST_TOLD - 1], more))


def _standing(tx: Transaction, provider: str) -> Mapping[str, Any]:
    standing = tx.get("daily-standing", provider)
    return standing.body if standing else {"number": 0, "day": "", "entries": 0, "filed": {}, "trust": {}}


def _check_order(number: int, day: str, before: Mapping[str, Any]) -> None:
    if number != before["number"] + 1 or day <= before["day"]:
        raise Refused("daily.out-of-order", number=number, day=day, expected=before["number"] + 1)


def _compared(ctx: Context, provider: str, day: str, number: int, raw: bytes) -> DailyFinding:
    key, digest = f"{provider} {day}", hashlib.sha256(raw).hexdigest()
    file = daily_file.read(raw)
    if (file.provider, file.day, file.number) != (provider, day, number):
        raise Refused("daily.not-its-own", provider=provider, day=file.day, number=file.number)
    if date.fromisoformat(file.day) > ctx.now.date_in(HEADQUARTERS):
        raise Refused("daily.not-yet", day=file.day)
    held = ctx.tx.get("daily-finding", key)
    if held is not None:
        if held.body["digest"] != digest:
            raise Refused("daily.other-file", day=day)
        return finding_of(held)
    standing, before = ctx.tx.get("daily-standing", provider), _standing(ctx.tx, provider)
    _check_order(number, day, before)
    filed, trust, entries = _open_events(ctx, provider, file, before)
    found = [*_events(ctx.now, filed, trust), *_accounts(ctx.tx, file, filed, trust), *_devices(ctx.tx, file)]
    found += _unarranged(ctx.tx, provider)
    record = {"digest": digest, "number": number, "events": len(file.events), "accounts": len(file.accounts)}
    record |= {"devices": len(file.devices), "differences": [one.to_list() for one in found]}
    kept = ctx.tx.put("daily-finding", key, record, owner=provider, expected=0)
    now = {"number": number, "day": day, "entries": entries, "filed": filed, "trust": trust}
    ctx.tx.put("daily-standing", provider, now, owner=provider, expected=standing.version if standing else 0)
    about: dict[str, Any] = {"provider": provider, "day": day, "number": number, "digest": digest}
    about |= {"differences": len(found), "unexplained": sum(not one.explained for one in found)}
    ctx.note("books.reconciled", key, clauses=("502.20(m)", "502.8"), through=file.through, **about)
    return finding_of(kept)


def finding_of(held: Record) -> DailyFinding:
    """Give a finding as it was kept."""
    return DailyFinding(
        day=held.key.rpartition(" ")[2],
        number=held.body["number"],
        accounts=held.body["accounts"],
        devices=held.body["devices"],
        events=held.body["events"],
        differences=tuple(MoneyDifference.from_list(row) for row in held.body["differences"]),
    )


def _open_events(ctx: Context, provider: str, file: DailyFile, before: Mapping[str, Any]) -> tuple[Open, Open, int]:
    """Give what only the Provider's files have, what only the trust account has, and how far its entries were read.

    An event is never younger than the file that told it first, whatever time the Provider gives it.
    """
    filed, trust = dict(before["filed"]), dict(before["trust"])
    for event in file.events:
        if event.kind in _PROVIDER:
            kind, sign = _PROVIDER[event.kind]
            key = f"{kind} {_named(event.reference, event.device)} {event.licensee}"
            filed[key] = [sign * event.size, min(event.at, ctx.now).iso()]
    entries = ctx.tx.entries()
    for entry in entries[before["entries"] :]:
        if entry["recipe"] in _TRUST and entry["provider"] == provider:
            kind, sign = _TRUST[entry["recipe"]]
            key = f"{kind} {_named(entry['reference'], entry['device'])} {entry['licensee']}"
            trust[key] = [sign * entry["lines"][0][2], entry["at"]]
    for key in [key for key in filed if key in trust and filed[key][0] == trust[key][0]]:
        del filed[key], trust[key]
    return filed, trust, len(entries)


def _named(reference: str, device: str) -> str:
    """Name an event: request ids are the device's own, so two devices may use one."""
    return f"{reference}@{device}" if device else reference


def _events(now: Instant, filed: Open, trust: Open) -> Iterator[MoneyDifference]:
    for key in sorted(filed.keys() | trust.keys()):
        kind = key.rsplit(" ", 2)[0]
        if key in filed and key in trust:
            one, other = Mills(filed[key][0]), Mills(trust[key][0])
            text = f"The Provider has {one}, the trust account {other}."
            yield _difference(key, "daily.amount-differs", text, one - other)
            continue
        lacking, (mills, at) = ("trust", filed[key]) if key in filed else ("provider", trust[key])
        day = Instant.parse(at).date_in(HEADQUARTERS)
        waits = (lacking, kind) == ("trust", "payout")  # until a person instructs its check; none was ever booked late
        young = waits or now.date_in(HEADQUARTERS) <= day + timedelta(days=GRACE_DAYS)
        cause, words = _CAUSES[lacking, kind]
        amount = Mills(mills) if lacking == "trust" else -Mills(mills)
        text = words if young else f"No message brought it since {day.isoformat()}."
        yield _difference(key, f"daily.not-in-{lacking}", text, amount, cause=cause if young else "")


def _difference(about: str, code: str, text: str, amount: Mills, *, cause: str = "") -> MoneyDifference:
    return MoneyDifference(
        about=about[:200], code=code, cause=cause, sentence=text, amount=amount, explained=bool(cause)
    )


def _accounts(tx: Transaction, file: DailyFile, filed: Open, trust: Open) -> Iterator[MoneyDifference]:
    """Compare each account with the trust, less what the listed events account for."""
    listed: dict[str, Mills] = defaultdict(lambda: ZERO)
    for sign, events in ((1, filed), (-1, trust)):
        for key, (mills, _) in events.items():
            listed[key.rsplit(" ", 1)[1]] += Mills(sign * mills)
    books = Books(tx, POSTAL)
    told = {row.licensee: row for row in file.accounts}
    kept = {name.split("/")[2] for name in books.balances() if name.startswith(f"trust/{file.provider}/")}
    for licensee in sorted(told.keys() | kept):
        row = told.get(licensee)
        says = Mills(row.closing + row.in_transit - row.advances - row.malfunction) if row else ZERO
        holds = books.balance(f"trust/{file.provider}/{licensee}")
        left = says - holds - listed[licensee]
        if left != ZERO:
            text = f"Account and in transit less the Provider's own money are {says}, the trust holds {holds}."
            yield _difference(licensee, "daily.balance", text, left)


def _devices(tx: Transaction, file: DailyFile) -> Iterator[MoneyDifference]:
    """Compare each device of the books with the register, which its own signed audits made."""
    resets, day = filed_resets(tx), date.fromisoformat(file.day)
    for held in file.devices:
        row = tx.get("device", held.device)
        if row is None or row.owner != file.provider:
            yield _difference(held.device, "daily.unknown-device", "The register does not have it.", ZERO)
            continue
        told = InventoryRow(
            device=DeviceId(held.device),
            custody="",
            license="",
            licensee=held.licensee,
            registers=Registers(ascending=Mills(held.ascending), descending=Mills(held.descending), pieces=held.pieces),
            message_counter=held.counter,
        )
        ours = Mills(row.body["ascending"]) + Mills(row.body["descending"])
        theirs = Mills(held.ascending) + Mills(held.descending)
        for _, text, explained in registers_differ(tx, row, told, resets[held.device], day, teller="books"):
            waits = _waiting(tx, row, told, day)
            cause = ("a-later-message-or-reset" if explained else "") if waits is None else waits
            yield _difference(held.device, "daily.registers", text, theirs - ours, cause=cause)


@cites("502.27b/4")
def _waiting(tx: Transaction, row: Record, told: InventoryRow, day: date) -> str | None:
    """Give the cause where the books still have just the balance in a device that it gave back: it waits, or too long.

    None for any other difference.
    """
    given, same = row.body.get("given"), (row.body["ascending"], row.body["pieces"])
    more = int(told.registers.descending) - int(row.body["descending"])
    if not given or same != (int(told.registers.ascending), told.registers.pieces) or more != given["amount"]:
        return None
    form = tx.get("balance-form", given["refund"])
    if form is None:
        since, most = row.body["since"], FORM_DAYS
    else:
        since, most = form.body.get("arranged_at"), GRACE_DAYS
    late = since is not None and Instant(since).date_in(HEADQUARTERS) + timedelta(days=most) < day
    return "" if late else "a-balance-that-waits"


@cites("502.27b/4", "502.20m")
def _unarranged(tx: Transaction, provider: str) -> Iterator[MoneyDifference]:
    """Name each balance of a returned device that was credited and filed, and that no coordinator has arranged."""
    for entry in tx.entries():
        if (entry["recipe"], entry["provider"]) != ("refund-filed", provider) or not entry["device"]:
            continue
        row, form = tx.get("device", entry["device"]), tx.get("balance-form", entry["reference"])
        given = row.body.get("given") if row is not None else None
        if given and given["refund"] == entry["reference"] and (form is None or form.body["state"] != ARRANGED):
            text = "The balance that it gave back was credited, and no coordinator has arranged it."
            yield _difference(entry["device"], "daily.not-arranged", text, Mills(entry["lines"][0][2]))
