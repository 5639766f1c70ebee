"""The raw limits: signatures a second on one core, and durable writes a second.

Here: the two loops that every device figure is compared with, and what takes both where a store lies; the first one in
as many processes as there are cores. Not here: the device.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from towncircle.bench.children import ready, together


def signatures_per_second(seconds: float) -> float:
    """Measure raw ECDSA P-256 signing over 46 bytes, one core, the library's own call and nothing else."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key, algorithm, data = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256()), bytes(46)
    sign, count, start = key.sign, 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        for _ in range(100):
            sign(data, algorithm)
        count += 100
    return count / spent


def signatures_of_each(seconds: float, processes: int) -> float:
    """Measure raw signing of one core while as many processes sign as there are cores: what each of them makes."""
    made = together(__name__, [[str(seconds)]] * processes)
    return sum(map(float, made)) / processes


def syncs_per_second(seconds: float, directory: Path) -> float:
    """Measure fdatasync after appending 4 KiB to a file in a directory."""
    count, page = 0, bytes(4096)
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        start = time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds:
            os.write(file.fileno(), page)
            os.fdatasync(file.fileno())
            count += 1
    return count / spent


@dataclass(frozen=True, slots=True)
class Beside:
    """Take the raw limits beside a case: signing, and durable writes in the directory where its store lies."""

    directory: Path
    seconds: float

    def signatures(self) -> float:
        """Measure raw signatures a second, one core."""
        return signatures_per_second(self.seconds)

    def syncs(self) -> float:
        """Measure durable writes a second."""
        return syncs_per_second(self.seconds, self.directory)


if __name__ == "__main__":
    ready()
    sys.stdout.write(str(signatures_per_second(float(sys.argv[1]))))
