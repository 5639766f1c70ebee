"""`towncircle status`: what the device says of itself, and how long until it must connect."""

from __future__ import annotations

import argparse
from typing import Any

from towncircle.cli.show import (
    as_json,
    disputes_of,
    journeys_of,
    standing,
    standing_json,
    table,
    tell_disputes,
    world_argument,
)


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "status",
        help="show the device: state, registers, countdown to the next contact",
        description="Show the device's state. With --contact it first connects to its Provider: the audit goes up, "
        "the renewal comes down, and a lapsed device opens again. Of a hybrid both devices connect, each "
        "whatever hinders the other; --device names one. Of a device that is gone and does not answer "
        "any more it tells its end, by the licensee's own books.",
    )
    world_argument(parser)
    parser.add_argument("--device", metavar="ID", help="another device of the licensee's, such as the half of a hybrid")
    parser.add_argument("--contact", action="store_true", help="connect to the Provider first")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the status."""
    from towncircle.kernel.errors import Refused
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.ended import ended
    from towncircle.world.returning import waiting
    from towncircle.world.settling import held

    with journeys_of(args) as journeys:
        if args.device:
            device = held(journeys, DeviceId.parse(args.device))
            words = journeys.contact_of(device) if args.contact else ""
        else:
            device = journeys.device
            words = journeys.contact() if args.contact else ""
        try:
            status = journeys.status_of(device) if args.device else journeys.status()
        except Refused as refusal:
            status, end = None, ended(journeys, device, refusal)
        jobs = [row.key for row in journeys.open_jobs()]
        balances, differing = waiting(journeys), disputes_of(journeys)
    told = [{"device": device, "amount_mills": None if amount is None else int(amount)} for device, amount in balances]
    if args.json:
        said = {"contact": words} if args.contact else {}
        known = standing_json(status) if status is not None else end.as_dict()
        as_json({**known, **said, "open_jobs": jobs, "waiting_balances": told, "disputed_balances": differing})
        return 0
    if words:
        print(words)
    table(standing(status) if status is not None else end.standing())
    for job in jobs:
        print(f"! The print job {job} is open: finish it with towncircle print {args.world} --out OUT --resume")
    for device, amount in balances:
        if amount is None:
            print(f"! The device {device} is to go back and does not answer: what it gave back is not known now")
        else:
            print(f"! {amount}: balance of a returned device, waiting for the MATS coordinator ({device})")
    tell_disputes(differing)
    for warning in status.warnings if status is not None else ():
        print(f"! {warning}")
    return 0
