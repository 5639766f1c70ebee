"""`towncircle verify`: is this mark good? Every check with its clause; nothing is recorded."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, opened

if TYPE_CHECKING:
    from towncircle.world.verifying import Judged, Mark

_EPILOG = """\
examples:
  towncircle verify envelopes.pdf --world my-world
  towncircle verify --hex "a2 03 ..." --world my-world --at 2026-12-01
  towncircle verify photo.jpg                         without a world: what the mark says, and what cannot be checked
Verdicts: VALID, DUPLICATE, INVALID, UNREADABLE, FOREIGN, UNDECIDED. Exit code 0 when all are VALID, 1 otherwise.
To record a scan, so that a second one is a DUPLICATE: towncircle scan."""
_SIGN = {True: "ok  ", False: "BAD ", None: "?   "}


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "verify",
        help="verify marks in PDF, PNG, JPEG, bytes or hex",
        description="Judge every mark of the files by numbered checks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments(parser)
    parser.add_argument("--world", type=Path, metavar="DIR", help="the world whose Postal Service published the pack")
    parser.set_defaults(run=run)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name marks and the time."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="PDF, PNG, JPEG, bytes or hex text")
    parser.add_argument("--hex", metavar="HEX", help="the bytes of one mark as hexadecimal digits")
    parser.add_argument("--at", metavar="INSTANT", help="judge as of then (default: now in the world)")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")


def run(args: argparse.Namespace) -> int:
    """Verify and show the verdicts."""
    from towncircle.kernel.instants import Instant
    from towncircle.world.verifying import verify

    at = Instant.parse(args.at) if args.at else None
    marks = list(marks_given(args))
    if args.world is None:
        from towncircle.world.clock import machine_now

        judged = [verify(mark, None, at=at or machine_now()) for mark in marks]
    else:
        with opened(args.world) as world:
            judged = [verify(mark, world, at=at) for mark in marks]
    return show(judged, json=args.json)


def marks_given(args: argparse.Namespace) -> Iterator[Mark]:
    """Give the marks that the arguments name."""
    from towncircle.kernel.errors import BadInput
    from towncircle.paper.scan import bytes_of
    from towncircle.world.verifying import Mark, marks_of

    if bool(args.files) == (args.hex is not None):
        raise BadInput("cli.file-or-hex")
    if args.hex is not None:
        yield Mark(file="", page=1, payload=bytes_of(args.hex.encode("utf-8", "replace"), hex_only=True))
    for path in args.files:
        yield from marks_of(path)


def show(judged: list[Judged], *, json: bool) -> int:
    """Print verdicts and give the exit code."""
    if json:
        as_json({"results": [one.as_dict() for one in judged]})
    else:
        for one in judged:
            _show_one(one)
    return 0 if all(one.verdict.verdict == "VALID" for one in judged) else 1


def _show_one(one: Judged) -> None:
    from towncircle.world.verifying import field_words

    verdict = one.verdict
    where = f"{one.mark.file} page {one.mark.page}" if one.mark.file else "the given bytes"
    print(f"{verdict.verdict}  {where}: {verdict.disposition}{', SPECIMEN' if verdict.specimen else ''}")
    for name, value in verdict.fields.items():
        print(f"    {name:<20} {field_words(name, value) or value}")
    for finding in verdict.findings:
        print(f"  {_SIGN[finding.ok]}{finding.code:<22} {finding.text} [{finding.clause}]")
    print()
