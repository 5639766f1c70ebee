"""A hosted fleet loses no acknowledged debit: a worker is killed, the server is killed, a standby takes over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.faults.hosted import NAMES, Told, busy, debit, folder, fund, host, reckon, wait_for
from tests.postgres import need_postgres

from towncircle.bench.cluster import Cluster
from towncircle.kernel.ids import DeviceId
from towncircle.psd.postgres import PostgresMemory

ROOT = Path(__file__).parents[2]


def worker(dsn: str, label: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "tests.faults.hosted", dsn, label]
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path})


def killed_after(process: subprocess.Popen[str], lines: int) -> list[Told]:
    """Kill a worker once it has released so much, and give all that it told to the end."""
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    told += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    parts = [line.split() for line in told if line.endswith("\n")]
    return [(DeviceId(device), label, digest) for device, label, digest in parts]


def test_a_worker_killed_at_any_moment_loses_no_acknowledged_debit(databases: Callable[[], str]) -> None:
    dsn = databases()
    fund(dsn)
    told: list[Told] = []
    for at, lines in enumerate((1, 40, 95)):
        told += killed_after(worker(dsn, f"W{at}"), lines)
    assert len(told) >= 136
    assert reckon(dsn, told) == 0
    store = PostgresMemory(dsn)
    assert debit(host(store), "AFTER", told)  # the next host goes on where the killed one ended
    store.close()
    assert reckon(dsn, told) == 0


def test_two_workers_on_the_same_devices_issue_no_piece_twice_when_one_is_killed(databases: Callable[[], str]) -> None:
    dsn = databases()
    fund(dsn)
    first, second = worker(dsn, "A"), worker(dsn, "B")
    told: list[Told] = []
    threads = [
        threading.Thread(target=lambda process=process: told.extend(killed_after(process, 60)))
        for process in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {label[0] for _, label, _ in told} == {"A", "B"}
    assert reckon(dsn, told) == 0


def test_a_server_killed_under_load_loses_no_acknowledged_debit() -> None:
    need_postgres()
    told: list[Told] = []
    with folder() as place, Cluster.make(place) as cluster:
        fund(cluster.dsn)
        for _ in range(3):
            with busy(cluster.dsn, told):
                wait_for(told, len(told) + 80)
                cluster.kill()
            cluster.start()
            assert reckon(cluster.dsn, told) == 0
        store = PostgresMemory(cluster.dsn)
        assert debit(host(store), "AFTER", told)
        store.close()


def test_a_host_goes_on_by_itself_after_its_server_came_back() -> None:
    need_postgres()
    told: list[Told] = []
    with folder() as place, Cluster.make(place) as cluster:
        fund(cluster.dsn)
        store = PostgresMemory(cluster.dsn)
        fleet = host(store)
        assert debit(fleet, "BEFORE", told)
        cluster.kill()
        assert not debit(fleet, "DOWN", told)
        cluster.start()
        assert debit(fleet, "DOWN", told)  # the same request: run now, or answered if it had been kept
        store.close()
        assert len(told) == 2 * len(NAMES)
        assert reckon(cluster.dsn, told) == 0


def lost_by_failover(*, synchronous: bool) -> tuple[int, int]:
    """Kill the primary under load and promote its standby; give how many debits were acknowledged, and lost."""
    told: list[Told] = []
    with folder() as place, Cluster.make(place / "primary") as primary:
        fund(primary.dsn)
        with primary.standby(place / "standby", name="standby") as standby:
            if not synchronous:
                primary.configure({"synchronous_standby_names": ""})
                primary.reload()
            with busy(primary.dsn, told):
                wait_for(told, 80)
                if not synchronous:
                    standby.hold_receiver()
                    wait_for(told, len(told) + 80)
                primary.kill()
            standby.promote()
            lost = reckon(standby.dsn, told)
            store = PostgresMemory(standby.dsn)
            assert debit(host(store), "AFTER", [])
            store.close()
            return len(told), lost


def test_failover_to_a_synchronous_standby_loses_no_acknowledged_debit() -> None:
    need_postgres()
    acknowledged, lost = lost_by_failover(synchronous=True)
    assert acknowledged >= 80
    assert lost == 0


def test_the_same_failover_to_an_asynchronous_standby_is_seen_to_lose_debits() -> None:
    need_postgres()
    _, lost = lost_by_failover(synchronous=False)
    assert lost > 0


def test_a_wait_for_the_standby_that_is_cut_short_is_no_acknowledgment() -> None:
    import psycopg

    need_postgres()
    told: list[Told] = []
    with folder() as place, Cluster.make(place) as cluster:
        fund(cluster.dsn)
        store = PostgresMemory(cluster.dsn)
        fleet = host(store)
        cluster.configure({"synchronous_standby_names": "nobody"})
        cluster.reload()
        answered: list[bool] = []
        thread = threading.Thread(target=lambda: answered.append(debit(fleet, "CUT", told)))
        with psycopg.connect(cluster.dsn, autocommit=True) as other:
            thread.start()
            while thread.is_alive():
                other.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
                thread.join(0.02)
        assert answered == [False]
        assert told == []
        store.close()
