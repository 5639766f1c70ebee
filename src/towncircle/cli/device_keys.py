"""The verbs of `towncircle device` about a device's keys and its module: renew, compromised, selftest.

Here: arguments and words. Not here: the other verbs (`device`), what the steps do (`world.renewing`).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, journeys_of, opened, table, world_argument


def add(verbs: Any) -> None:
    """Register the verbs."""
    renew = verbs.add_parser("renew", help="give the device its next key and certificate; a contact does it in time")
    world_argument(renew)
    renew.set_defaults(run=_renew)
    revoke = verbs.add_parser(
        "compromised", help="the Postal Service revokes a device's certificates: somebody else may have its key"
    )
    revoke.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    revoke.add_argument("device", metavar="DEVICE", help="the device, as printed on its indicia")
    revoke.add_argument("--by", required=True, metavar="NAME", help="the inspector, or the Manager, MTM, who decides")
    revoke.add_argument("--json", action="store_true", help="print JSON with stable keys")
    revoke.set_defaults(run=_compromised)
    test = verbs.add_parser("selftest", help="have the device run its self-tests now; a failure is its error state")
    world_argument(test)
    test.set_defaults(run=_selftest)


def _renew(args: argparse.Namespace) -> int:
    with journeys_of(args) as journeys:
        words = journeys.renew_key()
        status = journeys.status()
    if args.json:
        as_json({"device": status.device, "sentence": words, "certificate_until": status.certificate_until.iso()})
    else:
        table([("device", status.device), ("key", words), ("certificate ends", status.certificate_until.iso())])
    return 0


def _compromised(args: argparse.Namespace) -> int:
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.renewing import revoke_compromised

    if not args.by.strip():
        usage = "towncircle device compromised DIR DEVICE --by STAFF"
        raise BadInput("cli.usage", what="--by names nobody", usage=usage, command="towncircle device compromised")
    device = DeviceId.parse(args.device)
    with opened(args.world) as world:
        revoke_compromised(world, device, by=args.by)
    if args.json:
        as_json({"device": device, "revoked": "key-compromise", "by": args.by})
        return 0
    table([
        ("revoked", f"every certificate of {device}: its marks are refused from now on, whatever date they bear"),
        ("by", args.by),
        ("next", f"its licensee gives it back (towncircle withdraw {args.world}): its last signed reading stands"),
    ])  # fmt: skip
    return 0


def _selftest(args: argparse.Namespace) -> int:
    with journeys_of(args) as journeys, journeys.world.shelf.client(journeys.device) as client:
        device, passed = journeys.device, client.selftest().passed
    if args.json:
        as_json({"device": device, "passed": list(passed)})
    else:
        table([("device", device), *(("passed", name) for name in passed)])
    return 0
