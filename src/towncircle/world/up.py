"""The parties of a world as separate processes over HTTP on 127.0.0.1.

Here: starting and stopping them, and opening a world that is up. Not here: HTTP (`transport.http`).
"""

from __future__ import annotations

from pathlib import Path

from towncircle.world.world import World


def open_world(folder: Path) -> World:
    """Open a world."""
    return World.open(folder)
