"""The device as a process of its own: `python -m towncircle.psd.process STORE_DIR [--clock FILE]`.

Here: the child's main loop over standard input and output, the store directory, and the clocks. Not here: the frames
and the parent's end (`ports`). The directory holds `device.sqlite` and, unless the arguments name another place for
the keys (`opening`), `operator.secret` (32 bytes that encrypt them at rest; beside the store it protects but habit).
Kept: one owner process (the store is locked exclusively); the end of the input ends the process; a kill at any
instant loses nothing that was released. The world's clock and a seed are heeded under a test root only.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO

from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Clock, Instant
from towncircle.kernel.randomness import Randomness, SeededRandomness
from towncircle.pki import durable
from towncircle.pki.passphrase import store_parameters
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd import commands, opening, states
from towncircle.psd.device import Device, manufacture
from towncircle.psd.keys import KeySlots, LostSlots, SoftwareSlots
from towncircle.psd.memory import Memory
from towncircle.psd.opening import Keys, add_arguments, kept, keys_of
from towncircle.psd.ports import BytePort, read_frame, write_frame
from towncircle.psd.resealing import end_secret, settle
from towncircle.psd.sqlite import SqliteMemory

STORE, SECRET = "device.sqlite", opening.SECRET


class SystemClock:
    """Tell the machine's time."""

    def now(self) -> Instant:
        """Give the present instant."""
        return Instant(time.time_ns() // 1000)


class WorldClock:
    """Tell the time of a rehearsed world from its clock file: frozen, or running with an offset."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> Instant:
        """Give the present instant of that world. Raises `Refused` (psd.clock-unreadable)."""
        try:
            table = json.loads(self._path.read_text())
            if table["mode"] == "frozen":
                return Instant(table["now_us"])
            if table["mode"] == "running":
                return Instant(time.time_ns() // 1000 + table["offset_us"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Refused("psd.clock-unreadable", path=self._path) from error
        raise Refused("psd.clock-unreadable", path=self._path)


def create(
    directory: Path, *, device: DeviceId, provider: str, provider_key: bytes, root_fingerprint: bytes, test_root: bool,
    secret: bytes | None, keys: Keys | None = None,
) -> None:  # fmt: skip
    """Make the store directory of a new device; without a secret its keys will lie elsewhere, as `keys` says.

    What opens its keys is on the disk, with its name, before there is a device to make any. Raises `Refused`
    (psd.store-stale) where the device exists already.
    """
    durable.make(directory)
    memory = SqliteMemory(directory / STORE, create=True)
    try:
        if memory.devices():
            raise Refused("psd.store-stale", device=device)
        if keys is not None:
            keys.keep(directory)
            if keys.passphrase is not None:
                store_parameters(directory / opening.PASSPHRASE, SystemRandomness())
        if secret is not None:
            durable.keep(directory / SECRET, secret)
        durable.sync(directory)
        manufacture(
            memory,
            device=device,
            provider=provider,
            provider_key=provider_key,
            root_fingerprint=root_fingerprint,
            test_root=test_root,
        )
    finally:
        memory.close()


def open_device(
    directory: Path,
    *,
    clock_file: Path | None = None,
    seed: int | None = None,
    keys: Keys | None = None,
    around: Callable[[Memory], Memory] = lambda memory: memory,
) -> Device:
    """Open the device of a store directory; without `keys` it says itself where they lie.

    `around` may wrap its memory (a rehearsal of faults).
    Raises `BadInput` (psd.store-missing, psd.no-such-device), `Refused` (psd.store-busy, psd.store-not-durable),
    `BrokenInvariant` (psd.store-damaged).
    """
    with ExitStack() as opened:
        store = SqliteMemory(directory / STORE)
        opened.callback(store.close)
        names = store.devices()
        if len(names) != 1:
            raise BadInput("psd.no-such-device", device=f"exactly one in {directory}")
        cut = _cut(directory, store, names[0])
        held = store.load(names)[names[0]]
        test_root = held.test_root
        clock: Clock = WorldClock(clock_file) if clock_file is not None and test_root else SystemClock()
        randomness: Randomness = SystemRandomness()
        if seed is not None and test_root:
            randomness = SeededRandomness(seed, f"device {names[0]} {held.epoch}")  # each start draws keys of its own
        choice = keys or kept(directory)
        ending = partial(end_secret, directory, choice)
        if held.state == states.ZEROISED:
            ending()
        slots: KeySlots
        if cut is not None:
            slots = LostSlots(cut)
        else:
            counter = partial(_counter, store, names[0])
            slots = found = choice.slots(directory, randomness, last=ending, counter=counter)
            if not isinstance(found, SoftwareSlots):  # a token may have keys that a cut left there
                found.settle([key for key in (held.indicia_key, held.message_key, held.next_key) if key is not None])
        device = Device(around(store), names[0], slots=slots, clock=clock)
        opened.pop_all()  # it is the device's
    return device


def _cut(directory: Path, store: Memory, device: DeviceId) -> Callable[[], Refused] | None:
    """Settle a secret whose replacement was cut; give why no key opens, where neither the old nor the new one does it.

    Such a device still says how it stands, as any whose secret is lost.
    """
    try:
        settle(directory, store, device)
    except Refused as error:
        if error.code != "psd.reseal-open":
            raise
        return partial(Refused, error.code, **error.params)
    return None


def _counter(store: Memory, device: DeviceId) -> int:
    return store.load([device])[device].counter


class _Unopened:
    """Answer every command with the error that kept the device from opening."""

    def __init__(self, error: TowncircleError) -> None:
        self._answer = commands.encode_error(error)

    def exchange(self, command: bytes) -> bytes:  # noqa: ARG002 - the port's shape
        return self._answer


def serve(port: BytePort, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer frames until the input ends."""
    while (command := read_frame(source)) is not None:
        write_frame(sink, port.exchange(command))


def no_core() -> None:
    """Have no crash of this process leave its memory, with opened keys or the operator's secret, in a file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(argv: list[str], *, around: Callable[[Memory], Memory] = lambda memory: memory) -> int:
    """Run the process and give its exit code: 0 well, 4 where the device could not be opened."""
    parser = argparse.ArgumentParser(prog="towncircle.psd.process", description="Serve one device over a pipe.")
    parser.add_argument("store", type=Path, metavar="STORE_DIR")
    parser.add_argument("--clock", type=Path, metavar="FILE", help="the world's clock file (test roots only)")
    parser.add_argument("--seed", type=int, metavar="N", help="repeatable randomness (test roots only)")
    add_arguments(parser)
    args = parser.parse_args(argv)
    no_core()
    port: BytePort
    code = 0
    try:
        port = open_device(args.store, clock_file=args.clock, seed=args.seed, keys=keys_of(args), around=around)
    except TowncircleError as error:
        port, code = _Unopened(error), 4
    try:
        serve(port, sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:  # the caller went away with a command under way: its answer is kept for `recover`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
