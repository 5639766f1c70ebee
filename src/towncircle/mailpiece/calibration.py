"""Calibration of a printer: a page to measure, and what follows from the measures.

Here: `calibration_page()`, `Measured`, `calibrate()`. Not here: keeping a printer (`licensee.printers`), moving and
scaling what it prints (`paper`).
Kept: the page has crosses at known places, rulers along two edges and gauges of modules, so that a person with a ruler
finds shift, scale and dots; a scale beyond the tolerance is refused, because then a driver fits the page to the paper
and every symbol is off its dots. The shift is kept as whole dots of the printer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.elements import Element, Page, Path, Text, polygon, polyline
from towncircle.mailpiece.geometry import INCH, MM_PER_INCH, Form, dot, inches, word
from towncircle.mailpiece.typeface import face

MM = INCH / MM_PER_INCH
_GREY, _TYPE = 350, 6_000
_GAUGE_DOTS = (2, 3, 4, 5)
MILLION = 1_000_000
_LONGEST = 9  # characters of a measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Hold what a person measured on the printed page, in millimetres.

    `left` and `top` are from the paper's edges to the first cross; `across` and `down` from it to the other two.
    """

    left: Fraction
    top: Fraction
    across: Fraction
    down: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Hold what a printer needs: how far to move a page right and down (units), how much to stretch it (millionths)."""

    shift_x: int
    shift_y: int
    scale_x: int
    scale_y: int


def crosses(form: Form) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Give the three crosses of a form's page, from the lower left in units: upper left, upper right, lower left."""
    inset = _inset(form)
    left, top = inset, form.height - inset
    return (left, top), (form.width - inset, top), (left, inset)


def _inset(form: Form) -> int:
    return min(round(inches(word("calibration", "inset"))), form.height // 4)


def expected(form: Form) -> Measured:
    """Give what a true printer's page measures."""
    (left, top), (right, _), (_, bottom) = crosses(form)
    return Measured(
        left=left / MM, top=(form.height - top) / MM, across=(right - left) / MM, down=(top - bottom) / MM
    )  # fmt: skip


def calibrate(form: Form, found: Measured, *, dpi: int = 300) -> Calibration:
    """Work out what a printer needs from the measures of its page.

    Raises `Refused` (printer.scale-off: beyond the tolerance; printer.shift-off: no calibration but another paper) and
    `BadInput` (page.unknown-raster).
    """
    true = expected(form)
    scales = (found.across / true.across, found.down / true.down)
    most = Fraction(word("calibration", "scale_tolerance"))
    for scale, name in zip(scales, ("across", "down"), strict=True):
        if abs(scale - 1) > most:
            said = {"percent": f"{float(scale) * 100:.2f}", "most": f"{float(most) * 100:.1f}"}
            raise Refused("printer.scale-off", way=name, **said)
    shifts = [round((true.left - found.left) * MM), round((true.top - found.top) * MM)]
    far = inches(word("calibration", "shift_most"))
    if any(abs(shift) > far for shift in shifts):
        raise Refused("printer.shift-off", most=f"{float(far / MM):.1f}")
    x, y = (round(round(shift / dot(dpi)) * dot(dpi)) for shift in shifts)
    return Calibration(shift_x=x, shift_y=y, scale_x=round(MILLION / scales[0]), scale_y=round(MILLION / scales[1]))


def measured(text: str) -> Measured:
    """Read four measures `LEFT,TOP,ACROSS,DOWN` in millimetres. Raises `BadInput` (printer.measures-unreadable)."""
    parts = [part.strip() for part in text.split(",")]
    plain = all(part.replace(".", "", 1).isdigit() and part.isascii() and len(part) < _LONGEST for part in parts)
    if len(parts) != len(Measured.__slots__) or not plain:
        raise BadInput("printer.measures-unreadable", text=text[:60])
    left, top, across, down = (Fraction(part) for part in parts)
    return Measured(left=left, top=top, across=across, down=down)


def calibration_page(form: Form, *, name: str = "", dpi: int = 300) -> Page:
    """Lay out the page: three crosses, rulers in millimetres and sixteenths of an inch, gauges of whole dots."""
    elements: list[Element] = []
    for number, (x, y) in enumerate(crosses(form), start=1):
        arm = INCH // 8
        elements.append(Path(role="decoration", ops=polyline((x - arm, y), (x + arm, y)), stroke=0, width=300))
        elements.append(Path(role="decoration", ops=polyline((x, y - arm), (x, y + arm)), stroke=0, width=300))
        elements.append(_text(str(number), x + 2_000, y + 2_500, size=8_000))
    elements += _rulers(form)
    elements += _gauges(form, dpi)
    true = expected(form)
    told = [
        f"Calibration of {name or 'a printer'}: {form.name}, {dpi} dpi. Print at 100 %, without fitting to the page.",
        "Measure in millimetres: left edge to cross 1, top edge to cross 1, cross 1 to cross 2, cross 1 to cross 3.",
        f"True: {_mm(true.left)}, {_mm(true.top)}, {_mm(true.across)}, {_mm(true.down)}.",
        f"Enter: printer calibrate DIR {name or 'NAME'} --measured LEFT,TOP,ACROSS,DOWN",
    ]
    left = _inset(form) + 14_000
    most = {"size": min(8_000, form.height // 20), "most": form.width - left - 10_000, "least": 3_000}
    size = min(face("sans").fitting(line, **most) or 3_000 for line in told)
    for row, line in enumerate(told):
        elements.append(
            _text(line, left, form.height // 2 + min(24_000, form.height // 8) - row * size * 5 // 4, size=size)
        )
    return Page(form=form, side="nonaddress", specimen=True, elements=tuple(elements), dpi=dpi)


def _rulers(form: Form) -> Iterator[Element]:
    """Draw a ruler of millimetres along the foot and one of sixteenths of an inch along the left edge."""
    inset = _inset(form)
    y, x = inset // 2, inset // 2
    for at in range(int((form.width - 2 * inset) / MM) + 1):
        place = inset + round(at * MM)
        length = 6_000 if at % 10 == 0 else 4_500 if at % 5 == 0 else 3_000
        yield Path(role="decoration", ops=polyline((place, y), (place, y + length)), stroke=0, width=200)
        if at % 10 == 0:
            yield _text(str(at), place + 600, y + 6_500, size=4_500)
    for at in range((form.height - 2 * inset) * 16 // INCH + 1):
        place = form.height - inset - at * INCH // 16
        length = 8_000 if at % 16 == 0 else 5_500 if at % 8 == 0 else 3_500
        yield Path(role="decoration", ops=polyline((x, place), (x + length, place)), stroke=0, width=200)


def _gauges(form: Form, dpi: int) -> Iterator[Element]:
    """Draw fields of bars and gaps that are 2 to 5 dots wide: each must print as even grey, without moire."""
    step = dot(dpi)
    x = round(round((_inset(form) + 14_000) / step) * step)
    top = form.height // 2 - 24_000
    y = form.height - round(round((form.height - top) / step) * step)
    for dots in _GAUGE_DOTS:
        wide = round(dots * step)
        for bar in range(8):
            left = x + round(2 * bar * dots * step)
            box = polygon((left, y), (left + wide, y), (left + wide, y + 16_000), (left, y + 16_000))
            yield Path(role="decoration", ops=box, fill=0)
        yield _text(f"{dots} dots", x, y - 7_000, size=5_000)
        x += round(round(form.width // 6 / step) * step)


def _text(text: str, x: int, y: int, size: int = _TYPE) -> Text:
    return Text(role="decoration", text=text, font="sans", size=size, x=x, y=y, ink=_GREY)


def _mm(length: Fraction) -> str:
    return f"{float(length):.2f}"
