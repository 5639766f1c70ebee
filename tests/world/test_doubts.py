"""Open jobs of which a broken device may have debited one: its registers decide, and then a person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.faults import killed as world_of
from tests.journeys.test_returning import break_down
from tests.world.batch_stories import begun
from tests.world.batch_stories import job_of as part_of

from towncircle.cli.main import main
from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import JobId
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import departments, doubts, mailroom
from towncircle.mailpiece.address_files import public_addresses
from towncircle.world import batching, evidenced
from towncircle.world.departments import Payer, set_pin
from towncircle.world.journeys import Journeys

HELD = Mills.dollars(10)
TWO = public_addresses()[:2]
PIN = "739184"


def row_of(journeys: Journeys, job: str) -> Record:
    with journeys.world.store(journeys.licensee).reading() as view:
        row = view.get("job", job)
    assert row is not None
    return row


def debited(journeys: Journeys, job: JobId) -> None:
    """Have the device evidence a job whose answer is lost."""
    with journeys.world.shelf.client(journeys.device) as client:
        mailroom._ask(client, job, row_of(journeys, job).body)


def planned(journeys: Journeys) -> tuple[JobId, JobId]:
    """Plan two jobs of one total, which two departments pay for."""
    journeys.do(lambda ctx: departments.keep(ctx, department="claims", budget=None))
    return journeys.plan(TWO), journeys.plan(TWO, payer=Payer(department="claims"))


def spent(journeys: Journeys) -> dict[str, tuple[int, int]]:
    with journeys.world.store(journeys.licensee).reading() as view:
        return {row.key: (row.body["reserved"], row.body["spent"]) for row in view.find("department")}


def authorised(journeys: Journeys, name: str) -> None:
    journeys.do(lambda ctx: persons.authorise(ctx, name=name))
    set_pin(journeys, name=name, pin=PIN)


@cites("IMI-05/3")
def test_who_may_not_print_for_a_department_decides_nothing_that_it_may_pay(journeys: Journeys) -> None:
    first, second = planned(journeys)
    total = row_of(journeys, first).body["total"]
    for name in ("ann", "cyd"):
        authorised(journeys, name)
    journeys.do(lambda ctx: departments.admit(ctx, department="claims", name="cyd", admitted=True))
    debited(journeys, second)
    break_down(journeys.world, journeys.device)
    ann = Payer(person="ann", pin=PIN)
    tries = ((second, True, ann), (first, False, ann), (second, False, ann), (first, True, ann), (first, True, Payer()))
    for job, is_lost, payer in tries:
        with pytest.raises(Refused) as caught:
            evidenced.decide(journeys, job, debited=is_lost, payer=payer, reason="the pages are hers")
        assert caught.value.code == ("department.not-admitted" if payer.person else "department.no-person")
    assert spent(journeys) == {"mailroom": (total, 0), "claims": (total, 0)}
    cyd = Payer(person="cyd", pin=PIN)  # the department of the start admits everybody
    assert evidenced.decide(journeys, second, debited=True, payer=cyd, reason="it is mine").body["state"] == "lost"
    assert spent(journeys) == {"mailroom": (total, 0), "claims": (0, total)}


@cites("IMI-05", "P050-3.3c")
def test_a_person_decides_whose_marks_a_broken_device_debited(
    journeys: Journeys, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = planned(journeys)
    total = row_of(journeys, first).body["total"]
    debited(journeys, second)
    break_down(journeys.world, journeys.device)
    for job in (first, second):
        with pytest.raises(Refused) as caught:
            journeys.evidence(job)
        assert caught.value.code == "batch.in-doubt"
        assert "department lost" in caught.value.next_step
        assert caught.value.params["jobs"] == ", ".join(sorted((first, second)))
    journeys.do(lambda ctx: persons.authorise(ctx, name="ann"))
    set_pin(journeys, name="ann", pin=PIN)
    journeys.world.close()
    (tmp_path / "pin").write_text(f"{PIN}\n")
    (tmp_path / "wrong").write_text("111222\n")
    asked = ["department", "lost", str(folder)]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["in_doubt"]
    assert {one["job"]: (one["department"], one["counted_mills"]) for one in told} == {
        first: ("mailroom", total),
        second: ("claims", total),
    }
    said = ["--person", "ann", "--reason", "its pages never came", "--json"]
    assert main([*asked, second, "--pin-from", str(tmp_path / "wrong"), *said]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "pin.wrong"
    assert main([*asked, second, "--pin-from", str(tmp_path / "pin"), *said]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == mailroom.LOST
    assert main([*asked, second, "--pin-from", str(tmp_path / "pin"), *said]) == 3  # it is decided once
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "mailroom.not-in-doubt"
    assert main(asked) == 0
    assert "No open job is in doubt" in capsys.readouterr().out
    with world_of.opened(folder) as again:
        with pytest.raises(TowncircleError):
            again.evidence(first)  # the registers say now that it was never debited
        assert row_of(again, first).body["state"] == "given up"
        assert spent(again) == {"mailroom": (0, 0), "claims": (0, total)}
        with again.world.store(again.licensee).reading() as view:
            (fact,) = [one for one in view.facts() if one.type == "evidence.decided"]
        assert (fact.subject, fact.actor, fact.body["debited"]) == (second, "ann", True)
        assert (fact.body["reason"], fact.body["mills"]) == ("its pages never came", total)
        world_of.audited(again, tmp_path / "export")


def test_registers_that_count_both_jobs_leave_no_doubt(journeys: Journeys, tmp_path: Path) -> None:
    first, second = planned(journeys)
    total = row_of(journeys, first).body["total"]
    debited(journeys, first)
    debited(journeys, second)
    break_down(journeys.world, journeys.device)
    authorised(journeys, "ann")
    for job in (second, first):
        with pytest.raises(Refused) as caught:
            evidenced.decide(journeys, job, debited=False, payer=Payer(person="ann", pin=PIN), reason="it was not")
        assert caught.value.code == "mailroom.registers-say-otherwise"
        with pytest.raises(Refused) as caught:
            journeys.evidence(job)
        assert caught.value.code == "mailroom.marks-lost"
    assert spent(journeys) == {"mailroom": (0, total), "claims": (0, total)}
    world_of.audited(journeys, tmp_path / "export")


def test_a_part_of_a_batch_is_decided_on_too_and_the_batch_ends(journeys: Journeys, tmp_path: Path) -> None:
    out = tmp_path / "out"
    name = begun(journeys, out)
    journeys.do(lambda ctx: departments.keep(ctx, department="claims", budget=None))
    single = journeys.plan(TWO[:1], payer=Payer(department="claims"))
    part = next(row for at in (1, 2, 3) if (row := part_of(journeys, name, at)).body["state"] == mailroom.WAITING)
    total = row_of(journeys, single).body["total"]
    assert part.body["total"] == total
    debited(journeys, single)
    break_down(journeys.world, journeys.device)
    with pytest.raises(Refused) as caught:
        batching.give_up(journeys, name, out)
    assert caught.value.code == "batch.in-doubt"
    journeys.do(lambda ctx: persons.authorise(ctx, name="ann"))
    set_pin(journeys, name="ann", pin=PIN)
    ann = Payer(person="ann", pin=PIN)
    evidenced.decide(journeys, part.key, debited=False, payer=ann, reason="the single one was under way")
    with pytest.raises(Refused) as caught:
        evidenced.decide(journeys, part.key, debited=True, payer=ann, reason="no, that one")
    assert caught.value.code == "mailroom.not-in-doubt"  # it is decided once
    with pytest.raises(Refused) as caught:
        journeys.evidence(single)
    assert caught.value.code == "mailroom.marks-lost"
    ended = batching.give_up(journeys, name, out).batch.body
    assert (ended["state"], ended["lost"]) == ("given up", 0)
    assert spent(journeys) == {"mailroom": (0, ended["spent"]), "claims": (0, total)}
    world_of.audited(journeys, tmp_path / "export")


def job(name: str, total: int, *, pieces: int = 1, department: str = "mailroom") -> Record:
    body = {"total": total, "pieces": [{}] * pieces, "department": department}
    return Record(kind="job", key=name, owner="device", version=1, body=body)


def test_ways_are_the_sets_of_jobs_that_are_just_what_was_counted() -> None:
    rows = [job("A", 780), job("B", 780, department="claims"), job("C", 1560, pieces=2), job("D", 1560)]

    def found(pieces: int | None, mills: int) -> list[str]:
        counted = doubts.Counted(pieces=pieces, mills=mills, before=(0, 0), descending=0)
        return ["".join(row.key for row in way) for way in doubts.ways(rows, counted)]

    assert found(1, 780) == ["A", "B"]
    assert found(2, 1560) == ["C", "AB"]
    assert found(None, 1560) == ["C", "D", "AB"]
    assert found(3, 100) == []
    assert doubts.agree([(rows[2],), (rows[3],)])  # one department, one amount: it does not matter which
    assert not doubts.agree([(rows[0],), (rows[1],)])
    assert not doubts.agree([])
    many = [job(str(at), 1) for at in range(doubts.MOST + 1)]
    counted = doubts.Counted(pieces=1, mills=1, before=(0, 0), descending=0)
    assert doubts.ways(many, counted) == []
