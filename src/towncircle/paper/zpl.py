"""Pages as ZPL II, the language of label printers.

Here: one label a page; by default the whole page as graphics (`^GFA`, Z64), as an option the symbol and the
Intelligent Mail barcode as the printer's own (`^BX`, `^B7`, `^BZ`). Not here: sending (`towncircle.transport`).
Kept: the symbol, the bars and the FIM stand on whole dots of the printer's head, never larger than what was linted:
a head of 203 dots gives a module three whole dots and not 3.4. What is drawn is black or white; the rest of the page is
rendered from the same PDF that is printed elsewhere. The bytes are plain ASCII: a graphic is base64 with its checksum,
the bytes of a printer's own symbol are `_HH`, so no code page and no control character can change them.

A graphic is the same on every model; how a model reads bytes above 0x7F in its own symbols differs, so they are an
option. Source: Zebra, ZPL II Programming Guide (`^GF`, `^BX`, `^B7`, `^BZ`, `^FH`).
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from binascii import crc_hqx
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO

from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.elements import Bars, Element, Fim, Layer, Page, Symbol
from towncircle.mailpiece.geometry import INCH, Form
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster_at
from towncircle.symbol import imb, postnet_digits, read
from towncircle.symbol.matrix import PDF417_LEVEL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Dots = NDArray[np.bool_]

# Dots an inch by the name of the head: makers call 8 dots a millimetre 203. What a head of 300 or 600 truly has differs
# by model (11.8 or 12 dots a millimetre); the calibration of a printer mends it.
HEADS = {203: Fraction(2032, 10), 300: Fraction(300), 600: Fraction(600)}
_LEAST_DOTS = 2  # of a module: one dot alone grows by its neighbours' heat
_INK = 128
_MOST_BYTES = 99_999  # of one ^GF
_MARKS = (Symbol, Bars, Fim)
_ESCAPE = "_7C"  # | begins control words in ^BX; it is doubled where it is a byte of the data
_PDF417_FRAME, _PDF417_COLUMN = 69, 17  # modules: start, stop and the two indicators; one data column


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Describe a print head: its name in dots an inch, where its page begins, and how far its paper runs true.

    `shift_x` and `shift_y` move what is printed right and down, in units (thousandths of a point); `scale_x` and
    `scale_y` make it larger. `native` draws symbols by the printer's own commands.
    """

    dpi: int = 300
    shift_x: int = 0
    shift_y: int = 0
    scale_x: Fraction = Fraction(1)
    scale_y: Fraction = Fraction(1)
    native: bool = False

    def dots(self) -> tuple[Fraction, Fraction]:
        """Give the dots of an inch across and down. Raises `BadInput` (paper.head)."""
        if self.dpi not in HEADS:
            raise BadInput("paper.head", dpi=self.dpi, known=", ".join(map(str, HEADS)))
        return HEADS[self.dpi] * self.scale_x, HEADS[self.dpi] * self.scale_y


def write_zpl(pages: Iterable[Page], out: BinaryIO, head: Head) -> int:
    """Write a label for each page to a stream as they come, and give their number.

    Raises `BadInput` (paper.no-pages, paper.head), `Refused` (paper.too-coarse, paper.off-the-page).
    """
    count = 0
    for page in pages:
        out.write(to_zpl(page, head))
        count += 1
    if not count:
        raise BadInput("paper.no-pages")
    return count


def to_zpl(page: Page, head: Head) -> bytes:
    """Draw a page as one label. Raises as `write_zpl`."""
    grid = _Grid(page.form, head)
    dots = _shared(page.form, page.layers, head) | _rendered(page.form, _plain(page.elements), head)
    own: list[str] = []
    for mark, _ in page.boxed:
        if head.native and isinstance(mark, Symbol):
            own.append(_own_symbol(mark, grid))
        elif head.native and isinstance(mark, Bars):
            own.append(_own_bars(mark, grid))
        elif isinstance(mark, _MARKS):
            for left, top, right, bottom in _rectangles(mark, grid):
                dots[top:bottom, left:right] = True
    lines = [
        f"^XA^PW{grid.width}^LL{grid.height}^LH0,0^LS0^FWN",
        *_graphics(grid.shifted(dots)),
        *own,
        "^XZ\n",
    ]
    return "\n".join(lines).encode("ascii")


class _Grid:
    """Turn places of a page into dots, counted from the upper left corner."""

    def __init__(self, form: Form, head: Head) -> None:
        self._form = form
        self._x, self._y = head.dots()
        self.width, self.height = self.across(form.width), self.down(0)
        self.right, self.below = self.across(head.shift_x), self.long(head.shift_y)

    def across(self, units: int | Fraction) -> int:
        """Give the dot of a place or the dots of a length from left to right."""
        return round(units * self._x / INCH)

    def long(self, units: int | Fraction) -> int:
        """Give the dots of a length from top to bottom."""
        return round(units * self._y / INCH)

    def down(self, y: int | Fraction) -> int:
        """Give the dot row of a height on the page."""
        return self.long(self._form.height - y)

    def module(self, units: int) -> int:
        """Give the whole dots that a module may take. Raises `Refused` (paper.too-coarse)."""
        dots = int(units * min(self._x, self._y) / INCH)
        if dots < _LEAST_DOTS:
            raise Refused("paper.too-coarse", mils=round(units * 1000 / INCH, 1), dots=f"{float(self._x):g}")
        return dots

    def shifted(self, dots: Dots) -> Dots:
        """Move the dots by the head's shift. Raises `Refused` (paper.off-the-page) where ink would be lost."""
        import numpy as np

        if not (self.right or self.below):
            return dots
        moved = np.zeros_like(dots)
        rows, columns = np.nonzero(dots)
        rows, columns = rows + self.below, columns + self.right
        if rows.size and not (
            rows.min() >= 0 and columns.min() >= 0 and rows.max() < self.height and columns.max() < self.width
        ):
            raise Refused("paper.off-the-page", right=self.right, down=self.below)
        moved[rows, columns] = True
        return moved


def _plain(elements: Iterable[Element]) -> tuple[Element, ...]:
    return tuple(element for element in elements if not isinstance(element, _MARKS))


@lru_cache(maxsize=8)
def _shared(form: Form, layers: tuple[Layer, ...], head: Head) -> Dots:
    """Draw what many pages share; a batch draws it once."""
    return _rendered(form, tuple(element for layer in layers for element in _plain(layer.elements)), head)


def _rendered(form: Form, elements: tuple[Element, ...], head: Head) -> Dots:
    """Render text and paths as the dots of a head that are more black than white."""
    import numpy as np

    grid = _Grid(form, head)
    dots = np.zeros((grid.height, grid.width), bool)
    if elements:
        x, y = head.dots()
        page = Page(form=form, side="address", specimen=True, elements=elements)
        grey = raster_at(to_pdf([page]), float(x / 72), float(y / 72))[: grid.height, : grid.width]
        dots[: grey.shape[0], : grey.shape[1]] = grey < _INK
    return dots


def _rectangles(mark: Symbol | Bars | Fim, grid: _Grid) -> Iterator[tuple[int, int, int, int]]:
    """Give the dark rectangles of a mark in dots: left, top, right, bottom."""
    if isinstance(mark, Symbol):
        yield from _modules(mark, grid)
    elif isinstance(mark, Bars):
        yield from _bars(mark, grid)
    else:
        top, wide = grid.down(mark.y + mark.height), max(grid.across(mark.bar), 1)
        for at, bar in enumerate(mark.pattern):
            if bar == "1":
                left = grid.across(mark.x + at * mark.pitch)
                yield left, top, left + wide, top + grid.long(mark.height)


def _corner(mark: Symbol, grid: _Grid) -> tuple[int, int, int]:
    """Give the dots of a module and the upper left corner of a symbol: in the middle of the box that was linted."""
    dots, box = grid.module(mark.module), mark.box
    left = grid.across(Fraction(box.left + box.right, 2)) - mark.modules.width * dots // 2
    top = grid.down(Fraction(box.bottom + box.top, 2)) - mark.modules.height * dots // 2
    return dots, left, top


def _modules(mark: Symbol, grid: _Grid) -> Iterator[tuple[int, int, int, int]]:
    dots, left, top = _corner(mark, grid)
    high = mark.modules.row_height * dots
    for row, columns in enumerate(mark.modules.array()):
        for column in columns.nonzero()[0].tolist():
            x, y = left + column * dots, top + row * high
            yield x, y, x + dots, y + high


def _bars(mark: Bars, grid: _Grid) -> Iterator[tuple[int, int, int, int]]:
    pitch, wide, third = (max(grid.across(length), 1) for length in (mark.pitch, mark.bar, mark.third))
    left, top = grid.across(mark.x), grid.down(mark.y + 3 * mark.third)
    for at, letter in enumerate(mark.letters):
        first, last = (0 if letter in "AF" else 1), (3 if letter in "DF" else 2)
        x = left + at * pitch
        if mark.role == "postnet":
            yield x, top + (0 if letter == "1" else 3 * third - grid.long(mark.short)), x + wide, top + 3 * third
            continue
        yield x, top + first * third, x + wide, top + last * third


def _graphics(dots: Dots) -> Iterator[str]:
    """Give the dots as graphics side by side from the top down, each as large as the language allows, none blank."""
    import numpy as np

    packed = np.packbits(dots, axis=1)
    rows = _MOST_BYTES // packed.shape[1]
    for top in range(0, len(packed), rows):
        band = packed[top : top + rows]
        inked = np.flatnonzero(band.any(axis=0))
        if inked.size:
            left = int(inked[0])
            yield f"^FO{8 * left},{top}{_graphic(band[:, left : int(inked[-1]) + 1])}^FS"


def _graphic(packed: NDArray[np.uint8]) -> str:
    size, stride = packed.size, packed.shape[1]
    data = b64encode(zlib.compress(packed.tobytes(), 9))
    return f"^GFA,{size},{size},{stride},:Z64:{data.decode()}:{crc_hqx(data, 0):04X}"


def _own_symbol(mark: Symbol, grid: _Grid) -> str:
    """Have the printer draw the symbol of the same bytes, with modules of the same size at the same corner."""
    dots, left, top = _corner(mark, grid)
    found = read(mark.modules.image(dots=4))
    if len(found) != 1:
        raise Refused("paper.no-own-symbol", symbology=mark.modules.symbology)
    data = "".join(f"_{byte:02X}" for byte in found[0].payload)
    head = f"^FO{left + grid.right},{top + grid.below}"
    if mark.modules.row_height == 1:
        side = mark.modules.width
        return f"{head}^BXN,{dots},200,{side},{side},,|^FH_^FD{data.replace(_ESCAPE, 2 * _ESCAPE)}^FS"
    columns = (mark.modules.width - _PDF417_FRAME) // _PDF417_COLUMN
    shape = f"{mark.modules.row_height * dots},{PDF417_LEVEL},{columns},,N"
    return f"{head}^BY{dots}^B7N,{shape}^FH_^FD{data}^FS"


def _own_bars(mark: Bars, grid: _Grid) -> str:
    """Have the printer draw the barcode of the same digits: the Intelligent Mail barcode, or POSTNET."""
    left, top = grid.across(mark.x) + grid.right, grid.down(mark.y + 3 * mark.third) + grid.below
    wide, high = max(grid.across(mark.bar), 1), grid.long(3 * mark.third)
    if mark.role == "postnet":
        return f"^FO{left},{top}^BY{wide}^BZN,{high},N,N,0^FD{postnet_digits(mark.letters)}^FS"
    read_back = imb.decode(mark.letters)
    return f"^FO{left},{top}^BY{wide}^BZN,{high},N,N,3^FD{read_back.tracking}{read_back.routing}^FS"
