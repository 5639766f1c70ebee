"""The bench of pages writes real pages, all different, and tells what one of them weighs."""

import io
from datetime import date
from pathlib import Path

from towncircle.bench import one, pages
from towncircle.bench.mailpiece import _payload
from towncircle.paper.pdf import write_pdf

DAY = date(2026, 11, 23)


def test_its_pages_are_small_and_each_is_its_own() -> None:
    payloads = [_payload(number) for number in range(40)]
    clock: list[int] = []

    def once(work, _seconds):
        clock.append(work())
        return float(clock[-1])

    result, size = pages.print_pages(payloads, DAY, rate_of=once, seconds=1.0)
    assert clock == [40, 40]
    assert result.name == "print.pages"
    assert 300 < size <= 1600
    made = list(pages._pages(payloads, DAY))
    assert len({page.having("symbol")[0][0].modules for page in made}) == 40
    assert len({page.having("imb")[0][0].letters for page in made}) == 40


def test_a_batch_of_pages_needs_the_memory_of_a_few() -> None:
    import tracemalloc

    class Nowhere(io.RawIOBase):
        def write(self, data) -> int:
            return len(data)

    (page,) = pages._pages([_payload(1)], DAY)
    peaks = []
    for count in (500, 2500):
        tracemalloc.start()
        assert write_pdf((page for _ in range(count)), Nowhere()) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 2000 < 120  # of 700 bytes that are written for each


def test_one_piece_is_measured_through_running_parties(tmp_path: Path) -> None:
    result, told = one.print_one(tmp_path, draw=lambda: 1, rate_of=lambda work, _: float(work()), seconds=0.01)
    assert result.name == "print.one"
    assert result.rate > 0
    assert told["print_one_ms"] <= told["print_one_slowest_ms"]
    assert list(tmp_path.iterdir()) == []
