"""What a licensee is told of a deficiency of a quality piece (502.26): the sentence, its clause, and how to mend it.

Here: words. Not here: what is a deficiency (`quality`), how it is measured (`symbol.grading`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# the measured name, the deficiency's sentence, its clause, and the guidance
GUIDANCE: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "unreadable": (
            "No indicium on the piece can be read.",
            "P050 4.2",
            "Print on plain white paper without scaling, clean the head, and try a piece: towncircle verify FILE.",
        ),
        "contrast": (
            "The indicium does not stand out from the paper",
            "P050 4.2",
            "Use black ink and white or light paper; replace a cartridge that runs low and switch off any ink saving.",
        ),
        "unused-error-correction": (
            "Much of the symbol's error correction is used up",
            "P050 4.2",
            "Parts of the symbol are missing or smeared: clean the print head, let the ink dry, print on smooth paper.",
        ),
        "modulation": (
            "Light and dark modules of the symbol come near each other",
            "P050 4.2",
            "Print at the printer's own resolution on smooth paper; ink that spreads or is too thin blurs the modules.",
        ),
        "fixed-pattern-damage": (
            "The border of the symbol is damaged, or something stands in its margin",
            "P050 4.2",
            "Clean the print head where a line is missing, and keep art and text off the symbol's blank margin.",
        ),
        "axial-non-uniformity": (
            "The symbol is stretched in one direction",
            "P050 4.2",
            "Switch off fitting to the page; where paper slips, clean the feed rollers and set the paper's weight.",
        ),
        "grid-non-uniformity": (
            "Parts of the symbol are moved out of place",
            "P050 4.2",
            "The paper moved while printing: clean the feed rollers, align the print head, print the piece flat.",
        ),
        "edges": (
            "Bars at the sides of the symbol run into each other or are missing",
            "P050 4.2",
            "Clean and align the print head, and print at the printer's own resolution.",
        ),
        "least-reflectance": (
            "The bars of the symbol are not dark enough beside the paper",
            "P050 4.2",
            "Use black ink, replace a cartridge that runs low, and switch off any ink saving.",
        ),
        "edge-contrast": (
            "Bars of the symbol hardly stand out from the spaces beside them",
            "P050 4.2",
            "Use black ink on white or light paper, and print at the printer's own resolution.",
        ),
        "edge-modulation": (
            "Narrow bars of the symbol are fainter than wide ones",
            "P050 4.2",
            "Ink spreads or is too thin: use smooth paper, let the ink dry, choose the printer's finest quality.",
        ),
        "defects": (
            "There are spots in the spaces or holes in the bars of the symbol",
            "P050 4.2",
            "Clean the print head and the rollers, and use paper without flecks.",
        ),
        "decodability": (
            "The widths of the symbol's bars are uneven",
            "P050 4.2",
            "Align the print head, switch off scaling, and print at the printer's own resolution.",
        ),
        "codeword-yield": (
            "Many parts of the symbol cannot be read along their row",
            "P050 4.2",
            "Rows are smeared or missing: clean the print head and let the ink dry before the piece is stacked.",
        ),
        "turn": (
            "The symbol is not horizontal",
            "P050 4.4",
            "Straighten the paper feed and print without rotation; lay the piece straight on the scanner.",
        ),
        "tries": (
            "The symbol is hard to read",
            "P050 4.2",
            "Clean the print head and print at the printer's own resolution, so that no module is blurred.",
        ),
        "upper-right": (
            "The indicium is not in the upper right corner",
            "P050 4.4",
            "Feed the envelope as the print dialogue shows, and scan the whole address side, upright.",
        ),
        "margin": (
            "The indicium is too near the edge",
            "P050 4.4",
            "Print at 100 % without fitting to the page, and set the tray to the envelope's own size.",
        ),
        "mark": (
            "The mark is not as it should be",
            "PRE-16",
            "Connect the device (towncircle device contact), print a new piece and verify it before you forward it.",
        ),
    }
)
