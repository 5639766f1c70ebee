"""The operator's secret of a hosted fleet replaced: every key sealed anew, in groups of devices.

Here: the steps, over the database and the file of the secret. Not here: one device with a store of its own
(`psd.resealing`), wrapping keys (`wrapping`).
Kept: no host has the database meanwhile. The new secret is on the disk first, beside the old one; a device changes in
one commit; devices that are done are left when a run that was cut is begun again. The old secret is overwritten when
no device needs it. A key that a release before wrapping keys made gets one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import Randomness
from towncircle.psd.hosted.seat import FleetStore
from towncircle.psd.hosted.wrapping import WrappedSlots, WrappingKeys
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Change
from towncircle.psd.opening import bytes_of
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.resealing import NEXT, keep_secret, opens, overwrite, resealed, sync

_GROUP = 200  # devices in one commit
_AT_HAND = 8  # opened keys


@cites("502.8b")
def reseal_fleet(store: FleetStore, devices: Iterable[DeviceId], old: SoftwareSlots, new: SoftwareSlots) -> int:
    """Seal the keys of all these devices anew, and have the database let go of older versions; give how many changed.

    One that opens under the new secret already is left. Raises `Refused` (psd.store-stale, pki.key-file-locked): what
    was committed before stands, and the same again goes on.
    """
    count = 0
    for names in _groups(devices):
        changes = []
        for name, state in store.load(names).items():
            changed = state if opens(new, state) else resealed(state, old, new)
            if changed is not state:
                changes.append(Change(name, state.counter, state.epoch, changed, ()))
        old.drop()
        new.drop()
        if changes:
            store.commit(changes)
            count += len(changes)
    store.forget_keys()
    return count


@cites("502.8b")
def reseal_hosted(dsn: str, secret: Path, wrapping: Path | None, randomness: Randomness) -> int:
    """Replace the operator's secret of all devices in a database, and the file it lies in; give how many changed.

    Raises `Refused` (psd.fleet-served) while a host has the database, and what opening a key raises.
    """
    draft = secret.with_name(secret.name + NEXT)
    if not draft.exists():
        keep_secret(draft, randomness)
    with ExitStack() as opened:
        store = PostgresMemory(dsn, alone=True)
        opened.callback(store.close)
        keys = WrappingKeys(wrapping) if wrapping is not None else None
        if keys is not None:
            opened.callback(keys.close)
            keys.bind(store)
            keys.settle(store)
        old, new = (_hosted(place, keys, randomness) for place in (secret, draft))
        count = reseal_fleet(store, store.devices(), old, new)
    with suppress(FileNotFoundError):
        overwrite(secret)
    draft.replace(secret)
    sync(secret.parent)
    return count


def _hosted(place: Path, keys: WrappingKeys | None, randomness: Randomness) -> SoftwareSlots:
    provider = bytes_of(place)
    if keys is None:
        return SoftwareSlots(provider, randomness)
    return WrappedSlots(provider, randomness, limit=_AT_HAND, wrapping=keys)


def check_whole(secret: Path) -> None:
    """Check that no replacement of a fleet's secret is under way. Raises `Refused` (psd.reseal-open)."""
    draft = secret.with_name(secret.name + NEXT)
    if draft.exists():
        raise Refused("psd.reseal-open", path=draft)


def _groups(devices: Iterable[DeviceId]) -> Iterator[Sequence[DeviceId]]:
    left = iter(devices)
    while group := tuple(islice(left, _GROUP)):
        yield group
