"""Rule sets: parameters by name, one set laid over another.

Here: loading, look-up by name and day, the digest under which decisions are recorded. Not here: the numbers.
Kept: `imi-2024` inherits every 1998 term that it does not replace, and says which (house.md 6). A rule set is a value:
changing a parameter gives another rule set with another digest.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.money import Mills
from towncircle.rules.parameters import Parameter, Value, read_parameter
from towncircle.rules.registry import About, registry
from towncircle.rules.terms import Length, Term

REGISTRY: Mapping[str, About] = registry()
# the rule sets that can be used: each one's folder, and the rule set it is laid over
RULESETS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {name: (about.folder, about.over) for name, about in REGISTRY.items() if not about.trouble}
)
_COMPLETE = "ibi-1998"  # the rule set that has every parameter the program asks for


class RuleSet:
    """Hold the parameters of one regulation and answer for a day.

    `digest` is the SHA-256 (hex) over all parameters; `inherited` names those taken over from the set below.
    """

    __slots__ = ("digest", "inherited", "name", "parameters")

    def __init__(self, name: str, parameters: Mapping[str, Parameter], inherited: frozenset[str]) -> None:
        self.name = name
        self.parameters: Mapping[str, Parameter] = MappingProxyType(dict(sorted(parameters.items())))
        self.inherited = inherited
        self.digest = _digest(name, self.parameters)

    def __repr__(self) -> str:
        return f"RuleSet({self.name}, {self.digest[:12]})"

    def mills(self, name: str, on: date) -> Mills:
        """Give an amount of money in force on a day."""
        return Mills(self._int(name, "mills", on))

    def integer(self, name: str, on: date) -> int:
        """Give a whole number in force on a day."""
        return self._int(name, "integer", on)

    def term(self, name: str, on: date) -> Term:
        """Give a term (calendar months, days or hours) in force on a day."""
        return Term.parse(str(self._value(name, "term", on)))

    def text(self, name: str, on: date) -> str:
        """Give a word in force on a day."""
        return str(self._value(name, "text", on))

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
        return RuleSet(self.name, {**self.parameters, name: changed}, self.inherited - {name})

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

    Raises `BadInput` (rules.no-such-set; rules.set-unusable, rules.set-lacks for a folder that somebody added).
    """
    if name in REGISTRY and REGISTRY[name].trouble:
        raise BadInput("rules.set-unusable", name=name, folder=REGISTRY[name].folder, what=REGISTRY[name].trouble)
    if name not in RULESETS:
        raise BadInput("rules.no-such-set", name=name[:40], known=", ".join(RULESETS))
    folder, below = RULESETS[name]
    own = _load(folder)
    inherited = ruleset(below).parameters if below else {}
    lacking = set() if name == _COMPLETE else ruleset(_COMPLETE).parameters.keys() - own.keys() - inherited.keys()
    if lacking:
        raise BadInput("rules.set-lacks", name=name, folder=folder, parameters=", ".join(sorted(lacking)))
    return RuleSet(name, {**inherited, **own}, frozenset(inherited.keys() - own.keys()))


def chain(name: str) -> tuple[str, ...]:
    """Name a rule set and those it is laid over, the lowest first: what a Postal Service under it still knows."""
    below = RULESETS[ruleset(name).name][1]
    return (*(chain(below) if below else ()), name)


def _load(folder: str) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for file in sorted(files("towncircle.rules").joinpath(folder).iterdir(), key=lambda item: item.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            sheet = tomllib.loads(file.read_text("utf-8"))
            source, quality = sheet.pop("source"), sheet.pop("quality")
            for name, table in sheet.items():
                if name in found:
                    raise ValueError(f"{name} stands in two files")
                found[name] = read_parameter(name, table, source=source, quality=quality)
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenInvariant("rules.file-unreadable", file=f"{folder}/{file.name}", what=error) from error
    return found


def _digest(name: str, parameters: Mapping[str, Parameter]) -> str:
    record = [name, [parameter.as_dict() for parameter in parameters.values()]]
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
