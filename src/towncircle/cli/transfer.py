"""`towncircle transfer`: move the balance of a device to a replacement, with two persons (P050 2.6)."""

from __future__ import annotations

import argparse
from typing import Any

from towncircle.cli.show import as_json, journeys_of, table, world_argument


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "transfer",
        help="move the device's balance to a replacement; one person asks, another approves",
        description="Replace a device that works badly or is to be examined (P050 2.6, 2.7): one authorised person "
        "asks, another approves. The device is withdrawn, its balance credited to the account, a replacement leased, "
        "and the balance set into it by an ordinary reset. An interrupted transfer is finished by approving it again, "
        "or by reset --finish. Where its old device is out of service or failed, two persons may end it with cancel: "
        "what was credited stays in the account. Authorise persons first: towncircle person DIR NAME",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    request = verbs.add_parser("request", help="ask for a transfer; nothing moves yet")
    request.add_argument("--reason", default="defective", metavar="TEXT", help="why (default: defective)")
    approve = verbs.add_parser("approve", help="approve the open transfer, as another person, and carry it out")
    cancel = verbs.add_parser("cancel", help="take back a transfer; two persons end an approved one that cannot go on")
    for verb, run in ((request, _request), (approve, _approve), (cancel, _cancel)):
        world_argument(verb)
        verb.add_argument("--by", required=True, metavar="NAME", help="the authorised person who does it")
        verb.set_defaults(run=run)


def _request(args: argparse.Namespace) -> int:
    from towncircle.world import returning

    with journeys_of(args) as journeys:
        held = returning.request_transfer(journeys, by=args.by, reason=args.reason)
    code = _show(args, {"transfer": held.key, "device": held.body["device"], "requested_by": args.by})
    if not args.json:
        print(f"Next: another person approves it: towncircle transfer approve {args.world} --by NAME")
    return code


def _approve(args: argparse.Namespace) -> int:
    from towncircle.world import returning

    with journeys_of(args) as journeys:
        done = returning.approve_transfer(journeys, by=args.by)
    record: dict[str, object] = {"transfer": done.transfer, "device": done.device, "replacement": done.replacement}
    record |= {"amount_mills": int(done.amount)} if args.json else {"amount": done.amount}
    return _show(args, {**record, "requested_by": done.requested_by, "approved_by": done.approved_by})


def _cancel(args: argparse.Namespace) -> int:
    from towncircle.world import returning

    with journeys_of(args) as journeys:
        held = returning.cancel_transfer(journeys, by=args.by)
    code = _show(args, {"transfer": held.key, "device": held.body["device"], "state": held.body["state"]})
    if held.body["state"] == "approved" and not args.json:
        print(f"Next: another person ends it: towncircle transfer cancel {args.world} --by NAME")
    return code


def _show(args: argparse.Namespace, record: dict[str, object]) -> int:
    if args.json:
        as_json(record)
    else:
        table([(name.replace("_", " "), value) for name, value in record.items()])
    return 0
