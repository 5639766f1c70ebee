"""Artwork of somebody becomes a small picture of ours, or is refused before it costs anything (P050 4.10)."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.mailpiece.pages import IMI, ON, piece

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.mailpiece.art import DEFAULT_ART, HOUSE, Art, art_fits, house_art
from towncircle.mailpiece.artwork import artwork_of, picture
from towncircle.mailpiece.bitmap import Bitmap, most_dots
from towncircle.mailpiece.elements import Image as Picture
from towncircle.mailpiece.lints import lint
from towncircle.symbol import Modules, data_matrix, pdf417

SCRIPT = b"<script>fetch('//x')</script>PK\x03\x04%PDF-1.7"


def test_the_art_of_the_house_is_what_its_approval_names() -> None:
    assert house_art(HOUSE) == DEFAULT_ART
    assert (HOUSE["approval"]["digest"], HOUSE["approval"]["prints"]) == (DEFAULT_ART.digest, "specimens")
    for other in ({"words": ["A letter is", "worth a wait"]}, {"attribution": ""}):
        with pytest.raises(BrokenInvariant, match="house-art-1"):
            house_art({**HOUSE, "art": {**HOUSE["art"], **other}})


def ring(width: int = 300, height: int = 200, mode: str = "L") -> Image.Image:
    """A black ring on white paper."""
    y, x = np.mgrid[0:height, 0:width]
    away = np.hypot((x - width / 2) / width, (y - height / 2) / height)
    return Image.fromarray(np.where((away > 0.25) & (away < 0.4), 0, 255).astype(np.uint8)).convert(mode)


def file_of(image: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **more)
    return stream.getvalue()


def png(width: int, height: int, body: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG that says it has a size, whatever its data are."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    packed = zlib.compress(bytes(80_000_000), 9)
    data = b"Comment\0\0" + packed
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    return png(8, 8, zlib.compress(bytes(72)), chunk)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [["PNG", mode] for mode in ("L", "1", "RGBA", "P", "I;16")]
    + [["JPEG", "RGB"], ["JPEG", "CMYK"], ["GIF", "P"], ["BMP", "RGB"]],
)
def test_a_still_picture_of_every_kind_becomes_the_same_dots(kind: str, mode: str) -> None:
    image = ring() if mode == "I;16" else ring(mode=mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    made, plain = picture(file_of(image, kind)), picture(file_of(ring()))
    assert (made.width, made.height) == (plain.width, plain.height)
    assert (made.width, made.height) <= most_dots()
    changed = int.from_bytes(made.packed, "big") ^ int.from_bytes(plain.packed, "big")
    assert changed.bit_count() * 50 < made.width * made.height


def test_what_is_transparent_is_paper_and_the_margin_is_cut_off() -> None:
    clear = Image.new("RGBA", (900, 900), (0, 0, 0, 0))
    clear.paste(ring(mode="RGBA"), (300, 300))
    assert picture(file_of(clear)) == picture(file_of(ring()))


def test_a_photograph_is_dithered_and_a_drawing_is_not() -> None:
    slope = Image.fromarray(np.tile(np.linspace(40, 250, 400).astype(np.uint8), (250, 1)))
    rows = [picture(file_of(image)).row(100) for image in (slope, ring())]
    changes = [sum((byte ^ (byte >> 1) & 0x7F).bit_count() for byte in row) for row in rows]
    assert changes[0] > 60
    assert changes[1] < 30


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_nothing_of_the_file_but_its_dots_goes_on(kind: str) -> None:
    made = picture(file_of(ring(mode="RGB"), kind) + SCRIPT)
    assert made == picture(file_of(ring(mode="RGB"), kind))
    assert len(made.packed) <= 44 * 216


def turned(modules: Modules, degrees: int) -> Image.Image:
    return Image.fromarray(modules.image(dots=4)).convert("L").rotate(degrees, expand=True, fillcolor=255)


def light(modules: Modules) -> Image.Image:
    """A symbol in negative, with white paper beside its dark ground, up to a corner."""
    paper = Image.new("L", (340, 210), 255)
    paper.paste(ImageOps.invert(Image.fromarray(modules.image(dots=5)).convert("L")), (10, 10))
    paper.paste(0, (330, 200, 340, 210))
    return paper


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "more bytes than are read": ("artwork.too-large", lambda: b"\x89PNG\r\n\x1a\n" + bytes(1_000_001)),
    "a bomb of 10^10 dots": ("artwork.too-large", lambda: png(100_000, 100_000, zlib.compress(bytes(10_000)))),
    "a bomb of 9,000,000 dots": ("artwork.too-large", lambda: png(3_000, 3_000, zlib.compress(bytes(9_003_000)))),
    "sides that overflow": ("artwork.too-large", lambda: png(2**31 - 1, 2**31 - 1)),
    "a bomb in a comment": ("artwork.unreadable", text_bomb),
    "no side": ("artwork.unreadable", lambda: png(0, 8)),
    "no end": ("artwork.unreadable", lambda: file_of(ring())[:-200]),
    "a JPEG without its end": ("artwork.unreadable", lambda: file_of(ring(), "JPEG")[:2_000]),
    "a GIF without its end": ("artwork.unreadable", lambda: file_of(ring(mode="P"), "GIF")[:500]),
    "a BMP without its end": ("artwork.unreadable", lambda: file_of(ring(mode="RGB"), "BMP")[:500]),
    "a head alone": ("artwork.unreadable", lambda: b"\x89PNG\r\n\x1a\n"),
    "another format's body": ("artwork.too-large", lambda: b"GIF89a" + file_of(ring())),
    "an animated GIF": (
        "artwork.animated",
        lambda: file_of(ring(mode="P"), "GIF", save_all=True, append_images=[ring(200, 300, "P")]),
    ),
    "an animated PNG": ("artwork.animated", lambda: file_of(ring(), save_all=True, append_images=[ring(mode="1")])),
    "SVG": ("artwork.unknown-kind", lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>'),
    "SVG behind its declaration": ("artwork.unknown-kind", lambda: b'<?xml version="1.0"?><!DOCTYPE svg><svg/>'),
    "PDF": ("artwork.unknown-kind", lambda: b"%PDF-1.7\n"),
    "PostScript": ("artwork.unknown-kind", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n"),
    "TIFF": ("artwork.unknown-kind", lambda: file_of(ring(), "TIFF")),
    "nothing": ("artwork.unknown-kind", lambda: b""),
    "white paper": ("artwork.blank", lambda: file_of(Image.new("L", (90, 90), 255))),
    "a symbol": ("artwork.holds-symbol", lambda: file_of(Image.fromarray(data_matrix(bytes(112)).image(dots=4)))),
    "a symbol on its side": ("artwork.holds-symbol", lambda: file_of(turned(pdf417(bytes(89)), 90))),
    "a symbol askew": ("artwork.holds-symbol", lambda: file_of(turned(pdf417(bytes(89)), 31))),
    "a light symbol on a dark ground": ("artwork.holds-symbol", lambda: file_of(light(data_matrix(bytes(40))))),
    "a light symbol on its side": ("artwork.holds-symbol", lambda: file_of(light(data_matrix(bytes(40))).transpose(2))),
    "a black block": ("artwork.blank", lambda: file_of(Image.new("L", (90, 90), 0))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_artwork_is_refused_in_bounded_memory(name: str) -> None:
    """What Python holds is measured; what the decoder may hold is bounded by the dots that are looked at first."""
    code, make = HOSTILE[name]
    data = make()
    tracemalloc.start()
    with pytest.raises(Refused) as refusal:
        picture(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refusal.value.code == code
    assert "P050 4.10" in refusal.value.clause
    assert peak < 16_000_000


def test_a_file_is_read_no_further_than_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as stream:
        stream.truncate(10_000_000_000)
    with pytest.raises(Refused, match=r"artwork\.too-large"):
        artwork_of(path)
    with pytest.raises(BadInput, match=r"artwork\.no-such-file"):
        artwork_of(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("width", "height", "packed"),
    [(0, 1, b""), (8, 2, b"a"), (9, 1, b"\0\x40"), (351, 1, bytes(44)), (8, 217, bytes(217))],
)
def test_a_picture_beyond_its_bounds_or_with_something_behind_its_rows_is_none(
    width: int, height: int, packed: bytes
) -> None:
    with pytest.raises(BadInput, match=r"artwork\.not-canonical"):
        Bitmap(width=width, height=height, packed=packed)


def test_a_picture_is_an_element_of_the_page_and_well_placed() -> None:
    made = picture(file_of(ring()))
    for words in ((), ("Write once", "more")):
        art = Art(words=words, picture=made)
        assert art_fits(art)
        page = piece(art=art)
        assert lint(page, IMI, ON) == ()
        (shown,) = [element for element, _ in page.having("art") if isinstance(element, Picture)]
        assert shown.bitmap == made
        assert shown.x % shown.dot == 0


def test_the_digest_covers_every_dot_and_word() -> None:
    made = picture(file_of(ring()))
    changed = Bitmap(width=made.width, height=made.height, packed=b"\x80" + made.packed[1:])
    arts = [Art(words=("Write",)), Art(words=("W", "rite")), Art(words=("Write",), attribution="Harbor Light Books")]
    arts += [Art(words=("Write",), picture=made), Art(picture=made), Art(picture=changed)]
    assert len({art.digest for art in arts}) == len(arts)
    assert Art(words=("Write",)).digest == arts[0].digest


def test_no_two_arts_have_one_digest_wherever_their_words_are_cut() -> None:
    one, other = Art(words=("a", "b\0c")), Art(words=("a\0b", "c"))
    assert one.joined_digest == other.joined_digest  # as it was
    assert one.digest != other.digest
    assert Art(words=("Write",)).joined_digest == hashlib.sha256(b"art\0Mailer's Message\x001\0Write").hexdigest()


@pytest.mark.parametrize("attribution", ["Harbor\nBooks", "Harbor\u202eskooB", "\x00"])
def test_an_attribution_that_cannot_be_printed_does_not_fit(attribution: str) -> None:
    assert not art_fits(Art(words=("Write",), attribution=attribution))
    assert art_fits(Art(words=("Write",), attribution="Harbor Books"))


MEASURED = """
import resource, sys
from pathlib import Path
from towncircle.mailpiece.artwork import artwork_of
artwork_of(Path(sys.argv[1]))  # what is imported is not counted
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
artwork_of(Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_palette_of_many_dots_is_laid_on_paper_in_little_memory(tmp_path: Path) -> None:
    """A process of its own is measured: what Pillow holds is not Python's."""
    (tmp_path / "small.png").write_bytes(file_of(ring()))
    (tmp_path / "large.png").write_bytes(file_of(ring(2000, 2000, "P"), transparency=255))  # as many dots as may be
    told = [sys.executable, "-c", MEASURED, str(tmp_path / "small.png"), str(tmp_path / "large.png")]
    done = subprocess.run(told, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 24_000  # kB: four bytes a dot, three times over, were 48,000
