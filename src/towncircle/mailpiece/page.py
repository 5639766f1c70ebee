"""Pages: the address side of a piece with its indicium, and the nonaddress side with a correction.

Here: where sender, recipient, FIM, Intelligent Mail barcode and art stand. Not here: where the indicium goes
(`placing`), its looks (`imprint`), the rule that they stand well (`lints`), drawing (`towncircle.paper`).

The barcode for the mail (Intelligent Mail, or POSTNET under the rule of 1998; `delivery_barcode`) of letters and cards
stands in the barcode clear zone at the lower right, not in the address block: P050 4.4 names that zone as reserved, its
place does not depend on the address, so a lint can measure it, and an address of five lines cannot push it out. Flats
and labels have no such zone: there it stands above the address.
A FIM D is on letters and cards, and on flats where the rule set says so: P050 4.12 exempts courtesy reply, which bears
FIM A, and what is "not a letter or a flat", and a card is letter-size mail (DMM C050), which is the reading taken here.
A label, a tape or a tag bears it where its piece must: it is applied with its upper right corner in that of the piece.
Pages that share a sender and the readable values share layers, so that a batch draws them once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

from towncircle.indicium.readable import Readable
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.art import Art, art_area, art_layer, marking_layer
from towncircle.mailpiece.elements import Bars, Element, Fim, Layer, Licensed, Page, Text
from towncircle.mailpiece.geometry import (
    DOT_600,
    INCH,
    Box,
    Form,
    dot,
    figure,
    least_type,
    number,
    ocr_area,
)
from towncircle.mailpiece.imprint import BLOCK_HEIGHT, corner, symbol_at
from towncircle.mailpiece.placing import (
    CLEAR,
    EDGE,
    Arrangement,
    Frame,
    arrange,
    corner_height,
    frame_of,
    layout_for,
    most_module,
    up,
)
from towncircle.mailpiece.typeface import FontKey, face
from towncircle.rules import RuleSet
from towncircle.symbol.bars import fim
from towncircle.symbol.modules import Modules

_ADDRESS_TYPE = 11_000
_ADDRESS_STEP = 14_500
_SENDER_TYPE = 8_000
_SENDER_STEP = 10_200
_BARS_TAKE = 26_000  # of a barcode that stands above the address
_SENDER_TAKES = 60_000  # of a return address that stands above the address
_LEFT = 76_000  # house: what a return address needs at least, with the clear space between it and the indicium


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSpec:
    """Describe the address side of a piece, or a label for it.

    `imb` is the Intelligent Mail barcode's 65 letters, `postnet` the POSTNET bars instead, empty for none.
    `piece_shape` says what a label goes on: letter, flat, card or parcel. `dpi` names the printer's dots. A form
    without room for the address is given none.
    `reply` makes it a courtesy reply envelope, which bears FIM A.
    """

    form: Form
    rules: RuleSet
    on: date
    readable: Readable
    symbol: Modules
    recipient: Address | None = None
    sender: Address | None = None
    imb: str = ""
    postnet: str = ""
    art: Art | None = None
    reply: bool = False
    piece_shape: str = ""
    dpi: int = 300
    licensed: Licensed | None = None

    @property
    def fim_letter(self) -> str:
        """Give the FIM that the piece bears, or nothing."""
        shape = self.piece_shape or self.form.shape
        return fim_of(shape, self.rules, self.on, reply=self.reply) if self.readable.bears_fim else ""


@cites("P050-4.4", "P050-4.5", "P050-4.12")
def envelope(spec: EnvelopeSpec) -> Page:
    """Lay out the address side.

    Art that has no room is left out (P050 4.10: "within space limitations"); a marking is not.
    Raises `Refused` (page.wrong-side, page.no-room, page.no-fim-room, page.symbol-too-large) and `BadInput`
    (page.does-not-fit).
    """
    readable, form = spec.readable, spec.form
    if not readable.on_address_side:
        raise Refused("page.wrong-side", kind=readable.kind, side="nonaddress")
    frame = frame_of(form, spec.rules, spec.on, bears_fim=bool(spec.fim_letter), dpi=spec.dpi)
    sender = spec.sender if form.addressed else None
    place = arrange(frame, spec.symbol, sender=sender is not None)
    symbol = symbol_at(spec.symbol, right=place.right, top=place.top, module=place.module, dpi=spec.dpi)
    layers = [corner(readable, place.layout, frame.corner_left, frame.top)]
    edge = place.edge
    area = _art_area(spec, frame, edge) if spec.art else None
    if spec.art is not None and area is not None:
        layers.append(_beside_indicium(spec.art, area, frame.marking))
        edge = min(box.left for _, box in layers[-1].boxed)
    top, lowest = frame.top, _below(frame, place, symbol.box.bottom)
    if form.height > form.width:  # no room beside the indicium: the return address goes below it
        top, edge, lowest = lowest, form.width, lowest - _SENDER_TAKES
    layers.insert(0, _stationery(form, sender, top, frame.floor, edge, spec.fim_letter))
    own: list[Element] = [symbol]
    if spec.recipient is not None and form.addressed:
        letters = spec.imb or spec.postnet
        lines = _recipient(form, spec.recipient, lowest - (_BARS_TAKE if letters else 0))
        own = [*lines, symbol]
        if letters:
            own.append(_bars(form, letters, lines[0], spec.dpi, "imb" if spec.imb else "postnet"))
    return Page(
        form=form,
        side="address",
        specimen=readable.specimen,
        mailer=(spec.sender.company or spec.sender.name) if spec.sender else "",
        reply=spec.reply,
        art_area=area,
        layers=tuple(layers),
        elements=tuple(own),
        piece_shape=spec.piece_shape,
        dpi=spec.dpi,
        licensed=spec.licensed,
    )


def _art_area(spec: EnvelopeSpec, frame: Frame, edge: int) -> Box | None:
    """Give where art or a marking stands, or None where art has no room."""
    assert spec.art is not None
    form = frame.form
    left = form.hole + EDGE + (_LEFT if spec.sender is not None and form.addressed else 0)
    area = art_area(right=edge - 6_000, top=frame.top, height=min(frame.room, BLOCK_HEIGHT), left_most=left)
    if spec.art.kind == "marking":
        return area
    wide = area.width >= figure("art", "width") and frame.room >= BLOCK_HEIGHT
    return area if wide and form.addressed and form.width > form.height else None


@cites("P050-4.12", "P050-4.12/2")
def fim_of(shape: str, rules: RuleSet, on: date, *, reply: bool) -> str:
    """Give the letter of the FIM that an address side bears, or nothing: a parcel bears none."""
    if shape not in rules.text("fim_shapes", on).split(", "):
        return ""
    return "A" if reply else "D"


def _beside_indicium(art: Art, area: Box, marking_height: int) -> Layer:
    if art.kind == "marking":
        return marking_layer(" ".join(art.words), area, marking_height)
    return art_layer(art, area.right, area.top, area.height)


@cites("P050-4.8", "P050-4.9", "P050-4.9/1", "P050-4.9/4", "P050-4.8/5", "P050-1.6")
def nonaddress_side(
    *,
    form: Form,
    rules: RuleSet,
    on: date,
    readable: Readable,
    symbol: Modules | None = None,
    dpi: int = 300,
    licensed: Licensed | None = None,
) -> Page:
    """Lay out the nonaddress side with a REDATE or a postage correction, above the bottom edge and below the flap.

    On a label it stands where an indicium stands: how far from the edges is a matter of applying the label.
    Raises `Refused` (page.wrong-side, page.symbol-missing, page.symbol-forbidden, page.no-room).
    """
    if readable.on_address_side:
        raise Refused("page.wrong-side", kind=readable.kind, side="address")
    if readable.bears_symbol and symbol is None:
        raise Refused("page.symbol-missing", kind=readable.kind)
    if symbol is not None and not readable.bears_symbol:
        raise Refused("page.symbol-forbidden", kind=readable.kind)
    frame = frame_of(form, rules, on, bears_fim=False, dpi=dpi)
    if form.shape == "label":
        room, top = frame.room, frame.top
        layout = layout_for(symbol, room, form)
    else:
        least = up(rules.length("correction_bottom", on).points) + round(dot(dpi))
        room = form.height - form.flap - least
        layout = layout_for(symbol, room, form)
        tall = BLOCK_HEIGHT if room >= BLOCK_HEIGHT else corner_height(layout)
        top = form.height - round((form.height - least - tall) // dot(dpi) * dot(dpi))
    layers = (corner(readable, layout, frame.corner_left, top),)
    own: tuple[Element, ...] = ()
    if symbol is not None:
        beside = layout == "beside"
        high = 50_000 if beside else min(room, BLOCK_HEIGHT)
        module = most_module(symbol, width=50_000 if beside else 140_000, height=high, dpi=dpi)
        right = frame.right if beside else frame.corner_left - 6 * module
        if not module or right - symbol.width * module < 0:
            raise Refused("page.symbol-too-large", columns=symbol.width, rows=symbol.height)
        own = (symbol_at(symbol, right=right, top=top, module=module, dpi=dpi),)
    return Page(
        form=form, side="nonaddress", specimen=readable.specimen, layers=layers, elements=own, dpi=dpi,
        licensed=licensed,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _stationery(form: Form, sender: Address | None, top: int, floor: int, edge: int, fim_letter: str) -> Layer:
    """Draw what all pieces of a sender have in common: the return address and the FIM."""
    parts: list[Element] = []
    if sender is not None:
        left = EDGE + form.hole
        most, high = edge - CLEAR - left, top - floor - 1_000
        rows = len(sender.lines) - 1
        tallest = high * 1000 // (face("bold").cap_height + 300 + rows * _SENDER_STEP * 1000 // _SENDER_TYPE)
        size = min(
            tallest, *(_fit("bold" if row == 0 else "sans", line, most) for row, line in enumerate(sender.lines))
        )
        for row, line in enumerate(sender.lines):
            y = top - face("bold").cap_height * size // 1000 - row * (_SENDER_STEP * size // _SENDER_TYPE)
            font: FontKey = "bold" if row == 0 else "sans"
            parts.append(Text(role="sender", text=line, font=font, size=size, x=left, y=y))
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


def _below(frame: Frame, place: Arrangement, symbol_bottom: int) -> int:
    """Give how high what is not asked for may reach below the indicium: to half an inch of it."""
    return min(symbol_bottom, frame.top - corner_height(place.layout)) - CLEAR - 500


def _recipient(form: Form, recipient: Address, ceiling: int) -> list[Text]:
    """Draw the delivery address in capitals, in the middle of the address reader's area, or below the indicium."""
    lines, wish, step = recipient.delivery_lines, _ADDRESS_TYPE, _ADDRESS_STEP
    area = ocr_area(form)
    if form.shape == "flat":
        wish, step = wish * 5 // 4, step * 5 // 4
    left = form.hole + CLEAR if form.kind in ("label", "tag") and form.width < 7 * INCH else form.width * 43 // 100
    most = form.width - figure("ocr", "side") - left
    width = max([face("sans").width(line, wish) for line in lines])
    size = wish if width <= most else wish * most // width
    middle = (area.bottom + area.top) // 2 if area else form.height * 45 // 100
    y = middle + (len(lines) - 1) * step // 2 - 2_000
    if area is None:
        y = min(y, ceiling - size)
        if y - (len(lines) - 1) * step < EDGE // 2:
            raise BadInput("page.does-not-fit", what="space below the indicium", text=lines[-1][:40])
    return list(_lines(lines, size, left, y, step))


def _lines(lines: tuple[str, ...], size: int, left: int, y: int, step: int) -> Iterator[Text]:
    for line in lines:
        yield Text(role="recipient", text=line, font="sans", size=size, x=left, y=y)
        y -= step


def _bars(form: Form, letters: str, first_line: Text, dpi: int, role: Literal["imb", "postnet"]) -> Bars:
    pitch, bar, third = (number(role, name) * DOT_600 for name in ("pitch_dots600", "bar_dots600", "third_dots600"))
    short = number(role, "short_dots600") * DOT_600 if role == "postnet" else 0
    if ocr_area(form) is None:
        x, y = first_line.x, first_line.y + first_line.size + 10_000
    else:
        x = form.width - (figure("barcode", "left_most") + figure("barcode", "left_least")) // 2
        y = figure("barcode", "height") // 5 * 2
    x = round(x // dot(dpi) * dot(dpi))
    return Bars(letters=letters, x=x, y=y, pitch=pitch, bar=bar, third=third, role=role, short=short)
