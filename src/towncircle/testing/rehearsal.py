"""A device process that kills itself at a chosen write: `python -m towncircle.testing.rehearsal STORE_DIR ...`.

Here: the device's process with `--rehearse-kill N`, which sends itself SIGKILL at the N-th store write (counted from 1;
starting the device is the first), and `--rehearse-how before|after`: before the write, or between it and the answer.
All other arguments are those of `towncircle.psd.process`, whose code it runs unchanged.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

from towncircle.psd import process
from towncircle.testing.faulty_memory import FaultyMemory


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(argv: list[str]) -> int:
    """Run the process and give its exit code, if it lives that long."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--rehearse-kill", type=int, default=0, metavar="N")
    parser.add_argument("--rehearse-how", choices=("before", "after"), default="after")
    ours, rest = parser.parse_known_args(argv)
    return process.run(
        rest, around=lambda memory: FaultyMemory(memory, fail_at=ours.rehearse_kill, how=ours.rehearse_how, fault=_die)
    )


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
