"""The hosts of a Provider: each keeps its devices, and nobody calls a device that is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, START

from towncircle.bench.workshop import Workshop
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import SeededRandomness
from towncircle.psd.postgres import PostgresMemory
from towncircle.storage.sqlite import SqliteStore
from towncircle.world import hosting
from towncircle.world.lines import read, write
from towncircle.world.stations import is_enrolled, roles_enrolled

OTHER = DeviceId.of(vendor="TC", model="1A", serial=18)
CHANCE = SeededRandomness(5, "hosts")
begin = partial(hosting.host, randomness=CHANCE, now=START)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "provider.harbor").mkdir()
    return tmp_path / "provider.harbor"


def made(home: Path, device: DeviceId) -> Path:
    folder = home.parent / "devices" / device
    hosting.make_hosted(home, CHANCE, START, folder, **Workshop(START).birth(device))
    return folder


def test_a_second_host_takes_new_devices_and_the_first_keeps_its_own(
    home: Path, tmp_path: Path, databases: Callable[[], str]
) -> None:
    first = begin(home, dsn=databases(), stations=tmp_path / "a", address=("127.0.0.1", 1))
    made(home, DEVICE)
    second = begin(home, dsn=databases(), stations=tmp_path / "b", address=("127.0.0.1", 2))
    made(home, OTHER)
    assert (hosting.host_of(home, DEVICE), hosting.host_of(home, OTHER)) == (first, second)
    for host, device in ((first, DEVICE), (second, OTHER)):
        assert is_enrolled(host.stations, host.line.station)  # the Provider's own way to each
        with closing(PostgresMemory(host.dsn)) as store:
            assert store.devices() == (device,)
    moved = begin(home, dsn=first.dsn, stations=tmp_path / "a", address=("127.0.0.1", 3))
    assert (hosting.host_of(home, DEVICE), moved.line.station) == (moved, first.line.station)
    assert moved.line.address == ("127.0.0.1", 3)
    assert hosting.host_of(home, OTHER) == second


def test_the_host_of_an_earlier_release_is_the_first(home: Path, tmp_path: Path, databases: Callable[[], str]) -> None:
    first = begin(home, dsn=databases(), stations=tmp_path / "a", address=("127.0.0.1", 1))
    made(home, DEVICE)
    told = read(home / hosting.HOSTING)
    assert told is not None
    write(home / hosting.HOSTING, {**told["hosts"][0], "open": True})  # as it wrote it
    (home / hosting.HOSTED / f"{DEVICE}.json").unlink()
    begin(home, dsn=databases(), stations=tmp_path / "b", address=("127.0.0.1", 2))
    assert hosting.host_of(home, DEVICE) == first


def test_nobody_calls_a_device_that_is_gone_and_a_found_one_gets_a_new_enrolment(
    home: Path, tmp_path: Path, databases: Callable[[], str]
) -> None:
    host = begin(home, dsn=databases(), stations=tmp_path / "a", address=("127.0.0.1", 1))
    folder = made(home, DEVICE)
    old = (folder / "station" / "own.pem").read_bytes()
    with closing(SqliteStore(home / "store.sqlite", create=True)) as store:

        def after(custody: str) -> str | None:
            with store.transaction() as tx:
                held = tx.get("device", DEVICE)
                body = {"custody": custody}
                tx.put("device", DEVICE, body, owner="licensee.mailroom", expected=held.version if held else 0)
            hosting.keep_enrolments(home, store, home.parent / "devices", CHANCE, START)
            return roles_enrolled(host.stations).get(DEVICE)

        assert after("leased") == after("returned") == "user"
        assert (folder / "station" / "own.pem").read_bytes() == old
        for custody in ("missing", "lost", "stolen"):
            assert after(custody) is None
        assert after("recovered") == "user"
        assert (folder / "station" / "own.pem").read_bytes() != old
        assert is_enrolled(host.stations, folder / "station")
        assert (after("checked out"), after("scrapped")) == ("former", None)
        assert len(json.loads((host.stations / "enrolled.json").read_text())) == 1  # the Provider
