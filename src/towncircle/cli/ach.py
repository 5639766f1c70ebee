"""`towncircle ach`: NACHA files, written and read (P050 3.5(a))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, opened, table


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "ach",
        help="NACHA files of the lockbox bank: write a day's, read and check one",
        description="Write the NACHA file of a day at the lockbox bank: the ACH debits that it collects, the ACH "
        "credits that came in, the items that came back. An item is in one file: what came since is in the next file "
        "of its day, which has the next modifier; where nothing came, the last one is written again. Or read such a "
        "file and check its hash, counts, totals and padding. docs/ach-files.md describes every record.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    write = verbs.add_parser("write", help="write the next file of a day, or one again")
    write.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    write.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    write.add_argument("--day", default="", metavar="DATE", help="the day, such as 2026-11-23 (default: today)")
    write.add_argument("--modifier", default="", metavar="M", help="write the file of this modifier again, such as A")
    write.add_argument("--json", action="store_true", help="print JSON with stable keys")
    write.set_defaults(run=_write)
    read = verbs.add_parser("read", help="read a file and check it")
    read.add_argument("file", type=Path, metavar="FILE", help="the file")
    read.add_argument("--json", action="store_true", help="print JSON with stable keys")
    read.set_defaults(run=_read)


def _write(args: argparse.Namespace) -> int:
    from towncircle.world import accounts
    from towncircle.world.population import today

    with opened(args.world) as world:
        data = accounts.ach_file(world, args.day or today(world), modifier=args.modifier)
    args.file.write_bytes(data)
    return _show(args, data)


def _read(args: argparse.Namespace) -> int:
    return _show(args, args.file.read_bytes())


def _show(args: argparse.Namespace, data: bytes) -> int:
    from towncircle.kernel.money import Mills
    from towncircle.wire import nacha

    file = nacha.read(data)
    every = tuple(entry for batch in file.batches for entry in batch.entries)
    debits, credits_ = nacha.totals(every)
    record: dict[str, object] = {
        "file": str(args.file),
        "modifier": file.modifier,
        "batches": len(file.batches),
        "entries": len(every),
    }
    returned = [entry for entry in every if entry.reason]
    if args.json:
        record |= {"debits_cents": debits, "credits_cents": credits_, "hash": nacha.entry_hash(every)}
        as_json({**record, "returned": [{"deposit": one.identification, "reason": one.reason} for one in returned]})
        return 0
    table([*record.items(), ("debits", Mills.dollars(0, cents=debits)), ("credits", Mills.dollars(0, cents=credits_))])
    for one in returned:
        print(f"! {one.identification} came back: {one.reason}")
    print("The control totals hold.")
    return 0
