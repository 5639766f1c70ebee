"""Each row of `bench mailpiece` measures what its name says, here with few pieces and for a moment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from towncircle.bench import batch, mailpiece, scans
from towncircle.mailpiece.rates import extras_of, price
from towncircle.mailpiece.tariff import known_tables

ROWS = ("print.pages", "print.one", "scan.image", "scan.file.jpeg", "scan.file.png", "price")


def test_each_row_has_a_rate_beside_its_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    some = mailpiece.priceable()[::50]
    monkeypatch.setattr(mailpiece, "PAGES", 3)
    monkeypatch.setattr(scans, "PIECES", 2)
    monkeypatch.setattr(mailpiece, "priceable", lambda: some)
    rows, told = mailpiece.measure(tmp_path, seconds=0.02)
    assert tuple(row.name for row in rows) == ROWS
    assert all(row.rate > 0 < row.limit_rate for row in rows)
    assert told["pages"] == 3


def test_a_batch_is_printed_and_measured_on_two_cores(tmp_path: Path) -> None:
    ((row,), told) = batch.measure(tmp_path, seconds=0.05, pieces=20)
    assert (row.name, told["batch_pieces"]) == ("print.batch", 20)
    assert row.rate > 0 < row.limit_rate
    assert isinstance(told["batch_mib"], int)
    assert told["batch_mib"] > 10
    line = "from towncircle.bench import batch; import os; batch._on_two_cores(); print(len(os.sched_getaffinity(0)))"
    said = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout
    assert int(said) == min(2, len(os.sched_getaffinity(0)))


def test_the_prices_asked_for_are_all_there_are() -> None:
    asked = mailpiece.priceable()
    assert len(set(asked)) == len(asked) > 20_000
    assert {request.mail_class for request in asked} >= {"first", "priority", "express", "standard", "media"}
    assert {request.nonmachinable for request in asked} == {True, False}
    found = {extra for request in asked for extra in request.extras}
    assert len(found) >= len(extras_of(known_tables())) // 2
    assert any(price(request).derived for request in asked if request.mail_class == "first")
