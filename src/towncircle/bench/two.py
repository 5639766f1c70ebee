"""Two device processes on two cores, beside two processes that only sign.

Here: the pair of children and what each does. Not here: one device (`device`).
Kept: both start at the same word, and the limit is taken the same way in the same minute.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from towncircle.bench import Result
from towncircle.bench.limits import signatures_per_second, syncs_per_second

_PROCESSES = 2
_PIECES = 1000
_ROUNDS = 3


def measure(directory: Path | None, *, seconds: float) -> Result:
    """Measure batches of 1,000 on two devices at once against two-core signing; give the round of the median ratio."""
    rounds = []
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory(dir=directory, ignore_cleanup_errors=True) as place:
            folders = [Path(place) / str(at) for at in range(_PROCESSES)]
            for folder in folders:
                folder.mkdir()
            syncs = syncs_per_second(seconds / 2, Path(place))
            signing = _together([["sign", str(seconds)]] * _PROCESSES)
            rate = _together([["batch", str(seconds), str(folder)] for folder in folders])
        rounds.append(
            Result.of(
                "device.batch1000.two",
                rate=rate,
                unit="indicia/s",
                limit="raw P-256 signing, two processes",
                limit_rate=signing,
                fdatasync_rate=syncs,
            )
        )
    return sorted(rounds, key=lambda row: row.ratio)[_ROUNDS // 2]


def _together(lines: Sequence[Sequence[str]]) -> float:
    """Start children, let them go at once, and add up their rates."""
    children = [
        subprocess.Popen(  # noqa: S603 - our own entry
            [sys.executable, "-m", "towncircle.bench.two", *line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in lines
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    return sum(float(child.communicate()[0]) for child in children)


def _child(what: str, seconds: float, folder: str) -> float:
    if what == "sign":
        _ready()
        return signatures_per_second(seconds)
    from towncircle.bench.device import device_in_service, rate_of
    from towncircle.psd.process import SystemClock

    clock = SystemClock()
    device = device_in_service(Path(folder), clock)
    day = clock.now().date_in("America/New_York").isoformat()
    _ready()
    return rate_of(device, _PIECES, day, seconds, "two")


def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    sys.stdout.write(str(_child(sys.argv[1], float(sys.argv[2]), sys.argv[-1])))
