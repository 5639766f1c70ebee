"""`towncircle price`: what a piece of First-Class Mail costs, and why.

Here: the command's arguments and its text. Not here: prices (`towncircle.mailpiece.rates`).
"""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from towncircle.mailpiece.rates import Price, PriceRequest, Step

_EPILOG = """\
examples:
  towncircle price --weight 1oz                               a metered letter, today
  towncircle price --shape flat --weight 3.2oz --on 2026-08-01
  towncircle price --weight 2oz --on 1998-09-02               two ounces in 1998
Prices come from dated tables with their sources; a price that no source gives is refused (exit 3), never guessed."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "price",
        help="what a piece costs on a date, with its explanation",
        description="Price one piece of single-piece First-Class Mail and explain the price step by step.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--class", dest="mail_class", default="first", metavar="CLASS", help="mail class: first")
    parser.add_argument("--shape", default="letter", metavar="SHAPE", help="letter, flat or card (default: letter)")
    parser.add_argument("--weight", required=True, metavar="WEIGHT", help="such as 1oz, 2.5 oz, 0.1lb or 28g")
    parser.add_argument("--type", dest="price_type", default="metered", metavar="TYPE", help="metered, stamped, retail")
    parser.add_argument("--on", metavar="DATE", help="date of mailing, such as 2026-11-21 (default: today)")
    parser.add_argument("--nonmachinable", action="store_true", help="add the surcharge of a nonmachinable letter")
    parser.add_argument("--json", action="store_true", help="print JSON with stable keys")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Price the piece and print the explanation."""
    import json

    from towncircle.mailpiece.rates import PriceRequest, price
    from towncircle.mailpiece.weights import parse_weight

    request = PriceRequest(
        mail_class=args.mail_class,
        shape=args.shape,
        price_type=args.price_type,
        weight_oz=parse_weight(args.weight),
        on=day_of(args.on),
        nonmachinable=args.nonmachinable,
    )
    found = price(request)
    print(json.dumps(_record(request, found), ensure_ascii=False, indent=2) if args.json else _text(request, found))
    return 0


def day_of(text: str | None) -> date:
    """Read a date; none is today. Raises `BadInput` (time.unreadable)."""
    from towncircle.kernel.errors import BadInput

    if text is None:
        return datetime.now(UTC).astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("time.unreadable", text=text[:40]) from error


def _text(request: PriceRequest, found: Price) -> str:
    from towncircle.mailpiece.rates import describe_category
    from towncircle.mailpiece.weights import show_weight

    title = f"{describe_category(found.category)}, {show_weight(request.weight_oz)}, mailed {request.on.isoformat()}"
    lines = [title, ""]
    width = max(len(step.text) for step in found.steps if step.amount is not None)
    width = max(width, len("Postage"))
    for step in found.steps:
        if step.amount is None:
            continue
        lines.append(f"  {step.text:<{width}}  {step.amount!s:>8}   {_sureness(step)}")
        lines.append(f"  {'':<{width}}  {'':>8}   {step.url}")
    lines += [f"  {'':-<{width}}  {'':->8}", f"  {'Postage':<{width}}  {found.amount!s:>8}", ""]
    lines += [f"  Note: {step.text}." for step in found.steps if step.amount is None]
    lines += [f"  Note: {step.note}." for step in found.steps if step.amount is not None and step.note]
    lines.append(
        f"  Table {found.table}, in force {found.in_force_from.isoformat()} to {found.in_force_through.isoformat()}; "
        f"category {found.category}; confidence {found.confidence}."
    )
    return "\n".join(lines)


def _sureness(step: Step) -> str:
    return f"{step.status}, confidence {step.confidence}, {step.source}"


def _record(request: PriceRequest, found: Price) -> dict[str, object]:
    return {
        "amount_mills": int(found.amount),
        "amount": str(found.amount),
        "category": found.category,
        "mail_class": request.mail_class,
        "shape": request.shape,
        "price_type": request.price_type,
        "weight_oz": str(request.weight_oz),
        "on": request.on.isoformat(),
        "nonmachinable": request.nonmachinable,
        "table": found.table,
        "in_force_from": found.in_force_from.isoformat(),
        "in_force_through": found.in_force_through.isoformat(),
        "confidence": found.confidence,
        "derived": found.derived,
        "steps": [
            {
                "text": step.text,
                "amount_mills": None if step.amount is None else int(step.amount),
                "status": step.status,
                "confidence": step.confidence,
                "source": step.source,
                "url": step.url,
                "note": step.note,
            }
            for step in found.steps
        ],
    }
