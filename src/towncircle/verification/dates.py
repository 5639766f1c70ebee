"""The check of the mailing date: 12 of `judge` (P050 4.6 to 4.8).

Here: the window around the deposit, a date without its day, a REDATE. Not here: reading a REDATE from a page.
Kept: a REDATE that was observed and can be true replaces the date of the indicium, also of one that shows its month
alone; nobody signs it, so it is never well itself.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import date, timedelta

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.categories import printed_category
from towncircle.mailpiece.markings import may_omit_day
from towncircle.pki.verifying import Finding
from towncircle.verification.finding import finding
from towncircle.verification.mark import Mark


def dates(mark: Mark) -> Iterator[Finding]:
    """Compare the mailing date with the day of presentation."""
    day, today, terms = mark.day, mark.today, mark.terms
    if day is None or today is None or terms is None:
        yield finding("date.future", ok=None, text="The mailing date cannot be compared with anything.")
        return
    last, first = today + timedelta(days=terms.advance_days), today - timedelta(days=terms.stale_days)
    shown = day.replace(day=1) if mark.observed.month_only else day
    yield finding(
        "date.future", ok=shown <= last, text=f"Mailing date {day}; presented {today}, at most {last} may stand."
    )
    if mark.observed.purpose != "postage":
        return
    if mark.observed.month_only:
        yield _without_day(mark)
    redated = yield from _redated(mark.observed.redate, shown, last)
    if redated is not None:
        yield _fresh(redated, "Actual date by REDATE", first, today)
    elif mark.observed.month_only:
        yield _month(mark, day, today)
    else:
        yield _fresh(day, "Mailing date", first, today)


@cites("P050-4.8")
def _redated(redate: date | None, shown: date, last: date) -> Generator[Finding, None, date | None]:
    """Say what of a REDATE is heeded: nobody signs it, so it is never well by itself; an impossible one is ignored."""
    if redate is None:
        return None
    possible = shown <= redate <= last
    fault = "" if possible else f" It must be from {shown} to {last}, so it is not heeded."
    text = f"A REDATE to {redate} was observed; nobody signed it.{fault}"
    yield finding("date.redate", ok=None if possible else False, text=text)
    return redate if possible else None


def _fresh(shown: date, words: str, first: date, today: date) -> Finding:
    tail = "." if shown >= first else ": it needs a REDATE."
    return finding("date.stale", ok=shown >= first, text=f"{words} {shown}; presented {today}{tail}")


@cites("P050-4.6/1")
def _without_day(mark: Mark) -> Finding:
    """Check that the class may omit the day: Standard Mail only."""
    category = mark.number_or_text("category")
    try:
        allowed = may_omit_day(printed_category(category)) if isinstance(category, str) else None
    except BadInput:
        allowed = None
    words = f"category {category}" if category else "no category in the mark"
    return finding("date.month-only", ok=allowed, text=f"Month and year are shown without the day; {words}.")


@cites("P050-4.6/3", "P050-4.6/4")
def _month(mark: Mark, day: date, today: date) -> Finding:
    """Accept a piece in the month that it shows, or later as the postmaster has found."""
    month, when = f"{day:%Y-%m}", "in" if today >= day.replace(day=1) else "for a collection (P050 4.7) in"
    if f"{today:%Y-%m}" <= month:
        return finding("date.month", ok=True, text=f"Shows {month}; presented {today}, {when} that month.")
    through = mark.facts.delays.get(month) if mark.facts is not None else None
    if through is None:
        found = "that the mailing was delayed is not known here" if mark.facts is None else "no delay was found"
        return finding("date.month", ok=False, text=f"Shows {month}; presented {today}, and {found}.")
    text = f"Shows {month}; presented {today}; the postmaster found it delayed, acceptable through {through}."
    return finding("date.month", ok=today <= through, text=text)
