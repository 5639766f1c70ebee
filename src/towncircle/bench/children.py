"""Processes of a bench that start at the same word.

Here: starting children, letting them go at once, and what each says at the end; the child's half of it. Not here: what
they measure.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence


def together(module: str, lines: Sequence[Sequence[str]]) -> list[str]:
    """Run a module once for each line of arguments; let all go when the last one is `ready`; give what each printed."""
    children = [
        subprocess.Popen(  # noqa: S603 - our own entry
            [sys.executable, "-m", module, *line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for line in lines
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    return [child.communicate()[0] for child in children]


def ready() -> None:
    """Say in a child that its preparations are done, and wait for the word."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
