"""`towncircle price`: what a piece of mail costs, and why.

Here: the command's arguments and its text. Not here: prices (`towncircle.mailpiece.rates`), zones (`.zones`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from towncircle.mailpiece.rates import Price, PriceRequest, Step
    from towncircle.mailpiece.tariff import Table
    from towncircle.mailpiece.zones import Zone, Zones

_EPILOG = """\
examples:
  towncircle price --weight 1oz                               a metered letter, today
  towncircle price --shape flat --weight 3.2oz --on 2026-08-01
  towncircle price --weight 2oz --on 1998-09-02               two ounces in 1998
  towncircle price --class ground --type commercial --weight 2lb --zone 5
  towncircle price --class priority --type commercial --weight 3lb --from 20260 --to 90012
  towncircle price --weight 1oz --extra certified --explain   every step with its source
  towncircle price --weight 1oz --world DIR                   by the tables that the mail room of a world has
  towncircle price --known                                    which prices are known, and which are not
Prices come from dated tables with their sources; a price that no source gives is refused (exit 3), never guessed.
With --from and --to the zone is an estimate, unless --chart gives the official zone chart of --from
(docs/rate-tables.md says how to get it). With --world the mail room's tables, charts and day hold, and --to alone
is mailed at its licensing office."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "price",
        help="what a piece costs on a date, with its explanation",
        description="Price one piece of mail and explain the price step by step.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--class", dest="mail_class", default="first", metavar="CLASS",
        help="first (default), priority, express, standard (also marketing), media, ground",
    )  # fmt: skip
    parser.add_argument(
        "--shape", metavar="SHAPE", help="letter, flat, card, parcel, padded-envelope, medium-box, large-box"
    )
    parser.add_argument("--weight", metavar="WEIGHT", help="such as 1oz, 2.5 oz, 3lb or 28g")
    parser.add_argument("--size", metavar="LxHxT", help="inches, such as 9.5x4.125 or 12x9x0.5: checked where given")
    parser.add_argument(
        "--type",
        dest="price_type",
        default="metered",
        metavar="TYPE",
        help="metered (default), stamped, retail, commercial",
    )
    parser.add_argument("--on", metavar="DATE", help="date of mailing, such as 2026-11-21 (default: today)")
    parser.add_argument("--nonmachinable", action="store_true", help="add the surcharge of a nonmachinable letter")
    parser.add_argument("--zone", metavar="ZONE", help="postal zone, 1 to 9")
    parser.add_argument("--from", dest="origin", metavar="ZIP", help="ZIP Code of mailing, to find the zone")
    parser.add_argument("--to", dest="destination", metavar="ZIP", help="ZIP Code of the address")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="the official zone chart of --from")
    parser.add_argument(
        "--presort", default="", metavar="LEVEL", help="presort level, such as 5-digit (no single piece)"
    )
    parser.add_argument(
        "--extra", action="append", default=[], metavar="SERVICE", help="an extra service; may be given again"
    )
    parser.add_argument("--mailing-pieces", type=int, metavar="N", help="pieces of the presort mailing, as declared")
    parser.add_argument("--value", metavar="AMOUNT", help="declared value, for --extra insurance")
    parser.add_argument("--explain", action="store_true", help="show the source and the table of every step")
    parser.add_argument(
        "--world", type=Path, metavar="DIR", help="price by the tables and charts of a world's mail room"
    )
    parser.add_argument("--licensee", default="mailroom", metavar="NAME", help="--world: whose (mailroom)")
    parser.add_argument("--known", action="store_true", help="list the tables: which prices are known on the date")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Price the piece and print the explanation, or list what is known."""
    from towncircle.cli.show import as_json
    from towncircle.mailpiece.rates import price

    basis = _basis(args)
    if args.known:
        _known(basis, json=args.json)
        return 0
    request = _request(args, basis)
    found = price(request, tables=basis.tables)
    if args.json:
        as_json(_record(request, found))
    else:
        print(_text(request, found, explain=args.explain))
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Basis:
    """Hold what is priced by: the day, the tables, and the zones from a mail room's office where there is one."""

    day: date
    tables: tuple[Table, ...]
    zones: Callable[[str | None], Zones] | None = None


def _basis(args: argparse.Namespace) -> _Basis:
    """Give what the program knows, or a world's mail room has."""
    from towncircle.mailpiece.tariff import known_tables

    if args.world is None:
        return _Basis(day=day_of(args.on), tables=known_tables())
    from towncircle.cli.show import journeys_of
    from towncircle.licensee import rates, zoning

    with journeys_of(args) as journeys:
        day = day_of(args.on) if args.on is not None else journeys.today()
        device = journeys.device
        with journeys.world.store(journeys.licensee).reading() as view:
            row = view.get("device", device)
            assert row is not None  # the world has just named it
            office = zoning.origin_of(view, row, mailed_from=False)
            charts = {origin: zoning.zones_from(view, origin) for origin in (args.origin or office,)}
            tables = rates.tables(view, row.body["provider"])
    return _Basis(day=day, tables=tables, zones=lambda origin: charts[origin or office])


def day_of(text: str | None) -> date:
    """Read a date; none is today. Raises `BadInput` (time.unreadable)."""
    from towncircle.kernel.errors import BadInput

    if text is None:
        return datetime.now(UTC).astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("time.unreadable", text=text[:40]) from error


def _request(args: argparse.Namespace, basis: _Basis) -> PriceRequest:
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.money import Mills
    from towncircle.mailpiece.categories import CLASSES
    from towncircle.mailpiece.eligibility import Size
    from towncircle.mailpiece.rates import PriceRequest
    from towncircle.mailpiece.weights import parse_weight

    if args.weight is None:
        raise BadInput("rates.weight-needed")
    mail_class = {"marketing": "standard"}.get(args.mail_class, args.mail_class)
    usual = CLASSES[mail_class].shape if mail_class in CLASSES else "letter"
    zone = _zone(args, mail_class, basis)
    return PriceRequest(
        mail_class=mail_class,
        shape=args.shape if args.shape is not None else usual,
        price_type=args.price_type,
        weight_oz=parse_weight(args.weight),
        on=basis.day,
        nonmachinable=args.nonmachinable,
        level=args.presort,
        extras=tuple(args.extra),
        mailing_pieces=args.mailing_pieces,
        declared_value=Mills.parse(args.value) if args.value is not None else None,
        size=Size.parse(args.size) if args.size is not None else None,
        zone=zone.zone if zone else args.zone or "",
        zone_note=zone.note if zone else "",
        zone_estimated=zone is not None and zone.estimated,
        zone_declared=zone is None and args.zone is not None,
    )


def _zone(args: argparse.Namespace, mail_class: str, basis: _Basis) -> Zone | None:
    """Find the zone between two ZIP Codes: by the official chart that is given or taken, else by an estimate."""
    from towncircle.kernel.errors import BadInput
    from towncircle.mailpiece.zipcode import place_of
    from towncircle.mailpiece.zones import estimate, read_chart

    ends = (args.origin, args.destination)
    if args.zone is not None or ends == (None, None):
        if any(ends) or args.chart:
            raise BadInput("zones.one-way")
        return None
    if basis.zones is not None and args.destination is not None and args.chart is None:
        return basis.zones(args.origin).find(args.destination, mail_class=mail_class, on=basis.day)
    if None in ends:
        raise BadInput("zones.one-way")
    if args.chart is None:
        return estimate(args.origin, args.destination)
    place_of(args.destination)
    try:
        data = args.chart.read_bytes()
    except OSError as error:
        raise BadInput("zones.chart-unreadable", what=error.strerror or "it cannot be read") from error
    return read_chart(data, origin=args.origin).zone_of(args.destination, mail_class=mail_class)


def _text(request: PriceRequest, found: Price, *, explain: bool) -> str:
    from towncircle.mailpiece.rates import describe_category
    from towncircle.mailpiece.weights import show_weight

    title = f"{describe_category(found.category)}, {show_weight(request.weight_oz)}, mailed {request.on.isoformat()}"
    lines = [title, ""]
    counted = [step for step in found.steps if step.amount is not None]
    width = max(*(len(step.text) for step in counted), len("Postage"))
    for step in counted:
        lines.append(f"  {step.text:<{width}}  {step.amount!s:>8}   {step.status}, confidence {step.confidence}")
        if explain:
            lines += [
                f"  {'':<{width}}  {'':>8}   {words}" for words in (f"{step.source}, table {step.table}", step.url)
            ]
    lines += [f"  {'':-<{width}}  {'':->8}", f"  {'Postage':<{width}}  {found.amount!s:>8}", ""]
    lines += [f"  Note: {step.text}." for step in found.steps if step.amount is None]
    if explain:
        lines += [f"  Note: {step.text}: {step.note}." for step in counted if step.note]
    lines.append(
        f"  Table {found.table}; {_how_long(request, found)}; category {found.category}; confidence {found.confidence}."
    )
    return "\n".join(lines)


def _how_long(request: PriceRequest, found: Price) -> str:
    """Say for which days a price is known; past the last check of its sources nothing is promised."""
    first, through = found.in_force_from.isoformat(), found.known_through.isoformat()
    if request.on <= found.known_through:
        checked = ", when it was last checked" if found.known_through == found.checked_on else ""
        return f"this price is known to hold {first} to {through}{checked}"
    return f"in force from {first}; last checked on {through}, and not known to hold after that"


def _known(basis: _Basis, *, json: bool) -> None:
    """List what is known on a day, table by table, and how much was looked for and not found."""
    from towncircle.cli.show import as_json, table
    from towncircle.mailpiece.rates import extras_of

    tables, day = basis.tables, basis.day
    rows: list[dict[str, Any]] = [
        {
            "series": one.series,
            "table": one.id,
            "in_force_from": one.in_force_from.isoformat(),
            "in_force_through": one.in_force_through.isoformat(),
            "in_force": one.in_force_from <= day <= one.in_force_through,
            "found": sum(line.amount is not None for line in one.lines),
            "not_found": sum(line.amount is None for line in one.lines),
            "checked_on": one.checked_on.isoformat() if one.checked_on is not None else "",
            "confidence": sorted({line.confidence for line in one.lines if line.amount is not None}),
            "from": one.dates_from,
        }
        for one in tables
    ]
    if json:
        as_json({"on": day.isoformat(), "tables": rows, "extra_services": list(extras_of(tables))})
        return
    print(f"Prices by mailing date; * is in force on {day.isoformat()}.\n")
    table([(f"{'*' if row['in_force'] else ' '} {row['series']}", _span(row)) for row in rows])
    print(f"\nExtra services by name: {', '.join(extras_of(tables))}.")
    print("A temporary series is added to the series that it is named after.")


def _span(row: dict[str, Any]) -> str:
    sure = ", ".join(row["confidence"]) or "nothing known"
    days = f"{row['in_force_from']} to {row['in_force_through']}"
    checked = f", checked {row['checked_on']}" if row["checked_on"] else ""
    return f"{days}: {row['found']:>3} found, {row['not_found']:>2} not found (confidence {sure}{checked})"


def _record(request: PriceRequest, found: Price) -> dict[str, object]:
    from towncircle.mailpiece.eligibility import unchecked

    return {
        "amount_mills": int(found.amount),
        "amount": str(found.amount),
        "category": found.category,
        "mail_class": request.mail_class,
        "shape": request.shape,
        "price_type": request.price_type,
        "weight_oz": str(request.weight_oz),
        "on": request.on.isoformat(),
        "nonmachinable": request.nonmachinable,
        "zone": found.zone,
        "zone_estimated": found.zone_estimated,
        "zone_note": request.zone_note,
        "presort": request.level,
        "mailing_pieces": request.mailing_pieces,
        "unchecked": list(unchecked(request.piece())),
        "extras": list(request.extras),
        "table": found.table,
        "in_force_from": found.in_force_from.isoformat(),
        "in_force_through": found.in_force_through.isoformat(),
        "checked_on": found.checked_on.isoformat() if found.checked_on is not None else "",
        "known_through": found.known_through.isoformat(),
        "confidence": found.confidence,
        "derived": found.derived,
        "steps": [_step(step) for step in found.steps],
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "text": step.text,
        "amount_mills": None if step.amount is None else int(step.amount),
        "status": step.status,
        "confidence": step.confidence,
        "source": step.source,
        "url": step.url,
        "note": step.note,
        "table": step.table,
    }
