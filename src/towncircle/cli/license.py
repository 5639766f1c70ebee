"""`towncircle license`: apply for a license (Form 3601-A) and get it (Form 3601-B), or every ground of a refusal."""

from __future__ import annotations

import argparse
from typing import Any

from towncircle.cli.show import as_json, journeys_of, table, world_argument

_FIELDS = ("name", "street", "city", "state", "zip", "telephone", "contact", "office_zip", "device_location")


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "license",
        help="apply for a license through a Provider",
        description="Apply for a license (P050 2.1). Without options the sandbox's own mail room applies.",
    )
    world_argument(parser)
    parser.add_argument("--provider", default="harbor", metavar="NAME", help="harbor (default) or summit")
    for name in _FIELDS:
        parser.add_argument(
            f"--{name.replace('_', '-')}", metavar="TEXT", help=f"Form 3601-A: {name.replace('_', ' ')}"
        )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Apply and show the decision."""
    from towncircle.world.journeys import Applicant

    given = {name: getattr(args, name) for name in _FIELDS if getattr(args, name) is not None}
    with journeys_of(args) as journeys:
        decision = journeys.apply(Applicant(**given), provider=f"provider.{args.provider.removeprefix('provider.')}")
    record = {
        "license": decision.license,
        "outcome": decision.outcome,
        "office_zip": decision.office_zip,
        "office": f"{decision.office_city} {decision.office_state}",
    }
    if args.json:
        as_json(record)
    else:
        table(list(record.items()))
        if decision.outcome == "existing":
            print("This licensee holds a license at that post office already: one serves all its systems there.")
        print(f"Next: towncircle lease {args.world}")
    return 0
