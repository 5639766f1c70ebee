"""The journal of facts: a changed, missing or swapped fact breaks the chain."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from towncircle.kernel.errors import BrokenInvariant
from towncircle.kernel.facts import GENESIS, Fact, chained, check_chain
from towncircle.kernel.instants import Instant


def journal(count: int = 5) -> list[Fact]:
    facts: list[Fact] = []
    for number in range(count):
        fact = Fact(
            id=f"FCT-{number}",
            type="license.issued",
            subject="20260-000001",
            actor="postal.usps",
            occurred_at=Instant.parse("2026-11-23T14:00Z"),
            recorded_at=Instant.parse("2026-11-23T14:00:00.000001Z"),
            clauses=("P050 2.1",),
            body=MappingProxyType({"number": number, "grounds": ["a", "b"], "name": "Zo\u00eb"}),
        )
        facts.append(chained(fact, facts[-1] if facts else None))
    return facts


def broken_at(facts: list[Fact]) -> str:
    with pytest.raises(BrokenInvariant) as caught:
        check_chain("postal.usps", facts)
    assert caught.value.code == "facts.chain-broken"
    assert "postal.usps" in caught.value.sentence
    return str(caught.value.params["fact"])


def test_a_whole_journal_is_counted() -> None:
    facts = journal()
    assert check_chain("postal.usps", facts) == 5
    assert check_chain("postal.usps", []) == 0
    assert facts[0].previous_hash == GENESIS


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "20260-000002"},
        {"actor": "provider.harbor"},
        {"occurred_at": Instant.parse("2026-11-23T13:59Z")},
        {"version": 2},
        {"clauses": ()},
        {"body": MappingProxyType({"number": 99})},
    ],
)
def test_an_edited_fact_is_found_at_the_next_one(change: dict[str, object]) -> None:
    facts = journal()
    facts[2] = replace(facts[2], **change)  # type: ignore[arg-type]  # the changes are of the right types
    assert broken_at(facts) == "FCT-3"


def test_a_deleted_fact_is_found() -> None:
    facts = journal()
    del facts[2]
    assert broken_at(facts) == "FCT-3"


def test_a_deleted_first_fact_is_found() -> None:
    assert broken_at(journal()[1:]) == "FCT-1"


def test_swapped_facts_are_found() -> None:
    facts = journal()
    facts[1], facts[2] = facts[2], facts[1]
    assert broken_at(facts) == "FCT-2"


def test_a_fact_is_the_same_after_a_journey_through_json() -> None:
    import json

    fact = journal()[3]
    again = Fact.from_dict(json.loads(json.dumps(fact.as_dict())))
    assert again == fact
    assert again.digest() == fact.digest()
