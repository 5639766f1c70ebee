"""`towncircle lease`: lease a device, which is initialised, certified and authorised before it is handed over."""

from __future__ import annotations

import argparse
from typing import Any

from towncircle.cli.show import as_json, journeys_of, table, world_argument


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "lease",
        help="lease a device under the license",
        description="Sign a lease with its financial agreement and deposit acknowledgment (P050 2.5, 502.25); "
        "the Provider initialises, certifies and authorises a device.",
    )
    world_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Lease and show the device."""
    with journeys_of(args) as journeys:
        lease = journeys.lease()
    record = {"lease": lease.lease, "device": lease.device, "account": lease.account}
    if args.json:
        as_json(record)
    else:
        table(list(record.items()))
        print(f"Next: towncircle deposit {args.world} 300 && towncircle reset {args.world} 200")
    return 0
