"""The end of the simulated year: the table of procedures, the duties of everybody, the export and its audit.

Here: what is true when the year is over. Not here: how it is shown (`chapter`).
Kept: a duty that ran out is explained only by the facts of its consequence; nothing is counted that no journal holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from towncircle.auditor import audit
from towncircle.cli.demo.regulation.procedures import PROCEDURES, Procedure, Proof, of_act
from towncircle.rules.acting import MISSED, pending
from towncircle.rules.rulesets import ruleset
from towncircle.world.config import POSTAL
from towncircle.world.deadlines import duties_of
from towncircle.world.exporting import export
from towncircle.world.succession import ADOPTED

if TYPE_CHECKING:
    from pathlib import Path

    from towncircle.auditor.report import Report
    from towncircle.kernel.facts import Fact
    from towncircle.rules import RuleSet
    from towncircle.world.world import World

_OVER = ("overdue", "met late", "let go early")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Hold a procedure with how often it occurred, and how often each of its proofs and its first fact."""

    procedure: Procedure
    proofs: tuple[tuple[Proof, int, str], ...]

    @property
    def count(self) -> int:
        """Give how often it occurred: none where a proof of it is lacking."""
        return self.proofs[0][1] if all(count for _, count, _ in self.proofs) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """Hold how many duties of the year stand in each state, and those that ran out without their consequence."""

    states: dict[str, int]
    consequences: int
    unexplained: tuple[str, ...]


def table(world: World) -> list[Shown]:
    """Count every procedure of the world's rule set in the journals, those acts too that are the rule set's own."""
    found, rules = _Journals(world), world.rules
    known = [one for one in PROCEDURES if not one.needs or one.needs in rules.parameters]
    return [
        Shown(procedure=one, proofs=tuple((proof, *found.count(proof)) for proof in one.proofs))
        for one in (*known, *map(of_act, rules.acts.values()))
    ]


def absent(rules: RuleSet) -> dict[str, str]:
    """Name the procedures that a rule set does not know, each with what its data lack."""
    why = "{} has no such procedure: its rule data have no {}"
    known = rules.parameters
    return {one.name: why.format(rules.name, one.needs) for one in PROCEDURES if one.needs and one.needs not in known}


def kinds(world: World) -> Counter[str]:
    """Count every kind of fact in all journals."""
    return Counter(fact.type for facts in _journals(world).values() for fact in facts)


def digests(world: World) -> Counter[str]:
    """Count the facts of all journals by the rule set that they were recorded under."""
    return Counter(fact.rule_digest for facts in _journals(world).values() for fact in facts)


def astray(world: World) -> list[str]:
    """Name the facts that were not recorded under the rule set that was in force."""
    journals = _journals(world)
    adopted = [fact for fact in journals[POSTAL] if fact.type == ADOPTED]
    ends = [(fact.recorded_at, ruleset(str(fact.body["before"])).digest) for fact in adopted]

    def digest(fact: Fact) -> str:
        return next((held for end, held in ends if fact.recorded_at < end), world.rules.digest)

    return [fact.id for facts in journals.values() for fact in facts if fact.rule_digest != digest(fact)]


class _Journals:
    def __init__(self, world: World) -> None:
        self._facts: dict[tuple[str, str], list[Fact]] = {}
        for party, facts in _journals(world).items():
            for fact in facts:
                self._facts.setdefault((party.partition(".")[0], fact.type), []).append(fact)

    def count(self, proof: Proof) -> tuple[int, str]:
        """Give how many facts are such a fact, and the id of the first that was recorded."""

        def subjects(kind: str) -> set[str]:
            return {fact.subject for fact in self._facts.get((proof.role, kind), ())}

        shown = [fact for fact in self._facts.get((proof.role, proof.kind), ()) if proof.shows(fact, subjects)]
        first = min(shown, key=lambda fact: int(fact.recorded_at), default=None)
        return len(shown), first.id if first is not None else ""


def _journals(world: World) -> dict[str, Sequence[Fact]]:
    found: dict[str, Sequence[Fact]] = {}
    for party in world.config.parties:
        with world.store(party).reading() as view:
            found[party] = view.facts()
    return found


def duties(world: World) -> Duties:
    """Look at every duty of everybody: those that ran out must have their consequence in the journal."""
    now, states, consequences, unexplained = world.clock.now(), Counter[str](), 0, []
    for party, facts in _journals(world).items():
        told = {fact.body.get("duty") for fact in facts if fact.type == MISSED}
        late = [one.duty for one in pending(world.rules, facts, party=party, now=now)]
        unexplained += [f"{party}: {duty.key} was not acted on" for duty in late]
        for duty in duties_of(world, party, as_of=now):
            states[duty.state] += 1
            if duty.state in _OVER:
                consequences += duty.key in told
                if duty.key not in told:
                    unexplained.append(f"{party}: {duty.key} is {duty.state}, and nothing followed")
    return Duties(states=dict(sorted(states.items())), consequences=consequences, unexplained=tuple(unexplained))


def audited(world: World, out: Path) -> tuple[Report, bool]:
    """Export the world and audit the export; give the report, and whether it was a quiet moment."""
    quiet = export(world, out).quiet
    return audit(out, root=world.config.root), quiet
