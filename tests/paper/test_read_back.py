"""Every layout comes back from a printed page: drawn as PDF, rendered, turned, and read by two decoders.

The page is the one that a mail room prints, with the symbol that it takes for the layout. Nothing here knows where the
symbol stands except the crop for the second decoders, which are slow, and that comes from the first one.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image
from tests.indicium.samples import content_of
from tests.mailpiece.pages import BARS, IBI, IMI, ON, ON_1998, POSTNET, SENDER, TO, readable

from towncircle.indicium import decode, join, layout, layouts
from towncircle.licensee.envelopes import symbol_for
from towncircle.mailpiece.art import DEFAULT_ART
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.geometry import form
from towncircle.mailpiece.lints import require
from towncircle.mailpiece.page import EnvelopeSpec, envelope
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster
from towncircle.symbol import Found, imb, imb_from_image, postnet_from_image, read

IDS = [item.id for item in layouts()]
FORMS = ("no10", "flat9x12", "postcard")
TILTS = (0, 4, -4)


def payload_of(layout_id: str) -> bytes:
    length = layout(layout_id).signature_field.length
    return join(content_of(layout_id), bytes(at * 37 % 256 for at in range(length)))


def spec_of(layout_id: str, key: str = "no10") -> EnvelopeSpec:
    rules, on = (IBI, ON_1998) if layout_id.startswith("ibi") else (IMI, ON)
    return EnvelopeSpec(
        form=form(key),
        rules=rules,
        on=on,
        readable=readable(day=on),
        symbol=symbol_for(layout_id, payload_of(layout_id)),
        recipient=TO,
        sender=SENDER,
        imb="" if rules is IBI else BARS,
        postnet=POSTNET if rules is IBI else "",
        art=DEFAULT_ART if key != "postcard" else None,
    )


def page_of(layout_id: str, key: str = "no10") -> Page:
    """Lay a page out and hold it against every rule of the page, as the mail room does before it signs."""
    spec = spec_of(layout_id, key)
    page = envelope(spec)
    require(page, spec.rules, spec.on)
    return page


@pytest.fixture(scope="module")
def files() -> dict[tuple[str, str], bytes]:
    return {(layout_id, key): to_pdf([page_of(layout_id, key)]) for layout_id in IDS for key in FORMS}


def turned(image: np.ndarray, degrees: float) -> np.ndarray:
    if degrees == 0:
        return image
    page = Image.fromarray(image).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    return np.asarray(page)


def crop(image: np.ndarray, found: Found) -> Image.Image:
    """Cut the symbol out of the page with some of what stands around it."""
    room = 40
    (left, top), (right, bottom) = (
        [pick(corner[axis] for corner in found.position) for axis in (0, 1)] for pick in (min, max)
    )
    return Image.fromarray(image[max(0, top - room) : bottom + room, max(0, left - room) : right + room])


@pytest.mark.parametrize("layout_id", IDS)
@pytest.mark.parametrize("dpi", [200, 300, 600])
@pytest.mark.parametrize("degrees", TILTS)
def test_every_layout_comes_back_from_a_printed_page(files, layout_id: str, dpi: int, degrees: int) -> None:
    image = turned(raster(files[layout_id, "no10"], dpi=dpi), degrees)
    (found,) = read(image)
    assert found.payload == payload_of(layout_id)
    assert decode(found.payload).layout == layout_id


@pytest.mark.parametrize("layout_id", IDS)
@pytest.mark.parametrize("key", FORMS[1:])
@pytest.mark.parametrize("degrees", TILTS)
def test_every_layout_comes_back_from_flats_and_cards(files, layout_id: str, key: str, degrees: int) -> None:
    (found,) = read(turned(raster(files[layout_id, key], dpi=200), degrees))
    assert found.payload == payload_of(layout_id)


@pytest.mark.parametrize("layout_id", IDS)
@pytest.mark.parametrize("dpi", [200, 300])
def test_a_second_decoder_reads_the_same_bytes(files, layout_id: str, dpi: int) -> None:
    image = raster(files[layout_id, "no10"], dpi=dpi)
    (found,) = read(image)
    second = second_pdf417 if found.symbology == "PDF417" else second_data_matrix
    assert second(crop(image, found)) == payload_of(layout_id)


def second_pdf417(image: Image.Image) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library is noisy on import and in its arithmetic
        from pdf417decoder import PDF417Decoder

        decoder = PDF417Decoder(image.convert("RGB"))
        assert decoder.decode() == 1
    return bytes(decoder.barcodes_info[0].barcode_data)


def second_data_matrix(image: Image.Image) -> bytes:
    import arbez_dmtx

    (found,) = arbez_dmtx.decode(image, max_count=1)
    return bytes(found.data)


@pytest.mark.parametrize("layout_id", IDS)
@pytest.mark.parametrize("dpi", [200, 300, 600])
def test_the_barcode_for_the_mail_says_what_was_printed(files, layout_id: str, dpi: int) -> None:
    image = raster(files[layout_id, "no10"], dpi=dpi)
    if layout_id.startswith("ibi"):
        assert postnet_from_image(image) == "20260"
        return
    bars = imb_from_image(image)
    assert bars == BARS
    said = imb.decode(bars)
    assert (said.tracking, said.routing) == ("01234567094987654321", "20260")


@pytest.mark.parametrize("degrees", TILTS)
@pytest.mark.parametrize("key", FORMS)
def test_the_intelligent_mail_barcode_is_read_askew_too(files, key: str, degrees: int) -> None:
    assert imb_from_image(turned(raster(files["imi-std", key], dpi=200), degrees)) == BARS


@pytest.mark.parametrize("degrees", [4, -4, 180])
def test_postnet_is_read_askew_and_upside_down_too(files, degrees: int) -> None:
    image = raster(files["ibi-full", "no10"], dpi=200)
    assert postnet_from_image(image[::-1, ::-1] if degrees == 180 else turned(image, degrees)) == "20260"
