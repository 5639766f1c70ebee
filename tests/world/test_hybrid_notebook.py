"""The notebook of a hybrid: where each request went is never lost and never mixed up."""

from pathlib import Path

import pytest

from towncircle.kernel.errors import BadInput, Refused
from towncircle.world.notebook import FIRST, NOTES, NOWHERE, OTHER, Notebook, first_of, move

HEAD = b"towncircle hybrid 1\tA\tB\n"


def test_half_a_line_that_a_power_cut_left_is_taken_off(tmp_path: Path) -> None:
    book = tmp_path / NOTES
    for torn in (b"REQ-2", b"REQ-2\tfi", b""):
        book.write_bytes(HEAD + b"REQ-1\tfirst\n" + torn)
        notes = Notebook(tmp_path, first="A", other="B")
        assert (notes.place("REQ-1"), notes.place("REQ-2")) == (FIRST, "")
        notes.note("REQ-3", OTHER)
        notes.close()
        assert book.read_bytes() == HEAD + b"REQ-1\tfirst\nREQ-3\tother\n"


def test_the_last_note_of_a_request_counts_and_nowhere_is_free(tmp_path: Path) -> None:
    notes = Notebook(tmp_path, first="A", other="B")
    for place in (FIRST, NOWHERE, OTHER):
        notes.note("REQ-1", place)
    notes.note("REQ-2", NOWHERE)
    notes.close()
    again = Notebook(tmp_path)
    assert (again.place("REQ-1"), again.place("REQ-2"), again.first, again.other) == (OTHER, "", "A", "B")
    again.close()


@pytest.mark.parametrize("bad", [b"nonsense\n", HEAD + b"REQ-1\n", HEAD + b"REQ-1\tmoon\n", b"\xff\xfe\n"])
def test_notes_that_cannot_be_read_stop_the_host(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / NOTES).write_bytes(bad)
    with pytest.raises(Refused, match=r"world\.damaged"):
        Notebook(tmp_path, first="A", other="B")


def test_one_host_at_a_time_has_the_notes_and_they_are_of_two_devices_for_good(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"world\.no-hybrid"):
        move(tmp_path)
    notes = Notebook(tmp_path, first="A", other="B")
    with pytest.raises(Refused, match=r"world\.hybrid-served"):
        Notebook(tmp_path, first="A", other="B")
    assert not notes.moved
    move(tmp_path)
    assert notes.moved
    notes.close()
    with pytest.raises(BadInput, match=r"world\.hybrid-other"):
        Notebook(tmp_path, first="A", other="C")
    assert first_of(tmp_path) == "A"
