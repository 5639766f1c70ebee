"""Symbols through simulated scans, read by our ladder and by a second decoder."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image, ImageFilter
from tests.indicium.samples import content_of
from tests.symbol.scans import photographed, scanned

from towncircle.indicium import decode, join, layout, layouts
from towncircle.kernel.errors import BadInput
from towncircle.symbol import (
    Modules,
    data_matrix,
    fim,
    imb,
    imb_from_image,
    pdf417,
    postnet,
    postnet_digits,
    postnet_from_image,
    read,
)

PDF417_LAYOUTS = ("ibi-full",)
IDS = [item.id for item in layouts()]


def payload_of(layout_id: str) -> bytes:
    length = layout(layout_id).signature_field.length
    return join(content_of(layout_id), bytes(at * 37 % 256 for at in range(length)))


def symbol_of(layout_id: str) -> Modules:
    return (pdf417 if layout_id in PDF417_LAYOUTS else data_matrix)(payload_of(layout_id))


@pytest.mark.parametrize("layout_id", IDS)
@pytest.mark.parametrize("dpi", [200, 300, 600])
@pytest.mark.parametrize("degrees", [0, 4])
def test_every_layout_comes_back_from_a_scan(layout_id: str, dpi: int, degrees: int) -> None:
    (found,) = read(scanned(symbol_of(layout_id), dpi=dpi, degrees=degrees))
    assert found.payload == payload_of(layout_id)
    assert decode(found.payload).layout == layout_id
    if degrees == 0:
        assert (found.tries, found.unused_error_correction) == (1, 1.0)


@pytest.mark.parametrize("dpi", [200, 300])
@pytest.mark.parametrize("layout_id", [item for item in IDS if item not in PDF417_LAYOUTS])
def test_a_second_decoder_reads_the_same_bytes_from_data_matrix(layout_id: str, dpi: int) -> None:
    import arbez_dmtx

    image = Image.fromarray(scanned(symbol_of(layout_id), dpi=dpi))
    assert [item.data for item in arbez_dmtx.decode(image, max_count=1)] == [payload_of(layout_id)]


@pytest.mark.parametrize("dpi", [200, 300])
def test_a_second_decoder_reads_the_same_bytes_from_pdf417(dpi: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library is noisy on import and in its arithmetic
        from pdf417decoder import PDF417Decoder

        decoder = PDF417Decoder(Image.fromarray(scanned(symbol_of("ibi-full"), dpi=dpi)).convert("RGB"))
        assert decoder.decode() == 1
    assert bytes(decoder.barcodes_info[0].barcode_data) == payload_of("ibi-full")


@pytest.mark.parametrize("dpi", [200, 300, 600])
@pytest.mark.parametrize("degrees", [8, 10, -10])
@pytest.mark.parametrize("layout_id", ["ibi-full", "imi-std"])
def test_up_to_ten_degrees_are_read_and_never_misread(layout_id: str, dpi: int, degrees: int) -> None:
    (found,) = read(scanned(symbol_of(layout_id), dpi=dpi, degrees=degrees))
    assert found.payload == payload_of(layout_id)


def test_the_position_is_given_in_pixels_of_the_image_that_was_given() -> None:
    image = scanned(symbol_of("ibi-full"), dpi=300, degrees=10)
    (found,) = read(image)
    left, right = found.position[0], found.position[1]
    assert found.tries > 2
    assert right[0] - left[0] == pytest.approx(540, abs=15)
    assert right[1] - left[1] == pytest.approx(-95, abs=15)


def test_a_blurred_turned_and_faint_scan_is_read() -> None:
    image = scanned(symbol_of("ibi-full"), dpi=300, degrees=7)
    faint = np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(1))) // 3 + 100
    noise = np.random.default_rng(7).integers(-12, 13, faint.shape)
    (found,) = read((faint + noise).clip(0, 255).astype(np.uint8))
    assert found.payload == payload_of("ibi-full")


@pytest.mark.parametrize("dpi", [200, 300])
@pytest.mark.parametrize("degrees", [0, 4, -7])
@pytest.mark.parametrize("layout_id", ["ibi-full", "imi-std"])
def test_a_whole_envelope_photographed_askew_and_darker_on_one_side_is_read(layout_id, dpi, degrees) -> None:
    bars = imb.encode("01234567094987654321", "20260123456")
    image = photographed(symbol_of(layout_id), bars, dpi=dpi, degrees=degrees)
    assert [item.payload for item in read(image)] == [payload_of(layout_id)]
    assert imb_from_image(image) == bars


def test_a_damaged_symbol_tells_how_much_error_correction_is_left() -> None:
    image = symbol_of("imi-std").image(dots=6).copy()
    image[90:120, 90:120] = 255
    (found,) = read(image)
    assert found.payload == payload_of("imi-std")
    assert found.unused_error_correction is not None
    assert found.unused_error_correction < 1


def test_two_symbols_of_one_page_are_given_from_the_top_down() -> None:
    page = np.full((900, 900), 255, np.uint8)
    for top, payload in ((500, b"\xa1second"), (100, b"\xa1first")):
        image = data_matrix(payload).image(dots=6)
        page[top : top + image.shape[0], 100 : 100 + image.shape[1]] = image
    assert [item.payload for item in read(page)] == [b"\xa1first", b"\xa1second"]


def test_an_image_without_a_symbol_gives_an_empty_list() -> None:
    assert read(np.full((300, 300), 255, np.uint8)) == []
    assert read(np.random.default_rng(1).integers(0, 256, (200, 200)).astype(np.uint8)) == []
    assert read(np.zeros((1, 1), np.uint8)) == []


def test_what_is_no_bounded_grey_image_is_refused() -> None:
    for wrong in (np.zeros((3, 3, 3), np.uint8), np.zeros((3, 3)), np.zeros((0, 3), np.uint8)):
        with pytest.raises(BadInput, match=r"symbol\.not-grey"):
            read(wrong)
    bomb = np.broadcast_to(np.zeros(1, np.uint8), (100_000, 100_000))
    with pytest.raises(BadInput, match=r"symbol\.too-many-pixels"):
        read(bomb)


def test_the_symbols_have_the_sizes_that_the_layouts_promise() -> None:
    sizes = {layout_id: (symbol_of(layout_id).rows, symbol_of(layout_id).width) for layout_id in IDS}
    assert sizes == {
        "ibi-full": (28, 137),
        "ibi-lite": (20, 20),
        "imi-min": (36, 36),
        "imi-std": (40, 40),
        "imi-max": (44, 44),
    }
    assert data_matrix(bytes(20), size=40).rows == 40


def test_packed_rows_and_single_modules_and_the_array_agree() -> None:
    modules = symbol_of("ibi-full")
    grid = modules.array()
    assert len(modules.packed) == modules.rows * modules.stride
    assert modules.height == 3 * modules.rows
    for row in (0, 27):
        assert [modules.dark(row=row, column=at) for at in range(modules.width)] == grid[row].astype(bool).tolist()
        assert np.unpackbits(np.frombuffer(modules.row(row), np.uint8))[: modules.width].tolist() == grid[row].tolist()


@pytest.mark.parametrize(
    "make",
    [
        lambda: pdf417(b""),
        lambda: pdf417(bytes(501)),
        lambda: pdf417(b"x", columns=31),
        lambda: data_matrix(bytes(200), size=40),
        lambda: data_matrix(b"x", size=41),
    ],
)
def test_what_does_not_fit_is_refused(make) -> None:
    with pytest.raises(BadInput, match=r"symbol\.payload-unfit"):
        make()


def _drawn_by_libzint(symbology: str, text: str) -> str:
    import zint

    symbol = zint.Symbol()
    symbol.symbology = getattr(zint.Symbology, symbology)
    symbol.encode(text)
    top = np.unpackbits(np.array(symbol.encoded_data)[0], bitorder="little")[: symbol.width]
    return "".join(map(str, top[::2]))


@pytest.mark.parametrize("letter", "ABCDE")
def test_the_facing_identification_marks_are_those_that_libzint_draws(letter: str) -> None:
    assert fim(letter) == _drawn_by_libzint("FIM", letter)


@pytest.mark.parametrize("digits", ["12345", "041011234", "04101123456"])
def test_postnet_is_what_libzint_draws(digits: str) -> None:
    assert postnet(digits) == _drawn_by_libzint("POSTNET", digits)


def test_bars_that_do_not_exist_are_refused() -> None:
    with pytest.raises(BadInput, match=r"symbol\.no-such-fim"):
        fim("Q")
    with pytest.raises(BadInput, match=r"symbol\.postnet-digits"):
        postnet("1234")


@pytest.mark.parametrize("digits", ["20260", "202600001", "20260000199"])
@pytest.mark.parametrize("turn", [0, 180])
def test_postnet_is_read_from_a_picture_of_its_bars_either_way_up(digits: str, turn: int) -> None:
    image = np.full((120, 62 * 14 + 90), 255, np.uint8)
    for at, bar in enumerate(postnet(digits)):
        x, high = 40 + at * 14, 75 if bar == "1" else 30
        image[100 - high : 100, x : x + 6] = 0
    assert postnet_from_image(np.rot90(image, turn // 90)) == digits
    assert postnet_digits(postnet(digits)) == digits


@pytest.mark.parametrize("bars", ["", "1" * 32, postnet("20260")[::-1], postnet("20260")[:-1] + "0"])
def test_bars_that_are_no_postnet_are_refused(bars: str) -> None:
    with pytest.raises(BadInput, match=r"symbol\.postnet-unreadable"):
        postnet_digits(bars)
    with pytest.raises(BadInput, match=r"symbol\.postnet-not-found"):
        postnet_from_image(np.full((60, 400), 255, np.uint8))
