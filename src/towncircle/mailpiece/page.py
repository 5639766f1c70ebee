"""Pages: the address side of a piece with its indicium, and the nonaddress side with a correction.

Here: where sender, recipient, FIM, Intelligent Mail barcode, symbol and imprint stand. Not here: their looks
(`imprint`), the rule that they stand well (`lints`), drawing (`towncircle.paper`).

The Intelligent Mail barcode of letters and cards stands in the barcode clear zone at the lower right, not in the
address block: P050 4.4 names that zone as reserved, its place does not depend on the address, so a lint can measure
it, and an address of five lines cannot push it out. Flats have no such zone: there it stands above the address.
A FIM D is on letters and cards, and on flats where the rule set says so: P050 4.12 exempts courtesy reply, which bears
FIM A, and what is "not a letter or a flat", and a card is letter-size mail (DMM C050), which is the reading taken here.
Pages that share a sender and the readable values share layers, so that a batch draws them once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache

from towncircle.indicium.readable import Readable
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.art import Art, art_area, art_layer, marking_layer
from towncircle.mailpiece.elements import Bars, Element, Fim, Layer, Page, Text
from towncircle.mailpiece.geometry import DOT_300, DOT_600, POINT, Box, Form, figure, fim_zone, least_type, number
from towncircle.mailpiece.imprint import (
    BLOCK_HEIGHT,
    BLOCK_WIDTH,
    corner,
    layout_of,
    module_size,
    symbol_at,
)
from towncircle.mailpiece.typeface import FontKey, face
from towncircle.rules import RuleSet
from towncircle.symbol.bars import fim
from towncircle.symbol.modules import Modules

_ADDRESS_TYPE = 11_000
_ADDRESS_STEP = 14_500
_SENDER_TYPE = 8_000
_SENDER_STEP = 10_200
_EDGE = 24_000  # house: what stands at the left keeps 1/3 inch from the edge
_LEFT = 76_000  # house: what a return address needs at least, with the clear space between it and the indicium
_BESIDE = 50_000  # of a symbol beside the town circle, so that its quiet zone ends above the amount
_SLACK = DOT_300  # a dot more than the rule's least, so that a rasterised edge never touches it


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSpec:
    """Describe the address side of a piece. `imb` is the barcode's 65 letters, or empty for none.

    `reply` makes it a courtesy reply envelope, which bears FIM A.
    """

    form: Form
    rules: RuleSet
    on: date
    readable: Readable
    symbol: Modules
    recipient: Address
    sender: Address | None = None
    imb: str = ""
    art: Art | None = None
    reply: bool = False


@cites("P050-4.4", "P050-4.5", "P050-4.12")
def envelope(spec: EnvelopeSpec) -> Page:
    """Lay out the address side.

    Raises `Refused` (page.wrong-side, page.symbol-too-large) and `BadInput` (page.does-not-fit).
    """
    readable = spec.readable
    if not readable.on_address_side:
        raise Refused("page.wrong-side", kind=readable.kind, side="nonaddress")
    frame = _frame(spec.form, spec.rules, spec.on)
    layout = layout_of(spec.symbol)
    if layout == "beside":
        module = module_size(spec.symbol, most_width=_BESIDE, most_height=_BESIDE)
        symbol = symbol_at(spec.symbol, right=frame.right, top=frame.top, module=module)
        edge = frame.fim_left
    else:
        most = 100_000 if spec.form.shape == "card" else 140_000
        module = module_size(spec.symbol, most_width=most, most_height=BLOCK_HEIGHT + 1_000)
        symbol = symbol_at(spec.symbol, right=frame.fim_left - 4 * module, top=frame.top, module=module)
        edge = symbol.x - 4 * module
    layers = [corner(readable, layout, frame.right - BLOCK_WIDTH, frame.top)]
    area = None
    if spec.art is not None:
        area = art_area(
            right=edge - 6_000, top=frame.top, height=BLOCK_HEIGHT, left_most=_EDGE + (spec.sender is not None) * _LEFT
        )
        layers.append(_beside_indicium(spec.art, area, frame.marking))
        edge = min(box.left for _, box in layers[-1].boxed)
    letter = fim_of(spec.form, spec.rules, spec.on, reply=spec.reply) if readable.bears_fim else ""
    layers.insert(0, _stationery(spec.form, spec.sender, frame.top, edge, letter))
    own: list[Element] = [*_recipient(spec.form, spec.recipient), symbol]
    if spec.imb:
        own.append(_bars(spec.form, spec.imb, own[0]))
    return Page(
        form=spec.form,
        side="address",
        specimen=readable.specimen,
        mailer=(spec.sender.company or spec.sender.name) if spec.sender else "",
        reply=spec.reply,
        art_area=area,
        layers=tuple(layers),
        elements=tuple(own),
    )


@cites("P050-4.12", "P050-4.12/2")
def fim_of(form: Form, rules: RuleSet, on: date, *, reply: bool) -> str:
    """Give the letter of the FIM that an address side bears, or nothing: a parcel bears none."""
    if form.shape not in rules.text("fim_shapes", on).split(", "):
        return ""
    return "A" if reply else "D"


def _beside_indicium(art: Art, area: Box, marking_height: int) -> Layer:
    if art.kind == "marking":
        return marking_layer(" ".join(art.words), area, marking_height)
    return art_layer(art, area.right, area.top, area.height)


@cites("P050-4.8", "P050-4.9", "P050-4.9/1", "P050-4.9/4", "P050-4.8/5", "P050-1.6")
def nonaddress_side(*, form: Form, rules: RuleSet, on: date, readable: Readable, symbol: Modules | None = None) -> Page:
    """Lay out the nonaddress side with a REDATE or a postage correction, above the bottom edge and below the flap.

    Raises `Refused` (page.wrong-side, page.symbol-missing, page.symbol-forbidden).
    """
    if readable.on_address_side:
        raise Refused("page.wrong-side", kind=readable.kind, side="address")
    if readable.bears_symbol and symbol is None:
        raise Refused("page.symbol-missing", kind=readable.kind)
    if symbol is not None and not readable.bears_symbol:
        raise Refused("page.symbol-forbidden", kind=readable.kind)
    frame = _frame(form, rules, on)
    least = _up(rules.length("correction_bottom", on).points) + _SLACK
    top = (form.height - least - BLOCK_HEIGHT) // DOT_300 * DOT_300
    top = form.height - top
    layout = layout_of(symbol)
    layers = (corner(readable, layout, frame.right - BLOCK_WIDTH, top),)
    own: tuple[Element, ...] = ()
    if symbol is not None:
        beside = layout == "beside"
        most = _BESIDE if beside else 140_000
        module = module_size(symbol, most_width=most, most_height=_BESIDE if beside else BLOCK_HEIGHT)
        right = frame.right if beside else frame.right - BLOCK_WIDTH - 6 * module
        own = (symbol_at(symbol, right=right, top=top, module=module),)
    return Page(form=form, side="nonaddress", specimen=readable.specimen, layers=layers, elements=own)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    right: int
    top: int
    fim_left: int
    marking: int


@lru_cache(maxsize=64)
def _frame_of(form: Form, right: Fraction, top: Fraction, marking: Fraction) -> _Frame:
    return _Frame(
        right=form.width - -(-_up(right) // DOT_300) * DOT_300 - _SLACK,
        top=form.height - -(-_up(top) // DOT_300) * DOT_300 - _SLACK,
        fim_left=fim_zone(form).left,
        marking=_up(marking),
    )


def _frame(form: Form, rules: RuleSet, on: date) -> _Frame:
    names = ("indicium_margin_right", "indicium_margin_top", "marking_height")
    right, top, marking = (rules.length(name, on).points for name in names)
    return _frame_of(form, right, top, marking)


def _up(points: Fraction) -> int:
    return -int(-points * POINT // 1)


@lru_cache(maxsize=64)
def _stationery(form: Form, sender: Address | None, top: int, edge: int, fim_letter: str) -> Layer:
    """Draw what all pieces of a sender have in common: the return address and the FIM."""
    parts: list[Element] = []
    if sender is not None:
        most = edge - 36_000 - _EDGE
        size = min(_fit("bold" if row == 0 else "sans", line, most) for row, line in enumerate(sender.lines))
        for row, line in enumerate(sender.lines):
            y = top - face("bold").cap_height * size // 1000 - row * (_SENDER_STEP * size // _SENDER_TYPE)
            font: FontKey = "bold" if row == 0 else "sans"
            parts.append(Text(role="sender", text=line, font=font, size=size, x=_EDGE, y=y))
    if fim_letter:
        pattern, pitch, bar, height = (
            fim(fim_letter),
            figure("fim", "pitch"),
            figure("fim", "bar"),
            figure("fim", "height"),
        )
        x = form.width - figure("fim", "right") - bar - (len(pattern) - 1) * pitch
        y = form.height - figure("fim", "top") - height
        parts.append(Fim(pattern=pattern, x=x, y=y, pitch=pitch, bar=bar, height=height))
    return Layer(tuple(parts))


def _fit(font: FontKey, line: str, most: int) -> int:
    found = face(font).fitting(line, size=_SENDER_TYPE, most=most, least=least_type())
    if not found:
        raise BadInput("page.does-not-fit", what="return address", text=line[:40])
    return found


def _recipient(form: Form, recipient: Address) -> Iterator[Text]:
    """Draw the delivery address in capitals, in the middle of the address reader's area."""
    lines, wish, step = recipient.delivery_lines, _ADDRESS_TYPE, _ADDRESS_STEP
    if form.shape == "flat":
        wish, step = wish * 5 // 4, step * 5 // 4
    left = form.width * 43 // 100
    most = form.width - figure("ocr", "side") - left
    width = max([face("sans").width(line, wish) for line in lines])
    size = wish if width <= most else wish * most // width
    middle = (figure("ocr", "bottom") + figure("ocr", "top")) // 2 if form.shape != "flat" else form.height * 45 // 100
    y = middle + (len(lines) - 1) * step // 2 - 2_000
    for line in lines:
        yield Text(role="recipient", text=line, font="sans", size=size, x=left, y=y)
        y -= step


def _bars(form: Form, letters: str, first_line: Element) -> Bars:
    pitch, bar, third = (number("imb", name) * DOT_600 for name in ("pitch_dots600", "bar_dots600", "third_dots600"))
    if form.shape == "flat":
        assert isinstance(first_line, Text)
        x, y = first_line.x, first_line.y + first_line.size + 10_000
    else:
        x = form.width - (figure("barcode", "left_most") + figure("barcode", "left_least")) // 2
        y = figure("barcode", "height") // 5 * 2
    return Bars(letters=letters, x=x // DOT_300 * DOT_300, y=y, pitch=pitch, bar=bar, third=third)
