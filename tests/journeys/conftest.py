"""The worlds that most journeys walk in: a new one, and a copy of one whose mailer has reset its device."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.stories import mailer, new_world, reopened

from towncircle.world.journeys import Journeys
from towncircle.world.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = new_world(tmp_path / "world")
    yield made
    made.close()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "world"
    world = new_world(folder)
    mailer(world, deposit=300, reset=100)
    world.close()
    return folder


@pytest.fixture
def journeys(template: Path, tmp_path: Path) -> Iterator[Journeys]:
    """Give the mailer of a copy of the template; what a test does to it concerns no other."""
    world = reopened(Path(shutil.copytree(template, tmp_path / "world")))
    yield Journeys(world)
    world.close()
