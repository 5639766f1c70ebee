"""The parties of a world as separate processes over HTTP on 127.0.0.1.

Here: starting, finding and stopping them, and opening a world whose parties run elsewhere. Not here: HTTP
(`transport.http`), one party's process (`world.serve`).
Kept: a licensee's commands reach the other parties by signed messages only. Commands of the Postal Service's own staff
(a scan at a facility, the renewal of the pack) work on its store, which takes several processes.
Services listen on 127.0.0.1 on free ports and are stopped by process id.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from socket import AF_INET, SOCK_STREAM
from socket import socket as Socket  # noqa: N812  # a class by its name

from towncircle.kernel.errors import Refused
from towncircle.world.clock import FILE as CLOCK_FILE
from towncircle.world.config import POSTAL, WorldConfig
from towncircle.world.devices import process_port
from towncircle.world.ticking import Ticker
from towncircle.world.world import Wiring, World

FILE = "up.json"
START_SECONDS = 60


class Servers:
    """Hold the running processes of a world's parties."""

    def __init__(self, folder: Path, children: dict[str, subprocess.Popen[bytes]], addresses: dict[str, str]) -> None:
        self.folder = folder
        self.addresses = addresses
        self._children = children

    @classmethod
    def start(cls, folder: Path) -> Servers:
        """Start a process for each party but the licensees. Raises `Refused` (world.in-use, world.not-up)."""
        settings = WorldConfig.read(folder)
        held = running(folder)
        if held is not None:
            raise Refused("world.in-use", pid=held["pid"])
        World.open(folder, Wiring(only=(POSTAL,))).close()  # lists that ran out meanwhile would let nobody start
        names = [str(party) for party in settings.parties if party.role != "licensee"]
        children: dict[str, subprocess.Popen[bytes]] = {}
        addresses: dict[str, str] = {}
        board = folder / FILE
        board.unlink(missing_ok=True)
        sockets = _sockets(len(names))
        for name, bound in zip(names, sockets, strict=True):
            addresses[name] = f"http://127.0.0.1:{bound.getsockname()[1]}"
        board.write_text(json.dumps({"pid": os.getpid(), "addresses": addresses}))
        for name, bound in zip(names, sockets, strict=True):
            line = [sys.executable, "-m", "towncircle.world.serve", str(folder), name, str(bound.fileno())]
            children[name] = subprocess.Popen(  # noqa: S603  # our own module
                line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(bound.fileno(),), process_group=0
            )
            bound.close()
        servers = cls(folder, children, addresses)
        for name, child in children.items():
            assert child.stdout is not None
            if not child.stdout.readline().startswith(b"ready"):
                servers.stop()
                raise Refused("world.not-up", party=name, code=child.returncode)
        return servers

    def pids(self) -> dict[str, int]:
        """Give the process ids by party."""
        return {name: child.pid for name, child in self._children.items()}

    def wait(self) -> None:
        """Wait until one of the processes ends or Ctrl-C; meanwhile doors and deadlines are kept."""
        from towncircle.transport.http import HttpTransport
        from towncircle.world.mailroom_door import DoorServer

        over_http = HttpTransport(self.addresses)
        only = tuple(map(str, WorldConfig.read(self.folder).licensees))
        world = World.open(self.folder, Wiring(transport=lambda _direct: over_http, only=only))
        ticker, door = Ticker(world), DoorServer(world, only)
        ticker.start()
        door.start()
        try:
            next(iter(self._children.values())).wait()
        finally:
            door.stop()
            ticker.stop()
            world.close()

    def stop(self) -> None:
        """Stop all processes by id and wait for them."""
        (self.folder / FILE).unlink(missing_ok=True)
        for child in self._children.values():
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
        for child in self._children.values():
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    stream.close()


def running(folder: Path) -> dict[str, object] | None:
    """Give what is known of the running parties of a world, or None where none run."""
    try:
        held = dict(json.loads((folder / FILE).read_text()))
        os.kill(int(held["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    return held


def open_world(folder: Path) -> World:
    """Open a world: with all its parties, or as its licensees where the others run as processes."""
    held = running(folder)
    if held is None:
        return World.open(folder)
    from towncircle.transport.http import HttpTransport
    from towncircle.world.mailroom_door import letting_go

    settings = WorldConfig.read(folder)
    addresses = {str(name): str(at) for name, at in dict(held["addresses"]).items()}  # type: ignore[call-overload]
    over_http = HttpTransport(addresses)
    port = letting_go(folder, settings.licensees, process_port(folder / CLOCK_FILE, settings.seed))
    only = (POSTAL, *settings.licensees)
    return World.open(folder, Wiring(transport=lambda _direct: over_http, make_port=port, only=only))


def _sockets(count: int) -> list[Socket]:
    made = []
    for _ in range(count):
        bound = Socket(AF_INET, SOCK_STREAM)
        bound.bind(("127.0.0.1", 0))
        bound.listen(128)
        made.append(bound)
    return made
