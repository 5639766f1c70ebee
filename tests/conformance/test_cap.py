"""The cap of the descending register is the Postal Service's: a Provider that raises it is refused, and found out."""

from __future__ import annotations

import pytest
from tests.conformance.breaking import answered, noted
from tests.journeys.stories import HARBOR, MAILROOM
from tests.parties.hand import POSTAL, Hand, Puppet

from towncircle.kernel.ids import RequestId
from towncircle.kernel.money import ZERO, Mills
from towncircle.rules import ruleset
from towncircle.wire import bodies
from towncircle.world.world import World

CAP = Mills.dollars(500)


def element(hand: Hand) -> Puppet:
    """Lease a device whose keys are known, and have it in the Postal Service's register."""
    made = Puppet(hand, HARBOR, MAILROOM, 77)
    installed = bodies.DeviceActivity(
        device=made.device,
        license=made.license,
        event="installed",
        registers=bodies.Registers(ascending=ZERO, descending=ZERO, pieces=0),
        at=hand.world.clock.now(),
    )
    assert isinstance(hand.say(HARBOR, POSTAL, installed), bodies.Acknowledged)
    return made


def forward(hand: Hand, made: Puppet, descending: Mills, *, counter: int) -> None:
    """Have the Provider forward a reading that the device signed."""
    held = bodies.Registers(ascending=ZERO, descending=descending, pieces=0)
    audit = made.audit(registers=held, resets_total=descending)
    sealed = hand.seal(made.name, HARBOR, audit, key=made.key, counter=counter)
    assert isinstance(hand.say(HARBOR, POSTAL, bodies.AuditForward(audit=sealed)), bodies.Acknowledged)


@pytest.mark.requirement("PRE-11/3")
def test_a_cap_that_a_provider_has_raised_gets_no_reset(hand: Hand, world: World) -> None:
    made = element(hand)
    with world.store(HARBOR).transaction() as tx:
        row = tx.get("device", made.device)
        assert row is not None
        raised = {**row.body, "cap": int(CAP) + 1}
        tx.put("device", row.key, raised, owner=row.owner, expected=row.version)
    answer = made.ask_reset(RequestId.new(hand.source), Mills.dollars(1), counter=1)
    answered(answer, "PRE-11", "provider.cap-not-allowed")


@pytest.mark.requirement("PRE-11/3")
def test_a_reading_over_the_cap_is_a_case_at_both_ends(hand: Hand, world: World) -> None:
    made = element(hand)
    forward(hand, made, CAP, counter=1)
    assert cases(world, POSTAL, made) == []
    forward(hand, made, CAP + Mills(1), counter=2)
    forward(hand, made, CAP + Mills(2), counter=3)  # the case is open: it is the same irregularity
    world.deliver()
    held = cases(world, POSTAL, made)
    assert len(held) == 1
    assert held == cases(world, HARBOR, made)
    with world.store(POSTAL).reading() as view:
        noted([fact for fact in view.facts() if fact.type == "case.opened"], "PRE-11")
    with world.store(HARBOR).reading() as view:
        row = view.get("device", made.device)
    assert row is not None
    assert row.body["custody"] == "suspect"
    answer = made.ask_reset(RequestId.new(hand.source), Mills.dollars(1), counter=4)
    assert isinstance(answer, bodies.ResetRefusal)


def cases(world: World, party: str, made: Puppet) -> list[str]:
    with world.store(party).reading() as view:
        return [row.key for row in view.find("case", owner=made.device)]


def test_the_highest_cap_is_that_of_the_days_up_to_a_day() -> None:
    rules = ruleset("ibi-1998")
    first = rules.parameters["descending_cap"].values[0].since
    assert rules.highest_mills("descending_cap", first) == CAP
    assert rules.highest_mills("descending_cap", first.replace(day=1)) == ZERO
