"""A host whose devices have keys in a token, and a process of it that kills itself at a named point.

Run by a test: `python -m tests.psd.token_host FOLDER POINT DEVICE COMMAND`, with the database's connection string on
its standard input. The library's own worker outlives it for as long as the request takes that it has.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.psd.setting import SECRET, START, Hands
from tests.softhsm import need_softhsm

from towncircle.bench.workshop import Workshop
from towncircle.kernel.ids import DeviceId
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd.client import DeviceClient
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.hosted.one_token import Token
from towncircle.psd.hosted.seat import FleetStore
from towncircle.psd.hosted.wrapping import WrappingKeys
from towncircle.psd.pkcs11 import TokenLibrary, TokenSlots
from towncircle.psd.postgres import PostgresMemory

PIN = "1234"
BIRTH_POINTS = ("noted", "made", "before commit", "after commit")
END_POINTS = ("before commit", "after commit", "before destroy")


def host(store: FleetStore, folder: Path, library: TokenLibrary | None) -> Fleet:
    """Open a host; without a library its keys are software keys."""
    return Fleet(
        store,
        secret=lambda: SECRET,
        randomness=SystemRandomness(),
        clock=Hands(),
        wrapping=WrappingKeys(folder),
        token=None if library is None else Token(library=library, label="device", pin=lambda: PIN),
    )


class Seen:
    """Reach one device of a fleet as a byte port."""

    def __init__(self, fleet: Fleet, device: DeviceId) -> None:
        self._fleet, self._device = fleet, device

    def exchange(self, command: bytes) -> bytes:
        return self._fleet.exchange(self._device, command)


def _killed(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if after:
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return call


def main() -> None:
    folder, point, device, command = sys.argv[1:]
    store, name = PostgresMemory(sys.stdin.read()), DeviceId(device)
    fleet = host(store, Path(folder), TokenLibrary(need_softhsm()))
    client = DeviceClient(Seen(fleet, name))
    client.status()  # it has started, and that is committed
    if point in ("noted", "made"):
        TokenSlots.make_named = _killed(TokenSlots.make_named, after=point == "made")  # type: ignore[method-assign]
    elif point == "before destroy":
        TokenSlots.destroy = _killed(TokenSlots.destroy, after=False)  # type: ignore[method-assign]
    else:
        store.commit_each = _killed(store.commit_each, after=point == "after commit")  # type: ignore[method-assign]
    if command == "initialise":
        Workshop(START).initialise(client, name, START)
    else:
        client.zeroise(name)


if __name__ == "__main__":
    main()
