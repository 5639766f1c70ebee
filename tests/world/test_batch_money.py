"""What an open batch was promised is not spent beside it, and a batch can be ended whatever became of its device."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.faults import killed as world_of
from tests.journeys.test_returning import break_down
from tests.world.batch_stories import begun, good, job_of, listed, standing, wish

from towncircle.cli.main import main
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.licensee import batches, beside, mailroom, promises
from towncircle.mailpiece.address_files import Recipient, public_addresses
from towncircle.psd.commands import StatusReport
from towncircle.world import batching, printing
from towncircle.world.journeys import Journeys

EACH, HELD = Mills.parse("0.78"), Mills.dollars(4)
ONE = public_addresses()[:1]


def one_piece(journeys: Journeys, out: Path, recipients: tuple[Recipient, ...] = ONE) -> None:
    printing.print_job(journeys, recipients, out, formats=())


def test_a_single_print_does_not_spend_what_an_open_batch_was_promised(journeys: Journeys, tmp_path: Path) -> None:
    name = begun(journeys, tmp_path / "out")
    with journeys.world.store(journeys.licensee).reading() as view:
        left = promises.bound(view, journeys.device)
    free = journeys.status().registers.descending - left
    assert ZERO < free < EACH + EACH + EACH
    for at in range(int(free) // int(EACH)):
        one_piece(journeys, tmp_path / f"free-{at}")  # there is money for it beside the batch
    before = standing(journeys)
    with pytest.raises(Refused) as refused:
        one_piece(journeys, tmp_path / "promised")
    assert (refused.value.code, refused.value.params["batch"]) == ("mailroom.promised", name)
    assert str(tmp_path / "out") in refused.value.next_step
    assert standing(journeys) == before  # neither debited nor reserved
    assert journeys.open_jobs() == []
    assert batching.resume(journeys, name, tmp_path / "out").batch.body["printed"] == 3
    assert journeys.status().registers.descending < EACH
    world_of.audited(journeys, tmp_path / "export")


def test_a_piece_that_was_paid_before_its_answer_was_lost_is_given_beside_an_open_batch(
    journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = journeys.plan(ONE)
    with journeys.world.store(journeys.licensee).reading() as view:
        body = view.get("job", job).body  # type: ignore[union-attr]  # it was planned two lines above
    with journeys.world.shelf.client(journeys.device) as client:
        mailroom._ask(client, job, body)  # debited, and the answer lost
    monkeypatch.setattr(promises, "waiting", lambda *_: ZERO)
    begun(journeys, tmp_path / "out")
    assert printing.finish_job(journeys, job, tmp_path / "again", formats=()).pdf.exists()


def test_a_planned_job_binds_its_money_against_a_batch(journeys: Journeys, tmp_path: Path) -> None:
    journeys.plan(ONE)
    with pytest.raises(Refused) as refused:
        batching.print_batch(journeys, wish(listed(tmp_path, good(5))), tmp_path / "out")
    assert refused.value.code == "batch.balance-short"
    assert batching.print_batch(journeys, wish(listed(tmp_path, good(4))), tmp_path / "out").batch.body["printed"] == 4


def test_what_a_batch_is_refilled_from_may_pay_a_single_piece_as_far_as_the_account_goes() -> None:
    dollars = Mills.dollars
    held = beside.Promised(batch="B", out="o", kept=ZERO, refilled=dollars(150), account=dollars(100))
    for balance, total, lacking in ((60, 10, 0), (60, 11, 1), (200, 100, -50), (5, 6, 51)):
        assert held.lacking(dollars(balance), dollars(total)) == Mills(lacking * 1000)
    owing = beside.Promised(batch="B", out="o", kept=dollars(100), refilled=ZERO, account=Mills(-50_000))
    assert owing.lacking(dollars(200), dollars(100)) == ZERO  # the account is of nothing that it may spend
    kept = replace(held, kept=dollars(20), refilled=ZERO)
    assert kept.lacking(dollars(30), dollars(10)) == ZERO < kept.lacking(dollars(30), dollars(11))


def test_a_batch_that_lacks_money_says_so_before_its_next_part_and_goes_on(
    journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, real = begun(journeys, tmp_path / "out"), Journeys.shown_of

    def emptied(self: Journeys, device: DeviceId) -> StatusReport:
        held = real(self, device)
        return replace(held, registers=replace(held.registers, descending=ZERO))

    before = standing(journeys)
    with monkeypatch.context() as patched:
        patched.setattr(Journeys, "shown_of", emptied)
        patched.setattr(Journeys, "never_evidenced", lambda *_: True)
        with pytest.raises(Refused) as refused:
            batching.resume(journeys, name, tmp_path / "out")
    assert refused.value.code == "batch.money-gone"
    assert "--resume" in refused.value.next_step
    assert standing(journeys) == before
    assert batching.resume(journeys, name, tmp_path / "out").batch.body["printed"] == 3


@pytest.mark.parametrize("zeroised", [False, True])
def test_a_batch_on_a_broken_device_is_ended_with_what_was_printed(
    zeroised: bool, journeys: Journeys, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    name = begun(journeys, out)
    done = sum(job_of(journeys, name, number).body["state"] == "printed" for number in (1, 2, 3))
    device = journeys.device
    break_down(journeys.world, device)
    if zeroised:
        with journeys.world.shelf.client(device) as client:
            client.zeroise(device)
    with pytest.raises(Refused) as refused:
        batching.resume(journeys, name, out)
    assert (refused.value.code, "--give-up" in refused.value.next_step) == ("batch.device-silent", True)
    journeys.world.close()
    assert main(f"print {folder} --out {out} --give-up --json".split()) == 0
    told = json.loads(capsys.readouterr().out)["batches"][0]
    assert (told["state"], told["pieces_lost"]) == ("given up", 0)
    totals = json.loads((out / "manifest.json").read_text())["totals"]
    assert totals["pieces"] == told["pieces"] >= done
    assert totals["pieces"] + totals["pieces_not_printed"] == 3
    assert len((out / "not-printed.csv").read_text().splitlines()) == 1 + totals["pieces_not_printed"]


def test_what_a_broken_device_debited_and_cannot_give_is_told_as_lost(journeys: Journeys, tmp_path: Path) -> None:
    out = tmp_path / "out"
    name = begun(journeys, out)
    waiting = [row for row in (job_of(journeys, name, at) for at in (1, 2, 3)) if row.body["state"] == mailroom.WAITING]
    part = waiting[0]
    with journeys.world.shelf.client(journeys.device) as client:
        mailroom._ask(client, batches.job_of(name, part.body["part"]), part.body)  # and its answer is lost
    break_down(journeys.world, journeys.device)
    done = batching.give_up(journeys, name, out)
    totals = json.loads(done.manifest.read_text())["totals"]
    assert (totals["pieces_lost"], totals["lost_mills"]) == (1, part.body["total"])
    assert totals["pieces"] + totals["pieces_not_printed"] == 3
    registers, bound = standing(journeys)
    assert bound == int(registers.ascending) == done.batch.body["spent"]
    assert _state(journeys, part) == mailroom.LOST
    world_of.audited(journeys, tmp_path / "export")


def _state(journeys: Journeys, row: Record) -> str:
    with journeys.world.store(journeys.licensee).reading() as view:
        held = view.get("job", row.key)
    assert held is not None
    return str(held.body["state"])
