"""`towncircle bench`: measure, each rate beside a raw limit taken in the same run.

Here: arguments and the table. Not here: what is measured (`towncircle.bench`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from towncircle.bench import Result

_MOST_PIECES = 1_000_000
SUBJECTS = ("device", "mailpiece", "fleet")
READING = "reading"  # asked for by name alone: it takes minutes


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "bench",
        help="measure speed against raw limits",
        description="Measure speed; every rate beside a raw limit of the same run. A row of --json has: name, rate, "
        "unit, limit, limit_rate, ratio, fdatasync_rate (durable writes a second on the same disk; null where a case "
        "has none of its own), errors (failed calls; null where the first one ends the run), signing_rate (raw "
        "signatures a second, for a case with another limit), and for a case that uses every core busy_limit_rate and "
        "busy_ratio: the limit of one core while all of them work at it.",
    )
    parser.add_argument(
        "subjects", nargs="*", metavar="SUBJECT", help=f"what to measure: {', '.join(SUBJECTS)} (all), or reading"
    )
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="time for each case and round")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the stores lie (default: the temporary folder)")
    parser.add_argument("--population", type=int, default=100_000, metavar="N", help="hosted devices (default 100000)")
    parser.add_argument("--pieces", type=int, default=100_000, metavar="N", help="of the batch (default 100000)")
    parser.add_argument("--count", type=int, default=10, metavar="N", help="reading: symbols of each kind (default 10)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="reading: which symbols (default 1)")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and show the results. Raises `BadInput` (bench.no-such-subject, bench.seconds, bench.pieces)."""
    from towncircle.kernel.errors import BadInput

    if args.subjects == [READING]:
        return _reading(args)
    for name in args.subjects:
        if name not in SUBJECTS:
            raise BadInput("bench.no-such-subject", subject=name[:40], known=", ".join(SUBJECTS))
    if not 0.01 <= args.seconds <= 60:
        raise BadInput("bench.seconds", seconds=args.seconds)
    if not 1 <= args.pieces <= _MOST_PIECES:
        raise BadInput("bench.pieces", pieces=args.pieces, most=_MOST_PIECES)
    results, environment = _measured(args)
    if args.json:
        print(json.dumps({"results": [result.as_dict() for result in results], "environment": environment}))
        return 0
    print(f"{'case':24} {'rate':>18}   {'raw limit':>10}  ratio")
    for result in results:
        rate = f"{result.rate:,.0f} {result.unit}"
        more = "" if result.errors is None else f", errors {result.errors}"
        more += "" if result.busy_ratio is None else f"; {result.busy_ratio:.2f} of it while every core signs"
        print(f"{result.name:24} {rate:>18}   {result.limit_rate:>10,.0f}  {result.ratio:.2f}  of {result.limit}{more}")
    print(", ".join(f"{name} {value}" for name, value in environment.items()))
    return 0


def _reading(args: argparse.Namespace) -> int:
    """Show how many bad scans of each condition are read. Raises `BadInput` (bench.count)."""
    from itertools import groupby

    from towncircle.bench import robustness
    from towncircle.kernel.errors import BadInput

    if not 1 <= args.count <= 1000:
        raise BadInput("bench.count", count=args.count)
    cells = robustness.measure(seed=args.seed, count=args.count)
    if args.json:
        print(json.dumps({"results": [cell.as_dict() for cell in cells], "seed": args.seed}))
        return 0
    kinds = [f"{symbology} {mil} mil" for symbology, mil in robustness.KINDS]
    dpi = "/".join(map(str, robustness.RESOLUTIONS))
    print(f"Read of {args.count} at {dpi} dpi, and the mean milliseconds; 'wrong' where other bytes were read.")
    print(f"| condition | {' | '.join(kinds)} |\n|---|{'---|' * len(kinds)}")
    for condition, row in groupby(cells, key=lambda cell: cell.condition):
        shown = []
        for _, group in groupby(row, key=lambda cell: (cell.symbology, cell.mil)):
            three = list(group)
            wrong = sum(cell.misread for cell in three)
            text = (
                f"{'/'.join(str(cell.read) for cell in three)}, {'/'.join(str(cell.milliseconds) for cell in three)} ms"
            )
            shown.append(f"{text}, {wrong} wrong" if wrong else text)
        print(f"| {condition} | {' | '.join(shown)} |", flush=True)
    return 0


def _measured(args: argparse.Namespace) -> tuple[list[Result], dict[str, object]]:
    """Measure pages, one device, two at once, and what SoftHSM2 (token keys) and PostgreSQL (fleets) allow.

    `device` takes in fleets. What is missing is left out, with a sentence about it in the environment.
    """
    from towncircle.bench import batch, device, environment, fleet, mailpiece, pkcs11, two
    from towncircle.kernel.errors import Refused

    results: list[Result] = []
    machine = environment()
    subjects = args.subjects or SUBJECTS
    if "mailpiece" in subjects:
        results, machine = mailpiece.measure(args.dir, seconds=args.seconds)
        measured, told = batch.measure(args.dir, seconds=args.seconds, pieces=args.pieces)
        results, machine = [*results, *measured], machine | told
    if "device" in subjects:
        measured, told = device.measure(args.dir, seconds=args.seconds)
        results += [*measured, two.measure(args.dir, seconds=args.seconds)]
        machine |= told
        try:
            results += pkcs11.measure(args.dir, seconds=args.seconds)
        except Refused as refusal:
            if refusal.code != "bench.no-token":
                raise
            machine["softhsm2"] = refusal.sentence
    if not {"device", "fleet"} & set(subjects):
        return results, machine
    try:
        more, told = fleet.measure(args.dir, seconds=args.seconds, population=args.population)
    except Refused as refusal:
        if refusal.code != "bench.no-postgres" or not results:
            raise
        more, told = [], {"postgresql": refusal.sentence}
    return results + more, machine | told
