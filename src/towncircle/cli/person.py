"""`towncircle person`: who may act for a party where one person alone may not."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, world_argument

if TYPE_CHECKING:
    from towncircle.kernel.context import Context


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "person",
        help="authorise a person, strike one, or list them",
        description="Keep the list of persons who may ask for and approve what needs two of them (a transfer of a "
        "balance, a refund): the licensee's list, or with --at that of a Provider or the Postal Service. Use sign-in "
        "names: they stand in the journal, and no personal data may. That somebody is the person "
        "is vouched for by the machine they sign in to. Persons of the Postal Service and of a Provider hold offices: "
        "an act that the rule gives to one is refused to who does not hold it. A new world has one person for each "
        "office, named as the office.",
    )
    world_argument(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="the sign-in name to authorise; without it: the list")
    parser.add_argument(
        "--at", default="", metavar="PARTY", help="whose list, such as provider.harbor (default: the licensee's)"
    )
    parser.add_argument(
        "--office",
        action="append",
        default=[],
        metavar="OFFICE",
        help="an office that the person holds from now on, such as mats or custodian; repeat (docs/offices.md)",
    )
    parser.add_argument("--strike", action="store_true", help="strike the person instead")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Change or show the list."""
    from towncircle.kernel import persons
    from towncircle.kernel.errors import BadInput
    from towncircle.rules import offices

    if (args.strike or args.office) and args.name is None:
        raise BadInput("person.unreadable", name="")
    with journeys_of(args) as journeys:
        whose = args.at or journeys.licensee
        if whose not in journeys.world.config.parties:
            raise BadInput("person.no-such-party", name=whose[:40], known=", ".join(journeys.world.config.parties))

        def job(ctx: Context) -> dict[str, list[str] | None]:
            if args.name is not None and args.strike:
                persons.strike(ctx, name=args.name)
            elif args.name is not None:
                offices.grant(ctx, name=args.name, named=args.office)
            return {name: persons.offices_held(ctx.tx, name) for name in persons.listed(ctx)}

        held: dict[str, list[str] | None] = journeys.world.desk(whose).perform(job, actor=whose)
    if args.json:
        as_json({"authorised": list(held), "offices": held})
        return 0
    for name, own in held.items():
        print(f"{name}  {', '.join(['every office'] if own is None else own)}".rstrip())
    if not held:
        print("Nobody is authorised yet.")
    return 0
