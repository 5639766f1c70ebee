"""`towncircle provider`: what a Provider answers and reports to the Postal Service (502.5 to 502.21)."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, by_argument, opened

if TYPE_CHECKING:
    from towncircle.kernel.context import Context

_EPILOG = """\
examples:
  towncircle provider notices DIR
  towncircle provider answer DIR PROCEDURE --kind defense --reasons TEXT --evidence report.pdf
  towncircle provider discover DIR --category key-compromise --system TC1A --details TEXT
  towncircle provider report DIR WEAKNESS --stage preliminary --details TEXT      within 21 days of the discovery
  towncircle provider report DIR WEAKNESS --stage written --details TEXT --investigation TEXT --completion 1999-05-01
  towncircle provider report DIR WEAKNESS --stage status --details TEXT           then --stage summary
  towncircle provider papers DIR WEAKNESS --out papers                            its reports, as filed, as PDF
  towncircle provider art DIR NAME --line 'Write once' --line more                submit advertising art
  towncircle provider art DIR NAME --picture star.png --mailer 'Harbor Light Books'    a picture, with whose it is
  towncircle provider supply-art DIR NAME --licensee mailroom                     a host fetches approved art"""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "provider",
        help="answer notices of the Postal Service, report weaknesses, submit art, print tests",
        description="What a Provider does under the supervision of the Postal Service.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _verb(verbs, "notices", "show every notice and what is in force").set_defaults(run=_notices)
    answer = _verb(verbs, "answer", "send a correction, a defense or an appeal", "procedure")
    answer.add_argument("--kind", required=True, choices=("correction", "defense", "appeal"))
    answer.add_argument("--reasons", required=True, metavar="TEXT", help="the reasons, without names of persons")
    answer.add_argument("--evidence", type=Path, action="append", default=[], metavar="FILE", help="a paper; repeat")
    discover = _verb(verbs, "discover", "record a test result or a weakness that was discovered")
    discover.add_argument("--category", required=True, metavar="CATEGORY", help="test-result, defect, tampering, ...")
    discover.add_argument("--system", action="append", default=[], metavar="SYSTEM", help="subject to it; repeat")
    discover.add_argument("--details", required=True, metavar="TEXT", help="what was discovered, without names")
    discover.add_argument("--at", default="", metavar="INSTANT", help="when (default: now)")
    report = _verb(verbs, "report", "make one of the four reports on a weakness or a frozen device", "weakness")
    report.add_argument("--stage", required=True, choices=("preliminary", "written", "status", "summary"))
    report.add_argument("--details", default="", metavar="TEXT", help="circumstances, status or findings")
    report.add_argument("--investigation", default="", metavar="TEXT", help="the proposed investigative procedure")
    report.add_argument("--completion", default="", metavar="DATE", help="the anticipated completion date")
    report.add_argument("--document", type=Path, default=None, metavar="FILE", help="its paper; the SHA-256 is kept")
    papers = _verb(verbs, "papers", "write the reports on a weakness, as they were filed, as PDF", "weakness")
    papers.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where to write them")
    papers.set_defaults(run=_papers)
    art = _verb(verbs, "art", "submit advertising art for approval", "name")
    art.add_argument("--line", action="append", default=[], metavar="TEXT", help="a line of it; at most two")
    art.add_argument("--picture", type=Path, default=None, metavar="FILE", help="a still PNG, JPEG, GIF or BMP")
    art.add_argument("--mailer", default="", metavar="NAME", help="the mailer's name instead of: Mailer's Message")
    prints = _verb(verbs, "test-print", "print test indicia; they are to be destroyed on the same day", "device")
    prints.add_argument("--pieces", type=int, default=1, metavar="N", help="how many (default: 1)")
    prints.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where to write them")
    for verb in (prints, _verb(verbs, "test-destroyed", "confirm that the indicia of a test run were destroyed")):
        verb.add_argument("--reference", required=True, metavar="REF", help="the name of the test run")
        verb.set_defaults(run=_test)
    supply = _verb(verbs, "supply-art", "have a licensee's host fetch approved art; it prints it from then on", "name")
    supply.add_argument("--licensee", default="mailroom", metavar="NAME", help="whose host (default: mailroom)")
    supply.set_defaults(run=_supply)


def _verb(verbs: Any, name: str, help_: str, about: str = "") -> Any:
    parser = verbs.add_parser(name, help=help_)
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    if about:
        parser.add_argument("about", metavar=about.upper(), help=f"the {about}")
    parser.add_argument("--provider", default="provider.harbor", metavar="PARTY", help="who (default: provider.harbor)")
    if name not in ("notices", "papers", "supply-art"):
        examiner = "examiner" if name.startswith("test-") else "officer"
        by_argument(parser, "crypto-officer" if name in ("discover", "report") else examiner)
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=_act, verb=name)
    return parser


def _act(args: argparse.Namespace) -> int:
    from towncircle.world.supervising import at_provider

    with opened(args.world) as world:
        done = at_provider(world, args.provider, _job(args), by=args.by, act=f"provider {args.verb}")
    if args.verb == "answer":
        told = {"procedure": done.procedure, "docket": done.docket, "kind": done.kind, "stays": done.stays}
    else:
        told = {"name": done.key, **done.body}
    if args.json:
        as_json(told)
    elif args.verb == "answer":
        print(f"{done.docket}  {done.kind}{'; it stays the sanction' if done.stays else ''}")
    else:
        print(f"{done.key}  {done.body.get('stage') or done.body['state']}")
    return 0


def _job(args: argparse.Namespace) -> Callable[[Context], Any]:
    from towncircle.kernel.instants import Instant
    from towncircle.provider import advertising, supervision, weaknesses
    from towncircle.world.supervising import evidence_of

    match args.verb:
        case "answer":
            papers = evidence_of(args.evidence)
            told: dict[str, Any] = {"procedure": args.about, "kind": args.kind, "reasons": args.reasons}
            return lambda ctx: supervision.answer(ctx, evidence=papers, **told)
        case "discover":
            told = {"category": args.category, "systems": args.system, "words": args.details}
            return lambda ctx: weaknesses.discover(ctx, at=Instant.parse(args.at) if args.at else None, **told)
        case "report":
            paper = hashlib.sha256(args.document.read_bytes()).hexdigest() if args.document else ""
            told = {"about": args.about, "stage": args.stage, "words": args.details, "document": paper}
            dates = {"investigation": args.investigation, "completion_on": args.completion}
            return lambda ctx: weaknesses.report(ctx, **told, **dates)
        case _:
            from towncircle.mailpiece.artwork import artwork_of

            told = {"picture": artwork_of(args.picture) if args.picture else None}
            told |= {"attribution": args.mailer} if args.mailer else {}
            return lambda ctx: advertising.submit(ctx, name=args.about, words=args.line, **told)


def _papers(args: argparse.Namespace) -> int:
    from towncircle.world.weakness_papers import write_reports

    with opened(args.world) as world:
        files = [str(file) for file in write_reports(world, args.about, args.out, provider=args.provider)]
    as_json({"files": files}) if args.json else print("\n".join(files))
    return 0


def _test(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.test_prints import destroy_tests, print_tests

    file = None
    with opened(args.world) as world:
        if args.verb == "test-print":
            told = {"run": args.reference, "pieces": args.pieces, "by": args.by}
            held, file = print_tests(world, args.provider, DeviceId.parse(args.about), args.out, **told)
        else:
            held = destroy_tests(world, args.provider, run=args.reference, by=args.by)
    rows = {"run": held.key, **held.body, **({"file": str(file)} if file else {})}
    if args.json:
        as_json(rows)
        return 0
    print(f"{held.key}  {held.body['pieces']} pieces, {held.body['state']}{f', {file}' if file else ''}")
    if file:
        print(f"Next: towncircle provider test-destroyed {args.world} --reference {held.key} (today)")
    return 0


def _supply(args: argparse.Namespace) -> int:
    from towncircle.licensee import advertising
    from towncircle.world.journeys import Journeys

    with opened(args.world) as world:
        name = args.licensee if args.licensee.startswith("licensee.") else f"licensee.{args.licensee}"
        row = Journeys(world, name).do(lambda ctx: advertising.fetch(ctx, name=args.about, provider=args.provider))
    as_json(row.body) if args.json else print(" / ".join([*row.body["words"], row.body["attribution"]]))
    return 0


def _notices(args: argparse.Namespace) -> int:
    from towncircle.provider import supervision
    from towncircle.world.supervising import at_provider

    with opened(args.world) as world:
        rows = at_provider(world, args.provider, supervision.notices)
    if args.json:
        as_json({"notices": [{"notice": row.key, **row.body} for row in rows]})
        return 0
    for row in rows:
        body = row.body
        days = " ".join(f"{name} {body[name]}" for name in ("correct_by", "defend_by", "appeal_by") if body[name])
        print(f"{row.key}  {body['form']}  {body['step']}  {body['force']}  {days} [{body['clause']}]")
        print(f"  {body['words']}")
    if not rows:
        print("There is no notice.")
    return 0
