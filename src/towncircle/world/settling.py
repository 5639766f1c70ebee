"""What a crash left open at a licensee, finished.

Here: the order in which it is finished. Not here: the steps themselves.
"""

from __future__ import annotations

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.licensee import funds, missing, returns
from towncircle.wire.bodies import AccountStatement
from towncircle.world import accounts, leases, quality, returning
from towncircle.world import custody as custody_world
from towncircle.world import missing as missing_world
from towncircle.world.journeys import ANSWERING, Journeys


def settle(journeys: Journeys) -> AccountStatement | None:
    """Finish it, as `Journeys.settle` says."""
    journeys.world.deliver()
    refused: Refused | None = None
    try:
        leases.sign_for(journeys)
    except Refused as refusal:  # told below; a device that never came holds up nothing else
        refused = refusal
    custody_world.settle(journeys)
    with journeys.world.store(journeys.licensee).reading() as view:
        devices, learned = view.find("device"), missing.learned(view)
    for missed in learned:
        missing_world.tell(journeys, missed)
    statement: AccountStatement | None = None
    for order in journeys.do(funds.open_deposits):
        try:
            journeys.finish_deposit(order)
        except Refused as refusal:  # told below; a deposit never holds up a reset
            refused = refusal
    if devices:
        device = DeviceId(devices[-1].key)
        case = journeys.do(lambda ctx: returns.case(ctx, device=device))
        leaving = case is not None and case.body["state"] != returns.DECLINED
        leaving = leaving or journeys.do(lambda ctx: missing.away(ctx, device=device))
        if not leaving and journeys.status().state in ANSWERING:
            statement = journeys.heard(lambda ctx: funds.finish_reset(ctx, device=device), device=device)
        returning.finish(journeys)
    quality.settle(journeys)
    accounts.settle(journeys)
    journeys.world.deliver()
    journeys.world.publish()
    if refused is not None:
        raise refused
    return statement
