"""`towncircle fleet`: how many devices of each class and version there are, and which ones end when (IMI-08)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, opened


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "fleet",
        help="the fleet by class, software version and regime, with last contacts and last days",
        description="Count the Postal Service's register of devices by Provider, model, regime and software version: "
        "how many are in service, missing and withdrawn, when they were heard last, and, of systems that end, since "
        "when they are decertified and by when they are to be out of service. Exit code 1 where a device is in service "
        "past that day.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("--provider", default="", metavar="PARTY", help="one Provider (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the fleet."""
    from towncircle.postal.fleet import fleet
    from towncircle.rules.duties import HEADQUARTERS
    from towncircle.world.config import POSTAL

    with opened(args.world) as world, world.store(POSTAL).reading() as view:
        rows = fleet(view, world.rules, provider=args.provider)
        today = world.clock.now().date_in(HEADQUARTERS)
    late = sum(row.in_service for row in rows if row.withdraw_by is not None and today > row.withdraw_by)
    if args.json:
        names = rows[0].__dataclass_fields__ if rows else ()
        as_json({"classes": [{name: getattr(row, name) for name in names} for row in rows], "past_their_day": late})
        return 1 if late else 0
    for row in rows:
        print(f"{row.provider}  {row.model}  {row.regime}  version {row.version}: {row.devices} devices")
        print(f"  in service {row.in_service}, missing {row.missing}, withdrawn {row.withdrawn}")
        if row.silent_since is not None and row.heard_last is not None:
            print(f"  heard last {row.heard_last.iso()}, the most silent one {row.silent_since.iso()}")
        if row.decertified_on is not None:
            print(f"  decertified {row.decertified_on}, out of service by {row.withdraw_by}")
    print(f"In service past the last day: {late}." if rows else "There is no device yet.")
    return 1 if late else 0
