"""The duties of sanctions and of reports on weaknesses: each is broken, and the refusal names its clause."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.conformance.breaking import answered, refused
from tests.conformance.test_supervision import filed
from tests.journeys.stories import HARBOR, MAILROOM, SUMMIT
from tests.journeys.test_supervision import act, answer, day, decided
from tests.parties.hand import POSTAL, Hand

from towncircle.kernel.context import Context
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.ledger import POSTAL as POSTAL_BOOKS
from towncircle.ledger import Books
from towncircle.postal import decisions, sanctions, suspensions
from towncircle.postal.sanctions import Failure, Occurrence, Rate, calculate
from towncircle.provider import weaknesses
from towncircle.rules.duties import HEADQUARTERS
from towncircle.world import custody
from towncircle.world.supervising import at_postal, at_provider, kept
from towncircle.world.world import World

CLAUSES = {"sanction": "502.21", "reporting-sanction": "502.15"}
PROVISION = {"sanction": "502.20(f)", "reporting-sanction": "502.14(b)"}
BOTH = pytest.mark.parametrize("form", list(CLAUSES))
RATE = Rate(per_million=50_000, source="a published rate")


def occurred(world: World, **changes: Any) -> Occurrence:
    today = world.clock.now().date_in(HEADQUARTERS)
    return Occurrence(**{"kind": "loss", "on": today, "amount": Mills.dollars(100), "reference": "FILE-7", **changes})


def failure(world: World, form: str, *rows: Occurrence, **changes: Any) -> Failure:
    known = world.clock.now().date_in(HEADQUARTERS) if form == "reporting-sanction" else None
    fields = {
        "form": form,
        "provider": HARBOR,
        "provision": PROVISION[form],
        "rate": RATE,
        "known_on": known,
        **changes,
    }
    return Failure(rows=rows or (occurred(world),), **fields)


def notify(world: World, told: Failure, **changes: Any) -> Record:
    named = {"reasons": "it was not done", "effective_on": day(world, 31), "rules": world.rules, **changes}
    return act(world, sanctions.notify, told, **named)


def imposed(world: World, form: str) -> Record:
    row = notify(world, failure(world, form))
    answer(world, row, "defense")
    return decided(world, row, considered={"just-cause": "none was found"})


@pytest.mark.shows("502.15/1", "502.21/1")
def test_the_sum_is_net_of_recoveries_with_interest_from_each_row() -> None:
    on = date(1999, 3, 1)
    rows = (
        Occurrence(kind="cost", on=on, amount=Mills(10_000), reference="A"),
        Occurrence(kind="loss", on=date(1999, 3, 31), amount=Mills(1_000_000), reference="B"),
        Occurrence(kind="recovery", on=date(2000, 2, 29), amount=Mills(400_000), reference="C"),
    )
    told = calculate(rows, RATE, to=date(2000, 3, 30))
    # 10000 for 395 days, 1000000 for 365 and less 400000 for 30, at 5 % by days over 365, half up
    assert int(told.interest) == (2 * (10_000 * 395 + 1_000_000 * 365 - 400_000 * 30) * 5 + 36_500) // 73_000
    assert int(told.total) == 10_000 + 1_000_000 - 400_000 + int(told.interest)
    assert calculate(rows[2:], RATE, to=date(2000, 3, 30)).total == 0


@pytest.mark.parametrize(("mills", "interest"), [(9, 0), (10, 1), (29, 1), (30, 2)])
def test_half_a_mill_is_rounded_up_once_at_the_end(mills: int, interest: int) -> None:
    rows = [Occurrence(kind="loss", on=date(1999, 1, 1), amount=Mills(mills), reference="A")]
    assert int(calculate(rows, RATE, to=date(2000, 1, 1)).interest) == interest


@pytest.mark.requirement("502.15/1", form="reporting-sanction")
@pytest.mark.requirement("502.21/1", form="sanction")
@BOTH
def test_a_sanction_rests_on_its_provision_its_rows_and_a_published_rate(form: str, world: World) -> None:
    with refused(CLAUSES[form], "sanction.no-such-control"):
        notify(world, failure(world, form, provision="502.17"))
    with refused(CLAUSES[form], "sanction.no-rate"):
        notify(world, failure(world, form, rate=Rate(per_million=0, source="")))


@pytest.mark.requirement("502.15/1")
def test_nothing_before_the_day_on_which_the_provider_knew_is_counted(world: World) -> None:
    world.advance("20d")
    with refused("502.15", "sanction.no-known-day"):
        notify(world, failure(world, "reporting-sanction", known_on=None))
    known = world.clock.now().date_in(HEADQUARTERS)
    early = occurred(world, on=known.replace(day=1) if known.day > 1 else known)
    with refused("502.15", "sanction.before-known"):
        notify(world, failure(world, "reporting-sanction", early, known_on=known.fromordinal(early.on.toordinal() + 1)))
    row = notify(world, failure(world, "reporting-sanction", early, known_on=early.on))
    assert row.body["amount"] > 100_000


@pytest.mark.requirement("502.15/2", form="reporting-sanction")
@pytest.mark.requirement("502.21/2", form="sanction")
@BOTH
def test_a_sanction_is_noticed_with_reasons_and_a_date_after_the_defense(form: str, world: World) -> None:
    with refused(CLAUSES[form], "procedure.no-reasons"):
        notify(world, failure(world, form), reasons="")
    with refused(CLAUSES[form], "procedure.effective-early"):
        notify(world, failure(world, form), effective_on=day(world, 30))
    row = notify(world, failure(world, form))
    assert kept(world, HARBOR, "supervision-notice")[-1].body["amount"] == row.body["amount"]


@pytest.mark.requirement("502.15/3", form="reporting-sanction")
@pytest.mark.requirement("502.21/3", form="sanction")
@BOTH
def test_a_sanction_waits_for_the_defense_of_thirty_days(form: str, world: World, hand: Hand) -> None:
    row = notify(world, failure(world, form))
    with refused(CLAUSES[form], "procedure.defense-open"):
        decided(world, row, considered={"just-cause": "none"})
    answered(hand.say(HARBOR, POSTAL, filed(row, "defense", 1, reasons="")), CLAUSES[form], "procedure.answer-empty")
    with refused(CLAUSES[form], "sanction.not-due"):
        act(world, sanctions.pay, procedure=row.key, amount=Mills(1), reference="CHK-1")
    world.advance("32d")
    answered(hand.say(HARBOR, POSTAL, filed(row, "defense", 1)), CLAUSES[form], "procedure.nothing-to-answer")
    assert act(world, sanctions.pay, procedure=row.key, amount=Mills(1), reference="CHK-1").body["paid"] == 1


@pytest.mark.requirement("502.15/4", form="reporting-sanction")
@pytest.mark.requirement("502.21/4", form="sanction")
@BOTH
def test_a_sanction_is_neither_extended_nor_revoked(form: str, world: World) -> None:
    row = imposed(world, form)
    with refused(CLAUSES[form], "procedure.no-such-step"):
        act(world, suspensions.extend, procedure=row.key, until=day(world, 60), reasons="more time")
    with refused(CLAUSES[form], "procedure.no-such-step"):
        act(
            world, suspensions.revoke, procedure=row.key, reasons="once more", rules=world.rules,
            considered={"just-cause": "none was found"},
        )  # fmt: skip
    assert kept(world, POSTAL, "procedure")[0].body["state"] == "in force"


@pytest.mark.requirement("502.15/1", form="reporting-sanction")
@pytest.mark.requirement("502.21/1", form="sanction")
@BOTH
def test_a_sanction_names_no_device_of_another_provider(form: str, world: World) -> None:
    device = world.device_of(MAILROOM)
    told = failure(world, form, occurred(world, device=device), provider=SUMMIT)
    with refused(CLAUSES[form], "postal.unknown-device"):
        notify(world, told)


@pytest.mark.requirement("502.15/4", form="reporting-sanction")
@pytest.mark.requirement("502.21/4", form="sanction")
@BOTH
def test_the_decision_on_a_sanction_gives_its_reasons(form: str, world: World) -> None:
    row = notify(world, failure(world, form))
    answer(world, row, "defense")
    with refused(CLAUSES[form], "procedure.no-reasons"):
        decided(world, row, reasons="", considered={"just-cause": "none"})
    if form == "sanction":
        with refused(CLAUSES[form], "procedure.not-considered"):
            decided(world, row, considered={})


@pytest.mark.requirement("502.15/5", form="reporting-sanction")
@pytest.mark.requirement("502.21/5", form="sanction")
@BOTH
def test_an_appeal_stays_the_sanction_and_another_person_decides_it(form: str, world: World, hand: Hand) -> None:
    from towncircle.postal import defenses

    row = imposed(world, form)
    told = {"procedure": row.key, "amount": Mills(1), "reference": "CHK-1"}
    act(world, sanctions.pay, **told)
    assert answer(world, row, "appeal").stays
    with refused(CLAUSES[form], "sanction.not-due"):
        act(world, sanctions.pay, **{**told, "reference": "CHK-2"})
    with refused(CLAUSES[form], "procedure.same-person"):
        act(world, defenses.decide_appeal, procedure=row.key, reverse=True, reasons="x")
    act(world, defenses.decide_appeal, procedure=row.key, reverse=False, reasons="it stands", by="director")
    assert act(world, sanctions.pay, **told).body["paid"] == 1  # the same paper is the same payment
    with refused(CLAUSES[form], "sanction.paid-before"):
        act(world, sanctions.pay, **{**told, "amount": Mills(2)})
    assert act(world, sanctions.pay, **{**told, "reference": "CHK-2"}).body["paid"] == 2
    answered(hand.say(HARBOR, POSTAL, filed(row, "appeal", 2)), CLAUSES[form], "procedure.nothing-to-answer")


@pytest.mark.requirement("502.21/6")
def test_a_system_that_the_postal_service_owns_or_leases_is_exempt(world: World, hand: Hand) -> None:
    device = world.device_of(MAILROOM)
    act(world, sanctions.hold, device=device, how="owned", reference="PO-7")
    with refused("502.21", "sanction.exempt"):
        notify(world, failure(world, "sanction", occurred(world, device=device)))


@pytest.mark.requirement("502.21/6")
def test_a_system_that_the_postal_service_purchased_is_exempt(world: World, hand: Hand) -> None:
    device = world.device_of(MAILROOM)
    custody.purchase(world, device, reference="p-1", document=b"deed")
    with refused("502.21", "sanction.exempt"):
        notify(world, failure(world, "sanction", occurred(world, device=device)))


@pytest.mark.requirement("502.24e")
def test_a_sanction_for_lost_and_stolen_procedures_needs_a_device_that_is_missing(world: World) -> None:
    with refused("502.24e", "sanction.no-incident"):
        notify(world, failure(world, "sanction", provision="502.24(d)"))


@pytest.mark.requirement("502.21/4")
def test_a_sanction_is_withdrawn_for_reasons_only(world: World) -> None:
    row = imposed(world, "sanction")
    with refused("502.21", "procedure.no-solution"):
        act(world, decisions.withdraw, procedure=row.key, solution="")


@pytest.mark.requirement("502.15/4", form="reporting-sanction")
@pytest.mark.requirement("502.21/4", form="sanction")
@BOTH
def test_what_was_paid_on_a_sanction_that_falls_is_paid_back_whole_and_once(form: str, world: World) -> None:
    row = imposed(world, form)
    clause = CLAUSES[form]
    back = {"procedure": row.key, "reference": "CHK-9"}
    for paper, mills in (("CHK-1", 400), ("CHK-2", 300)):
        act(world, sanctions.pay, procedure=row.key, amount=Mills(mills), reference=paper)
    with refused(clause, "sanction.nothing-to-repay"):
        act(world, sanctions.repay, **back)  # it stands
    act(world, decisions.withdraw, procedure=row.key, solution="the control was performed")
    assert balances(world) == {"remitted": 700, "sanctions": 700}
    for _ in range(2):
        assert act(world, sanctions.repay, **back).body["repaid_by"] == "CHK-9"
    assert balances(world) == {"remitted": 0, "sanctions": 0}
    with refused(clause, "sanction.repaid-before"):
        act(world, sanctions.repay, **{**back, "reference": "CHK-10"})


def test_a_payment_of_before_there_were_books_is_booked_when_it_is_paid_back(world: World) -> None:
    row = imposed(world, "sanction")
    act(world, decisions.withdraw, procedure=row.key, solution="the control was performed")

    def older(ctx: Context) -> None:
        held = ctx.tx.get("procedure", row.key)
        assert held is not None
        body = {**held.body, "paid": 5, "payments": {"CHK-1": 5}}
        ctx.tx.put("procedure", row.key, body, owner=held.owner, expected=held.version)

    at_postal(world, older)
    act(world, sanctions.repay, procedure=row.key, reference="CHK-2")
    assert balances(world) == {"remitted": 0, "sanctions": 0}
    with world.store(POSTAL).reading() as view:
        kinds = [entry.recipe for entry in Books(view, POSTAL_BOOKS).entries() if entry.recipe.startswith("sanction")]
    assert kinds == ["sanction-paid", "sanction-repaid"]


def balances(world: World) -> dict[str, int]:
    with world.store(POSTAL).reading() as view:
        books = Books(view, POSTAL_BOOKS)
        return {name: int(books.balance(f"{name}/{HARBOR}")) for name in ("remitted", "sanctions")}


# ---- reports of weaknesses (502.14)


def discovered(world: World, **changes: Any) -> str:
    told = {"category": "defect", "systems": ("TC1A",), "words": "the counter skips", **changes}
    return str(at_provider(world, HARBOR, lambda ctx: weaknesses.discover(ctx, **told)).key)


def report(world: World, about: str, stage: str, **changes: Any) -> Record:
    told = {"about": about, "stage": stage, "words": "the counter skips", **changes}
    done: Record = at_provider(world, HARBOR, lambda ctx: weaknesses.report(ctx, **told))
    return done


def written(world: World, about: str, **changes: Any) -> Record:
    told = {"investigation": "every device is read", "completion_on": day(world, 60), **changes}
    return report(world, about, "written", **told)


@pytest.mark.requirement("502.14b/1")
def test_test_results_are_reported_with_their_findings_within_21_days(world: World) -> None:
    about = discovered(world, category="test-result")
    with refused("502.14b", "weakness.incomplete"):
        report(world, about, "preliminary")
    world.advance("22d")
    late = [fact for fact in facts(world, HARBOR, "limit.missed") if fact.subject == about]
    assert [fact.clauses for fact in late] == [("502.14(b)",)]
    assert report(world, about, "preliminary", document="ab" * 32).body["stage"] == "preliminary"


@pytest.mark.requirement("502.14b/2")
def test_a_weakness_names_the_systems_subject_to_it(world: World) -> None:
    about = discovered(world, systems=())
    with refused("502.14b", "weakness.incomplete"):
        report(world, about, "preliminary")
    with refused("502.14b", "weakness.not-yet"):
        discovered(world, at=world.clock.now().plus(hours=1))


@pytest.mark.requirement("502.14c/1")
def test_a_written_report_follows_the_preliminary_one_within_45_days(world: World) -> None:
    about = discovered(world)
    with refused("502.14c", "weakness.out-of-order"):
        written(world, about)
    report(world, about, "preliminary")
    world.advance("46d")
    late = [fact for fact in facts(world, HARBOR, "limit.missed") if fact.subject == about]
    assert [fact.clauses for fact in late] == [("502.14(c)",)]


@pytest.mark.requirement("502.14c/2")
@pytest.mark.parametrize("changes", [{"words": " "}, {"investigation": ""}, {"completion_on": ""}])
def test_a_written_report_states_circumstances_procedure_and_completion(changes: dict[str, str], world: World) -> None:
    about = discovered(world)
    report(world, about, "preliminary")
    with refused("502.14c", "weakness.incomplete"):
        written(world, about, **changes)


@pytest.mark.requirement("502.14c/3")
def test_statuses_follow_the_written_report(world: World) -> None:
    about = discovered(world)
    report(world, about, "preliminary")
    for stage in ("status", "summary"):
        with refused("502.14c", "weakness.out-of-order"):
            report(world, about, stage)
    written(world, about)
    report(world, about, "status", completion_on=day(world, 90))


@pytest.mark.requirement("502.14c/4")
def test_a_summary_of_the_findings_closes_the_investigation(world: World) -> None:
    about = discovered(world)
    report(world, about, "preliminary")
    written(world, about)
    with refused("502.14c", "weakness.incomplete"):
        report(world, about, "summary", words="")
    report(world, about, "summary")
    with refused("502.14c", "weakness.out-of-order"):
        report(world, about, "status")


def facts(world: World, party: str, kind: str) -> list[Any]:
    with world.store(party).reading() as view:
        return [fact for fact in view.facts() if fact.type == kind]
