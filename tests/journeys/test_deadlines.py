"""Deadlines in a whole world: what is missed denies resets, is told, and falls when it is mended."""

from pathlib import Path

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, mailer, new_world, reopened

from towncircle.auditor import audit
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece.address_files import public_addresses
from towncircle.paper.png import render
from towncircle.rules import ruleset
from towncircle.world import printing
from towncircle.world.deadlines import act_on_deadlines, compare, duties_of, parties_of
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.quality import send
from towncircle.world.world import World

POSTAL = "postal.usps"
TEN = Mills.dollars(10)


@pytest.fixture
def world(tmp_path: Path):
    made = new_world(tmp_path / "world", "ibi-1998")
    yield made
    made.close()


@pytest.fixture
def journeys(world: World) -> Journeys:
    return mailer(world, deposit=300, reset=50)


def facts(world: World, party: str, kind: str, limit: str) -> list[str]:
    with world.store(party).reading() as view:
        found = [fact for fact in view.facts() if fact.type == kind and fact.body.get("limit") == limit]
    return [str(fact.body.get("to", fact.subject)) for fact in found]


def states(world: World, party: str, limit: str) -> list[str]:
    return [duty.state for duty in duties_of(world, party, as_of=world.clock.now()) if duty.limit.id == limit]


def audited(world: World, out: Path) -> None:
    export(world, out)
    assert [str(difference) for difference in audit(out).differences] == []


def test_an_overdue_audit_denies_resets_until_the_device_has_connected(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    device = journeys.device
    world.advance("3mo")
    assert facts(world, HARBOR, "resets.denied", "device-audit") == []
    world.advance("1d")
    assert facts(world, HARBOR, "resets.denied", "device-audit") == [device]
    assert facts(world, HARBOR, "notice.given", "device-audit") == [MAILROOM, POSTAL]
    assert facts(world, HARBOR, "limit.case-opened", "device-audit") == [device]
    assert facts(world, POSTAL, "limit.case-opened", "license-audit-ground") == [device]
    journeys.contact()
    journeys.reset(TEN)
    assert facts(world, HARBOR, "resets.allowed", "device-audit") == [device]
    assert facts(world, HARBOR, "limit.case-closed", "device-audit") == [device]
    world.advance("1h")
    assert facts(world, POSTAL, "limit.case-closed", "license-audit-ground") == [device]
    audited(world, tmp_path / "out")


def test_no_quality_piece_in_six_months_denies_resets_until_one_comes(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    for step in ("2mo", "2mo", "2mo"):
        world.advance(step)
        journeys.contact()
    journeys.reset(TEN)  # on the last day
    world.advance("1d")
    with pytest.raises(Refused) as caught:
        journeys.reset(TEN)
    assert caught.value.code == "provider.resets-denied"
    assert caught.value.clause == "502.26"
    piece = tmp_path / "piece.png"
    piece.write_bytes(render(printing.print_job(journeys, public_addresses()[:1], tmp_path / "printed").pdf))
    send(journeys, journeys.device, piece)
    journeys.reset(TEN)
    assert facts(world, HARBOR, "limit.case-opened", "quality-piece") == [journeys.device]
    assert facts(world, HARBOR, "notice.given", "quality-piece") == [MAILROOM, POSTAL]
    assert facts(world, HARBOR, "resets.denied", "quality-piece") == [journeys.device]
    assert facts(world, HARBOR, "resets.allowed", "quality-piece") == [journeys.device]
    audited(world, tmp_path / "out")


def test_a_denial_is_one_devices_own(world: World, journeys: Journeys) -> None:
    world.advance("2mo")
    other = mailer(world, ANNEX, deposit=100)
    world.advance("32d")
    other.reset(TEN)
    assert facts(world, HARBOR, "resets.denied", "device-audit") == [journeys.device]


def test_every_limit_that_has_its_facts_recorded_today_is_there(world: World, journeys: Journeys) -> None:
    assert states(world, HARBOR, "daily-transaction") == ["met"]
    assert states(world, HARBOR, "reset-document") == ["met"]
    assert states(world, HARBOR, "form-3601-c-kept") == ["to keep"]
    assert states(world, HARBOR, "lost-and-stolen-file") == ["due"]
    assert states(world, HARBOR, "device-audit") == ["met", "due"]
    assert states(world, HARBOR, "quality-piece") == ["due"]
    assert states(world, POSTAL, "license-audit-ground") == ["met", "due"]
    for limit in ("contact", "address-data", "quality-piece-forwarded", "license-data-verification"):
        assert "due" in states(world, MAILROOM, limit)
    assert journeys.licensee == MAILROOM


def test_the_office_zone_goes_with_the_license(world: World, journeys: Journeys) -> None:
    for party in (HARBOR, POSTAL, MAILROOM):
        duties = duties_of(world, party, as_of=world.clock.now())
        assert {duty.zone for duty in duties} == {"America/New_York"}
    with world.store(HARBOR).reading() as view:
        leased = [fact for fact in view.facts() if fact.type == "custody.leased"]
    assert [(fact.body["zone"], fact.body["regime"]) for fact in leased] == [("America/New_York", "ibi-1998")]
    assert journeys.device


def test_a_world_that_was_closed_for_a_year_catches_up_at_the_first_look(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    mailer(world)
    world.clock.advance("12mo")
    world.close()
    world = reopened(tmp_path / "world")
    done = act_on_deadlines(world)
    monthly = [act.duty.period for act in done[HARBOR] if act.duty.limit.id == "lost-and-stolen-file"]
    assert monthly[:3] == ["2026-11", "2026-12", "2027-01"]
    assert monthly == sorted(monthly)
    assert act_on_deadlines(world) == {}
    audited(world, tmp_path / "out")
    world.close()


def test_a_changed_rule_names_the_decisions_that_would_differ(world: World, journeys: Journeys) -> None:
    world.advance("4mo")
    assert list(compare(world, world.rules, HARBOR)) == []
    audits = world.rules.limits["device-audit"]
    later = world.rules.with_limit(audits.with_value("5 months"))
    found = list(compare(world, later, HARBOR))
    assert [(row.decision, row.rule, row.about) for row in found] == [("limit.missed", "device-audit", journeys.device)]
    assert found[0].theirs == "never"
    assert found[0].digest == world.rules.digest
    sooner = world.rules.with_limit(audits.with_value("2 months"))
    [earlier] = compare(world, sooner, HARBOR)
    assert earlier.theirs < earlier.ours
    assert list(compare(world, ruleset("imi-2024"), "bank.lockbox")) == []


def test_a_lower_cap_names_the_leases_and_resets_that_would_differ(world: World, journeys: Journeys) -> None:
    journeys.reset(TEN)  # the device holds $60 then
    with world.store(HARBOR).reading() as view:
        resets = [fact.subject for fact in view.facts() if fact.type == "reset.reserved"]
    told = {
        cap: [(row.decision, row.about, row.ours, row.theirs) for row in compare(world, lower, HARBOR)]
        for cap, lower in ((cap, world.rules.with_value("descending_cap", cap)) for cap in (60_000, 59_999, 49_999))
    }
    lease = ("custody.leased", journeys.device, "500000")
    assert told[60_000] == [(*lease, "60000")]
    assert told[59_999] == [(*lease, "59999"), ("reset.reserved", resets[1], "authorised", "refused")]
    assert told[49_999][1:] == [("reset.reserved", one, "authorised", "refused") for one in resets]
    assert list(compare(world, world.rules.with_value("descending_cap", 60_000), MAILROOM)) == []


def test_a_party_is_named_by_its_id_its_name_or_its_role(world: World) -> None:
    assert parties_of(world, "harbor") == parties_of(world, HARBOR) == (HARBOR,)
    assert parties_of(world, "licensee") == (MAILROOM, ANNEX)
    assert len(parties_of(world)) == 6
    with pytest.raises(Refused) as caught:
        parties_of(world, "nobody")
    assert caught.value.code == "world.no-party"


def test_a_replay_shows_what_was_known_then(world: World, journeys: Journeys) -> None:
    before = world.clock.now()
    world.advance("4mo")
    journeys.contact()
    then = [duty.state for duty in duties_of(world, HARBOR, as_of=before) if duty.limit.id == "device-audit"]
    assert then == ["met", "due"]
    now = [duty.state for duty in duties_of(world, HARBOR, as_of=world.clock.now()) if duty.limit.id == "device-audit"]
    assert now == ["met", "met late", "due"]
    assert before < Instant.parse("1999-01-01")
