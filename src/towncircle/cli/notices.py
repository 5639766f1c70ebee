"""`towncircle notices`: the written notices that each party has received."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, opened

if TYPE_CHECKING:
    from towncircle.world.notices import Kept


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "notices",
        help="show the notices and reminders that each party has received",
        description="Show every notice as its receiver keeps it: of decisions about a license, reminders before the "
        "end of a limit, notices after it was missed. A licensee's host answers no calls, so this command first has "
        "it ask its Providers and the Postal Service for what waits. docs/limits.md says who is told of what.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("--party", default="", metavar="NAME", help="one party: its id, its name or its role")
    parser.add_argument("--pdf", type=Path, metavar="FOLDER", help="write each notice as PDF into a folder too")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fetch what waits and show the notices."""
    from towncircle.world.deadlines import parties_of
    from towncircle.world.notices import fetch_all, notices_of

    with opened(args.world) as world:
        parties = parties_of(world, args.party)
        fetch_all(world, [party for party in parties if party.startswith("licensee.")])
        kept = [one for party in parties for one in notices_of(world, party)]
        if args.pdf is not None:
            from towncircle.world.notice_papers import write_notices

            write_notices(world, kept, args.pdf)
    if args.json:
        as_json({"notices": [_record(one) for one in kept]})
        return 0
    if not kept:
        print("No notice has come.")
    for one in kept:
        notice = one.notice
        print(f"{one.at.iso()[:16]}Z  {notice.kind} {notice.reference} from {one.giver} to {one.party}")
        print(f"    {notice.title} ({notice.about}), until {notice.until.iso()[:16]}Z [{notice.clause}]")
        print(f"    {notice.says}")
    return 0


def _record(one: Kept) -> dict[str, object]:
    notice = one.notice
    return {
        "notice": notice.reference,
        "kind": notice.kind,
        "to": one.party,
        "from": one.giver,
        "received_at": one.at.iso(),
        "limit": notice.limit,
        "about": notice.about,
        "title": notice.title,
        "says": notice.says,
        "clause": notice.clause,
        "until": notice.until.iso(),
    }
