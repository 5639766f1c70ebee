"""A hosted fleet under fire: funded devices in a database, a worker that never stops, and the reckoning afterwards."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.psd.setting import SECRET, START, Hands, batch

from towncircle.bench.cluster import in_memory
from towncircle.bench.workshop import Workshop
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import manufacture
from towncircle.psd.hosted.fleet import Fleet
from towncircle.psd.memory import Memory, MemoryInRam
from towncircle.psd.postgres import PostgresMemory

NAMES = [DeviceId.of(vendor="TC", model="1A", serial=serial) for serial in range(200, 208)]
Told = tuple[DeviceId, str, str]  # device, request, digest of the answer


def host(store: Memory) -> Fleet:
    return Fleet(
        store,  # type: ignore[arg-type]
        secret=lambda: SECRET,
        randomness=SeededRandomness(7, "fleet"),
        clock=Hands(),
    )


class Seen:
    def __init__(self, fleet: Fleet, device: DeviceId) -> None:
        self._fleet, self._device = fleet, device

    def exchange(self, command: bytes) -> bytes:
        return self._fleet.exchange(self._device, command)


def fund(dsn: str) -> None:
    """Make the funded devices, in RAM first: only their states move into the database."""
    workshop, ram = Workshop(START), MemoryInRam()
    fleet = host(ram)
    for name in NAMES:
        manufacture(ram, **workshop.birth(name))
        client = DeviceClient(Seen(fleet, name))
        workshop.commission(client, name, START, cap_mills=Mills.dollars(1_000_000))
        workshop.reset(client, name, Mills.dollars(1_000_000), START)
    store = PostgresMemory(dsn, create=True)
    from towncircle.psd.memory import Change

    store.commit([Change(name, 0, 0, state, ()) for name, state in ram.load(NAMES).items()])
    store.close()


def debit(fleet: Fleet, label: str, told: list[Told]) -> bool:
    """Debit every device once; note what was released. False where the store was out of reach."""
    asked = [(name, commands.encode_command(batch(label, (3, 4)))) for name in NAMES]
    for (name, _), answer in zip(asked, fleet.exchange_many(asked), strict=True):
        if not commands.is_error(answer):
            told.append((name, label, hashlib.sha256(answer).hexdigest()))
        elif b"psd.store-failed" in answer:
            return False
        else:
            assert b"psd.store-stale" in answer, answer
    return True


def reckon(dsn: str, told: list[Told]) -> int:
    """Count the acknowledged debits that are lost; every store law is checked on the way."""
    store = PostgresMemory(dsn)
    kept = {}
    for name, state in store.load(NAMES).items():
        state.check()
        rows = [row for row in store.records(name) if row.kind == "evidence"]
        kept |= {(name, row.request_id): hashlib.sha256(row.response).hexdigest() for row in rows}
        pieces = [first + at for first, count in ((row.first_piece, row.count) for row in rows) for at in range(count)]
        assert pieces == list(range(1, state.registers.pieces + 1))  # none twice, none missing
        assert int(state.registers.ascending) == 7 * len(rows)  # to the mill
    store.close()
    return sum(kept.get((name, label)) != digest for name, label, digest in told)


@contextmanager
def busy(dsn: str, told: list[Told], *, hosts: int = 2) -> Iterator[None]:
    """Let hosts debit the devices until the block is left; they stop by themselves when the store is gone."""
    over = threading.Event()
    stores = [PostgresMemory(dsn) for _ in range(hosts)]
    threads = []
    for at, store in enumerate(stores):
        fleet = host(store)

        def work(at: int = at, fleet: Fleet = fleet) -> None:
            turn = 0
            while not over.is_set() and debit(fleet, f"H{at}-{len(told)}-{turn}", told):
                turn += 1

        threads.append(threading.Thread(target=work))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for store in stores:
            store.close()


def wait_for(told: list[Told], count: int) -> None:
    """Wait until so many debits were acknowledged."""
    pause = threading.Event()
    while len(told) < count:
        pause.wait(0.005)


@contextmanager
def folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="tc-fault-", dir=in_memory()))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def main(dsn: str, label: str) -> None:
    """Be a worker process: debit until killed, and print what was released."""
    fleet, turn = host(PostgresMemory(dsn)), 0
    while True:
        told: list[Told] = []
        debit(fleet, f"{label}-{turn}", told)
        sys.stdout.write("".join(" ".join(row) + "\n" for row in told))
        sys.stdout.flush()
        turn += 1


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
