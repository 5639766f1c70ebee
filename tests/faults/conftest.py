"""What the kill sweeps share: a folder in memory, and a world whose device is in service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults import killed as world_of


@pytest.fixture(scope="module")
def top() -> Iterator[Path]:
    folder = world_of.folder_in_memory()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def in_service(top: Path) -> Path:
    return world_of.prepared(top / "in service", up_to="reset")
