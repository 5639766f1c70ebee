"""What a page shows besides its symbols: how its print differs from the paper, and a REDATE.

Here: asking the colours of a scan and the words of a PDF, page by page. Not here: finding symbols (`symbol.reading`),
what follows from it (`verification`).
What is read of a REDATE, plainly: the words of a PDF page without a symbol, as `towncircle print --redate` makes it.
From a photograph, or a scan of paper, it is not read: there an officer says it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.paper.colours import Colours
from towncircle.symbol import reflectance
from towncircle.symbol.reflectance import Reflectance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from towncircle.symbol.reading import Found

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_REDATE = re.compile(r"(?<![A-Z])REDATE(?![A-Z])", re.ASCII)
_DATE = re.compile(rf"(?<![A-Z])({'|'.join(_MONTHS)})\s+([0-9]{{1,2}})\s+([0-9]{{4}})(?![0-9])", re.ASCII)


class Noticing:
    """Hold a file while its pages are looked at, from the first on."""

    def __init__(self, data: bytes) -> None:
        self._colours = Colours(data)

    @cites("P050-4.2/3")
    def prints(self, number: int, page: NDArray[np.uint8], found: Found) -> Reflectance | None:
        """Measure the print of a symbol that was found on the grey page of a number."""
        part = self._colours.part(number, found.position, page)
        if part is None:
            return reflectance.difference(page, found.position)
        height, width = part.shape[:2]
        return reflectance.difference(part, ((0, 0), (width, height)))

    @cites("P050-4.8")
    def redate(self, number: int) -> date | None:
        """Give the date of a REDATE that the words of a page say: one such word with one date, else None."""
        words = self._colours.words(number)
        dates = _DATE.findall(words)
        if len(_REDATE.findall(words)) != 1 or len(dates) != 1:
            return None
        ((month, day, year),) = dates
        try:
            return date(int(year), _MONTHS.index(month) + 1, int(day))
        except ValueError:
            return None

    def close(self) -> None:
        """Close the file."""
        self._colours.close()
