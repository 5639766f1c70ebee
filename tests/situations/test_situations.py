"""The situations, played to the real engine and the real worker; see README.md."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from towncircle.kernel.context import Context
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import SeededRandomness
from towncircle.kernel.store import MemoryStore
from towncircle.provider.denials import EFFECTS
from towncircle.rules import RULESETS, Duty, derive, ruleset
from towncircle.rules.acting import act
from towncircle.rules.duties import HEADQUARTERS

HERE = Path(__file__).parent
WORDS = {
    "limit.reminded": "reminds {to}",
    "limit.missed": "missed",
    "limit.mended": "mended",
    "notice.given": "notice to {to}",
    "limit.case-opened": "opens case: {case}",
    "limit.case-closed": "closes case: {case}",
    "resets.denied": "denies resets of {subject}",
    "resets.allowed": "allows resets of {subject}",
}


@dataclass(frozen=True)
class Moment:
    """One moment of a situation."""

    name: str
    rules: str
    journal: str
    limit: str
    zone: str
    facts: tuple[Fact, ...]
    told: dict[str, Any]

    @property
    def at(self) -> Instant:
        return instant(self.told["at"], self.zone)

    def duties(self) -> list[Duty]:
        found = derive(ruleset(self.rules), self.facts, party=self.journal, as_of=self.at)
        return [duty for duty in found if duty.limit.id == self.limit]

    def acted(self) -> list[str]:
        store = MemoryStore()
        with store.transaction() as tx:
            for fact in self.facts:
                if fact.recorded_at <= self.at:
                    tx.append_fact(fact)
            context = Context(
                tx=tx,
                now=self.at,
                party=self.journal,
                actor=self.journal,
                randomness=SeededRandomness(1, self.name),
                rule_digest=ruleset(self.rules).digest,
                unseal=lambda *_: None,
            )
            count = len(tx.facts())
            act(context, ruleset(self.rules), effects=EFFECTS, wanted=lambda limit: limit.id == self.limit)
            done = tx.facts()[count:]
        assert {fact.rule_digest for fact in done} <= {ruleset(self.rules).digest}
        return [WORDS[fact.type].format(subject=fact.subject, **fact.body) for fact in done]


def instant(text: str, zone: str) -> Instant:
    if "T" in text:
        return Instant.parse(text)
    return Instant.of(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone)))


def fact(line: str, number: int, zone: str, journal: str, office: str) -> Fact:
    when, kind, subject, *fields = (part.strip() for part in line.split("|"))
    body = dict(field.split(" = ", 1) for field in fields)
    occurred = instant(when, zone)
    recorded = instant(body.pop("recorded"), zone) if "recorded" in body else occurred
    if office:
        body["zone"] = office
    return Fact(
        id=f"FACT-{number}",
        type=kind,
        subject=subject,
        actor=journal,
        occurred_at=occurred,
        recorded_at=recorded,
        body=MappingProxyType(body),
    )


def moments() -> Iterator[Moment]:
    for file in sorted(HERE.glob("*.toml")):
        sheet = tomllib.loads(file.read_text(encoding="utf-8"))
        for number, told in enumerate(sheet["situation"], start=1):
            office = told.get("office", "")
            zone, journal = office or HEADQUARTERS, told.get("journal", sheet.get("journal"))
            facts = tuple(fact(line, place, zone, journal, office) for place, line in enumerate(told["facts"], 1))
            for place, on in enumerate(told["on"], start=1):
                name = f"{file.stem}-{number}-{told['limit']}-{place}"
                rules = told.get("rules", sheet["rules"])
                yield Moment(name, rules, journal, told["limit"], zone, facts, on)


ALL = list(moments())


@pytest.mark.parametrize("moment", ALL, ids=[moment.name for moment in ALL])
def test_the_rule_makes_of_it_what_the_situation_says(moment: Moment) -> None:
    told, duties = moment.told, moment.duties()
    assert moment.limit in ruleset(moment.rules).limits
    assert told.keys() <= {"at", "state", "states", "last_day", "until", "does", "why"}
    assert told["why"]
    states = [told["state"]] if "state" in told else told["states"]
    assert [duty.state for duty in duties] == states
    if "last_day" in told:
        assert duties[-1].last_day.isoformat() == told["last_day"]
        assert not duties[-1].exact
    if "until" in told:
        assert duties[-1].until.iso() == told["until"]
    if "does" in told:
        assert moment.acted() == told["does"]


def test_there_are_enough_of_them() -> None:
    told = [tomllib.loads(file.read_text()) for file in HERE.glob("*.toml")]
    assert sum(len(sheet["situation"]) for sheet in told) >= 150
    assert len({(moment.name, moment.at) for moment in ALL}) == len(ALL)


@pytest.mark.parametrize(
    ("rules", "limit"), sorted({(name, limit) for name in RULESETS for limit in ruleset(name).limits})
)
def test_every_limit_is_looked_at_within_its_time_at_its_end_and_after_it(rules: str, limit: str) -> None:
    seen = [
        (moment.at, duty.until)
        for moment in ALL
        if moment.limit == limit and ruleset(moment.rules).limits[limit] == ruleset(rules).limits[limit]
        for duty in moment.duties()
    ]
    minute = 60_000_000
    assert any(at < until.plus(microseconds=-minute) for at, until in seen), "within"
    assert any(until.plus(microseconds=-minute) <= at <= until for at, until in seen), "at its end"
    assert any(until < at <= until.plus(microseconds=minute) for at, until in seen), "just after"
