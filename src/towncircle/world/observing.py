"""What an officer observed of a piece, as words, to what the judge takes.

Here: one reader for the arguments of a command and for a row of a file. Not here: what follows from it
(`verification`), what a scan itself shows (`world.verifying`).
Kept: an empty word was not observed; a word that cannot be read is refused, never taken for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import ceil
from typing import Any

from towncircle.kernel.errors import BadInput
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.eligibility import Size
from towncircle.mailpiece.rate_requests import check_services
from towncircle.mailpiece.row_rates import row_rate
from towncircle.mailpiece.weights import parse_weight

COLUMNS = (
    "due",
    "redate",
    "weight",
    "size",
    "origin",
    "handful",
    "other_payment",
    "month_only",
    "branch",
    "zone",
    "extras",
    "value",
)
_YES, _NO = ("yes", "1", "true"), ("no", "0", "false")
_MOST_WORDS = 60


def seen(told: Mapping[str, str | None]) -> dict[str, Any]:
    """Give what the words say was observed, as fields of `Observed`.

    Raises `BadInput`: time.unreadable, mailroom.amount-zero, scan.bad-zip, scan.no-yes-or-no, scan.long-words,
    rates.extra-twice, rates.value-astray, and as `Mills.parse`, `parse_weight`, `Size.parse` and `row_rate`.
    """
    said = {name: (told.get(name) or "").strip() for name in COLUMNS}
    found: dict[str, Any] = {}
    if said["due"]:
        found["amount_due"] = _amount(said["due"])
    if said["redate"]:
        found["redate"] = _day(said["redate"])
    if said["weight"]:
        found["weight_tenths"] = ceil(10 * parse_weight(said["weight"]))
    if said["size"]:
        found["size"] = Size.parse(said["size"])
    if said["origin"]:
        found["origin"] = _zip(said["origin"])
    for name in ("handful", "month_only"):
        if said[name]:
            found[name] = _yes(said[name])
    for name in ("other_payment", "branch"):
        if said[name]:
            found[name] = _words(said[name])
    return found | _priced(said)


def _priced(said: Mapping[str, str]) -> dict[str, Any]:
    """Give what the price depends on besides class, weight and size: the zone, and services with a declared value."""
    row, faults = row_rate(
        {"zone": said["zone"], "extras": said["extras"], "declared_value": said["value"]},
    )
    for _, fault in faults:
        raise fault
    check_services(row.extras or (), row.declared_value)
    told = {"zone": row.zone or None, "extras": row.extras, "declared_value": row.declared_value}
    return {name: what for name, what in told.items() if what is not None}


def _amount(text: str) -> Mills:
    due = Mills.parse(text)
    if due <= ZERO:
        raise BadInput("mailroom.amount-zero", amount=due)
    return due


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("time.unreadable", text=text[:40]) from error


def _zip(text: str) -> str:
    if len(text) != 5 or not (text.isascii() and text.isdecimal()):
        raise BadInput("scan.bad-zip", text=text[:40])
    return text


def _yes(text: str) -> bool:
    if text.lower() not in _YES + _NO:
        raise BadInput("scan.no-yes-or-no", text=text[:40])
    return text.lower() in _YES


def _words(text: str) -> str:
    if len(text) > _MOST_WORDS or not text.isprintable():
        raise BadInput("scan.long-words", most=_MOST_WORDS)
    return text
