"""Leases as a licensee walks them: the first one, and one after a device has left.

Here: which license and which request id a lease is asked for under, and that its device is signed for. Not here: the
other journeys (`journeys`), what a lease is (`provider.leasing`).
Kept: asking again gives the confirmed lease, until its device is out of service, missing, or failed and on its way out;
a device that nobody has signed for yet is signed for then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.licensee import custody, halves, missing, returns, setup
from towncircle.licensee.licenses import license_held
from towncircle.provider.agreements import DEPOSIT_ACKNOWLEDGMENT, LEASE_AGREEMENT, digest_of
from towncircle.psd.states import FAULTED
from towncircle.rules.rulesets import check_indicia
from towncircle.wire.bodies import LeaseConfirmed, LeaseSigned
from towncircle.world.hosting import hosts_of
from towncircle.world.lines import is_hosted

if TYPE_CHECKING:
    from towncircle.world.journeys import Journeys


def lease(journeys: Journeys) -> LeaseConfirmed:
    """Lease a device under the license held; a confirmed lease is given again until its device leaves."""
    with journeys.world.store(journeys.licensee).reading() as view:
        licenses, held = view.find("license"), halves.main(view)
    if not licenses:
        raise Refused("world.no-license", licensee=journeys.licensee)
    row: Record = journeys.do(license_held)
    if held is None:
        return _lease(journeys, row, row.key)
    last = DeviceId(held.key)
    gone = journeys.do(lambda ctx: missing.gone(ctx, device=last)) or _gone(journeys, last)
    sign_for(journeys)
    if gone:
        return _lease(journeys, row, f"{row.key} after {last}")
    return LeaseConfirmed(lease=held.body["lease"], device=last, account=held.body["account"])


def lease_half(journeys: Journeys) -> LeaseConfirmed:
    """Lease the hosted half of a hybrid, beside the device in use; one that is leased is given again.

    Raises `Refused`: world.half-hosted where the device in use is hosted itself, world.no-hosting.
    """
    world, first = journeys.world, journeys.device
    sign_for(journeys)
    with world.store(journeys.licensee).reading() as view:
        held, known, left = view.get("device", first), halves.of(view, first), halves.ever_of(view, first)
        license_row = view.get("license", held.body["license"]) if held is not None else None
        half = view.get("device", known[0]) if known else None
    assert held is not None
    assert license_row is not None
    if half is not None:
        return LeaseConfirmed(lease=half.body["lease"], device=DeviceId(half.key), account=half.body["account"])
    if is_hosted(world.shelf.folder_of(first)):
        raise Refused("world.half-hosted", device=first)
    hosts = hosts_of(world.folder / held.body["provider"])
    if hosts is None or not hosts.open:
        raise Refused("world.no-hosting", provider=held.body["provider"])
    journeys.contact_of(first)  # the lease of a device that has never spoken would be given again
    named = f"{license_row.key} beside {first}"
    return _lease(journeys, license_row, f"{named} after {left[-1]}" if left else named, half_of=first)


def replace(journeys: Journeys, device: DeviceId) -> DeviceId:
    """Lease a replacement for a device under the same license, once; give it."""
    with journeys.world.store(journeys.licensee).reading() as view:
        old = view.get("device", device)
        license_row = view.get("license", old.body["license"]) if old is not None else None
    assert license_row is not None
    return DeviceId(_lease(journeys, license_row, f"{license_row.key} after {device}").device)


def _gone(journeys: Journeys, device: DeviceId) -> bool:
    """Tell whether a device is out of service, or was to leave, failed, and waits for its examination."""
    case = journeys.do(lambda ctx: returns.case(ctx, device=device))
    if case is None:
        return False
    waits = case.body["state"] in (returns.NOTED, returns.DECLINED)
    return case.body["state"] == returns.DONE or (waits and journeys.status_of(device).state == FAULTED)


def _lease(journeys: Journeys, license_row: Record, request_id: str, *, half_of: str = "") -> LeaseConfirmed:
    check_indicia(journeys.world.config.regime)
    signed = LeaseSigned(
        license=license_row.key,
        agreement_digest=digest_of(LEASE_AGREEMENT),
        financial_agreement=True,
        deposit_acknowledgment=digest_of(DEPOSIT_ACKNOWLEDGMENT),
        signed_by=journeys.licensee,
    )
    provider = license_row.body["provider"]
    confirmed: LeaseConfirmed = journeys.do(
        lambda ctx: setup.lease(ctx, provider=provider, signed=signed, request_id=request_id, half_of=half_of)
    )
    sign_for(journeys)
    return confirmed


def sign_for(journeys: Journeys) -> None:
    """Sign for every leased device that came and was not signed for yet, and have the register told.

    One that is refused keeps no other from being signed for: its refusal is raised after them.
    """
    refused: Refused | None = None
    for device in journeys.do(custody.awaited):
        try:
            journeys.do(lambda ctx, device=device: custody.accept(ctx, device=device))  # type: ignore[misc]  # bound at once
        except Refused as refusal:
            refused = refusal
    if refused is not None:
        raise refused
