"""Error codes of quality pieces."""

from towncircle.kernel.errors import Row

ROWS = {
    "quality.blank": Row(
        kind="input",
        sentence="There is nothing on the scan.",
        clause="PRE-16",
        next_step="Scan the side of the piece that has the indicium, and send that file.",
    ),
    "quality.too-large": Row(
        kind="input",
        sentence="The scan has {size} bytes; {limit} can be forwarded.",
        clause="P050 2.5(h) (house)",
        next_step="Scan one piece in grey at 200 to 300 dpi and save it as JPEG or PNG.",
    ),
    "quality.not-a-scan": Row(
        kind="input",
        sentence="'{file}' is no scan: a piece is forwarded as PDF, PNG, JPEG or TIFF.",
        clause="P050 2.5(h)",
        next_step="Scan the side of the piece that has the indicium, and send that file.",
    ),
    "quality.not-leased": Row(
        kind="refused",
        sentence="The device {device} is {custody}: no piece of it is asked for.",
        clause="502.26",
        next_step="Forward a piece of the device that you lease: towncircle status DIR names it.",
    ),
    "quality.taken": Row(
        kind="refused",
        sentence="The piece {piece} was forwarded with another scan or for another device.",
        clause="house",
        next_step="Forward this scan as a piece of its own: towncircle quality send DIR FILE",
    ),
    "quality.other-device": Row(
        kind="refused",
        sentence="The piece was made by {told}, not by {device}.",
        clause="P050 2.5(h)",
        next_step="Forward a mailpiece that {device} produced.",
    ),
    "quality.not-genuine": Row(
        kind="refused",
        sentence="The mark on the piece was never signed by {device}.",
        clause="P050 2.5(h)",
        next_step="Forward a mailpiece that the device produced. If it printed this one, it may be defective.",
    ),
    "quality.seen-before": Row(
        kind="refused",
        sentence="This piece was forwarded before, as {piece}.",
        clause="502.26",
        next_step="Print another piece and forward that one.",
    ),
}
