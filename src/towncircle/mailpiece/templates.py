"""Templates of a batch: what its pieces have in common, in a TOML file.

Here: the template, those that come with the program, the reading of one with every fault at once. Not here: the list of
addresses (`address_files`), how a batch is printed (`towncircle.world.batching`).
Kept: a template says nothing twice and nothing unknown: a key that nothing reads is a fault. A row of the list may
override only what the template names; a zone or a size that the template does not give is no override.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds, TowncircleError
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.address_columns import WORDS
from towncircle.mailpiece.address_files import Recipient
from towncircle.mailpiece.claimed import ClaimedRate
from towncircle.mailpiece.forms import label_stock, require_form
from towncircle.mailpiece.geometry import form as form_named
from towncircle.mailpiece.geometry import form_for
from towncircle.mailpiece.rates import MAIL_CLASSES, PRICE_TYPES, SHAPES, Shape, extras_of
from towncircle.mailpiece.sheets import Stock, stock
from towncircle.mailpiece.tariff import known_tables
from towncircle.mailpiece.weights import parse_weight, show_weight

FORMATS = ("pdf", "png", "svg", "zpl")
OVERRIDES = ("weight", "shape", "class", "price_type", "zone", "extras", "value", "nonmachinable", "size")
Place = Literal["office", "branch", "zip"]
_DIVIDERS = ("", ",", ";", "|", "\t")
PLACES: tuple[Place, ...] = ("office", "branch", "zip")
MOST_PIECES = 1000  # of one file: what a device takes in one command
MOST_AHEAD = 365
MOST_MAILED = 100_000_000  # house: pieces of a presort mailing
_MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(ClaimedRate):
    """Hold what the pieces of a batch share, the rate that is claimed for them among it.

    `ahead_days` moves the mailing date from today; `columns` names the list's own heading of each of our columns;
    `form` is what they are printed on, empty for the usual form of their shape; `place` is what the indicia name, and
    `branch` which branch; `overrides` are what a row may say otherwise; `pieces_per_file` is how many pages a file has
    at most. `stock` names the label stock in the printer, `start` the first free label of its sheet (from 1), `each`
    the most postage of one tape. `encoding`, `divider`, `sheet` and
    `standardise` say how the list is read, as `addresses check` does.
    """

    name: str
    title: str = ""
    shape: Shape = "letter"
    weight_oz: Fraction = Fraction(1)
    overrides: tuple[str, ...] = ()
    form: str = ""
    stock: str = ""
    start: int = 1
    each: Mills | None = None
    art: bool = True
    marking: bool = False
    place: Place = "office"
    branch: str = ""
    month_only: bool = False
    reply: bool = False
    return_address: bool = True
    ahead_days: int = 0
    formats: tuple[str, ...] = ("pdf",)
    pieces_per_file: int = MOST_PIECES
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    encoding: str = ""
    divider: str = ""
    sheet: str = ""
    standardise: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Give the template as a JSON record."""
        return {
            "name": self.name,
            "title": self.title,
            "shape": self.shape,
            "weight": show_weight(self.weight_oz),
            "mail_class": self.mail_class,
            "price_type": self.price_type,
            "zone": self.zone,
            "level": self.level,
            "extras": list(self.extras),
            "nonmachinable": self.nonmachinable,
            "value_mills": None if self.declared_value is None else int(self.declared_value),
            "mailing_pieces": self.mailing_pieces,
            "accept_low_confidence": self.accept_low,
            "zone_reason": self.zone_reason,
            "overrides": list(self.overrides),
            "form": self.form,
            "stock": self.stock,
            "start": self.start,
            "each_mills": None if self.each is None else int(self.each),
            "art": self.art,
            "marking": self.marking,
            "place": self.place,
            "branch": self.branch,
            "month_only": self.month_only,
            "reply": self.reply,
            "return_address": self.return_address,
            "ahead_days": self.ahead_days,
            "formats": list(self.formats),
            "pieces_per_file": self.pieces_per_file,
            "columns": dict(self.columns),
            **self.reading(),
        }

    def look(self) -> dict[str, Any]:
        """Give the form of the indicium, as arguments of `licensee.looks.Look`."""
        names = ("place", "branch", "month_only", "reply", "marking", "form", "stock", "start", "each")
        return {name: getattr(self, name) for name in names}

    def reading(self) -> dict[str, Any]:
        """Give how the list is read, as arguments of `open_addresses`."""
        names = ("encoding", "divider", "sheet", "standardise")
        return {name: getattr(self, name) for name in names}


def builtin() -> tuple[Template, ...]:
    """Give the templates that come with the program, by name."""
    folder = files("towncircle.mailpiece") / "data" / "templates"
    named = sorted((item.name.removesuffix(".toml"), item.read_bytes()) for item in folder.iterdir())
    return tuple(parse(raw, name=name) for name, raw in named)


def find(name: str) -> Template:
    """Give a template by its name, or by the path of its file. Raises `BadInput` (template.unknown) and as `parse`."""
    for known in builtin():
        if known.name == name:
            return known
    place = Path(name)
    if not place.is_file():
        raise BadInput("template.unknown", name=name[:80], known=", ".join(one.name for one in builtin()))
    with place.open("rb") as stream:
        raw = stream.read(_MOST_BYTES + 1)
    return parse(raw, name=place.stem)


def parse(raw: bytes, *, name: str) -> Template:
    """Read a template. Raises `BadInput` (template.unreadable), `RefusedOnGrounds` (template.unusable)."""
    if len(raw) > _MOST_BYTES:
        raise BadInput("template.unreadable", name=name[:80], why=f"it is longer than {_MOST_BYTES} bytes")
    try:
        table = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise BadInput("template.unreadable", name=name[:80], why=" ".join(str(error).split())[:120]) from error
    reader = _Reader(table)
    values = _values(reader)
    faults = reader.faults()
    if faults:
        raise RefusedOnGrounds("template.unusable", faults, name=name[:80], count=len(faults))
    return Template(name=name, **values)


def astray(template: Template, row: Recipient) -> list[str]:
    """Name what a row says otherwise than its template, which does not allow it."""
    rate = row.rate
    says = {
        "weight": row.weight_oz not in (None, template.weight_oz),
        "shape": row.shape not in (None, template.shape) and rate.mail_class in (None, template.mail_class),
        "class": rate.mail_class not in (None, template.mail_class),
        "price_type": rate.price_type not in (None, template.price_type),
        "zone": bool(template.zone) and rate.zone not in ("", template.zone),
        "extras": rate.extras not in (None, template.extras),
        "value": template.declared_value is not None and rate.declared_value not in (None, template.declared_value),
        "nonmachinable": rate.nonmachinable not in (None, template.nonmachinable),
        "size": _says_size(template) and (rate.length, rate.height) != (None, None),
    }
    return [name for name, differs in says.items() if differs and name not in template.overrides]


def _says_size(template: Template) -> bool:
    """Tell whether a template gives the size of its pieces; a label says nothing of what it goes on."""
    return bool(template.form) and form_named(template.form).shape != "label"


def _values(reader: _Reader) -> dict[str, Any]:
    overrides = reader.words("piece", "overrides", (), OVERRIDES)
    columns = reader.headings("columns", WORDS)
    shape = reader.word("piece", "shape", "letter", SHAPES)
    return {
        "title": reader.text("", "title", ""),
        "shape": shape,
        "weight_oz": reader.weight("piece", "weight", Fraction(1)),
        "mail_class": reader.word("piece", "class", "first", MAIL_CLASSES),
        "price_type": reader.word("piece", "price_type", "metered", PRICE_TYPES),
        "zone": reader.text("piece", "zone", ""),
        "level": reader.text("piece", "presort", ""),
        "extras": reader.words("piece", "extras", (), extras_of(known_tables())),
        "nonmachinable": reader.flag("piece", "nonmachinable", default=False),
        "declared_value": reader.money("piece", "value"),
        "mailing_pieces": reader.number("mailing", "pieces", 0, least=0, most=MOST_MAILED) or None,
        "accept_low": reader.flag("piece", "accept_low_confidence", default=False),
        "zone_reason": reader.text("piece", "zone_reason", ""),
        "overrides": overrides,
        **reader.paper(shape),
        "art": reader.flag("page", "art"),
        "marking": reader.flag("page", "marking", default=False),
        **reader.place(),
        "month_only": reader.flag("page", "month_only", default=False),
        "reply": reader.flag("page", "courtesy_reply", default=False),
        "return_address": reader.flag("page", "return_address"),
        "ahead_days": reader.number("mailing", "ahead_days", 0, least=0, most=MOST_AHEAD),
        "formats": reader.words("output", "formats", ("pdf",), FORMATS, needed="pdf"),
        "pieces_per_file": reader.number("output", "pieces_per_file", MOST_PIECES, least=1, most=MOST_PIECES),
        "columns": MappingProxyType(columns),
        "encoding": reader.text("list", "encoding", ""),
        "divider": reader.word("list", "divider", "", _DIVIDERS),
        "sheet": reader.text("list", "sheet", ""),
        "standardise": reader.flag("list", "standard", default=False),
    }


def _shown(value: object) -> str:
    """Give a value as text; a whole number of thousands of digits is none that Python writes out."""
    try:
        return str(value)
    except ValueError:
        return "a number too long to show"


class _Reader:
    """Read values out of the tables of a template and gather what is wrong with them."""

    def __init__(self, tables: dict[str, Any]) -> None:
        self._tables = tables
        self._faults: list[TowncircleError] = []
        self._read: set[tuple[str, str]] = set()

    def faults(self) -> tuple[TowncircleError, ...]:
        """Give everything that is wrong, also every key that nothing read."""
        strange = [
            f"{table}.{key}" if table else key
            for table, held in [("", self._tables), *self._tables.items()]
            if isinstance(held, dict)
            for key in held
            if (table, key) not in self._read and not (table == "" and isinstance(held[key], dict) and held[key])
        ]
        return (*self._faults, *(BadInput("template.key-unknown", key=key[:60]) for key in strange))

    def _get(self, table: str, key: str, default: object) -> Any:
        self._read.add((table, key))
        held = self._tables if not table else self._tables.get(table, {})
        return held.get(key, default) if isinstance(held, dict) else default

    def _fault(self, table: str, key: str, value: object, wanted: str) -> None:
        name = f"{table}.{key}" if table else key
        self._faults.append(BadInput("template.value", key=name, value=_shown(value)[:40], wanted=wanted))

    def text(self, table: str, key: str, default: str) -> str:
        """Give one line of text."""
        value = self._get(table, key, default)
        if isinstance(value, str) and len(value) <= 200 and value.isprintable():
            return value
        self._fault(table, key, value, "one line of at most 200 characters")
        return default

    def word(self, table: str, key: str, default: str, known: tuple[str, ...]) -> str:
        """Give one of some words."""
        value = self._get(table, key, default)
        if value in known:
            return str(value)
        self._fault(table, key, value, f"one of {', '.join(known)}")
        return default

    def words(
        self, table: str, key: str, default: tuple[str, ...], known: tuple[str, ...], *, needed: str = ""
    ) -> tuple[str, ...]:
        """Give some of some words, in their own order."""
        value = self._get(table, key, default)
        fits = isinstance(value, list | tuple) and all(one in known for one in value)
        if fits and len(set(value)) != len(value):
            self._fault(table, key, value, "each of its words once")
            return default
        if fits and (not needed or needed in value):
            return tuple(one for one in known if one in value)
        also = f", and {needed} always" if needed else ""
        self._fault(table, key, value, f"a list of {', '.join(known)}{also}")
        return default

    def flag(self, table: str, key: str, *, default: bool = True) -> bool:
        """Give true or false."""
        value = self._get(table, key, default)
        if isinstance(value, bool):
            return value
        self._fault(table, key, value, "true or false")
        return default

    def place(self) -> dict[str, str]:
        """Give what place the indicia name, and of a branch its name, which is given with it alone."""
        place, branch = self.word("page", "place", "office", PLACES), self.text("page", "branch", "")
        if bool(branch) != (place == "branch"):
            self._fault("page", "branch", branch, 'the name of an approved branch, with place = "branch"')
        return {"place": place, "branch": branch}

    def number(self, table: str, key: str, default: int, *, least: int, most: int) -> int:
        """Give a whole number within bounds."""
        value = self._get(table, key, default)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self._fault(table, key, value, f"a whole number from {least} to {most}")
        return default

    def weight(self, table: str, key: str, default: Fraction) -> Fraction:
        """Give a weight in ounces, written as `1 oz`."""
        value = self._get(table, key, show_weight(default))
        try:
            return parse_weight(_shown(value))
        except BadInput:
            self._fault(table, key, value, "a weight such as 1 oz")
            return default

    def money(self, table: str, key: str) -> Mills | None:
        """Give an amount in dollars, or None where there is none."""
        value = self._get(table, key, None)
        if value is None:
            return None
        try:
            return Mills.parse(_shown(value))
        except BadInput:
            self._fault(table, key, value, "an amount in dollars, such as 100.00")
            return None

    def paper(self, shape: str) -> dict[str, Any]:
        """Give what the pieces are printed on: the form, its label stock, the first free label, the most of a tape."""
        held, each = self._stock(), self.money("page", "each")
        form = self._form(shape, held)
        start = self.number("page", "start", 1, least=1, most=held.places if held is not None else 1)
        if each is not None and (held is None or each <= ZERO):
            self._fault("page", "each", each, "an amount such as 5.00, with a label stock (page.stock)")
        return {"form": form, "stock": held.key if held is not None else "", "start": start, "each": each}

    def _stock(self) -> Stock | None:
        """Give the label stock, whose sheet is known; whether it is approved, its register says."""
        value = self._get("page", "stock", "")
        try:
            return stock(_shown(value)) if value else None
        except BadInput as error:
            self._faults.append(error)
            return None

    def _form(self, shape: str, held: Stock | None) -> str:
        """Give the key of a form that suits a shape, empty for the usual one; a label stock has one of its own."""
        value = self._get("page", "form", "" if held is None else held.form.key)
        try:
            found = require_form(_shown(value), shape) if value else None
        except (BadInput, Refused) as error:
            self._faults.append(error)
            return ""
        if held is not None and found != held.form:
            self._fault("page", "form", value, f"{held.form.key}, which is the form of {held.key}")
        elif held is None and not self._tables.get("page", {}).get("stock") and label_stock(found or form_for(shape)):
            self._faults.append(Refused("template.label-stock", form=(found or form_for(shape)).name))
        return found.key if found is not None else ""

    def headings(self, name: str, known: Iterable[str]) -> dict[str, str]:
        """Give the list's own heading of each of our columns."""
        held = self._get("", name, {})
        if not isinstance(held, dict):
            self._fault("", name, held, 'a table of headings, such as zip = "ZIP Code"')
            return {}
        self._read |= {(name, key) for key in held if key in known}
        for key, value in held.items():
            if not isinstance(value, str) or not value:
                self._fault(name, key, value, "a heading of the list")
        return {key: value for key, value in held.items() if key in known and isinstance(value, str)}
