"""`towncircle department`: departments, their budgets, their persons with PINs, and what they used (IMI-05, IMI-06)."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, pin_typed, table, world_argument

if TYPE_CHECKING:
    from towncircle.kernel.store import Record
    from towncircle.licensee.usage import Trend

_EPILOG = """\
examples:
  towncircle department keep DIR claims --budget 500        open it, or give it another budget
  towncircle person DIR ann                                 authorise a person
  towncircle department pin DIR ann                         the PIN is asked for, never an argument
  towncircle department admit DIR claims ann                from now on only persons with PINs print for it
  towncircle department pin DIR ann --reset-by ben          it was forgotten: ben types his own PIN, then a new one
  towncircle department pin DIR cyd --reset-by ann          her first one: ann vouches for it, so that it resets others'
  towncircle print DIR --out out --department claims --person ann
  towncircle department lost DIR                            which open job did a broken device debit? JOB decides it
  towncircle department usage DIR                           by department and month, with trends"""


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "department",
        help="departments: budgets, persons with PINs, usage by month",
        description="Departments of a licensee. Each print is paid by one; one that admits persons by name prints for "
        "them only, after their PIN.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    keep = verbs.add_parser("keep", help="open a department, or give one another budget")
    world_argument(keep)
    keep.add_argument("code", metavar="CODE", help="small letters, digits and hyphens")
    keep.add_argument("--budget", metavar="AMOUNT", default=None, help="what it may spend in all (default: no limit)")
    keep.set_defaults(run=_keep)
    for name, help_, admitted in (
        ("admit", "admit an authorised person; from then on the department asks for a PIN", True),
        ("dismiss", "admit a person no more", False),
    ):
        verb = verbs.add_parser(name, help=help_)
        world_argument(verb)
        verb.add_argument("code", metavar="CODE", help="the department")
        verb.add_argument("name", metavar="NAME", help="the person's sign-in name")
        verb.set_defaults(run=_admit, admitted=admitted)
    pin = verbs.add_parser("pin", help="set a person's PIN, or change it by the old one")
    world_argument(pin)
    pin.add_argument("name", metavar="NAME", help="the person's sign-in name")
    pin.add_argument("--pin-from", type=Path, metavar="FILE", help="read it from the first line of a file")
    pin.add_argument("--old-from", type=Path, metavar="FILE", help="the old PIN, from the first line of a file")
    pin.add_argument(
        "--reset-by",
        default="",
        metavar="NAME",
        help="another authorised person, where it was forgotten, who types the own PIN first",
    )
    pin.add_argument(
        "--proof-from", type=Path, metavar="FILE", help="that person's own PIN, from the first line of a file"
    )
    pin.set_defaults(run=_pin)
    show = verbs.add_parser("list", help="list the departments with budget, what is spent, and whom they admit")
    world_argument(show)
    show.set_defaults(run=_list)
    usage = verbs.add_parser("usage", help="what each department used, month by month, with trends")
    world_argument(usage)
    usage.add_argument("--department", metavar="CODE", default="", help="one department (default: all)")
    usage.add_argument("--from", dest="first", metavar="YYYY-MM", default="", help="the first month")
    usage.add_argument("--to", dest="last", metavar="YYYY-MM", default="", help="the last month")
    usage.set_defaults(run=_usage)
    _add_lost(verbs)


def _add_lost(verbs: Any) -> None:
    """Register the verb of jobs of which nobody knows whether a device debited them."""
    lost = verbs.add_parser(
        "lost",
        help="decide which open job a broken device debited",
        description="A device that failed, or is out of service, may have debited a job whose answer was lost, and "
        "gives its marks no more. Its registers tell what they can; where open jobs of several departments may have "
        "been it, a person decides, with a reason, and proves it by the own PIN. Without JOB it lists what is open.",
    )
    world_argument(lost)
    lost.add_argument("job", nargs="?", metavar="JOB", help="the job (default: list those in doubt)")
    lost.add_argument("--not-debited", action="store_true", help="the device did not debit it")
    lost.add_argument("--person", default="", metavar="NAME", help="the authorised person who decides")
    lost.add_argument("--pin-from", type=Path, metavar="FILE", help="read the PIN from the first line of a file")
    lost.add_argument("--reason", default="", metavar="TEXT", help="why, without names")
    lost.set_defaults(run=_lost)


def _keep(args: argparse.Namespace) -> int:
    from towncircle.kernel.money import Mills
    from towncircle.licensee import departments

    budget = Mills.parse(args.budget) if args.budget is not None else None
    with journeys_of(args) as journeys:
        row = journeys.do(lambda ctx: departments.keep(ctx, department=args.code, budget=budget))
    return _told([row], json=args.json)


def _admit(args: argparse.Namespace) -> int:
    from towncircle.licensee import departments

    with journeys_of(args) as journeys:
        row = journeys.do(
            lambda ctx: departments.admit(ctx, department=args.code, name=args.name, admitted=args.admitted)
        )
    return _told([row], json=args.json)


def _pin(args: argparse.Namespace) -> int:
    from towncircle.world import departments

    with journeys_of(args) as journeys:
        if args.reset_by:
            proof = pin_typed(args.proof_from, args.reset_by, which="own ")
            typed = pin_typed(args.pin_from, args.name, which="new ")
            departments.reset_pin(journeys, name=args.name, pin=typed, by=args.reset_by, proof=proof)
        else:
            asks = departments.has_pin(journeys, args.name)
            old = pin_typed(args.old_from, args.name, which="old ") if asks else ""
            typed = pin_typed(args.pin_from, args.name, which="new " if asks else "")
            departments.set_pin(journeys, name=args.name, pin=typed, old=old)
    as_json({"person": args.name, "pin": "set"}) if args.json else print(f"{args.name} has a PIN.")
    return 0


def _list(args: argparse.Namespace) -> int:
    with journeys_of(args) as journeys, journeys.world.store(journeys.licensee).reading() as view:
        rows = view.find("department")
    return _told(rows, json=args.json)


def _lost(args: argparse.Namespace) -> int:
    from towncircle.kernel.errors import BadInput
    from towncircle.world.departments import Payer
    from towncircle.world.evidenced import decide, in_doubt

    if (args.job is None) != (not args.person) or (args.job is None and (args.reason or args.not_debited)):
        raise BadInput("cli.argument-astray", arguments="JOB, --person, --reason", needs="all of them, or none")
    if args.job is None:
        with journeys_of(args) as journeys:
            open_jobs = [(row, device, counted) for row, device, counted in in_doubt(journeys)]
        told = [
            {
                "job": row.key,
                "department": row.body["department"],
                "pieces": len(row.body["pieces"]),
                "total_mills": row.body["total"],
                "device": device,
                "counted_pieces": counted.pieces,
                "counted_mills": counted.mills,
            }
            for row, device, counted in open_jobs
        ]
        return _doubts_told(told, json=args.json)
    payer = Payer(person=args.person, pin=pin_typed(args.pin_from, args.person))
    with journeys_of(args) as journeys:
        row = decide(journeys, args.job, debited=not args.not_debited, payer=payer, reason=args.reason)
    said = {"job": row.key, "department": row.body["department"], "state": row.body["state"]}
    as_json(said) if args.json else table(list(said.items()))
    return 0


def _doubts_told(told: list[dict[str, Any]], *, json: bool) -> int:
    from towncircle.kernel.money import Mills

    if json:
        as_json({"in_doubt": told})
        return 0
    for one in told:
        one |= {name: Mills(one[name]) for name in ("total_mills", "counted_mills")}
        table([(name.replace("_mills", "").replace("_", " "), value) for name, value in one.items()])
    if not told:
        print("No open job is in doubt.")
    return 0


def _told(rows: Iterable[Record], *, json: bool) -> int:
    from towncircle.kernel.money import Mills

    told = [
        {
            "department": row.key,
            "budget_mills": row.body["budget"],
            "spent_mills": row.body["spent"],
            "reserved_mills": row.body["reserved"],
            "asks_for_pin": bool(row.body.get("guarded")),
            "persons": list(row.body.get("persons", ())),
        }
        for row in rows
    ]
    if json:
        as_json({"departments": told})
        return 0
    for one in told:
        budget = one["budget_mills"]
        who = (", ".join(one["persons"]) or "nobody") if one["asks_for_pin"] else "everybody"
        table(
            [
                ("department", one["department"]),
                ("budget", "no limit" if budget is None else Mills(budget)),
                ("spent", Mills(one["spent_mills"])),
                ("reserved", Mills(one["reserved_mills"])),
                ("prints for", who),
            ]
        )
    if not told:
        print("There is no department yet: the first print opens 'mailroom'.")
    return 0


def _usage(args: argparse.Namespace) -> int:
    from towncircle.licensee.usage import trends

    with journeys_of(args) as journeys, journeys.world.store(journeys.licensee).reading() as view:
        found = trends(view, first=args.first, last=args.last, department=args.department)
    if args.json:
        as_json({"departments": [_record(trend) for trend in found]})
        return 0
    for trend in found:
        print(f"{trend.department}: {trend.spent}, on average {trend.average} a month")
        for month in trend.months:
            change = "" if month.change is None else f"  {'+' if month.change >= 0 else ''}{month.change}"
            print(f"  {month.month}  {month.jobs:>5} jobs  {month.pieces:>7} pieces  {month.spent!s:>14}{change}")
        if trend.left is not None:
            print(f"  budget {trend.budget}, bound {trend.bound}, left {trend.left}")
    return 0


def _record(trend: Trend) -> dict[str, object]:
    return {
        "department": trend.department,
        "spent_mills": int(trend.spent),
        "average_mills": int(trend.average),
        "budget_mills": None if trend.budget is None else int(trend.budget),
        "bound_mills": int(trend.bound),
        "left_mills": None if trend.left is None else int(trend.left),
        "months": [
            {
                "month": month.month,
                "jobs": month.jobs,
                "pieces": month.pieces,
                "spent_mills": int(month.spent),
                "change_mills": None if month.change is None else int(month.change),
            }
            for month in trend.months
        ],
    }
