"""`towncircle addresses`: a dry run over a file of addresses, with every fault at once.

Here: the arguments, the report and the files of faults and changes. Not here: reading (`mailpiece.address_files`), the
age of the data (`mailpiece.address_source`).
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, table, world_argument

if TYPE_CHECKING:
    from datetime import date

    from towncircle.mailpiece.address_files import AddressFile, Fault
    from towncircle.mailpiece.address_source import AddressSource
    from towncircle.mailpiece.standard_form import Change
    from towncircle.world.journeys import Journeys

_EPILOG = """\
examples:
  towncircle addresses check list.csv                            every row, nothing printed, nothing paid
  towncircle addresses check list.xlsx --errors faults.csv       all faults in a file: row, column, code, what to do
  towncircle addresses check liste.csv --map name="Voller Name",zip=PLZ --encoding mac-roman
  towncircle addresses check list.csv --standard --changes changes.csv
  towncircle addresses check list.csv --data zip4.sqlite         verify ZIP+4 by data of your own
  towncircle addresses use my-world --data zip4.sqlite           use them for all that is printed from now on
Files are CSV in any encoding and with any divider, or XLSX; headings such as 'Full Name' and 'ZIP Code' are understood.
Exit code 0: every row can be used; 1: some cannot; 3: the address data are too old for the day of mailing."""

SHOWN = 20  # faults that the text shows
TOLD = 1_000  # faults, and changes, that the JSON holds


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "addresses",
        help="check a file of addresses; the address data in use",
        description="Check a file of addresses without printing, or say which address data a world prints by.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="WHAT")
    check = verbs.add_parser("check", help="read every row and list every fault")
    check.add_argument("file", type=Path, metavar="FILE", help="CSV or XLSX")
    check.add_argument("--map", action="append", default=[], metavar="OURS=HEADING,...", help="which heading is which")
    check.add_argument("--encoding", default="", metavar="NAME", help="of a CSV file (default: as its bytes tell)")
    check.add_argument("--divider", default="", metavar="MARK", help="of a CSV file: , ; | or tab (default: as it is)")
    check.add_argument("--sheet", default="", metavar="NAME", help="of a workbook (default: the first that is shown)")
    check.add_argument("--standard", action="store_true", help="put addresses into the form of Publication 28")
    check.add_argument("--data", type=Path, metavar="FILE", help="address data of your own (SQLite) for ZIP+4")
    check.add_argument("--on", metavar="DATE", help="the day of mailing (default: today)")
    check.add_argument("--old-data", default="", metavar="REASON", help="use address data over six months old, and why")
    check.add_argument("--regime", default="imi-2024", metavar="REGIME", help="whose rules (default: imi-2024)")
    check.add_argument("--errors", type=Path, metavar="OUT.csv", help="write every fault to a file")
    check.add_argument("--changes", type=Path, metavar="OUT.csv", help="write every change to a file, old and new")
    check.add_argument("--json", action="store_true", help="print JSON with stable keys")
    check.set_defaults(run=run)
    use = verbs.add_parser("use", help="install address data of your own in a world, for all that it prints")
    world_argument(use)
    which = use.add_mutually_exclusive_group(required=True)
    which.add_argument("--data", type=Path, metavar="FILE", help="the file (SQLite, docs/addresses.md); it is copied")
    which.add_argument("--source", metavar="NAME", help="what an installed package offers (docs/addresses.md)")
    which.add_argument("--packaged", action="store_true", help="go back to the table that comes with the program")
    use.set_defaults(run=_use)
    shown = verbs.add_parser("show", help="show which address data a world uses and until when they are good")
    world_argument(shown)
    shown.set_defaults(run=_used)


def _use(args: argparse.Namespace) -> int:
    """Install a file, or go back to the packaged table; show what is in use then."""
    from towncircle.world import address_data

    with journeys_of(args) as journeys:
        if args.packaged:
            address_data.set_aside(journeys)
        elif args.source is not None:
            address_data.plug(journeys, args.source)
        else:
            address_data.install(journeys, args.data)
        return _show_used(args, journeys)


def _used(args: argparse.Namespace) -> int:
    with journeys_of(args) as journeys:
        return _show_used(args, journeys)


def _show_used(args: argparse.Namespace, journeys: Journeys) -> int:
    """Show the data in use, and whether the installed file is still what was installed."""
    from towncircle.licensee.address_data import good_through, in_use, installed
    from towncircle.world import address_data

    with journeys.world.store(journeys.licensee).reading() as view:
        data, own = in_use(view), installed(view)
    today = journeys.world.clock.now().date_in("UTC")
    through, whole = good_through(data, journeys.world.rules, day=today).isoformat(), address_data.whole(journeys)
    if args.json:
        digest = own.sha256 if own is not None else ""
        as_json({"sources": data, "good_through": through, "sha256": digest, "as_installed": whole})
        return 0 if whole else 1
    rows: list[tuple[str, object]] = [(one["name"], f"edition {one['edition']}") for one in data]
    rows.append(("for mail through", through))
    if own is not None and own.source:
        rows.append(("source", own.source))
    elif own is not None:
        rows.append(("SHA-256", f"{own.sha256}" if whole else f"is not {own.sha256} any more: install it again"))
    table(rows)
    return 0 if whole else 1


class _Report:
    """Gather what is told of a file: counts of everything, and the first of the faults and changes."""

    def __init__(self) -> None:
        self.faults: list[tuple[int, Fault]] = []
        self.changes: list[tuple[int, Change]] = []
        self.codes: Counter[str] = Counter()
        self.changed = 0
        self.digits = 0
        self.verified = 0


def run(args: argparse.Namespace) -> int:
    """Check the file and tell."""
    from towncircle.cli.price import day_of
    from towncircle.mailpiece.address_columns import parse_map
    from towncircle.mailpiece.address_files import EMBEDDED, open_addresses
    from towncircle.mailpiece.address_source import PLACES, RangeFile, check_age, covers_of
    from towncircle.rules import ruleset

    day, rules, chosen = day_of(args.on), ruleset(args.regime), parse_map(args.map)
    with ExitStack() as stack:
        source: AddressSource = EMBEDDED
        if args.data is not None:
            source = stack.enter_context(closing(RangeFile(args.data)))
        used = (source,) if PLACES in covers_of(source) else (EMBEDDED, source)
        last = min(check_age(data.edition, rules, on=day, name=data.name, reason=args.old_data) for data in used)
        file = open_addresses(
            args.file,
            chosen=chosen,
            encoding=args.encoding,
            divider="\t" if args.divider == "tab" else args.divider[:1],
            sheet=args.sheet,
            source=source,
            standardise=args.standard,
        )
        report = _read(file, args.errors, args.changes)
    if args.json:
        as_json(_record(file, report, day, last, args.old_data))
    else:
        _show(file, report, day, last, args)
    return 1 if file.faulty else 0


def _read(file: AddressFile, errors: Path | None, changes: Path | None) -> _Report:
    from towncircle.mailpiece.address_files import FaultyRow

    report = _Report()
    with (
        _written(errors, ("row", "column", "text", "code", "sentence", "next_step")) as write_fault,
        _written(changes, ("row", "field", "before", "after")) as write_change,
    ):
        for row in file:
            if isinstance(row, FaultyRow):
                for fault in row.faults:
                    error = fault.error
                    report.codes[error.code] += 1
                    if len(report.faults) < TOLD:
                        report.faults.append((row.row, fault))
                    write_fault(row.row, fault.column, fault.text, error.code, error.sentence, error.next_step)
                continue
            report.digits += bool(row.address.plus4)
            report.verified += bool(row.verified_by)
            report.changed += bool(row.changes)
            for change in row.changes:
                if len(report.changes) < TOLD:
                    report.changes.append((row.row, change))
                write_change(row.row, change.field, change.before, change.after)
    return report


@contextmanager
def _written(path: Path | None, header: tuple[str, ...]) -> Iterator[Any]:
    """Write a CSV file whose cells a spreadsheet takes for text, beside its place until it is whole."""
    from towncircle.mailpiece.harmless import cell

    if path is None:
        yield lambda *_: None
        return
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(header)
        yield lambda row, *cells: rows.writerow([row, *(cell(text) for text in cells)])
    part.replace(path)


def _show(file: AddressFile, report: _Report, day: date, last: date, args: argparse.Namespace) -> None:
    every = file.good + file.faulty
    verified = f"{report.verified} verified" if report.verified else "not verified"
    rows: list[tuple[str, object]] = [
        ("file", f"{file.label} ({file.table.told})"),
        ("columns", ", ".join(f"{ours} = {title}" for ours, title in file.columns.titles.items())),
        ("carried along", ", ".join(title for title, _ in file.columns.extra) or "nothing"),
        ("rows", f"{every}, of which {file.faulty} cannot be used"),
        ("ZIP+4", f"{report.digits} rows, {verified}"),
        ("address data", f"{file.source.name}, edition {file.source.edition}; for mail through {last.isoformat()}"),
    ]
    if day > last:
        rows.append(("too old, but", args.old_data))
    if args.standard or report.changed:
        rows.append(("changed", f"{report.changed} rows"))
    table(rows)
    for number, change in report.changes[:SHOWN]:
        print(f"  row {number}, {change.field}: {change.before or '(nothing)'} -> {change.after or '(nothing)'}")
    for number, fault in report.faults[:SHOWN]:
        where = f"row {number}, {fault.column}" if fault.column else f"row {number}"
        print(f"  {where}: {fault.error.sentence}\n    {fault.error.next_step} [{fault.error.code}]")
    left = sum(report.codes.values()) - SHOWN
    if left > 0 and args.errors is None:
        print(f"  and {left} more faults: write them all with --errors OUT.csv")


def _record(file: AddressFile, report: _Report, day: date, last: date, reason: str) -> dict[str, object]:
    return {
        "file": file.label,
        "written_as": file.table.told,
        "columns": dict(file.columns.titles),
        "carried_along": [title for title, _ in file.columns.extra],
        "rows": file.good + file.faulty,
        "good": file.good,
        "faulty": file.faulty,
        "faults": [
            {"row": number, "column": fault.column, "text": fault.text, **fault.error.as_dict()}
            for number, fault in report.faults
        ],
        "faults_by_code": dict(sorted(report.codes.items())),
        "changed": report.changed,
        "changes": [
            {"row": number, "field": change.field, "before": change.before, "after": change.after}
            for number, change in report.changes
        ],
        "plus4": {"rows": report.digits, "verified": report.verified},
        "address_data": {
            "name": file.source.name,
            "edition": file.source.edition,
            "good_through": last.isoformat(),
            "mailing_date": day.isoformat(),
            "old_data_reason": reason if day > last else "",
        },
    }
