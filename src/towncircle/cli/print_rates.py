"""What `towncircle print` is told of the list and of the rate: its columns, the claim, prices that are less than sure.

Here: those arguments and what they mean. Not here: the command (`print`), batches (`print_batch`), prices
(`licensee.pricing`).
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from towncircle.licensee.pricing import Claim
    from towncircle.mailpiece.address_files import Recipient
    from towncircle.world.journeys import Journeys

_USUAL: tuple[object, ...] = ("first", "metered", "", "", "", [], False, None, None)
_LIST = ("map", "encoding", "divider", "sheet", "standard")


def list_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how a list of addresses is read, the same as those of `addresses check`."""
    group = parser.add_argument_group("how the list of --addresses is read (towncircle addresses check tries it)")
    group.add_argument("--map", action="append", default=[], metavar="OURS=HEADING,...", help="which heading is which")
    group.add_argument("--encoding", default="", metavar="NAME", help="of a CSV file (default: as its bytes tell)")
    group.add_argument("--divider", default="", metavar="MARK", help="of a CSV file: , ; | or tab (default: as it is)")
    group.add_argument("--sheet", default="", metavar="NAME", help="of a workbook (default: the first that is shown)")
    group.add_argument("--standard", action="store_true", help="put addresses into the form of Publication 28")


def rate_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that claim a rate."""
    rate = parser.add_argument_group("the rate claimed for the pieces of --addresses ('towncircle price' explains it)")
    rate.add_argument("--class", dest="mail_class", default="first", metavar="CLASS", help="mail class (first)")
    rate.add_argument(
        "--type", default="metered", metavar="TYPE", help="price type: metered (default), commercial, ..."
    )
    rate.add_argument(
        "--zone", default="", metavar="ZONE", help="the zone where all pieces have the same (default: each its own)"
    )
    rate.add_argument(
        "--zone-reason", default="", metavar="TEXT", help="why a zone holds although an estimate gives a dearer one"
    )
    rate.add_argument("--presort", default="", metavar="LEVEL", help="presort level, for Standard Mail")
    rate.add_argument("--mailing-pieces", type=int, metavar="N", help="pieces of the presort mailing, as declared")
    rate.add_argument("--extra", action="append", default=[], metavar="SERVICE", help="an extra service of all pieces")
    rate.add_argument("--insured-value", metavar="AMOUNT", help="declared value, for --extra insurance")
    rate.add_argument("--nonmachinable", action="store_true", help="all pieces pay the nonmachinable surcharge")
    parser.add_argument(
        "--accept-low-confidence", action="store_true", help="pay prices of low confidence, also by estimated zones"
    )


def check_rate_arguments(args: argparse.Namespace, *, another: bool) -> None:
    """Refuse what the chosen form does not heed. Raises `BadInput` (cli.argument-astray)."""
    from towncircle.kernel.errors import BadInput

    claimed = (args.mail_class, args.type, args.zone, args.zone_reason, args.presort, args.extra, args.nonmachinable)
    if (*claimed, args.insured_value, args.mailing_pieces) != _USUAL and another:
        told = "--class, --type, --zone, --zone-reason, --presort, --extra, --insured-value, --mailing-pieces"
        told += ", --nonmachinable"
        raise BadInput("cli.argument-astray", arguments=told, needs="a new job; a correction keeps its rate")
    if args.accept_low_confidence and another and args.correct is None:
        raise BadInput("cli.argument-astray", arguments="--accept-low-confidence", needs="a new job, or --correct JOB")
    stray = [f"--{name}" for name in _LIST if getattr(args, name)]
    if stray and args.addresses is None:
        needs = "--addresses FILE; a batch has its columns in its template"
        raise BadInput("cli.argument-astray", arguments=", ".join(stray), needs=needs)


def claim_told(args: argparse.Namespace) -> Claim:
    """Say the class of mail and the rate that are claimed for the pieces (P050 5.1)."""
    from towncircle.kernel.errors import BadInput
    from towncircle.kernel.money import Mills
    from towncircle.licensee.corrections import check_reason
    from towncircle.licensee.pricing import Claim
    from towncircle.mailpiece.rates import MAIL_CLASSES, PRICE_TYPES

    kind = next((known for known in PRICE_TYPES if known == args.type), None)
    if kind is None:
        raise BadInput("rates.unknown-type", text=args.type[:20])
    if args.mail_class not in MAIL_CLASSES:
        raise BadInput("rates.unknown-class", text=args.mail_class[:20])
    check_reason(args.zone_reason)
    return Claim(
        mail_class=args.mail_class,
        price_type=kind,
        zone=args.zone,
        zone_reason=args.zone_reason,
        level=args.presort,
        extras=tuple(args.extra),
        nonmachinable=args.nonmachinable,
        declared_value=Mills.parse(args.insured_value) if args.insured_value is not None else None,
        mailing_pieces=args.mailing_pieces,
        accept_low=args.accept_low_confidence,
    )


def recipients_told(args: argparse.Namespace) -> tuple[Recipient, ...]:
    """Give the addresses that come with the program, or see that a list can be read, of which `looked_up` reads all.

    Raises `BadInput` (addresses.*) for a file that cannot be used.
    """
    from towncircle.mailpiece.address_files import open_addresses, public_addresses

    if args.addresses is None:
        return public_addresses()
    open_addresses(args.addresses, **_reading(args))
    return ()


def _reading(args: argparse.Namespace) -> dict[str, Any]:
    """Say how a list is read."""
    from towncircle.mailpiece.address_columns import parse_map

    return {
        "chosen": parse_map(args.map),
        "encoding": args.encoding,
        "divider": "\t" if args.divider == "tab" else args.divider[:1],
        "sheet": args.sheet,
        "standardise": args.standard,
    }


def looked_up(args: argparse.Namespace, journeys: Journeys, listed: tuple[Recipient, ...]) -> tuple[Recipient, ...]:
    """Read the rows of a list by the address data in use; the program's own addresses (`listed`) are as they are.

    Raises `RefusedOnGrounds` (addresses.faulty-rows) and, for a job that is paid, as `address_data.use`.
    """
    from towncircle.mailpiece.address_files import read_addresses
    from towncircle.world import address_data

    if args.addresses is None:
        return listed
    day, reason = day_told(args), args.old_data or ""
    if args.proof:
        address_data.check(journeys, day=day, reason=reason)
    else:
        address_data.use(journeys, day=day or journeys.today(), reason=reason)
    with address_data.source_of(journeys) as data:
        return read_addresses(args.addresses, data=data, **_reading(args))


def day_told(args: argparse.Namespace) -> date | None:
    """Give the mailing date that was said, or None. Raises `BadInput` (time.unreadable)."""
    from datetime import date

    from towncircle.kernel.errors import BadInput

    try:
        return date.fromisoformat(args.on) if args.on is not None else None
    except ValueError as error:
        raise BadInput("time.unreadable", text=args.on[:40]) from error


def warn_of_doubts(found: Mapping[str, int]) -> None:
    """Say on the error stream how many prices are less than sure; nothing where none is."""
    from towncircle.licensee.pricing import in_words

    if told := in_words(found):
        sys.stderr.write(f"warning: prices that are less than sure: {told} ('towncircle price --explain' says why)\n")


def doubt_rows(found: Mapping[str, int]) -> list[tuple[str, object]]:
    """Give the row that tells of doubtful prices, none where there is none."""
    from towncircle.licensee.pricing import in_words

    told = in_words(found)
    return [("prices less than sure", told)] if told else []
