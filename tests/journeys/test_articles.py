"""Hand-overs on paper: the article number of a shipment, and a device that its Provider collects itself."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import ANNEX, HARBOR, mailer, new_world, refused
from tests.journeys.test_custody import defect, provider, state
from tests.journeys.test_examinations import no_difference
from tests.parties.test_papers import text_of

from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId
from towncircle.licensee import custody as own
from towncircle.provider import defects, handovers, upkeep
from towncircle.wire.bodies import COLLECTED, HandOver, HandOverReceipt
from towncircle.wire.message import body_of
from towncircle.world import custody, returning
from towncircle.world.custody_papers import write_papers
from towncircle.world.world import World

NUMBER = "RB123456789US"


def pages(world: World, device: str, folder: Path) -> list[str]:
    """Give the text of a device's Form 3601-C and of its first receipt."""
    files = {path.name: path for path in write_papers(world, device, folder / "papers")}
    return [text_of(files[name]) for name in ("form-3601-c.pdf", "receipt-1.pdf")]


@pytest.mark.shows("502.20l/1")
def test_the_article_number_of_a_shipment_is_the_one_that_its_custodian_told(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    one = mailer(world).device
    assert all("not told" in page for page in pages(world, one, tmp_path))
    for number in ("1", "RB12345678US", "RB 123 456 789 GB", "9208 8000", "R" + "\u0661" * 9, ""):
        with pytest.raises(BadInput):
            custody.name_article(world, HARBOR, one, article=number)
    held = custody.name_article(world, HARBOR, one, article="r 123 456 789")
    assert custody.name_article(world, HARBOR, one, article="R123456789").body == held.body
    assert all("R123456789" in page for page in pages(world, one, tmp_path))
    (two,) = (DeviceId(row.key) for row in custody.manufacture(world, HARBOR, 1))
    with refused("custody.no-shipment"):
        custody.name_article(world, HARBOR, two, article=NUMBER)
    custody.inspect(world, HARBOR, two)
    with refused("custody.article-taken"):
        custody.name_article(world, HARBOR, two, article="R123456789")
    custody.name_article(world, HARBOR, two, article="RB 123 456 789 US")
    assert mailer(world, ANNEX).device == two
    with world.store(ANNEX).reading() as view:
        (signed,) = [row for row in view.find("hand-over") if row.body["device"] == two]
    paper = body_of(base64.b64decode(signed.body["paper"]))
    assert isinstance(paper, HandOver)
    assert paper.article == NUMBER  # it stands on what the licensee has signed for
    assert all(NUMBER in page for page in pages(world, two, tmp_path))
    no_difference(world, tmp_path / "export")


@pytest.mark.shows("502.20l/1")
def test_a_number_that_is_told_between_the_paper_and_its_receipt_changes_no_paper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world(tmp_path / "world")

    def receipt(**told: Any) -> HandOverReceipt:
        custody.name_article(world, HARBOR, told["device"], article=NUMBER)
        return HandOverReceipt(**told)

    monkeypatch.setattr(own, "HandOverReceipt", receipt)
    journeys = mailer(world)
    assert state(journeys, journeys.device) == "leased"
    assert all(NUMBER in page for page in pages(world, journeys.device, tmp_path))
    no_difference(world, tmp_path / "export")


@pytest.mark.shows("502.20f/1", "P050-2.7/2")
def test_a_device_that_its_provider_collects_is_signed_over_and_scrapped_without_a_parcel(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=300, reset=100)
    old = journeys.device
    with refused("custody.not-given-up"):
        custody.send_back(journeys, old, article="van-1", service=COLLECTED)
    defect(journeys)
    with refused("custody.stays"):  # nobody of the Provider's was there
        custody.send_back(journeys, old, article="van-1", service=COLLECTED)
    provider(journeys, defects.retrieve, old, reference="van-1")
    with refused("custody.not-collected"):
        custody.send_back(journeys, old, article="van-2", service=COLLECTED)
    held = custody.send_back(journeys, old, article="van-1", service=COLLECTED)
    returning.withdraw(journeys, reason="it is defective")
    provider(journeys, defects.examine, old, fault="worn", remedy="withdrawn", reference="bench-1")
    with refused("custody.not-back"):
        provider(journeys, upkeep.scrap, old)
    provider(journeys, handovers.receive, old, condition="sound")
    provider(journeys, upkeep.scrap, old)
    assert custody.fetch_receipt(journeys, old).key == held.key
    assert state(journeys, old) == "scrapped"
    no_difference(world, tmp_path / "export")
