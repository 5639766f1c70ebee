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
    from towncircle.world.world import World


@cites("P050-1.5")
def write_withdrawal(world: World, provider: str, number: int, out: Path) -> Path:
    """Write the notice to a Provider as PDF into a folder; give the file.

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
    (fact,), body = given, held.body
    through = date.fromisoformat(body["accepted_through"])
    rows = [
        ("To", provider),
        ("By", fact.actor.replace("/", ", the ")),
        ("Given", fact.occurred_at.words_in(HEADQUARTERS)),
        ("Table", f"{number}, {body['table']}, in force from {body['in_force_from']}"),
        ("SHA-256 of the table", body["digest"]),
        ("Accepted", Instant(body["accepted"]).words_in(HEADQUARTERS)),
        ("Stands through", f"{through}, the last mailing date"),
        ("Under", "P050 1.5"),
    ]
    after = (
        f"What is dated through {through} stands as it was accepted. From {through + timedelta(days=1)} on "
        "postage that only this table makes enough is in doubt. Another table may be published, and taken by each "
        "device, before that day."
    )
    path = out / f"rate-table-{number}-withdrawal.pdf"
    out.mkdir(parents=True, exist_ok=True)
    title = "Withdrawal of the acceptance of a rate table"
    pages = letter_pages(title, rows, [("Reasons", body["reasons"]), ("What it means", after)], foot=f"Table {number}.")
    write_pdf(pages, path, title=f"{title} - SPECIMEN", at=fact.occurred_at)
    return path
