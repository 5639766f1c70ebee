"""The module's own files: a byte that was changed after the build, and nothing is signed."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, SECRET, START, Story, batch

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.money import Mills
from towncircle.psd import integrity, selftest
from towncircle.psd.client import DeviceClient
from towncircle.psd.ports import ProcessPort
from towncircle.psd.process import create, open_device

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "towncircle"


def _wheel(place: Path) -> Path:
    """Build a wheel without a network; where hatchling is not installed, lay out what its hook would put in."""
    site = place / "site-packages"
    if importlib.util.find_spec("hatchling") is not None and (ROOT / "README.md").exists():
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place / "dist")]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = (place / "dist").glob("*.whl")
        zipfile.ZipFile(wheel).extractall(site)
    else:
        ignored = shutil.ignore_patterns("__pycache__", "MANIFEST")
        shutil.copytree(PACKAGE, site / "towncircle", ignore=ignored)
        integrity.write(site / "towncircle")
    return site / "towncircle"


def _flip(path: Path, at: int = 8) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _wheel(tmp_path_factory.mktemp("wheel"))


def test_a_flipped_byte_in_any_file_of_the_installed_module_is_found(installed: Path) -> None:
    names = list(integrity.files(installed))
    assert len(names) > 80
    assert integrity.check(installed) == integrity.check(installed)
    for name in names:
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
    (copy / integrity.MANIFEST).write_text(text.replace("manifest 1", "manifest 2"))
    with pytest.raises(BrokenInvariant, match="manifest was changed"):
        integrity.check(copy)
    (copy / integrity.MANIFEST).write_bytes(b"\xff" * 40)
    with pytest.raises(BrokenInvariant, match="cannot be read"):
        integrity.check(copy)
    (copy / integrity.MANIFEST).unlink()
    with pytest.raises(BrokenInvariant, match="cannot be read"):
        integrity.check(copy)


def test_an_installed_device_with_a_flipped_byte_signs_nothing_until_it_is_sound_again(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop, place = Workshop(START), tmp_path / "device"
    create(place, secret=SECRET, **workshop.birth(DEVICE))
    (clock := tmp_path / "clock.json").write_text(f'{{"mode": "frozen", "now_us": {int(START)}}}')
    device = open_device(place, clock_file=clock)
    client = DeviceClient(device)
    workshop.commission(client, DEVICE, START)
    workshop.reset(client, DEVICE, Mills.dollars(100), START)
    device.close()
    store = (place / "device.sqlite").read_bytes()

    monkeypatch.setenv("PYTHONPATH", str(installed.parent))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    target = installed / "psd" / "registers.py"
    _flip(target)  # in its docstring: the program still runs
    with ProcessPort(place, arguments=["--clock", str(clock)]) as port:
        client = DeviceClient(port)
        status = client.status()
        assert (status.state, status.approved_mode) == ("faulted", False)
        assert "psd/registers.py is not as it was built" in status.sentence
        for call in (lambda: client.evidence(batch()), client.audit, lambda: client.recover("JOB-1")):
            with pytest.raises(Refused, match=r"psd\.faulted"):
                call()
        with pytest.raises(BrokenInvariant, match=r"psd\.module-altered"):
            client.selftest()
    assert (place / "device.sqlite").read_bytes() == store
    _flip(target)
    with ProcessPort(place, arguments=["--clock", str(clock)]) as port:
        assert DeviceClient(port).evidence(batch()).registers.ascending == 730


def test_a_file_changed_while_the_device_runs_is_found_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story().to("in service")

    def altered() -> bool:
        raise BrokenInvariant("psd.module-altered", what="a file is not as it was built")

    story.restart(tests={**selftest.TESTS})
    before = story.state()
    story.device._tests = {"integrity": altered}
    with pytest.raises(BrokenInvariant, match=r"psd\.module-altered"):
        story.client.selftest()
    with pytest.raises(Refused, match=r"psd\.faulted"):
        story.evidence()
    assert story.state() == before
    story.restart()
    assert story.evidence().count == 1


def test_an_unsound_module_may_still_destroy_the_keys() -> None:
    story = Story().to("in service")
    story.device._unsound = "a test"
    story.client.zeroise(story.name)
    assert story.client.status().state == "zeroised"


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
