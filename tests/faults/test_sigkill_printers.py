"""A process gets SIGKILL at every commit and at every step to a printer; no piece is printed twice without being told.

To a spool folder everything is printed exactly once. A raw printer may have got the pieces when the process died: then
the entry is unknown, and nothing is sent again until a person has said what came out.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pypdfium2
import pytest
from tests.faults import killed as world_of
from tests.transport.test_printers import Listener

from towncircle.kernel.ids import JobId
from towncircle.licensee import printers, spool
from towncircle.licensee.printers import Printer
from towncircle.mailpiece.address_files import public_addresses
from towncircle.testing.rehearsal_world import Points, rehearsed
from towncircle.transport.printers import Way
from towncircle.world import spooling
from towncircle.world.journeys import Journeys

# forking is meant here: the child prints and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
PEOPLE = public_addresses()[:2]


class Steps:
    """Wrap a way: each of its steps is a point before it and a point after it."""

    def __init__(self, inner: Way, points: Points) -> None:
        self._inner, self._points = inner, points

    def ready(self) -> None:
        self._points.reach("way: before ready")
        self._inner.ready()
        self._points.reach("way: after ready")

    def hand_over(self) -> str:
        self._points.reach("way: before hand over")
        reference = self._inner.hand_over()
        self._points.reach("way: after hand over")
        return reference

    def after_crash(self) -> bool:
        return self._inner.after_crash()

    def written_down(self) -> None:
        self._points.reach("way: before the receipt goes")
        self._inner.written_down()

    def close(self) -> None:
        self._inner.close()


def printed_with(folder: Path, points: Points) -> None:
    """Plan two pieces and print them on the printer `desk` of a world that reaches points."""
    way = spooling._way
    spooling._way = lambda *given: Steps(way(*given), points)
    try:
        with closing(rehearsed(folder, points)) as world:
            journeys = Journeys(world)
            spooling.print_on(journeys, journeys.plan(PEOPLE), "desk")
    finally:
        spooling._way = way


def killed_at(folder: Path, point: int) -> None:
    child = os.fork()
    if child == 0:
        try:
            printed_with(folder, Points(point))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"point {point} was not reached"
    assert os.WTERMSIG(status) == signal.SIGKILL


def settled(journeys: Journeys) -> list[str]:
    """Do what a user does after a crash: finish open jobs, send what waits; give how the entries stand."""
    for row in journeys.open_jobs():
        spooling.print_on(journeys, JobId(row.key), "desk")
    for number in spooling.waiting(journeys):
        spooling.send(journeys, number)
    with journeys.world.store(journeys.licensee).reading() as view:
        return [spool.standing_of(row) for row in view.find("spool")]


@pytest.fixture
def ready(top: Path, in_service: Path) -> Callable[[str, Printer], Path]:
    def make(name: str, printer: Printer) -> Path:
        folder = shutil.copytree(in_service, top / name)
        with world_of.opened(folder) as journeys:
            journeys.do(lambda ctx: printers.keep(ctx, printer=printer))
        return folder

    return make


def points_of(template: Path, top: Path) -> list[str]:
    points = Points()
    printed_with(shutil.copytree(template, top / "rehearsed"), points)
    shutil.rmtree(top / "rehearsed")
    return points.names


def test_a_folder_gets_every_piece_once_whatever_dies(ready, top: Path) -> None:
    out = top / "out"
    out.mkdir()
    template = ready("folder", Printer(name="desk", kind="folder", address=str(out)))
    names = points_of(template, top)
    assert sum(name.startswith("way:") for name in names) == 5
    for point in range(1, len(names) + 1):
        shutil.rmtree(out)
        out.mkdir()
        folder = shutil.copytree(template, top / "killed")
        try:
            killed_at(folder, point)
            with world_of.opened(folder) as journeys:
                states = settled(journeys)
                assert states in ([], ["handed over"])  # killed before its job was planned there is none
                files = sorted(path for path in out.iterdir() if not path.name.startswith("."))
                assert len(files) == len(states)
                for file in files:
                    with closing(pypdfium2.PdfDocument(file)) as document:
                        assert len(document) == len(PEOPLE)
                assert settled(journeys) == states
                assert journeys.status().registers.pieces == len(PEOPLE) * len(states)
                if names[point - 1].startswith("way:"):
                    world_of.prints_agree(journeys)
                    world_of.audited(journeys, folder / "export")
        except BaseException as error:
            error.add_note(f"killed at point {point} of {len(names)}: {names[point - 1]}")
            raise
        shutil.rmtree(folder)


def test_a_raw_printer_gets_nothing_twice_unless_somebody_said_that_it_spoiled(ready, top: Path) -> None:
    printer = Listener()
    try:
        template = ready("raw", Printer(name="desk", kind="raw", address=f"127.0.0.1:{printer.port}", language="zpl"))
        names = points_of(template, top)
        first = names.index("way: before ready")
        for point in range(first, len(names) + 1):
            printer.taken = b""
            folder = shutil.copytree(template, top / "killed")
            killed_at(folder, point)
            with world_of.opened(folder) as journeys:
                states = settled(journeys)
                assert settled(journeys) == states
                labels = printer.taken.count(b"^XZ")
                assert (states, labels) in [
                    (["handed over"], 2),
                    (["unknown"], 0),
                    (["unknown"], 2),
                ], names[point - 1]
                if states == ["unknown"]:
                    spooling.decide(journeys, 1, came_out=False, reason="the process died")
                    assert spooling.reprint_on(journeys, journeys.last_job(), (), "desk").trouble is None
                    assert printer.taken.count(b"^XZ") == labels + 2
                    assert journeys.status().reprints == 2
            shutil.rmtree(folder)
    finally:
        printer.close()
