"""Test prints of a Provider: pages with a test indicium, written down before they are drawn (502.17).

Here: drawing a run into a file. Not here: what is kept of it (`provider.test_indicia`).
Kept: the run stands in the Provider's journal before its first page exists. The symbol is a stand-in that no verifier
reads as postage, the page is marked, and nothing is debited.
"""

from __future__ import annotations

from functools import partial
from itertools import repeat
from pathlib import Path

from towncircle.indicium import layout
from towncircle.indicium.readable import Office, for_postage
from towncircle.kernel.cites import cites
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import ZERO
from towncircle.kernel.store import Record
from towncircle.licensee.envelopes import STAND_IN, symbol_for
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.geometry import form
from towncircle.mailpiece.page import EnvelopeSpec, envelope
from towncircle.mailpiece.proof import marked
from towncircle.paper import pdf
from towncircle.provider import test_indicia
from towncircle.rules.duties import HEADQUARTERS
from towncircle.world.supervising import at_provider
from towncircle.world.world import World

_OFFICE = Office(city="Washington", state="DC", zip_code="20260")
_NOBODY = Address(name="Test print", street="475 L'Enfant Plaza SW", city="Washington", state="DC", zip5="20260")


@cites("502.17/2")
def print_tests(
    world: World, provider: str, device: DeviceId, out: Path, *, run: str, pieces: int = 1, by: str = "examiner"
) -> tuple[Record, Path]:
    """Print a run of test indicia into a folder; give what is kept of it and the file."""
    job = partial(test_indicia.made, run=run, device=device, pieces=pieces)
    held: Record = at_provider(world, provider, job, by=by, act="provider test-print")
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{run.replace('/', '-').replace(':', '-')}.pdf"
    pdf.write_pdf(repeat(_page(world, provider, device), pieces), target, title="Test print - not postage")
    return held, target


@cites("502.17/2")
def destroy_tests(world: World, provider: str, *, run: str, by: str = "examiner") -> Record:
    """Have a person confirm that the indicia of a run were collected and destroyed."""
    job = partial(test_indicia.destroyed, run=run)
    held: Record = at_provider(world, provider, job, by=by, act="provider test-destroyed")
    return held


def _page(world: World, provider: str, device: DeviceId) -> Page:
    product, day = world.product_at(provider), world.clock.now().date_in(HEADQUARTERS)
    text = for_postage(
        _OFFICE,
        device=device,
        day=day,
        category="TEST",
        postage=ZERO,
        first_class=True,
        specimen=True,
        month_only=False,
    )
    symbol = symbol_for(product.layout, STAND_IN[: layout(product.layout).length])
    spec = EnvelopeSpec(
        form=form("no10"), rules=world.rules, on=day, readable=text, symbol=symbol, recipient=_NOBODY, sender=_NOBODY
    )
    return marked(envelope(spec))
