"""A piece that is held is not accepted: what it lacked may come, and then it is accepted once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import new_world, reopened
from tests.journeys.test_corrections import PEOPLE, TWO_OZ, Room

from towncircle.kernel.money import Mills
from towncircle.kernel.store import Store
from towncircle.testing.rehearsal_world import Points, RehearsedStore
from towncircle.verification import Observed, PieceVerdict, Verdict
from towncircle.world import printing, verifying
from towncircle.world.config import POSTAL
from towncircle.world.verifying import Mark
from towncircle.world.world import Wiring, World

DUE = Mills(1070)
USED = ("DUPLICATE", "reject")
HELD = ("VALID", "hold")
TAKEN = ("VALID", "accept with notes")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    world = new_world(tmp_path / "world")
    yield Room(world, tmp_path)
    world.close()


def front(room: Room, piece: int = 1) -> Mark:
    return list(verifying.marks_of(room.first.pdf))[piece - 1]


def back(room: Room) -> Mark:
    """Print what the first piece lacks at two ounces, and give its mark."""
    return next(verifying.marks_of(room.correct(1, weight_oz=TWO_OZ, formats=("pdf", "png")).pictures[0]))


def piece(room: Room, *marks: Mark, due: Mills | None = DUE, site: str = "here") -> PieceVerdict:
    """Scan a piece as the Postal Service does."""
    now, observed = room.world.clock.now(), Observed(amount_due=due)
    return verifying.record_piece(marks, room.world, site=site, at=now, observed=observed)[0]


def scan(room: Room, mark: Mark, *, site: str = "here", **seen: Any) -> Verdict:
    return verifying.record(mark, room.world, site=site, observed=Observed(**seen)).verdict


def words(verdict: Verdict | PieceVerdict) -> tuple[str, str]:
    return verdict.verdict, verdict.disposition


def told(room: Room) -> list[tuple[str, str, str]]:
    with room.world.store(POSTAL).reading() as view:
        found = [fact.body for fact in view.facts() if fact.type == "scan.recorded"]
    return [(body["verdict"], body["disposition"], body["piece"]) for body in found]


def test_a_shortpaid_piece_is_held_and_accepted_once_when_its_correction_is_on_it(room: Room) -> None:
    assert words(scan(room, front(room), amount_due=DUE)) == HELD
    more = back(room)
    whole = piece(room, front(room), more)
    assert words(whole) == TAKEN
    assert whole.paid == DUE
    assert whole.marks[0].finding("used.mailed").ok is None  # type: ignore[union-attr]  # the check always applies
    again = piece(room, front(room), more)
    assert words(again) == USED
    assert [words(mark) for mark in again.marks] == [USED, USED]
    assert words(scan(room, front(room))) == USED
    assert words(scan(room, more)) == USED
    room.audited()


def test_a_stale_piece_is_held_and_accepted_once_when_its_redate_is_seen(room: Room) -> None:
    room.world.advance("31d")
    room.journeys.contact()
    assert words(scan(room, front(room))) == HELD
    assert words(scan(room, front(room))) == HELD
    room.redate(1, days=31)
    seen = room.day + timedelta(days=31)
    assert words(scan(room, front(room), redate=seen)) == TAKEN
    assert words(scan(room, front(room), redate=seen)) == USED
    assert words(scan(room, front(room))) == USED
    room.audited()


def test_of_a_held_mark_and_its_copy_on_another_piece_the_first_accepted_wins(room: Room) -> None:
    assert words(scan(room, front(room), amount_due=DUE, site="A")) == HELD
    assert words(scan(room, front(room), amount_due=DUE, site="B")) == HELD
    copy = verifying.verify(front(room), room.world).verdict
    assert "Held at A" in copy.finding("used.mailed").text  # type: ignore[union-attr]  # the check always applies
    assert words(scan(room, front(room), site="B")) == TAKEN
    late = piece(room, front(room), back(room), site="A")
    assert [words(mark) for mark in late.marks] == [USED, HELD]
    assert "Used at B" in late.marks[0].finding("used.mailed").text  # type: ignore[union-attr]  # always
    assert words(late) == USED
    room.audited()


def test_a_rejected_piece_uses_none_of_its_marks_up(room: Room) -> None:
    assert words(scan(room, front(room, 2))) == TAKEN
    bad = piece(room, front(room, 1), front(room, 2), due=None)
    assert (words(bad), [words(mark) for mark in bad.marks]) == (USED, [HELD, USED])
    assert words(scan(room, front(room, 1))) == TAKEN
    assert len({name for _, _, name in told(room)}) == 2
    room.audited()


def test_what_is_recorded_of_a_piece_is_what_was_said_of_it(room: Room) -> None:
    more = back(room)
    for marks in ((front(room), front(room)), (front(room), front(room, 2)), (front(room), more)):
        now, observed = room.world.clock.now(), Observed(amount_due=DUE)
        asked, _ = verifying.verify_piece(marks, room.world, at=now, observed=observed)
        before = len(told(room))
        done = piece(room, *marks)
        assert done == asked
        assert [(verdict, disposition) for verdict, disposition, _ in told(room)[before:]] == [
            words(mark) for mark in done.marks
        ]
    assert words(done) == USED  # its front went with the second piece


def test_two_devices_with_one_counter_do_not_pay_one_piece_together(room: Room, tmp_path: Path) -> None:
    """A device is copied; each prints another content with the same counter; both stand on one piece."""
    first, second = clones(room, tmp_path)
    asked, _ = verifying.verify_piece(
        (first, second), room.world, at=room.world.clock.now(), observed=Observed(amount_due=Mills(1850))
    )
    done = piece(room, first, second, due=Mills(1850))
    for whole in (asked, done):
        assert words(whole) == ("INVALID", "reject")
        assert [words(mark) for mark in whole.marks] == [HELD, ("INVALID", "reject")]
        assert [one.code for one in whole.findings if one.ok is False] == ["piece.value", "piece.marks"]
    assert [word for word, _, _ in told(room)] == ["VALID", "INVALID"]


def test_a_held_mark_still_shows_that_its_counter_was_used_twice(room: Room, tmp_path: Path) -> None:
    first, second = clones(room, tmp_path)
    assert words(scan(room, first, amount_due=Mills(9000))) == HELD
    other = scan(room, second)
    assert words(other) == ("INVALID", "reject")
    assert other.finding("used.counter").ok is False  # type: ignore[union-attr]  # the check always applies


def clones(room: Room, tmp_path: Path) -> tuple[Mark, Mark]:
    """Print one piece with the device, and a dearer one with a copy of the device as it was before."""
    folder = room.world.shelf.folder_of(room.journeys.device)
    room.world.shelf.close()
    shutil.copytree(folder, tmp_path / "copy")
    one = dearer(room, "one", ounces=1)
    room.world.shelf.close()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "copy", folder)
    return one, dearer(room, "two", ounces=2)


def dearer(room: Room, name: str, *, ounces: int) -> Mark:
    person = replace(PEOPLE[0], weight_oz=Fraction(ounces))
    done = printing.print_job(room.journeys, (person,), room.out / name, formats=("pdf",))
    return next(verifying.marks_of(done.pdf))


# forking is meant here: the child scans and is killed
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("held_before", [False, True])
def test_a_kill_of_a_scan_leaves_the_piece_held_or_accepted_and_a_second_scan_settles_it(
    tmp_path: Path, held_before: bool
) -> None:
    world = new_world(tmp_path / "world")
    room = Room(world, tmp_path)
    marks = (front(room), back(room))
    if held_before:
        assert words(piece(room, *marks, due=Mills(1080))) == HELD
    world.close()
    outcomes = []
    shutil.copytree(tmp_path / "world", tmp_path / "rehearsal")
    points = rehearsed(tmp_path / "rehearsal", marks, Points())
    for point in range(1, len(points) + 1):
        folder = tmp_path / f"killed {point}"
        shutil.copytree(tmp_path / "world", folder)
        assert killed(folder, marks, point)
        room.world = reopened(folder)
        outcomes.append(words(piece(room, *marks)))
        assert words(piece(room, *marks)) == USED
        room.audited()
        room.world.close()
    assert outcomes == sorted(outcomes, key=(TAKEN, USED).index)  # until the commit of the scan, and from it on
    assert set(outcomes) == {TAKEN, USED}


def rehearsed(folder: Path, marks: tuple[Mark, ...], points: Points) -> list[str]:
    """Scan a piece in a world whose every commit is a point; give the names of the points."""

    def wrapped(store: Store, party: str) -> Store:
        return RehearsedStore(store, party, points)

    world = World.open(folder, Wiring(store=wrapped))
    verifying.record_piece(marks, world, site="here", at=world.clock.now(), observed=Observed(amount_due=DUE))
    world.close()
    return points.names


def killed(folder: Path, marks: tuple[Mark, ...], point: int) -> bool:
    """Scan in a process that gets SIGKILL at a point."""
    child = os.fork()
    if child == 0:
        rehearsed(folder, marks, Points(point))
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
