"""Hosted fleets, measured over a private PostgreSQL.

Here: a hundred warm devices in one call, a hundred drawn from the whole population, and the resident memory of a host
that has touched every device. Not here: one device alone (`device`), the store's share alone (`debits`).
Each case stands beside raw P-256 signing and fdatasync where the database lies, of the same minute.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from towncircle.bench import Result, debits
from towncircle.bench.cluster import Cluster, in_memory
from towncircle.bench.debits import GROUP, name_of
from towncircle.bench.device import evidence_command
from towncircle.bench.limits import Beside, signatures_of_each, signatures_per_second
from towncircle.bench.workshop import Workshop
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import Device, manufacture
from towncircle.psd.hosted.caches import DEFAULT_LIMIT, MIB
from towncircle.psd.hosted.pool import Pool, workers_within
from towncircle.psd.hosted.wrapping import WrappedSlots, WrappingKeys
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Change, MemoryInRam
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock
from towncircle.psd.state import DeviceState

POPULATION = 100_000
PARTITIONS = 8
_ROUNDS = 3
_SECRET = bytes(32)


def host(dsn: str, wrapping: Path, *, memory_limit: int = DEFAULT_LIMIT) -> Pool:
    """Open a host over the population, as `towncircle device serve-wan` does: with a folder of wrapping keys."""
    return Pool(
        dsn=dsn,
        secret=_SECRET,
        workers=min(os.cpu_count() or 1, workers_within(memory_limit)),
        memory_limit=memory_limit,
        wrapping=wrapping,
    )


def template() -> DeviceState:
    """Make one funded device, from which the population is made."""
    ram, clock, name = MemoryInRam(), SystemClock(), name_of(0)
    workshop = Workshop(clock.now())
    manufacture(ram, **workshop.birth(name))
    device = Device(ram, name, slots=SoftwareSlots(lambda: _SECRET, SystemRandomness()), clock=clock)
    cap = Mills.dollars(1_000_000)
    workshop.commission(DeviceClient(device), name, clock.now(), cap_mills=cap)
    workshop.reset(DeviceClient(device), name, cap, clock.now())
    return ram.load([name])[name]


def populate(store: PostgresMemory, first: DeviceState, population: int, wrapping: Path | None = None) -> None:
    """Fill a store; each device has an indicia key of its own, in the form of a host with a folder of wrapping keys."""
    slots, chance = SoftwareSlots(lambda: _SECRET, SystemRandomness()), SystemRandomness()
    if wrapping is not None:
        slots = WrappedSlots(lambda: _SECRET, chance, limit=1, wrapping=WrappingKeys(wrapping))
    for start in range(0, population, 1000):
        store.commit(
            [
                Change(name, 0, 0, first.amended(device=name, indicia_key=slots.make("ecdsa-p256")), ())
                for name in map(name_of, range(start, min(start + 1000, population)))
            ]
        )


@contextmanager
def cluster_in(directory: Path | None) -> Iterator[Cluster]:
    """Run a cluster for the time of a bench: in the folder, else in memory."""
    folder = Path(tempfile.mkdtemp(prefix="tc-bench-", dir=directory or in_memory()))
    folder.chmod(0o755)
    settings = {"shared_buffers": "512MB", "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB"}
    try:
        with Cluster.make(folder, settings) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(
    directory: Path | None = None, *, seconds: float = 1.0, population: int = POPULATION
) -> tuple[list[Result], dict[str, object]]:
    """Measure all cases; give results and what to say of the environment. Raises `Refused` (bench.no-postgres)."""
    with cluster_in(directory) as cluster:
        beside = Beside(cluster.data.parent, seconds / 2)
        first = template()
        store = PostgresMemory(cluster.dsn, create=True)
        wrapping = cluster.data.parent / "wrapping"
        populate(store, first, population, wrapping)
        day = SystemClock().now().date_in("America/New_York").isoformat()
        pool = host(cluster.dsn, wrapping)
        warm = [name_of(number) for number in range(GROUP)]
        results = [
            _signing("fleet.hundred", pool, lambda: warm, day, seconds, beside),
            _signing("fleet.cold", pool, _draws(population), day, seconds, beside),
        ]
        pool.close()
        store.close()
        results += [debits.measure("fleet.debits", cluster.dsn, seconds, beside)]
        results += [_parted(cluster, first, seconds, beside), _memory(cluster.dsn, wrapping, population, beside)]
    where = "in memory" if directory is None and in_memory() is not None else "on disk"
    return results, {"postgresql": where, "population": population, "connections": debits.WORKERS}


def _draws(population: int) -> Callable[[], Sequence[DeviceId]]:
    """Draw a hundred devices from all, none again before all were drawn: a host finds none of them at hand."""
    step, at = 7919, count()  # a prime that does not divide the population

    def draw() -> Sequence[DeviceId]:
        start = next(at) * GROUP
        return [name_of((start + number) * step % population) for number in range(min(GROUP, population))]

    return draw


def _signing(
    name: str, pool: Pool, draw: Callable[[], Sequence[DeviceId]], day: str, seconds: float, beside: Beside
) -> Result:
    """Measure hosted calls of a hundred pieces, each a command of its own; making the commands and reading the answers
    is not timed. Raises what a device answers with."""
    rounds = []
    for turn in range(_ROUNDS + 1):  # the first warms up
        before = signatures_per_second(seconds / 2)
        done, spent = 0, 0.0
        while spent < seconds:
            asked = [
                (device, evidence_command(f"{name}-{turn}-{done + at}", 1, day)) for at, device in enumerate(draw())
            ]
            start = time.perf_counter()
            answers = pool.exchange_many(asked)
            spent += time.perf_counter() - start
            done += sum(isinstance(commands.decode_answer(answer), commands.Evidenced) for answer in answers)
        signing = (before + signatures_per_second(seconds / 2)) / 2
        busy = signatures_of_each(seconds / 2, len(pool.workers))
        row = Result.of(
            name,
            rate=done / spent,
            unit="indicia/s",
            limit="raw P-256 signing, one core",
            limit_rate=signing,
            fdatasync_rate=beside.syncs(),
        )
        rounds.append(replace(row, busy_limit_rate=busy))
    return sorted(rounds[1:], key=lambda row: row.ratio)[_ROUNDS // 2]


def _parted(cluster: Cluster, first: DeviceState, seconds: float, beside: Beside) -> Result:
    import psycopg

    with psycopg.connect(cluster.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE parted")
    dsn = cluster.dsn.replace("dbname=postgres", "dbname=parted")
    store = PostgresMemory(dsn, create=True, partitions=PARTITIONS)
    populate(store, first, debits.WORKERS * GROUP)
    store.close()
    return debits.measure("fleet.debits.parted", dsn, seconds, beside)


def _memory(dsn: str, wrapping: Path, population: int, beside: Beside) -> Result:
    """Touch every device of the population once in a process of its own, and take its peak of resident memory."""
    line = [sys.executable, "-m", "towncircle.bench.fleet", dsn, str(wrapping), str(population), str(DEFAULT_LIMIT)]
    told = subprocess.run(line, capture_output=True, check=True, text=True)  # noqa: S603 - our own entry
    peak = int(told.stdout)
    return Result.of(
        "fleet.memory",
        rate=peak / MIB,
        unit="MiB at most",
        limit="the setting",
        limit_rate=DEFAULT_LIMIT / MIB,
        fdatasync_rate=beside.syncs(),
        signing_rate=beside.signatures(),
    )


def touch_all(dsn: str, wrapping: Path, population: int, memory_limit: int) -> int:
    """Evidence one piece on every device, and give the peak of resident memory of all processes in bytes."""
    pool = host(dsn, wrapping, memory_limit=memory_limit)
    day = SystemClock().now().date_in("America/New_York").isoformat()
    command = evidence_command(f"TOUCH-{int(SystemClock().now())}", 1, day)
    for start in range(0, population, 500):
        names = [name_of(number) for number in range(start, min(start + 500, population))]
        for answer in pool.exchange_many([(name, command) for name in names]):
            if commands.is_error(answer):
                commands.decode_answer(answer)
    peak = sum(map(_peak, [os.getpid(), *pool.pids()]))
    pool.close()
    return peak


def _peak(pid: int) -> int:
    """Read the peak of resident memory of a process (bytes)."""
    lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


if __name__ == "__main__":
    sys.stdout.write(str(touch_all(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
