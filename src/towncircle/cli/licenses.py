"""`towncircle licenses`: the Postal Service's licenses: revocations, appeals, cautions, permits, meters."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, files_told, opened

if TYPE_CHECKING:
    from towncircle.world.world import World

_ACTIONS = (
    "list",
    "revoke",
    "decline",
    "receipt",
    "uphold",
    "reverse",
    "caution",
    "lift",
    "meter",
    "permit",
    "end-permit",
    "papers",
)


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "licenses",
        help="the Postal Service's licenses: revoke one, decide an appeal",
        description="list (the default): every license and the docket of appeals. revoke LICENSE --ground "
        "GROUND=PARTICULARS: revoke it after P050 2.3; leases are cancelled and resets denied when the notice reaches "
        "the Provider, which is at once. decline LICENSE --reasons TEXT: no revocation after a report of "
        "noncompliance. receipt NUMBER --on DATE: the return receipt of a paper notice. uphold, reverse DOCKET "
        "--reasons TEXT: decide an appeal. caution, lift LICENSEE: sufficient reason to believe in a use in violation "
        "(2.2). meter LICENSEE --office-zip ZIP: a postage meter license is on file. permit LICENSE --permit abroad "
        "--until DATE --reference FILE: authorize in writing that its devices are kept or used abroad (2.3(d)), or, "
        "with --permit combined, that its mail goes "
        "in one mailing with mail paid by other methods (5.2); end-permit LICENSE withdraws it. papers NUMBER: "
        "write the notice of a refusal or revocation, and of the appeals about it, as PDF.",
        epilog="grounds of a revocation: illegal-use (2.3(a)); not-reset (2.3(b), the register of devices must show "
        "it); control (2.3(c)); abroad (2.3(d)); other-office (2.3(e)); no-quality-piece (2.3(f), the Provider's "
        "report must be on record). The two that records show need no particulars.",
    )
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    parser.add_argument("action", nargs="?", default="list", choices=_ACTIONS, help="what to do (default: list)")
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="license, application, docket or licensee")
    parser.add_argument(
        "--ground", action="append", default=[], metavar="GROUND=TEXT", help="a ground with its particulars"
    )
    parser.add_argument("--reasons", default="", metavar="TEXT", help="the reasons of the decision, without names")
    parser.add_argument("--on", default="", metavar="DATE", help="the day that the return receipt shows")
    parser.add_argument("--permit", default="abroad", metavar="KIND", help="what is authorized (default: abroad)")
    parser.add_argument("--until", default="", metavar="DATE", help="the last day of an authorization")
    parser.add_argument("--reference", default="", metavar="FILE", help="the file number of an authorization's paper")
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=Path("papers"), help="where the papers go")
    parser.add_argument("--office-zip", default="", metavar="ZIP", help="the post office of a meter license")
    parser.add_argument(
        "--by", default="", metavar="NAME", help="who does it: a person who holds the office, such as postmaster"
    )
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Act, and list the licenses and the docket."""
    with opened(args.world) as world:
        if args.action == "papers":
            from towncircle.world.notice_papers import write_decisions

            return files_told(write_decisions(world, args.name, args.out), json=args.json)
        if args.action != "list":
            _act(world, args)
        record = _listed(world)
    if args.json:
        as_json(record)
        return 0
    for one in record["licenses"]:
        print(f"{one['license']}  {one['state']:<8}  {one['licensee']}  {', '.join(one['providers'])}")
        for permit in one["permits"]:
            print(f"    authorized: {permit['permit']}, until {permit['until']}")
    for one in record["appeals"]:
        print(f"{one['docket']}  {one['state']:<8}  about {one['about']} ({one['decision']})")
    if not record["licenses"]:
        print("There is no license.")
    return 0


def _act(world: World, args: argparse.Namespace) -> None:
    from towncircle.rules.offices import acts_of_office
    from towncircle.world import licensing

    name, by = args.name, args.by or acts_of_office()[f"licenses {args.action}"].offices[0]
    who = name if name.startswith("licensee.") else f"licensee.{name}"
    match args.action:
        case "revoke":
            grounds = {ground: text for ground, _, text in (one.partition("=") for one in args.ground)}
            licensing.revoke(world, name, grounds, by=by)
        case "decline":
            licensing.decline(world, name, args.reasons, by=by)
        case "receipt":
            licensing.receipt(world, name, day_of(args.on), by=by)
        case "uphold" | "reverse":
            licensing.decide(world, name, reverse=args.action == "reverse", reasons=args.reasons, by=by)
        case "caution" | "lift":
            licensing.caution(world, who, by=by, lift=args.action == "lift")
        case "permit":
            licensing.permit(world, name, args.permit, args.reference, day_of(args.until), by=by)
        case "end-permit":
            licensing.end_permit(world, name, args.permit, by=by)
        case "meter":
            licensing.file_meter(world, who, args.office_zip, by=by)


def day_of(text: str) -> date:
    """Read a day. Raises `BadInput` (time.unreadable)."""
    from towncircle.kernel.errors import BadInput

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("time.unreadable", text=text[:40]) from error


def _listed(world: World) -> dict[str, list[dict[str, Any]]]:
    from towncircle.postal.standing import providers_of
    from towncircle.world.licensing import docket_of

    licenses, appeals, permitted = docket_of(world)
    return {
        "licenses": [
            {
                "license": row.key,
                "licensee": row.owner,
                "state": row.body["state"],
                "office_zip": row.body["office_zip"],
                "providers": list(providers_of(row)),
                "permits": [{"permit": kind, "until": until} for kind, until in permitted[row.key]],
            }
            for row in licenses
        ],
        "appeals": [
            {"docket": row.key, **{name: row.body[name] for name in ("about", "decision", "state", "reasons_given")}}
            for row in appeals
        ],
    }
