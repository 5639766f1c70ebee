"""`towncircle export`: what every party of a world knows, signed by each, for the auditor."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, opened


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "export",
        help="write what every party knows, for an audit",
        description="Write signed, versioned JSON Lines per party into a new folder (docs/export.md). "
        "Then: towncircle audit OUT",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder that does not exist yet, or is empty")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export and show what was written."""
    from towncircle.world.exporting import export

    with opened(args.world) as world:
        done = export(world, args.out)
    if args.json:
        as_json({"out": str(done.folder), "files": done.files, "lines": done.lines, "quiet": done.quiet})
    else:
        print(f"{done.files} files with {done.lines} lines in {done.folder}.")
        if not done.quiet:
            print("Something was still under way: the audit will tell what.")
        print(f"Next: towncircle audit {done.folder}")
    return 0
