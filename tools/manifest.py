"""Write the manifest of the device module's files, `src/towncircle/psd/MANIFEST`, where files changed.

Run: `python tools/manifest.py`. The launcher `./towncircle` runs it when a file is newer than the manifest; a wheel
gets its manifest from the build hook below, which `pyproject.toml` names. The device itself never writes it: it
checks its files against it at power-on and on demand (`towncircle.psd.integrity`).
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"
if str(SRC) not in sys.path:
    sys.path.insert(0, str(SRC))

from towncircle.psd import integrity  # noqa: E402 - the checkout's own package


def refresh() -> bool:
    """Write the manifest of this source tree where it is out of date, and tell whether it was."""
    return integrity.write(SRC / "towncircle")


if __name__ == "__main__":
    refresh()
