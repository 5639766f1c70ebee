"""Text that came from outside, made harmless before it is shown or written.

Here: what a terminal, a page of JSON or a spreadsheet gets to see of it. Not here: whether it may be used
(`addresses`).
Kept: no character that moves a cursor, turns the direction of reading or ends a line reaches a reader; no cell that is
written begins a formula.
"""

from __future__ import annotations

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def visible(text: str, *, most: int) -> str:
    """Write text with every unprintable character as its escape, at most so many characters of it."""
    cut = text[:most]
    if not cut.isprintable():
        cut = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in cut)
    return cut if len(text) <= most else cut + "…"


def cell(text: str) -> str:
    """Write text for a cell of a CSV file: a spreadsheet reads it as text, never as a formula.

    An apostrophe is put before what could begin a formula; that is what spreadsheet programs themselves show as text.
    """
    return "'" + text if text.lstrip(" ").startswith(_STARTS_A_FORMULA) else text


def uncelled(text: str) -> str:
    """Give back what `cell` was given."""
    return text[1:] if text.startswith("'") and text[1:].lstrip(" ").startswith(_STARTS_A_FORMULA) else text
