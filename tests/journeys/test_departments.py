"""Departments that ask for a PIN: who may print, how often a PIN is tried, what was used month by month."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.stories import mailer, new_world, reopened
from tests.journeys.test_examinations import no_difference
from tests.journeys.test_journeys import PEOPLE, refused

from towncircle.kernel import persons
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.licensee import departments, pins, usage
from towncircle.licensee.corrections import Shortpaid
from towncircle.world import printing
from towncircle.world.departments import Payer, prove, reset_pin, set_pin
from towncircle.world.journeys import Journeys
from towncircle.world.world import STORE

PIN, WRONG, BENS = "27182", "31415", "14142"
ANN = Payer(department="claims", person="ann", pin=PIN)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("departments") / "world"
    world = new_world(folder)
    made = mailer(world, deposit=300, reset=100)
    for name in ("ann", "ben"):
        made.do(lambda ctx, name=name: persons.authorise(ctx, name=name))
    made.do(lambda ctx: pins.set_pin(ctx, name="ann", pin=PIN))
    made.do(lambda ctx: departments.keep(ctx, department="claims", budget=Mills.dollars(5)))
    made.do(lambda ctx: departments.admit(ctx, department="claims", name="ann", admitted=True))
    world.close()
    return folder


@pytest.fixture
def journeys(template: Path, tmp_path: Path) -> Iterator[Journeys]:
    world = reopened(Path(shutil.copytree(template, tmp_path / "world")))
    yield Journeys(world)
    world.close()


def printed(journeys: Journeys, out: Path, payer: Payer) -> printing.Printed:
    return printing.print_job(journeys, PEOPLE, out, formats=("pdf",), payer=payer)


def spent(journeys: Journeys, department: str = "claims") -> Mills:
    with journeys.world.store(journeys.licensee).reading() as view:
        row = view.get("department", department)
    return Mills(row.body["spent"]) if row is not None else ZERO


def tries(journeys: Journeys, name: str = "ann") -> int:
    with journeys.world.store(journeys.licensee).reading() as view:
        row = view.get("pin", name)
    assert row is not None
    return int(row.body["tries"])


def test_who_is_admitted_prints_after_the_pin_and_nobody_else(journeys: Journeys, tmp_path: Path) -> None:
    before = journeys.status().registers
    with refused("department.pin-needed"):
        printed(journeys, tmp_path / "a", Payer(department="claims"))
    with refused("pin.none"):
        printed(journeys, tmp_path / "b", Payer(department="claims", person="ben", pin=PIN))
    with refused("pin.wrong"):
        printed(journeys, tmp_path / "c", Payer(department="claims", person="ann", pin=WRONG))
    journeys.do(lambda ctx: pins.set_pin(ctx, name="ben", pin=PIN))
    with refused("department.not-admitted"):
        printed(journeys, tmp_path / "d", Payer(department="claims", person="ben", pin=PIN))
    assert (journeys.status().registers, spent(journeys)) == (before, ZERO)
    done = printed(journeys, tmp_path / "e", ANN)
    assert (spent(journeys), done.job.body["person"]) == (done.total, "ann")
    no_difference(journeys.world, tmp_path / "export")


def test_a_proof_is_good_for_one_job(journeys: Journeys, tmp_path: Path) -> None:
    other = journeys.new(JobId.new)
    prove(journeys, ANN, job=other)
    with refused("pin.needed"):
        journeys.do(
            lambda ctx: departments.check_person(ctx, department="claims", person="ann", job=journeys.new(JobId.new))
        )
    journeys.do(lambda ctx: departments.check_person(ctx, department="claims", person="ann", job=other))


def test_a_correction_is_paid_by_the_same_department_and_asks_too(journeys: Journeys, tmp_path: Path) -> None:
    job = JobId(printed(journeys, tmp_path / "first", ANN).job.key)
    order = Shortpaid(job=job, mailing_date=journeys.today(), due=Mills.dollars(1), pieces=(1,))
    with refused("department.pin-needed"):
        printing.correct_job(journeys, order, tmp_path / "more", formats=("pdf",))
    printing.correct_job(journeys, order, tmp_path / "again", formats=("pdf",), payer=ANN)
    no_difference(journeys.world, tmp_path / "export")


def test_wrong_pins_run_out_and_the_count_outlives_a_restart(tmp_path: Path, journeys: Journeys) -> None:
    wrong = Payer(department="claims", person="ann", pin=WRONG)
    for left in range(pins.MOST_TRIES - 1, -1, -1):
        with pytest.raises(Refused, match=f"{left} more tries") as caught:
            prove(journeys, wrong, job=JobId("JOB-222222222222"))
        assert caught.value.code == "pin.wrong"
    journeys.world.close()
    again = Journeys(reopened(tmp_path / "world"))
    with refused("pin.wait"):
        prove(again, ANN, job=JobId("JOB-222222222222"))  # the right one has to wait too
    again.world.advance(f"{pins.WAIT_MINUTES * 60 - 1}s")
    with refused("pin.wait"):
        prove(again, ANN, job=JobId("JOB-222222222222"))
    again.world.advance("1s")
    with refused("pin.wrong"):
        prove(again, wrong, job=JobId("JOB-222222222222"))
    again.world.advance(f"{pins.WAIT_MINUTES}m")
    prove(again, ANN, job=JobId("JOB-222222222222"))
    assert tries(again) == 0
    again.world.close()


def test_two_callers_at_once_have_no_try_for_nothing(journeys: Journeys) -> None:
    for _ in range(2):
        journeys.do(lambda ctx: pins.begin_try(ctx, name="ann"))
    assert tries(journeys) == 2  # both stand in the store before either PIN is looked at
    job = JobId("JOB-222222222222")
    assert journeys.do(lambda ctx: pins.end_try(ctx, name="ann", pin=WRONG, job=job)) is not None
    assert journeys.do(lambda ctx: pins.end_try(ctx, name="ann", pin=PIN, job=job)) is None
    assert tries(journeys) == 0


def test_a_pin_stands_nowhere_in_words(journeys: Journeys, tmp_path: Path) -> None:
    printed(journeys, tmp_path / "out", ANN)
    assert PIN not in repr(ANN)
    with journeys.world.store(journeys.licensee).reading() as view:
        kept = repr(view.find("pin")) + repr(view.facts())
    assert PIN not in kept
    no_difference(journeys.world, tmp_path / "export")
    told = b"".join(path.read_bytes() for path in (tmp_path / "export").rglob("*.jsonl"))
    assert PIN.encode() not in told
    assert b"stretched" not in told
    assert PIN.encode() not in (journeys.world.folder / journeys.licensee / STORE).read_bytes()


def test_a_pin_is_changed_by_the_old_one_or_reset_by_another_person(journeys: Journeys) -> None:
    job = journeys.new(JobId.new)
    for old, code in (("", "pin.held"), (WRONG, "pin.wrong")):
        with refused(code):
            set_pin(journeys, name="ann", pin="31415", old=old)
    assert tries(journeys) == 1  # the old one cannot be guessed at for nothing
    set_pin(journeys, name="ann", pin="31415", old=PIN)
    with refused("pin.wrong"):
        prove(journeys, ANN, job=job)
    reset_pin(journeys, name="ben", pin=BENS, by="ann", proof="31415")  # a first PIN that somebody vouches for
    for by, proof, code in (("ann", "31415", "pin.reset-by-oneself"), ("zoe", BENS, "person.unknown")):
        with refused(code):
            reset_pin(journeys, name="ann", pin=PIN, by=by, proof=proof)
    reset_pin(journeys, name="ann", pin=PIN, by="ben", proof=BENS)
    prove(journeys, ANN, job=job)
    with journeys.world.store(journeys.licensee).reading() as view:
        told = [(fact.body["how"], fact.body["by"]) for fact in view.facts() if fact.type == "pin.set"]
    assert told == [("first", "ann"), ("changed", "ann"), ("first", "ann"), ("reset", "ben")]


def test_who_resets_a_pin_proves_it_by_the_own_one(journeys: Journeys) -> None:
    def reset(proof: str) -> None:
        reset_pin(journeys, name="ann", pin="16180", by="ben", proof=proof)

    with refused("pin.none"):  # a name is no proof
        reset(BENS)
    reset_pin(journeys, name="ben", pin=BENS, by="ann", proof=PIN)
    for _ in range(pins.MOST_TRIES):
        with refused("pin.wrong"):
            reset(WRONG)
    assert tries(journeys, "ben") == pins.MOST_TRIES
    with refused("pin.wait"):  # nor is it guessed
        reset(BENS)
    prove(journeys, ANN, job=journeys.new(JobId.new))  # the PIN of the other one is what it was
    journeys.world.advance("15m")
    reset(BENS)
    assert tries(journeys, "ben") == 0
    with refused("pin.wrong"):
        prove(journeys, ANN, job=journeys.new(JobId.new))


def test_who_has_just_given_himself_a_pin_resets_nobodys(journeys: Journeys) -> None:
    def reset(name: str = "ann") -> None:
        reset_pin(journeys, name=name, pin="16180", by="ben", proof=BENS)

    journeys.do(lambda ctx: persons.authorise(ctx, name="eve"))
    set_pin(journeys, name="ben", pin=WRONG)
    set_pin(journeys, name="ben", pin=BENS, old=WRONG)  # to change it vouches for nothing
    for name in ("ann", "eve"):
        with refused("pin.unvouched"):
            reset(name)
    assert tries(journeys, "ben") == 0
    prove(journeys, ANN, job=journeys.new(JobId.new))  # it is still ann's own
    journeys.world.advance(f"{pins.VOUCHED_DAYS * 24 - 1}h")
    with refused("pin.unvouched"):
        reset()
    journeys.world.advance("1h")
    reset()  # for a week the journal told of it


@pytest.mark.parametrize("pin", ["", "123", "1111", "12ab", "1" * 13, "١٢٣٤"])
def test_a_pin_that_is_none_is_not_set(journeys: Journeys, pin: str) -> None:
    with pytest.raises(BadInput) as caught:
        set_pin(journeys, name="ann", pin=pin, old=PIN)
    assert caught.value.code == "pin.unfit"
    with pytest.raises(BadInput):
        reset_pin(journeys, name="ben", pin=pin, by="ann", proof=PIN)
    assert tries(journeys) == 0  # none was counted: no PIN was looked at


def test_usage_is_told_by_department_and_month_with_its_trend(journeys: Journeys, tmp_path: Path) -> None:
    first = printed(journeys, tmp_path / "1", ANN).total
    journeys.world.advance("15d")
    journeys.contact()
    second = printed(journeys, tmp_path / "2", ANN).total
    printed(journeys, tmp_path / "3", Payer())
    with journeys.world.store(journeys.licensee).reading() as view:
        claims, mailroom = usage.trends(view)
        (only,) = usage.trends(view, department="claims", first="2026-12")
    assert [(month.month, month.jobs, month.pieces, month.spent, month.change) for month in claims.months] == [
        ("2026-11", 1, len(PEOPLE), first, None),
        ("2026-12", 1, len(PEOPLE), second, ZERO),
    ]
    assert (claims.average, claims.left) == (first, Mills.dollars(5) - first - second)
    assert mailroom.budget is None
    assert [month.change for month in mailroom.months] == [None, second]
    assert [month.month for month in only.months] == ["2026-12"]
    no_difference(journeys.world, tmp_path / "export")


@pytest.mark.parametrize("asked", [{"first": "2031-01"}, {"last": "1998-01"}, {"department": "nobody"}])
def test_nothing_used_is_said(journeys: Journeys, tmp_path: Path, asked: dict[str, str]) -> None:
    printed(journeys, tmp_path / "out", ANN)
    with journeys.world.store(journeys.licensee).reading() as view, refused("usage.nothing"):
        usage.trends(view, **asked)


def test_a_report_that_does_not_add_up_is_not_given(journeys: Journeys, tmp_path: Path) -> None:
    printed(journeys, tmp_path / "out", ANN)
    with journeys.world.store(journeys.licensee).transaction() as tx:
        row = tx.get("department", "claims")
        assert row is not None
        changed = {**row.body, "spent": row.body["spent"] + 1}
        tx.put("department", "claims", changed, owner="claims", expected=row.version)
    with journeys.world.store(journeys.licensee).reading() as view, pytest.raises(BrokenInvariant) as caught:
        usage.trends(view)
    assert caught.value.code == "usage.differs"


def test_a_budget_is_never_below_what_is_bound(journeys: Journeys, tmp_path: Path) -> None:
    total = printed(journeys, tmp_path / "out", ANN).total
    with refused("department.budget-bound"):
        journeys.do(lambda ctx: departments.keep(ctx, department="claims", budget=Mills(int(total) - 1)))
    journeys.do(lambda ctx: departments.keep(ctx, department="claims", budget=total))
    with refused("department.over-budget"):
        printed(journeys, tmp_path / "more", ANN)
