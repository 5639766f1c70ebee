"""Bytes to PDF417 and Data Matrix, through libzint.

Here: the two symbologies of indicia and the choices made in them. Not here: what the bytes mean.
The choices (house; what the 1998 rule asks beyond the symbology specification is not public):
PDF417 has 4 data columns, because a narrow and tall symbol is read at twice the skew of one with 10, and error
correction level 4 (32 codewords), one above the level 3 that ISO/IEC 15438 recommends for 41 to 160 data codewords: at
89 bytes it is 28 rows by 137 modules and mends 15 wrong codewords of 112, while level 5 would add 8 rows.
A row is 3 modules high, the least that the specification allows. Data Matrix is ECC 200, square, in Base 256.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import BadInput
from towncircle.symbol.modules import Modules

if TYPE_CHECKING:
    import zint

PDF417_COLUMNS = 4
PDF417_LEVEL = 4
PDF417_ROW_HEIGHT = 3
PDF417_QUIET_ZONE = 2
DATA_MATRIX_QUIET_ZONE = 1
DATA_MATRIX_SIZES = (10, 12, 14, 16, 18, 20, 22, 24, 26, 32, 36, 40, 44, 48, 52, 64, 72, 80, 88, 96, 104, 120, 132, 144)
MAX_PAYLOAD = 500


def pdf417(payload: bytes, *, columns: int = PDF417_COLUMNS, level: int = PDF417_LEVEL) -> Modules:
    """Encode bytes as PDF417. Raises `BadInput` (symbol.payload-unfit)."""
    if not (1 <= columns <= 30 and 0 <= level <= 8):
        raise BadInput("symbol.payload-unfit", what=f"{columns} columns at level {level}", symbology="PDF417")
    return _encode("PDF417", payload, PDF417_ROW_HEIGHT, PDF417_QUIET_ZONE, option_1=level, option_2=columns)


def data_matrix(payload: bytes, *, size: int | None = None) -> Modules:
    """Encode bytes as a square Data Matrix symbol, the smallest or of a given size in modules.

    Raises `BadInput` (symbol.payload-unfit) where the bytes do not fit, or the size does not exist.
    """
    if size is None:
        return _encode("DATAMATRIX", payload, 1, DATA_MATRIX_QUIET_ZONE, option_3=_square())
    if size not in DATA_MATRIX_SIZES:
        raise BadInput("symbol.payload-unfit", what=f"a size of {size} modules", symbology="Data Matrix")
    return _encode("DATAMATRIX", payload, 1, DATA_MATRIX_QUIET_ZONE, option_2=DATA_MATRIX_SIZES.index(size) + 1)


@cache
def _square() -> int:
    import zint

    return int(zint.DataMatrixOptions.SQUARE)


def _encode(symbology: str, payload: bytes, row_height: int, quiet_zone: int, **options: int) -> Modules:
    import zint

    name = {"DATAMATRIX": "Data Matrix"}.get(symbology, symbology)
    if not 1 <= len(payload) <= MAX_PAYLOAD:
        raise BadInput("symbol.payload-unfit", what=f"{len(payload)} bytes", symbology=name)
    symbol = zint.Symbol()
    modes: Any = zint.InputMode  # the stubs leave the members out
    symbol.symbology = getattr(zint.Symbology, symbology)
    symbol.input_mode = modes.DATA  # otherwise bytes above 0x7F are read as text
    for option, value in options.items():
        setattr(symbol, option, value)
    try:
        symbol.encode(payload)
    except RuntimeError as error:
        raise BadInput("symbol.payload-unfit", what=f"{len(payload)} bytes", symbology=name) from error
    return Modules(
        symbology=name,
        rows=symbol.rows,
        width=symbol.width,
        packed=b"".join(packed_rows(symbol)),
        row_height=row_height,
        quiet_zone=quiet_zone,
    )


def packed_rows(symbol: zint.Symbol) -> list[bytes]:
    """Take the rows out of an encoded libzint symbol, the leftmost module in the highest bit."""
    view: Any = symbol.encoded_data
    stride, row_bytes = (symbol.width + 7) // 8, view.strides[0]
    flat = view.tobytes()
    return [flat[at * row_bytes : at * row_bytes + stride].translate(_REVERSED) for at in range(symbol.rows)]


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
