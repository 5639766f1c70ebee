"""The journal of facts.

Here: what a fact is, how facts are chained by hash, and the check of a chain. Not here: where they are kept.
Kept: each party appends its facts in the transaction that changes state; facts hold references, never personal
data; deadlines and audits read facts only (house.md 9).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from towncircle.kernel.errors import BrokenInvariant
from towncircle.kernel.instants import Instant

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Hold one typed, versioned fact.

    `subject` is the id of what it is about, `actor` who did it, `occurred_at` when it happened in the world and
    `recorded_at` when this party wrote it down; `body` holds only strings, integers, booleans, None and lists of them.
    """

    id: str
    type: str
    subject: str
    actor: str
    occurred_at: Instant
    recorded_at: Instant
    version: int = 1
    clauses: tuple[str, ...] = ()
    rule_digest: str = ""
    request_id: str = ""
    body: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    previous_hash: str = GENESIS

    def as_dict(self) -> dict[str, Any]:
        """Give the fact as a JSON record."""
        return {
            "id": self.id,
            "type": self.type,
            "version": self.version,
            "subject": self.subject,
            "actor": self.actor,
            "occurred_at": self.occurred_at.iso(),
            "recorded_at": self.recorded_at.iso(),
            "clauses": list(self.clauses),
            "rule_digest": self.rule_digest,
            "request_id": self.request_id,
            "body": dict(self.body),
            "previous_hash": self.previous_hash,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Fact:
        """Read a fact from its JSON record."""
        return cls(
            **{
                **record,
                "occurred_at": Instant.parse(record["occurred_at"]),
                "recorded_at": Instant.parse(record["recorded_at"]),
                "clauses": tuple(record["clauses"]),
                "body": MappingProxyType(dict(record["body"])),
            }
        )

    def digest(self) -> str:
        """Give the SHA-256 over the fact's canonical JSON (sorted keys, no spaces), which the next fact names."""
        text = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def chained(fact: Fact, previous: Fact | None) -> Fact:
    """Give the fact with the hash of the one before it."""
    return replace(fact, previous_hash=previous.digest() if previous else GENESIS)


def check_chain(party: str, facts: Iterable[Fact]) -> int:
    """Check that every fact names the one before it and count them. Raises `BrokenInvariant` (facts.chain-broken)."""
    expected, count = GENESIS, 0
    for fact in facts:
        if fact.previous_hash != expected:
            raise BrokenInvariant(
                "facts.chain-broken", party=party, fact=fact.id, what="it does not name the fact before it"
            )
        expected, count = fact.digest(), count + 1
    return count
