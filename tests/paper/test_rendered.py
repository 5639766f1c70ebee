"""Places measured on the rendered page, in pixels, without asking the layout where it put things."""

import numpy as np
import pytest
import zxingcpp
from tests.mailpiece.pages import BARS, PAYLOAD, PAYLOAD_1998, correction, piece, piece_1998, redate

from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster
from towncircle.symbol.imb_image import imb_from_image

DPI = 300
PAGES = {
    "2026": piece(),
    "1998": piece_1998(),
    "flat": piece("flat9x12"),
    "card": piece("postcard"),
    "flat of 1998": piece_1998("flat9x12"),
    "reply": piece(reply=True),
}
FIMS = {"reply": [0, 1, 4, 7, 8]}  # FIM A, 110010011; the others FIM D, 111010111


@pytest.fixture(scope="module")
def files():
    return {key: to_pdf([page]) for key, page in PAGES.items()}


@pytest.fixture(scope="module")
def dark(files):
    return {key: raster(data, dpi=DPI) < 128 for key, data in files.items()}


def inch(value: float) -> int:
    return round(value * DPI)


@pytest.mark.parametrize("key", PAGES)
def test_the_indicium_keeps_a_quarter_inch_from_the_right_and_top_edges(dark, key):
    page = dark[key]
    assert not page[:, -inch(0.25) :].any()
    corner = page[:, -inch(1.75) :]
    assert not corner[: inch(0.25)].any()
    assert corner[inch(0.25) : inch(0.3)].any()
    assert page[:, -inch(0.3) :].any()


def test_a_flat_bears_no_fim_today(dark):
    assert not dark["flat"][: inch(0.625), -inch(3) : -inch(1.75)].any()


@pytest.mark.parametrize("key", [key for key in PAGES if key != "flat"])
def test_the_fim_zone_holds_the_fim_and_nothing_else(dark, key):
    zone = dark[key][: inch(0.625), -inch(3) : -inch(1.75)]
    columns = np.flatnonzero(zone[inch(0.4)])
    bars = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    marks = FIMS.get(key, [0, 1, 2, 4, 6, 7, 8])
    assert len(bars) == len(marks)
    widths = [len(bar) / DPI for bar in bars]
    assert all(abs(width - 1 / 32) <= 0.008 for width in widths)
    starts = [(bar[0] - bars[0][0]) / DPI * 16 for bar in bars]
    assert [round(start) for start in starts] == marks
    right = (zone.shape[1] - 1 - columns[-1]) / DPI + 1.75
    assert abs(right - 2) <= 1 / 8
    rows = np.flatnonzero(dark[key][: inch(1), -inch(3) : -inch(1.75)][:, columns[0]])
    assert rows[0] <= inch(1 / 8)
    assert abs((rows[-1] + 1 - rows[0]) / DPI - 5 / 8) <= 1 / 8
    assert not zone[:, : columns[0] - 1].any()
    assert not zone[:, columns[-1] + 2 :].any()


@pytest.mark.parametrize("key", ["2026", "1998", "card"])
def test_the_barcode_zone_holds_the_barcode_at_its_place(dark, key):
    zone = dark[key][-inch(0.625) :, -inch(4.75) :]
    columns = np.flatnonzero(zone.any(axis=0))
    leftmost = 4.75 - columns[0] / DPI
    assert 3.5 <= leftmost <= 4.25
    bars = np.flatnonzero(np.diff(columns) > 1).size + 1
    assert bars == (32 if key == "1998" else 65)  # POSTNET of five digits
    pitch = (columns[-1] - columns[0]) / DPI / (bars - 0.7)
    assert 20 <= 1 / pitch <= 24
    rows = np.flatnonzero(zone.any(axis=1))
    low, high = (0.115, 0.135) if key == "1998" else (0.134, 0.165)
    assert low - 1 / DPI <= (rows[-1] + 1 - rows[0]) / DPI <= high + 1 / DPI


@pytest.mark.parametrize("key", ["2026", "1998", "card"])
def test_the_address_reader_s_area_holds_the_address_only(dark, key):
    page = dark[key]
    height = page.shape[0]
    area = page[height - inch(2.75) : height - inch(0.625), inch(0.5) : -inch(0.5)]
    columns = np.flatnonzero(area.any(axis=0))
    assert columns[0] > page.shape[1] * 0.4 - inch(0.5)
    assert not page[height - inch(2.75) : height - inch(0.625), -inch(0.5) :].any()


@pytest.mark.parametrize("dpi", [200, 300, 600])
@pytest.mark.parametrize(("key", "payload"), [("2026", PAYLOAD), ("1998", PAYLOAD_1998), ("card", PAYLOAD)])
def test_the_symbol_is_read_back_to_the_byte(files, key, payload, dpi):
    (found,) = zxingcpp.read_barcodes(raster(files[key], dpi=dpi))
    assert found.bytes == payload


@pytest.mark.parametrize("key", ["2026", "flat"])
def test_the_intelligent_mail_barcode_is_read_back(files, key):
    image = raster(files[key], dpi=300)
    height = image.shape[0]
    place = image[height - inch(0.6) :, -inch(4.5) :] if key == "2026" else image[height // 2 - inch(0.6) :, inch(4) :]
    if key == "flat":
        rows = np.flatnonzero((place < 128).any(axis=1))
        ends = np.flatnonzero(np.diff(rows) > 1)
        place = place[max(rows[0] - 20, 0) : rows[ends[0]] + 5]
        place = np.pad(place, 20, constant_values=255)
    assert imb_from_image(place) == BARS


@pytest.mark.parametrize("key", ["2026", "flat", "card"])
@pytest.mark.parametrize(("dpi", "dots"), [(300, 5), (600, 10)])
def test_every_module_is_whole_dots_at_300_and_600_dpi(files, key, dpi, dots):
    block = raster(files[key], dpi=dpi)[: round(0.95 * dpi), -round(dpi) :]
    columns, rows = np.flatnonzero((block < 128).any(axis=0)), np.flatnonzero((block < 128).any(axis=1))
    symbol = block[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    modules = PAGES[key].having("symbol")[0][0].modules.array()
    assert np.array_equal(symbol, 255 * (1 - np.kron(modules, np.ones((dots, dots), np.uint8))))


def test_corrections_stand_twenty_millimetres_above_the_bottom():
    for page in (redate(), correction(), redate("postcard")):
        dark = raster(to_pdf([page]), dpi=DPI) < 128
        rows = np.flatnonzero(dark.any(axis=1))
        assert dark.shape[0] - 1 - rows[-1] >= 20 / 25.4 * DPI - 1
        assert not dark[: inch(0.1)].any()
