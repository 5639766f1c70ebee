"""`towncircle withdraw`: give the device back and get its balance credited (P050 2.9, 3.3, 502.27(b))."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from towncircle.cli.show import as_json, journeys_of, table, world_argument


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "withdraw",
        help="give the device back: its balance is credited to the account, once",
        description="Take the device out of service (check-out). An open reset is settled first; the Provider notes "
        "the balance and denies resets; the device signs what it gives back and ends its service, and the Postal "
        "Service revokes its certificates. A person of the Provider signs section G of Form 3601-C, the District MATS "
        "coordinator arranges the credit, and just this balance is credited to the account. In a sandbox its own "
        "holders of the two offices do so at once; with --wait, or while 'towncircle up' runs, they are left to: "
        "towncircle custody sign-form, towncircle custody arrange; the same command then books the credit. What was "
        "printed until then and is dated today is still good; a mark dated later is refused. A faulted device "
        "signs nothing: it goes out of service, and its last signed reading stands until the Provider has examined it "
        "(502.20(f)). With --failed so does one that answers and cannot open its keys, because their secret, wrapping "
        "key or token is lost: it is asked to sign once more, and goes only where it cannot. What it held comes back "
        "by a claim (towncircle claim) once the Provider has examined it. Where the Provider states another amount "
        "than the device or the books, nothing is booked until it states the right one, or a person takes its figure "
        "with --accept, --by and --reason, which stays on record.",
    )
    world_argument(parser)
    parser.add_argument("--device", metavar="ID", help="another device of the licensee's, such as the half of a hybrid")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why (default: no longer wanted)")
    parser.add_argument("--by", default="", metavar="NAME", help="the authorised person who asks (see: person)")
    parser.add_argument(
        "--wait", action="store_true", help="leave section G and the credit to the persons who hold the offices"
    )
    parser.add_argument("--failed", action="store_true", help="its keys are lost: it goes as one that failed")
    parser.add_argument(
        "--accept", metavar="AMOUNT", help="accept the amount that the Provider states for a device in dispute"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Withdraw and show the Provider's statement."""
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.ids import DeviceId
    from towncircle.kernel.money import Mills
    from towncircle.licensee import returns
    from towncircle.world import returning

    taken = Mills.parse(args.accept) if args.accept is not None else None
    if taken is not None and not (args.device and args.by and args.reason):
        raise BadInput("cli.argument-astray", arguments="--accept", needs="--device ID, --by NAME and --reason TEXT")
    reason = args.reason or "no longer wanted"
    with journeys_of(args) as journeys:
        device = DeviceId.parse(args.device) if args.device else None
        if taken is not None and device is not None:
            accept = partial(returns.accept, device=device, amount=taken, reason=reason)
            journeys.do(accept, actor=args.by)
        told = returning.withdraw(
            journeys, reason=reason, by=args.by, device=device, wait=args.wait, failed=args.failed
        )
    if args.json:
        as_json(
            {
                "device": told.device,
                "refund": told.refund,
                "outcome": told.outcome,
                "noted_mills": int(told.noted),
                "used_since_mills": int(told.used),
                "credited_mills": int(told.amount),
                "account_mills": int(told.account_balance),
                "at": told.at.iso(),
            }
        )
        return 0
    table(
        [
            ("device", told.device),
            ("refund", told.refund),
            ("outcome", told.outcome),
            ("balance noted at the notice", told.noted),
            ("evidenced since", told.used),
            ("credited", told.amount),
            ("balance of the account", told.account_balance),
        ]
    )
    if told.outcome == "to be examined":
        print("The device gave nothing back: the Provider examines it (502.20(f)); until then its last reading stands.")
    who = "" if args.licensee == "mailroom" else f" --licensee {args.licensee}"
    print(f"Next: towncircle lease {args.world}{who} (another device)")
    return 0
