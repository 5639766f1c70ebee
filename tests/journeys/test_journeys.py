"""Journeys A, B and C as a mailer walks them, in both regimes, and where they end in a refusal."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.journeys.stories import ANNEX, HARBOR, LAPSE, PEOPLE, REGIMES, mailer, new_world, refused, reopened

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused, RelayedRefusal
from towncircle.kernel.money import ZERO, Mills
from towncircle.world import printing, verifying
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import World


def account(world: World, journeys: Journeys) -> Mills:
    from towncircle.ledger import Books

    with world.store(HARBOR).reading() as view:
        return Books(view).balance(f"account/{journeys.licensee}")


@cites("P050-2.1", "P050-3.1", "P050-3.5a", "P050-4.1")
@pytest.mark.parametrize("regime", REGIMES)
def test_a_mailer_gets_from_an_application_to_envelopes_that_verify(regime: str, tmp_path: Path) -> None:
    world = new_world(tmp_path / "world", regime)
    journeys = Journeys(world)
    assert journeys.apply(Applicant(), provider=HARBOR).outcome == "issued"
    lease = journeys.lease()
    assert journeys.lease() == lease
    assert journeys.status().state == "authorised"
    assert journeys.deposit(Mills.dollars(300)).balance == Mills.dollars(300)
    assert journeys.reset(Mills.dollars(200)).account_balance == Mills.dollars(100)
    done = printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    assert journeys.status().registers.ascending == done.total
    assert journeys.status().registers.descending == Mills.dollars(200) - done.total
    marks = list(verifying.marks_of(done.pdf))
    assert [mark.payload.hex() for mark in marks if mark.payload] == done.job.body["indicia"]
    for mark in marks:
        first = verifying.verify(mark, world).verdict
        assert (first.verdict, first.specimen) == ("VALID", True)
        assert verifying.record(mark, world, site=verifying.DEFAULT_SITE).verdict.verdict == "VALID"
        assert verifying.verify(mark, world).verdict.verdict == "DUPLICATE"
    world.close()


@cites("IMI-01", "P050-3.4")
@pytest.mark.parametrize("regime", REGIMES)
def test_a_silent_device_locks_just_past_its_interval_and_a_contact_opens_it(regime: str, tmp_path: Path) -> None:
    world = new_world(tmp_path / "world", regime)
    journeys = mailer(world, deposit=300, reset=200)
    interval, a_moment = LAPSE[regime]
    world.advance(interval)
    assert journeys.status().state == "in service"
    world.advance(a_moment)
    with refused("psd.locked") as caught:
        printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    assert "contact" in caught.value.next_step.lower()
    with refused("psd.locked"):
        journeys.reset(Mills.dollars(1))
    assert journeys.status().state == "locked"
    assert journeys.open_jobs() == []
    journeys.contact()
    assert journeys.status().state == "in service"
    printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    world.close()


@cites("P050-3.6")
def test_a_reset_up_to_the_cap_is_given_and_one_mill_more_is_refused(world: World) -> None:
    journeys = mailer(world, deposit=600, reset=200)
    with refused("psd.over-cap") as caught:
        journeys.reset(Mills.dollars(300) + Mills(1))
    assert caught.value.clause == "P050 3.6"
    assert journeys.status().open_request == ""
    journeys.reset(Mills.dollars(300))
    assert journeys.status().registers.descending == Mills.dollars(500)
    assert account(world, journeys) == Mills.dollars(100)


@cites("P050-3.5a")
def test_a_reset_without_funds_is_refused_and_the_device_can_ask_again(world: World) -> None:
    journeys = mailer(world, deposit=100)
    with refused("ledger.insufficient-funds"):
        journeys.reset(Mills.dollars(100) + Mills(1))
    assert (journeys.status().open_request, journeys.status().registers.descending) == ("", ZERO)
    journeys.reset(Mills.dollars(100))
    assert journeys.status().registers.descending == Mills.dollars(100)
    assert account(world, journeys) == ZERO


@cites("P050-2.2")
def test_an_application_with_false_data_is_refused_with_every_ground(world: World) -> None:
    wrong = Applicant(name=" ", telephone="call me", state="NY", contact="")
    with pytest.raises(RelayedRefusal) as caught:
        Journeys(world).apply(wrong, provider=HARBOR)
    grounds = caught.value.as_dict()["grounds"]
    assert isinstance(grounds, list)
    assert [ground["code"] for ground in grounds] == [
        "postal.form-incomplete",
        "postal.form-incomplete",
        "postal.form-fictitious",
        "postal.form-fictitious",
    ]
    assert all(ground["clause"] for ground in grounds)
    with refused("world.no-license"):
        Journeys(world).lease()


@cites("P050-2.1")
def test_a_second_application_at_the_same_office_gives_the_license_held(world: World) -> None:
    journeys = Journeys(world)
    first = journeys.apply(Applicant(), provider=HARBOR)
    again = journeys.apply(Applicant(telephone="202-555-0199"), provider=HARBOR)
    assert (first.outcome, again.outcome) == ("issued", "existing")
    assert again.license == first.license
    elsewhere = journeys.apply(Applicant(office_zip="10001", zip="10001", state="NY"), provider=HARBOR)
    assert elsewhere.outcome == "issued"
    assert elsewhere.license != first.license
    other = Journeys(world, ANNEX).apply(Applicant(), provider=HARBOR)
    assert other.outcome == "issued"
    assert other.license != first.license


@cites("502.14b", "502.20j")
@pytest.mark.parametrize("known", ["the print", "a contact only"])
def test_a_device_restored_from_an_old_copy_is_frozen_at_its_next_contact(known: str, tmp_path: Path) -> None:
    folder = tmp_path / "world"
    world = new_world(folder)
    journeys = mailer(world, deposit=600, reset=200)
    device = world.shelf.folder_of(journeys.device)
    world.shelf.close()
    shutil.copytree(device, tmp_path / "copy")
    if known == "the print":
        printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    journeys.contact()
    world.close()
    shutil.rmtree(device)
    shutil.copytree(tmp_path / "copy", device)
    world = reopened(folder)
    journeys = Journeys(world)
    world.advance("5m")
    with refused("provider.frozen") as caught:
        journeys.contact()
    assert "older copy" in caught.value.sentence
    for _ in range(2):
        with refused("provider.frozen"):
            journeys.reset(Mills.dollars(50))
    with refused("provider.frozen"):
        journeys.contact()
    assert account(world, journeys) == Mills.dollars(400)
    with world.store(HARBOR).reading() as view:
        assert [fact.subject for fact in view.facts() if fact.type == "device.frozen"] == [journeys.device]
    world.close()


def test_a_deposit_whose_receipt_was_lost_is_taken_once_however_often_it_is_ordered(tmp_path: Path) -> None:
    folder = tmp_path / "world"
    mailer(new_world(folder)).world.close()
    lost = Lossy(only="bank.lockbox")
    world = reopened(folder, transport=lost.wrap)
    journeys = Journeys(world)
    with refused("transport.unreachable"):
        journeys.deposit(Mills.dollars(300))
    with refused("licensee.deposit-open"):
        journeys.deposit(Mills.dollars(400))
    world.advance("25h")
    assert journeys.deposit(Mills.dollars(300)).balance == Mills.dollars(300)
    assert account(world, journeys) == Mills.dollars(300)
    assert journeys.deposit(Mills.dollars(400)).balance == Mills.dollars(700)
    world.close()


def test_a_deposit_that_the_bank_declines_does_not_stand_in_the_way(world: World) -> None:
    journeys = mailer(world)
    with refused("bank.unknown-form"):
        journeys.deposit(Mills.dollars(300), form="gold")
    assert journeys.deposit(Mills.dollars(200)).balance == Mills.dollars(200)


def test_a_lease_goes_on_where_the_workshop_was_interrupted(world: World, tmp_path: Path) -> None:
    journeys = Journeys(world)
    journeys.apply(Applicant(), provider=HARBOR)
    half_made = world.shelf.folder_of(expected := "TC1A0000000001").with_suffix(".new")  # type: ignore[arg-type]  # a name
    half_made.mkdir(parents=True)
    (half_made / "device.sqlite").write_bytes(b"")
    assert world.shelf.devices() == []
    assert journeys.lease().device == expected
    assert world.shelf.devices() == [expected]
    assert journeys.status().state == "authorised"


def test_a_refused_print_gives_its_reservation_back_only_when_the_device_never_evidenced_it(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    job = journeys.plan(PEOPLE)
    assert journeys.status().registers.pieces == 0
    world.shelf._open[journeys.device] = Deaf(world.shelf._open[journeys.device])
    with refused("psd.unreachable"):
        journeys.evidence(job)  # the device debited, and its answer was lost
    assert [row.key for row in journeys.open_jobs()] == [job]
    done = printing.finish_job(journeys, job, tmp_path / "out", formats=("pdf",))
    assert journeys.status().registers.ascending == done.total
    with world.shelf.client(journeys.device) as client:
        assert [mark.hex() for mark in client.recover(job).indicia()] == done.job.body["indicia"]
    with pytest.raises(Refused):
        journeys.evidence(journeys.plan(PEOPLE * 200))  # more than the device holds
    assert journeys.open_jobs() == []
    with world.store(journeys.licensee).reading() as view:
        (department,) = view.find("department")
    assert (department.body["reserved"], department.body["spent"]) == (0, done.total)


class Lossy:
    """Loses one reply on its way back."""

    def __init__(self, only: str) -> None:
        self.only, self.left = only, 1

    def wrap(self, inner: object) -> Lossy:
        self.inner = inner
        return self

    def send(self, audience: str, raw: bytes) -> bytes:
        reply = self.inner.send(audience, raw)
        if audience == self.only and self.left:
            self.left -= 1
            raise Refused("transport.unreachable", audience=audience, what="the reply was lost")
        return reply


class Deaf:
    """A port whose device ends after it has done the first evidence command, before the answer is heard."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def exchange(self, command: bytes) -> bytes:
        from towncircle.psd.commands import Evidence, decode_command

        answer = self.inner.exchange(command)
        if isinstance(decode_command(command), Evidence):
            raise Refused("psd.unreachable", what="its process has ended")
        return answer

    def close(self) -> None:
        self.inner.close()
