"""The stage of the demo: its folder, its world, its recipients, and the order of the chapters.

Here: setting up, playing the chapters one after the other, timing them. Not here: what a chapter does.
Kept: verification goes through printed pages and the public commands, run as a user would run them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from towncircle.cli.demo.narration import Narrator
from towncircle.kernel.errors import BadInput, TowncircleError
from towncircle.kernel.instants import Instant
from towncircle.mailpiece.address_files import Recipient, public_addresses, read_addresses
from towncircle.world.config import STARTS
from towncircle.world.journeys import Journeys
from towncircle.world.up import Servers, open_world
from towncircle.world.world import World

MARKER = ".towncircle-demo"


class UnexpectedError(Exception):
    """Says that a chapter did not end as it should; its text tells what was expected and what came."""


class Stage:
    """Hold what the chapters share."""

    def __init__(
        self,
        out: Path,
        *,
        seed: int,
        regime: str,
        addresses: Path | None,
        processes: bool,
        narrator: Narrator,
    ) -> None:
        self.out = out
        self.seed = seed
        self.regime = regime
        self.narrator = narrator
        self.recipients: tuple[Recipient, ...] = read_addresses(addresses) if addresses else public_addresses()
        self.world_folder = out / "world"
        self.facts = _Facts()
        start = Instant.parse(STARTS[regime]) if regime in STARTS else None
        clear(out)
        World.create(self.world_folder, regime=regime, seed=seed, start=start).close()
        self._servers = Servers.start(self.world_folder) if processes else None
        self._world: World | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_world()
        if self._servers is not None:
            self._servers.stop()

    @property
    def world(self) -> World:
        """Give the world, opened."""
        if self._world is None:
            self._world = open_world(self.world_folder)
        return self._world

    @property
    def journeys(self) -> Journeys:
        """Give the journeys of the demo's licensee."""
        return Journeys(self.world)

    def close_world(self) -> None:
        """Close the world, so that another process may work with it."""
        if self._world is not None:
            self._world.close()
            self._world = None

    def play(self) -> list[dict[str, Any]]:
        """Play all chapters and give how each ended."""
        from towncircle.cli.demo import chapters, trouble

        told = []
        plays: tuple[tuple[str, Callable[[Stage], str]], ...] = (*chapters.CHAPTERS, *trouble.CHAPTERS)
        for number, (name, play) in enumerate(plays, start=1):
            started = time.perf_counter()
            with self.narrator.chapter(number, name, len(plays)):
                try:
                    detail, ok = play(self), True
                except UnexpectedError as unexpected:
                    detail, ok = str(unexpected), False
                except TowncircleError as error:
                    detail, ok = f"{error.sentence} [{error.code}, {error.clause}]", False
            seconds = round(time.perf_counter() - started, 3)
            self.narrator.result(ok=ok, seconds=seconds, detail=detail)
            told.append({"number": number, "name": name, "ok": ok, "seconds": seconds, "detail": detail})
        return told

    def run(self, *arguments: object) -> dict[str, Any]:
        """Run a public command in a process of its own with --json and give what it answered."""
        self.close_world()
        line = [sys.executable, "-m", "towncircle", *map(str, arguments), "--json"]
        done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603  # our own commands
        try:
            answer = json.loads(done.stdout)
        except ValueError as error:
            raise UnexpectedError(f"'{' '.join(line[2:5])}' answered no JSON: {done.stderr[-300:]}") from error
        told = dict(answer)
        refused = told.get("error")
        if isinstance(refused, dict):
            raise UnexpectedError(f"{refused.get('sentence')} [{refused.get('code')}, {refused.get('clause')}]")
        return told

    def module(self, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a module in a process of its own."""
        self.close_world()
        line = [sys.executable, "-m", name, *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603  # our own modules


class _Facts(dict[str, Any]):
    """Hold what one chapter leaves for the next."""

    def __missing__(self, name: str) -> Any:
        raise UnexpectedError(f"the chapter that gives the {name} did not end well")


def expect(condition: object, text: str) -> None:
    """Raise `UnexpectedError` with the text unless the condition is true."""
    if not condition:
        raise UnexpectedError(text)


def clear(out: Path) -> None:
    """Make a folder empty that an earlier demo filled. Raises `BadInput` (world.exists) for any other."""
    if out.exists() and any(out.iterdir()):
        if not (out / MARKER).is_file():
            raise BadInput("world.exists", path=out)
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).write_text(
        f"Made by 'towncircle demo' (process {os.getpid()}); the next demo replaces this folder.\n"
    )
