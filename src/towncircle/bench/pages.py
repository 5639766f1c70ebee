"""Measuring pages: from the data of evidenced pieces to a PDF file, on one core and without signing.

Here: `print.pages`, and how many bytes a page adds to a file. Not here: devices, money and lists.
Kept: every page is composed as the mail room composes it, with a symbol, an Intelligent Mail barcode and an address of
its own; the bytes of its symbol are made before the clock starts, because a device makes them. The limit beside it is
zint drawing the same symbols.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import date

from towncircle.bench import Result
from towncircle.indicium.readable import Office
from towncircle.kernel.ids import DeviceId
from towncircle.licensee.envelopes import Stationery, compose
from towncircle.mailpiece.address_files import public_addresses
from towncircle.mailpiece.elements import Page
from towncircle.paper import pdf
from towncircle.rules import ruleset
from towncircle.symbol import data_matrix

RateOf = Callable[[Callable[[], int], float], float]


def print_pages(payloads: Sequence[bytes], day: date, *, rate_of: RateOf, seconds: float) -> tuple[Result, float]:
    """Measure pages a second, one for each payload; give also the bytes that one more page adds to a file."""

    def batch() -> int:
        return pdf.write_pdf(_pages(payloads, day), io.BytesIO())

    def symbols() -> int:
        for payload in payloads:
            data_matrix(payload)
        return len(payloads)

    one, many = (len(pdf.to_pdf(_pages(payloads[:count], day))) for count in (1, len(payloads)))
    rate, limit = rate_of(batch, seconds), rate_of(symbols, seconds)
    result = Result.of("print.pages", rate=rate, unit="pages/s", limit="symbols drawn by zint", limit_rate=limit)
    return result, (many - one) / (len(payloads) - 1)


def draw_one(payload: bytes, day: date) -> Callable[[], int]:
    """Give the work of drawing one composed page as a file of its own."""
    page = list(_pages([payload], day))

    def draw() -> int:
        pdf.to_pdf(page)
        return 1

    return draw


def _pages(payloads: Sequence[bytes], day: date) -> Iterator[Page]:
    recipients = [recipient.address for recipient in public_addresses()]
    rows = [{field.name: str(getattr(one, field.name)) for field in fields(one)} for one in recipients]
    stationery = Stationery(
        device=DeviceId("TC1A0000000001"),
        office=Office(city="Washington", state="DC", zip_code="20260"),
        sender=recipients[0],
        layout="imi-std",
        day=day,
        rules=ruleset("imi-2024"),
    )
    for number, payload in enumerate(payloads, start=1):
        piece = {"address": rows[number % len(rows)], "shape": "letter", "amount": 780, "category": "FCLM"}
        yield compose(piece, payload, number, stationery)
