"""A piece has one fate, and money one purpose, whatever two people do at once: copies in files, claims, batches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journeys.stories import refused
from tests.world.batch_stories import good, job_of, listed, standing, wish

from towncircle.kernel.context import Context
from towncircle.kernel.ids import DeviceId, JobId, RefundId
from towncircle.kernel.money import ZERO, Mills
from towncircle.licensee import batches, mailroom, promises, refunds, spool
from towncircle.mailpiece.address_files import public_addresses
from towncircle.world import batching, composing, printing, spooling
from towncircle.world.journeys import Journeys

LETTERS = tuple(one for one in public_addresses() if one.shape in (None, "letter"))[:2]
HELD = Mills.dollars(4)


def claim(journeys: Journeys, *indicia: str) -> RefundId:
    refund = journeys.new(RefundId.new)
    payloads = tuple(bytes.fromhex(one) for one in indicia)
    journeys.do(lambda ctx: refunds.begin(ctx, payloads=payloads, refund=refund))
    return refund


def test_a_copy_in_files_bars_a_refund_and_another_copy_until_it_spoiled(journeys: Journeys, tmp_path: Path) -> None:
    job = printing.print_job(journeys, LETTERS, tmp_path / "out", formats=()).job
    again = printing.reprint_job(journeys, JobId(job.key), (2,), tmp_path / "again", formats=())
    with journeys.world.store(journeys.licensee).reading() as view:
        (entry,) = view.find("spool")
    assert (entry.body["number"], entry.body["printer"], spool.standing_of(entry)) == (again.entry, "", "handed over")
    before = journeys.status().reprints
    with refused("refund.printed-again") as caught:
        claim(journeys, *job.body["indicia"])
    assert (caught.value.params["piece"], caught.value.params["entry"]) == (2, again.entry)
    assert f"spool spoil DIR {again.entry} --pieces 2" in caught.value.next_step
    with refused("spool.not-spoiled"):
        printing.reprint_job(journeys, JobId(job.key), (1, 2), tmp_path / "more", formats=())
    assert journeys.status().reprints == before
    spooling.decide(journeys, again.entry, came_out=False, reason="jammed")
    assert claim(journeys, *job.body["indicia"])
    with refused("refund.claimed"):
        printing.reprint_job(journeys, JobId(job.key), (2,), tmp_path / "more", formats=())


def test_a_part_that_is_claimed_while_it_is_composed_leaves_no_page(
    journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    held: list[RefundId] = []

    def written(task: composing.ToWrite) -> composing.Written:
        done = composing.write_part(task)
        if task.stem.endswith("2"):
            assert (out / "envelopes-0002.pdf").exists()
            held.append(claim(journeys, *task.job["indicia"]))
        return done

    monkeypatch.setattr(batching, "write_part", written)
    done = batching.print_batch(journeys, wish(listed(tmp_path, good(3))), out)
    assert held
    assert sorted(path.name for path in out.glob("*.pdf")) == ["envelopes-0001.pdf", "envelopes-0003.pdf"]
    told = json.loads(done.manifest.read_text())["totals"]
    assert (told["pieces"], told["pieces_refunded"], told["pieces_not_printed"]) == (2, 1, 0)
    assert job_of(journeys, done.batch.key).body["state"] == mailroom.CLAIMED
    with refused("refund.job-claimed"):
        journeys.resume(JobId(batches.job_of(done.batch.key, 2)))


def test_nobody_spends_between_the_look_at_the_funds_and_the_reservation(
    journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start another process that prints just when a batch has looked: it waits, and is refused what was promised."""
    line = (
        "import sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from tests.faults import killed\n"
        "from towncircle.kernel.errors import Refused\n"
        "from towncircle.mailpiece.address_files import public_addresses\n"
        "from towncircle.world import printing\n"
        f"with killed.opened(Path({str(journeys.world.folder)!r})) as room:\n"
        "    print('begin', flush=True)\n"
        "    try:\n"
        f"        printing.print_job(room, public_addresses()[:1], Path({str(tmp_path / 'single')!r}), formats=())\n"
        "        print('printed')\n"
        "    except Refused as refusal:\n"
        "        print(refusal.code)\n"
    )
    others: list[subprocess.Popen[str]] = []
    look = batching.funds_of

    def looked(room: Journeys, *, refill: bool) -> batches.Funds:
        funds = look(room, refill=refill)
        if not others:
            room.world.shelf.close()  # the device is free: whoever has the turn may take it
            other = subprocess.Popen([sys.executable, "-c", line], stdout=subprocess.PIPE, text=True)
            others.append(other)
            assert other.stdout is not None
            assert other.stdout.readline() == "begin\n"
            with pytest.raises(subprocess.TimeoutExpired):
                other.wait(timeout=1.5)
        return funds

    monkeypatch.setattr(batching, "funds_of", looked)
    done = batching.print_batch(journeys, wish(listed(tmp_path, good(5))), tmp_path / "out")
    (other,) = others
    said, _ = other.communicate(timeout=20)
    assert said in ("mailroom.promised\n", "psd.store-busy\n")  # it had its turn after the reservation
    registers, bound = standing(journeys)
    assert (done.batch.body["printed"], registers.pieces, int(registers.ascending)) == (5, 5, bound)


def test_what_another_batch_debits_while_the_balance_is_read_is_not_counted_twice() -> None:
    """Of 4.00, 3.00 were promised when one looked; the other batch has debited 2.00 of them since."""
    dollars = Mills.dollars
    funds = batches.Funds(balance=dollars(4), cap=dollars(100), promised=dollars(3))
    now = dollars(1)
    funds.check(dollars(1) + max(funds.promised, now))
    with refused("batch.balance-short"):
        funds.check(Mills(1001) + max(funds.promised, now))


def test_what_batches_of_other_devices_are_refilled_with_is_not_promised_again(journeys: Journeys) -> None:
    device, other = journeys.device, DeviceId("TC1A0000000099")
    with journeys.world.store(journeys.licensee).reading() as view:
        before = promises.on_account(view, licensee=journeys.licensee, device=device)
        ours = view.get("device", device)
    assert ours is not None

    def reserved(ctx: Context) -> None:
        ctx.tx.put("device", other, ours.body, owner=ours.owner, expected=0)
        body = {"state": promises.RESERVED, "refill": True, "total": 9000, "out": "elsewhere", "device": other}
        ctx.tx.put("batch", "B", body, owner=other, expected=0)

    journeys.do(reserved)
    with journeys.world.store(journeys.licensee).reading() as view:
        assert promises.on_account(view, licensee=journeys.licensee, device=device) == before - Mills(9000)
        assert promises.on_account(view, licensee=journeys.licensee, device=other) == before
    assert before > ZERO
