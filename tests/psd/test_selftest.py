"""Self-tests: any failure means that nothing is signed."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from tests.psd.setting import SECRET, Story

from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.psd import selftest
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import Device
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Change


def test_all_known_answers_are_given() -> None:
    assert selftest.run() == (
        *("sha-256", "integrity", "hmac-sha-256", "ecdsa-p256 sign", "ecdsa-p256 drawn", "ecdsa-p256 verify"),
        *("dsa-1024 sign", "dsa-1024 verify", "aes-256-gcm", "aes-256-gcm opening", "argon2id"),
    )
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


BREAKS: list[tuple[str, str, object]] = [
    ("sha-256", "hashlib.sha256", lambda data=b"": __import__("hashlib").md5(data)),
    ("integrity", "integrity.check", lambda: ""),
    ("hmac-sha-256", "hmac.digest", lambda *_: bytes(32)),
    ("ecdsa-p256 sign", "_R", 1),
    ("ecdsa-p256 drawn", "signature_valid", lambda *_: False),
    ("ecdsa-p256 verify", "signature_valid", lambda *_: True),
    ("dsa-1024 sign", "_DSA_SIGNATURE", bytes(40)),
    ("dsa-1024 verify", "signature_valid", lambda *_: False),
    ("aes-256-gcm", "AESGCM", lambda key: type("Broken", (), {"encrypt": lambda *_: bytes(32)})()),
    ("aes-256-gcm opening", "AESGCM", lambda key: type("Lax", (), {"decrypt": lambda *_: bytes(16)})()),
    ("argon2id", "Argon2id", lambda **_: type("Broken", (), {"derive": lambda *_: bytes(32)})()),
]


def test_every_self_test_is_broken_here() -> None:
    assert [test for test, _, _ in BREAKS] == list(selftest.TESTS)


@pytest.mark.parametrize(("test", "part", "broken"), BREAKS)
def test_each_known_answer_is_really_asked(
    test: str, part: str, broken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert selftest.TESTS[test]()
    monkeypatch.setattr(f"towncircle.psd.selftest.{part}", broken)
    assert not selftest.TESTS[test]()


def test_the_power_on_tests_run_once_a_process_and_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    monkeypatch.setattr(selftest, "run", lambda **_: (runs.append(1), ("all",))[1])
    monkeypatch.setattr(selftest, "_passed", [])
    assert [selftest.power_on() for _ in range(3)] == [("all",)] * 3
    assert len(runs) == 1

    def failing(**_: object) -> tuple[str, ...]:
        raise BrokenInvariant("psd.selftest-failed", name="one")

    monkeypatch.setattr(selftest, "run", failing)
    selftest._passed.clear()
    for _ in range(2):
        with pytest.raises(BrokenInvariant):
            selftest.power_on()


def test_a_process_of_many_devices_runs_its_tests_on_demand_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    for kept in ("_paces", "_demanded", "_failures"):
        monkeypatch.setattr(selftest, kept, [])
    monkeypatch.setattr(selftest, "run", lambda *_, **__: (runs.append(1), ("all",))[1])
    client = Story().to("in service").client
    for paced, expected in ((False, 3), (True, 4)):
        if paced:
            selftest.pace(60)
        assert [client.selftest().passed for _ in range(3)] == [("all",)] * 3
        assert len(runs) == expected
    ((last, passed),) = selftest._demanded
    selftest._demanded[0] = (last - 60, passed)
    client.selftest()
    assert len(runs) == 5
    selftest.stop(BrokenInvariant("psd.selftest-failed", name="one"), device="another")
    with pytest.raises(BrokenInvariant):  # what stopped the module needs no run
        client.selftest()
    assert len(runs) == 5


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


def test_a_key_that_fails_its_pairwise_test_faults_the_device_and_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    other = SoftwareKey.generate("ecdsa-p256", SeededRandomness(1, "another key")).public
    monkeypatch.setattr(selftest, "_failures", [])
    monkeypatch.setattr(SoftwareKey, "public", property(lambda _: other))
    with pytest.raises(BrokenInvariant, match=r"psd\.pairwise-failed"):
        story.workshop.initialise(story.client, story.name, story.now)
    monkeypatch.undo()
    after = story.state()
    assert (after.state, after.indicia_key, after.message_key) == ("faulted", None, None)
    with pytest.raises(Refused, match=r"psd\.faulted"):
        story.workshop.initialise(story.client, story.name, story.now)
    story.client.zeroise(story.name)


def test_a_rollover_whose_pairwise_test_fails_faults_the_device_with_its_registers_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story().to("in service")
    before = story.state()
    other = SoftwareKey.generate("ecdsa-p256", SeededRandomness(1, "another key")).public
    monkeypatch.setattr(selftest, "_failures", [])
    with monkeypatch.context() as patched:
        patched.setattr(SoftwareKey, "public", property(lambda _: other))
        with pytest.raises(BrokenInvariant, match=r"psd\.pairwise-failed"):
            story.client.rekey()
    status = story.client.status()
    assert (status.state, status.approved_mode, status.registers) == ("faulted", False, before.registers)
    assert "pairwise" in status.sentence
    assert story.state().next_key is None
    for signing in (story.evidence, story.client.audit, story.client.rekey):
        with pytest.raises(Refused, match=r"psd\.faulted"):
            signing()
    story.restart()
    assert story.client.status().state == "faulted"


def test_registers_that_break_the_law_at_start_fault_the_device() -> None:
    story = Story().to("in service")
    state = story.state()
    bad = replace(state, resets_total=Mills(1), counter=state.counter + 1)
    story.memory.commit([Change(story.name, state.counter, state.epoch, bad, ())])
    story.restart()
    assert story.client.status().state == "faulted"
    assert "control total" in story.client.status().sentence


def test_registers_that_break_the_law_are_found_on_demand() -> None:
    story = Story().to("in service")
    state = story.state()
    bad = replace(state, resets_total=state.resets_total + Mills(1))
    story.memory.commit([Change(story.name, state.counter, state.epoch, bad, ())])
    story.device._held = story.device._standing = None  # what is stored is what counts
    with pytest.raises(BrokenInvariant, match=r"psd\.registers-broken"):
        story.client.selftest()
    assert story.client.status().state == "faulted"


def test_nothing_shows_a_private_key() -> None:
    story = Story().to("in service")
    state = story.state()
    assert state.indicia_key is not None
    shown = repr(state) + repr(story.device) + repr(story.device._slots)
    assert repr(state.indicia_key.sealed) not in shown
    assert "sealed" not in shown


class _Drawn:
    """Randomness that does not repeat."""

    repeatable = False

    def take(self, size: int) -> bytes:
        return os.urandom(size)


def test_the_approved_mode_is_neither_under_a_seed_nor_under_a_passphrase_nor_without_keys() -> None:
    story = Story().to("in service")
    assert not story.client.status().approved_mode  # its keys are of a seed
    for derived in (False, True):
        slots = SoftwareSlots(lambda: SECRET, _Drawn(), derived=derived)
        story.device = Device(story.memory, story.name, slots=slots, clock=story.clock)
        story.client = DeviceClient(story.device)
        assert story.client.status().approved_mode is not derived
    story.device = Device(story.memory, story.name, slots=SoftwareSlots(lambda: SECRET, _Drawn()), clock=story.clock)
    story.client = DeviceClient(story.device)
    story.withdraw()
    story.client.zeroise(story.name)
    assert not story.client.status().approved_mode
