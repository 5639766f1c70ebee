"""The registers of the device and their law.

Here: ascending, descending and piece registers, the three ways they move, and the check of the law. Not here: when a
device may move them (`automaton`), and anything that stores them. Only `psd` may import this module.
Kept: ascending never falls and stops before it overflows; ascending + descending = control total = resets applied -
balance withdrawn; descending never passes the cap of the signed parameters (PRE-12, PRE-11, P050 3.6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.money import ZERO, Mills

ASCENDING_LIMIT = Mills(2**40)  # the ascending field of every indicium layout has 40 bits of mills
PIECES_LIMIT = 2**32


@cites("PRE-12", "P050-3.6", "PRE-11/1", "PRE-12/1", "PRE-12/3")
@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """Hold the registers: postage ever evidenced, postage still to spend, and pieces ever evidenced."""

    ascending: Mills = ZERO
    descending: Mills = ZERO
    pieces: int = 0

    @property
    def control_total(self) -> Mills:
        """Give ascending plus descending, which only a reset or a withdrawal moves."""
        return self.ascending + self.descending

    def credited(self, amount: Mills, *, cap: Mills) -> Registers:
        """Give the registers after a reset. Raises `Refused` (psd.over-cap, psd.ascending-full)."""
        self.check_room(amount, cap=cap)
        return replace(self, descending=self.descending + amount)

    def check_room(self, amount: Mills, *, cap: Mills) -> None:
        """Refuse an amount that would pass the cap, or could not be spent before the ascending register is full."""
        if self.descending + amount > cap:
            room = max(Mills(0), cap - self.descending)
            raise Refused("psd.over-cap", amount=amount, descending=self.descending, cap=cap, room=room)
        if self.control_total + amount >= ASCENDING_LIMIT:
            raise Refused("psd.ascending-full", ascending=self.ascending)

    def debited(self, amount: Mills, *, pieces: int) -> Registers:
        """Give the registers after a debit. Raises `Refused` (psd.funds-short, psd.ascending-full, psd.pieces-full)."""
        if amount > self.descending:
            raise Refused("psd.funds-short", amount=amount, descending=self.descending)
        if self.ascending + amount >= ASCENDING_LIMIT:
            raise Refused("psd.ascending-full", ascending=self.ascending)
        if self.pieces + pieces >= PIECES_LIMIT:
            raise Refused("psd.pieces-full", pieces=self.pieces)
        return Registers(
            ascending=self.ascending + amount, descending=self.descending - amount, pieces=self.pieces + pieces
        )

    def emptied(self) -> Registers:
        """Give the registers after the balance was withdrawn."""
        return replace(self, descending=ZERO)


def check_law(registers: Registers, *, resets_total: Mills, withdrawn_total: Mills, limit: Mills) -> None:
    """Check the law of the registers at one moment. Raises `BrokenInvariant` (psd.registers-broken)."""
    broken = ""
    if not 0 <= registers.ascending < ASCENDING_LIMIT:
        broken = f"the ascending register {registers.ascending} is out of its range"
    elif registers.descending < 0:
        broken = f"the descending register {registers.descending} is negative"
    elif not 0 <= registers.pieces < PIECES_LIMIT:
        broken = f"the piece register {registers.pieces} is out of its range"
    elif registers.control_total != resets_total - withdrawn_total:
        broken = (
            f"the control total {registers.control_total} is not the resets applied {resets_total} "
            f"less the balance withdrawn {withdrawn_total}"
        )
    elif registers.descending > limit:
        broken = f"the descending register {registers.descending} is over its limit {limit}"
    if broken:
        raise BrokenInvariant("psd.registers-broken", what=broken)


def check_move(before: Registers, after: Registers) -> None:
    """Check that a move never lowers the ascending or the piece register. Raises `BrokenInvariant`."""
    if after.ascending < before.ascending or after.pieces < before.pieces:
        raise BrokenInvariant("psd.registers-broken", what="the ascending or the piece register would fall")
