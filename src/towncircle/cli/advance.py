"""`towncircle advance`: funds that the Provider advances (P050 3.5(a), 502.25(c)(1))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import account_answer, as_json, journeys_of, opened, provider_argument, table, world_argument


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "advance",
        help="funds advanced by the Provider: agree, ask, end",
        description="A person of the Provider agrees to advance a licensee so much at most; within that the licensee "
        "asks for advances. The next deposit repays them first, also when the agreement was ended meanwhile.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    agree = verbs.add_parser("agree", help="agree with a licensee, as a person of its Provider")
    agree.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    agree.add_argument("limit", metavar="LIMIT", help="dollars that may be outstanding at most; 0 ends the agreement")
    agree.add_argument("--licensee", default="mailroom", metavar="NAME", help="with whom (default: mailroom)")
    provider_argument(agree)
    agree.add_argument("--by", required=True, metavar="NAME", help="the authorised person of the Provider")
    agree.add_argument("--json", action="store_true", help="print JSON with stable keys")
    agree.set_defaults(run=_agree)
    end = verbs.add_parser("end", help="end the agreement, as a person of the Provider: nothing more is advanced")
    end.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    end.add_argument("--licensee", default="mailroom", metavar="NAME", help="with whom (default: mailroom)")
    provider_argument(end)
    end.add_argument("--reason", required=True, metavar="TEXT", help="why, without names")
    end.add_argument("--by", required=True, metavar="NAME", help="the authorised person of the Provider")
    end.add_argument("--json", action="store_true", help="print JSON with stable keys")
    end.set_defaults(run=_end)
    ask = verbs.add_parser("ask", help="ask for an advance, as the licensee")
    world_argument(ask)
    ask.add_argument("amount", metavar="AMOUNT", help="dollars")
    provider_argument(ask)
    ask.set_defaults(run=_ask)


def _agree(args: argparse.Namespace) -> int:
    from towncircle.kernel.money import Mills
    from towncircle.world import accounts

    licensee = args.licensee if args.licensee.startswith("licensee.") else f"licensee.{args.licensee}"
    with opened(args.world) as world:
        held = accounts.agree_advance(world, licensee, Mills.parse(args.limit), by=args.by, provider=args.provider)
    if args.json:
        as_json({"licensee": held.key, "limit_mills": held.body["limit"], "by": held.body["by"]})
    else:
        table([("licensee", held.key), ("limit", Mills(held.body["limit"])), ("agreed by", held.body["by"])])
    return 0


def _end(args: argparse.Namespace) -> int:
    from towncircle.world import accounts

    licensee = args.licensee if args.licensee.startswith("licensee.") else f"licensee.{args.licensee}"
    with opened(args.world) as world:
        held = accounts.end_advance(world, licensee, reason=args.reason, by=args.by, provider=args.provider)
    if args.json:
        as_json({"licensee": held.key, "limit_mills": held.body["limit"], "by": held.body["by"]})
    else:
        table([("licensee", held.key), ("limit", "none: ended"), ("ended by", held.body["by"])])
    return 0


def _ask(args: argparse.Namespace) -> int:
    from towncircle.kernel.money import Mills
    from towncircle.world import accounts

    with journeys_of(args) as journeys:
        told = accounts.ask_advance(journeys, Mills.parse(args.amount), provider=args.provider)
    account_answer(told, json=args.json)
    return 0
