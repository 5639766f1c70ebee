"""`towncircle scan`: verify marks at a facility and record the scan."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli import verify
from towncircle.cli.show import opened


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "scan",
        help="verify marks at a facility and record the scan",
        description="Judge every mark and record the scan: the scan that accepts a piece makes every later one a "
        "DUPLICATE that names it. A piece that is held or rejected uses no mark up: mend it and scan it again.",
    )
    verify.arguments(parser)
    parser.add_argument("--world", type=Path, required=True, metavar="DIR", help="the world to record in")
    parser.add_argument("--site", default="Washington DC P&DC", metavar="NAME", help="the facility that scans")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Scan, record and show the verdicts."""
    from towncircle.cli import folder
    from towncircle.kernel.instants import Instant
    from towncircle.world.verifying import record, record_piece

    at, seen = Instant.parse(args.at) if args.at is not None else None, verify.observed(args)
    verify.check_pages(args)
    if folder.given(args):
        with opened(args.world) as world:
            return folder.judge(args, world, at=at, seen=seen, site=args.site)
    marks = list(verify.marks_given(args))
    with opened(args.world) as world:
        if args.piece:
            now = at or world.clock.now()
            held = verify.pieces_of(args, marks)
            found = [record_piece(one, world, site=args.site, at=now, observed=seen) for one in held]
            return verify.show_pieces(args, found)
        judged = [record(mark, world, site=args.site, at=at, observed=seen) for mark in marks]
    return verify.show(judged, json=args.json)
