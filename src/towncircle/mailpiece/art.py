"""What stands in the advertising area left of the indicium: slogans, a picture, or the marking of the class.

Here: art as a value with its digest, its look, and the marking that fills the area. Not here: approval
(`postal.advertising`), which marking a class has (`markings`), files of pictures (`artwork`).
Kept: P050 4.10 (art says whose it is) and 4.11 (a marking stands alone in bold capitals that fill the area, each line
as wide or as high as the area allows, never under the height of the rule: an area that cannot hold it is refused).
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import combinations, pairwise
from math import cos, radians, sin
from typing import Any, Literal

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.mailpiece.bitmap import Bitmap
from towncircle.mailpiece.elements import Element, Image, Layer, Path, Text, polygon, polyline
from towncircle.mailpiece.geometry import DOT_300, Box, figure, least_type
from towncircle.mailpiece.typeface import FontKey, face

ATTRIBUTION = "Mailer's Message"
_ART_LINES = 2
_WORDS_TYPE = 7_600
_MOST_TRACKING = 40  # of a hundred parts of the type size, so that a line still reads as a word
_DRAWING = 46_000  # of the art that comes with the system


@dataclass(frozen=True, slots=True, kw_only=True)
class Art:
    """Describe the advertising art (`art`) or a postal marking (`marking`) printed with the indicium.

    Art is one or two lines of words, a picture, or a picture over words; it must carry the mailer's name or an
    attribution such as Mailer's Message (P050 4.10). Words without a picture stand under a drawing of ours. A marking
    is one text, which is broken and sized to fill its area (4.11).
    """

    words: tuple[str, ...] = ()
    kind: Literal["art", "marking"] = "art"
    attribution: str = ATTRIBUTION
    picture: Bitmap | None = None

    @property
    def digest(self) -> str:
        """Give the SHA-256 (hex) of all that is approved: words, attribution, and every dot of the picture.

        Each part stands behind its length, so that no two arts have one digest.
        """
        parts = [part.encode() for part in ("towncircle art 2", *self._parts)]
        return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()

    @property
    def joined_digest(self) -> str:
        """Give the digest as releases before the lengths made it: for decisions and jobs of those alone."""
        return hashlib.sha256("\0".join(self._parts).encode()).hexdigest()

    @property
    def _parts(self) -> list[str]:
        parts = [self.kind, self.attribution, str(len(self.words)), *self.words]
        if self.picture is not None:
            parts += [str(self.picture.width), str(self.picture.height), self.picture.packed.hex()]
        return parts

    @classmethod
    def made(cls, words: Sequence[str], *, attribution: str, width: int, height: int, picture: bytes) -> Art:
        """Give art from its parts as they are carried and kept. Raises `BadInput` (artwork.not-canonical)."""
        drawn = Bitmap(width=width, height=height, packed=picture) if picture or width or height else None
        return cls(words=tuple(words), attribution=attribution, picture=drawn)

    def parts(self) -> dict[str, Any]:
        """Give the parts that a record keeps, for `of_record`."""
        drawn = self.picture
        size = {"width": drawn.width, "height": drawn.height} if drawn else {"width": 0, "height": 0}
        return {
            "words": list(self.words), "attribution": self.attribution, **size,
            "picture": drawn.packed.hex() if drawn else "",
        }  # fmt: skip

    @classmethod
    def of_record(cls, kept: Mapping[str, Any]) -> Art:
        """Give the art of a record; one from before pictures has words alone."""
        return _of_record(
            tuple(kept["words"]), kept.get("attribution", ATTRIBUTION), kept.get("width", 0), kept.get("height", 0),
            kept.get("picture", ""),
        )  # fmt: skip


@lru_cache(maxsize=64)
def _of_record(words: tuple[str, ...], attribution: str, width: int, height: int, picture: str) -> Art:
    return Art.made(words, attribution=attribution, width=width, height=height, picture=bytes.fromhex(picture))


def house_art(held: Mapping[str, Any]) -> Art:
    """Give the art that comes with the system, as its approval has it: a record of art, digest and approval.

    Raises `BrokenInvariant` where it is not the art that was approved.
    """
    art = Art(words=tuple(held["art"]["words"]), attribution=held["art"]["attribution"])
    if art.digest != held["approval"]["digest"]:
        raise BrokenInvariant("artwork.house-changed", reference=held["approval"]["reference"])
    return art


HOUSE: Mapping[str, Any] = tomllib.loads(
    (files("towncircle.mailpiece") / "data" / "house-art.toml").read_text(encoding="utf-8")
)
DEFAULT_ART = house_art(HOUSE)


def art_fits(art: Art) -> bool:
    """Tell whether art can be printed: at most two lines, each readable within the slot; words or a picture."""
    least = 0 if art.picture is not None else 1
    if not least <= len(art.words) <= _ART_LINES or not all(word.strip() for word in art.words):
        return False
    if not all(word.isprintable() for word in (*art.words, art.attribution)):
        return False
    most = {"size": _WORDS_TYPE, "most": figure("art", "width"), "least": least_type()}
    return all(_encodable(word) and face("bold").fitting(word, **most) for word in (*art.words, art.attribution))


def _encodable(word: str) -> bool:
    try:
        return bool(word.encode("cp1252"))
    except UnicodeEncodeError:
        return False


def art_area(*, right: int, top: int, height: int, left_most: int) -> Box:
    """Give the advertising area: as wide as the design has it, or up to where the piece begins."""
    return Box(max(right - figure("art", "area_width"), left_most), top - height, right, top)


@lru_cache(maxsize=64)
def art_layer(art: Art, right: int, top: int, height: int) -> Layer:
    """Draw art with its right upper corner at a place, within a height."""
    words = [(word, _fit("bold", word, _WORDS_TYPE, figure("art", "width"))) for word in art.words]
    width = max([face("bold").width(word, size) for word, size in words] + [52_000])
    if art.picture is not None:
        width = max(width, art.picture.width * DOT_300)
    left, middle = right - width, right - width // 2
    parts: list[Element] = []
    if art.picture is None:
        parts += _envelope(middle, top - 22_000)
        y = top - _DRAWING
    else:
        x = (middle - art.picture.width * DOT_300 // 2) // DOT_300 * DOT_300
        foot = top - art.picture.height * DOT_300
        parts.append(Image(bitmap=art.picture, x=x, y=foot, dot=DOT_300))
        below = sum(1_600 + size for _, size in words) + 3_600  # of the words and their attribution
        y = foot - 6_500 - max(min(foot - (top - height) - 6_500 - below, 3_000), 0)  # words do not cling to it
    for word, size in words:
        y -= 1_600
        x = middle - face("bold").width(word, size) // 2
        parts.append(Text(role="art", text=word, font="bold", size=size, x=x, y=y))
        y -= size
    if art.attribution:
        size = _fit("sans", art.attribution, 5_200, figure("art", "width"), 200)
        x = middle - face("sans").width(art.attribution, size, 200) // 2
        parts.append(
            Text(role="attribution", text=art.attribution, font="sans", size=size, x=x, y=y - 2_400, tracking=200)
        )
    assert min(part.box.bottom for part in parts) >= top - height, "the art fits its slot"
    assert left < right
    return Layer(tuple(parts))


@lru_cache(maxsize=64)
@cites("P050-4.11", "P050-4.11/3")
def marking_layer(text: str, area: Box, least_height: int) -> Layer:
    """Fill the area with a marking in bold capitals of at least a height.

    Raises `Refused` (page.marking-too-small): a small area is no exception.
    """
    words = text.upper().split()
    tried = [_filled(lines, area) for lines in _broken(words)]
    best = max(tried, key=lambda lines: sum(_wide(line, size) * _high(size) for line, size in lines))
    if min(_high(size) for _, size in best) < least_height:
        fits = [lines for lines in tried if min(_high(size) for _, size in lines) >= least_height]
        if not fits:
            raise Refused(
                "page.marking-too-small", text=text[:40], width=_inches(area.width), height=_inches(area.height)
            )
        best = max(fits, key=lambda lines: sum(_wide(line, size) * _high(size) for line, size in lines))
    free = area.height - sum(_high(size) for _, size in best)
    gap = free // (len(best) - 1) if len(best) > 1 else free
    widest = max(_wide(line, size) for line, size in best)
    parts: list[Element] = []
    y = area.top
    for line, size in best:
        y -= _high(size)
        spread = (widest - _wide(line, size)) // max(len(line) - 1, 1)
        tracking = spread if spread <= size * _MOST_TRACKING // 100 else 0
        x = area.right - face("bold").width(line, size, tracking)
        parts.append(Text(role="marking", text=line, font="bold", size=size, x=x, y=y, tracking=tracking))
        y -= gap
    return Layer(tuple(parts))


def _broken(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Give every way to break words into lines."""
    for count in range(len(words)):
        for cuts in combinations(range(1, len(words)), count):
            ends = (0, *cuts, len(words))
            yield tuple(" ".join(words[start:stop]) for start, stop in pairwise(ends))


def _filled(lines: tuple[str, ...], area: Box) -> list[tuple[str, int]]:
    """Size lines to fill an area: each as wide as it, the highest ones lowered until all stand in its height."""
    metrics = face("bold")
    sizes = [area.width * 1000 // max(metrics.width(line, 1000), 1) // 100 * 100 for line in lines]
    room = area.height - (len(lines) - 1) * figure("marking", "line_gap")
    while sum(map(_high, sizes)) > room:
        at = max(range(len(sizes)), key=sizes.__getitem__)
        if sizes[at] <= 100:
            break
        sizes[at] -= 100
    return list(zip(lines, sizes, strict=True))


def _high(size: int) -> int:
    """Give how high a line of capitals is counted, which is a hair over the capitals themselves."""
    return (face("bold").cap_height + 24) * size // 1000


def _wide(line: str, size: int) -> int:
    return face("bold").width(line, size)


def _inches(units: int) -> str:
    return f"{units / 72_000:.2f} in"


def _fit(font: FontKey, text: str, size: int, most: int, tracking: int = 0) -> int:
    found = face(font).fitting(text, size=size, most=most, least=least_type(), tracking=tracking)
    if not found:
        raise BadInput("page.does-not-fit", what="advertising art", text=text[:40])
    return found


def _envelope(cx: int, cy: int) -> tuple[Path, ...]:
    """Draw an envelope rising in a fan of fine rays."""
    half, high = 15_000, 9_500
    rays = []
    for step in range(13):
        angle = radians(18 + 12 * step)
        inner = 3_200 + round(min(half / abs(cos(angle)) if cos(angle) else 1e9, 2 * high / sin(angle)))
        outer = inner + (7_500 if step % 2 == 0 else 4_500)
        foot = cy - high
        rays.append(
            polyline(
                (cx + round(inner * cos(angle)), foot + round(inner * sin(angle))),
                (cx + round(outer * cos(angle)), foot + round(outer * sin(angle))),
            )
        )
    body = polygon((cx - half, cy - high), (cx + half, cy - high), (cx + half, cy + high), (cx - half, cy + high))
    flap = polyline((cx - half, cy + high), (cx, cy - 1_200), (cx + half, cy + high))
    folds = (
        ("M", (cx - half, cy - high)), ("L", (cx - 4_800, cy + 2_300)),
        ("M", (cx + half, cy - high)), ("L", (cx + 4_800, cy + 2_300)),
    )  # fmt: skip
    fan = tuple(op for ray in rays for op in ray)
    return (
        Path(role="art", ops=fan, stroke=0, width=450),
        Path(role="art", ops=body, stroke=0, width=900),
        Path(role="art", ops=flap, stroke=0, width=900),
        Path(role="art", ops=folds, stroke=0, width=450),
    )
