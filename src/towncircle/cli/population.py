"""`towncircle population`: the register of every device of every Provider, reconciled with each inventory (502.8)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, opened

if TYPE_CHECKING:
    from towncircle.kernel.store import Record
    from towncircle.wire.bodies import InventoryFinding


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "population",
        help="show the register of all devices; reconcile it with each Provider's inventory",
        description="Show the Postal Service's register of every device of every Provider, and have each Provider tell "
        "its signed inventory of today, which is compared with the register: every difference is named and, where "
        "something known accounts for it, explained. Devices that nobody has signed for (new, in stock, in the mail, "
        "scrapped) stand there as the last inventory told of them. A day is reconciled once; asked again it gives the "
        "first finding. Running parties (towncircle up) and 'world advance' do it once a day. Exit code 1 where a "
        "difference is not explained.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("--device", default="", metavar="DEVICE", help="show the whole life of one device instead")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Reconcile today, and show the register and the findings."""
    from towncircle.postal import unissued
    from towncircle.world.config import POSTAL
    from towncircle.world.population import reconcile

    if args.device:
        return _life(args)
    with opened(args.world) as world:
        found = list(reconcile(world))
        with world.store(POSTAL).reading() as view:
            register, waiting = view.find("device"), unissued.register(view)
    open_ = [one for _, finding in found for one in finding.differences if not one.explained]
    if args.json:
        rows = {"devices": [_device(row) for row in register], "unissued": [_waiting(row) for row in waiting]}
        as_json({**rows, "inventories": [_found(*one) for one in found]})
        return 1 if open_ else 0
    for row in register:
        body = row.body
        print(f"{row.key}  {body['status']:<10}  {body['licensee']:<20}  {row.owner:<18}  {body['pieces']} pieces")
    for row in waiting:
        body = row.body
        print(f"{row.key}  {body['custody']:<10}  {body['licensee']:<20}  {row.owner:<18}  told on {body['day']}")
    for provider, finding in found:
        count = len(finding.differences)
        print(f"{provider}, inventory {finding.number} of {finding.day}: {finding.devices} devices, ", end="")
        print(f"{count or 'no'} difference{'s' if count != 1 else ''}")
        for one in finding.differences:
            print(f"  {'explained' if one.explained else 'OPEN'}  {one.device}  {one.sentence} [{one.clause}]")
    if not found:
        print("The Providers run as processes of their own and reconcile once a day.")
    return 1 if open_ else 0


def _life(args: argparse.Namespace) -> int:
    from towncircle.world.population import life_of

    with opened(args.world) as world:
        life = life_of(world, args.device)
    if args.json:
        as_json({"device": args.device, "life": life})
        return 0
    for one in life:
        print(f"{one['at']}  {one['what']:<28}  {one['clause']}")
    return 0


def _device(row: Record) -> dict[str, object]:
    names = ("status", "license", "licensee", "ascending", "descending", "pieces")
    return {"device": row.key, "provider": row.owner, **{name: row.body[name] for name in names}}


def _waiting(row: Record) -> dict[str, object]:
    names = ("custody", "license", "licensee", "day")
    return {"device": row.key, "provider": row.owner, **{name: row.body[name] for name in names}}


def _found(provider: str, finding: InventoryFinding) -> dict[str, object]:
    return {
        "provider": provider,
        "day": finding.day,
        "number": finding.number,
        "devices": finding.devices,
        "differences": [
            {"device": one.device, "code": one.code, "sentence": one.sentence, "explained": one.explained}
            for one in finding.differences
        ],
    }
