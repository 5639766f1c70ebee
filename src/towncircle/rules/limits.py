"""Limits: the time limits of the rule, one table each, with clause, words, shape and the facts that move it.

Here: the shape of a limit and how one is read from TOML. Not here: what is due (`duties`), what follows (`acting`).
Kept: the six shapes of house.md 6. A limit names the facts that start it, meet it and end it in the regulation's words;
nothing about it is kept by hand. "Immediately" and "promptly" carry no number: such a limit says which next step it
blocks (`gate`), and its figure is marked `house`.

The shapes: `obligation` (act by), `interval` (recur within), `window` (a right that lapses), `retention` (keep at
least), `calendar` (due on a date), `set limit` (fixed by a decision). How long one runs is said in one of these ways:
a term (`"30 days"`), a date (`2024-12-31`), a day of the month after (`1`) or of each year (`"15 August"`), a
parameter's name (`term_of`), or the name of the field in which the decision set the date (`until`), which goes before a
term.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from towncircle.kernel.facts import Fact
from towncircle.rules.calendars import yearly
from towncircle.rules.parameters import QUALITIES, Dated, Value
from towncircle.rules.terms import Term

SHAPES = ("obligation", "interval", "window", "retention", "calendar", "set limit")
JOURNALS = ("licensee", "provider", "postal", "bank")
LONGEST: Mapping[str, int] = MappingProxyType({"title": 200, "clause": 80, "says": 989})  # what a notice of it holds
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}", re.ASCII)
DENIES: Mapping[str, tuple[str, ...]] = MappingProxyType({"provider": ("resets",)})  # what each role's effects can deny
PARTY = "party"  # one thread for the whole journal
_LISTS = ("starts", "met_by", "ends", "restarts")
_WORDS = ("title", "clause", "quote", "shape", "journal", "party", "actor", "about")
_OPTIONAL = ("term_of", "until", "reminder", "note", "gate", "quality", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Name a kind of fact and what it is about: its subject, a field of its body, or the whole party."""

    fact: str
    by: str = "subject"
    where: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def thread(self, fact: Fact, party: str) -> str | None:
        """Give what a fact of this kind is about, or None where its body does not fit."""
        if self.where and any(_text(fact.body.get(name)) != value for name, value in self.where.items()):
            return None
        if self.by == PARTY:
            return party
        about = fact.subject if self.by == "subject" else fact.body.get(self.by)
        return str(about) if about else None

    def __str__(self) -> str:
        where = "".join(f", {name} {value}" for name, value in self.where.items())
        about = {"subject": "", PARTY: " (any)"}.get(self.by, f" (by {self.by})")
        return f"{self.fact}{about}{where}"


def _text(value: object) -> object:
    """Give what a body holds as a `where` writes it: numbers in digits, yes and no as "true" and "false"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, int) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """Hold what follows a missed limit: in words, the case that is opened, who gets notice, and what is denied."""

    says: str
    case: str = ""
    notify: tuple[str, ...] = ()
    denies: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Hold one time limit of a rule set.

    `journal` is the role whose facts it is derived from, `party` the role that owes it or whose right it is, `actor`
    the person who acts for it, `about` what one duty is about; `cites` are ids of the requirements it keeps.
    """

    id: str
    title: str
    clause: str
    cites: tuple[str, ...]
    quote: str
    shape: str
    journal: str
    party: str
    actor: str
    about: str
    quality: str
    source: str
    starts: tuple[Link, ...]
    consequence: Consequence
    met_by: tuple[Link, ...] = ()
    ends: tuple[Link, ...] = ()
    restarts: tuple[Link, ...] = ()
    values: tuple[Dated, ...] = ()
    term_of: str = ""
    until: str = ""
    reminder: str = ""
    gate: str = ""
    note: str = ""
    retold: str = ""

    def on(self, day: date) -> Value | None:
        """Give how long it runs as in force on a day, or None before the first one."""
        return next((dated.value for dated in reversed(self.values) if dated.since <= day), None)

    def with_value(self, value: Value) -> Limit:
        """Give the limit with another length since its first day. Raises `ValueError`."""
        _check_value(self.id, value)
        since = self.values[0].since if self.values else date.min
        return replace(self, term_of="", values=(Dated(since=since, value=value),))

    def links(self) -> tuple[Link, ...]:
        """Give all kinds of facts that move it."""
        return (*self.starts, *self.met_by, *self.ends, *self.restarts)

    def length(self) -> str:
        """Say how long it runs, as the rule file writes it."""
        words = "the date set by the decision" if self.until else ""
        if self.term_of:
            return f"{self.term_of} (a parameter)"
        if not self.values:
            return words
        value = self.values[-1].value
        if type(value) is int:
            text = f"day {value} of the month after"
        elif isinstance(value, str) and yearly(value) is not None:
            text = f"{value} of each year"
        elif value == "0 days":
            text = "the same day"
        else:
            text = str(value)
        return f"{text}, or {words} where it is shorter" if words else text

    def as_dict(self) -> dict[str, Any]:
        """Give the limit as a JSON record, the form in which the rule set's digest covers it."""
        record: dict[str, Any] = {name: getattr(self, name) for name in ("id", "cites", *_WORDS, *_OPTIONAL)}
        record["cites"] = list(self.cites)
        record |= {"retold": self.retold} if self.retold else {}
        record |= {name: [str(link) for link in getattr(self, name)] for name in _LISTS}
        after = self.consequence
        record["consequence"] = [after.says, after.case, list(after.notify), after.denies]
        record["values"] = [[dated.since.isoformat(), str(dated.value)] for dated in self.values]
        return record


def read_limit(name: str, table: Mapping[str, Any], *, source: str, quality: str) -> Limit:
    """Read a limit from its TOML table. Raises `ValueError` saying what is wrong with it, `KeyError` what it lacks."""
    unknown = table.keys() - {"cites", "values", "consequence", "retold", *_LISTS, *_WORDS, *_OPTIONAL}
    if unknown:
        raise ValueError(f"{name} has the unknown keys {sorted(unknown)}")
    after = dict(table["consequence"])
    limit = Limit(
        id=name,
        cites=tuple(table["cites"]),
        consequence=Consequence(notify=tuple(after.pop("notify", ())), **after),
        values=tuple(Dated(since=row["from"], value=row["value"]) for row in table.get("values", ())),
        starts=_links(table, "starts"),
        met_by=_links(table, "met_by"),
        ends=_links(table, "ends"),
        restarts=_links(table, "restarts"),
        **{key: table[key] for key in _WORDS if key != "quote"},
        quote=table["quote"] if "retold" not in table else table.get("quote", ""),
        retold=table.get("retold", ""),
        **{"quality": quality, "source": source} | {key: table[key] for key in _OPTIONAL if key in table},
    )
    _check(limit)
    return limit


def _links(table: Mapping[str, Any], name: str) -> tuple[Link, ...]:
    return tuple(_link(item) for item in table.get(name, ()))


def _link(item: str | Mapping[str, Any]) -> Link:
    if isinstance(item, str):
        return Link(fact=item)
    where = item.get("where", {})
    return Link(fact=item["fact"], by=item.get("by", "subject"), where=MappingProxyType(dict(where)))


def _check(limit: Limit) -> None:
    name = limit.id
    if limit.shape not in SHAPES or limit.journal not in JOURNALS or limit.quality not in QUALITIES:
        raise ValueError(f"{name} has no known shape, journal or quality")
    if bool(limit.quote) == bool(limit.retold) or (limit.retold and limit.quality != "secondary"):
        raise ValueError(f"{name} has neither the rule's words (quote) nor a secondary source's (retold), or both")
    _check_words(limit)
    if not limit.starts or not limit.consequence.says:
        raise ValueError(f"{name} has nothing that starts it, or no consequence")
    if not (limit.values or limit.term_of or limit.until):
        raise ValueError(f"{name} does not say how long it runs: values, term_of or until")
    if not all(type(row.since) is date for row in limit.values):
        raise ValueError(f"{name} has values whose 'from' is no date")
    if [row.since for row in limit.values] != sorted({row.since for row in limit.values}):
        raise ValueError(f"{name} has values that are not in the order of their dates")
    if (limit.shape == "set limit") > bool(limit.until):
        raise ValueError(f"{name} is a set limit and does not name the field in which the decision set it")
    for dated in limit.values:
        _check_value(name, dated.value)
    years = [isinstance(dated.value, str) and yearly(dated.value) is not None for dated in limit.values]
    if any(years) and (limit.shape != "calendar" or not all(years)):
        raise ValueError(f"{name} is due on a day of each year, and is no calendar limit that always was")
    if limit.reminder:
        Term.parse(limit.reminder)


def _check_words(limit: Limit) -> None:
    name = limit.id
    if not NAME.fullmatch(name):
        raise ValueError(f"'{name[:40]}' is no name of a limit: small letters, digits, '-' and '_'")
    words = [getattr(limit, key) for key in (*_WORDS, *_OPTIONAL, "retold")] + list(_said(limit))
    if not all(isinstance(word, str) for word in words):
        raise ValueError(f"{name} has a key whose value is no text")
    if not all((limit.title, limit.clause, limit.actor, limit.about, limit.source)):
        raise ValueError(f"{name} has an empty title, clause, actor, about or source")


def _said(limit: Limit) -> tuple[Any, ...]:
    after = limit.consequence
    links = [word for link in limit.links() for word in (link.fact, link.by, *link.where, *link.where.values())]
    return (after.says, after.case, after.denies, *after.notify, *limit.cites, *links)


def _check_value(name: str, value: Value) -> None:
    if type(value) is int:
        if not 1 <= value <= 28:
            raise ValueError(f"{name} is due on no day that every month has")
    elif type(value) is not date and yearly(str(value)) is None:
        Term.parse(str(value))
