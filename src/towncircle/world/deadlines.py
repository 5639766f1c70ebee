"""The deadlines of a world: what every party's journal makes due, and the worker that acts on it.

Here: listing, acting, comparing rule sets. Not here: the engine (`rules.duties`, `rules.acting`), what an effect does.
Kept: each party acts on its own journal, in its own transaction, the licensees and the bank too. A party with
nothing to do is only read.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.licensee import replaying as licensee
from towncircle.postal import replaying as postal
from towncircle.postal.procedures import settle
from towncircle.provider import replaying as provider
from towncircle.provider.denials import EFFECTS
from towncircle.rules.acting import Act, Effect, act, next_look, plan
from towncircle.rules.duties import Duty, Sorted, derive
from towncircle.rules.replaying import Replay, acts_differing, changed, differing, unreplayed
from towncircle.rules.rulesets import RuleSet
from towncircle.world.config import POSTAL
from towncircle.world.notices import give

if TYPE_CHECKING:
    from towncircle.world.world import World

REPLAYS: Mapping[str, tuple[Replay, ...]] = MappingProxyType(
    {"licensee": licensee.REPLAYS, "provider": provider.REPLAYS, "postal": postal.REPLAYS}
)
LEASED = "custody.leased"
_RIGHTS = MappingProxyType({"window": "a right ends", "retention": "a retention ends"})
_EFFECTS: Mapping[str, Mapping[str, Effect]] = MappingProxyType({"provider": EFFECTS})


@dataclass(slots=True, kw_only=True)
class Look:
    """Hold what is known of a party's journal, how many facts it had when nothing was to be done, when to look again.

    Who grows the journal takes his turn.
    """

    journal: Sorted = field(default_factory=Sorted)
    turn: threading.Lock = field(default_factory=threading.Lock)
    count: int = -1
    next_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Hold one decision that would differ: whose, about what, by which limit or parameter, and what each rule set says.

    `digest` is that of the rule set under which it was made, where it was made.
    """

    party: str
    decision: str
    rule: str
    about: str
    ours: str
    theirs: str
    digest: str


def parties_of(world: World, party: str = "") -> tuple[str, ...]:
    """Give the parties asked for: all, or one by its id or its short name. Raises `Refused` (world.no-party)."""
    names = tuple(str(name) for name in world.config.parties)
    if not party:
        return names
    found = tuple(name for name in names if party in (name, name.partition(".")[2], name.partition(".")[0]))
    if not found:
        raise Refused("world.no-party", name=party[:40], known=", ".join(names))
    return found


def duties_of(world: World, party: str, *, as_of: Instant) -> list[Duty]:
    """Derive the duties of one party as of an instant: a replay."""
    return derive(world.rules, _journal(world, party), party=party, as_of=as_of)


def act_on_deadlines(world: World, parties: Collection[str] = ()) -> dict[str, list[Act]]:
    """Act for the parties that are at home here, all or some of them; give what was done, in order.

    A journal without a new fact is not looked at before something can have fallen due. What somebody decided before and
    could not tell, because he was killed or nobody answered, is told now.
    """
    done: dict[str, list[Act]] = {}
    for party, desk in world.desks.items():
        if parties and party not in parties:
            continue
        now, facts = world.clock.now(), _journal(world, party)
        look = world.looks.setdefault(party, Look())
        if look.count == len(facts) and look.next_at is not None and now < look.next_at:
            desk.deliver()
            continue
        with look.turn:
            duties = derive(world.rules, facts, party=party, as_of=now, known=look.journal)
        planned = (len(facts), plan(duties, facts, now=now))
        if not planned[1]:
            look.count, look.next_at = len(facts), next_look(duties, now=now)
            desk.deliver()
            continue
        job = partial(_act, world.rules, _EFFECTS.get(party.partition(".")[0], {}), planned)

        done[party] = desk.perform(job, actor=party)
    settle_procedures(world, parties)
    return done


def _act(rules: RuleSet, effects: Mapping[str, Effect], planned: tuple[int, Sequence[Act]], ctx: Context) -> list[Act]:
    return act(ctx, rules, effects=effects, notify=give, planned=planned)


def settle_procedures(world: World, parties: Collection[str] = ()) -> None:
    """Have the Postal Service do what time alone does to a procedure: it takes effect, or it runs out."""
    desk = world.desks.get(POSTAL)
    if desk is None or (parties and POSTAL not in parties):
        return
    with world.store(POSTAL).reading() as view:
        known = view.find("procedure")
    if known:
        desk.perform(lambda ctx: settle(ctx, world.rules), actor=POSTAL)


def compare(world: World, other: RuleSet, party: str) -> Iterator[Difference]:
    """Give each decision of a party that another rule set would make otherwise, or not at all.

    Acts on deadlines are told by when they fall due, rights and retentions by when they end, and what the party decided
    by what it would have said (`REPLAYS`).
    """
    facts, now = _journal(world, party), world.clock.now()
    ours, theirs = (_decisions(rules, facts, party, now) for rules in (world.rules, other))
    digests = {(fact.type, fact.body.get("duty")): decided_under(fact) for fact in facts}
    for key in sorted(ours.keys() | theirs.keys()):
        mine, yours = ours.get(key), theirs.get(key)
        if (mine and mine.at) != (yours and yours.at):
            one = mine or yours
            assert one is not None
            yield Difference(
                party=party,
                decision=one.stage,
                rule=one.duty.limit.id,
                about=one.duty.thread,
                ours=mine.at.iso() if mine else "never",
                theirs=yours.at.iso() if yours else "never",
                digest=digests.get(key, ""),
            )
    yield from _ends(world.rules, other, facts, party, now)
    with world.store(party).reading() as view:
        found = list(differing(REPLAYS.get(party.partition(".")[0], ()), view, facts, world.rules, other))
    found += acts_differing(facts, world.rules, other, party=party)
    for fact, name, said, otherwise in found:
        yield Difference(
            party=party,
            decision=fact.type,
            rule=name,
            about=fact.subject,
            ours=said,
            theirs=otherwise,
            digest=decided_under(fact),
        )


def not_replayed(world: World, other: RuleSet) -> list[str]:
    """Name what was changed and cannot be compared: what it would have changed is not known.

    Those are the parameters that no replayer covers, and the earlier regimes under which devices were leased: their own
    rule sets govern those devices, and the other one is laid over the installation's alone.
    """
    unknown = unreplayed((one for replays in REPLAYS.values() for one in replays), world.rules, other)
    if not changed(world.rules, other):
        return unknown
    leased = (fact for party in world.config.parties for fact in _journal(world, party) if fact.type == LEASED)
    earlier = {(str(fact.body.get("regime", "")), fact.subject) for fact in leased}
    return unknown + [
        f"{regime} of {device}" for regime, device in sorted(earlier) if regime not in ("", world.rules.name)
    ]


def decided_under(fact: Fact) -> str:
    """Give the digest of the rule set that decided: the fact's own, or that of the earlier regime which it names."""
    return str(fact.body.get("rules", "") or fact.rule_digest)


def _ends(ours: RuleSet, theirs: RuleSet, facts: list[Fact], party: str, now: Instant) -> Iterator[Difference]:
    """Give the rights and retentions, on which nobody acts, that would end on another day."""
    digests = {fact.id: fact.rule_digest for fact in facts}
    held, other = (
        {duty.key: duty for duty in derive(rules, facts, party=party, as_of=now) if duty.limit.shape in _RIGHTS}
        for rules in (ours, theirs)
    )
    for key in sorted(held.keys() | other.keys()):
        mine, yours = held.get(key), other.get(key)
        if (mine and mine.until) != (yours and yours.until):
            one = mine or yours
            assert one is not None
            yield Difference(
                party=party,
                decision=_RIGHTS[one.limit.shape],
                rule=one.limit.id,
                about=one.thread,
                ours=mine.until.iso() if mine else "never",
                theirs=yours.until.iso() if yours else "never",
                digest=digests.get(one.anchor.id, ""),
            )


def _decisions(rules: RuleSet, facts: list[Fact], party: str, now: Instant) -> dict[tuple[str, str], Act]:
    acts = plan(derive(rules, facts, party=party, as_of=now), (), now=now)
    return {(one.stage, one.duty.key): one for one in acts}


def _journal(world: World, party: str) -> list[Fact]:
    with world.store(party).reading() as view:
        return view.facts()
