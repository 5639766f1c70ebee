"""Systems that end: decertified on one day, out of service by another (IMI-08).

Here: which regimes have ended for this installation, what the register notes of their devices on those days. Not here:
what the Provider owes (the limit `withdrawal` denies resets), how long their marks count (`verification`, IMI-09).
Kept: a regime ends where the rule set's own limit `withdrawal` names it, whatever its marks look like; the days are the
rule set's; a device is noted once as decertified and once as out of time, whoever looks first; one that nobody withdrew
is published as withdrawn from the end of the last day on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.rules import RuleSet
from towncircle.rules.calendars import end_of_day
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.reachable import DECERTIFIED, WITHDRAWAL

_GONE = ("withdrawn",)


def ends(rules: RuleSet, regime: str) -> tuple[date, date] | None:
    """Give the day on which a regime's systems are decertified and the last one in service, or None: it is in force."""
    if not rules.ended(regime):
        return None
    last = rules.limits[WITHDRAWAL].values[-1].value
    assert isinstance(last, date)  # a rule set whose limit says otherwise does not load
    return rules.day(DECERTIFIED), last


@cites("IMI-08/1")
def check_certified(ctx: Context, rules: RuleSet, device: str) -> None:
    """Check that a device may come into service. Raises `Refused` (postal.decertified)."""
    regime = regime_of(ctx.tx, device)
    days = ends(rules, regime)
    if days is not None and ctx.now.date_in(HEADQUARTERS) >= days[0]:
        raise Refused("postal.decertified", device=device, regime=regime, on=days[0])


@cites("IMI-08/1", "IMI-08/2")
def decertify(ctx: Context, rules: RuleSet) -> int:
    """Note which devices of the register are decertified, and which are out of time; give how many were new."""
    today, count = ctx.now.date_in(HEADQUARTERS), 0
    for row, days in _ended(ctx.tx, rules):
        body = dict(row.body)
        if today >= days[0] and "decertified_on" not in body:
            body["decertified_on"] = days[0].isoformat()
            ctx.note("device.decertified", row.key, clauses=("IMI-08",), provider=row.owner, on=days[0].isoformat())
        if today > days[1] and "inactive_since" not in body:
            body["inactive_since"] = int(end_of_day(days[1], HEADQUARTERS))
            ctx.note("device.inactive", row.key, clauses=("IMI-08",), provider=row.owner, since=days[1].isoformat())
        if body != row.body:
            ctx.tx.put("device", row.key, body, owner=row.owner, expected=row.version)
            count += 1
    return count


def inactive_since(row: Record) -> Instant | None:
    """Give since when a device that nobody withdrew is out of time, or None."""
    since = row.body.get("inactive_since")
    return Instant(since) if since is not None else None


def regime_of(view: Transaction, device: str) -> str:
    """Give the regime under which a device was certified, or nothing."""
    held = view.get("device-certificates", device)
    return str(held.body["regime"]) if held is not None else ""


def _ended(view: Transaction, rules: RuleSet) -> Iterator[tuple[Record, tuple[date, date]]]:
    for row in view.find("device"):
        days = ends(rules, regime_of(view, row.key))
        if days is not None and row.body["status"] not in _GONE:
            yield row, days
