"""Date corrections, postage corrections and reprints, from the mail room to the scanner and the auditor."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import ANNEX, HARBOR, REGIMES, mailer, new_world

from towncircle.auditor import audit
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.licensee.corrections import MAX_REASON, Redate, Shortpaid
from towncircle.mailpiece.address_files import public_addresses
from towncircle.mailpiece.lints import lint
from towncircle.verification import Observed
from towncircle.world import printing, verifying
from towncircle.world.exporting import export
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import World

PEOPLE = public_addresses()[:3]
PDF = ("pdf",)
TWO_OZ = Fraction(2)


class Room:
    """A mail room that has printed three pieces of an ounce."""

    def __init__(self, world: World, tmp_path: Path) -> None:
        self.world, self.out = world, tmp_path
        self.journeys = mailer(world, deposit=300, reset=200)
        self.first = self.print_(PEOPLE)
        self.job = JobId(self.first.job.key)
        self.day = date.fromisoformat(self.first.job.body["mailing_date"])

    def print_(self, people: Any) -> printing.Printed:
        return printing.print_job(self.journeys, people, self.out / "mail", formats=PDF)

    def redate(self, *pieces: int, days: int = 1, **more: Any) -> printing.Printed:
        order = Redate(job=self.job, mailing_date=self.day + timedelta(days=days), pieces=pieces)
        return printing.redate_job(self.journeys, order, self.out / "redo", formats=more.get("formats", PDF))

    def correct(self, *pieces: int, **more: Any) -> printing.Printed:
        formats = more.pop("formats", PDF)
        order = Shortpaid(**{"job": self.job, "mailing_date": self.journeys.today(), "pieces": pieces, **more})
        return printing.correct_job(self.journeys, order, self.out / "more", formats=formats)

    def facts(self, kind: str) -> list[dict[str, Any]]:
        with self.world.store(self.journeys.licensee).reading() as view:
            return [dict(fact.body) for fact in view.facts() if fact.type == kind]

    def row(self, job: str) -> Any:
        with self.world.store(self.journeys.licensee).reading() as view:
            return view.get("job", job)

    def audited(self) -> Any:
        self.world.deliver()
        export(self.world, self.out / "export")
        report = audit(self.out / "export", root=self.world.config.root)
        shutil.rmtree(self.out / "export")
        assert [str(one) for one in report.differences] == []
        return report

    def money(self) -> tuple[Mills, Mills, int]:
        registers = self.journeys.status().registers
        return registers.ascending, registers.descending, registers.pieces


@pytest.fixture(params=REGIMES)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    world = new_world(tmp_path / "world", request.param)
    yield Room(world, tmp_path)
    world.close()


@pytest.fixture
def today(tmp_path: Path) -> Iterator[Room]:
    world = new_world(tmp_path / "world")
    yield Room(world, tmp_path)
    world.close()


@contextmanager
def refused(*codes: str, kind: type[BadInput | Refused] = Refused) -> Iterator[pytest.ExceptionInfo[Any]]:
    """Expect a refusal by its code, and by the codes of its grounds."""
    with pytest.raises(kind) as caught:
        yield caught
    grounds = caught.value.grounds if isinstance(caught.value, RefusedOnGrounds) else ()
    assert [caught.value.code, *(ground.code for ground in grounds)] == list(codes)
    assert caught.value.clause
    assert caught.value.next_step


# ---- REDATE


@cites("P050-4.8", "PRE-21")
def test_a_redate_is_printed_without_fim_symbol_or_debit_and_recorded(room: Room) -> None:
    room.world.advance("1d")
    before = room.money()
    done = room.redate(1, 3, formats=("pdf", "png"))
    assert room.money() == before
    assert (done.total, done.form, done.pdf.name) == (ZERO, "redate", "redates.pdf")
    assert [path.name for path in done.pictures] == ["000001.png", "000003.png"]
    for path in done.pictures:
        assert [mark.payload for mark in verifying.marks_of(path)] == [None]
    (fact,) = room.facts("date.corrected")
    printed, day = room.day.isoformat(), (room.day + timedelta(days=1)).isoformat()
    assert fact == {
        "device": room.journeys.device,
        "of": room.job,
        "count": 2,
        "printed_date": printed,
        "mailing_date": day,
    }
    assert room.row(done.job.key).body["state"] == "printed"
    assert set(room.row(room.job).body["redates"]) == {"0", "2"}
    assert room.audited().checked["corrections"] == 1


@cites("P050-4.8")
def test_a_redate_page_says_its_words_and_passes_every_lint(room: Room) -> None:
    from towncircle.licensee import envelopes

    room.world.advance("1d")
    done = room.redate(2)
    stationery = room.journeys.stationery(done.job)
    (page,) = envelopes.pages(done.job.body, stationery)
    assert lint(page, room.world.rules, stationery.day) == ()
    words = [getattr(element, "text", "") for element, _ in page.boxed]
    day = room.day + timedelta(days=1)
    assert {"REDATE", str(day.year), f"{day:%b}".upper() + f" {day.day}", "20260"} <= set(words)
    assert not page.having("symbol", "fim", "imb", "amount", "category", "recipient")
    assert page.side == "nonaddress"


@cites("P050-4.8")
def test_only_an_older_date_is_corrected_and_a_piece_bears_one_redate(today: Room) -> None:
    with refused("mailroom.not-redatable", *["mailroom.redate-not-later"] * 3):
        today.redate(days=0)
    today.world.advance("1d")
    today.redate(1)
    today.redate(1)  # the same date again: the paper jammed
    with refused("mailroom.not-redatable", "mailroom.redated-already"):
        today.redate(1, 2, days=2)
    assert len(today.facts("date.corrected")) == 2
    today.redate(2, 3, days=2)
    today.audited()


@cites("P050-4.7", "P050-4.8")
def test_the_date_of_a_redate_is_that_of_deposit_or_of_the_next_collection(today: Room) -> None:
    today.world.advance("9d")
    for days in (8, 13):
        with refused("mailroom.date-refused"):
            today.redate(days=days)
    today.redate(1, days=9)
    today.redate(2, days=12)
    assert today.journeys.open_jobs() == []


@pytest.mark.parametrize(
    ("office", "before", "after"),
    [
        ("96813", "2026-11-24T09:59:59Z", "2026-11-24T10:00:00Z"),  # midnight of Honolulu
        ("96910", "2026-11-24T13:59:59Z", "2026-11-24T14:00:00Z"),  # and of Guam
        ("20260", "2026-11-24T04:59:59Z", "2026-11-24T05:00:00Z"),
    ],
)
@cites("P050-4.7", "P050-4.8")
def test_the_day_of_a_redate_turns_at_midnight_of_the_licensing_office(
    office: str, before: str, after: str, tmp_path: Path
) -> None:
    from towncircle.kernel.instants import Instant
    from towncircle.world.config import STARTS

    world = new_world(tmp_path / "world")
    start = Instant.parse(STARTS["imi-2024"])
    journeys = Journeys(world)
    journeys.apply(Applicant(office_zip=office), provider=HARBOR)
    journeys.lease()
    journeys.deposit(Mills.dollars(300))
    journeys.reset(Mills.dollars(200))
    done = printing.print_job(journeys, PEOPLE, tmp_path / "mail", formats=PDF)
    first = date.fromisoformat(done.job.body["mailing_date"])
    seconds = (Instant.parse(before) - start) // 1_000_000
    world.advance(f"{seconds}s")
    last_of_day = journeys.today()
    world.advance("1s")
    assert world.clock.now() == Instant.parse(after)
    assert journeys.today() == last_of_day + timedelta(days=1)
    order = Redate(job=JobId(done.job.key), mailing_date=last_of_day)
    with pytest.raises(Refused, match=r"mailroom\.(date-refused|not-redatable)"):
        printing.redate_job(journeys, order, tmp_path / "redo", formats=PDF)
    order = Redate(job=JobId(done.job.key), mailing_date=last_of_day + timedelta(days=1))
    assert order.mailing_date > first
    printing.redate_job(journeys, order, tmp_path / "redo", formats=PDF)
    world.close()


@cites("P050-4.8")
def test_an_observed_redate_replaces_the_date_of_the_indicium_at_the_scanner(today: Room) -> None:
    today.world.advance("31d")
    today.journeys.contact()
    done = today.redate(1, days=31)
    mark = next(verifying.marks_of(today.first.pdf))
    stale = verifying.verify(mark, today.world).verdict
    assert (stale.verdict, stale.disposition, stale.finding("date.stale").ok) == ("VALID", "hold", False)
    (back,) = verifying.marks_of(done.pdf)  # the words of its page are read
    assert (back.payload, back.redate) == (None, today.day + timedelta(days=31))
    now = today.world.clock.now()
    both, _ = verifying.verify_piece([mark, back], today.world, at=now, observed=Observed())
    assert (both.verdict, both.disposition) == ("VALID", "accept with notes")
    elsewhere = Observed(redate=today.day)  # what an officer saw goes before what was read
    assert verifying.verify_piece([mark, back], today.world, at=now, observed=elsewhere)[0].disposition == "hold"
    seen = Observed(redate=today.day + timedelta(days=31))
    fresh = verifying.record(mark, today.world, site="here", observed=seen).verdict
    assert (fresh.disposition, fresh.finding("date.stale").ok) == ("accept with notes", True)
    assert fresh.finding("date.redate").ok is None
    with today.world.store("postal.usps").reading() as view:
        (fact,) = [fact for fact in view.facts() if fact.type == "scan.recorded"]
    assert fact.body["redate"] == (today.day + timedelta(days=31)).isoformat()
    today.audited()


def test_a_redate_whose_day_passed_before_it_was_released_comes_to_nothing(today: Room) -> None:
    today.world.advance("1d")
    job = today.journeys.plan_redate(Redate(job=today.job, mailing_date=today.day + timedelta(days=1)))
    assert [row.key for row in today.journeys.open_jobs()] == [job]
    today.world.advance("1d")
    with refused("mailroom.date-refused"):
        printing.finish_job(today.journeys, job, today.out / "late", formats=PDF)
    assert today.row(job).body["state"] == "given up"
    assert today.facts("date.corrected") == []
    today.redate(days=2)
    today.audited()


# ---- postage correction


@cites("P050-1.6", "P050-4.9", "PRE-21")
def test_a_correction_pays_exactly_what_the_piece_lacks_and_both_indicia_pay_it(room: Room) -> None:
    ascending, descending, count = room.money()
    done = room.correct(1, weight_oz=TWO_OZ, formats=("pdf", "png"))
    lacks = done.total
    assert lacks > ZERO
    assert room.money() == (ascending + lacks, descending - lacks, count + 1)
    (piece,) = done.job.body["pieces"]
    assert piece["due"] - piece["paid"] == piece["amount"] == lacks
    (fact,) = room.facts("postage.corrected")
    assert fact == {
        "device": room.journeys.device,
        "of": room.job,
        "count": 1,
        "total": int(lacks),
        "overpaid": 0,
    }
    assert room.row(room.job).body["additions"] == {"0": [[done.job.key, int(lacks)]]}
    (back,) = verifying.marks_of(done.pictures[0])
    front = next(verifying.marks_of(room.first.pdf))
    observed = Observed(amount_due=Mills(piece["due"]))
    now = room.world.clock.now()
    whole, marks = verifying.verify_piece([front, back], room.world, at=now, observed=observed)
    assert (whole.verdict, whole.paid, [one.ok for one in whole.findings]) == (
        "VALID",
        Mills(piece["due"]),
        [True, True, True],
    )
    assert [one.verdict.finding("value.due").ok for one in marks] == [True, True]
    alone = verifying.verify(front, room.world, observed=observed).verdict
    assert (alone.finding("value.due").ok, alone.disposition) == (False, "hold")
    room.audited()


@cites("P050-4.9")
def test_a_correction_page_bears_everything_but_the_fim(room: Room) -> None:
    from towncircle.licensee import envelopes

    done = room.correct(1, weight_oz=TWO_OZ)
    stationery = room.journeys.stationery(done.job)
    (page,) = envelopes.pages(done.job.body, stationery)
    assert lint(page, room.world.rules, stationery.day) == ()
    assert page.side == "nonaddress"
    assert not page.having("fim", "imb", "recipient", "sender")
    for role in ("place", "date", "amount", "device", "category", "symbol", "specimen"):
        assert page.having(role), role


@cites("P050-4.9", "P050-1.5")
@pytest.mark.parametrize(
    ("order", "codes"),
    [
        ({}, ("mailroom.not-correctable", "mailroom.not-shortpaid")),
        ({"due": Mills(780)}, ("mailroom.not-correctable", "mailroom.not-shortpaid")),
        ({"due": Mills(779)}, ("mailroom.not-correctable", "mailroom.not-shortpaid")),
        ({"due": Mills(779), "reason": "to be sure"}, ("mailroom.not-correctable", "mailroom.not-shortpaid")),
        ({"due": Mills(781), "amount": Mills(2)}, ("mailroom.not-correctable", "mailroom.correction-over")),
        ({"due": Mills(782), "amount": Mills(1)}, ("mailroom.not-correctable", "mailroom.correction-short")),
        (
            {"due": Mills(782), "amount": Mills(1), "reason": "thrift"},
            ("mailroom.not-correctable", "mailroom.correction-short"),
        ),
    ],
)
def test_a_correction_that_is_not_the_difference_is_refused_and_nothing_moves(
    today: Room, order: dict[str, Any], codes: tuple[str, ...]
) -> None:
    before, facts = today.money(), today.facts("print.planned")
    with refused(*codes):
        today.correct(1, **order)
    assert (today.money(), today.facts("print.planned")) == (before, facts)
    assert today.journeys.open_jobs() == []
    assert "additions" not in today.row(today.job).body


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"due": ZERO}, "mailroom.amount-zero"),
        ({"due": Mills(-1)}, "mailroom.amount-zero"),
        ({"due": Mills(900), "amount": ZERO}, "mailroom.amount-zero"),
        ({"due": Mills(900), "amount": Mills(-120)}, "mailroom.amount-zero"),
        ({"due": Mills(100_001)}, "mailroom.amount-over-limit"),
        ({"due": Mills(900), "amount": Mills(100_001), "reason": "x"}, "mailroom.amount-over-limit"),
        ({"due": Mills(900), "reason": " "}, "mailroom.reason-unfit"),
        ({"due": Mills(900), "reason": "a\nb"}, "mailroom.reason-unfit"),
        ({"due": Mills(900), "reason": "x" * (MAX_REASON + 1)}, "mailroom.reason-unfit"),
        ({"pieces": (4,), "due": Mills(900)}, "mailroom.no-such-piece"),
        ({"pieces": (0,), "due": Mills(900)}, "mailroom.no-such-piece"),
        ({"pieces": (1, 1), "due": Mills(900)}, "mailroom.no-such-piece"),
    ],
)
def test_an_order_that_makes_no_sense_is_named(today: Room, order: dict[str, Any], code: str) -> None:
    before = today.money()
    with refused(code, kind=BadInput):
        today.correct(**order)
    assert today.money() == before
    assert today.journeys.open_jobs() == []


def test_overpaying_needs_a_reason_and_is_told_to_the_auditor(today: Room) -> None:
    done = today.correct(1, due=Mills(800), amount=Mills(50), reason="The scale of the lobby drifts")
    assert done.total == Mills(50)
    (fact,) = today.facts("postage.corrected")
    assert fact["overpaid"] == 30
    assert today.row(done.job.key).body["pieces"][0]["reason"] == "The scale of the lobby drifts"
    today.audited()


def test_corrections_of_one_piece_add_up_and_none_is_paid_twice(today: Room) -> None:
    assert today.correct(1, weight_oz=TWO_OZ).total == Mills(290)
    with refused("mailroom.not-correctable", "mailroom.not-shortpaid"):
        today.correct(1, weight_oz=TWO_OZ)
    assert today.correct(1, weight_oz=Fraction(3)).total == Mills(290)
    assert [mills for _, mills in today.row(today.job).body["additions"]["0"]] == [290, 290]
    today.audited()


def test_a_correction_under_way_is_not_paid_a_second_time(today: Room) -> None:
    order = Shortpaid(job=today.job, mailing_date=today.day, pieces=(1,), weight_oz=TWO_OZ)
    job = today.journeys.plan_correction(order)
    with refused("mailroom.not-correctable", "mailroom.not-shortpaid"):
        today.correct(1, weight_oz=TWO_OZ)
    done = printing.finish_job(today.journeys, job, today.out / "more", formats=PDF)
    assert done.total == Mills(290)
    today.audited()


def test_a_correction_that_the_device_refuses_is_untied_from_its_piece(today: Room) -> None:
    order = Shortpaid(job=today.job, mailing_date=today.day, pieces=(1,), weight_oz=TWO_OZ)
    job = today.journeys.plan_correction(order)
    today.world.advance("1d")
    with refused("psd.date-refused"):
        printing.finish_job(today.journeys, job, today.out / "late", formats=PDF)
    assert today.row(job).body["state"] == "given up"
    assert today.row(today.job).body["additions"] == {"0": []}
    with today.world.store(today.journeys.licensee).reading() as view:
        (department,) = view.find("department")
    assert department.body["reserved"] == 0
    assert today.correct(1, weight_oz=TWO_OZ).total == Mills(290)
    today.audited()


def test_more_than_the_descending_register_is_refused_by_the_device_and_untied(today: Room) -> None:
    today.correct(1, due=Mills(99_000))
    today.correct(2, due=Mills(99_000))
    left = today.money()
    with refused("psd.funds-short"):
        today.correct(3, due=Mills(99_000))
    assert today.money() == left
    assert today.row(today.job).body["additions"]["2"] == []
    today.audited()


def test_a_correction_of_a_piece_that_became_a_flat_is_priced_and_laid_out_as_one(today: Room) -> None:
    done = today.correct(1, weight_oz=TWO_OZ, shape="flat")
    (piece,) = done.job.body["pieces"]
    assert piece["category"][2] == "F"
    assert piece["due"] - 780 == done.total


def test_only_evidenced_pieces_are_corrected_and_by_the_job_that_paid_them(today: Room) -> None:
    later = today.correct(1, weight_oz=TWO_OZ)
    for job, code in ((later.job.key, "mailroom.not-the-piece"), ("JOB-222222222222", "mailroom.no-such-job")):
        with refused(code):
            today.correct(1, job=job, weight_oz=TWO_OZ)
    planned = today.journeys.plan(PEOPLE)
    with refused("mailroom.no-indicium"):
        today.correct(1, job=planned, weight_oz=TWO_OZ)


def test_one_licensee_cannot_correct_the_pieces_of_another(today: Room) -> None:
    other = mailer(today.world, ANNEX, deposit=20, reset=10)
    with refused("mailroom.no-such-job"):
        other.plan_correction(Shortpaid(job=today.job, mailing_date=today.day, due=Mills(900)))
    with refused("mailroom.no-such-job"):
        other.reprint(today.job)


# ---- lints before anything is signed


def test_a_correction_whose_page_has_a_fault_is_refused_before_the_device_is_asked(
    today: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = today.world.rules.with_value("correction_bottom", "4 in")
    real = today.world.rules
    from towncircle.licensee import envelopes

    prove = envelopes.prove

    def on_the_edge(job: Any, stationery: Any) -> None:
        from dataclasses import replace

        from towncircle.mailpiece.lints import require

        for page in envelopes.pages({**job, "indicia": ["00" * 110] * len(job["pieces"])}, stationery):
            require(page, strict, stationery.day)
        prove(job, replace(stationery, rules=real))

    monkeypatch.setattr(envelopes, "prove", on_the_edge)
    before = today.money()
    with refused("page.lints", "page.lint"):
        today.correct(1, weight_oz=TWO_OZ)
    assert today.money() == before
    assert today.row(today.job).body["additions"] == {"0": []}
    assert today.journeys.open_jobs() == []


# ---- limits of a print


@cites("P050-4.7")
@pytest.mark.parametrize(("days", "well"), [(-1, False), (0, True), (3, True), (4, False)])
def test_the_host_checks_the_mailing_date_before_anything_is_reserved(today: Room, days: int, well: bool) -> None:
    before, planned = today.money(), today.facts("print.planned")
    day = today.day + timedelta(days=days)
    if well:
        printing.print_job(today.journeys, PEOPLE[:1], today.out / "again", day=day, formats=PDF)
        return
    with refused("mailroom.date-refused"):
        printing.print_job(today.journeys, PEOPLE[:1], today.out / "again", day=day, formats=PDF)
    assert (today.money(), today.facts("print.planned")) == (before, planned)


def test_the_device_holds_to_the_limit_that_its_provider_signed(today: Room) -> None:
    from towncircle.psd.commands import Evidence

    day = today.day.isoformat()
    columns = {"date": day, "category": "FCLM", "mail_service": 0, "software_id": "5443"}
    before = today.money()
    with today.world.shelf.client(today.journeys.device) as client:
        for mills, code in (
            (0, "psd.amount-zero"),
            (100_001, "psd.amount-over-limit"),
            (2**24, "psd.amount-over-limit"),
        ):
            with refused(code, kind=BadInput) as caught:
                client.evidence(Evidence.of("JOB-X", amounts=[mills], **columns))
            assert caught.value.clause.startswith("P050 1.5")
    assert today.money() == before


# ---- reprints


def test_a_reprint_is_the_same_indicium_counted_by_the_device_and_seen_by_the_provider(room: Room) -> None:
    before = room.money()
    done = printing.reprint_job(room.journeys, room.job, (3, 1), room.out / "again", formats=PDF)
    assert (done.form, done.total, done.reprints, done.pdf.name) == ("reprint", ZERO, 2, "reprints.pdf")
    assert room.money() == before
    indicia = room.first.job.body["indicia"]
    marks = list(verifying.marks_of(done.pdf))
    assert [mark.payload.hex() for mark in marks if mark.payload] == [indicia[2], indicia[0]]
    assert room.journeys.status().reprints == 2
    assert [fact["count"] for fact in room.facts("print.reprinted")] == [2]
    verifying.record(list(verifying.marks_of(room.first.pdf))[2], room.world, site="here")
    assert verifying.verify(marks[0], room.world).verdict.verdict == "DUPLICATE"
    room.journeys.contact()
    with room.world.store(HARBOR).reading() as view:
        (device,) = view.find("device")
        taken = [fact.body["reprints"] for fact in view.facts() if fact.type == "audit.taken"]
    assert (device.body["reprints"], taken[-1]) == (2, 2)
    room.audited()


def test_a_postage_correction_may_be_reprinted_and_a_redate_bears_nothing_to_count(today: Room) -> None:
    more = today.correct(1, weight_oz=TWO_OZ)
    done = printing.reprint_job(today.journeys, JobId(more.job.key), (), today.out / "again", formats=PDF)
    (mark,) = verifying.marks_of(done.pdf)
    assert mark.payload is not None
    assert [mark.payload.hex()] == more.job.body["indicia"]
    today.world.advance("1d")
    redated = today.redate(1)
    with refused("mailroom.no-indicium"):
        printing.reprint_job(today.journeys, JobId(redated.job.key), (), today.out / "no", formats=PDF)
    today.audited()
