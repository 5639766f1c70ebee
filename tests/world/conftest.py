"""Worlds that the tests of this folder walk in: one for a whole module, or a copy for each test.

A module that says `HELD` gets a device that holds so much, others what the story sets it to.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults import killed as world_of

from towncircle.world.journeys import Journeys


@pytest.fixture(scope="module")
def template_world(request: pytest.FixtureRequest) -> Iterator[Path]:
    top, held = world_of.folder_in_memory(), getattr(request.module, "HELD", None)
    folder = world_of.prepared(top / "world", up_to="reset" if held is None else "deposit")
    if held is not None:
        with world_of.opened(folder) as opened:
            opened.reset(held)
    yield folder
    shutil.rmtree(top)


@pytest.fixture(scope="module")
def room(template_world: Path) -> Iterator[Journeys]:
    with world_of.opened(template_world) as opened:
        yield opened


@pytest.fixture
def folder(template_world: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template_world, tmp_path / "world")


@pytest.fixture
def journeys(folder: Path) -> Iterator[Journeys]:
    with world_of.opened(folder) as opened:
        yield opened
