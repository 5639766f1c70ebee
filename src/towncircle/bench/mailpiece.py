"""Measuring pages, scans and prices, each beside a raw limit that it cannot outrun.

Here: pricing, and the list of cases. Not here: writing pages (`pages`), scans (`scans`), devices.
The limits: `print.pages` is set against zint drawing the same symbols, `price` against building and asking a dict of
the same requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from fractions import Fraction

from towncircle.bench import Result, environment, scans
from towncircle.bench.pages import print_pages
from towncircle.indicium import encode_content, layout
from towncircle.mailpiece.rates import PriceRequest, price

PAGES = 1000
_DAY = date(2026, 11, 23)


def measure(*, seconds: float = 1.0) -> tuple[list[Result], dict[str, object]]:
    """Measure all cases, about `seconds` for each loop."""
    payloads = [_payload(number) for number in range(PAGES)]
    pages, size = print_pages(payloads, _DAY, rate_of=_rate, seconds=seconds)
    told = environment(pages=PAGES, dpi=scans.DPI, pdf_bytes_a_page=round(size))
    return [pages, *scans.measure(seconds=seconds), _prices(seconds)], told


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


def _prices(seconds: float) -> Result:
    requests = [
        PriceRequest(on=date(2026, 11, day), weight_oz=Fraction(tenths, 10))
        for day in range(1, 29)
        for tenths in range(1, 36)
    ]

    def priced() -> int:
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
