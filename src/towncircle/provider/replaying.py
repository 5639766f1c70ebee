"""A Provider's decisions under other rules: which leases and resets would have been decided otherwise.

Here: what a changed parameter would have made of the facts. Not here: deadlines, which `rules.duties` replays.
Kept: pure; it decides nothing. A lease is decided by the terms that its device was given, a reset by the cap on what a
device may hold (P050 3.6), from the last signed reading before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from towncircle.kernel.cites import cites
from towncircle.kernel.facts import Fact
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS

GRANTED = ("contact_interval", "descending_cap", "lapse_effect")  # what a lease sets in its device


@cites("P050-3.6", "PRE-11")
def differing(facts: Iterable[Fact], ours: RuleSet, theirs: RuleSet) -> Iterator[tuple[Fact, str, str, str]]:
    """Give each decision that would differ: its fact, the parameter, and what each rule set says."""
    held: dict[str, int] = {}
    for fact in facts:
        zone = str(fact.body.get("zone") or HEADQUARTERS)
        day = fact.occurred_at.date_in(zone)
        if fact.type == "custody.leased":
            for name in GRANTED:
                mine, yours = (str(rules.parameters[name].on(day)) for rules in (ours, theirs))
                if mine != yours:
                    yield fact, name, mine, yours
        elif fact.type == "audit.taken":
            held[fact.subject] = int(fact.body["descending"])
        elif fact.type == "reset.reserved":
            filled = held.get(str(fact.body["device"]), 0) + int(fact.body["amount"])
            mine, yours = (_word(rules, filled, fact) for rules in (ours, theirs))
            if mine != yours:
                yield fact, "descending_cap", mine, yours


def _word(rules: RuleSet, filled: int, fact: Fact) -> str:
    cap = rules.parameters["descending_cap"].on(fact.occurred_at.date_in(HEADQUARTERS))
    return "authorised" if isinstance(cap, int) and filled <= cap else "refused"
