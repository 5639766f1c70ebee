"""Whether a limit that somebody adds can start, be met, be reminded of and be acted on.

Here: the checks of one limit against the facts that rooms record, the fields that those hold, the acts of people and
the rule sets there are. Not here: how a limit is written (`limits`), what is wrong with parameters (`soundness`).
Kept: pure; a word that nothing ever says is told when the set is read, for such a limit would be silent, or overdue for
ever, and nobody would see why.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.rules import acts as people
from towncircle.rules.calendars import yearly
from towncircle.rules.inventory import inventory
from towncircle.rules.limits import DENIES, JOURNALS, LONGEST, PARTY, Limit, Link
from towncircle.rules.parameters import Parameter
from towncircle.rules.procedures import procedures
from towncircle.rules.terms import Term

FACTS, FIELDS = "facts.json", "fields.json"
DECERTIFIED, VALID, WITHDRAWAL = "decertified_on", "indicia_valid_through", "withdrawal"
_SUBJECT, _DEVICE = "subject", "device"
_LONGEST_DAYS = 36_600  # house: no term of a rule is longer than a century
_FIRST, _LAST = 1901, 2998  # house: years whose days lie within the instants that the program counts
_DATED = ("until", "through", "completion_on", "correct_by", "defend_by", "appeal_by")  # fields that hold a day
_OF_DAYS = ("months", "days", "business_days")
_OF_TIME = (*_OF_DAYS, "hours")
_READ: Mapping[str, tuple[str, ...]] = {  # limits whose term the program itself reads, and what it counts it in
    "address-data": _OF_DAYS,
    "defective-device": _OF_DAYS,
    "form-3601-c-kept": _OF_DAYS,
    "inspection-answer": _OF_TIME,
    "license-appeal": _OF_TIME,
    "refunded-envelopes": _OF_TIME,
}
_SET_ANEW = "cure"  # of a procedure: its last day is what the proposal names
_OWED = ("obligation", "interval", "calendar", "set limit")  # a window lapses and a retention is over by themselves
_FILES = ("lost-and-stolen-file.sent", "lost-and-stolen-file.received")  # facts that name the month they are of
_SAID: Mapping[str, tuple[str, ...]] = {"part": ("clock", "timer", "battery")}  # what these fields can hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Hold what a limit can rest on: the parameters and acts of its rule set, and the sets that devices can be of."""

    parameters: Mapping[str, Parameter]
    acts: Mapping[str, people.Act]
    regimes: Collection[str]
    start: date | None = None


@cache
def limits_read() -> Mapping[str, tuple[str, ...]]:
    """Give the limits whose term the program itself reads, and the units in which it can count each."""
    counted = (name for form in procedures().values() for key, name in form.limits.items() if key != _SET_ANEW)
    return {**_READ, **dict.fromkeys(sorted(counted), _OF_TIME)}


@cache
def _of_procedures() -> tuple[str, ...]:
    return tuple(sorted({name for form in procedures().values() for name in form.limits.values()}))


def facts_known() -> Mapping[str, frozenset[str]]:
    """Give the kinds of facts that each role's journal can hold."""
    return _sheet(FACTS)


def fields_known() -> Mapping[str, frozenset[str]]:
    """Give the fields that each kind of fact can hold."""
    return _sheet(FIELDS)


@cache
def _sheet(name: str) -> Mapping[str, frozenset[str]]:
    held = json.loads(files("towncircle.rules").joinpath(name).read_text("utf-8"))
    return {key: frozenset(words) for key, words in held.items()}


def of_limit(limit: Limit, around: Around) -> Iterator[str]:
    """Say what of a limit could never be, or would stop a party."""
    unknown = [one for one in limit.cites if one not in inventory()]
    if unknown:
        yield f"cites names {', '.join(unknown)}, which is no requirement"
    yield from _consequence(limit)
    yield from _length(limit, around)
    recorded = facts_known()[limit.journal]
    for link in limit.links():
        if link.fact not in recorded:
            yield f"it rests on '{link.fact}', which nobody records in the journal of the {limit.journal}"
        else:
            yield from _link(limit, link, around)


def of_use(limit: Limit, around: Around) -> Iterator[str]:
    """Say what of a limit would stop a party, or never be met, that an earlier release took."""
    for key, text in (("title", limit.title), ("clause", limit.clause), ("says", limit.consequence.says)):
        if len(text) > LONGEST[key]:
            yield f"{key} is longer than {LONGEST[key]} letters"
    if limit.values and limit.term_of:
        yield "it says twice how long it runs: values and term_of"
    if limit.until and limit.until not in _DATED:
        yield f"until is '{limit.until}', which holds no day: {', '.join(_DATED)}"
    if limit.id in limits_read():
        yield from _read(limit, around)
    if limit.id in _of_procedures() and limit.journal != "postal":
        yield f"it is in the journal of the {limit.journal}, and the procedure is in that of the postal"
    if _recurs(limit):
        yield from _periods(limit, around)
    elif limit.shape in _OWED and not (limit.met_by or limit.ends):
        yield f"met_by and ends are empty: nobody could ever meet this {limit.shape}, and nothing ends it"


def _periods(limit: Limit, around: Around) -> Iterator[str]:
    """Say what of the facts that meet a limit of each month or year names no such period."""
    period = people.MONTH if _monthly(limit) else people.YEAR
    if not limit.met_by:
        yield f"it is due each {period}, and nothing meets it"
    for link in limit.met_by:
        act = around.acts.get(link.where.get("act", "")) if link.fact == people.FACT else None
        if act is not None and act.period != period:
            yield f"it is met for a {period}, and the act '{act.name}' is done for a {act.period}"
        elif link.fact == people.FACT and "act" not in link.where:
            yield f"it is met for a {period} by any act: where = {{ act = NAME }} names one that is done for it"
        elif act is None and (link.fact not in _FILES or period != people.MONTH):
            yield f"it is met for a {period}, and '{link.fact}' names none"


def _consequence(limit: Limit) -> Iterator[str]:
    after = limit.consequence
    if after.denies and after.denies not in DENIES.get(limit.journal, ()):
        can = ", ".join(DENIES.get(limit.journal, ())) or "nothing"
        yield f"denies is '{after.denies}', and in the journal of the {limit.journal} {can} can be denied"
    elif after.denies:
        other = next((link.by for link in limit.links() if link.by not in (_SUBJECT, _DEVICE)), "")
        if limit.about != _DEVICE or other:
            yield f"denies is '{after.denies}' of a device, and it is about the {other or limit.about}"
    for role in (limit.party, *after.notify):
        if role not in JOURNALS:
            yield f"party or notify names '{role}', which is none of {', '.join(JOURNALS)}"
    if limit.reminder:
        term = Term.parse(limit.reminder)
        if term.months or term.business_days or too_long(limit.reminder):
            yield f"reminder is '{limit.reminder}': it is counted back, in days or hours of at most a century"


def _length(limit: Limit, around: Around) -> Iterator[str]:
    if limit.term_of:
        term = around.parameters.get(limit.term_of)
        if term is None or term.unit not in ("term", "date"):
            yield f"term_of is '{limit.term_of}', which is no parameter of a term or date"
    kinds = set()
    for dated in limit.values:
        value = dated.value
        kinds.add(int if type(value) is int else date if isinstance(value, date) else str)
        if isinstance(value, date) and out_of_range(value):
            yield f"value {value} lies outside the years {_FIRST} to {_LAST}"
        if isinstance(value, str) and yearly(value) is None and too_long(value):
            yield f"value '{value}' is longer than a century"
    if len(kinds) > 1:
        yield "values are of several kinds: a term, a date and a day of the month are counted each in its own way"
    for link in (*limit.starts, *limit.restarts) if limit.until else ():
        if limit.until not in fields_known().get(link.fact, ()):
            yield f"until is '{limit.until}', which '{link.fact}' does not say"


def _read(limit: Limit, around: Around) -> Iterator[str]:
    """Say what the program, which counts by this limit itself, could not count."""
    named = around.parameters.get(limit.term_of)
    dates = named.values if named is not None else limit.values
    units = limits_read()[limit.id]
    if not dates:
        yield "it has no term, by which the program counts: values or term_of"
    elif around.start is not None and named is None and dates[0].since > around.start:
        yield f"values begin on {dates[0].since}, and a world of this set begins on {around.start}"
    for value in (dated.value for dated in dates):
        try:
            term = Term.parse(str(value))
        except ValueError:
            yield f"its length is '{value}', and the program counts it as a term"
            continue
        if any(getattr(term, unit) for unit in _OF_TIME if unit not in units):
            yield f"its length is '{value}', which is counted in days, business days or months only"


def _link(limit: Limit, link: Link, around: Around) -> Iterator[str]:
    fields = fields_known().get(link.fact, frozenset())
    if link.by not in (_SUBJECT, PARTY) and link.by not in fields:
        yield f"by is '{link.by}', which '{link.fact}' does not say: subject, party, {', '.join(sorted(fields))}"
    for name, value in link.where.items():
        if name not in fields:
            yield f"where names '{name}', which '{link.fact}' does not say: {', '.join(sorted(fields)) or 'nothing'}"
        elif value not in _SAID.get(name, (value,)):
            yield f"where asks for {name} '{value}', which is none of {', '.join(_SAID[name])}"
    if "regime" in link.where and link.where["regime"] not in around.regimes:
        yield f"where asks for the regime '{link.where['regime']}', which it is not laid over"
    if link.fact == people.FACT and "act" in link.where:
        yield from _of_act(limit, link, around)


def _of_act(limit: Limit, link: Link, around: Around) -> Iterator[str]:
    name = link.where["act"]
    act = people.acts().get(name) or around.acts.get(name)
    if act is None:
        yield f"where asks for the act '{name}', which nobody records"
    elif act.by != limit.journal:
        yield f"it rests on the act '{name}' of {act.party}, in the journal of the {limit.journal}"
    elif link.by == "about" and not act.about:
        yield f"by is 'about', and the act '{name}' is about nobody"
    elif link in limit.met_by and _recurs(limit) and not act.period:
        yield f"it is met for a period, and the act '{name}' is done for none"


def _recurs(limit: Limit) -> bool:
    yearly_too = any(isinstance(one.value, str) and yearly(one.value) for one in limit.values)
    return limit.shape == "calendar" and (_monthly(limit) or yearly_too)


def _monthly(limit: Limit) -> bool:
    return any(type(one.value) is int for one in limit.values)


def of_end(
    parameters: Mapping[str, Parameter], limits: Mapping[str, Limit], *, name: str, regimes: Collection[str]
) -> Iterator[str]:
    """Say what is wrong with the days on which a rule set ends another one (IMI-08, IMI-09)."""
    if DECERTIFIED not in parameters:
        return
    limit = limits.get(WITHDRAWAL)
    if VALID not in parameters or limit is None:
        yield f"{DECERTIFIED} is there without {VALID} or the limit {WITHDRAWAL}"
        return
    last = limit.values[-1].value if limit.values else None
    if not isinstance(last, date):
        yield f"{WITHDRAWAL}: its values are no date, and {DECERTIFIED} asks for the last day in service"
        return
    first, valid = (parameters[one].values[-1].value for one in (DECERTIFIED, VALID))
    assert isinstance(first, date)
    assert isinstance(valid, date)
    if not first <= last or not first <= valid:
        yield f"{DECERTIFIED} ({first}) lies after the last day in service ({last}) or of its indicia ({valid})"
    ended = ended_by(limits)
    if not ended or any("regime" not in link.where for link in limit.starts):
        yield f"{WITHDRAWAL}: a fact that starts it names no regime that ends (where = {{ regime = NAME }})"
    wrong = sorted(one for one in ended if one == name or one not in regimes)
    if wrong:
        yield f"{WITHDRAWAL}: it ends '{wrong[0]}', which is no rule set that it is laid over"


def ended_by(limits: Mapping[str, Limit]) -> frozenset[str]:
    """Name the regimes whose systems a rule set withdraws: those that start its limit `withdrawal`."""
    limit = limits.get(WITHDRAWAL)
    return frozenset(link.where["regime"] for link in (limit.starts if limit else ()) if "regime" in link.where)


def out_of_range(day: date) -> bool:
    """Tell whether a day lies outside what the program counts."""
    return not _FIRST <= day.year <= _LAST


def too_long(text: str) -> bool:
    """Tell whether a term is longer than a century, or cannot be counted at all."""
    begun = Instant.parse("2000-01-01T00:00Z")
    try:
        return Term.parse(text).ends(begun, "UTC") > begun.plus(days=_LONGEST_DAYS)
    except (BadInput, OverflowError, ValueError):
        return True
