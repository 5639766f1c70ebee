"""The labelled picture: made from a real page, and the committed one is what the program makes."""

from pathlib import Path

import zxingcpp
from tests.mailpiece.pages import IMI, ON

from towncircle.mailpiece.lints import lint
from towncircle.paper.labelled import labelled, specimen, write_picture
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster
from towncircle.paper.svg import render

COMMITTED = Path(__file__).parents[2] / "docs/images"


def test_the_picture_names_the_five_elements():
    text = render(labelled(specimen()))
    for name in ("Town circle", "Postage amount", "Device identifier", "2-D barcode", "Advertising art", "FIM D"):
        assert f">{name}<" in text


def test_its_piece_keeps_the_rules_and_its_symbol_says_specimen():
    assert lint(specimen(), IMI, ON) == ()
    (found,) = zxingcpp.read_barcodes(raster(to_pdf([labelled(specimen())]), dpi=300))
    assert found.bytes.startswith(b"SPECIMEN")


def test_the_committed_picture_is_the_one_the_program_makes(tmp_path):
    write_picture(tmp_path)
    assert (tmp_path / "indicium.svg").read_bytes() == (COMMITTED / "indicium.svg").read_bytes()
    assert (COMMITTED / "indicium.png").read_bytes().startswith(b"\x89PNG")
