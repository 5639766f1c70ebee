"""Resets over a network that loses, doubles, delays, alters and misdelivers."""

from __future__ import annotations

import pytest
from tests.psd.setting import DEVICE, Story

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.wire import bodies
from towncircle.wire.message import Opened


def asked(story: Story, dollars: int = 100) -> Opened:
    return story.workshop.open(DEVICE, story.client, story.client.request_reset(Mills.dollars(dollars)).message)


def test_asking_again_gives_the_same_bytes_and_says_so_in_words() -> None:
    story = Story().to("authorised")
    first = story.client.request_reset(Mills.dollars(100))
    assert first.sentence == "Credit pending: the reset of $100.00 will finish at the next connection."
    story.clock.pass_time(hours=3)
    assert story.client.request_reset(Mills.dollars(100)) == first
    story.restart()
    assert story.client.request_reset(Mills.dollars(100)) == first
    status = story.client.status()
    assert (status.open_request, status.open_amount) == (first.request_id, Mills.dollars(100))
    assert "Credit pending" in status.sentence


def test_one_request_is_open_at_a_time() -> None:
    story = Story().to("authorised")
    asked(story, 100)
    with pytest.raises(Refused, match=r"psd\.reset-open") as refused:
        story.client.request_reset(Mills.dollars(50))
    assert "$100.00" in refused.value.sentence


def test_an_authorisation_is_applied_at_most_once() -> None:
    story = Story().to("authorised")
    opened = asked(story)
    sealed = story.workshop.authorisation(DEVICE, opened, story.now)
    done = story.client.apply_reset(sealed)
    body = story.workshop.open(DEVICE, story.client, done.message).body
    assert isinstance(body, bodies.ResetAcknowledgment)
    assert (body.amount, body.registers.descending, body.resets_total) == (100_000, 100_000, 100_000)
    for again in (sealed, story.workshop.authorisation(DEVICE, opened, story.now)):  # doubled, and sealed anew
        assert story.client.apply_reset(again) == done
    assert story.client.status().registers.descending == Mills.dollars(100)
    altered = story.workshop.authorisation(DEVICE, opened, story.now, amount=Mills.dollars(400))
    with pytest.raises(Refused, match=r"psd\.request-conflict"):
        story.client.apply_reset(altered)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"device": DeviceId("TC1A0000000018")}, "psd.reset-not-mine"),
        ({"request_id": "REQ-222222222222"}, "psd.reset-unknown"),
        ({"amount": Mills.dollars(101)}, "psd.reset-mismatch"),
        ({"request_counter": 3}, "psd.reset-mismatch"),
    ],
)
def test_an_authorisation_for_something_else_credits_nothing(changes: dict[str, object], code: str) -> None:
    story = Story().to("authorised")
    opened = asked(story)
    before = story.state()
    with pytest.raises(Refused, match=code.replace(".", r"\.")):
        story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now, **changes))
    assert story.state() == before
    story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now))


def test_a_bit_flipped_on_the_way_is_refused() -> None:
    story = Story().to("authorised")
    sealed = story.workshop.authorisation(DEVICE, asked(story), story.now)
    before = story.state()
    for at in range(0, len(sealed), 7):
        with pytest.raises(Refused, match=r"wire\."):
            story.client.apply_reset(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
    assert story.state() == before


@pytest.mark.parametrize(("dollars", "well"), [(399, True), (400, True), (401, False)])
def test_the_cap_is_checked_when_asking(dollars: int, well: bool) -> None:
    story = Story().to("in service")  # with $100 on it
    if well:
        assert story.client.request_reset(Mills.dollars(dollars)).message
        return
    with pytest.raises(Refused, match=r"psd\.over-cap") as refused:
        story.client.request_reset(Mills.dollars(dollars))
    assert refused.value.clause == "P050 3.6"
    assert "$400.00" in refused.value.next_step


def test_the_cap_is_checked_again_when_the_value_comes() -> None:
    story = Story().to("in service")
    opened = asked(story, 400)
    story.contact(parameters=story.workshop.parameters(story.now, cap_mills=Mills.dollars(450)))
    with pytest.raises(Refused, match=r"psd\.over-cap"):
        story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now))
    story.evidence(amounts=(50_000,))
    story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now))
    assert story.client.status().registers.descending == Mills.dollars(450)


@pytest.mark.parametrize("mills", [0, -1, -100_000])
def test_a_reset_is_over_a_positive_amount(mills: int) -> None:
    story = Story().to("authorised")
    with pytest.raises(BadInput, match=r"psd\.amount-out-of-range"):
        story.client.request_reset(Mills(mills))


def refusal(story: Story, request_id: str) -> bytes:
    body = bodies.ResetRefusal(
        request_id=request_id, code="cmrs.funds-short", sentence="No funds.", clause="502.25(a)", next_step="Deposit."
    )
    return story.workshop.seal(DEVICE, body, story.now)


def test_only_the_providers_signed_refusal_closes_an_open_request() -> None:
    story = Story().to("authorised")
    opened = asked(story)
    assert isinstance(opened.body, bodies.ResetRequest)
    story.clock.pass_time(hours=70)  # a timer alone never voids
    assert story.client.status().open_request == opened.body.request_id
    with pytest.raises(Refused, match=r"psd\.reset-unknown"):
        story.client.apply_reset(refusal(story, "REQ-222222222222"))
    done = story.client.apply_reset(refusal(story, opened.body.request_id))
    assert "No funds." in done.sentence
    assert story.client.status().open_request == ""
    with pytest.raises(Refused, match=r"psd\.reset-unknown"):
        story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now))
    assert story.client.status().registers.descending == 0


def test_a_renewal_voids_what_is_open_and_refuses_to_void_what_was_applied() -> None:
    story = Story().to("in service")
    opened = asked(story)
    request = opened.body
    assert isinstance(request, bodies.ResetRequest)
    audit = story.workshop.open(DEVICE, story.client, story.client.audit().message)
    assert isinstance(audit.body, bodies.DeviceAudit)
    assert (audit.body.open_request, audit.body.open_amount) == (request.request_id, Mills.dollars(100))
    void = story.workshop.renewal(DEVICE, audit, story.now, settle_request=request.request_id, settle_outcome="void")
    story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now))  # the late answer came first
    with pytest.raises(Refused, match=r"psd\.renewal-stale"):
        story.client.contact(void)
    with pytest.raises(Refused, match=r"psd\.settle-unknown"):
        story.contact(settle_request=request.request_id, settle_outcome="void")
    second = asked(story, 10).body
    assert isinstance(second, bodies.ResetRequest)
    story.contact(settle_request=second.request_id, settle_outcome="void")
    status = story.client.status()
    assert (status.open_request, status.last_applied) == ("", request.request_id)
    assert status.registers.descending == Mills.dollars(200)


def test_a_reset_that_meets_a_locked_device_waits_for_the_contact() -> None:
    story = Story().to("in service")
    opened = asked(story)
    story.clock.pass_time(hours=73)
    sealed = story.workshop.authorisation(DEVICE, opened, story.now)
    with pytest.raises(Refused, match=r"psd\.locked"):
        story.client.apply_reset(sealed)
    story.contact()
    story.client.apply_reset(sealed)
    assert story.client.status().registers.descending == Mills.dollars(200)


def test_a_reset_is_a_contact() -> None:
    story = Story().to("in service")
    story.clock.pass_time(hours=71)
    story.reset(1)
    assert story.client.status().contact_due == story.now.plus(hours=72)


def test_a_device_is_not_withdrawn_while_a_reset_is_open() -> None:
    story = Story().to("in service")
    asked(story)
    with pytest.raises(Refused, match=r"psd\.reset-open"):
        story.withdraw()


def test_each_request_has_a_name_of_its_own() -> None:
    story = Story().to("in service")
    names = set()
    for _ in range(3):
        opened = asked(story, 1)
        assert isinstance(opened.body, bodies.ResetRequest)
        names.add(opened.body.request_id)
        story.client.apply_reset(story.workshop.authorisation(DEVICE, opened, story.now))
    assert len(names) == 3
