"""One good set of fields a layout."""

from __future__ import annotations

from towncircle.indicium import encode_content, layout

_DEVICE = {"vendor": "TC", "psd_serial": 17}
_COMMON = {
    "certificate_serial": 0x8000_0007,
    **_DEVICE,
    "ascending_mills": 123_456_780,
    "postage_mills": 780,
    "date": "2026-11-21",
    "origin_zip": "04101",
    "descending_mills": 499_220,
    "category": "FCL1",
    "software_id": "0100",
}
_STANDARD = {**_COMMON, "model": "1A", "piece_count": 4_711, "mail_service": 700}

FIELDS: dict[str, dict[str, object]] = {
    "ibi-full": {**_COMMON, "model": "1B", "product_data": "00" * 9},
    "ibi-lite": {
        "piece_count": 4_711,
        "vendor_model": 0x1B,
        "psd_serial": 17,
        "postage_mills": 780,
        "mail_service": 700,
    },
    "imi-min": {
        "certificate_serial": 0x8000_0007,
        "vendor_model": 0x1A,
        "psd_serial": 17,
        "piece_count": 4_711,
        "postage_mills": 780,
        "date": "2026-11-21",
    },
    "imi-std": _STANDARD,
    "imi-max": {**_STANDARD, "destination": "04101123456", "weight": 10, "shape": "L", "rate_date": "2026-07-12"},
}


def content_of(layout_id: str) -> bytes:
    """Encode the sample of a layout."""
    return encode_content(layout(layout_id), FIELDS[layout_id])
