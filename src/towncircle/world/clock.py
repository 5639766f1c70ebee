"""The clock of a world, which one can travel through.

Here: a clock kept in a file that every process of the world reads, and the steps it takes. Not here: what time does.
Kept: a world's time goes forward only. A frozen clock stands until it is advanced, so that a seeded run repeats to the
byte; a running clock is the machine's with an offset.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant, parse_step

FILE = "clock.json"
ZONE = "America/New_York"
_VALUES = {"frozen": "now_us", "running": "offset_us"}


def machine_now() -> Instant:
    """Give the machine's present instant."""
    return Instant(time.time_ns() // 1000)


class WorldClock:
    """Tell a world's time from its clock file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def start(cls, path: Path, at: Instant | None) -> WorldClock:
        """Make a clock: frozen at an instant, or running with the machine's when there is none."""
        clock = cls(path)
        clock._write({"mode": "frozen", "now_us": int(at)} if at is not None else {"mode": "running", "offset_us": 0})
        return clock

    def now(self) -> Instant:
        """Give the world's present instant. Raises `Refused` (world.damaged), `BadInput` (time.out-of-range)."""
        held = self._read()
        if held["mode"] == "frozen":
            return Instant(held["now_us"])
        return machine_now().plus(microseconds=int(held["offset_us"]))

    def advance(self, step: str) -> Instant:
        """Go forward by a step such as `73h` or `3mo` (calendar months of the Eastern zone); give the new instant."""
        return self.go(self.after(step))

    def after(self, step: str) -> Instant:
        """Give the instant that lies a step ahead. Raises `Refused` (world.clock-back)."""
        months, microseconds = parse_step(step)
        now = self.now()
        then = now.plus_months(months, zone=ZONE).plus(microseconds=microseconds)
        if then <= now:
            raise Refused("world.clock-back", step=step)
        return then

    def go(self, then: Instant) -> Instant:
        """Go forward to an instant, and give it."""
        held, now = self._read(), self.now()
        if held["mode"] == "frozen":
            self._write({"mode": "frozen", "now_us": int(then)})
        else:
            self._write({"mode": "running", "offset_us": int(held["offset_us"]) + int(then) - int(now)})
        return then

    def _read(self) -> dict[str, int | str]:
        try:
            held = json.loads(self.path.read_text())
            if type(held[_VALUES[held["mode"]]]) is not int:
                raise ValueError("its time is not a whole number of microseconds")
            Instant(0).plus(microseconds=held[_VALUES[held["mode"]]])
        except (OSError, ValueError, KeyError, TypeError, BadInput) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise Refused("world.damaged", path=self.path, what=what) from error
        return dict(held)

    def _write(self, held: dict[str, int | str]) -> None:
        draft = self.path.with_suffix(".new")
        with draft.open("w") as file:
            file.write(json.dumps(held))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
