"""A worker of a host, started by `pool` and nobody else, by way of `guard`.

Here: the loop over standard input and output. Not here: frames (`pool`), the fleet (`fleet`).
Kept: its setting comes first through the pipe; the end of the input ends it; where its store cannot be opened,
every command is answered with the reason, and the next group tries again.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd import commands, selftest
from towncircle.psd.hosted.caches import calm_collector
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.hosted.one_token import Token
from towncircle.psd.hosted.pool import read_items, write_items
from towncircle.psd.hosted.resealing import take_secret
from towncircle.psd.hosted.wrapping import WrappingKeys
from towncircle.psd.postgres import PostgresMemory
from towncircle.psd.process import SystemClock, WorldClock, no_core

AGAIN_S = 60  # house
SELFTEST_S = 60  # house: a worker runs its self-tests on demand this often at most


def serve(source: BinaryIO, sink: BinaryIO) -> int:
    """Answer groups until the input ends; give the exit code."""
    setting = read_items(source)
    if setting is None:
        return 0
    dsn, secret, limit, *words = setting
    fleet: Fleet | None = None
    while (asked := read_items(source)) is not None:
        if fleet is None:
            try:
                fleet = _opened(dsn.decode(), secret, int(limit), [os.fsdecode(word) for word in words])
            except TowncircleError as error:
                write_items(sink, [commands.encode_error(error)] * (len(asked) // 2))
                continue
        pairs = zip(asked[::2], asked[1::2], strict=True)
        write_items(sink, fleet.exchange_many([(DeviceId(device.decode()), command) for device, command in pairs]))
    if fleet is not None:
        fleet.close()
    return 0


def _opened(dsn: str, secret: bytes, limit: int, words: list[str]) -> Fleet:
    clock, wrapping, standby, library, label, pin = words
    with ExitStack() as opened:
        store = PostgresMemory(dsn, standby=bool(standby), aside=_ASIDE)
        opened.callback(store.close)
        take_secret(store, secret, Path(wrapping) if wrapping else None)
        keys = WrappingKeys(Path(wrapping)) if wrapping else None
        if keys is not None:
            opened.callback(keys.close)
        fleet = Fleet(
            store,
            secret=lambda: secret,
            randomness=SystemRandomness(),
            clock=SystemClock(),
            rehearsed=WorldClock(Path(clock)) if clock else None,
            memory_limit=limit,
            wrapping=keys,
            token=Token.at(Path(library), label=label, pin=pin) if library else None,
        )
        opened.pop_all()  # they are the fleet's
    return fleet


class Aside:
    """Tell the host's operator what callers are not told, the same thing once a minute at most."""

    def __init__(self) -> None:
        self._told: tuple[str, float] | None = None

    def __call__(self, words: str) -> None:
        """Tell it."""
        now = time.monotonic()
        if self._told is None or self._told[0] != words or now - self._told[1] >= AGAIN_S:
            self._told = words, now
            sys.stderr.write(f"towncircle: {words}\n")
            sys.stderr.flush()


_ASIDE = Aside()  # a store that cannot be opened is opened anew with every group


def main() -> int:
    """Run the worker on its pipe."""
    calm_collector()
    selftest.pace(SELFTEST_S)
    no_core()
    if hasattr(os, "SCHED_BATCH"):  # its groups are long: whoever wakes up beside it is not to cut them short
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        return serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:  # the host went away; what was run is kept for `recover`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
