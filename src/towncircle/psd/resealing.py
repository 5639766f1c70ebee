"""The operator's secret replaced: every key of a device opened with the old one and sealed under the new one.

Here: the steps for the store of one device, and what a start finishes of them. Not here: all devices of a database
(`hosted.resealing`), key slots (`keys`), where a secret lies (`opening`).
Kept: a cut at any step leaves a device that opens. The new secret was tried, is another one than the old, and is on the
disk before anything is sealed under it; the keys of a device change in one commit; the old secret is overwritten only
after no state needs it, and so is what the store held before, as far as it can be (docs/security-policy.md).
What it cannot do: a secret or passphrase that lies elsewhere than in the device's folder is its owner's to destroy, and
so is one that lies there by a link, since another device may need it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import Randomness
from towncircle.pki import durable
from towncircle.pki.durable import sync
from towncircle.pki.keyfile import checked
from towncircle.pki.passphrase import long_enough, store_parameters
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd.keys import TOKEN_MARK, KeySlots, SoftwareSlots
from towncircle.psd.memory import Change, Memory
from towncircle.psd.opening import CHOICE, PASSPHRASE, SECRET, Keys, bytes_of, kept, line_of
from towncircle.psd.sqlite import SqliteMemory
from towncircle.psd.state import DeviceState, SealedKey

NEXT = ".next"
_KEYS = ("indicia_key", "message_key", "next_key")
_LOCKED = (
    *("pki.key-file-locked", "psd.no-secret"),
    *("pki.bad-secret", "pki.passphrase-short", "pki.bad-passphrase-file"),  # what no key was ever sealed under
)


def reseal_store(
    directory: Path, randomness: Randomness, secret: Path | None, passphrase: Path | None
) -> tuple[DeviceId, list[Path]]:
    """Replace the secret of the one device of a store; give the device, and what `reseal` gives.

    Raises `BadInput` (psd.no-such-device), and what `reseal` and the store raise.
    """
    with closing(SqliteMemory(directory / "device.sqlite")) as memory:
        names = memory.devices()
        if len(names) != 1:
            raise BadInput("psd.no-such-device", device=f"exactly one in {directory}")
        new = Keys(secret=secret, passphrase=passphrase) if secret or passphrase else None
        return names[0], reseal(directory, memory, names[0], randomness, new)


@cites("502.8b")
def reseal(
    directory: Path, memory: Memory, device: DeviceId, randomness: Randomness, new: Keys | None = None
) -> list[Path]:
    """Replace the secret of a device whose store this process owns; without `new` 32 new bytes lie beside it.

    Gives the files of the old secret that are not destroyed, since they are links. Raises `Refused` (psd.reseal-token,
    psd.reseal-same, pki.key-file-locked, psd.no-secret) and `BadInput` (pki.bad-secret, pki.passphrase-short): nothing
    has changed; and `Refused` (psd.store-failed): the next start, or the same again, finishes it or takes it back.
    """
    before, left = kept(directory), settle(directory, memory, device)
    old = kept(directory)
    if old.token is not None or (new is not None and new.token is not None):
        raise Refused("psd.reseal-token", device=device)
    with _translated(directory):
        if new is not None and (place := _no_other(directory, old, new)) is not None:
            if old != before:  # what was cut has just been finished
                return left
            raise Refused("psd.reseal-same", device=device, path=place)
        for key in held_here(memory.load([device])[device]).values():
            _slots(old, directory).signer(key)  # what does not open now is not begun
        then = _prepared(directory, old, new, randomness)
        then.keep(directory, name=CHOICE + NEXT)
        try:
            _commit(memory, device, _slots(old, directory), _slots(then, directory))
        finally:
            left = settle(directory, memory, device)
    return left


def _no_other(directory: Path, old: Keys, new: Keys) -> Path | None:
    """Try a new secret or passphrase; give its place where it is the old one, or lies where the device has its own.

    Raises `Refused` (psd.no-secret), `BadInput` (pki.bad-secret, pki.passphrase-short).
    """
    if new.passphrase is not None:
        words = long_enough(line_of(new.passphrase))
        return new.passphrase if old.passphrase is not None and _line(old.passphrase) == words else None
    if new.secret is None:
        return None
    found, place = checked(bytes_of(new.secret)()), new.secret.resolve()
    if place.parent == directory.resolve() and place.name in _OWN:
        return new.secret
    held = old.secret or directory / old.beside
    return new.secret if old.passphrase is None and held.exists() and held.read_bytes() == found else None


def _line(place: Path) -> str | None:
    with suppress(Refused):  # gone: the keys do not open, which is told when they are
        return line_of(place)
    return None


def settle(directory: Path, memory: Memory, device: DeviceId) -> list[Path]:
    """Finish what a cut left of replacing a secret, or take it back where nothing is sealed under the new one yet.

    Gives what of the old secret is not destroyed, as `reseal` does. Raises `Refused` (psd.reseal-open) where the keys
    open under neither: nothing is destroyed; and psd.store-failed.
    """
    mark = directory / (CHOICE + NEXT)
    if not mark.exists():
        return []
    old, new = kept(directory), kept(directory, name=CHOICE + NEXT)
    state = memory.load([device])[device]
    with _translated(directory):
        if opens(_slots(new, directory), state):
            memory.forget_keys()
            left = _destroy(directory, old, but=new)
            mark.replace(directory / CHOICE)
        elif opens(_slots(old, directory), state):
            mark.unlink()
            sync(directory)
            left = _destroy(directory, new, but=old)
        else:
            raise Refused("psd.reseal-open", path=mark)
        sync(directory)
    return left


@contextmanager
def _translated(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused("psd.store-failed", path=directory, what=str(error)[:200]) from error


def _slots(keys: Keys, directory: Path) -> SoftwareSlots:
    found = keys.slots(directory, SystemRandomness())
    assert isinstance(found, SoftwareSlots)
    return found


def _prepared(directory: Path, old: Keys, new: Keys | None, randomness: Randomness) -> Keys:
    """Put the new secret, or the parameters of a new passphrase, under a name that the old one has not."""
    if new is not None and new.passphrase is not None:
        name = _other(PASSPHRASE, old.parameters)
        store_parameters(directory / name, randomness)
        return replace(new, parameters=name)
    if new is not None and new.secret is not None:
        return new
    name = _other(SECRET, old.beside)
    keep_secret(directory / name, randomness)
    return Keys(beside=name)


def _other(name: str, held: str) -> str:
    return f"{name}-b" if held != f"{name}-b" else name


_OWN = {name + more for name in (SECRET, PASSPHRASE) for more in ("", "-b")}


def _commit(memory: Memory, device: DeviceId, old: SoftwareSlots, new: SoftwareSlots) -> None:
    state = memory.load([device])[device]
    changed = resealed(state, old, new)
    if changed is not state:
        memory.commit([Change(device, state.counter, state.epoch, changed, ())])


def _destroy(directory: Path, keys: Keys, *, but: Keys) -> list[Path]:
    """Overwrite and remove what of a secret lies in the device's own folder, unless another choice needs it.

    What is a link, or has another name too, is left, and given: another device may need it.
    """
    left, needed = [], but.secret or next(iter(_own(directory, but)))
    for place in _own(directory, keys):
        with suppress(FileNotFoundError):
            if needed.exists() and place.samefile(needed):
                continue
            if is_linked(place):
                left.append(place)
            else:
                overwrite(place)
    return left


def is_linked(place: Path) -> bool:
    """Tell whether a file is, or may be, in another folder too, by a link."""
    return place.is_symlink() or place.stat().st_nlink > 1


@cites("502.28/7")
def end_secret(directory: Path, keys: Keys) -> None:
    """Overwrite what of the secret lies in a zeroised device's own folder: older copies of its store open no more.

    A file that is in another folder too, by a link, is left: another device may need it. Raises `Refused`
    (psd.store-failed): the device is zeroised, and its next start does it.
    """
    for place in _own(directory, keys):
        try:
            if not is_linked(place):
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
        if error.code not in _LOCKED:
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
    durable.keep(place, randomness.take(32))


def overwrite(place: Path) -> None:
    """Overwrite a file, sync, and remove it."""
    size = place.stat().st_size
    with place.open("r+b") as file:
        file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())
    place.unlink()
