"""Two device processes on two cores, beside two processes that only sign.

Here: what each of the pair does. Not here: one device (`device`), how both start (`children`).
Kept: both start at the same word, and the limit is taken the same way in the same minute.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from towncircle.bench import Result
from towncircle.bench.children import ready, together
from towncircle.bench.limits import signatures_of_each, syncs_per_second

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
            signing = _PROCESSES * signatures_of_each(seconds, _PROCESSES)
            lines = [[str(seconds), str(folder)] for folder in folders]
            rate = sum(map(float, together(__name__, lines)))
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


def _child(seconds: float, folder: str) -> float:
    from towncircle.bench.device import device_in_service, rate_of
    from towncircle.psd.process import SystemClock

    clock = SystemClock()
    device = device_in_service(Path(folder), clock)
    day = clock.now().date_in("America/New_York").isoformat()
    ready()
    return rate_of(device, _PIECES, day, seconds, "two")


if __name__ == "__main__":
    sys.stdout.write(str(_child(float(sys.argv[1]), sys.argv[2])))
