"""`towncircle decode`: what an indicium says, from a scan, a file of bytes or hexadecimal digits.

Here: finding the bytes and showing the fields. Not here: whether the indicium is good (`towncircle verify`).
Exit codes: 0 decoded, 1 nothing readable or no indicium, 2 the input cannot be used.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import BadInput

if TYPE_CHECKING:
    from towncircle.indicium import Decoded
    from towncircle.symbol import Found

_UNREADABLE = {
    "indicium.unknown-version",
    "indicium.unknown-vendor",
    "indicium.field-unreadable",
    "symbol.none-found",
    "symbol.none-an-indicium",
}
_EPILOG = """\
examples:
  towncircle decode envelope.pdf
  towncircle decode photo.jpg --json
  towncircle decode --hex "a2 03 07 00 00 80 54 43 ..."
Decoding tells what the bytes say; 'towncircle verify' tells whether they are true."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "decode",
        help="show what an indicium says, field by field",
        description="Show every field of an indicium in numbers and in words.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("file", nargs="?", metavar="FILE", help="PDF, PNG, JPEG or TIFF; bytes; or hexadecimal text")
    source.add_argument("--hex", metavar="HEX", help="the bytes as hexadecimal digits; spaces do not matter")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    try:
        found = _from_hex(args.hex) if args.hex is not None else _from_file(Path(args.file))
    except BadInput as error:
        if error.code not in _UNREADABLE:
            raise
        from towncircle.cli.main import render

        render(error, as_json=args.json)
        return 1
    fims = _fims(Path(args.file)) if args.hex is None else []
    if args.json:
        records = [decoded.as_dict() for decoded, _ in found]
        also = {"also": records[1:]} if len(records) > 1 else {}
        seen = {"fim": fims} if fims else {}
        print(json.dumps({**records[0], **also, **seen}, ensure_ascii=False))
    else:
        print("\n\n".join(_text(decoded, symbol) for decoded, symbol in found))
        for one in fims:
            print(f"\nPage {one['page']} bears FIM {one['letter']}, {one['inches_from_right']} inches from the right.")
    return 0


def _fims(path: Path) -> list[dict[str, object]]:
    """Find the facing identification marks of a scan that says its resolution, page by page."""
    from towncircle.paper import scan
    from towncircle.symbol import fim_from_image

    data, found = scan.read_bytes(path), []
    for number, (page, dpi) in enumerate(
        scan.pages_of(data, path.name) if scan.looks_like_a_scan(data) else (), start=1
    ):
        seen = fim_from_image(page, dpi=dpi) if dpi else None
        if seen is not None:
            away = round((page.shape[1] - seen.box[2]) / dpi, 2) if dpi else 0
            found.append({"page": number, "letter": seen.letter, "inches_from_right": away})
    return found


def _from_hex(text: str) -> list[tuple[Decoded, Found | None]]:
    from towncircle.indicium import decode
    from towncircle.paper.scan import bytes_of

    return [(decode(bytes_of(text.encode("utf-8", "replace"), hex_only=True)), None)]


def _from_file(path: Path) -> list[tuple[Decoded, Found | None]]:
    from towncircle.indicium import decode
    from towncircle.paper import scan

    data = scan.read_bytes(path)
    if scan.looks_like_a_scan(data):
        return _from_pages(path)
    return [(decode(scan.bytes_of(data)), None)]


def _from_pages(path: Path) -> list[tuple[Decoded, Found | None]]:
    from towncircle.indicium import decode
    from towncircle.paper import scan
    from towncircle.symbol import read

    found: list[tuple[Decoded, Found | None]] = []
    failures: list[BadInput] = []
    for page in scan.pages(path):
        for symbol in read(page):
            try:
                found.append((decode(symbol.payload), symbol))
            except BadInput as error:
                failures.append(error)
    if not found and failures:
        raise BadInput("symbol.none-an-indicium", file=path.name, count=len(failures), why=failures[0].sentence)
    if not found:
        raise BadInput("symbol.none-found", file=path.name)
    return found


def _text(decoded: Decoded, symbol: Found | None) -> str:
    from towncircle.indicium import words

    lines = [words.headline(decoded)]
    if symbol is not None:
        unused = symbol.unused_error_correction
        quality = f", {round(100 * unused)} % of its error correction unused" if unused is not None else ""
        lines.append(f"Read from a {symbol.symbology} symbol{quality}.")
    rows = [("field", "value", "in words"), *((row.field, row.value, row.words) for row in words.explain(decoded))]
    widths = [max(len(row[at]) for row in rows) for at in (0, 1)]
    lines += ["", *(f"{name:{widths[0]}}  {value:{widths[1]}}  {said}".rstrip() for name, value, said in rows)]
    if decoded.device is not None:
        lines += ["", f"Device {decoded.device}"]
    if decoded.missing:
        lines += ["", f"Cut short: missing are {', '.join(decoded.missing)}."]
    if decoded.trailing:
        lines += ["", f"{len(decoded.trailing)} bytes stand behind the layout: {decoded.trailing.hex()}"]
    return "\n".join(lines)
