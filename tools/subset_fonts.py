"""Make the embedded fonts and their metrics from the Liberation fonts 2.x (Debian package fonts-liberation2).

Run: `python tools/subset_fonts.py [/usr/share/fonts/truetype/liberation2]`. Kept are the characters of Windows code
page 1252, which the PDF writer addresses byte by byte. Hints, kerning and layout tables go; the fonts get new names,
because the licence (SIL OFL 1.1) reserves the name Liberation for unmodified copies. Output is the same on every run.
"""

import json
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[1] / "src/towncircle"
FONTS = {
    "sans": ("LiberationSans-Regular.ttf", "TowncircleSans-Regular"),
    "bold": ("LiberationSans-Bold.ttf", "TowncircleSans-Bold"),
    "mono": ("LiberationMono-Regular.ttf", "TowncircleMono-Regular"),
}
EPOCH_1904 = 3_600_000_000  # any constant: the head table's times must not depend on today


def characters() -> dict[int, str]:
    """Give the characters of code page 1252 by code."""
    table = {}
    for code in (*range(0x20, 0x7F), *range(0x80, 0x100)):
        try:
            table[code] = bytes([code]).decode("cp1252")
        except UnicodeDecodeError:
            continue
    return table


def make(source: Path, name: str) -> dict[str, object]:
    """Write one subset font and give its metrics."""
    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = []
    options.notdef_outline = True
    options.drop_tables += ["GDEF", "GPOS", "GSUB", "kern", "DSIG", "FFTM"]
    font = TTFont(source, recalcTimestamp=False)
    chars = characters()
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[ord(char) for char in chars.values()])
    cutter.subset(font)
    family, style = name.split("-")
    for name_id, text in (
        (0, "Digitized data copyright 2010 Google Corporation; copyright 2012 Red Hat, Inc. Modified by towncircle."),
        (1, family), (2, style), (4, name), (6, name),
        (13, "This Font Software is licensed under the SIL Open Font License, Version 1.1."),
        (14, "https://scripts.sil.org/OFL"),
    ):  # fmt: skip
        font["name"].setName(text, name_id, 3, 1, 0x409)
    font["head"].modified = font["head"].created = EPOCH_1904
    target = ROOT / "paper/fonts" / f"{name}.ttf"
    font.save(target, reorderTables=True)
    per_em, widths, cmap = font["head"].unitsPerEm, font["hmtx"], font.getBestCmap()
    advance = {code: widths[cmap[ord(char)]][0] for code, char in chars.items()}
    scaled = [round(advance.get(code, 0) * 1000 / per_em) for code in range(0x20, 0x100)]
    head, os2 = font["head"], font["OS/2"]
    return {
        "name": name,
        "widths": scaled,
        "ascent": round(font["hhea"].ascent * 1000 / per_em),
        "descent": round(font["hhea"].descent * 1000 / per_em),
        "cap_height": round(os2.sCapHeight * 1000 / per_em),
        "x_height": round(os2.sxHeight * 1000 / per_em),
        "bbox": [round(v * 1000 / per_em) for v in (head.xMin, head.yMin, head.xMax, head.yMax)],
    }


def main(folder: Path) -> None:
    """Write all fonts and the metrics."""
    metrics = {key: make(folder / file, name) for key, (file, name) in FONTS.items()}
    target = ROOT / "mailpiece/data/typeface_metrics.json"
    target.write_text(json.dumps(metrics, separators=(",", ":")).replace('},"', '},\n"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts/truetype/liberation2"))
