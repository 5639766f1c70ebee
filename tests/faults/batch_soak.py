"""Kill a batch again and again until it is printed: `python -m tests.faults.batch_soak --seed N --pieces N --kills N`.

The program itself runs, with its device and its workers in processes of their own, and gets SIGKILL at moments that the
seed chooses; then `print --resume`. At the end the manifest, the files, the registers and the audit must agree.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from towncircle.auditor.auditing import audit
from towncircle.cli.main import main
from towncircle.world.config import WorldConfig


def run(*, seed: int, pieces: int, kills: int) -> None:
    """Print a batch through kills. Raises `AssertionError` where a piece is lost or doubled."""
    dice, top = random.Random(seed), Path(tempfile.mkdtemp(prefix="towncircle-soak-"))
    world, out = top / "world", top / "out"
    for line in (
        f"world new {world}",
        f"license {world}",
        f"lease {world}",
        f"deposit {world} 5000",
        f"reset {world} 20",
    ):
        assert main(line.split()) == 0
    with (top / "list.csv").open("w", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(("name", "street", "city", "state", "zip"))
        lines.writerows((f"Desk {at}", f"{at + 1} Main Street", "Washington", "DC", "20260") for at in range(pieces))
    (top / "soak.toml").write_text("[output]\npieces_per_file = 100\n")
    first = f"print {world} --csv {top / 'list.csv'} --template {top / 'soak.toml'} --out {out} --refill --json"
    last, killed = f"print {world} --out {out} --resume --json", 0
    while True:
        began = _opened(world)
        if not began and (out / "manifest.json").exists():
            break  # the last kill came after its end
        command = last if began else first
        if not began:
            shutil.rmtree(out, ignore_errors=True)
        with (top / "said").open("w") as said:
            child = subprocess.Popen([sys.executable, "-m", "towncircle", *command.split()], stdout=said)
        if killed < kills:
            time.sleep(dice.uniform(0.5, 6))
            child.send_signal(signal.SIGKILL)
            killed += 1
        if child.wait() == 0:
            break
        assert child.returncode == -signal.SIGKILL, (top / "said").read_text()
    _check(world, out, pieces)
    sys.stdout.write(f"seed {seed}: {pieces} pieces through {killed} kills, nothing lost, nothing doubled\n")
    shutil.rmtree(top)


def _opened(world: Path) -> bool:
    from towncircle.licensee.promises import open_batches
    from towncircle.storage.sqlite import SqliteStore

    store = SqliteStore(world / "licensee.mailroom" / "store.sqlite")
    with store.reading() as view:
        found = bool(open_batches(view))
    store.close()
    return found


def _check(world: Path, out: Path, pieces: int) -> None:
    told = json.loads((out / "manifest.json").read_text())
    assert [piece["piece"] for piece in told["pieces"]] == list(range(1, pieces + 1))
    assert [piece["row"] for piece in told["pieces"]] == list(range(2, pieces + 2))
    for file in told["files"]:
        assert hashlib.sha256((out / file["file"]).read_bytes()).hexdigest() == file["sha256"]
    assert main(["export", str(world), str(out / "export")]) == 0
    report = audit(out / "export", root=WorldConfig.read(world).root)
    assert [str(difference) for difference in report.differences] == []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Kill a batch again and again until it is printed.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pieces", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=10)
    given = parser.parse_args()
    run(seed=given.seed, pieces=given.pieces, kills=given.kills)
