"""The Intelligent Mail barcode against the test cases of the Postal Service."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from tests.symbol.scans import scanned_bars

from towncircle.kernel.errors import BadInput
from towncircle.symbol import imb, imb_from_image

CASES = [
    row
    for row in csv.reader(
        (Path(__file__).parent.parent / "data" / "usps_imb_encoder_cases_a.csv").read_text().splitlines()
    )
    if row
]
TURN = str.maketrans("AD", "DA")
BARS = "AADTFFDFTDADTAADAATFDTDDAAADDTDTTDAFADADDDTFFFDDTTTADFAAADFTDAADA"


def test_every_valid_case_encodes_to_the_same_bars_and_decodes_back_either_way_up() -> None:
    valid = [row for row in CASES if row[4] == "00"]
    assert len(valid) == 4168
    for _, tracking, routing, bars, *_ in valid:
        assert imb.encode(tracking, routing) == bars
        for shown in (bars, bars[::-1].translate(TURN)):
            found = imb.decode(shown)
            assert (found.tracking, found.routing) == (tracking, routing)


def test_every_invalid_case_is_refused_with_the_return_code_of_the_postal_service() -> None:
    invalid = [row for row in CASES if row[4] != "00"]
    assert len(invalid) == 832
    for _, tracking, routing, _, code, *_ in invalid:
        with pytest.raises(BadInput) as caught:
            imb.encode(tracking, routing)
        assert caught.value.params["usps_code"] == code


def test_a_barcode_with_one_wrong_bar_is_refused_wherever_it_is() -> None:
    for at, bar in enumerate(BARS):
        for other in set("ADFT") - {bar}:
            with pytest.raises(BadInput) as caught:
                imb.decode(BARS[:at] + other + BARS[at + 1 :])
            assert caught.value.code == "symbol.imb-unreadable"


@pytest.mark.parametrize("bars", ["", "ADFT", BARS + "A", BARS[:-1] + "X"])
def test_what_is_not_65_bars_is_another_error(bars: str) -> None:
    with pytest.raises(BadInput, match=r"symbol\.imb-bars"):
        imb.decode(bars)


def test_the_parts_of_the_tracking_code_follow_the_mailer_id() -> None:
    short = imb.decode(BARS)
    assert (short.barcode_id, short.service_type, short.mailer_id, short.serial) == ("01", "234", "567094", "987654321")
    long = imb.decode(imb.encode("00040987654321000042"))
    assert (long.mailer_id, long.serial, long.routing) == ("987654321", "000042", "")


@pytest.mark.parametrize("dpi", [200, 300, 600])
@pytest.mark.parametrize("degrees", [0, 3])
@pytest.mark.parametrize("upside_down", [False, True])
def test_the_bars_are_read_from_a_scan(dpi: int, degrees: int, upside_down: bool) -> None:
    image = scanned_bars(BARS, dpi=dpi, degrees=degrees, upside_down=upside_down)
    assert imb.decode(imb_from_image(image)) == imb.decode(BARS)


def test_a_scan_without_bars_is_its_own_error() -> None:
    image = scanned_bars("T", dpi=200)
    with pytest.raises(BadInput, match=r"symbol\.imb-not-found"):
        imb_from_image(image)


def test_a_page_full_of_noise_is_given_up_in_bounded_time() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (800, 3000)).astype(np.uint8)
    with pytest.raises(BadInput, match=r"symbol\.imb-not-found"):
        imb_from_image(noise)
