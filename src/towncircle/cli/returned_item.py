"""`towncircle returned-item`: a deposit that came back unpaid (502.25(c))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, opened, table


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "returned-item",
        help="take back a deposit that came back unpaid, as the lockbox bank",
        description="Take back a deposit whose payment came back unpaid. The bank reports it to Provider and Postal "
        "Service. What is already spent becomes an advance of the Provider, and the account is locked until later "
        "deposits have made the item good.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("deposit", metavar="DEPOSIT", help="the deposit, such as DEP-7K3MQ9ZX2RTB")
    parser.add_argument("--reason", default="R01", metavar="CODE", help="the return code (default: R01, no funds)")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Return the item and show what it was."""
    from towncircle.kernel.money import Mills
    from towncircle.world import accounts

    with opened(args.world) as world:
        held = accounts.return_item(world, args.deposit, reason=args.reason)
    amount = Mills(-held.body["amount"])
    record = {"deposit": held.key, "licensee": held.owner, "provider": held.body["provider"]}
    if args.json:
        as_json({**record, "amount_mills": int(amount), "reason": held.body["reason"], "day": held.body["day"]})
    else:
        table([*record.items(), ("returned", amount), ("reason", held.body["reason"]), ("day", held.body["day"])])
    return 0
