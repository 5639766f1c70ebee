"""A hosted fleet that nobody can open the keys of any more: its devices say how they stand, and sign nothing.

Here: `KeylessHost`, which a Provider starts by its own word (`serve-wan --keys-lost`) where the operator's secret or
the folder of wrapping keys is lost. Not here: how such a device leaves service (`world.keyless`).
Kept: no key is opened, made or destroyed and nothing is written, so what is found again serves as before; no other host
has the database meanwhile. What no key is needed for, and nothing would have to be kept of, is answered as the device
itself answers it, from its registers and records; everything else is refused as that of a device without its keys.
"""

from __future__ import annotations

import threading

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Clock
from towncircle.psd import commands, states
from towncircle.psd.device import Device
from towncircle.psd.hosted.seat import FleetStore, Seat
from towncircle.psd.keys import LostSlots

ANSWERED = frozenset({"identify", "status", "selftest", "recover"})


class KeylessHost:
    """Answer for the devices of a store without any key; callers may be many threads, one at a time.

    `rehearsed` is the clock of a rehearsed world: devices under a test root heed it, all others `clock`.
    """

    def __init__(self, store: FleetStore, *, clock: Clock, rehearsed: Clock | None = None) -> None:
        self._store, self._clock, self._rehearsed = store, clock, rehearsed or clock
        self._turn = threading.Lock()

    @cites("502.20f", "502.27d")
    def exchange(self, device: DeviceId, command: bytes) -> bytes:
        """Run one command of one device; what is refused is an answer too."""

        def lost() -> Refused:
            return Refused("psd.keys-lost", device=device)

        try:
            if commands.NAMES[type(commands.decode_command(command))] not in ANSWERED:
                raise lost()
            with self._turn:
                return self._seated(device, LostSlots(lost)).exchange(command)
        except TowncircleError as error:
            return commands.encode_error(error)

    def _seated(self, device: DeviceId, slots: LostSlots) -> Device:
        """Give the device as the store has it, over a seat that nobody commits."""
        kept = self._store.load([device]).get(device)
        if kept is None:
            raise BadInput("psd.no-such-device", device=device)
        if kept.state == states.ZEROISED:  # nobody here knows whether its keys are destroyed, as it would say
            raise Refused("psd.keys-lost", device=device)
        seat = Seat(self._store, device, kept)
        seat.begin({})
        return Device(seat, device, slots=slots, clock=self._rehearsed if kept.test_root else self._clock)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()
