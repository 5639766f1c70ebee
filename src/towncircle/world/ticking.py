"""The clock of running parties: a thread that acts on deadlines, at the start and then every minute.

Here: when a process looks at its parties' deadlines, and makes the daily round. Not here: what it does then
(`world.deadlines`, `world.population`).
Kept: what fell due while nobody ran is caught up at the start. A store that is busy is tried again at the next look; a
defect ends the process, so that nobody believes in a clock that stands.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from towncircle.kernel.errors import BadInput, Refused
from towncircle.world.deadlines import act_on_deadlines
from towncircle.world.population import daily, today

if TYPE_CHECKING:
    from towncircle.world.world import World

TICK_SECONDS = 60  # house


class Ticker:
    """Act on the deadlines of a world's parties until it is stopped."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._day = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, with what was missed."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for what is under way."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        well = False
        try:
            self._tick()
            while not self._stopped.wait(TICK_SECONDS):
                self._tick()
            well = True
        finally:
            if not well:
                os.kill(os.getpid(), signal.SIGTERM)

    def _tick(self) -> None:
        try:
            act_on_deadlines(self._world)
            if today(self._world) != self._day:
                daily(self._world)
                self._day = today(self._world)
        except (Refused, BadInput) as trouble:
            sys.stderr.write(f"deadlines: {trouble.code}: {trouble.sentence}\n")
