"""The notice that the acceptance of a filed rate table is withdrawn (P050 1.5) as PDF.

Here: what stands on it, from the Postal Service's records. Not here: its looks (`paper.letters`), the decision
(`postal.rates`).
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.paper.letters import letter_pages
from towncircle.paper.pdf import write_pdf
from towncircle.postal.rates import FILED
from towncircle.rules.duties import HEADQUARTERS
from towncircle.world.config import POSTAL

if TYPE_CHECKING:
    from towncircle.kernel.facts import Fact
    from towncircle.kernel.store import Record
    from towncircle.world.world import World

_TITLE = "Withdrawal of the acceptance of a rate table"


@cites("P050-1.5")
def write_withdrawals(world: World, provider: str, number: int, out: Path) -> list[Path]:
    """Write each notice of a withdrawal to a Provider as PDF into a folder, the last one last; give the files.

    Raises `Refused`: updates.not-filed, updates.not-withdrawn.
    """
    key = f"{provider} {number:06d}"
    with world.store(POSTAL).reading() as view:
        held = view.get(FILED, key)
        given = [one for one in view.facts() if (one.type, one.subject) == ("rates.acceptance-withdrawn", key)]
    if held is None:
        raise Refused("updates.not-filed", number=number, provider=provider[:64])
    if not given:
        raise Refused("updates.not-withdrawn", number=number, provider=provider)
    out.mkdir(parents=True, exist_ok=True)
    files, before = [], ""
    for notice, fact in enumerate(given, start=1):
        path = out / f"rate-table-{number}-withdrawal{f'-{notice}' if notice > 1 else ''}.pdf"
        foot = f"Table {number}, notice {notice}."
        pages = letter_pages(_TITLE, _rows(held, fact, before), _paragraphs(fact), foot=foot)
        write_pdf(pages, path, title=f"{_TITLE} - SPECIMEN", at=fact.occurred_at)
        files.append(path)
        before = str(fact.body["through"])
    return files


def _rows(held: Record, fact: Fact, before: str) -> list[tuple[str, str]]:
    body = held.body
    rows = [
        ("To", held.owner),
        ("By", fact.actor.replace("/", ", the ")),
        ("Given", fact.occurred_at.words_in(HEADQUARTERS)),
        ("Table", f"{body['number']}, {body['table']}, in force from {body['in_force_from']}"),
        ("SHA-256 of the table", body["digest"]),
        ("Accepted", Instant(body["accepted"]).words_in(HEADQUARTERS)),
        ("Stands through", f"{fact.body['through']}, the last mailing date"),
    ]
    return [*rows, *([("In the place of", f"the notice through {before}")] if before else []), ("Under", "P050 1.5")]


def _paragraphs(fact: Fact) -> list[tuple[str, str]]:
    through = date.fromisoformat(fact.body["through"])
    after = (
        f"What is dated through {through} stands as it was accepted. From {through + timedelta(days=1)} on postage "
        "that only this table makes enough is in doubt. Another table may be published, and taken by each device, "
        "before that day."
    )
    return [("Reasons", str(fact.body["reasons"])), ("What it means", after)]
