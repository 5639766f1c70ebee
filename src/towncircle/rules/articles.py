"""Article numbers of devices in the mail (502.20(l), P050 2.9): their form.

Here: whether what somebody copied from a label can be an article number. Not here: the hand-overs that they stand on.
Kept: neither the rule nor a paper at hand gives the form or a check digit, so none is computed. The forms are the ones
that the Postal Service shows to the public (house): of Registered Mail the letter R with nine digits, R and a letter
with nine digits and US, or 22 digits. Of another service it is what its label says: letters, digits, blanks and
hyphens, one digit at least.
"""

from __future__ import annotations

import re

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput

REGISTERED = "Registered Mail"
MOST = 40
_REGISTERED = re.compile(r"R[0-9]{9}|R[A-Z][0-9]{9}US|[0-9]{22}", re.ASCII)
_ANY = re.compile(rf"(?=.*[0-9])[A-Z0-9][A-Z0-9 -]{{0,{MOST - 1}}}", re.ASCII)


@cites("502.20l/1")
def read_article(number: str, *, service: str) -> str:
    """Read an article number as one writes it from a label; blanks at its ends and small letters are no difference.

    Raises `BadInput` (custody.article).
    """
    text = " ".join(number.upper().split())
    plain = text.replace(" ", "").replace("-", "")
    if not _ANY.fullmatch(text) or (service == REGISTERED and not _REGISTERED.fullmatch(plain)):
        raise BadInput("custody.article", text=number[:MOST], service=service[:80])
    return plain if service == REGISTERED else text
