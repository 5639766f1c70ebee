"""`towncircle cases`: the irregularity cases, step by step, and their end (502.8, 502.14, P050 2.6)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, opened

if TYPE_CHECKING:
    from towncircle.kernel.facts import Fact
    from towncircle.world.examinations import Case


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "cases",
        help="show the irregularity cases; release or retire a device",
        description="Show every irregularity case with its steps, as the Provider and the Postal Service keep it. A "
        "case is opened when a device comes back older than it was, breaks the law of its registers, or is found "
        "irregular by an examination. It ends by two persons: --release, once the last examination has found "
        "the device regular, or --retire. A released device has its use back when no other case of it is "
        "open. A retired one is out of use for good: the Postal Service has it as withdrawn and revokes its "
        "certificates, so a mark dated that day or later is refused; what it last signed counts. Its licensee"
        " gives it back (towncircle withdraw) and leases another (towncircle lease).",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--release", metavar="CASE", help="close this case and give its device back its use")
    end.add_argument("--retire", metavar="CASE", help="close this case and take its device out of use")
    parser.add_argument(
        "--by", action="append", default=[], metavar="STAFF", help="who approves, by staff number; give it twice"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="what was found and done, without names")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Close a case where one is named, and show the cases."""
    from towncircle.kernel.errors import BadInput
    from towncircle.world.examinations import cases_of, close

    if (args.by or args.reason) and not (args.release or args.retire):
        raise BadInput("case.nothing-to-close")
    with opened(args.world) as world:
        if args.release or args.retire:
            outcome = "released" if args.release else "retired"
            named = args.release or args.retire
            close(world, named, outcome=outcome, reason=args.reason, approved_by=tuple(args.by))
        cases = cases_of(world)
    if args.json:
        as_json({"cases": [_record(case) for case in cases]})
        return 0
    if not cases:
        print("There is no case.")
    for case in cases:
        print(f"{case.record.key}  {case.record.body['state']}  {case.record.body['device']}  at {case.party}")
        for step in case.steps:
            print(f"  {step.recorded_at.iso()}  {_words(step)} [{', '.join(step.clauses)}]")
    return 0


def _record(case: Case) -> dict[str, object]:
    body = case.record.body
    return {
        "case": case.record.key,
        "party": case.party,
        "device": body["device"],
        "state": body["state"],
        "ground": body["ground"],
        "opened_at": case.opened_at.iso(),
        "steps": [
            {"at": step.recorded_at.iso(), "step": step.type, "words": _words(step), "clauses": list(step.clauses)}
            for step in case.steps
        ],
    }


def _words(step: Fact) -> str:
    match step.type:
        case "case.opened":
            return f"Opened: {step.body['ground']}"
        case "case.closed":
            persons = " and ".join(step.body["approved_by"])
            return f"The device is {step.body['outcome']} by {persons}: {step.body['reason']}"
        case _:
            return str(step.body["what"])
