"""`towncircle labels`: the register of approved label stocks (P050 4.3): approve, withdraw, list."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, by_argument, opened

if TYPE_CHECKING:
    from towncircle.kernel.store import Record

_EPILOG = """\
examples:
  towncircle labels approve my-world avery-5163 --form label2x4 --reference MTM-L-7
  towncircle labels list my-world
  towncircle labels withdraw my-world avery-5163 --reasons "The adhesive fails."
  towncircle print my-world --stock avery-5163 --start 4 --out out          on a sheet whose first 3 labels are used
Label stocks whose sheets are known, with rows, columns and pitch: towncircle forms. Printing on a label or a tape that
is not in the register is refused under P050 4.3."""


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "labels",
        help="the register of approved label stocks: approve, withdraw, list",
        description="The label stocks that the Manager, MTM, has approved. The Postal Service publishes the register; "
        "a host takes it before it prints.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, run, words in (
        ("list", _list, "list the register"),
        ("approve", _approve, "approve a label stock"),
        ("withdraw", _withdraw, "withdraw the approval of a label stock"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
        if name != "list":
            verb.add_argument("stock", metavar="STOCK", help="its name, such as avery-5163")
            by_argument(verb, "manager-mtm")
        if name == "approve":
            verb.add_argument("--form", required=True, metavar="FORM", help="the form it has: a label or a tape")
            verb.add_argument("--reference", required=True, metavar="REF", help="a file number; no name of a person")
        if name == "withdraw":
            verb.add_argument("--reasons", required=True, metavar="TEXT", help="the reasons, without names")
        verb.add_argument("--json", action="store_true", help="print JSON with stable keys")
        verb.set_defaults(run=run)


def _approve(args: argparse.Namespace) -> int:
    from towncircle.world.labels import approve

    with opened(args.world) as world:
        row = approve(world, stock=args.stock, form=args.form, reference=args.reference, by=args.by)
    return _told([row], json=args.json)


def _withdraw(args: argparse.Namespace) -> int:
    from towncircle.world.labels import withdraw

    with opened(args.world) as world:
        row = withdraw(world, stock=args.stock, reasons=args.reasons, by=args.by)
    return _told([row], json=args.json)


def _list(args: argparse.Namespace) -> int:
    from towncircle.postal.labels import KIND
    from towncircle.world.config import POSTAL
    from towncircle.world.supervising import kept

    with opened(args.world) as world:
        rows = kept(world, POSTAL, KIND)
    return _told(rows, json=args.json)


def _told(rows: list[Record], *, json: bool) -> int:
    from towncircle.kernel.instants import Instant

    if json:
        as_json({"stocks": [{"stock": row.key, **row.body} for row in rows]})
        return 0
    for row in rows:
        body = row.body
        since = Instant(body["withdrawn_at"] or body["approved_at"])
        print(f"{row.key:<20}  {body['form']:<12}  {body['state']:<10}  since {since}  {body['reference']}")
    if not rows:
        print("No label stock is approved.")
    return 0
