"""The operator's secret of a hosted fleet replaced: every key sealed anew, in groups of devices.

Here: the steps, over the database and the file of the secret. Not here: one device with a store of its own
(`psd.resealing`), wrapping keys (`wrapping`).
Kept: no host has the database meanwhile. The new secret is on the disk first, beside the old one; a device changes in
one commit; devices that are done are left when a run that was cut is begun again. The old secret is overwritten when
no device needs it, and the database knows by then which secret is the new one: a host that has another is refused. A
device whose row or key cannot be read holds nobody else up: it is left as it is, and named. A key that a release before
wrapping keys made gets one. A key in a token is sealed under no secret, and is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import Randomness
from towncircle.psd.hosted.seat import FleetStore, read_each
from towncircle.psd.hosted.wrapping import WrappedSlots, WrappingKeys
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Change
from towncircle.psd.opening import bytes_of
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.resealing import NEXT, held_here, keep_secret, opens, overwrite, resealed, sync

_GROUP = 200  # devices in one commit
_AT_HAND = 8  # opened keys
_LOST = ("pki.key-file-locked", "psd.wrapping-gone")  # this device's key, whatever is tried


@cites("502.8b")
def reseal_fleet(
    store: FleetStore, devices: Iterable[DeviceId], old: SoftwareSlots, new: SoftwareSlots
) -> tuple[int, list[DeviceId]]:
    """Seal the keys of all these devices anew, and have the database let go of older versions.

    Gives how many changed, and the devices that cannot be read. One that opens under the new secret already is left.
    Raises `Refused` (psd.store-stale): what was committed before stands, and the same again goes on; and where no
    key opens, what the first of them raised.
    """
    count, read, lost = 0, 0, dict[DeviceId, TowncircleError]()
    for names in _groups(devices):
        changes = []
        for name, state in read_each(store.load, names, lost).items():
            try:
                changed = state if opens(new, state) else resealed(state, old, new)
            except Refused as error:
                if error.code not in _LOST:
                    raise
                lost[name] = error
                continue
            read += bool(held_here(state))
            if changed is not state:
                changes.append(Change(name, state.counter, state.epoch, changed, ()))
        old.drop()
        new.drop()
        if changes:
            store.commit(changes)
            count += len(changes)
    if lost and not read:  # another secret than the fleet's, most likely
        raise max(lost.values(), key=lambda error: error.code == _LOST[0])
    store.forget_keys()
    return count, list(lost)


@cites("502.8b")
def reseal_hosted(dsn: str, secret: Path, wrapping: Path | None, randomness: Randomness) -> tuple[int, list[DeviceId]]:
    """Replace the operator's secret of all devices in a database, and the file it lies in.

    Gives how many changed, and the devices that cannot be read, which are as they were. Raises `Refused`
    (psd.fleet-served) while a host has the database, and what `reseal_fleet` raises.
    """
    draft = secret.with_name(secret.name + NEXT)
    if not draft.exists():
        keep_secret(draft, randomness)
    count, lost = 0, list[DeviceId]()
    with ExitStack() as opened:
        store = PostgresMemory(dsn, alone=True)
        opened.callback(store.close)
        keys = WrappingKeys(wrapping) if wrapping is not None else None
        if keys is not None:
            opened.callback(keys.close)
            keys.bind(store)
            keys.settle(store)
        old, new = (_hosted(place, keys, randomness) for place in (secret, draft))
        if not store.is_secret(bytes_of(draft)()):  # else cut just before its file was renamed
            count, lost = reseal_fleet(store, store.devices(), old, new)
            store.keep_secret_mark(bytes_of(draft)())
    with suppress(FileNotFoundError):
        overwrite(secret)
    draft.replace(secret)
    sync(secret.parent)
    return count, lost


def _hosted(place: Path, keys: WrappingKeys | None, randomness: Randomness) -> SoftwareSlots:
    provider = bytes_of(place)
    if keys is None:
        return SoftwareSlots(provider, randomness)
    return WrappedSlots(provider, randomness, limit=_AT_HAND, wrapping=keys)


def make_secret(secret: Path, store: PostgresMemory, randomness: Randomness) -> bool:
    """Make the secret of a fleet that has no device yet; tell whether it did. Raises `Refused` (psd.no-secret)."""
    if secret.exists():
        return False
    if next(iter(store.devices()), None) is not None:  # their keys are sealed under the one that is not there
        raise Refused("psd.no-secret", path=secret)
    keep_secret(secret, randomness)
    return True


def check_whole(secret: Path) -> None:
    """Check that no replacement of a fleet's secret is under way. Raises `Refused` (psd.reseal-open)."""
    draft = secret.with_name(secret.name + NEXT)
    if draft.exists():
        raise Refused("psd.reseal-open", path=draft)


def _groups(devices: Iterable[DeviceId]) -> Iterator[Sequence[DeviceId]]:
    left = iter(devices)
    while group := tuple(islice(left, _GROUP)):
        yield group
