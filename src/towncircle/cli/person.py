"""`towncircle person`: who may act for a party where one person alone may not."""

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
        "balance, a refund): the licensee's list, or with --at that of a Provider or the Postal Service. Use sign-in "
        "names: they stand in the journal, and no personal data may. That somebody is the person "
        "is vouched for by the machine they sign in to.",
    )
    world_argument(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="the sign-in name to authorise; without it: the list")
    parser.add_argument(
        "--at", default="", metavar="PARTY", help="whose list, such as provider.harbor (default: the licensee's)"
    )
    parser.add_argument("--strike", action="store_true", help="strike the person instead")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Change or show the list."""
    from towncircle.kernel import persons
    from towncircle.kernel.errors import BadInput

    if args.strike and args.name is None:
        raise BadInput("person.unreadable", name="")
    with journeys_of(args) as journeys:
        whose = args.at or journeys.licensee
        if whose not in journeys.world.config.parties:
            raise BadInput("person.no-such-party", name=whose[:40], known=", ".join(journeys.world.config.parties))
        change = persons.strike if args.strike else persons.authorise
        names = journeys.world.desk(whose).perform(
            lambda ctx: persons.listed(ctx) if args.name is None else change(ctx, name=args.name), actor=whose
        )
    if args.json:
        as_json({"authorised": names})
    else:
        print("\n".join(names) or "Nobody is authorised yet.")
    return 0
