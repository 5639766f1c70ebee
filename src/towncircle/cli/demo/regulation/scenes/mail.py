"""Money and mail (P050 3.5, 4.0, 502.25): deposits, resets, prints, corrections, reprints, scans, copies.

Mail rooms: 29 pieces that are mended (and `printroom`), 30 every form of payment, a reset without funds,
a line that goes dead. The rest is everybody's ordinary day (`Town.visit`).
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from towncircle.cli.demo.regulation.procedures import procedure, scene, shows
from towncircle.cli.demo.regulation.town import PROVIDER, refused
from towncircle.cli.demo.stage import expect
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.licensee import branches
from towncircle.licensee.corrections import Redate, Shortpaid
from towncircle.licensee.looks import Look
from towncircle.postal import branches as office
from towncircle.postal import delays
from towncircle.wire.bodies.forms import Facility
from towncircle.world import printing
from towncircle.world.notices import give_standing
from towncircle.world.supervising import by_officer

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.town import Town

_FORMS = ("ach-debit", "ach-credit", "wire", "debit-card", "credit-card", "check")
_PDF = ("pdf",)

procedure(
    "A reset is authorised, applied, posted and filed",
    "provider reset.posted",
    "provider reset.reserved",
    "licensee reset.received",
    "provider transaction.filed",
    "postal file.booked",
    "provider statement.given",
    clause="502.25(a), P050 3.5",
)
procedure(
    "A device is audited at a contact, and the audit is forwarded",
    "provider audit.taken",
    "postal audit.forwarded",
    clause="502.23, PRE-12",
)
procedure(
    "Pieces are printed",
    "licensee evidence.made",
    "licensee print.planned",
    "licensee print.handed-over",
    clause="P050 1.5",
)
procedure("A piece is scanned at a facility", "postal scan.recorded verdict=VALID", clause="502.8")

for _form in _FORMS:
    procedure(
        f"A deposit is made by {_form.replace('-', ' ')}",
        f"bank deposit.received form={_form}",
        f"provider deposit.credited form={_form}",
        f"licensee deposit.made form={_form}",
        "postal lockbox.reported",
        clause="P050 3.5(a), 502.25(c)",
    )


@scene(36)
def paid(town: Town) -> None:
    """Deposit by every form of payment."""
    journeys = town.room(30)
    for form in _FORMS:
        journeys.deposit(Mills.dollars(10), form=form)


@shows(
    37,
    "A reset without funds is refused",
    "provider reset.refused code=ledger.insufficient-funds",
    clause="P050 3.5, 502.25(a)",
)
def without_funds(town: Town) -> None:
    """Ask for more than the account holds."""
    journeys = town.room(30)
    town.connect(journeys)
    with refused("ledger.insufficient-funds"):
        journeys.reset(Mills.dollars(299))


@scene(42)
def line_lost(town: Town) -> None:
    """Lose the Provider's word on a reset that the device has applied."""
    journeys = town.room(30)
    town.connect(journeys)
    town.line.lose(PROVIDER, reply=2)
    with refused("transport.unreachable"):
        journeys.reset(Mills.dollars(5))


@shows(
    43,
    "A reset whose statement was lost is settled by the next contact",
    "licensee reset.received",
    "provider statement.given",
    clause="P050 3.5(c), 502.25(a)",
)
def settled(town: Town) -> None:
    """Settle what is open: the reset stands once, and its statement is given again."""
    journeys = town.room(30)
    before = journeys.status().resets_total
    told = journeys.settle()
    expect(told is not None, "no statement was given again")
    expect(journeys.status().resets_total == before, "the reset was applied twice")


@scene(32)
def printed_early(town: Town) -> None:
    """Print letters that are not mailed today."""
    journeys = town.room(29)
    town.connect(journeys)
    town.fund(journeys)
    town.notes["mended"] = town.print(journeys, 3).job.key


@shows(33, "The date of pieces is corrected (REDATE)", "licensee date.corrected", clause="P050 4.8")
def redated(town: Town) -> None:
    """Print the date corrections."""
    journeys = town.room(29)
    town.connect(journeys)
    order = Redate(job=JobId(town.notes["mended"]), mailing_date=journeys.today(), pieces=(1,))
    printing.redate_job(journeys, order, town.out / "mail", formats=_PDF)


@shows(34, "Missing postage is corrected", "licensee postage.corrected", clause="P050 4.7")
def corrected(town: Town) -> None:
    """Print the postage correction of a piece that weighs more than was thought."""
    journeys = town.room(29)
    town.connect(journeys)
    order = Shortpaid(
        job=JobId(town.notes["mended"]), mailing_date=journeys.today(), pieces=(2,), weight_oz=Fraction(3)
    )
    printing.correct_job(journeys, order, town.out / "mail", formats=_PDF)


@shows(35, "A jammed piece is printed again and counted", "licensee print.reprinted", clause="P050 1.5")
def reprinted(town: Town) -> None:
    """Print a piece again."""
    journeys = town.room(29)
    town.connect(journeys)
    printing.reprint_job(journeys, JobId(town.notes["mended"]), (3,), town.out / "mail", formats=_PDF)


@shows(39, "A copy is found at the facility", "postal scan.recorded verdict=DUPLICATE", clause="502.8")
def copied(town: Town) -> None:
    """Mail a piece, and its copy after it."""
    journeys = town.room(29)
    town.connect(journeys)
    town.fund(journeys)
    printed = town.print(journeys)
    (first,), (second,) = town.mail(printed), town.mail(printed)
    expect((first, second) == ("VALID", "DUPLICATE"), f"the scans are {first} and {second}")


@shows(
    46,
    "A local classified branch is approved, and a contract station is not",
    "licensee branch.answered outcome=approved",
    "postal branch.requested",
    "postal branch.approved",
    "postal branch.refused",
    clause="P050 4.5(b)",
)
def branches_decided(town: Town) -> None:
    """Ask for two branches; the post office finds one to be a contract station. Print the other."""
    journeys = town.room(29)
    asked: Facility = "classified-branch"
    kept: list[str] = []
    for name, facility in (("UNION HEIGHTS", asked), ("UNION STATION", "contract-station")):
        row = journeys.do(partial(branches.request, name=name, state="MD", facility=asked))
        told = {"number": row.body["license"], "branch": name, "facility": facility, "reasons": "Found on the spot."}
        act = "postmaster approve" if facility == asked else "postmaster refuse"
        decide = partial(office.decide, approve=facility == asked, notify=give_standing, **told)
        by_officer(town.world, decide, by="postmaster", act=act)
        kept.append(journeys.do(partial(branches.ask, name=name)).body["outcome"])
    expect(kept == ["approved", "refused"], f"the branches are {kept}")
    town.connect(journeys)
    town.fund(journeys)
    look = Look(place="branch", branch="UNION HEIGHTS")
    printed = printing.print_job(journeys, town.recipients(1), town.out / "mail", formats=_PDF, look=look)
    expect(printed.job.body["look"]["place"]["branch"] == "UNION HEIGHTS", "the branch is not shown")


@shows(47, "A mailing is found unavoidably delayed", "postal mailing.delay-found", clause="P050 4.6")
def delayed(town: Town) -> None:
    """Have the postmaster find that the pieces of a month were delayed before deposit."""
    device = town.room(29).device
    month = f"{town.world.clock.now().date_in('UTC'):%Y-%m}"
    found = partial(delays.find, device=device, month=month, reasons="A flood.", rules=town.world.rules)
    by_officer(town.world, found, by="postmaster", act="postmaster delay")
