"""`towncircle custody carrier`: by which carrier devices go out and come back (502.20(l), P050 2.9)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, by_argument, opened, table

_OFFICES = {"show": "officer", "permit": "manager-mtm", "use": "custodian", "withdraw": "manager-mtm"}


def add(verbs: Any) -> None:
    """Register the verbs."""
    parser = verbs.add_parser("carrier", help="show, permit, use or withdraw another carrier or service")
    steps = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, help_ in (
        ("show", "the Provider shows that a carrier is as safe as Registered Mail"),
        ("permit", "the Postal Service permits a carrier, or another service for returns, in writing"),
        ("use", "the Provider ships by a carrier from now on"),
        ("withdraw", "the Postal Service withdraws its permission: no device goes by it any more"),
    ):
        step = steps.add_parser(name, help=help_)
        step.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
        step.add_argument("--json", action="store_true", help="print JSON with stable keys")
        step.set_defaults(run=_carrier, verb=name)
        step.add_argument("--provider", default="provider.harbor", metavar="PARTY", help="default: provider.harbor")
        step.add_argument("--service", required=True, metavar="NAME", help="the carrier or service")
        by_argument(step, _OFFICES[name])
        if name != "use":
            step.add_argument("--reference", required=True, metavar="REF", help="the number of the paper")
            step.add_argument("--document", required=True, type=Path, metavar="FILE", help="its SHA-256 is kept")
        if name in ("permit", "withdraw"):
            step.add_argument("--back", action="store_true", help="for devices that are sent back (P050 2.9)")


def _carrier(args: argparse.Namespace) -> int:
    from towncircle.world import custody

    with opened(args.world) as world:
        if args.verb == "show":
            paper = {"reference": args.reference, "document": args.document.read_bytes(), "by": args.by}
            custody.show_carrier(world, args.provider, service=args.service, **paper)
        elif args.verb == "permit":
            custody.permit(
                world,
                provider=args.provider,
                direction="back" if args.back else "out",
                service=args.service,
                permission=args.reference,
                document=args.document.read_bytes(),
                by=args.by,
            )
        elif args.verb == "withdraw":
            custody.withdraw_permission(
                world,
                provider=args.provider,
                direction="back" if args.back else "out",
                service=args.service,
                reference=args.reference,
                document=args.document.read_bytes(),
                by=args.by,
            )
        else:
            custody.use_carrier(world, args.provider, service=args.service, by=args.by)
    rows = {"provider": args.provider, "service": args.service, "done": args.verb}
    if args.json:
        as_json(rows)
    else:
        table(list(rows.items()))
    return 0
