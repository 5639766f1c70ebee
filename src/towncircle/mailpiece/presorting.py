"""Presort prices of one piece: the mailing that it is a piece of.

Here: what has to be declared before a presort price is given, and how the price says it. Not here: prices (`rates`),
the figures (`eligibility`), the sorting itself.
Kept: a presort price belongs to a mailing. One piece does not show it, so the mailer declares how many pieces it has;
fewer than the minimum are refused, and where no minimum is known the price says so.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.mailpiece.categories import CLASSES
from towncircle.mailpiece.eligibility import minimum_pieces
from towncircle.mailpiece.rate_requests import PriceRequest, Step


@cites("P050-1.5")
def declared(request: PriceRequest) -> list[Step]:
    """Give the remark on the mailing of a presorted piece, none of a single one.

    Raises `Refused` (rates.presort-undeclared, rates.presort-too-few).
    """
    if not request.level:
        return []
    known = minimum_pieces(request.mail_class, request.level, request.on)
    least, clause = known if known is not None else (0, "")
    said = {"level": request.level, "mail_class": CLASSES[request.mail_class].name}
    wanted = f"at least {least}" if known is not None else "of how many is not known here"
    if request.mailing_pieces is None:
        raise Refused("rates.presort-undeclared", wanted=wanted, **said)
    if request.mailing_pieces < least:
        raise Refused("rates.presort-too-few", pieces=request.mailing_pieces, least=least, clause=clause, **said)
    bound = f"{wanted} ({clause})" if known is not None else "how many it takes is not known here"
    text = f"Presort level {request.level}: a mailing of {request.mailing_pieces:,} pieces, as declared; {bound}"
    return [Step(text=text)]
