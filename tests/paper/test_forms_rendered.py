"""Every form of an indicium, drawn by two renderers that share nothing, and read back from bad scans of it.

The PDF is rendered by pdfium, the SVG by resvg. What is read is compared with the bytes that were encoded.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import resvg_py
from numpy.typing import NDArray
from PIL import Image
from tests.mailpiece import pages as made
from tests.mailpiece.pages import DEVICE, IMI, OFFICE, ON, PAYLOAD, PAYLOAD_1998, TO, piece
from tests.mailpiece.test_artwork import file_of, ring

from towncircle.indicium.readable import Branch, MailedFrom, for_postage
from towncircle.kernel.money import Mills
from towncircle.mailpiece.art import Art
from towncircle.mailpiece.artwork import picture
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.geometry import form
from towncircle.mailpiece.lints import require
from towncircle.mailpiece.page import EnvelopeSpec, envelope
from towncircle.paper import fonts
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster
from towncircle.paper.svg import render
from towncircle.symbol import data_matrix, read

FONTS = sorted(str(path) for path in Path(str(fonts.__file__)).parent.glob("*.ttf"))
Grey = NDArray[np.uint8]


def standard() -> Page:
    words = for_postage(
        OFFICE, device=DEVICE, day=ON, category="STANDARD LTR", postage=Mills(420), first_class=False, month_only=True
    )
    return envelope(
        EnvelopeSpec(form=form("no10"), rules=IMI, on=ON, readable=words, symbol=data_matrix(PAYLOAD), recipient=TO)
    )


PAGES = {
    "normal": (piece(), PAYLOAD),
    "of 1998": (made.piece_1998(), PAYLOAD_1998),
    "Mailed From ZIP Code": (piece(office=MailedFrom(zip_code="20024")), PAYLOAD),
    "a branch": (piece(office=Branch(name="Capitol Heights", state="MD", zip_code="20260")), PAYLOAD),
    "month and year": (standard(), PAYLOAD),
    "courtesy reply": (piece(reply=True), PAYLOAD),
    "a flat": (piece("flat9x12"), PAYLOAD),
    "a marking": (piece(art=made.MARKING), PAYLOAD),
    "a picture": (piece(art=Art(words=("Write once",), picture=picture(file_of(ring())))), PAYLOAD),
    "a correction": (made.correction(), PAYLOAD),
    "a correction of 1998": (made.correction_1998(), PAYLOAD_1998),
}


@cache
def by_pdfium(name: str, dpi: int) -> Grey:
    return raster(to_pdf([made.redate() if name == "REDATE" else PAGES[name][0]]), dpi=dpi)


def by_resvg(page: Page, dpi: int) -> Grey:
    """Draw the SVG; resvg reads fonts from files, under the names that stand in them."""
    text = render(page).replace("Towncircle Sans", "TowncircleSans").replace("Towncircle Mono", "TowncircleMono")
    data = resvg_py.svg_to_bytes(
        svg_string=text, dpi=72, zoom=dpi / 72, font_files=FONTS, skip_system_fonts=True, background="#ffffff"
    )
    array = np.frombuffer(bytes(data), np.uint8)
    return np.asarray(cv2.imdecode(array, cv2.IMREAD_GRAYSCALE), np.uint8)


def scanned(image: Grey, *, turn: float, noise: int, seed: int) -> Grey:
    """Lay a page on a scanner askew, with dust and a dim lamp."""
    askew = Image.fromarray(image).rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    grey = np.asarray(askew, np.float32) * 0.8 + 30
    grey += np.random.default_rng(seed).normal(0, noise, grey.shape).astype(np.float32)
    return np.clip(grey, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", PAGES)
def test_two_renderers_draw_the_same_page_and_its_symbol_is_read_from_both(name: str) -> None:
    page, payload = PAGES[name]
    require(page, made.IBI if "1998" in name else IMI, made.ON_1998 if "1998" in name else ON)
    one, other = by_pdfium(name, 300), by_resvg(page, 300)
    for image in (one, other):
        assert [found.payload for found in read(image)] == [payload]
    high, wide = min(one.shape[0], other.shape[0]) // 12 * 12, min(one.shape[1], other.shape[1]) // 12 * 12
    cells = [image[:high, :wide].reshape(high // 12, 12, wide // 12, 12).mean(axis=(1, 3)) for image in (one, other)]
    assert (
        np.abs(cells[0] - cells[1]).max() < 40
    )  # of a cell of 1/25 inch; words that are moved by 0.02 inch give 50 or more


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("dpi", "turn", "noise"), [(200, 0.0, 8), (300, -7.0, 25), (600, 3.0, 12)])
def test_it_is_read_from_a_tilted_and_noisy_scan(name: str, dpi: int, turn: float, noise: int) -> None:
    page, payload = PAGES[name]
    whole = by_pdfium(name, dpi)
    (_, box) = page.having("symbol")[0]
    around = [round(value * dpi / 72_000) for value in (box.left, page.form.height - box.top, box.right, box.bottom)]
    left, top, right = max(around[0] - dpi // 2, 0), max(around[1] - dpi // 2, 0), around[2] + dpi // 2
    part = whole[top : top + dpi * 2, left:right]
    assert [found.payload for found in read(scanned(part, turn=turn, noise=noise, seed=dpi))] == [payload]


def test_a_redate_has_no_symbol_and_no_fim_in_either_drawing() -> None:
    for image in (by_pdfium("REDATE", 300), by_resvg(made.redate(), 300)):
        assert read(image, fast_only=True) == []
        assert not (image[: round(0.9 * 300)] < 128).any()
