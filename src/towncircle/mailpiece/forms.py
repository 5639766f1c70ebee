"""Which form suits what is paid: the limits of letters, flats and cards against the size of a form.

Here: `shapes_of()`, `require_form()` and what a form is in words. Not here: sizes (`geometry`), the limits
(`eligibility`, which prices and verifies by the same), where things stand on a form (`placing`), prices.
Kept: P050 5.1, the preparation standards of the class and rate claimed: a piece that is paid as a letter is printed on
something that is one. How thick a piece is, nobody knows before it is filled: a form within the limits of a letter may
be paid as a flat, which costs more.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.mailpiece.eligibility import bounds
from towncircle.mailpiece.geometry import INCH, Form, form, form_for, form_keys

SHAPES = ("letter", "flat", "card")


def within(piece: Form, shape: str) -> bool:
    """Tell whether a form keeps the limits of a shape, whatever it is thick."""
    width, height, held = Fraction(piece.width, INCH), Fraction(piece.height, INCH), bounds(shape)
    # half a unit of rounding, which is 1/144000 inch, must not make a form of millimetres too small or too large
    slack = Fraction(1, INCH)
    return (
        held.least[0] - slack <= width <= held.most[0] + slack
        and held.least[1] - slack <= height <= held.most[1] + slack
    )


def shape_of(piece: Form) -> str:
    """Give what a form is by its size: card, letter or flat; empty if it is none."""
    return next((shape for shape in ("card", "letter", "flat") if within(piece, shape)), "")


def shapes_of(piece: Form) -> tuple[str, ...]:
    """Give the shapes that a piece on this form may be paid as."""
    if piece.shape == "label":
        return piece.goes_on
    return tuple(shape for shape in SHAPES if within(piece, shape))


def machinable(piece: Form) -> bool:
    """Tell whether the aspect of a form is that of a machinable letter; what is no letter has no such rule."""
    if piece.shape not in ("letter", "card"):
        return True
    least, most = bounds("letter").aspect
    return least <= Fraction(piece.width, piece.height) <= most


@cites("P050-5.1")
def require_form(key: str, shape: str) -> Form:
    """Give a form for a piece that is paid as a shape.

    Raises `BadInput` (page.unknown-form) and `Refused` (page.form-unsuited): the form is not within the limits of it.
    """
    found = form(key)
    if (shape if shape in SHAPES else "parcel") not in shapes_of(found):
        raise Refused("page.form-unsuited", form=found.name, shape=shape, known=", ".join(shapes_of(found)))
    return found


def form_of_piece(piece: Mapping[str, Any]) -> Form:
    """Give the form of a piece of a job: the one that was chosen (`on`), or the usual one of its shape."""
    return form(piece["on"]) if "on" in piece else form_for(piece["shape"])


def catalogue() -> tuple[Form, ...]:
    """Give all forms, in the order of their file."""
    return tuple(form(key) for key in form_keys())


def label_stock(piece: Form) -> bool:
    """Tell whether a form is adhesive label stock: a label or a tape."""
    return piece.kind in ("label", "tape")
