"""The rate that a mailer claims for pieces (P050 5.1), as a person or a template says it.

Here: what is claimed. Not here: what it costs (`rates`), what a price rests on besides (`licensee.pricing.Claim`).
"""

from __future__ import annotations

from dataclasses import dataclass

from towncircle.kernel.money import Mills
from towncircle.mailpiece.categories import PriceType


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRate:
    """Say the class of mail and the rate claimed for pieces.

    `zone` is that of every piece; where it is empty each piece has its own. `zone_reason` says why a zone holds where
    an estimate gives one that costs more. `declared_value` is for the extra service insurance, `mailing_pieces` how
    many pieces a presort mailing has. `accept_low`: prices of low confidence are taken.
    """

    mail_class: str = "first"
    price_type: PriceType = "metered"
    zone: str = ""
    level: str = ""
    extras: tuple[str, ...] = ()
    nonmachinable: bool = False
    declared_value: Mills | None = None
    mailing_pieces: int | None = None
    accept_low: bool = False
    zone_reason: str = ""
