"""What a crash left open at a licensee, finished.

Here: the order in which it is finished. Not here: the steps themselves.
"""

from __future__ import annotations

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused, RelayedRefusal, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.licensee import funds, halves, missing, returns
from towncircle.wire.bodies import AccountStatement, ResetStanding
from towncircle.world import accounts, leases, quality, returning
from towncircle.world import custody as custody_world
from towncircle.world import missing as missing_world
from towncircle.world.batch_prices import payer_of
from towncircle.world.journeys import ANSWERING, Journeys


def connect(journeys: Journeys) -> str:
    """Connect the device in use, then the hosted half of a hybrid; give the device's words.

    So is the one of the two that was missed and found, and is not in use again. What hinders another than the device
    in use is told in the words; what hinders that one is raised, after the others were connected.
    """
    device, words = journeys.device, list[str]()
    hindered: TowncircleError | None = None
    with journeys.world.store(journeys.licensee).reading() as view:
        used = halves.of(view, device)
        others = [*used, *(one for one in halves.found(view) if one not in (device, *used))]
    try:
        words.append(journeys.contact_of(device))
    except TowncircleError as error:
        hindered = error
    for other in others:
        try:
            journeys.contact_of(other)
        except TowncircleError as error:
            named = "hosted half" if other in used else "device"
            words.append(f"The {named} {other} is not connected: {error.sentence} {error.next_step}")
    if hindered is not None:
        raise hindered
    return " ".join(words)


def standing(journeys: Journeys, device: DeviceId | None = None) -> tuple[str, str]:
    """Settle the device's open reset, then give where it stands in a word and in a sentence; without one, the last.

    `device` names another one of the licensee's than that in use. The words: none, posted, reserved, voided, or unknown
    to the Provider. What hinders the settling is told with it.
    """
    device = held(journeys, device) if device is not None else journeys.device
    pending = journeys.status_of(device)
    hindered = resume(journeys, device)
    word, sentence = _told(journeys, device, pending.open_request, pending.open_amount)
    return word, " ".join([sentence, *hindered])


def resume(journeys: Journeys, device: DeviceId) -> list[str]:
    """Finish a device's open reset as a connection goes on; give the words for it, or for what hinders it."""
    pending = journeys.status_of(device)
    if not pending.open_request:
        return []
    try:
        statement = _settle_reset(journeys, device)
    except Refused as refusal:  # the connection itself stands
        return [f"The reset of {pending.open_amount} is not settled: {refusal.sentence} {refusal.next_step}"]
    return [f"The reset of {statement.amount} is posted."] if statement is not None else []


def _told(journeys: Journeys, device: DeviceId, request: str, amount: Mills) -> tuple[str, str]:
    pending = journeys.status_of(device)
    try:
        told = journeys.do(lambda ctx: funds.ask_reset(ctx, device=device, request=request))
    except RelayedRefusal as refusal:
        if refusal.code != "provider.no-such-reset":
            raise
        words = f"Nothing is reserved for the reset of {amount}: it was refused, or never came."
        if not pending.open_request:
            return "unknown", words
        return "unknown", f"{words} The next connection asks again, or ends it (towncircle reset DIR --finish)."
    if told is None:
        return "none", "No reset was ever asked for."
    if isinstance(told, AccountStatement):
        words = f"The reset of {told.amount} is posted"
        pending_here = pending.open_request == told.request_id
        return "posted", f"{words}; the device has not told yet." if pending_here else f"{words}."
    assert isinstance(told, ResetStanding)
    return told.state, told.sentence


def set_postage(journeys: Journeys, amount: Mills, *, device: DeviceId | None = None) -> AccountStatement:
    """Set postage into the device in use, or one that is named.

    Raises `Refused` (licensee.service-moved) for one in use whose service was moved to its half: it would lie idle.
    """
    if device is None:
        device = journeys.device
        shown = journeys.shown_of(device)
        payer = payer_of(journeys, device, shown).device
        if shown.device == device != payer:
            raise Refused("licensee.service-moved", device=device, half=payer)
    return journeys.reset(amount, device=device)


def settle_one(journeys: Journeys, device: DeviceId) -> AccountStatement | None:
    """Finish what is open of one device's resets, whatever hinders another one of the licensee's."""
    journeys.world.deliver()
    statement = _settle_reset(journeys, held(journeys, device))
    journeys.world.deliver()
    return statement


def held(journeys: Journeys, device: DeviceId) -> DeviceId:
    """Check that a device is or was the licensee's. Raises `Refused` (licensee.no-device)."""

    def check(ctx: Context) -> None:
        funds.held_device(ctx, device)

    journeys.do(check)
    return device


def settle(journeys: Journeys) -> AccountStatement | None:
    """Finish it, as `Journeys.settle` says."""
    journeys.world.deliver()
    hindered: TowncircleError | None = None
    try:
        leases.sign_for(journeys)
    except TowncircleError as error:  # told below; a device that never came holds up nothing else
        hindered = error
    custody_world.settle(journeys)
    with journeys.world.store(journeys.licensee).reading() as view:
        used, learned = halves.main(view), missing.learned(view)
        pair = [DeviceId(used.key), *halves.of(view, used.key)] if used is not None else []
    for missed in learned:
        missing_world.tell(journeys, missed)
    statement: AccountStatement | None = None
    for order in journeys.do(funds.open_deposits):
        try:
            journeys.finish_deposit(order)
        except TowncircleError as error:  # told below; a deposit never holds up a reset
            hindered = error
    for device in pair:
        try:
            statement = _settle_reset(journeys, device) or statement
        except TowncircleError as error:  # told below; one half of a hybrid holds up neither the other nor what follows
            hindered = error
    if pair:
        try:
            returning.finish(journeys)
        except TowncircleError as error:  # told below; a device on its way out holds up nothing else
            hindered = error
    quality.settle(journeys)
    accounts.settle(journeys)
    journeys.world.deliver()
    journeys.world.publish()
    if hindered is not None:
        raise hindered
    return statement


def _settle_reset(journeys: Journeys, device: DeviceId) -> AccountStatement | None:
    case = journeys.do(lambda ctx: returns.case(ctx, device=device))
    leaving = case is not None and case.body["state"] != returns.DECLINED
    if leaving or journeys.do(lambda ctx: missing.away(ctx, device=device)):
        return None
    if journeys.status_of(device).state not in ANSWERING:
        return None
    told: AccountStatement | None = journeys.heard(lambda ctx: funds.finish_reset(ctx, device=device), device=device)
    return told
