"""Jobs whose answer was lost while a hybrid had two devices to give them: which of the two they are asked of."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.stories import MAILROOM, PEOPLE, mailer, refused
from tests.journeys.test_away import Serving, debited, serving
from tests.journeys.test_balances import half_of, job_of
from tests.journeys.test_returning import audited
from tests.world.batch_stories import begun

from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.ledger import LICENSEE, Books
from towncircle.licensee import departments, mailroom, promises
from towncircle.world import batching, evidenced
from towncircle.world.departments import Payer, set_pin
from towncircle.world.journeys import Journeys
from towncircle.world.notebook import NOTES, move

__all__ = ["serving"]
PIN = "739184"
ANN = Payer(person="ann", pin=PIN)


def hybrid_of(serving: Serving, *, reset: int = 100) -> tuple[Journeys, DeviceId, DeviceId]:
    """Give a licensee with a hybrid, whose half holds $50, and with two departments and a person."""
    journeys = mailer(serving.world, deposit=300, reset=reset)
    first, half = journeys.device, half_of(journeys)
    journeys.reset(Mills.dollars(50), device=half)
    journeys.do(lambda ctx: departments.keep(ctx, department="claims", budget=None))
    journeys.do(lambda ctx: persons.authorise(ctx, name="ann"))
    set_pin(journeys, name="ann", pin=PIN)
    serving.hybrid(first, half)
    return journeys, first, half


def lost_at_half(serving: Serving, journeys: Journeys) -> JobId:
    """Have the half debit a job while the first device is away; its answer is lost."""
    job = journeys.plan(PEOPLE)
    serving.away = True
    debited(journeys, job)
    serving.away = False
    return job


def in_books(journeys: Journeys, device: DeviceId) -> Mills:
    with journeys.world.store(MAILROOM).reading() as view:
        return Books(view, LICENSEE).balance(f"in-device/{MAILROOM}/{device}")


@cites("P050-3.3c")
def test_a_job_that_the_half_holds_is_not_told_as_lost_with_the_first_device(serving: Serving, tmp_path: Path) -> None:
    journeys, first, half = hybrid_of(serving)
    held = lost_at_half(serving, journeys)
    other = journeys.plan(PEOPLE)
    total = debited(journeys, other)
    serving.fail(first)
    serving.half_away = True
    with refused("transport.unreachable"):
        journeys.resume(held)
    assert job_of(journeys, held).body["state"] == promises.PLANNED  # its marks are with the half, which is away
    with refused("mailroom.marks-lost"):
        journeys.evidence(other)
    serving.half_away = False
    row = journeys.resume(held)
    assert (row.body["state"], row.body["device"]) == (mailroom.EVIDENCED, half)
    assert in_books(journeys, first) == Mills.dollars(100) - total
    assert in_books(journeys, half) == journeys.status_of(half).registers.descending
    audited(serving.world, tmp_path / "export")


@cites("IMI-05", "P050-3.3c")
def test_no_person_decides_on_a_job_that_the_half_can_give(serving: Serving) -> None:
    journeys, first, half = hybrid_of(serving)
    held = lost_at_half(serving, journeys)
    other = journeys.plan(PEOPLE, payer=Payer(department="claims"))
    debited(journeys, other)
    serving.fail(first)
    (serving.world.shelf.folder_of(first) / NOTES).unlink()  # as they are on a host elsewhere
    for away in (False, True):
        serving.half_away = away
        doubted = [] if away else [other]  # that, too, may be with a half that does not answer
        assert [row.key for row, _, _ in evidenced.in_doubt(journeys)] == doubted
        with refused("mailroom.not-in-doubt"):
            evidenced.decide(journeys, held, debited=True, payer=ANN, reason="its pages never came")
    serving.half_away = False
    assert journeys.resume(held).body["device"] == half
    assert evidenced.in_doubt(journeys) == []  # the registers of the first one leave no doubt any more
    with refused("mailroom.marks-lost"):
        journeys.evidence(other)


@cites("IMI-05", "P050-3.3c")
def test_that_one_device_did_not_debit_a_part_says_nothing_of_the_other_one(serving: Serving, tmp_path: Path) -> None:
    journeys, first, half = hybrid_of(serving)
    name = begun(journeys, tmp_path / "out")
    single = journeys.plan(PEOPLE[:1], payer=Payer(department="claims"))
    debited(journeys, single)
    serving.fail(first)
    with serving.world.store(MAILROOM).reading() as view:
        (part,) = [row for row in promises.maybe_debited(view) if row.body.get("batch") == name]
    evidenced.decide(journeys, part.key, debited=False, payer=ANN, reason="the single one was under way")
    with refused("mailroom.marks-lost"):
        journeys.evidence(single)
    move(serving.world.shelf.folder_of(first))
    total = debited(journeys, JobId(part.key))  # by the half, and the process was killed before it was written down
    ended = batching.give_up(journeys, name, tmp_path / "out").batch.body
    row: Record = job_of(journeys, JobId(part.key))
    assert (row.body["state"], row.body["device"], ended["lost"]) == (mailroom.PRINTED, half, 0)
    assert in_books(journeys, half) == journeys.status_of(half).registers.descending == Mills.dollars(50) - total
    audited(serving.world, tmp_path / "export")


@cites("P050-1.5")
def test_a_host_that_is_busy_does_not_make_the_half_pay(serving: Serving, tmp_path: Path) -> None:
    journeys, first, half = hybrid_of(serving, reset=4)
    name = begun(journeys, tmp_path / "out", pieces=5)  # 3.90 of its 4.00
    held = journeys.status_of(first).registers.descending
    single = journeys.plan(PEOPLE[:1])
    serving.busy = True
    with refused("psd.host-busy"):
        journeys.evidence(single)
    with refused("psd.host-busy"):
        batching.resume(journeys, name, tmp_path / "out")
    serving.busy = False
    assert journeys.status_of(first).registers.descending == held
    assert batching.resume(journeys, name, tmp_path / "out").batch.body["printed"] == 5
    assert journeys.status_of(half).registers.descending == Mills.dollars(50)
