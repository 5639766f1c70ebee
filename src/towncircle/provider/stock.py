"""Devices before their lease: manufactured, inspected, in stock, or rejected and scrapped (502.18, 502.8).

Here: what the Provider's staff does with a device that nobody has leased, and which one a lease takes. Not here: the
lease (`leasing`), custody from the shipment on (`inventory`).
Kept: a device is leased from stock only after its inspection; each is taken by one lease, however often that is walked.
A lease that finds none in stock has one made, so that a Provider without a stock leases as ever.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Exchange, Reserve, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record, Transaction
from towncircle.provider.inventory import CUSTODY
from towncircle.psd.states import MANUFACTURED

KIND = "stock"
NEW, STOCKED, SCRAPPED, TAKEN = "new", "stocked", "scrapped", "taken"
IN_STOCK = (NEW, STOCKED)
SERIALS, PLACES = "device serial", "place in stock"
MOST = 100  # house: how many devices one order makes


@cites("502.8/7")
def manufacture(ctx: Context, *, model: str, serials_from: int, count: int) -> list[Record]:
    """Take new devices into the books: each has a serial of its own and waits for its inspection.

    Raises `BadInput` (custody.count).
    """
    if not 1 <= count <= MOST:
        raise BadInput("custody.count", most=MOST)
    made = []
    for _ in range(count):
        serial = serials_from + ctx.tx.next_number(SERIALS) - 1
        device = DeviceId.parse(f"{model}{serial:010d}")
        ctx.note("custody.new", device, clauses=("502.18",), licensee="")
        made.append(ctx.tx.put(KIND, device, {"custody": NEW, "place": 0}, owner=ctx.party, expected=0))
    return made


@cites("502.18", "502.8/7")
def inspect(ctx: Context, *, device: str, reject: str = "") -> Steps:
    """Inspect a new device: its own tests pass and it is in stock, or it is rejected, with the reason, and scrapped.

    Raises `Refused` (custody.not-in-stock, custody.inspection-failed, machine.illegal-move).
    """
    row = _row(ctx.tx, device)
    if reject:
        step = CUSTODY.move(str(row.body["custody"]), "reject")
        ctx.note(f"custody.{step.to}", device, clauses=(step.clause,), licensee="", reason=reject)
        return _put(ctx, row, custody=SCRAPPED)
    step = CUSTODY.move(str(row.body["custody"]), "inspect")
    tested, told = yield Exchange(DeviceId(device), lambda client: (client.selftest(), client.status()))
    row = _row(ctx.tx, device)
    if not tested.passed or told.state != MANUFACTURED:
        raise Refused("custody.inspection-failed", device=device, state=told.state)
    ctx.note("device.inspected", device, clauses=("502.18",), state=told.state, tests=len(tested.passed))
    ctx.note(f"custody.{step.to}", device, clauses=(step.clause,), licensee="", zone="")
    return _put(ctx, row, custody=STOCKED, place=_next_place(ctx.tx, device))


def take(ctx: Context, *, model: str, serials_from: int, lease: str) -> Steps:
    """Give the device for a lease: the one that is longest in stock, or else a new serial; the same lease, the same."""
    named = f"lease {lease}"
    given_before = ctx.tx.get("reserved", f"stock {named}") is not None
    if ctx.tx.get("reserved", named) is None and (given_before or _free(ctx.tx, model)):
        place = yield Reserve(_series(model), f"stock {named}")
        for row in _of(ctx.tx, model):
            if (row.body["custody"], row.body["place"]) == (STOCKED, place):
                return DeviceId(row.key)
    number = yield Reserve(SERIALS, named)
    return DeviceId.parse(f"{model}{serials_from + number - 1:010d}")


def taken(ctx: Context, device: str) -> bool:
    """Take a device out of the stock for its lease; tell whether it was in stock."""
    row = ctx.tx.get(KIND, device)
    if row is not None:
        _put(ctx, row, custody=TAKEN)
    return row is not None


def in_stock(tx: Transaction) -> list[Record]:
    """Give the devices that were made and are not leased or scrapped."""
    return [row for row in tx.find(KIND) if row.body["custody"] in IN_STOCK]


def _row(tx: Transaction, device: str) -> Record:
    row = tx.get(KIND, device)
    if row is None or row.body["custody"] == TAKEN:
        raise Refused("custody.not-in-stock", device=device[:20])
    return row


def _put(ctx: Context, row: Record, **changes: Any) -> Record:
    return ctx.tx.put(KIND, row.key, {**row.body, **changes}, owner=row.owner, expected=row.version)


def _of(tx: Transaction, model: str) -> list[Record]:
    return [row for row in tx.find(KIND) if row.key.startswith(model)]


def _series(model: str) -> str:
    return f"{PLACES} {model}"


def _given(tx: Transaction, model: str) -> int:
    return max((int(row.body["number"]) for row in tx.find("reserved", owner=_series(model))), default=0)


def _free(tx: Transaction, model: str) -> bool:
    """Tell whether a device of a model stands in a place that no lease was given."""
    given = _given(tx, model)
    return any(row.body["custody"] == STOCKED and row.body["place"] > given for row in _of(tx, model))


def _next_place(tx: Transaction, device: str) -> int:
    model = device[:4]
    last = max((int(row.body["place"]) for row in _of(tx, model)), default=0)
    return max(last, _given(tx, model)) + 1
