"""Decisions about marks under other rules: what a refund would have come to, and which scan would have been well.

Here: the figures of a rule set put to pieces that were judged before. Not here: which pieces those are; the judge.
Kept: pure; it decides nothing. A piece that was struck for another fault stays struck, and one that was struck for its
age may have a fault behind it that nobody looked for. Marks of another layout than the rule set's are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from towncircle.indicium import decode
from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.rulesets import REGISTRY
from towncircle.verification.refunding import refund_share, share_of, share_unknown, unused
from towncircle.wire.bodies.refund import Annotation

AGE = "refund.window"  # the fault of a piece that is too old
REFUNDS = ("refund_window", "refund_share", "refund_share_up_to")
SCANS = ("next_collection", "descending_cap")


def refund_under(rules: RuleSet, form: Mapping[str, Any], papers: Mapping[str, Any], *, zone: str) -> str:
    """Say what a form would come to under a rule set: an amount, nothing, or that the share is not known.

    `form` and `papers` are the records of the refund and its pieces, `zone` is the licensing office's.
    """
    presented = Instant(form["presented"])
    on, today = presented.date_in(HEADQUARTERS), presented.date_in(zone)
    most = timedelta(days=rules.term("refund_window", on).days)
    notes = (Annotation.from_list(row) for row in form["annotations"])
    struck = {one.piece: one.code for one in notes}
    total = ZERO
    for piece in unused(bytes.fromhex(text) for text in papers["pieces"]):
        fault, day = struck.get(piece.number, ""), dated(piece.payload)
        if day is not None and governed(rules, piece.payload) and fault in ("", AGE):
            fault = "" if today - day <= most else AGE
        if not fault:
            total += piece.value
    if share_unknown(rules, total, on) is not None:
        return "refused: no share is known"
    amount = share_of(total, refund_share(rules, on))
    return f"granted {amount}" if amount > ZERO else "refused"


def scan_under(rules: RuleSet, name: str, payload: bytes, *, on: date) -> str:
    """Say what a figure of a rule set finds of a mark that was presented on a day."""
    if not governed(rules, payload):
        return "not of this rule set"
    if name == "next_collection":
        day = dated(payload)
        return _word(day is None or day <= on + timedelta(days=rules.term(name, on).days), "dated too far ahead")
    held = decode(payload).fields.get("descending_mills")
    return _word(not isinstance(held, int) or held <= rules.mills(name, on), "over the cap")


def dated(payload: bytes) -> date | None:
    """Give the mailing date of a mark, or None where it has none that is one."""
    try:
        return date.fromisoformat(str(decode(payload).fields.get("date", "")))
    except (BadInput, ValueError):
        return None


def governed(rules: RuleSet, payload: bytes) -> bool:
    """Tell whether a mark is of the layout that a rule set's devices print."""
    try:
        return str(decode(payload).layout) == REGISTRY[rules.name].layout
    except BadInput:
        return False


def _word(well: bool, fault: str) -> str:  # noqa: FBT001 - the outcome is the word
    return "well" if well else fault
