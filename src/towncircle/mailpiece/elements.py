"""What stands on a page: text, paths, the symbol, barcodes, the FIM, a picture; all with exact boxes.

Here: the elements, `Layer` and `Page`. Not here: where they are put (`imprint`, `page`), how they are drawn
(`towncircle.paper`).
Kept: an element knows its role and its box, so that a lint measures what will be printed and not what was meant.
Ink is grey in thousandths, 0 black and 1000 white.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import cos, pi, radians, sin
from typing import Literal

from towncircle.mailpiece.bitmap import Bitmap
from towncircle.mailpiece.geometry import Box, Form
from towncircle.mailpiece.typeface import FontKey, face
from towncircle.symbol.modules import Modules

Role = Literal[
    "sender", "recipient", "place", "date", "amount", "redate", "device", "category", "postage-words",
    "symbol", "art", "attribution", "marking", "specimen", "microtext", "decoration", "fim", "imb", "postnet", "proof",
]  # fmt: skip
MAIL_BARCODES = {"imb": "Intelligent Mail", "postnet": "POSTNET"}  # role, and how a rule names it
Side = Literal["address", "nonaddress"]
INDICIUM_ROLES = frozenset(
    {"place", "date", "amount", "redate", "device", "category", "postage-words", "symbol", "art", "attribution"}
    | {"marking", "specimen", "microtext", "decoration"}
)
Op = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Hold one line of text by the left end of its baseline."""

    role: Role
    text: str
    font: FontKey
    size: int
    x: int
    y: int
    tracking: int = 0
    ink: int = 0

    @property
    def box(self) -> Box:
        """Give the space the line takes."""
        metrics = face(self.font)
        return Box(
            self.x,
            self.y - metrics.below(self.text, self.size),
            self.x + metrics.width(self.text, self.size, self.tracking),
            self.y + metrics.above(self.text, self.size),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcText:
    """Hold text along a circle, its middle at the top (`over`) or at the bottom of it, always read from left to right.

    `radius` is that of the baseline. `glyphs()` gives each character with its place and turn.
    """

    role: Role
    text: str
    font: FontKey
    size: int
    cx: int
    cy: int
    radius: int
    over: bool
    tracking: int = 0
    ink: int = 0

    @property
    def sweep(self) -> float:
        """Give the angle the text takes, in degrees."""
        return face(self.font).width(self.text, self.size, self.tracking) / self.radius * 180 / pi

    def glyphs(self) -> Iterator[tuple[str, float, float, float]]:
        """Give character, x, y (units, left end of its baseline) and turn (degrees, counterclockwise)."""
        metrics, half = face(self.font), self.sweep / 2
        start = 90 + half if self.over else 270 - half
        sign = -1 if self.over else 1
        travelled = 0.0
        for char in self.text:
            advance = metrics.width(char, self.size)
            angle = start + sign * (travelled + advance / 2) / self.radius * 180 / pi
            turn = angle - 90 if self.over else angle + 90
            middle_x = self.cx + self.radius * cos(radians(angle))
            middle_y = self.cy + self.radius * sin(radians(angle))
            shift_x, shift_y = advance / 2 * cos(radians(turn)), advance / 2 * sin(radians(turn))
            yield char, middle_x - shift_x, middle_y - shift_y, turn
            travelled += advance + self.tracking

    @property
    def box(self) -> Box:
        """Give the space the glyphs take, corner by corner."""
        high = face(self.font).cap_height * self.size // 1000
        xs: list[float] = []
        ys: list[float] = []
        for char, x, y, turn in self.glyphs():
            wide = face(self.font).width(char, self.size)
            for across, up in ((0, 0), (wide, 0), (0, high), (wide, high)):
                xs.append(x + across * cos(radians(turn)) - up * sin(radians(turn)))
                ys.append(y + across * sin(radians(turn)) + up * cos(radians(turn)))
        return Box(round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Hold a drawn shape: ops `M x y`, `L x y`, `C x1 y1 x2 y2 x y`, `Z`; filled, stroked or both."""

    role: Role
    ops: tuple[Op, ...]
    fill: int | None = None
    stroke: int | None = None
    width: int = 0

    @property
    def box(self) -> Box:
        """Give the space of its points and its line."""
        xs = [value for _, values in self.ops for value in values[0::2]]
        ys = [value for _, values in self.ops for value in values[1::2]]
        half = self.width // 2 if self.stroke is not None else 0
        return Box(min(xs) - half, min(ys) - half, max(xs) + half, max(ys) + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """Hold the two-dimensional symbol: its modules, lower left corner, the size of a module, and a turn in degrees."""

    modules: Modules
    x: int
    y: int
    module: int
    role: Role = "symbol"
    turned: int = 0

    @property
    def box(self) -> Box:
        """Give the space of the dark modules."""
        width, height = self.modules.width * self.module, self.modules.height * self.module
        if self.turned % 180:
            width, height = height, width
        return Box(self.x, self.y, self.x + width, self.y + height)

    @property
    def quiet_box(self) -> Box:
        """Give the symbol with its quiet zone."""
        margin = self.modules.quiet_zone * self.module
        return self.box.grown(left=margin, bottom=margin, right=margin, top=margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Hold the bars of a barcode for the mail; `y` is the foot of a full or tall one, which is three thirds high.

    The 65 of an Intelligent Mail barcode are the letters A, D, F and T. Those of POSTNET are `1` (tall) and `0`, which
    is `short` units high on the same foot.
    """

    letters: str
    x: int
    y: int
    pitch: int
    bar: int
    third: int
    role: Role = "imb"
    short: int = 0

    def span(self, letter: str) -> tuple[int, int]:
        """Give foot and head of a bar over `y`."""
        third = self.third
        return {
            "A": (third, 3 * third), "D": (0, 2 * third), "F": (0, 3 * third), "T": (third, 2 * third),
            "1": (0, 3 * third), "0": (0, self.short),
        }[letter]  # fmt: skip

    @property
    def box(self) -> Box:
        """Give the space of the bars."""
        width = (len(self.letters) - 1) * self.pitch + self.bar
        return Box(self.x, self.y, self.x + width, self.y + 3 * self.third)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fim:
    """Hold a facing identification mark: its pattern of 1 and 0 from left to right and its lower left corner."""

    pattern: str
    x: int
    y: int
    pitch: int
    bar: int
    height: int
    role: Role = "fim"

    @property
    def box(self) -> Box:
        """Give the space of the bars."""
        return Box(self.x, self.y, self.x + (len(self.pattern) - 1) * self.pitch + self.bar, self.y + self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Hold a picture of one bit a dot: its lower left corner and the size of a dot."""

    bitmap: Bitmap
    x: int
    y: int
    dot: int
    role: Role = "art"

    @property
    def box(self) -> Box:
        """Give the space of all dots."""
        return Box(self.x, self.y, self.x + self.bitmap.width * self.dot, self.y + self.bitmap.height * self.dot)


Element = Text | ArcText | Path | Symbol | Bars | Fim | Image
Boxed = tuple[Element, Box]


@dataclass(frozen=True, eq=False)
class Layer:
    """Hold elements that many pages share; two layers are the same only if they are one object."""

    elements: tuple[Element, ...]

    @cached_property
    def boxed(self) -> tuple[Boxed, ...]:
        """Give the elements with their boxes, measured once."""
        return _boxed(self.elements)

    @cached_property
    def space(self) -> Box | None:
        """Give the box around all of them, or None where there are none."""
        return _around(self.boxed)

    @cached_property
    def indicium(self) -> Box | None:
        """Give the box around those of the indicium, or None."""
        return _around([pair for pair in self.boxed if pair[0].role in INDICIUM_ROLES])

    @cached_property
    def roles(self) -> dict[str, tuple[Boxed, ...]]:
        """Give the elements of each role with their boxes."""
        return _by_role(self.boxed)


def _boxed(elements: Iterable[Element]) -> tuple[Boxed, ...]:
    return tuple([(element, element.box) for element in elements])


def _around(pairs: Iterable[Boxed]) -> Box | None:
    boxes = [box for _, box in pairs]
    return Box.around(boxes) if boxes else None


def _by_role(pairs: Iterable[Boxed]) -> dict[str, tuple[Boxed, ...]]:
    found: dict[str, tuple[Boxed, ...]] = {}
    for pair in pairs:
        found[pair[0].role] = (*found.get(pair[0].role, ()), pair)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Licensed:
    """Hold what the license and the approvals of a mailer allow its indicia to name.

    `office` and `branches` are city and state, or branch and state, in capitals; `mailer_zip` is the ZIP Code of the
    mailer's delivery address; `label_forms` are the forms of the label stocks that are approved.
    """

    office: str
    office_zip: str
    mailer_zip: str
    branches: frozenset[str] = frozenset()
    label_forms: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Page:
    """Hold one side of one piece: shared layers and its own elements.

    `reply` says that it is a courtesy reply envelope, `art_area` where art or a marking may stand.
    `piece_shape` is the shape of the piece that a label goes on; `dpi` names the dots of the printer it is for.
    `licensed` is what the mailer may name, None on a picture of no mailer's piece.
    """

    form: Form
    side: Side
    specimen: bool
    mailer: str = ""
    reply: bool = False
    art_area: Box | None = None
    layers: tuple[Layer, ...] = ()
    elements: tuple[Element, ...] = field(default=())
    piece_shape: str = ""
    dpi: int = 300
    licensed: Licensed | None = None

    @property
    def shape(self) -> str:
        """Give what the piece is: letter, flat, card or parcel."""
        return self.piece_shape or self.form.shape

    @cached_property
    def boxed(self) -> tuple[Boxed, ...]:
        """Give every element with its box, shared ones first."""
        return sum([layer.boxed for layer in self.layers], ()) + self.own

    @cached_property
    def own(self) -> tuple[Boxed, ...]:
        """Give the elements that no other page shares with their boxes."""
        return _boxed(self.elements)

    @cached_property
    def _roles(self) -> dict[str, tuple[Boxed, ...]]:
        found: dict[str, tuple[Boxed, ...]] = {}
        for roles in (*[layer.roles for layer in self.layers], _by_role(self.own)):
            for role, pairs in roles.items():
                found[role] = found.get(role, ()) + pairs
        return found

    def having(self, *roles: str) -> tuple[Boxed, ...]:
        """Give the elements of the named roles with their boxes, role by role."""
        return sum([self._roles.get(role, ()) for role in roles], ())

    @cached_property
    def indicium(self) -> Box | None:
        """Give the box around all elements of the indicium, or None where there is none."""
        own = _around([pair for pair in self.own if pair[0].role in INDICIUM_ROLES])
        boxes = [box for box in (*[layer.indicium for layer in self.layers], own) if box is not None]
        return Box.around(boxes) if boxes else None


def circle(cx: int, cy: int, radius: int) -> tuple[Op, ...]:
    """Give the ops of a circle, of four curves."""
    k = round(radius * 0.5522847498)
    return (
        ("M", (cx + radius, cy)),
        ("C", (cx + radius, cy + k, cx + k, cy + radius, cx, cy + radius)),
        ("C", (cx - k, cy + radius, cx - radius, cy + k, cx - radius, cy)),
        ("C", (cx - radius, cy - k, cx - k, cy - radius, cx, cy - radius)),
        ("C", (cx + k, cy - radius, cx + radius, cy - k, cx + radius, cy)),
        ("Z", ()),
    )


def polygon(*points: tuple[int, int]) -> tuple[Op, ...]:
    """Give the ops of a closed polygon."""
    return (("M", points[0]), *(("L", point) for point in points[1:]), ("Z", ()))


def polyline(*points: tuple[int, int]) -> tuple[Op, ...]:
    """Give the ops of an open line."""
    return (("M", points[0]), *(("L", point) for point in points[1:]))
