"""What `towncircle print` can choose of the form of an indicium, and proofs (P050 4.5, 4.6, 4.11, 4.12).

Here: the arguments, the choice they make, what a correction is for, `--proof`. Not here: the command (`print`),
what may be chosen (`licensee.looks`).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from towncircle.cli.show import as_json, journeys_of, table

if TYPE_CHECKING:
    from datetime import date

    from towncircle.licensee.looks import Look
    from towncircle.licensee.pricing import Claim
    from towncircle.world.journeys import Journeys


LOOKS = ("zip", "branch", "month_only", "courtesy_reply", "marking", "proof", "overlay", "drawn_for")


def given(args: argparse.Namespace, names: Sequence[str]) -> list[str]:
    """Give those of some arguments that were given, as they are written."""
    return [f"--{name.replace('_', '-')}" for name in names if getattr(args, name)]


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
    group.add_argument("--proof", action="store_true", help="print marked proofs only; nothing is debited")
    group.add_argument("--overlay", action="store_true", help="--proof: show the zones that the rule reserves")


def proved(args: argparse.Namespace, day: date | None, claim: Claim) -> int:
    """Write proofs and say what the job would cost."""
    from towncircle.cli.print_rates import looked_up, recipients_told
    from towncircle.kernel.errors import Refused
    from towncircle.world.proofs import STEM, proof_job

    listed = recipients_told(args)
    if (args.out / f"{STEM}.pdf").exists():
        raise Refused("mailroom.out-taken", out=args.out)
    with journeys_of(args) as journeys:
        look = drawn_for(journeys, args, look_of(args))
        target, drawn, total = proof_job(
            journeys, looked_up(args, journeys, listed), args.out, day=day, look=look, claim=claim, zones=args.overlay
        )
    if args.json:
        as_json({"pdf": str(target), "pictures": [str(path) for path in drawn], "total_mills": int(total)})
    else:
        table([("proofs", len(drawn)), ("it would cost", total), ("file", target)])
    return 0


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
