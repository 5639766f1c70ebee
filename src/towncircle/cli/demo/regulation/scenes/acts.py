"""Acts of people (rules/clauses/acts.toml): what the rule orders and no program can do, recorded as done.

Here: each act once, by the party that owes it, with its paper where one shows it; those of a rule set's own when they
fall due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import of_act, register, scene
from towncircle.cli.demo.regulation.town import PROVIDER
from towncircle.rules.acts import FACT, Act, acts
from towncircle.rules.duties import HEADQUARTERS, Duty
from towncircle.world.config import POSTAL
from towncircle.world.deadlines import duties_of
from towncircle.world.recording import record

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

_FIRST, _EVERY = 200, 3


def _plays(act: Act, day: int) -> None:
    register(of_act(act))

    @scene(day)
    def play(town: Town) -> None:
        """Record the act."""
        _record(town, act, f"{act.name}-1")


def _record(town: Town, act: Act, reference: str, period: str = "") -> None:
    paper = f"{act.name}, signed".encode() if act.document else None
    by = POSTAL if act.by == "postal" else PROVIDER
    about = {"": "", "postal": POSTAL, "provider": PROVIDER}[act.about]
    record(town.world, act.name, by=by, reference=reference, document=paper, about=about, period=period)


_day = _FIRST
for _act in (act for act in acts().values() if not act.command):  # the others have procedures of their own
    _day += _EVERY
    _plays(_act, _day)


# ---- what a rule set orders of its own, such as the reports of 39 CFR 501.15


def _owed(town: Town, act: Act) -> list[Duty]:
    """Give the duties that an act meets."""
    found = duties_of(town.world, POSTAL if act.by == "postal" else PROVIDER, as_of=town.world.clock.now())
    return [
        duty
        for duty in found
        if any((link.fact, link.where.get("act")) == (FACT, act.name) for link in duty.limit.met_by)
    ]


def _month(day: int) -> None:
    @scene(day)
    def own_acts(town: Town) -> None:
        """Do what falls due within a month; an act without a time limit once."""
        now = town.world.clock.now()
        today = now.date_in(HEADQUARTERS)
        for act in town.world.rules.acts.values():
            owed = _owed(town, act)
            falls_due = any(duty.state in ("due", "overdue") and duty.days_left(now) <= _AHEAD for duty in owed)
            if falls_due or (not owed and day == _AHEAD):
                _record(town, act, f"{act.name}-{today:%Y-%m}", _PERIODS[act.period].format(today))


_AHEAD = 30
_PERIODS = {"": "", "year": "{:%Y}", "month": "{:%Y-%m}"}
for _day in range(_AHEAD, 365, _AHEAD):
    _month(_day)
