"""Where the indicium goes on a form: its corner, its symbol, and what is left for art and return address.

Here: `frame_of()` (the lines that the rule draws on a form), `arrange()` (which design of the corner, and where the
symbol stands). Not here: what is drawn (`imprint`), the rest of the page (`page`).
Kept: P050 4.4 (upper right corner, a quarter inch from both edges, off the FIM, barcode and OCR zones): where that
leaves no room the form is refused under the rule, and nothing is squeezed below what can be read. A symbol beside the
corner may stand left of the FIM zone or under the FIM, on labels under the corner: taken is the place with a module
of 10 mil or more that leaves room for a return address, then the one with the largest module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.mailpiece.geometry import DOT_300, INCH, POINT, Box, Form, dot, dots_up, figure, fim_zone, floor_of
from towncircle.mailpiece.imprint import (
    APART_HEIGHT,
    BLOCK_HEIGHT,
    BLOCK_WIDTH,
    LEAST_MODULE,
    LOW_HEIGHT,
    MOST_MODULE,
    Layout,
    layout_of,
)
from towncircle.rules import RuleSet
from towncircle.symbol.modules import Modules

EDGE = 24_000  # house: what stands at the left keeps 1/3 inch from the edge
CLEAR = 36_000  # house: what is not asked for keeps half an inch from the indicium on every date
_BESIDE = 50_000  # of a symbol beside the town circle, so that its quiet zone ends above the amount
_MOST_WIDTH = 140_000
_SENDER = 96_000
_GOOD_MODULE = INCH // 100
_GAP = 4  # modules between the symbol and what stands beside it


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Hold the lines of a form, in units: the indicium stands left of `right`, between `top` and `floor`.

    `fim` is the FIM clear zone, which a piece keeps free also where it bears none, a label not; `fim_foot` is the
    foot of the FIM itself. `marking` is the
    least height of a postal marking's capitals.
    """

    form: Form
    right: int
    top: int
    floor: int
    fim: Box | None
    marking: int
    dpi: int

    @property
    def room(self) -> int:
        """Give the height there is for the indicium."""
        return self.top - self.floor

    @property
    def corner_left(self) -> int:
        """Give the left edge of the human-readable block."""
        return self.right - BLOCK_WIDTH

    @property
    def fim_foot(self) -> int:
        """Give the foot of the FIM."""
        return self.form.height - figure("fim", "top") - figure("fim", "height")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Hold the design of the corner, the right upper corner of the symbol and its module, and what is free left of."""

    layout: Layout
    right: int
    top: int
    module: int
    edge: int


def frame_of(form: Form, rules: RuleSet, on: date, *, bears_fim: bool, dpi: int = 300) -> Frame:
    """Draw the lines of a form by the rules of a day. Raises `Refused` (page.no-fim-room)."""
    names = ("indicium_margin_right", "indicium_margin_top", "marking_height")
    right, top, marking = (rules.length(name, on).points for name in names)
    return _frame(form, right, top, marking, bears_fim=bears_fim, dpi=dpi)


@lru_cache(maxsize=128)
@cites("P050-4.4", "P050-4.12")
def _frame(form: Form, right: Fraction, top: Fraction, marking: Fraction, *, bears_fim: bool, dpi: int) -> Frame:
    zone = fim_zone(form) if bears_fim or form.shape != "label" else None
    if zone and (zone.left < form.hole or form.height < zone.height):
        raise Refused("page.no-fim-room", form=form.name)
    slack = max(DOT_300, round(dot(dpi)))  # more than the rule's least, so that a rasterised edge never touches it
    return Frame(
        form=form,
        right=form.width - dots_up(up(right), dpi) - slack,
        top=form.height - dots_up(up(top), dpi) - slack,
        floor=floor_of(form),
        fim=zone,
        marking=up(marking),
        dpi=dpi,
    )


def up(points: Fraction) -> int:
    """Give a length of the rule in units, rounded up: at least means at least."""
    return -int(-points * POINT // 1)


def corner_height(layout: Layout) -> int:
    """Give how high the human-readable block of a design is."""
    return {"beside": BLOCK_HEIGHT, "low": LOW_HEIGHT}.get(layout, APART_HEIGHT)


def layout_for(symbol: Modules | None, room: int, form: Form) -> Layout:
    """Choose the design of the corner for the height there is. Raises `Refused` (page.no-room)."""
    wish = layout_of(symbol)
    if wish == "beside" and room >= BLOCK_HEIGHT:
        return wish
    if room >= APART_HEIGHT:
        return "none" if wish == "none" else "apart"
    if room >= LOW_HEIGHT:
        return "low"
    raise Refused("page.no-room", form=form.name, room=f"{room / INCH:.2f} in", needs=f"{LOW_HEIGHT / INCH:.2f} in")


@lru_cache(maxsize=256)
@cites("P050-4.4")
def arrange(frame: Frame, symbol: Modules, *, sender: bool) -> Arrangement:
    """Place the symbol on the address side; `sender` asks for room for a return address.

    Raises `Refused` (page.no-room, page.symbol-too-large).
    """
    layout = layout_for(symbol, frame.room, frame.form)
    left = frame.fim.left if frame.fim else frame.corner_left
    if layout == "beside":
        module = most_module(symbol, width=_BESIDE, height=_BESIDE, dpi=frame.dpi)
        if module >= LEAST_MODULE:
            return Arrangement(layout=layout, right=frame.right, top=frame.top, module=module, edge=left)
        layout = "apart"
    on_label = frame.form.shape == "label" and frame.form.addressed  # the address stands below the indicium
    found = [place for place in _places(frame, symbol, layout) if place.module >= LEAST_MODULE]
    if not found:
        raise Refused("page.symbol-too-large", columns=symbol.width, rows=symbol.height)

    def worth(place: Arrangement) -> tuple[bool, bool, int, int]:
        free = place.edge - CLEAR - EDGE - frame.form.hole
        high = place.top - symbol.height * place.module >= frame.top - BLOCK_HEIGHT
        return place.module >= _GOOD_MODULE, high or not on_label, min(free, _SENDER) if sender else 0, place.module

    return max(found, key=worth)


def most_module(symbol: Modules, *, width: int, height: int, dpi: int) -> int:
    """Give the largest module in whole dots, up to 20 mil, that fits; 0 where none does."""
    most = min(MOST_MODULE, width // symbol.width, height // symbol.height)
    return int(most // dot(dpi) * dot(dpi))


def _places(frame: Frame, symbol: Modules, layout: Layout) -> Iterator[Arrangement]:
    """Give where the symbol could stand, each with every module that fits, the usual place first."""
    form, dots = frame.form, dot(frame.dpi)
    left = frame.fim.left if frame.fim else frame.corner_left
    regions = [(left, form.height - frame.top, frame.floor, True)]
    if frame.fim:
        regions.append((frame.corner_left, form.height - frame.fim_foot, frame.floor, False))
    if form.shape == "label":
        regions.append((frame.right + _GAP, form.height - frame.top + corner_height(layout), frame.floor, False))
    for right, from_top, floor, at_top in regions:
        for count in range(int(MOST_MODULE // dots), 0, -1):
            module = int(count * dots)
            gap = module * max(_GAP, symbol.quiet_zone)
            x = right - gap - symbol.width * module
            high = form.height - from_top - floor - symbol.height * module
            blank = 0 if at_top else max(symbol.quiet_zone, min(2 * _GAP, high // module - 1)) * module
            down = dots_up(from_top + blank, frame.dpi)
            fits = form.height - down - symbol.height * module >= floor and symbol.width * module <= _MOST_WIDTH
            if fits and x >= form.hole + module * symbol.quiet_zone:
                yield Arrangement(
                    layout=layout, right=right - gap, top=form.height - down, module=module,
                    edge=min(x - gap, frame.corner_left),
                )  # fmt: skip
