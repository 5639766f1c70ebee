"""Each figure of print quality falls by the damage that it is about, and by no other."""

from __future__ import annotations

import random
import tomllib
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image

from towncircle.bench.scanner import Condition, scan
from towncircle.provider.guidance import GUIDANCE
from towncircle.symbol import data_matrix, grading, matrix_quality, pdf417, read
from towncircle.symbol.grading import measure, overall, place
from towncircle.symbol.placement import placement

MATRIX = {
    *("contrast", "modulation", "fixed-pattern-damage", "axial-non-uniformity", "grid-non-uniformity"),
    *("unused-error-correction", "turn", "tries"),
}
ROWS = {
    *("contrast", "least-reflectance", "edges", "edge-contrast", "edge-modulation", "defects", "decodability"),
    *("codeword-yield", "unused-error-correction", "turn", "tries"),
}
PAYLOAD = bytes(at * 37 % 256 for at in range(96))


def drawn(make, *, dots: int = 8) -> np.ndarray:
    """Draw a symbol in black on white with 12 modules of paper around it."""
    return np.pad(make(PAYLOAD).image(dots=dots), 12 * dots, constant_values=255)


def grades(image: np.ndarray) -> dict[str, str]:
    (found,) = read(image)
    return {one.name: one.grade for one in grading.measure(image, found)}


def poor(image: np.ndarray) -> set[str]:
    """Name the figures below A; how many tries the reader took is no figure of the print."""
    return {name for name, grade in grades(image).items() if grade != "A"} - {"tries"}


@pytest.mark.parametrize(("make", "names"), [(data_matrix, MATRIX), (pdf417, ROWS)])
@pytest.mark.parametrize("dpi", [200, 300])
def test_a_clean_symbol_has_an_a_in_every_figure(make, names: set[str], dpi: int) -> None:
    image = scan(make(PAYLOAD), Condition(name="clean"), mil=15, dpi=dpi, random=random.Random(5).random)
    assert grades(image) == dict.fromkeys(names, "A")


def faded(image: np.ndarray) -> np.ndarray:
    return (255 - (255 - image.astype(float)) * 0.45).astype(np.uint8)


def dark_paper(image: np.ndarray) -> np.ndarray:
    return (image.astype(float) * 0.6).astype(np.uint8)


def stretched(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((image.shape[1] * 110 // 100, image.shape[0])))


def border_gone(image: np.ndarray) -> np.ndarray:
    made = image.copy()
    made[12 * 8 + 8 * 8 : 12 * 8 + 13 * 8, 13 * 8 : 14 * 8] = 255  # five modules of the left side
    return made


def slipped(image: np.ndarray) -> np.ndarray:
    """Move a band of twelve rows by half a module, as paper that slips does."""
    made = image.copy()
    rows = slice(13 * 8 + 12 * 8, 13 * 8 + 24 * 8)
    made[rows] = np.roll(image[rows], 4, axis=1)
    return made


def one_codeword_faint(image: np.ndarray) -> np.ndarray:
    """Grey the dark modules of a block, of more codewords than error correction would excuse."""
    made = image.copy()
    part = made[18 * 8 : 46 * 8, 16 * 8 : 48 * 8]
    part[part < 128] = 110
    return made


def spotted(image: np.ndarray) -> np.ndarray:
    """Put a grey stripe through the wide bar of the start pattern."""
    made = image.copy()
    made[:, 17 * 8 : 18 * 8] = np.maximum(made[:, 17 * 8 : 18 * 8], 80)
    return made


def uneven_bars(image: np.ndarray) -> np.ndarray:
    """Widen the first space of the start pattern to the left, so that its edges stand off."""
    made = image.copy()
    made[14 * 8 : -14 * 8, 22 * 8 - 3 : 22 * 8] = 255
    return made


@pytest.mark.parametrize(
    ("make", "damage", "falls"),
    [
        (data_matrix, faded, {"contrast"}),
        (data_matrix, dark_paper, {"contrast"}),
        (data_matrix, stretched, {"axial-non-uniformity"}),
        (data_matrix, border_gone, {"fixed-pattern-damage"}),
        (data_matrix, slipped, {"grid-non-uniformity"}),
        (data_matrix, one_codeword_faint, {"modulation"}),
        (pdf417, faded, {"contrast", "least-reflectance"}),  # too light ink lacks both
        (pdf417, dark_paper, {"contrast"}),
        (pdf417, spotted, {"defects"}),
        (pdf417, uneven_bars, {"decodability"}),
    ],
)
def test_a_damage_lowers_the_figure_that_is_about_it_alone(make, damage, falls: set[str]) -> None:
    assert poor(damage(drawn(make))) == falls


def test_holes_in_the_data_use_up_error_correction_and_nothing_else() -> None:
    image = drawn(data_matrix)
    image[16 * 8 : 24 * 8, 18 * 8 : 25 * 8] = 255
    assert {"unused-error-correction"} <= poor(image) <= {"unused-error-correction", "modulation"}


def test_smeared_rows_lower_the_codeword_yield() -> None:
    image = drawn(pdf417)
    rows = slice(30 * 8, 42 * 8)
    image[rows, 40 * 8 : 120 * 8] = np.random.default_rng(2).integers(0, 2, (12 * 8, 80 * 8)).astype(np.uint8) * 255
    (found,) = read(image)
    figures = {one.name: one.found for one in grading.measure(image, found)}
    assert figures["codeword-yield"] < 95
    assert figures["edges"] == 100


def test_blur_takes_narrow_bars_and_modules_first() -> None:
    blurred = Condition(name="blur", blur=6)
    for make, name in ((data_matrix, "modulation"), (pdf417, "edge-modulation")):
        image = scan(make(PAYLOAD), blurred, mil=18, dpi=300, random=random.Random(5).random)
        found = grades(image)
        assert found[name] in "CDF"
        assert found["contrast"] == "A"


@pytest.mark.parametrize("make", [data_matrix, pdf417])
def test_a_turned_symbol_is_measured_like_a_straight_one(make) -> None:
    image = scan(make(PAYLOAD), Condition(name="turned", degrees=20), mil=15, dpi=300, random=random.Random(5).random)
    assert poor(image) <= {"turn"}
    assert grades(image)["turn"] == "F"


def test_a_symbol_that_our_encoder_would_not_make_is_graded_by_what_can_be_seen() -> None:
    image = np.pad(pdf417(PAYLOAD, columns=6, level=3).image(dots=5), 60, constant_values=255)
    assert set(grades(image)) == {"contrast", "unused-error-correction", "turn", "tries"}


def test_the_overall_grade_is_the_lowest_and_none_is_the_worst() -> None:
    image = faded(drawn(data_matrix))
    (found,) = read(image)
    assert grading.overall(grading.measure(image, found)) == grades(image)["contrast"]
    assert grading.overall(()) == grading.WORST


@pytest.mark.parametrize("side", [8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 36, 40, 44])
def test_every_codeword_has_eight_modules_and_no_module_two_codewords(side: int) -> None:
    placed = placement(side)
    counts = np.bincount(list(placed.values()))
    assert set(counts.tolist()) == {8}
    assert len(counts) == side * side // 8


def test_the_placement_is_that_of_the_encoder() -> None:
    """A symbol of another last byte differs in that codeword's modules and in those of error correction alone."""
    one, other = (data_matrix(bytes([231, *b"abc", last]), size=14).array() for last in (1, 2))
    differing = np.argwhere(one != other)
    places = matrix_quality.codewords(14)
    touched = {
        at
        for at, (rows, columns) in enumerate(places)
        for row, column in differing
        if ((rows == row) & (columns == column)).any()
    }
    assert min(touched) >= 5
    assert any(at < 8 for at in touched)


def test_every_figure_has_limits_with_their_source_and_words_for_the_licensee() -> None:
    table = tomllib.loads(files("towncircle.symbol").joinpath("print_grades.toml").read_text("utf-8"))
    assert set(table) == MATRIX | ROWS
    assert all(row["source"] and row["confidence"] for row in table.values())
    assert set(table) <= set(GUIDANCE)


@pytest.mark.parametrize("make", [data_matrix, pdf417])
@pytest.mark.parametrize("side", ["left", "top", "right", "bottom", "all"])
def test_a_symbol_flush_with_the_edge_is_read_and_graded_and_its_quiet_zone_is_not_seen(make, side: str) -> None:
    whole = make(bytes(range(89))).image(dots=4)
    ink = np.argwhere(whole < 128)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0) + 1
    core, page = whole[top:bottom, left:right], np.full((700, 1400), 255, np.uint8)
    height, width = core.shape
    y = {"top": 0, "bottom": 700 - height}.get(side, 200)
    x = {"left": 0, "right": 1400 - width}.get(side, 300)
    page[y : y + height, x : x + width] = core
    page = core if side == "all" else page
    inside = np.pad(core, 60, constant_values=255)
    (at_edge,), (free,) = read(page), read(inside)
    assert at_edge.payload == free.payload == bytes(range(89))
    assert place(page, at_edge, 300).at_edge
    assert not place(inside, free, 300).at_edge
    assert overall(measure(page, at_edge)) == overall(measure(inside, free)) == "A"
