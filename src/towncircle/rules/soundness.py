"""What a rule set that somebody adds must keep so that nothing it says stops a party later.

Here: the checks of parameters and limits against the rules that they are laid over, each naming file and field. Not
here: reading the files (`parameters`, `limits`), the keys of `about.json` (`registry`).
Kept: pure; nothing is guessed. A name that nothing asks for, a fact that nobody records and a word that no program
knows are told when the set is read: such a limit would never be due, or would stop every later run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files

from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.rules.calendars import yearly
from towncircle.rules.limits import DENIES, JOURNALS, Limit
from towncircle.rules.parameters import Parameter
from towncircle.rules.terms import Term

FACTS = "facts.json"
_LONGEST_DAYS = 36_600  # house: no term of a rule is longer than a century
_WORDS: Mapping[str, tuple[str, ...]] = {"lapse_effect": ("lock", "warn")}  # parameters of words that a device knows


@cache
def facts_known() -> Mapping[str, frozenset[str]]:
    """Give the kinds of facts that each role's journal can hold."""
    held = json.loads(files("towncircle.rules").joinpath(FACTS).read_text("utf-8"))
    return {role: frozenset(kinds) for role, kinds in held.items()}


def troubles(
    parameters: Mapping[str, Parameter],
    limits: Mapping[str, Limit],
    *,
    places: Mapping[str, str],
    known: Mapping[str, Parameter],
    start: date | None,
) -> Iterator[str]:
    """Say what is wrong with the parameters and limits of a folder, by file and field.

    `places` names the file of each, `known` the parameters that the program asks for, `start` the first day of a world
    of the set.
    """
    terms = {limit.term_of for limit in limits.values()}
    for name, parameter in parameters.items():
        what = _of_parameter(parameter, known.get(name), named=name in terms, start=start)
        if what:
            yield f"{places.get(name, '')}: {name}: {what}"
    whole = {**known, **parameters}
    for name, limit in limits.items():
        for what in _of_limit(limit, whole):
            yield f"{places.get(name, '')}: {name}: {what}"


def _of_parameter(parameter: Parameter, below: Parameter | None, *, named: bool, start: date | None) -> str:
    if below is None:
        return "" if named else "nothing asks for a parameter of this name"
    if parameter.unit != below.unit:
        return f"unit is '{parameter.unit}', and it is asked for as '{below.unit}'"
    if start is not None and parameter.values[0].since > start:
        return f"values begin on {parameter.values[0].since}, and a world of this set begins on {start}"
    words = _WORDS.get(parameter.name)
    for dated in parameter.values:
        if words is not None and dated.value not in words:
            return f"value '{dated.value}' is none of {', '.join(words)}"
        if parameter.unit == "term" and _too_long(str(dated.value)):
            return f"value '{dated.value}' is longer than a century"
        if parameter.name == "contact_interval" and _nothing(str(dated.value)):
            return "value is no time at all: a device would never be in contact"
    return ""


def _of_limit(limit: Limit, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    after = limit.consequence
    if after.denies and after.denies not in DENIES.get(limit.journal, ()):
        can = ", ".join(DENIES.get(limit.journal, ())) or "nothing"
        yield f"denies is '{after.denies}', and in the journal of the {limit.journal} {can} can be denied"
    for role in (limit.party, *after.notify):
        if role not in JOURNALS:
            yield f"party or notify names '{role}', which is none of {', '.join(JOURNALS)}"
    if limit.term_of:
        term = parameters.get(limit.term_of)
        if term is None or term.unit not in ("term", "date"):
            yield f"term_of is '{limit.term_of}', which is no parameter of a term or date"
    for dated in limit.values:
        if isinstance(dated.value, str) and yearly(dated.value) is None and _too_long(dated.value):
            yield f"value '{dated.value}' is longer than a century"
    recorded = facts_known()[limit.journal]
    for link in limit.links():
        if link.fact not in recorded:
            yield f"it rests on '{link.fact}', which nobody records in the journal of the {limit.journal}"


def _too_long(text: str) -> bool:
    begun = Instant.parse("2000-01-01T00:00Z")
    try:
        return Term.parse(text).ends(begun, "UTC") > begun.plus(days=_LONGEST_DAYS)
    except (BadInput, OverflowError, ValueError):
        return True


def _nothing(text: str) -> bool:
    term = Term.parse(text)
    return not (term.months or term.hours or term.days or term.business_days)
