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
        "something known accounts for it, explained. A day is reconciled once; asked again it gives the first finding. "
        "Running parties (towncircle up) and 'world advance' do it once a day. Exit code 1 where a difference is not "
        "explained.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Reconcile today, and show the register and the findings."""
    from towncircle.world.config import POSTAL
    from towncircle.world.population import reconcile

    with opened(args.world) as world:
        found = list(reconcile(world))
        with world.store(POSTAL).reading() as view:
            register = view.find("device")
    open_ = [one for _, finding in found for one in finding.differences if not one.explained]
    if args.json:
        as_json({"devices": [_device(row) for row in register], "inventories": [_found(*one) for one in found]})
        return 1 if open_ else 0
    for row in register:
        body = row.body
        print(f"{row.key}  {body['status']:<10}  {body['licensee']:<20}  {row.owner:<18}  {body['pieces']} pieces")
    for provider, finding in found:
        count = len(finding.differences)
        print(f"{provider}, inventory {finding.number} of {finding.day}: {finding.devices} devices, ", end="")
        print(f"{count or 'no'} difference{'s' if count != 1 else ''}")
        for one in finding.differences:
            print(f"  {'explained' if one.explained else 'OPEN'}  {one.device}  {one.sentence} [{one.clause}]")
    if not found:
        print("The Providers run as processes of their own and reconcile once a day.")
    return 1 if open_ else 0


def _device(row: Record) -> dict[str, object]:
    names = ("status", "license", "licensee", "ascending", "descending", "pieces")
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
