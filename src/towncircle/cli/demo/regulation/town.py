"""The town of the simulated year: one Provider, its mail rooms, and what they do on an ordinary day.

Here: the parties' everyday business, and what the scenes share. Not here: the calendar (`year`), the scenes.
Kept: everything goes by the journeys that the commands walk; what a scene must know later is kept in `notes`, so that
an interrupted year is taken up where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from towncircle.cli.demo.stage import UnexpectedError
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness, below
from towncircle.mailpiece.address_files import Recipient, public_addresses
from towncircle.paper import png
from towncircle.rules.offices import acts_of_office, grant
from towncircle.world import verifying
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.missing import at_provider
from towncircle.world.printing import Printed, print_job
from towncircle.world.quality import send
from towncircle.world.verifying import Mark

if TYPE_CHECKING:
    from towncircle.cli.demo.regulation.line import Line
    from towncircle.kernel.context import Steps
    from towncircle.kernel.facts import Fact
    from towncircle.kernel.store import Record
    from towncircle.psd.commands import StatusReport
    from towncircle.verification import Observed, Verdict
    from towncircle.wire.bodies import QualityFinding
    from towncircle.world.world import World

PROVIDER = "provider.harbor"
STORIES, MOST_ROOMS = 40, 99  # the stories of the scenes have a mail room each; a telephone number ends the list
EARLIER, LATER = 39, 40  # mail rooms: one of an earlier rule set, one that comes when the year has begun
FORWARD_NONE = (11, 12)  # mail rooms that forward no quality piece of their own accord
_PIECE_DAYS = 140  # from piece to piece: well within the six months of 502.26
_DEPOSIT, _RESET, _LOW = Mills.dollars(120), Mills.dollars(40), Mills.dollars(15)
# who acts beside the persons of the sandbox, who are named as their offices
_PEOPLE = {
    POSTAL: {"olaf": ("mats", "accounting"), "mtm": ("manager-mtm",), "director": ("manager-mtm",)},
    PROVIDER: {
        "ann": ("accounts", "refund-clerk"),
        "ben": ("accounts", "refund-certifier"),
        "cleo": ("refund-clerk",),
        "officer-17": ("crypto-officer",),
        "officer-23": ("examiner",),
    },
}
# post offices in six zones, with a telephone of the mail room there
_OFFICES = (
    ("20260", "Washington", "DC"),
    ("60604", "Chicago", "IL"),
    ("80202", "Denver", "CO"),
    ("90012", "Los Angeles", "CA"),
    ("99501", "Anchorage", "AK"),
    ("96813", "Honolulu", "HI"),
    ("30303", "Atlanta", "GA"),
    ("85003", "Phoenix", "AZ"),
)


Apart: TypeAlias = Callable[[Callable[[Path], object]], "World"]  # see `Town.apart`


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Say how large the year is: mail rooms, days, visits of a mail room in the year, days from round to round."""

    licensees: int = 50
    days: int = 365
    visits: int = 12
    step: int = 1


class Town:
    """Hold the world of the year on one of its days."""

    def __init__(self, world: World, pace: Pace, notes: dict[str, str], out: Path, line: Line, *, apart: Apart) -> None:
        self.world, self.pace, self.notes, self.out, self.line = world, pace, notes, out, line
        self._apart = apart
        self.connected: set[str] = set()
        self._people = public_addresses()

    def room(self, number: int) -> Journeys:
        """Give the journeys of a mail room, counted from 1."""
        return Journeys(self.world, name_of(number))

    def apart(self, job: Callable[[Path], object]) -> None:
        """Do to the world's folder what is done to a world that nobody has open, and open it again."""
        self.world = self._apart(job)

    # ---- opening a mail room

    def applicant(self, number: int) -> Applicant:
        """Give the Form 3601-A data of a mail room."""
        zip_code, city, state = _OFFICES[number % len(_OFFICES)]
        return Applicant(
            name=f"Mail Room {number}",
            street=f"{number} Federal Plaza",
            city=city,
            state=state,
            zip=zip_code,
            telephone=f"202-555-01{number:02d}",
            office_zip=zip_code,
            device_location=f"Mail room {number}, ground floor",
        )

    def open(self, number: int) -> Journeys:
        """License a mail room, lease it a device and set it."""
        journeys = self.room(number)
        journeys.apply(self.applicant(number), provider=PROVIDER)
        self.equip(journeys)
        return journeys

    def equip(self, journeys: Journeys) -> None:
        """Lease a device under the license held, and set it."""
        journeys.lease()
        journeys.deposit(_DEPOSIT)
        self.connect(journeys)
        journeys.reset(_RESET)

    # ---- an ordinary day

    def visits_on(self, day: int) -> Iterator[int]:
        """Name the mail rooms that work on a day: chosen by the seed, each as often in the year as the pace says."""
        every = max(1, self.pace.days // self.pace.visits)
        seed = self.world.config.seed or 0
        for number in range(1, self.pace.licensees + 1):
            shift = below(SeededRandomness(seed, f"visits {number} {day // every}"), every)
            if day % every == shift:
                yield number

    def visit(self, number: int) -> None:
        """Work in a mail room for a day: connect, set what is missing, print, have a piece scanned at the facility."""
        if name_of(number) not in self.world.config.licensees:
            return  # it comes later
        journeys = self.room(number)
        if not self.works(journeys):
            return
        self.connect(journeys)
        self.fund(journeys)
        if number not in FORWARD_NONE:
            self._piece_in_time(journeys)
        printed = self.print(journeys, 1 + number % 2)
        if number % 3 == 0:
            self.mail(printed)

    def _piece_in_time(self, journeys: Journeys) -> None:
        """Forward a quality piece where the last one, or the lease, is some months old."""
        since = self._own(journeys, "quality-piece.forwarded", "lease.confirmed")
        if since and self.world.clock.now() >= since[-1].occurred_at.plus(days=_PIECE_DAYS):
            self.quality_piece(journeys)

    def _own(self, journeys: Journeys, *kinds: str) -> list[Fact]:
        with self.world.store(journeys.licensee).reading() as view:
            return [fact for fact in view.facts() if fact.type in kinds]

    def works(self, journeys: Journeys) -> bool:
        """Tell whether a mail room has a device in use."""
        with self.world.store(journeys.licensee).reading() as view:
            if not view.find("device"):
                return False
        row = self.device_row(journeys)
        return row.body["custody"] == "leased" and not self.notes.get(f"rests {journeys.licensee}")

    def rests(self, journeys: Journeys, *, until_told: bool = True) -> None:
        """Leave a mail room's device alone, as a mail room that is closed does, until told otherwise."""
        self.notes[f"rests {journeys.licensee}"] = "yes" if until_told else ""

    def before(self, journeys: Journeys) -> None:
        """Print on the eve what is looked at in the year, and rest."""
        self.notes["earlier pieces"] = " ".join(self.print(journeys, 2).job.body["indicia"])
        self.rests(journeys)

    def connect(self, journeys: Journeys) -> None:
        """Connect a device; its host fetches its notices today."""
        journeys.contact()
        self.connected.add(journeys.licensee)

    def fund(self, journeys: Journeys) -> None:
        """Set the device where its balance is low; deposit first where the account is."""
        if journeys.status().registers.descending >= _LOW:
            return
        try:
            journeys.reset(_RESET)
        except Refused as refusal:
            if refusal.code != "ledger.insufficient-funds":
                raise
            journeys.deposit(_DEPOSIT)
            journeys.reset(_RESET)

    def recipients(self, count: int) -> tuple[Recipient, ...]:
        """Give some recipients of letters of an ounce."""
        return tuple(person for person in self._people if person.shape == "letter")[:count]

    def print(self, journeys: Journeys, count: int = 1) -> Printed:
        """Print letters; the file replaces the one before it."""
        return print_job(journeys, self.recipients(count), self.out / "mail", formats=("pdf",))

    def mail(self, printed: Printed) -> list[str]:
        """Have a printed job's pieces scanned at the facility; give the verdicts."""
        return [self.scan(bytes.fromhex(piece)) for piece in printed.job.body["indicia"]]

    def scan(self, payload: bytes) -> str:
        """Scan one mark at the facility; give the verdict."""
        return str(self.judge(payload).verdict)

    def judge(self, payload: bytes, seen: Observed | None = None) -> Verdict:
        """Scan one mark at the facility, with what was seen of its piece beside; give what was found."""
        mark = Mark(file="piece", page=1, payload=payload)
        return verifying.record(mark, self.world, site=verifying.DEFAULT_SITE, observed=seen).verdict

    def quality_piece(self, journeys: Journeys, change: Callable[[Path], None] | None = None) -> QualityFinding:
        """Print a piece, scan it and forward it; `change` may spoil the scan first."""
        page = self.page(journeys)
        if change is not None:
            change(page)
        return send(journeys, journeys.device, page)

    def page(self, journeys: Journeys) -> Path:
        """Print a piece and scan it; give the scan, which replaces the one before it."""
        page = self.out / "mail" / "quality.png"
        page.write_bytes(png.render(self.print(journeys).pdf))
        return page

    # ---- what the scenes share

    def provider(self, device: str, job: Callable[..., Record | Steps], *, act: str, **told: str) -> Record:
        """Do a step of the Provider's staff about a device, as the person of the sandbox whose office it is."""
        by = acts_of_office()[act].offices[0]
        done: Record = at_provider(self.world, device, lambda ctx: job(ctx, device=device, **told), by=by, act=act)
        return done

    def device_row(self, journeys: Journeys, device: str = "") -> Record:
        """Give a device as its Provider has it."""
        with self.world.store(PROVIDER).reading() as view:
            row = view.get("device", device or journeys.device)
        if row is None:
            raise UnexpectedError(f"the Provider does not know the device of {journeys.licensee}")
        return row

    def status(self, journeys: Journeys) -> StatusReport:
        """Ask a mail room's device how it stands."""
        return journeys.status()

    def authorise(self, party: str, *names: str) -> None:
        """Put persons on a party's list."""
        for name in names:
            named = _PEOPLE.get(party, {}).get(name, ())
            self.world.desk(party).perform(partial(grant, name=name, named=named), actor=party)

    def staff(self) -> None:
        """Put the staff of Provider and Postal Service on their lists."""
        for party, names in _PEOPLE.items():
            self.authorise(party, *names)

    def facts(self, party: str, kind: str) -> list[Fact]:
        """Give a party's facts of a kind."""
        with self.world.store(party).reading() as view:
            return [fact for fact in view.facts() if fact.type == kind]


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Expect a refusal. Raises `UnexpectedError` where there is none, or another."""
    try:
        yield
    except (Refused, BadInput) as refusal:
        if refusal.code != code:
            raise
    else:
        raise UnexpectedError(f"{code} was expected, and nothing was refused")


def name_of(number: int) -> str:
    """Name a mail room."""
    return f"licensee.mail-room-{number:02d}"
