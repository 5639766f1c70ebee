"""What `towncircle print` can choose of the form of an indicium, and proofs (P050 4.5, 4.6, 4.11, 4.12).

Here: the arguments, the choice they make, what a correction is for, `--proof`. Not here: the command (`print`),
what may be chosen (`licensee.looks`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from towncircle.cli.show import as_json, journeys_of, table

if TYPE_CHECKING:
    from datetime import date

    from towncircle.kernel.store import Record
    from towncircle.licensee.looks import Look
    from towncircle.licensee.pricing import Claim
    from towncircle.world.journeys import Journeys
    from towncircle.world.proofs import Proof


LOOKS = ("zip", "branch", "month_only", "courtesy_reply", "marking", "proof", "overlay", "drawn_for")

OF_FILES = ("svg", "drawn_for")  # what a printer's own profile says instead


def given(args: argparse.Namespace, names: Sequence[str]) -> list[str]:
    """Give those of some arguments that were given, as they are written."""
    return [f"--{name.replace('_', '-')}" for name in names if getattr(args, name)]


def looks_given(args: argparse.Namespace) -> list[str]:
    """Give what was chosen of the form of a new job; a proof may also be of a correction.

    Raises `BadInput` (cli.argument-astray) for an overlay or a proof of what is paid, and for files on a printer.
    """
    from towncircle.kernel.errors import BadInput

    if args.overlay and not args.proof:
        overlay_astray()
    if args.proof and (args.resume or args.reprint is not None):
        raise BadInput("cli.argument-astray", arguments="--proof", needs="what is not paid yet")
    if args.proof and args.printer is not None and (stray := given(args, OF_FILES)):
        raise BadInput("cli.argument-astray", arguments=", ".join(stray), needs="--out DIR")
    return [one for one in given(args, LOOKS) if one not in ("--proof", "--overlay")]


def overlay_astray() -> NoReturn:
    """Refuse to draw zones on postage. Raises `BadInput` (cli.argument-astray)."""
    from towncircle.kernel.errors import BadInput

    raise BadInput("cli.argument-astray", arguments="--overlay", needs="--proof; no postage bears it")


def look_arguments(group: Any) -> None:
    """Add the arguments that choose the form."""
    place = group.add_mutually_exclusive_group()
    place.add_argument("--zip", action="store_true", help="show Mailed From ZIP Code and the sender's ZIP Code")
    place.add_argument("--branch", metavar="NAME", help="show this approved local classified branch")
    group.add_argument("--month-only", action="store_true", help="show month and year alone (Standard Mail)")
    group.add_argument("--courtesy-reply", action="store_true", help="a courtesy reply envelope: FIM A (P050 4.12)")
    group.add_argument("--marking", action="store_true", help="print the marking of the class instead of art")
    group.add_argument(
        "--proof", action="store_true", help="marked proofs only, of a job, batch or correction; nothing is debited"
    )
    group.add_argument("--overlay", action="store_true", help="--proof: show the zones that the rule reserves")


def proved(args: argparse.Namespace, day: date | None, pieces: tuple[int, ...], claim: Claim) -> int:
    """Write proofs, of a job or of a correction, or hand them to a printer, and say what the job would cost."""
    from towncircle.kernel.errors import Refused
    from towncircle.kernel.money import Mills
    from towncircle.world import proofs

    draft = _drafter(args, day, pieces, claim)
    if args.out is not None and (args.out / f"{proofs.STEM}.pdf").exists():
        raise Refused("mailroom.out-taken", out=args.out)
    with journeys_of(args) as journeys:
        record = draft(journeys)
        if args.out is None:
            reference = proofs.hand_over(journeys, record, args.printer, zones=args.overlay)
            count, total = len(record.body["pieces"]), Mills(record.body["total"])
            told: dict[str, object] = {"printer": args.printer, "reference": reference, "proofs": count}
            rows: list[tuple[str, object]] = [("proofs", count), ("it would cost", total), ("printer", args.printer)]
            if args.json:
                as_json({**told, "total_mills": int(total)})
            else:
                table(rows)
            return 0
        done = proofs.write(journeys, record, args.out, zones=args.overlay)
    return proofs_told(done, json=args.json)


def proofs_told(done: Proof, *, json: bool) -> int:
    """Say which proofs were written and what the pieces would cost."""
    if json:
        told: dict[str, object] = {"pdf": str(done.pdfs[0]), "pdfs": [str(path) for path in done.pdfs]}
        as_json({**told, "pictures": [str(path) for path in done.pictures], "total_mills": int(done.total)})
    else:
        rows: list[tuple[str, object]] = [("proofs", done.pieces), ("it would cost", done.total)]
        more = f" and {len(done.pdfs) - 1} more" if len(done.pdfs) > 1 else ""
        table([*rows, ("file", f"{done.pdfs[0]}{more}")])
    return 0


def _drafter(
    args: argparse.Namespace, day: date | None, pieces: tuple[int, ...], claim: Claim
) -> Callable[[Journeys], Record]:
    """Read what is to be proved, before the world is opened, and give the call that works it out."""
    from towncircle.cli.print_rates import looked_up, recipients_told
    from towncircle.kernel.ids import JobId
    from towncircle.world import proofs

    named = args.redate if args.redate is not None else args.correct
    job = None if named in (None, "last") else JobId.parse(named)
    if args.redate is not None:
        return lambda journeys: proofs.of_redate(journeys, job or journeys.last_job(), day=day, pieces=pieces)
    if args.correct is not None:
        told = shortpaid_of(args)
        return lambda journeys: proofs.of_correction(
            journeys, job or journeys.last_job(), day=day, pieces=pieces, told=told
        )
    listed, look = recipients_told(args), look_of(args)
    return lambda journeys: proofs.of_new(
        journeys,
        looked_up(args, journeys, listed),
        day=day,
        look=drawn_for(journeys, args, look),
        claim=claim,
    )


def look_of(args: argparse.Namespace) -> Look:
    """Read the form of the indicium."""
    from towncircle.kernel.money import Mills
    from towncircle.licensee.looks import Look

    told: dict[str, Any] = {"month_only": args.month_only, "reply": args.courtesy_reply, "marking": args.marking}
    told["form"] = args.form or ""
    told["stock"], told["start"] = args.stock or "", 1 if args.start is None else args.start
    told["each"] = Mills.parse(args.each) if args.each is not None else None
    if args.branch is not None:
        return Look(place="branch", branch=args.branch, **told)
    return Look(place="zip" if args.zip else "office", **told)


def drawn_for(journeys: Journeys, args: argparse.Namespace, look: Look) -> Look:
    """Give a look whose files are drawn for the printer that was named, if one was. Raises `Refused`, `BadInput`."""
    from dataclasses import replace

    from towncircle.licensee.printers import drawn, printer_of

    if args.drawn_for is None:
        return look
    with journeys.world.store(journeys.licensee).reading() as view:
        return replace(look, drawn=drawn(printer_of(view, args.drawn_for)))


def shortpaid_of(args: argparse.Namespace) -> dict[str, Any]:
    """Read what a postage correction is for, as arguments of `corrections.Shortpaid`."""
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.money import Mills
    from towncircle.mailpiece.rates import SHAPES
    from towncircle.mailpiece.weights import parse_weight

    if args.shape is not None and args.shape not in SHAPES:
        raise BadInput("rates.unknown-shape", text=args.shape[:40])
    if args.due is not None and (args.weight is not None or args.shape is not None):
        raise BadInput("cli.argument-astray", arguments="--weight, --shape", needs="a price; --due gives it already")
    return {
        "weight_oz": parse_weight(args.weight) if args.weight is not None else None,
        "shape": args.shape,
        "due": Mills.parse(args.due) if args.due is not None else None,
        "amount": Mills.parse(args.amount) if args.amount is not None else None,
        "reason": args.reason or "",
        "stock": args.stock or "",
        "accept_low": args.accept_low_confidence,
    }
