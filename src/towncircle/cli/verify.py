"""`towncircle verify`: is this mark good? Every check with its clause; nothing is recorded."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, opened

if TYPE_CHECKING:
    from towncircle.verification import Observed, PieceVerdict
    from towncircle.world.verifying import Judged, Mark

_EPILOG = """\
examples:
  towncircle verify envelopes.pdf --world my-world
  towncircle verify --hex "a2 03 ..." --world my-world --at 2026-12-01
  towncircle verify photo.jpg                         without a world: what the mark says, and what cannot be checked
  towncircle verify front.png --world my-world --redate 2026-11-27     the back shows a REDATE
  towncircle verify front.png back.png --piece --due 1.07 --world my-world     one piece, paid by two indicia
  towncircle verify front.png --world my-world --weighed 1.2oz --size 9.5x4.125x0.02 --origin 20260
  towncircle verify box.png --world my-world --weighed 3lb --zone 5 --extra signature-confirmation
  towncircle verify scans --out verdicts.jsonl --world my-world     every file of a folder; run it again to go on
Verdicts: VALID, DUPLICATE, INVALID, UNREADABLE, FOREIGN, UNDECIDED. Exit code 0 when all are VALID, 1 otherwise.
To record a scan, so that a second one is a DUPLICATE: towncircle scan."""
_SIGN = {True: "ok  ", False: "BAD ", None: "?   "}


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "verify",
        help="verify marks in PDF, PNG, JPEG, TIFF, bytes or hex",
        description="Judge every mark of the files by numbered checks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments(parser)
    parser.add_argument("--world", type=Path, metavar="DIR", help="the world whose Postal Service published the pack")
    parser.set_defaults(run=run)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name marks and the time."""
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="PDF, PNG, JPEG, TIFF, bytes or hex text; or one folder"
    )
    parser.add_argument("--hex", metavar="HEX", help="the bytes of one mark as hexadecimal digits")
    _found_arguments(parser)
    parser.add_argument(
        "--piece",
        action="store_true",
        help="all marks are of one piece: their postage adds up (4.9); of a folder, all marks of each file",
    )
    parser.add_argument(
        "--by-page", action="store_true", help="--piece: each page is another piece, and all observed holds for each"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="of a folder: where a line of JSON goes for each file as it is done"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="of a folder: all results as CSV at the end")
    parser.add_argument(
        "--observed",
        type=Path,
        metavar="FILE",
        help="of a folder: CSV with the columns file, due and redate, and any of weight, size, origin, handful, "
        "other_payment, month_only, branch, zone, extras and value",
    )
    parser.add_argument("--at", metavar="INSTANT", help="judge as of then (default: now in the world)")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")


def _found_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how the piece was found."""
    parser.add_argument("--redate", metavar="DATE", help="the date of the REDATE that was seen on the piece (P050 4.8)")
    parser.add_argument(
        "--due", metavar="AMOUNT", help="the postage that is due for the piece, as weighed and addressed"
    )
    parser.add_argument(
        "--month-only", action="store_true", help="the indicium shows month and year without the day (P050 4.6)"
    )
    parser.add_argument(
        "--weighed", metavar="WEIGHT", help="what the piece weighs, such as 1.2oz: is it paid for? (1.5)"
    )
    parser.add_argument(
        "--size", metavar="SIZE", help="length x height x thickness in inches, such as 9.5x4.125x0.02 (P050 5.1)"
    )
    parser.add_argument("--zone", metavar="ZONE", help="the zone that it goes to, 1 to 9, for --weighed")
    parser.add_argument(
        "--extra",
        action="append",
        default=[],
        metavar="SERVICE",
        help="an extra service on its labels; may be repeated",
    )
    parser.add_argument("--value", metavar="AMOUNT", help="its declared value, for --extra insurance")
    parser.add_argument("--origin", metavar="ZIP", help="the ZIP Code of the post office of deposit (P050 5.3)")
    parser.add_argument(
        "--handful", action="store_true", help="one of a handful deposited elsewhere to expedite dispatch (P050 5.3)"
    )
    parser.add_argument(
        "--other-payment", default="", metavar="WORDS", help="what else pays in the same mailing, such as stamps (5.2)"
    )
    parser.add_argument("--branch", default="", metavar="NAME", help="the branch that the town circle names (P050 4.5)")


def run(args: argparse.Namespace) -> int:
    """Verify and show the verdicts."""
    from contextlib import nullcontext

    from towncircle.cli import folder
    from towncircle.kernel.instants import Instant
    from towncircle.world.clock import machine_now
    from towncircle.world.verifying import verify, verify_piece

    at, seen = Instant.parse(args.at) if args.at is not None else None, observed(args)
    check_pages(args)
    if folder.given(args):
        with opened(args.world) if args.world else nullcontext() as world:
            return folder.judge(args, world, at=at, seen=seen)
    marks = list(marks_given(args))
    with opened(args.world) if args.world else nullcontext() as world:
        now = at or (world.clock.now() if world else machine_now())
        if args.piece:
            found = [verify_piece(held, world, at=now, observed=seen) for held in pieces_of(args, marks)]
            return show_pieces(args, found)
        judged = [verify(mark, world, at=now, observed=seen) for mark in marks]
    return show(judged, json=args.json)


def check_pages(args: argparse.Namespace) -> None:
    """Refuse pages as pieces where there are none. Raises `BadInput` (cli.argument-astray)."""
    from towncircle.kernel.errors import BadInput

    if args.by_page and (not args.piece or args.hex is not None or any(path.is_dir() for path in args.files)):
        raise BadInput("cli.argument-astray", arguments="--by-page", needs="--piece, and files by their names")


def observed(args: argparse.Namespace) -> Observed:
    """Give what the arguments say was observed of the piece."""
    from towncircle.verification import Observed
    from towncircle.world.observing import seen

    words = {
        "due": args.due,
        "redate": args.redate,
        "weight": args.weighed,
        "size": args.size,
        "origin": args.origin,
        "other_payment": args.other_payment,
        "branch": args.branch,
        "zone": args.zone,
        "extras": ";".join(args.extra),
        "value": args.value,
    }
    for name in ("due", "redate", "weight", "size", "origin", "zone", "value"):
        if words[name] == "":  # an argument that is empty was meant to say something
            words[name] = "?"
    return Observed(**seen(words), month_only=args.month_only, handful=args.handful)


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


def pieces_of(args: argparse.Namespace, marks: list[Mark]) -> list[list[Mark]]:
    """Give the marks of each piece: all are of one, or with `--by-page` those of each page."""
    from towncircle.world.verifying import by_page

    return by_page(marks) if args.by_page else [marks]


def show_pieces(args: argparse.Namespace, found: list[tuple[PieceVerdict, list[Judged]]]) -> int:
    """Print the verdicts of pieces and of their marks, and give the exit code."""
    if args.json:
        records = [{"piece": piece.as_dict(), "results": [one.as_dict() for one in judged]} for piece, judged in found]
        as_json({"pieces": records} if args.by_page else records[0])
    for piece, judged in () if args.json else found:
        for one in judged:
            _show_one(one)
        page = f" on page {judged[0].mark.page} of {judged[0].mark.file}" if args.by_page else ""
        print(f"{piece.verdict}  the piece{page}: {piece.disposition}{', SPECIMEN' if piece.specimen else ''}")
        for finding in piece.findings:
            print(f"  {_SIGN[finding.ok]}{finding.code:<22} {finding.text} [{finding.clause}]")
    return 0 if all(piece.verdict == "VALID" for piece, _ in found) else 1


def show(judged: list[Judged], *, json: bool) -> int:
    """Print the verdicts of marks, each a piece of its own, and give the exit code."""
    if json:
        as_json({"results": [one.as_dict() for one in judged]})
    else:
        for one in judged:
            _show_one(one)
    return 0 if all(one.verdict.verdict == "VALID" for one in judged) else 1


def _show_one(one: Judged) -> None:
    from towncircle.symbol.reading import MAX_SYMBOLS
    from towncircle.world.verifying import field_words

    verdict = one.verdict
    where = f"{one.mark.file} page {one.mark.page}" if one.mark.file else "the given bytes"
    if one.mark.more:
        where = f"{where}, the symbols beyond the {MAX_SYMBOLS} that are read of a page"
    print(f"{verdict.verdict}  {where}: {verdict.disposition}{', SPECIMEN' if verdict.specimen else ''}")
    for name, value in verdict.fields.items():
        print(f"    {name:<20} {field_words(name, value) or value}")
    for finding in verdict.findings:
        print(f"  {_SIGN[finding.ok]}{finding.code:<22} {finding.text} [{finding.clause}]")
    print()
