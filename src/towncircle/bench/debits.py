"""Debits as the store of a hosted fleet sees them.

Here: two processes, as a host has workers, that commit groups of a hundred debits with their journal rows. Not here:
signatures and commands (`fleet`).
Kept: each makes its groups and commits one before the clock starts, both go at the same word, and the rate is taken
over the span from the first start to the last end. What is timed is what a host does to commit: encoding, digests, the
statement and its durable answer.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from towncircle.bench import Result
from towncircle.bench.children import ready, together
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.psd.hosted.caches import calm_collector
from towncircle.psd.memory import Change, Record
from towncircle.psd.postgres import PostgresMemory

GROUP = 100
WORKERS = 2
_ROUNDS = 3
_TURNS_A_SECOND = 60
_ANSWER = bytes(165)  # as long as the kept answer of one piece
_FLOOR = 60_000.0


def name_of(number: int) -> DeviceId:
    """Name a device of the population."""
    return DeviceId.of(vendor="TC", model="1A", serial=1000 + number)


def measure(name: str, dsn: str, seconds: float) -> Result:
    """Commit debits of the first devices of a store; give the median round beside the floor: no other limit is raw."""
    turns, rates = max(2, int(_TURNS_A_SECOND * seconds)), []
    for turn in range(_ROUNDS):
        lines = [[dsn, str(at), str(turns), f"{name}-{turn}"] for at in range(WORKERS)]
        spans = [tuple(map(float, told.split())) for told in together(__name__, lines)]
        span = max(end for _, end in spans) - min(start for start, _ in spans)
        rates.append(WORKERS * turns * GROUP / span)
    return Result.of(name, rate=sorted(rates)[_ROUNDS // 2], unit="debits/s", limit="the floor", limit_rate=_FLOOR)


def _groups(store: PostgresMemory, at: int, turns: int, label: str) -> list[list[Change]]:
    """Make groups of debits that follow each other, for one process's hundred devices."""
    names = [name_of(number) for number in range(at * GROUP, (at + 1) * GROUP)]
    states, digest, groups = dict(store.load(names)), bytes(32), []
    for turn in range(turns):
        row = Record(
            kind="evidence",
            request_id=f"{label}-{turn}",
            command_digest=digest,
            response=_ANSWER,
            first_piece=turn + 1,
            count=1,
        )
        changes = []
        for name, state in states.items():
            registers = replace(state.registers, pieces=state.registers.pieces + 1)
            after = state.amended(counter=state.counter + 1, registers=registers)
            changes.append(Change(name, state.counter, state.epoch, after, (row,)))
        states = {change.device: change.state for change in changes}
        groups.append(changes)
    return groups


def _commit(store: PostgresMemory, groups: list[list[Change]]) -> None:
    for changes in groups:
        if store.commit_each(changes):
            raise Refused("psd.store-stale", device=changes[0].device)


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
