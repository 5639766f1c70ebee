"""Which modules of a Data Matrix symbol hold which codeword (ISO/IEC 16022, ECC 200 module placement).

Here: the standard's walk along diagonals, for square symbols. Not here: the finder and the regions (`matrix_quality`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

Place = tuple[int, int]
_SHAPE = ((-2, -2), (-2, -1), (-1, -2), (-1, -1), (-1, 0), (0, -2), (0, -1), (0, 0))


@dataclass(slots=True)
class _Walk:
    """Hold what was placed on a square of modules."""

    side: int
    placed: dict[Place, int] = field(default_factory=dict)
    word: int = 0

    def put(self, places: list[Place]) -> None:
        for row, column in places:
            self.placed[row % self.side, column % self.side] = self.word
        self.word += 1

    def plain(self, row: int, column: int) -> None:
        """Place a codeword whose last module stands here; what falls off one edge comes in at the other, shifted."""
        shift, places = 4 - (self.side + 4) % 8, []
        for down, right in _SHAPE:
            r, c = row + down, column + right
            if r < 0:
                r, c = r + self.side, c + shift
            if c < 0:
                r, c = r + shift, c + self.side
            places.append((r, c))
        self.put(places)

    def corner(self, row: int, column: int) -> None:
        """Place a codeword in the corners, where the walk comes by one of the four places that ask for it."""
        side, last = self.side, self.side - 1
        right = [(0, last), (1, last), (2, last), (3, last)]
        if row == side and column == 0:
            self.put([(last, 0), (last, 1), (last, 2), (0, last - 1), *right])
        if row == side - 2 and column == 0 and side % 4:
            self.put([(last - 2, 0), (last - 1, 0), (last, 0), *((0, last - at) for at in range(4)), (1, last)])
        if row == side - 2 and column == 0 and side % 8 == 4:
            self.put([(last - 2, 0), (last - 1, 0), (last, 0), (0, last - 1), *right])
        if row == side + 4 and column == 2 and not side % 8:
            ends = [(row, last - at) for row in (0, 1) for at in range(3)]
            self.put([(last, 0), (last, last), *ends])

    def stroke(self, row: int, column: int, *, up: bool) -> Place:
        """Walk a diagonal, place what is free on it, and give where the next begins."""
        side, step = self.side, -2 if up else 2
        while (row >= 0 and column < side) if up else (row < side and column >= 0):
            if 0 <= row < side and 0 <= column < side and (row, column) not in self.placed:
                self.plain(row, column)
            row, column = row + step, column - step
        return (row + 1, column + 3) if up else (row + 3, column + 1)


def placement(side: int) -> dict[Place, int]:
    """Give the number of the codeword of each module of a square of `side` modules, the finder left out.

    In sizes whose modules are no multiple of eight, the lower right corner holds none.
    """
    walk, row, column = _Walk(side), 4, 0
    while row < side or column < side:
        walk.corner(row, column)
        row, column = walk.stroke(row, column, up=True)
        row, column = walk.stroke(row, column, up=False)
    return walk.placed
