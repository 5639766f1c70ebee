"""A batch from a list to files of pages, measured as the program prints it.

Here: the whole way (rows, prices, lints, the device in its process, resets on the way, signatures, pages, manifest) in
a process of its own, and the memory of all its processes. Not here: pages alone (`pages`), the device alone (`device`).
It has two cores, on whatever machine.
The limit: two processes that do nothing but sign with P-256 and have zint draw the symbol, in the same run.
Memory is the highest sum of resident pages of the process and its children, read every tenth of a second: what they
share counts in each.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from towncircle.bench import Result
from towncircle.bench.children import ready, together
from towncircle.kernel.money import Mills

PIECES = 100_000
_PROCESSES = 2
_SAMPLE_SECONDS = 0.1
_PLACES = (("Washington", "DC", "20260"), ("Denver", "CO", "80202"), ("Atlanta", "GA", "30303"))


def measure(
    directory: Path | None = None, *, seconds: float = 1.0, pieces: int = PIECES
) -> tuple[list[Result], dict[str, object]]:
    """Print a batch once and give its rate beside the limit, and its memory."""
    lines = [["limit", str(seconds)]] * _PROCESSES
    before = sum(map(float, together(__name__, lines)))
    with tempfile.TemporaryDirectory(dir=directory, ignore_cleanup_errors=True) as place:
        line = [sys.executable, "-m", __name__, "batch", place, str(pieces)]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - our own entry
            most = _watched(child)
            assert child.stdout is not None
            told = json.loads(child.stdout.read())
    limit = (before + sum(map(float, together(__name__, lines)))) / 2
    name = "signature and symbol, two processes"
    result = Result.of("print.batch", rate=pieces / told["seconds"], unit="pieces/s", limit=name, limit_rate=limit)
    return [result], {
        "batch_pieces": pieces,
        "batch_resets": told["resets"],
        "batch_mib": most,
        "batch_processor_us": round(told["processor"] / pieces * 1e6),
    }


def _watched(child: subprocess.Popen[str]) -> int:
    """Give the most memory that a child and its own children held at once, in MiB, until it ends; 0 if not told."""
    most = 0
    while child.poll() is None:
        most = max(most, sum(_resident(pid) for pid in _family(child.pid)))
        time.sleep(_SAMPLE_SECONDS)
    return most >> 20


def _family(pid: int) -> list[int]:
    found = [pid]
    for at in found:
        for task in Path(f"/proc/{at}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except (OSError, IndexError):
        return 0


def _list(path: Path, pieces: int) -> None:
    with path.open("w", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(("name", "street", "city", "state", "zip"))
        for at in range(pieces):
            city, state, code = _PLACES[at % len(_PLACES)]
            lines.writerow((f"Resident {at}", f"{at % 9000 + 100} Main Street", city, state, f"{code}-{at % 9000:04d}"))


def _batch(place: Path, pieces: int) -> dict[str, float]:
    """Make a world with a funded account and print the batch in it; only the batch is timed."""
    from towncircle.mailpiece import templates
    from towncircle.world import batching
    from towncircle.world.journeys import Applicant, Journeys
    from towncircle.world.world import World

    folder, source = place / "world", place / "list.csv"
    _list(source, pieces)
    World.create(folder, regime="imi-2024", seed=None, start=None).close()
    world = World.open(folder)
    journeys = Journeys(world)
    journeys.apply(Applicant(), provider=world.config.providers[0])
    journeys.lease()
    journeys.deposit(Mills.dollars(pieces + 1000))
    journeys.reset(Mills.dollars(120))
    wish = batching.Wish(source=source, template=templates.find("letter"), refill=True)
    start, before = time.perf_counter(), sum(os.times()[:4])
    batching.print_batch(journeys, wish, place / "out")
    spent = time.perf_counter() - start
    with world.store(journeys.licensee).reading() as view:
        resets = len(view.find("reset")) - 1
    world.close()  # its processes have ended: their times are known
    return {"seconds": spent, "resets": resets, "processor": sum(os.times()[:4]) - before}


def _on_two_cores() -> None:
    """Keep this process, and all that it starts, to as many cores as the floor of the row speaks of."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:_PROCESSES])


def _limit(seconds: float) -> float:
    """Sign and draw symbols for a while; give pieces a second."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    from towncircle.symbol import data_matrix

    key, algorithm, data = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256()), bytes(46)
    ready()
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        signed = key.sign(data, algorithm)
        data_matrix((signed + bytes(112))[:112])
        count += 1
    return count / spent


if __name__ == "__main__":
    _on_two_cores()
    if sys.argv[1] == "limit":
        sys.stdout.write(str(_limit(float(sys.argv[2]))))
    else:
        sys.stdout.write(json.dumps(_batch(Path(sys.argv[2]), int(sys.argv[3]))))
