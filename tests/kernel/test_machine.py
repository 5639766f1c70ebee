"""State tables: a legal move gives its row, an illegal one names the legal ones."""

import pytest

from towncircle.kernel.errors import Refused
from towncircle.kernel.machine import Move, StateTable

DOOR = StateTable(
    "the door",
    "open",
    [Move("open", "close", "shut", "H-1"), Move("shut", "open", "open", "H-2"), Move("shut", "nail", "nailed", "H-3")],
)


def test_a_legal_move_gives_its_row_with_the_clause() -> None:
    assert DOOR.move("open", "close") == Move("open", "close", "shut", "H-1")


def test_an_illegal_move_changes_nothing_and_names_the_legal_ones() -> None:
    with pytest.raises(Refused) as caught:
        DOOR.move("shut", "close")
    assert caught.value.code == "machine.illegal-move"
    assert "'close' is not possible while the door is 'shut'" in caught.value.sentence
    assert caught.value.next_step == "Possible now: open, nail."


@pytest.mark.parametrize("state", ["nailed", "no such state"])
def test_where_nothing_is_possible_the_refusal_says_so(state: str) -> None:
    with pytest.raises(Refused) as caught:
        DOOR.move(state, "open")
    assert caught.value.next_step == "Possible now: nothing."


def test_a_table_knows_its_states_from_the_start_on() -> None:
    assert DOOR.states == ("open", "shut", "nailed")
    assert DOOR.legal("shut") == ("open", "nail")


def test_two_moves_for_one_state_and_event_are_no_table() -> None:
    with pytest.raises(AssertionError, match="two moves"):
        StateTable("it", "a", [Move("a", "go", "b", "H"), Move("a", "go", "c", "H")])


def test_a_table_draws_itself_without_the_moves_that_stay() -> None:
    table = StateTable("it", "at rest", [Move("at rest", "look", "at rest", "H"), Move("at rest", "go", "off", "H")])
    assert table.mermaid().splitlines() == [
        "stateDiagram-v2",
        '    state "at rest" as at_rest',
        "    [*] --> at_rest",
        "    at_rest --> off: go",
    ]
