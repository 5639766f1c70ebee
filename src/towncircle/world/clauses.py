"""What happened under each clause: the facts of a world or of an export, counted by requirement.

Here: reading the journals and counting. Not here: whether what happened was enough (the auditor), what is due.
Kept: nothing is counted that no fact says: by its clauses, its limit, its code or its kind. An export is read as it
lies there: whether it is whole and signed is the auditor's question.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from towncircle.kernel.errors import BadInput
from towncircle.kernel.errors.under import UNDER
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.rules.acts import acts_told
from towncircle.rules.inventory import rows_named, told_by
from towncircle.rules.rulesets import RULESETS, ruleset
from towncircle.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Hold how many facts stand under each requirement, of which types, and how often each act was told of.

    An act is told of by its record, or by the fact of a procedure of the program that did it.
    """

    rows: Counter[str] = field(default_factory=Counter)
    types: dict[str, Counter[str]] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)


def counted(facts: Iterable[Fact], *, since: Instant | None, until: Instant | None) -> Happened:
    """Count the facts that occurred from `since` to `until`, both included; None leaves an end open."""
    happened = Happened()
    for fact in facts:
        if (since and fact.occurred_at < since) or (until and fact.occurred_at > until):
            continue
        for row in rows_of(fact):
            happened.rows[row] += 1
            happened.types.setdefault(row, Counter())[fact.type] += 1
        happened.acts.update(act.duty for act in acts_told(fact))
    return happened


def rows_of(fact: Fact) -> set[str]:
    """Name the requirements that a fact tells of.

    Those of its clauses and of the guard whose code it bears, those that a limit it is about cites, and those that its
    kind stands for (`clauses/happens.toml`).
    """
    rows = {row for clause in fact.clauses for row in rows_named(clause)}
    rows |= told_by().get(fact.type, frozenset())
    rows.update(UNDER.get(str(fact.body.get("code", "")), ()))
    limit = str(fact.body.get("limit", ""))
    return rows | _cited(limit, str(fact.body.get("rules", fact.rule_digest))) if limit else rows


@cache
def _cited(limit: str, digest: str) -> frozenset[str]:
    """Name the requirements that a limit cites: in the rule set of a digest, or in all where that one is gone."""
    sets = [ruleset(name) for name in RULESETS]
    own = [rules for rules in sets if rules.knows(digest)]
    held = [rules.limits[limit] for rules in own or sets if limit in rules.limits]
    return frozenset(row for one in held for row in one.cites)


def facts_of_world(world: World) -> Iterator[Fact]:
    """Give the facts of every party of a world."""
    for party in world.config.parties:
        with world.store(party).reading() as view:
            yield from view.facts()


def facts_of_export(folder: Path) -> Iterator[Fact]:
    """Give the facts of every party of an export. Raises `BadInput` (audit.not-an-export, cli.file)."""
    files = sorted(folder.glob("*/facts.jsonl"))
    if not files:
        raise BadInput("audit.not-an-export", path=folder)
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            try:
                yield Fact.from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BadInput("cli.file", path=file, why="a line in it is no fact") from error
