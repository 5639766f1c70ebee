"""`towncircle branch`: a licensee asks to show its local classified branch (P050 4.5)."""

from __future__ import annotations

import argparse
from typing import Any

from towncircle.cli.show import as_json, journeys_of, world_argument

FACILITIES = ("classified-branch", "classified-station", "contract-station", "contract-branch")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "branch",
        help="ask the licensing post office to approve that the indicium shows its branch",
        description="request: ask for approval to show the name and state of the local classified branch in the town "
        "circle. show: hear how it stands. An approved branch is printed with: print --branch NAME. A classified "
        "station, a contract station and a contract branch are never shown.",
    )
    world_argument(parser)
    parser.add_argument("action", choices=("request", "show"), help="what to do")
    parser.add_argument("name", metavar="NAME", help="the branch")
    parser.add_argument("--state", default="", metavar="ST", help="request: its state, such as MD")
    parser.add_argument(
        "--facility", default=FACILITIES[0], choices=FACILITIES, help=f"request: what it is (default: {FACILITIES[0]})"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, and show how the request stands."""
    from towncircle.licensee import branches

    with journeys_of(args) as journeys:
        if args.action == "request":
            told = {"name": args.name, "state": args.state, "facility": args.facility}
            row = journeys.do(lambda ctx: branches.request(ctx, **told))
        else:
            row = journeys.do(lambda ctx: branches.ask(ctx, name=args.name))
    if args.json:
        as_json(row.body)
    else:
        print(f"{row.body['branch']} {row.body['state']}  {row.body['outcome']}  {row.body['reasons']}".rstrip())
    return 0 if row.body["outcome"] != "refused" else 1
