"""Suspensions and revocations: notices, times, defenses, decisions, appeals, and what they do to leases and resets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import ANNEX, HARBOR, SUMMIT, mailer, new_world
from tests.journeys.test_examinations import no_difference
from tests.journeys.test_journeys import refused

from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.postal import decisions, defenses, suspensions
from towncircle.postal.suspensions import Complaint
from towncircle.provider import supervision
from towncircle.psd.integrity import module_digest
from towncircle.rules.duties import HEADQUARTERS
from towncircle.world import updates
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.supervising import at_postal, at_provider, kept
from towncircle.world.world import World

WEIGHED = dict.fromkeys(("willful", "admitted", "cooperated", "remedied", "history"), "it was looked at")
PAPER = ("file-1 sha256:" + "ab" * 32,)


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    world = new_world(tmp_path / "world")
    yield mailer(world, deposit=600, reset=50)
    world.close()


def day(world: World, days: int) -> str:
    """Give the day that lies so many days ahead, in Washington."""
    return world.clock.now().plus(days=days).date_in(HEADQUARTERS).isoformat()


def complaint(**changes: Any) -> Complaint:
    fields: dict[str, Any] = {
        "form": "authorization",
        "provider": HARBOR,
        "ground": "noncompliance",
        "about": "502.23",
        "deficiencies": ("audits were not made",),
        "scope": ("all",),
        **changes,
    }
    if fields["form"] == "approval":
        fields |= {"ground": "risk", "about": "its keys leak", "scope": changes.get("scope", ("system TC1A",))}
    return Complaint(**fields)


def act(world: World, job: Callable[..., Record], *told: Any, by: str = "manager-mtm", **named: Any) -> Record:
    done: Record = at_postal(world, lambda ctx: job(ctx, *told, **named), by=by)
    return done


def answer(world: World, row: Record, kind: str, *, provider: str = HARBOR) -> Any:
    told = {"procedure": row.key, "kind": kind, "reasons": "it is not so", "evidence": PAPER}
    return at_provider(world, provider, lambda ctx: supervision.answer(ctx, **told))  # type: ignore[arg-type]


def noticed(world: World, **changes: Any) -> Record:
    """Bring a procedure to its notice of suspension: what was cited was not corrected in time."""
    row = act(world, suspensions.propose, complaint(**changes), correct_by=day(world, 10))
    world.advance("12d")
    return act(
        world, suspensions.notify, procedure=row.key, reasons="not corrected", effective_on=day(world, 40),
        rules=world.rules,
    )  # fmt: skip


def suspended(world: World, **changes: Any) -> Record:
    """Bring a procedure to a suspension that was decided and received."""
    row = noticed(world, **changes)
    answer(world, row, "defense")
    return decided(world, row)


def decided(world: World, row: Record, **named: Any) -> Record:
    told = {"procedure": row.key, "reasons": "the defense does not mend it", "considered": WEIGHED}
    return act(world, decisions.decide, rules=world.rules, **{**told, **named})


def revoked(world: World, row: Record, **named: Any) -> Record:
    told = {"procedure": row.key, "reasons": "nothing changed", "considered": WEIGHED, "rules": world.rules}
    return act(world, suspensions.revoke, **{**told, **named})


@contextmanager
def away(world: World) -> Iterator[None]:
    """Let nobody be reached from the Postal Service."""

    class Away:
        def send(self, audience: str, raw: bytes) -> bytes:
            raise Refused("transport.unreachable", audience=audience, what=f"{len(raw)} bytes")

    outbox = world.desk(POSTAL).outbox
    found, outbox.transport = outbox.transport, Away()
    yield
    outbox.transport = found


def state(world: World, row: Record) -> tuple[str, str]:
    (held,) = [one for one in kept(world, POSTAL, "procedure") if one.key == row.key]
    return str(held.body["state"]), str(held.body["ended"])


def denied(journeys: Journeys) -> None:
    """Connect the device, which goes on, and see its reset refused."""
    journeys.contact()
    with refused("procedure.in-force"):
        journeys.reset(Mills.dollars(10))


def steps(world: World, row: Record, party: str = POSTAL) -> list[str]:
    with world.store(party).reading() as view:
        told = [fact.type.partition(".") for fact in view.facts() if fact.subject == row.key]
    return [what for form, _, what in told if form == row.body["form"]]


def test_a_suspension_denies_leases_and_resets_for_ninety_days_and_not_a_day_more(journeys: Journeys) -> None:
    world = journeys.world
    row = suspended(world)
    assert state(world, row) == ("in force", "")
    assert steps(world, row) == [
        "suspension-proposed", "suspension-notified", "notice-received", "defended", "decided", "suspended",
        "decision-received", "in-force",
    ]  # fmt: skip
    denied(journeys)
    assert mailer(world, ANNEX, provider=SUMMIT).device  # the other Provider goes on
    world.advance("90d")
    denied(journeys)
    world.advance("24h")
    assert state(world, row) == ("closed", "ran out")
    journeys.contact()
    assert journeys.reset(Mills.dollars(10)).amount == Mills.dollars(10)


def test_nobody_defends_and_the_notice_takes_effect_by_itself_once(journeys: Journeys) -> None:
    world = journeys.world
    row = noticed(world)
    world.advance("29d")
    assert state(world, row) == ("noticed", "")
    world.advance("48h")
    assert state(world, row) == ("in force", "")
    assert steps(world, row).count("suspended") == 1
    journeys.contact()
    assert journeys.reset(Mills.dollars(10)).amount  # the effective date has not come yet
    world.advance("11d")
    denied(journeys)
    with refused("procedure.nothing-to-answer"):
        answer(world, row, "defense")
    assert steps(world, row).count("suspended") == 1


def test_a_willful_violation_is_noticed_at_once_with_a_shorter_time(journeys: Journeys) -> None:
    world = journeys.world
    row = act(
        world, suspensions.notify_willful, complaint(ground="unlawful-scheme", about="resets were sold twice"),
        effective_on=day(world, 6), defend_by=day(world, 5), rules=world.rules,
    )  # fmt: skip
    assert state(world, row) == ("noticed", "")
    world.advance("6d")
    assert state(world, row) == ("in force", "")
    denied(journeys)


def test_corrected_deficiencies_end_a_proposal_and_nothing_was_denied(journeys: Journeys) -> None:
    world = journeys.world
    row = act(world, suspensions.propose, complaint(), correct_by=day(world, 10))
    row = act(world, suspensions.extend_cure, procedure=row.key, correct_by=day(world, 20))
    assert answer(world, row, "correction").kind == "correction"
    row = act(world, suspensions.find_corrected, procedure=row.key, reasons="the audits are made")
    assert state(world, row) == ("closed", "corrected")
    assert journeys.reset(Mills.dollars(10)).amount


@pytest.mark.parametrize("form", ["authorization", "approval"])
def test_a_suspension_is_extended_and_withdrawn_early_on_a_solution(form: str, journeys: Journeys) -> None:
    world = journeys.world
    row = suspended(world, form=form)
    act(world, suspensions.extend, procedure=row.key, until=day(world, 120), reasons="more time for investigation")
    world.advance("100d")
    denied(journeys)
    act(world, decisions.withdraw, procedure=row.key, solution="new keys were put into every device")
    assert state(world, row) == ("closed", "withdrawn")
    journeys.contact()
    assert journeys.reset(Mills.dollars(10)).amount


def test_a_revoked_authorization_stays_revoked_after_the_ninety_days(journeys: Journeys) -> None:
    world = journeys.world
    row = revoked(world, suspended(world))
    assert state(world, row) == ("revoked", "")
    world.advance("200d")
    with refused("procedure.in-force"):
        mailer(world, ANNEX)


def test_the_revocation_of_a_system_is_heard_by_itself(journeys: Journeys) -> None:
    world = journeys.world
    row = suspended(world, form="approval")
    revoked(world, row, effective_on=day(world, 60))
    assert state(world, row) == ("revocation noticed", "")
    answer(world, row, "defense")
    row = decided(world, row)
    assert state(world, row) == ("revoked", "")
    answer(world, row, "appeal")
    act(world, defenses.decide_appeal, procedure=row.key, reverse=True, reasons="the tests were wrong", by="director")
    assert state(world, row) == ("closed", "reversed")
    journeys.contact()
    assert journeys.reset(Mills.dollars(10)).amount


@pytest.mark.parametrize(
    ("scope", "bars"),
    [
        ("system TC1A", True),
        ("class stand-alone", True),
        ("version {build}", True),
        ("system TC1B", False),
        ("class wan", False),
        ("version 00", False),
    ],
)
def test_what_is_suspended_is_the_system_the_class_or_the_version_named(
    scope: str,
    bars: bool,
    journeys: Journeys,
) -> None:
    world = journeys.world
    suspended(world, form="approval", scope=(scope.format(build=module_digest()),))
    if not bars:
        journeys.contact()
        assert journeys.reset(Mills.dollars(10)).amount
        return
    denied(journeys)


def test_two_decisions_at_once_have_one_outcome(journeys: Journeys) -> None:
    world = journeys.world
    row = noticed(world)
    answer(world, row, "defense")
    decided(world, row)
    with refused("procedure.no-such-step") as caught:
        decided(world, row, by="deputy")
    assert "manager-mtm" in caught.value.sentence
    assert steps(world, row).count("decided") == 1


def test_a_decision_withdrawn_before_it_was_received_never_is_in_force(journeys: Journeys) -> None:
    world = journeys.world
    row = noticed(world)
    answer(world, row, "defense")
    told = {"procedure": row.key, "reasons": "it is warranted", "rules": world.rules, "considered": WEIGHED}
    with away(world):
        at_postal(world, lambda ctx: decisions.decide(ctx, **told), by="manager-mtm")
        act(world, decisions.withdraw, procedure=row.key, solution="it was solved")
    world.deliver()
    assert "in-force" not in steps(world, row)
    journeys.contact()
    assert journeys.reset(Mills.dollars(10)).amount == Mills.dollars(10)


def test_notices_that_overtake_each_other_leave_what_the_last_one_says(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    row = suspended(world)
    denied(journeys)
    with away(world):
        act(world, suspensions.extend, procedure=row.key, until=day(world, 120), reasons="more time")
        act(world, decisions.withdraw, procedure=row.key, solution="it was solved")
    with world.store(POSTAL).transaction() as tx:  # the outbox sends the withdrawal first
        extension, withdrawal = sorted(tx.find("outgoing", owner="waiting"), key=lambda one: int(one.body["order"]))
        late = {**extension.body, "order": int(withdrawal.body["order"]) + 1}
        tx.put("outgoing", extension.key, late, owner="waiting", expected=extension.version)
    world.deliver()
    journeys.contact()
    assert journeys.reset(Mills.dollars(10)).amount == Mills.dollars(10)
    no_difference(world, tmp_path / "export")


def test_a_version_that_is_suspended_is_not_approved_as_a_build(journeys: Journeys) -> None:
    world = journeys.world
    suspended(world, form="approval", scope=(f"version {module_digest()}",))
    with refused("procedure.in-force"):
        updates.approve_build(world, version=1, build=module_digest(), changes="the first")


def test_an_appeal_and_a_withdrawal_that_meet_have_one_outcome(journeys: Journeys) -> None:
    world = journeys.world
    row = suspended(world)
    answer(world, row, "appeal")
    act(world, decisions.withdraw, procedure=row.key, solution="it was solved")
    with refused("procedure.no-appeal"):
        act(world, defenses.decide_appeal, procedure=row.key, reverse=True, reasons="too late", by="director")
    other = suspended(world)
    act(world, decisions.withdraw, procedure=other.key, solution="it was solved")
    with refused("procedure.nothing-to-answer"):
        answer(world, other, "appeal")
    assert [one.body["appeal"] for one in kept(world, POSTAL, "procedure") if one.key == row.key] == ["fell away"]
