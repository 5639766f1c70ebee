"""`towncircle statement`: a month of the account on paper and as a file (P050 3.5(c))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, provider_argument, table, world_argument

if TYPE_CHECKING:
    from towncircle.wire.bodies import MonthlyStatement


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "statement",
        help="the account of a month: write it as PDF and CSV, read a CSV",
        description="Fetch the statement of a month from the Provider: every transaction with the balance after it. "
        "It is written as a page and as a file with control totals, which `read` checks (docs/statement-file.md).",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    write = verbs.add_parser("write", help="fetch and show a statement; write it into a folder")
    world_argument(write)
    write.add_argument("--month", default="", metavar="MONTH", help="such as 2026-11 (default: this month)")
    write.add_argument("--out", type=Path, metavar="FOLDER", help="write PDF and CSV there")
    write.add_argument("--reference", default="", metavar="ID", help="write the document of this transaction instead")
    provider_argument(write)
    write.set_defaults(run=_write)
    read = verbs.add_parser("read", help="read a statement's CSV file and check its control totals")
    read.add_argument("file", type=Path, metavar="FILE", help="the .csv file")
    read.add_argument("--json", action="store_true", help="print JSON with stable keys")
    read.set_defaults(run=_read)


def _write(args: argparse.Namespace) -> int:
    from towncircle.world import accounts
    from towncircle.world.population import today

    with journeys_of(args) as journeys:
        stated = accounts.statement(journeys, args.month or today(journeys.world)[:7], provider=args.provider)
        written: tuple[Path, ...] = ()
        if args.out and args.reference:
            written = (accounts.write_document(stated, args.reference, args.out),)
        elif args.out:
            written = accounts.write_statement(stated, args.out)
    if args.json:
        as_json({**_record(stated.statement), "files": [str(path) for path in written]})
        return 0
    _show(stated.statement)
    for path in written:
        print(f"wrote {path}")
    return 0


def _read(args: argparse.Namespace) -> int:
    from towncircle.wire import statement_file

    statement, provider, licensee = statement_file.read(args.file.read_bytes())
    if args.json:
        as_json({"provider": provider, "licensee": licensee, **_record(statement)})
        return 0
    table([("provider", provider), ("licensee", licensee)])
    _show(statement)
    print("The control totals hold.")
    return 0


def _record(statement: MonthlyStatement) -> dict[str, object]:
    rows = [
        {
            "at": row.at.iso(),
            "kind": row.kind,
            "reference": row.reference,
            "device": row.device,
            "amount_mills": int(row.amount),
            "balance_mills": int(row.balance),
        }
        for row in statement.rows
    ]
    return {
        "account": statement.account,
        "month": statement.month,
        "until": statement.until.iso(),
        "opening_mills": int(statement.opening),
        "closing_mills": int(statement.closing),
        "transactions": rows,
    }


def _show(statement: MonthlyStatement) -> None:
    table(
        [
            ("account", statement.account),
            ("month", f"{statement.month}, until {statement.until.iso()}"),
            ("opening balance", statement.opening),
            ("transactions", len(statement.rows)),
        ]
    )
    for row in statement.rows:
        print(f"  {row.at.iso()[:19]}  {row.kind:<24} {row.reference:<18} {row.amount!s:>12} {row.balance!s:>12}")
    table([("closing balance", statement.closing)])
