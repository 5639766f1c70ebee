"""A letter of supervision runs over pages without losing a line, and each page says what it is."""

from __future__ import annotations

from itertools import pairwise

import pypdfium2

from towncircle.mailpiece.elements import Text
from towncircle.mailpiece.typeface import face
from towncircle.paper import letter
from towncircle.paper.letters import letter_pages, numbered
from towncircle.paper.pdf import to_pdf
from towncircle.paper.sheet import RIGHT, Section, lines_of, sheets


def test_a_long_letter_keeps_every_line_on_numbered_pages() -> None:
    words = [f"word{number}" for number in range(900)]
    pages = letter_pages("Decision", [("To", "provider.harbor")], [("Reasons", " ".join(words))], foot="PRC-1.")
    assert len(pages) > 1
    texts = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(to_pdf(pages))]
    said = " ".join(texts).split()
    assert [word for word in said if word.startswith("word")] == words
    for number, text in enumerate(texts, start=1):
        assert "SPECIMEN" in text
        assert f"Page {number}." in text


def test_what_is_too_long_for_a_row_stands_on_several_lines_and_nothing_leaves_the_margin_or_covers_another() -> None:
    long = "the store behind the gate " * 30
    findings = numbered([f"{long}number {number}" for number in range(12)])
    pages = letter_pages("Report", [("Site", long), ("Under", "502.19")], [("What was found", findings)], foot="I-7.")
    assert len(pages) > 1
    for page in pages:
        texts = [one for one in page.elements if isinstance(one, Text)]
        assert all(one.x + face(one.font).width(one.text, one.size) <= RIGHT for one in texts)
        body = [one for one in texts if one.font == "sans" and one.size == 10_000]
        assert len({one.y for one in body}) == len(body)
        assert all(a.y - b.y >= a.size for a, b in pairwise(body))
    lines = [one.text for page in pages for one in page.elements if isinstance(one, Text)]
    assert lines.index("Under") == lines.index("502.19") - 1


def test_a_word_that_is_wider_than_a_line_is_broken_on_every_paper_and_no_letter_of_it_is_lost() -> None:
    word = "https://records.example/" + "0123456789" * 30
    prose = f"See {word} and answer."
    columns = [letter.Column(x=letter.LEFT)]
    sheet = letter.Sheet("S-1", columns=columns, foot="foot")
    sheet.text(prose)
    papers = {
        letter.RIGHT: list(sheet.pages()),
        RIGHT: [
            *letter_pages("Report", [("Site", word)], [("Found", numbered([word, prose]))], foot="I-7."),
            *sheets("Notice", "of a word", [Section(heading="Why", rows=[("Site", word)], prose=[prose])]),
        ],
    }
    for margin, pages in papers.items():
        texts = [one for page in pages for one in page.elements if isinstance(one, Text)]
        assert [one.text for one in texts if one.x + face(one.font).width(one.text, one.size) > margin] == []
        said = "".join(one.text for one in texts).replace(" ", "")
        assert said.count(word) == (1 if margin == letter.RIGHT else 5)
    assert lines_of(prose, size=9_000, most=RIGHT)[0] == "See"  # the line before it is full by words
    assert lines_of("", size=9_000, most=100) == [""]
    assert lines_of("wide", size=9_000, most=1) == ["w", "i", "d", "e"]
