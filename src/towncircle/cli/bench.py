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

SUBJECTS = ("device", "mailpiece", "fleet")


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "bench",
        help="measure speed against raw limits",
        description="Measure speed; every rate beside a raw limit of the same run. A row of --json has: name, rate, "
        "unit, limit, limit_rate, ratio, fdatasync_rate (durable writes a second on the same disk; null where a case "
        "has none of its own) and errors (failed calls; null where the first one ends the run).",
    )
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"what to measure: {', '.join(SUBJECTS)} (all)")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="time for each case and round")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the stores lie (default: the temporary folder)")
    parser.add_argument("--population", type=int, default=100_000, metavar="N", help="hosted devices (default 100000)")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and show the results. Raises `BadInput` (bench.no-such-subject, bench.seconds)."""
    from towncircle.kernel.errors import BadInput

    for name in args.subjects:
        if name not in SUBJECTS:
            raise BadInput("bench.no-such-subject", subject=name[:40], known=", ".join(SUBJECTS))
    if not 0.01 <= args.seconds <= 60:
        raise BadInput("bench.seconds", seconds=args.seconds)
    results, environment = _measured(args)
    if args.json:
        print(json.dumps({"results": [result.as_dict() for result in results], "environment": environment}))
        return 0
    print(f"{'case':24} {'rate':>18}   {'raw limit':>10}  ratio")
    for result in results:
        rate = f"{result.rate:,.0f} {result.unit}"
        more = "" if result.errors is None else f", errors {result.errors}"
        print(f"{result.name:24} {rate:>18}   {result.limit_rate:>10,.0f}  {result.ratio:.2f}  of {result.limit}{more}")
    print(", ".join(f"{name} {value}" for name, value in environment.items()))
    return 0


def _measured(args: argparse.Namespace) -> tuple[list[Result], dict[str, object]]:
    """Measure pages, one device, two at once, and what SoftHSM2 (token keys) and PostgreSQL (fleets) allow.

    `device` takes in fleets. What is missing is left out, with a sentence about it in the environment.
    """
    from towncircle.bench import device, environment, fleet, mailpiece, pkcs11, two
    from towncircle.kernel.errors import Refused

    results: list[Result] = []
    machine = environment()
    subjects = args.subjects or SUBJECTS
    if "mailpiece" in subjects:
        results, machine = mailpiece.measure(args.dir, seconds=args.seconds)
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
