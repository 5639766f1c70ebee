"""The module's own files: a byte that was changed after the build, and nothing is signed."""

from __future__ import annotations

import importlib.util
import marshal
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, SECRET, START, Story, batch

from towncircle.bench.debits import name_of
from towncircle.bench.device import evidence_command
from towncircle.bench.fleet import host, populate, template
from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.money import Mills
from towncircle.psd import guard, integrity, selftest
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Audit, Evidenced, SelfTest, Status, decode_answer, encode_command
from towncircle.psd.hosted.pool import Pool
from towncircle.psd.keeping import KeptPort
from towncircle.psd.ports import ProcessPort
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock, create, open_device
from towncircle.wire.bodies import SoftwareReport
from towncircle.wire.message import body_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "towncircle"


def _wheel(place: Path) -> Path:
    """Build the wheel with its hook and install it as pip does, without a network; give the installed package."""
    site, dist = place / "site-packages", place / "dist"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = dist.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*install, "--no-compile", "--target", str(site), str(wheel)], check=True, capture_output=True)
    return site / "towncircle"


def _flip(path: Path, at: int = 8) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _wheel(tmp_path_factory.mktemp("wheel"))


def test_a_flipped_byte_in_a_file_of_the_installed_module_is_found(installed: Path) -> None:
    names = list(integrity.files(installed))
    assert len(names) > 80
    assert integrity.check(installed) == integrity.check(installed)
    for name in names[::6]:
        if not (installed / name).stat().st_size:
            continue
        _flip(installed / name, 0)
        with pytest.raises(BrokenInvariant, match=r"psd\.module-altered.*" + name.replace(".", r"\.")):
            integrity.check(installed)
        _flip(installed / name, 0)
    assert integrity.check(installed)


def test_a_missing_or_an_added_file_and_a_changed_manifest_are_found(installed: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(installed, tmp_path / "towncircle"))
    (copy / "psd" / "extra.py").write_text("")
    with pytest.raises(BrokenInvariant, match=r"extra\.py is not of this build"):
        integrity.check(copy)
    (copy / "psd" / "extra.py").unlink()
    (copy / "psd" / "registers.py").rename(copy / "registers.py")
    with pytest.raises(BrokenInvariant, match=r"registers\.py is missing"):
        integrity.check(copy)
    (copy / "registers.py").rename(copy / "psd" / "registers.py")
    text = (copy / integrity.MANIFEST).read_text()
    (copy / integrity.MANIFEST).write_text(text.replace("manifest 2", "manifest 3"))
    with pytest.raises(BrokenInvariant, match="manifest was changed"):
        integrity.check(copy)
    (copy / integrity.MANIFEST).write_bytes(b"\xff" * 40)
    with pytest.raises(BrokenInvariant, match="cannot be read"):
        integrity.check(copy)
    (copy / integrity.MANIFEST).unlink()
    with pytest.raises(BrokenInvariant, match="cannot be read"):
        integrity.check(copy)


@pytest.fixture(scope="module")
def funded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give the store of a device in service, and its clock."""
    place = tmp_path_factory.mktemp("funded")
    workshop, store = Workshop(START), place / "device"
    create(store, secret=SECRET, **workshop.birth(DEVICE))
    (clock := place / "clock.json").write_text(f'{{"mode": "frozen", "now_us": {int(START)}}}')
    device = open_device(store, clock_file=clock)
    client = DeviceClient(device)
    workshop.commission(client, DEVICE, START)
    workshop.reset(client, DEVICE, Mills.dollars(100), START)
    device.close()
    return store, clock


def _port(installed: Path, funded: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> ProcessPort:
    """Start the device by the installed program."""
    monkeypatch.setattr(guard, "__file__", str(installed / "psd" / "guard.py"))
    return ProcessPort(funded[0], arguments=["--clock", str(funded[1])])


def test_an_installed_device_with_any_bit_flipped_answers_that_it_is_altered_and_touches_nothing(
    installed: Path, funded: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = (funded[0] / "device.sqlite").read_bytes()
    drawn = random.Random(44)
    names = [name for name in integrity.files(installed) if name.endswith(".py") and name != "psd/guard.py"]
    for name in ["kernel/errors/__init__.py", "psd/registers.py", *drawn.sample(names, 10)]:
        path = installed / name
        raw = path.read_bytes()
        at = drawn.randrange(max(len(raw), 1))
        path.write_bytes(raw[:at] + bytes([(raw[at : at + 1] or b"#")[0] ^ 1 << drawn.randrange(8)]) + raw[at + 1 :])
        with _port(installed, funded, monkeypatch) as port:
            for call in (DeviceClient(port).status, lambda port=port: DeviceClient(port).evidence(batch())):
                with pytest.raises(BrokenInvariant, match=rf"psd\.module-altered.*{re.escape(name)} is not as it was"):
                    call()
        path.write_bytes(raw)
    assert (funded[0] / "device.sqlite").read_bytes() == store


def test_the_command_that_serves_a_device_says_that_its_program_is_altered(
    installed: Path, funded: tuple[Path, Path]
) -> None:
    path = installed / "kernel" / "money.py"
    raw = path.read_bytes()
    path.write_bytes(raw + b"\n)")  # cannot even be compiled
    environment = {**os.environ, "PYTHONPATH": str(installed.parent)}
    line = [sys.executable, "-m", "towncircle", "device"]
    frame = encode_command(Status())
    asked = len(frame).to_bytes(4, "big") + frame
    served = subprocess.run(
        [*line, "serve-pipe", str(funded[0])], input=asked * 2, capture_output=True, env=environment, check=False
    )
    told = subprocess.run([*line, "status", "--json"], capture_output=True, env=environment, check=False)
    path.write_bytes(raw)
    assert (served.returncode, told.returncode) == (4, 4)
    size = int.from_bytes(served.stdout[:4], "big")
    assert served.stdout == served.stdout[: 4 + size] * 2
    with pytest.raises(BrokenInvariant, match=r"psd\.module-altered.*kernel/money\.py is not as it was built"):
        decode_answer(served.stdout[4 : 4 + size])
    assert b"psd.module-altered" in told.stdout
    assert b"Traceback" not in served.stderr + told.stderr


def test_the_workers_of_a_host_with_a_byte_flipped_answer_that_they_are_altered_and_touch_nothing(
    installed: Path, databases: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, names = databases(), [name_of(0), name_of(1)]
    store = PostgresMemory(dsn, create=True)
    populate(store, template(), len(names), tmp_path / "keys")
    monkeypatch.setattr(guard, "__file__", str(installed / "psd" / "guard.py"))
    day = SystemClock().now().date_in("America/New_York").isoformat()
    asked = [(name, evidence_command(f"JOB-{name}", 1, day)) for name in names]
    before = store.load(names)
    worker = installed / "psd" / "hosted" / "worker.py"
    raw = worker.read_bytes()
    for at in (3, raw.index(b"import os")):  # in its first words; where it cannot be compiled any more
        worker.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        pool = host(dsn, tmp_path / "keys")
        for _ in range(2):
            for answer in pool.exchange_many(asked):
                with pytest.raises(BrokenInvariant, match=r"psd\.module-altered.*hosted.worker\.py is not as it was"):
                    decode_answer(answer)
        pool.close()
    worker.write_bytes(raw)
    assert store.load(names) == before
    pool = host(dsn, tmp_path / "keys")
    assert all(isinstance(decode_answer(answer), Evidenced) for answer in pool.exchange_many(asked))
    pool.close()
    store.close()


def test_a_changed_compiled_cache_is_never_run(
    installed: Path, funded: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = installed / "psd" / "registers.py"
    cache = Path(importlib.util.cache_from_source(str(source)))
    cache.parent.mkdir(exist_ok=True)
    shown = source.stat()
    head = importlib.util.MAGIC_NUMBER + bytes(4) + int(shown.st_mtime).to_bytes(4, "little")
    evil = compile("raise SystemExit(9)", str(source), "exec")
    cache.write_bytes(head + shown.st_size.to_bytes(4, "little") + marshal.dumps(evil))
    plain = [sys.executable, "-c", "import towncircle.psd.registers"]
    environment = {**os.environ, "PYTHONPATH": str(installed.parent)}
    assert subprocess.run(plain, env=environment, check=False).returncode == 9  # what Python does by itself
    with _port(installed, funded, monkeypatch) as port:
        client = DeviceClient(port)
        assert client.selftest().passed == tuple(selftest.TESTS)
        assert client.evidence(batch()).registers.ascending == 730
    shutil.rmtree(cache.parent)


CHANGED_SINCE = """
import importlib, importlib.resources, runpy, sys
from pathlib import Path
package = Path(sys.argv[1])
guard = runpy.run_path(str(package / "psd" / "guard.py"), run_name="guard")
what, found = guard["checked"](package)
assert not what, what
(package / "psd" / "registers.py").write_text("raise SystemExit(9)")
(package / "psd" / "late.py").write_text("")
for place in ("psd/migrations/0001_device.sql", "indicium/layouts/ibi-lite.toml"):
    (package / place).write_text("altered")
sys.meta_path.insert(0, guard["Finder"](package, found))
assert importlib.import_module("towncircle.psd.registers").__file__ == str(package / "psd" / "registers.py")
assert "CREATE TABLE" in importlib.import_module("towncircle.psd.sqlite")._migrations()[0]
assert importlib.import_module("towncircle.indicium.catalogue")._read("ibi-lite").length == 20
rules = importlib.resources.files("towncircle.rules") / "ibi_1998"
assert {"intervals.toml", "limits"} < {item.name for item in rules.iterdir()}
for name in ("towncircle.psd.late", "towncircle.cli.main"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        assert "not of the module that was checked" in str(error)
    else:
        raise SystemExit(8)
"""


def test_what_is_run_are_the_bytes_that_were_checked(installed: Path, tmp_path: Path) -> None:
    package = shutil.copytree(installed, tmp_path / "towncircle")
    line = [sys.executable, "-P", "-c", CHANGED_SINCE, str(package)]
    told = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


@contextmanager
def _changed(path: Path) -> Iterator[None]:
    """Change one byte of a file as long as the block lasts."""
    raw = path.read_bytes()
    _flip(path, len(raw) // 2)
    try:
        yield
    finally:
        path.write_bytes(raw)


@pytest.mark.parametrize("category", ["serve-pipe", "serve-lan"])
def test_a_file_changed_while_the_device_runs_is_found_on_demand_and_no_signature_leaves(
    installed: Path, funded: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, category: str
) -> None:
    def port() -> ProcessPort:
        return _port(installed, funded, monkeypatch)

    with closing(port() if category == "serve-pipe" else KeptPort(port)) as served:
        client = DeviceClient(served)
        assert client.selftest().passed == tuple(selftest.TESTS)
        pieces = client.evidence(batch(f"BEFORE-{category}")).registers.pieces
        held, after = (funded[0] / "device.sqlite").read_bytes(), batch(f"AFTER-{category}")
        with _changed(installed / "psd" / "registers.py"):
            assert client.status().state == "in service"  # nobody asked yet
            with pytest.raises(BrokenInvariant, match=r"psd\.module-altered.*psd/registers\.py is not as it was built"):
                client.selftest()
        signing = (
            lambda: client.evidence(after), lambda: client.request_reset(Mills.dollars(1)),
            client.audit, client.rekey, client.software,
        )  # fmt: skip
        for sign in signing:  # though the file is right again: the module that failed is the one that runs
            with pytest.raises(Refused, match=r"psd\.faulted"):
                sign()
        assert client.status().state == "faulted"
        assert (funded[0] / "device.sqlite").read_bytes() == held
    with port() as again:
        assert DeviceClient(again).evidence(after).registers.pieces == pieces + 1


ALTERED = r"psd\.module-altered.*psd/hosted/fleet\.py is not as it was built"


def test_a_file_changed_while_a_host_runs_is_found_on_demand_and_stops_every_device_of_the_process(
    installed: Path, databases: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, names = databases(), [name_of(at) for at in range(3)]
    store = PostgresMemory(dsn, create=True)
    populate(store, template(), len(names), tmp_path / "keys")
    monkeypatch.setattr(guard, "__file__", str(installed / "psd" / "guard.py"))
    day = SystemClock().now().date_in("America/New_York").isoformat()
    first, second = ([(name, evidence_command(job, 1, day)) for name in names] for job in ("JOB-1", "JOB-2"))
    pool = Pool(dsn=dsn, secret=bytes(32), workers=1, wrapping=tmp_path / "keys")
    assert all(isinstance(decode_answer(answer), Evidenced) for answer in pool.exchange_many(first[:2]))
    held = store.load(names)
    with _changed(installed / "psd" / "hosted" / "fleet.py"), pytest.raises(BrokenInvariant, match=ALTERED):
        decode_answer(pool.exchange(names[0], encode_command(SelfTest())))
    audits = [(name, encode_command(Audit())) for name in names]
    for answer in pool.exchange_many([*second, *audits]):  # who asked, a neighbour, and one that was not at hand
        with pytest.raises(TowncircleError, match=r"psd\.(faulted|module-altered)"):
            decode_answer(answer)
    pool.close()
    assert {name: state.registers for name, state in store.load(names).items()} == {
        name: state.registers for name, state in held.items()
    }
    assert not any(record.request_id == "JOB-2" for name in names for record in store.records(name))
    pool = host(dsn, tmp_path / "keys")
    assert all(isinstance(decode_answer(answer), Evidenced) for answer in pool.exchange_many(second))
    first_told = decode_answer(pool.exchange(names[0], encode_command(SelfTest())))
    with _changed(installed / "psd" / "hosted" / "fleet.py"):  # within the minute that a worker gives its last result
        assert decode_answer(pool.exchange(names[0], encode_command(SelfTest()))) == first_told
    pool.close()
    store.close()


def test_a_running_device_stays_the_build_that_was_loaded_whatever_is_installed_over_it(
    installed: Path, funded: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def running(client: DeviceClient) -> str:
        body = body_of(client.software().message)
        assert isinstance(body, SoftwareReport)
        return body.running.hex()

    first, manifest = integrity.check(installed), (installed / "psd" / "MANIFEST").read_bytes()
    module = installed / "psd" / "amending.py"
    held = module.read_bytes()
    try:
        with _port(installed, funded, monkeypatch) as port:
            client = DeviceClient(port)
            assert client.selftest().passed == tuple(selftest.TESTS)
            module.write_bytes(held + b"# the second build\n")
            integrity.write(installed)
            second = integrity.check(installed)
            assert running(client) == first != second
            with pytest.raises(BrokenInvariant, match=r"psd\.module-altered.*of another build than the one that runs"):
                client.selftest()
        with _port(installed, funded, monkeypatch) as port:
            assert running(DeviceClient(port)) == second
    finally:
        module.write_bytes(held)
        (installed / "psd" / "MANIFEST").write_bytes(manifest)


def test_the_device_itself_never_writes_a_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "write", None)
    story = Story().to("in service")
    story.restart()
    assert story.evidence().count == 1


def test_the_launcher_writes_the_manifest_only_where_files_changed(tmp_path: Path) -> None:
    package = tmp_path / "towncircle"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "MANIFEST"))
    assert integrity.write(package)
    assert not integrity.write(package)
    _flip(package / "psd" / "device.py")
    assert integrity.write(package)
    assert integrity.check(package)


def test_a_changed_source_tree_is_refused_until_its_launcher_was_run(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "src", checkout / "src", ignore=shutil.ignore_patterns("__pycache__", "MANIFEST"))
    shutil.copytree(ROOT / "tools", checkout / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (checkout / ".venv" / ".made-at").write_text(f"{checkout}\n")  # as if it had been made here
    for name in ("towncircle", "requirements.lock"):
        shutil.copy(ROOT / name, checkout / name)
    shutil.copy(ROOT / "requirements.lock", checkout / ".venv" / ".done-requirements.lock")
    package, environment = checkout / "src" / "towncircle", {**os.environ, "PYTHONPATH": str(checkout / "src")}

    def run(*line: str) -> None:
        subprocess.run([*line, "--help"], env=environment, check=True, capture_output=True)

    run(str(checkout / "towncircle"))
    assert integrity.check(package)
    (package / "psd" / "registers.py").write_text((PACKAGE / "psd" / "registers.py").read_text() + "# changed\n")
    run(sys.executable, "-m", "towncircle")  # the program itself never does
    with pytest.raises(BrokenInvariant, match=r"psd\.module-altered.*registers\.py"):
        integrity.check(package)
    run(str(checkout / "towncircle"))
    assert integrity.check(package)
