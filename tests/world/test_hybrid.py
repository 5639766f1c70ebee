"""Which of its two devices a hybrid pays from, against lines that refuse, lose answers and lie."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.psd.shops import CHANCE, FIRST, NOW, OTHER

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused, TowncircleError
from towncircle.psd import commands
from towncircle.transport.stations import StationServer, context_for
from towncircle.world import notebook
from towncircle.world.hybrid import HybridPort
from towncircle.world.notebook import NOTES, Notebook, move
from towncircle.world.stations import enrol, found, gate, port_to

ROWS = {"what": "x", "seconds": 1, "device": OTHER, "path": "x", "request": "x", "audience": "x", "mine": FIRST}


class Line:
    """A device on a line: it gives each request its first answer, or fails as it was told."""

    def __init__(self) -> None:
        self.error: TowncircleError | None = None
        self.raises = True
        self.paid: list[str] = []

    def exchange(self, command: bytes) -> bytes:
        if self.error is not None:
            if self.raises:
                raise self.error
            return commands.encode_error(self.error)
        asked = commands.decode_command(command)
        if isinstance(asked, commands.Recover) and asked.request_id not in self.paid:
            return commands.encode_error(Refused("psd.request-unknown", request=asked.request_id))
        assert isinstance(asked, commands.Evidence | commands.Recover | commands.Reprint)
        if asked.request_id not in self.paid:
            self.paid.append(asked.request_id)
        number = commands.NUMBERS[commands.Withdraw]
        return commands.encode_answer(number, commands.Done(state="in service", sentence=asked.request_id))


class Pair:
    def __init__(self, folder: Path, *, used: bool = False) -> None:
        self.folder, self.first, self.other, self.used = folder, Line(), Line(), used
        self.notes = Notebook(folder, first=FIRST, other=OTHER, used=used)
        self.port = HybridPort(self.first, self.other, self.notes)

    def again(self) -> None:
        self.notes.close()
        self.notes = Notebook(self.folder, first=FIRST, other=OTHER, used=self.used)
        self.port = HybridPort(self.first, self.other, self.notes)

    def ask(self, name: str, device: str = FIRST) -> object:
        return commands.decode_answer(self.port.call(device, evidence(name)))

    def away(self) -> None:
        self.first.error = Refused("psd.restarting", **_needed("psd.restarting"))


def evidence(name: str) -> bytes:
    return commands.encode_command(commands.Evidence.of(name, amounts=[730], date="2026-11-21"))


def _needed(code: str) -> dict[str, object]:
    from towncircle.kernel.errors.table import ERRORS

    row = ERRORS[code]
    return {name: value for name, value in ROWS.items() if f"{{{name}}}" in row.sentence + row.next_step}


def refusal(code: str) -> Refused:
    return Refused(code, **_needed(code))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.notes.close()


@pytest.mark.parametrize("bad", ["x\tfirst\nvictim", "a\nb", "a\u2028b", "a\x85b", "", "x" * 65])
def test_a_station_cannot_write_notes_with_its_request_id(pair: Pair, bad: str) -> None:
    pair.away()
    pair.ask("victim")
    pair.first.error = BadInput("psd.request-id", text="x")
    before = (pair.folder / NOTES).read_bytes()
    for command in (
        evidence(bad),
        commands.encode_command(commands.Recover(request_id=bad)),
        commands.encode_command(commands.Reprint(request_id=bad, offsets=(0,))),
    ):
        with pytest.raises(BadInput, match=r"psd\.(request-id|malformed)"):
            pair.port.call(FIRST, command)
    assert (pair.folder / NOTES).read_bytes() == before
    pair.first.error = None
    pair.again()
    pair.ask("victim")
    assert (pair.first.paid, pair.other.paid) == ([], ["victim"])


@pytest.mark.parametrize(
    "code",
    ["psd.host-busy", "psd.restarting", "psd.store-busy", "transport.unreachable", "world.station-refused"],
)
def test_what_refuses_the_second_sending_says_nothing_of_the_first(tmp_path: Path, code: str) -> None:
    (tmp_path / "own").mkdir()
    paid, turns = [], []

    def call(device: str, command: bytes) -> bytes:
        turns.append(1)
        if len(turns) == 1:
            time.sleep(1.5)
            paid.append("late")
            return b"late"
        raise refusal(code)

    found(tmp_path / "host", CHANCE, NOW)
    enrol(tmp_path / "host", "hybrid", tmp_path / "out", devices=[OTHER], randomness=CHANCE, now=NOW)
    server = StationServer(context_for(tmp_path / "host", server=True), gate(tmp_path / "host", call))
    threading.Thread(target=server.run, daemon=True).start()
    first, wan = Line(), port_to(tmp_path / "out", server.address, OTHER, timeout_s=0.7)
    notes = Notebook(tmp_path / "own", first=FIRST, other=OTHER)
    hybrid = HybridPort(first, wan, notes)
    first.error = refusal("psd.restarting")
    with pytest.raises(Refused, match=r"psd\.unreachable"):
        commands.decode_answer(hybrid.call(FIRST, evidence("piece")))
    assert notes.place("piece") == notebook.OTHER
    first.error = None
    with pytest.raises(Refused):
        commands.decode_answer(hybrid.call(FIRST, evidence("piece")))
    assert (first.paid, len(turns)) == ([], 3)
    server.close()
    wan.close()
    notes.close()


@pytest.mark.parametrize("raises", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        refusal("world.station-refused"),
        BadInput("psd.no-such-device", device=OTHER),
        BadInput("psd.amount-zero", piece=1),
        refusal("psd.not-certified"),
        Refused("psd.token-refused", library="x", what="x"),
        refusal("psd.not-this-device"),
    ],
    ids=lambda error: error.code,
)
def test_a_refused_fallback_leaves_the_request_free(pair: Pair, error: TowncircleError, raises: bool) -> None:
    pair.away()
    pair.other.error, pair.other.raises = error, raises
    with pytest.raises(type(error), match=error.code):
        pair.ask("job")
    pair.first.error = None
    pair.ask("job")
    assert pair.first.paid == ["job"]


@pytest.mark.parametrize("raises", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        refusal("psd.unreachable"),
        refusal("psd.interrupted"),
        refusal("psd.store-failed"),
        refusal("psd.wrapping-failed"),
        refusal("psd.store-stale"),
        refusal("psd.request-conflict"),
        BrokenInvariant("psd.store-damaged", path="x", what="x"),
    ],
    ids=lambda error: error.code,
)
def test_a_doubtful_fallback_keeps_the_request_where_it_went(pair: Pair, error: TowncircleError, raises: bool) -> None:
    pair.away()
    pair.other.error, pair.other.raises = error, raises
    with pytest.raises(type(error), match=error.code):
        pair.ask("job")
    pair.first.error = pair.other.error = None
    pair.again()
    pair.ask("job")
    assert (pair.first.paid, pair.other.paid) == ([], ["job"])


@pytest.mark.parametrize("raises", [True, False])
def test_a_store_that_another_process_owns_is_no_reason_to_fall_back(pair: Pair, raises: bool) -> None:
    pair.first.error, pair.first.raises = refusal("psd.store-busy"), raises
    with pytest.raises(Refused, match=r"psd\.store-busy"):
        pair.ask("job")
    pair.first.error = None
    pair.ask("job")
    assert (pair.first.paid, pair.other.paid) == (["job"], [])


def test_what_the_lan_device_gave_before_there_were_notes_is_not_paid_by_the_other(tmp_path: Path) -> None:
    pair = Pair(tmp_path, used=True)
    pair.first.paid.append("old")
    move(tmp_path)
    pair.ask("old")
    pair.ask("new")
    assert (pair.first.paid, pair.other.paid) == (["old"], ["new"])
    pair.first.error = refusal("psd.unreachable")
    with pytest.raises(Refused, match=r"psd\.unreachable"):
        pair.ask("doubt")
    pair.away()  # it does not answer any more: withdrawn and taken away
    pair.ask("doubt")
    assert pair.other.paid == ["new", "doubt"]
    pair.notes.close()


def test_notes_of_an_older_host_are_read_as_of_a_used_device_and_new_ones_say_which(tmp_path: Path) -> None:
    (tmp_path / NOTES).write_text(f"towncircle hybrid 1\t{FIRST}\t{OTHER}\n")
    older = Notebook(tmp_path, first=FIRST, other=OTHER, used=False)
    assert older.used
    older.close()
    (tmp_path / "new").mkdir()
    for _ in range(2):
        fresh = Notebook(tmp_path / "new", first=FIRST, other=OTHER, used=False)
        assert not fresh.used
        fresh.close()


def test_a_station_of_the_hosted_device_does_not_get_the_lan_devices_pieces(pair: Pair) -> None:
    pair.ask("lan-job")
    for command in (
        evidence("lan-job"),
        commands.encode_command(commands.Recover(request_id="lan-job")),
        commands.encode_command(commands.Reprint(request_id="lan-job", offsets=(0,))),
    ):
        with pytest.raises(Refused, match=r"world\.hybrid-request"):
            pair.port.call(OTHER, command)
    pair.away()
    pair.ask("fallen")
    pair.first.error = None
    pair.ask("fallen", OTHER)
    pair.ask("fallen", FIRST)  # the reverse is what a hybrid is for
    assert (pair.first.paid, pair.other.paid) == (["lan-job"], ["fallen"])
