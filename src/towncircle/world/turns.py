"""Turns at printing: of the processes of a licensee one at a time plans, evidences and gives pages away.

Here: the lock of a licensee's single jobs. Not here: batches, whose parts go on with them alone; the spool's own turn
(`spooling`).
Kept: a job that a running process has in hand is not taken up by another one; the lock goes with its process, so a job
that a kill left open is free at once.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from towncircle.kernel.errors import Refused

WAIT_S = 10.0  # house: how long one waits for the turn
_LOCK = "printing.lock"
_PAUSE_S = 0.02


@contextmanager
def turn(folder: Path, licensee: str) -> Iterator[None]:
    """Have the turn of a licensee of a world's folder. Raises `Refused` (mailroom.under-way)."""
    with (folder / licensee / _LOCK).open("w") as guard:
        ends = time.monotonic() + WAIT_S
        while not _taken(guard):
            if time.monotonic() >= ends:
                raise Refused("mailroom.under-way", licensee=licensee)
            time.sleep(_PAUSE_S)
        yield


def _taken(guard: IO[str]) -> bool:
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
