"""What the scan of a piece shows: its mark, how it is printed, where it stands.

Here: `look`, over the pages of a scan, and a sighting as plain values, so that a process of its own can look. Not here:
opening files (`paper/scan`), what the mark's bytes mean, what a grade leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from towncircle.symbol.grading import Measure, Place, blank, measure, place
from towncircle.symbol.reading import read

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Hold what was seen: the mark's bytes (empty: none was read), its measures and place; `blank`: nothing at all."""

    payload: bytes = b""
    measures: tuple[Measure, ...] = ()
    place: Place | None = None
    blank: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {
            "payload": self.payload.hex(),
            "measures": [asdict(one) for one in self.measures],
            "place": asdict(self.place) if self.place is not None else None,
            "blank": self.blank,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Sighting:
        """Read plain values. Raises `KeyError`, `TypeError`, `ValueError` for others."""
        return cls(
            payload=bytes.fromhex(told["payload"]),
            measures=tuple(Measure(**one) for one in told["measures"]),
            place=Place(**told["place"]) if told["place"] is not None else None,
            blank=bool(told["blank"]),
        )


def look(pages: Iterable[tuple[NDArray[np.uint8], int | None]], *, is_indicium: Callable[[bytes], bool]) -> Sighting:
    """Look at pages with their resolution: the first symbol that is an indicium counts."""
    marked = False
    for image, dpi in pages:
        found = next((one for one in read(image) if is_indicium(one.payload)), None)
        if found is not None:
            return Sighting(payload=found.payload, measures=measure(image, found), place=place(image, found, dpi))
        marked |= not blank(image)
    return Sighting(blank=not marked)
