"""Acting on duties: reminders before a limit, consequences after it, and their end when it is met after all.

Here: `plan`, which acts a journal lacks, and `act`, which writes them as facts of the party that owns the journal. Not
here: deriving duties (`duties`), what an effect does beyond its fact (the party's `effects`).
Kept: exactly once. What was done is read from the journal's own facts, under the name of the duty, and written in one
transaction with its effects: a kill leaves all of it or nothing, and the next run finds what is missing. A run after
missed days does each act once, in the order in which it fell due; an act is dated when it is done, and a missed limit
when its time ran out. A reminder whose limit has passed meanwhile is not given any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from towncircle.kernel.context import Context
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.rules.calendars import start_of_day
from towncircle.rules.duties import Duty, Ground, derive
from towncircle.rules.limits import Limit
from towncircle.rules.rulesets import RuleSet
from towncircle.rules.terms import Term

POSTAL = "postal.usps"
REMINDED, MISSED, MENDED = "limit.reminded", "limit.missed", "limit.mended"
NOTICE, OPENED, CLOSED = "notice.given", "limit.case-opened", "limit.case-closed"
_OPEN = ("due", "open")
_LOOK_DAYS = 28  # house: a journal is looked at as often as that, whatever was foreseen

Effect = Callable[[Context, Duty, bool], None]
# writes to a receiver: a `reminder` or a `notice`; gives the name of what was sent, or nothing where nothing was
Notify = Callable[[Context, Duty, str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Hold one thing to do: when it fell due, its stage, and the duty it is about."""

    at: Instant
    stage: str
    duty: Duty

    @property
    def denies(self) -> bool:
        """Tell whether it denies something now: a limit that was met meanwhile denies nothing."""
        return self.stage == MISSED and bool(self.duty.limit.consequence.denies) and self.duty.closed is None


def plan(duties: Iterable[Duty], facts: Iterable[Fact], *, now: Instant) -> list[Act]:
    """Give what is to be done and stands in no fact yet, in the order in which it fell due."""
    done = {(fact.type, fact.body.get("duty")) for fact in facts if fact.type in (REMINDED, MISSED, MENDED)}
    acts = [act for duty in duties for act in _acts(duty, now) if (act.stage, duty.key) not in done]
    missed = {act.duty.key for act in acts if act.stage == MISSED} | {key for stage, key in done if stage == MISSED}
    acts = [act for act in acts if act.stage != MENDED or act.duty.key in missed]
    return sorted(acts, key=lambda act: (act.at, act.duty.limit.id, act.duty.thread, act.duty.key))


def pending(rules: RuleSet, facts: Sequence[Fact], *, party: str, now: Instant) -> list[Act]:
    """Derive the duties of a journal and give what is to be done about them."""
    return plan(derive(rules, facts, party=party, as_of=now), facts, now=now)


def next_look(duties: Iterable[Duty], *, now: Instant) -> Instant:
    """Give the instant from which these duties may bring something to do, as long as their journal stays as it is."""
    at = [now.plus(days=_LOOK_DAYS)]
    for duty in duties:
        if duty.period:  # another month brings another duty
            later = now.date_in(duty.zone).replace(day=28) + timedelta(days=4)
            at.append(start_of_day(later.replace(day=1), duty.zone))
        if duty.closed is None:
            at.append(duty.until.plus(microseconds=1))
            if duty.limit.reminder:
                at.append(remind_at(duty))
    return min(one for one in at if one > now)


def act(
    ctx: Context,
    rules: RuleSet,
    *,
    effects: Mapping[str, Effect],
    notify: Notify | None = None,
    wanted: Callable[[Limit], bool] = lambda _limit: True,
    facts: Sequence[Fact] | None = None,
    planned: tuple[int, Sequence[Act]] = (-1, ()),
) -> list[Act]:
    """Do what is due in a party's journal and give what was done.

    `effects` does what a consequence denies (its third argument: deny, or allow again). `notify` writes to the other
    parties; without it the facts alone are noted. `wanted` and `facts` narrow it to some limits and to
    what concerns one device. `planned` is what was to be done a moment ago, when the journal had so many facts: it is
    still, if it has as many now.
    """
    journal = ctx.tx.facts() if facts is None else facts
    count, acts = planned[0], list(planned[1])
    if count != len(journal):
        duties = derive(rules, journal, party=ctx.party, as_of=ctx.now, wanted=wanted)
        acts = plan(duties, journal, now=ctx.now)
    ground = Ground(journal if acts else ())
    for one in acts:
        _do(ctx, one, ground, effects, notify)
    return acts


def _acts(duty: Duty, now: Instant) -> Iterable[Act]:
    limit = duty.limit
    if limit.reminder and duty.state in _OPEN:
        at = remind_at(duty)
        if at <= now:
            yield Act(at=at, stage=REMINDED, duty=duty)
    if limit.shape == "window" and not (limit.consequence.case or limit.consequence.notify):
        return  # a right that is not used is nobody's fault
    if limit.shape == "window" and duty.state in ("used", "used too late", "fell away"):
        return
    if duty.missed(now):
        closed = duty.closed.occurred_at if duty.closed is not None else now
        yield Act(at=closed if limit.shape == "retention" else duty.until, stage=MISSED, duty=duty)
    if duty.closed is not None and limit.shape != "retention" and (limit.consequence.case or limit.consequence.denies):
        yield Act(at=duty.closed.occurred_at, stage=MENDED, duty=duty)


def remind_at(duty: Duty) -> Instant:
    """Give the instant from which a reminder of a duty is due: the beginning of a day, or an hour."""
    term = Term.parse(duty.limit.reminder)
    if term.hours:
        return max(duty.until.plus(hours=-term.hours), duty.anchor.occurred_at)
    return max(start_of_day(term.day_before(duty.last_day), duty.zone), duty.anchor.occurred_at)


def _do(ctx: Context, one: Act, ground: Ground, effects: Mapping[str, Effect], notify: Notify | None) -> None:
    duty, after = one.duty, one.duty.limit.consequence
    about: dict[str, Any] = {
        "limit": duty.limit.id,
        "duty": duty.key,
        "anchor": duty.anchor.id,
        "until": duty.until.iso(),
        "shape": duty.limit.shape,
    }
    about |= governed_by(ctx, duty)
    clauses = (duty.limit.clause,)
    if one.stage == REMINDED:
        about |= _told(ctx, duty, "reminder", _named(duty.limit.party, duty, ground, ctx.party), notify)
        ctx.note(REMINDED, duty.thread, clauses=clauses, **about)
        return
    occurred = one.at if one.stage == MISSED else None
    ctx.note(one.stage, duty.thread, clauses=clauses, occurred_at=occurred, **about)
    if one.stage == MISSED:
        for role in after.notify:
            told = _told(ctx, duty, "notice", _named(role, duty, ground, ctx.party), notify)
            ctx.note(NOTICE, duty.thread, clauses=clauses, **about, **told)
    if after.case:
        ctx.note(OPENED if one.stage == MISSED else CLOSED, duty.thread, clauses=clauses, case=after.case, **about)
    if one.denies or (one.stage == MENDED and after.denies):
        effects[after.denies](ctx, duty, one.denies)


def governed_by(ctx: Context, duty: Duty) -> dict[str, Any]:
    """Name the rule set that decides where it is not the installation's: that of a device of an earlier regime."""
    return {"rules": duty.digest} if duty.digest not in ("", ctx.rule_digest) else {}


def _told(ctx: Context, duty: Duty, kind: str, to: str, notify: Notify | None) -> dict[str, Any]:
    reference = notify(ctx, duty, kind, to) if notify is not None else ""
    return {"to": to, **({"notice": reference} if reference else {})}


def _named(role: str, duty: Duty, ground: Ground, party: str) -> str:
    """Name the party that a role stands for in a duty; the role itself where no fact says who it is."""
    if party.startswith(f"{role}."):
        return party
    return POSTAL if role == "postal" else ground.tell(role, duty.thread, duty.anchor) or role
