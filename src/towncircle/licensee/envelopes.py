"""From a job's pieces to pages.

Here: what stands on each page: imprint, symbol, barcode, addresses; the proof that is linted before anything is signed.
Not here: how a page is drawn (`paper/`), where things stand (`mailpiece.page`).
Kept: the lints run on the real page model before the device is asked (house.md 7); what is printed says SPECIMEN.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from towncircle.indicium import layout
from towncircle.indicium.readable import for_correction, for_postage, for_redate
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.licensee.advertising import art_of_job
from towncircle.licensee.looks import DPI, Place
from towncircle.licensee.mailroom import CORRECTION, POSTAGE, form_of, numbers_of
from towncircle.mailpiece.addresses import Address
from towncircle.mailpiece.art import DEFAULT_ART, Art
from towncircle.mailpiece.elements import MAIL_BARCODES, Licensed, Page
from towncircle.mailpiece.forms import form_of_piece
from towncircle.mailpiece.lints import require
from towncircle.mailpiece.markings import marking_of, may_omit_day
from towncircle.mailpiece.overlay import overlay, zones_of
from towncircle.mailpiece.page import EnvelopeSpec, envelope, nonaddress_side
from towncircle.mailpiece.proof import marked
from towncircle.mailpiece.rates import printed_category
from towncircle.mailpiece.sheets import impose, stock
from towncircle.rules import RuleSet
from towncircle.symbol import data_matrix, imb, pdf417, postnet
from towncircle.symbol.modules import Modules

# House: barcode id 00, and zeros for the service type and the mailer id, which are the Postal Service's to give.
_IMB_HEAD = "00" + "000" + "000000"
_IMB_SERIAL_DIGITS = 9
STAND_IN = bytes(255 - at * 37 % 120 for at in range(256))  # begins like no layout, and packs no tighter than a mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Stationery:
    """Hold what all pieces of a job share: `office` is the place that they name, the rest as the job has it.

    `dpi` names the dots of the printer: modules and bars are whole ones of them.
    `licensed` is what they may name, whatever they do.
    """

    device: DeviceId
    office: Place
    sender: Address | None
    layout: str
    day: date
    rules: RuleSet
    month_only: bool = False
    reply: bool = False
    marking: bool = False
    dpi: int = DPI
    licensed: Licensed | None = None


@cites("P050-4.1", "P050-4.5", "P050-4.6", "PRE-01")
def compose(
    piece: Mapping[str, Any], payload: bytes, number: int, stationery: Stationery, art: Art | None = DEFAULT_ART
) -> Page:
    """Make the page of one piece: `payload` are the bytes of its symbol, `number` its count on the device."""
    recipient, form = Address(**piece["address"]), form_of_piece(piece)
    category = printed_category(piece["category"])
    readable = for_postage(
        stationery.office,
        device=stationery.device,
        day=stationery.day,
        category=category,
        postage=Mills(piece["amount"]),
        first_class=not may_omit_day(category),
        month_only=stationery.month_only,
    )
    spec = EnvelopeSpec(
        form=form,
        rules=stationery.rules,
        on=stationery.day,
        readable=readable,
        symbol=symbol_for(stationery.layout, payload, columns=form.pdf417_columns),
        recipient=recipient,
        sender=stationery.sender,
        **_barcode(number, recipient, stationery),
        art=_beside(art, category, piece["shape"], stationery),
        reply=stationery.reply,
        piece_shape=piece["shape"] if form.shape == "label" else "",
        dpi=stationery.dpi,
        licensed=stationery.licensed,
    )
    return envelope(spec)


@cites("P050-4.2/5")
def _barcode(number: int, recipient: Address, stationery: Stationery) -> dict[str, str]:
    """Give the barcode for the mail, as the rule of the day has it."""
    if stationery.rules.text("delivery_barcode", stationery.day) == MAIL_BARCODES["postnet"]:
        return {"postnet": postnet(recipient.routing)}
    serial = str(number).zfill(_IMB_SERIAL_DIGITS)[-_IMB_SERIAL_DIGITS:]
    return {"imb": imb.encode(_IMB_HEAD + serial, recipient.routing)}


def _beside(art: Art | None, category: str, shape: str, stationery: Stationery) -> Art | None:
    """Choose what stands beside the indicium: the marking of the class, art on letters, or nothing."""
    if stationery.marking:
        return Art(words=(marking_of(category),), kind="marking")
    return art if shape == "letter" else None


@cites("P050-4.8", "P050-4.9", "PRE-21")
def compose_correction(piece: Mapping[str, Any], payload: bytes, stationery: Stationery, *, form: str) -> Page:
    """Make the nonaddress side of one piece: a postage correction with its symbol, or a REDATE without one."""
    symbol, piece_form = None, form_of_piece(piece)
    if form == CORRECTION:
        symbol = symbol_for(stationery.layout, payload, columns=piece_form.pdf417_columns)
        readable = for_correction(
            stationery.office,
            device=stationery.device,
            day=stationery.day,
            category=printed_category(piece["category"]),
            postage=Mills(piece["amount"]),
        )
    else:
        readable = for_redate(stationery.office, device=stationery.device, day=stationery.day)
    return nonaddress_side(
        form=piece_form,
        rules=stationery.rules,
        on=stationery.day,
        readable=readable,
        symbol=symbol,
        dpi=stationery.dpi,
        licensed=stationery.licensed,
    )


@lru_cache(maxsize=8)  # a stand-in is the same for every piece
def symbol_for(layout_id: str, payload: bytes, *, columns: int = 4) -> Modules:
    """Give the symbol of a layout: PDF417 of so many columns for the 1998 marks, Data Matrix for IMI."""
    return pdf417(payload, columns=columns) if layout_id.startswith("ibi") else data_matrix(payload)


@cites("P050-4.2", "P050-4.4", "P050-4.12")
def prove(job: Mapping[str, Any], stationery: Stationery) -> None:
    """Lint every page of a job with a stand-in for its symbol. Raises `RefusedOnGrounds` (page.lints)."""
    for page in stand_ins(job, stationery, range(1, len(job["pieces"]) + 1)):
        require(page, stationery.rules, stationery.day)


def stand_ins(job: Mapping[str, Any], stationery: Stationery, numbers: Iterable[int]) -> Iterator[Page]:
    """Give the pages of a job that was not evidenced, with a stand-in for its symbol that no verifier reads."""
    stand_in = STAND_IN[: layout(stationery.layout).length]
    for piece, number in zip(job["pieces"], numbers, strict=True):
        yield _page(job, piece, stand_in, number, stationery)


def proofs(
    job: Mapping[str, Any], stationery: Stationery, numbers: Iterable[int], *, zones: bool = False
) -> Iterator[Page]:
    """Give the pages of a job as `pages` will, each piece marked as a proof, with a stand-in for its symbol.

    `zones` shows what the rule and the reading machines reserve; a proof alone may bear it.
    """
    made = (marked(page) for page in stand_ins(job, stationery, numbers))
    if zones:
        made = (overlay(page, zones_of(page, stationery.rules, stationery.day)) for page in made)
    yield from impose(made, stock(job["stock"]), start=job["start"]) if job.get("stock") else made


@cites("P050-4.2", "P050-4.4", "P050-4.12")
def faults(job: Mapping[str, Any], stationery: Stationery) -> list[tuple[int, TowncircleError]]:
    """Lint every page of a job as `prove` does; give the place (from 0) of each piece that has faults, and the faults.

    A piece whose words do not fit is one of them.
    """
    stand_in = STAND_IN[: layout(stationery.layout).length]
    found: list[tuple[int, TowncircleError]] = []
    for place, piece in enumerate(job["pieces"]):
        try:
            require(_page(job, piece, stand_in, place + 1, stationery), stationery.rules, stationery.day)
        except (Refused, BadInput) as error:
            found.append((place, error))
    return found


def pages(job: Mapping[str, Any], stationery: Stationery) -> Iterator[Page]:
    """Give the pages of an evidenced or released job, in the order of its pieces, on the sheets of its label stock."""
    made = _pages(job, stationery)
    yield from impose(made, stock(job["stock"]), start=job["start"]) if job.get("stock") else made


def _pages(job: Mapping[str, Any], stationery: Stationery) -> Iterator[Page]:
    payloads = [bytes.fromhex(indicium) for indicium in job["indicia"]] or [b""] * len(job["pieces"])
    for piece, payload, number in zip(job["pieces"], payloads, numbers_of(job), strict=True):
        yield _page(job, piece, payload, number, stationery)


def _page(
    job: Mapping[str, Any], piece: Mapping[str, Any], payload: bytes, number: int, stationery: Stationery
) -> Page:
    form = form_of(job)
    if form == POSTAGE:
        without = job.get("without", ())
        if "return-address" in without:
            stationery = replace(stationery, sender=None)
        return compose(piece, payload, number, stationery, None if "art" in without else art_of_job(job))
    return compose_correction(piece, payload, stationery, form=form)
