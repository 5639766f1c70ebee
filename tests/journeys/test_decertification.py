"""An installation goes over to IMI: its 1998 devices are decertified, withdrawn and refused, each on its day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, mailer
from tests.journeys.test_examinations import no_difference
from tests.journeys.test_journeys import PEOPLE, refused

from towncircle.cli.main import main
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.postal.fleet import Class, fleet
from towncircle.rules.rulesets import ruleset
from towncircle.testing.rehearsal_world import in_process
from towncircle.world import printing
from towncircle.world.config import POSTAL
from towncircle.world.deadlines import decided_under, not_replayed
from towncircle.world.journeys import Journeys
from towncircle.world.succession import ADOPTED, succeed
from towncircle.world.verifying import Mark, record
from towncircle.world.world import Wiring, World

START = Instant.parse("2024-06-24T14:00Z")


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    """Give a licensee whose device was leased under the 1998 rule, in an installation that goes by IMI now."""
    folder = tmp_path / "world"
    World.create(folder, regime="ibi-1998", seed=3, start=START).close()
    world = World.open(folder, Wiring(make_port=in_process(folder)))
    mailer(world, deposit=300, reset=100)
    world.close()
    assert main(["world", "regime", str(folder), "imi-2024"]) == 0
    world = World.open(folder, Wiring(make_port=in_process(folder)))
    yield Journeys(world)
    world.close()


def until(journeys: Journeys, day: str) -> None:
    """Travel to noon of a day at headquarters, connecting on the way."""
    noon = Instant.parse(f"{day}T16:00Z")
    while journeys.world.clock.now() < noon:
        journeys.world.advance("12h" if journeys.world.clock.now().plus(days=7) > noon else "7d")
        journeys.contact()


def marks(journeys: Journeys, out: Path) -> list[bytes]:
    job = printing.print_job(journeys, PEOPLE, out, formats=("pdf",)).job
    return [bytes.fromhex(text) for text in job.body["indicia"]]


def verdict(world: World, mark: bytes) -> str:
    return str(record(Mark(file="a mark", page=1, payload=mark), world, site="facility").verdict.verdict)


def classes(world: World) -> tuple[Class, ...]:
    with world.store(POSTAL).reading() as view:
        return fleet(view, world.rules)


def denied(journeys: Journeys) -> set[str]:
    with journeys.world.store(HARBOR).reading() as view:
        row = view.get("denial", journeys.device)
    return set(row.body["duties"].values()) if row is not None else set()


def noted(world: World) -> list[str]:
    with world.store(POSTAL).reading() as view:
        return [fact.type for fact in view.facts() if fact.type in ("device.decertified", "device.inactive")]


def each_decision_names_its_rule_set(world: World, device: str) -> None:
    """What the 1998 rule set decided of a device bears its digest, and a comparison says what it cannot compare."""
    with world.store(HARBOR).reading() as view:
        missed = [fact for fact in view.facts() if fact.type == "limit.missed" and fact.subject == device]
    former = ruleset("ibi-1998").digest
    assert {fact.rule_digest for fact in missed} == {world.rules.digest}
    assert {fact.body["limit"]: fact.body.get("rules") for fact in missed} == {
        "quality-piece": former,
        "withdrawal": None,
    }
    assert {decided_under(fact) for fact in missed} == {former, world.rules.digest}
    other = world.rules.with_value("refund_window", "1 days")
    assert not_replayed(world, other) == [f"ibi-1998 of {device}"]
    assert not_replayed(world, world.rules) == []


def test_the_days_of_the_end_come_one_after_the_other(
    journeys: Journeys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world, device = journeys.world, journeys.device
    (row,) = classes(world)
    assert (row.model, row.regime, row.devices, row.in_service) == ("TC1B", "ibi-1998", 1, 1)
    assert (str(row.decertified_on), str(row.withdraw_by)) == ("2024-06-30", "2024-12-31")
    assert noted(world) == []
    until(journeys, "2024-07-16")
    assert noted(world) == ["device.decertified"]
    journeys.reset(Mills.dollars(10))  # until its last day in service it serves
    (first, second), (third, _) = marks(journeys, tmp_path / "july"), marks(journeys, tmp_path / "more")
    until(journeys, "2024-12-31")
    assert "withdrawal" not in denied(journeys)
    assert noted(world) == ["device.decertified"]
    assert world.pack().statuses.get(device, ()) == ()
    assert verdict(world, first) == "VALID"
    until(journeys, "2025-01-02")
    assert noted(world) == ["device.decertified", "device.inactive"]
    assert [one.status for one in world.pack().statuses[device]] == ["withdrawn"]
    assert "withdrawal" in denied(journeys)
    with refused("provider.resets-denied"):
        journeys.reset(Mills.dollars(10))
    assert main(["fleet", str(world.folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["past_their_day"] == 1
    assert told["classes"][0]["provider"] == HARBOR
    assert verdict(world, marks(journeys, tmp_path / "january")[0]) == "INVALID"
    each_decision_names_its_rule_set(world, device)
    until(journeys, "2025-06-30")
    assert verdict(world, second) == "VALID"
    until(journeys, "2025-07-02")
    assert verdict(world, third) == "INVALID"
    no_difference(world, tmp_path / "export")


def test_devices_of_both_regimes_serve_side_by_side_and_there_is_no_way_back(
    journeys: Journeys, tmp_path: Path
) -> None:
    world = journeys.world
    until(journeys, "2024-07-16")  # prices are known from then on
    other = mailer(world, "licensee.annex", deposit=300, reset=100)
    assert {(row.regime, row.in_service) for row in classes(world)} == {("ibi-1998", 1), ("imi-2024", 1)}
    for one, layout in ((journeys, "ibi-full"), (other, "imi-std")):
        one.reset(Mills.dollars(10))
        assert one.status().layout == layout
        assert verdict(world, marks(one, tmp_path / layout)[0]) == "VALID"
    assert (int(other.status().contact_left_us) // 3_600_000_000) == 72
    assert journeys.status().contact_left_us > 60 * 24 * 3_600_000_000
    for regime, code in (("ibi-1998", "world.no-successor"), ("imi-2024", None)):
        with refused(code) if code else nullcontext():
            assert succeed(world.folder, regime) == "ibi-1998"
    with world.store(POSTAL).reading() as view:
        assert [fact.body["before"] for fact in view.facts() if fact.type == ADOPTED] == ["ibi-1998"]
        scans = {fact.body["device"]: fact for fact in view.facts() if fact.type == "scan.recorded"}
    assert scans[journeys.device].body["rules"] == ruleset("ibi-1998").digest != world.rules.digest
    assert "rules" not in scans[other.device].body
    assert scans[other.device].rule_digest == world.rules.digest
    no_difference(world, tmp_path / "export")
