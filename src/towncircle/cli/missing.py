"""`towncircle missing`: devices that are lost, stolen or found (P050 2.8, 502.20(g) and (k), 502.24)."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, by_argument, journeys_of, opened, table, world_argument

if TYPE_CHECKING:
    from towncircle.kernel.context import Context
    from towncircle.kernel.store import Record
    from towncircle.world.missing import Kept

_EPILOG = """\
a licensee misses its device:
  towncircle missing report DIR --event stolen --place 'mail room' --details 'the door was broken open'
  towncircle missing police DIR DEVICE --report 99-1234 --document report.pdf --cpip CPIP-17
  towncircle missing copy DIR DEVICE --reference CPIP-17 --document report.pdf   as the CPIP specialist
  towncircle missing incident DIR DEVICE          the incident report, within 30 days
a Provider cannot locate a licensee:
  towncircle missing search DIR DEVICE --details 'letters come back'
  towncircle missing step DIR DEVICE --step post-office --result nothing --reference file-3
  towncircle missing determine DIR DEVICE --event lost
it is found:
  towncircle missing report DIR --event recovered --place 'mail room' --details 'behind the shelf'
  towncircle missing contact DIR DEVICE           its last registers; it gets nothing yet
  towncircle missing inspect DIR DEVICE --outcome regular --reference bench-4
  towncircle missing give-back DIR DEVICE         or: missing return DIR DEVICE, where it was replaced
  towncircle missing incident DIR DEVICE          the report of the recovery, which references the first
  towncircle missing papers DIR DEVICE --out FOLDER    the reports as filed, as PDF
every month:
  towncircle missing file DIR                     every file that is due; --out FOLDER writes them
  towncircle missing read FILE                    checks a file against its own control totals"""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "missing",
        help="report lost and stolen devices, search for them, file the papers, take them back",
        description="Missing devices. A device that is reported or searched for gets no postage from that moment on; "
        "once it is lost or stolen, verifiers refuse what it is used for from then on.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_licensee(verbs)
    _add_provider(verbs)
    _add_specialist(verbs)
    _add_files(verbs)


def _add_licensee(verbs: Any) -> None:
    report = verbs.add_parser("report", help="report a loss, theft or recovery, as the licensee")
    world_argument(report)
    report.add_argument("--device", metavar="DEVICE", default="", help="which one (default: the one leased last)")
    report.add_argument("--event", required=True, choices=("lost", "stolen", "recovered"))
    report.add_argument("--place", default="", metavar="TEXT", help="where it happened")
    report.add_argument("--details", default="", metavar="TEXT", help="what is known of it")
    report.add_argument("--at", default="", metavar="INSTANT", help="when it happened (default: now)")
    report.add_argument("--police", default="", metavar="NUMBER", help="the number of the police report, if any")
    report.add_argument("--document", type=Path, default=None, metavar="FILE", help="a copy of the police report")
    report.set_defaults(run=_report)
    for name, help_, run in (
        ("contact", "connect a device that was found: its registers are read, it gets nothing yet", _contact),
        ("return", "check a recovered device out of service; its balance goes to the account", _return),
    ):
        verb = verbs.add_parser(name, help=help_)
        world_argument(verb)
        verb.add_argument("device", metavar="DEVICE", help="the device that was found")
        verb.set_defaults(run=run)


def _add_provider(verbs: Any) -> None:
    def verb(name: str, help_: str) -> Any:
        parser = verbs.add_parser(name, help=help_)
        parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
        parser.add_argument("device", metavar="DEVICE", help="the device, as printed on its indicia")
        by_argument(parser, {"inspect": "examiner", "give-back": "custodian"}.get(name, "investigator"))
        parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
        parser.set_defaults(run=_provider, verb=name)
        return parser

    verb("search", "begin the search for a device that cannot be located").add_argument(
        "--details", default="", metavar="TEXT", help="why, without names"
    )
    step = verb("step", "record a location step of 502.24(a) with its evidence")
    step.add_argument("--step", required=True, metavar="STEP", help="which one; 'missing show' lists them")
    step.add_argument("--result", default="nothing", choices=("nothing", "new-address", "not-applicable"))
    told = "what its evidence says: number-called, office-zip, agency, visited-on, article; 'missing show' says which"
    step.add_argument("--told", default="", metavar="TEXT", help=told)
    _evidence(step)
    verb("determine", "determine that a device which was searched for is lost or stolen").add_argument(
        "--event", required=True, choices=("lost", "stolen")
    )
    police = verb("police", "record the police report, and the copy to the CPIP specialist")
    police.add_argument("--report", default="", metavar="NUMBER", help="the number of the police report")
    police.add_argument("--document", type=Path, default=None, metavar="FILE", help="a copy of it; its SHA-256 is kept")
    police.add_argument("--cpip", default="", metavar="REF", help="the reference of the copy to the CPIP specialist")
    verb("incident", "file the incident report, or, once it was found, the report of its recovery")
    found = verb("recovered", "record that the device was found, where the Provider learned it")
    found.add_argument("--place", default="", metavar="TEXT", help="where")
    found.add_argument("--details", default="", metavar="TEXT", help="how, without names")
    inspect = verb("inspect", "record the inspection of a recovered device")
    inspect.add_argument("--outcome", default="regular", choices=("regular", "broken"))
    _evidence(inspect)
    verb("give-back", "give a recovered device back to its licensee")


def _add_specialist(verbs: Any) -> None:
    copy = verbs.add_parser("copy", help="take the copy of the police report, as the CPIP specialist")
    copy.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    copy.add_argument("device", metavar="DEVICE", help="the device, as printed on its indicia")
    _evidence(copy)
    by_argument(copy, "cpip")
    copy.add_argument("--json", action="store_true", help="print JSON with stable keys")
    copy.set_defaults(run=_copy)


def _evidence(parser: Any) -> None:
    parser.add_argument("--reference", required=True, metavar="REF", help="a file number; no name of a person")
    parser.add_argument("--document", type=Path, default=None, metavar="FILE", help="a paper; only its SHA-256 is kept")


def _add_files(verbs: Any) -> None:
    file = verbs.add_parser("file", help="send the monthly files that are due")
    file.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    file.add_argument("--provider", default="provider.harbor", metavar="PARTY", help="whose (default: provider.harbor)")
    file.add_argument("--month", default="", metavar="YYYY-MM", help="one month (default: all that are due)")
    file.add_argument("--out", type=Path, default=None, metavar="FOLDER", help="write the files into a folder too")
    file.add_argument("--json", action="store_true", help="print JSON with stable keys")
    file.set_defaults(run=_file)
    read = verbs.add_parser("read", help="read a monthly file and check it against its control totals")
    read.add_argument("file", type=Path, metavar="FILE", help="the file")
    read.add_argument("--json", action="store_true", help="print JSON with stable keys")
    read.set_defaults(run=_read)
    papers = verbs.add_parser("papers", help="write the incident reports of a device, as they were filed, as PDF")
    papers.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    papers.add_argument("device", metavar="DEVICE", help="the device, as printed on its indicia")
    papers.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where to write them")
    papers.add_argument("--json", action="store_true", help="print JSON with stable keys")
    papers.set_defaults(run=_papers)
    show = verbs.add_parser("show", help="show every incident with its checklist, and the files")
    show.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    show.add_argument("--json", action="store_true", help="print JSON with stable keys")
    show.set_defaults(run=_show)


def _report(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.kernel.instants import Instant
    from towncircle.world.missing import report

    with journeys_of(args) as journeys:
        device = DeviceId.parse(args.device) if args.device else journeys.device
        held = report(
            journeys,
            device,
            event=args.event,
            place=args.place,
            details=args.details,
            at=Instant.parse(args.at) if args.at else None,
            police_reference=args.police,
            police_report=args.document.read_bytes() if args.document else b"",
        )
    return _told_by_licensee(device, held, json=args.json)


def _told_by_licensee(device: str, held: Record, *, json: bool) -> int:
    from towncircle.kernel.money import Mills

    body = held.body
    told = {"device": device, "event": body["event"], "incident": body["incident"], "custody": body["custody"]}
    if json:
        as_json({**told, "in_transit_mills": body["in_transit"], "next_step": body["next_step"]})
        return 0
    table(list(told.items()))
    if body["in_transit"]:
        amount = Mills(body["in_transit"])
        print(f"A reset of {amount} is under way: what the device signs next settles it, never a timer.")
    print(f"Next: {body['next_step']}")
    return 0


def _contact(args: argparse.Namespace) -> int:
    from towncircle.kernel.errors import RelayedRefusal
    from towncircle.kernel.ids import DeviceId

    with journeys_of(args) as journeys:
        try:
            words = journeys.contact_of(DeviceId.parse(args.device))
        except RelayedRefusal as refusal:
            if refusal.code != "missing.reported":
                raise
            words = refusal.sentence
    as_json({"device": args.device, "words": words}) if args.json else print(words)
    return 0


def _return(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.missing import return_recovered

    with journeys_of(args) as journeys:
        told = return_recovered(journeys, DeviceId.parse(args.device))
    if args.json:
        as_json({"device": told.device, "outcome": told.outcome, "credited_mills": int(told.amount)})
    else:
        table([("device", told.device), ("outcome", told.outcome), ("credited to the account", told.amount)])
    return 0


def _provider(args: argparse.Namespace) -> int:
    from towncircle.world.missing import at_provider

    with opened(args.world) as world:
        job = _job(args, world.config.regime)
        record: Record = at_provider(world, args.device, job, by=args.by, act=f"missing {args.verb}")
    if args.json:
        as_json({"incident": record.key, **record.body})
    else:
        _print_incident(record)
    return 0


def _copy(args: argparse.Namespace) -> int:
    from towncircle.postal.missing import take_copy
    from towncircle.world.supervising import by_officer

    document = hashlib.sha256(args.document.read_bytes()).hexdigest() if args.document else ""
    told = {"device": args.device, "reference": args.reference, "document": document}
    with opened(args.world) as world:
        row: Record = by_officer(world, lambda ctx: take_copy(ctx, **told), by=args.by, act="missing copy")
    if args.json:
        as_json(dict(row.body))
    else:
        table([("device", row.body["device"]), ("reference", row.body["reference"]), ("SHA-256", document)])
    return 0


def _job(args: argparse.Namespace, regime: str) -> Callable[[Context], Record]:
    from towncircle.provider import incidents, missing, searching

    device = args.device
    paper = getattr(args, "document", None)
    document = hashlib.sha256(paper.read_bytes()).hexdigest() if paper else ""
    match args.verb:
        case "search":
            return lambda ctx: searching.search(ctx, device=device, reason=args.details)
        case "step":
            told = {"step": args.step, "result": args.result, "reference": args.reference, "document": document}
            told |= {"told": args.told}
            return lambda ctx: searching.take_step(ctx, device=device, **told)
        case "determine":
            return lambda ctx: searching.determine(ctx, device=device, event=args.event)
        case "police":
            told = {"reference": args.report, "document": document, "cpip": args.cpip}
            return lambda ctx: missing.police(ctx, device=device, **told)
        case "incident":
            return lambda ctx: incidents.file_due(ctx, device=device)
        case "recovered":
            return lambda ctx: missing.recover(ctx, device=device, place=args.place, details=args.details)
        case "inspect":
            told = {"outcome": args.outcome, "reference": args.reference, "document": document}
            return lambda ctx: missing.inspect(ctx, device=device, **told)
        case _:
            return lambda ctx: missing.give_back(ctx, device=device, regime=regime)


def _print_incident(record: Record) -> None:
    from towncircle.kernel.instants import Instant
    from towncircle.provider.missing import SEARCHING
    from towncircle.provider.searching import INSPECTION, STEPS

    body = record.body
    print(f"{record.key}  {body['device']}  {body['state']}  ({body['source']}, {body['licensee']})")
    if body["source"] == "search":
        for step in (*STEPS, INSPECTION):
            done = body["steps"].get(step.name)
            needed = step is not INSPECTION or body["located_at"]
            if not needed or (done is None and body["state"] != SEARCHING):
                continue
            said = f", {step.tells} {done['told']}" if done and done.get("told") else ""
            asks = f" (--told {step.tells})" if step.tells else ""
            told = f"{done['result']}, {done['reference']}{said}" if done else f"open: {step.does}{asks}"
            print(f"  [{'x' if done else ' '}] {step.clause} {step.name}: {told}")
    for name, words in (("police", "police report"), ("cpip", "copy to the CPIP specialist")):
        if body["source"] == "licensee" or body[name]:
            told = body[name]["reference"] if body[name] else "open"
            print(f"  [{'x' if body[name] else ' '}] 502.24(b)(1) {words}: {told}")
    marks = (
        ("determined_at", "determined"),
        ("filed_at", "incident report filed"),
        ("recovered_at", "found"),
    )
    for key, words in marks:
        if body[key]:
            print(f"  {words} {Instant(body[key]).iso()}")
    if body["replacement"]:
        print(f"  replaced by {body['replacement']}")
    if body["inspected"]:
        print(f"  inspected: {body['inspected']['outcome']}, {body['inspected']['reference']}")
    if body["recovery_report"]:
        print(f"  recovery report {body['recovery_report']} references {record.key if body['filed_at'] else 'none'}")


def _file(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import PartyId
    from towncircle.wire.lost_and_stolen import read
    from towncircle.world.missing import file_months, file_of

    provider = PartyId.parse(args.provider)
    with opened(args.world) as world:
        records = file_months(world, provider, args.month)
    files = [(record, read(file_of(record))) for record in records]
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        for record, _ in files:
            (args.out / f"{provider}-{record.key}.lst").write_bytes(file_of(record))
    if args.json:
        rows = [
            {"period": record.key, "devices": len(file.devices), "purged": file.purged, "digest": record.body["digest"]}
            for record, file in files
        ]
        as_json({"files": rows})
        return 0
    for record, file in files:
        print(f"{record.key}  {len(file.devices)} lost or stolen, {file.purged} purged  {record.body['digest'][:16]}")
    if not files:
        print("No file is due.")
    return 0


def _papers(args: argparse.Namespace) -> int:
    from towncircle.cli.show import files_told
    from towncircle.world.incident_papers import write_reports

    with opened(args.world) as world:
        return files_told(write_reports(world, args.device, args.out), json=args.json)


def _read(args: argparse.Namespace) -> int:
    from towncircle.wire.lost_and_stolen import read

    file = read(args.file.read_bytes())
    rows = [
        {
            "device": row.device,
            "license": row.license,
            "status": row.status,
            "since": row.since.iso(),
            "incident": row.incident,
            "new": row.new,
            "descending_mills": row.descending_mills,
        }
        for row in file.devices
    ]
    if args.json:
        head = {"provider": file.provider, "period": file.period, "made_at": file.made_at.iso()}
        as_json({**head, "purged": file.purged, "devices": rows})
        return 0
    print(f"{file.provider}  {file.period}  made {file.made_at.iso()}  the control totals agree")
    for row in rows:
        told = "new" if row["new"] else "known"
        print(f"  {row['device']}  {row['status']} since {row['since']}  {row['incident']}  {told}")
    print(f"{len(rows)} devices, {file.purged} purged in the month")
    return 0


def _show(args: argparse.Namespace) -> int:
    from towncircle.world.missing import kept

    with opened(args.world) as world:
        found: Kept = kept(world)
    if args.json:
        as_json(
            {
                "incidents": [{"incident": row.key, **row.body} for row in found.incidents],
                "reports": [{"report": row.key, **row.body} for row in found.filed],
                "files": [
                    {"provider": who, "period": row.key, "digest": row.body["digest"]} for who, row in found.files
                ],
                "register": {key: {"status": word, "since": at.iso()} for key, (word, at) in found.register.items()},
            }
        )
        return 0
    if not found.incidents:
        print("No device is missing, and none was.")
    for row in found.incidents:
        _print_incident(row)
        status, since = found.register[row.owner]
        print(f"  in the register: {status} since {since.iso()}")
    for provider, row in found.files:
        print(f"file {row.key} of {provider}: {row.body['digest'][:16]}")
    return 0
