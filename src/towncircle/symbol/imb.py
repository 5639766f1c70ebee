"""The Intelligent Mail barcode: 65 bars from 20 digits of tracking and up to 11 of routing, and back.

Here: encoding through libzint behind our own strict checks with the return codes of the USPS encoder, and our own
decoding. Not here: what the digits mean, finding bars in an image (`imb_image`).
Source: USPS-B-3200 Rev H (2015): codeword tables of 5-of-13 and 2-of-13 characters, 11-bit frame check sequence with
generator 0xF35, bar-to-character table. A barcode with one wrong bar is refused, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from towncircle.kernel.errors import BadInput
from towncircle.symbol.matrix import packed_rows

BARS = 65
_ROUTING_STARTS = {0: 0, 5: 1, 9: 100_001, 11: 1_000_100_001}
_LAST_ROUTING = 101_000_100_000
_UPSIDE_DOWN = str.maketrans("AD", "DA")
_DIGITS = re.compile(r"[0-9]*\Z", re.ASCII)

# Position (1 to 65 descenders, 66 to 130 ascenders) of bit 0 to 12 of each of the ten characters, one character a line.
# fmt: off
_POSITIONS = (
    67, 6, 78, 16, 86, 95, 34, 40, 45, 113, 117, 121, 62,
    87, 18, 104, 41, 76, 57, 119, 115, 72, 97, 2, 127, 26,
    105, 35, 122, 52, 114, 7, 24, 82, 68, 63, 94, 44, 77,
    112, 70, 100, 39, 30, 107, 15, 125, 85, 10, 65, 54, 88,
    20, 106, 46, 66, 8, 116, 29, 61, 99, 80, 90, 37, 123,
    51, 25, 84, 129, 56, 4, 109, 96, 28, 36, 47, 11, 71,
    33, 102, 21, 9, 17, 49, 124, 79, 64, 91, 42, 69, 53,
    60, 14, 1, 27, 103, 126, 75, 89, 50, 120, 19, 32, 110,
    92, 111, 130, 59, 31, 12, 81, 43, 55, 5, 74, 22, 101,
    128, 58, 118, 48, 108, 38, 98, 93, 23, 83, 13, 73, 3,
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Imb:
    """Hold what an Intelligent Mail barcode says: 20 digits of tracking and 0, 5, 9 or 11 of routing."""

    tracking: str
    routing: str

    @property
    def barcode_id(self) -> str:
        """Give the two digits of the barcode identifier."""
        return self.tracking[:2]

    @property
    def service_type(self) -> str:
        """Give the three digits of the service type identifier."""
        return self.tracking[2:5]

    @property
    def mailer_id(self) -> str:
        """Give the mailer identifier: 9 digits where it starts with 9, otherwise 6."""
        return self.tracking[5:14] if self.tracking[5] == "9" else self.tracking[5:11]

    @property
    def serial(self) -> str:
        """Give the serial number: the digits behind the mailer identifier."""
        return self.tracking[14:] if self.tracking[5] == "9" else self.tracking[11:]


def encode(tracking: str, routing: str = "") -> str:
    """Encode digits as 65 bars: A ascender, D descender, F full, T tracker only.

    Raises `BadInput` with the return code of the USPS encoder as `usps_code`: 09 (symbol.imb-tracking-length),
    10 (symbol.imb-tracking-digits), 11 (symbol.imb-barcode-id), 12 (symbol.imb-routing-length), 13
    (symbol.imb-routing-digits).
    """
    _check(tracking, routing)
    import zint

    symbol = zint.Symbol()
    symbol.symbology = zint.Symbology.USPS_IMAIL
    symbol.encode(f"{tracking}-{routing}" if routing else tracking)
    upper, _, lower = (int.from_bytes(row, "big") for row in packed_rows(symbol))
    top = 8 * ((symbol.width + 7) // 8) - 1
    return "".join("TADF"[(upper >> top - 2 * at & 1) + 2 * (lower >> top - 2 * at & 1)] for at in range(BARS))


def _check(tracking: str, routing: str) -> None:
    if len(tracking.strip(" ")) != 20:
        raise BadInput("symbol.imb-tracking-length", usps_code="09", length=len(tracking))
    if not _DIGITS.match(tracking):
        raise BadInput("symbol.imb-tracking-digits", usps_code="10")
    if tracking[1] > "4":
        raise BadInput("symbol.imb-barcode-id", usps_code="11", digit=tracking[1])
    if len(routing) not in _ROUTING_STARTS:
        raise BadInput("symbol.imb-routing-length", usps_code="12", length=len(routing))
    if not _DIGITS.match(routing):
        raise BadInput("symbol.imb-routing-digits", usps_code="13")


def decode(bars: str) -> Imb:
    """Decode 65 bars, the right way up or upside down.

    Raises `BadInput`: symbol.imb-bars (not 65 of A, D, F and T), symbol.imb-unreadable (no valid barcode either way).
    """
    text = bars.strip().upper()
    if len(text) != BARS or not set(text) <= set("ADFT"):
        raise BadInput("symbol.imb-bars", length=len(text))
    found = _decode_upright(text) or _decode_upright(text[::-1].translate(_UPSIDE_DOWN))
    if found is None:
        raise BadInput("symbol.imb-unreadable")
    return found


def _decode_upright(bars: str) -> Imb | None:
    words = _codewords(bars)
    if words is None:
        return None
    codewords, check = words
    if codewords[0] >= 659:
        codewords[0] -= 659
        check |= 0x400
    if codewords[9] % 2:
        return None
    codewords[9] //= 2
    if codewords[0] >= 659 or codewords[9] >= 636 or any(word >= 1365 for word in codewords[1:9]):
        return None
    value = codewords[0]
    for word in codewords[1:9]:
        value = value * 1365 + word
    value = value * 636 + codewords[9]
    if value.bit_length() > 102 or _frame_check(value) != check:
        return None
    return _digits(value)


def _codewords(bars: str) -> tuple[list[int], int] | None:
    """Turn bars into ten codewords and the low ten bits of the frame check sequence."""
    dark = [bar in "DF" for bar in bars] + [bar in "AF" for bar in bars]
    inverse = _inverse()
    codewords, check = [], 0
    for at in range(10):
        character = sum(dark[position - 1] << bit for bit, position in enumerate(_POSITIONS[13 * at : 13 * at + 13]))
        if character not in inverse:
            character ^= 0x1FFF
            check |= 1 << at
        word = inverse.get(character)
        if word is None:
            return None
        codewords.append(word)
    return codewords, check


def _digits(value: int) -> Imb | None:
    digits = []
    for _ in range(18):
        value, digit = divmod(value, 10)
        digits.append(digit)
    value, second = divmod(value, 5)
    routing, first = divmod(value, 10)
    if routing > _LAST_ROUTING:
        return None
    length = max(count for count, start in _ROUTING_STARTS.items() if routing >= start)
    text = f"{routing - _ROUTING_STARTS[length]:0{length}d}" if length else ""
    return Imb(tracking="".join(map(str, [first, second, *reversed(digits)])), routing=text)


def _frame_check(value: int) -> int:
    check = 0x7FF
    for at in range(101, -1, -1):
        turn = (check >> 10 ^ value >> at) & 1
        check = (check << 1 ^ (0xF35 if turn else 0)) & 0x7FF
    return check


@cache
def _inverse() -> dict[int, int]:
    """Give the codeword of every character with five or two bits of thirteen."""
    table = _characters(5) + _characters(2)
    return {character: word for word, character in enumerate(table)}


def _characters(ones: int) -> list[int]:
    """List the 13-bit characters with some number of ones: mirror pairs first, then palindromes from the end."""
    pairs, palindromes = [], []
    for character in range(1 << 13):
        mirror = int(f"{character:013b}"[::-1], 2)
        if character.bit_count() != ones or mirror < character:
            continue
        if mirror == character:
            palindromes.append(character)
        else:
            pairs += [character, mirror]
    return pairs + palindromes[::-1]
