"""`towncircle close-account`: the closing of a CMRS account (502.27(c))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import account_answer, as_json, journeys_of, opened, provider_argument, table, world_argument


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "close-account",
        help="close the account and get its balance by check: request, instruct, letter, status",
        description="The licensee asks in writing; the Provider takes the balance out of the account and notifies the "
        "accounting service center; a person there instructs the lockbox bank, which issues the refund check, once. "
        "Give the device back first. Persons are authorised first: towncircle person DIR NAME (the licensee's), --at "
        "postal.usps (the center's).",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    request = verbs.add_parser("request", help="ask for the closing, as a person of the licensee")
    world_argument(request)
    request.add_argument("--reason", default="", metavar="TEXT", help="why")
    request.add_argument("--by", required=True, metavar="NAME", help="the authorised person who signs")
    provider_argument(request)
    request.set_defaults(run=_request)
    instruct = verbs.add_parser("instruct", help="instruct the refund check, as the accounting service center")
    instruct.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    instruct.add_argument("closing", metavar="CLOSING", help="the closing, such as CLO-7K3MQ9ZX2RTB")
    instruct.add_argument("--by", required=True, metavar="NAME", help="the authorised person of the center")
    instruct.add_argument("--json", action="store_true", help="print JSON with stable keys")
    instruct.set_defaults(run=_instruct)
    letter = verbs.add_parser("letter", help="write the letter with the refund check as PDF, as the center sends it")
    letter.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    letter.add_argument("closing", metavar="CLOSING", help="the closing, such as CLO-7K3MQ9ZX2RTB")
    letter.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the folder for the file")
    letter.add_argument("--json", action="store_true", help="print JSON with stable keys")
    letter.set_defaults(run=_letter)
    status = verbs.add_parser("status", help="show how the closing stands")
    world_argument(status)
    status.set_defaults(run=_status)


def _request(args: argparse.Namespace) -> int:
    from towncircle.world import accounts

    with journeys_of(args) as journeys:
        told = accounts.close(journeys, by=args.by, reason=args.reason, provider=args.provider)
    account_answer(told, json=args.json)
    if not args.json and told.state == "asked":
        print(f"Next: towncircle close-account instruct {args.world} {told.reference} --by NAME (the center's)")
    return 0


def _instruct(args: argparse.Namespace) -> int:
    from towncircle.kernel.money import Mills
    from towncircle.world import accounts

    with opened(args.world) as world:
        held = accounts.instruct(world, args.closing, by=args.by)
    body = held.body
    record = {"closing": held.key, "licensee": body["licensee"], "check": body["check"], "day": body["day"]}
    if args.json:
        as_json({**record, "amount_mills": body["amount"], "instructed_by": body["instructed_by"]})
    else:
        table([*record.items(), ("amount", Mills(body["amount"])), ("instructed by", body["instructed_by"])])
    return 0


def _letter(args: argparse.Namespace) -> int:
    from towncircle.world.check_papers import write_letter

    with opened(args.world) as world:
        path = write_letter(world, args.closing, args.out)
    if args.json:
        as_json({"file": str(path)})
    else:
        print(path)
    return 0


def _status(args: argparse.Namespace) -> int:
    from towncircle.world import accounts

    with journeys_of(args) as journeys:
        told = [accounts.follow(journeys, name) for name in accounts.requests_of(journeys, "closing")]
    account_answer(*told, json=args.json, none="The closing of the account was not asked for.")
    return 0
