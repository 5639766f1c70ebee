"""The colours of a part of a scan and the words of a PDF page, for what grey does not show.

Here: opening a file that was read as grey pages once more, for the part of a page where a symbol stands. Not here: the
grey pages (`scan`), what the colours are worth (`symbol.reflectance`).
Kept: only files whose pages were opened as grey before come here, so that their limits were met. A grey image has no
colours, and is not opened again.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Corners = Sequence[tuple[int, int]]
_GREY_MODES = ("1", "L", "LA", "I", "F")
_FORMATS = ("PNG", "JPEG", "TIFF")
_MOST_WORDS = 20_000  # characters of a page
_PDF_DPI = 150  # two pixels and a half for the least module: enough for ink and paper


class Colours:
    """Hold a file that is open for its colours; ask page by page, from the first on."""

    def __init__(self, data: bytes) -> None:
        self._data, self._pdf = data, b"%PDF-" in data[:1024]
        self._opened: Any = None
        self._page: tuple[int, Any] = (0, None)

    def part(self, number: int, corners: Corners, grey: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """Give the rows by columns by 3 around corners (x, y) on the grey page of a number; None where it is grey.

        A page that cannot be opened in colours has none.
        """
        height, width = grey.shape
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        left, right = max(min(xs), 0) / width, min(max(xs) + 1, width) / width
        top, bottom = max(min(ys), 0) / height, min(max(ys) + 1, height) / height
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            return None
        if self._pdf:
            return self._of_pdf(number, left, top, right, bottom)
        return self._of_image(number, left, top, right, bottom)

    def words(self, number: int) -> str:
        """Give the text of a PDF page as it stands in the file; nothing of an image."""
        import pypdfium2

        if not self._pdf:
            return ""
        try:
            self._opened = self._opened or pypdfium2.PdfDocument(self._data)
            page = self._opened[number - 1]
            text = page.get_textpage()
            said = str(text.get_text_range(0, min(text.count_chars(), _MOST_WORDS)))
            text.close()
            page.close()
        except (pypdfium2.PdfiumError, ValueError):
            return ""
        return said

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened.close()

    def _of_pdf(self, number: int, left: float, top: float, right: float, bottom: float) -> NDArray[np.uint8] | None:
        import numpy as np
        import pypdfium2

        try:
            self._opened = self._opened or pypdfium2.PdfDocument(self._data)
            page = self._opened[number - 1]
            width, height = page.get_size()
            away = (left * width, (1 - bottom) * height, (1 - right) * width, top * height)
            bitmap = page.render(scale=_PDF_DPI / 72, crop=away, rev_byteorder=True)
            seen: NDArray[np.uint8] = np.array(bitmap.to_numpy(), dtype=np.uint8)
            bitmap.close()
            page.close()
        except (pypdfium2.PdfiumError, ValueError):
            return None
        return seen[..., :3] if seen.ndim == 3 and seen.shape[2] >= 3 else None

    def _of_image(self, number: int, left: float, top: float, right: float, bottom: float) -> NDArray[np.uint8] | None:
        import numpy as np

        image = self._image(number)
        if image is None:
            return None
        width, height = image.size
        box = (int(left * width), int(top * height), max(int(right * width), 1), max(int(bottom * height), 1))
        return np.asarray(image.crop(box))

    def _image(self, number: int) -> Any:
        """Give a frame in red, green and blue, upright, on white; None where it is grey or not to be had."""
        from PIL import Image, ImageOps

        if self._page[0] == number:
            return self._page[1]
        made = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._opened = self._opened or Image.open(io.BytesIO(self._data), formats=_FORMATS)
                if number > 1 or self._page[0] > 1:
                    self._opened.seek(number - 1)
                if not self._opened.mode.startswith(_GREY_MODES):
                    image = ImageOps.exif_transpose(self._opened)
                    if image.mode in {"RGBA", "P", "PA"}:
                        image = image.convert("RGBA")
                        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
                    made = image.convert("RGB")
        except (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError, IndexError, RuntimeError, MemoryError):
            made = None  # its grey page is what there is
        self._page = (number, made)
        return made
