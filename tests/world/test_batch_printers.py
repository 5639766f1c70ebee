"""A batch on a printer: parts are entries of the spool, and no interruption prints one twice or loses one."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.journeys.stories import refused
from tests.paper.test_zpl import drawn as label_of
from tests.world.batch_stories import good, listed, standing

from towncircle.cli.main import main
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import batches, printers, spool
from towncircle.licensee.printers import Printer
from towncircle.mailpiece.templates import Template, parse
from towncircle.paper.png import raster
from towncircle.symbol import read
from towncircle.transport.printers import Way
from towncircle.world import batching, labels, spooling, turns
from towncircle.world.batching import Batched, Wish
from towncircle.world.journeys import Journeys

LABELS = """
[piece]
shape = "flat"
weight = "2 oz"
[page]
stock = "roll-4x6"
[output]
pieces_per_file = 2
"""


HELD = Mills.dollars(40)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


@pytest.fixture
def desk(room: Journeys, tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    kept(room, name="desk", kind="folder", address=str(folder))
    return folder


def kept(room: Journeys, **profile: Any) -> None:
    room.do(lambda ctx: printers.keep(ctx, printer=Printer(**profile)))


def wish(tmp_path: Path, count: int = 3, *, printer: str = "desk") -> Wish:
    template = Template(name="test", pieces_per_file=1)
    return Wish(source=listed(tmp_path, good(count)), template=template, printer=printer)


def entries(room: Journeys, batch: Record) -> list[Record]:
    with room.world.store(room.licensee).reading() as view:
        return [row for job in batches.jobs_of(batch) for row in view.find("spool", owner=job)]


def marks(room: Journeys, batch: Record) -> list[str]:
    with room.world.store(room.licensee).reading() as view:
        return [mark for job in batches.jobs(view, batch) for mark in job.body["indicia"]]


def came_out(folder: Path) -> list[str]:
    """Read the marks of everything that lies in the spool folder, each file of one page."""
    return sorted(read(raster(file))[0].payload.hex() for file in folder.glob("*.pdf"))


def check_whole(room: Journeys, done: Batched, desk: Path, before: Any) -> None:
    assert done.batch.body["state"] == "printed"
    assert came_out(desk) == sorted(marks(room, done.batch))
    assert [spool.standing_of(row) for row in entries(room, done.batch)] == ["handed over"] * 3
    after, bound = standing(room)
    assert (int(before[0].descending - after.descending), bound - before[1]) == (
        done.batch.body["spent"],
        done.batch.body["spent"],
    )


def test_a_batch_goes_to_a_printer_part_by_part_and_its_manifest_says_where(
    room: Journeys, desk: Path, tmp_path: Path
) -> None:
    before = standing(room)
    done = batching.print_batch(room, wish(tmp_path), tmp_path / "papers")
    check_whole(room, done, desk, before)
    assert [path.name for path in (tmp_path / "papers").iterdir()] == ["manifest.json"]
    told = json.loads(done.manifest.read_text())
    assert told["printer"] == "desk"
    rows = entries(room, done.batch)
    assert [one["entry"] for one in told["files"]] == [row.body["number"] for row in rows]
    first = rows[0]
    spooling.decide(room, first.body["number"], pieces=(1,), came_out=False, reason="jammed")
    again = spooling.reprint_on(room, JobId(first.body["job"]), (1,), "desk")
    assert spool.standing_of(again.entry) == "handed over"


class Dying:
    """Die before or after a step of a way, the first time."""

    left: ClassVar[list[str]] = []

    def __init__(self, way: Way, step: str, *, done: bool) -> None:
        self._way, self._step, self._done = way, step, done

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._way, name)
        if name != self._step or not Dying.left:
            return real

        def died() -> Any:
            Dying.left.clear()
            if self._done:
                real()
            raise Killed

        return died


@pytest.mark.parametrize("step", ["ready", "hand_over", "written_down"])
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_kill_in_the_middle_of_a_part_prints_every_piece_once(
    room: Journeys, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, done: bool
) -> None:
    before, way = standing(room), spooling._way
    monkeypatch.setattr(spooling, "_way", lambda *given: Dying(way(*given), step, done=done))
    Dying.left[:] = ["once"]
    with pytest.raises(Killed):
        batching.print_batch(room, wish(tmp_path), tmp_path / "papers")
    with room.world.store(room.licensee).reading() as view:
        (batch,) = [row for row in view.find("batch") if row.body["state"] == "reserved"]
    with refused("printer.batch-open"):  # its parts are drawn for the printer as it is
        kept(room, name="desk", kind="folder", address=str(desk), dpi=600)
    ended = batching.resume(room, batch.key, tmp_path / "papers")
    check_whole(room, ended, desk, before)


def test_a_printer_that_is_away_stops_the_batch_and_what_waits_is_sent_first(
    room: Journeys, desk: Path, tmp_path: Path
) -> None:
    before = standing(room)
    desk.rmdir()
    with refused("printer.unreachable"):
        batching.print_batch(room, wish(tmp_path), tmp_path / "papers")
    with room.world.store(room.licensee).reading() as view:
        (batch,) = [row for row in view.find("batch") if row.body["state"] == "reserved"]
    assert [row.body["state"] for row in entries(room, batch)] == ["queued"]
    desk.mkdir()
    check_whole(room, batching.resume(room, batch.key, tmp_path / "papers"), desk, before)


def test_a_batch_waits_while_another_process_sends_and_is_given_up_though_it_never_ends(
    room: Journeys, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = wish(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(spooling, "_sent", lambda *_given: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            batching.print_batch(room, order, tmp_path / "papers")
    with room.world.store(room.licensee).reading() as view:
        (batch,) = [row for row in view.find("batch") if row.body["state"] == "reserved"]
    guard = spooling._alone(room)
    guard.__enter__()  # as `spool send` does meanwhile
    free = threading.Timer(0.2, lambda: guard.__exit__(None, None, None))
    free.start()
    done = batching.resume(room, batch.key, tmp_path / "papers")
    free.join()
    assert (done.batch.body["state"], done.troubles) == ("printed", ())
    monkeypatch.setattr(turns, "WAIT_S", 0.01)
    with spooling._alone(room):
        with refused("spool.under-way"):
            batching.print_batch(room, order, tmp_path / "more")
        with room.world.store(room.licensee).reading() as view:
            (batch,) = [row for row in view.find("batch") if row.body["state"] == "reserved"]
        done = batching.give_up(room, batch.key, tmp_path / "more")
    assert (done.batch.body["state"], {one.code for one in done.troubles}) == ("given up", {"spool.under-way"})
    for row in entries(room, done.batch):
        assert spooling.send(room, row.body["number"]).trouble is None


def test_a_part_of_an_earlier_run_that_nobody_knows_of_is_told_at_the_end(
    room: Journeys, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    way, seen = spooling._way, []

    def doubtful(*given: Any) -> Any:
        real = way(*given)
        seen.append(real)
        if len(seen) == 1:
            real.hand_over = lambda: (_ for _ in ()).throw(Refused("printer.doubt", address="desk", why="cut"))
        if len(seen) == 2:
            raise Killed
        return real

    with monkeypatch.context() as broken:
        broken.setattr(spooling, "_way", doubtful)
        with pytest.raises(Killed):
            batching.print_batch(room, wish(tmp_path), tmp_path / "papers")
    with room.world.store(room.licensee).reading() as view:
        (batch,) = [row for row in view.find("batch") if row.body["state"] == "reserved"]
    done = batching.resume(room, batch.key, tmp_path / "papers")
    first, *others = entries(room, done.batch)
    assert [(one.code, one.params["entry"]) for one in done.troubles] == [("printer.interrupted", first.body["number"])]
    told = json.loads(done.manifest.read_text())["files"]
    assert [one["entry_state"] for one in told] == ["unknown"] + ["handed over"] * len(others)
    spooling.decide(room, first.body["number"], came_out=True)


def test_a_batch_is_given_up_although_its_printer_is_away(room: Journeys, desk: Path, tmp_path: Path) -> None:
    desk.rmdir()
    with refused("printer.unreachable"):
        batching.print_batch(room, wish(tmp_path), tmp_path / "papers")
    with room.world.store(room.licensee).reading() as view:
        (batch,) = [row for row in view.find("batch") if row.body["state"] == "reserved"]
    done = batching.give_up(room, batch.key, tmp_path / "papers")
    assert done.batch.body["state"] == "given up"
    assert {one.code for one in done.troubles} == {"printer.unreachable"}
    waiting = [row.body["number"] for row in entries(room, done.batch) if row.body["state"] == "queued"]
    assert waiting  # paid for: sent when the printer is there
    desk.mkdir()
    assert all(spooling.send(room, number).trouble is None for number in waiting)


def test_another_form_in_the_printer_is_refused_before_anything_is_reserved(room: Journeys, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    kept(room, name="cards", kind="folder", address=str(folder), form="no6-3-4")
    before = standing(room)
    with refused("printer.other-form"):
        batching.print_batch(room, wish(tmp_path, printer="cards"), tmp_path / "papers")
    assert standing(room) == before


def test_labels_go_to_a_label_printer_and_into_files_in_its_language(room: Journeys, tmp_path: Path) -> None:
    labels.approve(room.world, stock="roll-4x6", form="label4x6", reference="MTM-L-2")
    labels.refresh(room)
    folder = tmp_path / "spool"
    folder.mkdir()
    kept(room, name="zebra", kind="folder", address=str(folder), language="zpl", dpi=203)
    asked = replace(wish(tmp_path, printer="zebra"), template=parse(LABELS.encode(), name="labels"))
    done = batching.print_batch(room, asked, tmp_path / "papers")
    (first, second) = sorted(folder.glob("*.zpl"), key=lambda path: path.stat().st_size, reverse=True)
    found = [found for file in (first, second) for found in seen(file.read_bytes())]
    assert sorted(found) == sorted(marks(room, done.batch))
    template = replace(asked.template, formats=("pdf", "zpl"))
    files = batching.print_batch(room, replace(asked, template=template, printer=""), tmp_path / "files")
    held = [found for at in (1, 2) for found in seen((tmp_path / "files" / f"envelopes-000{at}.zpl").read_bytes(), 300)]
    assert held == marks(room, files.batch)


def seen(labels_in_zpl: bytes, dpi: int = 203) -> list[str]:
    """Read the mark of each label of a file, as an independent renderer draws it."""
    every = [b"^XA" + one for one in labels_in_zpl.split(b"^XA")[1:]]
    return [read(np.asarray(label_of(one, dpi)))[0].payload.hex() for one in every]


def test_a_batch_needs_a_folder_for_its_papers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("--csv list.csv --printer desk", "--give-up --printer desk", ""):
        assert main(f"print {tmp_path / 'no-world'} {line}".split()) == 2
        assert "cli.nowhere" in capsys.readouterr().err
    assert main(f"print {tmp_path / 'no-world'} --printer desk --out {tmp_path}".split()) == 2
