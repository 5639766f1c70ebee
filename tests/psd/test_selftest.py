"""Self-tests: any failure means that nothing is signed."""

from __future__ import annotations

import pytest
from tests.psd.setting import Story

from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.psd import selftest


def test_all_known_answers_are_given() -> None:
    assert selftest.run() == ("sha-256", "ecdsa-p256 sign", "ecdsa-p256 verify", "aes-256-gcm")
    assert Story().to("in service").client.selftest().passed == selftest.run()


@pytest.mark.parametrize("name", sorted(selftest.TESTS))
def test_each_failing_test_faults_the_device_at_power_on(name: str) -> None:
    story = Story().to("in service")
    story.restart(tests={**selftest.TESTS, name: lambda: False})
    status = story.client.status()
    assert status.state == "faulted"
    assert not status.approved_mode
    assert name in status.sentence
    with pytest.raises(Refused, match=r"psd\.faulted"):
        story.evidence()


def test_a_test_that_fails_on_demand_faults_the_device() -> None:
    story = Story().to("in service")
    outcome = [True]
    story.restart(tests={"fickle": lambda: outcome[0]})
    assert story.evidence().count == 1
    outcome[0] = False
    with pytest.raises(BrokenInvariant, match=r"psd\.selftest-failed"):
        story.client.selftest()
    with pytest.raises(Refused, match=r"psd\.faulted"):
        story.client.recover("JOB-1")


def test_a_key_that_fails_its_pairwise_test_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    before = story.state()
    other = SoftwareKey.generate("ecdsa-p256", SeededRandomness(1, "another key")).public
    monkeypatch.setattr(SoftwareKey, "public", property(lambda _: other))
    with pytest.raises(BrokenInvariant, match=r"psd\.pairwise-failed"):
        story.workshop.initialise(story.client, story.name, story.now)
    assert story.state() == before
    monkeypatch.undo()
    story.workshop.initialise(story.client, story.name, story.now)


def test_registers_that_break_the_law_at_start_fault_the_device() -> None:
    from dataclasses import replace

    from towncircle.kernel.money import Mills
    from towncircle.psd.memory import Change

    story = Story().to("in service")
    state = story.state()
    bad = replace(state, resets_total=Mills(1), counter=state.counter + 1)
    story.memory.commit([Change(story.name, state.counter, state.epoch, bad, ())])
    story.restart()
    assert story.client.status().state == "faulted"
    assert "control total" in story.client.status().sentence


def test_nothing_shows_a_private_key() -> None:
    story = Story().to("in service")
    state = story.state()
    assert state.indicia_key is not None
    shown = repr(state) + repr(story.device) + repr(story.device._slots)
    assert repr(state.indicia_key.sealed) not in shown
    assert "sealed" not in shown
