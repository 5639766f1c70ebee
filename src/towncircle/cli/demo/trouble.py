"""Chapters 7 to 10: the forgery, the silent device, the crash, the audit.

Here: what happens and what must come of it. Not here: how it is told.
"""

from __future__ import annotations

import json
import shutil
import signal
from typing import TYPE_CHECKING

from towncircle.cli.demo import forgery
from towncircle.cli.demo.stage import UnexpectedError, expect
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness, below
from towncircle.world.printing import print_job

if TYPE_CHECKING:
    from towncircle.cli.demo.stage import Stage

REHEARSAL = "towncircle.testing.rehearsal_world"
KILLED_RESET = "50"


def forgeries_caught(stage: Stage) -> str:
    """7: one cent changed, and one bit flipped, on printed pages."""
    journeys = stage.journeys
    done = print_job(journeys, stage.recipients[:1], stage.out / "trouble" / "fresh", formats=("pdf",))
    good = forgery.payload_of(done.pdf, 0)
    forged = forgery.print_forgeries(
        done.job,
        journeys.stationery(done.job),
        [forgery.one_cent_more(good), forgery.one_bit_flipped(good)],
        stage.out / "trouble" / "forgeries.pdf",
    )
    results = stage.run("verify", forged, "--world", stage.world_folder)["results"]
    expect([row["verdict"] for row in results] == ["INVALID"] * 2, f"verdicts: {[row['verdict'] for row in results]}")
    told = []
    for what, row in zip(("One cent more", "One bit flipped"), results, strict=True):
        reasons = " ".join(finding["text"] for finding in row["findings"] if finding["ok"] is False)
        told.append(f"{what}: INVALID ({row['disposition']}). {reasons}")
        stage.narrator.say(told[-1])
    return " ".join(told)


def silence_locks(stage: Stage) -> str:
    """8: a device that does not connect in time locks itself; contact opens it."""
    today = stage.world.clock.now().utc().date()
    term = stage.world.rules.term("contact_interval", today)
    for step in (f"{term.months}mo", "1d") if term.months else (f"{term.hours + 1}h",):
        stage.run("world", "advance", stage.world_folder, step)
    journeys = stage.journeys
    status = journeys.status()
    expect(status.state == "locked", f"the device is {status.state}")
    stage.narrator.say(f"LOCKED: {status.sentence}")
    try:
        print_job(journeys, stage.recipients[:1], stage.out / "trouble" / "locked", formats=("pdf",))
    except Refused as refusal:
        expect(refusal.code == "psd.locked", f"the refusal is {refusal.code}")
        stage.narrator.say(f"Printing is refused: {refusal.sentence} [{refusal.clause}]")
        stage.narrator.say(f"The way out: {refusal.next_step}")
    else:
        raise UnexpectedError("a locked device printed")
    late = stage.run("verify", stage.out / "trouble" / "fresh" / "envelopes.pdf", "--world", stage.world_folder)
    (piece,) = late["results"]
    faults = [finding["text"] for finding in piece["findings"] if finding["ok"] is False]
    notes = " ".join(faults) or "No check found a fault."
    stage.narrator.say(f"A piece of chapter 7, mailed only now: {piece['verdict']}, {piece['disposition']}. {notes}")
    expect(piece["verdict"] == "VALID", f"the late piece is {piece['verdict']}")
    journeys = stage.journeys
    words = journeys.contact()
    expect(journeys.status().state == "in service", "contact did not open the device")
    stage.narrator.say(words)
    return f"{status.sentence} {words}"


def crash_settled(stage: Stage) -> str:
    """9: a reset is killed at a step chosen by the seed; everything is restarted and settles."""
    before = stage.journeys.status()
    rehearsed = stage.out / "trouble" / "rehearsal"
    stage.close_world()
    shutil.copytree(stage.world_folder, rehearsed)
    counted = stage.module(REHEARSAL, rehearsed, "reset", "--amount", KILLED_RESET)
    points = json.loads(counted.stdout)["names"]
    shutil.rmtree(rehearsed)
    first = next(place for place, name in enumerate(points) if name.startswith("device"))  # before, only opening
    step = 1 + first + below(SeededRandomness(stage.seed, "the step of the crash"), len(points) - first)
    killed = stage.module(REHEARSAL, stage.world_folder, "reset", "--amount", KILLED_RESET, "--kill-at", step)
    expect(killed.returncode == -signal.SIGKILL, f"the process ended with {killed.returncode}: {killed.stderr[-300:]}")
    stage.narrator.say(f"SIGKILL at step {step} of {len(points)}: {points[step - 1]}.")
    stage.run("reset", stage.world_folder, "--finish")
    journeys = stage.journeys
    after = journeys.status()
    gained = after.registers.descending - before.registers.descending
    expect(not after.open_request, f"the reset {after.open_request} is still open")
    expect(gained in (Mills.parse(KILLED_RESET), Mills(0)), f"the device gained {gained}")
    expect(after.registers.ascending == before.registers.ascending, "the ascending register moved")
    outcome = "applied once" if gained else "not begun, so nothing was taken"
    text = (
        f"Restarted and settled: the reset of {Mills.parse(KILLED_RESET)} is {outcome}; nothing lost, nothing doubled."
    )
    stage.narrator.say(text)
    return f"Killed at step {step} of {len(points)} ({points[step - 1]}). {text}"


def audited(stage: Stage) -> str:
    """10: an audit of the exports recomputes every register and account."""
    target = stage.out / "export"
    stage.run("export", stage.world_folder, target)
    report = stage.run("audit", target)
    differences = report["differences"]
    expect(
        not differences, f"{len(differences)} differences; the first: {differences[0]['text']}" if differences else ""
    )
    checked = ", ".join(f"{what} {count}" for what, count in report["checked"].items())
    text = f"0 differences. Checked: {checked}."
    stage.narrator.say(text)
    return text


CHAPTERS = (
    ("One cent changed, one bit flipped: INVALID", forgeries_caught),
    ("A silent device: LOCKED, and the way out", silence_locks),
    ("A reset killed in the middle: settled", crash_settled),
    ("The audit recomputes everything", audited),
)
