"""Every state of the device against every command."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.psd.setting import DEVICE, Story, batch

from towncircle.kernel.errors import BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.money import Mills
from towncircle.psd import commands
from towncircle.psd.automaton import LEAVES, decide, observe
from towncircle.psd.services import SERVICES
from towncircle.psd.states import DEVICE as TABLE
from towncircle.psd.states import FAULT, LAPSE, LOCKED_OUT, WORDS
from towncircle.wire import bodies

STAGES = ("manufactured", "initialised", "authorised", "in service", "locked", "faulted", "withdrawn", "zeroised")
PLAIN = {
    "identify": commands.Identify(),
    "status": commands.Status(),
    "audit": commands.Audit(),
    "rekey": commands.Rekey(),
    "software": commands.Software(),
    "request_reset": commands.RequestReset(amount=Mills.dollars(10)),
    "evidence": batch(),
    "recover": commands.Recover(request_id="JOB-1"),
    "reprint": commands.Reprint(request_id="JOB-1", offsets=(0,)),
    "zeroise": commands.Zeroise(confirm=DEVICE),
}
ORDERS = {
    "initialise": (commands.Initialise, lambda s: bodies.Withdraw(reason="")),
    "certify": (commands.Certify, lambda s: bodies.Certify(indicia_certificate=b"", message_certificate=b"", chain=())),
    "authorise": (
        commands.Authorise,
        lambda s: bodies.Authorise(parameters=s.workshop.parameters(s.now), terms=s.workshop.terms(s.now)),
    ),
    "contact": (
        commands.Contact,
        lambda s: bodies.Renewal(
            audit_counter=1,
            contact_at=s.now,
            parameters=None,
            settle_request="",
            settle_outcome="",
            terms=s.workshop.terms(s.now),
        ),
    ),
    "apply_reset": (
        commands.ApplyReset,
        lambda s: bodies.ResetAuthorisation(request_id="REQ-1", device=DEVICE, amount=Mills(1), request_counter=1),
    ),
    "refuse_reset": (
        commands.ApplyReset,
        lambda s: bodies.ResetRefusal(request_id="REQ-1", code="c", sentence="s", clause="c", next_step="n"),
    ),
    "withdraw": (commands.Withdraw, lambda s: bodies.Withdraw(reason="returned")),
    "update": (commands.Update, lambda s: bodies.SoftwareUpdate(version=1, build=bytes(32), approval=b"none")),
    "examine": (commands.Examine, lambda s: s.workshop.examination(DEVICE, s.now)),
}


@pytest.fixture(scope="module")
def stories() -> dict[str, Story]:
    return {stage: Story().to(stage) for stage in STAGES}


@pytest.mark.parametrize("event", sorted(LEAVES))
@pytest.mark.parametrize("stage", STAGES)
def test_an_illegal_command_changes_nothing_and_names_the_legal_ones(
    stories: dict[str, Story], stage: str, event: str
) -> None:
    story = stories[stage]
    assert story.client.status().state == stage
    before = story.state()
    if event in TABLE.legal(stage):
        return
    command = PLAIN.get(event)
    if command is None:
        kind, body = ORDERS[event]
        made = body(story)
        command = kind(message=made if isinstance(made, bytes) else story.workshop.seal(DEVICE, made, story.now))
    with pytest.raises(TowncircleError) as refused:
        story.client._call(command, object)  # the byte port itself
    assert story.state() == before
    if event == "initialise":
        return  # its message is of the wrong type on purpose: no device of this workshop may be born twice
    if stage == "faulted":
        assert refused.value.code == "psd.faulted"
    elif stage == "locked" and event in LOCKED_OUT:
        assert refused.value.code == "psd.locked"
    else:
        assert refused.value.code == "machine.illegal-move"
    legal = [name for name in TABLE.legal(stage) if name in SERVICES]
    assert refused.value.next_step.endswith(f"Possible now: {', '.join(legal)}.")  # and neither a lapse nor a fault


@pytest.mark.parametrize("stage", STAGES)
def test_every_state_answers_who_it_is_and_where_it_stands(stories: dict[str, Story], stage: str) -> None:
    story = stories[stage]
    assert story.client.identify().device == DEVICE
    status = story.client.status()
    assert status.state == stage
    assert status.sentence.startswith(WORDS[stage])


def test_every_event_of_the_table_has_a_leaf_or_comes_from_time_and_tests() -> None:
    events = {move.event for move in TABLE.moves}
    assert events - set(LEAVES) == {"selftest", LAPSE, FAULT}
    assert set(LEAVES) <= events


def test_every_move_names_its_clause_and_every_state_has_words() -> None:
    assert all(move.clause for move in TABLE.moves)
    assert set(TABLE.states) == set(WORDS)


def test_deciding_is_pure() -> None:
    story = Story().to("in service")
    state = story.state()
    first = decide(state, batch(), story.now)
    assert decide(state, batch(), story.now) == first
    assert story.state() == state
    assert first.state.counter == state.counter + 1


def test_a_reading_command_does_not_touch_the_state() -> None:
    story = Story().to("in service")
    state = story.state()
    assert decide(state, commands.Status(), story.now).state is state
    assert observe(state, story.now) is state


def test_a_broken_law_is_found_before_it_is_kept() -> None:
    story = Story().to("in service")
    state = replace(story.state(), resets_total=Mills.dollars(99))
    with pytest.raises(BrokenInvariant, match=r"psd\.registers-broken"):
        decide(state, batch(), story.now)


def test_one_counter_value_signs_one_content() -> None:
    story = Story().to("in service")
    counters = []
    for _ in range(3):
        opened = story.workshop.open(DEVICE, story.client, story.client.audit().message)
        counters.append((opened.envelope.counter, opened.envelope.id))
    assert len({counter for counter, _ in counters}) == len({name for _, name in counters}) == 3
    assert counters == sorted(counters)


def test_a_command_for_the_provider_alone_is_refused_from_anybody_else() -> None:
    story = Story().to("in service")
    other = Story().workshop._key()
    forged = story.workshop.seal(DEVICE, bodies.Withdraw(reason="x"), story.now, signer=other)
    with pytest.raises(Refused, match=r"wire\.unknown-key"):
        story.client.withdraw(forged)
    stranger = story.workshop.seal(DEVICE, bodies.Withdraw(reason="x"), story.now, sender="provider.other")
    with pytest.raises(Refused, match=r"wire\.unknown-sender"):
        story.client.withdraw(stranger)
    misaddressed = story.workshop.seal(DEVICE, bodies.Withdraw(reason="x"), story.now, audience="device.other")
    with pytest.raises(Refused, match=r"wire\.wrong-audience"):
        story.client.withdraw(misaddressed)
    with pytest.raises(Refused, match=r"psd\.wrong-order"):
        story.client.contact(story.workshop.seal(DEVICE, bodies.Withdraw(reason="x"), story.now))
    with pytest.raises(Refused, match=r"wire\.expired"):
        story.client.withdraw(story.workshop.seal(DEVICE, bodies.Withdraw(reason="x"), story.now.plus(days=-9)))


def test_a_repeated_order_gets_the_first_answer_and_another_under_its_id_is_refused() -> None:
    story = Story().to("authorised")
    order = bodies.Authorise(
        parameters=story.workshop.parameters(story.now, advance_days=2), terms=story.workshop.terms(story.now)
    )
    sealed = story.workshop.seal(DEVICE, order, story.now, id="MSG-1", counter=900)
    first = story.client.authorise(sealed)
    counter = story.state().counter
    assert story.client.authorise(sealed) == first
    assert story.state().counter == counter
    with pytest.raises(Refused, match=r"wire\.conflict"):
        story.client.authorise(story.workshop.seal(DEVICE, order, story.now, id="MSG-1", counter=901))
    with pytest.raises(Refused, match=r"wire\.replayed"):
        story.client.authorise(story.workshop.seal(DEVICE, order, story.now, id="MSG-2", counter=900))
    story.clock.pass_time(hours=30)
    with pytest.raises(Refused, match=r"wire\.replayed"):
        story.client.authorise(sealed)
