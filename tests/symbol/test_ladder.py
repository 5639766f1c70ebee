"""What each rung of the ladder is for: a scan that only it reads; and pages where one symbol hides behind another."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

from towncircle.bench.scanner import CONDITIONS, Condition, scan
from towncircle.kernel.errors import BadInput
from towncircle.symbol import data_matrix, imb_from_image, pdf417, read, regions, skew

BY_NAME = {one.name: one for one in CONDITIONS}
MAKERS = {"PDF417": pdf417, "Data Matrix": data_matrix}
PAYLOAD = bytes(at * 41 % 256 for at in range(89))


def scanned(symbology: str, condition: Condition, *, mil: float = 15, dpi: int = 200, seed: int = 3) -> np.ndarray:
    return scan(MAKERS[symbology](PAYLOAD), condition, mil=mil, dpi=dpi, random=random.Random(seed).random)


@pytest.mark.parametrize("symbology", MAKERS)
@pytest.mark.parametrize(
    "name",
    [
        *("turned 20 degrees", "turned 32 degrees", "turned 45 degrees", "blur 5 mil", "noise 40", "contrast 0.1"),
        *("ink +2 mil", "ink -2 mil", "dust 4%", "bilevel", "one side dark", "aslant", "photograph"),
        "turned, blurred, noisy, faint",
    ],
)
def test_a_bad_scan_is_read_and_never_misread(symbology: str, name: str) -> None:
    assert [one.payload for one in read(scanned(symbology, BY_NAME[name]))] == [PAYLOAD]


@pytest.mark.parametrize(
    ("symbology", "name", "dpi", "rung"),
    [
        ("Data Matrix", "clean", 200, 1),
        ("PDF417", "turned 45 degrees", 200, 3),
        ("Data Matrix", "contrast 0.1", 200, 4),
        ("Data Matrix", "dust 4%", 300, 5),
        ("PDF417", "noise 60", 300, 2),
    ],
)
def test_the_rung_that_reads_is_told(symbology: str, name: str, dpi: int, rung: int) -> None:
    (found,) = read(scanned(symbology, BY_NAME[name], dpi=dpi))
    assert found.tries == rung


def test_a_bad_symbol_beside_a_good_one_is_not_forgotten() -> None:
    good, turned = scanned("Data Matrix", BY_NAME["clean"]), scanned("PDF417", BY_NAME["turned 20 degrees"])
    page = np.full((1000, 1400), 200, np.uint8)
    page[60 : 60 + good.shape[0], 900 : 900 + good.shape[1]] = good
    page[280 : 280 + turned.shape[0], 100 : 100 + turned.shape[1]] = turned
    found = read(page)
    assert [(one.symbology, one.tries) for one in found] == [("Data Matrix", 1), ("PDF417", 3)]
    xs, ys = [x for x, _ in found[1].position], [y for _, y in found[1].position]
    assert 100 < min(xs) < max(xs) < 100 + turned.shape[1]
    assert 280 < min(ys) < max(ys) < 280 + turned.shape[0]


def test_a_sheet_of_thirty_labels_gives_thirty_symbols() -> None:
    payloads = [bytes([number]) + PAYLOAD[:30] for number in range(30)]
    page = np.full((1500, 1300), 255, np.uint8)
    for number, payload in enumerate(payloads):
        image = data_matrix(payload).image(dots=4)
        top, left = 40 + number // 5 * 240, 40 + number % 5 * 250
        page[top : top + image.shape[0], left : left + image.shape[1]] = (
            image if number % 7 else image // 8 * 5 // 4 + 205
        )
    assert sorted(one.payload for one in read(page)) == payloads


def test_the_text_and_bars_of_a_page_that_was_read_are_no_regions() -> None:
    page = np.full((700, 1600), 255, np.uint8)
    for left in range(900, 1050, 36):  # bars of a facing identification mark
        page[40:200, left : left + 18] = 0
    for line in range(4):  # letters of a quarter of ink
        for left in range(300, 800, 24):
            page[300 + 45 * line : 330 + 45 * line, left : left + 12] = 0
    image = data_matrix(PAYLOAD).image(dots=5)
    page[60 : 60 + image.shape[0], 1300 : 1300 + image.shape[1]] = image
    (found,) = read(page, fast_only=True)
    assert regions.find(page, [found.position]) == []
    assert len(regions.find(page)) == 3


@pytest.mark.parametrize("degrees", [-44, -20, -7, -1, 0, 3, 12, 30, 44])
def test_the_turn_of_a_noisy_symbol_is_estimated_within_a_degree(degrees: int) -> None:
    image = scanned("PDF417", Condition(name="turned", degrees=degrees, noise=30))
    told = skew.estimate(image)
    assert told is not None
    assert told == pytest.approx(degrees, abs=1)


def test_nothing_is_estimated_where_nothing_has_a_direction() -> None:
    assert skew.estimate(np.full((200, 300), 255, np.uint8)) is None
    assert skew.estimate(np.zeros((2, 2), np.uint8)) is None


def test_a_hostile_page_costs_no_more_than_its_pixels_allow() -> None:
    """A page of false symbols: each looks like one and none can be read. The work is counted, not the time."""
    noise = np.random.default_rng(1).integers(0, 2, (60, 60)).astype(np.uint8) * 255
    tile = np.pad(np.kron(noise, np.ones((3, 3), np.uint8)), 40, constant_values=255)
    page = np.tile(tile, (4, 6))
    assert len(regions.find(page)) <= regions.MAX_REGIONS
    began = time.process_time()
    assert read(page) == []
    assert time.process_time() - began < 120  # far more than it takes: a guard against no end at all
    with pytest.raises(BadInput, match=r"symbol\.imb-not-found"):
        imb_from_image(page)
