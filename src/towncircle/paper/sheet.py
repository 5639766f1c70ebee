"""A letter-size sheet for forms and letters of our own design: its margins, lines of text and thin rules.

Here: what forms and letters set alike. Not here: any form.
"""

from __future__ import annotations

from towncircle.mailpiece.elements import Path, Text
from towncircle.mailpiece.geometry import INCH, Form
from towncircle.mailpiece.typeface import FontKey, face

LETTER = Form(key="letter", name="letter sheet", shape="form", width=8 * INCH + INCH // 2, height=11 * INCH, flap=0)
LEFT, RIGHT = INCH, LETTER.width - INCH
GREY, _LINE = 420, 700


def lines_of(text: str, size: int) -> list[str]:
    """Break a text into lines that fit between the margins."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if face("sans").width(longer, size) > RIGHT - LEFT:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def text_at(text: str, font: FontKey, size: int, x: int, y: int, *, ink: int = 0) -> Text:
    """Set a line of text with its left lower corner at a place."""
    return Text(role="decoration", text=text, font=font, size=size, x=x, y=y, ink=ink)


def rule_at(y: int) -> Path:
    """Draw a thin rule from margin to margin."""
    return Path(role="decoration", ops=(("M", (LEFT, y)), ("L", (RIGHT, y))), stroke=_LINE, width=500)
