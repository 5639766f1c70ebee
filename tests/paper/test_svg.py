"""The SVG drawing: well formed, alone, and with the same things at the same places."""

import re
import xml.etree.ElementTree as ET

import pytest
from tests.mailpiece.pages import SENDER, correction, piece, piece_1998, redate

from towncircle.paper.svg import render

NS = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("page", [piece(), piece_1998(), piece("flat9x12"), piece("postcard"), redate(), correction()])
def test_it_is_well_formed_and_stands_alone(page):
    text = render(page)
    root = ET.fromstring(text)
    assert root.get("viewBox") == f"0 0 {page.form.width / 1000:g} {page.form.height / 1000:g}"
    assert set(re.findall(r"url\(([a-z]+:)", text)) == {"data:"}
    assert "href" not in text


def test_words_are_text_and_escaped():
    from dataclasses import replace

    root = ET.fromstring(render(piece(sender=replace(SENDER, name="Fish & <Chips>"))))
    words = {element.text for element in root.iter(f"{NS}text")}
    assert {"Fish & <Chips>", "$0.78", "UNITED STATES POSTAL SERVICE"} <= words


def test_the_symbol_has_its_dark_modules():
    page = piece()
    (symbol, box) = page.having("symbol")[0]
    area = 0.0
    for path in ET.fromstring(render(page)).iter(f"{NS}path"):
        for x, y, w, h in re.findall(r"M([0-9.]+) ([0-9.]+)h([0-9.]+)v([0-9.]+)h", path.get("d", "")):
            if box.left <= float(x) * 1000 and page.form.height - float(y) * 1000 <= box.top + 1 and float(h) < 2:
                area += float(w) * float(h)
    dark = sum(byte.bit_count() for byte in symbol.modules.packed)
    assert area == pytest.approx(dark * 1.2 * 1.2)


def test_it_is_the_same_on_every_run():
    assert render(piece()) == render(piece())
