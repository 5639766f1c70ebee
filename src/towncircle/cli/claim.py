"""`towncircle claim`: postage lost to malfunction (502.27(d))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import account_answer, as_json, journeys_of, opened, table, world_argument


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "claim",
        help="postage lost to malfunction: make a claim, decide, status",
        description="Claim the postage that is stuck in a device that failed and was given back. The Provider weighs "
        "it by the device's last signed registers; one person decides, another approves. What is granted is credited "
        "to the account, and the Provider bears it.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    make = verbs.add_parser("make", help="claim a loss, as the licensee")
    world_argument(make)
    make.add_argument("device", metavar="DEVICE", help="the device that failed, such as TC1A0000000017")
    make.add_argument("amount", metavar="AMOUNT", help="dollars that are lost")
    make.add_argument("--reason", required=True, metavar="TEXT", help="what happened")
    make.add_argument("--by", default="", metavar="NAME", help="the authorised person who claims")
    make.set_defaults(run=_make)
    decide = verbs.add_parser("decide", help="decide a claim, as two persons of the Provider")
    decide.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    decide.add_argument("claim", metavar="CLAIM", help="the claim, such as CLM-7K3MQ9ZX2RTB")
    decide.add_argument("--decline", action="store_true", help="decline it (without this it is granted)")
    decide.add_argument("--finding", required=True, metavar="TEXT", help="what was found")
    decide.add_argument("--by", required=True, metavar="NAME", help="the person who decides")
    decide.add_argument("--approved-by", default="", metavar="NAME", help="the other person, who approves")
    decide.add_argument("--json", action="store_true", help="print JSON with stable keys")
    decide.set_defaults(run=_decide)
    status = verbs.add_parser("status", help="show the licensee's claims")
    world_argument(status)
    status.set_defaults(run=_status)


def _make(args: argparse.Namespace) -> int:
    from towncircle.kernel.money import Mills
    from towncircle.world import accounts

    with journeys_of(args) as journeys:
        told = accounts.claim(journeys, args.device, Mills.parse(args.amount), reason=args.reason, by=args.by)
    account_answer(told, json=args.json)
    return 0


def _decide(args: argparse.Namespace) -> int:
    from towncircle.kernel.money import Mills
    from towncircle.world import accounts

    with opened(args.world) as world:
        held = accounts.decide_claim(
            world, args.claim, grant=not args.decline, finding=args.finding, by=args.by, approved_by=args.approved_by
        )
    body = held.body
    record = {"claim": held.key, "state": body["state"], "device": body["device"]}
    people = {"decided_by": body["decided_by"], "approved_by": body["approved_by"], "finding": body["finding"]}
    if args.json:
        as_json({**record, "amount_mills": body["amount"], **people})
    else:
        rows = [(name.replace("_", " "), value) for name, value in people.items()]
        table([*record.items(), ("credited", Mills(body["amount"])), *rows])
    return 0


def _status(args: argparse.Namespace) -> int:
    from towncircle.world import accounts

    with journeys_of(args) as journeys:
        told = [accounts.follow(journeys, name) for name in accounts.requests_of(journeys, "claim")]
    account_answer(*told, json=args.json, none="No loss was claimed yet.")
    return 0
