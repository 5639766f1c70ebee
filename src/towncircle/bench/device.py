"""The device, measured through `exchange()` over its SQLite store.

Here: batches of 1,000 and 100 pieces and one piece at a time, CBOR both ways, low-s signatures, durable commits.
Not here: fleets. Each case stands beside raw P-256 signing and fdatasync of the same run; a single piece is compared
with 1 / (one signature + one fdatasync), which no serial caller can beat.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import apsw

from towncircle.bench import Result, environment
from towncircle.bench.limits import signatures_per_second, syncs_per_second
from towncircle.bench.workshop import Workshop
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Clock
from towncircle.kernel.money import Mills
from towncircle.pki.randomness import SystemRandomness
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import Device, manufacture
from towncircle.psd.keys import KeySlots, SoftwareSlots
from towncircle.psd.process import SystemClock
from towncircle.psd.sqlite import SqliteMemory

_DEVICE = DeviceId.of(vendor="TC", model="1A", serial=17)
_CATEGORIES = ("FCML", "FCMF", "FCMC", "MKTL")
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    pieces: int


CASES = (_Case("device.batch1000", 1000), _Case("device.batch100", 100), _Case("device.single", 1))


def device_in_service(directory: Path, clock: Clock, slots: KeySlots | None = None) -> Device:
    """Make a funded device in a directory, with keys that do not repeat: in software, or in the slots given."""
    now = clock.now()
    workshop, memory = Workshop(now), SqliteMemory(directory / "device.sqlite", create=True)
    manufacture(memory, **workshop.birth(_DEVICE))
    software = SoftwareSlots(lambda: bytes(32), SystemRandomness())
    device = Device(memory, _DEVICE, slots=slots or software, clock=clock)
    client = DeviceClient(device)
    cap = Mills.dollars(1_000_000)  # a bench spends more than a mailer may
    workshop.commission(client, _DEVICE, now, cap_mills=cap)
    workshop.reset(client, _DEVICE, cap, clock.now())
    return device


def evidence_command(request_id: str, pieces: int, day: str) -> bytes:
    """Make the command of a varied batch: amounts, categories and services differ from piece to piece."""
    return commands.encode_command(
        commands.Evidence.of(
            request_id,
            amounts=[460 + 7 * (at % 97) for at in range(pieces)],
            date=day,
            category=[_CATEGORIES[at % 4] for at in range(pieces)],
            mail_service=[at % 50 for at in range(pieces)],
            software_id="0001",
        )
    )


def measure(directory: Path | None = None, *, seconds: float = 1.0) -> tuple[list[Result], dict[str, object]]:
    """Measure all cases; give results and environment. `seconds` is spent on each case and limit, each round."""
    with tempfile.TemporaryDirectory(dir=directory, ignore_cleanup_errors=True) as place:
        clock = SystemClock()
        device = device_in_service(Path(place), clock)
        day = clock.now().date_in("America/New_York").isoformat()
        found = [_rounds(device, case, day, Path(place), seconds, number) for number, case in enumerate(CASES)]
    syncs = round(sum(sync for _, sync in found) / len(found))
    results = [result for result, _ in found]
    return results, environment(fdatasync_per_second=syncs, sqlite=apsw.sqlite_lib_version(), rounds=_ROUNDS)


def _rounds(
    device: Device, case: _Case, day: str, directory: Path, seconds: float, number: int
) -> tuple[Result, float]:
    """Measure one case and its limits in turns, and take the round of the median ratio."""
    rounds = []
    for turn in range(_ROUNDS):
        before = signatures_per_second(seconds / 2)
        syncs = syncs_per_second(seconds / 2, directory)
        rate = rate_of(device, case.pieces, day, seconds, f"{number}-{turn}")
        signing = (before + signatures_per_second(seconds / 2)) / 2
        single = case.pieces == 1
        limit_rate = 1 / (1 / signing + 1 / syncs) if single else signing
        limit = "one P-256 signature and one fdatasync" if single else "raw P-256 signing, one core"
        result = Result.of(
            case.name, rate=rate, unit="indicia/s", limit=limit, limit_rate=limit_rate, fdatasync_rate=syncs
        )
        rounds.append((result, syncs))
    return sorted(rounds, key=lambda row: row[0].ratio)[_ROUNDS // 2]


def rate_of(device: Device, pieces: int, day: str, seconds: float, label: str) -> float:
    """Send batches to a device for a while, reading each answer; give pieces a second."""
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        commands.decode_answer(device.exchange(evidence_command(f"BENCH-{label}-{count}", pieces, day)))
        count += 1
    return count * pieces / spent
