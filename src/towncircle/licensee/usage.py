"""What departments have used, month by month: trends and data for budgets (IMI-06).

Here: the report, out of the journal, the jobs and the departments. Not here: how it is shown (`cli.department`).
Kept: it counts what the device evidenced, by the month of the mailing date, and is given only where it adds up to what
each department has spent. Averages are over the months of the report, rounded half up to the mill, once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Transaction

_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Hold what a department used in one month (`YYYY-MM`); `change` is against the month before in the report."""

    month: str
    jobs: int
    pieces: int
    spent: Mills
    change: Mills | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Hold the months of one department, their average, and what is left of its budget (None: it has no limit)."""

    department: str
    months: tuple[Month, ...]
    spent: Mills
    average: Mills
    budget: Mills | None
    bound: Mills
    left: Mills | None


@cites("IMI-06")
def trends(view: Transaction, *, first: str = "", last: str = "", department: str = "") -> tuple[Trend, ...]:
    """Report the usage of every department, or of one, in the months from `first` to `last` (default: all there are).

    Raises `BadInput` (usage.bad-month), `Refused` (usage.nothing), `BrokenInvariant` (usage.differs).
    """
    for month in (first, last):
        if month and not _MONTH.fullmatch(month):
            raise BadInput("usage.bad-month", text=month[:20])
    used = _used(view)
    rows = [row for row in view.find("department") if department in ("", row.key)]
    seen = [month for months in used.values() for month in months]
    months = _between(max(first, min(seen)), min(last or max(seen), max(seen))) if seen else []
    if not rows or not months:
        raise Refused("usage.nothing", department=department[:40] or "any", first=first or "-", last=last or "-")
    found = []
    for row in rows:
        mine = used.get(row.key, {})
        counted = sum((spent for _, _, spent in mine.values()), ZERO)
        if counted != Mills(row.body["spent"]):
            spent = Mills(row.body["spent"])
            raise BrokenInvariant("usage.differs", department=row.key, counted=counted, spent=spent)
        found.append(_trend(row.key, row.body["budget"], Mills(row.body["reserved"]) + counted, mine, months))
    return tuple(found)


_Used = tuple[int, int, Mills]


def _used(view: Transaction) -> dict[str, dict[str, _Used]]:
    """Give jobs, pieces and postage by department and month."""
    used: dict[str, dict[str, _Used]] = defaultdict(dict)
    for fact in view.facts():
        if fact.type != "evidence.made":
            continue
        job = view.get("job", fact.subject)
        assert job is not None
        month = str(fact.body["mailing_date"])[:7]
        jobs, pieces, spent = used[job.body["department"]].get(month, (0, 0, ZERO))
        total = Mills(fact.body["total"])
        used[job.body["department"]][month] = (jobs + 1, pieces + int(fact.body["count"]), spent + total)
    return used


def _trend(name: str, budget: int | None, bound: Mills, mine: dict[str, _Used], months: list[str]) -> Trend:
    rows: list[Month] = []
    for month in months:
        jobs, pieces, spent = mine.get(month, (0, 0, ZERO))
        change = spent - rows[-1].spent if rows else None
        rows.append(Month(month=month, jobs=jobs, pieces=pieces, spent=spent, change=change))
    total = sum((row.spent for row in rows), ZERO)
    count = len(rows)
    return Trend(
        department=name,
        months=tuple(rows),
        spent=total,
        average=Mills((2 * int(total) + count) // (2 * count)),
        budget=Mills(budget) if budget is not None else None,
        bound=bound,
        left=Mills(budget) - bound if budget is not None else None,
    )


def _between(first: str, last: str) -> list[str]:
    months, (year, month) = [], map(int, first.split("-"))
    while (text := f"{year:04d}-{month:02d}") <= last:
        months.append(text)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return months
