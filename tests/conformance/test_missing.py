"""The duties about missing devices: each is broken, and the refusal names its clause."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.breaking import answered, names, refused
from tests.journeys.stories import HARBOR, MAILROOM
from tests.journeys.test_missing import PAPER, connected, custody, facts, find, lose, provider, step
from tests.parties.hand import POSTAL, Hand

from towncircle.auditor import audit
from towncircle.kernel.errors import RefusedOnGrounds
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.store import Record
from towncircle.postal import missing as office
from towncircle.provider import incidents, missing, searching
from towncircle.wire import bodies
from towncircle.wire.lost_and_stolen import MissingDevice, MonthlyFile, read, write
from towncircle.world.config import POSTAL as REGISTER
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.missing import file_of, kept, report, return_recovered
from towncircle.world.supervising import by_officer


def told(hand: Hand, **changes: object) -> bodies.MissingReport:
    fields: dict[str, object] = {
        "device": hand.world.device_of(MAILROOM),
        "event": "lost",
        "at": hand.world.clock.now(),
        "place": "mail room",
        "details": "it is gone",
        "police_reference": "",
        "police_report": b"",
        **changes,
    }
    return bodies.MissingReport(**fields)  # type: ignore[arg-type]  # each test says what is unusual


def paper(hand: Hand, **changes: object) -> bodies.IncidentReport:
    device = hand.world.device_of(MAILROOM)
    fields: dict[str, object] = {
        "report": "INC-222222222222",
        "references": "",
        "device": device,
        "license": hand.license_of(MAILROOM),
        "event": "lost",
        "determined_at": hand.world.clock.now(),
        "source": "licensee",
        "place": "mail room",
        "details": "it is gone",
        "steps": (),
        "registers": bodies.Registers(ascending=0, descending=0, pieces=0),  # type: ignore[arg-type]
        **changes,
    }
    return bodies.IncidentReport(**fields)  # type: ignore[arg-type]  # each test says what is unusual


def searched(journeys: Journeys) -> None:
    provider(journeys, searching.search, reason="letters come back")


@pytest.mark.requirement("502.24a/1", case="directory-assistance")
@pytest.mark.requirement("502.24a/2", case="post-office")
@pytest.mark.requirement("502.24a/3", case="cmls-and-mats")
@pytest.mark.requirement("502.24a/4", case="rental-agency")
@pytest.mark.requirement("502.24a/5", case="last-address")
@pytest.mark.requirement("502.24a/6", case="certified-letter")
@pytest.mark.requirement("502.24/1")
@pytest.mark.parametrize("left_out", searching.STEPS, ids=[one.name for one in searching.STEPS])
def test_a_device_is_not_lost_before_each_location_step(journeys: Journeys, left_out: searching.Step) -> None:
    searched(journeys)
    for one in searching.STEPS:
        if one is not left_out:
            step(journeys, one.name)
    with refused("502.24", "missing.steps-open") as caught:
        provider(journeys, searching.determine, event="lost")
    assert isinstance(caught.value, RefusedOnGrounds)
    (ground,) = caught.value.grounds
    answered(ground, "502.24a", "missing.step-open")
    assert ground.clause == left_out.clause
    assert custody(journeys) == "missing"


@pytest.mark.requirement("502.24a/7")
def test_a_search_does_not_end_before_the_inspection_at_a_new_address(journeys: Journeys) -> None:
    searched(journeys)
    for one in searching.STEPS:
        step(journeys, one.name, "new-address")
    with pytest.raises(RefusedOnGrounds) as caught:
        provider(journeys, searching.determine, event="lost")
    (ground,) = caught.value.grounds
    answered(ground, "502.24a", "missing.step-open")
    assert ground.clause == "502.24(a)(7)"


@pytest.mark.requirement("502.24b/1", "502.24/2", "502.20g/2")
def test_no_incident_is_reported_before_the_police_path(journeys: Journeys) -> None:
    with refused("502.24", "missing.no-incident"):
        provider(journeys, incidents.file_report)
    lose(journeys)
    with refused("502.24b", "missing.steps-open"):
        provider(journeys, incidents.file_report)
    with refused("502.24b", "missing.no-police-paper"):
        provider(journeys, missing.police, reference="26-7", document="")
    provider(journeys, missing.police, reference="26-7", document=PAPER)
    with refused("502.24b", "missing.steps-open"):
        provider(journeys, incidents.file_report)
    provider(journeys, missing.police, reference="26-7", document=PAPER, cpip="C-1")
    provider(journeys, incidents.file_report)
    assert len(kept(journeys.world).filed) == 1


@pytest.mark.requirement("502.24b/1")
def test_the_specialist_takes_a_copy_of_a_missing_device_alone_and_nobody_else_takes_it(journeys: Journeys) -> None:
    def take(by: str = "cpip", **changes: str) -> Record:
        told = {"device": device, "reference": "C-1", "document": PAPER, **changes}
        taken: Record = by_officer(journeys.world, lambda ctx: office.take_copy(ctx, **told), by=by, act="missing copy")
        return taken

    device = journeys.device
    with refused("502.24", "missing.not-registered"):
        take()
    lose(journeys)
    with refused("502.24b", "missing.no-copy"):
        take(document="")
    with refused("502.24b", "person.other-office"):
        take("inspector")
    assert take().body == take().body
    with journeys.world.store(POSTAL).reading() as view:
        copies = [fact.body["reference"] for fact in view.facts() if fact.type == "cpip.received"]
    assert copies == ["C-1"]


@pytest.mark.requirement("502.24b/2")
def test_a_replacement_is_withheld_until_the_loss_is_reported(journeys: Journeys) -> None:
    lose(journeys)
    with refused("502.24b", "missing.replacement-withheld"):
        journeys.lease()
    provider(journeys, missing.police, reference="26-7", document=PAPER)
    with refused("502.24b", "missing.replacement-withheld"):
        journeys.lease()
    provider(journeys, missing.police, reference="", document="", cpip="C-1")
    assert journeys.lease().device != ""


@pytest.mark.requirement("502.24b/1")
def test_the_specialists_receipt_is_compared_with_what_was_sent_and_comes_to_the_provider(journeys: Journeys) -> None:
    def take(document: str) -> None:
        told = {"device": journeys.device, "reference": "C-1", "document": document}
        by_officer(journeys.world, lambda ctx: office.take_copy(ctx, **told), by="cpip", act="missing copy")

    lose(journeys)
    provider(journeys, missing.police, reference="26-7", document=PAPER, cpip="C-1")
    take(PAPER)
    take("cd" * 32)  # another paper than the one that was sent
    with refused("502.24b", "missing.replacement-withheld"):
        journeys.lease()
    take(PAPER)
    with journeys.world.store(POSTAL).reading() as view:
        told = [fact.body["agrees"] for fact in view.facts() if fact.type == "cpip.received"]
    with journeys.world.store(HARBOR).reading() as view:
        kept_ = [fact.body["receipt"] for fact in view.facts() if fact.type == "cpip.receipted"]
    assert (told, kept_) == (["yes", "no", "yes"], [missing.THIS_PAPER, missing.OTHER_PAPER, missing.THIS_PAPER])
    assert journeys.lease().device != ""


@pytest.mark.requirement("502.24c/1")
def test_the_register_takes_no_find_of_a_device_that_was_not_lost(hand: Hand) -> None:
    activity = bodies.DeviceActivity(
        device=hand.world.device_of(MAILROOM),
        license=hand.license_of(MAILROOM),
        event="recovered",
        registers=bodies.Registers(ascending=0, descending=0, pieces=0),  # type: ignore[arg-type]
        at=hand.world.clock.now(),
    )
    answered(hand.say(HARBOR, POSTAL, activity), "502.24c", "missing.no-such-move")


@pytest.mark.requirement("502.24c/2")
def test_a_recovered_device_is_not_given_back_before_its_inspection(journeys: Journeys) -> None:
    lose(journeys)
    find(journeys)
    with refused("502.24c", "missing.not-inspected"):
        provider(journeys, missing.give_back, regime="imi-2024")
    with refused("502.24c", "missing.no-reading"):
        provider(journeys, missing.inspect, outcome="regular", reference="b", document="")


def replaced(journeys: Journeys) -> DeviceId:
    old = journeys.device
    lose(journeys)
    provider(journeys, missing.police, reference="26-7", document=PAPER, cpip="C-1")
    journeys.lease()
    find(journeys, old)
    return old


@pytest.mark.requirement("502.24c/3")
def test_a_recovered_balance_is_adjusted_after_the_inspection_only(journeys: Journeys) -> None:
    old = replaced(journeys)
    with refused("502.24c", "missing.not-inspected"):
        return_recovered(journeys, old)
    connected(journeys, old)
    provider(journeys, missing.inspect, device=old, outcome="regular", reference="b", document="")
    assert return_recovered(journeys, old).device == old


@pytest.mark.requirement("502.24c/4")
def test_a_device_that_was_replaced_is_checked_out_and_not_given_back(journeys: Journeys) -> None:
    old = replaced(journeys)
    connected(journeys, old)
    provider(journeys, missing.inspect, device=old, outcome="regular", reference="b", document="")
    with refused("502.24c", "missing.replaced"):
        provider(journeys, missing.give_back, device=old, regime="imi-2024")


@pytest.mark.requirement("502.24d/1", "502.8/8", "PRE-07/5")
def test_a_recovery_references_the_first_report(journeys: Journeys, hand: Hand) -> None:
    lose(journeys)
    find(journeys)
    with refused("502.24d", "missing.first-report"):
        provider(journeys, incidents.file_recovery)
    provider(journeys, incidents.file_report)
    answered(hand.say(HARBOR, POSTAL, paper(hand, event="recovered")), "502.24d", "missing.no-reference")
    other = paper(hand, event="recovered", references="INC-333333333333")
    answered(hand.say(HARBOR, POSTAL, other), "502.24d", "missing.no-reference")
    provider(journeys, incidents.file_recovery)
    assert [row.body["references"] != "" for row in kept(journeys.world).filed].count(True) == 1


@pytest.mark.requirement("502.24d/2")
def test_a_device_that_was_found_is_purged_and_a_file_that_names_it_is_a_difference(
    journeys: Journeys, hand: Hand
) -> None:
    lose(journeys)
    find(journeys)
    journeys.world.clock.advance("40d")  # without the rounds in which the month would be filed
    journeys.world.publish()
    month = incidents.month_of(journeys.world.clock.now().plus(days=-31))
    row = MissingDevice(
        device=journeys.device,
        license=hand.license_of(MAILROOM),
        status="lost",
        since=journeys.world.clock.now(),
        incident="INC-222222222222",
        new=False,
        descending_mills=0,
    )
    made = MonthlyFile(provider=HARBOR, period=month, made_at=journeys.world.clock.now(), devices=(row,), purged=0)
    answer = hand.say(HARBOR, POSTAL, bodies.LostAndStolenFile(period=month, file=write(made)))
    assert not isinstance(answer, bodies.RefusedReply), answer
    with journeys.world.store(REGISTER).reading() as view:
        found = [row.body["differences"] for row in view.find("lost-and-stolen-file") if row.body["differences"]]
        last = [fact for fact in view.facts() if fact.type == "lost-and-stolen-file.received"][-1]
    assert found == [[f"{journeys.device} is lost in the file and recovered in the register"]]
    assert last.clauses == ("502.20(k)", "502.24(d)")
    assert names(last.clauses[1], "502.24d")


@pytest.mark.requirement("502.20k")
def test_a_monthly_file_is_taken_after_its_month_once_and_whole(journeys: Journeys, hand: Hand) -> None:
    now = journeys.world.clock.now()
    early = write(MonthlyFile(provider=HARBOR, period=incidents.month_of(now), made_at=now, devices=(), purged=0))
    message = bodies.LostAndStolenFile(period=incidents.month_of(now), file=early)
    answered(hand.say(HARBOR, POSTAL, message), "502.20k", "missing.period-open")
    journeys.world.advance("40d")
    (_, first), *_ = sorted(kept(journeys.world).files, key=lambda one: one[1].key)  # sent on the first of the month
    again = bodies.LostAndStolenFile(period=first.key, file=file_of(first))
    answered(hand.say(HARBOR, POSTAL, again), "502.20k", "missing.file-twice")
    bent = bodies.LostAndStolenFile(period=first.key, file=file_of(first).replace(b"T|0|", b"T|1|"))
    answered(hand.say(HARBOR, POSTAL, bent), "502.20k", "missing.file-broken")
    assert read(file_of(first)).devices == ()


@pytest.mark.requirement("P050-2.8/3")
@pytest.mark.parametrize("details", ["", " "])
def test_the_provider_reports_what_it_knows_of_a_loss(journeys: Journeys, hand: Hand, details: str) -> None:
    lose(journeys)
    answered(hand.say(HARBOR, POSTAL, paper(hand, details=details)), "P050-2.8", "missing.no-details")
    assert kept(journeys.world).filed == []


@pytest.mark.shows("502.20g/1")
def test_a_loss_is_told_to_the_register_at_once_and_the_audit_agrees(journeys: Journeys, tmp_path: Path) -> None:
    lose(journeys)
    assert facts(journeys.world, HARBOR, "loss.reported") == [("loss.reported", journeys.device)]
    provider(journeys, missing.police, reference="26-7", document=PAPER, cpip="C-1")
    export(journeys.world, tmp_path / "out")
    assert audit(tmp_path / "out").differences == []


@pytest.mark.requirement("502.20g/1")
def test_an_incident_of_a_device_that_the_register_has_in_service_is_refused(hand: Hand) -> None:
    for row in ("502.20g", "502.24"):
        answered(hand.say(HARBOR, POSTAL, paper(hand)), row, "missing.not-registered")


@pytest.mark.requirement("P050-2.8/1")
def test_a_device_that_was_missed_is_not_used_before_it_is_back(journeys: Journeys) -> None:
    lose(journeys)
    with refused("P050-2.8", "missing.not-in-hand"):
        journeys.plan(())
    assert facts(journeys.world, REGISTER, "missing.told") == [("missing.told", journeys.device)]


@pytest.mark.requirement("P050-2.8/2")
@pytest.mark.parametrize("changes", [{"place": " "}, {"details": ""}])
def test_a_report_tells_place_and_details(hand: Hand, journeys: Journeys, changes: dict[str, str]) -> None:
    with refused("P050-2.8", "missing.no-details"):
        report(journeys, journeys.device, event="lost", **{"place": "x", "details": "y", **changes})
    for audience in (HARBOR, POSTAL):
        answered(hand.say(MAILROOM, audience, told(hand, **changes)), "P050-2.8", "missing.no-details")
    ahead = told(hand, at=hand.world.clock.now().plus(hours=1))
    answered(hand.say(MAILROOM, HARBOR, ahead), "P050-2.8", "missing.not-yet")
