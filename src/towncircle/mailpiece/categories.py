"""Mail classes, shapes and the four characters that say them in the indicium.

Here: which classes, shapes and price types are known by name, and the category codes. Not here: prices (`rates`),
whether a piece may be mailed so (`eligibility`).
Kept: a code that was ever printed keeps its meaning; the codes below 1 are golden.

Category codes (house; four ASCII characters):
1. the class: `F` First-Class Mail, `P` Priority Mail, `E` Priority Mail Express, `S` Standard Mail (USPS Marketing
   Mail), `M` Media Mail, `G` USPS Ground Advantage,
   `N` Periodicals, which no indicium may pay (P050 1.4): the name is known so that a mark that claims it is refused;
2. `C`, or `N` with the nonmachinable surcharge, `X` with extra services, `Y` with both;
3. the shape: `L` letter, `F` flat, `C` card, `P` parcel, `E` padded flat rate envelope, `B` medium and `K` large flat
   rate box;
4. the price type: `S` stamped, `M` metered, `R` retail, `C` commercial, `A` one price for all (before 2024);
   of a presorted piece its level: `5` 5-digit, `6` 5-digit entered at the DSCF, `3` 3-digit, `D` AADC, `X` mixed AADC,
   `J` ADC, `Y` mixed ADC, `K` mixed machinable, `0` to `2` nonautomation 5-digit, ADC and mixed ADC, `E`, `F`, `G` and
   `H` Every Door Direct Mail, entered at the DSCF, at the DDU, and retail. `C` on a presorted piece is from before
   levels had codes.
`FCLM` is a First-Class metered letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from towncircle.kernel.errors import BadInput

Shape = Literal["letter", "flat", "card", "parcel", "padded-envelope", "medium-box", "large-box"]
PriceType = Literal["stamped", "metered", "retail", "commercial"]
PRICE_TYPES: tuple[PriceType, ...] = ("metered", "stamped", "retail", "commercial")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailClass:
    """Hold a class: its name, how the indicium prints it, and its usual shape."""

    key: str
    letter: str
    name: str
    printed: str
    shape: Shape


CLASSES = {
    one.key: one
    for one in (
        MailClass(key="first", letter="F", name="First-Class", printed="FIRST-CLASS", shape="letter"),
        MailClass(key="priority", letter="P", name="Priority Mail", printed="PRIORITY", shape="parcel"),
        MailClass(key="express", letter="E", name="Priority Mail Express", printed="EXPRESS", shape="parcel"),
        MailClass(key="standard", letter="S", name="USPS Marketing Mail", printed="STANDARD", shape="letter"),
        MailClass(key="media", letter="M", name="Media Mail", printed="MEDIA MAIL", shape="parcel"),
        MailClass(key="ground", letter="G", name="USPS Ground Advantage", printed="GROUND ADVTG", shape="parcel"),
        MailClass(key="periodicals", letter="N", name="Periodicals", printed="PERIODICALS", shape="flat"),
    )
}
MAIL_CLASSES = tuple(CLASSES)
_SHAPE: dict[Shape, tuple[str, str, str]] = {
    "letter": ("L", "Letter", "LTR"),
    "flat": ("F", "Flat", "FLAT"),
    "card": ("C", "Card", "CARD"),
    "parcel": ("P", "Parcel", "PCL"),
    "padded-envelope": ("E", "Padded Flat Rate Envelope", "PAD ENV"),
    "medium-box": ("B", "Medium Flat Rate Box", "MED BOX"),
    "large-box": ("K", "Large Flat Rate Box", "LRG BOX"),
}
SHAPES: tuple[Shape, ...] = tuple(_SHAPE)
_TYPE_LETTER = {"stamped": "S", "metered": "M", "retail": "R", "commercial": "C", "all": "A"}
_CLASS_OF = {one.letter: one for one in CLASSES.values()}
_SHAPE_OF = {letter: (shape, word, short) for shape, (letter, word, short) in _SHAPE.items()}
_TYPE_OF = {letter: kind for kind, letter in _TYPE_LETTER.items()}
_LEVEL_LETTER = {
    "5-digit": "5", "5-digit-dscf": "6", "3-digit": "3", "aadc": "D", "mixed-aadc": "X", "adc": "J", "mixed-adc": "Y",
    "mixed-machinable": "K", "nonautomation-5-digit": "0", "nonautomation-adc": "1", "nonautomation-mixed-adc": "2",
    "eddm": "E", "eddm-dscf": "F", "eddm-ddu": "G", "eddm-retail": "H",
}  # fmt: skip
LEVELS = tuple(_LEVEL_LETTER)
_LEVEL_OF = {letter: level for level, letter in _LEVEL_LETTER.items()}
_EXTRAS = {"C": (False, False), "N": (True, False), "X": (False, True), "Y": (True, True)}
_TAIL = {(False, False): "", (True, False): " NM", (False, True): "+", (True, True): " N+"}
_WITH = {seen: letter for letter, seen in _EXTRAS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """Hold what a category code says. `price_type` is `all` where a table knew one price only."""

    mail_class: str
    shape: Shape
    price_type: str
    nonmachinable: bool
    extra_services: bool
    level: str = ""


def category_code(
    mail_class: str, shape: str, price_type: str, *, nonmachinable: bool, extra_services: bool, level: str = ""
) -> str:
    """Write the four characters; the words must be known."""
    letter = _SHAPE[shape][0]  # type: ignore[index]  # a shape that is not known is a KeyError
    last = _LEVEL_LETTER[level] if level else _TYPE_LETTER[price_type]
    return f"{CLASSES[mail_class].letter}{_WITH[nonmachinable, extra_services]}{letter}{last}"


def read_category(code: str) -> Category:
    """Read a category code. Raises `BadInput` (rates.unknown-category)."""
    if (
        len(code) != 4
        or code[0] not in _CLASS_OF
        or code[1] not in _EXTRAS
        or code[2] not in _SHAPE_OF
        or (code[3] not in _TYPE_OF and code[3] not in _LEVEL_OF)
    ):
        raise BadInput("rates.unknown-category", text=code[:20])
    nonmachinable, extra = _EXTRAS[code[1]]
    level = _LEVEL_OF.get(code[3], "")
    presorted = "retail" if level == "eddm-retail" else "commercial"
    return Category(
        mail_class=_CLASS_OF[code[0]].key,
        shape=_SHAPE_OF[code[2]][0],
        price_type=presorted if level else _TYPE_OF[code[3]],
        nonmachinable=nonmachinable,
        extra_services=extra,
        level=level,
    )


def describe_category(code: str) -> str:
    """Write a category code in words, such as `First-Class Letter, metered price`. Raises `BadInput`."""
    said = read_category(code)
    kind = "" if said.price_type == "all" else f", {said.price_type} price"
    kind += f", presorted {said.level}" if said.level else ""
    more = (", nonmachinable" if said.nonmachinable else "") + (", extra services" if said.extra_services else "")
    return f"{CLASSES[said.mail_class].name} {_SHAPE[said.shape][1]}{kind}{more}"


def printed_category(code: str) -> str:
    """Write a category code as the indicium prints it, such as `FIRST-CLASS LTR`; `+` is with extra services.

    Raises `BadInput`. A test prints every one: what is longer does not fit beside the amount at a legible size.
    """
    said = read_category(code)
    one = CLASSES[said.mail_class]
    shape = "" if said.mail_class in ("media", "ground") else f" {_SHAPE[said.shape][2]}"
    return f"{one.printed}{shape}{_TAIL[said.nonmachinable, said.extra_services]}"
