"""Custody under attack: ways around a suspicion or an order, receipts that lie, a device that never came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, MAILROOM, mailer, new_world, officers
from tests.journeys.test_custody import account, defect, provider, state
from tests.journeys.test_journeys import refused
from tests.parties.hand import POSTAL, Hand, Line

from towncircle.kernel.cases import open_case
from towncircle.kernel.ids import CaseId, DeviceId
from towncircle.kernel.money import Mills
from towncircle.licensee import custody as own
from towncircle.provider import defects, handovers, inventory, missing, searching, upkeep
from towncircle.provider.inventory import device_record
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire import bodies
from towncircle.wire.message import body_of, peek
from towncircle.world import custody, returning
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.missing import report
from towncircle.world.world import Wiring, World


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    world = new_world(tmp_path / "world")
    officers(world, "olaf")
    yield mailer(world, deposit=600, reset=200)
    world.close()


def under_a_case(journeys: Journeys, device: DeviceId) -> None:
    """Open a case as the finding of an examination does: the device is suspect, and not frozen."""
    desk = journeys.world.desk(HARBOR)
    told = {"device": device, "other": POSTAL, "ground": "its registers differ", "clauses": ("P050 2.6",)}
    desk.perform(
        lambda ctx: (
            open_case(ctx, case=CaseId.new(ctx.randomness), **told),  # type: ignore[arg-type]
            inventory.suspect(ctx, device_record(ctx, device)),
        ),
        actor=HARBOR,
    )


# ---- ways around a suspicion or an order


def test_a_correction_gives_no_device_its_use_back_while_a_case_of_it_is_open(journeys: Journeys) -> None:
    device = journeys.device
    under_a_case(journeys, device)
    defect(journeys)
    with refused("provider.case-open"):
        provider(journeys, defects.examine, device, fault="a loose plug", remedy="corrected", reference="b-2")
    assert state(journeys, device) == "suspect"


@pytest.mark.parametrize(
    ("why", "code"),
    [("removal", "custody.removal-ordered"), ("defect", "custody.still-defective"), ("case", "provider.case-open")],
)
def test_a_loss_and_a_find_give_no_device_its_use_back(why: str, code: str, journeys: Journeys) -> None:
    device, world = journeys.device, journeys.world
    if why == "removal":
        custody.order_removal(world, device, reason="It is of a withdrawn series.", by="olaf")
    elif why == "defect":
        defect(journeys)
    else:
        under_a_case(journeys, device)
    for event in ("lost", "recovered"):
        report(journeys, device, event=event, place="mail room", details="behind a shelf")
    with refused("missing.reported"):
        journeys.contact()  # what it signed is read
    told = {"outcome": "regular", "reference": "INSP-1", "document": "ab" * 32}
    provider(journeys, missing.inspect, device, **told)
    with refused(code):
        provider(journeys, missing.give_back, device, regime="imi-2024")
    assert state(journeys, device) == "recovered"


def test_no_device_is_scrapped_before_its_defect_was_examined(journeys: Journeys) -> None:
    device = journeys.device
    defect(journeys)
    provider(journeys, defects.retrieve, device, reference="van-1")
    returning.withdraw(journeys, reason="it is defective")
    custody.send_back(journeys, device, article="9407-1")
    provider(journeys, handovers.receive, device, condition="sound")
    with refused("custody.still-defective"):
        provider(journeys, upkeep.scrap, device)
    assert journeys.status_of(device).state == "withdrawn"  # its keys are there to be examined


# ---- a device that never came


def stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_device_that_never_came_keeps_nothing_else_from_being_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was sought and not found: nobody signs for it, and its licensee goes on."""
    world = new_world(tmp_path / "world")
    journeys = Journeys(world)
    journeys.apply(Applicant(), provider=HARBOR)
    with monkeypatch.context() as patch:
        patch.setattr(own, "accept", stopped)
        with pytest.raises(KeyboardInterrupt):
            journeys.lease()
    lost = journeys.device
    provider(journeys, searching.search, lost, reason="The carrier has no trace of it.")
    with refused("missing.reported"):  # the sandbox has it at hand; its Provider has not
        journeys.settle()
    journeys.deposit(Mills.dollars(100))
    report(journeys, lost, event="lost", place="on its way", details="it never came")
    assert journeys.settle() is None  # nobody waits for it any more
    with world.store(POSTAL).reading() as view:
        held = view.get("device", lost)
    assert held is not None
    assert held.body["status"] == "lost"
    world.close()


# ---- receipts that lie


def bent(tmp_path: Path) -> tuple[Journeys, Line]:
    folder, line = tmp_path / "world", Line()
    mailer(new_world(folder), deposit=600, reset=200).world.close()
    world = World.open(folder, Wiring(make_port=in_process(folder), transport=line.over))
    return Journeys(world), line


@pytest.mark.parametrize(
    "change", [{"shipment": "SHP-222222222222"}, {"device": DeviceId("TC1A0000000999")}, {"hand_over": b""}]
)
def test_a_receipt_for_something_else_is_not_kept(change: dict[str, object], tmp_path: Path) -> None:
    journeys, line = bent(tmp_path)
    device, hand = journeys.device, Hand(journeys.world)
    returning.withdraw(journeys, reason="no longer wanted")
    custody.send_back(journeys, device, article="1")
    provider(journeys, handovers.receive, device, condition="sound")

    def lying(audience: str, raw: bytes) -> bytes:
        told = body_of(raw)
        if audience != HARBOR or not isinstance(told, bodies.HandOverReceipt):
            return raw
        return hand.seal(HARBOR, MAILROOM, replace(told, **change), in_reply_to=peek(line.sent[-1]).id)  # type: ignore[arg-type]

    line.coming = lying
    with refused("custody.other-receipt"):
        custody.fetch_receipt(journeys, device)
    line.coming = lambda _audience, raw: raw
    assert custody.fetch_receipt(journeys, device).body["condition"] == "sound"
    assert account(journeys) == Mills.dollars(600)
    journeys.world.close()
