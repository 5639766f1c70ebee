"""The papers of a device's custody: Form 3601-C, the lease, the Acknowledgment of Deposit, receipts.

Here: the fields of each paper. Not here: where things stand on a page (`sheet`), what is known, files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from towncircle.mailpiece.elements import Page
from towncircle.paper.sheet import Section, sheets

_NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Hold what Form 3601-C tells: each a list of labelled words; section F is money given back, G who signed."""

    device: Sequence[tuple[str, str]]
    events: Sequence[tuple[str, str]]
    hand_overs: Sequence[tuple[str, str]]
    registers: Sequence[tuple[str, str]]
    check_out: Sequence[tuple[str, str]]
    amount: str
    signed: str
    kept_until: str


def activity_pages(told: Activity) -> list[Page]:
    """Lay out Form 3601-C: what happened to a device, and what it gave back."""
    note = f"The Provider keeps this form at least one year: until {told.kept_until} (502.20(e))."
    return sheets(
        "Form 3601-C",
        "Postage Meter Activity Report",
        (
            Section(heading="A  Device, licensee, Provider", rows=told.device),
            Section(heading="B  Activity", rows=told.events or [("Activity", _NONE)]),
            Section(heading="C  Hand-overs, each signed by giver and receiver", rows=told.hand_overs or [("", _NONE)]),
            Section(heading="D  Registers, as the device last signed them", rows=told.registers),
            Section(heading="E  Withdrawal from service", rows=told.check_out or [("Notice", _NONE)]),
            Section(heading="F  Balance given back", rows=[("Amount credited to the CMRS account", told.amount)]),
            Section(heading="G  Signature of the Provider", rows=[("Signed", told.signed)]),
            Section(prose=(note,)),
        ),
    )


def agreement_pages(title: str, text: str, rows: Sequence[tuple[str, str]], *, form: str) -> list[Page]:
    """Lay out a signed text: who signed what, then the text."""
    paragraphs = [" ".join(part.split()) for part in text.replace("\n- ", "\n\n- ").split("\n\n") if part.strip()]
    return sheets(form, title, (Section(rows=rows), Section(prose=paragraphs)))


def receipt_pages(title: str, rows: Mapping[str, str], *, form: str = "Receipt") -> list[Page]:
    """Lay out the receipt of a hand-over, or what else has rows alone."""
    return sheets(form, title, (Section(rows=list(rows.items())),))
