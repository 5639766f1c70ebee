"""What every test stands on: the manifest of the device's files, as the launcher would have written it.

It is looked at before each test too, because whoever edits a file while the tests run would otherwise fault every
device process that a test starts.
"""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.duties import pytest_pycollect_makeitem, pytest_pyfunc_call  # noqa: E402, F401 - hooks
from tests.postgres import cluster, databases  # noqa: E402, F401 - fixtures for every room
from tools import manifest  # noqa: E402 - after the path is set

_MANIFEST = ROOT / "src" / "towncircle" / "psd" / "MANIFEST"
_ROOMS = [ROOT / "src" / "towncircle" / room for room in manifest.integrity.ROOMS]


def pytest_sessionstart() -> None:
    from towncircle.psd import selftest

    manifest.refresh()
    selftest.power_on()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not os.environ.get("CI"):
        terminalreporter.write_line("Sweeps of faults and kills took a drawn share; CI=true walks them whole.")


@pytest.fixture(autouse=True)
def sound_module() -> None:
    made = _MANIFEST.stat().st_mtime_ns if _MANIFEST.exists() else 0
    if any(path.stat().st_mtime_ns > made for room in _ROOMS for path in room.rglob("*.py")):
        manifest.refresh()
