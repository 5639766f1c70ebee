"""Unused pieces, judged for a refund (P050 3.3, 502.27(a)).

Here: the pieces of a Form 3533 read, put into the groups of Part IV, judged in refund mode; the share of the total that
is refunded; how long the envelopes are kept. Not here: who claims, certifies and decides, and what was seen before.
Kept: pure. Licensee, Provider and Postal Service ask the same questions here, each with what it knows itself. A
percentage is rounded half up to the mill, once, at the end (house.md 5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from towncircle.indicium import decode
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.verification.facts import Observed, StatusFacts
from towncircle.verification.judging import content_key, judge
from towncircle.verification.pack import Pack
from towncircle.verification.verdict import VALID
from towncircle.wire.bodies.refund import Annotation, RefundGroup
from towncircle.wire.message import MESSAGE_LIFE_HOURS

CLAUSE = "502.27(a)(3)"
NOT_RECEIVED = "refund.not-received"  # the note of a piece that stands on the form and did not come in
WHOLE = 100  # percent
_RETENTION = "refunded-envelopes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """Hold one piece of a form: its number, the bytes of its mark, whose mark it is, its signed content and value."""

    number: int
    payload: bytes
    device: str
    key: str
    value: Mills


def unused(payloads: Iterable[bytes]) -> tuple[Unused, ...]:
    """Read the pieces of a form, numbered from 1. Raises `BadInput` (refund.no-mark)."""
    pieces = []
    for number, payload in enumerate(payloads, start=1):
        try:
            decoded = decode(payload)
        except BadInput as error:
            raise BadInput("refund.no-mark", piece=number, why=error.sentence) from error
        value = decoded.fields.get("postage_mills")
        if decoded.foreign or decoded.missing or not decoded.device or not isinstance(value, int):
            raise BadInput("refund.no-mark", piece=number, why="It is not a whole indicium of a device of this post.")
        key = content_key(payload)
        pieces.append(Unused(number=number, payload=payload, device=decoded.device, key=key, value=Mills(value)))
    return tuple(pieces)


@cites("502.27a/2")
def groups_of(pieces: Iterable[Unused], without: Iterable[Annotation] = ()) -> tuple[RefundGroup, ...]:
    """Give the lines of Part IV: pieces by value, the lowest value first, less those that are annotated."""
    struck = {one.piece for one in without}
    counted = Counter(piece.value for piece in pieces if piece.number not in struck)
    return tuple(RefundGroup(value=value, pieces=many, total=value * many) for value, many in sorted(counted.items()))


def total_of(groups: Iterable[RefundGroup]) -> Mills:
    """Give the total of all groups."""
    return sum((group.total for group in groups), ZERO)


@cites("502.27a/3", "502.27a/4")
def annotated(
    pieces: Sequence[Unused],
    pack: Pack,
    known: Callable[[Unused], StatusFacts],
    *,
    presented: Instant,
    now: Instant,
    before: Mapping[int, Annotation] | None = None,
) -> tuple[Annotation, ...]:
    """Judge each piece for a refund and annotate those that do not qualify, with the fault and its clause.

    `presented` is when the licensee sent them in: their age is counted to that day. `before` are annotations that
    stand already. A piece that stands twice on the form qualifies once.
    """
    notes = dict(before or {})
    first: dict[str, int] = {}
    for piece in pieces:
        if piece.number in notes:
            continue
        if piece.key in first:
            text = f"The same indicium as piece {first[piece.key]} of this form."
            notes[piece.number] = Annotation(piece=piece.number, code="refund.twice", sentence=text, clause=CLAUSE)
            continue
        first[piece.key] = piece.number
        seen = Observed(purpose="refund", deposited_at=presented)
        verdict = judge(piece.payload, pack, known(piece), now, seen)
        if verdict.verdict != VALID:
            open_ends = (one for one in verdict.findings if one.ok is None)
            fault = next(iter((*verdict.faults(), *open_ends)))
            notes[piece.number] = Annotation(
                piece=piece.number, code=fault.code, sentence=fault.text, clause=fault.clause
            )
    return tuple(notes[number] for number in sorted(notes))


@cites("502.27a/1")
def not_backdated(refund: str, issued: Instant, *, received: Instant) -> None:
    """Check that an application was sealed within one message life of its receipt: the age is counted to that day.

    Raises `Refused` (refund.backdated).
    """
    if not issued <= received <= issued.plus(hours=MESSAGE_LIFE_HOURS):
        raise Refused("refund.backdated", refund=refund, issued=issued, received=received)


def refund_share(rules: RuleSet, on: date) -> int:
    """Give the percentage of the postage that a rule set refunds: the whole where it names none."""
    return rules.integer("refund_share", on) if "refund_share" in rules.parameters else WHOLE


def share_unknown(rules: RuleSet, total: Mills, on: date) -> Refused | None:
    """Say that a rule set does not tell what share of a total is refunded, or nothing where it does."""
    if "refund_share_up_to" not in rules.parameters:
        return None
    most = rules.mills("refund_share_up_to", on)
    if total <= most:
        return None
    clause = rules.clause("refund_share_up_to")
    return Refused("refund.share-unknown", total=total, most=most, ruleset=rules.name, clause=clause)


def share_is_known(rules: RuleSet, total: Mills, on: date) -> None:
    """Check that a rule set says what share of a total is refunded. Raises `Refused` (refund.share-unknown)."""
    told = share_unknown(rules, total, on)
    if told is not None:
        raise told


def share_of(total: Mills, percent: int) -> Mills:
    """Give that percentage of a total, rounded half up to the mill."""
    return Mills((int(total) * percent * 2 + WHOLE) // (2 * WHOLE))


@cites("502.27a/8")
def kept_until(rules: RuleSet, sent: Instant) -> Instant:
    """Give the last instant to which the envelopes of a form that was sent then are kept."""
    return rules.length_of(_RETENTION, sent.date_in(HEADQUARTERS)).ends(sent, HEADQUARTERS)
