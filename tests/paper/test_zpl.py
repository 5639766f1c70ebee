"""ZPL labels, drawn by a renderer that shares nothing with this program, and read back to the byte."""

import re
import zlib
from base64 import b64decode
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import zplkit
from tests.mailpiece.pages import BARS, PAYLOAD, PAYLOAD_1998, correction_1998, piece, piece_1998, redate
from zplkit.rendering import Limits

from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.elements import Layer, Page
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster
from towncircle.paper.zpl import Head, to_zpl, write_zpl
from towncircle.symbol import data_matrix, imb_from_image, pdf417, postnet_from_image, read

LIMITS = Limits(graphic_bytes=99_999, pixels=40_000_000)  # what the language says of one graphic
GRAPHIC = re.compile(rb"\^GFA,(\d+),(\d+),(\d+),:Z64:([^:]+):([0-9A-F]{4})\^FS")
LETTER, OLD = piece(), piece_1998()


def drawn(label: bytes, dpi: int) -> np.ndarray:
    """Draw a label as a printer does: grey, 0 black."""
    width, height = (int(re.search(rb"\^" + name + rb"(\d+)", label)[1]) for name in (b"PW", b"LL"))
    document = zplkit.render(label, zplkit.Options(width=width, height=height, dpi=dpi), limits=LIMITS)
    assert document.warnings == []
    (scene,) = document.labels
    raster = scene.rasterize()
    return np.frombuffer(raster.pixels, np.uint8).reshape(raster.height, raster.width)


@pytest.mark.parametrize("native", [False, True], ids=["graphic", "own"])
@pytest.mark.parametrize(
    ("page", "payload", "dpi"),
    [(LETTER, PAYLOAD, 203), (LETTER, PAYLOAD, 300), (piece("postcard"), PAYLOAD, 600), (OLD, PAYLOAD_1998, 203)],
    ids=["letter-203", "letter-300", "card-600", "1998-203"],
)
def test_a_label_is_read_back_to_the_byte(page, payload, dpi, native):
    image = drawn(to_zpl(page, Head(dpi=dpi, native=native)), dpi)
    (found,) = read(image)
    assert found.payload == payload
    high = image.shape[0]
    place = image[high - round(0.62 * dpi) :, -round(4.6 * dpi) :]
    assert (postnet_from_image if page is OLD else imb_from_image)(place) == ("20260" if page is OLD else BARS)


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_a_label_of_4_by_6_inches_is_read_back_and_its_bars_keep_their_pitch(dpi):
    label = piece("label4x6", art=None)
    image = drawn(to_zpl(label, Head(dpi=dpi)), dpi)
    assert read(image)[0].payload == PAYLOAD
    exact = 203.2 if dpi == 203 else dpi
    row = image[round(2.77 * exact) : round(2.99 * exact)]
    dark = np.flatnonzero((row < 128).any(axis=0))
    starts = dark[np.flatnonzero(np.diff(dark, prepend=-9) > 1)]
    assert len(starts) == 65
    assert len(set(np.diff(starts))) == 1  # whole dots, all alike
    assert 20 <= exact / (starts[1] - starts[0]) <= 24
    assert (dark[-1] + 1 - dark[0]) / exact <= 3.225


@pytest.mark.parametrize(("symbol", "name"), [(data_matrix, "BX"), (pdf417, "B7")])
def test_every_byte_survives_the_printer_s_own_symbol(symbol, name):
    payload = bytes(range(256)) if symbol is data_matrix else bytes(range(255, -1, -1))
    page = LETTER if symbol is data_matrix else OLD
    ((held, _),) = page.having("symbol")
    alone = replace(page, layers=(), elements=(replace(held, modules=symbol(payload), x=72_000, module=480),))
    label = to_zpl(alone, Head(native=True))
    assert b"^%s" % name.encode() in label
    assert b"^GFA" not in label
    (found,) = read(drawn(label, 300))
    assert found.payload == payload


@pytest.mark.parametrize(("dpi", "dots"), [(203, 3), (300, 5), (600, 10)])
def test_modules_are_whole_dots_within_the_box_that_was_linted(dpi, dots):
    ((symbol, box),) = LETTER.having("symbol")
    alone = Page(form=LETTER.form, side="address", specimen=True, elements=(symbol,))
    dark = drawn(to_zpl(alone, Head(dpi=dpi)), dpi) < 128
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    grid = dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert np.array_equal(grid, np.kron(symbol.modules.array(), np.ones((dots, dots))) > 0)
    exact = {203: 203.2}.get(dpi, dpi)
    assert columns[0] >= box.left / 72_000 * exact - 1
    assert columns[-1] <= box.right / 72_000 * exact
    assert abs(rows[0] - (LETTER.form.height - box.top) / 72_000 * exact) <= (8 if dpi == 203 else 1)


def test_the_rest_is_the_page_that_the_pdf_draws():
    label, page = drawn(to_zpl(LETTER, Head()), 300) < 128, raster(to_pdf([LETTER])) < 128
    assert np.mean(label != page) < 0.0004  # edges of the FIM and the barcode, rounded to dots


def test_graphics_keep_to_the_language_s_limits_and_carry_their_checksum():
    label = to_zpl(LETTER, Head(dpi=600))
    assert label.isascii()
    graphics = GRAPHIC.findall(label)
    assert len(graphics) > 5
    for size, whole, stride, data, checksum in graphics:
        assert size == whole
        packed = zlib.decompress(b64decode(data))
        assert len(packed) == int(size) <= 99_999
        assert len(packed) % int(stride) == 0
        crc = 0
        for byte in data:  # CRC-16 of the base64 text, polynomial 1021, from zero
            crc ^= byte << 8
            for _ in range(8):
                crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
        assert int(checksum, 16) == crc


def test_a_shift_moves_all_dots_and_never_pushes_ink_off_the_page():
    page = redate("postcard")
    still = drawn(to_zpl(page, Head()), 300)
    moved = drawn(to_zpl(page, Head(shift_x=-2_400, shift_y=1_200)), 300)
    assert np.array_equal(moved[5:, :-10], still[:-5, 10:])
    with pytest.raises(Refused, match=r"paper\.off-the-page"):
        to_zpl(page, Head(shift_x=72_000))
    own = to_zpl(LETTER, Head(native=True, shift_x=-2_400)), to_zpl(LETTER, Head(native=True))
    left = [int(re.search(rb"\^FO(\d+),\d+\^BX", label)[1]) for label in own]
    assert left[1] - left[0] == 10


def test_a_scale_makes_the_page_larger_but_no_module_a_fraction_of_a_dot():
    page = piece("postcard")
    image = drawn(to_zpl(page, Head(scale_x=Fraction(1016, 1000), scale_y=Fraction(1016, 1000))), 300)
    assert image.shape == (round(1275 * 1.016), round(1800 * 1.016))
    assert read(image)[0].payload == PAYLOAD


def test_a_batch_is_a_label_each_and_shared_parts_do_not_change_them(tmp_path):
    with (tmp_path / "batch.zpl").open("wb") as out:
        assert write_zpl([OLD, correction_1998(), OLD], out, Head(dpi=203)) == 3
    data = (tmp_path / "batch.zpl").read_bytes()
    first, _, last = data.split(b"^XZ\n")[:3]
    assert first == last
    apart = replace(OLD, layers=(), elements=(*(e for layer in OLD.layers for e in layer.elements), *OLD.elements))
    assert to_zpl(apart, Head(dpi=203)) == first + b"^XZ\n"


def test_what_cannot_be_a_label_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"paper\.head"):
        to_zpl(LETTER, Head(dpi=150))
    ((symbol, _),) = LETTER.having("symbol")
    with pytest.raises(Refused, match=r"paper\.too-coarse"):
        to_zpl(replace(LETTER, elements=(replace(symbol, module=480),)), Head(dpi=203))
    with (tmp_path / "none").open("wb") as out, pytest.raises(BadInput, match=r"paper\.no-pages"):
        write_zpl([], out, Head())
    blank = replace(LETTER, layers=(Layer(()),), elements=())
    assert b"^GFA" not in to_zpl(blank, Head())


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_the_postnet_of_1998_is_read_from_what_a_label_printer_draws(dpi, native):
    ((held, _),) = OLD.having("postnet")
    label = to_zpl(Page(form=OLD.form, side="address", specimen=True, elements=(held,)), Head(dpi=dpi, native=native))
    image = drawn(label, dpi)
    assert postnet_from_image(image[image.shape[0] - round(0.62 * dpi) :, -round(4.6 * dpi) :]) == "20260"
    assert (b"^BZN" in label) == native
