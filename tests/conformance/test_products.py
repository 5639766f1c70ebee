"""The duties of products, advertising and the life of a device: each is broken, and the refusal names its clause."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.breaking import answered, names, refused
from tests.journeys.stories import HARBOR, MAILROOM, SUMMIT, mailer, reopened
from tests.journeys.test_journeys import PEOPLE
from tests.journeys.test_supervision import act, suspended
from tests.parties.hand import POSTAL, Hand, funded
from tests.postal.test_findings import KNOWN, REPORT

from towncircle.kernel.errors import RefusedOnGrounds
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO
from towncircle.kernel.store import Record
from towncircle.licensee import advertising as host
from towncircle.postal import advertising as approval
from towncircle.postal import products
from towncircle.postal.findings import compare
from towncircle.provider import advertising
from towncircle.psd.integrity import module_digest
from towncircle.wire import bodies
from towncircle.world import printing, updates
from towncircle.world.clauses import counted, facts_of_world
from towncircle.world.examinations import examine
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.population import life_of
from towncircle.world.supervising import at_provider, kept
from towncircle.world.world import World

PAPER, BUILD, OTHER = "ab" * 32, "12" * 32, "34" * 32


def shown(world: World, step: str, **changes: Any) -> Record:
    told = {"provider": HARBOR, "step": step, "reference": "FILE-1", "document": PAPER, **changes}
    return act(world, products.show, **told)


def handed(world: World, step: str, **changes: Any) -> Record:
    told = {"provider": HARBOR, "system": "TC2A", "step": step, "reference": "FILE-1", "document": PAPER, **changes}
    if step in ("product", "laboratory"):
        told = {"build": BUILD, "category": "wan", **told}
    return act(world, products.submit, **told)


def written(world: World, job: Any, **changes: Any) -> Record:
    told = {"provider": HARBOR, "system": "TC2A", "reference": "LETTER-9", "document": PAPER, **changes}
    return act(world, job, **told)


def acts_of(world: World, *beginnings: str) -> set[str]:
    """Name the duties under which the matrix counts an act of people."""
    counts = counted(facts_of_world(world), since=None, until=None).acts
    return {duty for duty, count in counts.items() if count and duty.startswith(beginnings)}


def submitted(world: World) -> None:
    for step in products.SUBMISSION:
        handed(world, step.name)


@pytest.mark.requirement("502.1/1", left_out="integrity")
@pytest.mark.requirement("502.1/2", left_out="prototype")
@pytest.mark.requirement("502.1/3", left_out="factory")
@pytest.mark.requirement("502.1/4", left_out="facilities")
@pytest.mark.requirement("502.2/1")
@pytest.mark.parametrize("left_out", [step.name for step in products.QUALIFICATION])
def test_a_provider_is_not_authorized_before_each_qualification_is_shown(left_out: str, world: World) -> None:
    for step in products.QUALIFICATION:
        if step.name != left_out:
            shown(world, step.name)
    told = {"provider": HARBOR, "reference": "LETTER-1"}
    with refused("502.1", "product.steps-open"):
        act(world, products.authorize, document=PAPER, **told)
    shown(world, left_out)
    with refused("502.2", "product.no-paper"):
        act(world, products.authorize, document="", **told)
    assert act(world, products.authorize, document=PAPER, **told).body["state"] == "authorized"
    assert acts_of(world, "502.1/", "502.2/") == {"502.1/1", "502.1/2", "502.1/3", "502.1/4", "502.2/1"}


@pytest.mark.requirement("502.3")
def test_nothing_is_approved_while_control_changes_without_evidence(world: World) -> None:
    submitted(world)
    act(world, products.change_control, provider=HARBOR, reference="DEED-1")
    with refused("502.3", "product.control-open"):
        written(world, products.approve)
    shown(world, "control")
    assert written(world, products.approve).body["state"] == "approved"


_LEFT_OUT = {  # the duties whose act each step of a submission tells of
    "letter-of-intent": {"PRE-08/1"},
    "nondisclosure": {"PRE-08/2"},
    "concept-of-operations": {"PRE-08/3"},
    "test-plan": {"502.9"},
    "product": {"PRE-08/4", "502.12/1", "502.12/2"},
    "laboratory": {"502.12/3"},
    "testing": {"PRE-08/5", "502.10"},
}


@pytest.mark.requirement("502.2/2", "502.3", "502.7/1", "P050-1.2/1")
def test_an_applicant_gets_no_device_certified_and_no_system_approved(tmp_path: Path) -> None:
    folder, start = tmp_path / "world", Instant.parse("2026-11-23T14:00Z")
    World.create(folder, regime="imi-2024", seed=3, start=start, applicants=(HARBOR,)).close()
    world = reopened(folder)
    journeys = Journeys(world)
    journeys.apply(Applicant(), provider=HARBOR)
    with refused("502.2", "product.not-authorized"):
        journeys.lease()
    submitted(world)
    with refused("502.2", "product.not-authorized"):
        written(world, products.approve)
    for step in products.QUALIFICATION:
        shown(world, step.name)
    with refused("502.2", "product.not-authorized"):
        journeys.lease()  # its papers are there, and nobody has written to it
    act(world, products.authorize, provider=HARBOR, reference="LETTER-1", document=PAPER)
    act(world, products.change_control, provider=HARBOR, reference="DEED-1")
    with refused("502.3", "product.control-open"):
        journeys.lease()
    shown(world, "control")
    with refused("502.11", "product.system-not-approved"):
        journeys.lease()  # TC2A was submitted, and what it leases is TC1A
    assert written(world, products.approve).body["state"] == "approved"
    for step in products.SUBMISSION:
        handed(world, step.name, system="TC1A", build=OTHER)
    written(world, products.approve, system="TC1A")
    with refused("502.11", "product.build-not-approved"):
        journeys.lease()  # what was tested is not what its devices run
    for step in products.TESTED:
        handed(world, step.name, system="TC1A", **({} if step.name == "testing" else {"build": module_digest()}))
    written(world, products.change, system="TC1A", build=module_digest())
    journeys.lease()
    world.close()


@pytest.mark.requirement("502.11/2", "IMI-03/1")
def test_no_device_is_sent_a_build_that_was_not_submitted_and_tested(world: World) -> None:
    told: dict[str, Any] = {"version": 1, "build": OTHER, "changes": "It warns earlier."}
    for row in ("502.11", "502.12", "IMI-03"):
        with refused(row, "software.not-submitted"):
            updates.approve_build(world, **told)
    for step in products.TESTED:
        handed(world, step.name, system="TC1A", **({} if step.name == "testing" else {"build": OTHER}))
        with refused("502.11", "software.not-submitted"):
            updates.approve_build(world, **told)  # nobody has written that it is approved
    written(world, products.change, system="TC1A", build=OTHER)
    updates.approve_build(world, **told)
    assert releases(world) == {HARBOR: [OTHER], SUMMIT: []}  # who has not had it tested is not sent it
    for step in products.TESTED:
        change = {} if step.name == "testing" else {"build": OTHER}
        handed(world, step.name, provider=SUMMIT, system="TC1A", **change)
    written(world, products.change, provider=SUMMIT, system="TC1A", build=OTHER)
    updates.approve_build(world, **told)  # the same again
    assert releases(world) == {HARBOR: [OTHER], SUMMIT: [OTHER]}


@pytest.mark.requirement("502.13/6")
def test_a_version_that_is_suspended_at_one_provider_goes_to_no_other(world: World) -> None:
    told: dict[str, Any] = {"version": 1, "build": OTHER, "changes": "It warns earlier."}
    for name in (HARBOR, SUMMIT):
        if name == SUMMIT:
            suspended(world, form="approval", scope=(f"version {OTHER}",))
            updates.approve_build(world, **told)  # the same again, for the one that has it
        for step in products.TESTED:
            change = {} if step.name == "testing" else {"build": OTHER}
            handed(world, step.name, provider=name, system="TC1A", **change)
        written(world, products.change, provider=name, system="TC1A", build=OTHER)
        if name == HARBOR:
            updates.approve_build(world, **told)
    with refused("502.13", "procedure.in-force"):
        updates.approve_build(world, **told)
    assert releases(world) == {HARBOR: [OTHER], SUMMIT: []}


def releases(world: World) -> dict[str, list[str]]:
    return {name: [row.body["build"] for row in kept(world, name, "release")] for name in (HARBOR, SUMMIT)}


@pytest.mark.shows("502.11/2")
def test_the_system_that_a_world_begins_with_is_on_file_and_says_whose_word_it_is(world: World) -> None:
    with world.store(POSTAL).reading() as view:
        found = [fact for fact in view.facts() if fact.type == "product.approved"]
    assert [(fact.subject, fact.body["build"], fact.body["reference"], fact.clauses) for fact in found] == [
        (f"{name} TC1A", module_digest(), "from-the-start", ("502.11", "house")) for name in (HARBOR, SUMMIT)
    ]


@pytest.mark.requirement("502.11/2")
def test_an_examination_takes_no_build_for_approved_that_no_file_names(world: World) -> None:
    journeys = mailer(world)
    assert examine(world, journeys.device).record.body["outcome"] == "regular"
    with world.store(POSTAL).transaction() as tx:
        row = tx.get("submission", f"{HARBOR} TC1A")
        assert row is not None
        tx.put(row.kind, row.key, {**row.body, "builds": {}}, owner=row.owner, expected=row.version)
    grounds = examine(world, journeys.device).record.body["differences"]
    ((_, _, clause),) = grounds
    assert names(clause, "502.11")


def test_a_world_of_before_approvals_were_on_file_goes_on(world: World) -> None:
    with world.store(POSTAL).transaction() as tx:
        for kind in ("provider-file", "submission"):
            for row in tx.find(kind):
                body = {key: value for key, value in row.body.items() if key != "systems"}
                tx.put(row.kind, row.key, {**body, "builds": {}, "state": "authorized"}, owner=row.owner,
                       expected=row.version)  # fmt: skip
    journeys = mailer(world)
    assert examine(world, journeys.device).record.body["outcome"] == "regular"
    with refused("502.11", "software.not-submitted"):
        updates.approve_build(world, version=1, build=module_digest(), changes="The first.")


@pytest.mark.requirement("502.9", left_out="test-plan")
@pytest.mark.requirement("502.10", left_out="testing")
@pytest.mark.requirement("502.12/1", left_out="product")
@pytest.mark.requirement("502.12/3", left_out="laboratory")
@pytest.mark.parametrize("left_out", [step.name for step in products.SUBMISSION])
def test_a_system_is_not_approved_before_each_step_of_its_submission(left_out: str, world: World) -> None:
    for step in products.SUBMISSION:
        if step.name != left_out:
            handed(world, step.name)
    with pytest.raises(RefusedOnGrounds) as caught:
        written(world, products.approve)
    (ground,) = caught.value.grounds
    answered(ground, next(step.clause for step in products.SUBMISSION if step.name == left_out), "product.step-open")
    whole = {f"PRE-08/{number}" for number in range(1, 6)} | {"502.9", "502.10"}
    whole |= {f"502.12/{number}" for number in range(1, 4)}
    assert acts_of(world, "PRE-08", "502.9", "502.10", "502.12") == whole - _LEFT_OUT[left_out]


@pytest.mark.requirement("502.12/3")
def test_the_laboratory_gets_the_identical_system_on_the_same_day(world: World) -> None:
    handed(world, "product")
    with refused("502.12", "product.not-identical"):
        handed(world, "laboratory", build=OTHER)
    world.advance("24h")
    with refused("502.12", "product.not-simultaneous"):
        handed(world, "laboratory")


@pytest.mark.requirement("502.11/2")
def test_after_approval_no_other_build_runs_without_a_written_authorization(world: World, hand: Hand) -> None:
    with refused("502.11", "product.not-approved"):
        submitted(world)
        written(world, products.change, build=OTHER)
    written(world, products.approve)
    with pytest.raises(RefusedOnGrounds) as caught:  # nobody has tested it
        written(world, products.change, build=OTHER)
    assert [ground.clause for ground in caught.value.grounds] == ["502.12", "502.12", "502.10"]
    for step in products.TESTED:
        handed(world, step.name, **({} if step.name == "testing" else {"build": OTHER}))
    with refused("502.11", "product.no-paper"):
        written(world, products.change, build=OTHER, document="")
    assert [ground.clause for ground in found(hand, BUILD, "TC2A")] == []
    assert [ground.clause for ground in found(hand, OTHER, "TC2A")] == ["502.11"]
    written(world, products.change, build=OTHER)
    assert found(hand, OTHER, "TC2A") == ()


def found(hand: Hand, build: str, system: str) -> tuple[bodies.Ground, ...]:
    """Compare the report of a regular device that runs a build with the approved ones."""
    device = f"{system}0000000001"
    builds = hand.world.desk(POSTAL).perform(lambda ctx: products.approved_builds(ctx, device, HARBOR), actor=POSTAL)
    report = replace(REPORT, module=bytes.fromhex(build))
    return compare(report, counter=report.counter, known=replace(KNOWN, builds=builds))


@pytest.mark.shows("502.11/2")
def test_a_suspended_system_is_not_approved_anew(world: World) -> None:
    suspended(world, form="approval", scope=("system TC2A",))
    submitted(world)
    with refused("502.13", "procedure.in-force"):
        written(world, products.approve)


@pytest.mark.shows("502.11/2")
def test_a_suspended_system_gets_no_other_build(world: World) -> None:
    submitted(world)
    written(world, products.approve)
    for step in products.TESTED:
        handed(world, step.name, **({} if step.name == "testing" else {"build": OTHER}))
    suspended(world, form="approval", scope=("system TC2A",))
    with refused("502.13", "procedure.in-force"):
        written(world, products.change, build=OTHER)


# ---- advertising art (502.20(d))


def submit(world: World, *words: str, name: str = "spring") -> Record:
    done: Record = at_provider(world, HARBOR, lambda ctx: advertising.submit(ctx, name=name, words=words))
    return done


@pytest.mark.requirement("502.20d/1")
@pytest.mark.parametrize("words", [(), ("one", "two", "three"), ("x" * 200,), ("tab\there",)])
def test_art_that_cannot_be_read_is_not_suitable(words: tuple[str, ...], world: World, hand: Hand) -> None:
    with refused("502.20d", "advertising.unsuitable"):
        submit(world, *words)
    answered(
        hand.say(HARBOR, POSTAL, bodies.FirstArtSubmitted(name="x", words=words)), "502.20d", "advertising.unsuitable"
    )


@pytest.mark.requirement("502.20d/2")
@pytest.mark.parametrize("decided", ["", "refused"])
def test_no_host_gets_art_before_it_is_approved(decided: str, journeys: Journeys) -> None:
    world = journeys.world
    submit(world, "Write once more")
    if decided:
        act(
            world,
            approval.decide,
            provider=HARBOR,
            name="spring",
            approve=False,
            ground="quality",
            reasons="not suitable",
        )
    with refused("502.20d", "advertising.not-approved"):
        journeys.do(lambda ctx: host.fetch(ctx, name="spring", provider=HARBOR))


@pytest.mark.requirement("502.20d/1")
def test_approved_art_is_supplied_to_the_host_and_printed(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    submit(world, "Write once more")
    act(world, approval.decide, provider=HARBOR, name="spring", approve=True, examined=True, reasons="suitable")
    with refused("502.20d", "advertising.not-submitted"):
        act(world, approval.decide, provider=HARBOR, name="spring", approve=False, ground="quality", reasons="again")
    journeys.do(lambda ctx: host.fetch(ctx, name="spring", provider=HARBOR))
    funded(journeys)
    printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("svg",))
    assert "Write once more" in next((tmp_path / "out" / "envelopes").glob("*.svg")).read_text()
    assert [row.body["art"] for row in kept(world, MAILROOM, "job")][-1] == ["Write once more"]


# ---- the life of a device (502.8)


@pytest.mark.requirement("502.8/7")
def test_a_device_that_left_service_does_not_begin_its_life_anew(hand: Hand) -> None:
    device, license_ = hand.world.device_of(MAILROOM), hand.license_of(MAILROOM)
    registers = bodies.Registers(ascending=ZERO, descending=ZERO, pieces=0)
    for event in ("withdrawn", "installed"):
        told = bodies.DeviceActivity(
            device=device, license=license_, event=event, registers=registers, at=hand.world.clock.now()
        )
        answer = hand.say(HARBOR, POSTAL, told)
    answered(answer, "502.8", "postal.life-cycle")
    life = [one["what"] for one in life_of(hand.world, device)]
    assert life[:2] == ["certificate.issued", "device.installed"]
    assert life[-1] == "device.withdrawn"
