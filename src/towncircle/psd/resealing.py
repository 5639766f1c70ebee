"""The operator's secret replaced: every key of a device opened with the old one and sealed under the new one.

Here: the steps for the store of one device, and what a start finishes of them. Not here: all devices of a database
(`hosted.resealing`), key slots (`keys`), where a secret lies (`opening`).
Kept: a cut at any step leaves a device that opens. The new secret is on the disk before anything is sealed under it;
the keys of a device change in one commit; the old secret is overwritten only after no state needs it, and what the
store held before is overwritten too, as far as it can be (docs/security-policy.md).
What it cannot do: a secret or passphrase that lies elsewhere than in the device's folder is its owner's to destroy.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import Randomness
from towncircle.pki.passphrase import store_parameters
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd.keys import TOKEN_MARK, KeySlots, SoftwareSlots
from towncircle.psd.memory import Change, Memory
from towncircle.psd.opening import CHOICE, PASSPHRASE, SECRET, Keys, kept
from towncircle.psd.sqlite import SqliteMemory
from towncircle.psd.state import DeviceState, SealedKey

NEXT = ".next"
_KEYS = ("indicia_key", "message_key", "next_key")


def reseal_store(directory: Path, randomness: Randomness, secret: Path | None, passphrase: Path | None) -> DeviceId:
    """Replace the secret of the one device of a store; give the device. Raises what `reseal` and the store raise."""
    with closing(SqliteMemory(directory / "device.sqlite")) as memory:
        (device,) = memory.devices()
        new = Keys(secret=secret, passphrase=passphrase) if secret or passphrase else None
        reseal(directory, memory, device, randomness, new)
    return device


@cites("502.8b")
def reseal(directory: Path, memory: Memory, device: DeviceId, randomness: Randomness, new: Keys | None = None) -> None:
    """Replace the secret of a device whose store this process owns; without `new` 32 new bytes lie beside it.

    Raises `Refused` (psd.reseal-token, pki.key-file-locked): nothing has changed.
    """
    settle(directory, memory, device)
    old = kept(directory)
    if old.token is not None or (new is not None and new.token is not None):
        raise Refused("psd.reseal-token", device=device)
    then = _prepared(directory, old, new, randomness)
    then.keep(directory, name=CHOICE + NEXT)
    try:
        _commit(memory, device, _slots(old, directory), _slots(then, directory))
    finally:
        settle(directory, memory, device)


def settle(directory: Path, memory: Memory, device: DeviceId) -> None:
    """Finish what a cut left of replacing a secret, or take it back where nothing is sealed under the new one yet.

    Raises `Refused` (psd.reseal-open) where the keys open under neither: nothing is destroyed.
    """
    mark = directory / (CHOICE + NEXT)
    if not mark.exists():
        return
    old, new = kept(directory), kept(directory, name=CHOICE + NEXT)
    state = memory.load([device])[device]
    if opens(_slots(new, directory), state):
        memory.forget_keys()
        _destroy(directory, old, but=new)
        mark.replace(directory / CHOICE)
    elif opens(_slots(old, directory), state):
        mark.unlink()
        sync(directory)
        _destroy(directory, new, but=old)
    else:
        raise Refused("psd.reseal-open", path=mark)
    sync(directory)


def _slots(keys: Keys, directory: Path) -> SoftwareSlots:
    found = keys.slots(directory, SystemRandomness())
    assert isinstance(found, SoftwareSlots)
    return found


def _prepared(directory: Path, old: Keys, new: Keys | None, randomness: Randomness) -> Keys:
    """Put the new secret, or the parameters of a new passphrase, under a name that the old one has not."""
    if new is not None and new.passphrase is not None:
        name = _other(PASSPHRASE, old.parameters)
        store_parameters(directory / name, randomness)
        _synced(directory / name)
        return replace(new, parameters=name)
    if new is not None and new.secret is not None:
        return new
    name = _other(SECRET, old.beside)
    keep_secret(directory / name, randomness)
    return Keys(beside=name)


def _other(name: str, held: str) -> str:
    return f"{name}-b" if held != f"{name}-b" else name


def _commit(memory: Memory, device: DeviceId, old: SoftwareSlots, new: SoftwareSlots) -> None:
    state = memory.load([device])[device]
    changed = resealed(state, old, new)
    if changed is not state:
        memory.commit([Change(device, state.counter, state.epoch, changed, ())])


def _destroy(directory: Path, keys: Keys, *, but: Keys | None = None) -> None:
    """Overwrite and remove what of a secret lies in the device's own folder, unless another choice needs it."""
    for place in _own(directory, keys) - (_own(directory, but) if but is not None else set()):
        with suppress(FileNotFoundError):
            overwrite(place)


@cites("502.28/7")
def end_secret(directory: Path, keys: Keys) -> None:
    """Overwrite what of the secret lies in a zeroised device's own folder: older copies of its store open no more.

    A file that is in another folder too, by a link, is left: another device may need it. Raises `Refused`
    (psd.store-failed): the device is zeroised, and its next start does it.
    """
    for place in _own(directory, keys):
        try:
            if not place.is_symlink() and place.stat().st_nlink == 1:
                overwrite(place)
                sync(directory)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Refused("psd.store-failed", path=place, what=str(error)[:200]) from error


def _own(directory: Path, keys: Keys) -> set[Path]:
    if keys.passphrase is not None:
        return {directory / keys.parameters}
    return {directory / keys.beside} if keys.secret is None else set()


def opens(slots: KeySlots, state: DeviceState) -> bool:
    """Tell whether the keys of a device that are sealed open; one without such keys does."""
    try:
        for key in held_here(state).values():
            slots.signer(key)
    except (Refused, BadInput) as error:
        if error.code not in ("pki.key-file-locked", "psd.no-secret"):
            raise
        return False
    finally:
        slots.drop()
    return True


def held_here(state: DeviceState) -> dict[str, SealedKey]:
    """Give the keys of a device that are sealed under a secret, by field; those in a token are not."""
    held = {name: key for name in _KEYS if (key := getattr(state, name)) is not None}
    return {name: key for name, key in held.items() if not key.sealed.startswith(TOKEN_MARK)}


def resealed(state: DeviceState, old: SoftwareSlots, new: SoftwareSlots) -> DeviceState:
    """Give the state with its keys sealed anew; the epoch keeps out whoever has the device at hand."""
    held = held_here(state)
    if not held:
        return state
    changed = {name: new.sealed(old.signer(key), key) for name, key in held.items()}
    old.drop()
    return replace(state, epoch=state.epoch + 1, **changed)  # type: ignore[arg-type]  # keys of slots


def keep_secret(place: Path, randomness: Randomness) -> None:
    """Write a new secret, durably and whole."""
    draft = place.with_name(f"{place.name}.draft")
    draft.touch(mode=0o600)
    draft.write_bytes(randomness.take(32))
    _synced(draft)
    draft.replace(place)
    sync(place.parent)


def overwrite(place: Path) -> None:
    """Overwrite a file, sync, and remove it."""
    size = place.stat().st_size
    with place.open("r+b") as file:
        file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())
    place.unlink()


def _synced(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    sync(place.parent)


def sync(folder: Path) -> None:
    """Sync a folder's names."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
