"""The power is cut at every disk operation of a mixed workload: nothing acknowledged is lost, nothing is corrupt.

On the build server (CI=true) 200,000 images are asked, elsewhere a twentieth of them; the soak is
`python -m towncircle.testing.power_loss --seed N --images 1000000 --resume FILE`.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest

from towncircle.psd import sqlite
from towncircle.testing import power_loss
from towncircle.testing.power_loss import BIRTHS, Rehearsal, rehearse

IMAGES = 10_000
CHUNKS = 20 if os.environ.get("CI") else 1


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_power_cut_at_any_disk_operation_loses_nothing_that_was_acknowledged(chunk: int) -> None:
    rounds = itertools.count(chunk * BIRTHS)  # each chunk sees one birth of a device
    report = rehearse(seed=1, rounds=rounds, images=IMAGES, told=lambda _number, _report: None)
    assert report.troubles == []
    assert report.images == IMAGES
    assert report.after_debit >= IMAGES * 0.95
    assert report.deep > IMAGES / 100


def test_a_disk_that_ignores_syncs_is_found_out() -> None:
    report = Rehearsal(seed=1, number=1, honest=False, limit=2000).run()
    assert len(report.troubles) == 3


def test_a_store_that_syncs_less_than_fully_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    weaker = tuple(("synchronous", "NORMAL", 1) if row[0] == "synchronous" else row for row in sqlite._WANTED)
    monkeypatch.setattr(sqlite, "_WANTED", weaker)
    report = Rehearsal(seed=1, number=1, limit=2000).run()
    assert "neither the last commit" in report.troubles[0].what


def test_the_soak_says_how_far_it_came_and_goes_on_from_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = tmp_path / "progress.json"
    arguments = ["--seed", "3", "--resume", str(progress), "--images"]
    assert power_loss.run([*arguments, "1500"]) == 0
    first = json.loads(progress.read_text())
    assert (first["seed"], first["round"], first["counts"]["images"]) == (3, 0, 1500)
    assert power_loss.run([*arguments, "2000"]) == 0
    after = json.loads(progress.read_text())
    assert (after["round"], after["counts"]["images"]) == (1, 2000)
    assert "seed 3 round 1: 2,000 images" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        power_loss.run(["--seed", "4", "--resume", str(progress)])
