"""The papers about devices that went missing or failed: incident reports, malfunction notices and reports.

Here: the fields of each paper. Not here: where things stand on a page (`sheet`), what is known, files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from towncircle.mailpiece.elements import Page
from towncircle.paper.sheet import Section, sheets


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Hold what such a report tells: labelled words, what happened in a text, the clause that it is made under."""

    report: Sequence[tuple[str, str]]
    device: Sequence[tuple[str, str]]
    registers: Sequence[tuple[str, str]]
    happened: Sequence[tuple[str, str]]
    words: str
    done: Sequence[tuple[str, str]] = ()
    clause: str


def incident_pages(told: Told, *, recovered: bool) -> list[Page]:
    """Lay out a Lost and Stolen PSD Incident Report: of the loss, or of the recovery that references the first."""
    heading = "D  Where and how it was found" if recovered else "D  Where and how it happened"
    title = "Recovery of a device that was reported missing" if recovered else "Lost or stolen device"
    done = told.done or [("Steps", "none was needed")]
    return _pages("Lost and Stolen PSD Incident Report", title, told, heading, ("E  What was done", done))


def malfunction_pages(told: Told, *, report: bool) -> list[Page]:
    """Lay out the notice that a device failed, or the report that explains the fault and names the remedy."""
    heading, title = ("D  The fault", "Report of the fault") if report else ("D  What was seen", "Notice")
    tail = ("E  What was done", told.done) if told.done else None
    return _pages("Malfunction of a device", title, told, heading, tail)


def _pages(
    form: str, title: str, told: Told, heading: str, tail: tuple[str, Sequence[tuple[str, str]]] | None
) -> list[Page]:
    sections = [
        Section(heading="A  Report", rows=told.report),
        Section(heading="B  Device", rows=told.device),
        Section(heading="C  Registers, as the books held them when it was reported", rows=told.registers),
        Section(heading=heading, rows=told.happened, prose=tuple(told.words.splitlines())),
        *([Section(heading=tail[0], rows=tail[1])] if tail else []),
    ]
    return sheets(form, f"{title} ({told.clause})", sections)
