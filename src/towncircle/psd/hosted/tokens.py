"""Keys of hosted devices in a PKCS#11 token, beside software keys in the same fleet.

Here: slots that hold both kinds. Not here: the token of a host (`one_token`), its library (`psd.pkcs11`), software keys
(`wrapping`), the notes (`unsettled`).
Kept: a fleet that has a token makes its keys there; what a device has already goes by what its slot says. Whether a key
in the token is a device's is asked of the database, never assumed: each birth and each end is in a note before it
happens (`unsettled`), and what the database does not use when the note is settled is destroyed in the token, unless
the database is older than the note: then it is set aside for good. A commit of somebody who died may still be on its
way: where the database has the counter and the epoch that it expects, the epoch is raised first, so that it matches no
more. No answer says that keys
are destroyed before the token has done it: what is owed is asked of the notes, not of a memory. What comes after the
commit has a few seconds and fails nobody's answer but that one; what it does not come to stays noted.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import Randomness
from towncircle.pki.keyfile import SecretProvider
from towncircle.pki.keys import Signer
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd import selftest, states
from towncircle.psd.hosted.one_token import OneToken, Token
from towncircle.psd.hosted.seat import FleetStore, Seat, read_each
from towncircle.psd.hosted.unsettled import Note, Notes, Row
from towncircle.psd.hosted.wrapping import WrappedSlots, WrappingKeys, keys_of
from towncircle.psd.keys import TOKEN_MARK
from towncircle.psd.memory import Change
from towncircle.psd.pkcs11 import name_of
from towncircle.psd.state import DeviceState, SealedKey

_GROUP_S = 20  # house: what a group may ask of the token before its commit; a batch of a thousand at 50 a second
_AFTER_S = 5  # house: what it may destroy there after its commit, and what a start may
_FOLDER = "unsettled"


class MixedSlots(WrappedSlots):
    """Keep keys in a token, and software keys beside them, sealed as `WrappedSlots` does.

    Raises `Refused` (psd.token-other) where the fleet's keys are in another token.
    """

    def __init__(
        self, secret: SecretProvider, randomness: Randomness, *, limit: int, wrapping: WrappingKeys, token: Token
    ) -> None:
        super().__init__(secret, randomness, limit=limit, wrapping=wrapping)
        self._library, self._notes, self._group = token.library, Notes(wrapping.folder / _FOLDER), _Group()
        self._names = SystemRandomness()  # in a rehearsal too: a name that comes twice takes the place of a key in use
        self._there = OneToken(token, wrapping, secret, self._names)

    def seated(self, seat: Seat, device: DeviceId) -> SeatSlots:
        """Give the slots of one device."""
        return SeatSlots(self, seat, device)

    def _unwrapped(self, public: bytes, sealed: bytes) -> Signer:
        if sealed.startswith(TOKEN_MARK):
            return self._there.signer(SealedKey(public=public, sealed=sealed))
        return super()._unwrapped(public, sealed)

    def sign_each(self, asked: Sequence[tuple[SealedKey, bytes]]) -> list[bytes | Refused]:
        """Sign a content each with keys of the token, in few walks; a key that fails gives its error."""
        return self._there.sign_each(asked)

    def born(self, seat: Seat, device: DeviceId, scheme: str, domain: bytes) -> SealedKey:
        """Make a key in the token for a device, under the note of this thread's group."""
        self._there.bind()
        name, note = self._names.take(16), self._noted()
        note.add([Row(device, *seat.at, name, ends=False)])
        return self._there.make_named(name, scheme, domain=domain, under=os.fsencode(note.path))

    def ending(self, seat: Seat, device: DeviceId, ended: Sequence[SealedKey]) -> None:
        """Take note of keys of a device that end with this thread's group."""
        there = [key for key in ended if key.sealed.startswith(TOKEN_MARK)]
        for key in there:
            self.opened.drop(key.public)
        self._group.ends += [Row(device, *seat.at, name_of(key), ends=True) for key in there]
        self.destroy(*(key for key in ended if key not in there))

    def begin(self) -> None:
        """Start a group of this thread; what an earlier one left unsettled is anybody's to settle."""
        super().begin()
        note, self._group.note = self._group.note, None
        if note is not None:
            note.let_go()
        self._group.ends = []
        self._there.within(_GROUP_S)

    def owe(self, devices: Collection[DeviceId]) -> bool:
        """Write down what ends with this thread's group, as `WrappedSlots` does."""
        loose = super().owe(devices)
        ends, self._group.ends = self._group.ends, []
        if ends:
            self._noted().add(ends)
        return loose

    @cites("502.28/7")
    def settle_group(self, store: FleetStore) -> Mapping[DeviceId, TowncircleError]:
        """Settle what this thread's group has written down, whose commit is known, and what others left.

        Gives the devices of which a key that ended may still be in the token, and why; it is tried again later.
        """
        note, self._group.note = self._group.note, None
        if note is None:
            return {}
        self._there.within(_AFTER_S)
        try:
            undone = self._undone(note.rows, store, known=True).rows
        except TowncircleError as error:
            undone = dict.fromkeys(note.rows, error)
        if undone:
            note.let_go()
        else:
            note.remove()
        with suppress(TowncircleError):
            self._settle(store, self._notes.left())
        return {row.device: _owed(row.device) for row in undone if row.ends}

    @cites("502.28/7")
    def settle(self, store: FleetStore) -> None:
        """Settle what is left of groups that nobody runs any more, in a few seconds; not while the token is left alone.

        Raises `Refused` (psd.store-failed, psd.wrapping-failed).
        """
        self._there.within(_AFTER_S)
        self._settle(store, self._notes.left())

    def _settle(self, store: FleetStore, places: Sequence[Path]) -> None:
        """Settle notes; a module whose self-tests failed writes and destroys nothing of others."""
        for place in places:
            if self._library.resting or self._there.late or selftest.failed():
                return
            with self._notes.alone(place) as rows:
                if rows is None:
                    continue
                undone, older = self._undone(rows, store, known=False)
                if older:
                    self._notes.part(place, aside=older, rest=[row for row in undone if row not in older])
                elif not undone:
                    self._notes.remove(place)

    def check_ended(self, device: DeviceId, store: FleetStore) -> None:
        """Check that no key of a device that has none is in the token still. Raises `Refused` (psd.token-owed).

        The note is in the folder before the commit, so every host of the store finds it.
        """
        left = self._notes.of_ended(device)
        if left:
            with suppress(TowncircleError):
                self._settle(store, [place for place in self._notes.left() if place in left])
            if store.load([device])[device].state == states.ZEROISED and self._notes.of_ended(device):
                raise _owed(device)

    def _undone(self, rows: Sequence[Row], store: FleetStore, *, known: bool) -> _Undone:
        """Destroy which of these keys the store does not use; give those that are not settled, and why.

        With `known` no commit of whoever wrote them down can come any more.
        """
        missing: dict[DeviceId, TowncircleError] = {}
        found = read_each(store.load, list(dict.fromkeys(row.device for row in rows)), missing)
        comes = {row for row in rows if not known and _at(found.get(row.device)) == (row.counter, row.epoch)}
        used = {row for row in rows if row.device in found and row.key in _names(found[row.device])}
        undone: dict[Row, TowncircleError | None] = {row: missing[row.device] for row in rows if row.device in missing}
        undone |= dict.fromkeys(used & comes)  # its end may come: it is not settled, and harms nobody
        rest = [row for row in rows if row not in used and row not in undone]
        older = [row for row in rest if _older(found.get(row.device), row)]
        undone |= dict.fromkeys(older)
        fenced = _fenced({row.device: found[row.device] for row in comes - used}, store)
        for row in rows:
            if row in used or row in undone:
                continue
            if row in comes and row.device not in fenced:
                undone[row] = None
                continue
            try:
                self._there.destroy(SealedKey(public=b"", sealed=TOKEN_MARK + row.key))
            except Refused as error:
                undone[row] = error
        return _Undone(undone, older)

    def close(self) -> None:
        """Let go of the token's library."""
        self.begin()
        self._library.close()

    def _noted(self) -> Note:
        if self._group.note is None:
            self._group.note = self._notes.begin()
        return self._group.note


class _Undone(NamedTuple):
    """Tell which keys of a note are not settled, and which of them were written down under a later database."""

    rows: dict[Row, TowncircleError | None]
    older: list[Row]


class _Group(threading.local):
    """Hold what the group of a thread has written down, and what ends with it."""

    def __init__(self) -> None:
        self.note: Note | None = None
        self.ends: list[Row] = []


class SeatSlots:
    """Be the slots of one device of a fleet: what begins and ends with it is noted under its name."""

    __slots__ = ("_device", "_seat", "_slots", "approved")

    def __init__(self, slots: MixedSlots, seat: Seat, device: DeviceId) -> None:
        self.approved = slots.approved
        self._slots, self._seat, self._device = slots, seat, device

    def make(self, scheme: str, *, domain: bytes = b"") -> SealedKey:
        """Make a key in the token and test it as a pair."""
        return self._slots.born(self._seat, self._device, scheme, domain)

    def signer(self, slot: SealedKey) -> Signer:
        """Open a slot for signing, wherever its key is."""
        return self._slots.signer(slot)

    def drop(self) -> None:
        """Forget every opened key of the fleet."""
        self._slots.drop()

    def destroy(self, *ended: SealedKey) -> None:
        """Take note of keys that end with this group."""
        self._slots.ending(self._seat, self._device, ended)

    def may_end(self, *ended: SealedKey) -> None:
        """Refuse nothing: what ends here is noted before the commit."""

    def end(self) -> None:
        """Leave what opens the keys: it is the fleet's; nothing is told of a device whose keys the token still has."""
        self._slots.check_ended(self._device, self._seat.store)


def _owed(device: DeviceId) -> Refused:
    return Refused("psd.token-owed", device=device)


def _at(state: DeviceState | None) -> tuple[int, int] | None:
    return None if state is None else (state.counter, state.epoch)


def _older(state: DeviceState | None, row: Row) -> bool:
    """Tell whether the database went back behind a note: it may be an older copy, and what it has not another's."""
    return state is None or (state.counter, state.epoch) < (row.counter, row.epoch)


def _names(state: DeviceState) -> set[bytes]:
    return {name_of(key) for key in keys_of(state) if key.sealed.startswith(TOKEN_MARK)}


def _fenced(states: Mapping[DeviceId, DeviceState], store: FleetStore) -> set[DeviceId]:
    """Raise the epochs of devices, so that a commit that is on its way matches no more; give those it was done for."""
    if not states:
        return set()
    raised = [
        Change(name, state.counter, state.epoch, replace(state, epoch=state.epoch + 1), ())
        for name, state in states.items()
    ]
    return states.keys() - set(store.commit_each(raised))
