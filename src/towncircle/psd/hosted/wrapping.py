"""Wrapping keys: what a hosted device's sealed keys cannot be opened without, kept where it can be overwritten.

Here: the side store (a file of fixed places, beside no database), and key slots over it. Not here: what is sealed
(`pki.keyfile`), when a key has ended (`psd.device`).
Kept: a database never forgets for certain: pages, write-ahead log, standbys and backups keep older versions of a row.
So a software key of a hosted device is sealed under the operator's secret *and* a wrapping key of its own, which is
here alone; to destroy the key its place is overwritten and synced, and every sealed copy of it is dead. What is to be
destroyed is written down and synced before the commit that ends it, and done after it: a host that dies in between does
it at its next start. Whether a key has ended is asked of the store, never assumed.
The folder and its database know each other by name: a host that was given another folder, or another database, starts
nothing, since the keys of the one are sealed under what lies in the other.
What this cannot do: a file system or a disk that writes to another place leaves the old bytes until it reuses them;
a copy of this file brings back what it held. Keep it out of the database's backups.

Form of the file: 32 bytes of head, then places of 48 bytes: a name (16 bytes) and a wrapping key (32), or zeros. A
sealed key begins with its mark, the number of its place (8 bytes) and that name.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, runtime_checkable

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import Randomness
from towncircle.pki.keyfile import SecretProvider
from towncircle.pki.keys import Signer
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd.hosted.caches import RecentSlots
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Memory
from towncircle.psd.state import DeviceState, SealedKey

_HEAD = b"towncircle wrapping keys 1\n".ljust(32, b"\0")
_MARK = b"towncircle wrapped key 1\n"
_NAME, _KEY = 16, 32
_PLACE = _NAME + _KEY
_GONE = bytes(_PLACE)


@runtime_checkable
class Bindable(Protocol):
    """Name a store, and keep the name of the folder that holds its wrapping keys."""

    def bind(self, folder: str) -> tuple[str, str]:
        """Keep the folder's name, unless it is empty or there is one; give the store's own name and what is kept."""
        ...


class WrappingKeys:
    """Keep wrapping keys in a folder that every host of the same store shares.

    Raises `Refused` (psd.wrapping-failed) where it cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._lock = folder, threading.Lock()
        self._owed = folder / "owed"
        with self._translated():
            self._owed.mkdir(mode=0o700, parents=True, exist_ok=True)
            place = folder / "wrapping.keys"
            self._file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with self._alone():
                if not os.fstat(self._file).st_size:
                    os.pwrite(self._file, _HEAD, 0)
                    os.fsync(self._file)
                    _sync_folder(folder)
                if os.pread(self._file, len(_HEAD), 0) != _HEAD:
                    raise Refused("psd.wrapping-failed", path=place, what="it is not a file of wrapping keys")

    def bind(self, store: Bindable) -> None:
        """Be the folder of this database, from the first host on. Raises `Refused` (psd.wrapping-other)."""
        with self._translated(), self._alone():
            own = self._named("folder", SystemRandomness().take(_NAME).hex())  # another one in a rehearsal too
            theirs, folder = store.bind("")
            if folder not in ("", own) or (
                (self.folder / "database").exists() and self._named("database", "") != theirs
            ):
                raise Refused("psd.wrapping-other", path=self.folder)
            self._named("database", theirs)
            if store.bind(own)[1] != own:  # two hosts at once, of two folders
                raise Refused("psd.wrapping-other", path=self.folder)

    def bind_token(self, label: str) -> None:
        """Be the folder of devices whose keys are in this token. Raises `Refused` (psd.token-other)."""
        with self._translated(), self._alone():
            first = self._named("token", label)
        if first != label:
            raise Refused("psd.token-other", path=self.folder, label=first)

    def _named(self, what: str, name: str) -> str:
        """Give the name that was kept first, durably."""
        place = self.folder / what
        if not place.exists():
            draft = place.with_suffix(".new")
            with draft.open("w", encoding="utf-8") as file:
                file.write(name)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
            _sync_folder(self.folder)
        return place.read_text(encoding="utf-8")

    def keep(self, randomness: Randomness) -> tuple[bytes, bytes]:
        """Make a wrapping key and keep it durably; give its reference and the key."""
        name, key = randomness.take(_NAME), randomness.take(_KEY)
        with self._translated(), self._alone():
            at = -(-(os.fstat(self._file).st_size - len(_HEAD)) // _PLACE)  # a torn last place is left alone
            os.pwrite(self._file, name + key, len(_HEAD) + at * _PLACE)
            os.fsync(self._file)
        return at.to_bytes(8, "big") + name, key

    def key(self, reference: bytes) -> bytes:
        """Give a wrapping key. Raises `Refused` (psd.wrapping-gone) for one that was destroyed or lies elsewhere."""
        try:
            held = os.pread(self._file, _PLACE, _at(reference))
        except OSError as error:
            raise self._failed(error) from error
        if held == _GONE or held[:_NAME] != reference[8:]:
            raise Refused("psd.wrapping-gone", path=self.folder)
        return held[_NAME:]

    @cites("502.28/7")
    def erase(self, reference: bytes) -> None:
        """Overwrite a wrapping key and sync; one that is gone already is left."""
        with self._translated(), self._alone():
            if os.pread(self._file, _NAME, _at(reference)) == reference[8:]:
                os.pwrite(self._file, _GONE, _at(reference))
                os.fsync(self._file)

    def owe(self, devices: Collection[DeviceId], ended: Collection[SealedKey]) -> None:
        """Write down and sync which keys are about to end."""
        references = [found[0].hex() for key in ended if (found := _parted(key.sealed)) is not None]
        if not references:
            return
        with self._translated():
            note = self._owed / f"{min(references)}.json"
            draft = note.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            with draft.open("w", encoding="ascii") as file:
                json.dump({"devices": sorted(devices), "keys": references}, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(note)
            _sync_folder(self._owed)

    @cites("502.28/7")
    def settle(self, store: Memory) -> None:
        """Destroy what is owed, but for keys that are in use as the store has it: their end was not committed."""
        with self._translated():
            for note in sorted(self._owed.glob("*.json")):
                with suppress(FileNotFoundError, BrokenInvariant):  # another host did it; a damaged row stays owed
                    self._settle(note, store)

    @cites("502.28/7")
    def check_ended(self, device: DeviceId, store: Memory) -> None:
        """Check that nothing is owed of a device that has no key any more: it is done now. Raises `Refused`.

        The note is in the folder before the commit, so every host of the store finds it.
        """
        with self._translated():
            for note in sorted(self._owed.glob("*.json")):
                with suppress(FileNotFoundError):  # another host did it
                    if device in json.loads(note.read_text(encoding="ascii"))["devices"]:
                        self._settle(note, store)

    def _settle(self, note: Path, store: Memory) -> None:
        told = json.loads(note.read_text(encoding="ascii"))
        used = {
            found[0].hex()
            for state in store.load([DeviceId(name) for name in told["devices"]]).values()
            for key in keys_of(state)
            if (found := _parted(key.sealed)) is not None
        }
        for reference in told["keys"]:
            if reference not in used:
                self.erase(bytes.fromhex(reference))
        if used.isdisjoint(told["keys"]):
            note.unlink()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, KeyError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> Refused:
        return Refused("psd.wrapping-failed", path=self.folder, what=str(error)[:200])


class WrappedSlots(RecentSlots):
    """Keep private keys sealed under the operator's secret and a wrapping key of their own.

    A key that was sealed without one, by an older release, opens as it did.
    """

    def __init__(self, secret: SecretProvider, randomness: Randomness, *, limit: int, wrapping: WrappingKeys) -> None:
        super().__init__(secret, randomness, limit=limit)
        self._operator, self._chance, self.wrapping = secret, randomness, wrapping
        self._ending = threading.local()

    def make(self, scheme: str, *, domain: bytes = b"") -> SealedKey:
        """Make a key and test it as a pair, as `SoftwareSlots` does."""
        reference, wrapping = self.wrapping.keep(self._chance)
        made = SoftwareSlots(lambda: _mixed(self._operator, wrapping), self._chance).make(scheme, domain=domain)
        return SealedKey(public=made.public, sealed=_MARK + reference + made.sealed)

    def signer(self, slot: SealedKey) -> Signer:
        """Open a slot for signing, or take the opened one."""
        public = slot.public
        held = self.opened.get(public)
        if held is None:
            held = self._unwrapped(public, slot.sealed)
            self.opened.put(public, held)
        return held

    def _unwrapped(self, public: bytes, sealed: bytes) -> Signer:
        parted = _parted(sealed)
        if parted is None:
            return self._open(public, sealed, self._operator)
        wrapping = self.wrapping.key(parted[0])
        return self._open(public, parted[1], lambda: _mixed(self._operator, wrapping))

    def sealed(self, key: Signer, former: SealedKey) -> SealedKey:
        """Seal an opened key under this secret and the wrapping key it has; one that has none gets one."""
        parted = _parted(former.sealed)
        reference, wrapping = (parted[0], self.wrapping.key(parted[0])) if parted else self.wrapping.keep(self._chance)
        made = SoftwareSlots(lambda: _mixed(self._operator, wrapping), self._chance).sealed(key, former)
        return SealedKey(public=made.public, sealed=_MARK + reference + made.sealed)

    def destroy(self, *ended: SealedKey) -> None:
        """Forget every opened key, and take note of those that end with this thread's group."""
        super().destroy(*ended)
        self._ending.keys = [*getattr(self._ending, "keys", ()), *ended]

    def begin(self) -> None:
        """Start a group of this thread: what ended with an earlier one that failed has not ended."""
        self._ending.keys = []

    def owe(self, devices: Collection[DeviceId]) -> bool:
        """Write down what ends with this thread's group; tell whether a key of it has no wrapping key."""
        ending = getattr(self._ending, "keys", [])
        self.wrapping.owe(devices, ending)
        return any(_parted(key.sealed) is None for key in ending)


def keys_of(state: DeviceState) -> list[SealedKey]:
    """Name the keys that a device holds."""
    return [key for key in (state.indicia_key, state.message_key, state.next_key) if key is not None]


def _mixed(secret: SecretProvider, wrapping: bytes) -> bytes:
    """Derive what a key is sealed under: neither the secret nor the wrapping key opens it alone."""
    return hmac.digest(secret(), b"towncircle wrapping\n" + wrapping, "sha256")


def _parted(sealed: bytes) -> tuple[bytes, bytes] | None:
    """Part a wrapped key into its reference and what is sealed; None for one without a wrapping key."""
    size = len(_MARK) + 8 + _NAME
    return (sealed[len(_MARK) : size], sealed[size:]) if sealed.startswith(_MARK) else None


def _at(reference: bytes) -> int:
    return len(_HEAD) + int.from_bytes(reference[:8], "big") * _PLACE


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
