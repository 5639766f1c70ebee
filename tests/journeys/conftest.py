"""The world that most journeys walk in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.stories import new_world

from towncircle.world.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = new_world(tmp_path / "world")
    yield made
    made.close()
