"""Devices before their lease: manufactured, inspected, in stock, or rejected and scrapped (502.18, 502.8).

Here: what the Provider's staff does with a device that nobody has leased, and which one a lease takes. Not here: the
lease (`leasing`), custody from the shipment on (`inventory`).
Kept: a device is leased from stock only after its inspection; each is taken by one lease, however often that is walked.
A lease that finds none in stock has one made, so that a Provider without a stock leases as ever. One that is refused
half-way gives its device back: it is free for the next one, but where it was certified meanwhile only for one under the
same license. One that refused by itself has a `fault` and is passed over until it was inspected again. One that was not
reached stays in stock, and the lease takes the next; one that somebody is at, or that a lease has just begun with, is
held. One whose key report has run out uncertified is passed over for good. Until it is leased a device can be rejected
and scrapped, its keys destroyed where it answers; whom a lease and a rejection meet at once, the rejection has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Exchange, Reserve, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO
from towncircle.kernel.store import Record, Transaction
from towncircle.provider.inventory import CUSTODY
from towncircle.psd.states import AUTHORISED, INITIALISED, MANUFACTURED, ZEROISED
from towncircle.wire.message import MESSAGE_LIFE_HOURS

KIND = "stock"
NEW, STOCKED, SCRAPPED, TAKEN = "new", "stocked", "scrapped", "taken"
IN_STOCK = (NEW, STOCKED)
SERIALS, PLACES, _PASSED = "device serial", "place in stock", "left in stock"
MOST = 100  # house: how many devices one order makes
UNKNOWN = "unknown"  # the license of a device that the release before certified for a lease that it refused
WITH_IT = "with the element"  # how the keys went of a device that did not destroy them by command
_OF_THE_DEVICE = ("psd.", "machine.", "pki.", "custody.inspection-failed")
_OF_THE_LEASE = ("psd.parameters-unusable",)
NOT_REACHED = frozenset({"transport.unreachable", "psd.unreachable", "psd.restarting"})
AT_WORK = frozenset({"psd.host-busy", "psd.store-busy", "psd.interrupted", "psd.interrupted-once"})
AWAY = NOT_REACHED | AT_WORK  # the device, or its host, did not answer, which says nothing of the device
_WALK_US = 600_000_000  # house: as long a lease that has begun with a device holds it, though it is not reached


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


@cites("502.18", "502.8/7", "PRE-06/2")
def inspect(ctx: Context, *, device: str, reject: str = "") -> Steps:
    """Inspect a new device: its own tests pass and it is in stock, or it is rejected, with the reason, and scrapped.

    One that stands in stock is rejected as well. Keys that a lease gave it before it was refused are destroyed first.

    Raises `Refused` (custody.not-in-stock, custody.inspection-failed, machine.illegal-move).
    """
    row = _row(ctx.tx, device)
    if reject:
        return (yield from _reject(ctx, row, reject))
    again = row.body["custody"] == STOCKED and bool(row.body.get("fault"))
    if not again:
        CUSTODY.move(str(row.body["custody"]), "inspect")
    tested, told = yield Exchange(DeviceId(device), lambda client: (client.selftest(), client.status()))
    row = _row(ctx.tx, device)
    freed = bool(row.body.get("freed"))
    keyed = freed and row.body["license"] != UNKNOWN and not _spent(ctx.tx, device, ctx.now)
    states = (MANUFACTURED, INITIALISED, AUTHORISED) if keyed else (MANUFACTURED,)
    unused = told.resets_total == ZERO and told.registers.pieces == 0
    if not tested.passed or told.state not in states or not unused:
        raise Refused("custody.inspection-failed", device=device, state=told.state)
    _enter(ctx, row)
    ctx.note("device.inspected", device, clauses=("502.18",), state=told.state, tests=len(tested.passed))
    if not again:
        step = CUSTODY.move(str(row.body["custody"]), "inspect")
        ctx.note(f"custody.{step.to}", device, clauses=(step.clause,), licensee="", zone="")
    place = 0 if _times(ctx.tx, row) else _next_place(ctx.tx, device)
    return _put(ctx, row, custody=STOCKED, place=place, fault="")


def _reject(ctx: Context, row: Record, reason: str) -> Steps:
    """Scrap a device; one that may have keys is claimed first, so that no lease ends with it meanwhile."""
    device = DeviceId(row.key)
    keys: dict[str, Any] = {}
    CUSTODY.move(str(row.body["custody"]), _end(row))
    if _keyed(ctx.tx, row):
        yield Reserve(_claim(device), _claim(device))
        _row(ctx.tx, device)  # a lease may have ended before
        if not (yield Exchange(device, _destroy, failing=lambda _: False)):
            keys = {"keys": WITH_IT}
        row = _row(ctx.tx, device)
    step = CUSTODY.move(str(row.body["custody"]), _end(row))
    _enter(ctx, row)
    ctx.note(f"custody.{step.to}", device, clauses=(step.clause,), licensee="", reason=reason, **keys)
    return _put(ctx, row, custody=SCRAPPED)


def _destroy(client: Any) -> bool:
    told = client.status()
    if told.state != ZEROISED:
        client.zeroise(told.device)
    return True


def take(
    ctx: Context, *, model: str, serials_from: int, lease: str, license_number: str, besides: Collection[str] = ()
) -> Steps:
    """Give the device for a lease: the one that is longest in stock, or else a new serial; the same lease, the same.

    `besides` are those that did not answer it (`pass_over`).
    """
    named = f"lease {lease}"
    mine = _mine(ctx, model, serials_from, named)
    if mine and mine not in besides:
        return DeviceId(mine)
    for row in _freed(ctx, model, license_number):
        turn = _turn(ctx.tx, row)
        if row.key in besides or _given(ctx.tx, turn):
            continue
        if (yield Reserve(turn, f"stock {named} {turn}")) == 1:
            return DeviceId(row.key)
    while _free(ctx.tx, model):
        place = yield Reserve(_series(model), _next_key(ctx.tx, named))
        for row in _of(ctx.tx, model):
            if (row.body["custody"], row.body["place"]) == (STOCKED, place):
                return DeviceId(row.key)
    key = _next_serial(ctx.tx, model, serials_from, named)
    number = yield Reserve(SERIALS, key, about=f"{model} {serials_from} {license_number}")
    return _device(model, serials_from, number)


def may_pass(tx: Transaction, device: str) -> bool:
    """Tell whether a lease may leave a device that does not answer: it stands in stock, and has no certificates."""
    row = tx.get(KIND, device)
    return row is not None and row.body["custody"] == STOCKED and not _certified(tx, device)


def is_begun(tx: Transaction, device: str, now: Instant) -> bool:
    """Tell whether a lease has just begun with a device: it may be at it, also where this walk does not reach it."""
    made = tx.get("sealed", f"initialise {device}")
    held = made is not None and Instant(made.body["expires"]).plus(hours=-MESSAGE_LIFE_HOURS, microseconds=_WALK_US)
    return bool(held and now < held)


@cites("502.18")
def pass_over(ctx: Context, *, device: str, lease: str, code: str) -> Steps:
    """Leave a device that was not reached in stock, free for another lease, and keep why."""
    series = f"{_PASSED} {device}"
    yield Reserve(series, f"lease {lease} left {device} {_given(ctx.tx, series)}", about=code)


def unreached(tx: Transaction, device: str) -> str:
    """Give why a device was left by a lease the last time; nothing where none has left it."""
    rows = tx.find("reserved", owner=f"{_PASSED} {device}")
    return str(max(rows, key=lambda row: int(row.body["number"])).body["about"]) if rows else ""


def _mine(ctx: Context, model: str, serials_from: int, named: str) -> str:
    """Give the device that a lease has reserved and may still have, or nothing."""
    tx = ctx.tx
    places = {int(held.body["number"]) for held in _places(tx, named)}
    for row in _of(tx, model):
        if row.body["custody"] == STOCKED and not row.body.get("fault") and not _lost(ctx, row.key):
            turn = tx.get("reserved", f"stock {named} {_turn(tx, row)}") if _times(tx, row) else None
            left = _given(tx, f"{_PASSED} {row.key}")
            if (turn is not None and turn.body["number"] == 1) or (row.body["place"] in places and not left):
                return row.key
    last = tx.get("reserved", named)
    while last is not None:
        device = _device(model, serials_from, int(last.body["number"]))
        if tx.get(KIND, device) is None and tx.get("device", device) is None and not _lost(ctx, device):
            return device
        last = tx.get("reserved", f"{named} after {device}")
    return ""


def _places(tx: Transaction, named: str) -> Iterator[Record]:
    """Give the places in stock that the leases of a name were given, one after the other."""
    key = f"stock {named}"
    while (held := tx.get("reserved", key)) is not None:
        yield held
        key = f"stock {named} after {held.body['number']}"


def _next_key(tx: Transaction, named: str) -> str:
    held = list(_places(tx, named))
    return f"stock {named} after {held[-1].body['number']}" if held else f"stock {named}"


def _next_serial(tx: Transaction, model: str, serials_from: int, named: str) -> str:
    """Name the reservation of the next serial of a lease: those it had before are leased, scrapped, or in stock."""
    key = named
    while (held := tx.get("reserved", key)) is not None:
        key = f"{named} after {_device(model, serials_from, int(held.body['number']))}"
    return key


@cites("502.8/7", "502.18")
def give_back(
    ctx: Context, *, model: str, serials_from: int, lease: str, license_number: str, code: str
) -> Record | None:
    """Give the device of a lease that was refused half-way back to the stock, free for another one.

    One that was certified meanwhile is free for the same license only; one that refused by itself, or whose inspection
    failed, is not free, and waits to be inspected again or rejected. One that was made for the lease waits for its
    inspection.
    """
    device = _mine(ctx, model, serials_from, f"lease {lease}")
    if not device:
        return None
    row = ctx.tx.get(KIND, device)
    own = code.startswith(_OF_THE_DEVICE) and code not in AWAY and code not in _OF_THE_LEASE
    bound = {"license": license_number if _certified(ctx.tx, device) else "", "fault": code if own else ""}
    if row is None:
        ctx.note("custody.new", device, clauses=("502.18",), licensee="")
        made = {"custody": NEW, "place": 0, "freed": 1, **bound}
        return ctx.tx.put(KIND, device, made, owner=ctx.party, expected=0)
    return _put(ctx, row, place=0, freed=int(row.body.get("freed", 0)) + 1, **bound)


def _certified(tx: Transaction, device: str) -> bool:
    """Tell whether the Postal Service has answered the request for a device's certificates with them."""
    held = tx.get("outgoing", f"certificates {device}")
    return held is not None and held.body["state"] != "refused"


def _spent(tx: Transaction, device: str, now: Instant) -> bool:
    """Tell whether a device was initialised and nobody can certify it any more: its key report has run out."""
    made = tx.get("sealed", f"initialise {device}")
    asked = tx.get("outgoing", f"certificates {device}")
    going = asked is not None and asked.body["state"] in ("answered", "waiting")
    return made is not None and not going and now > Instant(made.body["expires"])


def _claim(device: str) -> str:
    return f"rejection {device}"


def _lost(ctx: Context, device: str) -> bool:
    """Tell whether no lease can have a device any more: it is spent, or is being rejected."""
    return _spent(ctx.tx, device, ctx.now) or ctx.tx.get("reserved", _claim(device)) is not None


def taken(ctx: Context, device: str) -> bool:
    """Take a device out of the stock for its lease; tell whether it stood there inspected.

    Raises `Refused` (custody.not-in-stock) for one that was scrapped meanwhile, or is being rejected.
    """
    row = ctx.tx.get(KIND, device)
    if ctx.tx.get("reserved", _claim(device)) is not None or (row is not None and row.body["custody"] == SCRAPPED):
        raise Refused("custody.not-in-stock", device=device)
    if row is None:
        return False
    _put(ctx, row, custody=TAKEN)
    return bool(row.body["custody"] == STOCKED)


def article_of(tx: Transaction, device: str, service: str) -> str:
    """Give the article number that was prepared for a device in stock, where it goes by that service; or nothing."""
    held = tx.get(KIND, device)
    told = (held.body.get("service"), held.body["custody"]) if held is not None else ()
    return str(held.body["article"]) if held is not None and told == (service, STOCKED) else ""


def prepare(ctx: Context, *, device: str, service: str, article: str) -> Record | None:
    """Keep the article number with which a device in stock will be shipped; None where it is not in stock."""
    row = ctx.tx.get(KIND, device)
    if row is None or row.body["custody"] != STOCKED:
        return None
    return _put(ctx, row, service=service, article=article)


def in_stock(tx: Transaction, now: Instant) -> list[Record]:
    """Give the devices that were made and are not leased or scrapped, each with its fault if no lease takes it.

    `unreached` says why one without a fault did not answer the last lease that tried it.
    """
    rows = [row for row in before_lease(tx) if row.body["custody"] in IN_STOCK]
    ended = "custody.inspection-failed"
    return [
        replace(row, body={**row.body, "fault": fault, "unreached": "" if fault else unreached(tx, row.key)})
        for row in rows
        for fault in [row.body.get("fault") or (ended if _spent(tx, row.key, now) else "")]
    ]


@cites("502.8/7", "PRE-06/2")
def before_lease(tx: Transaction) -> list[Record]:
    """Give the devices that were made and never leased: new, in stock or scrapped, also one whose lease goes on."""
    known = {row.key for row in tx.find(KIND)}
    series = tx.find("reserved", owner=SERIALS)
    going = [_going(tx, row) for row in series if "about" in row.body]
    if len(going) < len(series):
        going += _certified_before(tx, {row.key for row in going})
    return [row for row in tx.find(KIND) if row.body["custody"] != TAKEN] + [
        row for row in going if row.key not in known and tx.get("device", row.key) is None
    ]


def _going(tx: Transaction, reserved: Record) -> Record:
    """Give a device that was made for a lease which is not over as the stock has one: new, and not inspected."""
    model, serials_from, *named = reserved.body["about"].split()
    device = _device(model, int(serials_from), int(reserved.body["number"]))
    bound = named[0] if named else UNKNOWN if _certified(tx, device) else ""
    return replace(reserved, key=device, body={"custody": NEW, "place": 0, "freed": 1, "license": bound}, version=0)


def _certified_before(tx: Transaction, known: set[str]) -> Iterator[Record]:
    """Give the devices that were certified for a lease of the release before, which kept no word of one it refused."""
    body = {"custody": NEW, "place": 0, "freed": 1, "license": UNKNOWN}
    for state in ("answered", "delivered"):
        for row in tx.find("outgoing", owner=state):
            verb, _, device = row.key.partition(" ")
            if verb == "certificates" and " " not in device and device not in known:  # others are of devices in use
                yield replace(row, key=device, body=body, version=0)


def _row(tx: Transaction, device: str) -> Record:
    row = next((row for row in before_lease(tx) if row.key == device), None)
    if row is None:
        raise Refused("custody.not-in-stock", device=device[:20])
    return row


def _enter(ctx: Context, row: Record) -> None:
    """Take a device into the books that was made for a lease which is not over."""
    if row.version == 0:
        ctx.note("custody.new", row.key, clauses=("502.18",), licensee="")


def _end(row: Record) -> str:
    return "scrap" if row.body["custody"] == STOCKED else "reject"


def _keyed(tx: Transaction, row: Record) -> bool:
    """Tell whether a device was given to a lease once, which may have initialised it."""
    return bool(row.body.get("freed") or row.body.get("fault")) or 0 < int(row.body["place"]) <= _given(
        tx, _series(row.key[:4])
    )


def _put(ctx: Context, row: Record, **changes: Any) -> Record:
    return ctx.tx.put(KIND, row.key, {**row.body, **changes}, owner=ctx.party, expected=row.version)


def _device(model: str, serials_from: int, number: int) -> DeviceId:
    return DeviceId.parse(f"{model}{serials_from + number - 1:010d}")


def _of(tx: Transaction, model: str) -> list[Record]:
    return [row for row in tx.find(KIND) if row.key.startswith(model)]


def _series(model: str) -> str:
    return f"{PLACES} {model}"


def _times(tx: Transaction, row: Record) -> int:
    """Count how often a device was given back to the stock, or left there."""
    return int(row.body.get("freed", 0)) + _given(tx, f"{_PASSED} {row.key}")


def _turn(tx: Transaction, row: Record) -> str:
    """Name the series whose first number takes a device that was given back, or left, for this time."""
    return f"{PLACES} {row.key} {_times(tx, row)}"


def _freed(ctx: Context, model: str, license_number: str) -> list[Record]:
    rows = [row for row in _of(ctx.tx, model) if row.body["custody"] == STOCKED and _times(ctx.tx, row)]
    fit = [row for row in rows if row.body.get("license", "") in ("", license_number) and not row.body.get("fault")]
    return [row for row in fit if not _lost(ctx, row.key)]


def _given(tx: Transaction, series: str) -> int:
    return max((int(row.body["number"]) for row in tx.find("reserved", owner=series)), default=0)


def _free(tx: Transaction, model: str) -> bool:
    """Tell whether a device of a model stands in a place that no lease was given."""
    given = _given(tx, _series(model))
    return any(row.body["custody"] == STOCKED and row.body["place"] > given for row in _of(tx, model))


def _next_place(tx: Transaction, device: str) -> int:
    model = device[:4]
    last = max((int(row.body["place"]) for row in _of(tx, model)), default=0)
    return max(last, _given(tx, _series(model))) + 1
