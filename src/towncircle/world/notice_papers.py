"""Written notices as PDF: of limits that were missed or near, and of decisions about a license (P050 2.2 to 2.4).

Here: what stands on them, as the receiver keeps a notice and as the Postal Service decided. Not here: their looks
(`paper.letters`), the notices of supervision (`supervision_papers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.mailpiece.zipcode import place_of
from towncircle.paper.letters import letter_pages
from towncircle.paper.pdf import write_pdf
from towncircle.postal.appeals import FILED
from towncircle.postal.standing import APPEAL
from towncircle.rules.duties import HEADQUARTERS
from towncircle.world.config import POSTAL

if TYPE_CHECKING:
    from towncircle.kernel.store import Record
    from towncircle.world.notices import Kept
    from towncircle.world.world import World

_OFFICE, _MANAGER = "the licensing post office", "the Manager, MTM"
_NO_STAY = "The decision stands meanwhile: the rule gives an appeal under P050 2.4 no stay."
Rows = list[tuple[str, str]]


@cites("502.26/1", "P050-2.3g/1")
def write_notices(world: World, kept: Iterable[Kept], out: Path) -> list[Path]:
    """Write notices, as their receivers keep them, into a folder; give the files."""
    out.mkdir(parents=True, exist_ok=True)
    return [_write_notice(one, _zone(world, one), out) for one in kept]


def _write_notice(one: Kept, zone: str, out: Path) -> Path:
    notice = one.notice
    reminder = notice.kind == "reminder"
    rows = [
        ("Notice", notice.reference),
        ("To", one.party),
        ("From", one.giver),
        ("Received", one.at.words_in(zone)),
        ("About", notice.about),
        ("Under", notice.clause),
    ]
    if notice.limit in (APPEAL, "branch"):
        rows.append(("Decision", notice.duty))
    else:
        rows.append(("To be done before" if reminder else "Was to be done before", notice.until.words_in(zone)))
    title = f"{'Reminder' if reminder else 'Notice'}: {notice.title}"
    path = out / f"notice-{notice.reference}.pdf"
    pages = letter_pages(title, rows, [("What it says", notice.says)], foot=f"{notice.reference}.")
    write_pdf(pages, path, title=f"{notice.reference} - SPECIMEN", at=one.at)
    return path


def _zone(world: World, one: Kept) -> str:
    """Give the zone of the post office that a notice is about, or that its receiver has its license at."""
    with world.store(one.party).reading() as view:
        device, license_ = view.get("device", one.notice.about), view.get("license", one.notice.about)
        if device is not None and device.body.get("zone"):
            return str(device.body["zone"])
        if device is not None and device.body.get("license"):
            license_ = view.get("license", str(device.body["license"])) or license_
        held = [license_] if license_ is not None else view.find("license") if one.party.startswith("licensee.") else []
    return next((place_of(str(row.body["office_zip"])[:5]).zone for row in held), HEADQUARTERS)


@cites("P050-2.2/6", "P050-2.3g/1", "P050-2.4")
def write_decisions(world: World, about: str, out: Path, *, licensee: str = "", appeal_by: str = "") -> list[Path]:
    """Write the notice of a refusal or revocation, and of every appeal about it, into a folder; give the files.

    Raises `Refused`: license.unknown, also for what is another licensee's; license.no-notice.
    """
    with world.store(POSTAL).reading() as view:
        row = view.get("license", about) or view.get("application", about)
        decided = view.get("revocation", about) or row
        appeals = [one for one in view.find("appeal") if one.body["about"] == about]
    if row is None or decided is None or licensee not in ("", row.owner):
        raise Refused("license.unknown", about=about[:64], clause="P050 2.3")
    if not decided.body.get("grounds"):
        raise Refused("license.no-notice", about=about)
    days = str(world.rules.length_of(APPEAL, world.clock.now().date_in(HEADQUARTERS)))
    out.mkdir(parents=True, exist_ok=True)
    papers = [_decision(row, decided, days=days, appeal_by=appeal_by)]
    for one in sorted(appeals, key=lambda one: one.key):
        papers += _appeal(one, decided, row)
    files = []
    for name, title, rows, paragraphs, at in papers:
        pages = letter_pages(title, rows, paragraphs, foot=f"{rows[0][1]}.")
        write_pdf(pages, out / f"{name}.pdf", title=f"{title} - SPECIMEN", at=at)
        files.append(out / f"{name}.pdf")
    return files


Paper = tuple[str, str, Rows, Rows, Instant]


def _decision(row: Record, decided: Record, *, days: str, appeal_by: str) -> Paper:
    revoked, at = decided.kind == "revocation", Instant(decided.body["at"])
    name = str(decided.body["decision"]) if revoked else row.key
    rows = [
        ("Decision", name),
        ("To", row.owner),
        ("By", f"{POSTAL}, {_OFFICE}{_office(row)}"),
        ("Decided", at.words_in(_zone_of(decided))),
        ("License" if revoked else "Application", row.key),
        ("Under", "P050 2.3(g)" if revoked else "P050 2.2"),
    ]
    if appeal_by:
        rows.append(("An appeal may be filed by", appeal_by))
    grounds = "\n".join(f"{sentence} [{clause}]" for _, sentence, clause in decided.body["grounds"])
    words = f"An appeal may be filed with {_MANAGER}, within {days} of receiving this notice (P050 2.4). {_NO_STAY}"
    kind = "revocation" if revoked else "refusal"
    return f"notice-of-{kind}", f"Notice of {kind} of a license", rows, [("Grounds", grounds), ("Appeal", words)], at


def _appeal(one: Record, decided: Record, row: Record) -> Iterator[Paper]:
    body, zone = one.body, _zone_of(decided)
    filed = Instant(body["filed_at"])
    rows = [
        ("Docket", one.key),
        ("To", row.owner),
        ("By", f"{POSTAL}, {_MANAGER}"),
        ("Filed", filed.words_in(zone)),
        ("Against the decision", str(body["decision"])),
        ("About", str(body["about"])),
        ("Under", "P050 2.4"),
    ]
    reasons = [("Reasons of the appeal", str(body["reasons"]))]
    evidence = [*rows, ("SHA-256 of the evidence", str(body["evidence"]))] if body["evidence"] else rows
    told = [*reasons, ("Until it is decided", _NO_STAY)]
    yield f"appeal-{one.key}", "An appeal is on the docket", evidence, told, filed
    if body["state"] != FILED:
        at = Instant(body["decided_at"])
        rows[4:4] = [("Decided", at.words_in(zone)), ("Outcome", f"the decision is {body['state']}")]
        given = [*reasons, ("Reasons of the decision", str(body["reasons_given"]))]
        yield f"appeal-{one.key}-decision", f"Decision on an appeal: {body['state']}", rows, given, at


def _zone_of(decided: Record) -> str:
    return str(decided.body.get("zone") or HEADQUARTERS)


def _office(row: Record) -> str:
    named = " ".join(str(row.body.get(f"office_{part}", "")) for part in ("city", "state", "zip")).strip()
    return f" at {named}" if named else ""
