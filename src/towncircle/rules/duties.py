"""Duties: what the limits of a rule set make of a journal of facts (the deadlines engine).

Here: `derive`, from facts to what is due, met, missed, open, lapsed, to keep. Not here: what follows (`acting`).
Kept: pure; a duty is derived from recorded facts each time and stored nowhere, so that another date is a replay
(house.md 6). Facts count in the order in which they occurred; what was recorded after `as_of` is not known then.

How each shape runs, per limit and per thread (a device, a license, a report):
- obligation, set limit, and a calendar limit with a date: the first fact that starts it counts until it is met or ends;
- interval: started once, each fact that meets it begins the next;
- window: as an obligation; a fact of `restarts` (the receipt of a notice) sets its beginning anew;
- retention: each fact that starts it is kept for its own time; a fact that meets it lets the thing go;
- calendar with a day of the month: one a month from the first fact on, met by a fact that names the `period`;
- calendar with a day of each year: one for each such day after that of the first fact, the next one always among them;
  the `period` is its year.
A limit of another regime than the installation's binds the devices that were leased under that regime.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from towncircle.kernel.errors import BadInput
from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.rules.calendars import WASHINGTON, end_of_day, yearly
from towncircle.rules.limits import Limit
from towncircle.rules.rulesets import RULESETS, RuleSet, ruleset
from towncircle.rules.terms import Term

HEADQUARTERS = WASHINGTON  # where no office is named: the Manager, MTM, in Washington (502.8)
_YEAR = len("2027")  # a period of a yearly limit
_GROUND = ("zone", "regime", "licensee", "provider")
_MET, _ENDED, _STARTED, _RESTARTED = range(4)
_Move = tuple[Instant, int, int, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Hold one duty, right or retention: the limit, what it is about, the fact it counts from, its last instant.

    `closed` is the fact that met or ended it; `state` how it stands as of the day it was derived for; `digest` is that
    of the rule set that governs it, which is another than the installation's for a device of an earlier regime.
    """

    limit: Limit
    thread: str
    anchor: Fact
    period: str
    zone: str
    until: Instant
    closed: Fact | None
    ended: bool
    state: str
    digest: str = ""

    @property
    def key(self) -> str:
        """Name the duty; the name stays as long as its anchor stands in the journal."""
        return f"{self.limit.id} {self.anchor.id}{' ' + self.period if self.period else ''}"

    @property
    def last_day(self) -> date:
        """Give the last day on which it can be met, in its office's zone."""
        return self.until.date_in(self.zone)

    @property
    def exact(self) -> bool:
        """Tell whether it ends at an instant instead of with a day."""
        return self.until != end_of_day(self.last_day, self.zone)

    def missed(self, as_of: Instant) -> bool:
        """Tell whether its time ran out before it was met: for a retention, whether the thing went too early."""
        if self.limit.shape == "retention":
            return self.state == "let go early"
        return (self.closed.occurred_at if self.closed else as_of) > self.until

    def days_left(self, as_of: Instant) -> int:
        """Count the days from a day to the last one; below zero when it is past."""
        return (self.last_day - as_of.date_in(self.zone)).days


class Ground:
    """Know of each device, license and licensee the office zone, the regime, the licensee and the Provider."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._known: dict[str, dict[str, str]] = defaultdict(dict)
        for fact in facts:
            self.learn(fact)

    def learn(self, fact: Fact) -> None:
        """Take what a further fact tells; what is known already stays."""
        body = fact.body
        for name in _GROUND:
            if body.get(name):
                for about in (fact.subject, body.get("device"), body.get("license"), body.get("licensee")):
                    if about:
                        self._known[str(about)].setdefault(name, str(body[name]))

    def tell(self, name: str, thread: str, anchor: Fact) -> str:
        """Give what is known of a duty's thread or anchor, or nothing."""
        own = anchor.body.get(name)
        if own:
            return str(own)
        abouts = (thread, anchor.subject, anchor.body.get("device"), anchor.body.get("license"))
        for about in (*abouts, anchor.body.get("licensee")):
            if about in self._known and name in self._known[about]:
                return self._known[about][name]
        return ""


class Sorted:
    """Hold the facts of a journal by kind, and their ground; one that is kept is told only of what is new."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.count, self.latest = 0, Instant(0)
        self.kinds: dict[str, list[tuple[int, Fact]]] = defaultdict(list)
        self.ground = Ground(())
        self._take(facts)

    def grown(self, facts: Sequence[Fact]) -> Sorted:
        """Take what was appended to the journal since; give itself."""
        self._take(facts[self.count :])
        return self

    def _take(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.kinds[fact.type].append((self.count, fact))
            self.ground.learn(fact)
            self.count, self.latest = self.count + 1, max(self.latest, fact.recorded_at)


def derive(
    rules: RuleSet,
    facts: Sequence[Fact],
    *,
    party: str,
    as_of: Instant,
    wanted: Callable[[Limit], bool] = lambda _limit: True,
    known: Sorted | None = None,
) -> list[Duty]:
    """Derive every duty of a party's journal as of an instant, ordered by its last instant.

    `known` are the facts as a caller who looks again and again keeps them.
    """
    if known is None or known.grown(facts).latest > as_of:
        known = Sorted(fact for fact in facts if fact.recorded_at <= as_of)
    kinds, ground = known.kinds, known.ground
    role = party.partition(".")[0]
    duties = [
        duty
        for limit in rules.limits.values()
        if limit.journal == role and wanted(limit)
        for duty in _Derivation(rules, limit, ground, party, as_of).duties(kinds)
    ]
    return sorted(duties, key=lambda duty: (duty.until, duty.limit.id, duty.thread, duty.key))


class _Derivation:
    """Derives the duties of one limit."""

    def __init__(self, rules: RuleSet, limit: Limit, ground: Ground, party: str, as_of: Instant) -> None:
        self._rules, self._limit, self._ground = rules, limit, ground
        self._party, self._as_of = party, as_of
        self._chosen = any("regime" in link.where for link in limit.starts)

    def duties(self, kinds: Mapping[str, list[tuple[int, Fact]]]) -> Iterator[Duty]:
        run = self._runs().get(self._limit.shape, self._single)
        if self._limit.shape == "calendar" and self._monthly():
            run = self._months
        elif self._limit.shape == "calendar" and self._yearly():
            run = self._years
        for thread, moves in self._threads(kinds).items():
            moves.sort(key=lambda move: move[:3])
            yield from run(thread, moves)

    def _runs(self) -> Mapping[str, Callable[[str, list[_Move]], Iterator[Duty]]]:
        return {"interval": self._recurring, "retention": self._kept}

    def _monthly(self) -> bool:
        return any(type(dated.value) is int for dated in self._limit.values)

    def _yearly(self) -> bool:
        return any(isinstance(dated.value, str) and yearly(dated.value) for dated in self._limit.values)

    def _threads(self, kinds: Mapping[str, list[tuple[int, Fact]]]) -> dict[str, list[_Move]]:
        found: dict[str, list[_Move]] = defaultdict(list)
        limit = self._limit
        for order, links in enumerate((limit.met_by, limit.ends, limit.starts, limit.restarts)):
            for link in links:
                for place, fact in kinds.get(link.fact, ()):
                    thread = link.thread(fact, self._party)
                    if thread is not None:
                        found[thread].append((fact.occurred_at, place, order, fact))
        return found

    def _single(self, thread: str, moves: list[_Move]) -> Iterator[Duty]:
        anchor: Fact | None = None
        for _, _, move, fact in moves:
            if (move == _STARTED and anchor is None) or (move == _RESTARTED and anchor is not None):
                anchor = fact
            elif move in (_MET, _ENDED) and anchor is not None:
                yield from self._duty(thread, anchor, closed=fact, ended=move == _ENDED)
                anchor = None
        if anchor is not None:
            yield from self._duty(thread, anchor)

    def _recurring(self, thread: str, moves: list[_Move]) -> Iterator[Duty]:
        anchor: Fact | None = None
        for _, _, move, fact in moves:
            if move == _STARTED and anchor is None:
                anchor = fact
            elif move in (_MET, _ENDED) and anchor is not None:
                yield from self._duty(thread, anchor, closed=fact, ended=move == _ENDED)
                anchor = fact if move == _MET else None
        if anchor is not None:
            yield from self._duty(thread, anchor)

    def _kept(self, thread: str, moves: list[_Move]) -> Iterator[Duty]:
        held: list[Fact] = []
        for _, _, move, fact in moves:
            if move == _STARTED:
                held.append(fact)
            elif move in (_MET, _ENDED):
                for anchor in held:
                    yield from self._duty(thread, anchor, closed=fact, ended=move == _ENDED)
                held = []
        for anchor in held:
            yield from self._duty(thread, anchor)

    def _months(self, thread: str, moves: list[_Move]) -> Iterator[Duty]:
        first = next((fact for _, _, move, fact in moves if move == _STARTED), None)
        if first is None:
            return
        met, end, zone = _met(moves), _end(moves), self._zone(thread, first)
        last = min(self._as_of, end.occurred_at if end else self._as_of).date_in(zone)
        start = first.occurred_at.date_in(zone)
        for number in range(start.year * 12 + start.month - 1, last.year * 12 + last.month):
            period = f"{number // 12:04d}-{number % 12 + 1:02d}"
            yield from self._duty(thread, first, closed=met.get(period), period=period)

    def _years(self, thread: str, moves: list[_Move]) -> Iterator[Duty]:
        first = next((fact for _, _, move, fact in moves if move == _STARTED), None)
        if first is None:
            return
        met, end, zone = _met(moves), _end(moves), self._zone(thread, first)
        start, today = first.occurred_at.date_in(zone), self._as_of.date_in(zone)
        ended = end.occurred_at.date_in(zone) if end is not None else None
        for year in range(start.year, today.year + 2):
            day = _day_of(self._limit, year)
            if day is None or day <= start or (ended is not None and ended < day):
                continue
            yield from self._duty(thread, first, closed=met.get(f"{year:04d}"), period=f"{year:04d}")
            if day >= today:  # the next one is known, those after it are not due yet
                return

    def _duty(
        self, thread: str, anchor: Fact, *, closed: Fact | None = None, ended: bool = False, period: str = ""
    ) -> Iterator[Duty]:
        governed = self._governed(thread, anchor)
        if governed is None:
            return
        rules, limit = governed
        zone = self._zone(thread, anchor)
        until = _until(rules, limit, anchor, zone, period)
        if until is None:
            return
        late = (closed.occurred_at if closed else self._as_of) > until
        yield Duty(
            limit=limit,
            thread=thread,
            anchor=anchor,
            period=period,
            zone=zone,
            until=until,
            closed=closed,
            ended=ended,
            state=_state(limit.shape, closed=closed is not None, ended=ended, late=late),
            digest=rules.digest,
        )

    def _zone(self, thread: str, anchor: Fact) -> str:
        return self._ground.tell("zone", thread, anchor) or HEADQUARTERS

    def _governed(self, thread: str, anchor: Fact) -> tuple[RuleSet, Limit] | None:
        regime = self._ground.tell("regime", thread, anchor)
        if self._chosen or regime in ("", self._rules.name) or regime not in RULESETS:
            return self._rules, self._limit
        rules = ruleset(regime)
        limit = rules.limits.get(self._limit.id)
        return (rules, limit) if limit else None


def _met(moves: Iterable[_Move]) -> dict[str, Fact]:
    """Give the first fact that meets each period."""
    met: dict[str, Fact] = {}
    for _, _, move, fact in moves:
        if move == _MET:
            met.setdefault(str(fact.body.get("period", "")), fact)
    return met


def _end(moves: Iterable[_Move]) -> Fact | None:
    return next((fact for _, _, move, fact in moves if move == _ENDED), None)


def _day_of(limit: Limit, year: int) -> date | None:
    """Give the day of a year on which a limit is due, or None where it was not in force in that year."""
    value = limit.on(date(year, 12, 31))
    found = yearly(value) if isinstance(value, str) else None
    return date(year, *found) if found is not None else None


def _state(shape: str, *, closed: bool, ended: bool, late: bool) -> str:
    if ended:
        return "fell away"
    match shape:
        case "window":
            pair = ("used", "used too late") if closed else ("open", "lapsed")
        case "retention":
            pair = ("let go early", "let go") if closed else ("to keep", "may go")
        case _:
            pair = ("met", "met late") if closed else ("due", "overdue")
    return pair[late]


def _until(rules: RuleSet, limit: Limit, anchor: Fact, zone: str, period: str) -> Instant | None:
    """Give the last instant of a limit that counts from a fact, or None where it was not in force then."""
    begun = anchor.occurred_at.date_in(zone)
    if len(period) == _YEAR:
        day = _day_of(limit, int(period))
        return end_of_day(day, zone) if day is not None else None
    value = rules.value_of(limit, _month_after(period, 1) if period else begun, begun=begun)
    ends = _lasts(value, anchor, zone, period)
    decided = str(anchor.body.get(limit.until) or "") if limit.until else ""
    if not decided:
        return ends
    set_on = _decided(decided, zone)
    if set_on is None:
        return ends
    return set_on if ends is None or limit.shape == "set limit" else min(set_on, ends)


def _lasts(value: int | str | date | None, anchor: Fact, zone: str, period: str) -> Instant | None:
    if value is None:
        return None
    if isinstance(value, date):
        return end_of_day(value, zone)
    if isinstance(value, int):
        begun = anchor.occurred_at.date_in(zone)
        return end_of_day(_month_after(period or f"{begun:%Y-%m}", value), zone)
    return _term(value).ends(anchor.occurred_at, zone)


@cache
def _term(text: str) -> Term:
    return Term.parse(text)


def _decided(text: str, zone: str) -> Instant | None:
    """Read what a decision set: a date, which ends with its day, or an instant; None for what is neither."""
    try:
        return end_of_day(date.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        try:
            return Instant.parse(text)
        except BadInput:
            return None


def _month_after(period: str, day: int) -> date:
    try:
        year, month = map(int, period.split("-"))
        number = year * 12 + month
        return date(number // 12, number % 12 + 1, day)
    except ValueError as error:
        raise BadInput("time.unreadable", text=period) from error
