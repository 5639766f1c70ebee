"""Classes of mail from the mail room to the verifier: what may be paid so, at which rate, and what it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from tests.conformance.breaking import refused as breaks
from tests.journeys.stories import HARBOR, mailer, new_world
from tests.journeys.updates import published

from towncircle.auditor import audit
from towncircle.kernel.errors import BadInput, RefusedOnGrounds
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.licensee import rates, zoning
from towncircle.licensee.corrections import Shortpaid
from towncircle.licensee.looks import Look
from towncircle.licensee.pricing import Claim, claim_of, price_for
from towncircle.licensee.rehearsing import rehearse
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.address_files import public_addresses
from towncircle.mailpiece.tariff import Table, known_tables
from towncircle.verification import Observed
from towncircle.world import labels, printing, verifying
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys

PDF = ("pdf",)
TO = replace(public_addresses()[0], shape=None, weight_oz=Fraction(32))
PRIORITY = Claim(mail_class="priority", price_type="commercial", zone="5")
EXPRESS = Claim(mail_class="express", price_type="retail", zone="5", accept_low=True)
STOCK = "roll-4x6"
STANDARD = Claim(mail_class="standard", price_type="commercial", level="5-digit", mailing_pieces=200)


def look_of(claim: Claim) -> Look:
    """Print a parcel on an approved label, and a letter on its envelope."""
    return Look() if claim is STANDARD else Look(stock=STOCK)


def specimen_of(series: str, first: date, last: date, *, old: str) -> Table:
    """Give the known prices of a day once more, as a specimen of no post's for other days."""
    known = next(one for one in known_tables() if (one.series, one.id) == (series, old))
    return replace(known, id="specimen", in_force_from=first, in_force_through=last, dates_from="a specimen for tests")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Journeys, Path]]:
    folder = tmp_path_factory.mktemp("claims")
    world = new_world(folder / "world")
    labels.approve(world, stock=STOCK, form="label4x6", reference="MTM-L-1")
    yield mailer(world, deposit=300, reset=200), folder
    world.close()


@pytest.mark.shows("PRE-14/2", "P050-1.4/2")
def test_priority_express_and_standard_mail_are_priced_printed_and_verified(room: tuple[Journeys, Path]) -> None:
    journeys, out = room
    day = journeys.today()
    late = "a specimen table for this test"
    table = specimen_of("express-retail", day, date(2026, 12, 31), old="2025-10-05")
    assert published(journeys.world, table, late=late) == 1
    journeys.contact()
    light = replace(TO, weight_oz=Fraction(1))
    printed = {}
    for claim, to, category in ((PRIORITY, TO, "PCPC"), (EXPRESS, TO, "ECPR"), (STANDARD, light, "SCL5")):
        done = printing.print_job(
            journeys, (to,), out / claim.mail_class, formats=PDF, claim=claim, look=look_of(claim)
        )
        (piece,) = done.job.body["pieces"]
        assert (piece["category"], claim_of(piece)) == (category, replace(claim, zone_declared=bool(claim.zone)))
        (mark,) = verifying.marks_of(out / claim.mail_class / "envelopes.pdf")
        verdict = verifying.verify(mark, journeys.world, observed=Observed(weight_tenths=10)).verdict
        assert (verdict.verdict, verdict.finding("piece.class").ok) == ("VALID", True)
        printed[claim.mail_class] = Mills(piece["amount"])
    assert printed["priority"] == Mills.parse("14.02")
    assert printed["standard"] == Mills.parse("0.395")


@pytest.mark.requirement("PRE-14/2", "P050-1.4/2")
def test_what_an_indicium_may_not_pay_is_neither_priced_nor_printed(room: tuple[Journeys, Path]) -> None:
    journeys, out = room
    before = journeys.status().registers
    light = replace(TO, weight_oz=Fraction(1))
    presorted = Claim(price_type="commercial", level="5-digit", mailing_pieces=500)
    with breaks("P050-1.4", "mailroom.prices-unknown"):
        printing.print_job(journeys, (light,), out, formats=PDF, claim=presorted)
    for shape in ("letter", "flat", "parcel"):
        with breaks("P050-1.4", "mailroom.prices-unknown"):
            printing.print_job(
                journeys, (replace(light, shape=shape),), out, formats=PDF, claim=Claim(mail_class="periodicals")
            )
    letter = replace(TO, shape="letter")
    with breaks("PRE-14", "mailroom.prices-unknown"):
        printing.print_job(journeys, (letter,), out, formats=PDF, claim=PRIORITY)
    assert journeys.status().registers == before


@pytest.mark.shows("P050-4.6/2", "P050-4.6/3", "P050-4.8/1")
def test_standard_mail_that_shows_its_month_is_printed_and_judged_by_month_or_redate(
    room: tuple[Journeys, Path],
) -> None:
    journeys, out = room
    light, look = (replace(TO, weight_oz=Fraction(1)),), Look(month_only=True)
    done = printing.print_job(journeys, light, out / "month", formats=PDF, claim=STANDARD, look=look)
    (mark,) = verifying.marks_of(done.pdf)
    day = date.fromisoformat(done.job.body["mailing_date"])
    now = journeys.world.clock.now()
    for days, redate, well in ((0, None, True), (20, None, False), (20, day + timedelta(days=20), True)):
        seen = Observed(month_only=True, redate=redate)
        verdict = verifying.verify(mark, journeys.world, at=now.plus(days=days), observed=seen).verdict
        assert (verdict.finding("date.month-only").ok, not verdict.faults()) == (True, well), (days, verdict.faults())


def test_a_shortpaid_parcel_gets_exactly_what_it_lacks_and_more_only_for_a_reason(room: tuple[Journeys, Path]) -> None:
    journeys, out = room
    done = printing.print_job(journeys, (TO,), out / "parcel", formats=PDF, claim=PRIORITY, look=look_of(PRIORITY))

    def correct(**more: object) -> Mills:
        order = {
            "job": JobId(done.job.key),
            "mailing_date": journeys.today(),
            "weight_oz": Fraction(64),
            "stock": STOCK,
        }
        made = printing.correct_job(journeys, Shortpaid(**order, **more), out / "more", formats=PDF)  # type: ignore[arg-type]  # by name
        return made.total

    due = price_for("parcel", Fraction(64), day=journeys.today(), claim=PRIORITY).amount
    lacks = due - Mills(done.job.body["total"])
    for amount, code in (
        (lacks - Mills(1), "mailroom.correction-short"),
        (lacks + Mills(1), "mailroom.correction-over"),
    ):
        with pytest.raises(RefusedOnGrounds) as refusal:
            correct(amount=amount)
        assert [ground.code for ground in refusal.value.grounds] == [code]
    assert correct() == lacks
    with pytest.raises(RefusedOnGrounds):  # it lacks nothing any more
        correct()


def test_a_month_is_rehearsed_under_a_table_and_nothing_is_written(room: tuple[Journeys, Path]) -> None:
    journeys, out = room
    for claim in (PRIORITY, STANDARD):
        to = replace(TO, weight_oz=Fraction(32 if claim is PRIORITY else 1))
        printing.print_job(journeys, (to, to), out / "month", formats=PDF, claim=claim, look=look_of(claim))
    old = next(one for one in known_tables() if one.series == "priority-commercial")
    dearer = tuple(replace(line, amount=line.amount + Mills(250)) for line in old.lines if line.amount is not None)
    table = replace(old, id="new", in_force_from=date(2026, 12, 1), in_force_through=date(2026, 12, 31), lines=dearer)
    with journeys.world.store(journeys.licensee).reading() as view:
        before = [row.version for row in view.find("job")]
        done = rehearse(view, HARBOR, table, first=date(2026, 11, 1), last=date(2026, 11, 30))
        assert rehearse(view, HARBOR, table, first=date(2026, 10, 1), last=date(2026, 10, 31)).pieces == ()
        assert [row.version for row in view.find("job")] == before
    for one in done.pieces:
        if one.category == "PCPC":
            assert one.cost == one.paid + Mills(250)
        elif one.category == "SCL5":
            assert one.cost == one.paid
    known = [one for one in done.pieces if one.cost is not None]
    assert done.cost - done.paid == Mills(250) * sum(one.category == "PCPC" for one in known)
    assert all(one.why for one in done.unknown)


def test_the_auditor_finds_nothing_in_a_world_of_many_classes(room: tuple[Journeys, Path]) -> None:
    journeys, out = room
    journeys.world.deliver()
    export(journeys.world, out / "export")
    report = audit(out / "export", root=journeys.world.config.root)
    assert [str(one) for one in report.differences] == []


def test_every_parcel_of_a_job_is_paid_by_its_own_zone(room: tuple[Journeys, Path]) -> None:
    journeys, out = room
    claim, near = replace(PRIORITY, zone=""), TO
    far = replace(TO, address=replace(TO.address, zip5="60604", city="Chicago", state="IL"))
    with pytest.raises(RefusedOnGrounds) as refusal:  # no chart: an estimate, which is low and was not accepted
        journeys.plan((near, far), claim=claim, look=look_of(claim))
    assert {ground.params["next"] for ground in refusal.value.grounds} == {
        "Ask the post office for the price, or take it as it is with --accept-low-confidence."
    }
    cells = [{"ZipCodes": zips, "Zone": zone, "MailService": ""} for zips, zone in (("202", "1"), ("606", "5"))]
    sheet = {"ZIPCodeError": "", "PageError": "", "EffectiveDate": "October 1, 2026", "Column0": cells}
    chart = json.dumps(sheet | {"Column1": [], "Column2": [], "Column3": []}).encode()
    assert journeys.do(lambda ctx: zoning.take(ctx, data=chart, origin="20260")).key == "202 2026-10-01"
    assert journeys.do(lambda ctx: zoning.take(ctx, data=chart, origin="20260")).version == 1
    with pytest.raises(BadInput):
        journeys.do(lambda ctx: zoning.take(ctx, data=chart.replace(b'"5"', b'"6"'), origin="20260"))
    done = printing.print_job(journeys, (near, far), out / "zones", formats=PDF, claim=claim, look=look_of(claim))
    paid = [(claim_of(piece).zone, Mills(piece["amount"])) for piece in done.job.body["pieces"]]
    day = journeys.today()
    due = [(zone, price_for("parcel", Fraction(32), day=day, claim=replace(claim, zone=zone)).amount) for zone in "15"]
    assert paid == due
    with breaks("P050-1.5", "mailroom.prices-unknown"):  # one zone is not the zone of both
        journeys.plan((near, far), claim=PRIORITY, look=look_of(claim))


def test_a_table_that_comes_between_plan_and_signature_stops_the_job(room: tuple[Journeys, Path]) -> None:
    journeys, _ = room
    before, light = journeys.status().registers, replace(TO, weight_oz=Fraction(1), shape="letter")
    job = journeys.plan((light,))
    day = journeys.today()
    old = next(one for one in known_tables() if one.name == "first-class 2026-07-12")
    lines = tuple(replace(line, amount=line.amount + Mills(10)) for line in old.lines if line.amount is not None)
    dearer = replace(old, id="dearer", in_force_from=day, lines=lines)
    record = {"number": 9, "in_force_from": day.isoformat(), "file": rate_files.write(dearer).decode()}
    journeys.do(lambda ctx: ctx.tx.put(rates.TAKEN, f"{HARBOR} 000009", record, owner=HARBOR, expected=0))
    with breaks("P050-1.5", "mailroom.prices-changed"):
        journeys.evidence(job)
    assert journeys.status().registers == before
    assert journeys.open_jobs() == []
    again = journeys.evidence(journeys.plan((light,)))
    assert Mills(again.body["total"]) == Mills.parse("0.79")
