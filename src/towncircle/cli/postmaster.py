"""`towncircle postmaster`: what a licensing post office decides about indicia (P050 4.5, 4.6)."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.branch import FACILITIES
from towncircle.cli.show import as_json, by_argument, opened

if TYPE_CHECKING:
    from towncircle.kernel.context import Context
    from towncircle.kernel.store import Record
    from towncircle.world.world import World

_EPILOG = """\
examples:
  towncircle postmaster DIR                                     requests for branches, and findings of delay
  towncircle person DIR olaf --at postal.usps --office postmaster    who decides holds the office
  towncircle postmaster DIR approve 20260-000001 'CAPITOL HEIGHTS' --facility classified-branch --reasons TEXT --by olaf
  towncircle postmaster DIR refuse 20260-000001 'UNION STATION' --facility contract-station --reasons TEXT --by olaf
  towncircle postmaster DIR delay TC1A0000000017 2026-11 --reasons TEXT --by olaf
A piece that shows month and year alone is accepted in that month, and through the third day of the next where the
postmaster finds that its mailing was unavoidably delayed before deposit."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "postmaster",
        help="decide about branches in indicia, find a mailing unavoidably delayed",
        description="What the licensing post office decides about the indicia of its licensees.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument(
        "action", nargs="?", default="list", choices=("list", "approve", "refuse", "delay"), help="default: list"
    )
    parser.add_argument("about", nargs="?", default="", metavar="ABOUT", help="the license; delay: the device")
    parser.add_argument("which", nargs="?", default="", metavar="WHICH", help="the branch; delay: the month")
    parser.add_argument(
        "--facility", default="", metavar="KIND", help=f"what it was found to be: {', '.join(FACILITIES)}"
    )
    parser.add_argument("--reasons", default="", metavar="TEXT", help="the reasons, without names")
    by_argument(parser, "postmaster")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Decide, and list what stands."""
    from towncircle.world.config import POSTAL
    from towncircle.world.supervising import by_officer, kept

    with opened(args.world) as world:
        if args.action != "list":
            by_officer(world, _job(args, world), by=args.by, act=f"postmaster {args.action}")
        rows = {kind: kept(world, POSTAL, kind) for kind in ("branch", "delay")}
    if args.json:
        as_json({f"{kind}s" if kind == "delay" else "branches": [row.body for row in of] for kind, of in rows.items()})
        return 0
    for row in rows["branch"]:
        print(f"{row.body['license']}  {row.body['branch']} {row.body['state']}  {row.body['outcome']}")
    for row in rows["delay"]:
        print(f"{row.body['device']}  {row.body['month']} delayed, accepted through {row.body['through']}")
    if not any(rows.values()):
        print("Nothing was asked and nothing found.")
    return 0


def _job(args: argparse.Namespace, world: World) -> Callable[[Context], Record]:
    from towncircle.postal import branches, delays
    from towncircle.world.notices import give_standing

    if args.action == "delay":
        told = {"device": args.about, "month": args.which, "reasons": args.reasons}
        return lambda ctx: delays.find(ctx, rules=world.rules, **told)
    named = {"number": args.about, "branch": args.which, "facility": args.facility, "reasons": args.reasons}
    return lambda ctx: branches.decide(ctx, approve=args.action == "approve", notify=give_standing, **named)
