"""Good pages that tests of the mailpiece and of paper start from."""

from datetime import date

from towncircle.indicium.readable import Office, for_correction, for_postage, for_redate
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.art import DEFAULT_ART, Art
from towncircle.mailpiece.elements import Licensed, Page
from towncircle.mailpiece.geometry import form
from towncircle.mailpiece.page import EnvelopeSpec, envelope, nonaddress_side
from towncircle.rules import ruleset
from towncircle.symbol import data_matrix, imb, pdf417, postnet

ON = date(2026, 11, 21)
ON_1998 = date(1998, 9, 2)
IMI = ruleset("imi-2024")
IBI = ruleset("ibi-1998")
OFFICE = Office(city="Washington", state="DC", zip_code="20260")
DEVICE = DeviceId.parse("TC1A0000000017")
LICENSED = Licensed(
    office="WASHINGTON DC", office_zip="20260", mailer_zip="20024",
    branches=frozenset({"CAPITOL HEIGHTS MD"}), label_forms=frozenset({"label4x6"}),
)  # fmt: skip
PAYLOAD = bytes(range(112))
PAYLOAD_1998 = bytes(range(89))
BARS = imb.encode("01234567094987654321", "20260")
POSTNET = postnet("20260")
SENDER = Address(name="Harbor Light Books", street="350 Seventh St SW", city="Washington", state="DC", zip5="20024")
TO = Address(
    company="United States Postal Service", street="475 L'Enfant Plaza SW", city="Washington", state="DC", zip5="20260"
)
MARKING = Art(words=("FIRST-CLASS MAIL",), kind="marking")


def readable(*, cents=78, day=ON, specimen=True, category="FIRST-CLASS MAIL", office=OFFICE, month_only=False):
    return for_postage(
        office,
        device=DEVICE,
        day=day,
        category=category,
        postage=Mills(cents * 10),
        first_class=not month_only,
        specimen=specimen,
        month_only=month_only,
    )


def piece(
    key: str = "no10", *, art: Art | None = DEFAULT_ART, sender=SENDER, to=TO, bars=BARS, reply=False, **more
) -> Page:
    """A piece of 2026 with a Data Matrix symbol of 112 bytes."""
    return envelope(
        EnvelopeSpec(
            form=form(key), rules=IMI, on=ON, readable=readable(**more), symbol=data_matrix(PAYLOAD),
            recipient=to, sender=sender, imb=bars, art=art if key != "postcard" else None,
            reply=reply, licensed=LICENSED,
        )
    )  # fmt: skip


def piece_1998(key: str = "no10", *, art: Art | None = DEFAULT_ART, sender=SENDER) -> Page:
    """A piece of 1998 with a PDF417 symbol of 89 bytes."""
    return envelope(
        EnvelopeSpec(
            form=form(key), rules=IBI, on=ON_1998, readable=readable(cents=32, day=ON_1998),
            symbol=pdf417(PAYLOAD_1998), recipient=TO, sender=sender, postnet=POSTNET, art=art,
            licensed=LICENSED,
        )
    )  # fmt: skip


def label() -> Page:
    """A label of an approved stock, for a parcel."""
    return envelope(
        EnvelopeSpec(
            form=form("label4x6"), rules=IMI, on=ON, readable=readable(category="PRIORITY PCL"),
            symbol=data_matrix(PAYLOAD), recipient=TO, sender=SENDER, imb=BARS, piece_shape="parcel", licensed=LICENSED,
        )
    )  # fmt: skip


def redate(key: str = "no10", *, day: date = ON) -> Page:
    words = for_redate(OFFICE, device=DEVICE, day=day)
    return nonaddress_side(form=form(key), rules=IMI, on=ON, readable=words, licensed=LICENSED)


def correction(key: str = "no10") -> Page:
    words = for_correction(OFFICE, device=DEVICE, day=ON, category="FIRST-CLASS MAIL", postage=Mills(290))
    return nonaddress_side(
        form=form(key), rules=IMI, on=ON, readable=words, symbol=data_matrix(PAYLOAD), licensed=LICENSED
    )


def correction_1998(key: str = "no10") -> Page:
    words = for_correction(OFFICE, device=DEVICE, day=ON_1998, category="FIRST-CLASS MAIL", postage=Mills(230))
    return nonaddress_side(
        form=form(key), rules=IBI, on=ON_1998, readable=words, symbol=pdf417(PAYLOAD_1998), licensed=LICENSED
    )
