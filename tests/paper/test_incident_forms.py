"""Incident and malfunction papers: what stands on them, in whatever letters somebody wrote it."""

from __future__ import annotations

import pypdfium2

from towncircle.mailpiece.elements import Page
from towncircle.paper.incident_forms import Told, incident_pages, malfunction_pages
from towncircle.paper.pdf import to_pdf
from towncircle.paper.sheet import Section, sheets

TOLD = Told(
    report=[("Report", "INC-1"), ("References the first report", "INC-0")],
    device=[("Device", "TC1A0000000017")],
    registers=[("Ascending register, descending register, pieces", "$1.48, $198.52, 2")],
    happened=[("Place", "στο γραφείο")],
    words="It lay behind the shelf.\nNobody saw it.",
    clause="502.24(d)",
)


def text_of(pages: list[Page]) -> str:
    document = pypdfium2.PdfDocument(to_pdf(pages))
    return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)


def test_an_incident_report_says_what_happened_where_and_what_the_registers_said() -> None:
    text = text_of(incident_pages(TOLD, recovered=True))
    for said in (
        "Lost and Stolen PSD Incident Report SPECIMEN Recovery of a device that was reported missing (502.24(d))",
        "Report INC-1 References the first report INC-0",
        "pieces $1.48, $198.52, 2",
        "D Where and how it was found Place ??? ??????? It lay behind the shelf. Nobody saw it.",
        "Steps none was needed",
    ):
        assert said in text, said
    assert "Where and how it happened" in text_of(incident_pages(TOLD, recovered=False))


def test_a_notice_of_a_malfunction_and_its_report_are_two_papers() -> None:
    assert "D What was seen" in text_of(malfunction_pages(TOLD, report=False))
    assert "D The fault" in text_of(malfunction_pages(TOLD, report=True))


def test_a_long_value_of_a_form_stands_on_several_lines() -> None:
    value = " ".join(f"word{number}" for number in range(60))
    text = text_of(sheets("Form", "Title", (Section(rows=[("Place", value), ("Next", "row")]),)))
    assert f"Place {value} Next row" in text
