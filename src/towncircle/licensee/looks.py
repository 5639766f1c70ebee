"""What a mail room chooses of the form of its indicia: the place, the date, the marking, courtesy reply.

Here: the choice, what a job keeps of it, and the place it shows. Not here: drawing (`mailpiece`), approvals.
Kept: a choice that the rule ties to something is refused where that is missing: a branch without approval (P050 4.5), a
month without its day on anything but Standard Mail (4.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from towncircle.indicium.readable import Branch, MailedFrom, Office, printed_date
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.licensee import branches
from towncircle.licensee.funds import held_device
from towncircle.mailpiece.markings import may_omit_day
from towncircle.mailpiece.rates import printed_category

Place = Office | MailedFrom | Branch


DPI = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Hold what files are drawn for: the printer's dots of an inch, and how far it moves them right and down."""

    dpi: int = DPI
    shift_x: int = 0
    shift_y: int = 0


TRUE = Drawn()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Hold the choice: whose place the indicium names (`branch` names the branch), and what else differs.

    `form` names what every piece is printed on; empty for the usual form of its shape. `stock` names the label stock in
    the printer, `start` the first free label of its sheet (from 1), `each` the most postage that one tape may show;
    `drawn` is the printer that files are for.
    """

    place: Literal["office", "branch", "zip"] = "office"
    branch: str = ""
    month_only: bool = False
    reply: bool = False
    marking: bool = False
    form: str = ""
    stock: str = ""
    start: int = 1
    each: Mills | None = None
    drawn: Drawn = TRUE


PLAIN = Look()


@cites("P050-4.5b/1", "P050-4.5c", "P050-4.6")
def of_job(ctx: Context, look: Look, *, device: DeviceId, categories: Iterable[str]) -> dict[str, Any]:
    """Give what a new job keeps of its look; nothing of a plain one.

    Raises `Refused` (branch.not-approved, indicium.date-incomplete).
    """
    kept: dict[str, Any] = {}
    if look.place == "branch":
        number = held_device(ctx, device).body["license"]
        row = branches.approved(ctx, license_number=number, name=look.branch)
        kept["place"] = {"branch": row.body["branch"], "state": row.body["state"]}
    elif look.place == "zip":
        profile = ctx.tx.get("profile", "own")
        assert profile is not None, "a licensee that prints has a profile"
        kept["place"] = {"mailed_from": profile.body["zip"][:5]}
    if look.month_only:
        for category in set(categories):
            printed_date(
                ctx.now.date_in("UTC"), month_only=True, first_class=not may_omit_day(printed_category(category))
            )
    kept |= {name: True for name in ("month_only", "reply", "marking") if getattr(look, name)}
    stock = {"stock": look.stock, "start": look.start} if look.stock else {}
    drawn = {"drawn": asdict(look.drawn)} if look.drawn != TRUE else {}
    return {**stock, **drawn, **({"look": kept} if kept else {})}


def drawn_for(job: Mapping[str, Any]) -> Drawn:
    """Give what the files of a job are drawn for."""
    return Drawn(**job.get("drawn", {}))


def names_own_zip(job: Mapping[str, Any]) -> bool:
    """Tell whether the indicia of a job say Mailed From with the sender's own ZIP Code (P050 4.5)."""
    return "mailed_from" in job.get("look", {}).get("place", {})


def place_of_job(job: Mapping[str, Any], office: Office) -> Place:
    """Give the place that the indicia of a job name."""
    kept = job.get("look", {}).get("place", {})
    if "branch" in kept:
        return Branch(name=kept["branch"], state=kept["state"], zip_code=office.zip_code)
    if "mailed_from" in kept:
        return MailedFrom(zip_code=kept["mailed_from"])
    return office
