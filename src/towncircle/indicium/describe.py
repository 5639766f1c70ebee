"""The page of layouts, generated from the layout files.

Here: `markdown()`, which writes `docs/layouts.md`. Not here: the files themselves.
Kept: tables come from the data they describe; a test compares the committed page with this text.
"""

from __future__ import annotations

from towncircle.indicium.catalogue import ANY_VENDOR, HOUSE_VENDOR, Layout, layouts

_HEAD = """\
# Layouts of the indicium

This page is generated from `src/towncircle/indicium/layouts/*.toml` by `towncircle.indicium.describe.markdown()`.

All integers are little-endian and unsigned. Money is in mills (1/1000 dollar). A `date` is the decimal number
YYYYMMDD, `days` count from 1998-01-01, a `zip` is the 5-digit ZIP Code as a number. A `category` is text where it is
printable and hexadecimal otherwise. `routing` counts delivery points of 0, 5, 9 and 11 digits one behind the other,
as the Intelligent Mail barcode does. A layout is chosen by its version byte and vendor. Bytes after the last field
are reported, never refused. A layout whose status is `house` is our own design; `secondary` means that it was
published by others than the Postal Service.
"""


def markdown() -> str:
    """Write the page."""
    return _HEAD + "".join(_section(item) for item in layouts())


def _section(item: Layout) -> str:
    rows = "".join(
        f"| {field.offset} | {field.length} | `{field.name}` | {field.encoding} | {field.source} |\n"
        for field in item.fields
    )
    chosen = ", ".join(f"0x{version:02X} ({_vendor(vendor)})" for version, vendor in item.chosen_by)
    codes = ", ".join(f"0x{code:02X} is {name}" for code, name in item.vendor_models.items())
    return (
        f"\n## {item.id}: {item.title}\n\n{item.note}\n\n"
        f"{item.length} bytes, of which the first {item.signed_length} are signed by `{item.scheme}` "
        f"(algorithm byte {item.algorithm}). Status: {item.status}. Version bytes: {chosen}."
        + (f" Vendor and model codes: {codes}." if codes else "")
        + f"\n\n| Offset | Length | Field | Encoding | Source |\n|---:|---:|---|---|---|\n{rows}"
    )


def _vendor(vendor: str) -> str:
    return {ANY_VENDOR: "any vendor", HOUSE_VENDOR: "our own devices"}.get(vendor, vendor)
