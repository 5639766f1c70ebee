"""`towncircle rates`: rate tables as a Provider publishes them and a host takes them (IMI-03)."""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, opened, table, world_argument
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.weights import show_weight

if TYPE_CHECKING:
    from towncircle.kernel.store import Record
    from towncircle.licensee.rehearsing import Rehearsal
    from towncircle.mailpiece.tariff import Table

_EPILOG = """\
examples:
  towncircle rates read july.toml                 checks a rate file against its own totals (docs/rate-tables.md)
  towncircle rates publish DIR july.toml          as the Provider; hosts take it with their next connection
  towncircle rates filed DIR                      as the Postal Service: what Providers filed, and which it accepted
  towncircle rates accept DIR 1 --provider PARTY  as the Postal Service: that table holds as its own
  towncircle rates withdraw DIR 1 --through 2027-06-30 --reasons TEXT    no longer, after that mailing date
  towncircle rates paper DIR 1 --out papers       the notice of that withdrawal as PDF
  towncircle rates rehearse DIR july.toml         what last month's pieces would have cost under it
  towncircle rates chart DIR chart.json --origin 20260     official zones of what is mailed from there
  towncircle rates show DIR                       which table is in use today, and which waits for its day"""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "rates",
        help="rate tables: publish one, see which is in use and which waits",
        description="Rate tables are signed, dated data: a Provider publishes one, every host takes it before its "
        "first day, and from midnight of the licensing office on it prices by it, whole jobs at a time.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    read = verbs.add_parser("read", help="read a rate file and check it against its totals")
    read.add_argument("file", type=Path, metavar="FILE", help="the rate file")
    read.add_argument("--json", action="store_true", help="print JSON with stable keys")
    read.set_defaults(run=_read)
    publish = verbs.add_parser("publish", help="publish a rate file, as a Provider")
    publish.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    publish.add_argument("file", type=Path, metavar="FILE", help="the rate file")
    publish.add_argument("--provider", default="provider.harbor", metavar="PARTY", help="whose (provider.harbor)")
    publish.add_argument("--late", default="", metavar="REASON", help="why not every host has it before its first day")
    publish.add_argument("--person", default="officer", metavar="NAME", help="who publishes it (officer)")
    publish.add_argument("--json", action="store_true", help="print JSON with stable keys")
    publish.set_defaults(run=_publish)
    _add_filed(verbs)
    show = verbs.add_parser("show", help="which tables are in use on a day, and which ones wait")
    world_argument(show)
    show.add_argument("--on", metavar="DATE", default=None, help="a mailing date (default: today at the office)")
    show.set_defaults(run=_show)
    chart = verbs.add_parser("chart", help="take the official zone chart of an origin")
    world_argument(chart)
    chart.add_argument("file", type=Path, metavar="FILE", help="the chart, as the Postal Service's page gives it")
    chart.add_argument("--origin", required=True, metavar="ZIP", help="the ZIP Code that it was asked for")
    chart.set_defaults(run=_chart)
    rehearse = verbs.add_parser("rehearse", help="reprice a month's pieces under a rate file; nothing is published")
    world_argument(rehearse)
    rehearse.add_argument("file", type=Path, metavar="FILE", help="the rate file")
    rehearse.add_argument("--month", metavar="YYYY-MM", help="which month's pieces (default: the last one)")
    rehearse.set_defaults(run=_rehearse)


def _add_filed(verbs: Any) -> None:
    filed = verbs.add_parser("filed", help="which tables Providers filed, and which the Postal Service accepted")
    accept = verbs.add_parser("accept", help="accept a filed table, as the Postal Service: what it asks for is enough")
    withdraw = verbs.add_parser("withdraw", help="withdraw an acceptance after a mailing date, with notice")
    paper = verbs.add_parser("paper", help="write the notice that an acceptance is withdrawn as PDF")
    for verb, run in ((filed, _filed), (accept, _accept), (withdraw, _withdraw), (paper, _paper)):
        verb.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
        verb.add_argument("--json", action="store_true", help="print JSON with stable keys")
        verb.set_defaults(run=run)
    for verb in (accept, withdraw, paper):
        verb.add_argument("number", type=int, metavar="NUMBER", help="the number of the table at its Provider")
        verb.add_argument("--provider", default="provider.harbor", metavar="PARTY", help="whose (provider.harbor)")
        if verb is not paper:
            verb.add_argument("--person", default="manager-mtm", metavar="NAME", help="who does it (manager-mtm)")
    paper.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where to write it")
    withdraw.add_argument("--through", required=True, metavar="DATE", help="the last mailing date for which it stands")
    withdraw.add_argument("--reasons", required=True, metavar="TEXT", help="the reasons, without names")


def _read(args: argparse.Namespace) -> int:
    from towncircle.mailpiece import rate_files

    _told([rate_files.read(args.file.read_bytes())], json=args.json)
    return 0


def _publish(args: argparse.Namespace) -> int:
    from towncircle.world.updates import publish_rates

    with opened(args.world) as world:
        row = publish_rates(world, args.provider, args.file.read_bytes(), late=args.late, person=args.person)
    names = ("number", "table", "in_force_from", "lines", "total", "digest")
    refused = row.body.get("refused", {}).get("sentence", "")
    told = {**{name: row.body[name] for name in names}, "filing_refused": refused}
    as_json(told) if args.json else table(list(told.items()))
    return 0


def _filed(args: argparse.Namespace) -> int:
    from towncircle.postal.rates import FILED
    from towncircle.world.config import POSTAL
    from towncircle.world.supervising import kept

    with opened(args.world) as world:
        rows = sorted(kept(world, POSTAL, FILED), key=lambda row: row.key)
    told = [_filing(row) for row in rows]
    if args.json:
        as_json({"filed": told})
        return 0
    for one in told:
        state = f"accepted {one['accepted_at']}" if one["accepted_at"] else "not accepted"
        state += f", through {one['accepted_through']}" if one["accepted_through"] else ""
        print(f"{one['provider']} table {one['number']}, {one['table']}, from {one['in_force_from']}: {state}")
    if not told:
        print("No Provider filed a table.")
    return 0


def _accept(args: argparse.Namespace) -> int:
    from towncircle.world.updates import accept_rates

    with opened(args.world) as world:
        told = _filing(accept_rates(world, args.provider, args.number, person=args.person))
    as_json(told) if args.json else table(list(told.items()))
    return 0


def _withdraw(args: argparse.Namespace) -> int:
    from towncircle.cli.price import day_of
    from towncircle.world.updates import withdraw_rates

    through = day_of(args.through)
    with opened(args.world) as world:
        row = withdraw_rates(
            world, args.provider, args.number, through=through, reasons=args.reasons, person=args.person
        )
    told = _filing(row)
    as_json(told) if args.json else table(list(told.items()))
    return 0


def _paper(args: argparse.Namespace) -> int:
    from towncircle.world.rate_papers import write_withdrawals

    with opened(args.world) as world:
        files = [str(file) for file in write_withdrawals(world, args.provider, args.number, args.out)]
    as_json({"files": files}) if args.json else print("\n".join(files))
    return 0


def _filing(row: Record) -> dict[str, object]:
    accepted = row.body.get("accepted")
    return {
        "provider": row.owner,
        **{name: row.body[name] for name in ("number", "table", "in_force_from", "digest")},
        "filed_at": Instant(row.body["at"]).iso(),
        "accepted_at": Instant(accepted).iso() if accepted else "",
        "accepted_through": row.body.get("accepted_through", ""),
    }


def _show(args: argparse.Namespace) -> int:
    from towncircle.cli.price import day_of
    from towncircle.licensee import halves, rates
    from towncircle.licensee.zoning import CHART

    with journeys_of(args) as journeys:
        day = day_of(args.on) if args.on is not None else journeys.today()
        with journeys.world.store(journeys.licensee).reading() as view:
            provider = halves.by_lease(view)[-1].body["provider"]
            used, waiting = rates.standing(view, provider, day=day)
            charts = sorted(row.key for row in view.find(CHART))
    if args.json:
        as_json(
            {
                "on": day,
                "in_use": [_record(one) for one in used],
                "waiting": [_record(one) for one in waiting],
                "zone_charts": charts,
            },
        )
        return 0
    print(f"On {day}:" if used else f"On {day}: no table is known for that day")
    for one in used:
        print(f"        {_words(one)}")
    for one in waiting:
        print(f"Waits:  {_words(one)}")
    print(f"Official zone charts (origin and first day): {', '.join(charts) or 'none, zones are estimates'}")
    return 0


def _chart(args: argparse.Namespace) -> int:
    from towncircle.licensee import zoning

    data = args.file.read_bytes()
    with journeys_of(args) as journeys:
        row = journeys.do(lambda ctx: zoning.take(ctx, data=data, origin=args.origin))
    told = {name: row.body[name] for name in ("origin", "effective", "digest")}
    as_json(told) if args.json else table(list(told.items()))
    return 0


def _rehearse(args: argparse.Namespace) -> int:
    from towncircle.licensee import halves
    from towncircle.licensee.rehearsing import rehearse
    from towncircle.mailpiece import rate_files

    new = rate_files.read(args.file.read_bytes())
    with journeys_of(args) as journeys:
        first, last = _month(args.month, journeys.today())
        with journeys.world.store(journeys.licensee).reading() as view:
            provider = halves.by_lease(view)[-1].body["provider"]
            done = rehearse(view, provider, new, first=first, last=last)
    if args.json:
        as_json(_rehearsed(done, new, first, last))
        return 0
    if not done.pieces:
        print(f"No piece was printed for a mailing date from {first} to {last}.")
        return 0
    print(f"Pieces mailed {first} to {last}, priced again as of {done.on} under table {new.name}:\n")
    for one in done.pieces:
        cost = f"{one.cost!s:>9} {_signed(one.cost - one.paid):>9}" if one.cost is not None else f"not known: {one.why}"
        print(f"  {one.job} {one.place:>4}  {one.category}  {show_weight(one.weight_oz):>8} {one.paid!s:>9} {cost}")
    known = len(done.pieces) - len(done.unknown)
    print(f"\n{known} pieces: paid {done.paid}, would cost {done.cost}, {_signed(done.cost - done.paid)} in all.")
    if done.unknown:
        print(f"{len(done.unknown)} pieces have no price under it and are in neither sum.")
    return 0


def _month(text: str | None, today: date) -> tuple[date, date]:
    """Read a month, `2026-10`; none is the one before today's. Raises `BadInput` (time.unreadable)."""
    from towncircle.kernel.errors import BadInput

    before = today.replace(day=1) - timedelta(days=1)
    try:
        first = date.fromisoformat(f"{text}-01") if text is not None else before.replace(day=1)
    except ValueError as error:
        raise BadInput("time.unreadable", text=(text or "")[:40]) from error
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _rehearsed(done: Rehearsal, new: Table, first: date, last: date) -> dict[str, object]:
    return {
        "table": new.name,
        "on": done.on,
        "first": first,
        "last": last,
        "paid_mills": int(done.paid),
        "cost_mills": int(done.cost),
        "difference_mills": int(done.cost - done.paid),
        "unknown": len(done.unknown),
        "pieces": [
            {
                "job": one.job,
                "piece": one.place,
                "category": one.category,
                "weight_oz": str(one.weight_oz),
                "paid_mills": int(one.paid),
                "cost_mills": None if one.cost is None else int(one.cost),
                "difference_mills": None if one.cost is None else int(one.cost - one.paid),
                "category_then": one.category_then,
                "why": one.why,
            }
            for one in done.pieces
        ],
    }


def _signed(difference: Mills) -> str:
    return f"+{difference}" if difference > ZERO else str(difference)


def _told(tables: list[Table], *, json: bool) -> None:
    if json:
        as_json({"tables": [_record(one) for one in tables]})
    else:
        print("\n".join(map(_words, tables)))


def _record(one: Table) -> dict[str, object]:
    from towncircle.mailpiece.rate_files import total_of

    days: dict[str, date] = {"in_force_from": one.in_force_from, "in_force_through": one.in_force_through}
    return {
        "table": one.id,
        "series": one.series,
        **days,
        "lines": len(one.lines),
        "total_mills": int(total_of(one)),
        "from": one.dates_from,
    }


def _words(one: Table) -> str:
    return f"table {one.name}, {one.in_force_from} to {one.in_force_through}, {len(one.lines)} lines ({one.dates_from})"
