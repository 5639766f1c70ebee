"""Test indicia of a Provider: written down before they are printed, destroyed on the same day by a person (502.17)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, new_world
from tests.journeys.test_examinations import no_difference
from tests.journeys.test_journeys import refused
from tests.parties.test_papers import text_of

from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId
from towncircle.paper import pdf
from towncircle.world.custody import manufacture
from towncircle.world.deadlines import duties_of
from towncircle.world.test_prints import destroy_tests, print_tests
from towncircle.world.world import World


def days(world: World) -> dict[str, str]:
    duties = duties_of(world, HARBOR, as_of=world.clock.now())
    return {duty.anchor.subject: duty.state for duty in duties if duty.limit.id == "test-indicia"}


@pytest.mark.requirement("502.17/2")
def test_a_test_print_begins_its_day_by_itself_and_a_person_confirms_the_destruction(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    (device,) = (DeviceId(row.key) for row in manufacture(world, HARBOR, 1))
    _, file = print_tests(world, HARBOR, device, tmp_path, run="t-1", pieces=2)
    assert device in text_of(file).replace(" ", "")
    assert days(world) == {"t-1": "due"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "write_pdf", _stopped)
        with pytest.raises(KeyboardInterrupt):  # whatever came out of the printer counts
            print_tests(world, HARBOR, device, tmp_path, run="t-2")
    assert days(world) == {"t-1": "due", "t-2": "due"}
    with refused("testrun.taken"):
        print_tests(world, HARBOR, device, tmp_path, run="t-1")
    with refused("provider.unknown-device"):
        print_tests(world, HARBOR, DeviceId.parse("TC1A0000009999"), tmp_path, run="t-3")
    with pytest.raises(BadInput):
        print_tests(world, HARBOR, device, tmp_path, run="t-3", pieces=0)
    with refused("person.other-office"):
        destroy_tests(world, HARBOR, run="t-1", by="accounts")
    with refused("testrun.unknown"):
        destroy_tests(world, HARBOR, run="t-3")
    assert destroy_tests(world, HARBOR, run="t-1").body["state"] == "destroyed"
    destroy_tests(world, HARBOR, run="t-1")
    world.advance("1d")
    assert days(world) == {"t-1": "met", "t-2": "overdue"}
    no_difference(world, tmp_path / "export")


def _stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
