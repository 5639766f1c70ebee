"""`towncircle audit`: recompute every cent and register from an export.

Here: the command. Not here: the audit (`towncircle.auditor`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from towncircle.auditor.report import Report

_DESCRIPTION = """\
Read an export (docs/export.md) and nothing else, and recompute everything in it: digests, signatures, journals,
entries, balances, the money equation of every licensee, the registers of every device, and the three books of
Provider, Postal Service and bank against each other."""
_EPILOG = """\
examples:
  towncircle export my-world out && towncircle audit out
  towncircle audit out --json | python -m json.tool
exit codes: 0 no difference, 1 at least one, 2 there is no export to read."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "audit",
        help="recompute every cent and register from an export",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="the folder that 'towncircle export' has written")
    parser.add_argument(
        "--root", metavar="SHA256", help="trust this root certificate only, by the SHA-256 of its DER in hexadecimal"
    )
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command: 0 without differences, 1 with any."""
    from towncircle.auditor import audit  # cryptography is loaded only when the command runs

    report = audit(args.out, root=args.root)
    if args.json:
        print(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        print("\n".join(_text(report)))
    return 1 if report.differences else 0


def _text(report: Report) -> list[str]:
    lines = []
    for difference in report.differences:
        lines.append(f"{difference.code}  {difference.where}")
        lines.append(f"  {difference.text}")
        if difference.expected or difference.found:
            lines.append(f"  expected {difference.expected or '(nothing)'}, found {difference.found or '(nothing)'}")
    checked = ", ".join(f"{count} {what}" for what, count in sorted(report.checked.items()))
    lines.append(f"Checked {checked}.")
    count = len(report.differences)
    lines.append("No difference." if not count else f"{count} difference{'s' if count != 1 else ''}.")
    return lines
