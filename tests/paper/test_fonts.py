"""The embedded fonts: the widths that the layout uses are those of the files, and the licence is kept."""

from importlib.resources import files

import pytest
from fontTools.ttLib import TTFont

from towncircle.mailpiece.typeface import FONT_KEYS, face


@pytest.mark.parametrize("key", FONT_KEYS)
def test_widths_are_those_of_the_file(key):
    metrics = face(key)
    with (files("towncircle.paper.fonts") / f"{metrics.name}.ttf").open("rb") as stream:
        font = TTFont(stream)
        cmap, per_em = font.getBestCmap(), font["head"].unitsPerEm
        for code in (*range(0x20, 0x7F), *range(0xA0, 0x100)):
            width = font["hmtx"][cmap[ord(bytes([code]).decode("cp1252"))]][0]
            assert metrics.widths[code - 32] == round(width * 1000 / per_em)
        names = {record.nameID: record.toUnicode() for record in font["name"].names}
        font.close()
    assert "Liberation" not in names[1] + names[4] + names[6]
    assert "SIL Open Font License" in names[13]


def test_the_licence_comes_with_the_fonts():
    text = (files("towncircle.paper.fonts") / "OFL.txt").read_text(encoding="utf-8")
    assert "Version 1.1" in text
    assert "Reserved Font Name Liberation" in text
