"""`towncircle deposit`: put money on deposit at the lockbox bank (P050 3.2, 3.5)."""

from __future__ import annotations

import argparse
from typing import Any

from towncircle.cli.show import as_json, journeys_of, table, world_argument


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "deposit",
        help="deposit money at the lockbox bank",
        description="Deposit money for the licensee's account; the bank reports it to Provider and Postal Service. An "
        "outstanding advance is repaid first. When a deposit may be drawn on depends on how it is paid. The routing "
        "number and the account that pays by ACH are kept by the licensee and the bank, and leave them in ACH files "
        "only (towncircle ach).",
    )
    world_argument(parser)
    parser.add_argument("amount", metavar="AMOUNT", help="dollars, such as 300 or 300.00")
    parser.add_argument(
        "--by",
        "--form",
        dest="form",
        default="ach-debit",
        metavar="FORM",
        help="how it is paid, best first: ach-debit (default), ach-credit, wire, debit-card, credit-card, check",
    )
    parser.add_argument("--routing", default="", metavar="N", help="of an ACH deposit: the bank's routing number")
    parser.add_argument("--payer-account", default="", metavar="N", help="of an ACH deposit: the account that pays")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Deposit and show the receipt."""
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.money import Mills
    from towncircle.wire.nacha import routing_number

    amount = Mills.parse(args.amount)
    if bool(args.routing) != bool(args.payer_account):
        raise BadInput("cli.routing-and-account")
    payer = (routing_number(args.routing), args.payer_account) if args.routing else None
    with journeys_of(args) as journeys:
        receipt = journeys.deposit(amount, form=args.form, payer=payer)
    if args.json:
        as_json(
            {
                "deposit": receipt.deposit_id,
                "amount_mills": int(receipt.amount),
                "value_date": receipt.value_date,
                "held_mills": int(receipt.balance),
            }
        )
    else:
        table(
            [
                ("deposit", receipt.deposit_id),
                ("amount", receipt.amount),
                ("value date", receipt.value_date),
                ("on deposit in all", receipt.balance),
            ]
        )
    return 0
