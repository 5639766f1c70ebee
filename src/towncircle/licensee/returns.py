"""A device that is given back (P050 2.6, 2.9, 3.3, 502.27(b)): the licensee's side of the check-out.

Here: the four steps, each of which can be walked again: begin, give notice, have the device give back, take the
Provider's statement. Not here: the Provider's decisions, transfers (`transfers`).
Kept: what was begun is written down before anything leaves; the value moves by the device's signed word only, so an
interruption leaves it in the device or in the account, never in both. What the device gave back is written down with
its word: its Provider may scrap it before the credit is known here. A credit of another amount is disputed by name
until it is explained, or a person accepts it with a reason, and holds up nothing else.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Carry, Context, Exchange, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import books, promises
from towncircle.licensee.funds import held_device, raise_refusal
from towncircle.psd.states import WITHDRAWN
from towncircle.wire.bodies import CheckOutNoted, CheckOutQuery, CheckOutRequest, CheckOutStatement, Withdraw
from towncircle.wire.bodies.checkout import EXAMINATION, REASON

_MOST = 12  # house: open jobs of which it is looked at whether they add up; of more, that it is no more than their sum
BEGUN, NOTED, DONE, DECLINED = "begun", "noted", "done", "declined"


@cites("P050-2.9", "P050-2.6")
def begin(
    ctx: Context,
    *,
    device: DeviceId,
    purpose: str,
    reason: str,
    transfer: str = "",
    wait: bool = False,
    failed: bool = False,
) -> None:
    """Write down that a device goes out of service; one that was begun for the same is taken up again.

    `wait` writes down that others than the sandbox sign for its balance and arrange the credit; `failed`, that a person
    has given the device up, its keys being lost (also one whose transfer was ended). Both stay.

    Raises `Refused`: licensee.checked-out for one that is out already, licensee.check-out-open for another case;
    `BadInput` (licensee.reason).
    """
    check_reason(reason)
    held_device(ctx, device)
    held = not_out(ctx, device=device)
    if held is not None and held.body["state"] != DECLINED:
        if held.body["transfer"] != transfer and not (failed or given_up(held)):
            raise Refused("licensee.check-out-open", device=device)
        told = {name: True for name, now in (("wait", wait), ("failed", failed)) if now and not held.body.get(name)}
        if told:
            _write(ctx, held, **told)
        return
    record = {
        "state": BEGUN,
        "purpose": purpose,
        "reason": reason,
        "transfer": transfer,
        "requested_by": ctx.actor,
        "approved_by": ctx.approvals[0] if ctx.approvals else "",
        **({"wait": True} if wait else {}),
        **({"failed": True} if failed else {}),
    }
    ctx.tx.put("check-out", device, record, owner=ctx.party, expected=held.version if held else 0)


def check_reason(reason: str) -> None:
    """Check that a reason can be told to the Provider. Raises `BadInput` (licensee.reason)."""
    if not reason.strip() or len(reason) > REASON or not reason.isprintable():
        raise BadInput("licensee.reason", most=REASON)


def not_out(ctx: Context, *, device: DeviceId) -> Record | None:
    """Give the case of a device that is not out of service yet. Raises `Refused` (licensee.checked-out)."""
    held = ctx.tx.get("check-out", device)
    if held is not None and held.body["state"] == DONE:
        told = {"refund": held.body["refund"], "amount": Mills(held.body["amount"]), "at": Instant(held.body["at"])}
        raise Refused("licensee.checked-out", device=device, **told)
    return held


def case(ctx: Context, *, device: DeviceId) -> Record | None:
    """Give the case of a device that goes or went out of service."""
    return ctx.tx.get("check-out", device)


def going(ctx: Context, *, device: DeviceId) -> bool:
    """Tell whether a device goes or went out of service."""
    held = case(ctx, device=device)
    return held is not None and held.body["state"] != DECLINED


def given_up(case: Record | None) -> bool:
    """Tell whether a person has given a device up that goes out of service."""
    return case is not None and bool(case.body.get("failed"))


def decline(ctx: Context, *, device: DeviceId) -> None:
    """Close a case that the Provider has refused, or that could not even be sealed."""
    held = ctx.tx.get("check-out", device)
    assert held is not None
    if held.body["state"] == BEGUN:
        _write(ctx, held, state=DECLINED)


@cites("P050-2.9", "502.20e")
def give_notice(ctx: Context, *, device: DeviceId, faulted: bool) -> Steps:
    """Notify the Provider; it notes the balance and denies resets from now on. One that fails later is told of again.

    `faulted` tells whether the device cannot sign at this moment.
    """
    held = _held(ctx, device)
    if held.body["state"] not in (BEGUN, NOTED) or (held.body["state"] == NOTED and not faulted):
        return
    named = ("purpose", "reason", "requested_by", "approved_by", "transfer")
    request = CheckOutRequest(device=device, faulted=faulted, **{name: held.body[name] for name in named})
    key = f"check-out {device} faulted" if faulted else f"check-out {device}"
    answer = yield Ask(held_device(ctx, device).body["provider"], request, key)
    noted = answer.body
    assert isinstance(noted, CheckOutNoted)
    held = _held(ctx, device)
    if held.body["state"] != BEGUN:
        return
    _write(ctx, held, state=NOTED, refund=noted.refund)
    note = {"refund": noted.refund, "noted": int(noted.noted), "purpose": held.body["purpose"]}
    ctx.note("check-out.noted", device, clauses=("P050 2.9",), **note)


@cites("502.27b", "502.20e")
def give_back(ctx: Context, *, device: DeviceId) -> Steps:
    """Connect the device: its audit goes up, the order comes down, and its last word goes up again.

    Where the device gave back before and its word was lost, the audit of the withdrawn device says the same.
    """
    provider = held_device(ctx, device).body["provider"]
    signed, identity = yield Exchange(device, lambda client: (client.audit(), client.identify()))
    audit = books.audit_of(signed.message, identity=identity, provider=provider)
    gave = audit.withdrawn_total if audit.state == WITHDRAWN else None
    reply = yield Carry(provider, signed.message)
    if isinstance(raise_refusal(ctx, reply, device), Withdraw):
        done = yield Exchange(device, lambda client: client.withdraw(reply))
        gave = books.withdrawal_of(done.message, identity=identity, provider=provider).registers.descending
        receipt = yield Carry(provider, done.message)
        raise_refusal(ctx, receipt, device)
    books.follow(ctx, device=device, resets_total=audit.resets_total, last_applied=audit.last_applied)
    if gave is not None:
        _write(ctx, _held(ctx, device), given=int(gave))


@cites("502.27b", "P050-3.3c")
def conclude(ctx: Context, *, device: DeviceId, asks: bool = True) -> Steps:
    """Take the Provider's statement of what was credited, and book it. Raises `Refused` (licensee.not-what-it-gave).

    It is compared with what the device signed. Where that was not kept, the device is asked; one that cannot be asked
    any more (`asks`) gave back what the licensee's own books have in it, less what jobs cost whose answer may be lost.
    """
    provider = held_device(ctx, device).body["provider"]
    again = f" as of {ctx.now.iso()[:10]}" if disputed(_held(ctx, device)) else ""  # a former answer is given again
    answer = yield Ask(provider, CheckOutQuery(device=device), f"checked out {device}{again}")
    told = answer.body
    assert isinstance(told, CheckOutStatement)
    gave = given(_held(ctx, device))
    if gave is None and not asks:
        held_in_it = books.in_device(ctx, device=device)
        gave = told.amount if _explained(ctx, device, held_in_it - told.amount) else held_in_it
    elif gave is None and told.outcome != EXAMINATION:
        gave = (yield Exchange(device, lambda client: client.status())).withdrawn_total
    held = _held(ctx, device)
    signed = told.outcome == EXAMINATION or told.amount in (gave, accepted(held))
    if (told.device, told.refund) != (device, held.body["refund"]) or not signed:
        raise Refused(
            "licensee.not-what-it-gave", device=device, amount=told.amount, given=gave or ZERO, provider=provider
        )
    if held.body["state"] != DONE:
        books.book_return(ctx, device=device, refund=told.refund, amount=told.amount)
        kept: dict[str, Any] = {"outcome": told.outcome, "amount": int(told.amount), "at": int(told.at)}
        _write(ctx, held, state=DONE, **kept)
        clause = "502.20(f)" if told.outcome == EXAMINATION else "502.20(e)"
        ctx.note("check-out.done", device, clauses=(clause,), refund=told.refund, **kept)
    return told


@cites("502.27b/1")
def dispute(ctx: Context, *, device: DeviceId, refusal: Refused) -> None:
    """Write down, once, that the Provider states another amount for a device than the device, or the books, say."""
    held, params = _held(ctx, device), refusal.params
    told = {name: int(params[of]) for name, of in (("stated", "amount"), ("gave", "given"))}  # type: ignore[call-overload]
    if held.body["state"] == NOTED and held.body.get("disputed") != told:
        _write(ctx, held, disputed=told)
        about = {"provider": held_device(ctx, device).body["provider"], "refund": held.body["refund"]}
        ctx.note("check-out.disputed", device, clauses=("502.27(b)",), **about, **told)


def disputed(case: Record) -> tuple[Mills, Mills] | None:
    """Give what the Provider stated and what the device gave, while they differ and nothing was booked."""
    told = case.body.get("disputed")
    return (Mills(told["stated"]), Mills(told["gave"])) if told and case.body["state"] == NOTED else None


@cites("502.27b/1")
def accept(ctx: Context, *, device: DeviceId, amount: Mills, reason: str) -> None:
    """Have a person accept what the Provider states for a returned device; the next query books it.

    Raises `Refused`: person.unknown, licensee.not-disputed, licensee.states-more where these books have less in the
    device; `BadInput` (licensee.reason).
    """
    check_reason(reason)
    person, held = persons.check(ctx, ctx.actor), case(ctx, device=device)
    told = disputed(held) if held is not None else None
    if held is None or told is None or told[0] != amount:
        raise Refused("licensee.not-disputed", device=device, amount=amount)
    most = books.in_device(ctx, device=device)
    if amount > most:
        raise Refused("licensee.states-more", device=device, amount=amount, held=most)
    if accepted(held) != amount:
        about = {"provider": held_device(ctx, device).body["provider"], "refund": held.body["refund"]}
        figures: dict[str, Any] = {"stated": int(amount), "gave": int(told[1]), "reason": reason}
        ctx.note("check-out.accepted", device, clauses=("502.27(b)",), **about, **figures)
        _write(ctx, held, accepted={"stated": int(amount), "by": person, "reason": reason})


def accepted(case: Record) -> Mills | None:
    """Give what a person accepted that the Provider credited, other than the device or the books say."""
    told = case.body.get("accepted")
    return None if told is None else Mills(told["stated"])


def disputes(view: Transaction) -> list[tuple[DeviceId, Mills, Mills]]:
    """Give the returned devices in dispute: what the Provider stated, and what each gave."""
    found = [(DeviceId(row.key), disputed(row)) for row in view.find("check-out")]
    return [(device, *told) for device, told in found if told is not None]


def _explained(ctx: Context, device: DeviceId, lost: Mills) -> bool:
    """Tell whether what is lacking is just what jobs cost that the device may have evidenced, or its hybrid."""
    whose = {device, held_device(ctx, device).body.get(promises.HALF_OF)}
    rows = [row for row in promises.maybe_debited(ctx.tx) if row.body["device"] in whose]
    totals = [int(row.body["total"]) for row in rows if device not in promises.cleared(ctx.tx, row)]
    if len(totals) > _MOST:
        return 0 <= int(lost) <= sum(totals)
    sums = {0}
    for total in totals:
        sums |= {done + total for done in sums}
    return int(lost) in sums


def given(case: Record) -> Mills | None:
    """Give what a device signed that it gave back; None where it gave nothing back yet, or that was not kept."""
    amount = case.body.get("given")
    return None if amount is None else Mills(amount)


def _held(ctx: Context, device: DeviceId) -> Record:
    held = ctx.tx.get("check-out", device)
    assert held is not None
    return held


def _write(ctx: Context, held: Record, **values: Any) -> None:
    ctx.tx.put("check-out", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)
