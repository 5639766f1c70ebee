"""Lints of what was approved: the design, label stocks, the place that is named, the date (P050 4.1, 4.3, 4.5, 4.7).

Here: whether a page shows what the approvals and the license of its mailer allow, and the day of its mailing. Not here:
that something stands there at all (`content`).
A page of no mailer, such as a picture of a form, has no license to compare with.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.mailpiece.elements import ArcText, Symbol, Text
from towncircle.mailpiece.forms import label_stock
from towncircle.mailpiece.geometry import INCH, POINT
from towncircle.mailpiece.lints.finding import PROPOSED, Context, Faults, Lint, show

MAILED_FROM = "MAILED FROM ZIP CODE"
_ZIP = re.compile(r"[0-9]{5}", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@cites("P050-4.1")
def design(context: Context) -> Faults:
    """Print the indicium in the fonts and sizes of the approved design, and in no other."""
    approved, symbol = _design()["type"], _design()["symbol"]
    for element, _ in context.page.having(*approved):
        if not isinstance(element, Text | ArcText):
            continue
        row = approved[element.role]
        most = _points(row["most"])
        if element.font not in row["fonts"]:
            yield f"'{element.text[:30]}' is not in the font of the design", element.font, " or ".join(row["fonts"])
        if element.size > most:
            yield f"'{element.text[:30]}' is larger than the design", f"{element.size / POINT} pt", f"{row['most']} pt"
    least, most = (_inches(symbol[name]) for name in ("module_least", "module_most"))
    for element, _ in context.page.having("symbol"):
        if isinstance(element, Symbol) and not least <= element.module <= most:
            yield (
                "The modules of the symbol are not of the design",
                show(element.module),
                f"{show(least)} to {show(most)}",
            )


@cites("P050-4.3")
def label_approved(context: Context) -> Faults:
    """Print an indicium on an adhesive label only if a stock of its form is approved."""
    page = context.page
    if page.licensed is None or not label_stock(page.form) or not page.having("symbol"):
        return
    if page.form.key not in page.licensed.label_forms:
        known = ", ".join(sorted(page.licensed.label_forms)) or "no label"
        yield "No label stock of this form is approved", page.form.key, known


@cites("P050-4.5b/1", "P050-4.5b/2")
def place_licensed(context: Context) -> Faults:
    """Name the licensing post office, or its classified branch that was approved, with the ZIP Code of the office."""
    licensed = context.page.licensed
    if licensed is None:
        return
    words, codes = _place(context)
    if MAILED_FROM in words:
        return
    for text in words - {licensed.office} - licensed.branches:
        allowed = ", ".join(sorted({licensed.office} | licensed.branches))
        yield "The place is neither the licensing post office nor an approved branch of it", text, allowed
    for text in codes - {licensed.office_zip}:
        yield "The ZIP Code is not that of the licensing post office", text, licensed.office_zip


@cites("P050-4.5c")
def mailed_from(context: Context) -> Faults:
    """Show the ZIP Code of the mailer's delivery address with the words Mailed From ZIP Code, and no city."""
    licensed = context.page.licensed
    words, codes = _place(context)
    if MAILED_FROM not in words:
        return
    for text in words - {MAILED_FROM}:
        yield "A place is named beside Mailed From ZIP Code", text, "the ZIP Code alone"
    if licensed is not None and codes != {licensed.mailer_zip}:
        shown = ", ".join(sorted(codes)) or "none"
        yield "The ZIP Code is not that of the mailer's delivery address", shown, licensed.mailer_zip


@cites("P050-4.7")
def true_date(context: Context) -> Faults:
    """Show the day on which the piece is mailed, or its month where the day is omitted."""
    shown = " ".join(str(getattr(element, "text", "")) for element, _ in context.page.having("date"))
    month, on = _MONTHS[context.on.month - 1], context.on
    true = {f"{month} {on.day} {on.year}", f"{month} {on.year}"}
    if shown and shown not in true:
        yield "The date is not that of the mailing", shown, f"{month} {on.day} {on.year}"


def _place(context: Context) -> tuple[set[str], set[str]]:
    """Give the words of the place and its ZIP Codes."""
    texts = {str(getattr(element, "text", "")) for element, _ in context.page.having("place")}
    codes = {text for text in texts if _ZIP.fullmatch(text)}
    return texts - codes, codes


@cache
def _design() -> Mapping[str, Any]:
    return tomllib.loads((files("towncircle.mailpiece") / "data" / "design.toml").read_text(encoding="utf-8"))


@cache
def _points(text: str) -> int:
    return round(Fraction(text) * POINT)


@cache
def _inches(text: str) -> int:
    return round(Fraction(text) * INCH)


LINTS = (
    Lint(code="design", clause="P050 4.1", holds_from=PROPOSED, faults=design),
    Lint(code="label-stock", clause="P050 4.3", holds_from=PROPOSED, faults=label_approved),
    Lint(code="place", clause="P050 4.5(b)", holds_from=PROPOSED, faults=place_licensed),
    Lint(code="mailed-from", clause="P050 4.5(c)", holds_from=PROPOSED, faults=mailed_from),
    Lint(code="true-date", clause="P050 4.7", holds_from=PROPOSED, faults=true_date),
)
