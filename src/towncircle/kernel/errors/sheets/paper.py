"""Error codes of paper: drawing and rendering."""

from towncircle.kernel.errors import Row

ROWS = {
    "paper.no-pages": Row(
        kind="input",
        sentence="There is no page to write.",
        clause="house",
        next_step="Give at least one page.",
    ),
    "paper.not-a-pdf": Row(
        kind="input",
        sentence="{path} is not a PDF file that can be read ({why}).",
        clause="house",
        next_step="Check the file.",
    ),
    "paper.no-such-page": Row(
        kind="input",
        sentence="There is no page {page}: the file has {count}.",
        clause="house",
        next_step="Pages are counted from 1.",
    ),
    "paper.resolution": Row(
        kind="input",
        sentence="{dpi} dots an inch cannot be drawn.",
        clause="house",
        next_step="Use 72 to 1200, such as 300.",
    ),
    "paper.head": Row(
        kind="input",
        sentence="There is no print head of {dpi} dots an inch.",
        clause="house",
        next_step="Use one of: {known}.",
    ),
    "paper.too-coarse": Row(
        kind="refused",
        sentence="A module of {mils} mil is less than two dots of a head with {dots} dots an inch.",
        clause="P050 4.1",
        next_step="Print on a finer head, or choose a form with room for a larger symbol.",
    ),
    "paper.off-the-page": Row(
        kind="refused",
        sentence="The printer's shift of {right} dots to the right and {down} down would push ink off the page.",
        clause="house",
        next_step="Mend the printer's margins, and calibrate it again.",
    ),
    "paper.no-own-symbol": Row(
        kind="refused",
        sentence="The {symbology} symbol cannot be left to the printer: its bytes were not read back from the page.",
        clause="house",
        next_step="Print it as a graphic, which is the default.",
    ),
}
