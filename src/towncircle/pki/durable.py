"""Small files that keys depend on, written whole and durably.

Here: writing such a file, and syncing the names of a folder. Not here: what is in them.
Kept: a file has its old bytes or its new ones, never a part; when a call comes back, the bytes and the name are on the
disk. A name that is a link is replaced, and never written through.
"""

from __future__ import annotations

import os
from pathlib import Path


def keep(place: Path, data: bytes) -> None:
    """Write a file that its owner alone reads, durably and whole."""
    draft = place.with_name(f"{place.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(data)
    sync(draft)
    draft.replace(place)
    sync(place.parent)


def make(folder: Path) -> None:
    """Make a folder and what is missing above it, durably."""
    if not folder.is_dir():
        make(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def sync(place: Path) -> None:
    """Sync the bytes of a file, or the names of a folder."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
