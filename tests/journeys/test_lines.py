"""A mailer's whole way, from lease to a verified piece, with its device at a host: on a LAN, and hosted (WAN)."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.cli.test_device import served
from tests.faults import killed as world_of
from tests.journeys.stories import refused
from tests.psd.setting import SECRET

from towncircle.cli.main import main
from towncircle.psd.client import DeviceClient
from towncircle.psd.postgres import PostgresMemory
from towncircle.world import hosting, verifying
from towncircle.world.verifying import Mark
from towncircle.world.world import World

MAILROOM, HARBOR = "licensee.mailroom", "provider.harbor"


@pytest.fixture(scope="module")
def licensed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world_of.prepared(tmp_path_factory.mktemp("lines") / "world", up_to="apply")


@pytest.fixture
def folder(licensed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(licensed, tmp_path / "world")


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def ran(*words: object, code: int = 0) -> None:
    assert main([*map(str, words)]) == code


def leased(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    ran("lease", folder, "--json")
    return str(json.loads(capsys.readouterr().out)["device"])


def printed_and_verified(folder: Path, *, fund: bool) -> str:
    """Fund the device, print a job and have two pieces of it verified; give the device's state."""
    if fund:
        ran("deposit", folder, "300")
        ran("reset", folder, "100")
    ran("print", folder, "--out", folder.parent / f"out-{fund}")
    with world_of.opened(folder) as journeys:
        journeys.world.publish()
        with journeys.world.store(MAILROOM).reading() as view:
            job = view.get("job", journeys.last_job())
        assert job is not None
        for piece in job.body["indicia"][:2]:
            mark = Mark(file="piece", page=1, payload=bytes.fromhex(piece))
            assert verifying.record(mark, journeys.world, site="Washington DC P&DC").verdict.verdict == "VALID"
        return journeys.status().state


@contextmanager
def at_the_bench(folder: Path, device: str) -> Iterator[DeviceClient]:
    world = World.open(folder)
    try:
        bench = world.desk(HARBOR)._bench
        assert bench is not None
        with bench.client(device) as client:  # type: ignore[arg-type]
            yield client
    finally:
        world.close()


def test_a_device_on_a_lan_is_used_by_every_command(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = leased(folder, capsys)
    stations, desk = tmp_path / "stations", tmp_path / "desk"
    ran("device", "enrol", stations, "desk", desk, "--device", device)
    with served("serve-lan", str(folder / "devices" / device), "--stations", str(stations)) as address:
        ran("status", folder, code=3)  # the host owns the store
        ran("device", "connect", folder, device, "--station", desk, "--address", address)
        assert printed_and_verified(folder, fund=True) == "in service"
        ran("status", folder)
        ran("device", "disconnect", folder, device, code=3)
        assert "world.still-served" in capsys.readouterr().err
        ran("device", "enrol", stations, "bench", tmp_path / "bench", "--device", device, "--role", "provider")
        line = ("device", "connect", folder, device, "--bench", "--address", address)
        ran(*line, "--station", desk, code=3)
        assert "world.bench-role" in capsys.readouterr().err
        ran(*line, "--station", tmp_path / "bench")
        with at_the_bench(folder, device) as client, refused("psd.role-refused"):
            client.recover("JOB-1")  # not over the licensee's enrolment, which may
    with at_the_bench(folder, device) as client:  # the host has ended: the bench has the device itself
        assert client.status().state == "in service"
    ran("device", "disconnect", folder, device)
    copy = shutil.copytree(folder / "devices" / device, tmp_path / device)
    with served("serve-lan", str(copy), "--stations", str(stations)) as address:
        ran("device", "connect", folder, device, "--station", desk, "--address", address, code=3)
        assert "world.copy-served" in capsys.readouterr().err
    assert printed_and_verified(folder, fund=False) == "in service"


def test_a_hosted_device_is_leased_funded_printed_with_and_given_back(
    folder: Path, tmp_path: Path, databases: Callable[[], str], free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dsn").write_text(databases())
    (tmp_path / "secret").write_bytes(SECRET)
    stations, address = tmp_path / "stations", f"127.0.0.1:{free_port}"
    ran("device", "host", folder, "--dsn-from", tmp_path / "dsn", "--stations", stations, "--address", address)
    dsn = (tmp_path / "dsn").read_text()
    words = [dsn, "--secret", str(tmp_path / "secret"), "--stations", str(stations), "--port", str(free_port)]
    with served("serve-wan", *words, "--world", str(folder), "--workers", "1"):
        device = leased(folder, capsys)
        assert not (folder / "devices" / device / "device.sqlite").exists()
        assert printed_and_verified(folder, fund=True) == "in service"
        host = hosting.host_of(folder / HARBOR, device)  # type: ignore[arg-type]
        assert host is not None
        assert "dsn" not in repr(host)
        enrolled = json.loads((stations / "enrolled.json").read_text())
        assert {row["name"]: (row["devices"], row["role"]) for row in enrolled.values()} == {
            HARBOR: (["*"], "provider"),
            device: ([device], "user"),
        }
        world = World.open(folder)
        try:
            with world.shelf.client(device) as client, refused("psd.role-refused"):  # type: ignore[arg-type]
                client.zeroise(device)  # type: ignore[arg-type]
            with closing(host.line.open(device)) as own, refused("psd.role-refused"):  # type: ignore[arg-type]
                DeviceClient(own).recover("JOB-1")
        finally:
            world.close()
        ran("withdraw", folder)
        enrolled = json.loads((stations / "enrolled.json").read_text())
        assert {row["name"]: row["role"] for row in enrolled.values()} == {HARBOR: "provider", device: "watch"}
    store = PostgresMemory(dsn)
    state = store.load([device])[device]  # type: ignore[list-item, index]
    store.close()
    assert (state.state, int(state.registers.descending), state.registers.pieces) == ("withdrawn", 0, 14)
