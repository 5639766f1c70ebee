"""A process gets SIGKILL at every store commit, message and device write of a rehearsal, and everything settles."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from tests.faults import killed as world_of

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.testing.rehearsal_world import PIECES, rehearse
from towncircle.world import printing
from towncircle.world.config import POSTAL
from towncircle.world.examinations import cases_of, examine
from towncircle.world.journeys import Applicant, Journeys

# forking is meant here: the child walks one journey and is killed
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

CHUNKS = 4
STAGES = {  # what is prepared before each journey, and its amount
    "apply": ("nothing", ZERO),
    "lease": ("apply", ZERO),
    "deposit": ("lease", world_of.DEPOSIT),
    "first reset": ("deposit", world_of.FIRST),
    "reset": ("reset", world_of.SECOND),
    "contact": ("reset", ZERO),
    "examine": ("reset", ZERO),
    "print": ("reset", ZERO),
    "withdraw": ("reset", ZERO),
    "transfer": ("request", ZERO),
    "redate": ("print", ZERO),
    "correct": ("print", ZERO),
    "reprint": ("print", ZERO),
}


@pytest.fixture(scope="module")
def templates(top: Path) -> Callable[[str], Path]:
    def template(stage: str) -> Path:
        folder = top / "templates" / stage
        return folder if folder.exists() else world_of.prepared(folder, up_to=stage)

    return template


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("name", STAGES)
def test_a_kill_at_every_point_loses_and_doubles_nothing(
    name: str, chunk: int, templates: Callable[[str], Path], top: Path
) -> None:
    stage, amount = STAGES[name]
    journey = name.rsplit(maxsplit=1)[-1]
    _sweep(name, journey, templates(stage), top, amount=amount, chunk=chunk, wait="")


@pytest.mark.parametrize(
    "name",
    ["lease", "deposit", "first reset", "reset", "examine", "print", "withdraw", "transfer", "redate", "correct"],
)
@pytest.mark.parametrize("wait", ["25h", "80h"])
def test_a_user_who_comes_back_after_messages_ran_out_or_the_device_locked_finds_nothing_lost(
    name: str, wait: str, templates: Callable[[str], Path], top: Path
) -> None:
    stage, amount = STAGES[name]
    chunk = 1 if wait == "25h" else 4  # every third point is waited after, one time or the other
    _sweep(name, name.rsplit(maxsplit=1)[-1], templates(stage), top, amount=amount, chunk=chunk, wait=wait, step=6)


def _sweep(
    name: str, journey: str, template: Path, top: Path, *, amount: Mills, chunk: int, wait: str, step: int = CHUNKS
) -> None:
    rehearsal = shutil.copytree(template, top / f"{name} rehearsed")
    points = rehearse(rehearsal, journey, amount=amount, out=rehearsal / "printed")
    shutil.rmtree(rehearsal)
    for point in range(1 + chunk, len(points) + 1, step):
        try:
            folder = world_of.killed(template, top / f"{name} {point}", journey, point, amount)
            _settle(name, folder, wait)
        except BaseException as error:
            error.add_note(f"{name}, killed at point {point} of {len(points)}: {points[point - 1]}")
            raise
        shutil.rmtree(folder)


def _settle(name: str, folder: Path, wait: str) -> None:
    """Do what a user does after a crash, check everything, do it again, and check that nothing changed."""
    with world_of.opened(folder) as journeys:
        asked = _asked(journeys) if name.endswith("reset") else ZERO
        if wait:
            journeys.world.advance(wait)
        elif name in ("withdraw", "transfer"):
            world_of.audited_midway(journeys, folder / "midway")
        _FINISH[name](journeys, folder)
        journeys.settle()
        before = world_of.facts_of_money(journeys)
        world_of.nothing_waits(journeys)
        _CHECK[name](journeys, before)
        if name.endswith("reset") and not (wait == "80h" and _voided(journeys)):
            assert journeys.status().resets_total == asked
    with world_of.opened(folder) as journeys:
        journeys.settle()
        assert world_of.facts_of_money(journeys) == before
        world_of.nothing_waits(journeys)
        if name not in ("apply", "lease"):
            world_of.prints_agree(journeys)
        world_of.audited(journeys, folder / "export")


def _asked(journeys: Journeys) -> Mills:
    """Give what the device has applied and asked for: what it asked for before the kill comes, once."""
    status = journeys.status()
    return status.resets_total + status.open_amount


def _voided(journeys: Journeys) -> bool:
    """Tell whether the Provider ended a request that never reached it, because the locked device reported first."""
    with journeys.world.store(world_of.HARBOR).reading() as view:
        return len(view.find("reset")) == sum(row.body["state"] == "posted" for row in view.find("reset"))


def _again_unless(journeys: Journeys, kind: str, step: Callable[[], object]) -> None:
    with journeys.world.store(journeys.licensee).reading() as view:
        done = view.find(kind)
    if not done:
        step()


def _finish_apply(journeys: Journeys, _folder: Path) -> None:
    _again_unless(journeys, "license", lambda: journeys.apply(Applicant(), provider=world_of.HARBOR))


def _finish_lease(journeys: Journeys, _folder: Path) -> None:
    journeys.lease()


def _finish_deposit(journeys: Journeys, _folder: Path) -> None:
    _again_unless(journeys, "deposit", lambda: journeys.deposit(world_of.DEPOSIT))


def _finish_print(journeys: Journeys, folder: Path) -> None:
    journeys.settle()  # where it is locked by now, this opens the device
    for job in world_of.jobs_open(journeys):
        # the day of mailing may be over by now, and nothing was debited
        with suppress(Refused):
            printing.finish_job(journeys, job, folder / "printed", formats=("pdf",))


def _finish_examine(journeys: Journeys, _folder: Path) -> None:
    journeys.settle()  # where it is locked by now, this opens the device
    examine(journeys.world, journeys.device)


def _settled(_journeys: Journeys, _folder: Path) -> None:
    """Finish nothing by hand: `settle` is all that is needed."""


def _check_apply(journeys: Journeys, _money: dict[str, object]) -> None:
    for party in (POSTAL, world_of.HARBOR, journeys.licensee):
        with journeys.world.store(party).reading() as view:
            assert len(view.find("license")) == 1


def _check_lease(journeys: Journeys, _money: dict[str, object]) -> None:
    world = journeys.world
    for party, kind in (
        (journeys.licensee, "device"),
        (world_of.HARBOR, "device"),
        (world_of.HARBOR, "lease"),
        (POSTAL, "device"),
    ):
        with world.store(party).reading() as view:
            assert len(view.find(kind)) == 1
    # a lease that is signed anew, because the first word ran out, gets a device of its own
    made = world.shelf.devices()
    assert made[-1] == journeys.device
    assert len(made) == 1 or world.clock.now() > world_of.START
    assert journeys.status().state == "authorised"
    with world.store(world_of.HARBOR).reading() as view:
        account = view.get("account", journeys.licensee)
    assert account is not None
    assert str(journeys.device) in {row.device for row in world.pack().certificates.values()}


def _check_deposit(_journeys: Journeys, money: dict[str, object]) -> None:
    assert money["deposits"] == world_of.DEPOSIT
    assert money["account"] == money["at the bank"] == world_of.DEPOSIT


def _check_reset(journeys: Journeys, money: dict[str, object], *, before: Mills, amount: Mills) -> None:
    made = journeys.status().resets_total - before
    assert made in (ZERO, amount)
    assert money["account"] == world_of.DEPOSIT - before - made
    with journeys.world.store(journeys.licensee).reading() as view:
        told = sum((Mills(row.body["amount"]) for row in view.find("statement")), ZERO)
    assert told == before + made


def _check_contact(journeys: Journeys, money: dict[str, object]) -> None:
    assert money["account"] == world_of.DEPOSIT - world_of.FIRST
    assert journeys.status().state == "in service"


def _check_examine(journeys: Journeys, money: dict[str, object]) -> None:
    _check_contact(journeys, money)
    assert cases_of(journeys.world) == []
    with journeys.world.store(POSTAL).reading() as view:
        rows = {row.key: (row.body["state"], row.body["outcome"]) for row in view.find("examination")}
        found = [fact.subject for fact in view.facts() if fact.type == "examination.found"]
    assert set(rows.values()) <= {("answered", "regular"), ("lapsed", "lapsed")}
    assert sorted(found) == sorted(key for key, (state, _) in rows.items() if state == "answered")
    with journeys.world.store(world_of.HARBOR).reading() as view:
        told = [fact.subject for fact in view.facts() if fact.type == "examination.returned"]
    assert set(found) <= set(told)
    assert len(told) == len(set(told))


def _check_print(journeys: Journeys, _money: dict[str, object]) -> None:
    assert journeys.status().registers.pieces in (0, PIECES)
    world_of.prints_agree(journeys)


def _check_withdraw(journeys: Journeys, money: dict[str, object]) -> None:
    status = journeys.status()
    with journeys.world.store(journeys.licensee).reading() as view:
        begun = bool(view.find("check-out"))
    assert (status.state == "withdrawn") == begun  # what was begun is finished, by nobody but the device
    assert status.registers.descending == (ZERO if begun else world_of.FIRST)
    assert status.withdrawn_total == (world_of.FIRST if begun else ZERO)
    assert money["account"] == world_of.DEPOSIT - (ZERO if begun else world_of.FIRST)


def _check_transfer(journeys: Journeys, money: dict[str, object]) -> None:
    with journeys.world.store(journeys.licensee).reading() as view:
        (case,) = view.find("transfer")
        old = DeviceId(case.body["device"])
    assert case.body["state"] in ("requested", "done")
    moved = case.body["state"] == "done"
    assert (journeys.status_of(old).state == "withdrawn") == moved
    assert (journeys.device != old) == moved
    # wherever the kill came: the whole balance, in one place, and what was not in the device lies in the account
    assert journeys.status().registers.descending == world_of.FIRST
    assert journeys.status_of(old).registers.descending == (ZERO if moved else world_of.FIRST)
    assert money["account"] == world_of.DEPOSIT - world_of.FIRST


def _check_redate(journeys: Journeys, _money: dict[str, object]) -> None:
    assert journeys.status().registers.pieces == PIECES
    world_of.prints_agree(journeys)
    world_of.corrections_agree(journeys)


def _check_correct(journeys: Journeys, _money: dict[str, object]) -> None:
    assert journeys.status().registers.pieces in (PIECES, 2 * PIECES)
    world_of.prints_agree(journeys)
    world_of.corrections_agree(journeys)


def _check_reprint(journeys: Journeys, _money: dict[str, object]) -> None:
    """The device counts a reprint before it leaves: after a kill it may count one more than was written down."""
    with journeys.world.store(journeys.licensee).reading() as view:
        told = sum(fact.body["count"] for fact in view.facts() if fact.type == "print.reprinted")
    assert journeys.status().reprints in ({told, PIECES} if told == 0 else {told})
    assert journeys.status().registers.pieces == PIECES
    world_of.prints_agree(journeys)


_FINISH: dict[str, Callable[[Journeys, Path], None]] = {
    "apply": _finish_apply,
    "lease": _finish_lease,
    "deposit": _finish_deposit,
    "first reset": _settled,
    "reset": _settled,
    "contact": _settled,
    "examine": _finish_examine,
    "print": _finish_print,
    "withdraw": _settled,
    "transfer": _settled,
    "redate": _finish_print,
    "correct": _finish_print,
    "reprint": _settled,
}
_CHECK: dict[str, Callable[[Journeys, dict[str, object]], None]] = {
    "apply": _check_apply,
    "lease": _check_lease,
    "deposit": _check_deposit,
    "first reset": partial(_check_reset, before=ZERO, amount=world_of.FIRST),
    "reset": partial(_check_reset, before=world_of.FIRST, amount=world_of.SECOND),
    "contact": _check_contact,
    "examine": _check_examine,
    "print": _check_print,
    "withdraw": _check_withdraw,
    "transfer": _check_transfer,
    "redate": _check_redate,
    "correct": _check_correct,
    "reprint": _check_reprint,
}


def test_the_rehearsal_can_be_run_as_a_command(templates: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(templates("reset"), tmp_path / "world")
    line = [sys.executable, "-m", "towncircle.testing.rehearsal_world"]
    told = subprocess.run([*line, str(folder), "contact"], capture_output=True, check=True)
    assert json.loads(told.stdout)["points"] == len(json.loads(told.stdout)["names"]) > 0
    line += [str(folder), "reset", "--amount", "100", "--kill-at", "30"]
    assert subprocess.run(line, capture_output=True, check=False).returncode == -signal.SIGKILL
    with world_of.opened(folder) as journeys:
        journeys.settle()
        _check_reset(journeys, world_of.facts_of_money(journeys), before=world_of.FIRST, amount=world_of.SECOND)
