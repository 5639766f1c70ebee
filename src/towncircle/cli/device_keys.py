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
    seal = verbs.add_parser(
        "reseal",
        help="replace the operator's secret: every key is sealed anew, and the old secret is overwritten",
        description="Replace the operator's secret of a device's store, or of all devices in a hosted fleet's database "
        "(--dsn-from, with --secret as its serve-wan has it). Nothing may serve them meanwhile. A run that was cut is "
        "finished by the next one. A fleet's device whose row or key cannot be read is left, and named; a file with "
        "which another database was served is refused: that one has to be given a file of its own first. Without more, "
        "32 new bytes lie where the old ones lay; a store may take another file (--secret) or a passphrase "
        "(--passphrase-from), which must be another one than it has. An old secret outside the store's folder, or "
        "there by a link, is yours to destroy, and so are copies of it.",
    )
    seal.add_argument("store", type=Path, nargs="?", metavar="DIR", help="the device's store folder")
    seal.add_argument("--dsn-from", type=Path, metavar="FILE", help="a file with a fleet's connection string")
    seal.add_argument("--secret", type=Path, metavar="FILE", help="the 32-byte secret: a store's new, a fleet's own")
    seal.add_argument("--passphrase-from", type=Path, metavar="FILE", help="the new passphrase of a store")
    seal.add_argument("--wrapping", type=Path, metavar="DIR", help="a fleet's wrapping keys (default: FILE.keys)")
    seal.add_argument(
        "--only-this-database",
        action="store_true",
        help="your word that no other database is served with the secret, where its hosts could note nothing beside it",
    )
    seal.add_argument("--json", action="store_true", help="print JSON with stable keys")
    seal.set_defaults(run=_reseal)


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


def _reseal(args: argparse.Namespace) -> int:
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.ids import DeviceId
    from towncircle.pki.randomness import SystemRandomness
    from towncircle.psd import resealing
    from towncircle.psd.hosted.resealing import reseal_hosted
    from towncircle.psd.process import no_core

    no_core()
    chance, lost, left = SystemRandomness(), list[DeviceId](), list[Path]()
    if args.dsn_from and args.secret and not (args.store or args.passphrase_from):
        wrapping = args.wrapping or args.secret.with_name(f"{args.secret.name}.keys")
        dsn = args.dsn_from.read_text(encoding="utf-8").strip()
        count, lost, left = reseal_hosted(dsn, args.secret, wrapping, chance, only=args.only_this_database)
        told: dict[str, object] = {"devices": count, "unreadable": lost, "left": list(map(str, left))}
    elif args.store and not (args.dsn_from or args.wrapping or (args.secret and args.passphrase_from)):
        device, left = resealing.reseal_store(args.store, chance, args.secret, args.passphrase_from)
        told = {"device": device, "left": list(map(str, left))}
    else:
        usage = "towncircle device reseal DIR, or --dsn-from FILE --secret FILE"
        what = "name a store, or a fleet's database and secret"
        raise BadInput("cli.usage", what=what, usage=usage, command="towncircle device reseal")
    if args.json:
        as_json(told)
    else:
        rows = ((name, str(value)) for name, value in told.items() if name not in ("unreadable", "left"))
        table([*rows, ("sealed", "under a new secret")])
        for name in lost:
            print(f"! {name} cannot be read, and is as it was")
        for place in left:
            print(f"! {place} is a link or has another name too: it holds the old secret, and is yours to destroy")
    return 0
