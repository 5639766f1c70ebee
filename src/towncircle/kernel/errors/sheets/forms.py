"""Error codes of the forms of an indicium: artwork, markings, branches, dates of a month, proofs."""

from towncircle.kernel.errors import Row


def _artwork(sentence: str, next_step: str = "Give a still PNG, JPEG, GIF or BMP file of black on white.") -> Row:
    return Row(kind="refused", sentence=sentence, clause="P050 4.10, 502.20(d)", next_step=next_step)


ROWS = {
    "artwork.house-changed": Row(
        kind="broken",
        sentence="The art that comes with the program is not what {reference} approved.",
        clause="P050 4.10",
        next_step="Install the program anew: its file house-art.toml was changed.",
    ),
    "artwork.no-such-file": Row(
        kind="input",
        sentence="The artwork file {file} cannot be read.",
        clause="P050 4.10",
        next_step="Check the name and the rights of the file.",
    ),
    "artwork.not-canonical": Row(
        kind="input",
        sentence="A picture has at most {width} by {height} dots of one bit, with nothing behind them.",
        clause="P050 4.10",
        next_step="Have the picture made of its file anew (towncircle provider art DIR NAME --picture FILE).",
    ),
    "artwork.too-large": _artwork(
        "The artwork file has more than {most} {what}; nothing of it was decoded.", "Give a smaller picture."
    ),
    "artwork.unknown-kind": _artwork(
        "The artwork file is no PNG, JPEG, GIF or BMP; drawings as programs (SVG) are none."
    ),
    "artwork.animated": _artwork("The artwork file has several pictures; paper shows one."),
    "artwork.unreadable": _artwork("The artwork file begins like {kind} and cannot be read to its end."),
    "artwork.blank": _artwork(
        "The artwork would print {what}: too little to see, or a black block.", "Give a picture of black on white."
    ),
    "artwork.holds-symbol": _artwork(
        "The artwork holds a barcode that a machine reads, which beside an indicium could pass for one.",
        "Give a picture without barcodes.",
    ),
    "branch.not-classified": Row(
        kind="refused",
        sentence="{branch} is a {facility}: the indicium may show a local classified branch, and no other facility.",
        clause="P050 4.5(b)",
        next_step="Show the licensing post office, or the words Mailed From ZIP Code (towncircle print --zip).",
    ),
    "branch.not-approved": Row(
        kind="refused",
        sentence="The licensing post office has not approved that the indicium shows {branch}.",
        clause="P050 4.5(b)",
        next_step="Ask for it (towncircle branch DIR request NAME --state ST), then hear the answer (show).",
    ),
    "branch.unknown": Row(
        kind="refused",
        sentence="No request for the branch {branch} stands for the license {license}.",
        clause="P050 4.5(b)",
        next_step="See towncircle postmaster DIR for what waits.",
    ),
    "branch.no-facility": Row(
        kind="input",
        sentence="'{text}' is no kind of postal facility that is told apart here.",
        clause="P050 4.5(b)",
        next_step="Use one of: {known}.",
    ),
    "delay.no-month": Row(
        kind="input",
        sentence="'{text}' is not a month.",
        clause="P050 4.6",
        next_step="Write year and month, such as 2026-11.",
    ),
    "delay.no-device": Row(
        kind="refused",
        sentence="No device {device} is registered, so no mailing of it can be found delayed.",
        clause="P050 4.6",
        next_step="Read the device id from the indicium.",
    ),
    "delay.not-begun": Row(
        kind="refused",
        sentence="{month} has not begun, so no mailing of it can have been delayed.",
        clause="P050 4.6",
        next_step="Find it when the mailing was delayed.",
    ),
    "delay.found-already": Row(
        kind="refused",
        sentence="The mailing of {month} of the device {device} was found delayed already.",
        clause="P050 4.6",
        next_step="Nothing is to be done.",
    ),
}
