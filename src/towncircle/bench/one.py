"""Measuring one piece: from a request to running parties to its page as PDF.

Here: `print.one`. Not here: many pieces (`pages`).
Kept: a world of its own in a folder, its parties as processes as `towncircle up` runs them, a device process of its
own that signs, stores that sync to the disk. The clock runs from the request to the last byte of the PDF; the first
piece, which starts the device's process, is told apart. The limit beside it is drawing the same page alone.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from towncircle.bench import Result
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.world import mailroom_door
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import World

LEAST, MOST = 20, 400
START_S = 90
LICENSEE = "licensee.mailroom"
ORDER = {
    "company": "United States Postal Service",
    "street": "475 L'Enfant Plaza SW",
    "city": "Washington",
    "state": "DC",
    "zip": "20260",
}


def print_one(
    place: Path | None, *, draw: Callable[[], int], rate_of: Callable[[Callable[[], int], float], float], seconds: float
) -> tuple[Result, dict[str, float]]:
    """Measure pieces a second as one caller sees them; give the median, the slowest and the first in milliseconds."""
    with tempfile.TemporaryDirectory(dir=place, prefix="towncircle-bench-") as folder:
        world = Path(folder) / "world"
        _funded(world)
        line = [sys.executable, "-m", "towncircle", "up", str(world), "--json"]
        up = subprocess.Popen(line, stdout=subprocess.DEVNULL)  # noqa: S603  # our own program
        try:
            _wait_for(world, up)
            first = _timed(world)
            times = _times(world, seconds)
        finally:
            up.terminate()
            up.wait()
    median = statistics.median(times)
    limit = rate_of(draw, seconds)
    result = Result.of("print.one", rate=1 / median, unit="pieces/s", limit="the page drawn alone", limit_rate=limit)
    told = {"print_one_ms": median, "print_one_slowest_ms": max(times), "print_one_first_ms": first}
    return result, {name: round(1000 * value, 1) for name, value in told.items()}


def _times(world: Path, seconds: float) -> list[float]:
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < LEAST or (time.perf_counter() < until and len(times) < MOST):
        times.append(_timed(world))
    return times


def _timed(world: Path) -> float:
    start = time.perf_counter()
    status, _, body = mailroom_door.ask(world, LICENSEE, "print", ORDER)
    spent = time.perf_counter() - start
    if status != HTTPStatus.OK or not body.startswith(b"%PDF"):
        raise Refused("bench.no-piece", status=status, what=body[:200].decode(errors="replace"))
    return spent


def _funded(folder: Path) -> None:
    World.create(folder, regime="imi-2024", seed=None, start=None).close()
    world = World.open(folder)
    try:
        journeys = Journeys(world, LICENSEE)
        journeys.apply(Applicant(), provider=world.config.providers[0])
        journeys.lease()
        journeys.deposit(Mills.dollars(450))
        journeys.reset(Mills.dollars(400))
    finally:
        world.close()


def _wait_for(world: Path, up: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while not (world / LICENSEE / mailroom_door.FILE).exists():
        if up.poll() is not None or time.monotonic() > until:
            raise Refused("bench.no-piece", status=up.poll(), what="the parties did not start")
        time.sleep(0.05)
