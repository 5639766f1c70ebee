"""A device's key is changed in use: both keys verify, and the pack carries both."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.journeys.stories import REGIMES, mailer, new_world, reopened

from towncircle.auditor.auditing import audit
from towncircle.cli.main import main
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece.address_files import public_addresses
from towncircle.pki.verifying import read_certificate
from towncircle.postal import certificates
from towncircle.postal.certificates import certificates_of
from towncircle.world import exporting, printing, verifying
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import World

PEOPLE = public_addresses()[:1]


def _mark(journeys, out: Path):  # type: ignore[no-untyped-def]
    done = printing.print_job(journeys, PEOPLE, out, formats=("pdf",))
    return next(iter(verifying.marks_of(done.pdf)))


@cites("502.28", "PRE-05")
@pytest.mark.parametrize("regime", REGIMES)
def test_a_key_is_renewed_before_its_certificate_ends_and_both_verify(
    regime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("towncircle.world.parties.DEVICE_CERTIFICATE_DAYS", 60)
    world = new_world(tmp_path / "world", regime)
    journeys = mailer(world, deposit=300, reset=200)
    old = _mark(journeys, tmp_path / "old")
    assert not any("certificate" in line for line in journeys.status().warnings)
    world.advance("35d")  # of the 60 days that a certificate lives
    held = journeys.status()
    assert any("certificate" in line and "--contact" in line for line in held.warnings)
    assert held.renew_from <= held.now < held.certificate_until
    assert "renewed before its certificate ends" in journeys.contact()  # nobody has to heed the warning
    assert not any("certificate" in line for line in journeys.status().warnings)
    assert "renewed" not in journeys.contact()
    new = _mark(journeys, tmp_path / "new")
    assert verifying.verify(new, world).verdict.verdict == "VALID"
    serials = {verifying.verify(mark, world).verdict.fields["certificate_serial"] for mark in (old, new)}
    assert len(serials) == 2
    with world.store(POSTAL).reading() as view:
        assert len(list(certificates_of(view))) == 4
    journeys.contact()  # the message key goes on under its new certificate
    world.advance("26d")  # the old certificate has ended, the new one has not
    journeys.contact()
    after = _mark(journeys, tmp_path / "after")
    assert verifying.verify(after, world).verdict.verdict == "VALID"
    exporting.export(world, tmp_path / "export")
    report = audit(tmp_path / "export")
    assert not report.differences
    world.close()


def test_renewing_again_after_a_lost_answer_ends_with_one_key_in_use(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=300, reset=200)
    world.advance("30d")
    journeys.contact()
    with world.shelf.client(journeys.device) as client:
        client.rekey()  # the host died before it carried the report
    journeys.renew_key()
    first = _mark(journeys, tmp_path / "first")
    world.advance("30d")
    journeys.contact()
    journeys.renew_key()
    second = _mark(journeys, tmp_path / "second")
    assert [verifying.verify(mark, world).verdict.verdict for mark in (first, second)] == ["VALID", "VALID"]
    world.close()


def issued(world: World) -> int:
    with world.store(POSTAL).reading() as view:
        return len(list(certificates_of(view)))


@cites("502.28")
def test_a_key_is_not_renewed_again_and_again_and_the_refusal_names_the_first_instant(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=300, reset=200)
    begun = read_certificate(certificate_in_use(world, journeys)).not_before
    for _ in range(3):
        with pytest.raises(Refused, match=r"provider\.renewal-too-soon") as refused:
            journeys.renew_key()
        assert "from 20" in refused.value.sentence
    assert issued(world) == 2
    first = begun.plus(days=30)
    assert str(first) in refused.value.sentence
    world.clock._write({"mode": "frozen", "now_us": int(first) - 1})
    with pytest.raises(Refused, match=r"provider\.renewal-too-soon"):
        journeys.renew_key()
    world.clock._write({"mode": "frozen", "now_us": int(first)})
    journeys.renew_key()
    assert issued(world) == 4
    exporting.export(world, tmp_path / "export")
    assert not audit(tmp_path / "export").differences
    world.close()


@cites("502.28", "502.14b")
def test_a_key_in_doubt_is_renewed_at_once_when_the_providers_officer_permits_it_and_only_once(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=300, reset=200)
    device = journeys.device
    world.close()
    permit = ["device", "permit-renewal", str(tmp_path / "world")]
    assert main([*permit, device, "--reason", " "]) != 0
    assert main([*permit, "TC1A0000009999", "--reason", "in doubt"]) != 0
    assert main([*permit, device, "--reason", "the machine was stolen and came back"]) == 0
    world = reopened(tmp_path / "world")
    journeys = Journeys(world)
    assert "Certified under serial" in journeys.renew_key()
    assert issued(world) == 4
    with pytest.raises(Refused, match=r"provider\.renewal-too-soon"):
        journeys.renew_key()
    exporting.export(world, tmp_path / "export")
    assert not audit(tmp_path / "export").differences
    world.close()


def test_a_renewal_whose_answer_was_lost_is_asked_again_at_once_and_takes_no_second_serial(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=300, reset=200)
    world.advance("30d")
    journeys.contact()
    with world.shelf.client(journeys.device) as client:
        lost = client.rekey().message
    world.desk("provider.harbor").receive(lost)  # certified, and nobody brought the answer home
    assert issued(world) == 4
    journeys.renew_key()
    assert issued(world) == 4
    world.close()


def certificate_in_use(world: World, journeys: Journeys) -> bytes:
    with world.store("provider.harbor").reading() as view:
        row = view.get("device", journeys.device)
    assert row is not None
    return bytes.fromhex(row.body["indicia_certificate"])


def test_no_key_is_certified_for_a_device_that_is_frozen(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=300, reset=200)
    store = world.store("provider.harbor")
    with store.transaction() as tx:
        (row,) = tx.find("device")
        tx.put("device", row.key, {**row.body, "frozen": "a test"}, owner=row.owner, expected=row.version)
    with pytest.raises(Refused, match=r"provider\.frozen"):
        journeys.renew_key()
    world.close()


@cites("502.28")
def test_a_compromised_key_is_revoked_and_the_device_stops(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=300, reset=200)
    before = _mark(journeys, tmp_path / "before")
    device = journeys.device
    desk = world.desk(POSTAL)
    for _ in range(2):
        desk.perform(lambda ctx: certificates.revoke(ctx, device=device, reason="key-compromise"), actor="inspector")
    with pytest.raises(Refused, match=r"postal\.not-certified"):
        desk.perform(
            lambda ctx: certificates.revoke(ctx, device="TC1A0000999999", reason="withdrawn"), actor="inspector"
        )
    with pytest.raises(BadInput, match=r"postal\.no-such-reason"):
        desk.perform(lambda ctx: certificates.revoke(ctx, device=device, reason="spite"), actor="inspector")
    world.publish()
    world.close()
    world = reopened(tmp_path / "world")
    journeys = Journeys(world)
    world.advance("1h")
    after = _mark(journeys, tmp_path / "after")  # nothing reaches the device by itself
    for mark in (before, after):  # a thief of the key signs any date: what is scanned from now on is refused
        verdict = verifying.verify(mark, world).verdict
        assert verdict.verdict == "INVALID"
        assert [found.code for found in verdict.findings if found.ok is False] == ["certificate.revoked"]
    with pytest.raises(Refused):
        journeys.contact()  # the Provider does not believe its messages any more
    with pytest.raises(Refused):
        journeys.renew_key()
    world.advance("72h")
    assert journeys.status().state == "locked"
    world.close()


def funded(folder: Path) -> Journeys:
    world = World.create(folder, regime="imi-2024", seed=4, start=Instant.parse("2026-11-23T14:00Z"))
    journeys = Journeys(world)
    journeys.apply(Applicant(), provider="provider.harbor")
    journeys.lease()
    journeys.deposit(Mills.dollars(50))
    journeys.reset(Mills.dollars(10))
    return journeys


def test_a_party_that_stays_open_learns_of_a_revocation_when_it_is_published(tmp_path: Path) -> None:
    journeys = funded(tmp_path / "w")
    world, device = journeys.world, journeys.device
    world.desk(POSTAL).perform(
        lambda ctx: certificates.revoke(ctx, device=device, reason="key-compromise"), actor=POSTAL
    )
    world.advance("1h")
    with pytest.raises(Refused):
        journeys.reset(Mills.dollars(5))
    assert journeys.status().registers.descending == Mills.dollars(10)
    world.close()


@cites("502.28", "502.14b")
def test_a_key_is_renewed_and_revoked_by_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journeys = funded(tmp_path / "w")
    world, device, place = journeys.world, journeys.device, str(tmp_path / "w")
    mark = _mark(journeys, tmp_path / "before")
    world.close()
    assert main(["device", "renew", place]) == 3  # too soon, and the refusal says from when on
    assert main(["device", "selftest", place]) == 0
    assert "ecdsa-p256 sign" in capsys.readouterr().out
    assert main(["world", "advance", place, "31d"]) == 0
    assert main(["status", place, "--contact"]) == 0
    capsys.readouterr()
    assert main(["device", "renew", place]) == 0
    assert "Certified under serial" in capsys.readouterr().out
    assert main(["world", "advance", place, "1h"]) == 0  # what it signed until then is believed
    assert main(["device", "compromised", place, device, "--by", " "]) == 2
    assert main(["device", "compromised", place, "TC1A0000009999", "--by", "inspector"]) == 3
    for _ in range(2):
        assert main(["device", "compromised", place, device, "--by", "inspector"]) == 0
    assert "towncircle withdraw" in capsys.readouterr().out
    assert main(["world", "advance", place, "1h"]) == 0
    capsys.readouterr()
    assert main(["status", place, "--contact"]) == 3
    assert "wire.unknown-key" in capsys.readouterr().err
    world = reopened(tmp_path / "w")
    assert verifying.verify(mark, world).verdict.verdict == "INVALID"
    world.close()
    assert main(["withdraw", place]) == 0  # as one that failed: its last signed reading stands
    assert "examin" in capsys.readouterr().out
    assert main(["lease", place]) == 0
    assert main(["export", place, str(tmp_path / "export")]) == 0
    assert main(["audit", str(tmp_path / "export")]) == 0


def test_a_key_report_from_an_older_copy_of_a_device_is_refused(tmp_path: Path) -> None:
    journeys = funded(tmp_path / "w")
    world = journeys.world
    folder = world.shelf.folder_of(journeys.device)
    world.shelf.close()
    shutil.copytree(folder, tmp_path / "old")
    for _ in range(5):
        journeys.contact()
    world.shelf.close()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "old", folder)
    with pytest.raises(Refused):
        journeys.renew_key()
    world.close()
