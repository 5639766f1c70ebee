"""`towncircle print`: envelopes for a list of addresses, as PDF, PNG or SVG."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, table, world_argument

if TYPE_CHECKING:
    from towncircle.kernel.errors import TowncircleError
    from towncircle.kernel.money import Mills
    from towncircle.world.journeys import Journeys
    from towncircle.world.printing import Printed

_EPILOG = """\
examples:
  towncircle print my-world --out out                        the public addresses that come with the program
  towncircle print my-world --addresses list.csv --out out   columns: name, street, city, state, zip[, weight_oz, shape]
  towncircle print my-world --out out --resume               finish what an interruption left open
Everything is priced, linted and reserved before the device is asked; what is printed says SPECIMEN."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "print",
        help="print envelopes with postage",
        description="Print envelopes: price, layout lints, budget, evidence by the device, symbol, page.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    world_argument(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where envelopes.pdf and envelopes/ go")
    parser.add_argument("--addresses", type=Path, metavar="FILE.csv", help="the recipients")
    parser.add_argument("--on", metavar="DATE", help="mailing date (default: today at the licensing office)")
    parser.add_argument("--svg", action="store_true", help="write SVG pictures too")
    parser.add_argument("--new", action="store_true", help="start a job although one is open")
    parser.add_argument("--resume", action="store_true", help="finish open jobs instead of starting one")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print and show what was printed."""
    from datetime import date

    from towncircle.kernel.errors import BadInput
    from towncircle.mailpiece.address_files import public_addresses, read_addresses
    from towncircle.world.printing import print_job

    formats = ("pdf", "png", "svg") if args.svg else ("pdf", "png")
    try:
        day = date.fromisoformat(args.on) if args.on else None
    except ValueError as error:
        raise BadInput("time.unreadable", text=args.on[:40]) from error
    recipients = () if args.resume else read_addresses(args.addresses) if args.addresses else public_addresses()
    with journeys_of(args) as journeys:
        failed: TowncircleError | None = None
        if args.resume:
            done, failed = _resumed(args, journeys, formats)
        else:
            _nothing_in_the_way(args, journeys)
            done = [print_job(journeys, recipients, args.out, day=day, formats=formats)]
        left = journeys.status().registers.descending
    if failed is not None:
        raise failed
    if args.json:
        as_json(_record(done, left))
        return 0
    if not done:
        print("No job is open.")
    for one in done:
        table(
            [
                ("job", one.job.key),
                ("pieces", len(one.job.body["pieces"])),
                ("postage", one.total),
                ("file", one.pdf),
                ("left in the device", left),
            ]
        )
    return 0


def _resumed(
    args: argparse.Namespace, journeys: Journeys, formats: tuple[str, ...]
) -> tuple[list[Printed], TowncircleError | None]:
    """Finish open jobs, paid ones first; a job that cannot be finished does not hold up the others."""
    from towncircle.kernel.errors import TowncircleError
    from towncircle.kernel.ids import JobId
    from towncircle.world.printing import finish_job

    done: list[Printed] = []
    failed: TowncircleError | None = None
    for row in sorted(journeys.open_jobs(), key=lambda row: str(row.body["state"])):
        try:
            done.append(finish_job(journeys, JobId(row.key), args.out / row.key, formats=formats))
        except TowncircleError as error:
            failed = failed or error
    return done, failed


def _nothing_in_the_way(args: argparse.Namespace, journeys: Journeys) -> None:
    """Refuse to start a job beside an open one, and to write over the pages of another."""
    from towncircle.kernel.errors import Refused

    open_jobs = [row.key for row in journeys.open_jobs()]
    if open_jobs and not args.new:
        raise Refused("mailroom.job-open", jobs=", ".join(open_jobs))
    if (args.out / "envelopes.pdf").exists():
        raise Refused("mailroom.out-taken", out=args.out)


def _record(done: list[Printed], left: Mills) -> dict[str, object]:
    jobs = [
        {
            "job": one.job.key,
            "pieces": len(one.job.body["pieces"]),
            "total_mills": int(one.total),
            "pdf": str(one.pdf),
            "pictures": [str(path) for path in one.pictures],
        }
        for one in done
    ]
    return {"jobs": jobs, "descending_mills": int(left)}
