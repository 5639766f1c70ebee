"""The facing identification mark is found in a scan, told by its letter, and measured."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from towncircle.symbol import fim, fim_from_image
from towncircle.symbol.bars import FIM_PATTERNS


def page(letter: str, *, dpi: int = 300, noise: int = 0, height: float = 0.625) -> np.ndarray:
    """Draw the upper part of an envelope with a mark 2 inches from the right edge, and a word beside it."""
    master = np.full((600, 3000), 255, np.uint8)  # 600 dpi
    right = 3000 - 1200
    for at, bar in enumerate(fim(letter)):
        if bar == "1":
            left = right - 19 - round((8 - at) * 37.5)
            master[38 : 38 + round(height * 600), left : left + 19] = 0
    master[200:230, 300:1000:40] = 0
    seen = np.asarray(Image.fromarray(master).resize((3000 * dpi // 600, dpi), Image.Resampling.BOX), np.float32)
    seen = seen * 0.85 + np.random.default_rng(4).normal(0, noise, seen.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("letter", FIM_PATTERNS)
@pytest.mark.parametrize("dpi", [200, 300, 600])
def test_every_mark_is_told_by_its_letter_and_place(letter: str, dpi: int) -> None:
    image = page(letter, dpi=dpi, noise=8)
    found = fim_from_image(image, dpi=dpi)
    assert found is not None
    assert found.letter == letter
    left, top, right, bottom = found.box
    assert (image.shape[1] - right) / dpi == pytest.approx(2, abs=0.02)
    assert (right - left) / dpi == pytest.approx(8 / 16 + 1 / 32, abs=0.02)
    assert (bottom - top) / dpi == pytest.approx(0.625, abs=0.05)


def test_what_is_no_mark_is_none() -> None:
    assert fim_from_image(page("D", height=0.15), dpi=300) is None
    assert fim_from_image(np.full((300, 600), 255, np.uint8), dpi=300) is None
    assert fim_from_image(page("D"), dpi=200) is None  # of another size
    blocked = page("D")
    blocked[:, 450:600] = 0
    blocked[:, 600 : 900 - 175] = 0  # ink up to the first bar
    assert fim_from_image(blocked, dpi=300) is None
