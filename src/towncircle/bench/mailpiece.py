"""Measuring pages, scans and prices, each beside a raw limit that it cannot outrun.

Here: pricing, and the list of cases. Not here: writing pages (`pages`, `one`), scans (`scans`), devices.
The limits: `print.pages` is set against zint drawing the same symbols, `scan.image` against zxing-cpp reading the
cropped symbol of the same page, `price` against building and asking a dict of the same requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

from towncircle.bench import Result, environment, scans
from towncircle.bench.one import print_one
from towncircle.bench.pages import draw_one, print_pages
from towncircle.indicium import encode_content, layout
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import Mills
from towncircle.mailpiece.categories import CLASSES, PRICE_TYPES, SHAPES
from towncircle.mailpiece.rate_files import packaged
from towncircle.mailpiece.rate_requests import INSURANCE
from towncircle.mailpiece.rates import PriceRequest, extras_of, price
from towncircle.mailpiece.tariff import PIECE, Line, Table, known_tables

PAGES = 1000
_OUNCES = 14  # how many beyond a line are tried
_DAY = date(2026, 11, 23)


def measure(place: Path | None = None, *, seconds: float = 1.0) -> tuple[list[Result], dict[str, object]]:
    """Measure all cases, about `seconds` for each loop."""
    payloads = [_payload(number) for number in range(PAGES)]
    pages, size = print_pages(payloads, _DAY, rate_of=_rate, seconds=seconds)
    one, times = print_one(place, draw=draw_one(payloads[0], _DAY), rate_of=_rate, seconds=seconds)
    told = environment(pages=PAGES, dpi=scans.DPI, pdf_bytes_a_page=round(size), **times)
    return [pages, one, *scans.measure(seconds=seconds), _prices(seconds)], told


def _rate(work: Callable[[], int], seconds: float) -> float:
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds or not count:
        count += work()
    return count / spent


def _payload(number: int) -> bytes:
    fields = {
        "certificate_serial": 0x80000008,
        "vendor": "TC",
        "model": "1A",
        "psd_serial": 1,
        "ascending_mills": 780 * (number + 1),
        "postage_mills": 780,
        "date": _DAY,
        "origin_zip": "20260",
        "descending_mills": 100_000,
        "category": "FCLM",
        "piece_count": number + 1,
        "mail_service": 0,
        "software_id": b"TC",
    }
    unsigned = bytes((number * 7 + place * 13) % 256 for place in range(64))  # pages and scans ask for no signature
    return encode_content(layout("imi-std"), fields) + unsigned


def priceable() -> list[PriceRequest]:
    """Give four requests for each line of every table, at its weight and under it, on two days, and what lies on them.

    That is: the nonmachinable surcharge, each extra service, ounces derived beyond the last line. Only what has
    a price is given. No request stands twice, and nothing keeps an answer: a round over the list asks each once.
    """
    found: dict[PriceRequest, None] = {}
    services = extras_of(known_tables())
    for table in known_tables():
        for line in table.lines:
            one = _asked(table, line)
            for days, less in ((0, 0), (0, 1), (3, 0), (3, 1)) if one is not None else ():
                assert one is not None
                on, weight = table.in_force_from + timedelta(days=days), one.weight_oz - Fraction(less, 100)
                asked = replace(one, on=on, weight_oz=weight)
                derived = (replace(asked, weight_oz=weight + more) for more in range(1, _OUNCES))
                for request in (
                    asked,
                    *(_with(asked, service) for service in services if not days and not less),
                    *((replace(asked, nonmachinable=True),) if asked.shape == "letter" else ()),
                    *(derived if table.derive_ounces_through and not line.zone else ()),
                ):
                    found[request] = None
    return [request for request in found if _has_a_price(request)]


def _asked(table: Table, line: Line) -> PriceRequest | None:
    """Ask for what a line prices; extra services and additions are asked for with the pieces that they lie on."""
    mail_class = next((one for one in CLASSES.values() if table.series.startswith(one.key)), None)
    shape, kind = next((one for one in SHAPES if one == line.shape), None), line.price_type.replace("all", "metered")
    price_type = next((one for one in PRICE_TYPES if one == kind), None)
    if line.kind != PIECE or mail_class is None or shape is None or price_type is None:
        return None
    return PriceRequest(
        on=table.in_force_from,
        mail_class=mail_class.key,
        shape=shape,
        price_type=price_type,
        weight_oz=line.not_over_oz or Fraction(1),
        zone=line.zone,
        level=line.level,
        mailing_pieces=1_000 if line.level else None,
    )


def _with(request: PriceRequest, service: str) -> PriceRequest:
    """Ask for an extra service besides; insurance is for a value."""
    value = Mills.dollars(150) if service == INSURANCE else None
    return replace(request, extras=(service,), declared_value=value)


def _has_a_price(request: PriceRequest) -> bool:
    try:
        price(request)
    except (BadInput, Refused):
        return False
    return True


def _prices(seconds: float) -> Result:
    requests = priceable()

    def priced() -> int:
        packaged.cache_clear()  # every round reads the tables again
        for request in requests:
            price(request)
        return len(requests)

    def looked_up() -> int:
        table = {request: request.weight_oz for request in requests}
        for request in requests:
            _ = table[request]
        return len(requests)

    rate, limit = _rate(priced, seconds), _rate(looked_up, seconds)
    return Result.of("price", rate=rate, unit="prices/s", limit="a dict built and asked", limit_rate=limit)
