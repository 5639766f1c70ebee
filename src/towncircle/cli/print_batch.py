"""The batch of `towncircle print`: a list and a template in, files of pages and a manifest out.

Here: its arguments, its progress on the terminal, what is shown at its end or when it is interrupted. Not here: its
steps (`towncircle.world.batching`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from towncircle.cli.print_forms import LOOKS, drawn_for, given, proofs_told
from towncircle.cli.print_rates import doubt_rows, warn_of_doubts
from towncircle.cli.show import as_json, journeys_of, table

if TYPE_CHECKING:
    from datetime import date

    from towncircle.kernel.money import Mills
    from towncircle.kernel.store import Record
    from towncircle.mailpiece.templates import Template
    from towncircle.world.batching import Batched, Estimate, Wish
    from towncircle.world.departments import Payer
    from towncircle.world.journeys import Journeys

INTERRUPTED = 130
_OF_A_JOB = ("form", "stock", "each", "svg", "zone", "presort", "extra", "nonmachinable")
_ALSO = ("--drawn-for", "--proof", "--overlay")
_EVERY_SECONDS = 0.2


class _Templates(argparse.Action):
    """Show the templates that come with the program and end, as `--version` does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from towncircle.mailpiece.templates import builtin

        table([(one.name, one.title) for one in builtin()])
        parser.exit()


def add_arguments(parser: Any, what: Any) -> None:
    """Add the arguments of a batch to those of `print`; `what` holds those of which one is given."""
    what.add_argument("--csv", type=Path, metavar="FILE", help="print a batch: a list of any length, by a template")
    what.add_argument("--give-up", action="store_true", help="end an open batch with what is paid; list the rest")
    batch = parser.add_argument_group("a batch (--csv)")
    batch.add_argument("--template", metavar="NAME", help="a template's name, or its TOML file (default: letter)")
    batch.add_argument("--templates", action=_Templates, nargs=0, help="show the templates that there are, and end")
    batch.add_argument("--skip-bad-rows", action="store_true", help="print the good rows; errors.csv names the others")
    batch.add_argument("--refill", action="store_true", help="reset the device on the way, from the account")
    batch.add_argument("--dry-run", action="store_true", help="check and price the list only; nothing is reserved")


def open_in(journeys: Journeys) -> list[Record]:
    """Give the batches that were begun and not ended."""
    from towncircle.licensee.promises import open_batches

    with journeys.world.store(journeys.licensee).reading() as view:
        return open_batches(view)


def check_arguments(args: argparse.Namespace) -> None:
    """Refuse arguments of a batch without one, and a batch without a folder.

    Raises `BadInput` (cli.argument-astray, cli.nowhere).
    """
    from towncircle.kernel.errors import BadInput

    batch = args.csv is not None or args.give_up
    if args.out is None and (batch or args.printer is None):
        raise BadInput("cli.nowhere")
    if args.out is not None and args.printer is not None and not batch:
        raise BadInput("cli.argument-astray", arguments="--out", needs="--csv FILE; one job goes to one place")
    told = {
        "--template": args.template is not None,
        "--skip-bad-rows": args.skip_bad_rows,
        "--refill": args.refill,
        "--dry-run": args.dry_run,
    }
    stray = [name for name, there in told.items() if there]
    if stray and args.csv is None:
        raise BadInput("cli.argument-astray", arguments=", ".join(stray), needs="--csv FILE")
    unheard = [one for one in given(args, (*LOOKS, *_OF_A_JOB)) if one not in _ALSO]
    unheard += ["--class"] if args.mail_class != "first" else []
    unheard += ["--type"] if args.type != "metered" else []
    if unheard and args.csv is not None:
        raise BadInput(
            "cli.argument-astray", arguments=", ".join(unheard), needs="--addresses FILE; a template says it"
        )


def run(args: argparse.Namespace, payer: Payer, day: date | None) -> int:
    """Print or give up a batch, and show what came of it."""

    from towncircle.licensee.looks import PLAIN
    from towncircle.mailpiece.templates import find
    from towncircle.world import address_data, batching, proofs

    wish = None
    if args.csv is not None:
        template = _from_label(find(args.template or "letter"), args.start)
        wish = batching.Wish(
            source=args.csv,
            template=replace(template, accept_low=template.accept_low or args.accept_low_confidence),
            day=day,
            payer=payer,
            refill=args.refill,
            skip_bad_rows=args.skip_bad_rows,
            beside=args.new,
            printer=args.printer or "",
            old_data=args.old_data or "",
        )
    with journeys_of(args) as journeys:
        if wish is not None:
            wish = replace(wish, drawn=drawn_for(journeys, args, PLAIN).drawn)
            if not (args.dry_run or args.proof):
                address_data.renew(journeys)
        if wish is not None and args.proof:
            done = proofs.proof_batch(journeys, wish, args.out, zones=args.overlay, progress=_meter(args))
            return proofs_told(done, json=args.json)
        if wish is not None and args.dry_run:
            return _show_estimate(batching.estimate(journeys, wish, args.out, progress=_meter(args)), json=args.json)
        return go_on(args, journeys, wish)


def _from_label(template: Template, start: int | None) -> Template:
    """Give a template that begins at the free label that was said, instead of its own.

    Raises `BadInput` (cli.argument-astray, page.no-such-place).
    """
    from towncircle.kernel.errors import BadInput
    from towncircle.mailpiece.sheets import check_start, stock

    if start is None:
        return template
    if not template.stock:
        raise BadInput("cli.argument-astray", arguments="--start", needs="a template that names its label stock")
    check_start(stock(template.stock), start)
    return replace(template, start=start)


def on_printer(args: argparse.Namespace, journeys: Journeys) -> bool:
    """Tell whether a batch is open on the printer that was named; it goes on where its papers are."""
    for row in open_in(journeys):
        if row.body.get("printer") == args.printer:
            args.out = Path(row.body["out"])
            return True
    return False


def go_on(args: argparse.Namespace, journeys: Journeys, wish: Wish | None = None) -> int:
    """Print a batch, or go on with the one that is open, and show what came of it."""
    try:
        done = _walk(args, journeys, wish)
    except KeyboardInterrupt:
        _say_interrupted(args, journeys)
        return INTERRUPTED
    return _show(args, journeys, done)


def _walk(args: argparse.Namespace, journeys: Journeys, wish: Wish | None) -> list[Batched]:
    from towncircle.kernel.errors import Refused
    from towncircle.world import batching

    meter = _meter(args)
    if wish is not None:
        said = None if args.json else _say_reserved
        return [batching.print_batch(journeys, wish, args.out, progress=meter, reserved=said)]
    opened = open_in(journeys)
    if not opened:
        raise Refused("batch.none-open")
    here = [row for row in opened if row.body["out"] == str(args.out.resolve())] or opened[:1]
    step = batching.give_up if args.give_up else batching.resume
    return [step(journeys, row.key, args.out, progress=meter) for row in here]


def _meter(args: argparse.Namespace) -> Meter:
    return Meter(sys.stderr if not args.json else None)


class Meter:
    """Show how far a long work is, how fast it goes and how long it takes yet, on one line of a terminal.

    Where the stream is no terminal, a line is written at each tenth.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._what, self._began, self._first, self._shown, self._tenth = "", 0.0, 0, 0.0, -1

    def __call__(self, what: str, done: int, of: int) -> None:
        """Take up how far it is."""
        now = time.monotonic()
        if what != self._what:
            self._end_line()
            self._what, self._began, self._first, self._tenth = what, now, done, -1
        if self._stream is None:
            return
        live, tenth = self._stream.isatty(), 10 * done // of if of else 10
        if done < of and (now - self._shown < _EVERY_SECONDS if live else tenth in (0, self._tenth)):
            return
        self._shown, self._tenth = now, tenth
        line = f"{what:<20} {done:>9,} of {of:,}{self._pace(now - self._began, done, of)}"
        self._stream.write(f"\r{line:<78}" if live else f"{line}\n")
        if live and done >= of:
            self._end_line()
        self._stream.flush()

    def _pace(self, spent: float, done: int, of: int) -> str:
        """Give the rate, and what is left at it; at the end what it took."""
        if spent <= 0 or done <= self._first:
            return ""
        rate = (done - self._first) / spent
        if done >= of:
            return f"  in {_time(spent)}"
        return f"  {rate:,.0f}/s, {_time((of - done) / rate)} left"

    def _end_line(self) -> None:
        if self._stream is not None and self._stream.isatty() and self._what:
            self._stream.write("\n")
            self._what = ""


def _time(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} min {whole % 60:02d} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    )


def _say_reserved(record: Record) -> None:
    from towncircle.kernel.money import Mills

    body = record.body
    left_out = f", {body['rows_left_out']:,} rows left out (errors.csv)" if body["rows_left_out"] else ""
    refill = "; the device is refilled on the way" if body["refill"] else ""
    what = f"{body['count']:,} pieces for {Mills(body['total'])}{left_out}, mailed {body['mailing_date']}"
    sys.stderr.write(f"batch {record.key}: {what}. The money is reserved{refill}.\n")
    warn_of_doubts(body.get("doubts", {}))


def _say_interrupted(args: argparse.Namespace, journeys: Journeys) -> None:
    from towncircle.kernel.money import Mills
    from towncircle.licensee.batches import jobs
    from towncircle.licensee.mailroom import PRINTED

    lines = ["", "Interrupted. Nothing was reserved or debited."]
    for row in open_in(journeys):
        if row.body["out"] != str(args.out.resolve()):
            continue
        with journeys.world.store(journeys.licensee).reading() as view:
            done = sum(len(job.body["pieces"]) for job in jobs(view, row) if job.body["state"] == PRINTED)
            held = view.get("reservation", row.key)
        spent = Mills(held.body.get("spent", 0)) if held is not None else Mills(0)
        parts = f"Of the batch {row.key} {done:,} of {row.body['count']:,} pieces are printed"
        money = f"{spent} of {Mills(row.body['total'])} are debited"
        told = f"Interrupted. {parts}; {money}. Nothing is lost."
        lines = ["", told, f"  Next step: towncircle print {args.world} --out {args.out} --resume"]
    sys.stderr.write("\n".join(lines) + "\n")


def _label_rows(body: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Give what a batch takes of its label stock, as rows; nothing where it is on none."""
    held = body.get("labels")
    if held is None:
        return []
    counts = [("labels", f"{held['labels']:,}"), ("label sheets", f"{held['sheets']:,}")]
    return [*counts, ("next free label", held["next_start"])]


def _show_estimate(found: Estimate, *, json: bool) -> int:
    from towncircle.licensee.batches import labels_of
    from towncircle.world.address_data import rows_of

    order, funds = found.order, found.funds
    labels = labels_of(order.told["template"], [part.as_dict() for part in order.parts], [True] * len(order.parts))
    lacking = max(int(order.total) - int(funds.balance), 0)
    if json:
        record: dict[str, object] = {"pieces": order.pieces, "rows_left_out": order.told["rows_left_out"]}
        record |= {"address_data": order.told["address_data"]}
        record |= {"files": len(order.parts), "doubts": order.told["doubts"], "total_mills": int(order.total)}
        record |= {"descending_mills": int(funds.balance), "lacking_mills": lacking}
        as_json({"batch": record | labels})
        return 0
    from towncircle.kernel.money import Mills

    rows: list[tuple[str, object]] = [
        ("pieces", f"{order.pieces:,}"),
        ("rows left out", order.told["rows_left_out"]),
        ("files", len(order.parts)),
        *_label_rows(labels),
        ("postage", order.total),
        ("in the device", funds.balance),
        *rows_of(order.told["address_data"]),
        *doubt_rows(order.told["doubts"]),
    ]
    table([*rows, ("lacking", Mills(lacking))] if lacking else rows)
    return 0


def _show(args: argparse.Namespace, journeys: Journeys, done: Sequence[Batched]) -> int:
    from towncircle.cli.main import EXIT_CODES
    from towncircle.kernel.money import Mills
    from towncircle.world.address_data import rows_of
    from towncircle.world.manifest import ERRORS

    left = _left(journeys, done)
    troubles = [trouble for one in done for trouble in one.troubles]
    if args.json:
        as_json(
            {"batches": [_record(one) for one in done], "descending_mills": int(left) if left is not None else None}
        )
        return EXIT_CODES[troubles[0].kind] if troubles else 0
    for one in done:
        body = one.batch.body
        rows: list[tuple[str, object]] = [
            ("batch", one.batch.key),
            ("pieces", f"{body['printed']:,}"),
            ("postage", Mills(body["spent"])),
            _went(args, one),
            *_label_rows(body),
            ("manifest", one.manifest),
            *rows_of(body.get("address_data", {})),
            *doubt_rows(body.get("doubts", {})),
        ]
        if body["rows_left_out"]:
            rows.append(("rows left out", f"{body['rows_left_out']:,}, named in {args.out / ERRORS}"))
        if body["refunded"]:
            rows.append(("sent in for a refund", f"{body['refunded']:,}, {Mills(body['refunded_mills'])} of it"))
        if one.left is not None:
            not_printed = body["count"] - body["printed"] - body["refunded"]
            rows.append(("not printed", f"{not_printed:,}, listed in {one.left}"))
        if body.get("lost"):
            rows.append(("lost with the device", f"{body['lost']:,} of them, {Mills(body['lost_mills'])} debited"))
        table([*rows, ("left in the device", left)] if left is not None else rows)
    for trouble in troubles:
        raise trouble  # the batch is done; a person must look at what came out
    return 0


def _went(args: argparse.Namespace, one: Batched) -> tuple[str, object]:
    """Say where the pages of a batch went."""
    body = one.batch.body
    count = len(body["parts"]) if one.left is None else "those that the manifest names"
    if body.get("printer"):
        return "printer", f"{body['printer']}, entries: {count}; how they stand: towncircle spool list {args.world}"
    return "files", f"{count} in {args.out}"


def _left(journeys: Journeys, done: Sequence[Batched]) -> Mills | None:
    """Give what the device of a batch holds, where it still tells."""
    from towncircle.kernel.errors import Refused
    from towncircle.kernel.ids import DeviceId

    try:
        return journeys.status_of(DeviceId(done[-1].batch.body["device"])).registers.descending
    except Refused:
        return None


def _record(one: Batched) -> dict[str, object]:
    body = one.batch.body
    return {
        "batch": one.batch.key,
        "state": body["state"],
        "pieces": body["printed"],
        "pieces_not_printed": body["count"] - body["printed"] - body["refunded"],
        "pieces_refunded": body["refunded"],
        "pieces_lost": body.get("lost", 0),
        "rows_left_out": body["rows_left_out"],
        "doubts": body.get("doubts", {}),
        "address_data": body.get("address_data", {}),
        "total_mills": body["spent"],
        **({"labels": body["labels"]} if "labels" in body else {}),
        "manifest": str(one.manifest),
        **({"printer": body["printer"]} if body.get("printer") else {}),
        "troubles": [trouble.as_dict() for trouble in one.troubles],
        "not_printed": str(one.left) if one.left is not None else "",
    }
