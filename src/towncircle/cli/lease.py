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
        "the Provider initialises, certifies, authorises and inspects a device, ships it by Registered Mail, and the "
        "licensee signs for it. What is signed, cautions included: --show-agreement.",
    )
    world_argument(parser)
    parser.add_argument(
        "--show-agreement", action="store_true", help="print the texts that are signed, and sign nothing"
    )
    parser.add_argument(
        "--hybrid",
        action="store_true",
        help="lease a second device beside the one in use, hosted by the Provider: the two halves of a hybrid",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Lease and show the device."""
    from towncircle.provider.agreements import CAUTIONS, LEASE_AGREEMENT, digest_of

    if args.show_agreement:
        as_json({"agreement": LEASE_AGREEMENT, "sha256": digest_of(LEASE_AGREEMENT)}) if args.json else print(
            LEASE_AGREEMENT
        )
        return 0
    with journeys_of(args) as journeys:
        lease = journeys.lease_half() if args.hybrid else journeys.lease()
    record = {"lease": lease.lease, "device": lease.device, "account": lease.account}
    if args.json:
        as_json(record)
    else:
        table(list(record.items()))
        print(CAUTIONS)
        print(f"Next: towncircle deposit {args.world} 300 && towncircle reset {args.world} 200")
    return 0
