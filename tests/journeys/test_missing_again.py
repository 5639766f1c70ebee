"""What is missed more than once, or on its way back: it is held, goes on when it was found, and has every paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, mailer, new_world, refused
from tests.journeys.test_examinations import no_difference
from tests.journeys.test_missing import PAPER, connected, custody, facts, find, lose, provider

from towncircle.kernel.money import Mills
from towncircle.licensee import returns
from towncircle.provider import incidents, missing, searching
from towncircle.psd.states import WITHDRAWN
from towncircle.world import returning
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.missing import kept, report
from towncircle.world.population import reconcile


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    world = new_world(tmp_path / "world")
    yield mailer(world, deposit=600, reset=200)
    world.close()


def given_back(journeys: Journeys) -> None:
    """Inspect the recovered device and give it back."""
    connected(journeys)
    provider(journeys, missing.inspect, outcome="regular", reference="b-1", document="")
    provider(journeys, missing.give_back, regime="imi-2024")
    journeys.contact()


def test_a_refused_report_puts_no_recovered_device_into_use(journeys: Journeys, tmp_path: Path) -> None:
    lose(journeys)
    find(journeys)
    words = {"place": "mail room", "details": "gone again", "police_reference": "no reference at all"}
    with refused("missing.bad-reference"):
        report(journeys, journeys.device, event="lost", **words)
    with refused("missing.not-in-hand") as told:
        journeys.reset(Mills.dollars(50))
    assert "recovered" in told.value.sentence
    given_back(journeys)
    journeys.reset(Mills.dollars(50))
    no_difference(journeys.world, tmp_path / "export")


def test_a_refused_report_of_a_device_in_use_leaves_it_in_use(journeys: Journeys) -> None:
    with refused("missing.no-incident"):
        find(journeys)
    journeys.reset(Mills.dollars(50))


@pytest.mark.parametrize("event", ["lost", "stolen"])
def test_a_recovered_device_may_be_lost_again_before_its_inspection(
    journeys: Journeys, event: str, tmp_path: Path
) -> None:
    first = lose(journeys, "lost").body["incident"]
    find(journeys)
    second = lose(journeys, event).body["incident"]
    assert (custody(journeys), second != first) == (event, True)
    assert kept(journeys.world).register[journeys.device][0] == event
    with refused("missing.not-in-hand"):
        journeys.reset(Mills.dollars(50))
    no_difference(journeys.world, tmp_path / "export")


@pytest.mark.shows("502.20g/2", "502.24d/1")
def test_each_of_two_losses_has_its_reports_the_older_first(journeys: Journeys, tmp_path: Path) -> None:
    first = lose(journeys).body["incident"]
    find(journeys)
    given_back(journeys)
    second = lose(journeys).body["incident"]
    provider(journeys, incidents.file_due)
    provider(journeys, incidents.file_due)
    assert facts(journeys.world, HARBOR, "incident.reported", "recovery.reported") == [
        ("incident.reported", journeys.device),
        ("recovery.reported", journeys.device),
    ]
    with refused("missing.steps-open"):
        provider(journeys, incidents.file_due)
    provider(journeys, missing.police, reference="26-7", document=PAPER, cpip="C-1")
    provider(journeys, incidents.file_due)
    filed = {row.key: row.body["references"] for row in kept(journeys.world).filed}
    assert {name for name, references in filed.items() if not references} == {first, second}
    assert [references for references in filed.values() if references] == [first]
    journeys.world.advance("60d")
    with journeys.world.store(HARBOR).reading() as view:
        cases = [fact.body["case"] for fact in view.facts() if fact.type == "limit.case-opened"]
    assert not {"incident report overdue", "recovery report overdue"} & set(cases)
    no_difference(journeys.world, tmp_path / "export")


def test_the_report_that_an_older_loss_lacks_is_a_case_although_a_later_one_was_filed(journeys: Journeys) -> None:
    lose(journeys)
    find(journeys)
    given_back(journeys)
    lose(journeys)
    provider(journeys, incidents.file_due)  # of the first loss
    journeys.world.advance("31d")
    with journeys.world.store(HARBOR).reading() as view:
        missed = [fact for fact in view.facts() if fact.type == "limit.missed"]
    late = [fact.body["limit"] for fact in missed if fact.body["limit"] in ("incident-report", "recovery-report")]
    assert sorted(late) == ["incident-report", "recovery-report"]


def ordered_out(journeys: Journeys) -> None:
    """Give notice of the device, so that it is on its way back and holds its balance still."""
    device = journeys.device
    journeys.do(lambda ctx: returns.begin(ctx, device=device, purpose="return", reason="no longer wanted"))
    journeys.do(lambda ctx: returns.give_notice(ctx, device=device, faulted=False))
    assert custody(journeys) == "returned"


@pytest.mark.shows("502.20g/1", "502.24c/4")
@pytest.mark.parametrize("event", ["lost", "stolen"])
def test_a_device_that_is_missed_on_its_way_back_goes_on_when_it_was_found(
    journeys: Journeys, event: str, tmp_path: Path
) -> None:
    ordered_out(journeys)
    lose(journeys, event)
    assert (custody(journeys), kept(journeys.world).register[journeys.device][0]) == (event, event)
    with refused("missing.reported"):
        returning.withdraw(journeys, reason="no longer wanted")
    find(journeys)
    connected(journeys)
    provider(journeys, missing.inspect, outcome="regular", reference="b-1", document="")
    assert custody(journeys) == "returned"
    assert returning.withdraw(journeys, reason="no longer wanted").amount == Mills.dollars(200)
    assert custody(journeys) == "checked out"
    no_difference(journeys.world, tmp_path / "export")


def test_what_a_device_gave_back_before_it_was_missed_is_credited_once_after_it_was_found(
    journeys: Journeys, tmp_path: Path
) -> None:
    ordered_out(journeys)
    world, device = journeys.world, journeys.device
    desk = world.desk(journeys.licensee)
    way, lost = desk.outbox.transport, []

    class Between:
        """Has the device missed after it gave its balance back and before its word arrives."""

        def send(self, audience: str, raw: bytes) -> bytes:
            if not lost and journeys.status().state == WITHDRAWN:
                lost.append(True)
                desk.outbox.transport = way
                lose(journeys)
            return way.send(audience, raw)

    desk.outbox.transport = Between()
    with refused("missing.reported"):
        returning.withdraw(journeys, reason="no longer wanted")
    assert (lost, custody(journeys)) == ([True], "stolen")
    find(journeys)
    connected(journeys)
    provider(journeys, missing.inspect, outcome="regular", reference="b-1", document="")
    assert returning.withdraw(journeys, reason="no longer wanted").amount == Mills.dollars(200)
    with world.store(HARBOR).reading() as view:
        assert len([fact for fact in view.facts() if fact.type == "balance.withdrawn"]) == 1
    assert custody(journeys, device) == "checked out"
    no_difference(world, tmp_path / "export")


@pytest.mark.shows("502.8/4")
def test_a_device_found_before_any_loss_was_determined_is_no_open_difference(journeys: Journeys) -> None:
    provider(journeys, searching.search, reason="letters come back")
    provider(journeys, missing.recover, place="mail room", details="behind a shelf")
    found = dict(reconcile(journeys.world))[HARBOR].differences
    assert "population.status" in [one.code for one in found]
    assert all(one.explained for one in found)
    with journeys.world.store(POSTAL).reading() as view:
        row = view.get("device", journeys.device)
    assert row is not None
    assert (row.body["status"], custody(journeys)) == ("installed", "recovered")
