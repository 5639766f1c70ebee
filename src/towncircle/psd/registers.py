"""The registers of the device and their law.

Here: ascending, descending and piece registers, the three ways they move, and the check of the law. Not here: when a
device may move them (`automaton`), and anything that stores them. Only `psd` may import this module. The debit and the
law are written over plain numbers, so that one copy serves a record of registers and the quick way of `debits`.
Kept: ascending never falls and stops before it overflows; ascending + descending = control total = resets applied -
balance withdrawn; descending never passes the cap of the signed parameters (PRE-12, PRE-11, P050 3.6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.money import ZERO, Mills

ASCENDING_LIMIT = Mills(2**40)  # the ascending field of every indicium layout has 40 bits of mills
PIECES_LIMIT = 2**32
_ASCENDING_END = int(ASCENDING_LIMIT)


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
        ascending, descending, total = debit(
            int(self.ascending), int(self.descending), self.pieces, amount=int(amount), count=pieces
        )
        return Registers(ascending=Mills(ascending), descending=Mills(descending), pieces=total)

    def emptied(self) -> Registers:
        """Give the registers after the balance was withdrawn."""
        return replace(self, descending=ZERO)


def debit(ascending: int, descending: int, pieces: int, *, amount: int, count: int) -> tuple[int, int, int]:
    """Give ascending, descending and piece register after a debit, all in mills and pieces.

    Raises `Refused` (psd.funds-short, psd.ascending-full, psd.pieces-full).
    """
    if amount > descending:
        raise Refused("psd.funds-short", amount=Mills(amount), descending=Mills(descending))
    if ascending + amount >= _ASCENDING_END:
        raise Refused("psd.ascending-full", ascending=Mills(ascending))
    if pieces + count >= PIECES_LIMIT:
        raise Refused("psd.pieces-full", pieces=pieces)
    return ascending + amount, descending - amount, pieces + count


def check_law(registers: Registers, *, resets_total: Mills, withdrawn_total: Mills, limit: Mills) -> None:
    """Check the law of the registers at one moment. Raises `BrokenInvariant` (psd.registers-broken)."""
    check_numbers(
        int(registers.ascending),
        int(registers.descending),
        registers.pieces,
        resets=int(resets_total),
        withdrawn=int(withdrawn_total),
        limit=int(limit),
    )


def check_numbers(ascending: int, descending: int, pieces: int, *, resets: int, withdrawn: int, limit: int) -> None:
    """Check the law over plain numbers. Raises `BrokenInvariant` (psd.registers-broken)."""
    if not 0 <= ascending < _ASCENDING_END:
        _broken(f"the ascending register {Mills(ascending)} is out of its range")
    if descending < 0:
        _broken(f"the descending register {Mills(descending)} is negative")
    if not 0 <= pieces < PIECES_LIMIT:
        _broken(f"the piece register {pieces} is out of its range")
    if ascending + descending != resets - withdrawn:
        _broken(
            f"the control total {Mills(ascending + descending)} is not the resets applied {Mills(resets)} "
            f"less the balance withdrawn {Mills(withdrawn)}"
        )
    if descending > limit:
        _broken(f"the descending register {Mills(descending)} is over its limit {Mills(limit)}")


def check_move(before: Registers, after: Registers) -> None:
    """Check that a move never lowers the ascending or the piece register. Raises `BrokenInvariant`."""
    check_rise(before.ascending, before.pieces, ascending=after.ascending, pieces=after.pieces)


def check_rise(was_ascending: int, was_pieces: int, *, ascending: int, pieces: int) -> None:
    """Check a move over plain numbers. Raises `BrokenInvariant` (psd.registers-broken)."""
    if ascending < was_ascending or pieces < was_pieces:
        _broken("the ascending or the piece register would fall")


def _broken(what: str) -> NoReturn:
    raise BrokenInvariant("psd.registers-broken", what=what)
