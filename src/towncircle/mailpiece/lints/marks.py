"""Lints of machine marks: FIM, Intelligent Mail and POSTNET barcode, the symbol's quiet zone and its printer dots.

Here: P050 4.2, 4.8, 4.9, 4.12 and the figures of the Domestic Mail Manual. Not here: where words stand (`position`).
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.elements import MAIL_BARCODES, Bars, Fim, Symbol
from towncircle.mailpiece.geometry import barcode_zone, dot, figure, off_dots, word
from towncircle.mailpiece.lints.finding import PROPOSED, Context, Faults, Lint, show
from towncircle.symbol.bars import FIM_PATTERNS, fim, postnet_digits


@cites("P050-4.12", "P050-4.12/1", "P050-4.12/2", "P050-4.8/4", "P050-4.9/4", "PRE-21/1", "PRE-21/2")
def fim_present(context: Context) -> Faults:
    """Print FIM D on what the rule asks it of, FIM A with a barcode on courtesy reply, and none anywhere else."""
    page, marks = context.page, context.page.having("fim")
    needed = page.side == "address" and page.shape in context.word("fim_shapes").split(", ")
    if needed and len(marks) != 1:
        yield "The piece must bear one FIM", str(len(marks)), "1"
    if not needed and marks:
        yield "This side must not bear a FIM", str(len(marks)), "0"
    letter = "A" if page.reply else "D"
    for element, _ in marks:
        if isinstance(element, Fim) and element.pattern != fim(letter):
            names = {pattern: name for name, pattern in FIM_PATTERNS.items()}
            measured = f"FIM {names.get(element.pattern, element.pattern)}"
            yield "The FIM is not the one of this piece", measured, f"FIM {letter}"
    if page.reply and marks and not page.having(*MAIL_BARCODES):
        yield "FIM A says that the reply bears a barcode", "no barcode", "one"


@cites("P050-4.12/3", "P050-4.2/4")
def fim_place(context: Context) -> Faults:
    """Put the FIM two inches from the right edge at the upper edge, at its height and pitch."""
    form = context.page.form
    for element, box in context.page.having("fim"):
        if not isinstance(element, Fim):
            continue
        checks = (
            ("The right bar of the FIM is off its place", form.width - box.right, "right", "right_tolerance"),
            ("The height of the FIM is off", box.height, "height", "height_tolerance"),
            ("The bars of the FIM are off their width", element.bar, "bar", "bar_tolerance"),
            ("The foot of the FIM is off", form.height - box.bottom, "zone_height", "bottom_tolerance"),
        )
        for sentence, measured, name, tolerance in checks:
            middle, spread = figure("fim", name), figure("fim", tolerance)
            if abs(measured - middle) > spread:
                yield sentence, show(measured), f"{show(middle)} +- {show(spread)}"
        if form.height - box.top > figure("fim", "top_most"):
            yield "The FIM begins too low", show(form.height - box.top), f"at most {show(figure('fim', 'top_most'))}"
        if element.pitch != figure("fim", "pitch"):
            yield "The pitch of the FIM is off", show(element.pitch), show(figure("fim", "pitch"))


@cites("P050-4.2/5")
def imb_figures(context: Context) -> Faults:
    """Print the 65 bars of the Intelligent Mail barcode at their pitch, width and height."""
    for element, box in context.page.having("imb"):
        if not isinstance(element, Bars):
            continue
        if len(element.letters) != 65 or set(element.letters) - set("ADFT"):
            yield (
                "The barcode does not have 65 bars of four kinds",
                f"{len(element.letters)} letters",
                "65 of A, D, F, T",
            )
        yield from _spans("imb", element, ("The full bars are off their height", box.height, "full"))


@cites("P050-4.2/5")
def postnet_figures(context: Context) -> Faults:
    """Print POSTNET with frame bars and check digit, at its pitch and width, tall and short bars at their height."""
    for element, box in context.page.having("postnet"):
        if not isinstance(element, Bars):
            continue
        try:
            postnet_digits(element.letters)
        except BadInput:
            yield "The bars are no POSTNET of 5, 9 or 11 digits", f"{len(element.letters)} bars", "32, 52 or 62"
        tall = ("The tall bars are off their height", box.height, "full")
        yield from _spans("postnet", element, tall, ("The short bars are off their height", element.short, "short"))


def _spans(role: str, element: Bars, *heights: tuple[str, int, str]) -> Faults:
    """Name each measure of a barcode's bars that lies outside its span."""
    pitch = ("The bars are off their pitch", element.pitch, "pitch")
    for sentence, measured, name in (pitch, ("The bars are off their width", element.bar, "bar"), *heights):
        least, most = figure(role, f"{name}_least"), figure(role, f"{name}_most")
        if not least <= measured <= most:
            yield sentence, show(measured), f"{show(least)} to {show(most)}"


@cites("P050-4.2/5")
def delivery_barcode(context: Context) -> Faults:
    """Print the barcode for the mail that the rule's time knows: POSTNET in 1998, Intelligent Mail today."""
    wanted, held = context.word("delivery_barcode"), context.page.having(*MAIL_BARCODES)
    for element, _ in held:
        name = MAIL_BARCODES.get(element.role, "")
        if name != wanted:
            yield "The barcode for the mail is not the one of this rule", name, wanted
    if len(held) > 1:
        yield "The piece bears several barcodes for the mail", str(len(held)), "1"


@cites("P050-4.2/5")
def imb_place(context: Context) -> Faults:
    """Begin the barcode of letters and cards 3 1/2 to 4 1/4 inches from the right edge, inside its clear zone."""
    form, zone = context.page.form, barcode_zone(context.page.form)
    for element, box in context.page.having(*MAIL_BARCODES):
        if zone is None:
            continue
        from_right = form.width - box.left
        least, most = figure("barcode", "left_least"), figure("barcode", "left_most")
        if not least <= from_right <= most:
            yield "The leftmost bar is off its place", show(from_right), f"{show(least)} to {show(most)}"
        side, vertical = figure("barcode", "side_clearance"), figure(element.role, "vertical_clearance")
        if not zone.contains(box.grown(left=side, right=side, bottom=vertical, top=vertical)):
            yield "The barcode leaves its clear zone", f"foot {show(box.bottom)}", f"inside {show(zone.height)}"


def imb_clear(context: Context) -> Faults:
    """Keep the clearance around the barcode for the mail."""
    side = figure("barcode", "side_clearance")
    for element, box in context.page.having(*MAIL_BARCODES):
        vertical = figure(element.role, "vertical_clearance")
        space = box.grown(left=side, right=side, bottom=vertical, top=vertical)
        for other, second in context.page.boxed:
            if other is not element and space.overlaps(second):
                yield f"the {other.role} stands in the clearance of the barcode", "inside", f"{show(side)} at the sides"


@cites("P050-4.2", "P050-4.2/2")
def quiet_zone(context: Context) -> Faults:
    """Keep the quiet zone of the symbol white."""
    for element, _ in context.page.having("symbol"):
        if not isinstance(element, Symbol):
            continue
        space = element.quiet_box
        for other, box in context.page.boxed:
            if other is not element and space.overlaps(box):
                quiet = element.modules.quiet_zone
                gap = max(
                    element.box.left - box.right, box.left - element.box.right,
                    element.box.bottom - box.top, box.bottom - element.box.top,
                )  # fmt: skip
                allowed = f"{quiet} modules, {show(quiet * element.module)}"
                yield f"the {other.role} stands in the quiet zone of the symbol", show(gap), allowed


def whole_dots(context: Context) -> Faults:
    """Put the modules of the symbol on whole dots of the printer that the page is for: 203, 300 or 600 dpi."""
    dpi = context.page.dpi
    for element, box in context.page.having("symbol"):
        if not isinstance(element, Symbol):
            continue
        for name, length in (
            ("module", element.module),
            ("left edge", box.left),
            ("upper edge, from the top", context.page.form.height - box.top),
        ):
            if off_dots(length, dpi):
                measured = f"{float(length / dot(dpi)):.2f} dots of {dpi} dpi"
                yield f"The {name} of the symbol is not on a whole printer dot", measured, "a whole number"


@cites("P050-4.5", "P050-4.8", "PRE-01/2", "P050-1.1/1", "P050-4.5/1", "P050-4.8/5", "PRE-21/1")
def symbol_present(context: Context) -> Faults:
    """Print one symbol with an indicium or a postage correction, and none with a REDATE."""
    redate = bool(context.page.having("redate"))
    count = len(context.page.having("symbol"))
    if redate and count:
        yield "A REDATE must not bear the two-dimensional barcode", str(count), "0"
    if not redate and count != 1:
        yield "An indicium bears one two-dimensional barcode", str(count), "1"


LINTS = (
    Lint(code="fim", clause="P050 4.12, PRE-21", holds_from=PROPOSED, faults=fim_present),
    Lint(code="fim-place", clause=word("fim", "clause"), holds_from=PROPOSED, faults=fim_place),
    Lint(code="imb-figures", clause=word("imb", "clause"), holds_from=PROPOSED, faults=imb_figures),
    Lint(code="postnet-figures", clause=word("postnet", "clause"), holds_from=PROPOSED, faults=postnet_figures),
    Lint(code="delivery-barcode", clause="P050 4.4", holds_from=PROPOSED, faults=delivery_barcode),
    Lint(code="imb-place", clause=word("barcode", "clause"), holds_from=PROPOSED, faults=imb_place),
    Lint(code="imb-clear", clause=word("barcode", "clause"), holds_from=PROPOSED, faults=imb_clear),
    Lint(code="quiet-zone", clause="P050 4.2", holds_from=PROPOSED, faults=quiet_zone),
    Lint(code="whole-dots", clause="P050 4.2 (house)", holds_from=PROPOSED, faults=whole_dots),
    Lint(code="symbol", clause="P050 4.5, 4.8, 1.1, PRE-01", holds_from=PROPOSED, faults=symbol_present),
)
