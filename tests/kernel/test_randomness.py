"""Randomness: a seed repeats to the byte, labels part streams, and a drawn number has no favourite."""

from collections import Counter

import pytest

from towncircle.kernel.randomness import SeededRandomness, below


class Given:
    """Give prepared bytes."""

    repeatable = True

    def __init__(self, data: bytes) -> None:
        self.left = data

    def take(self, count: int) -> bytes:
        out, self.left = self.left[:count], self.left[count:]
        assert len(out) == count
        return out


def test_the_same_seed_and_label_give_the_same_bytes() -> None:
    first, second = SeededRandomness(7, "a"), SeededRandomness(7, "a")
    assert [first.take(n) for n in (1, 33, 0, 64)] == [second.take(n) for n in (1, 33, 0, 64)]
    assert first.repeatable


def test_another_seed_or_label_gives_other_bytes_and_a_stream_does_not_repeat_itself() -> None:
    streams = [SeededRandomness(7, "a"), SeededRandomness(8, "a"), SeededRandomness(7, "b")]
    assert len({stream.take(32) for stream in streams for _ in range(3)}) == 9


def test_a_source_shows_nothing_of_its_seed() -> None:
    assert "7" not in repr(SeededRandomness(7, "a"))


def test_a_number_that_would_favour_the_small_ones_is_drawn_again() -> None:
    # 30 fits 256 eight times: 240 and more would make 0..15 likelier, so such a byte is thrown away
    assert below(Given(bytes([240, 255, 239])), 30) == 239 % 30


@pytest.mark.parametrize("limit", [1, 2, 3, 30, 255, 256, 257])
def test_a_number_stays_below_its_limit(limit: int) -> None:
    source = SeededRandomness(1, "below")
    assert all(0 <= below(source, limit) < limit for _ in range(200))


def test_every_byte_value_leads_to_each_number_equally_often() -> None:
    counts: Counter[int] = Counter()
    for value in range(240):
        counts[below(Given(bytes([value])), 30)] += 1
    assert set(counts.values()) == {8}
