"""The calendar of the simulated year: day by day, what is due, what the scenes bring, what the mail rooms do.

Here: the days, the checkpoints from which an interrupted year is taken up, the progress. Not here: business (`town`).
Kept: a year from a checkpoint is the same year to the byte: the world is closed and copied whole at each, and opened
again in a year that nobody interrupts too. A day does what the parties' own clock does (`world.ticking`), in its order.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from towncircle.cli.demo.regulation.census import Census
from towncircle.cli.demo.regulation.line import Line
from towncircle.cli.demo.regulation.procedures import schedule
from towncircle.cli.demo.regulation.town import EARLIER, LATER, PROVIDER, Pace, Town, name_of
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.licensee.pricing import DEFAULT_WEIGHT_OZ, price_for
from towncircle.rules.calendars import is_business_day
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.rulesets import chain, ruleset
from towncircle.world.clock import FILE as CLOCK_FILE
from towncircle.world.config import STARTS
from towncircle.world.deadlines import act_on_deadlines
from towncircle.world.devices import here_port
from towncircle.world.missing import file_months
from towncircle.world.notices import fetch_all
from towncircle.world.population import note_decertified, reconcile, reconcile_books
from towncircle.world.succession import succeed
from towncircle.world.world import Wiring, World

CHECKPOINT_EVERY = 30
_WEEKS_EARLIER = 4
_EVE_DAYS = 5
_STATE = "year.json"
Progress = Callable[[str, int, int], None]


class Year:
    """Hold a year under way in a folder: `world/`, `checkpoint/`, and what is printed."""

    def __init__(self, out: Path, *, seed: int, regime: str, pace: Pace, progress: Progress) -> None:
        self.out, self.pace, self._progress = out, pace, progress
        self._seed, self._regime = seed, regime
        self.folder, self._kept = out / "world", out / "checkpoint"
        self.census, self.line = Census(), Line()
        self.notes: dict[str, str] = {}
        self._world: World | None = None
        self._began = time.monotonic()

    @property
    def world(self) -> World:
        """Give the world, opened with its devices in this process."""
        if self._world is None:
            wiring = Wiring(
                make_port=self.census.port(here_port(self.folder / CLOCK_FILE, self._seed)),
                transport=lambda inner: self.line.over(self.census.transport(inner)),
            )
            self._world = World.open(self.folder, wiring)
        return self._world

    def close(self) -> None:
        """Close the world."""
        if self._world is not None:
            self._world.close()
            self._world = None

    def begin(self) -> None:
        """Make the world of the year: on its eve it goes by the first rule set, from its first day on by the year's."""
        first, start = chain(self._regime)[0], start_of(self._regime, self.pace.days)
        World.create(
            self.folder,
            regime=first,
            seed=self._seed,
            start=eve_of(start),
            providers=(PROVIDER,),
            licensees=tuple(name_of(number) for number in range(1, self.pace.licensees + 1) if number != LATER),
        ).close()
        town = self._town()
        town.before(town.open(EARLIER))
        self._round()
        self.world.clock.advance(f"{(start.utc() - eve_of(start).utc()).days}d")
        self.close()
        if first != self._regime:
            succeed(self.folder, self._regime)
        self._keep(0)

    def run(self) -> None:
        """Live the year from its last checkpoint to its end. Raises what `check` raises."""
        first = day = self._restore()
        self._began = time.monotonic()
        while day < self.pace.days:
            self._tell(day, first)
            self._live(day)
            day += 1
            if day % CHECKPOINT_EVERY == 0:
                self._keep(day)
        self._round()
        self._keep(day)

    def _live(self, day: int) -> None:
        if day:
            self.world.clock.advance("1d")
        town = self._town()
        today = self.world.clock.now().date_in(HEADQUARTERS)
        plays = schedule(today - timedelta(days=day), self.world.rules).get(today, [])
        if plays or day % self.pace.step == 0:
            self._round()
        for play in plays:
            play(town)
        for number in town.visits_on(day):
            town.visit(number)
        turn = day % CHECKPOINT_EVERY
        late = (number for number in range(1, self.pace.licensees + 1) if number % CHECKPOINT_EVERY == turn)
        known = town.connected.union(map(name_of, late)).intersection(self.world.config.licensees)
        fetch_all(self.world, sorted(known))

    def _town(self) -> Town:
        return Town(self.world, self.pace, self.notes, self.out, self.line, apart=self._apart)

    def _apart(self, job: Callable[[Path], object]) -> World:
        self.close()
        job(self.folder)
        return self.world

    def _round(self) -> None:
        world = self.world
        world.deliver()
        act_on_deadlines(world)
        note_decertified(world)
        world.publish()
        for _ in (*reconcile(world), *reconcile_books(world)):
            continue
        file_months(world, PROVIDER)

    def _tell(self, day: int, first: int) -> None:
        gone = time.monotonic() - self._began
        left = f", {gone * (self.pace.days - day) / (day - first):.0f} s left" if day > first else ""
        today = self.world.clock.now().iso()[:10]
        self._progress(f"{today}, {gone:.0f} s gone{left}", day, self.pace.days)

    def _keep(self, day: int) -> None:
        """Write a checkpoint: the whole world, then the state that says it is whole."""
        self.close()
        state = {"day": day, "notes": self.notes, "messages": self.census.counts, "pace": self._about()}
        draft = self._kept.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(self.folder, draft / "world")
        (draft / _STATE).write_text(json.dumps(state, sort_keys=True))
        old = self._kept.with_suffix(".old")
        shutil.rmtree(old, ignore_errors=True)
        if self._kept.exists():
            self._kept.rename(old)
        draft.rename(self._kept)
        shutil.rmtree(old, ignore_errors=True)

    def forget(self) -> None:
        """Take the checkpoint away: the year is over and looked at."""
        shutil.rmtree(self._kept)

    def check(self) -> tuple[Path, dict[str, Any]]:
        """Find the last checkpoint and read its state. Raises `BadInput` (demo.no-checkpoint, demo.other-year)."""
        kept = next((one for one in (self._kept, self._kept.with_suffix(".old")) if (one / _STATE).is_file()), None)
        if kept is None:
            raise BadInput("demo.no-checkpoint", path=self.out)
        state = json.loads((kept / _STATE).read_text())
        if state["pace"] != self._about():
            raise BadInput("demo.other-year", path=self.out, found=state["pace"], wanted=self._about())
        return kept, state

    def _restore(self) -> int:
        kept, state = self.check()
        self.notes, self.census.counts = dict(state["notes"]), dict(state["messages"])
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(kept / "world", self.folder)
        return int(state["day"])

    def _about(self) -> str:
        pace = self.pace
        size = f"{pace.licensees} licensees, {pace.days} days, {pace.visits} visits, rounds every {pace.step} days"
        return f"seed {self._seed}, {self._regime}, {size}"


def start_of(regime: str, days: int) -> Instant:
    """Give the first day of a year: the regime's own, or so many weeks earlier that prices are known to its end.

    Or later, where the first rule set of its chain is not in force on the eve.
    """
    start = Instant.parse(STARTS.get(regime, max(STARTS.values())))
    while not _priced(start.plus(days=days).utc().date()):
        start = start.plus(days=-_WEEKS_EARLIER * 7)
    while not _in_force(chain(regime)[0], eve_of(start).date_in(HEADQUARTERS)):
        start = start.plus(days=7)
    return start


def eve_of(start: Instant) -> Instant:
    """Give the eve of a year: the business day from which so many days at least are left to its first."""
    eve = start.plus(days=-_EVE_DAYS)
    while not is_business_day(eve.date_in(HEADQUARTERS)):
        eve = eve.plus(days=-1)
    return eve


def _in_force(regime: str, day: date) -> bool:
    try:
        ruleset(regime).check_start(day)
    except Refused:
        return False
    return True


def _priced(day: date) -> bool:
    try:
        price_for("letter", DEFAULT_WEIGHT_OZ, day=day)
    except Refused:
        return False
    return True
