"""Artwork files: from a file of somebody to a small picture of our own making (P050 4.10).

Here: what a file may be, and its conversion. Not here: approval (`postal.advertising`), its place (`art`).
Kept: nothing of the file's own bytes goes on. Its dots are drawn anew, in one bit each, within the slot's bounds; so
whatever else a file carries (scripts, other formats, comments, profiles) ends here. The kind is told by the first bytes
and only its own reader is asked; bytes, sides, dots and frames are bounded before a dot is decoded. SVG is a program,
not a picture, and is refused.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.bitmap import Bitmap, most_dots
from towncircle.mailpiece.geometry import number

if TYPE_CHECKING:
    from PIL import Image

_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
)
_INK = 64  # how much darker than paper a dot must be to count as ink: JPEG files have specks around edges
_QUIET = 40  # dots of paper around a picture that is looked at for symbols
_STRIP = 64  # rows of a picture that are laid on paper at a time
_LINE_ART = 20  # of a hundred dots in between: a drawing is cut at the middle, a photograph is dithered


def artwork_of(path: Path) -> Bitmap:
    """Make the picture of an artwork file. Raises `BadInput` (artwork.no-such-file) and what `picture` raises."""
    try:
        with path.open("rb") as stream:
            data = stream.read(number("art", "most_bytes") + 1)
    except (OSError, ValueError) as error:
        raise BadInput("artwork.no-such-file", file=path.name[:80]) from error
    return picture(data)


@cites("P050-4.10")
def picture(data: bytes) -> Bitmap:
    """Make the picture of an artwork file's bytes: on white, in one bit, as large as the slot allows.

    Raises `Refused`: artwork.too-large, artwork.unknown-kind, artwork.animated, artwork.unreadable, artwork.blank,
    artwork.holds-symbol.
    """
    if len(data) > number("art", "most_bytes"):
        raise Refused("artwork.too-large", what="bytes", most=number("art", "most_bytes"))
    kind = next((name for magic, name in _KINDS if data.startswith(magic)), "")
    if not kind:
        raise Refused("artwork.unknown-kind")
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            grey = _grey(data, kind)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("artwork.too-large", what="dots", most=number("art", "most_dots")) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, OverflowError) as error:
        raise Refused("artwork.unreadable", kind=kind) from error
    made = _drawn(grey)
    holds_no_symbol(made)
    return made


def holds_no_symbol(made: Bitmap) -> None:
    """Refuse a picture that reads as a barcode: beside an indicium it could pass for one (artwork.holds-symbol).

    Light on dark and turned by any angle it reads too.
    """
    import numpy as np

    from towncircle.symbol import holds_symbol

    rows = np.frombuffer(made.packed, np.uint8).reshape(made.height, made.stride)
    paper = np.pad(255 - 255 * np.unpackbits(rows, axis=1)[:, : made.width], _QUIET, constant_values=255)
    if holds_symbol(paper.astype(np.uint8)):
        raise Refused("artwork.holds-symbol")


def _grey(data: bytes, kind: str) -> Image.Image:
    """Decode one still picture onto white paper, in greys; its sizes are looked at first."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=(kind,)) as opened:
        if opened.width * opened.height > number("art", "most_dots") or not opened.width or not opened.height:
            raise Refused("artwork.too-large", what="dots", most=number("art", "most_dots"))
        if getattr(opened, "is_animated", False):
            raise Refused("artwork.animated")
        opened.load()
        made = Image.new("L", opened.size)
        for top in range(0, opened.height, _STRIP):  # a palette or one bit a dot would grow to many bytes a dot
            strip = opened.crop((0, top, opened.width, min(top + _STRIP, opened.height)))
            made.paste(_grey_strip(strip, transparent="transparency" in opened.info), (0, top))
        return made


def _grey_strip(strip: Image.Image, *, transparent: bool) -> Image.Image:
    """Lay some rows of a picture on white paper, in greys."""
    from PIL import Image

    if strip.mode.startswith("I"):  # 16 bits of grey
        return strip.convert("I").point(lambda level: level / 256).convert("L")
    if strip.mode not in ("RGBA", "LA", "PA") and not transparent:
        return strip.convert("RGB").convert("L")
    paper = Image.new("RGBA", strip.size, "white")
    return Image.alpha_composite(paper, strip.convert("RGBA")).convert("L")


def _drawn(grey: Image.Image) -> Bitmap:
    """Draw greys within the slot, in one bit, without the white around them. Raises `Refused` (artwork.blank)."""
    from PIL import Image, ImageOps

    inked = ImageOps.invert(grey).point(lambda level: 255 if level > _INK else 0).getbbox()
    if inked is None:
        raise Refused("artwork.blank", what="nothing")
    grey = grey.crop(inked)
    width_most, height_most = most_dots()
    scale = min(width_most / grey.width, height_most / grey.height)
    size = (max(1, min(width_most, round(grey.width * scale))), max(1, min(height_most, round(grey.height * scale))))
    small = grey.resize(size, Image.Resampling.LANCZOS)
    histogram = small.histogram()
    between = sum(histogram[48:208]) * 100 // (size[0] * size[1])
    dither = Image.Dither.FLOYDSTEINBERG if between > _LINE_ART else Image.Dither.NONE
    drawn = ImageOps.invert(small).convert("1", dither=dither)
    made = Bitmap(width=size[0], height=size[1], packed=_packed(drawn))
    share = made.dark * 100 // (made.width * made.height)
    if not number("art", "least_ink_percent") <= share <= number("art", "most_ink_percent"):
        raise Refused("artwork.blank", what=f"{share} % ink")
    return made


def _packed(drawn: Image.Image) -> bytes:
    """Give the rows of a one-bit image with the spare bits of each row at zero."""
    raw, stride, spare = drawn.tobytes(), (drawn.width + 7) // 8, -drawn.width % 8
    mask = (0xFF << spare) & 0xFF
    rows = (raw[at : at + stride] for at in range(0, len(raw), stride))
    return b"".join(row[:-1] + bytes([row[-1] & mask]) for row in rows)
