"""A device that answers and cannot open its keys any more: their secret, wrapping key or token is lost.

Here: how that is told from a device that failed, and from one that signs. Not here: its way out of service
(`returning`), its examination (`provider.defects`) and the claim for what is in it (`provider.claims`).
Kept: it can sign nothing that it gives back, so it leaves as one that failed does. A person's word alone ends nothing
(house, ADR 61): the device is asked to sign once more, and only its own refusal counts: not that its token is left
alone because of another device's request (psd.token-busy), and not a wrong PIN.
"""

from __future__ import annotations

from functools import partial

from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.licensee import returns
from towncircle.psd.commands import StatusReport
from towncircle.psd.pkcs11 import OF_THE_PIN
from towncircle.psd.states import FAULTED
from towncircle.world.journeys import Journeys

LOST = frozenset(
    {
        *("pki.bad-secret", "pki.key-file-locked", "pki.bad-passphrase-file", "psd.no-secret"),
        *(
            "psd.keys-lost",
            "psd.reseal-open",
            "psd.wrapping-gone",
            "psd.token-failed",
            "psd.token-missing",
            "psd.token-refused",
        ),
    }
)


def give_up(journeys: Journeys, device: DeviceId, *, reason: str, by: str) -> None:
    """Write down that a device goes out of service without its keys.

    Raises `Refused` (licensee.device-signs) for one that signs, and what else keeps it from signing.
    """
    if journeys.status_of(device).state != FAULTED and not _cannot_sign(journeys, device):
        raise Refused("licensee.device-signs", device=device)
    begin = partial(returns.begin, device=device, purpose="return", reason=reason, failed=True)
    journeys.do(begin, actor=by)


def is_silent(journeys: Journeys, device: DeviceId, status: StatusReport | None, case: Record | None) -> bool:
    """Tell whether a device that goes out of service signs nothing: it failed, or it was given up and has no keys."""
    if status is None:
        return False
    return status.state == FAULTED or (returns.given_up(case) and _cannot_sign(journeys, device))


def is_over(journeys: Journeys, device: DeviceId) -> bool:
    """Tell whether nothing more is to be had from a device: it is out of service, failed, or cannot open its keys."""
    case: Record | None = journeys.do(lambda ctx: returns.case(ctx, device=device))
    out = case is not None and case.body["state"] == returns.DONE
    if out or journeys.status_of(device).state == FAULTED:
        return True
    try:
        return _cannot_sign(journeys, device)
    except Refused:
        return False


def _cannot_sign(journeys: Journeys, device: DeviceId) -> bool:
    try:
        with journeys.world.shelf.client(device) as client:
            client.audit()
    except (Refused, BadInput) as error:
        if not is_loss(error):
            raise
        return True
    return False


def is_loss(error: TowncircleError) -> bool:
    """Tell whether an error says that keys cannot be opened; a token that refuses the PIN says nothing of them."""
    return error.code in LOST and not any(word in error.sentence for word in OF_THE_PIN)
