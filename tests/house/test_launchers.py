"""The launchers on machines that are not ready: each says what is missing and what to do, and ends with 2.

Here: everything up to the making of `.venv`, which needs the network and is tried by `.ci/run` on a clean clone.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.house.source import ROOT

TOOLS = ("sh", "dirname", "readlink", "cmp", "cut")
OLD = '#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\nexit 1\n'
NO_VENV = '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexit 0\n'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Give a folder with a checkout that was never run, and a PATH with little on it."""
    for name in ("towncircle", "test", "requirements.lock", "requirements-dev.lock", "tools/venv.sh", "tools/tools.sh"):
        target = tmp_path / "a checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def start(machine: Path, launcher: str = "towncircle", **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(machine / "bin"), "HOME": str(machine), **more}
    program = machine / "a checkout" / launcher
    return subprocess.run([program, "--help"], env=environment, capture_output=True, text=True, check=False)


def put(machine: Path, name: str, text: str) -> None:
    (machine / "bin" / name).write_text(text)
    (machine / "bin" / name).chmod(0o755)


def test_an_old_python_is_named_with_what_is_needed(machine: Path) -> None:
    put(machine, "python3", OLD)
    done = start(machine)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Python 3.11 or newer is needed; this machine's python3 is 3.9.2" in done.stderr
    assert "Next step: install" in done.stderr


@pytest.mark.parametrize("launcher", ["towncircle", "test"])
def test_a_machine_without_python_is_told_so(machine: Path, launcher: str) -> None:
    done = start(machine, launcher)
    assert (done.returncode, done.stdout) == (2, "")
    assert "python3 was not found" in done.stderr
    assert "apt install python3 python3-venv" in done.stderr


def test_a_python_without_its_venv_module_is_told_which_package_to_install(machine: Path) -> None:
    put(machine, "python3", NO_VENV)
    done = start(machine)
    assert done.returncode == 2
    assert "apt install python3-venv" in done.stderr


def test_a_python_that_was_asked_for_but_is_none_is_not_passed_over(machine: Path) -> None:
    put(machine, "python3", NO_VENV)
    done = start(machine, TOWNCIRCLE_PYTHON="/nowhere/python")
    assert done.returncode == 2
    assert "'/nowhere/python'" in done.stderr


def test_nothing_is_said_when_nothing_is_to_do_and_a_link_to_the_launcher_works(machine: Path) -> None:
    top = machine / "a checkout"
    (top / ".venv" / "bin").mkdir(parents=True)
    python = top / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "ran $*"\n')
    python.chmod(0o755)
    (top / ".venv" / ".made-at").write_text(f"{top}\n")
    shutil.copy(top / "requirements.lock", top / ".venv" / ".done-requirements.lock")
    (machine / "bin" / "tc").symlink_to(top / "towncircle")
    found = shutil.which("find")
    assert found is not None
    (machine / "bin" / "find").symlink_to(found)
    manifest = top / "src" / "towncircle" / "psd" / "MANIFEST"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("as new as every file\n")
    for program in (top / "towncircle", machine / "bin" / "tc"):
        done = subprocess.run(
            [program, "--help"], env={"PATH": str(machine / "bin")}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "ran -m towncircle --help\n", "")


@pytest.mark.parametrize("name", [".made-at", ".done-requirements.lock"])
def test_a_checkout_that_was_moved_or_has_a_new_lock_is_set_up_again(machine: Path, name: str) -> None:
    top = machine / "a checkout"
    (top / ".venv" / "bin").mkdir(parents=True)
    (top / ".venv" / "bin" / "python").symlink_to("/bin/sh")
    (top / ".venv" / ".made-at").write_text(f"{top}\n")
    shutil.copy(top / "requirements.lock", top / ".venv" / ".done-requirements.lock")
    (top / ".venv" / name).write_text("of another time or place\n")
    assert "python3 was not found" in start(machine).stderr  # so it wanted to make it anew
