"""`towncircle print`: envelopes for a list of addresses, as PDF, PNG or SVG; corrections and reprints of them.

Here: the arguments and what is shown. Not here: the steps of a job (`world.printing`), what may be corrected
(`licensee.corrections`).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli import print_batch
from towncircle.cli.print_forms import (
    OF_FILES,
    drawn_for,
    given,
    look_arguments,
    look_of,
    looks_given,
    proved,
    shortpaid_of,
)
from towncircle.cli.print_rates import (
    check_rate_arguments,
    claim_told,
    day_told,
    doubt_rows,
    list_arguments,
    looked_up,
    rate_arguments,
    recipients_told,
    warn_of_doubts,
)
from towncircle.cli.show import as_json, journeys_of, only_world, table, world_argument

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from towncircle.kernel.errors import TowncircleError
    from towncircle.kernel.ids import JobId
    from towncircle.kernel.money import Mills
    from towncircle.world.departments import Payer
    from towncircle.world.journeys import Journeys
    from towncircle.world.printing import Printed

_EPILOG = """\
examples:
  towncircle print my-world --out out                        the public addresses that come with the program
  towncircle print my-world --addresses list.csv --out out   columns: name, street, city, state, zip[, weight_oz, shape]
  towncircle print my-world --addresses list.csv --form no6-3-4 --out out     towncircle forms lists the forms
  towncircle print my-world --out out --resume               finish what an interruption left open
  towncircle print my-world --out proof --proof              the same pages, marked; no debit (also with --csv,
                                                             --correct, --redate and --printer)
  towncircle print my-world --out proof --proof --overlay    and the zones that the rule and the machines reserve
  towncircle print my-world --out out --zip                  Mailed From ZIP Code instead of the post office (P050 4.5)
  towncircle print my-world --out out --branch 'CAPITOL HEIGHTS'     the branch that the post office has approved (4.5)
  towncircle print my-world --out out --marking              the marking of the class in the place of art (4.11)
  towncircle print my-world --printer desk                   on a printer; then: towncircle spool list my-world
a batch is a list of any length; it goes on after any interruption (docs/printing.md)
  towncircle print my-world --csv list.csv --template letter --out mail     files of pages, and manifest.json
  towncircle print my-world --csv list.csv --dry-run --out mail             what it costs, and what is wrong with it
  towncircle print my-world --csv list.csv --printer desk --out mail        on a printer; its papers go into mail
corrections go on the back of the piece, and reprints; JOB is the number that the first print showed, or: last
  towncircle print my-world --redate JOB --out redo          date correction of all its pieces to today (P050 4.8)
  towncircle print my-world --redate JOB --pieces 2,5 --on 2026-11-27 --out redo
  towncircle print my-world --correct JOB --pieces 2 --weight 3oz --out more     what the piece lacks at 3 oz (4.9)
  towncircle print my-world --correct JOB --pieces 2 --due 1.64 --out more       what it lacks to the amount told
  towncircle print my-world --reprint JOB --pieces 2 --out again                 the same indicium, counted
A REDATE pays nothing and asks no device. A postage correction is debited; it pays exactly what is lacking, and more
(--amount) only for a reason (--reason). A reprint is the same indicium: a piece may be mailed once.
Everything is priced, linted and reserved before the device is asked; what is printed says SPECIMEN."""


LAST = "last"


def add(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "print",
        help="print envelopes with postage",
        description="Print envelopes: price, layout lints, budget, evidence by the device, symbol, page.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    world_argument(parser, optional=True)
    parser.add_argument("--out", type=Path, metavar="DIR", help="where envelopes.pdf and envelopes/ go")
    parser.add_argument("--printer", metavar="NAME", help="print on a printer of towncircle printer list")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--addresses", type=Path, metavar="FILE.csv", help="the recipients")
    what.add_argument("--resume", action="store_true", help="finish open jobs instead of starting one")
    what.add_argument("--redate", metavar="JOB", help="print date corrections for pieces of a job")
    what.add_argument("--correct", metavar="JOB", help="print postage corrections for shortpaid pieces of a job")
    what.add_argument("--reprint", metavar="JOB", help="print pieces of a job again; the device counts it")
    parser.add_argument("--old-data", metavar="REASON", help="use address data over six months old, and why")
    parser.add_argument("--on", metavar="DATE", help="mailing date (default: today at the licensing office)")
    parser.add_argument("--form", metavar="FORM", help="what is printed on, as towncircle forms lists it")
    parser.add_argument("--stock", metavar="STOCK", help="the approved label stock in the printer (towncircle labels)")
    parser.add_argument("--start", type=int, metavar="N", help="the first free label of a part-used sheet, from 1")
    parser.add_argument("--each", metavar="AMOUNT", help="the most postage on one tape; a piece may take several")
    look_arguments(parser.add_argument_group("the form of the indicium (a new job)"))
    parser.add_argument("--svg", action="store_true", help="write SVG pictures too")
    parser.add_argument("--drawn-for", metavar="PRINTER", help="draw files on the dots of a printer, moved as it needs")
    parser.add_argument("--department", metavar="CODE", help="who pays (default: mailroom); a correction: its job's")
    parser.add_argument("--person", metavar="NAME", help="who prints; the PIN is asked for")
    parser.add_argument("--pin-from", type=Path, metavar="FILE", help="read the PIN from the first line of a file")
    parser.add_argument("--new", action="store_true", help="start a job although one is open")
    print_batch.add_arguments(parser, what)
    list_arguments(parser)
    rate_arguments(parser)
    more = parser.add_argument_group("pieces of an earlier job (--redate, --correct, --reprint)")
    more.add_argument("--pieces", metavar="N,N", help="their numbers in the job, from 1 (default: all)")
    more.add_argument("--weight", metavar="WEIGHT", help="--correct: what the piece weighs, such as 2oz")
    more.add_argument("--shape", metavar="SHAPE", help="--correct: what the piece is: letter, flat or card")
    more.add_argument("--due", metavar="AMOUNT", help="--correct: what is due for the piece, as somebody told")
    more.add_argument("--amount", metavar="AMOUNT", help="--correct: the correction (default: what the piece lacks)")
    more.add_argument("--reason", metavar="TEXT", help="--correct: why --amount is more than it lacks")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print and show what was printed."""
    from towncircle.world import address_data

    formats = ("pdf", "png", "svg") if args.svg else ("pdf", "png")
    day = day_told(args)
    args.world = args.world or only_world(Path())
    print_batch.check_arguments(args)
    if args.csv is not None or args.give_up:
        _only_with_their_form(args)
        return print_batch.run(args, _payer(args), day)
    if args.proof:
        return proved(args, day, _only_with_their_form(args), claim_told(args))
    if args.printer is not None:
        return _on_printer(args, day)
    start = _starter(args, day, formats)
    with journeys_of(args) as journeys:
        failed: TowncircleError | None = None
        if args.resume and print_batch.open_in(journeys):
            return print_batch.go_on(args, journeys)
        if args.resume:
            done, failed = _resumed(args, journeys, formats)
        else:
            _nothing_in_the_way(args, journeys)
            done = [start(journeys)]
        left = journeys.status().registers.descending
        rested = [address_data.told(journeys, one.job.body) for one in done]
    if failed is not None:
        raise failed
    return _show(args, done, left, rested)


def _show(args: argparse.Namespace, done: list[Printed], left: Mills, rested: list[dict[str, Any]]) -> int:
    """Show what was printed, and which data its addresses rest on."""
    from towncircle.licensee.pricing import doubts_of_job
    from towncircle.world.address_data import rows_of

    for one in done:
        warn_of_doubts(doubts_of_job(one.job.body["pieces"]))
    if args.json:
        as_json(_record(done, left, rested))
        return 0
    if not done:
        print("No job is open.")
    for one, data in zip(done, rested, strict=True):
        rows = [
            ("job", one.job.key),
            ("pieces", len(one.job.body["pieces"])),
            ("postage", one.total),
            ("file", one.pdf),
            ("left in the device", left),
        ]
        rows += [*rows_of(data), *doubt_rows(doubts_of_job(one.job.body["pieces"]))]
        if args.reprint is not None:
            rows[2] = ("reprints of the device", one.reprints)
            rows.append(("should it spoil", f"towncircle spool spoil {args.world} {one.entry}"))
        table(rows)
    return 0


def _on_printer(args: argparse.Namespace, day: date | None) -> int:
    """Print on a printer instead of into files."""
    from towncircle.cli import on_printer
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.ids import JobId
    from towncircle.world.spooling import print_new, reprint_on

    if stray := given(args, OF_FILES):
        raise BadInput("cli.argument-astray", arguments=", ".join(stray), needs="--out DIR")
    pieces, named = _only_with_their_form(args), _job_named(args)
    job = None if named in (None, LAST) else JobId.parse(named)
    plan = _planner(args, day, job, pieces)
    with journeys_of(args) as journeys:
        if args.resume and print_batch.on_printer(args, journeys):
            return print_batch.go_on(args, journeys)
        if args.resume:
            done, refused = on_printer.resumed(journeys, args.printer)
            return on_printer.told(journeys, done, refused, json=args.json)
        _no_open_job(args, journeys)
        if args.reprint is not None:
            one = reprint_on(journeys, job or journeys.last_job(), pieces, args.printer)
        else:
            one = print_new(journeys, plan, args.printer)
        return on_printer.told(journeys, [one], json=args.json)


def _planner(
    args: argparse.Namespace, day: date | None, job: JobId | None, pieces: tuple[int, ...]
) -> Callable[[Journeys], JobId]:
    """Read what is to be printed, before the world is opened, and give the call that plans it."""
    from towncircle.licensee.corrections import Redate, Shortpaid
    from towncircle.licensee.pricing import doubts_of_job
    from towncircle.world import labels

    payer = _payer(args)
    if args.redate is not None:
        return lambda journeys: journeys.plan_redate(
            Redate(job=job or journeys.last_job(), mailing_date=day or journeys.today(), pieces=pieces)
        )
    if args.correct is not None:
        told = shortpaid_of(args)

        def corrected(journeys: Journeys) -> JobId:
            labels.refresh(journeys)
            return journeys.plan_correction(
                Shortpaid(job=job or journeys.last_job(), mailing_date=day or journeys.today(), pieces=pieces, **told),
                payer=payer,
            )

        return corrected
    recipients = recipients_told(args)
    look, claim = look_of(args), claim_told(args)

    def posted(journeys: Journeys) -> JobId:
        ready, listed = labels.loaded(journeys, look), looked_up(args, journeys, recipients)
        planned = journeys.plan(listed, day=day, payer=payer, look=ready, claim=claim)
        with journeys.world.store(journeys.licensee).reading() as view:
            row = view.get("job", planned)
        warn_of_doubts(doubts_of_job(row.body["pieces"]) if row is not None else {})
        return planned

    return posted


def _starter(args: argparse.Namespace, day: date | None, formats: tuple[str, ...]) -> Callable[[Journeys], Printed]:
    """Read what is to be printed, before the world is opened, and give the call that prints it."""
    from towncircle.kernel.ids import JobId
    from towncircle.licensee.corrections import Redate, Shortpaid
    from towncircle.world import printing

    pieces, out, payer = _only_with_their_form(args), args.out, _payer(args)
    named = _job_named(args)
    job = None if named in (None, LAST) else JobId.parse(named)
    if args.redate is not None:
        return lambda journeys: printing.redate_job(
            journeys,
            Redate(job=job or journeys.last_job(), mailing_date=day or journeys.today(), pieces=pieces),
            out,
            formats=formats,
        )
    if args.correct is not None:
        told = shortpaid_of(args)
        return lambda journeys: printing.correct_job(
            journeys,
            Shortpaid(job=job or journeys.last_job(), mailing_date=day or journeys.today(), pieces=pieces, **told),
            out,
            formats=formats,
            payer=payer,
        )
    if args.reprint is not None:
        return lambda journeys: printing.reprint_job(journeys, job or journeys.last_job(), pieces, out, formats=formats)
    recipients = () if args.resume else recipients_told(args)
    claim = claim_told(args)
    return lambda journeys: printing.print_job(
        journeys,
        looked_up(args, journeys, recipients),
        out,
        day=day,
        formats=formats,
        payer=payer,
        look=drawn_for(journeys, args, look_of(args)),
        claim=claim,
    )


def _payer(args: argparse.Namespace) -> Payer:
    """Say who pays and who prints; the PIN is never an argument, which every user of the machine could read."""
    from towncircle.cli.show import pin_typed
    from towncircle.world.departments import Payer

    told = {"department": args.department} if args.department is not None else {}
    if args.person is None or args.resume:
        return Payer(**told)
    return Payer(**told, person=args.person, pin=pin_typed(args.pin_from, args.person))


def _job_named(args: argparse.Namespace) -> str | None:
    """Give the earlier job that the arguments name, or None; an empty name is a name, and a wrong one."""
    return next((name for name in (args.redate, args.correct, args.reprint) if name is not None), None)


def _only_with_their_form(args: argparse.Namespace) -> tuple[int, ...]:
    """Refuse arguments that the chosen form does not heed; give the numbers of pieces."""
    from towncircle.kernel.errors import BadInput

    stray = [f"--{name}" for name in ("weight", "shape", "due", "amount", "reason") if getattr(args, name) is not None]
    if stray and args.correct is None:
        raise BadInput("cli.argument-astray", arguments=", ".join(stray), needs="--correct JOB")
    if args.old_data is not None and args.addresses is None and args.csv is None:
        raise BadInput("cli.argument-astray", arguments="--old-data", needs="--addresses FILE or --csv FILE")
    if args.pieces is not None and _job_named(args) is None:
        raise BadInput("cli.argument-astray", arguments="--pieces", needs="--redate, --correct or --reprint JOB")
    if (chosen := looks_given(args)) and (args.resume or _job_named(args) is not None):
        raise BadInput("cli.argument-astray", arguments=", ".join(chosen), needs="a new job; others keep their form")
    if args.form is not None and (args.resume or _job_named(args) is not None):
        raise BadInput("cli.argument-astray", arguments="--form", needs="a new job; a correction keeps its form")
    of_stock = (None if args.csv is not None else args.start, args.each)  # a batch's template names its stock
    if of_stock != (None, None) and (args.stock is None or args.correct is not None):
        raise BadInput("cli.argument-astray", arguments="--start, --each", needs="--stock STOCK and a new job")
    if args.stock is not None and (args.resume or args.redate is not None or args.reprint is not None):
        raise BadInput("cli.argument-astray", arguments="--stock", needs="a new job, or --correct JOB")
    check_rate_arguments(args, another=args.resume or _job_named(args) is not None)
    if args.reprint is not None and args.on is not None:
        raise BadInput("cli.argument-astray", arguments="--on", needs="a new page; a reprint keeps its date")
    if args.pieces is None:
        return ()
    parts = [part.strip() for part in args.pieces.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise BadInput("cli.pieces-unreadable", text=args.pieces[:40])
    return tuple(int(part) for part in parts)


def _resumed(
    args: argparse.Namespace, journeys: Journeys, formats: tuple[str, ...]
) -> tuple[list[Printed], TowncircleError | None]:
    """Finish open jobs, paid ones first; a job that cannot be finished does not hold up the others."""
    from towncircle.kernel.errors import TowncircleError
    from towncircle.kernel.ids import JobId
    from towncircle.world.printing import finish_job

    done: list[Printed] = []
    failed: TowncircleError | None = None
    for row in sorted(journeys.open_jobs(), key=lambda row: str(row.body["state"])):
        try:
            done.append(finish_job(journeys, JobId(row.key), args.out / row.key, formats=formats))
        except TowncircleError as error:
            failed = failed or error
    return done, failed


def _nothing_in_the_way(args: argparse.Namespace, journeys: Journeys) -> None:
    """Refuse to start a job beside an open one, and to write over the pages of another."""
    from towncircle.kernel.errors import Refused
    from towncircle.licensee.mailroom import CORRECTION, POSTAGE, REDATE
    from towncircle.world.printing import REPRINTS, STEMS

    _no_open_job(args, journeys)
    form = REDATE if args.redate is not None else CORRECTION if args.correct is not None else POSTAGE
    stem = REPRINTS if args.reprint is not None else STEMS[form]
    if (args.out / f"{stem}.pdf").exists():
        raise Refused("mailroom.out-taken", out=args.out)


def _no_open_job(args: argparse.Namespace, journeys: Journeys) -> None:
    from towncircle.kernel.errors import Refused

    open_jobs = [row.key for row in (*print_batch.open_in(journeys), *journeys.open_jobs())]
    if open_jobs and not args.new:
        raise Refused("mailroom.job-open", jobs=", ".join(open_jobs))


def _record(done: list[Printed], left: Mills, rested: list[dict[str, Any]]) -> dict[str, object]:
    from towncircle.licensee.pricing import doubts_of_job

    jobs = [
        {
            "job": one.job.key,
            "pieces": len(one.job.body["pieces"]),
            "form": one.form,
            "total_mills": int(one.total),
            "doubts": doubts_of_job(one.job.body["pieces"]),
            **({"device_reprints": one.reprints, "entry": one.entry} if one.form == "reprint" else {}),
            "pdf": str(one.pdf),
            "pictures": [str(path) for path in one.pictures],
            "address_data": data,
        }
        for one, data in zip(done, rested, strict=True)
    ]
    return {"jobs": jobs, "descending_mills": int(left)}
