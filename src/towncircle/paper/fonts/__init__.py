"""The embedded fonts: three subsets of the Liberation fonts under the SIL OFL 1.1 (see `SOURCES.md`, `OFL.txt`).

Here: their bytes. Not here: widths (`towncircle.mailpiece.typeface`), which the layout needs before anything is drawn.
"""

from functools import cache
from importlib.resources import files


@cache
def font_file(name: str) -> bytes:
    """Give the TrueType file of a font by its PostScript name, such as `TowncircleSans-Bold`."""
    return (files("towncircle.paper.fonts") / f"{name}.ttf").read_bytes()
