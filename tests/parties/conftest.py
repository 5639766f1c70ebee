"""One world, lived in up to two leases, copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, mailer, new_world, officers
from tests.parties.hand import Hand, Line

from towncircle.testing.rehearsal_world import in_process
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World


@pytest.fixture(scope="session")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parties") / "world"
    world = new_world(folder)
    mailer(world, MAILROOM, provider=HARBOR)
    mailer(world, ANNEX, provider=HARBOR)
    officers(world, "mats", "olaf")
    world.close()
    return folder


@pytest.fixture
def folder(lived_in: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lived_in, tmp_path / "world"))


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def world(folder: Path, line: Line) -> Iterator[World]:
    opened = World.open(folder, Wiring(make_port=in_process(folder), transport=line.over))
    yield opened
    opened.close()


@pytest.fixture
def hand(world: World) -> Hand:
    return Hand(world)


@pytest.fixture
def journeys(world: World) -> Journeys:
    return Journeys(world)
