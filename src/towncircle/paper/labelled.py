"""A picture of an indicium with its five elements named, for people who see one for the first time.

Here: `labelled()`, made from a real page by the program. Not here: the page.
Kept: the five primary elements of an indicium as the proposed rule lists them: town circle information, postage
amount, device identifier, two-dimensional barcode, advertising art (optional).

`python -m towncircle.paper.labelled FOLDER` writes `indicium.svg` and `indicium.png` with a specimen of its own.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path as FilePath
from typing import Literal

from towncircle.indicium.readable import Office, for_postage
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.art import DEFAULT_ART
from towncircle.mailpiece.elements import INDICIUM_ROLES, ArcText, Element, Layer, Page, Path, Text, circle, polyline
from towncircle.mailpiece.geometry import Box, Form, form
from towncircle.mailpiece.page import EnvelopeSpec, envelope
from towncircle.mailpiece.typeface import face
from towncircle.paper import svg
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import render
from towncircle.rules import ruleset
from towncircle.symbol import data_matrix

_LEFT, _RIGHT, _ABOVE, _BELOW = 16_000, 94_000, 46_000, 16_000
_NAME_SIZE, _DETAIL_SIZE, _GREY = 7_600, 5_400, 420


@dataclass(frozen=True, slots=True, kw_only=True)
class _Label:
    name: str
    detail: str
    side: Literal["above", "left", "right"]
    roles: tuple[str, ...]
    gap: int = 2_800


_LABELS = (
    _Label(name="Advertising art", detail="optional, says whose it is", side="above", roles=("art", "attribution")),
    _Label(name="FIM D", detail="tells that it is an indicium", side="above", roles=("fim",)),
    _Label(name="Town circle", detail="post office, date", side="above", roles=("place",), gap=5_200),
    _Label(name="2-D barcode", detail="the signed data", side="above", roles=("symbol",)),
    _Label(name="Postage amount", detail="what the device debited", side="left", roles=("amount",)),
    _Label(name="Device identifier", detail="vendor, model, serial", side="right", roles=("device",)),
)


def labelled(page: Page) -> Page:
    """Make a picture page: the indicium and the FIM of a page, cut out, with its elements named around it."""
    shown = [(element, box) for element, box in page.boxed if element.role in INDICIUM_ROLES | {"fim"}]
    around = Box.around([box for _, box in shown])
    view = Form(
        key="picture", name="labelled indicium", shape="picture", flap=0,
        width=around.width + _LEFT + _RIGHT, height=around.height + _ABOVE + _BELOW,
    )  # fmt: skip
    dx, dy = _LEFT - around.left, _BELOW - around.bottom
    kept = Layer(tuple(_moved(element, dx, dy) for element, _ in shown))
    notes: list[Element] = []
    for label in _LABELS:
        boxes = [box.moved(x=dx, y=dy) for _, box in page.having(*label.roles)]
        if boxes:
            notes += _note(label, view, Box.around(boxes))
    return replace(page, form=view, layers=(kept,), elements=tuple(notes))


def _note(label: _Label, view: Form, box: Box) -> list[Element]:
    """Draw a name, its explanation and a leader that ends in a dot at the element's edge."""
    name_width = face("bold").width(label.name, _NAME_SIZE)
    detail_width = face("sans").width(label.detail, _DETAIL_SIZE)
    width = max(name_width, detail_width)
    across, up = (box.left + box.right) // 2, (box.bottom + box.top) // 2
    if label.side == "above":
        x, y = across - width // 2, view.height - 16_000
        start, end = (across, y - 10_400), (across, box.top + label.gap)
        name_x, detail_x = across - name_width // 2, across - detail_width // 2
    elif label.side == "left":
        x, y = box.left - 26_000 - width, up - 600
        start, end = (x + width + 4_000, up), (box.left - label.gap, up)
        name_x, detail_x = x + width - name_width, x + width - detail_width
    else:
        x, y = box.right + 20_000, up - 600
        start, end = (x - 4_000, up), (box.right + label.gap, up)
        name_x = detail_x = x
    return [
        Text(role="decoration", text=label.name, font="bold", size=_NAME_SIZE, x=name_x, y=y),
        Text(role="decoration", text=label.detail, font="sans", size=_DETAIL_SIZE, x=detail_x, y=y - 6_800, ink=_GREY),
        Path(role="decoration", ops=polyline(start, end), stroke=_GREY, width=450),
        Path(role="decoration", ops=circle(*end, 1_100), fill=_GREY),
    ]


def _moved(element: Element, dx: int, dy: int) -> Element:
    if isinstance(element, Path):
        ops = tuple(
            (op, tuple(value + (dy if at % 2 else dx) for at, value in enumerate(values))) for op, values in element.ops
        )
        return replace(element, ops=ops)
    if isinstance(element, ArcText):
        return replace(element, cx=element.cx + dx, cy=element.cy + dy)
    return replace(element, x=element.x + dx, y=element.y + dy)


def specimen() -> Page:
    """Lay out the piece of the picture: a metered letter of today's look with a symbol that says it is a specimen."""
    on, rules = date(2026, 11, 21), ruleset("imi-2024")
    where = Address(
        company="United States Postal Service",
        street="475 L'Enfant Plaza SW",
        city="Washington",
        state="DC",
        zip5="20260",
    )
    words = for_postage(
        Office(city="Washington", state="DC", zip_code="20260"),
        device=DeviceId.parse("TC1A0000000017"),
        day=on,
        category="FIRST-CLASS MAIL",
        postage=Mills(780),
        first_class=True,
    )
    payload = b"SPECIMEN - NOT VALID AS POSTAGE - a picture of an indicium made by towncircle".ljust(112, b".")
    return envelope(
        EnvelopeSpec(
            form=form("no10"), rules=rules, on=on, readable=words, symbol=data_matrix(payload, size=40),
            recipient=where, art=DEFAULT_ART,
        )
    )  # fmt: skip


def write_picture(folder: FilePath) -> None:
    """Write `indicium.svg` and `indicium.png` (at 400 dpi) into a folder."""
    page = labelled(specimen())
    (folder / "indicium.svg").write_text(svg.render(page), encoding="utf-8")
    (folder / "indicium.png").write_bytes(render(to_pdf([page]), dpi=400))


if __name__ == "__main__":
    write_picture(FilePath(sys.argv[1]))
