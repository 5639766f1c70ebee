"""Rule sets: parameters and limits by name, one set laid over another.

Here: loading, look-up by name and day, the digest under which decisions are recorded. Not here: the numbers.
Kept: `imi-2024` inherits every 1998 term that it does not replace, and says which (house.md 6). A rule set is a value:
changing a parameter or a limit gives another rule set with another digest.

The folder of a rule set holds parameters in `*.toml`, time limits in `limits/*.toml` and acts of people that it orders
beside those of the inventory in `acts/*.toml`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.rules.acts import Act
from towncircle.rules.calendars import WASHINGTON
from towncircle.rules.folders import load, nothing_else
from towncircle.rules.limits import Limit
from towncircle.rules.parameters import Parameter, Value
from towncircle.rules.reachable import DECERTIFIED, ended_by, limits_read
from towncircle.rules.registry import INDICIA, About, registry
from towncircle.rules.soundness import troubles, troubles_of_use
from towncircle.rules.terms import Length, Term

_DESIGN = ("over", "layout", "scheme")  # of `about.json`: what is known, printed and signed under a set
_COMPLETE = "ibi-1998"  # the rule set that has every parameter the program asks for


class RuleSet:
    """Hold the parameters and the time limits of one regulation and answer for a day.

    `digest` is the SHA-256 (hex) over all of them, the acts of its own and its `design`: what `about.json` says of the
    set below it and of the layout and signatures of its indicia. `former` are those of before acts, and then the
    design, were covered, under which older decisions stand; `inherited` names the parameters taken over from the set
    below.
    """

    __slots__ = ("acts", "design", "digest", "former", "inherited", "limits", "name", "parameters")

    def __init__(
        self,
        name: str,
        parameters: Mapping[str, Parameter],
        inherited: frozenset[str],
        limits: Mapping[str, Limit] = MappingProxyType({}),
        acts: Mapping[str, Act] = MappingProxyType({}),
        design: Mapping[str, str | None] = MappingProxyType({}),
    ) -> None:
        self.name = name
        self.parameters: Mapping[str, Parameter] = MappingProxyType(dict(sorted(parameters.items())))
        self.limits: Mapping[str, Limit] = MappingProxyType(dict(sorted(limits.items())))
        self.inherited = inherited
        self.acts: Mapping[str, Act] = MappingProxyType(dict(sorted(acts.items())))
        self.design: Mapping[str, str | None] = MappingProxyType(dict(design))
        covered = ((), (acts,), (acts, design))  # by the first release, and by each that covered more
        digests = [_digest(name, self.parameters, self.limits, *more) for more in covered]
        self.former, self.digest = frozenset(digests[:-1]), digests[-1]

    def __repr__(self) -> str:
        return f"RuleSet({self.name}, {self.digest[:12]})"

    def mills(self, name: str, on: date) -> Mills:
        """Give an amount of money in force on a day."""
        return Mills(self._int(name, "mills", on))

    def highest_mills(self, name: str, on: date) -> Mills:
        """Give the highest amount that a parameter ever had up to a day."""
        return Mills(self._parameter(name, "mills").highest(on))

    def integer(self, name: str, on: date) -> int:
        """Give a whole number in force on a day."""
        return self._int(name, "integer", on)

    def term(self, name: str, on: date) -> Term:
        """Give a term (calendar months, days or hours) in force on a day."""
        return Term.parse(str(self._value(name, "term", on)))

    def text(self, name: str, on: date) -> str:
        """Give a word in force on a day."""
        return str(self._value(name, "text", on))

    def value_of(self, limit: Limit, on: date, *, begun: date | None = None) -> Value | None:
        """Give how long a limit runs: by the parameter that it names, else by its values; None before the first one.

        `on` is the day whose value counts, `begun` the day from which a named parameter counts, where it is another.
        """
        if not limit.term_of:
            return limit.on(on)
        parameter = self.parameters.get(limit.term_of)
        return parameter.on(begun or on) if parameter is not None else None

    def length_of(self, name: str, on: date) -> Term:
        """Give the term of a limit in force on a day. Raises `Refused` (rules.not-in-force)."""
        limit = self.limits[name]
        value = self.value_of(limit, on)
        if value is None:
            since = limit.values[0].since if limit.values else "no day"
            raise Refused("rules.not-in-force", ruleset=self.name, name=name, on=on, since=since)
        return Term.parse(str(value))

    def length(self, name: str, on: date) -> Length:
        """Give a length on paper in force on a day."""
        return Length.parse(str(self._value(name, "length", on)))

    def day(self, name: str) -> date:
        """Give a date that the rule itself sets (the latest one it has set)."""
        value = self._parameter(name, "date").values[-1].value
        assert isinstance(value, date)
        return value

    def clause(self, name: str) -> str:
        """Give the clause of a parameter, for an error or a finding that rests on it."""
        return self._parameter(name, None).clause

    def with_value(self, name: str, value: Value) -> RuleSet:
        """Give this rule set with one parameter changed: for a signed update, and for tests.

        The value has the form of the rule file (`"72 hours"`, `500_000`). Raises `BadInput` (rules.value-unreadable).
        """
        changed = self._parameter(name, None).with_value(value)
        changed_to = {**self.parameters, name: changed}
        return RuleSet(self.name, changed_to, self.inherited - {name}, self.limits, self.acts, self.design)

    def with_limit(self, limit: Limit) -> RuleSet:
        """Give this rule set with one limit changed or added."""
        limits = {**self.limits, limit.id: limit}
        return RuleSet(self.name, self.parameters, self.inherited, limits, self.acts, self.design)

    def check_start(self, on: date) -> None:
        """Check that what the program asks for is in force on a world's first day.

        Raises `Refused` (rules.not-in-force).
        """
        for parameter in self.parameters.values():
            if parameter.values[0].since > on:
                raise Refused(
                    "rules.not-in-force",
                    ruleset=self.name,
                    name=parameter.name,
                    on=on,
                    since=parameter.values[0].since,
                )
        for name in limits_read():
            if name in self.limits:
                self.length_of(name, on)

    def with_folder(self, folder: Traversable) -> RuleSet:
        """Give this rule set with the rule files of a folder laid over it. Raises `BadInput` (rules.no-such-folder)."""
        if not folder.is_dir():
            raise BadInput("rules.no-such-folder", folder=folder, what="it is no folder")
        try:
            nothing_else(folder)
            parameters, limits, acts, places = load(folder)
        except BrokenInvariant as error:  # in our own folder that is a defect, in a user's a slip
            raise BadInput("rules.no-such-folder", folder=folder, what=error.sentence.rstrip(".")) from error
        if not parameters and not limits and not acts:
            what = "it holds no rule file (*.toml, limits/*.toml, acts/*.toml)"
            raise BadInput("rules.no-such-folder", folder=folder, what=what)
        whole = RuleSet(
            self.name,
            {**self.parameters, **parameters},
            self.inherited - frozenset(parameters),
            {**self.limits, **limits},
            {**self.acts, **acts},
            self.design,
        )
        asked, regimes = {**_asked(REGISTRY), **self.parameters}, chain(self.name)
        found = troubles(
            parameters, limits, places=places, asked=asked, whole=whole.parts(), regimes=regimes, start=None
        )
        used = troubles_of_use(parameters, places=places, whole=whole.parts(), regimes=regimes, start=None)
        if wrong := next(found, "") or next(used, ""):
            raise BadInput("rules.no-such-folder", folder=folder, what=wrong)
        return whole

    def parts(self) -> tuple[str, Mapping[str, Parameter], Mapping[str, Limit], Mapping[str, Act]]:
        """Give its name, its parameters, its limits and the acts of its own."""
        return self.name, self.parameters, self.limits, self.acts

    def knows(self, digest: str) -> bool:
        """Tell whether a decision that bears a digest was made under this rule set."""
        return digest == self.digest or digest in self.former

    def ended(self, regime: str) -> bool:
        """Tell whether the systems of another regime are decertified under this rule set (IMI-08)."""
        return DECERTIFIED in self.parameters and regime in ended_by(self.limits)

    def _int(self, name: str, unit: str, on: date) -> int:
        value = self._value(name, unit, on)
        assert isinstance(value, int)
        return value

    def _value(self, name: str, unit: str, on: date) -> Value:
        parameter = self._parameter(name, unit)
        value = parameter.on(on)
        if value is None:
            raise Refused("rules.not-in-force", ruleset=self.name, name=name, on=on, since=parameter.values[0].since)
        return value

    def _parameter(self, name: str, unit: str | None) -> Parameter:
        parameter = self.parameters.get(name)
        if parameter is None or unit not in (None, parameter.unit):
            raise BrokenInvariant("rules.no-such-parameter", ruleset=self.name, name=name, unit=unit or "anything")
        return parameter


@cache
def ruleset(name: str) -> RuleSet:
    """Give a rule set by its name, such as `imi-2024`.

    Raises `BadInput` (rules.no-such-set; rules.set-unusable for a folder that somebody added).
    """
    if name in REGISTRY and not REGISTRY[name].former:
        _check_sound(name)
    if name not in REGISTRY:
        raise BadInput("rules.no-such-set", name=name[:40], known=", ".join(RULESETS))
    below = REGISTRY[name].over
    return _laid(REGISTRY[name], ruleset(below) if below else None)


def begun(name: str) -> RuleSet:
    """Give a rule set for a world that begins under it, or goes over to it: one that nothing is wrong with.

    Raises `BadInput` (rules.no-such-set, rules.set-unusable).
    """
    rules = ruleset(name)
    _check_sound(name)
    return rules


def check_indicia(name: str) -> None:
    """Check that a device can be given the indicia of a rule set. Raises `BadInput` (rules.set-unusable)."""
    if REGISTRY[name].layout not in INDICIA:
        _check_sound(name)


def _check_sound(name: str) -> None:
    if REGISTRY[name].trouble:
        raise BadInput("rules.set-unusable", name=name, folder=REGISTRY[name].folder, what=REGISTRY[name].trouble)


def chain(name: str) -> tuple[str, ...]:
    """Name a rule set and those it is laid over, the lowest first: what a Postal Service under it still knows."""
    below = REGISTRY[ruleset(name).name].over
    return (*(chain(below) if below else ()), name)


def _built(about: About, found: Mapping[str, About]) -> RuleSet:
    return _laid(about, _built(found[about.over], found) if about.over else None)


def _laid(about: About, under: RuleSet | None) -> RuleSet:
    folder = files("towncircle.rules").joinpath(about.folder)
    if not about.added:
        nothing_else(folder)
    parameters, limits, acts, _ = load(folder)
    inherited = under.parameters if under else {}
    return RuleSet(
        about.name,
        {**inherited, **parameters},
        frozenset(inherited.keys() - parameters.keys()),
        {**(under.limits if under else {}), **limits},
        {**(under.acts if under else {}), **acts},
        {name: getattr(about, name) for name in _DESIGN},
    )


def examined(found: Mapping[str, About]) -> Mapping[str, About]:
    """Look into the folders that somebody added; one that cannot be used says why and stops no other."""
    told = dict(found)
    if not any(about.added for about in found.values()):
        return found
    asked = _asked(found)
    for name in sorted(found, key=lambda one: _depth(found, one)):
        about = told[name]
        if about.added and (about.former or not about.trouble):
            below = told[about.over] if about.over else None
            lower = f"about.json: over: it is laid over '{about.over}', which cannot be used"
            wrong = lower if below and below.trouble else _trouble(about, told, asked)
            slip = about.trouble or ("" if wrong else _stray(about) or _of_use(about, told))
            told[name] = replace(about, trouble=wrong or slip, former=not wrong and bool(slip))
    return MappingProxyType(told)


def _stray(about: About) -> str:
    """Name the file that nobody reads, or nothing: a world that was begun beside one goes on."""
    try:
        nothing_else(files("towncircle.rules").joinpath(about.folder))
    except BrokenInvariant as error:
        return error.sentence.rstrip(".")
    return ""


def _of_use(about: About, found: Mapping[str, About]) -> str:
    """Say what an earlier release took and would stop a party, or nothing: a world that was begun under it goes on."""
    parameters, _, _, places = load(files("towncircle.rules").joinpath(about.folder))
    whole, regimes = _built(about, found), _names_below(about, found)
    start = Instant.parse(about.start).date_in(WASHINGTON)
    said = troubles_of_use(parameters, places=places, whole=whole.parts(), regimes=regimes, start=start)
    return _begins_late(whole, start) or next(said, "")


def _asked(found: Mapping[str, About]) -> Mapping[str, Parameter]:
    """Give the parameters that the program asks for: those that come with it have them."""
    asked: dict[str, Parameter] = {}
    for about in found.values():
        if not about.added and not about.trouble:
            asked = {**_built(about, found).parameters, **asked}
    return asked


def _trouble(about: About, found: Mapping[str, About], asked: Mapping[str, Parameter]) -> str:
    """Say why the folder of a rule set cannot be used, or nothing."""
    try:
        parameters, limits, _, places = load(files("towncircle.rules").joinpath(about.folder))
        whole = _built(about, found)
    except BrokenInvariant as error:
        return error.sentence.rstrip(".")
    complete = _built(found[_COMPLETE], found)
    lacking = sorted(complete.parameters.keys() - whole.parameters.keys())
    if lacking:
        return f"it lacks these parameters: {', '.join(lacking)}"
    lacking = sorted(complete.limits.keys() - whole.limits.keys())
    if lacking:
        return f"it lacks these limits: {', '.join(lacking)}"
    start = Instant.parse(about.start).date_in("UTC")  # as an earlier release took it; the day that counts: `_of_use`
    regimes = _names_below(about, found)
    said = troubles(parameters, limits, places=places, asked=asked, whole=whole.parts(), regimes=regimes, start=start)
    return next(said, "") or _begins_late(whole, start)


def _begins_late(whole: RuleSet, start: date) -> str:
    """Name a parameter that is not in force on the first day of a world of the set, or nothing."""
    late = next((one for one in whole.parameters.values() if one.values[0].since > start), None)
    if late is None:
        return ""
    return f"about.json: start: on {start} the parameter {late.name} is not in force, which begins later"


def _names_below(about: About, found: Mapping[str, About]) -> tuple[str, ...]:
    return (about.name, *(_names_below(found[about.over], found) if about.over else ()))


def _depth(found: Mapping[str, About], name: str) -> int:
    over = found[name].over
    return 0 if over is None or found[name].trouble else 1 + _depth(found, over)


def _digest(
    name: str,
    parameters: Mapping[str, Parameter],
    limits: Mapping[str, Limit],
    acts: Mapping[str, Act] = MappingProxyType({}),
    design: Mapping[str, str | None] = MappingProxyType({}),
) -> str:
    record: list[Any] = [name, [parameter.as_dict() for parameter in parameters.values()]]
    record.append([limit.as_dict() for limit in limits.values()])
    if acts:  # a set without acts of its own keeps the digest that it had before acts were covered
        record.append([act.as_dict() for act in sorted(acts.values(), key=lambda act: act.name)])
    if design:  # likewise; a table, so that it is no list of acts
        record.append(dict(design))
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


REGISTRY: Mapping[str, About] = examined(registry())
# the rule sets that can be used: each one's folder, and the rule set it is laid over
RULESETS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {name: (about.folder, about.over) for name, about in REGISTRY.items() if not about.trouble}
)
