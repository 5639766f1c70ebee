"""The two devices of a hybrid, as their licensee keeps them: the one that he uses, and its hosted half.

Here: which device is which. Not here: the lease of the half (`setup`), where a request for pieces goes (the hybrid's
host), who made a piece (its own content says so: `maker`).
Kept: they are two devices, each with a lease, registers and books of its own; nothing of the one is booked for the
other. The half stands in for the first while that does not answer, and takes its place when it is out of service or
missing.
"""

from __future__ import annotations

from towncircle.indicium.codec import decode
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BrokenInvariant
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import missing, returns
from towncircle.licensee.promises import HALF_OF, LEASED
from towncircle.psd.commands import Evidenced


def main(view: Transaction) -> Record | None:
    """Give the device that a licensee uses: the one leased last, but for a half whose first device is in use."""
    for row in reversed(by_lease(view)):
        first = row.body.get(HALF_OF)
        if not first or _left(view, first):
            return row
    return None


def by_lease(view: Transaction) -> list[Record]:
    """Give a licensee's devices in the order of their leases; those of the release before first, by number."""
    return sorted(view.find("device"), key=lambda row: (row.body.get(LEASED, 0), row.key))


def of(view: Transaction, device: str) -> list[DeviceId]:
    """Give the hosted half of a device, where it has one that is not out of service."""
    return [half for half in ever_of(view, device) if not _left(view, half)]


def ever_of(view: Transaction, device: str) -> list[DeviceId]:
    """Give every half that a device ever had, the one leased last at the end."""
    return [DeviceId(row.key) for row in by_lease(view) if row.body.get(HALF_OF) == device]


def first_of(view: Transaction, half: str) -> DeviceId | None:
    """Give the device whose half this is, while that is in use; None for any other device."""
    row = view.get("device", half)
    first = row.body.get(HALF_OF) if row is not None else None
    return DeviceId(first) if first and not _left(view, first) else None


def maker(ctx: Context, done: Evidenced, *, asked: DeviceId) -> DeviceId:
    """Give the device that made pieces, by their own content: the one that was asked, or its half."""
    found = decode(done.indicia()[0]).device or asked
    if found != asked and found not in of(ctx.tx, asked):
        raise BrokenInvariant("kernel.internal", what=f"{found} made pieces that {asked} was asked for")
    return found


@cites("502.24c/4")
def back(ctx: Context, *, device: DeviceId) -> None:
    """Take a device that was missed into use again, its Provider having renewed it; one that was replaced is not used.

    That is the device in use, or its half, whichever of the two the other one stands in for.
    """
    if device in _places(ctx.tx):
        missing.back(ctx, device=device)


def found(view: Transaction) -> list[DeviceId]:
    """Give the devices that were missed and found, were not replaced, and wait to be connected and renewed."""
    return [device for device in _places(view) if missing.found(view, device)]


def _places(view: Transaction) -> list[DeviceId]:
    """Give the device that was leased last, but for halves, and its half that was leased last."""
    firsts = [row.key for row in by_lease(view) if not row.body.get(HALF_OF)]
    return [DeviceId(firsts[-1]), *ever_of(view, firsts[-1])[-1:]] if firsts else []


def _left(view: Transaction, device: str) -> bool:
    case, missed = view.get("check-out", device), view.get("missing", device)
    out = case is not None and case.body["state"] == returns.DONE
    return out or (missed is not None and missed.body["state"] != missing.BACK)
