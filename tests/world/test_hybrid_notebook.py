"""The notebook of a hybrid: where each request went is never lost and never mixed up."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.psd.shops import FIRST as LAN
from tests.psd.shops import OTHER as HOSTED

from towncircle.cli.main import main
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


@pytest.mark.parametrize(
    "bad", [b"nonsense\n", HEAD + b"REQ-1\n", HEAD + b"REQ-1\tmoon\n", b"\xff\xfe\n", HEAD + "é\tfirst\n".encode()]
)
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


def _limited(folder: Path, room: int) -> str:
    """Note in a process whose files may grow by so many bytes only; give what it says."""
    program = f"""
import resource, signal
from pathlib import Path
from towncircle.kernel.errors import Refused
from towncircle.world.notebook import Notebook
notes = Notebook(Path({str(folder)!r}), first="A", other="B")
notes.note("REQ-1", "first")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (notes.path.stat().st_size + {room}, resource.RLIM_INFINITY))
try:
    notes.note("REQ-2", "first")
except Refused as refusal:
    print(refusal.code, refusal.sentence, notes.place("REQ-2") == "")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
notes.note("REQ-3", "other")
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("room", [0, 5])
def test_a_full_disk_is_a_clear_refusal_and_leaves_no_half_line(tmp_path: Path, room: int) -> None:
    said = _limited(tmp_path, room)
    assert said.startswith("world.hybrid-notes The hybrid's notes")
    assert said.endswith("True\n")
    again = Notebook(tmp_path, first="A", other="B")
    assert [again.place(f"REQ-{n}") for n in (1, 2, 3)] == [FIRST, "", OTHER]
    again.close()


def test_notes_that_cannot_be_opened_are_not_called_served(tmp_path: Path) -> None:
    (tmp_path / NOTES).mkdir()
    with pytest.raises(Refused, match=r"world\.hybrid-notes.*directory"):
        Notebook(tmp_path, first="A", other="B")
    with pytest.raises(Refused, match=r"world\.hybrid-notes.*No such file"):
        Notebook(tmp_path / "nowhere", first="A", other="B")


@pytest.mark.parametrize("verb", ["serve-pipe", "serve-lan"])
def test_a_hybrids_folder_is_not_served_in_another_way(
    tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Notebook(tmp_path, first=LAN, other=HOSTED).close()
    more = ["--stations", str(tmp_path / "list")] if verb == "serve-lan" else []
    assert main(["device", verb, str(tmp_path), *more]) != 0
    said = capsys.readouterr().err
    assert "world.hybrid-folder" in said
    assert "serve-hybrid" in said
