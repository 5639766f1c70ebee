"""May a piece be mailed so: one check for pricing, printing and verifying.

Here: class, shape, weight, size and extra services against the limits of `data/eligibility.toml`, and which classes an
indicium may pay. Not here: what it costs (`rates`), where things stand on it (`lints`).
Kept: a limit that is not known refuses nothing, and what was not measured is not called well: `unchecked` names it.
Every figure has its source and its first day.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.mailpiece.categories import CLASSES
from towncircle.mailpiece.weights import show_weight

CLASS_CLAUSE = "P050 1.4"  # on which the grounds rest that no size or weight would mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Hold the length (the longest side of a parcel), height and thickness of a piece in inches."""

    length: Fraction
    height: Fraction
    thickness: Fraction | None = None

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read `9.5x4.125` or `12x9x0.5` (inches). Raises `BadInput` (eligibility.size-unreadable)."""
        parts = text.lower().split("x")
        plain = all(part.strip().replace(".", "", 1).isdecimal() and len(part.strip()) <= 8 for part in parts)
        if len(parts) not in (2, 3) or not plain or not text.isascii():
            raise BadInput("eligibility.size-unreadable", text=text[:40])
        sides = [Fraction(part.strip()) for part in parts]
        if not all(sides):
            raise BadInput("eligibility.size-unreadable", text=text[:40])
        return cls(length=sides[0], height=sides[1], thickness=sides[2] if len(sides) == 3 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Describe a piece as far as it is known; what is None was not measured."""

    on: date
    mail_class: str
    shape: str
    weight_oz: Fraction | None = None
    size: Size | None = None
    level: str = ""
    extras: tuple[str, ...] = ()
    nonmachinable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Hold the limits of some shapes from a day on; lengths in inches, None where there is none."""

    shapes: frozenset[str]
    classes: frozenset[str]
    since: date
    clause: str
    most_oz: Fraction | None
    least: tuple[Fraction, ...]
    most: tuple[Fraction, ...]
    aspect: tuple[Fraction, ...]
    length_and_girth: Fraction | None
    plain: tuple[Fraction, ...]


@cites("P050-1.4", "PRE-14", "P050-1.4/1")
def faults(piece: Piece) -> list[Refused]:
    """Give every reason why the piece may not be mailed so: its class (P050 1.4), then its limits.

    There is none for what is not known of the piece.
    """
    name, shapes = CLASSES[piece.mail_class].name, _data()["shapes"][piece.mail_class]
    if piece.mail_class not in _data()["payable"]["classes"]:
        return [Refused("eligibility.class", mail_class=name)]
    if piece.shape not in shapes:
        return [
            Refused("eligibility.shape", mail_class=name, shape=_words(piece.shape), known=_words(", ".join(shapes)))
        ]
    found: list[Refused] = []
    for limit in _limits():
        if piece.shape in limit.shapes and piece.mail_class in limit.classes and piece.on >= limit.since:
            found += _weight(piece, limit)
            found += _size(piece, limit, piece.size) if piece.size is not None else ()
    found += [
        Refused("eligibility.service", service=extra.replace("-", " "), mail_class=name)
        for extra in piece.extras
        if piece.mail_class not in _data()["services"].get(extra, (piece.mail_class,))
    ]
    return found


@cites("P050-1.4", "PRE-14", "P050-1.4/2", "PRE-14/2")
def unpayable(piece: Piece) -> list[Refused]:
    """Give every reason why an indicium may not pay the piece: what `faults` gives, and a presort level (P050 1.4)."""
    found = faults(piece)
    if piece.level and piece.mail_class in _data()["payable"]["single_piece_only"]:
        name = CLASSES[piece.mail_class].name
        found.insert(0, Refused("eligibility.single-piece", mail_class=name, level=piece.level))
    return found


def unchecked(piece: Piece) -> tuple[str, ...]:
    """Name what was not measured, so that nobody takes it for well."""
    size = piece.size
    thin = size is not None and size.thickness is None
    names = {"weight": piece.weight_oz is None, "size": size is None, "thickness": thin}
    return tuple(name for name, missing in names.items() if missing)


def _weight(piece: Piece, limit: Limit) -> list[Refused]:
    weight, most = piece.weight_oz, limit.most_oz
    if weight is None or most is None or weight <= most:
        return []
    said = {"weight": show_weight(weight), "most": show_weight(most)}
    if piece.shape == "card":
        return [Refused("rates.card-too-heavy", **said)]
    if piece.shape == "letter":
        return [Refused("rates.letter-too-heavy", **said)]
    return [Refused("eligibility.weight", shape=_words(piece.shape), clause=limit.clause, **said)]


def _size(piece: Piece, limit: Limit, size: Size) -> list[Refused]:
    sides = {"length": size.length, "height": size.height, "thickness": size.thickness}
    said = {"shape": _words(piece.shape), "clause": limit.clause}
    found = []
    for place, (side, inches) in enumerate(sides.items()):
        if inches is None:
            continue
        told = {"side": side, "inches": _inches(inches), **said}
        if limit.least and inches < limit.least[place]:
            found.append(Refused("eligibility.small", least=_inches(limit.least[place]), **told))
        if limit.most and inches > limit.most[place]:
            found.append(Refused("eligibility.large", most=_inches(limit.most[place]), **told))
    aspect = size.length / size.height
    if limit.aspect and not limit.aspect[0] <= aspect <= limit.aspect[1] and not piece.nonmachinable:
        least, most = map(_inches, limit.aspect)
        found.append(Refused("eligibility.aspect", aspect=f"{float(aspect):.2f}", least=least, most=most, **said))
    return found + (_girth(limit, size, size.thickness, said) if size.thickness is not None else [])


def _girth(limit: Limit, size: Size, thickness: Fraction, said: dict[str, str]) -> list[Refused]:
    longest, *others = sorted((size.length, size.height, thickness), reverse=True)
    girth, volume = longest + 2 * sum(others, Fraction(0)), size.length * size.height * thickness
    if limit.length_and_girth is not None and girth > limit.length_and_girth:
        return [Refused("eligibility.girth", inches=_inches(girth), most=_inches(limit.length_and_girth), **said)]
    if limit.plain and (longest > limit.plain[0] or volume > limit.plain[1]):
        length, cubic = map(_inches, limit.plain)
        return [Refused("eligibility.surcharged", length=length, cubic=cubic, **said)]
    return []


def _inches(value: Fraction) -> str:
    return f"{float(value):.3f}".rstrip("0").rstrip(".")


def _words(shape: str) -> str:
    return shape.replace("-", " ")


@cache
def _data() -> dict[str, Any]:
    text = (files("towncircle.mailpiece") / "data" / "eligibility.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _limits() -> tuple[Limit, ...]:
    def lengths(row: dict[str, Any], name: str) -> tuple[Fraction, ...]:
        return tuple(sum(map(Fraction, text.split()), Fraction(0)) for text in row.get(name, ()))

    def one(row: dict[str, Any], name: str) -> Fraction | None:
        return Fraction(row[name]) if name in row else None

    return tuple(
        Limit(
            shapes=frozenset(row["shapes"]),
            classes=frozenset(row.get("classes", CLASSES)),
            since=row["from"],
            clause=row["clause"],
            most_oz=one(row, "most_oz"),
            least=lengths(row, "least"),
            most=lengths(row, "most"),
            aspect=lengths(row, "aspect"),
            length_and_girth=one(row, "length_and_girth"),
            plain=lengths(row, "plain"),
        )
        for row in _data()["limits"]
    )
