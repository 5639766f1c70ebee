"""The two automata side by side: what a device may say of itself, by where it is."""

import pytest

from towncircle.provider.custody import JOINT, irregular
from towncircle.provider.inventory import CUSTODY
from towncircle.psd.states import DEVICE

ALL = {
    *("new", "stocked", "shipped", "leased", "suspect", "missing", "lost", "stolen", "recovered", "returned"),
    *("checked out", "scrapped"),
}


def test_custody_knows_every_place_a_device_may_be_and_each_is_reached() -> None:
    assert set(CUSTODY.states) == ALL
    reached, frontier = {CUSTODY.start}, [CUSTODY.start]
    while frontier:
        state = frontier.pop()
        for move in CUSTODY.moves:
            if move.state == state and move.to not in reached:
                reached.add(move.to)
                frontier.append(move.to)
    assert reached == ALL
    assert all(move.clause for move in CUSTODY.moves)


def test_every_custody_has_its_row_with_a_clause_and_known_states() -> None:
    assert {pair.custody for pair in JOINT} == ALL
    assert len(JOINT) == len(ALL)
    assert all(pair.clause and pair.why and set(pair.states) <= set(DEVICE.states) for pair in JOINT)


@pytest.mark.parametrize("custody", sorted(ALL))
@pytest.mark.parametrize("state", DEVICE.states)
def test_every_pair_stands_or_is_named(custody: str, state: str) -> None:
    (pair,) = (pair for pair in JOINT if pair.custody == custody)
    told = irregular(custody=custody, state=state)
    assert (told == "") is (state in pair.states)
    if told:
        assert custody in told
        assert state in told


def test_every_state_has_a_place_and_no_lease_begins_before_the_authorisation() -> None:
    assert {state for pair in JOINT for state in pair.states} == set(DEVICE.states)
    assert irregular(custody="leased", state="initialised")
    assert irregular(custody="scrapped", state="withdrawn")
