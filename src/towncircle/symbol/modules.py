"""The grid of modules of a two-dimensional symbol.

Here: the value that encoders give and printers draw. Not here: units of length; a module has none until the page room
gives it a whole number of printer dots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """Hold one symbol as modules.

    `packed` has `stride` bytes a row, the leftmost module in the highest bit, 1 is dark, as PDF image masks, PBM and
    1-bit PNG have it (these may want it inverted). A row is `row_height` modules high, a module is one unit wide.
    `quiet_zone` is the blank margin that the symbology asks for on all four sides, in modules.
    """

    symbology: str
    rows: int
    width: int
    packed: bytes
    row_height: int
    quiet_zone: int

    @property
    def stride(self) -> int:
        """Give the bytes of one packed row."""
        return (self.width + 7) // 8

    @property
    def height(self) -> int:
        """Give the height in modules, without the quiet zone."""
        return self.rows * self.row_height

    def row(self, at: int) -> bytes:
        """Give one packed row."""
        return self.packed[at * self.stride : (at + 1) * self.stride]

    def dark(self, *, row: int, column: int) -> bool:
        """Tell whether a module is dark."""
        return bool(self.packed[row * self.stride + column // 8] & (0x80 >> column % 8))

    def array(self) -> NDArray[np.uint8]:
        """Give the grid as a numpy array of rows by width, 1 is dark."""
        import numpy as np

        rows = np.frombuffer(self.packed, np.uint8).reshape(self.rows, self.stride)
        return np.unpackbits(rows, axis=1)[:, : self.width]

    def image(self, *, dots: int) -> NDArray[np.uint8]:
        """Draw the symbol with its quiet zone, black on white, a module `dots` pixels wide."""
        import numpy as np

        grid = np.repeat(self.array(), self.row_height, axis=0)
        grid = np.pad(grid, self.quiet_zone)
        return np.kron(255 - 255 * grid, np.ones((dots, dots), np.uint8)).astype(np.uint8)
