"""`towncircle spool`: what was handed to which printer, what came out, what spoiled."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, table, world_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from towncircle.kernel.errors import TowncircleError
    from towncircle.kernel.store import Record

_EPILOG = """\
What was printed again into files is an entry too.
states: queued (nothing left this program), sending, handed over (the printer has it), unknown (the line broke: nobody
knows what came out), then of each piece: confirmed (it came out well) or spoiled.
Nothing is sent twice by itself. A spoiled piece is printed again, counted by the device, with
  towncircle print DIR --reprint JOB --pieces N --printer NAME
or sent in for a refund: towncircle refund submit DIR --help"""


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "spool",
        help="printed on printers: list, send, confirm, spoil",
        description="The spool of a licensee: each print job that went to a printer, and what became of its pieces.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    show = verbs.add_parser("list", help="list the entries and how they stand")
    world_argument(show)
    show.add_argument("--open", action="store_true", help="only those of which not everything is said")
    show.set_defaults(run=_list)
    send = verbs.add_parser("send", help="hand over what waits, and find out about what was interrupted")
    world_argument(send)
    send.add_argument("entry", nargs="?", type=int, metavar="N", help="one entry (default: all that wait)")
    send.set_defaults(run=_send)
    for name, words in (("confirm", "say that pieces came out well"), ("spoil", "say that pieces spoiled")):
        verb = verbs.add_parser(name, help=words)
        world_argument(verb)
        verb.add_argument("entry", type=int, metavar="N", help="the entry")
        verb.add_argument("--pieces", metavar="N-N,N", help="pieces of it (default: all of which nothing is said yet)")
        if name == "spoil":
            verb.add_argument("--reason", default="", metavar="TEXT", help="such as: jammed")
        verb.set_defaults(run=_decide, came_out=name == "confirm")


def _list(args: argparse.Namespace) -> int:
    from towncircle.licensee.spool import DECIDED, standing_of

    with journeys_of(args) as journeys, journeys.world.store(journeys.licensee).reading() as view:
        rows = view.find("spool")
    if args.open:
        rows = [row for row in rows if row.body["state"] != DECIDED or "open" in standing_of(row)]
    return told(rows, json=args.json)


def _send(args: argparse.Namespace) -> int:
    from towncircle.world import spooling

    rows: list[Record] = []
    trouble: TowncircleError | None = None
    with journeys_of(args) as journeys:
        for number in spooling.waiting(journeys) if args.entry is None else [args.entry]:
            done = spooling.send(journeys, number)
            rows.append(done.entry)
            trouble = trouble or done.trouble
    if trouble is not None:
        raise trouble
    return told(rows, json=args.json, none="Nothing waits.")


def _decide(args: argparse.Namespace) -> int:
    from towncircle.licensee.spool import from_text
    from towncircle.world import spooling

    pieces = from_text(args.pieces) if args.pieces is not None else ()
    reason = "" if args.came_out else args.reason
    with journeys_of(args) as journeys:
        row = spooling.decide(journeys, args.entry, pieces=pieces, came_out=args.came_out, reason=reason)
    told([row], json=args.json)
    if not args.came_out and not args.json:
        print(f"print them again: towncircle print {args.world} --reprint {row.body['job']} --pieces N --printer NAME")
        print(f"or have them refunded: towncircle refund submit {args.world} --help")
    return 0


def told(rows: Sequence[Record], *, json: bool, none: str = "Nothing went to a printer yet.") -> int:
    """Print entries of the spool."""
    if json:
        as_json({"entries": [record(row) for row in rows]})
        return 0
    from towncircle.licensee.spool import CONFIRMED, SPOILED, as_text, standing_of

    for row in rows:
        body = row.body
        shown = [
            ("entry", body["number"]),
            ("job", f"{body['job']}, pieces {as_text(body['pieces'])}{', again' if body['again'] else ''}"),
            ("printer", body["printer"] or "none: into files"),
            ("state", standing_of(row)),
            ("confirmed", as_text(body[CONFIRMED])),
            ("spoiled", as_text(body[SPOILED])),
            ("reference", body["reference"]),
            ("why", body["why"]),
        ]
        table([pair for pair in shown if pair[1] != ""])
    if not rows:
        print(none)
    return 0


def record(row: Record) -> dict[str, object]:
    """Give an entry with stable keys; pieces are spans of their numbers in the job."""
    from towncircle.licensee.spool import standing_of

    names = ("job", "printer", "pieces", "confirmed", "spoiled", "reference", "why", "again")
    return {"entry": row.body["number"], "state": standing_of(row), **{name: row.body[name] for name in names}}
