"""`towncircle forms`: what can be printed on, and a picture of each form with its zones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, table

if TYPE_CHECKING:
    from towncircle.mailpiece.elements import Page
    from towncircle.mailpiece.geometry import Box, Form

_EPILOG = """\
examples:
  towncircle forms list                                   envelopes, cards, labels, tape, tags, and label sheets
  towncircle forms show no6-3-4                           the zones of a form in inches, each with its clause
  towncircle forms show no6-3-4 --out zones.png           the same drawn, under a specimen; also .pdf or .svg
  towncircle forms show postcard --regime ibi-1998 --out card.png      with the PDF417 symbol of 1998
A size that no source gives is marked house."""


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "forms",
        help="what can be printed on: envelopes, cards, labels, tape, tags; pictures of their zones",
        description="The forms of mailpiece and the label sheets that pages are laid out for.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    listed = verbs.add_parser("list", help="list the forms and the label sheets")
    listed.add_argument("--json", action="store_true", help="print JSON with stable keys")
    listed.set_defaults(run=_list)
    show = verbs.add_parser("show", help="show one form and its zones")
    show.add_argument("form", metavar="FORM", help="the form, such as no10")
    show.add_argument("--regime", default="imi-2024", metavar="NAME", help="the rule set (default: imi-2024)")
    show.add_argument("--dpi", type=int, default=300, metavar="N", help="the printer's dots: 203, 300 or 600")
    show.add_argument("--out", type=Path, metavar="FILE", help="draw it: .png, .pdf or .svg")
    show.add_argument("--json", action="store_true", help="print JSON with stable keys")
    show.set_defaults(run=_show)


def _list(args: argparse.Namespace) -> int:
    from towncircle.mailpiece.forms import catalogue
    from towncircle.mailpiece.sheets import stock, stock_keys

    stocks = [stock(key) for key in stock_keys()]
    if args.json:
        sheets = [
            {"stock": one.key, "form": one.form.key, "columns": one.columns, "rows": one.rows, "source": one.source}
            for one in stocks
        ]
        as_json({"forms": [_record(found) for found in catalogue()], "stocks": sheets})
        return 0
    for found in catalogue():
        print(f"{found.key:<12}  {_size(found):<24}  {', '.join(_record(found)['paid_as']):<26}  {found.name}")
    for one in stocks:
        print(f"{one.key:<12}  {one.columns} x {one.rows} labels of {one.form.key:<12}  {one.name}")
    return 0


def _record(found: Form) -> dict[str, Any]:
    from towncircle.mailpiece.forms import machinable, shapes_of

    return {
        "form": found.key,
        "name": found.name,
        "kind": found.kind,
        "width_in": found.width / 72_000,
        "height_in": found.height / 72_000,
        "paid_as": list(shapes_of(found)),
        "machinable": machinable(found),
        "addressed": found.addressed,
        "house": found.house,
        "source": found.source,
    }


def _size(found: Form) -> str:
    house = " (house)" if found.house else ""
    return f"{found.width / 72_000:.3f} x {found.height / 72_000:.3f} in{house}"


def _show(args: argparse.Namespace) -> int:
    from datetime import date

    from towncircle.mailpiece.geometry import form
    from towncircle.mailpiece.overlay import overlay, zones_of
    from towncircle.mailpiece.specimens import specimen
    from towncircle.rules import ruleset
    from towncircle.rules.rulesets import REGISTRY

    found, rules = form(args.form), ruleset(args.regime)
    about = REGISTRY[args.regime]
    on = date.fromisoformat(about.start[:10])
    page = specimen(found, rules, on, stacked=about.layout.startswith("ibi"), dpi=args.dpi)
    zones = zones_of(page, rules, on)
    if args.out is not None:
        _draw(args.out, overlay(page, zones))
    if args.json:
        boxes = [
            {
                "zone": zone.name,
                "clause": zone.clause,
                "inches": [round(edge / 72_000, 4) for edge in _edges(zone.box)],
            }
            for zone in zones
        ]
        as_json({**_record(found), "zones": boxes, "out": str(args.out) if args.out else None})
        return 0
    table([(found.key, f"{found.name}, {_size(found)}"), ("source", found.source)])
    for zone in zones:
        left, bottom, right, top = (f"{edge / 72_000:.3f}" for edge in _edges(zone.box))
        print(f"{zone.name:<34}  x {left} to {right}, y {bottom} to {top} in  {zone.clause}")
    return 0


def _edges(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.bottom, box.right, box.top


def _draw(path: Path, page: Page) -> None:
    from towncircle.kernel.errors import BadInput
    from towncircle.paper import pdf, png, svg

    if path.suffix == ".png":
        path.write_bytes(png.render(pdf.to_pdf([page]), dpi=150))
    elif path.suffix == ".pdf":
        path.write_bytes(pdf.to_pdf([page]))
    elif path.suffix == ".svg":
        path.write_bytes(svg.render(page).encode())
    else:
        raise BadInput("cli.picture-kind", path=path.name[:60])
