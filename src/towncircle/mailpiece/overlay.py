"""The zones of a form, drawn: what the rule and the reading machines reserve on a piece, under what is printed.

Here: `zones_of()` (each zone with its box and its clause) and `overlay()` (a page that shows them). Not here: the lints
that keep the zones, files.
Kept: a picture for people who lay pieces out; it is of a specimen, never of postage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from towncircle.mailpiece.elements import INDICIUM_ROLES, Element, Layer, Page, Path, Text, polygon
from towncircle.mailpiece.geometry import Box, barcode_zone, figure, fim_zone, flap_zone, ocr_area, word
from towncircle.mailpiece.lints.finding import Context
from towncircle.mailpiece.typeface import face
from towncircle.rules import RuleSet

_TYPE, _LEAST_TYPE = 5_200, 3_400
_ART = frozenset({"art", "attribution", "marking"})  # what stands in the space for art
_CLEAR, _RESERVED, _OWN = 930, 850, 970  # greys, in thousandths of white


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Hold one zone: its name, its box in units, the clause it is from, and the grey it is drawn in."""

    name: str
    box: Box
    clause: str
    grey: int = _RESERVED


def zones_of(page: Page, rules: RuleSet, on: date) -> tuple[Zone, ...]:
    """Give the zones of a page: what machines read, the indicium with its clear space, return address, art, flap."""
    return tuple(_zones(Context(page=page, rules=rules, on=on)))


def _zones(context: Context) -> Iterator[Zone]:
    page, form = context.page, context.page.form
    paid = [(element, box) for element, box in page.boxed if element.role in INDICIUM_ROLES - _ART]
    parts = [box for _, box in paid]
    art = [box for _, box in page.having(*_ART)]
    if parts:
        around, distance = Box.around(parts), figure("clear", "distance")
        clear = Box(around.left - distance, around.bottom - distance, form.width, form.height)
        yield Zone(name="clear space 1/2 in", box=_cut(clear, form.sheet), clause=word("clear", "clause"), grey=_CLEAR)
    if page.side == "address":
        yield from _machine_zones(page)
    margin = Box(0, 0, form.width - context.rule("indicium_margin_right"), form.height)
    top = form.height - context.rule("indicium_margin_top")
    for _, box in page.having("symbol"):
        yield Zone(name="symbol", box=box, clause="P050 4.5", grey=_OWN)
    if parts:
        human = [box for element, box in paid if element.role != "symbol" and box.left > form.width // 2] or parts
        block = Box.around(human)
        yield Zone(
            name="indicium", box=Box(block.left, block.bottom, margin.right, top), clause="P050 4.4, 4.5", grey=_OWN
        )
    if page.having("sender"):
        box = Box.around([box for _, box in page.having("sender")])
        yield Zone(name="return address", box=box, clause="P050 4.10", grey=_OWN)
    if art:
        yield Zone(name="art", box=page.art_area or Box.around(art), clause="P050 4.10, 4.11", grey=_OWN)
    if page.side == "nonaddress" and form.flap:
        yield Zone(name="flap", box=flap_zone(form), clause="P050 4.9")
    if page.side == "nonaddress" and form.shape != "label":
        foot = Box(0, 0, form.width, context.rule("correction_bottom"))
        yield Zone(name="foot of corrections", box=foot, clause="P050 4.8, 4.9")


def _machine_zones(page: Page) -> Iterator[Zone]:
    form = page.form
    if form.shape != "label" or page.having("fim"):
        yield Zone(name="FIM clear zone", box=fim_zone(form), clause=word("fim", "clause"))
    area, barcode = ocr_area(form), barcode_zone(form)
    if area is not None:
        yield Zone(name="OCR read area", box=area, clause=word("ocr", "clause"), grey=_CLEAR)
    if barcode is not None:
        yield Zone(name="barcode clear zone (IMb, POSTNET)", box=barcode, clause=word("barcode", "clause"))


def overlay(page: Page, zones: tuple[Zone, ...]) -> Page:
    """Draw zones under what stands on a page, each with its name in its corner."""
    fills: list[Element] = []
    lines: list[Element] = []
    for zone in zones:
        box = zone.box
        corners = polygon(
            (box.left, box.bottom), (box.right, box.bottom), (box.right, box.top), (box.left, box.top)
        )  # fmt: skip
        if zone.grey != _OWN:
            fills.append(Path(role="decoration", ops=corners, fill=zone.grey))
        lines.append(Path(role="decoration", ops=corners, stroke=500, width=400))
    names: list[Element] = []
    taken: list[Box] = []
    for zone in zones:
        name = _name(zone, taken)
        taken.append(name.box)
        names.append(name)
    return replace(page, layers=(Layer((*fills, *lines)), *page.layers), elements=(*page.elements, *names))


def _name(zone: Zone, taken: list[Box]) -> Text:
    """Write the name of a zone at its lower left; of what is printed below it, past names that stand there already."""
    box, size, step = zone.box, _TYPE, 0
    while size > _LEAST_TYPE and face("sans").width(zone.name, size) > box.width - 2_000:
        size -= 200
    below = zone.grey == _OWN
    x, y = box.left + 1_200, box.bottom - size if below else box.bottom + 1_600
    text = Text(role="decoration", text=zone.name, font="sans", size=size, x=x, y=y, ink=300)
    while any(text.box.overlaps(other) for other in taken):
        step += 1
        text = replace(text, y=y + size * step * (-1 if below else 1))
    return text


def _cut(box: Box, sheet: Box) -> Box:
    left, bottom = max(box.left, sheet.left), max(box.bottom, sheet.bottom)
    return Box(left, bottom, min(box.right, sheet.right), min(box.top, sheet.top))
