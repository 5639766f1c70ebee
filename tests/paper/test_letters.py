"""A letter of supervision runs over pages without losing a line, and each page says what it is."""

from __future__ import annotations

import pypdfium2

from towncircle.paper.letters import letter_pages
from towncircle.paper.pdf import to_pdf


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
