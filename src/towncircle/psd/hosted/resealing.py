"""The operator's secret of a hosted fleet: whose it is, and replaced, every key sealed anew in groups of devices.

Here: the start of a host with its secret; the steps, over the database and the file of the secret. Not here: one device
with a store of its own (`psd.resealing`), wrapping keys (`wrapping`).
Kept: no host has the database meanwhile, and no other database was served with the same file (a note of each lies
beside it). The new secret is on the disk first, beside the old one; a device changes in one commit; devices that are
done are left when a run that was cut is begun again. The old secret is overwritten when no device needs it, unless its
file has another name; the database knows by then which secret is the new one: a host that has another is refused. A
device whose row or key cannot be read holds nobody else up: it is left as it is, and named. A key that a release before
wrapping keys made gets one. A key in a token is sealed under no secret, and is left as it is. A database that no
release with marks has served takes the mark of a secret that opens a key of its devices, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from itertools import chain, islice
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import Randomness
from towncircle.pki import durable
from towncircle.pki.keyfile import SecretProvider, checked
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd.hosted.seat import FleetStore, read_each
from towncircle.psd.hosted.wrapping import WrappedSlots, WrappingKeys
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Change
from towncircle.psd.opening import bytes_of
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.resealing import NEXT, held_here, is_linked, keep_secret, opens, overwrite, resealed

_GROUP = 200  # devices in one commit
_AT_HAND = 8  # opened keys
_TRIED = 8  # house: devices whose keys a secret may fail to open before it is another one
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
def reseal_hosted(
    dsn: str, secret: Path, wrapping: Path | None, randomness: Randomness, *, only: bool = False
) -> tuple[int, list[DeviceId], list[Path]]:
    """Replace the operator's secret of all devices in a database, and the file it lies in.

    Gives how many changed, the devices that cannot be read, which are as they were, and the old file where it is a
    link: its other name holds the old secret still. Raises `Refused` (psd.fleet-served) while a host has the database,
    (psd.secret-shared) where another database was served with that file, (psd.secret-unnoted) where no host has noted
    which are, unless a person says that it is this one `only`; and what `reseal_fleet` raises.
    """
    draft = secret.with_name(secret.name + NEXT)
    count, lost, left = 0, list[DeviceId](), list[Path]()
    with ExitStack() as opened:
        store = PostgresMemory(dsn, alone=True)
        opened.callback(store.close)
        keys = WrappingKeys(wrapping) if wrapping is not None else None
        if keys is not None:
            opened.callback(keys.close)
            keys.bind(store)
            keys.settle(store)
        own = _only(secret, store, said=only)
        if not draft.exists() or _same(draft, secret):
            checked(bytes_of(secret)())
            keep_secret(draft, randomness)
        old, new = (_slots(bytes_of(place), keys, randomness) for place in (secret, draft))
        if not store.is_secret(bytes_of(draft)()):  # else cut just before its file was renamed
            count, lost = reseal_fleet(store, store.devices(), old, new)
            store.keep_secret_mark(bytes_of(draft)())
    with suppress(FileNotFoundError):
        if is_linked(secret):
            own.unlink(missing_ok=True)
            left.append(secret)
        else:
            overwrite(secret)
    draft.replace(secret)
    durable.sync(secret.parent)
    return count, lost, left


def _same(draft: Path, secret: Path) -> bool:
    """Tell whether what lies where the new secret is to be is the old one."""
    return secret.exists() and draft.read_bytes() == secret.read_bytes()


def _only(secret: Path, store: PostgresMemory, *, said: bool) -> Path:
    """Give where it is noted that this database is under the secret.

    Raises `Refused` (psd.secret-shared; psd.secret-unnoted: its host could note nothing, nor could another one's).
    """
    own = _note(secret, store)
    others = [place for place in sorted(own.parent.glob("*")) if place.stem != own.name]  # it may have a draft
    if others:
        named = ", ".join(place.read_text(encoding="utf-8")[:80] for place in others[:3])
        raise Refused("psd.secret-shared", path=secret, others=named, notes=own.parent)
    if not (said or own.exists()):
        raise Refused("psd.secret-unnoted", path=secret, notes=own.parent)
    return own


def note_secret(secret: Path, store: PostgresMemory) -> bool:
    """Note beside a secret which database is served with it, so that replacing it for another one is refused.

    Tells whether it is noted: a host may have no right to write there, and whoever replaces the file may.
    """
    place = _note(secret, store)
    with suppress(OSError):
        if not place.exists():
            durable.make(place.parent)
            durable.keep(place, store.path.encode())
        return True
    return False


def _note(secret: Path, store: PostgresMemory) -> Path:
    real = secret.resolve()
    return real.with_name(f"{real.name}.fleets") / store.bind("")[0]


def _slots(provider: SecretProvider, keys: WrappingKeys | None, randomness: Randomness) -> SoftwareSlots:
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


@cites("502.8b")
def take_secret(store: PostgresMemory, secret: bytes, wrapping: Path | None) -> None:
    """Have a host's database go by the secret of the host, from the first one on; `wrapping` is its folder of keys.

    A database with devices and no mark was served by an older release: a key of them is opened before one is kept.
    Raises `Refused` (psd.fleet-resealed; psd.fleet-secret, psd.wrapping-gone: no key opens, and nothing is kept).
    """
    if store.own(secret):
        return
    with ExitStack() as opened:
        keys = opened.enter_context(closing(WrappingKeys(wrapping))) if wrapping is not None else None
        _check_opens(store, _slots(lambda: secret, keys, SystemRandomness()))
    store.own(secret, opens=True)


def _check_opens(store: PostgresMemory, slots: SoftwareSlots) -> None:
    """Check that some key opens, where there is one; what cannot be read, or lies elsewhere, says nothing."""
    locked, gone = 0, list[TowncircleError]()
    groups = (read_each(store.load, names, {}).values() for names in _groups(store.devices()))
    for state in filter(held_here, chain.from_iterable(groups)):
        try:
            if opens(slots, state):
                return
            locked += 1
        except (Refused, BrokenInvariant) as error:
            gone = [error] if error.code in _LOST else gone
        if locked == _TRIED:
            break
    if locked:
        raise Refused("psd.fleet-secret", path=store.path)
    if gone:
        raise gone[0]


def check_whole(secret: Path) -> None:
    """Check that no replacement of a fleet's secret is under way. Raises `Refused` (psd.reseal-open)."""
    draft = secret.with_name(secret.name + NEXT)
    if draft.exists():
        raise Refused("psd.reseal-open", path=draft)


def _groups(devices: Iterable[DeviceId]) -> Iterator[Sequence[DeviceId]]:
    left = iter(devices)
    while group := tuple(islice(left, _GROUP)):
        yield group
