"""What is said a second time under a name that was used before: it is sent, and it is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.journeys.stories import ANNEX, HARBOR, refused
from tests.journeys.test_custody import defect, provider

from towncircle.kernel.errors import Refused, RelayedRefusal
from towncircle.kernel.ids import DeviceId
from towncircle.licensee import custody as own
from towncircle.provider import defects, leasing
from towncircle.wire import bodies
from towncircle.wire.bodies import COLLECTED
from towncircle.world import custody, returning
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import World

COURIER = "Armored Courier"


def standing(world: World, name: str) -> str:
    """Give the permission for the courier that stands at a Provider, or what withdrew it."""
    with world.store(name).reading() as view:
        (row,) = view.find("permitted-service")
    return str(row.body.get("withdrawn") or row.body["permission"])


def test_a_permission_is_given_and_withdrawn_again_under_its_old_numbers(journeys: Journeys) -> None:
    world = journeys.world
    told = {"provider": HARBOR, "direction": "back", "service": COURIER, "document": b"a paper"}

    def permit(name: str) -> str:
        custody.permit(world, permission=name, **told)  # type: ignore[arg-type]
        return standing(world, HARBOR)

    def withdraw() -> str:
        custody.withdraw_permission(world, reference="W-1", **told)  # type: ignore[arg-type]
        return standing(world, HARBOR)

    assert [permit("P-1"), withdraw(), permit("P-2"), withdraw(), permit("P-1")] == ["P-1", "W-1", "P-2", "W-1", "P-1"]


def test_who_says_that_a_device_was_collected_under_no_reference_sends_it_by_no_way(
    journeys: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = journeys.device
    defect(journeys)
    returning.withdraw(journeys, reason="it failed")
    monkeypatch.setattr(own, "check_reference", lambda text: None)  # a licensee whose program checks nothing
    with refused("custody.not-collected"):
        custody.send_back(journeys, device, article="", service=COLLECTED)
    provider(journeys, defects.retrieve, device, reference="van-1")
    monkeypatch.setattr(Journeys, "status_of", lambda *_: pytest.fail("the device is not here any more"))
    assert custody.send_back(journeys, device, article="van-1", service=COLLECTED).body["told"]


def test_an_article_number_that_was_misread_is_corrected_and_its_own_device_gets_it(journeys: Journeys) -> None:
    world, device, numbers = journeys.world, journeys.device, ("R123456789", "R123456780")
    mine, theirs = numbers

    def told(which: DeviceId, article: str) -> None:
        custody.name_article(world, HARBOR, which, article=article)

    (other, spoiled) = (DeviceId(row.key) for row in custody.manufacture(world, HARBOR, 2))
    for one in (other, spoiled):
        custody.inspect(world, HARBOR, one)
    told(device, theirs)
    with refused("custody.article-taken"):
        told(other, theirs)
    told(device, mine)
    told(spoiled, "R123456781")
    custody.inspect(world, HARBOR, spoiled, reject="It fell.")
    told(other, "R123456781")  # no parcel went out under it
    told(other, theirs)
    with world.store(HARBOR).reading() as view:
        (shipment,) = (row.body for row in view.find("shipment") if row.body["device"] == device)
        facts = [fact for fact in view.facts() if fact.type == "article.corrected"]
    assert shipment["article"] == mine
    assert [(fact.subject, fact.body["before"], fact.body["article"]) for fact in facts] == [
        (device, theirs, mine),
        (other, "R123456781", theirs),
    ]


def test_a_refused_lease_is_answered_where_what_it_took_cannot_be_given_back_just_then(
    journeys: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, annex = journeys.world.desk(HARBOR), Journeys(journeys.world, ANNEX)
    annex.apply(Applicant(), provider=HARBOR)
    (only,) = (DeviceId(row.key) for row in custody.manufacture(journeys.world, HARBOR, 1))
    custody.inspect(journeys.world, HARBOR, only)

    def never(*_: object) -> None:
        raise Refused("provider.no-license", license="L-1", licensee=journeys.licensee)

    def busy(*_: object) -> None:
        raise Refused("storage.busy", path="party.sqlite")

    taken = desk._handlers[bodies.LeaseSigned]
    assert taken.refused is not None
    handlers: dict[type, object] = {**desk._handlers, bodies.LeaseSigned: replace(taken, refused=busy)}
    with monkeypatch.context() as patch:
        patch.setattr(leasing, "_prepare", never)
        patch.setattr(desk, "_handlers", handlers)
        with pytest.raises(RelayedRefusal, match=r"storage\.busy"):  # about the way: the message waits, and comes again
            annex.lease()
        patch.setattr(desk, "_handlers", {**handlers, bodies.LeaseSigned: taken})
        with refused("provider.no-license"):
            annex.lease()
    assert annex.lease().device == only  # it was given back
