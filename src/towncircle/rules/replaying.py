"""Decisions replayed under two rule sets: each is said twice, and told where the two differ.

Here: a kind of decision with the parameters it rests on, and the comparison. Not here: what a party decided and how
(`replaying` of each party's room), how duties follow from limits (`duties`).
Kept: pure; nothing is decided. A replayer says the same decisions in the same order under any rule set; one whose
parameters did not change is not asked. A parameter that no replayer names is said to be so, never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.store import Transaction
from towncircle.rules.acts import FACT as RECORDED
from towncircle.rules.acts import Act, check_told
from towncircle.rules.parameters import Parameter
from towncircle.rules.rulesets import RuleSet

Said: TypeAlias = tuple[Fact, str, str]  # the decision, the parameter ("": all that the replayer names), what is said
Say: TypeAlias = Callable[[Transaction, Sequence[Fact], RuleSet], Iterator[Said]]
Found: TypeAlias = tuple[Fact, str, str, str]  # the decision, the parameter, what each rule set says


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Hold a kind of decision: the parameters that it rests on, and how it is said under a rule set."""

    names: frozenset[str]
    say: Say


def changed(ours: RuleSet, theirs: RuleSet) -> list[str]:
    """Name the parameters, limits and acts that another rule set has otherwise, in this order."""
    moved = [name for name, held in theirs.parameters.items() if _figure(ours.parameters.get(name)) != _figure(held)]
    limits = [name for name, held in theirs.limits.items() if ours.limits.get(name) != held]
    acts = [name for name, held in theirs.acts.items() if ours.acts.get(name) != held]
    return [*moved, *limits, *acts]


def _figure(held: Parameter | None) -> object:
    return (held.unit, held.values) if held is not None else None


def differing(
    replays: Iterable[Replay], view: Transaction, facts: Sequence[Fact], ours: RuleSet, theirs: RuleSet
) -> Iterator[Found]:
    """Give each decision that would differ: its fact, the parameters, and what each rule set says."""
    other = changed(ours, theirs)
    for replay in replays:
        moved = [name for name in other if name in replay.names]
        if not moved:
            continue
        both = zip(replay.say(view, facts, ours), replay.say(view, facts, theirs), strict=True)
        for (fact, name, mine), (_, _, yours) in both:
            if mine != yours:
                yield fact, name or ", ".join(moved), mine, yours


def acts_differing(facts: Sequence[Fact], ours: RuleSet, theirs: RuleSet, *, party: str) -> Iterator[Found]:
    """Give each recorded act of a rule set's own that another rule set would have refused, or recorded otherwise."""
    for fact in facts:
        name = str(fact.body.get("act", "")) if fact.type == RECORDED else ""
        mine, yours = (_told(fact, rules.acts[name], party) if name in rules.acts else "" for rules in (ours, theirs))
        if mine != yours:
            yield fact, name, mine or "no such act", yours or "no such act"


def _told(fact: Fact, act: Act, party: str) -> str:
    """Say what comes of an act as it was recorded."""
    document, about, period = (str(fact.body.get(key, "")) for key in ("document", "about", "period"))
    try:
        check_told(act, party=party, document=document, about=about, period=period)
    except (BadInput, Refused) as refusal:
        return f"refused: {refusal.code}"
    return f"recorded under {act.clause} by the {act.actor}"


def unreplayed(replays: Iterable[Replay], ours: RuleSet, theirs: RuleSet) -> list[str]:
    """Name the changed parameters that nothing here replays; those that a limit takes its term of are in its duties."""
    covered = {name for replay in replays for name in replay.names}
    covered |= {limit.term_of for rules in (ours, theirs) for limit in rules.limits.values()}
    return [name for name in changed(ours, theirs) if name in theirs.parameters and name not in covered]
