"""`towncircle imb`: Intelligent Mail barcodes to bars and back.

Here: two sub-commands over `symbol.imb`. Not here: finding bars in an image.
Exit codes: 0 well, 1 the bars are no valid barcode, 2 the input cannot be used (with the return code of the USPS
encoder in the sentence).
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from towncircle.kernel.errors import BadInput

if TYPE_CHECKING:
    from towncircle.symbol.imb import Imb


def add(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "imb",
        help="encode and decode Intelligent Mail barcodes",
        description="Turn digits into the 65 bars of an Intelligent Mail barcode, and bars into digits.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    encode = actions.add_parser("encode", help="digits to bars", description="Give the 65 bars as A, D, F and T.")
    encode.add_argument("tracking", metavar="TRACKING", help="20 digits: barcode id, service type, mailer id, serial")
    encode.add_argument("routing", metavar="ROUTING", nargs="?", default="", help="0, 5, 9 or 11 digits of ZIP Code")
    encode.add_argument("--json", action="store_true", help="print JSON with stable keys")
    encode.set_defaults(run=run_encode)
    decode = actions.add_parser("decode", help="bars to digits", description="Read 65 bars, upright or upside down.")
    decode.add_argument("bars", metavar="BARS", help="65 letters: A ascender, D descender, F full, T tracker")
    decode.add_argument("--json", action="store_true", help="print JSON with stable keys")
    decode.set_defaults(run=run_decode)


def run_encode(args: argparse.Namespace) -> int:
    """Run `imb encode`."""
    from towncircle.symbol import imb

    bars = imb.encode(args.tracking, args.routing)
    if args.json:
        print(json.dumps({"bars": bars, **_record(imb.decode(bars))}))
    else:
        print(bars)
    return 0


def run_decode(args: argparse.Namespace) -> int:
    """Run `imb decode`."""
    from towncircle.symbol import imb

    try:
        found = imb.decode(args.bars)
    except BadInput as error:
        if error.code != "symbol.imb-unreadable":
            raise
        from towncircle.cli.main import render

        render(error, as_json=args.json)
        return 1
    if args.json:
        print(json.dumps(_record(found)))
    else:
        rows = {name.replace("_", " "): value or "(none)" for name, value in _record(found).items()}
        print("\n".join(f"{name:12}  {value}" for name, value in rows.items()))
    return 0


def _record(found: Imb) -> dict[str, str]:
    return {
        "tracking": found.tracking,
        "routing": found.routing,
        "barcode_id": found.barcode_id,
        "service_type": found.service_type,
        "mailer_id": found.mailer_id,
        "serial": found.serial,
    }
