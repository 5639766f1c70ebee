"""The letter with the refund check of a closed account (502.27(c)(3)), as the accounting service center sends it.

Here: what stands on it, as the Postal Service keeps the closing. Not here: its looks (`paper.letters`), the closing
itself (`postal.closings`), the check (the bank's).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.paper.letters import letter_pages
from towncircle.paper.pdf import write_pdf
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies.cmrs import PAID
from towncircle.world.config import POSTAL

if TYPE_CHECKING:
    from towncircle.world.world import World


@cites("502.27c/3")
def write_letter(world: World, closing: str, out: Path) -> Path:
    """Write the letter that goes with the check of a closing as a PDF; give the file.

    Raises `Refused`: closing.unknown, closing.no-check.
    """
    with world.store(POSTAL).reading() as view:
        held = view.get("closing", closing)
        issued = [fact for fact in view.facts() if fact.type == "payout.instructed" and fact.subject == closing]
    if held is None:
        raise Refused("closing.unknown", closing=closing[:40])
    body = held.body
    if body["state"] != PAID or not issued:
        raise Refused("closing.no-check", closing=held.key)
    asked, at = Instant(body.get("asked_at", body["at"])), issued[-1].occurred_at
    rows = [
        ("Closing", held.key),
        ("To", str(body["licensee"])),
        ("From", f"{POSTAL}, the accounting service center"),
        ("Account", f"{body['account']}, at {body['provider']}"),
        ("Asked for in writing", asked.words_in(HEADQUARTERS)),
        ("Instructed", f"{at.words_in(HEADQUARTERS)}, by {body['instructed_by']}"),
        ("Check", f"number {body['check']} of {body['day']}, drawn by bank.lockbox"),
        ("Amount", str(Mills(body["amount"]))),
        ("Under", "502.27(c), P050 3.3(d)"),
    ]
    own = Mills(body["own"])
    credit = f" Of it {own} are credits of the Provider for malfunctions." if own > ZERO else ""
    says = (
        "You asked for the closing of this account. Its balance, but for what is less than a cent, is paid to you by "
        f"the check above.{credit} The account is closed: a deposit that comes later is yours, and another closing "
        "pays it out."
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"refund-check-{held.key}.pdf"
    pages = letter_pages("Refund check", rows, [("The closing of your account", says)], foot=f"{held.key}.")
    write_pdf(pages, path, title=f"Refund check {held.key} - SPECIMEN", at=at)
    return path
