"""The symbol: bytes to modules and back.

Here: PDF417, Data Matrix, the Intelligent Mail barcode, POSTNET and FIM as patterns, and reading them from images.
Not here: what the bytes mean (`indicium/`), places and sizes on the piece (`mailpiece/`), drawing (`paper/`).
Kept: a symbol is a grid of whole modules; the page room makes a module a whole number of printer dots. numpy, Pillow,
zint and zxing-cpp are imported only inside the functions that need them.
"""

from towncircle.symbol.bars import fim, postnet, postnet_digits
from towncircle.symbol.fim_image import FoundFim, fim_from_image
from towncircle.symbol.imb_image import imb_from_image, postnet_from_image
from towncircle.symbol.matrix import data_matrix, pdf417
from towncircle.symbol.modules import Modules
from towncircle.symbol.presence import holds_symbol
from towncircle.symbol.reading import Found, read

__all__ = [
    "Found",
    "FoundFim",
    "Modules",
    "data_matrix",
    "fim",
    "fim_from_image",
    "holds_symbol",
    "imb_from_image",
    "pdf417",
    "postnet",
    "postnet_digits",
    "postnet_from_image",
    "read",
]
