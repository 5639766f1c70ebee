"""PDF pages as pixels, through pdfium.

Here: rendering at a resolution. Not here: reading what the pixels show (`scan`).
"""

from __future__ import annotations

import io
from contextlib import closing
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAST_DPI, _MOST_DPI = 72, 1200


def render(pdf: bytes | Path, page_index: int = 0, *, dpi: int = 300) -> bytes:
    """Render one page as the bytes of a grey PNG that carries its resolution.

    Raises `BadInput`: paper.not-a-pdf, paper.no-such-page, paper.resolution.
    """
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(raster(pdf, page_index, dpi=dpi)).save(stream, "PNG", dpi=(dpi, dpi), optimize=True)
    return stream.getvalue()


def raster(pdf: bytes | Path, page_index: int = 0, *, dpi: int = 300) -> NDArray[np.uint8]:
    """Render one page as a grey array of rows by columns, 0 black. Raises as `render`."""
    if not _LEAST_DPI <= dpi <= _MOST_DPI:
        raise BadInput("paper.resolution", dpi=dpi)
    return raster_at(pdf, dpi / 72, dpi / 72, page_index)


def raster_at(pdf: bytes | Path, x_scale: float, y_scale: float, page_index: int = 0) -> NDArray[np.uint8]:
    """Render one page at so many dots a point across and down.

    Raises `BadInput`: paper.not-a-pdf, paper.no-such-page.
    """
    import pypdfium2

    label = str(pdf) if isinstance(pdf, Path) else "The data"
    try:
        document = pypdfium2.PdfDocument(pdf)
    except (pypdfium2.PdfiumError, FileNotFoundError) as error:
        raise BadInput("paper.not-a-pdf", path=label, why=str(error)[:80]) from error
    with closing(document):
        if not 0 <= page_index < len(document):
            raise BadInput("paper.no-such-page", page=page_index + 1, count=len(document))
        with closing(document[page_index]) as page:
            return _exact(page, x_scale, y_scale)


def _exact(page: Any, x_scale: float, y_scale: float) -> NDArray[np.uint8]:
    """Render at exactly these scales from the upper left corner, as a printer does.

    pdfium's plain call stretches the page to a whole number of pixels, which moves modules off their dots where a page
    is, say, 1237.5 dots high.
    """
    import pypdfium2
    from pypdfium2 import raw

    wide, high = page.get_size()
    width, height = ceil(round(wide * x_scale, 6)), ceil(round(high * y_scale, 6))
    with closing(pypdfium2.PdfBitmap.new_native(width, height, raw.FPDFBitmap_Gray)) as bitmap:
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
        matrix, clip = raw.FS_MATRIX(x_scale, 0, 0, y_scale, 0, 0), raw.FS_RECTF(0, 0, width, height)
        raw.FPDF_RenderPageBitmapWithMatrix(bitmap, page, matrix, clip, raw.FPDF_ANNOT | raw.FPDF_GRAYSCALE)
        grey: NDArray[np.uint8] = bitmap.to_numpy().copy()
    return grey[:, :, 0] if grey.ndim == 3 else grey
