"""Lengths, boxes and the zones of a mailpiece, exact.

Here: boxes in thousandths of a point, the forms (envelopes, cards, labels, tape, tags), the zones that machines read,
the dots of printers. Not here: what stands on a piece (`elements`, `page`), whether it may stand there (`lints`),
whether a form suits what is paid (`forms`).
Kept: every figure is data with its source (`data/zones.toml`, `data/forms.toml`); 1000 units are a point and 72000 an
inch, so that a sixteenth of an inch, a dot of a 300 or 600 dpi printer and a tenth of a millipoint never drift. The
origin is the lower left corner, as in PDF.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from importlib.resources import files

from towncircle.kernel.errors import BadInput

POINT = 1000
INCH = 72 * POINT
MM_PER_INCH = Fraction(254, 10)
DOT_600 = INCH // 600
DOT_300 = INCH // 300
_MACHINE_READ = ("letter", "card")


@dataclass(frozen=True, slots=True)
class Box:
    """Hold a rectangle by its edges."""

    left: int
    bottom: int
    right: int
    top: int

    @property
    def width(self) -> int:
        """Give the width."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Give the height."""
        return self.top - self.bottom

    def overlaps(self, other: Box) -> bool:
        """Tell whether the two share more than an edge."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    def contains(self, other: Box) -> bool:
        """Tell whether the other lies inside or on the edge."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.bottom <= other.bottom
            and other.top <= self.top
        )

    def grown(self, *, left: int = 0, bottom: int = 0, right: int = 0, top: int = 0) -> Box:
        """Give the box with its edges moved outward."""
        return Box(self.left - left, self.bottom - bottom, self.right + right, self.top + top)

    def moved(self, *, x: int, y: int) -> Box:
        """Give the box at another place."""
        return Box(self.left + x, self.bottom + y, self.right + x, self.top + y)

    @classmethod
    def around(cls, boxes: list[Box]) -> Box:
        """Give the smallest box that holds all; there must be one at least."""
        return cls(
            min(box.left for box in boxes),
            min(box.bottom for box in boxes),
            max(box.right for box in boxes),
            max(box.top for box in boxes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Hold the size of a piece, or of the label that goes on one.

    `shape` is letter, flat, card or label (which takes the shape of its piece); `kind` is envelope, card, label, tape
    or tag; `goes_on` are the shapes of piece that it serves. `flap` is the depth of the flap on the back, `hole` what
    the hole of a tag takes at the left. `addressed` tells whether it has room for the address, `pdf417_columns` how
    wide a PDF417 symbol must be made for it.
    """

    key: str
    name: str
    shape: str
    width: int
    height: int
    flap: int
    kind: str = "sheet"
    goes_on: tuple[str, ...] = ()
    addressed: bool = True
    pdf417_columns: int = 4
    hole: int = 0
    house: bool = False
    source: str = ""

    @property
    def sheet(self) -> Box:
        """Give the whole side as a box."""
        return Box(0, 0, self.width, self.height)


@cache
def _data(name: str = "zones") -> dict[str, dict[str, object]]:
    text = (files("towncircle.mailpiece") / "data" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def inches(text: str) -> Fraction:
    """Read `4 1/8` (inches) or `114 mm` into units (thousandths of a point), exactly."""
    number, millimetres, _ = text.partition(" mm")
    total = sum((Fraction(part) for part in number.split()), Fraction(0)) * INCH
    return total / MM_PER_INCH if millimetres else total


@cache
def figure(table: str, name: str) -> int:
    """Look a length of the zones up, in units, to the nearest one."""
    return round(inches(str(_data()[table][name])))


def number(table: str, name: str) -> int:
    """Look a bare number of the zones up."""
    value = _data()[table][name]
    assert isinstance(value, int)
    return value


def word(table: str, name: str) -> str:
    """Look a text of the zones up, such as a clause."""
    return str(_data()[table][name])


def day(table: str, name: str) -> date:
    """Look a day of the zones up."""
    value = _data()[table][name]
    assert isinstance(value, date)
    return value


@cache
def least_type() -> int:
    """Give the smallest type that counts as legible, in units."""
    return round(Fraction(word("type", "least_points")) * POINT)


@cache
def dot(dpi: int) -> Fraction:
    """Give one dot of a printer in units. Raises `BadInput` (page.unknown-raster)."""
    known = _data()["raster"]
    if str(dpi) not in known:
        raise BadInput("page.unknown-raster", dpi=dpi, known=", ".join(key for key in known if key.isdigit()))
    return inches(str(known[str(dpi)]))


def dots_up(length: int, dpi: int) -> int:
    """Give the least whole number of dots that is no shorter than a length, in units."""
    return round(-(-length // dot(dpi)) * dot(dpi))


def off_dots(length: int, dpi: int) -> Fraction:
    """Give how far a length is from a whole number of dots, in dots; 0 where it is within the tolerance."""
    measured = Fraction(length) / dot(dpi)
    distance = abs(measured - round(measured))
    return distance if distance > Fraction(word("raster", "tolerance")) else Fraction(0)


@cache
def form(key: str) -> Form:
    """Look a form up, such as `no10`, `flat9x12`, `postcard` or `tape`. Raises `BadInput` (page.unknown-form)."""
    forms = _data("forms")["forms"]
    row = forms.get(key)
    if not isinstance(row, dict):
        raise BadInput("page.unknown-form", text=key[:20], known=", ".join(forms))
    lengths = {name: round(inches(row.get(name, "0"))) for name in ("width", "height", "flap", "hole")}
    return Form(
        key=key, name=row["name"], shape=row["shape"], kind=row["kind"], source=row["source"], **lengths,
        goes_on=tuple(row.get("goes_on", [row["shape"]])), addressed=row.get("addressed", True),
        house=row.get("house", False), pdf417_columns=row.get("pdf417_columns", 4),
    )  # fmt: skip


def form_keys() -> tuple[str, ...]:
    """Give the keys of all forms."""
    return tuple(_data("forms")["forms"])


def form_for(shape: str) -> Form:
    """Give the form a shape is printed on where none is named: what is no letter, flat or card bears a label."""
    return form({"letter": "no10", "flat": "flat9x12", "card": "postcard"}.get(shape, "label4x6"))


def floor_of(piece: Form) -> int:
    """Give how far down the indicium of the address side may reach: to the address reader's area, or a label's edge."""
    area = ocr_area(piece)
    return area.top if area else figure("label", "bottom")


def ocr_area(piece: Form) -> Box | None:
    """Give the area where the address reader looks; flats and labels have none."""
    if piece.shape not in _MACHINE_READ:
        return None
    side = figure("ocr", "side")
    return Box(side, figure("ocr", "bottom"), piece.width - side, figure("ocr", "top"))


def barcode_zone(piece: Form) -> Box | None:
    """Give the barcode clear zone at the lower right; flats and labels have none."""
    if piece.shape not in _MACHINE_READ:
        return None
    return Box(piece.width - figure("barcode", "width"), 0, piece.width, figure("barcode", "height"))


def fim_zone(piece: Form) -> Box:
    """Give the FIM clear zone at the upper edge."""
    return Box(
        piece.width - figure("fim", "zone_left"),
        piece.height - figure("fim", "zone_height"),
        piece.width - figure("fim", "zone_right"),
        piece.height,
    )


def flap_zone(piece: Form) -> Box:
    """Give the flap on the nonaddress side."""
    return Box(0, piece.height - piece.flap, piece.width, piece.height)
