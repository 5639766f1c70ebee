"""Measuring a rendered page: where ink begins and ends, in millimetres from the upper left corner.

Nothing here knows the layout: a probe says where to look and what must be found there (`tests/data/golden-pages.toml`).
A plain probe has a `window` and the `ink` box in it, both [left, top, right, bottom]; with `light` it looks for light
ink on dark ground. A round one has a `centre`, a `ring` [inner, outer radius], an `arc` [from, to] in degrees
counterclockwise from three o'clock, and the ink [least radius, most radius, least angle, most angle].
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
import pypdfium2
from pypdfium2 import raw

DPI = 300
PER_MM = DPI / 25.4
NEAR_MM, NEAR_DEGREES = 0.15, 1.5
Probe = dict[str, Any]


def patch(pdf: bytes, left: float, top: float, width: float, height: float) -> np.ndarray:
    """Render a part of the first page, given in mm, as grey pixels; 0 is black."""
    scale = DPI / 72
    columns, rows = round(width * PER_MM), round(height * PER_MM)
    with closing(pypdfium2.PdfDocument(pdf)) as document, closing(document[0]) as page:
        bitmap = pypdfium2.PdfBitmap.new_native(columns, rows, raw.FPDFBitmap_Gray)
        raw.FPDFBitmap_FillRect(bitmap, 0, 0, columns, rows, 0xFFFFFFFF)
        matrix = raw.FS_MATRIX(scale, 0, 0, scale, -round(left * PER_MM), -round(top * PER_MM))
        clip = raw.FS_RECTF(0, 0, columns, rows)
        raw.FPDF_RenderPageBitmapWithMatrix(bitmap, page, matrix, clip, raw.FPDF_ANNOT | raw.FPDF_GRAYSCALE)
        pixels = bitmap.to_numpy().copy()
        bitmap.close()
    return pixels[:, :, 0] if pixels.ndim == 3 else pixels


def reach(probe: Probe) -> tuple[float, float, float, float]:
    """Give the box that a probe looks at, in mm."""
    if "window" in probe:
        return tuple(probe["window"])
    (x, y), far = probe["centre"], probe["ring"][1]
    return x - far, y - far, x + far, y + far


def measured(pixels: np.ndarray, probe: Probe, left: float = 0.0, top: float = 0.0) -> list[float] | None:
    """Give what a probe finds in a patch that begins at a place, or None where there is no ink."""
    x0, y0, x1, y1 = reach(probe)
    ox, oy = round(left * PER_MM), round(top * PER_MM)
    first_row, first_column = max(round(y0 * PER_MM) - oy, 0), max(round(x0 * PER_MM) - ox, 0)
    seen = pixels[first_row : round(y1 * PER_MM) - oy, first_column : round(x1 * PER_MM) - ox]
    rows, columns = np.nonzero(seen >= 128 if probe.get("light") else seen < 128)
    if not rows.size:
        return None
    rows, columns = rows + first_row + oy, columns + first_column + ox
    if "window" in probe:
        edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return [round(float(edge) / PER_MM, 2) for edge in edges]
    x, y = (columns + 0.5) / PER_MM - probe["centre"][0], probe["centre"][1] - (rows + 0.5) / PER_MM
    radius, (begin, end) = np.hypot(x, y), probe["arc"]
    angle = (np.degrees(np.arctan2(y, x)) - begin) % 360 + begin
    held = (radius >= probe["ring"][0]) & (radius <= probe["ring"][1]) & (angle <= end)
    if not held.any():
        return None
    radius, angle = radius[held], angle[held]
    return [round(float(value), 2) for value in (radius.min(), radius.max(), angle.min(), angle.max())]


def wrong(pixels: np.ndarray, probe: Probe, left: float = 0.0, top: float = 0.0) -> str:
    """Say what a probe found that it should not, or nothing."""
    found = measured(pixels, probe, left, top)
    allowed = [NEAR_MM] * 4 if "window" in probe else [NEAR_MM, NEAR_MM, NEAR_DEGREES, NEAR_DEGREES]
    if found is not None and all(abs(a - b) <= near for a, b, near in zip(found, probe["ink"], allowed, strict=True)):
        return ""
    return f"{probe['what']}: found {found}, wanted {probe['ink']}"
