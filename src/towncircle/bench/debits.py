"""Debits as the store of a hosted fleet sees them.

Here: two processes, as a host has workers, that commit groups of a hundred debits with their journal rows. Not here:
signatures and commands (`fleet`).
Kept: each decides its groups as a host does and commits one before the clock starts, both go at the same word, and the
rate is taken over the span from the first start to the last end. What is timed is what a host does to commit: the
answers, digests, columns, the statement and its durable answer.
"""

from __future__ import annotations

import sys
import time
from typing import cast

from towncircle.bench import Result
from towncircle.bench.children import ready, together
from towncircle.bench.device import evidence_command
from towncircle.bench.limits import Beside
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd.debits import Debit, Round, Standing
from towncircle.psd.frames import one_piece
from towncircle.psd.hosted.caches import calm_collector
from towncircle.psd.memory import Change
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock

GROUP = 100
WORKERS = 2
_ROUNDS = 3
_TURNS_A_SECOND = 60
_SIGNATURE = bytes(64)  # nothing is released here
_FLOOR = 60_000.0


def name_of(number: int) -> DeviceId:
    """Name a device of the population."""
    return DeviceId.of(vendor="TC", model="1A", serial=1000 + number)


def measure(name: str, dsn: str, seconds: float, beside: Beside) -> Result:
    """Commit debits of the first devices of a store; give the median round beside the floor: no other limit is raw."""
    turns, rates = max(2, int(_TURNS_A_SECOND * seconds)), []
    for turn in range(_ROUNDS):
        lines = [[dsn, str(at), str(turns), f"{name}-{turn}"] for at in range(WORKERS)]
        spans = [tuple(map(float, told.split())) for told in together(__name__, lines)]
        span = max(end for _, end in spans) - min(start for start, _ in spans)
        rates.append(WORKERS * turns * GROUP / span)
    return Result.of(
        name,
        rate=sorted(rates)[_ROUNDS // 2],
        unit="debits/s",
        limit="the floor",
        limit_rate=_FLOOR,
        fdatasync_rate=beside.syncs(),
        signing_rate=beside.signatures(),
    )


def _groups(store: PostgresMemory, at: int, turns: int, label: str) -> list[list[Debit]]:
    """Decide groups of debits that follow each other, for one process's hundred devices."""
    names = [name_of(number) for number in range(at * GROUP, (at + 1) * GROUP)]
    now = SystemClock().now()
    standings = [Standing(state, now) for state in store.load(names).values()]
    day, decided, groups = now.date_in("America/New_York").isoformat(), Round(now), []
    for turn in range(turns):
        command = evidence_command(f"{label}-{turn}", 1, day)
        parts, group = one_piece(command), []
        assert parts is not None
        for standing in standings:
            debit = decided.decide(standing, command, parts)
            assert debit is not None
            standing.take(debit)
            group.append(debit)
        groups.append(group)
    return groups


def _commit(store: PostgresMemory, groups: list[list[Debit]]) -> None:
    for group in groups:
        for debit in group:
            debit.sign(_SIGNATURE)
        if store.commit_each(cast("list[Change]", group)):
            raise Refused("psd.store-stale", device=group[0].device)


def _child(dsn: str, at: int, turns: int, label: str) -> tuple[float, float]:
    """Prepare, wait for the word, commit; give start and end on the clock that all processes of a machine share."""
    store = PostgresMemory(dsn)
    groups = _groups(store, at, turns + 1, label)
    calm_collector()
    _commit(store, groups[:1])  # the connection and its plan are made
    ready()
    start = time.monotonic()
    _commit(store, groups[1:])
    return start, time.monotonic()


if __name__ == "__main__":
    sys.stdout.write("{} {}".format(*_child(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])))
