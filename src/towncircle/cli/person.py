"""`towncircle person`: who may act for a licensee where one person alone may not."""

from __future__ import annotations

import argparse
from typing import Any

from towncircle.cli.show import as_json, journeys_of, world_argument


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "person",
        help="authorise a person, strike one, or list them",
        description="Keep the list of persons who may ask for and approve what needs two of them (a transfer of a "
        "balance). Use sign-in names: they stand in the journal, and no personal data may. That somebody is the person "
        "is vouched for by the machine they sign in to.",
    )
    world_argument(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="the sign-in name to authorise; without it: the list")
    parser.add_argument("--strike", action="store_true", help="strike the person instead")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Change or show the list."""
    from towncircle.kernel.errors import BadInput
    from towncircle.licensee import persons

    if args.strike and args.name is None:
        raise BadInput("person.unreadable", name="")
    with journeys_of(args) as journeys:
        if args.name is None:
            names = journeys.do(persons.listed)
        else:
            change = persons.strike if args.strike else persons.authorise
            names = journeys.do(lambda ctx: change(ctx, name=args.name))
    if args.json:
        as_json({"authorised": names})
    else:
        print("\n".join(names) or "Nobody is authorised yet.")
    return 0
