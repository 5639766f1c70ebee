"""Lints of words: the readable set, type size, art, markings, corrections, SPECIMEN.

Here: P050 4.5, 4.8 to 4.11. Not here: whether the words are true (`towncircle.indicium`).
"""

from __future__ import annotations

import re
from math import radians, tan

from towncircle.kernel.cites import cites
from towncircle.kernel.money import Mills
from towncircle.mailpiece.art import ATTRIBUTION, DEFAULT_ART, HOUSE
from towncircle.mailpiece.elements import ArcText, Text
from towncircle.mailpiece.geometry import Box, least_type, number, word
from towncircle.mailpiece.imprint import SPECIMEN_WORD
from towncircle.mailpiece.lints.approved import MAILED_FROM
from towncircle.mailpiece.lints.finding import PROPOSED, Context, Faults, Lint, show
from towncircle.mailpiece.markings import class_named
from towncircle.mailpiece.typeface import face
from towncircle.mailpiece.zipcode import states

_FULL_DATE = re.compile(r"[A-Z]{3} [0-9]{1,2}", re.ASCII)
_ZIP = re.compile(r"[0-9]{5}", re.ASCII)
_PLACE = re.compile(r"[\x20-\x7e]+ ([A-Z]{2})", re.ASCII)
_DATE = re.compile(r"[A-Z]{3}( [0-9]{1,2})? [0-9]{4}", re.ASCII)
_DEVICE = re.compile(r"[0-9A-Z]{4}[0-9]{10}", re.ASCII)
_AMOUNT = re.compile(r"\$[0-9,]+\.[0-9]{2,3}", re.ASCII)


@cites("P050-4.5", "PRE-01/1", "P050-4.5/2", "P050-4.5/3", "P050-4.5/4", "P050-4.5/5", "P050-4.5/6")
def readable_set(context: Context) -> Faults:
    """Show city, state and ZIP Code, device id, date, rate category and amount."""
    page = context.page
    if page.indicium is None:
        yield "There is no indicium", "none", "one"
        return
    words = {role: [_text(element) for element, _ in page.having(role)] for role in _ROLES}
    redate = bool(words["redate"])
    needed = (
        ("the city and state", any(_is_place(text) for text in words["place"])),
        ("the 5-digit ZIP Code", any(_ZIP.fullmatch(text) for text in words["place"])),
        ("the device id", any(_DEVICE.fullmatch(text) for text in words["device"])),
        ("the date of mailing", bool(_DATE.fullmatch(" ".join(words["date"])))),
        ("the rate category", redate or any(words["category"])),
        ("the amount of postage", redate or any(_AMOUNT.fullmatch(text) for text in words["amount"])),
    )
    for what, there in needed:
        if not there:
            yield f"The indicium does not show {what}", "not shown", "shown"


@cites("P050-4.6", "P050-4.6/1")
def complete_date(context: Context) -> Faults:
    """Show month, day and year on First-Class Mail."""
    category = " ".join(_text(element) for element, _ in context.page.having("category")).upper()
    dates = [_text(element) for element, _ in context.page.having("date")]
    if "STANDARD" in category or not dates:
        return
    if not any(_FULL_DATE.fullmatch(text) for text in dates):
        yield "The date lacks its day", " ".join(dates), "month, day and year"


def type_size(context: Context) -> Faults:
    """Print words at a legible size; microprinting is decoration."""
    for element, _ in context.page.boxed:
        if isinstance(element, Text | ArcText) and element.role != "microtext" and element.size < least_type():
            measured = f"{element.size / 1000} pt"
            yield f"'{element.text[:30]}' is too small", measured, f"at least {least_type() / 1000} pt"


@cites("P050-4.8", "P050-4.8/1", "P050-4.8/2")
def redate_words(context: Context) -> Faults:
    """Print REDATE instead of the amount, on the nonaddress side."""
    page = context.page
    for element, _ in page.having("redate"):
        if _text(element) != "REDATE":
            yield "A date correction says REDATE", _text(element), "REDATE"
        if page.having("amount"):
            yield "A date correction shows no amount", "an amount", "REDATE only"
        if page.side != "nonaddress":
            yield "A date correction stands on the nonaddress side", page.side, "nonaddress"


@cites("P050-4.9")
def correction_amount(context: Context) -> Faults:
    """Show an amount above zero in a postage correction, on a specimen too."""
    if context.page.side != "nonaddress":
        return
    for element, _ in context.page.having("amount"):
        text = _text(element)
        if _AMOUNT.fullmatch(text) and Mills.parse(text.replace(",", "")) <= 0:
            yield "A postage correction adds nothing", text, "above zero"


@cites("P050-4.8", "P050-4.9")
def correction_alone(context: Context) -> Faults:
    """Print nothing on the nonaddress side but the correction: no address, no barcode for the mail, no art."""
    if context.page.side != "nonaddress":
        return
    for element, _ in context.page.having("recipient", "sender", "imb", "postnet", "art", "attribution", "marking"):
        yield f"The {element.role} stands beside a correction", "printed", "the correction only"


@cites("P050-4.10", "PRE-01/3", "P050-4.10/3")
def attribution(context: Context) -> Faults:
    """Show the mailer's name or words such as Mailer's Message with advertising art."""
    page = context.page
    if not page.having("art"):
        return
    said = " ".join(_text(element) for element, _ in page.having("art", "attribution")).upper()
    if ATTRIBUTION.upper() not in said and not (page.mailer and page.mailer.upper() in said):
        yield "The art does not say whose it is", said[:60] or "no words", f"the mailer's name or '{ATTRIBUTION}'"


@cites("P050-4.10", "P050-4.10/2")
def house_art(context: Context) -> Faults:
    """Print the art that comes with the system on specimens only: the Postal Service has not approved it."""
    words = tuple(_text(element) for element, _ in context.page.having("art") if _text(element))
    if words == DEFAULT_ART.words and not context.page.specimen:
        approval = HOUSE["approval"]
        yield (
            "The art of the house stands on real postage",
            "postage",
            f"{approval['prints']} ({approval['reference']})",
        )


@cites("P050-4.11", "P050-4.11/2")
def marking_alone(context: Context) -> Faults:
    """Print only the marking in the art area where there is one."""
    if context.page.having("marking") and context.page.having("art", "attribution"):
        yield "Art stands beside a postal marking", "both", "the marking only"


@cites("P050-4.11", "P050-4.11/4", "P050-4.11/5")
def marking_type(context: Context) -> Faults:
    """Print markings in bold capitals of the height the rule asks for."""
    least = context.rule("marking_height")
    for element, _ in context.page.having("marking"):
        if not isinstance(element, Text):
            continue
        high = face(element.font).cap_height * element.size // 1000
        if high < least:
            yield f"The capitals of '{element.text}' are too low", show(high), f"at least {show(least)}"
        if element.text != element.text.upper() or element.font != "bold":
            yield f"'{element.text}' is not in bold capitals", element.font, "bold capitals"


@cites("P050-4.11", "P050-4.11/3")
def marking_fills(context: Context) -> Faults:
    """Fill the advertising area with the marking in one direction at least, and leave it in none."""
    boxes, area = [box for _, box in context.page.having("marking")], context.page.art_area
    if not boxes:
        return
    if area is None:
        yield "The marking stands in no advertising area", "none", "the area left of the indicium"
        return
    box, least = Box.around(boxes), number("marking", "fill_least_percent")
    if not area.contains(box):
        yield "The marking leaves the advertising area", f"{show(box.width)} wide", f"{show(area.width)} wide"
    share = max(box.width * 100 // area.width, box.height * 100 // area.height)
    if share < least:
        yield "The marking does not fill the advertising area", f"{share} %", f"at least {least} % of a side"


@cites("P050-4.11", "P050-4.11/6")
def marking_legible(context: Context) -> Faults:
    """Print markings so that they are legible at the distance of the rule: high enough for the eye, and black."""
    distance = context.rule("marking_distance")
    least = round(distance * tan(radians(number("marking", "minutes_of_arc") / 60)))
    most = number("marking", "ink_most")
    for element, _ in context.page.having("marking"):
        if not isinstance(element, Text):
            continue
        high = face(element.font).cap_height * element.size // 1000
        if high < least:
            far = f"at least {show(least)} at {show(distance)}"
            yield f"'{element.text}' is not legible at the distance of the rule", show(high), far
        if element.ink > most or element.tracking < 0:
            yield (
                f"'{element.text}' is too pale or too narrow",
                f"grey {element.ink}",
                f"at most {most}, no letters touching",
            )


@cites("P050-4.11", "P050-4.11/1")
def class_marked(context: Context) -> Faults:
    """Mark the class and category of the mail, and mark one class only."""
    page = context.page
    said = [class_named(_text(element)) for element, _ in page.having("category")]
    marking = " ".join(_text(element) for element, _ in page.having("marking"))
    if page.having("redate") or page.indicium is None:
        return
    if not any(said):
        words = " ".join(_text(element) for element, _ in page.having("category"))
        yield "The class of the mail is not marked", words or "nothing", "the name of the class"
    if marking and class_named(marking) not in said:
        yield (
            "The marking is of another class than the indicium",
            marking,
            f"the marking of {', '.join(said) or 'none'}",
        )


@cites("502.17/1")
def specimen_said(context: Context) -> Faults:
    """Say SPECIMEN on what is one, and only there, in letters that are printed."""
    said = [element for element, _ in context.page.having("specimen") if SPECIMEN_WORD in _text(element)]
    if context.page.specimen and not said:
        yield "A specimen does not say so", "not marked", SPECIMEN_WORD
    if said and not context.page.specimen:
        yield "What is no specimen says it is one", SPECIMEN_WORD, "not marked"


def amount_readable(context: Context) -> Faults:
    """Print one amount, above zero, as dollars."""
    amounts = [_text(element) for element, _ in context.page.having("amount")]
    if len(amounts) > 1:
        yield "The indicium shows more than one amount", ", ".join(amounts), "one"
    for text in amounts:
        if _AMOUNT.fullmatch(text) and Mills.parse(text.replace(",", "")) <= 0 and not context.page.specimen:
            yield "The amount is nothing", text, "above zero"


def _is_place(text: str) -> bool:
    """Tell whether words name a city with its state, or say that the ZIP Code stands for both."""
    found = _PLACE.fullmatch(text)
    return text == MAILED_FROM or (found is not None and found[1] in states())


def _text(element: object) -> str:
    return str(getattr(element, "text", ""))


_ROLES = ("place", "date", "amount", "redate", "device", "category")

LINTS = (
    Lint(code="readable", clause="P050 4.5, PRE-01", holds_from=PROPOSED, faults=readable_set),
    Lint(code="complete-date", clause="P050 4.6", holds_from=PROPOSED, faults=complete_date),
    Lint(code="type-size", clause=word("type", "clause"), holds_from=PROPOSED, faults=type_size),
    Lint(code="redate", clause="P050 4.8", holds_from=PROPOSED, faults=redate_words),
    Lint(code="correction-amount", clause="P050 4.9", holds_from=PROPOSED, faults=correction_amount),
    Lint(code="correction-alone", clause="P050 4.8, 4.9 (house)", holds_from=PROPOSED, faults=correction_alone),
    Lint(code="house-art", clause="P050 4.10", holds_from=PROPOSED, faults=house_art),
    Lint(code="attribution", clause="P050 4.10", holds_from=PROPOSED, faults=attribution),
    Lint(code="marking-alone", clause="P050 4.11", holds_from=PROPOSED, faults=marking_alone),
    Lint(code="marking-type", clause="P050 4.11", holds_from=PROPOSED, faults=marking_type),
    Lint(code="marking-fill", clause="P050 4.11", holds_from=PROPOSED, faults=marking_fills),
    Lint(code="marking-legible", clause="P050 4.11", holds_from=PROPOSED, faults=marking_legible),
    Lint(code="class-marking", clause="P050 4.11", holds_from=PROPOSED, faults=class_marked),
    Lint(code="specimen", clause="502.17", holds_from=PROPOSED, faults=specimen_said),
    Lint(code="amount", clause="P050 4.5", holds_from=PROPOSED, faults=amount_readable),
)
