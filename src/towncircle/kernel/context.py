"""What one command of a party works with, and what it may ask its shell to do for it.

Here: the context handed to a handler and the questions a handler may yield. Not here: the shell that answers them.
Kept: one command, one transaction, one audit record; every command carries an actor and approvals (house.md 9). A
handler is a function, or a generator that yields questions (`Ask` another party, `Exchange` with a device, do `Outside`
what takes long) before it writes: what it wrote before its last question is undone, so that a crash in the middle
leaves nothing half done and running it again is safe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.facts import Fact
from towncircle.kernel.ids import DeviceId, FactId
from towncircle.kernel.instants import Instant
from towncircle.kernel.randomness import Randomness
from towncircle.kernel.store import Transaction


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask another party and wait for its answer. The same key asks once, however often the handler is run."""

    audience: str
    body: object
    key: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """Speak with a device that is in this party's hands; `call` gets the device's client and gives its answer.

    Where the device, or the way to it, refuses, `failing` gives an answer to go on with; without it that is the end.
    """

    device: DeviceId
    call: Callable[[Any], Any]
    failing: Callable[[TowncircleError], Any] | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """Seal a message for somebody without sending it: the device at hand, or a caller that will carry it.

    With a key the same bytes are given again as long as they are valid, so that who took them already knows them.
    """

    audience: str
    body: object
    in_reply_to: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Reserve:
    """Take the next number of a series and keep it; the same key gives the same number, however often it is asked.

    `about` says what the number is for, where somebody must find that in the record of it.
    """

    series: str
    key: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Carry:
    """Carry a device's sealed message to a party and bring back the sealed answer, unread."""

    audience: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Outside:
    """Do work that may take long and needs no store: it is done outside the transaction, and gives its result."""

    work: Callable[[], Any]


Question: TypeAlias = Ask | Exchange | Seal | Carry | Reserve | Outside
Steps: TypeAlias = Generator[Question, Any, Any]
SIGN_IN = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)


def same_person(one: str, other: str) -> bool:
    """Tell whether two names may be one person's: case and punctuation make no other person."""
    return _letters(one) == _letters(other)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def second_person(actor: str, approvals: tuple[str, ...], *, what: str, clause: str) -> str:
    """Give the person besides the actor who approved; each is named by a sign-in name.

    Raises `Refused` (person.not-approved, person.same-person), `BadInput` (person.unreadable).
    """
    named = [person for person in approvals if person]
    if not named:
        raise Refused("person.not-approved", what=what, actor=actor, clause=clause)
    for name in (actor, *named):
        if not SIGN_IN.fullmatch(name):
            raise BadInput("person.unreadable", name=name[:40])
    others = [person for person in named if not same_person(person, actor)]
    if not others:
        raise Refused("person.same-person", what=what, actor=actor, clause=clause)
    return others[0]


@dataclass(slots=True)
class Context:
    """Hold what a handler works with.

    `actor` is who asked, `approvals` who approved it besides, `request_id` the message or client request behind it;
    `unseal(raw, audience, carrier)` opens a sealed message: an answer as of now (carrier None), or one enclosed in a
    message whose envelope is the carrier.
    """

    tx: Transaction
    now: Instant
    party: str
    actor: str
    randomness: Randomness
    rule_digest: str
    unseal: Callable[[bytes, str, Any], Any]
    request_id: str = ""
    approvals: tuple[str, ...] = ()
    sent: list[tuple[str, object, str]] = field(default_factory=list)

    def note(
        self,
        kind: str,
        subject: str,
        *,
        clauses: tuple[str, ...] = (),
        occurred_at: Instant | None = None,
        **body: Any,
    ) -> Fact:
        """Append a fact to this party's journal; who approved the command stands in its body."""
        if self.approvals:
            body["approvals"] = list(self.approvals)
        return self.tx.append_fact(
            Fact(
                id=FactId.new(self.randomness),
                type=kind,
                subject=subject,
                actor=self.actor,
                occurred_at=occurred_at or self.now,
                recorded_at=self.now,
                clauses=clauses,
                rule_digest=self.rule_digest,
                request_id=self.request_id,
                body=MappingProxyType(body),
            )
        )

    def send(self, audience: str, body: object, *, key: str) -> None:
        """Put a message into the outbox of this transaction; it is delivered after the commit, and retried."""
        self.sent.append((audience, body, key))
