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
}
