"""One device at hand of a host: as its debits see it, or whole with a seat.

Here: `Place`, which holds what a device answers in the present group and what it has to keep. Not here: the group
(`fleet`), the seat (`seat`), what a debit reads (`sight`).
Kept: a device that was read as a sight has started as every device does: self-tests, the law of the registers, counter
and epoch up. Whatever is not a plain debit builds the device from the whole state first, which starts it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from towncircle.kernel.errors import BrokenInvariant, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Clock
from towncircle.psd import commands, frames, selftest, software, states
from towncircle.psd.debits import Debit, Round, Standing
from towncircle.psd.device import Device
from towncircle.psd.evidencing import EVIDENCE
from towncircle.psd.hosted.seat import Seat
from towncircle.psd.hosted.wrapping import keys_of
from towncircle.psd.memory import Change, Record, RecordName
from towncircle.psd.sight import Seen, Sight
from towncircle.psd.signing import run
from towncircle.psd.state import DeviceState, SealedKey

Sit = Callable[[DeviceId, DeviceState, Clock], tuple[Seat, Device]]  # seats a device with the state as it is stored


class Place:
    """Hold a device at hand and what it answers in the present group."""

    __slots__ = (
        "_at",
        "_kept",
        "_seated",
        "_sit",
        "_standing",
        "answers",
        "at",
        "broken",
        "clock",
        "commands",
        "debit",
        "ending",
        "name",
        "sound",
    )

    def __init__(self, name: DeviceId, kept: Seen, clock: Clock, sit: Sit) -> None:
        self.name, self.clock, self._sit, self._kept = name, clock, sit, kept
        self._at = kept.counter, kept.epoch  # as the store has them, of a device that is not seated
        self._standing: Standing | None = None
        self._seated: tuple[Seat, Device] | None = None
        self.at: list[int] = []
        self.commands: list[bytes] = []
        self.answers: list[bytes] = []
        self.debit: Debit | None = None
        self.broken = False
        self.ending: tuple[int, ...] = ()  # which commands of the group end keys of this device
        self.sound = not selftest.failed()  # when it was started; afterwards it has to be started again

    @property
    def device(self) -> Device:
        """Give the device, seated. Raises `BrokenInvariant` (psd.store-damaged)."""
        return self._seat_it()[1]

    @property
    def zeroised(self) -> bool:
        """Tell whether the present group ends keys of this device."""
        return bool(self.ending)

    @property
    def keyless(self) -> bool:
        """Tell whether this device has no key any more."""
        return self._seated is not None and self._seated[0].staged.state == states.ZEROISED

    def slots(self) -> list[SealedKey]:
        """Name the keys that this place may have opened."""
        if self._seated is not None:
            return keys_of(self._seated[0].staged)
        return [self._kept.indicia_key] if self._kept.indicia_key is not None else []

    def say(self, answer: bytes) -> None:
        """Take the answer of the next command of the group, and note whether it ended keys."""
        if self._seated is not None and self._seated[0].zeroised:
            self._seated[0].zeroised = False
            self.ending += (len(self.answers),)
        self.answers.append(answer)

    def deny(self, error: TowncircleError) -> None:
        """Answer that the keys which end are still there.

        What else was kept with a rollover was done, and says so; of a device without keys nothing is told any more.
        """
        told = commands.encode_error(error)
        last = self.ending[-1] if self.ending else 0
        for at in range(len(self.answers)):
            if at in self.ending or (self.keyless and at >= last):
                self.answers[at] = told

    def decide(self, at: Round) -> Debit | None:
        """Decide the one plain debit of this group, or give None where it goes the general way."""
        if len(self.commands) != 1:
            return None
        if self._seated is not None:
            seat, device = self._seated
            debit, expected = device.debit(self.commands[0], at), seat.at
        else:
            debit, expected = self._decided(self.commands[0], at), self._at
        if debit is not None:
            debit.expected_counter, debit.epoch = expected
        return debit

    def run(self, known: Mapping[RecordName, Record] | None) -> None:
        """Run the commands the general way, one after the other."""
        self.begin(known)
        device = self.device
        self.answers = []
        for command in self.commands:
            self.say(run(device.steps(command)))

    def begin(self, known: Mapping[RecordName, Record] | None) -> None:
        """Have device and seat agree before the general way. Raises `BrokenInvariant` (psd.store-damaged)."""
        seat, device = self._seat_it()
        seat.kept(device)
        seat.begin(known)

    def sits(self) -> bool:
        """Make ready for the general way; a device whose stored state cannot be read whole answers so, and it alone."""
        self.broken = False
        try:
            self.begin(None)
        except BrokenInvariant as error:
            self.broken, self.answers = True, [commands.encode_error(error)] * len(self.commands)
        return not self.broken

    def again(self) -> None:
        """Go back to what is kept: nothing of this group was."""
        self.debit, self.sound, self.ending = None, not selftest.failed(), ()
        kept = self._stored() if self._seated is None else self._seated[0].kept(self._seated[1])
        self._seated = self._sit(self.name, kept, self.clock)

    def change(self) -> Change | None:
        """Give what the group has to keep for this device."""
        if self.debit is not None:
            return cast("Change", self.debit)
        return None if self._seated is None else self._seated[0].change()

    def doubts(self, *, refused: bool) -> set[RecordName]:
        """Name the records that were assumed missing; the unique name of its record proves a debit new."""
        return set() if self.debit is not None or self._seated is None else self._seated[0].doubts(refused=refused)

    def names(self) -> set[RecordName]:
        """Name every record that was asked for or is to be written."""
        if self.debit is not None:
            return {RecordName(self.name, EVIDENCE, self.debit.request_id)}
        return set() if self._seated is None else self._seated[0].names()

    def settled(self) -> None:
        """Take note that the group is kept."""
        debit, self.debit = self.debit, None
        if self._seated is not None:
            seat, device = self._seated
            if debit is None:
                seat.settled()
            else:
                device.keep(debit)
                seat.debited(debit)
        elif debit is not None:
            standing = debit.standing
            standing.take(debit)
            self._at = debit.counter, standing.epoch

    def _decided(self, command: bytes, at: Round) -> Debit | None:
        """Decide by what was seen of the device; nothing is changed."""
        try:
            parts = frames.one_piece(command)
            if parts is None:
                return None
            if self._standing is None:
                if not isinstance(self._kept, Sight):
                    return None
                self._standing = _started(self._kept, at)
            return None if self._standing is None else at.decide(self._standing, command, parts)
        except (TowncircleError, UnicodeDecodeError):
            return None

    def _seat_it(self) -> tuple[Seat, Device]:
        if self._seated is None:
            self._seated = self._sit(self.name, self._stored(), self.clock)
            self._standing = None
        return self._seated

    def _stored(self) -> DeviceState:
        """Give the whole state as the store has it."""
        standing = self._standing
        return self._kept.whole() if standing is None or not standing.taken else standing.state()


def _started(sight: Sight, at: Round) -> Standing | None:
    """Start a device as `Device` does, as far as a debit sees it; None where its start changes more than its counters.

    Raises what keeps it from starting plainly; the general way then finds it and words it.
    """
    if software.waits(sight.next_build):
        return None
    selftest.power_on()
    sight.check()
    return Standing(sight, at.now, start=1)
