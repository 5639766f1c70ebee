"""A device runs the build that it is bound to: real packages in real processes, and the counter of versions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.house.source import SRC
from tests.psd import setting
from tests.psd.setting import Story

from towncircle.kernel.errors import Refused
from towncircle.psd import integrity
from towncircle.psd.memory import Change
from towncircle.psd.process import SECRET, STORE
from towncircle.psd.sqlite import SqliteMemory

_ASK = """
import sys
from pathlib import Path
from towncircle.kernel.errors import TowncircleError
from towncircle.psd.client import DeviceClient
from towncircle.psd.process import open_device
device = open_device(Path(sys.argv[1]))
client = DeviceClient(device)
told = client.status()
try:
    client.audit()
    code = "served"
except TowncircleError as error:
    code = error.code
device.close()
import json
print(json.dumps([told.software_version, told.software_next, code]))
"""


def package(place: Path, *, line: str) -> str:
    """Install a build of its own: this source tree with one line more; give the digest of its manifest."""
    shutil.copytree(SRC, place / "towncircle", ignore=shutil.ignore_patterns("__pycache__"))
    module = place / "towncircle" / "psd" / "amending.py"
    module.write_text(module.read_text() + line)
    integrity.write(place / "towncircle")
    return integrity.check(place / "towncircle")


def asked(store: Path, build: Path) -> list[object]:
    """Start a device under a build, ask it for an audit, and stop it."""
    environment = {**os.environ, "PYTHONPATH": str(build), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(store)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: list[object] = json.loads(done.stdout)
    return answer


def bound(story: Story, **changes: object) -> None:
    """Write into a device's store what an order and a start would have left."""
    state = story.memory.load([story.name])[story.name]
    after = state.amended(counter=state.counter + 1, **changes)
    story.memory.commit([Change(story.name, state.counter, state.epoch, after, ())])


def test_the_next_build_is_bound_by_its_own_start_and_the_former_one_serves_no_more(tmp_path: Path) -> None:
    first = package(tmp_path / "first", line="# the first build\n")
    second = package(tmp_path / "second", line="# the second build\n")
    assert first != second
    store = tmp_path / "store"
    store.mkdir()
    (store / SECRET).write_bytes(setting.SECRET)
    story = Story(SqliteMemory(store / STORE, create=True)).to("in service")
    builds = {"software_build": bytes.fromhex(first), "next_build": bytes.fromhex(second)}
    bound(story, software_version=1, next_version=2, **builds)
    story.memory.close()
    assert asked(store, tmp_path / "first") == [1, 2, "served"]  # the package was not installed yet
    assert asked(store, tmp_path / "second") == [2, 0, "served"]
    assert asked(store, tmp_path / "first") == [2, 0, "psd.build-not-approved"]  # a rollback
    assert asked(store, tmp_path / "second") == [2, 0, "served"]


@pytest.mark.parametrize("event", ["audit", "evidence"])
def test_another_build_than_the_bound_one_signs_nothing(event: str, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story().to("in service")
    bound(story, software_version=1, software_build=bytes(32))
    story.restart()
    before = story.client.status().counter
    with pytest.raises(Refused) as caught:
        story.client.audit() if event == "audit" else story.evidence()
    assert caught.value.code == "psd.build-not-approved"
    assert story.client.status().counter == before
    monkeypatch.setattr(integrity, "running", lambda: bytes(32))
    story.client.audit() if event == "audit" else story.evidence()


def test_a_software_report_tells_what_is_bound_what_waits_and_what_runs() -> None:
    story = Story().to("in service")
    assert story.client.software().message
    told = story.client.status()
    assert (told.software_version, told.software_next, told.software_build) == (0, 0, b"")
