"""The hosts of a Provider: each keeps its devices, and nobody calls a device that is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, START

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.stations import Identity
from towncircle.psd import commands
from towncircle.psd.postgres import PostgresMemory
from towncircle.storage.sqlite import SqliteStore
from towncircle.world import hosting
from towncircle.world.lines import read, write
from towncircle.world.stations import EVERY, enrol, found, gate, is_enrolled, roles_enrolled

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


def test_every_station_of_a_hosted_device_that_is_gone_is_struck_not_its_licensees_alone(
    home: Path, tmp_path: Path, databases: Callable[[], str]
) -> None:
    host = begin(home, dsn=databases(), stations=tmp_path / "a", address=("127.0.0.1", 1))
    for device in (DEVICE, OTHER):
        made(home, device)
    told = {"desk": [DEVICE], "both": [DEVICE, OTHER], "all": [EVERY], "other": [OTHER]}
    keys = {
        name: enrol(host.stations, name, tmp_path / name, devices=devices, randomness=CHANCE, now=START)
        for name, devices in told.items()
    }
    call = gate(host.stations, lambda _device, _command: b"done")
    with closing(SqliteStore(home / "store.sqlite", create=True)) as store:

        def may(device: DeviceId, command: commands.Command) -> list[str]:
            found = []
            for name, key in keys.items():
                with suppress(Refused):
                    call(key, device, commands.encode_command(command))
                    found.append(name)
            return found

        def after(custody: str) -> None:
            with store.transaction() as tx:
                for device, body in ((DEVICE, custody), (OTHER, "leased")):
                    held = tx.get("device", device)
                    expected = held.version if held else 0
                    tx.put("device", device, {"custody": body}, owner="licensee.mailroom", expected=expected)
            hosting.keep_enrolments(home, store, home.parent / "devices", CHANCE, START)

        piece = commands.Evidence.of("JOB", amounts=[730], date="2026-11-21")
        after("leased")
        assert may(DEVICE, piece) == ["desk", "both", "all"]
        after("checked out")
        assert (may(DEVICE, piece), may(DEVICE, commands.Status())) == ([], ["desk", "both", "all"])
        after("stolen")
        assert may(DEVICE, commands.Status()) == []
        assert may(OTHER, piece) == ["both", "all", "other"]
        after("recovered")
        assert may(DEVICE, commands.Status()) == []  # nobody knows who had their keys meanwhile
        assert call(_print(home.parent / "devices" / DEVICE / "station"), DEVICE, commands.encode_command(piece))
        assert is_enrolled(host.stations, host.line.station)


def _print(own: Path) -> str:
    return Identity(key=(own / "own.key").read_bytes(), certificate=(own / "own.pem").read_bytes()).fingerprint


def test_many_devices_that_are_where_they_were_cost_one_look_at_the_list(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, names = tmp_path / "a", [DeviceId.of(vendor="TC", model="1A", serial=at) for at in range(300)]
    found(listed, CHANCE, START)
    row = {"devices": [], "role": "user", "until": START.plus(days=1000).iso()}
    rows = {f"{at:064x}": {**row, "name": name, "devices": [name]} for at, name in enumerate(names)}
    (listed / "enrolled.json").write_text(json.dumps(rows))
    (home / hosting.HOSTED).mkdir()
    for name in names:
        (home / hosting.HOSTED / f"{name}.json").write_text('{"host": 0}')
    told = {"dsn": "", "stations": str(listed), "station": str(listed), "address": ["127.0.0.1", 1]}
    write(home / hosting.HOSTING, {"hosts": [told], "at": 0, "open": True})
    with closing(SqliteStore(home / "store.sqlite", create=True)) as store:
        with store.transaction() as tx:
            for name in names:
                tx.put("device", name, {"custody": "leased"}, owner="licensee.mailroom", expected=0)
        looks: list[int] = []
        loads = json.loads
        monkeypatch.setattr(json, "loads", lambda text: looks.append(len(text)) or loads(text))
        hosting.keep_enrolments(home, store, home.parent / "devices", CHANCE, START)
    places = (home / hosting.HOSTING, listed / "enrolled.json")
    assert [size for size in looks if size > 100] == [place.stat().st_size for place in places]  # but for its own books
