"""`towncircle conformance`: of every clause where it is kept, which test shows it, what happened under it."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, opened

if TYPE_CHECKING:
    from towncircle.kernel.instants import Instant
    from towncircle.rules.conformance import Line
    from towncircle.world.clauses import Happened

_DESCRIPTION = """\
Print the conformance matrix: every requirement of the rule, taken apart into duties, with its kind, where it is kept
(symbols of the code), which tests prove it, and how good its source is. With --world or --export also what happened
under it: the facts that tell of it (by clause, limit, code or kind), and how often a human act was recorded."""
_EPILOG = """\
kinds:
  implemented       the system keeps it; a test breaks it and is refused
  by-construction   it cannot be broken as the system is made; a test shows so
  operational       people or a laboratory do it, with the reason; 'towncircle record' keeps that they did
  not-applicable    with the reason
  open              not built yet: nothing is claimed
examples:
  towncircle conformance P050-3.6                   one requirement with its words, places and tests
  towncircle conformance 502.20 --kind open         what is still open under 502.20
  towncircle conformance --world my-world --since 2026-11-01 --as-of 2026-11-30
exit codes: 0 every duty shown has its proof, 1 at least one has none (or is open), 2 usage."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "conformance",
        help="show of every clause where it is kept, what proves it, and what happened under it",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "ids", nargs="*", metavar="ID", help="a requirement (P050-3.6), a duty (502.25a/2) or a beginning (P050-4)"
    )
    parser.add_argument("--id", action="append", default=[], metavar="ID", help="the same, as an option")
    parser.add_argument("--kind", metavar="KIND", help="only duties of one kind, such as open")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--world", type=Path, metavar="DIR", help="count what happened in a world")
    place.add_argument("--export", type=Path, metavar="OUT", help="count what happened in an export")
    parser.add_argument("--since", metavar="INSTANT", help="count from an instant or day on")
    parser.add_argument("--as-of", metavar="INSTANT", help="count up to an instant or to the end of a day")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the matrix: 0 where every duty shown has its proof, 1 where one has none."""
    from towncircle.kernel.errors import BadInput
    from towncircle.rules.conformance import matrix
    from towncircle.rules.inventory import KINDS, chosen

    wanted = [*args.ids, *args.id]
    for name in wanted:
        if not chosen([name]):
            raise BadInput("conformance.no-such-id", id=name[:40])
    if args.kind and args.kind not in KINDS:
        raise BadInput("conformance.no-such-kind", kind=args.kind[:40], known=", ".join(KINDS))
    lines = [line for line in matrix(wanted) if args.kind in (None, line.duty.kind)]
    happened = _happened(args)
    if args.json:
        _json(lines, happened)
    elif wanted:
        print("\n".join(_in_full(lines, happened)))
    else:
        print("\n".join(_table(lines, happened)))
    return 1 if any(line.missing for line in lines) else 0


def _happened(args: argparse.Namespace) -> Happened | None:
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.instants import Instant

    if args.world is None and args.export is None:
        if args.since or args.as_of:
            raise BadInput("conformance.no-facts")
        return None
    from towncircle.world.clauses import counted, facts_of_export, facts_of_world

    since = Instant.parse(args.since) if args.since else None
    until = _end(args.as_of) if args.as_of else None
    if args.export is not None:
        return counted(facts_of_export(args.export), since=since, until=until)
    with opened(args.world) as world:
        return counted(facts_of_world(world), since=since, until=until)


def _end(text: str) -> Instant:
    """Read an instant; a day alone means its end (UTC)."""
    from towncircle.kernel.instants import Instant

    at = Instant.parse(text)
    return at.plus(days=1).plus(microseconds=-1) if "T" not in text else at


def _json(lines: list[Line], happened: Happened | None) -> None:
    records = []
    for line in lines:
        record = line.as_dict()
        if happened is not None:
            record["facts"] = happened.rows[line.duty.row]
            record["fact_types"] = dict(sorted(happened.types.get(line.duty.row, Counter()).items()))
            record["acts"] = happened.acts[line.duty.id]
        records.append(record)
    counts = Counter(line.duty.kind for line in lines)
    as_json({"requirements": records, "kinds": dict(counts), "missing": sum(bool(line.missing) for line in lines)})


def _table(lines: list[Line], happened: Happened | None) -> list[str]:
    wide = max((len(line.duty.id) for line in lines), default=2)
    head = f"{'id':<{wide}}  {'kind':<15}  {'places':>6}  {'tests':>5}"
    out = [head + (f"  {'facts':>5}" if happened else "") + "  duty"]
    told = ""
    for line in lines:
        kept = f"{len(line.where) or '-':>6}  {len(line.tests) or '-':>5}"
        again = told == line.duty.row and line.duty.kind != "operational"
        facts = f"  {(_count(line, happened) if not again else '') or '-':>5}" if happened else ""
        told = line.duty.row
        out.append(f"{line.duty.id:<{wide}}  {line.duty.kind:<15}  {kept}{facts}  {line.duty.does}")
    note = (
        ["Facts are counted for a whole requirement, at its first line; acts of people for each duty."]
        if happened
        else []
    )
    return [*out, "", *_summary(lines), *note, "More of one: towncircle conformance ID"]


def _count(line: Line, happened: Happened) -> int:
    return happened.acts[line.duty.id] if line.duty.kind == "operational" else happened.rows[line.duty.row]


def _in_full(lines: list[Line], happened: Happened | None) -> list[str]:
    from towncircle.rules.inventory import inventory

    out: list[str] = []
    last = ""
    for line in lines:
        row = inventory()[line.duty.row]
        if row.id != last:
            out += [""] if last else []
            last = row.id
            out += [f"{row.id}  clause {row.clause}, party {row.party}, source {row.quality}", f"  {row.says}"]
            out += [f'  "{row.quote}"', f"  ({row.source})"] if row.quote else []
            if happened is not None:
                types = happened.types.get(row.id, Counter())
                told = ", ".join(f"{count} {name}" for name, count in sorted(types.items()))
                out.append(f"  facts under it: {told or 'none'}")
        out += ["", f"  {line.duty.id}  {line.duty.kind}", f"    {line.duty.does}"]
        out += [f"    because: {line.duty.why}"] if line.duty.why else []
        out += [f"    kept in    {place}" for place in line.where]
        broken = "broken in" if line.duty.kind == "implemented" else "shown by "
        out += [f"    {broken}  {test}" for test in line.breaks]
        out += [f"    shown by   {test}" for test in line.shows]
        if happened is not None and line.duty.kind == "operational":
            out.append(f"    recorded   {happened.acts[line.duty.id]} time(s)")
        out += [f"    ! {line.missing}"] if line.missing else []
    return [*out, "", *_summary(lines)]


def _summary(lines: list[Line]) -> list[str]:
    from towncircle.rules.inventory import KINDS

    kinds = Counter(line.duty.kind for line in lines)
    rows = len({line.duty.row for line in lines})
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])
    missing = sum(bool(line.missing) for line in lines)
    end = f"{missing} open or without proof." if missing else "Every one has its proof."
    return [f"{rows} requirements, {len(lines)} duties: {told}. {end}"]
