"""The rows of `bench mailpiece` measure what their names say, here with few pieces and for a moment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from towncircle.bench import batch, mailpiece, scans
from towncircle.bench.pages import print_pages
from towncircle.mailpiece.rates import PriceRequest, price

ROWS = ("print.pages", "scan.image", "scan.file.jpeg", "scan.file.png", "price")


@pytest.fixture(scope="module")
def asked() -> list[PriceRequest]:
    return mailpiece.priceable()


def test_the_rows_of_this_process_have_a_rate_beside_their_limit(
    monkeypatch: pytest.MonkeyPatch, asked: list[PriceRequest]
) -> None:
    """Measure all but `print.one`, which starts the parties: `towncircle up` has tests of its own."""
    some = asked[::50]
    monkeypatch.setattr(scans, "PIECES", 2)
    monkeypatch.setattr(mailpiece, "priceable", lambda: some)
    payloads = [mailpiece._payload(number) for number in range(3)]
    pages, size = print_pages(payloads, mailpiece._DAY, rate_of=mailpiece._rate, seconds=0.02)
    rows = [pages, *scans.measure(seconds=0.02), mailpiece._prices(0.02)]
    assert tuple(row.name for row in rows) == ROWS
    assert all(row.rate > 0 < row.limit_rate for row in rows)
    assert 300 < size < 10_000


def test_a_batch_is_printed_and_measured_on_two_cores(tmp_path: Path) -> None:
    ((row,), told) = batch.measure(tmp_path, seconds=0.05, pieces=20)
    assert (row.name, told["batch_pieces"]) == ("print.batch", 20)
    assert row.rate > 0 < row.limit_rate
    assert isinstance(told["batch_mib"], int)
    assert told["batch_mib"] > 10
    line = "from towncircle.bench import batch; import os; batch._on_two_cores(); print(len(os.sched_getaffinity(0)))"
    said = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout
    assert int(said) == min(2, len(os.sched_getaffinity(0)))


def test_the_prices_asked_for_are_all_there_are(asked: list[PriceRequest]) -> None:
    assert len(set(asked)) == len(asked) > 13_000
    assert {request.mail_class for request in asked} >= {"first", "priority", "express", "standard", "media"}
    assert {request.nonmachinable for request in asked} == {True, False}
    assert {extra for request in asked for extra in request.extras} >= {"certified", "insurance"}
    assert any(price(request).derived for request in asked if request.mail_class == "first")
