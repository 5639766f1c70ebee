"""The proof of a page: what would be printed, marked so that nobody can take it for postage.

Here: the marks of a proof. Not here: the page itself, which is laid out as ever, with a stand-in for its symbol.
Kept: every element of the page stands where it will stand; the marks are added and nothing is moved, and the stand-in
is struck through.
"""

from __future__ import annotations

from dataclasses import replace

from towncircle.mailpiece.elements import Element, Page, Path, Text, polyline
from towncircle.mailpiece.geometry import Box
from towncircle.mailpiece.typeface import face

PROOF_WORDS = "PROOF \u00b7 NOT POSTAGE"
_GREY = 620
_STROKE = 2_400


def marked(page: Page) -> Page:
    """Give a page with the marks of a proof over it: words across it in grey, and its symbol struck through."""
    marks: list[Element] = [_words(page)]
    for _, box in page.having("symbol"):
        rising = ((box.left, box.bottom), (box.right, box.top))
        falling = ((box.left, box.top), (box.right, box.bottom))
        for start, stop in (rising, falling):
            for ink, width in ((1000, 3 * _STROKE), (0, _STROKE)):
                marks.append(Path(role="proof", ops=polyline(start, stop), stroke=ink, width=width))
    return replace(page, elements=(*page.elements, *marks))


def _words(page: Page) -> Element:
    """Draw the words as wide as fits, on the left side a third up, where pages have the most white."""
    room = Box(page.form.width // 20, page.form.height // 10, page.form.width * 2 // 5, page.form.height // 3)
    size = face("bold").fitting(PROOF_WORDS, size=28_000, most=room.width, least=4_500) or 4_500
    return Text(role="proof", text=PROOF_WORDS, font="bold", size=size, x=room.left, y=room.top - size, ink=_GREY)
