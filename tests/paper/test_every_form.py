"""Every form of the catalogue bears one signed indicium, is drawn by two renderers, scanned badly, read and verified.

A device signs once for each year; its indicium is laid out on every form as the mail room does it, with every lint.
The PDF is rendered by pdfium and the SVG by resvg, which share nothing; what is read is judged like any other scan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zlib import crc32

import cv2
import numpy as np
import pytest
import resvg_py
from tests.journeys.stories import PEOPLE, mailer, new_world
from tests.journeys.test_claims import STANDARD
from tests.journeys.test_supervision import act
from tests.paper.test_forms_rendered import FONTS, Grey, scanned

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.licensee import branches, envelopes
from towncircle.licensee.corrections import Redate, Shortpaid
from towncircle.licensee.looks import Look
from towncircle.licensee.pricing import FIRST_METERED, Claim
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.forms import catalogue
from towncircle.mailpiece.geometry import Box, form
from towncircle.mailpiece.lints import lint
from towncircle.paper.pdf import to_pdf
from towncircle.paper.png import raster
from towncircle.paper.svg import render
from towncircle.postal import branches as office
from towncircle.symbol import read
from towncircle.verification import Observed
from towncircle.world import notices, printing, verifying
from towncircle.world.journeys import Journeys
from towncircle.world.world import World

FORMS = [one.key for one in catalogue()]
# Forms without a legal place for an indicium in either year, and why: a job on one is refused, and nothing is signed.
NO_PLACE = {"card-least": "0.50 in above the OCR read area, it needs 0.62 in"}
SCANS = {200: (2.0, 8), 300: (-7.0, 25), 400: (5.0, 16), 600: (3.0, 12)}  # by dpi: degrees askew, noise


class Signed(NamedTuple):
    """One indicium, and what it takes to lay it out."""

    world: World
    journeys: Journeys
    job: dict[str, Any]
    stationery: envelopes.Stationery
    payload: bytes

    def on(self, key: str) -> Page:
        found = form(key)
        shape = found.goes_on[0] if found.shape == "label" else found.shape
        piece = {**self.job["pieces"][0], "on": key, "shape": shape}
        (page,) = envelopes.pages({**self.job, "pieces": [piece]}, self.stationery)
        return page


def signed(folder: Any, regime: str) -> Signed:
    world = new_world(folder / "world", regime)
    journeys = mailer(world, deposit=100, reset=10)
    done = printing.print_job(journeys, PEOPLE[:1], folder / "out", formats=("pdf",))
    stationery = journeys.stationery(done.job)
    assert stationery.licensed is not None
    licensed = replace(stationery.licensed, label_forms=frozenset(FORMS))  # as if each stock were approved
    payload = bytes.fromhex(done.job.body["indicia"][0])
    return Signed(world, journeys, dict(done.job.body), replace(stationery, licensed=licensed), payload)


@pytest.fixture(scope="module")
def of_today(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    made = signed(tmp_path_factory.mktemp("imi"), "imi-2024")
    yield made
    made.world.close()


@pytest.fixture(scope="module")
def of_1998(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    made = signed(tmp_path_factory.mktemp("ibi"), "ibi-1998")
    yield made
    made.world.close()


def around(page: Page) -> Box:
    """Give the symbol and the quarter inch around it, in thousandths of a point from the top left."""
    ((_, box),) = page.having("symbol")
    high, wide, far = page.form.sheet.height, page.form.sheet.width, 18_000
    top, bottom = max(high - box.top - far, 0), min(high - box.bottom + far, high)
    return Box(max(box.left - far, 0), top, min(box.right + far, wide), bottom)


def by_pdfium(page: Page, dpi: int) -> Grey:
    part = around(page)
    left, top, right, bottom = (round(at * dpi / 72_000) for at in (part.left, part.bottom, part.right, part.top))
    return raster(to_pdf([page]), dpi=dpi)[top:bottom, left:right]


def by_resvg(page: Page, dpi: int) -> Grey:
    """Draw the part of the SVG; resvg reads fonts from files, under the names that stand in them."""
    part, text = around(page), render(page)
    left, top, wide, high = (at / 1000 for at in (part.left, part.bottom, part.width, part.height))
    view = f'width="{wide}pt" height="{high}pt" viewBox="{left} {top} {wide} {high}"'
    text = re.sub(r'width="[^"]+" height="[^"]+" viewBox="[^"]+"', view, text, count=1)
    text = text.replace("Towncircle Sans", "TowncircleSans").replace("Towncircle Mono", "TowncircleMono")
    data = resvg_py.svg_to_bytes(
        svg_string=text, dpi=72, zoom=dpi / 72, font_files=FONTS, skip_system_fonts=True, background="#ffffff"
    )
    return np.asarray(cv2.imdecode(np.frombuffer(bytes(data), np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


RENDERERS = (by_pdfium, by_resvg)


def prove(indicium: Signed, key: str, draws: list[tuple[Any, int]]) -> None:
    if key in NO_PLACE:
        with pytest.raises(Refused) as refusal:
            indicium.on(key)
        assert refusal.value.code == "page.no-room"
        assert NO_PLACE[key] in refusal.value.sentence
        return
    page = indicium.on(key)
    assert lint(page, indicium.stationery.rules, indicium.stationery.day) == ()
    for draw, dpi in draws:
        turn, noise = SCANS[dpi]
        found = read(scanned(draw(page, dpi), turn=turn, noise=noise, seed=dpi))
        assert [one.payload for one in found] == [indicium.payload], (key, draw.__name__, dpi)
    mark = verifying.Mark(file=f"{key}.png", page=1, payload=found[0].payload)
    verdict = verifying.verify(mark, indicium.world).verdict
    assert (verdict.verdict, verdict.disposition) == ("VALID", "accept with notes")


@pytest.mark.parametrize("key", FORMS)
def test_a_form_of_today_is_read_from_every_scan_of_either_drawing_and_verified(of_today: Signed, key: str) -> None:
    """Every form from every resolution, each drawn by the one renderer or the other, as its name draws."""
    prove(of_today, key, [(RENDERERS[(crc32(key.encode()) + at) % 2], dpi) for at, dpi in enumerate(SCANS)])


@pytest.mark.parametrize(("place", "key"), list(enumerate(FORMS)))
def test_a_form_of_1998_is_read_from_a_coarse_and_a_finer_scan_and_verified(
    of_1998: Signed, place: int, key: str
) -> None:
    one, other = (by_pdfium, by_resvg) if place % 4 < 2 else (by_resvg, by_pdfium)
    prove(of_1998, key, [(one, 200), (other, (300, 400, 600)[place % 3])])


class Special(NamedTuple):
    """A form of the indicium: how the mail room prints it, what is seen of the piece besides."""

    look: Look
    claim: Claim = FIRST_METERED
    observed: Observed = Observed()


SPECIAL = {
    "Mailed From ZIP Code": Special(Look(place="zip")),
    "a branch": Special(Look(place="branch", branch="Capitol Heights"), observed=Observed(branch="Capitol Heights")),
    "month and year": Special(Look(month_only=True), STANDARD, Observed(month_only=True)),
    "courtesy reply": Special(Look(reply=True)),
    "a marking": Special(Look(marking=True)),
}


def approve_branch(journeys: Journeys) -> None:
    asked = journeys.do(
        lambda ctx: branches.request(ctx, name="Capitol Heights", state="MD", facility="classified-branch")
    )
    told: dict[str, Any] = {"number": asked.body["license"], "branch": "Capitol Heights", "reasons": "Seen."}
    told |= {"notify": notices.give_standing, "facility": "classified-branch"}
    act(journeys.world, office.decide, approve=True, **told)
    journeys.do(lambda ctx: branches.ask(ctx, name="Capitol Heights"))


def bad_scans(page: Page, name: str) -> Iterator[Grey]:
    """Scan a page twice: once from either renderer, at resolutions that its name draws."""
    dots, drawn = list(SCANS), crc32(name.encode())
    for at, draw in enumerate(RENDERERS):
        dpi = dots[(drawn + at * (1 + drawn % 3)) % 4]
        turn, noise = SCANS[dpi]
        yield scanned(draw(page, dpi), turn=turn, noise=noise, seed=dpi)


@pytest.mark.parametrize("name", SPECIAL)
def test_a_form_of_the_indicium_is_judged_from_bad_scans(of_today: Signed, tmp_path: Any, name: str) -> None:
    journeys, special = of_today.journeys, SPECIAL[name]
    if special.look.place == "branch":
        approve_branch(journeys)
    done = printing.print_job(journeys, PEOPLE[:1], tmp_path, formats=("pdf",), look=special.look, claim=special.claim)
    (page,) = envelopes.pages(done.job.body, journeys.stationery(done.job))
    for image in bad_scans(page, name):
        (found,) = read(image)
        mark = verifying.Mark(file="scan.png", page=1, payload=found.payload)
        verdict = verifying.verify(mark, of_today.world, observed=special.observed).verdict
        assert (verdict.verdict, verdict.disposition) == ("VALID", "accept with notes")


def test_a_piece_with_its_corrections_is_judged_from_bad_scans_of_both_sides(of_today: Signed, tmp_path: Any) -> None:
    journeys, world = of_today.journeys, of_today.world
    first = printing.print_job(journeys, PEOPLE[:1], tmp_path / "front", formats=("pdf",)).job
    lacking = Shortpaid(job=JobId(first.key), mailing_date=journeys.today(), weight_oz=Fraction(2))
    more = printing.correct_job(journeys, lacking, tmp_path / "more", formats=("pdf",)).job
    due = Mills(more.body["pieces"][0]["due"])
    day = journeys.today() + timedelta(days=1)
    order = Redate(job=JobId(first.key), mailing_date=day)
    redated = printing.redate_job(journeys, order, tmp_path / "redate", formats=("pdf",)).job
    front, back, words = (next(envelopes.pages(job.body, journeys.stationery(job))) for job in (first, more, redated))
    for one, other in zip(bad_scans(front, "front"), bad_scans(back, "back"), strict=True):
        found = [*read(one), *read(other)]
        marks = [verifying.Mark(file="x", page=1, payload=symbol.payload) for symbol in found]
        observed = Observed(amount_due=due, redate=day)
        whole, each = verifying.verify_piece(marks, world, at=world.clock.now(), observed=observed)
        assert (whole.verdict, whole.paid, len(each)) == ("VALID", due, 2)
    # a REDATE shows nothing that could be taken for a mark
    grey = raster(to_pdf([words]), dpi=200)[-450:, -400:]
    assert read(scanned(grey, turn=2.0, noise=8, seed=1)) == []
