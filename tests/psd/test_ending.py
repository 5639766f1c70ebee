"""The end of a device: no reservation and no balance waits for a word that nobody can sign any more."""

from __future__ import annotations

import pytest
from tests.psd.setting import Story

from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.money import Mills
from towncircle.wire.bodies import Withdraw


def test_a_device_whose_first_reset_is_open_keeps_its_keys() -> None:
    story = Story().to("authorised")
    story.client.request_reset(Mills.dollars(10))
    with pytest.raises(Refused, match=r"psd\.reset-open"):
        story.client.zeroise(story.name)
    assert story.client.status().state == "authorised"
    story.restart(tests={"a test that fails": lambda: False})  # a faulted one has no word to give
    story.client.zeroise(story.name)


def test_a_lost_answer_to_a_withdrawal_is_given_again_after_the_keys_are_gone() -> None:
    story = Story().to("in service")
    order = story.workshop.seal(story.name, Withdraw(reason="returned"), story.now)
    told = story.client.withdraw(order)
    story.client.zeroise(story.name)
    assert story.client.withdraw(order) == told
    story.restart()
    assert story.client.withdraw(order) == told
    with pytest.raises(TowncircleError):
        story.client.withdraw(story.workshop.seal(story.name, Withdraw(reason="again"), story.now))
    with pytest.raises(TowncircleError):
        story.client.audit()


def test_an_unsound_module_destroys_the_keys_of_no_device_that_a_sound_one_goes_on_with() -> None:
    story = Story().to("in service")
    story.device._unsound = "a test"
    assert story.client.status().state == "faulted"
    story.clock.pass_time(hours=73)  # nor does it lock it
    before = story.state()
    with pytest.raises(Refused, match=r"machine\.illegal-move"):
        story.client.zeroise(story.name)
    assert story.state() == before
    for stage in ("authorised", "withdrawn"):
        story = Story().to(stage)
        story.device._unsound = "a test"
        story.client.zeroise(story.name)
        assert story.client.status().state == "zeroised"
