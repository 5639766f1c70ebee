"""`towncircle inspection`: inspections of a Provider's facilities and records (502.1(c), 502.19, 502.25(b))."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, by_argument, opened, table

if TYPE_CHECKING:
    from towncircle.kernel.store import Record
    from towncircle.postal.inspections import Visit

_EPILOG = """\
announced: the Provider is told the day, the place and the records that are asked for
  towncircle inspection announce DIR --reference I-7 --provider provider.harbor --scope distribution \\
      --site 'the store at Nashua' --on 2026-12-01 --record 'shipping book'
  towncircle inspection report DIR --reference I-7 --outcome deficient --finding 'no lock on the store' \\
      --not-shown 'shipping book' --document report.pdf
unannounced: it is reported only, with --provider, --scope and --site
refused: --outcome refused --finding 'the door was not opened'
the Provider answers each finding in its order, within the time that 'towncircle deadlines' shows:
  towncircle inspection answer DIR --provider provider.harbor --reference I-7 --answer 'a lock is fitted' \\
      --answer 'the book is enclosed' --document answer.pdf
  towncircle inspection close DIR --reference I-7 --outcome corrected --words 'seen on a second visit'
on paper: the announcement, the report, the answer and the end, each as a PDF
  towncircle inspection paper DIR --reference I-7 --out papers
What is not corrected is referred: 'towncircle supervision propose' and 'sanction' name the reference."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "inspection",
        help="inspect a Provider's facilities and records, announced or not; answer what was found",
        description="Inspections of the facilities and records of a Provider by representatives of the Postal Service, "
        "announced or unannounced: what was asked for and found, or that it was refused, the Provider's answer, the "
        "end. Findings that nobody answers in time open a case.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    announce = _verb(verbs, "announce", "announce an inspection to its Provider", "inspector", _announce)
    _add_where(announce, required=True)
    announce.add_argument("--on", required=True, metavar="DATE", help="the day, which is to come")
    report = _verb(verbs, "report", "report what an inspection found, or that it was refused", "inspector", _report)
    _add_where(report, required=False)
    report.add_argument("--outcome", required=True, choices=("in-order", "deficient", "refused"))
    report.add_argument("--finding", action="append", default=[], metavar="TEXT", help="one finding; repeat")
    shown = "a record that was asked for and not shown; repeat"
    report.add_argument("--not-shown", action="append", default=[], metavar="TEXT", help=shown)
    answer = _verb(verbs, "answer", "answer the findings, as an officer of the Provider", "officer", _answer)
    answer.add_argument("--provider", default="provider.harbor", metavar="PARTY", help="default: provider.harbor")
    answer.add_argument(
        "--answer", action="append", default=[], metavar="TEXT", help="to one finding; repeat, in order"
    )
    for verb in (report, answer):
        verb.add_argument("--document", required=True, type=Path, metavar="FILE", help="its paper; the SHA-256 is kept")
    close = _verb(verbs, "close", "close an inspection that found something", "inspector", _close)
    close.add_argument("--outcome", required=True, choices=("corrected", "referred"))
    close.add_argument("--words", required=True, metavar="TEXT", help="why, without names of persons")
    paper = verbs.add_parser("paper", help="write the announcement, the report, the answer and the end as PDF")
    paper.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    paper.add_argument("--reference", required=True, metavar="REF", help="the number of the inspection")
    paper.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where to write them")
    paper.add_argument("--json", action="store_true", help="print JSON with stable keys")
    paper.set_defaults(run=_paper)
    show = verbs.add_parser("show", help="show every inspection with its findings and answers")
    show.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    show.add_argument("--json", action="store_true", help="print JSON with stable keys")
    show.set_defaults(run=_show)


def _verb(verbs: Any, name: str, help_: str, office: str, run: Any) -> Any:
    parser = verbs.add_parser(name, help=help_)
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("--reference", required=True, metavar="REF", help="the number of the inspection")
    by_argument(parser, office)
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)
    return parser


def _add_where(parser: Any, *, required: bool) -> None:
    told = "" if required else " (of an unannounced one)"
    scopes = ("factory", "distribution", "resetting")
    parser.add_argument("--provider", required=required, default="", metavar="PARTY", help=f"the Provider{told}")
    parser.add_argument("--scope", required=required, default="", choices=scopes, help=f"which facilities{told}")
    parser.add_argument("--site", required=required, default="", metavar="TEXT", help=f"where{told}")
    parser.add_argument("--record", action="append", default=[], metavar="TEXT", help="a record asked for; repeat")


def _announce(args: argparse.Namespace) -> int:
    from datetime import date

    from towncircle.kernel.errors import BadInput
    from towncircle.world import inspecting

    try:
        day = date.fromisoformat(args.on)
    except ValueError as error:
        raise BadInput("time.unreadable", text=args.on[:40]) from error
    with opened(args.world) as world:
        held = inspecting.announce(world, inspection=args.reference, visit=_visit(args), on=day, by=args.by)
    return _told(held, json=args.json)


def _visit(args: argparse.Namespace) -> Visit:
    from towncircle.postal.inspections import Visit

    return Visit(provider=args.provider, scope=args.scope, site=args.site, records=args.record)


def _report(args: argparse.Namespace) -> int:
    import hashlib

    from towncircle.postal.inspections import Found
    from towncircle.world import inspecting

    digest = hashlib.sha256(args.document.read_bytes()).hexdigest()
    what = Found(outcome=args.outcome, document=digest, findings=args.finding, not_shown=args.not_shown)
    with opened(args.world) as world:
        held = inspecting.report(world, inspection=args.reference, visit=_visit(args), what=what, by=args.by)
    return _told(held, json=args.json)


def _answer(args: argparse.Namespace) -> int:
    from towncircle.world import inspecting

    with opened(args.world) as world:
        held = inspecting.answer(
            world,
            provider=args.provider,
            inspection=args.reference,
            answers=args.answer,
            document=args.document.read_bytes(),
            by=args.by,
        )
    return _told(held, json=args.json)


def _close(args: argparse.Namespace) -> int:
    from towncircle.world import inspecting

    with opened(args.world) as world:
        held = inspecting.close(world, inspection=args.reference, outcome=args.outcome, words=args.words, by=args.by)
    return _told(held, json=args.json)


def _paper(args: argparse.Namespace) -> int:
    from towncircle.world.inspection_papers import write_papers

    with opened(args.world) as world:
        files = [str(file) for file in write_papers(world, args.reference, args.out)]
    as_json({"files": files}) if args.json else print("\n".join(files))
    return 0


def _show(args: argparse.Namespace) -> int:
    from towncircle.world import inspecting

    with opened(args.world) as world:
        rows = [_row(held) for held in inspecting.inspections(world)]
    if args.json:
        as_json({"inspections": rows})
        return 0
    for row in rows:
        print(f"{row['inspection']}  {row['state']}  {row['provider']}  {row['scope']}  {row['site']}")
        for name, value in row.items():
            if isinstance(value, list) and value:
                print(f"  {name.replace('_', ' ')}: {'; '.join(value)}")
        print(f"  announced: {row['announced'] or 'no'}")
    if not rows:
        print("No inspection was announced or reported yet.")
    return 0


def _told(held: Record, *, json: bool) -> int:
    row = _row(held)
    if json:
        as_json(row)
    else:
        table([(name.replace("_", " "), "; ".join(v) if isinstance(v, list) else v) for name, v in row.items() if v])
    return 0


def _row(held: Record) -> dict[str, Any]:
    body = held.body
    return {
        "inspection": held.key,
        "state": body["state"],
        "provider": held.owner,
        "scope": body["scope"],
        "site": body["site"],
        "announced": body.get("announced", body.get("on", "")),
        "outcome": body.get("outcome", ""),
        "records": list(body["records"]),
        "findings": list(body.get("findings", ())),
        "answers": list(body.get("answers", ())),
        "end": body.get("end", ""),
    }
