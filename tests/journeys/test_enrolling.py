"""A licensee and a Provider come into a world that exists, and work in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journeys.stories import MAILROOM, PEOPLE, mailer, new_world, refused, reopened

from towncircle.auditor import audit
from towncircle.kernel.errors import BadInput
from towncircle.kernel.money import Mills
from towncircle.world import enrolling
from towncircle.world.config import POSTAL
from towncircle.world.enrolling import enrol
from towncircle.world.exporting import export
from towncircle.world.printing import print_job

ACME, BAY = "licensee.acme", "provider.bay"


def test_a_licensee_and_a_provider_that_come_later_lease_reset_and_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "world"
    mailer(new_world(folder), deposit=100, reset=50).world.close()
    enrol(folder, BAY)
    with monkeypatch.context() as patch:
        patch.setattr(enrolling, "_finish", _dies)
        with pytest.raises(RuntimeError):
            enrol(folder, ACME)
    enrol(folder, ACME)  # what was begun is finished
    for known in (ACME, BAY, MAILROOM):
        with refused("world.enrolled"):
            enrol(folder, known)
    for name, code in (("bank.other", "world.no-such-role"), ("acme", "id.unreadable")):
        with pytest.raises(BadInput) as caught:
            enrol(folder, name)
        assert caught.value.code == code
    journeys = mailer(reopened(folder), ACME, provider=BAY, deposit=300, reset=100)
    printed = print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    assert printed.job.body["indicia"]
    assert journeys.status().registers.descending < Mills.dollars(100)
    world = journeys.world
    with world.store(POSTAL).reading() as view:
        assert [fact.subject for fact in view.facts() if fact.type == "party.enrolled"] == [BAY, ACME]
        assert view.get("device", journeys.device).owner == BAY  # type: ignore[union-attr]
    export(world, tmp_path / "export")
    world.close()
    assert audit(tmp_path / "export").differences == []


def test_an_applicant_that_comes_later_leases_nothing_until_it_is_authorized(tmp_path: Path) -> None:
    folder = tmp_path / "world"
    new_world(folder).close()
    with pytest.raises(BadInput) as caught:
        enrol(folder, ACME, applicant=True)
    assert caught.value.code == "world.no-applicant"
    enrol(folder, BAY, applicant=True)
    with refused("product.not-authorized"):
        mailer(reopened(folder), provider=BAY)


def _dies(*_: object, **__: object) -> None:
    raise RuntimeError
