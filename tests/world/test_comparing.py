"""What other rules would have decided: each kind of decision is said again, and what nobody says again is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.journeys.stories import HARBOR, MAILROOM
from tests.journeys.test_refunds import certified, funded, mailed, printed

from towncircle.kernel.facts import Fact
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import MemoryStore
from towncircle.postal.replaying import REPLAYS
from towncircle.provider.replaying import GRANTED
from towncircle.rules import RuleSet, ruleset
from towncircle.rules.replaying import differing
from towncircle.world import accounts, refunding
from towncircle.world.config import POSTAL
from towncircle.world.deadlines import compare, not_replayed
from towncircle.world.world import World

RULES = ruleset("imi-2024")
SAYS_ITSELF = (
    "correction_bottom",
    "marking_height",
    "fim_shapes",
    "key_renewal_interval",
    "delivery_barcode",
)  # nothing replays them


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a world in which a deposit, an advance, a reset, a print, a scan and a refund were decided."""
    journeys = funded(tmp_path_factory.mktemp("comparing") / "world")
    made = journeys.world
    accounts.agree_advance(made, MAILROOM, Mills.dollars(10), by="ann")
    accounts.ask_advance(journeys, Mills.dollars(4), by="dora")
    first, *_ = pieces = printed(journeys)
    mailed(made, first)
    made.advance("2d")
    refund = certified(journeys, pieces[1:])
    refunding.decide(made, refund, by="mats")
    yield made
    made.close()


def told(world: World, party: str, other: RuleSet) -> set[tuple[str, str, str]]:
    """Give what would differ of a party's decisions: the kind, what ours says, what theirs."""
    rows = list(compare(world, other, party))
    assert not {row.party for row in rows} - {party}
    return {(row.decision, row.ours, row.theirs) for row in rows if row.rule not in RULES.limits}


@pytest.mark.parametrize(
    ("name", "value", "party", "expected"),
    [
        ("refund_window", "2 days", POSTAL, set()),  # they were two days old
        ("refund_window", "1 days", POSTAL, {("refund.decided", "granted $2.43", "refused")}),
        ("refund_window", "1 days", HARBOR, {("form-3533.sent", "granted $2.43", "refused")}),
        ("refund_share", 90, POSTAL, {("refund.decided", "granted $2.43", "granted $2.187")}),
        ("refund_share", 90, HARBOR, {("form-3533.sent", "granted $2.43", "granted $2.187")}),
        ("descending_cap", 199_999, HARBOR, {("reset.reserved", "authorised", "refused")}),
        ("descending_cap", 1, POSTAL, {("scan.recorded", "well", "over the cap")}),
        ("advance_limit", 9_000, HARBOR, {("advance.agreed", "within the limit", "refused: over $9.00")}),
        ("available_ach_debit", 1, HARBOR, {("deposit.credited", "available 2026-11-23", "available 2026-11-24")}),
        ("service_out", "Express Mail", HARBOR, {("custody.shipped", "Registered Mail", "Express Mail")}),
        ("keyed_postage_limit", 1, MAILROOM, {("print.planned", "planned", "refused: mailroom.amount-over-limit")}),
        ("month_only_grace", "9 days", POSTAL, set()),  # nobody found a delay
    ],
)
def test_a_changed_figure_names_each_decision_that_would_differ(
    name: str, value: int | str, party: str, expected: set[tuple[str, str, str]], world: World
) -> None:
    other = with_figure(name, value)
    assert not_replayed(world, other) == []
    found = told(world, party, other)
    assert {row for row in found if row[0] != "custody.leased"} == expected


def with_figure(name: str, value: int | str) -> RuleSet:
    """Give the rules with one figure changed; one that they lack is laid over them as cfr-501 has it."""
    if name in RULES.parameters:
        return RULES.with_value(name, value)
    share = ruleset("cfr-501").parameters[name].with_value(value)
    return RuleSet(RULES.name, {**RULES.parameters, name: share}, RULES.inherited, RULES.limits)


@pytest.mark.parametrize("name", GRANTED)
def test_a_lease_is_said_again_by_all_that_it_sets_in_its_device(name: str, world: World) -> None:
    value = RULES.parameters[name].values[-1].value
    other = f"1{value}" if isinstance(value, str) and value[0].isdigit() else "warn" if isinstance(value, str) else 1
    assert "custody.leased" in {row[0] for row in told(world, HARBOR, RULES.with_value(name, other))}


@pytest.mark.parametrize("name", SAYS_ITSELF)
def test_a_figure_that_nobody_replays_is_named(name: str, world: World) -> None:
    held = RULES.parameters[name]
    value = {"length": "1 in", "term": "1 days", "text": "card"}[held.unit]
    assert not_replayed(world, RULES.with_value(name, value)) == [name]


# ---- licenses, by their facts


def fact(kind: str, subject: str, at: str, **body: object) -> Fact:
    when = Instant.parse(at)
    about = {"licensee": MAILROOM, "zone": "America/New_York", **body}
    return Fact(
        id=f"FCT-{subject}", type=kind, subject=subject, actor=POSTAL, occurred_at=when, recorded_at=when, body=about
    )


REVOKED = fact("license.revoked", "one", "2020-03-02T15:00Z", decision="d")
REFUSED = fact("license.refused", "two", "2025-03-02T15:00Z", grounds=["license.revoked-before"])
ISSUED = fact("license.issued", "three", "2025-03-03T15:00Z", grounds=[])


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        ("5 years", []),
        ("6 years", [("three", "issued", "refused")]),
        ("4 years", [("two", "refused", "issued")]),
    ],
)
def test_a_look_back_of_another_length_decides_licenses_otherwise(
    years: str, expected: list[tuple[str, str, str]]
) -> None:
    limit = RULES.limits["license-look-back"]
    other = RULES.with_limit(limit.with_value(years))
    with MemoryStore().reading() as view:
        found = list(differing(REPLAYS, view, [REVOKED, REFUSED, ISSUED], RULES, other))
    assert [(one.subject, mine, yours) for one, _, mine, yours in found] == expected
