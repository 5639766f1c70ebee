"""What a rule set that somebody adds must keep so that nothing it says stops a party later.

Here: the checks of parameters against what the program asks of them, and of the set as a whole, each naming file and
field. Not here: limits (`reachable`), reading files (`parameters`, `limits`), the keys of `about.json` (`registry`).
Kept: pure; nothing is guessed. A name that nothing asks for, a fact that nobody records and a word that no program
knows are told when the set is read: such a limit would never be due, or would stop every later run. So is a figure that
the program would read as another one: "2 months" where it counts days.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from fractions import Fraction

from towncircle.rules.acts import Act
from towncircle.rules.limits import Limit
from towncircle.rules.parameters import CLAUSE_LETTERS, Parameter
from towncircle.rules.reachable import Around, of_end, of_limit, of_use, out_of_range, too_long
from towncircle.rules.terms import Length, Term

# parameters of words: those that the program knows
WORDS: Mapping[str, tuple[str, ...]] = {
    "lapse_effect": ("lock", "warn"),
    "delivery_barcode": ("Intelligent Mail", "POSTNET"),
    "fim_shapes": ("letter", "card", "flat"),
}
_SEVERAL = ("fim_shapes",)  # of several words, told apart by ", "
_DAYS, _CLOCK = ("days",), ("months", "hours")
COUNTED: Mapping[str, tuple[str, ...]] = {  # in which units the program counts a term
    "certificate_warning": _DAYS,
    "contact_interval": _CLOCK,
    "contact_warning": _CLOCK,
    "key_renewal_interval": ("months", "days", "hours"),
    "month_only_grace": _DAYS,
    "next_collection": _DAYS,
    "refund_window": _DAYS,
}
_MOST: Mapping[str, int] = {"mills": 10**12, "integer": 100_000}  # house: a billion dollars; a century's days and more
LONGEST_TEXT: Mapping[str, int] = {"service_out": 80, "service_back": 80}  # what a shipment says of its service
_PERCENT = ("refund_share",)
_WHOLE = 100
_LONGEST_INCHES = 100  # house: no paper that a mark stands on is longer
_INCH = Length.POINTS["in"]


def troubles(  # what a set says, and what it is laid over
    parameters: Mapping[str, Parameter],
    limits: Mapping[str, Limit],
    *,
    places: Mapping[str, str],
    asked: Mapping[str, Parameter],
    whole: tuple[str, Mapping[str, Parameter], Mapping[str, Limit], Mapping[str, Act]],
    regimes: Collection[str],
    start: date | None,
) -> Iterator[str]:
    """Say what is wrong with the parameters and limits of a folder, by file and field.

    `places` names the file of each, `asked` holds the parameters that the program asks for, `whole` the set's name and
    its parameters, limits and acts with those below, `regimes` names the sets below it and itself, `start` is the first
    day of a world of the set.
    """
    name, all_parameters, all_limits, acts = whole
    terms = {limit.term_of for limit in all_limits.values()}
    for key, parameter in parameters.items():
        what = _of_parameter(parameter, asked.get(key), named=key in terms, start=start)
        if what:
            yield f"{places.get(key, '')}: {key}: {what}"
    around = Around(parameters=all_parameters, acts=acts, regimes=regimes)
    for key, limit in {**limits, **all_limits}.items():  # one from below can be undone by an act of this one
        for what in of_limit(limit, around):
            yield f"{places.get(key, 'limits below')}: {key}: {what}"
    yield from of_end(all_parameters, all_limits, name=name, regimes=regimes)


def troubles_of_use(
    parameters: Mapping[str, Parameter],
    *,
    places: Mapping[str, str],
    whole: tuple[str, Mapping[str, Parameter], Mapping[str, Limit], Mapping[str, Act]],
    regimes: Collection[str],
    start: date | None,
) -> Iterator[str]:
    """Say what an earlier release took and would stop a party: a world that was begun under it goes on."""
    _, all_parameters, limits, acts = whole
    around = Around(parameters=all_parameters, acts=acts, regimes=regimes, start=start)
    for key, limit in limits.items():
        for what in of_use(limit, around):
            yield f"{places.get(key, 'limits below')}: {key}: {what}"
    clauses = [(key, one.clause) for key, one in parameters.items()] + [(key, one.clause) for key, one in acts.items()]
    for key, clause in clauses:
        if len(clause) > CLAUSE_LETTERS:
            yield f"{places.get(key, '')}: {key}: clause is longer than {CLAUSE_LETTERS} letters"
    for key, most in LONGEST_TEXT.items():
        if key in parameters and any(len(str(one.value)) > most for one in parameters[key].values):
            yield f"{places.get(key, '')}: {key}: value is longer than {most} letters"


def _of_parameter(parameter: Parameter, asked: Parameter | None, *, named: bool, start: date | None) -> str:
    if not parameter.clause:
        return "it has no clause"
    if asked is None and not named:
        return "nothing asks for a parameter of this name"
    if asked is not None and parameter.unit != asked.unit:
        return f"unit is '{parameter.unit}', and it is asked for as '{asked.unit}'"
    if start is not None and parameter.values[0].since > start:
        return f"values begin on {parameter.values[0].since}, and a world of this set begins on {start}"
    return next((what for dated in parameter.values if (what := _of_value(parameter, dated.value))), "")


def _of_value(parameter: Parameter, value: int | str | date) -> str:
    name, unit = parameter.name, parameter.unit
    words = WORDS.get(name)
    said = str(value).split(", ") if name in _SEVERAL else [value]
    if words is not None and any(word not in words for word in said):
        return f"value '{value}' is none of {', '.join(words)}"
    if isinstance(value, date):
        return f"value {value} lies outside the years that are counted" if out_of_range(value) else ""
    if isinstance(value, int):
        most = _WHOLE if name in _PERCENT else _MOST[unit]
        return f"value {value if value < 10**15 else 'of many digits'} is more than {most:_}" if value > most else ""
    if unit == "length":
        longest = Fraction(_LONGEST_INCHES) * _INCH
        return "value is longer than any paper" if Length.parse(value).points > longest else ""
    return _of_term(name, value) if unit == "term" else ""


def _of_term(name: str, text: str) -> str:
    term, counted = Term.parse(text), COUNTED.get(name)
    used = {unit for unit in ("months", "hours", "days", "business_days") if getattr(term, unit)}
    if too_long(text):
        return f"value '{text}' is longer than a century"
    if counted is not None and not used <= {*counted}:
        return f"value '{text}' is counted in {' or '.join(counted)} only"
    if name == "contact_interval" and not used:
        return "value is no time at all: a device would never be in contact"
    return ""
