"""A device's process whose disk is full once it has started: `python -m tests.faults.full_disk STORE_DIR`."""

from __future__ import annotations

import resource
import signal
import sys
from typing import Any

from towncircle.psd.process import run


class Full:
    """A memory that may write no byte more after its first commit."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def commit(self, changes: Any) -> None:
        self._inner.commit(changes)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sys.exit(run(sys.argv[1:], around=Full))
