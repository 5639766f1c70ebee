"""The duties of rates, categories, keys on the way and recorded acts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from tests.conformance.breaking import refused
from tests.journeys.stories import HARBOR
from tests.parties.hand import POSTAL
from tests.wire.test_trustlist import NOW, OTHERS, OURS

from towncircle.auditor import audit
from towncircle.kernel.errors import BadInput
from towncircle.mailpiece.rates import PriceRequest, price
from towncircle.rules.acts import Act, acts
from towncircle.wire.trustlist import read_trust_list, sign_trust_list
from towncircle.world.exporting import export
from towncircle.world.recording import record
from towncircle.world.world import World


def priced(**changes: object) -> object:
    fields = {
        "mail_class": "first",
        "shape": "letter",
        "price_type": "metered",
        "weight_oz": Fraction(1),
        "on": date(2026, 11, 21),
    }
    return price(PriceRequest(**{**fields, **changes}))  # type: ignore[arg-type]  # each test says what is unusual


@pytest.mark.requirement("PRE-14/1", "P050-1.4/1")
@pytest.mark.parametrize(
    ("mail_class", "code"),
    [("periodicals", "eligibility.class"), ("package services", "rates.unknown-class"), ("", "rates.unknown-class")],
)
def test_a_class_that_indicia_do_not_pay_is_refused(mail_class: str, code: str) -> None:
    for shape in ("letter", "flat", "parcel"):
        with refused("P050-1.4", code):
            priced(mail_class=mail_class, shape=shape)


@pytest.mark.requirement("P050-1.5/1", "PRE-20")
@pytest.mark.parametrize(
    ("on", "code"), [(date(1776, 7, 4), "rates.before-tables"), (date(2999, 1, 1), "rates.after-tables")]
)
def test_a_day_that_no_table_answers_is_never_guessed(on: date, code: str) -> None:
    for row in ("PRE-20", "P050-1.5"):
        with refused(row, code):
            priced(on=on)


@pytest.mark.requirement("502.28/3")
def test_certificates_come_through_the_signed_list_of_the_pinned_root_only() -> None:
    raw = sign_trust_list(OTHERS.list, OTHERS.root.key)
    with refused("502.28", "wire.unknown-key"):
        read_trust_list(raw, root=OURS.root.certificate, now=NOW)
    with refused("502.28", "wire.trust-list-wrong"):
        OURS.read(replace(OURS.list, authorities=(OTHERS.authority,)))


# ---- acts of people


@pytest.mark.requirement("every act of a procedure")
@pytest.mark.parametrize("act", [act for act in acts().values() if act.command], ids=lambda act: act.name)
def test_an_act_that_a_procedure_does_is_not_recorded_by_hand(act: Act, world: World) -> None:
    by = POSTAL if act.by == "postal" else HARBOR
    with refused(act.duty.partition("/")[0], "acts.done-by"):
        record(world, act.name, by=by, reference="file-1", document=b"paper")


@pytest.mark.requirement("every act recorded by hand")
@pytest.mark.parametrize("act", [act for act in acts().values() if not act.command], ids=lambda act: act.name)
def test_an_act_is_recorded_by_its_own_party_with_its_paper_and_never_twice(act: Act, world: World) -> None:
    by = POSTAL if act.by == "postal" else HARBOR
    other = HARBOR if act.by == "postal" else POSTAL
    row = act.duty.partition("/")[0]
    about = HARBOR if act.about else ""
    with refused(row, "acts.not-this-party"):
        record(world, act.name, by=other, reference="file-1", document=b"paper", about=about)
    if act.document:
        with refused(row, "acts.no-document"):
            record(world, act.name, by=by, reference="file-1", document=None, about=about)
    late = world.clock.now().plus(hours=1)
    with refused(row, "acts.not-yet"):
        record(world, act.name, by=by, reference="file-1", document=b"paper", at=late, about=about)
    with pytest.raises(BadInput, match="told about"):
        record(world, act.name, by=by, reference="file-1", document=b"paper", about="" if about else HARBOR)
    done = record(world, act.name, by=by, reference="file-1", document=b"paper", about=about)
    assert record(world, act.name, by=by, reference="file-1", document=b"paper", about=about) == done
    assert done.clauses == (act.clause,)
    with refused(row, "acts.conflict"):
        record(world, act.name, by=by, reference="file-1", document=b"another paper", about=about)


def test_what_is_no_act_no_party_and_no_reference_is_said(world: World) -> None:
    for name, by, reference, code in (
        ("a-walk", HARBOR, "r", "acts.no-such-act"),
        ("inspection-announced", POSTAL, "r", "acts.no-such-act"),  # 'inspection announce' does that
        ("system-inspected", "provider.nobody", "r", "acts.no-such-party"),
        ("system-inspected", HARBOR, "John Smith", "acts.bad-reference"),
    ):
        with pytest.raises(BadInput) as caught:
            record(world, name, by=by, reference=reference, document=None)
        assert caught.value.code == code


def test_the_auditor_knows_recorded_acts_and_finds_a_changed_one(world: World, tmp_path: Path) -> None:
    record(world, "system-inspected", by=HARBOR, reference="TC1A0000000001", document=None)
    record(world, "resetting-system-audit", by=POSTAL, reference="report-17", document=b"paper")
    export(world, tmp_path / "well")
    assert audit(tmp_path / "well").differences == []
    with world.store(HARBOR).transaction() as tx:
        held = [fact for fact in tx.facts() if fact.type == "act.recorded"][-1]
        tx.append_fact(
            type(held)(**{name: getattr(held, name) for name in held.__slots__} | {"id": "FCT-222222222222"})
        )
    export(world, tmp_path / "ill")
    assert "act.twice" in {difference.code for difference in audit(tmp_path / "ill").differences}
