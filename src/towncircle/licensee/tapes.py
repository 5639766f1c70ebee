"""Pieces whose postage stands on several tapes, each an indicium with all its words (P050 4.5).

Here: dividing the postage of pieces over tapes, and putting the tapes of a piece together again. Not here: prices
(`pricing`), pages (`envelopes`).
Kept: a piece is counted, priced and corrected once, on however many tapes it is paid; its tapes stand side by side in
their job, and together they pay exactly what is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.forms import form_of_piece, label_stock

MOST_TAPES = 20  # house: of one piece


@cites("P050-4.5/7")
def on_tapes(pieces: list[dict[str, Any]], each: Mills) -> list[dict[str, Any]]:
    """Divide the postage of pieces over as many tapes as it takes, each an indicium with all its words.

    `each` is the most that one tape shows; `tape` says which of how many. Together they pay exactly what is due.
    Raises `Refused` (mailroom.not-on-tape, mailroom.too-many-tapes).
    """
    tapes: list[dict[str, Any]] = []
    for piece in pieces:
        if not label_stock(form_of_piece(piece)):
            raise Refused("mailroom.not-on-tape", form=form_of_piece(piece).name)
        whole, rest = divmod(piece["amount"], int(each)) if each > ZERO else (MOST_TAPES, 1)
        amounts = [int(each)] * whole + ([rest] if rest else [])
        if len(amounts) > MOST_TAPES:
            raise Refused("mailroom.too-many-tapes", amount=Mills(piece["amount"]), each=each, most=MOST_TAPES)
        tapes += [{**piece, "amount": part, "tape": [at, len(amounts)]} for at, part in enumerate(amounts, start=1)]
    return tapes


def places_of_pieces(pieces: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Give the places in their job at which each piece stands: one, or one for each of its tapes."""
    found: list[list[int]] = []
    for place, piece in enumerate(pieces):
        if piece.get("tape", [1, 1])[0] == 1:
            found.append([])
        found[-1].append(place)
    return found


def whole_pieces(pieces: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Give each piece with all that it pays, without its tapes."""
    for places in places_of_pieces(pieces):
        first = pieces[places[0]]
        if "tape" not in first:
            yield first
            continue
        kept = {name: value for name, value in first.items() if name != "tape"}
        yield {**kept, "amount": sum(pieces[place]["amount"] for place in places)}
