"""Approved label stocks, from the register to the sheet, and postage over several tapes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from tests.conformance.breaking import refused
from tests.journeys.stories import HARBOR, mailer, new_world

from towncircle.kernel.errors import BadInput, RefusedOnGrounds
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.licensee import envelopes
from towncircle.licensee import labels as known
from towncircle.licensee.corrections import Redate, Shortpaid
from towncircle.licensee.looks import Look
from towncircle.licensee.rehearsing import rehearse
from towncircle.licensee.tapes import places_of_pieces, whole_pieces
from towncircle.mailpiece.address_files import public_addresses
from towncircle.mailpiece.lints import lint
from towncircle.mailpiece.tariff import known_tables
from towncircle.paper.png import raster
from towncircle.postal import labels as register
from towncircle.symbol import read
from towncircle.wire.message import peek
from towncircle.world import labels, printing
from towncircle.world.journeys import Journeys
from towncircle.world.supervising import at_postal

PEOPLE = public_addresses()[:3]
STOCK = Look(stock="avery-5163", start=9)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journeys]:
    world = new_world(tmp_path_factory.mktemp("labels") / "world")
    yield mailer(world, deposit=300, reset=200)
    world.close()


def put_on(host: Journeys, out: Path, look: Look) -> printing.Printed:
    return printing.print_job(host, PEOPLE, out, formats=("pdf",), look=look)


def approve(host: Journeys, stock: str, form: str) -> None:
    labels.approve(host.world, stock=stock, form=form, reference="MTM-L-1")


@pytest.mark.requirement("P050-4.3")
def test_a_label_is_printed_on_approved_stock_only(host: Journeys, tmp_path: Path) -> None:
    with refused("P050-4.3", "labels.not-approved"):
        put_on(host, tmp_path, STOCK)
    with refused("P050-4.3", "person.unknown"):
        labels.approve(host.world, stock="avery-5163", form="label2x4", reference="MTM-L-1", by="clerk")
    with refused("P050-4.3", "labels.no-label"):
        approve(host, "avery-5163", "no10")
    approve(host, "avery-5163", "label2x4")
    with refused("P050-4.3", "labels.no-stock"):
        put_on(host, tmp_path, Look(form="label2x4"))
    with refused("P050-4.3", "labels.other-form"):
        put_on(host, tmp_path, Look(form="no10", stock="avery-5163"))
    with refused("P050-4.3", "labels.taken"):
        approve(host, "avery-5163", "label2x4")

    done = put_on(host, tmp_path, STOCK)  # two labels are left on the first sheet, one goes onto the second
    marks = [{found.payload for found in read(raster(done.pdf, place, dpi=200))} for place in (0, 1)]
    assert [len(found) for found in marks] == [2, 1]
    assert marks[0] | marks[1] == {bytes.fromhex(one) for one in done.job.body["indicia"]}

    labels.withdraw(host.world, stock="avery-5163", reasons="The adhesive fails.")
    with refused("P050-4.3", "labels.not-approved"):
        put_on(host, tmp_path / "more", STOCK)
    with refused("P050-4.3", "labels.taken"):
        approve(host, "avery-5163", "label2x4")


@pytest.mark.requirement("P050-4.9/5")
def test_a_postage_correction_may_stand_on_an_approved_label(host: Journeys, tmp_path: Path) -> None:
    first = printing.print_job(host, PEOPLE, tmp_path / "mail", formats=("pdf",))
    order = {"job": JobId(first.job.key), "mailing_date": host.today(), "due": Mills(2000), "pieces": (1,)}
    with refused("P050-4.9", "labels.not-approved"):
        printing.correct_job(host, Shortpaid(**order, stock="avery-5164"), tmp_path / "no", formats=("pdf",))
    approve(host, "avery-5164", "label-third")
    done = printing.correct_job(host, Shortpaid(**order, stock="avery-5164"), tmp_path / "yes", formats=("pdf",))
    assert done.job.body["pieces"][0]["on"] == "label-third"
    (found,) = read(raster(done.pdf, dpi=200))
    assert found.payload == bytes.fromhex(done.job.body["indicia"][0])


@pytest.mark.requirement("P050-4.5/7")
def test_each_tape_of_a_piece_shows_the_post_office_and_together_they_pay_for_it(
    host: Journeys, tmp_path: Path
) -> None:
    approve(host, "tape-roll", "tape")
    done = put_on(host, tmp_path, Look(stock="tape-roll", each=Mills(500)))
    tapes = [piece["tape"] for piece in done.job.body["pieces"]]
    assert tapes[:2] == [[1, 2], [2, 2]]
    due = put_on(host, tmp_path / "whole", Look(stock="tape-roll")).total
    assert done.total == due
    stationery = host.stationery(done.job)
    for page in envelopes.pages(done.job.body, stationery):
        assert [text for text in (getattr(part, "text", "") for part, _ in page.having("place")) if "DC" in text]
        assert lint(page, stationery.rules, stationery.day) == ()
    with refused("P050-4.5", "mailroom.too-many-tapes"):
        put_on(host, tmp_path, Look(stock="tape-roll", each=Mills(10)))
    with refused("P050-4.5", "mailroom.not-on-tape"):
        printing.print_job(host, PEOPLE, tmp_path, look=Look(form="no10", each=Mills(500)))


@pytest.mark.shows("P050-4.9/5")
def test_a_piece_on_several_tapes_is_corrected_and_rehearsed_as_one_piece(host: Journeys, tmp_path: Path) -> None:
    tape = Look(stock="tape-roll", each=Mills(500))
    paid = put_on(host, tmp_path, tape).job
    due = [Mills(piece["amount"]) for piece in whole_pieces(paid.body["pieces"])]
    assert len(due) == 3 < len(paid.body["pieces"])
    order = {"job": JobId(paid.key), "mailing_date": host.today(), "stock": "tape-roll"}
    with pytest.raises(RefusedOnGrounds) as refusal:
        printing.correct_job(host, Shortpaid(**order), tmp_path / "no", formats=("pdf",))
    assert [ground.params["piece"] for ground in refusal.value.grounds] == [1, 2, 3]  # pieces, not tapes
    with pytest.raises(BadInput):
        printing.correct_job(host, Shortpaid(**order, pieces=(4,)), tmp_path / "no", formats=("pdf",))
    more = Shortpaid(**order, pieces=(2,), weight_oz=Fraction(3))
    done = printing.correct_job(host, more, tmp_path / "more", formats=("pdf",)).job
    (piece,) = done.body["pieces"]
    second = places_of_pieces(paid.body["pieces"])[1][0]
    assert (piece["paid"], done.body["numbers"]) == (due[1], [paid.body["first_piece"] + second])
    assert piece["paid"] + piece["amount"] == piece["due"]
    assert "tape" not in piece
    with pytest.raises(RefusedOnGrounds):  # it lacks nothing any more
        printing.correct_job(host, more, tmp_path / "again", formats=("pdf",))
    later = Redate(job=JobId(paid.key), mailing_date=host.today() + timedelta(days=1), pieces=(2,))
    redated = printing.redate_job(host, later, tmp_path / "later", formats=("pdf",)).job
    assert redated.body["numbers"] == done.body["numbers"]
    with host.world.store(host.licensee).reading() as view:
        table = next(one for one in known_tables() if one.name == "first-class 2026-07-12")
        first, last = host.today().replace(day=1), host.today()
        told = [one for one in rehearse(view, HARBOR, table, first=first, last=last).pieces if one.job == paid.key]
    assert [(one.place, one.paid) for one in told] == [*enumerate(due, start=1)]
    assert all(one.cost == one.paid for one in told)


def test_a_register_is_published_anew_before_it_ends_and_after_a_crash(host: Journeys) -> None:
    world = host.world
    approve(host, "avery-5126", "label-half")
    at_postal(world, lambda ctx: register.withdraw(ctx, stock="avery-5126", reasons="It tears."), by=register.MANAGER)
    with refused("P050-4.3", "labels.not-approved"):  # nothing was published, as after a kill
        labels.withdraw(world, stock="avery-5126", reasons="It tears.")
    with refused("P050-4.3", "labels.not-approved"):
        labels.refresh(host)
        with world.store(host.licensee).reading() as view:
            known.approved_form(view, stock="avery-5126", on=host.today(), zone="America/New_York")
    before = peek((world.folder / labels.REGISTER).read_bytes())
    labels.renew(world)
    assert peek((world.folder / labels.REGISTER).read_bytes()).counter == before.counter
    for _ in range(66):
        world.clock.advance("70h")
    labels.renew(world)
    assert peek((world.folder / labels.REGISTER).read_bytes()).expires > before.expires
