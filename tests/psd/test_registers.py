"""The law of the registers, just inside and just outside."""

from __future__ import annotations

import pytest

from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.psd.registers import ASCENDING_LIMIT, PIECES_LIMIT, Registers, check_law, check_move

CAP = Mills.dollars(500)


def law(registers: Registers, **changes: Mills) -> None:
    terms = {"resets_total": registers.control_total, "withdrawn_total": ZERO, "limit": CAP}
    check_law(registers, **{**terms, **changes})


def test_a_lawful_reading_passes() -> None:
    law(Registers())
    law(Registers(ascending=Mills(5), descending=CAP, pieces=1))
    law(Registers(ascending=Mills(5)), resets_total=Mills(9), withdrawn_total=Mills(4))
    law(Registers(ascending=Mills(ASCENDING_LIMIT - Mills(1)), pieces=PIECES_LIMIT - 1))


@pytest.mark.parametrize(
    ("registers", "changes"),
    [
        (Registers(ascending=Mills(-1)), {}),
        (Registers(ascending=ASCENDING_LIMIT), {}),
        (Registers(descending=Mills(-1)), {}),
        (Registers(descending=CAP + Mills(1)), {}),
        (Registers(pieces=-1), {}),
        (Registers(pieces=PIECES_LIMIT), {}),
        (Registers(ascending=Mills(5)), {"resets_total": Mills(4)}),
        (Registers(ascending=Mills(5)), {"resets_total": Mills(6)}),
        (Registers(ascending=Mills(5)), {"withdrawn_total": Mills(1)}),
    ],
)
def test_an_unlawful_reading_is_found(registers: Registers, changes: dict[str, Mills]) -> None:
    with pytest.raises(BrokenInvariant, match=r"psd\.registers-broken"):
        law(registers, **changes)


def test_ascending_and_pieces_never_fall() -> None:
    before = Registers(ascending=Mills(5), pieces=2)
    check_move(before, before)
    for after in (Registers(ascending=Mills(4), pieces=2), Registers(ascending=Mills(5), pieces=1)):
        with pytest.raises(BrokenInvariant, match=r"psd\.registers-broken"):
            check_move(before, after)


def test_a_credit_that_could_never_be_spent_is_refused() -> None:
    old = Registers(ascending=ASCENDING_LIMIT - Mills(10))
    assert old.credited(Mills(9), cap=CAP).descending == 9
    with pytest.raises(Refused, match=r"psd\.ascending-full"):
        old.credited(Mills(10), cap=CAP)
