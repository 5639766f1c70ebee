"""One party as a process: `python -m towncircle.world.serve DIR PARTY FD`.

Here: its world opened for one party, its door served on a socket it was handed, its deadlines kept. Not here: who
starts it (`world.up`).
Kept: it ends on SIGTERM, and when the parent that holds its input goes away.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import uvicorn

from towncircle.transport.http import HttpTransport, door
from towncircle.world.ticking import Ticker
from towncircle.world.up import running
from towncircle.world.world import Wiring, World


def main(folder: Path, party: str, descriptor: int) -> None:
    """Serve one party until the process is stopped."""
    held = running(folder)
    assert held is not None
    addresses = {str(name): str(at) for name, at in dict(held["addresses"]).items()}  # type: ignore[call-overload]
    over_http = HttpTransport(addresses)
    world = World.open(folder, Wiring(transport=lambda _direct: over_http, only=(party,), ships=True))
    settings = uvicorn.Config(door(party, world.desk(party).receive), fd=descriptor, log_level="error", lifespan="off")
    server = uvicorn.Server(settings)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threading.Thread(target=_say_ready, args=(server,), daemon=True).start()
    ticker = Ticker(world)
    ticker.start()
    try:
        server.run()
    finally:
        ticker.stop()
        world.close()


def _say_ready(server: uvicorn.Server) -> None:
    pause = threading.Event()
    while not server.started:
        pause.wait(0.01)
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
