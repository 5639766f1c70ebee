"""The indicium as it is printed: town circle, amount, device id, symbol and the SPECIMEN marking.

Here: the design. Not here: the words (`towncircle.indicium.readable`), what stands beside it (`art`), the rest of the
piece (`page`), the lints.

Why it stands as it does. P050 4.4 wants the indicium in the upper right corner, a quarter inch from both edges, off the
FIM zone (1 3/4 to 3 inches from the right edge) and off the address reader's area, which leaves a block of 1 1/2 by
1 1/8 inches right of the FIM on a #10 envelope.
* A Data Matrix symbol (40 x 40 modules of 1/60 inch, 2/3 inch) fits into that block together with the town circle: the
  whole indicium stands right of the FIM.
* A PDF417 symbol (137 modules wide) does not. It stands left of the FIM zone, and the human-readable part alone in the
  corner; so nothing but the FIM, which the Postal Service asks for, lies between them.
* Where less than that is left above the address reader's area (#6 3/4, #7 3/4 and #9 envelopes), everything is lower:
  a smaller town circle with the lines beside it, and the symbol left of the FIM.
* Art or a marking stands left of both. A module is a whole number of dots at 300 and 600 dpi, and so is its place.
Kept: P050 4.5 (what is readable), 4.8 and 4.9 (corrections).
"""

from __future__ import annotations

from functools import lru_cache
from math import cos, radians, sin
from typing import Literal

from towncircle.indicium.readable import Readable
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.elements import ArcText, Element, Layer, Path, Symbol, Text, circle, polygon, polyline
from towncircle.mailpiece.geometry import DOT_300, INCH, Box, dot, least_type
from towncircle.mailpiece.typeface import FontKey, face
from towncircle.symbol.modules import Modules

SPECIMEN_WORD = "SPECIMEN"
SPECIMEN_TAIL = "NOT VALID AS POSTAGE"
BLOCK_WIDTH = 107_040  # the corner between margin and FIM zone, less a dot of 300 dpi on either side
BLOCK_HEIGHT = 80_500
APART_HEIGHT, LOW_HEIGHT = 71_000, 44_400
MOST_MODULE, LEAST_MODULE = INCH // 50, 2 * DOT_300  # house: 20 mil, and two dots of 300 dpi
_COLUMN = 48_000
_GAP = 4_000

Layout = Literal["beside", "apart", "low", "none"]


def layout_of(modules: Modules | None) -> Layout:
    """Tell where the symbol goes: beside the circle, apart on the left of the FIM, or none."""
    if modules is None:
        return "none"
    return "apart" if modules.row_height > 1 else "beside"


def module_size(modules: Modules, *, most_width: int, most_height: int, dpi: int = 300) -> int:
    """Choose the largest module up to 20 mil that fits, in whole dots of the printer, as units.

    Raises `Refused` (page.symbol-too-large) where even two dots of 300 dpi do not fit.
    """
    most = min(MOST_MODULE, most_width // modules.width, most_height // modules.height)
    module = int(most // dot(dpi)) * dot(dpi)
    if module < LEAST_MODULE:
        raise Refused("page.symbol-too-large", columns=modules.width, rows=modules.height)
    return int(module)


@lru_cache(maxsize=64)
@cites("P050-4.1", "P050-4.5")
def corner(readable: Readable, layout: Layout, left: int, top: int) -> Layer:
    """Draw the human-readable block with its left upper corner at a place. Cached: pages share the layer."""
    if layout == "low":
        return _low_corner(readable, left, top)
    radius = 24_600 if layout == "beside" else 27_600
    parts: list[Element] = [*_town_circle(readable, left + radius + 400, top - radius - 400, radius)]
    right = left + BLOCK_WIDTH
    if layout == "beside":
        parts += _amount(readable, x=left, baseline=top - 67_600, most=right - _COLUMN - _GAP - left, size=20_400)
        parts += _column(readable, x=right - _COLUMN, right=right, baselines=(top - 57_800, top - 63_000, top - 68_000))
        parts += _ribbon(readable, Box(left, top - 80_400, right, top - 72_000))
    else:
        x = left + 2 * radius + 4_400
        parts += _amount(readable, x=x, baseline=top - 29_000, most=right - x, size=18_000)
        parts += _column(readable, x=x, right=right, baselines=(top - 9_400, top - 40_600, top - 48_000))
        parts.append(
            Path(role="decoration", ops=polyline((x, top - 33_500), (right, top - 33_500)), stroke=0, width=350)
        )
        parts += _ribbon(readable, Box(left, top - 71_000, right, top - 62_600))
    return Layer(tuple(parts))


def _low_corner(readable: Readable, left: int, top: int) -> Layer:
    """Draw the block as low as its words can be read: 0.62 inch."""
    radius = 21_800
    x, right = left + 2 * radius + 3_600, left + BLOCK_WIDTH
    parts: list[Element] = [*_town_circle(readable, left + radius + 400, top - radius - 400, radius)]
    parts += _amount(readable, x=x, baseline=top - 20_400, most=right - x, size=14_600)
    baselines = (top - 5_000, top - 28_600, top - 34_600)
    parts += _column(readable, x=x, right=right, baselines=baselines, least=True)
    parts += _ribbon(readable, Box(x, top - 44_200, right, top - 36_800), tail=False)
    return Layer(tuple(parts))


def _town_circle(readable: Readable, cx: int, cy: int, radius: int) -> list[Element]:
    place, zip_code, mailed = readable.circle
    over = _arc("place", place.upper(), cx, cy, radius - 6_300, over=True, most_sweep=250)
    under = _arc("place", zip_code, cx, cy, radius - 2_200, over=False, most_sweep=80)
    parts: list[Element] = [Path(role="decoration", ops=circle(cx, cy, radius), stroke=0, width=800), over, under]
    gap = (180 - over.sweep / 2 - under.sweep / 2) / 2
    if gap > 9:
        for side in (-1, 1):
            angle = radians(90 + side * (over.sweep / 2 + gap))
            at = radius - 4_200
            dot = circle(cx + round(at * cos(angle)), cy + round(at * sin(angle)), 750)
            parts.append(Path(role="decoration", ops=dot, fill=0))
    inner = radius - 9_500
    if readable.specimen:
        parts.append(_micro_ring(cx, cy, inner))
    else:
        parts.append(Path(role="decoration", ops=circle(cx, cy, inner + 1_200), stroke=0, width=350))
    month_day, _, year = mailed.rpartition(" ")
    size = min(_fit("bold", line, 9_600, round(inner * 1.56)) for line in (month_day, year))
    step = round(size * 1.02)
    for row, line in enumerate((month_day, year)):
        width = face("bold").width(line, size)
        baseline = cy + round(step * 0.16) - row * step
        parts.append(Text(role="date", text=line, font="bold", size=size, x=cx - width // 2, y=baseline))
    return parts


def _arc(role: Literal["place"], text: str, cx: int, cy: int, radius: int, *, over: bool, most_sweep: int) -> ArcText:
    size, tracking = 6_200, 450
    while True:
        made = ArcText(
            role=role, text=text, font="bold", size=size, cx=cx, cy=cy, radius=radius, over=over, tracking=tracking
        )
        if made.sweep <= most_sweep:
            return made
        if size <= least_type() and tracking <= 0:
            raise BadInput("page.does-not-fit", what="town circle", text=text[:40])
        size, tracking = max(size - 200, least_type()), max(tracking - 60, 0)


def _micro_ring(cx: int, cy: int, radius: int) -> ArcText:
    """Draw the inner ring of the town circle as a line of tiny words."""
    phrase, size = f"{SPECIMEN_WORD} \u00b7 {SPECIMEN_TAIL} \u00b7 ", 1_900
    around = round(radius * 6.283185307)
    times = around // face("sans").width(phrase, size)
    text = phrase * times
    spare = around - face("sans").width(text, size)
    return ArcText(
        role="microtext", text=text, font="sans", size=size, cx=cx, cy=cy, radius=radius, over=True,
        tracking=spare // len(text),
    )  # fmt: skip


def _amount(readable: Readable, *, x: int, baseline: int, most: int, size: int) -> list[Element]:
    role: Literal["redate", "amount"] = "redate" if readable.kind == "redate" else "amount"
    size = _fit("bold", readable.amount, size, most)
    return [Text(role=role, text=readable.amount, font="bold", size=size, x=x, y=baseline)]


def _column(
    readable: Readable, *, x: int, right: int, baselines: tuple[int, int, int], least: bool = False
) -> list[Element]:
    """Draw the words beside the amount: US POSTAGE, the rate category, the device id; `least` where room is short."""
    small = 5_000
    rows: list[tuple[Literal["postage-words", "category", "device"], str, FontKey, int, int]] = [
        ("postage-words", "US POSTAGE", "bold", small if least else 6_400, 320),
        ("category", readable.category, "sans", small if least else 5_600, 0),
        ("device", readable.device, "mono", small if least else 5_600, 0),
    ]
    parts: list[Element] = []
    shown = [row for row in rows if row[1]]
    for (role, text, font, wish, tracking), y in zip(shown, baselines, strict=False):
        size = _fit(font, text, wish, right - x, tracking)
        parts.append(Text(role=role, text=text, font=font, size=size, x=x, y=y, tracking=tracking))
    return parts


def _ribbon(readable: Readable, box: Box, *, tail: bool = True) -> list[Element]:
    """Draw the SPECIMEN ribbon: a solid band with notched ends and light letters; without `tail` the one word only."""
    if not readable.specimen:
        return []
    notch, middle = 3_200, (box.bottom + box.top) // 2
    band = polygon(
        (box.left, box.bottom), (box.right, box.bottom), (box.right - notch, middle), (box.right, box.top),
        (box.left, box.top), (box.left + notch, middle),
    )  # fmt: skip
    words = [Text(role="specimen", text=SPECIMEN_WORD, font="bold", size=6_000, x=0, y=0, tracking=1_050, ink=1000)]
    if tail:
        words.append(
            Text(role="specimen", text=SPECIMEN_TAIL, font="sans", size=4_500, x=0, y=0, tracking=90, ink=1000)
        )
    space = 3_400
    x = (box.left + box.right - sum(word.box.width for word in words) - space * (len(words) - 1)) // 2
    parts: list[Element] = [Path(role="decoration", ops=band, fill=0)]
    for word in words:
        parts.append(_at(word, x, middle - round(word.size * 0.344)))
        x += word.box.width + space
    return parts


def _at(text: Text, x: int, y: int) -> Text:
    return Text(
        role=text.role, text=text.text, font=text.font, size=text.size, x=x, y=y, tracking=text.tracking, ink=text.ink
    )


def symbol_at(modules: Modules, *, right: int, top: int, module: int, dpi: int = 300) -> Symbol:
    """Put a symbol with its right upper corner at a place on the printer's raster, never further right or up."""
    left = round((right - modules.width * module) // dot(dpi) * dot(dpi))
    return Symbol(modules=modules, x=left, y=top - modules.height * module, module=module)


def _fit(font: FontKey, text: str, size: int, most: int, tracking: int = 0) -> int:
    found = face(font).fitting(text, size=size, most=most, least=least_type(), tracking=tracking)
    if not found:
        raise BadInput("page.does-not-fit", what="indicium", text=text[:40])
    return found
