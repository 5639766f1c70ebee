"""May a piece be mailed so: one check for pricing, printing and verifying.

Here: class, shape, weight, size and extra services against the limits of `data/eligibility.toml`, and which classes an
indicium may pay. Not here: what it costs (`rates`), where things stand on it (`lints`).
Kept: a limit that is not known refuses nothing, and what was not measured is not called well: `unchecked` names it.
Every figure has its source and its first day.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
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

    def __str__(self) -> str:
        """Write the size as `parse` reads it."""
        sides = (self.length, self.height, *(() if self.thickness is None else (self.thickness,)))
        return "x".join(f"{float(side):.4f}".rstrip("0").rstrip(".") for side in sides)


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
    through: date
    thin: Fraction | None  # `least` is only for pieces up to so thick


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
        held = limit.since <= piece.on <= limit.through
        if held and piece.shape in limit.shapes and piece.mail_class in limit.classes:
            found += _weight(piece, limit)
            found += _size(piece, limit, piece.size) if piece.size is not None else ()
    return found + _services(piece, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Hold the least and most length and height of a shape in inches, and its aspect where that has a rule."""

    least: tuple[Fraction, Fraction]
    most: tuple[Fraction, Fraction]
    aspect: tuple[Fraction, ...]


@cache
def bounds(shape: str) -> Bounds:
    """Give what a piece of a shape measures by the limits that have no end: what a form is judged by."""
    held = [one for one in _limits() if shape in one.shapes and one.through == date.max]
    least, most = [one.least for one in held if one.least], [one.most for one in held if one.most]
    return Bounds(
        least=(max(one[0] for one in least), max(one[1] for one in least)),
        most=(min(one[0] for one in most), min(one[1] for one in most)),
        aspect=next((one.aspect for one in held if one.aspect), ()),
    )


def nonstandard(piece: Piece) -> bool | None:
    """Tell whether a light piece is of other than standard size, which paid a surcharge; None where nobody measured.

    Of later days the answer is no: the surcharge of a nonmachinable letter came in its place.
    """
    rule = _data()["nonstandard"]
    single = piece.mail_class in rule["classes"] and not piece.level and piece.shape in rule["shapes"]
    light = piece.weight_oz is None or piece.weight_oz <= Fraction(rule["most_oz"])
    if not (single and light and rule["from"] <= piece.on <= rule["through"]):
        return False
    if piece.size is None:
        return None
    most, aspect = _lengths(rule, "most"), _lengths(rule, "aspect")
    sides = (piece.size.length, piece.size.height, piece.size.thickness)
    if any(side is not None and side > at for side, at in zip(sides, most, strict=True)):
        return True
    if not aspect[0] <= piece.size.length / piece.size.height <= aspect[1]:
        return True
    return None if piece.size.thickness is None else False


def _services(piece: Piece, name: str) -> list[Refused]:
    """Give the extra services that do not go with the class, and those of which no source says that they do."""
    found, known = [], _data()["services"]
    for extra in piece.extras:
        said = {"service": extra.replace("-", " "), "mail_class": name}
        if extra not in known:
            found.append(Refused("eligibility.service-unknown", **said))
        elif piece.mail_class not in known[extra]:
            found.append(Refused("eligibility.service", known=_named(known[extra]), **said))
    return found


def _named(classes: Iterable[str]) -> str:
    return ", ".join(CLASSES[one].name for one in classes)


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
        thin = limit.thin is None or size.thickness is None or size.thickness <= limit.thin
        if limit.least and inches < limit.least[place] and thin:
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


def minimum_pieces(mail_class: str, level: str, on: date) -> tuple[int, str] | None:
    """Give how many pieces a presorted mailing has at least, and who says so; None where that is not known here."""
    for row in _data()["presort"]:
        if mail_class in row["classes"] and level not in row["unknown"] and on >= row["from"]:
            return int(row["least"]), str(row["clause"])
    return None


@cache
def _data() -> dict[str, Any]:
    text = (files("towncircle.mailpiece") / "data" / "eligibility.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _lengths(row: dict[str, Any], name: str) -> tuple[Fraction, ...]:
    return tuple(sum(map(Fraction, text.split()), Fraction(0)) for text in row.get(name, ()))


@cache
def _limits() -> tuple[Limit, ...]:
    def one(row: dict[str, Any], name: str) -> Fraction | None:
        return Fraction(row[name]) if name in row else None

    return tuple(
        Limit(
            shapes=frozenset(row["shapes"]),
            classes=frozenset(row.get("classes", CLASSES)),
            since=row["from"],
            clause=row["clause"],
            most_oz=one(row, "most_oz"),
            least=_lengths(row, "least"),
            most=_lengths(row, "most"),
            aspect=_lengths(row, "aspect"),
            length_and_girth=one(row, "length_and_girth"),
            plain=_lengths(row, "plain"),
            through=row.get("through", date.max),
            thin=one(row, "least_up_to_thickness"),
        )
        for row in _data()["limits"]
    )
