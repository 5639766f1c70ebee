"""What copiers and forgers do, for the demo: photocopies, altered amounts, flipped bits, all on printed pages.

Here: making bad pages from good ones with the public means of the program. Not here: verifying them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from towncircle.indicium import decode, layout
from towncircle.paper import pdf, png
from towncircle.symbol import read

if TYPE_CHECKING:
    from towncircle.kernel.store import Record
    from towncircle.licensee.envelopes import Stationery

COPY_DPI = 200
TILT_DEGREES = 1.5
GREY = 235


def photocopy(source: Path, target: Path) -> Path:
    """Copy page 1 as an office copier would: 200 dpi, a little askew, the paper not quite white."""
    import io

    from PIL import Image

    page = Image.open(io.BytesIO(png.render(source, 0, dpi=COPY_DPI))).convert("L")
    page = page.point(lambda level: min(level, GREY)).rotate(
        TILT_DEGREES, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=GREY
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    page.save(target, format="PNG")
    return target


def payload_of(source: Path, page: int) -> bytes:
    """Read the bytes of the mark on a printed page (counted from 0)."""
    (found,) = read(png.raster(source, page, dpi=300))
    return found.payload


def one_cent_more(payload: bytes) -> bytes:
    """Raise the postage in the signed fields by one cent, signature as it was."""
    chosen = layout(decode(payload).layout)
    field = chosen.field("postage_mills")
    raised = int.from_bytes(payload[field.offset : field.end], "little") + 10
    return payload[: field.offset] + raised.to_bytes(field.length, "little") + payload[field.end :]


def one_bit_flipped(payload: bytes) -> bytes:
    """Flip the last bit of the signature."""
    chosen = layout(decode(payload).layout)
    last = chosen.field("signature").end - 1
    return payload[:last] + bytes([payload[last] ^ 1]) + payload[last + 1 :]


def print_forgeries(job: Record, stationery: Stationery, payloads: list[bytes], target: Path) -> Path:
    """Print forged payloads on good envelopes."""
    from towncircle.licensee.envelopes import compose

    piece, number = job.body["pieces"][0], job.body["first_piece"]
    target.parent.mkdir(parents=True, exist_ok=True)
    pdf.write_pdf([compose(piece, payload, number, stationery) for payload in payloads], target)
    return target
