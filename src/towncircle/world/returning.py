"""Giving a device back, and moving its balance to a replacement: the journeys in steps that a crash cannot double.

Here: the order of the steps, and taking up what was interrupted. Not here: decisions (`licensee.returns`,
`licensee.transfers`, `provider.checkouts`).
Kept: a balance is withdrawn, then credited, then set by an ordinary reset; in between it lies in one place, and every
step can be walked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused, RelayedRefusal, TowncircleError
from towncircle.kernel.ids import DeviceId, TransferId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.licensee import funds, returns, transfers
from towncircle.postal import balances as coordinator
from towncircle.provider import balances
from towncircle.psd.commands import StatusReport
from towncircle.psd.states import AUTHORISED, FAULTED, IN_SERVICE, LOCKED
from towncircle.wire.bodies import CheckOutStatement
from towncircle.world import keyless
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.supervising import at_provider, by_officer, provider_of
from towncircle.world.world import World

_ANSWERING = (AUTHORISED, IN_SERVICE, LOCKED)
_OPEN = (returns.BEGUN, returns.NOTED)
_RETURN, _REPLACEMENT = "return", "replacement"
_UNBELIEVED = "wire.unknown-key"  # its certificates were revoked, or ended: what it signs counts for nothing
_AS_NOTED = ("provider.frozen", "provider.retired", "provider.not-leased", _UNBELIEVED)
_DISPUTED = "licensee.not-what-it-gave"
_LEFT = ("licensee.fault-unsettled", "provider.balance-waiting", _DISPUTED)  # what waits for others
_ITS_OWN = ("provider.", "person.", "machine.", "missing.")  # the Provider's decisions, no word about the way
_THERE = {"provider.case-open", "person.unknown", "person.other-office"}  # why the sandbox's own persons did not act
OUT_OF_REACH = ("psd.", "transport.", "world.station-")  # what refuses where a device cannot be asked
_TRIES = 3  # replacements that one walk tries


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """Hold a transfer that is done: from which device to which, how much, and by whom."""

    transfer: str
    device: DeviceId
    replacement: DeviceId
    amount: Mills
    requested_by: str
    approved_by: str


def withdraw(
    journeys: Journeys,
    *,
    reason: str,
    by: str = "",
    device: DeviceId | None = None,
    wait: bool = False,
    failed: bool = False,
) -> CheckOutStatement:
    """Give the licensee's device back, or the one named; give the Provider's statement of the balance it credited.

    An interrupted one is finished. With `wait`, section G and the credit are left to the persons of both offices. With
    `failed`, one that cannot open its keys goes as one that failed. Raises `Refused`: licensee.device-signs,
    licensee.checked-out for a device that is out already, provider.balance-waiting while they act.
    """
    if by:
        journeys.do(lambda ctx: persons.check(ctx, by))
    journeys.do(transfers.none_open)
    device = device or journeys.device
    if failed:
        keyless.give_up(journeys, device, reason=reason, by=by)
    return _check_out(journeys, device, purpose=_RETURN, reason=reason, actor=by, wait=wait)


def sign_form(world: World, device: str, *, by: str) -> Record:
    """Sign section G of Form 3601-C as a person of the Provider; it goes to the District MATS coordinator.

    A form that the Postal Service refused goes again. Raises its refusal.
    """
    provider = provider_of(world, device)
    sign = partial(balances.sign_form, device=device, again=_refused_form(world, provider, device) is not None)
    held: Record = at_provider(world, provider, sign, by=by, act="custody sign-form")
    told = _refused_form(world, provider, device)
    if told is not None:
        raise told
    return held


def _refused_form(world: World, provider: str, device: str) -> RelayedRefusal | None:
    """Give the Postal Service's refusal of the form of a balance, where it was the last word."""
    with world.store(provider).reading() as view:
        held = view.get("check-out", device)
        if held is None or provider not in world.desks:
            return None
        return world.desk(provider).outbox.refused(view, balances.form_key(held.body["refund"]))


def arrange(world: World, device: str, *, by: str) -> Record:
    """Arrange the credit of a balance as the MATS coordinator; the Provider credits the account."""
    world.deliver()
    held: Record = by_officer(world, partial(coordinator.arrange, device=device), by=by, act="custody arrange")
    return held


def return_device(journeys: Journeys, device: DeviceId, *, reason: str) -> CheckOutStatement:
    """Give one of the licensee's devices back, such as one that was recovered after its replacement was supplied."""
    if journeys.status_of(device).state != FAULTED:
        try:
            journeys.heard(lambda ctx: funds.finish_reset(ctx, device=device), device=device)
        except RelayedRefusal as refusal:
            if refusal.code != "missing.reported":  # it was read; there is nothing to finish
                raise
    journeys.do(lambda ctx: returns.begin(ctx, device=device, purpose=_RETURN, reason=reason), actor="")
    return _steps(journeys, device, actor="")


def request_transfer(journeys: Journeys, *, by: str, reason: str) -> Record:
    """Ask for the transfer of the device's balance to a replacement. Nothing moves before another person approves.

    Raises `Refused` (licensee.device-faulted) for a device that cannot sign what it gives back.
    """
    device = journeys.device
    if journeys.status().state == FAULTED:
        raise Refused("licensee.device-faulted", device=device)
    name = journeys.new(TransferId.new)
    held: Record = journeys.do(
        lambda ctx: transfers.request(ctx, device=device, reason=reason, transfer=name), actor=by
    )
    return held


def approve_transfer(journeys: Journeys, *, by: str) -> Transferred:
    """Approve the open transfer and walk it to its end; an interrupted one is finished."""
    return _move(journeys, journeys.do(transfers.approve, actor=by))


def cancel_transfer(journeys: Journeys, *, by: str) -> Record:
    """Take back a transfer that nobody has approved; two persons end one whose old device gives nothing more.

    What was credited stays in the account.
    """
    case = journeys.do(transfers.open_case)
    out = case is not None and keyless.is_over(journeys, DeviceId(case.body["device"]))
    held: Record = journeys.do(lambda ctx: transfers.cancel(ctx, out=out), actor=by)
    return held


def finish(journeys: Journeys) -> None:
    """Finish what an interruption left of check-outs and of an approved transfer.

    None holds up another: what waits for others to act is left, and what else hinders one is raised after them all.
    """
    with journeys.world.store(journeys.licensee).reading() as view:
        moving = [row for row in view.find("transfer") if row.body["state"] == transfers.APPROVED]
        cases = [row for row in view.find("check-out") if row.body["state"] in _OPEN]
    moved, hindered = {row.key for row in moving}, list[TowncircleError]()
    steps = [partial(_go_on, journeys, case) for case in cases if case.body["transfer"] not in moved]
    for step in [*steps, *(partial(_move_on, journeys, row) for row in moving)]:
        try:
            step()
        except TowncircleError as error:
            hindered += [] if _waits(error) else [error]
    if hindered:
        raise hindered[0]


def _go_on(journeys: Journeys, case: Record) -> None:
    body, device = case.body, DeviceId(case.key)
    away = returns.given(case) is None and _told_by(journeys, device) is None
    try:
        if not (away and body["state"] == returns.BEGUN):
            _steps(journeys, device, actor=body["requested_by"], approval=body["approved_by"])
    except Refused as refusal:
        if not (away and refusal.code.startswith(OUT_OF_REACH)):
            raise


def _move_on(journeys: Journeys, moving: Record) -> None:
    """Walk a transfer on, where the device whose turn it is can be asked: the old one until it has given back."""
    case: Record | None = journeys.do(lambda ctx: returns.case(ctx, device=DeviceId(moving.body["device"])))
    given = case is not None and (case.body["state"] == returns.DONE or returns.given(case) is not None)
    device = moving.body["replacement"] if given else moving.body["device"]
    if not device or _told_by(journeys, DeviceId(device)) is not None:
        _move(journeys, moving)


def _waits(refusal: TowncircleError) -> bool:
    """Tell whether a refusal only says that others are to act first."""
    return refusal.code in _LEFT or (refusal.code in _THERE and not isinstance(refusal, RelayedRefusal))


def _check_out(
    journeys: Journeys,
    device: DeviceId,
    *,
    purpose: str,
    reason: str,
    transfer: str = "",
    wait: bool = False,
    **who: str,
) -> CheckOutStatement:
    case: Record | None = journeys.do(lambda ctx: returns.case(ctx, device=device))
    begun = case is not None and case.body["state"] != returns.DECLINED
    if not begun and journeys.status_of(device).state in _ANSWERING:
        try:
            journeys.heard(lambda ctx: funds.finish_reset(ctx, device=device), device=device)  # none is left in transit
        except RelayedRefusal as refusal:
            if refusal.code not in _AS_NOTED:  # the notice is answered by which it is
                raise
    journeys.do(
        lambda ctx: returns.begin(ctx, device=device, purpose=purpose, reason=reason, transfer=transfer, wait=wait),
        **who,
    )
    return _steps(journeys, device, **who)


def _steps(journeys: Journeys, device: DeviceId, *, actor: str, approval: str = "") -> CheckOutStatement:
    who = {"actor": actor, "approval": approval}
    case: Record | None = journeys.do(lambda ctx: returns.case(ctx, device=device))
    noted = case is not None and case.body["state"] == returns.NOTED
    status = _told_by(journeys, device) if noted else journeys.status_of(device)  # by then it may be scrapped
    faulted = keyless.is_silent(journeys, device, status, case)
    try:
        journeys.do(lambda ctx: returns.give_notice(ctx, device=device, faulted=faulted), **who)
    except RelayedRefusal as refusal:
        if refusal.code.startswith(_ITS_OWN):
            journeys.do(lambda ctx: returns.decline(ctx, device=device), **who)
        if faulted and refusal.code == "provider.reset-open":  # the device cannot settle it any more
            raise Refused("licensee.fault-unsettled", device=device) from refusal
        raise
    except BadInput:  # it could not even be sealed, so nobody has it
        journeys.do(lambda ctx: returns.decline(ctx, device=device), **who)
        raise
    try:
        told = _credited(journeys, device, who, faulted=faulted)
    except Refused as refusal:
        if refusal.code == _DISPUTED:
            journeys.do(partial(returns.dispute, device=device, refusal=refusal), **who)
        raise
    journeys.world.deliver()
    return told


def _credited(journeys: Journeys, device: DeviceId, who: dict[str, str], *, faulted: bool) -> CheckOutStatement:
    """Take the Provider's statement, after the device has given its balance back where it has not done so."""
    try:
        return _concluded(journeys, device, who)
    except RelayedRefusal as not_yet:
        if not_yet.code != "provider.not-given-back":
            raise
        if faulted:
            raise Refused("licensee.fault-unsettled", device=device) from not_yet
        try:
            journeys.do(lambda ctx: returns.give_back(ctx, device=device), **who)
        except RelayedRefusal as refusal:
            if refusal.code != _UNBELIEVED:
                raise
            journeys.do(lambda ctx: returns.give_notice(ctx, device=device, faulted=True), **who)  # as one that failed
        return _concluded(journeys, device, who)


@cites("502.27b/4")
def waiting(journeys: Journeys) -> list[tuple[DeviceId, Mills | None]]:
    """Give the balances that devices gave back and that are not credited yet; None where one does not answer now."""
    with journeys.world.store(journeys.licensee).reading() as view:
        cases = [row for row in view.find("check-out") if row.body["state"] == returns.NOTED]
    given = [(DeviceId(row.key), _given(journeys, row)) for row in cases if returns.disputed(row) is None]
    return [(device, amount) for device, amount in given if amount != ZERO]


def _given(journeys: Journeys, case: Record) -> Mills | None:
    """Give what a device gave back: as it signed it, or, where that is not written down, as it shows it now."""
    signed = returns.given(case)
    told = _told_by(journeys, DeviceId(case.key)) if signed is None else None
    return told.withdrawn_total if told is not None else signed


def _told_by(journeys: Journeys, device: DeviceId) -> StatusReport | None:
    """Ask a device for its status; None where it cannot be asked: its host is away, or does not serve it any more."""
    try:
        return journeys.status_of(device)
    except Refused as refusal:
        if not refusal.code.startswith(OUT_OF_REACH):
            raise
        return None


@cites("502.27b/2", "502.27b/4")
def _concluded(journeys: Journeys, device: DeviceId, who: dict[str, str]) -> CheckOutStatement:
    """Take the Provider's statement; the sandbox's own officer and coordinator act first, unless others are to."""
    world, asks = journeys.world, _told_by(journeys, device) is not None
    world.deliver()
    try:
        told: CheckOutStatement = journeys.do(lambda ctx: returns.conclude(ctx, device=device, asks=asks), **who)
    except RelayedRefusal as refusal:
        case: Record | None = journeys.do(lambda ctx: returns.case(ctx, device=device))
        left = case is not None and bool(case.body.get("wait"))
        if (
            refusal.code != "provider.balance-waiting"
            or left
            or not {*world.config.providers, POSTAL} <= {*world.desks}
        ):
            raise
        sign_form(world, device, by="officer")
        arrange(world, device, by="mats")
        told = journeys.do(lambda ctx: returns.conclude(ctx, device=device, asks=asks), **who)
    return told


def _move(journeys: Journeys, held: Record) -> Transferred:
    if held.body["state"] != transfers.DONE:
        held = _carried_out(journeys, held)
    body = held.body
    return Transferred(
        transfer=held.key,
        device=DeviceId(body["device"]),
        replacement=DeviceId(body["replacement"]),
        amount=Mills(body["amount"]),
        requested_by=body["requested_by"],
        approved_by=body["approved_by"],
    )


def _carried_out(journeys: Journeys, held: Record) -> Record:
    body, device = held.body, DeviceId(held.body["device"])
    who = {"actor": body["requested_by"], "approval": body["approved_by"]}
    case: Record | None = journeys.do(lambda ctx: returns.case(ctx, device=device))
    if case is None or case.body["state"] != returns.DONE:
        try:
            told = _check_out(journeys, device, purpose=_REPLACEMENT, reason=body["reason"], transfer=held.key, **who)
        except (Refused, BadInput):
            case = journeys.do(lambda ctx: returns.case(ctx, device=device))
            if case is not None and case.body["state"] == returns.DECLINED:
                journeys.do(lambda ctx: transfers.refused(ctx, transfer=held.key), **who)
            raise
        amount, refund = told.amount, told.refund
    else:
        amount, refund = Mills(case.body["amount"]), str(case.body["refund"])
    reset = _replace(journeys, held, amount, who)
    done: Record = journeys.do(
        lambda ctx: transfers.done(ctx, transfer=held.key, amount=amount, refund=refund, reset=reset), **who
    )
    return done


def _replace(journeys: Journeys, held: Record, amount: Mills, who: dict[str, str]) -> str:
    """Lease a replacement and set the balance into it; give the reset's request id.

    One that failed, or came under suspicion, before anything was set into it is replaced in its turn.
    """
    found = DeviceId(held.body["replacement"] or journeys.replace(DeviceId(held.body["device"])))
    for left in reversed(range(_TRIES)):
        journeys.do(lambda ctx, found=found: transfers.replaced(ctx, transfer=held.key, replacement=found), **who)  # type: ignore[misc]  # bound at once
        try:
            if left and _failed_unset(journeys, found):
                _retire(journeys, found, who)
            else:
                return _set(journeys, found, amount, who)
        except RelayedRefusal as refusal:
            if not left or refusal.code != "provider.not-leased":  # no reset was authorised to it
                raise
        found = journeys.replace(found)
    raise BrokenInvariant("kernel.internal", what="a walk had no last try")


def _failed_unset(journeys: Journeys, device: DeviceId) -> bool:
    status = journeys.status_of(device)
    return status.state == FAULTED and not status.open_request and status.resets_total == ZERO


def _retire(journeys: Journeys, device: DeviceId, who: dict[str, str]) -> None:
    """Take a replacement that failed empty out of service."""
    case: Record | None = journeys.do(lambda ctx: returns.case(ctx, device=device))
    if case is None or case.body["state"] != returns.DONE:
        _check_out(journeys, device, purpose=_RETURN, reason="it failed before it held anything", wait=False, **who)


def _set(journeys: Journeys, replacement: DeviceId, amount: Mills, who: dict[str, str]) -> str:
    """Set the balance into the replacement by its first reset, once; give the reset's request id.

    Until the transfer is done the replacement takes no other reset (`transfers.may_reset`), so its first is this one.
    """
    if amount == ZERO:
        return ""
    status = journeys.status_of(replacement)
    if status.open_request:  # an interrupted one: it is finished, or the Provider ends it
        journeys.do(lambda ctx: funds.finish_reset(ctx, device=replacement), **who)
        status = journeys.status_of(replacement)
    if status.resets_total == ZERO:
        journeys.do(lambda ctx: funds.reset(ctx, device=replacement, amount=amount), **who)
    journeys.do(lambda ctx: funds.finish_reset(ctx, device=replacement), **who)  # its registers reach everybody
    return journeys.status_of(replacement).last_applied
