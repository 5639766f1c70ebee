"""Calibration: what a page measures on a printer that is off, and what is refused."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from towncircle.kernel.errors import BadInput, Refused
from towncircle.licensee.printers import TRUE_SCALE, Printer, calibrated, uncalibrated
from towncircle.mailpiece import elements
from towncircle.mailpiece.calibration import MM, calibrate, calibration_page, expected, measured
from towncircle.mailpiece.geometry import dot, form, form_keys, off_dots
from towncircle.paper.pdf import to_pdf, write_pdf
from towncircle.paper.png import raster

NO10 = form("no10")
DESK = Printer(name="desk", kind="folder", address="/var/spool/desk")


def test_the_crosses_of_the_page_stand_where_a_true_ruler_finds_them() -> None:
    pixels = raster(to_pdf([calibration_page(NO10)]), dpi=300) < 128
    true = expected(NO10)
    x, y = (round(float(length) / 25.4 * 300) for length in (true.left, true.top))
    across, down = (round(float(length) / 25.4 * 300) for length in (true.across, true.down))
    for column, row in ((x, y), (x + across, y), (x, y + down)):
        arm = pixels[row - 3 : row + 4, column - 30 : column + 31].any(axis=0)
        assert arm.all()
        assert pixels[row - 30 : row + 31, column - 3 : column + 4].any(axis=1).all()


@pytest.mark.parametrize("key", ["no6-3-4", "postcard", "flat10x13", "label4x6", "tape"])
@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_the_page_fits_every_form_and_its_gauges_stand_on_dots(key: str, dpi: int) -> None:
    page = calibration_page(form(key), name="desk", dpi=dpi)
    assert all(page.form.sheet.contains(box) for _, box in page.boxed)
    for gauge, box in page.boxed:
        if isinstance(gauge, elements.Path) and gauge.fill == 0:
            assert off_dots(box.left, dpi) == off_dots(box.right, dpi) == 0


def test_a_printer_that_is_off_is_moved_back_by_whole_dots() -> None:
    true = expected(NO10)
    off = replace(true, left=true.left + Fraction(1, 2), top=true.top - Fraction(3, 10))
    found = calibrate(NO10, off)
    assert (found.shift_x, found.shift_y) == (-6 * dot(300), 4 * dot(300))
    assert abs(found.shift_x + MM / 2) <= dot(300) / 2
    done = calibrated(DESK, found)
    assert (done.shift_x, done.scale_x) == (found.shift_x, TRUE_SCALE)
    assert uncalibrated(done) == DESK
    assert calibrate(NO10, true).shift_x == 0


def test_a_calibrated_printer_moves_the_page_by_what_was_measured(tmp_path: Path) -> None:
    found = calibrate(NO10, replace(expected(NO10), left=expected(NO10).left - 1))
    files = [tmp_path / "plain.pdf", tmp_path / "moved.pdf"]
    for file, shift in zip(files, (0, found.shift_x), strict=True):
        write_pdf([calibration_page(NO10)], file, shift=(shift, 0))
    plain, moved = (raster(file, dpi=300) for file in files)
    right = int(found.shift_x / dot(300))
    assert right == 12
    assert np.array_equal(plain[:, :-right], moved[:, right:])


def test_only_a_label_printer_stretches_and_a_scale_beyond_the_tolerance_is_refused() -> None:
    true = expected(NO10)
    at = replace(true, across=true.across * Fraction(201, 200))
    head = calibrated(replace(DESK, language="zpl"), calibrate(NO10, at))
    assert head.scale_x == round(TRUE_SCALE * Fraction(200, 201))
    for off in (
        replace(true, across=true.across * Fraction(96, 100)),
        replace(true, down=true.down * Fraction(1011, 1000)),
    ):
        with pytest.raises(Refused) as refusal:
            calibrate(NO10, off)
        assert (refusal.value.code, refusal.value.clause) == ("printer.scale-off", "P050 4.2")
    with pytest.raises(Refused) as refusal:
        calibrate(NO10, replace(true, left=true.left + 7))
    assert refusal.value.code == "printer.shift-off"


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,1,1,1", "1,1,1,-1", "1,1,1,9999999999", "1..2,1,1,1"])
def test_what_is_no_measure_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        measured(text)


def test_measures_are_read_exactly() -> None:
    assert measured("25.4, 25.6,190.5,54").top == Fraction(128, 5)
    assert len(form_keys()) > 20
