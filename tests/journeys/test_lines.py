"""A mailer's whole way, from lease to a verified piece, with its device at a host: on a LAN, and hosted (WAN)."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cli.test_device import served, started
from tests.faults import killed as world_of
from tests.journeys.stories import refused
from tests.softhsm import need_softhsm
from tests.world.batch_stories import Interrupted, after, begun, job_of

from towncircle.cli.main import main
from towncircle.indicium.codec import decode
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import mailroom
from towncircle.psd.client import DeviceClient
from towncircle.psd.hosted.wrapping import keys_of
from towncircle.psd.keys import TOKEN_MARK
from towncircle.psd.postgres import PostgresMemory
from towncircle.world import batching, hosting, returning, verifying
from towncircle.world.journeys import Journeys
from towncircle.world.verifying import Mark
from towncircle.world.world import World

MAILROOM, HARBOR = "licensee.mailroom", "provider.harbor"


@pytest.fixture(scope="module")
def licensed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world_of.prepared(tmp_path_factory.mktemp("lines") / "world", up_to="apply")


@pytest.fixture
def folder(licensed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(licensed, tmp_path / "my-world")


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def documented(verb: str, stations: str, port: int) -> list[str]:
    """Give a line of docs/categories.md as it is written there, but for the port."""
    page = (Path(__file__).parents[2] / "docs" / "categories.md").read_text(encoding="utf-8")
    start, named, lost = f"towncircle device {verb} ", f" --stations {stations} ", "--keys-lost"
    lines = [line for line in page.splitlines() if line.startswith(start) and named in line]
    (line,) = (line for line in lines if (lost in line) == (lost in verb))
    return shlex.split(line.replace("8600", str(port)))[2:]


def token_options(place: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make a token, and give the options of docs/categories.md that name it, but for its library's place."""
    library, tokens = need_softhsm(), place / "tokens"
    tokens.mkdir()
    (conf := place / "softhsm2.conf").write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    monkeypatch.setenv("PIN", "1234")
    made = ["softhsm2-util", "--init-token", "--free", "--label", "fleet", "--pin", "1234", "--so-pin", "5678"]
    subprocess.run(made, check=True, capture_output=True)
    page = (Path(__file__).parents[2] / "docs" / "categories.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if line.startswith("towncircle world new my-world --keys pkcs11 "))
    words = shlex.split(line)[shlex.split(line).index("--token") :]
    return [words[0], str(library), *words[2:]]


def ran(*words: object, code: int = 0) -> None:
    assert main([*map(str, words)]) == code


def told(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    capsys.readouterr()
    ran(*words, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def leased(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    return str(told(capsys, "lease", folder, *more)["device"])


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
    ran("withdraw", folder)
    enrolled = json.loads((stations / "enrolled.json").read_text())
    assert {row["name"]: row["role"] for row in enrolled.values()} == {"desk": "former", "bench": "provider"}


def test_a_hosted_device_is_leased_funded_printed_with_and_given_back(
    folder: Path, tmp_path: Path, databases: Callable[[], str], free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    dsn, stations = databases(), tmp_path / "stations"
    (tmp_path / "dsn.txt").write_text(f"{dsn}\n")
    line = ["device", *documented("host", "stations", free_port)]
    ran(*line, "--parts", 2)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT partitions FROM fleet_store").fetchone() == (2,)
    ran(*line, "--parts", 4, code=3)
    serving = documented("serve-wan", "stations", free_port)
    with served(*serving, "--workers", "1"):
        assert ((tmp_path / "secret").stat().st_mode & 0o777, (tmp_path / "secret").stat().st_size) == (0o600, 32)
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
        ran("custody", "host", folder, device)
        ran("withdraw", folder, "--wait", code=3)
        enrolled = json.loads((stations / "enrolled.json").read_text())
        assert {row["name"]: row["role"] for row in enrolled.values()} == {HARBOR: "provider", device: "former"}
        for act in ("sign-form", "arrange", "scrap"):
            ran("custody", act, folder, device)
        enrolled = json.loads((stations / "enrolled.json").read_text())
        assert {row["name"] for row in enrolled.values()} == {HARBOR}  # its licensee can ask it nothing any more
        ran("withdraw", folder)  # and books the credit by what it signed
        end = told(capsys, "status", folder)
        assert (end["device"], end["state"]) == (device, "out of service")
        ran("export", folder, tmp_path / "told")
        ran("audit", tmp_path / "told")
    (tmp_path / "secret").rename(tmp_path / "mislaid")
    ran("device", *serving, code=3)  # the devices' keys are sealed under that one
    assert "psd.no-secret" in capsys.readouterr().err
    assert not (tmp_path / "secret").exists()
    store = PostgresMemory(dsn)
    state = store.load([device])[device]  # type: ignore[list-item, index]
    store.close()
    assert (state.state, int(state.registers.descending), state.registers.pieces) == ("zeroised", 0, 14)


def test_a_hybrid_is_leased_funded_printed_with_fallen_back_moved_and_given_back(
    folder: Path,
    tmp_path: Path,
    databases: Callable[[], str],
    free_port: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "dsn.txt").write_text(dsn := databases())
    wan = [*documented("serve-wan", "wan", free_port), "--workers", "1", *token_options(tmp_path, monkeypatch)]
    place = "475 L'Enfant Plaza SW,Washington,DC,20260"
    (tmp_path / "to.csv").write_text(f"name,street,city,state,zip\nA. Reader,{place}\n")
    stations, wan_at = tmp_path / "stations", f"127.0.0.1:{free_port}"
    first = leased(folder, capsys)
    ran("lease", folder, "--hybrid", code=3)
    assert "world.no-hosting" in capsys.readouterr().err
    ran("device", *documented("host", "wan", free_port))
    with started(*wan) as (serving, _):
        half = leased(folder, capsys, "--hybrid")
        assert half == leased(folder, capsys, "--hybrid") != first
        with world_of.opened(folder) as journeys:
            returning.withdraw(journeys, reason="another one", device=DeviceId(half))
        gone, half = half, leased(folder, capsys, "--hybrid")  # not the confirmation of the one that is gone
        assert half == leased(folder, capsys, "--hybrid") not in (first, gone)
        ran("device", "enrol", stations, "desk", tmp_path / "desk", "--device", first)
        host = ["serve-hybrid", str(folder / "devices" / first), "--stations", str(stations), "--hosted", half]
        host += ["--wan", str(folder / "devices" / half / "station"), "--wan-address", wan_at]
        with started(*host) as (child, address):
            ran("device", "connect", folder, first, "--station", tmp_path / "desk", "--address", address)
            ran("deposit", folder, "300")
            ran("reset", folder, "100")
            ran("reset", folder, "50", "--device", half)
            made = [one_piece(folder, tmp_path)]
            store = folder / "devices" / first / "device.sqlite"
            taken_away(store, child.pid)
            made.append(one_piece(folder, tmp_path))
            ran("reset", folder, "10", code=3)  # an order never falls back, and nothing of the half is booked for it
            store.with_name("away").rename(store)
            until_well(folder, first)
            made.append(one_piece(folder, tmp_path))
            batch = batch_begun(folder, tmp_path)
            taken_away(store, child.pid)
            batch_fallen_back(folder, tmp_path, batch, half=half)
            store.with_name("away").rename(store)
            until_well(folder, first)
            by_half = batch_ended(folder, tmp_path, batch, first=first, half=half)
            made.append(contacted_alone(folder, tmp_path, capsys, serving, first=first, half=half))
            with served(*wan):
                settled_alone(folder, capsys, lambda: taken_away(store, child.pid), half=half)
                store.with_name("away").rename(store)
                until_well(folder, first)
                ran("device", "move", folder / "devices" / first)
                made.append(one_piece(folder, tmp_path))
                assert made == [first, half, first, first, half]
                with closing(PostgresMemory(dsn)) as database:
                    keys = keys_of(database.load([DeviceId(half)])[DeviceId(half)])
                assert [key.sealed.startswith(TOKEN_MARK) for key in keys] == [True, True]
                ended(folder, tmp_path, capsys, half=half, pieces=3 + by_half)


PARTS = 6


def ended(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, half: str, pieces: int) -> None:
    """Give both devices of a hybrid back, the half as the device in use."""
    ran("withdraw", folder, "--reason", "moved to the hosted device")
    assert one_piece(folder, tmp_path) == half  # directly: it is the device in use now
    status = told(capsys, "status", folder, "--contact")
    assert (status["device"], status["pieces"]) == (half, pieces)
    ran("withdraw", folder)
    ran("export", folder, tmp_path / "told")
    ran("audit", tmp_path / "told")


def contacted_alone(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    serving: subprocess.Popen[str],
    *,
    first: str,
    half: str,
) -> str:
    """Connect the LAN device, locked, while the host of its half is away; give which device then prints."""
    serving.kill()
    serving.wait()
    ran("world", "advance", folder, "73h")
    status = told(capsys, "status", folder, "--contact")
    assert (status["device"], status["state"]) == (first, "in service")
    assert f"The hosted half {half} is not connected: " in status["contact"]
    ran("status", folder, "--contact", "--device", half, code=3)
    ran("reset", folder, "--status", "--device", half, code=3)
    assert told(capsys, "reset", folder, "--status", "--device", first)["reset"] == "posted"
    return one_piece(folder, tmp_path)


def settled_alone(folder: Path, capsys: pytest.CaptureFixture[str], taken: Callable[[], None], *, half: str) -> None:
    """Open the half, and settle its resets, whether the LAN device answers or not."""
    status = told(capsys, "status", folder, "--contact", "--device", half)
    assert (status["device"], status["state"]) == (half, "in service")
    held = status["descending_mills"]
    asked(folder, half, 1)
    standing = told(capsys, "reset", folder, "--status", "--device", half)
    assert (standing["device"], standing["reset"]) == (half, "posted")
    taken()
    asked(folder, half, 2)
    ran("reset", folder, "--finish", code=3)  # the LAN device's trouble is told, and the half's reset is finished
    assert told(capsys, "status", folder, "--device", half)["descending_mills"] == held + 3_000
    asked(folder, half, 3)
    found = told(capsys, "reset", folder, "--finish", "--device", half)
    assert (found["device"], found["amount_mills"], found["open_request"]) == (half, 3_000, "")
    assert found["descending_mills"] == held + 6_000
    ran("reset", folder, "--finish", "--device", "TC1A0000999999", code=3)
    assert "licensee.no-device" in capsys.readouterr().err


def asked(folder: Path, device: str, dollars: int) -> None:
    """Have the Provider reserve a reset, and lose its answer."""
    with world_of.opened(folder) as journeys:
        with journeys.world.shelf.client(DeviceId(device)) as client:
            message = client.request_reset(Mills.dollars(dollars)).message
        journeys.world.desk(HARBOR).receive(message)


def batch_begun(folder: Path, tmp_path: Path) -> str:
    with world_of.opened(folder) as journeys:
        return begun(journeys, tmp_path / "batch", pieces=PARTS)


def batch_fallen_back(folder: Path, tmp_path: Path, batch: str, *, half: str) -> None:
    """Go on with a batch whose device does not answer, interrupted again; of one more part the answer is lost."""
    with world_of.opened(folder) as journeys:
        with pytest.raises(Interrupted):
            batching.resume(journeys, batch, tmp_path / "batch", progress=after(3))
        waiting = [row for row in parts_of(journeys, batch) if row.body["state"] == mailroom.WAITING]
        with journeys.world.shelf.client(journeys.device) as client:
            done = mailroom._ask(client, JobId(waiting[0].key), waiting[0].body)
        assert decode(done.indicia()[0]).device == half
        assert half in {row.body["device"] for row in parts_of(journeys, batch)}


def batch_ended(folder: Path, tmp_path: Path, batch: str, *, first: str, half: str) -> int:
    """Go on with it on its own device, to its end; give how many of its pieces the half made."""
    with world_of.opened(folder) as journeys:
        record = batching.resume(journeys, batch, tmp_path / "batch").batch
        rows = parts_of(journeys, batch)
        pieces = [piece for row in rows for piece in row.body["indicia"]]
        assert (len(pieces), len(set(pieces)), record.body["printed"]) == (PARTS, PARTS, PARTS)
        made = [str(decode(bytes.fromhex(piece)).device) for piece in pieces]
        assert made == [row.body["device"] for row in rows]
        assert (made[0], made[-1], set(made)) == (first, first, {first, half})
        assert record.body["spent"] == record.body["total"] == sum(row.body["total"] for row in rows)
        standing = [journeys.status_of(DeviceId(device)).registers for device in (first, half)]
        with journeys.world.store(MAILROOM).reading() as view:
            jobs = [row.body for row in view.find("job")]
            (department,) = view.find("department")
        assert sum(held.pieces for held in standing) == sum(len(body["pieces"]) for body in jobs)
        assert sum(int(held.ascending) for held in standing) == sum(body["total"] for body in jobs)
        assert (department.body["reserved"], department.body["spent"]) == (0, sum(body["total"] for body in jobs))
        return made.count(half)


def parts_of(journeys: Journeys, batch: str) -> list[Record]:
    return [job_of(journeys, batch, number) for number in range(1, PARTS + 1)]


def one_piece(folder: Path, tmp_path: Path) -> str:
    """Print a piece and have it verified; give the device that its content names."""
    out = tmp_path / f"out-{len(list(tmp_path.glob('out-*')))}"
    ran("print", folder, "--out", out, "--addresses", tmp_path / "to.csv")
    with world_of.opened(folder) as journeys:
        journeys.world.publish()
        with journeys.world.store(MAILROOM).reading() as view:
            job = view.get("job", journeys.last_job())
        assert job is not None
        (piece,) = map(bytes.fromhex, job.body["indicia"])
        mark = Mark(file="piece", page=1, payload=piece)
        assert verifying.record(mark, journeys.world, site="Washington DC P&DC").verdict.verdict == "VALID"
        found = decode(piece).device
        assert found == job.body["device"] == job.owner
        return str(found)


def taken_away(store: Path, pid: int) -> None:
    """Kill the LAN device's process, and let no other one open its store."""
    store.rename(store.with_name("away"))
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    for child in found.stdout.split():
        with suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)
    time.sleep(1)  # the host notices before the next command


def until_well(folder: Path, device: str) -> None:
    for _ in range(100):
        with world_of.opened(folder) as journeys, suppress(Refused):
            if journeys.status().device == device:
                return
        time.sleep(0.3)
    raise AssertionError("the LAN device did not come back")
