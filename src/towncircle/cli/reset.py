"""`towncircle reset`: set postage into the device (P050 3.5, 502.25)."""

from __future__ import annotations

import argparse
from typing import Any

from towncircle.cli.show import as_json, disputes_of, journeys_of, table, tell_disputes, world_argument


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "reset",
        help="set postage into the device, or finish an interrupted reset",
        description="Reset the device: it sends signed registers and audit data, the Provider checks identity, audit, "
        "cap and funds, and answers with a signed authorisation. An interrupted reset is finished, not begun again.",
    )
    world_argument(parser)
    parser.add_argument("--device", metavar="ID", help="another device of the licensee's, such as the half of a hybrid")
    parser.add_argument("amount", nargs="?", metavar="AMOUNT", help="dollars, such as 200; not with --finish")
    parser.add_argument("--finish", action="store_true", help="finish what is open (with --device: its reset)")
    parser.add_argument(
        "--status", action="store_true", help="settle the open reset, and tell where it or the last one stands"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Reset and show the statement."""
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.ids import DeviceId
    from towncircle.kernel.money import Mills
    from towncircle.world.settling import set_postage, settle_one

    if args.status:
        return _status(args)
    if args.finish == (args.amount is not None):
        raise BadInput("cli.amount-or-finish")
    with journeys_of(args) as journeys:
        device = DeviceId.parse(args.device) if args.device else journeys.device
        if args.finish:
            statement = settle_one(journeys, device) if args.device else journeys.settle()
        else:
            statement = set_postage(journeys, Mills.parse(args.amount), device=device if args.device else None)
        status, differing = journeys.status_of(device), disputes_of(journeys)
    record: dict[str, object] = {
        "device": status.device,
        "ascending_mills": int(status.registers.ascending),
        "descending_mills": int(status.registers.descending),
        "open_request": status.open_request,
        **({"disputed_balances": differing} if differing else {}),
    }
    if statement is not None:
        record |= {
            "request": statement.request_id,
            "amount_mills": int(statement.amount),
            "account_mills": int(statement.account_balance),
        }
    if args.json:
        as_json(record)
        return 0
    if statement is None:
        print("Nothing was open.")
    else:
        table(
            [
                ("reset", statement.request_id),
                ("amount", statement.amount),
                ("balance of the account", statement.account_balance),
            ]
        )
    table([("device", status.device), ("descending register", status.registers.descending)])
    tell_disputes(differing)
    return 0


def _status(args: argparse.Namespace) -> int:
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.settling import standing

    if args.finish or args.amount is not None:
        raise BadInput("cli.amount-or-finish")
    with journeys_of(args) as journeys:
        device = DeviceId.parse(args.device) if args.device else journeys.device
        word, sentence = standing(journeys, device)
    if args.json:
        as_json({"device": device, "reset": word, "sentence": sentence})
    else:
        table([("device", device), ("reset", word), ("means", sentence)])
    return 0
