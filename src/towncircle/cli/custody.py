"""`towncircle custody`: who has a device, from the bench to the scrap (P050 2.5 to 2.9, 502.20, 502.22(a))."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli import custody_balance, custody_carrier
from towncircle.cli.show import as_json, by_argument, files_told, journeys_of, opened, table, world_argument

if TYPE_CHECKING:
    from towncircle.kernel.context import Context
    from towncircle.kernel.store import Record
    from towncircle.world.custody import Kept

_EPILOG = """\
of the licensee: defect, return, receipt, review, address-data
of the Provider: manufacture, inspect, ship, receive, retrieve, examine, part, host, disable, write-off, scrap, let-go,
sign-form, carrier show, carrier use
of the Postal Service: remove, take, arrange, purchase, carrier permit, ask-review (a Provider: --at)
for everybody: show, forecast, papers
A lease signs for its device by itself. A device goes back in two steps: 'towncircle withdraw' gives its balance back,
'towncircle custody return' sends it. A defective device is reported, retrieved, examined and corrected or replaced.
The cautions: docs/cautions.md."""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "custody",
        help="keep track of devices: hand-overs, defects, returns, parts, removals, papers",
        description="Walk the custody of devices: hand-overs signed by both, defects and their retrieval, returns, "
        "parts that end, removals that the Postal Service orders, carriers, title, scrap, and the papers of it all.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_licensee(verbs)
    _add_provider(verbs)
    _add_stock(verbs)
    _add_postal(verbs)
    custody_carrier.add(verbs)
    custody_balance.add(verbs)
    for name, help_, run in (
        ("show", "show every device with its custody, owner, hand-overs and defects", _show),
        ("forecast", "show until when the clock, the timer and the battery of each device last", _forecast),
    ):
        verb = _verb(verbs, name, help_, run, device=False)
        verb.set_defaults(run=run)
    papers = _verb(
        verbs, "papers", "write the papers of a device as PDF: Form 3601-C, lease, receipts, malfunctions", _papers
    )
    papers.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where to write them")


def _verb(verbs: Any, name: str, help_: str, run: Callable[..., int], *, device: bool = True) -> Any:
    parser = verbs.add_parser(name, help=help_)
    parser.add_argument("world", type=Path, metavar="DIR", help="the world's folder")
    if device:
        parser.add_argument("device", metavar="DEVICE", help="the device, as printed on its indicia")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    if run is _provider:
        by_argument(parser, "examiner" if name in ("examine", "write-off") else "custodian")
    parser.set_defaults(run=run, verb=name)
    return parser


def _add_licensee(verbs: Any) -> None:
    def verb(name: str, help_: str, run: Callable[..., int]) -> Any:
        parser = verbs.add_parser(name, help=help_)
        world_argument(parser)
        parser.set_defaults(run=run)
        return parser

    defect = verb("defect", "report a defective device, which is not used from now on, or ask how it stands", _defect)
    defect.add_argument("--device", default="", metavar="DEVICE", help="which one (default: the one in use)")
    defect.add_argument("--kind", default="faulty", choices=("misregistering", "faulty", "defective"))
    defect.add_argument("--details", default="", metavar="TEXT", help="what was seen, without names")
    back = verb("return", "send a device back that was given back or that failed", _return)
    back.add_argument("device", metavar="DEVICE", help="the device, as printed on its indicia")
    way = back.add_mutually_exclusive_group(required=True)
    way.add_argument("--article", default="", metavar="NUMBER", help="the number on the carrier's receipt")
    collected = "hand a defective one to the Provider's own people: the reference of its retrieval, on their slip"
    way.add_argument("--collected", default="", metavar="REF", help=collected)
    back.add_argument("--service", default="", metavar="NAME", help="another service than the rule's, if permitted")
    receipt = verb("receipt", "fetch the receipt for a device that was sent back", _receipt)
    receipt.add_argument("device", metavar="DEVICE", help="the device, as printed on its indicia")
    receipt.add_argument("--inspector", action="store_true", help="the receipt of an inspector who took it along")
    ask = verb("ask-review", "ask a licensee for its transaction records, as the Postal Service or a Provider", _ask)
    ask.add_argument("--at", default="postal.usps", metavar="PARTY", help="who asks (default: postal.usps)")
    ask.add_argument("--reference", required=True, metavar="REF", help="the number of the request")
    ask.add_argument("--by", default="", metavar="NAME", help="an inspector, or an officer of the Provider")
    review = verb("review", "answer a request for a review: show the transaction records", _review)
    review.add_argument("--reference", default="", metavar="REF", help="which request (default: the oldest)")
    review.add_argument("--out", required=True, type=Path, metavar="FILE", help="where to write them (JSON Lines)")
    data = verb("address-data", "record an update of address matching data kept elsewhere", _address_data)
    data.add_argument("--edition", required=True, metavar="YYYY-MM", help="the edition that was installed")


def _add_provider(verbs: Any) -> None:
    receive = _verb(verbs, "receive", "sign for a device that came back", _provider)
    receive.add_argument("--condition", required=True, metavar="TEXT", help="how it came")
    retrieve = _verb(verbs, "retrieve", "record that a defective device was retrieved", _provider)
    retrieve.add_argument("--reference", required=True, metavar="REF", help="a file number; no name of a person")
    examine = _verb(verbs, "examine", "record the examination of a defective device; the fault is reported", _provider)
    examine.add_argument("--fault", required=True, metavar="TEXT", help="which failure caused it")
    examine.add_argument("--remedy", required=True, choices=("corrected", "replaced", "withdrawn"))
    examine.add_argument("--reference", required=True, metavar="REF", help="a file number; no name of a person")
    part = _verb(verbs, "part", "record until when a part of a device lasts, or that it was replaced", _provider)
    part.add_argument("--part", required=True, choices=("clock", "timer", "battery"))
    part.add_argument("--until", required=True, metavar="DATE", help="its last day, as its maker's paper says")
    part.add_argument("--reference", required=True, metavar="REF", help="the paper")
    _verb(verbs, "host", "take a leased element into the Provider's server", _provider)
    _verb(verbs, "disable", "disable an element in the server whose open reset stood in the way", _provider)
    off = _verb(verbs, "write-off", "check a device out that can sign nothing, after its examination", _provider)
    off.add_argument("--reference", required=True, metavar="REF", help="a file number; no name of a person")
    _verb(verbs, "scrap", "destroy the keys of a device that came back, and scrap it", _provider)
    _verb(verbs, "let-go", "record that the Form 3601-C of a device is destroyed, after its year", _provider)


def _add_stock(verbs: Any) -> None:
    make = _verb(verbs, "manufacture", "make devices, which wait for their inspection", _manufacture, device=False)
    make.add_argument("--count", type=int, default=1, metavar="N", help="how many (default: 1)")
    look = _verb(verbs, "inspect", "inspect a new device: it is in stock then, or rejected and scrapped", _inspect)
    why = "reject it, new or in stock, for this reason, without names; its keys are destroyed"
    look.add_argument("--reject", default="", metavar="TEXT", help=why)
    ship = _verb(verbs, "ship", "tell the article number of a device that is shipped, from its label", _ship)
    ship.add_argument(
        "--article", required=True, metavar="NUMBER", help="the carrier's number; before its lease, or after"
    )
    for verb, office in ((make, "custodian"), (look, "examiner"), (ship, "custodian")):
        verb.add_argument("--provider", default="provider.harbor", metavar="PARTY", help="default: provider.harbor")
        by_argument(verb, office)


def _add_postal(verbs: Any) -> None:
    remove = _verb(verbs, "remove", "order the removal of a device from service", _remove)
    take = _verb(verbs, "take", "take a suspect device along, against a receipt", _remove)
    for verb in (remove, take):
        verb.add_argument("--reason", required=True, metavar="TEXT", help="why, without names")
        verb.add_argument("--by", required=True, metavar="NAME", help="who orders it at the Postal Service")
    take.add_argument("--condition", required=True, metavar="TEXT", help="how the device is, for the receipt")
    buy = _verb(verbs, "purchase", "record that the Postal Service has purchased a system", _purchase)
    buy.add_argument("--reference", required=True, metavar="REF", help="the number of the purchase")
    buy.add_argument("--document", required=True, type=Path, metavar="FILE", help="the paper; its SHA-256 is kept")
    by_argument(buy, "manager-mtm")


def _told(rows: dict[str, object], *, json: bool) -> int:
    if json:
        as_json(rows)
    else:
        table([(name.replace("_", " "), _words(value)) for name, value in rows.items()])
    return 0


def _words(value: object) -> object:
    return "; ".join(map(str, value)) or "none" if isinstance(value, list) else "none" if value == "" else value


def _defect(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.custody import report_defect

    with journeys_of(args) as journeys:
        device = DeviceId.parse(args.device) if args.device else journeys.device
        body = report_defect(journeys, device, kind=args.kind, details=args.details).body
    rows = {"device": device, "state": body["state"], "defect": body["defect"], "retrieve_by": body["retrieve_by"]}
    rows["remedy"] = body["remedy"]
    return _told(rows, json=args.json)


def _return(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.wire.bodies import COLLECTED
    from towncircle.world.custody import send_back

    with journeys_of(args) as journeys:
        service = COLLECTED if args.collected else args.service
        device = DeviceId.parse(args.device)
        held = send_back(journeys, device, article=args.article or args.collected, service=service)
    named = ("service", "article")
    return _told({"shipment": held.key, "device": args.device, **{n: held.body[n] for n in named}}, json=args.json)


def _receipt(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.custody import fetch_receipt

    with journeys_of(args) as journeys:
        held = fetch_receipt(journeys, DeviceId.parse(args.device), inspector=args.inspector)
    return _told({"receipt": held.key, "device": args.device, "condition": held.body["condition"]}, json=args.json)


def _review(args: argparse.Namespace) -> int:
    from towncircle.world.custody import review

    with journeys_of(args) as journeys:
        held, shown = review(journeys, reference=args.reference)
    args.out.write_bytes(shown)
    rows = {"file": args.out, "records": shown.count(b"\n"), "by": held.body["by"], "reference": held.key}
    return _told(rows, json=args.json)


def _ask(args: argparse.Namespace) -> int:
    from towncircle.world.custody import ask_review

    with journeys_of(args) as journeys:
        held = ask_review(journeys.world, args.at, journeys.licensee, reference=args.reference, by=args.by)
    return _told({"reference": held.key, "licensee": held.owner, "state": held.body["state"]}, json=args.json)


def _address_data(args: argparse.Namespace) -> int:
    from towncircle.world.custody import update_address_data

    with journeys_of(args) as journeys:
        held = update_address_data(journeys, edition=args.edition)
    return _told({"edition": held.body["edition"]}, json=args.json)


def _provider(args: argparse.Namespace) -> int:
    from towncircle.world.missing import at_provider

    with opened(args.world) as world:
        at_provider(world, args.device, _job(args, world.rules), by=args.by, act=f"custody {args.verb}")
        return _one(args, world)


def _job(args: argparse.Namespace, rules: Any) -> Callable[[Context], Any]:
    from towncircle.provider import checkouts, defects, handovers, removals, upkeep

    jobs: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
        "receive": (handovers.receive, ("condition",)),
        "retrieve": (defects.retrieve, ("reference",)),
        "examine": (defects.examine, ("fault", "remedy", "reference")),
        "part": (upkeep.know, ("part", "until", "reference")),
        "host": (removals.host, ()),
        "disable": (removals.disable_now, ()),
        "write-off": (checkouts.write_off, ("reference",)),
        "scrap": (upkeep.scrap, ()),
    }
    if args.verb == "let-go":
        return lambda ctx: upkeep.let_form_go(ctx, rules, device=args.device)
    job, names = jobs[args.verb]
    told = {name: getattr(args, name) for name in names}
    if "until" in told:
        told["until"] = _day(told["until"])
    return lambda ctx: job(ctx, device=args.device, **told)


def _day(text: str) -> date:
    from towncircle.kernel.errors import BadInput

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("time.unreadable", text=text[:40]) from error


def _one(args: argparse.Namespace, world: Any) -> int:
    from towncircle.world.custody import kept

    (one,) = [each for each in kept(world) if each.device.key == args.device]
    return _told(_row(one), json=args.json)


def _manufacture(args: argparse.Namespace) -> int:
    from towncircle.world.custody import manufacture

    with opened(args.world) as world:
        made = manufacture(world, args.provider, args.count, by=args.by)
    return _told({"devices": [row.key for row in made], "custody": made[0].body["custody"]}, json=args.json)


def _inspect(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.custody import inspect

    with opened(args.world) as world:
        held = inspect(world, args.provider, DeviceId.parse(args.device), reject=args.reject, by=args.by)
    return _told({"device": held.key, "custody": held.body["custody"]}, json=args.json)


def _ship(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.custody import name_article

    with opened(args.world) as world:
        held = name_article(world, args.provider, DeviceId.parse(args.device), article=args.article, by=args.by)
    rows = {"device": args.device, "service": held.body["service"], "article": held.body["article"]}
    return _told({**rows, "shipment": held.key if "direction" in held.body else ""}, json=args.json)


def _remove(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.custody import order_removal

    with opened(args.world) as world:
        condition = args.condition if args.verb == "take" else ""
        device = DeviceId.parse(args.device)
        held = order_removal(world, device, reason=args.reason, condition=condition, by=args.by)
    rows = {"device": args.device, "order": held.body["order"], "taken_along": held.body["taken"]}
    return _told(rows, json=args.json)


def _purchase(args: argparse.Namespace) -> int:
    from towncircle.kernel.ids import DeviceId
    from towncircle.world.custody import purchase

    with opened(args.world) as world:
        device = DeviceId.parse(args.device)
        purchase(world, device, reference=args.reference, document=args.document.read_bytes(), by=args.by)
        return _one(args, world)


def _row(one: Kept) -> dict[str, object]:
    body = one.device.body
    return {
        "device": one.device.key,
        "provider": one.provider,
        "licensee": one.device.owner,
        "custody": body["custody"],
        "title": one.owner,
        "resides": body.get("resides", "site"),
        "removal": body.get("removal", ""),
        "hand_overs": [_hand_over(row) for row in one.shipments],
        "defects": [f"{row.key} {row.body['kind']} {row.body['state']} {row.body['remedy']}" for row in one.defects],
    }


def _hand_over(row: Record) -> str:
    from towncircle.provider.articles import number_of

    body = row.body
    signed = "signed for" if body["state"] == "received" else "on its way"
    return f"{row.key} {body['direction']} by {body['service']}, article {number_of(row) or 'not told'}, {signed}"


def _show(args: argparse.Namespace) -> int:
    from towncircle.world.custody import kept, stock_of

    with opened(args.world) as world:
        rows = [_row(one) for one in kept(world)]
        stock = stock_of(world)
    if args.json:
        told = [
            {
                "device": row.key,
                "provider": who,
                **{name: row.body.get(name, "") for name in ("custody", "fault", "unreached")},
            }
            for who, row in stock
        ]
        as_json({"devices": rows, "stock": told})
        return 0
    for who, held in stock:
        print(f"{held.key}  {held.body['custody']}  at {who}")
        if held.body.get("fault"):
            print(f"  no lease takes it: {held.body['fault']}; inspect it again, or reject it")
        elif held.body.get("unreached"):
            print(f"  it did not answer the last lease that tried it: {held.body['unreached']}; the next one tries it")
    if not rows and not stock:
        print("No device was made yet.")
    for row in rows:
        print(f"{row['device']}  {row['custody']}  {row['licensee']}  title {row['title']}  at the {row['resides']}")
        for line in (*row["hand_overs"], *row["defects"]):  # type: ignore[misc]  # two lists of text
            print(f"  {line}")
        if row["removal"]:
            print(f"  to be removed: {row['removal']}")
    return 0


def _forecast(args: argparse.Namespace) -> int:
    from towncircle.world.custody import kept

    with opened(args.world) as world:
        parts = [part for one in kept(world) for part in one.parts]
    parts.sort(key=lambda one: (one.until or "9999", one.device, one.part))
    names = ("device", "licensee", "part", "until", "reference")
    if args.json:
        as_json({"parts": [{name: getattr(one, name) for name in names} for one in parts]})
        return 0
    for one in parts:
        print(f"{one.until or 'unknown   '}  {one.device}  {one.part:<8} {one.licensee}  {one.reference}".rstrip())
    return 0


def _papers(args: argparse.Namespace) -> int:
    from towncircle.world.custody_papers import write_papers

    with opened(args.world) as world:
        files = write_papers(world, args.device, args.out)
    return files_told(files, json=args.json)
