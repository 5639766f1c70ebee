"""`towncircle record`: that an act of people or of a laboratory was done."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from towncircle.cli.show import as_json, opened, table

_EPILOG = """\
examples:
  towncircle record --list
  towncircle record my-world system-inspected --by provider.harbor --reference log-2026-11-23
  towncircle record my-world resetting-assessment --by postal.usps --about provider.harbor --reference report-18 \
      --document report.pdf
  towncircle record my-world resetting-system-audit --by postal.usps --reference report-17 --document report.pdf
The party's journal keeps the act, its clause, the reference and the SHA-256 of the document: no name and no text.
Telling the same act again gives the first answer.
What was recorded: towncircle conformance --world DIR --kind operational"""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "record",
        help="record that an act of people was done, which the rule orders",
        description="Record in a party's journal that an act was done which the rule orders and no program can do: "
        "an audit, a test, a laboratory's examination. What a procedure of the program does is refused here, and its "
        "command is named.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("world", nargs="?", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("act", nargs="?", metavar="ACT", help="what was done, as --list names it")
    parser.add_argument("--by", metavar="PARTY", help="whose act it was, such as provider.harbor or postal.usps")
    parser.add_argument("--person", default="", metavar="NAME", help="who of PARTY did it: one who holds its office")
    parser.add_argument("--reference", metavar="REF", help="a file number, device or site; no name of a person")
    parser.add_argument("--about", default="", metavar="PARTY", help="the party that it is about, where --list says so")
    parser.add_argument(
        "--period", default="", metavar="YYYY[-MM]", help="the year or month of a yearly or monthly act"
    )
    parser.add_argument(
        "--document", type=Path, metavar="FILE", help="the paper that shows it; only its SHA-256 is kept"
    )
    parser.add_argument("--on", metavar="INSTANT", help="when it was done; without it, now")
    parser.add_argument(
        "--list",
        action="store_true",
        help="list the acts with clause, party and duty; with DIR also those of its rule set",
    )
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record an act and show the fact, or list the acts."""
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.instants import Instant

    if args.list:
        return _list(args.world, json=args.json)
    if None in (args.world, args.act, args.by, args.reference):
        raise BadInput("acts.incomplete")
    from towncircle.world.recording import record

    at = Instant.parse(args.on) if args.on else None
    document = args.document.read_bytes() if args.document else None
    with opened(args.world) as world:
        told = {"by": f"{args.by}/{args.person}", "reference": args.reference}
        told |= {"about": args.about, "period": args.period}
        fact = record(world, args.act, document=document, at=at, **told)
    if args.json:
        as_json(fact.as_dict())
        return 0
    table(
        [
            ("fact", fact.id),
            ("act", fact.body["act"]),
            ("clause", ", ".join(fact.clauses)),
            ("done by", fact.actor),
            ("at", fact.occurred_at.iso()),
            ("reference", fact.subject),
            ("document", f"SHA-256 {fact.body['document']}" if fact.body["document"] else "none"),
        ]
    )
    return 0


def _list(folder: Path | None, *, json: bool) -> int:
    from towncircle.rules.acts import Act, acts

    found: dict[str, Act] = dict(acts())
    if folder is not None:
        with opened(folder) as world:
            found |= world.rules.acts
    if json:
        names = ("name", "duty", "by", "actor", "document", "about", "clause", "does", "command")
        as_json({"acts": [{name: getattr(act, name) for name in names} for act in found.values()]})
        return 0
    for act in found.values():
        paper = "with a document" if act.document else "without a document"
        about = f", about a {act.about}" if act.about else ""
        about += f", for a {act.period}" if act.period else ""
        done = f"\n  not recorded by hand: towncircle {act.command}" if act.command else ""
        print(f"{act.name}\n  {act.clause}, {act.actor} of {act.party}, {paper}{about}\n  {act.does}{done}")
    return 0
