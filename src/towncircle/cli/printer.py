"""`towncircle printer`: the printers of a licensee: add, list, test, remove."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towncircle.cli.show import as_json, journeys_of, table, world_argument

if TYPE_CHECKING:
    from fractions import Fraction

    from towncircle.licensee.printers import Printer

_EPILOG = """\
examples:
  towncircle printer add my-world desk --folder /var/spool/envelopes      PDF files into a spool folder
  towncircle printer add my-world office --lp Envelopes --form no10       a queue of the system's print service
  towncircle printer add my-world labels --raw 10.0.0.9 --zpl --dpi 203   a label printer, port 9100
  towncircle printer test my-world labels                                 a page without postage
  towncircle printer calibrate my-world desk                              the page to measure, then what it measures:
  towncircle printer calibrate my-world desk --measured 25.9,25.1,190.5,54.0
  towncircle print my-world --printer desk
A printer that is added again gets the new profile. The shifts and scales come from its calibration page."""


def add(subparsers: Any) -> None:
    """Register the command and its verbs."""
    parser = subparsers.add_parser(
        "printer",
        help="printers: add, list, test, remove",
        description="Printers of a licensee: a spool folder, a queue of the system's lp (CUPS, IPP), or a raw TCP "
        "printer (port 9100); with PDF, or with ZPL for label printers.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    keep = verbs.add_parser("add", help="add a printer, or give one another profile")
    world_argument(keep)
    keep.add_argument("name", metavar="NAME", help="small letters, digits and hyphens")
    way = keep.add_mutually_exclusive_group(required=True)
    way.add_argument("--folder", type=Path, metavar="PATH", help="a spool folder that something else empties")
    keep.add_argument("--new-folder", action="store_true", help="with --folder: it is another folder at the same place")
    way.add_argument("--lp", metavar="QUEUE", help="a queue of the system's print service")
    way.add_argument("--raw", metavar="HOST[:PORT]", help="a printer that takes its language over TCP (port 9100)")
    keep.add_argument("--zpl", action="store_true", help="it speaks ZPL (default: PDF)")
    keep.add_argument("--native", action="store_true", help="with --zpl: symbols by the printer's own commands")
    keep.add_argument(
        "--dpi", type=int, default=300, metavar="N", help="its dots of an inch: 203, 300 (default) or 600"
    )
    keep.add_argument(
        "--form", default="", metavar="FORM", help="the form that lies in it, such as no10 (default: any)"
    )
    keep.add_argument("--shift-x", default="0", metavar="MM", help="move what is printed to the right")
    keep.add_argument("--shift-y", default="0", metavar="MM", help="move what is printed down")
    keep.add_argument(
        "--scale-x", default="1", metavar="N", help="of a ZPL head: make it so much wider, such as 1.0025"
    )
    keep.add_argument("--scale-y", default="1", metavar="N", help="of a ZPL head: make it so much higher")
    keep.add_argument("--option", action="append", default=[], metavar="O", help="for lp: media=..., print-quality=...")
    keep.set_defaults(run=_add)
    show = verbs.add_parser("list", help="list the printers")
    world_argument(show)
    show.set_defaults(run=_list)
    for name, run, words in (
        ("test", _test, "print a page without postage"),
        ("calibrate", _calibrate, "print the page to measure, or enter what was measured"),
        ("remove", _remove, "take a printer out of use"),
    ):
        verb = verbs.add_parser(name, help=words)
        world_argument(verb)
        verb.add_argument("name", metavar="NAME", help="the printer")
        if name == "calibrate":
            verb.add_argument("--out", type=Path, metavar="FILE.pdf", help="write the page instead of printing it")
            verb.add_argument("--measured", metavar="L,T,A,D", help="LEFT,TOP,ACROSS,DOWN of the page in millimetres")
        verb.set_defaults(run=run)


def _add(args: argparse.Namespace) -> int:
    from towncircle.licensee import printers
    from towncircle.mailpiece.geometry import form
    from towncircle.world.spooling import add_printer

    if args.form:
        form(args.form)  # an unknown one is refused by its own error
    kind = "folder" if args.folder is not None else "lp" if args.lp is not None else "raw"
    address = str(args.folder.absolute()) if args.folder is not None else args.lp if args.lp is not None else args.raw
    printer = printers.Printer(
        name=args.name,
        kind=kind,  # type: ignore[arg-type]  # one of the three, two lines above
        address=address,
        language="zpl" if args.zpl else "pdf",
        dpi=args.dpi,
        form=args.form,
        shift_x=_units(args.shift_x),
        shift_y=_units(args.shift_y),
        scale_x=_scale(args.scale_x),
        scale_y=_scale(args.scale_y),
        native=args.native,
        options=tuple(args.option),
    )
    with journeys_of(args) as journeys:
        printer = add_printer(journeys, printer, new_folder=args.new_folder)
    return _told([printer], json=args.json)


def _units(text: str) -> int:
    from fractions import Fraction

    from towncircle.mailpiece.geometry import INCH

    return round(_number(text, "shift") * INCH / Fraction(254, 10))


def _scale(text: str) -> int:
    from towncircle.licensee.printers import TRUE_SCALE

    return round(_number(text, "scale") * TRUE_SCALE)


def _number(text: str, part: str) -> Fraction:
    from decimal import Decimal, InvalidOperation
    from fractions import Fraction

    from towncircle.kernel.errors import BadInput

    try:
        if len(text) < 16:
            return Fraction(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise BadInput("printer.unfit", part=part, text=text[:40])


def _list(args: argparse.Namespace) -> int:
    from towncircle.licensee import printers

    with journeys_of(args) as journeys, journeys.world.store(journeys.licensee).reading() as view:
        held = printers.all_of(view)
    return _told(held, json=args.json)


def _test(args: argparse.Namespace) -> int:
    from towncircle.world.spooling import print_test

    with journeys_of(args) as journeys:
        reference = print_test(journeys, args.name)
    if args.json:
        as_json({"printer": args.name, "reference": reference})
    else:
        table([("printer", args.name), ("handed over", reference or "yes")])
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    from towncircle.licensee import printers
    from towncircle.mailpiece.calibration import calibrate, calibration_page, measured
    from towncircle.mailpiece.geometry import form
    from towncircle.paper.pdf import to_pdf
    from towncircle.world.spooling import print_test

    with journeys_of(args) as journeys:
        with journeys.world.store(journeys.licensee).reading() as view:
            printer = printers.printer_of(view, args.name)
        piece = form(printer.form or "no10")
        if args.measured is not None:
            found = calibrate(piece, measured(args.measured), dpi=printer.dpi)
            printer = printers.calibrated(printer, found)
            journeys.do(lambda ctx: printers.keep(ctx, printer=printer))
            return _told([printer], json=args.json)
        if args.out is not None:
            args.out.write_bytes(to_pdf([calibration_page(piece, name=printer.name, dpi=printer.dpi)]))
            handed = str(args.out)
        else:
            handed = print_test(journeys, args.name, calibration=True)
    if args.json:
        as_json({"printer": args.name, "page": handed})
    else:
        table([("printer", args.name), ("page", handed or "printed")])
    return 0


def _remove(args: argparse.Namespace) -> int:
    from towncircle.licensee import printers

    with journeys_of(args) as journeys:
        journeys.do(lambda ctx: printers.remove(ctx, name=args.name))
    as_json({"printer": args.name, "removed": True}) if args.json else print(f"{args.name} is out of use.")
    return 0


def _told(held: list[Printer], *, json: bool) -> int:
    from dataclasses import asdict

    if json:
        as_json({"printers": [asdict(printer) for printer in held]})
        return 0
    for printer in held:
        table(
            [
                ("printer", printer.name),
                ("way", f"{printer.kind} {printer.address}"),
                ("language", f"{printer.language}, {printer.dpi} dots an inch"),
                ("form", printer.form or "any"),
                ("shift", f"{_mm(printer.shift_x)} right, {_mm(printer.shift_y)} down"),
            ]
        )
    if not held:
        print("There is no printer yet: towncircle printer add DIR NAME --folder PATH")
    return 0


def _mm(units: int) -> str:
    return f"{units * 254 / 720_000:.2f} mm"
