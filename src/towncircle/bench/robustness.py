"""How bad a scan may be: of each condition and resolution, how many symbols are read, in how much time.

Here: the table, repeatable by its seed. Not here: the conditions (`scanner`), speed of good scans (`scans`).
A reading of other bytes than were drawn is counted by itself: there must be none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial

from towncircle.bench.scanner import CONDITIONS, Condition, scan
from towncircle.kernel.randomness import SeededRandomness, below
from towncircle.symbol import Modules, data_matrix, pdf417, read

RESOLUTIONS = (200, 300, 600)
PAYLOAD_BYTES = {"PDF417": 89, "Data Matrix": 112}  # of `ibi-full` and `imi-std`
_MAKERS: dict[str, Callable[[bytes], Modules]] = {"PDF417": pdf417, "Data Matrix": data_matrix}
KINDS = (("PDF417", 10), ("PDF417", 15), ("Data Matrix", 15), ("Data Matrix", 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Hold what was read of `count` symbols of one kind and module width in one condition at one resolution."""

    condition: str
    symbology: str
    mil: int
    dpi: int
    count: int
    read: int
    misread: int
    milliseconds: int

    def as_dict(self) -> dict[str, object]:
        """Give the record of JSON output."""
        return asdict(self)


def measure(*, seed: int, count: int) -> Iterator[Cell]:
    """Measure all conditions; the same seed and count scan the same symbols. Milliseconds are of this process."""
    for condition in CONDITIONS:
        for symbology, mil in KINDS:
            for dpi in RESOLUTIONS:
                yield _cell(condition, symbology, mil, dpi, seed=seed, count=count)


def _share(dice: SeededRandomness) -> float:
    return below(dice, 2**32) / 2**32


def _cell(condition: Condition, symbology: str, mil: int, dpi: int, *, seed: int, count: int) -> Cell:
    dice = SeededRandomness(seed, f"{condition.name} {symbology} {mil} {dpi}")
    chance = partial(_share, dice)
    good = wrong = 0
    spent = 0.0
    for _ in range(count):
        payload = dice.take(PAYLOAD_BYTES[symbology])
        image = scan(_MAKERS[symbology](payload), condition, mil=mil, dpi=dpi, random=chance)
        began = time.process_time()
        found = [one.payload for one in read(image)]
        spent += time.process_time() - began
        good += found == [payload]
        wrong += any(one != payload for one in found)
    return Cell(
        condition=condition.name,
        symbology=symbology,
        mil=mil,
        dpi=dpi,
        count=count,
        read=good,
        misread=wrong,
        milliseconds=round(1000 * spent / count),
    )
