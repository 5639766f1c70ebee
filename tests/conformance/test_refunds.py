"""The duties about unused postage, each broken once: the refusal names its clause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.breaking import answered, names, refused
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, mailer
from tests.journeys.test_refunds import account, certified, funded, mailed, printed
from tests.parties.hand import POSTAL, Hand

from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId, RefundId
from towncircle.kernel.money import ZERO, Mills
from towncircle.verification.refunding import groups_of, share_of, total_of, unused
from towncircle.wire import bodies
from towncircle.world import refunding
from towncircle.world.journeys import Journeys


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    made = funded(tmp_path / "world")
    yield made
    made.world.close()


def application(hand: Hand, journeys: Journeys, pieces: tuple[bytes, ...], **changes: Any) -> bodies.RefundApplication:
    groups = groups_of(unused(pieces))
    made = bodies.RefundApplication(
        refund=RefundId.new(hand.source),
        device=DeviceId(journeys.device),
        pieces=pieces,
        groups=groups,
        total=total_of(groups),
        claimed_by="dora",
    )
    return replace(made, **changes)


def form(hand: Hand, asked: bodies.RefundApplication, **changes: Any) -> bodies.Form3533:
    """Make the certified form of an application, as a Provider that keeps every duty but the changed one."""
    made = bodies.Form3533(
        refund=asked.refund,
        license=hand.license_of(MAILROOM),
        application=hand.seal(MAILROOM, HARBOR, asked),
        annotations=(),
        groups=asked.groups,
        total=asked.total,
        share=100,
        amount=asked.total,
        scanned_by="ann",
        certified_by="ben",
        received=hand.world.clock.now(),
        at=hand.world.clock.now(),
    )
    return replace(made, **changes)


@pytest.mark.requirement("502.27a/1")
def test_an_application_that_is_dated_back_is_refused_by_provider_and_coordinator(journeys: Journeys) -> None:
    world, hand, pieces = journeys.world, Hand(journeys.world), printed(journeys)
    world.advance("40d")  # too old by now, and young enough 20 days ago
    asked, now = application(hand, journeys, pieces), world.clock.now()
    before = {"issued": now.plus(hours=-20 * 24), "expires": now.plus(hours=24)}
    answered(hand.say(MAILROOM, HARBOR, asked, **before), "502.27a", "refund.backdated")
    sealed = hand.seal(MAILROOM, HARBOR, asked, **before)  # type: ignore[arg-type]  # bent on purpose
    answered(hand.say(HARBOR, POSTAL, form(hand, asked, application=sealed)), "502.27a", "refund.backdated")
    early = form(hand, asked, received=now.plus(hours=-25))
    answered(hand.say(HARBOR, POSTAL, early), "502.27a", "refund.backdated")
    last = {"issued": now.plus(hours=-24), "expires": now.plus(hours=24)}
    assert isinstance(hand.say(MAILROOM, HARBOR, asked, **last), bodies.RefundStatement)


@pytest.mark.requirement("502.27a/3")
def test_what_became_of_a_piece_is_told_of_the_named_device_only(journeys: Journeys) -> None:
    hand, pieces = Hand(journeys.world), printed(journeys)
    annex = mailer(journeys.world, ANNEX, deposit=100, reset=50)
    query = bodies.RefundInquiry(refund="RFD-7K3MQ9ZX2RTB", device=DeviceId(annex.device), pieces=pieces)
    answered(hand.say(HARBOR, POSTAL, query), "502.27a", "refund.other-device")


@pytest.mark.requirement("502.27a/7")
def test_a_form_with_another_share_is_refused_when_it_comes(journeys: Journeys) -> None:
    hand, pieces = Hand(journeys.world), printed(journeys)
    asked = application(hand, journeys, pieces)
    bent = form(hand, asked, share=90, amount=share_of(asked.total, 90))
    answered(hand.say(HARBOR, POSTAL, bent), "502.27a", "refund.other-share")


@pytest.mark.requirement("502.27a/2")
def test_groups_and_totals_that_do_not_hold_are_refused(journeys: Journeys) -> None:
    hand, pieces = Hand(journeys.world), printed(journeys)
    well = application(hand, journeys, pieces)
    group, *rest = well.groups
    for changes in (
        {"total": well.total + Mills(1)},
        {"groups": (replace(group, pieces=group.pieces + 1), *rest)},
        {"groups": (replace(group, total=group.total + Mills(1)), *rest)},
        {"groups": ()},
    ):
        answered(hand.say(MAILROOM, HARBOR, replace(well, **changes)), "502.27a", "refund.groups-differ")
    assert isinstance(hand.say(MAILROOM, HARBOR, well), bodies.RefundStatement)


@pytest.mark.requirement("P050-3.3b/2")
def test_a_form_without_the_licensees_own_pieces_and_word_is_refused(journeys: Journeys) -> None:
    hand, pieces = Hand(journeys.world), printed(journeys)
    with refused("502.27a", "refund.no-pieces"):
        refunding.submit(journeys, ())
    with pytest.raises(BadInput, match="Piece 1"):
        refunding.submit(journeys, (b"paper",))
    asked = application(hand, journeys, pieces)
    for sealed in (hand.seal(ANNEX, HARBOR, asked), hand.seal(MAILROOM, HARBOR, replace(asked, refund="RFD-other"))):
        answer = hand.say(HARBOR, POSTAL, form(hand, asked, application=sealed))
        answered(answer, "502.27a", "refund.not-its-licensee")


@pytest.mark.requirement("502.27a/4")
def test_a_form_that_counts_a_piece_that_is_annotated_is_refused(journeys: Journeys) -> None:
    hand, pieces = Hand(journeys.world), printed(journeys)
    mailed(journeys.world, pieces[0])
    told = refunding.submit(journeys, pieces)
    refunding.scan(journeys.world, told.refund, pieces, by="ann")
    (note,) = refunding.follow(journeys, told.refund).annotations
    assert (note.piece, note.code) == (1, "used.mailed")
    assert names(note.clause, "502.27a")
    asked = application(hand, journeys, pieces)
    answer = hand.say(HARBOR, POSTAL, form(hand, asked, annotations=(note,)))
    answered(answer, "502.27a", "refund.does-not-add-up")


@pytest.mark.requirement("502.27a/5")
def test_one_person_alone_certifies_nothing(journeys: Journeys) -> None:
    hand, pieces = Hand(journeys.world), printed(journeys)
    told = refunding.submit(journeys, pieces)
    refunding.scan(journeys.world, told.refund, pieces, by="ann")
    with refused("502.27a", "person.same-person"):
        refunding.certify(journeys.world, told.refund, by="ann")
    asked = application(hand, journeys, pieces)
    for certifier, code in (("ann", "person.same-person"), ("", "person.not-approved")):
        answered(hand.say(HARBOR, POSTAL, form(hand, asked, certified_by=certifier)), "502.27a", code)


@pytest.mark.requirement("502.27a/6")
def test_what_was_not_certified_and_sent_is_not_decided(journeys: Journeys) -> None:
    hand, pieces = Hand(journeys.world), printed(journeys)
    told = refunding.submit(journeys, pieces)
    refunding.scan(journeys.world, told.refund, pieces, by="ann")
    with refused("502.27a", "refund.unknown"):
        refunding.decide(journeys.world, told.refund, by="mats")
    early = bodies.RefundDecided(
        refund=told.refund,
        outcome="granted",
        annotations=(),
        total=told.claimed,
        amount=told.claimed,
        decided_by="mats",
        at=hand.world.clock.now(),
    )
    answered(hand.say(POSTAL, HARBOR, early), "502.27a", "refund.not-decided")


@pytest.mark.requirement("502.27a/7", "P050-3.3b/3", "PRE-19/1")
def test_the_account_is_credited_with_what_the_coordinator_arranged_and_once(journeys: Journeys) -> None:
    world, hand, pieces = journeys.world, Hand(journeys.world), printed(journeys)
    before = account(world)
    refund = certified(journeys, pieces)
    amount = refunding.follow(journeys, refund).amount
    decision = bodies.RefundDecided(
        refund=refund,
        outcome="granted",
        annotations=(),
        total=amount,
        amount=amount,
        decided_by="mats",
        at=world.clock.now(),
    )
    more = replace(decision, amount=amount + Mills(1))
    answered(hand.say(POSTAL, HARBOR, more), "502.27a", "refund.does-not-add-up")
    assert account(world) == before
    refunding.decide(world, refund, by="mats")
    assert account(world) == before + amount > before + ZERO
    answered(hand.say(POSTAL, HARBOR, decision), "502.27a", "refund.not-decided")
    with refused("502.27a", "refund.decided-before"):
        refunding.decide(world, refund, by="olaf")
    assert account(world) == before + amount


@pytest.mark.requirement("502.27a/8")
def test_envelopes_are_not_destroyed_within_their_time(journeys: Journeys) -> None:
    world, pieces = journeys.world, printed(journeys)
    refund = certified(journeys, pieces)
    refunding.decide(world, refund, by="mats")
    world.advance("45d")
    with refused("502.27a", "refund.envelopes-kept"):
        refunding.destroy(world, refund, by="ann")
    world.advance("1d")
    assert refunding.destroy(world, refund, by="ann").body["destroyed_at"] == int(world.clock.now())


@pytest.mark.requirement("502.27a/9")
def test_an_envelope_that_is_not_the_one_sent_in_is_found_in_a_sample(journeys: Journeys) -> None:
    world, pieces = journeys.world, printed(journeys)
    refund = certified(journeys, pieces)
    refunding.decide(world, refund, by="mats")

    refunding.sample(world, refund, by="olaf", numbers=(1, 2))
    (done,) = refunding.show(world, refund, (b"another envelope", pieces[1]), by="ann")
    assert (done.outcome, done.wrong) == ("irregular", (1,))
    with world.store(POSTAL).reading() as view:
        (fact,) = [one for one in view.facts() if one.type == "refund.sampled"]
    assert any(names(clause, "502.27a") for clause in fact.clauses)
