"""A hosted fleet whose operator's secret and folder of wrapping keys are lost: what its devices hold comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.test_device import served, started
from tests.faults import killed as world_of
from tests.journeys.stories import refused
from tests.journeys.test_accounts import account, audited, authorise
from tests.journeys.test_custody import defect, provider
from tests.journeys.test_lines import documented, folder, free_port, leased, licensed, ran

from towncircle.kernel.cites import cites
from towncircle.kernel.money import Mills
from towncircle.provider import defects
from towncircle.psd.postgres import PostgresMemory
from towncircle.world import accounts, returning

__all__ = ["folder", "free_port", "licensed"]  # fixtures


@cites("502.20f", "502.27d")
def test_the_balance_of_a_hosted_device_comes_back_though_nothing_opens_the_keys_of_its_fleet(
    folder: Path, tmp_path: Path, databases: Callable[[], str], free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dsn.txt").write_text(dsn := databases())
    ran("device", *documented("host", "stations", free_port))
    serving = documented("serve-wan", "stations", free_port)
    with served(*serving, "--workers", "1"):
        device = leased(folder, capsys)
        ran("deposit", folder, "300")
        ran("reset", folder, "100")
    (tmp_path / "secret.keys").rename(tmp_path / "mislaid")
    with served(*serving, "--workers", "1"):
        ran("withdraw", folder, "--failed", code=3)  # it cannot be asked whether it signs
        told = capsys.readouterr().err
        assert ("psd.wrapping-other" in told, "serve-wan --keys-lost" in told) == (True, True)
    (tmp_path / "secret").unlink()
    ran("device", *serving, code=3)
    told = capsys.readouterr().err
    assert ("psd.no-secret" in told, "serve-wan --keys-lost" in told) == (True, True)
    with closing(PostgresMemory(dsn)) as store:
        before = store.load([device])  # type: ignore[list-item]
    without = documented("serve-wan --keys-lost", "stations", free_port)
    ran("device", *(word for word in without if word != "--keys-lost"), code=2)
    with started(*without):
        ran("device", *without, code=3)
        assert "psd.fleet-served" in capsys.readouterr().err
        with world_of.opened(folder) as journeys:
            with journeys.world.shelf.client(journeys.device) as client:
                assert client.status().registers.descending == Mills.dollars(100)
                for ask in (client.audit, client.rekey, client.software):
                    with refused("psd.keys-lost"):
                        ask()
                with refused("psd.keys-lost"):
                    client.request_reset(Mills.dollars(1))
                with refused("psd.request-unknown"):
                    client.recover("JOB-1")
            authorise(journeys.world)
            defect(journeys)
            provider(journeys, defects.retrieve, journeys.device, reference="van-2")
            gone = journeys.device
            assert returning.withdraw(journeys, reason="no key opens", failed=True).outcome == "to be examined"
            provider(journeys, defects.examine, gone, fault="no secret", remedy="withdrawn", reference="bench-9")
            told = accounts.claim(journeys, gone, Mills.dollars(999), reason="no key opens")
            assert told.limit == Mills.dollars(100)
            accounts.decide_claim(
                journeys.world, told.reference, grant=True, finding="none opens", by="ann", approved_by="ben"
            )
            for _ in range(2):
                journeys.settle()
            with refused("licensee.checked-out"):
                returning.withdraw(journeys, reason="again", device=gone)
            assert account(journeys.world) == Mills.dollars(300)
            audited(journeys.world, tmp_path / "export")
    with closing(PostgresMemory(dsn)) as store:
        assert store.load([device]) == before  # type: ignore[list-item]
