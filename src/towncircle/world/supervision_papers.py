"""Notices and decisions of supervision as PDF.

Here: what stands on them, from the Postal Service's records. Not here: their looks (`paper.letters`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.paper.letters import letter_pages
from towncircle.paper.pdf import write_pdf
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.procedures import procedures
from towncircle.world.config import POSTAL
from towncircle.world.world import World

_TITLES = {
    "proposal": "Notice of proposed suspension",
    "more-time": "More time to correct",
    "corrected": "Deficiencies corrected",
    "notice": "Notice",
    "revocation-notice": "Notice of revocation",
    "decision": "Decision",
    "revocation": "Decision to revoke",
    "extension": "Extension of the suspension",
    "withdrawal": "Withdrawal",
    "repayment": "Repayment of what was paid on a sanction",
    "in-effect": "Notice that what was noticed takes effect",
    "ended": "End of the suspension",
    "appeal-upheld": "Decision on the appeal: upheld",
    "appeal-reversed": "Decision on the appeal: reversed",
}


def write_paper(world: World, procedure: str, number: int, out: Path) -> Path:
    """Write a notice of a procedure as PDF; give the file. Raises `Refused` (procedure.unknown)."""
    with world.store(POSTAL).reading() as view:
        paper = view.get("supervision-notice", f"{procedure} {number}")
        row = view.get("procedure", procedure)
    if paper is None or row is None:
        raise Refused("procedure.unknown", procedure=f"{procedure} {number}")
    form = procedures()[row.body["form"]]
    pages = letter_pages(
        f"{_TITLES[paper.body['step']]}: {form.title}",
        list(_rows(row, paper)),
        list(_paragraphs(row, paper)),
        foot=f"{procedure}, notice {number}.",
    )
    write_pdf(pages, out, title=f"{procedure} {number} - SPECIMEN", at=Instant(paper.body["at"]))
    return out


def _rows(row: Record, paper: Record) -> Iterator[tuple[str, str]]:
    body = paper.body
    yield "Procedure", f"{row.key}, notice {paper.key.rpartition(' ')[2]}"
    yield "To", row.owner
    yield "By", body["by"]
    yield "Given", f"{Instant(body['at']).date_in(HEADQUARTERS)}"
    yield "Under", body["clause"]
    yield "About", ", ".join(body["scope"])
    for label, value in (
        ("To be corrected by", body["correct_by"] if body["step"] in ("proposal", "more-time") else ""),
        ("Effective, if no defense is presented", body["effective_on"] if "notice" in body["step"] else ""),
        ("Effective", _effective(body) if body["force"] == "in force" else ""),
        ("Until", f"{Instant(body['until']).date_in(HEADQUARTERS)}" if body["until"] else ""),
        ("A defense may be presented by", body["defend_by"]),
        ("An appeal may be made by", body["appeal_by"]),
        ("Amount", str(Mills(body["amount"])) if body["amount"] else ""),
    ):
        if value:
            yield label, value


def _effective(body: Mapping[str, Any]) -> str:
    begins = int(body["from"])
    return f"{Instant(begins).date_in(HEADQUARTERS)}" if begins else "on receipt"


def _paragraphs(row: Record, paper: Record) -> Iterator[tuple[str, str]]:
    sanction = row.body.get("assessment")
    yield "Facts and reasons", paper.body["words"]
    if paper.body["step"] in ("decision", "revocation"):
        yield "What was considered", "\n".join(row.body["considered"])
    if paper.body["step"] in ("proposal", "notice"):
        yield ("Costs, losses and recoveries" if sanction else "Deficiencies", "\n".join(paper.body["deficiencies"]))
    if sanction:
        yield (
            "Interest",
            (
                f"{Mills(sanction['interest'])}: simple interest to {sanction['to']} at {sanction['rate']} millionths "
                f"a year ({sanction['source']}), by actual days over 365 from the day of each row, recoveries against "
                "losses; rounded half up to the mill once, over all rows."
            ),
        )
    clauses = procedures()[row.body["form"]].clauses
    if "notice" in paper.body["step"]:
        term = "" if paper.body["defend_by"] else " within 30 calendar days of receiving this notice"
        yield (
            "Defense",
            (
                f"A written defense may be presented{term}. It includes all supporting evidence and specifies the "
                f"reasons for which the order should not be imposed ({clauses['defense']})."
            ),
        )
    if paper.body["step"] in ("decision", "revocation"):
        term = "" if paper.body["appeal_by"] else " within 30 calendar days of receiving this decision"
        yield (
            "Appeal",
            (
                f"An appeal may be made{term}. It includes all supporting evidence and specifies the reasons for "
                f"which the decision is believed to be erroneous ({clauses['appeal']})."
            ),
        )
