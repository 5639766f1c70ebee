"""Lints of place: edges, clear zones, overlaps.

Here: P050 4.4 and what the Domestic Mail Manual reserves, 4.8 and 4.9 for the nonaddress side. Not here: FIM and
barcodes themselves (`marks`), words (`content`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

from towncircle.kernel.cites import cites
from towncircle.mailpiece.elements import INDICIUM_ROLES, MAIL_BARCODES, Boxed, Element, Layer, Path, Symbol
from towncircle.mailpiece.geometry import Box, barcode_zone, day, figure, fim_zone, flap_zone, ocr_area, word
from towncircle.mailpiece.lints.finding import PROPOSED, Context, Faults, Lint, show


@cites("P050-4.4", "P050-4.4/2")
def margin_right(context: Context) -> Faults:
    """Keep the indicium off the right edge."""
    box, least = context.page.indicium, context.rule("indicium_margin_right")
    if box and context.page.form.width - box.right < least:
        measured = show(context.page.form.width - box.right)
        yield "The indicium is too near the right edge", measured, f"at least {show(least)}"


@cites("P050-4.4", "P050-4.4/3")
def margin_top(context: Context) -> Faults:
    """Keep the indicium off the top edge."""
    box, least = context.page.indicium, context.rule("indicium_margin_top")
    if box and context.page.form.height - box.top < least:
        measured = show(context.page.form.height - box.top)
        yield "The indicium is too near the top edge", measured, f"at least {show(least)}"


@cites("P050-4.4", "P050-4.4/1")
def upper_right(context: Context) -> Faults:
    """Put the indicium of the address side into the upper right corner."""
    page = context.page
    corner = [box for element, box in page.having("amount", "redate")]
    if page.side != "address":
        return
    low = page.form.height // 2
    if page.form.shape == "label":  # half of a tape is less than an indicium is high
        low = min(low, page.form.height - figure("label", "corner"))
    for box in corner:
        if box.left < page.form.width // 2 or box.bottom < low:
            measured = f"left {show(box.left)}, bottom {show(box.bottom)}"
            yield "The indicium is not in the upper right corner", measured, "the right and the upper half"


@cites("P050-4.4", "P050-4.4/4")
def horizontal(context: Context) -> Faults:
    """Print the barcode of the indicium horizontally."""
    for element, _ in context.page.having("symbol"):
        if isinstance(element, Symbol) and element.turned:
            yield "The symbol is not horizontal", f"{element.turned} degrees", "0 degrees"


@cites("P050-4.4", "P050-4.4/5")
def fim_zone_free(context: Context) -> Faults:
    """Keep everything but the FIM out of the FIM clear zone."""
    page = context.page
    if page.side == "address" and (page.form.shape != "label" or page.having("fim")):
        yield from _intruders(context, fim_zone(context.page.form), "the FIM clear zone", {"fim"})


@cites("P050-4.4", "P050-4.4/7")
def ocr_area_free(context: Context) -> Faults:
    """Keep everything but the delivery address out of the address reader's area."""
    area = ocr_area(context.page.form)
    if context.page.side == "address" and area:
        yield from _intruders(context, area, "the OCR read area", {"recipient"})


@cites("P050-4.4", "P050-4.4/6")
def barcode_zone_free(context: Context) -> Faults:
    """Keep everything but the barcode for the mail out of the barcode clear zone."""
    zone = barcode_zone(context.page.form)
    if context.page.side == "address" and zone:
        yield from _intruders(context, zone, "the barcode clear zone", set(MAIL_BARCODES))


@cites("P050-4.2/5")
def address_in_area(context: Context) -> Faults:
    """Put the whole delivery address where the address reader looks."""
    area = ocr_area(context.page.form)
    if context.page.side != "address" or not context.page.form.addressed:
        return
    if not context.page.having("recipient"):
        yield "The delivery address is missing", "none", "one"
    for element, box in context.page.having("recipient"):
        if area and not area.contains(box):
            yield f"A line of the address leaves the OCR read area: {_name(element)}", _where(box), _where(area)


def clear_space(context: Context) -> Faults:
    """Keep half an inch left of and below the indicium free of what the Postal Service does not ask for."""
    box, distance = context.page.indicium, figure("clear", "distance")
    if box is None or context.page.side != "address":
        return
    asked, space = INDICIUM_ROLES | {"fim", *MAIL_BARCODES}, box.grown(left=distance, bottom=distance)
    for element, other in context.page.boxed:
        if element.role in asked or not space.overlaps(other):
            continue
        parts = [part for one, part in context.page.boxed if one.role in INDICIUM_ROLES]
        near = [part for part in parts if part.grown(left=distance, bottom=distance).overlaps(other)]
        if near:
            gap = max(near[0].left - other.right, near[0].bottom - other.top)
            yield f"{_name(element)} stands in the clear space of the indicium", show(gap), f"at least {show(distance)}"


@cites("P050-4.10/1")
def no_overlaps(context: Context) -> Faults:
    """Print nothing over anything else; drawn shapes may touch each other and carry the specimen's words."""
    page = context.page
    for at, layer in enumerate(page.layers):
        for other in page.layers[at:]:
            yield from _clashes(layer, other)
    for at, (one, box) in enumerate(page.own):
        near = [layer.boxed for layer in page.layers if layer.space is not None and layer.space.overlaps(box)]
        for others in (*near, page.own[at + 1 :]):
            yield from _overlaps(one, box, others)


@lru_cache(maxsize=256)
def _clashes(layer: Layer, second: Layer) -> tuple[tuple[str, str, str], ...]:
    """Find the overlaps of two layers, or within one, once for all pages that share them."""
    found: list[tuple[str, str, str]] = []
    for at, (one, box) in enumerate(layer.boxed):
        found += _overlaps(one, box, layer.boxed[at + 1 :] if layer is second else second.boxed)
    return tuple(found)


def _overlaps(one: Element, box: Box, others: Iterable[Boxed]) -> Faults:
    for other, second in others:
        if box.overlaps(second) and not _may_touch(one, other):
            yield f"{_name(one)} and {_name(other)} overlap", _where(_common(box, second)), "no common space"


def inside(context: Context) -> Faults:
    """Print nothing over the edge of the piece."""
    sheet = context.page.form.sheet
    shared = [
        layer.boxed for layer in context.page.layers if layer.space is not None and not sheet.contains(layer.space)
    ]
    for boxed in (*shared, context.page.own):
        for element, box in boxed:
            if not sheet.contains(box):
                yield f"{_name(element)} leaves the piece", _where(box), _where(sheet)


@cites("P050-4.8", "P050-4.9", "P050-4.8/3", "P050-4.9/2")
def correction_bottom(context: Context) -> Faults:
    """Keep a correction on the nonaddress side off the bottom edge."""
    box, least = context.page.indicium, context.rule("correction_bottom")
    if box and context.page.side == "nonaddress" and context.page.form.shape != "label" and box.bottom < least:
        yield "The correction is too near the bottom edge", show(box.bottom), f"at least {show(least)}"


@cites("P050-4.9", "P050-4.9/3")
def off_the_flap(context: Context) -> Faults:
    """Keep a correction off the flap."""
    box, flap = context.page.indicium, flap_zone(context.page.form)
    if box and context.page.side == "nonaddress" and flap.height and flap.overlaps(box):
        yield "The correction stands on the flap", f"top {show(box.top)}", f"top at most {show(flap.bottom)}"


def _intruders(context: Context, zone: Box, name: str, welcome: set[str]) -> Faults:
    page = context.page
    near = [layer.boxed for layer in page.layers if layer.space is not None and layer.space.overlaps(zone)]
    for element, box in chain(*near, page.own):
        if element.role not in welcome and zone.overlaps(box):
            yield f"{_name(element)} stands in {name}", _where(_common(zone, box)), "nothing"


def _may_touch(one: object, other: object) -> bool:
    roles = {getattr(one, "role", ""), getattr(other, "role", "")}
    drawn = isinstance(one, Path) or isinstance(other, Path)
    return (
        (drawn and roles <= {"decoration", "art"})
        or (drawn and "decoration" in roles and bool(roles & {"specimen", "place", "date", "microtext"}))
        or roles <= {"place", "date", "microtext"}
    )


def _name(element: object) -> str:
    text = getattr(element, "text", "")
    role = str(getattr(element, "role", "element"))
    return f"'{text[:30]}' ({role})" if text else f"the {role}"


def _common(one: Box, other: Box) -> Box:
    return Box(
        max(one.left, other.left), max(one.bottom, other.bottom), min(one.right, other.right), min(one.top, other.top)
    )


def _where(box: Box) -> str:
    return f"x {show(box.left)} to {show(box.right)}, y {show(box.bottom)} to {show(box.top)}"


LINTS = (
    Lint(code="margin-right", clause="P050 4.4", holds_from=PROPOSED, faults=margin_right),
    Lint(code="margin-top", clause="P050 4.4", holds_from=PROPOSED, faults=margin_top),
    Lint(code="upper-right", clause="P050 4.4", holds_from=PROPOSED, faults=upper_right),
    Lint(code="horizontal", clause="P050 4.4", holds_from=PROPOSED, faults=horizontal),
    Lint(code="fim-zone", clause="P050 4.4", holds_from=PROPOSED, faults=fim_zone_free),
    Lint(code="ocr-area", clause="P050 4.4", holds_from=PROPOSED, faults=ocr_area_free),
    Lint(code="barcode-zone", clause="P050 4.4", holds_from=PROPOSED, faults=barcode_zone_free),
    Lint(code="address-area", clause=word("ocr", "clause"), holds_from=PROPOSED, faults=address_in_area),
    Lint(code="clear-space", clause=word("clear", "clause"), holds_from=day("clear", "from"), faults=clear_space),
    Lint(code="overlap", clause="P050 4.2", holds_from=PROPOSED, faults=no_overlaps),
    Lint(code="inside", clause="P050 4.2", holds_from=PROPOSED, faults=inside),
    Lint(code="correction-bottom", clause="P050 4.8, 4.9", holds_from=PROPOSED, faults=correction_bottom),
    Lint(code="correction-flap", clause="P050 4.9", holds_from=PROPOSED, faults=off_the_flap),
)
