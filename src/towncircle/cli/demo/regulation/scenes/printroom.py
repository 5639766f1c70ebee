"""The print room (P050 1.5, 4.3): batches, label stocks, printers.

Mail room 29 prints a list as a batch, gives another up, prints on approved labels, and has a printer of its own.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import shows
from towncircle.cli.demo.regulation.town import refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.ids import JobId
from towncircle.licensee import printers
from towncircle.licensee.looks import Look
from towncircle.licensee.printers import Printer
from towncircle.mailpiece.templates import Template
from towncircle.world import batching, labels, printing, spooling
from towncircle.world.batching import Wish

if TYPE_CHECKING:
    from pathlib import Path

    from towncircle.cli.demo.regulation.town import Town
    from towncircle.world.journeys import Journeys

_STOCK, _PRINTER = "avery-5163", "desk"


class _CutOff(Exception):
    """Stands for a user who ends the program."""


def _ready(town: Town) -> Journeys:
    journeys = town.room(29)
    town.connect(journeys)
    town.fund(journeys)
    return journeys


def _list(town: Town, name: str) -> tuple[Wish, Path]:
    """Write a list of the town's people; give the wish to print it a piece a file, and an empty folder."""
    path = town.out / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("company", "street", "city", "state", "zip"))
        people = (one.address for one in town.recipients(3))
        rows.writerows((one.company, one.street, one.city, one.state, one.zip5) for one in people)
    return Wish(source=path, template=Template(name="town", pieces_per_file=1)), town.out / name


@shows(
    38,
    "A list is printed as a batch whose money is reserved before the first debit",
    "licensee batch.printed",
    "licensee batch.reserved",
    clause="P050 1.5",
)
def batch(town: Town) -> None:
    """Print a list."""
    done = batching.print_batch(_ready(town), *_list(town, "batch"))
    expect(done.batch.body["printed"] == 3, "the batch is not whole")


@shows(
    40,
    "An interrupted batch is given up: what was not printed is released",
    "licensee batch.given-up",
    clause="P050 1.5",
)
def given_up(town: Town) -> None:
    """End the program after the first part of a batch, and give the rest up."""
    journeys = _ready(town)
    names: list[str] = []

    def cut(what: str, count: int, _of: int) -> None:
        if (what, count) == (batching.PRINTING, 1):
            raise _CutOff

    wish, out = _list(town, "given-up")
    try:
        batching.print_batch(journeys, wish, out, progress=cut, reserved=lambda row: names.append(row.key))
    except _CutOff:
        ended = batching.give_up(journeys, names[0], out)
        expect(ended.batch.body["printed"] == 1, "more than the first part was printed")


@shows(
    44,
    "A label stock is approved, and labels of it are printed on",
    "licensee labels.received",
    "postal label.approved",
    clause="P050 4.3",
)
def on_labels(town: Town) -> None:
    """Print on the fourth label of an approved sheet."""
    labels.approve(town.world, stock=_STOCK, form="label2x4", reference="MTM-L-7")
    _print_labels(town)


@shows(
    49,
    "A label stock is withdrawn, and nothing is printed on it any more",
    "postal label.withdrawn",
    clause="P050 4.3",
)
def labels_withdrawn(town: Town) -> None:
    """Withdraw the stock; its labels are refused from the day on."""
    labels.withdraw(town.world, stock=_STOCK, reasons="The adhesive fails.")
    with refused("labels.not-approved"):
        _print_labels(town)


def _print_labels(town: Town) -> None:
    look = Look(stock=_STOCK, start=4)
    printing.print_job(_ready(town), town.recipients(1), town.out / "mail", formats=("pdf",), look=look)


@shows(
    55,
    "Pieces go to a printer: what came out is confirmed, what did not is spoiled and printed again",
    "licensee print.confirmed",
    "licensee print.spoiled",
    "licensee print.sent",
    "licensee print.queued",
    "licensee printer.tested",
    "licensee printer.kept",
    "licensee printer.removed",
    clause="P050 1.5",
)
def on_printer(town: Town) -> None:
    """Set a printer up, test it, print two pieces of which the second jams, print that again, and end."""
    journeys = _ready(town)
    tray = town.out / "tray"
    tray.mkdir(exist_ok=True)
    profile = Printer(name=_PRINTER, kind="folder", address=str(tray.resolve()))
    journeys.do(lambda ctx: printers.keep(ctx, printer=profile))
    spooling.print_test(journeys, _PRINTER)
    done = spooling.print_on(journeys, journeys.plan(town.recipients(2)), _PRINTER).entry.body
    spooling.decide(journeys, done["number"], pieces=(1,), came_out=True)
    spooling.decide(journeys, done["number"], pieces=(2,), came_out=False, reason="jammed")
    again = spooling.reprint_on(journeys, JobId(done["job"]), (2,), _PRINTER).entry.body
    spooling.decide(journeys, again["number"], came_out=True)
    journeys.do(lambda ctx: printers.remove(ctx, name=_PRINTER))
