"""`towncircle reconcile`: device readings, Provider's books and trust account of a day (502.8, 502.20(m))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, opened, table

if TYPE_CHECKING:
    from towncircle.wire.bodies import DailyFinding


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "reconcile",
        help="the three books of a day: device readings, Provider, trust account",
        description="Each Provider sends its daily financial file; the Postal Service compares it with its trust "
        "account and with the registers that the devices signed. Every difference is explained by a named cause, or "
        "shown as unexplained (exit code 1). docs/daily-financial-file.md describes the file.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("--day", default="", metavar="DATE", help="the day, such as 2026-11-23 (default: today)")
    parser.add_argument("--file", type=Path, metavar="FILE", help="read this daily financial file and check it instead")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the daily financial files into a folder too")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Reconcile and show every difference."""
    from towncircle.world import accounts

    if args.file is not None:
        return _read(args)
    with opened(args.world) as world:
        found = accounts.reconcile(world, args.day)
        written = [accounts.write_daily_file(world, name, one.day, args.out) for name, one in found if args.out]
    unexplained = sum(not one.explained for _, finding in found for one in finding.differences)
    if args.json:
        findings = [_record(name, finding) for name, finding in found]
        as_json({"unexplained": unexplained, "findings": findings, "files": [str(file) for file in written]})
        return 1 if unexplained else 0
    for name, finding in found:
        told = f"{finding.accounts} accounts, {finding.devices} devices, {finding.events} events"
        table([("provider", name), ("day", f"{finding.day}, file {finding.number}"), ("compared", told)])
        for one in finding.differences:
            mark = f"explained ({one.cause})" if one.explained else "NOT EXPLAINED"
            print(f"  {mark}: {one.about}, {one.amount}: {one.sentence}")
        if not finding.differences:
            print("  No difference.")
    for file in written:
        print(f"wrote {file}")
    print(f"{unexplained} differences are not explained." if unexplained else "Every difference is explained.")
    return 1 if unexplained else 0


def _read(args: argparse.Namespace) -> int:
    from towncircle.wire import daily_file

    file = daily_file.read(args.file.read_bytes())
    record: dict[str, object] = {"provider": file.provider, "day": file.day, "number": file.number}
    record |= {"events": len(file.events), "accounts": len(file.accounts), "devices": len(file.devices)}
    if args.json:
        as_json(record)
    else:
        table(list(record.items()))
        print("The control totals hold.")
    return 0


def _record(provider: str, finding: DailyFinding) -> dict[str, object]:
    differences = [
        {
            "about": one.about,
            "code": one.code,
            "cause": one.cause,
            "sentence": one.sentence,
            "amount_mills": int(one.amount),
            "explained": one.explained,
        }
        for one in finding.differences
    ]
    counted = {"accounts": finding.accounts, "devices": finding.devices, "events": finding.events}
    return {"provider": provider, "day": finding.day, "number": finding.number, **counted, "differences": differences}
