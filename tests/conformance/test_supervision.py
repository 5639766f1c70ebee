"""The duties of 502.5 and 502.13: each is broken, and the refusal names its clause."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.breaking import answered, refused
from tests.journeys.stories import HARBOR
from tests.journeys.test_supervision import PAPER, act, answer, complaint, day, decided, noticed, revoked, suspended
from tests.parties.hand import POSTAL, Hand

from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.postal import decisions, suspensions
from towncircle.wire import bodies
from towncircle.world.journeys import Journeys
from towncircle.world.world import World

FORMS = {"authorization": "502.5", "approval": "502.13"}
BOTH = pytest.mark.parametrize("form", list(FORMS))


def proposed(world: World, form: str, **changes: Any) -> Record:
    return act(world, suspensions.propose, complaint(form=form, **changes), correct_by=day(world, 10))


def filed(row: Record, kind: str, number: int, **changes: Any) -> bodies.SupervisionAnswer:
    fields = {"procedure": row.key, "number": number, "kind": kind, "reasons": "no", "evidence": PAPER, **changes}
    return bodies.SupervisionAnswer(**fields)  # type: ignore[arg-type]  # each test says what is unusual


@pytest.mark.requirement("502.5/1", form="authorization")
@pytest.mark.requirement("502.13/1", form="approval")
@BOTH
def test_a_proposal_cites_deficiencies(form: str, world: World) -> None:
    with refused(FORMS[form], "procedure.no-deficiency"):
        proposed(world, form, deficiencies=(" ",))


@pytest.mark.requirement("502.5/2", form="authorization")
@pytest.mark.requirement("502.13/2", form="approval")
@BOTH
def test_nobody_is_suspended_while_the_time_to_correct_runs(form: str, world: World) -> None:
    with refused(FORMS[form], "procedure.no-time"):
        act(world, suspensions.propose, complaint(form=form), correct_by="")
    row = proposed(world, form)
    with refused(FORMS[form], "procedure.cure-running"):
        act(world, suspensions.notify, procedure=row.key, reasons="x", effective_on=day(world, 60), rules=world.rules)


@pytest.mark.requirement("502.13/2")
def test_a_system_is_never_suspended_as_a_willful_violation(world: World) -> None:
    told = complaint(form="approval")
    with refused("502.13", "procedure.no-willful-branch"):
        act(world, suspensions.notify_willful, told, effective_on=day(world, 40), rules=world.rules)


@pytest.mark.requirement("502.5/3", form="authorization")
@pytest.mark.requirement("502.13/3", form="approval")
@BOTH
def test_a_notice_gives_reasons_and_an_effective_date_after_the_defense(form: str, world: World) -> None:
    row = proposed(world, form)
    world.advance("12d")
    told: dict[str, Any] = {"procedure": row.key, "rules": world.rules}
    with refused(FORMS[form], "procedure.no-reasons"):
        act(world, suspensions.notify, reasons=" ", effective_on=day(world, 40), **told)
    with refused(FORMS[form], "procedure.no-effective-date"):
        act(world, suspensions.notify, reasons="x", effective_on="", **told)
    with refused(FORMS[form], "procedure.effective-early"):
        act(world, suspensions.notify, reasons="x", effective_on=day(world, 30), **told)
    assert act(world, suspensions.notify, reasons="x", effective_on=day(world, 31), **told).body["state"] == "noticed"


@pytest.mark.requirement("502.5/4", form="authorization")
@pytest.mark.requirement("502.13/4", form="approval")
@BOTH
def test_a_defense_comes_within_thirty_days_and_is_waited_for(form: str, world: World, hand: Hand) -> None:
    row = noticed(world, form=form)
    with refused(FORMS[form], "procedure.defense-open"):
        decided(world, row)
    with refused(FORMS[form], "procedure.period-longer"):
        other = proposed(world, form)
        world.advance("11d")
        act(
            world, suspensions.notify, procedure=other.key, reasons="x", effective_on=day(world, 60),
            defend_by=day(world, 31), rules=world.rules,
        )  # fmt: skip
    answered(hand.say(HARBOR, POSTAL, filed(row, "defense", 2, evidence=())), FORMS[form], "procedure.answer-empty")
    world.clock.advance("31d")  # nobody has acted on the deadline yet
    answered(hand.say(HARBOR, POSTAL, filed(row, "defense", 2)), FORMS[form], "procedure.too-late")


@pytest.mark.requirement("502.5/5", form="authorization")
@pytest.mark.requirement("502.13/5", form="approval")
@BOTH
def test_a_decision_gives_its_reasons_and_lies_not_in_the_past(form: str, world: World) -> None:
    row = noticed(world, form=form)
    answer(world, row, "defense")
    with refused(FORMS[form], "procedure.no-reasons"):
        decided(world, row, reasons="")
    with refused(FORMS[form], "procedure.day-past"):
        decided(world, row, effective_on=day(world, -1))
    assert decided(world, row).body["from"] == 0  # until it is received, which is at once


@pytest.mark.requirement("502.5/6", form="authorization")
@pytest.mark.requirement("502.13/6", form="approval")
@BOTH
def test_a_suspension_denies_up_to_ninety_days_and_is_extended_before_its_end(form: str, journeys: Journeys) -> None:
    world = journeys.world
    row = suspended(world, form=form)
    journeys.contact()
    with refused(FORMS[form], "procedure.in-force"):
        journeys.reset(Mills.dollars(10))
    with refused(FORMS[form], "procedure.not-longer"):
        act(world, suspensions.extend, procedure=row.key, until=day(world, 90), reasons="x")
    world.clock.advance("91d")
    with refused(FORMS[form], "procedure.not-longer"):
        act(world, suspensions.extend, procedure=row.key, until=day(world, 10), reasons="x")


@pytest.mark.requirement("502.5/7", form="authorization")
@pytest.mark.requirement("502.13/7", form="approval")
@BOTH
def test_a_suspension_is_withdrawn_on_a_solution_only(form: str, world: World) -> None:
    row = suspended(world, form=form)
    with refused(FORMS[form], "procedure.no-solution"):
        act(world, decisions.withdraw, procedure=row.key, solution="")
    assert act(world, decisions.withdraw, procedure=row.key, solution="solved").body["ended"] == "withdrawn"


@pytest.mark.requirement("502.5/8", form="authorization")
@pytest.mark.requirement("502.13/8", form="approval")
@BOTH
def test_an_appeal_comes_within_thirty_days(form: str, world: World, hand: Hand) -> None:
    row = suspended(world, form=form)
    answered(hand.say(HARBOR, POSTAL, filed(row, "appeal", 3, reasons="")), FORMS[form], "procedure.answer-empty")
    world.advance("31d")
    answered(hand.say(HARBOR, POSTAL, filed(row, "appeal", 3)), FORMS[form], "procedure.too-late")


@pytest.mark.requirement("502.5a/1")
@pytest.mark.parametrize(
    ("ground", "about"),
    [
        ("displeasure", "x"),
        ("unlawful-scheme", ""),
        ("noncompliance", "P050 2.1"),
        ("instructions", "PRC-222222222222"),
    ],
)
def test_there_are_three_grounds_and_each_is_shown(ground: str, about: str, world: World) -> None:
    with refused("502.5a", "procedure.no-such-ground"):
        act(world, suspensions.propose, complaint(ground=ground, about=about), correct_by=day(world, 10))


@pytest.mark.requirement("502.5a/2")
@pytest.mark.parametrize("left_out", ["willful", "admitted", "cooperated", "remedied", "history"])
def test_a_decision_weighs_each_circumstance(left_out: str, world: World) -> None:
    row = noticed(world)
    answer(world, row, "defense")
    weighed = dict.fromkeys(("willful", "admitted", "cooperated", "remedied", "history"), "it was looked at")
    with refused("502.5a", "procedure.not-considered"):
        decided(world, row, considered={**weighed, left_out: ""})


@pytest.mark.requirement("502.5a/3")
def test_a_revocation_comes_out_of_a_suspension_only(world: World) -> None:
    row = noticed(world)
    with refused("502.5a", "procedure.not-suspended"):
        revoked(world, row)


@pytest.mark.requirement("502.25b/3")
def test_an_authorization_is_revoked_for_a_resetting_system_that_does_not_meet_the_requirements(
    journeys: Journeys,
) -> None:
    world = journeys.world
    revoked(world, suspended(world, about="502.25(b)"))
    world.advance("100d")
    journeys.contact()
    with refused("502.25b", "procedure.in-force"):
        journeys.reset(Mills.dollars(10))
