"""Files from a scanner: PDF, PNG, JPEG and TIFF as grey pages.

Here: opening, checking sizes before anything large is made, and turning every page or frame into an 8-bit grey array.
Not here: finding symbols in it (`symbol/reading`), what they mean.
Kept: nothing that comes from outside can take unbounded memory: bytes, pages, pixels and the sides of a page all have
a limit. Time has none here: who opens a stranger's file does so in a process with limits (`towncircle.world.guarding`).
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT_DPI = 300
MAX_BYTES = 200_000_000
MAX_PAGES = 2_000
MAX_PIXELS = 80_000_000
MAX_SIDE = 60_000  # house: of a page, in pixels; 100 inches at 600 dpi
MAX_MARK_BYTES = 4_096  # house: the largest symbol holds 1,556
MAX_DUMP_BYTES = 65_536  # house: of such a mark written as digits with spaces
_HEX_TEXT = re.compile(rb"[0-9a-fA-F\s:]+\Z")
_PRINTABLE = re.compile(rb"[\x20-\x7e\s]+\Z")
_PRINTABLE_MARKS = (b"DEA", b"JGB ")  # marks of other posts that are text
_MAGIC = (b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_TIFF_MAGIC = (b"II*\x00", b"MM\x00*")
_OTHER_IMAGES = (*_TIFF_MAGIC, b"GIF8", b"RIFF")
_FORMATS = ("PNG", "JPEG", "TIFF")
_MOST_UNEVEN = 4  # house: how many times longer than wide a pixel may be to be believed


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises `BadInput`: scan.no-such-file, scan.not-readable, scan.empty-file, scan.file-too-large.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadInput("scan.file-too-large", file=path.name, size=size, limit=MAX_BYTES)
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput("scan.no-such-file", file=str(path)[:200]) from error
    except (OSError, ValueError) as error:
        raise BadInput("scan.not-readable", file=path.name[:200], why=type(error).__name__) from error
    if not data:
        raise BadInput("scan.empty-file", file=path.name)
    return data


def looks_like_a_scan(data: bytes) -> bool:
    """Tell whether the bytes of a file begin like a PDF or an image."""
    return data.startswith(_MAGIC + _OTHER_IMAGES) or b"%PDF-" in data[:1024]


def bytes_of(data: bytes, *, hex_only: bool = False) -> bytes:
    """Give the bytes of a mark: hexadecimal text (spaces, colons and newlines allowed) is read, others are as they are.

    A dump cut in the middle of a byte gives its whole bytes. Raises `BadInput`: scan.not-a-mark for other text,
    scan.not-hex for anything else where only digits will do, scan.mark-too-long for more than a symbol can hold.
    """
    if len(data) > MAX_DUMP_BYTES:
        raise BadInput("scan.mark-too-long", size=len(data), limit=MAX_MARK_BYTES)
    found = _bytes_of(data, hex_only=hex_only)
    if len(found) > MAX_MARK_BYTES:
        raise BadInput("scan.mark-too-long", size=len(found), limit=MAX_MARK_BYTES)
    return found


def _bytes_of(data: bytes, *, hex_only: bool) -> bytes:
    if hex_only or _HEX_TEXT.match(data):
        digits = re.sub(rb"[\s:]", b"", data.strip().removeprefix(b"0x"))
        if not _HEX_TEXT.match(digits) and digits:
            raise BadInput("scan.not-hex", text=data.decode("utf-8", "replace").strip()[:40])
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
    if _PRINTABLE.match(data) and not data.startswith(_PRINTABLE_MARKS):
        raise BadInput("scan.not-a-mark", text=data.decode("ascii").strip()[:40])
    return data


def load_pages(path: Path, *, dpi: int = DEFAULT_DPI) -> list[NDArray[np.uint8]]:
    """Load all pages of a file as grey arrays of rows by columns; PDF pages are drawn at `dpi`.

    Raises what `pages` raises.
    """
    return list(pages(path, dpi=dpi))


def pages(path: Path, *, dpi: int = DEFAULT_DPI) -> Iterator[NDArray[np.uint8]]:
    """Give the pages of a file one by one, so that a long file never stands in memory as a whole.

    Raises `BadInput`: scan.no-such-file, scan.not-readable, scan.empty-file, scan.file-too-large, scan.not-an-image,
    scan.too-many-pages, scan.too-many-pixels, scan.too-much-memory.
    """
    for page, _ in pages_of(read_bytes(path), path.name, dpi=dpi):
        yield page


def pages_of(data: bytes, name: str, *, dpi: int = DEFAULT_DPI) -> Iterator[tuple[NDArray[np.uint8], int | None]]:
    """Give the pages of a file's bytes with their resolution in dots an inch, None where an image does not say it.

    Raises what `pages` raises but for reading the file.
    """
    if b"%PDF-" in data[:1024]:
        for page in _pdf_pages(data, name, dpi):
            yield page, dpi
    else:
        yield from _images(data, name)


def _pdf_pages(data: bytes, name: str, dpi: int) -> Iterator[NDArray[np.uint8]]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise BadInput("scan.not-an-image", file=name) from error
    try:
        if len(document) > MAX_PAGES:
            raise BadInput("scan.too-many-pages", file=name, pages=len(document), limit=MAX_PAGES)
        for number in range(len(document)):
            yield _pdf_page(document, number, name, dpi)
    finally:
        document.close()


def _pdf_page(document: Any, number: int, name: str, dpi: int) -> NDArray[np.uint8]:
    import numpy as np
    import pypdfium2

    try:
        page = document[number]
        width, height = page.get_size()
        _check_size(name, number, ceil(width * dpi / 72), ceil(height * dpi / 72))  # a thin page is a pixel wide
        bitmap = page.render(scale=dpi / 72, grayscale=True)
        grey: NDArray[np.uint8] = np.array(bitmap.to_numpy(), dtype=np.uint8)
        bitmap.close()
        page.close()
    except MemoryError as error:
        raise BadInput("scan.too-much-memory", file=name) from error
    except (pypdfium2.PdfiumError, OverflowError, ValueError) as error:  # the last two: sizes that are no numbers
        raise BadInput("scan.not-an-image", file=name) from error
    return grey.reshape(grey.shape[:2])


def _check_size(name: str, number: int, width: int, height: int) -> None:
    """Refuse a page before it is drawn. Raises `BadInput` (scan.too-many-pixels)."""
    pixels = max(width, 1) * max(height, 1)
    if pixels > MAX_PIXELS or max(width, height) > MAX_SIDE:
        size, limit = f"{width} by {height}", f"{MAX_PIXELS}, or {MAX_SIDE} on a side"
        raise BadInput("scan.too-many-pixels", file=name, page=number + 1, pixels=size, limit=limit)


def _images(data: bytes, name: str) -> Iterator[tuple[NDArray[np.uint8], int | None]]:
    """Give the frames of an image, each opened only after its size was looked at."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit below is the stricter one; odd tags are no matter
            opened = Image.open(io.BytesIO(data), formats=_FORMATS)
            for number in _frames(opened, name):
                _check_size(name, number, opened.width, opened.height)
                across, down = _resolution(opened)
                yield _squared(_grey(opened), across, down), across if across == down else None
    except Image.DecompressionBombError as error:
        raise BadInput("scan.too-many-pixels", file=name, page=1, pixels="far too many", limit=MAX_PIXELS) from error
    except MemoryError as error:
        raise BadInput("scan.too-much-memory", file=name) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise BadInput("scan.not-an-image", file=name) from error
    except (KeyError, TypeError, IndexError, OverflowError, RuntimeError) as error:  # what Pillow makes of damaged tags
        raise BadInput("scan.not-an-image", file=name) from error


def _frames(opened: Any, name: str) -> Iterator[int]:
    """Stand on each frame of a TIFF in turn, and on the first of any other image."""
    yield 0
    if opened.format != "TIFF":
        return
    for number in range(1, MAX_PAGES + 1):
        try:
            opened.seek(number)
        except EOFError:
            return
        if number == MAX_PAGES:
            raise BadInput("scan.too-many-pages", file=name, pages=f"more than {number}", limit=MAX_PAGES)
        yield number


def _resolution(opened: Any) -> tuple[int | None, int | None]:
    """Give the resolutions across and down that an image says; 1 is what some programs write for "not known"."""
    try:
        across, down = (round(float(one)) for one in opened.info.get("dpi") or (0, 0))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None, None
    return (across, down) if min(across, down) > 1 else (None, None)


def _squared(grey: NDArray[np.uint8], across: int | None, down: int | None) -> NDArray[np.uint8]:
    """Give square pixels to a scan that has others, as a fax of 204 by 98 dots an inch has."""
    import numpy as np
    from PIL import Image

    if across is None or down is None or max(across, down) * 10 < min(across, down) * 11:
        return grey
    times = max(across, down) / min(across, down)
    if times > _MOST_UNEVEN or grey.size * times > MAX_PIXELS:
        return grey
    height, width = grey.shape
    size = (width, round(height * times)) if across > down else (round(width * times), height)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC))


def _grey(opened: Any) -> NDArray[np.uint8]:
    """Unpack a frame as grey, upright; what is transparent is white paper."""
    import numpy as np
    from PIL import Image, ImageOps

    if opened.format == "JPEG":
        opened.draft("L", None)  # the colours are not even unpacked
    image: Image.Image = ImageOps.exif_transpose(opened)
    if image.mode.startswith("I"):
        return (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
    if image.mode in {"RGBA", "LA", "P", "PA"}:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return np.asarray(image.convert("L"))
