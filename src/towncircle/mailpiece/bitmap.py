"""A small picture of one bit a dot, as it is approved, carried and printed.

Here: the value, its bounds and its canonical bytes. Not here: where it comes from (`artwork`), drawing (`paper`).
Kept: a picture that exists is within its bounds, and its spare bits are zero, so that one picture has one digest.
"""

from __future__ import annotations

from dataclasses import dataclass

from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.geometry import DOT_300, figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitmap:
    """Hold a picture: `packed` has `stride` bytes a row from the top, the leftmost dot in the highest bit, 1 is dark.

    Raises `BadInput` (artwork.not-canonical) for sizes and bytes that do not go together.
    """

    width: int
    height: int
    packed: bytes

    def __post_init__(self) -> None:
        width_most, height_most = most_dots()
        fits = 1 <= self.width <= width_most and 1 <= self.height <= height_most
        if not fits or len(self.packed) != self.stride * self.height or any(self._spare()):
            raise BadInput("artwork.not-canonical", width=width_most, height=height_most)

    @property
    def stride(self) -> int:
        """Give the bytes of one packed row."""
        return (self.width + 7) // 8

    @property
    def dark(self) -> int:
        """Count the dark dots."""
        return int.from_bytes(self.packed, "big").bit_count()

    def row(self, at: int) -> bytes:
        """Give one packed row."""
        return self.packed[at * self.stride : (at + 1) * self.stride]

    def _spare(self) -> bytes:
        """Give what stands in the bits behind the last dot of each row."""
        behind = (1 << (-self.width % 8)) - 1
        return bytes(byte & behind for byte in self.packed[self.stride - 1 :: self.stride])


def most_dots() -> tuple[int, int]:
    """Give the width and height that a picture may have, in dots of 300 dpi."""
    return figure("art", "width") // DOT_300, figure("art", "picture_height") // DOT_300
