"""Turns at printing: of the processes of a licensee one at a time plans, evidences and gives pages away.

Here: the lock of a licensee's single jobs, and that of each batch. Not here: the spool's own turn (`spooling`).
Kept: a job that a running process has in hand is not taken up by another one; the lock goes with its process, so a job
that a kill left open is free at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from towncircle.kernel.errors import Refused

WAIT_S = 10.0  # house: how long one waits for the turn
_LOCK, _BATCHES = "printing.lock", "batches.lock"
_PAUSE_S = 0.02


@contextmanager
def turn(folder: Path, licensee: str) -> Iterator[None]:
    """Have the turn of a licensee of a world's folder. Raises `Refused` (mailroom.under-way)."""
    with (folder / licensee / _LOCK).open("w") as guard:
        if not taken(guard, wait_s=WAIT_S):
            raise Refused("mailroom.under-way", licensee=licensee)
        yield


@contextmanager
def batch_turn(folder: Path, licensee: str, out: Path) -> Iterator[None]:
    """Be the only process that works at the batch of a folder: whoever ends it knows of every debit.

    Raises `Refused` (batch.under-way) at once: a batch may take hours.
    """
    place = int.from_bytes(hashlib.sha256(str(out.resolve()).encode()).digest()[:6])
    with (folder / licensee / _BATCHES).open("w") as guard:
        try:
            fcntl.lockf(guard, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError as error:
            raise Refused("batch.under-way", out=out) from error
        yield


def taken(guard: IO[str], *, wait_s: float) -> bool:
    """Take the lock of a file, which may take so long; tell whether it was got."""
    ends = time.monotonic() + wait_s
    while not _taken(guard):
        if time.monotonic() >= ends:
            return False
        time.sleep(_PAUSE_S)
    return True


def _taken(guard: IO[str]) -> bool:
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
