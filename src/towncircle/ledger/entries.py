"""Entries: immutable, balanced, and bound to the inputs they were made from.

Here: lines, entries and their stored form. Not here: which event makes which lines (`recipes`), balances (`books`).
Kept: an entry that is not balanced cannot be built; a correction is a new entry that names the old (house.md 5).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from towncircle.kernel.errors import BrokenInvariant
from towncircle.kernel.ids import EntryId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.ledger.chart import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold one line: an account, the side and a positive amount."""

    account: str
    side: Side
    amount: Mills


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """Hold a limit on the sum of some accounts after an entry, with the name and the clause of the limit."""

    accounts: tuple[str, ...]
    limit: Mills
    what: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Hold one entry.

    `key` is the client's id of the event: the same key posts once. `inputs` is the SHA-256 (hex) over what the event
    was called with. `reference` is the id by which other books know the event (deposit, reset request, refund), `names`
    are further ids that prove it, `corrects` is the id of the entry that this one takes back. `number` is its place in
    the books, from 1 (0: not posted yet). `ceilings` bind only while it is posted and are not stored.
    """

    key: str
    at: Instant
    recipe: str
    lines: tuple[Line, ...]
    inputs: str
    licensee: str
    provider: str = ""
    device: str = ""
    reference: str = ""
    names: tuple[str, ...] = ()
    corrects: str = ""
    number: int = 0
    ceilings: tuple[Ceiling, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        debits = sum(line.amount for line in self.lines if line.side == "debit")
        credits_ = sum(line.amount for line in self.lines if line.side == "credit")
        if not self.lines or debits != credits_ or any(line.amount <= 0 for line in self.lines):
            raise BrokenInvariant(
                "ledger.unbalanced", recipe=self.recipe, key=self.key, debits=debits, credits=credits_
            )

    @property
    def id(self) -> EntryId:
        """Give the entry's id, which follows from its key."""
        return entry_id(self.key)

    def as_dict(self) -> dict[str, Any]:
        """Give the entry as it is stored and exported."""
        return {
            "id": str(self.id),
            "number": self.number,
            "key": self.key,
            "at": self.at.iso(),
            "recipe": self.recipe,
            "licensee": self.licensee,
            "provider": self.provider,
            "device": self.device,
            "reference": self.reference,
            "names": list(self.names),
            "corrects": self.corrects,
            "inputs": self.inputs,
            "lines": [[line.account, line.side, int(line.amount)] for line in self.lines],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Entry:
        """Read an entry from its stored form. Raises `BrokenInvariant` (ledger.unbalanced)."""
        return cls(
            key=record["key"],
            number=record["number"],
            at=Instant.parse(record["at"]),
            recipe=record["recipe"],
            licensee=record["licensee"],
            provider=record["provider"],
            device=record["device"],
            reference=record["reference"],
            names=tuple(record["names"]),
            corrects=record["corrects"],
            inputs=record["inputs"],
            lines=tuple(Line(account=name, side=side, amount=Mills(mills)) for name, side, mills in record["lines"]),
        )


def entry_id(key: str) -> EntryId:
    """Give the id of the entry with a key: twelve letters of the key's SHA-256."""
    alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = int.from_bytes(hashlib.sha256(key.encode()).digest(), "big")
    letters = []
    for _ in range(12):
        number, index = divmod(number, len(alphabet))
        letters.append(alphabet[index])
    return EntryId.parse(f"ENT-{''.join(letters)}")


def inputs_digest(recipe: str, inputs: Mapping[str, object]) -> str:
    """Give the SHA-256 (hex) over a recipe and what it was called with."""
    plain = {name: int(value) if isinstance(value, int) else value for name, value in inputs.items()}
    text = json.dumps([recipe, plain], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
