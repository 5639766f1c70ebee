"""What a page shows besides its symbols: print too faint in a colour (P050 4.2), and a REDATE in its words (4.8)."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.mailpiece.pages import ON, correction, piece, piece_1998, redate

from towncircle.paper import scan
from towncircle.paper.noticing import Noticing
from towncircle.paper.pdf import to_pdf
from towncircle.symbol import read, reflectance
from towncircle.symbol.reflectance import Reflectance

WHITE, CREAM, BLACK = (255, 255, 255), (250, 245, 235), (10, 10, 12)
RED, BLUE = (200, 30, 30), (30, 60, 200)
LEAST = reflectance.least()


@pytest.fixture(scope="module")
def grey() -> dict[str, Any]:
    pages = scan.pages_of(to_pdf([piece(), piece_1998()]), "pages.pdf")
    return dict(zip(("Data Matrix", "PDF417"), (page for page, _ in pages), strict=True))


def inked(page: Any, paper: tuple[int, int, int], ink: tuple[int, int, int], form: str = "PNG", **more: Any) -> bytes:
    """Print a page in a colour on a colour, and scan it."""
    share = page[..., None] / 255
    seen = np.array(ink) + (np.array(paper) - np.array(ink)) * share
    made = io.BytesIO()
    Image.fromarray(seen.round().astype(np.uint8)).save(made, form, **more)
    return made.getvalue()


def measured(data: bytes) -> Reflectance:
    noticing = Noticing(data)
    ((page, _),) = scan.pages_of(data, "scan")
    (found,) = read(page)
    seen = noticing.prints(1, page, found)
    noticing.close()
    assert seen is not None
    return seen


@pytest.mark.shows("P050-4.2/3")
@pytest.mark.parametrize("symbol", ["Data Matrix", "PDF417"])
@pytest.mark.parametrize("form", [{"form": "PNG"}, {"form": "JPEG", "quality": 90, "subsampling": 0}])
@pytest.mark.parametrize(
    ("paper", "ink", "well"),
    [
        (CREAM, BLACK, True),
        (CREAM, BLUE, True),
        (WHITE, (205, 40, 40), True),  # 0.39 of white in red
        (WHITE, (250, 40, 40), False),  # red ink that a red light does not see
        (RED, BLACK, False),  # a red envelope in green light
        ((250, 250, 255), (222, 222, 215), False),
    ],
)
def test_print_is_measured_in_red_and_in_green(
    grey: dict[str, Any], symbol: str, form: dict[str, Any], paper: Any, ink: Any, well: bool
) -> None:
    seen = measured(inked(grey[symbol], paper, ink, **form))
    assert seen.grey is None
    assert seen.enough(LEAST) is well, str(seen)


def test_a_grey_scan_shows_that_print_is_too_faint_and_never_that_it_is_not(grey: dict[str, Any]) -> None:
    for ink, well in ((BLACK[0], None), (215, None), (222, False)):
        made = io.BytesIO()
        Image.fromarray((ink + grey["Data Matrix"] / 255 * (255 - ink)).astype(np.uint8)).save(made, "PNG")
        seen = measured(made.getvalue())
        assert (seen.red, seen.enough(LEAST)) == (None, well), str(seen)
    assert measured(inked(grey["Data Matrix"], WHITE, (0, 0, 0))).red is None  # grey that was saved as colours


def test_a_dim_photograph_is_no_proof_of_faint_print(grey: dict[str, Any]) -> None:
    seen = measured(inked(grey["Data Matrix"], (130, 126, 120), (20, 21, 20)))
    assert (seen.dim, seen.enough(LEAST)) == (True, None)


def test_a_turned_symbol_and_one_of_a_later_page_are_measured_where_they_stand(grey: dict[str, Any]) -> None:
    first = Image.open(io.BytesIO(inked(grey["Data Matrix"], CREAM, BLACK)))
    second = Image.open(io.BytesIO(inked(grey["Data Matrix"], RED, BLACK))).rotate(12, expand=True, fillcolor=RED)
    made = io.BytesIO()
    first.save(made, "TIFF", save_all=True, append_images=[second])
    noticing = Noticing(made.getvalue())
    seen = [
        noticing.prints(at, page, read(page)[0]) for at, (page, _) in enumerate(scan.pages_of(made.getvalue(), "t"), 1)
    ]
    assert [one.enough(LEAST) for one in seen if one] == [True, False]


# ---- a REDATE


@pytest.mark.shows("P050-4.8/1")
def test_a_redate_is_read_from_the_words_of_its_page_and_from_no_other() -> None:
    noticing = Noticing(to_pdf([redate(), piece(), correction(), redate("postcard"), redate("flat9x12")]))
    assert [noticing.redate(at) for at in range(1, 6)] == [ON, None, None, ON, ON]
    assert date(2026, 11, 21) == ON
    noticing.close()


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("REDATE NOV 27 2026", date(2026, 11, 27)),
        ("NOV 27\r\n2026\r\nREDATE", date(2026, 11, 27)),
        ("NOV 27 2026", None),
        ("REDATED NOV 27 2026", None),
        ("REDATE NOV 31 2026", None),
        ("REDATE NOV 27 2026 DEC 1 2026", None),
        ("REDATE REDATE NOV 27 2026", None),
        ("REDATE NOV 2026", None),
    ],
)
def test_words_that_say_no_single_redate_are_not_one(
    words: str, day: date | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticing = Noticing(b"")
    monkeypatch.setattr(noticing._colours, "words", lambda _: words)
    assert noticing.redate(1) == day


def test_an_image_has_no_words(grey: dict[str, Any]) -> None:
    assert Noticing(inked(grey["Data Matrix"], CREAM, BLACK)).redate(1) is None
