"""The life of keys: rollover with an overlap, renewal, the warnings before it hurts, and an end that leaves nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, SECRET, START, Hands, Story, slots, sqlite

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import Refused
from towncircle.pki.keyfile import open_key
from towncircle.pki.verifying import PublicKey, verify
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import Device, manufacture
from towncircle.psd.memory import MemoryInRam
from towncircle.psd.state import DeviceState, SealedKey
from towncircle.wire.bodies import Authorise


def _verifies(public: bytes, done) -> bool:  # type: ignore[no-untyped-def]
    return verify(PublicKey("ecdsa-p256", public), done.signatures, done.contents).accepted


def _rollover(story: Story) -> None:
    report = story.workshop.open(DEVICE, story.client, story.client.rekey().message).body
    story.workshop.certify_next(story.client, DEVICE, story.now, indicia=report.indicia_public)


def test_a_rollover_changes_the_key_when_its_certificate_comes_and_both_verify() -> None:
    story = Story().to("in service")
    old, message = story.client.identify().indicia_public, story.client.identify().message_public
    old_serial = story.client.identify().certificate_serial
    first = story.evidence("JOB-1")
    report = story.workshop.open(DEVICE, story.client, story.client.rekey().message).body
    assert report.indicia_public != old
    assert report.message_public == message
    assert verify(PublicKey("ecdsa-p256", report.indicia_public), report.indicia_proof, message).accepted
    during = story.evidence("JOB-2")  # no gap: the present key signs until the next one is certified
    assert _verifies(old, during)
    story.workshop.certify_next(story.client, DEVICE, story.now, indicia=report.indicia_public)
    after = story.evidence("JOB-3")
    assert story.client.identify().indicia_public == report.indicia_public
    assert story.client.identify().certificate_serial != old_serial
    assert _verifies(report.indicia_public, after)
    assert not _verifies(old, after)
    assert _verifies(old, first)  # under the old certificate, which runs on for verifiers
    assert story.state().next_key is None
    assert story.client.recover("JOB-1") == first


def test_asking_twice_for_the_next_key_reports_the_same_one() -> None:
    story = Story().to("in service")
    first = story.workshop.open(DEVICE, story.client, story.client.rekey().message).body.indicia_public
    second = story.workshop.open(DEVICE, story.client, story.client.rekey().message).body.indicia_public
    assert first == second != story.client.identify().indicia_public
    story.workshop.certify_next(story.client, DEVICE, story.now, indicia=second)
    assert story.client.identify().indicia_public == second
    third = story.workshop.open(DEVICE, story.client, story.client.rekey().message).body.indicia_public
    assert third != second


def test_a_renewed_certificate_of_the_same_key_leaves_a_rollover_waiting() -> None:
    story = Story().to("in service")
    old = story.client.identify().indicia_public
    next_public = story.workshop.open(DEVICE, story.client, story.client.rekey().message).body.indicia_public
    story.workshop.certify(story.client, DEVICE, story.now)
    assert story.client.identify().indicia_public == old
    story.workshop.certify_next(story.client, DEVICE, story.now, indicia=next_public)
    assert story.client.identify().indicia_public == next_public


def test_a_rollover_survives_a_restart() -> None:
    story = Story().to("in service")
    report = story.workshop.open(DEVICE, story.client, story.client.rekey().message).body
    story.restart()
    story.workshop.certify_next(story.client, DEVICE, story.now, indicia=report.indicia_public)
    story.restart()
    assert _verifies(report.indicia_public, story.evidence())


def test_the_end_of_a_certificate_is_warned_of_and_a_renewal_ends_the_warning() -> None:
    story = Story()
    story.workshop.initialise(story.client, DEVICE, story.now)
    ends = story.now.plus(days=40)
    story.workshop.certify(story.client, DEVICE, story.now, not_after=ends)
    from towncircle.wire import bodies

    order = bodies.Authorise(parameters=story.workshop.parameters(story.now), terms=story.workshop.terms(story.now))
    story.client.authorise(story.workshop.seal(DEVICE, order, story.now))
    story.reset()

    def warned() -> bool:
        return any("certificate" in line for line in story.client.status().warnings)

    assert not warned()
    story.clock.at = ends.plus(days=-30, microseconds=-1)
    story.contact()
    assert not warned()
    story.clock.pass_time(microseconds=1)
    assert warned()
    story.clock.at = ends
    story.contact()
    story.evidence("JOB-1", date="2026-12-31")
    story.clock.pass_time(microseconds=1)
    with pytest.raises(Refused, match=r"psd\.certificate-not-in-force"):
        story.evidence("JOB-2", date="2026-12-31")
    story.workshop.certify(story.client, DEVICE, story.now)
    assert not warned()
    assert story.evidence("JOB-2", date="2026-12-31").count == 1


def _traces(place: Path, secrets: dict[str, bytes]) -> list[str]:
    found = []
    for path in sorted(place.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            found += [f"{name} in {path.name}" for name, secret in secrets.items() if secret in raw]
    return found


def _secrets(state: DeviceState) -> dict[str, bytes]:
    """Everything that is or opens a private key: its sealed form, and the bare number in it."""
    held: dict[str, bytes] = {}
    for name in ("indicia_key", "message_key", "next_key"):
        slot: SealedKey | None = getattr(state, name)
        if slot is not None:
            held[f"{name} sealed"] = slot.sealed
            held[f"{name} sealed, its cipher text"] = slot.sealed[-48:]
            key = open_key(slot.sealed, lambda: SECRET)
            numbers = key._native.private_numbers()
            held[f"{name} bare"] = numbers.private_value.to_bytes(32, "big")
    return held


@pytest.mark.parametrize("when", ["rollover", "zeroise"])
def test_an_ended_key_is_nowhere_in_store_log_or_a_backup_made_after(
    when: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "store"
    place.mkdir()
    story = Story(sqlite(place))
    story.commission()
    story.reset()
    for number in range(30):
        story.evidence(f"JOB-{number}")
    secrets = _secrets(story.state())
    assert _traces(place, secrets)  # the scan does find what is there
    assert not [trace for trace in _traces(place, secrets) if "bare" in trace]
    if when == "rollover":
        secrets = {name: held for name, held in secrets.items() if name.startswith("indicia")}
        _rollover(story)
    else:
        story.client.rekey()
        secrets |= _secrets(story.state())
        story.withdraw()
        story.client.zeroise(DEVICE)
    assert _traces(place, secrets) == []
    story.memory.close()
    assert _traces(place, secrets) == []
    backup = tmp_path / "backup"
    shutil.copytree(place, backup)
    assert _traces(backup, secrets) == []
    told = capfd.readouterr()
    assert all(secret.hex() not in told.out + told.err for secret in secrets.values())
    if when == "zeroise":
        assert story.device._slots._opened == {}  # type: ignore[attr-defined]


def test_a_backup_made_before_the_end_holds_sealed_keys_only_and_the_policy_says_so(tmp_path: Path) -> None:
    place = tmp_path / "store"
    place.mkdir()
    story = Story(sqlite(place)).to("in service")
    secrets = _secrets(story.state())
    backup = tmp_path / "backup"
    shutil.copytree(place, backup)
    story.withdraw()
    story.client.zeroise(DEVICE)
    kept = _traces(backup, secrets)
    assert kept
    assert all("sealed" in trace for trace in kept)
    page = (Path(__file__).parents[2] / "docs" / "security-policy.md").read_text(encoding="utf-8")
    assert "A backup of such a store made before holds the key as the store did, sealed" in " ".join(page.split())


def test_a_compromised_device_is_withdrawn_and_never_signs_again() -> None:
    from towncircle.wire.bodies import Withdraw

    story = Story().to("in service")
    story.client.withdraw(story.workshop.seal(DEVICE, Withdraw(reason="key compromise"), story.now))
    for call in (lambda: story.evidence("JOB-9"), story.reset, story.client.rekey, story.contact):
        with pytest.raises(Refused, match=r"machine\.illegal-move"):
            call()
    assert story.client.status().registers.descending == 0


def test_a_device_made_for_production_takes_no_certificate_under_a_test_root() -> None:
    memory, workshop = MemoryInRam(), Workshop(START)
    manufacture(memory, **{**workshop.birth(DEVICE), "test_root": False})
    client = DeviceClient(Device(memory, DEVICE, slots=slots(), clock=Hands()))
    with pytest.raises(Refused, match=r"psd\.certificate-refused.*mixes the test root"):
        workshop.commission(client, DEVICE, START)
    after = memory.load([DEVICE])[DEVICE]
    assert (after.state, after.indicia_certificate) == ("initialised", None)


def test_a_device_is_authorised_for_nobody_before_its_keys_are_certified() -> None:
    story = Story().to("initialised")
    before, workshop, now = story.state(), story.workshop, story.now
    order = Authorise(parameters=workshop.parameters(now), terms=workshop.terms(now))
    with pytest.raises(Refused, match=r"psd\.not-certified"):
        story.client.authorise(workshop.seal(DEVICE, order, now))
    assert story.state() == before
