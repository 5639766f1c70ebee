"""A batch is checked and paid for as a whole before the first debit, goes on after an interruption, and adds up."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.faults import killed as world_of
from tests.world.batch_stories import GOOD, Interrupted, after, begun, good, job_of, listed, standing, wish

from towncircle.cli.main import main
from towncircle.cli.on_printer import resumed
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BrokenInvariant, Refused, RefusedOnGrounds
from towncircle.kernel.ids import DeviceId, JobId, RefundId
from towncircle.kernel.money import ZERO, Mills
from towncircle.licensee import batches, departments, downloads, mailroom, promises, refunds
from towncircle.mailpiece.address_files import read_addresses
from towncircle.mailpiece.templates import Template
from towncircle.world import batching, manifest
from towncircle.world.batching import PRINTING, Wish
from towncircle.world.crews import crew
from towncircle.world.journeys import Journeys
from towncircle.world.mailroom_door import Door
from towncircle.world.missing import report


def paid(journeys: Journeys, out: Path) -> tuple[str, JobId]:
    """Interrupt a batch of three parts whose second is evidenced and not handed over; give its name and that part."""
    name = begun(journeys, out)
    job = batches.job_of(name, 2)
    journeys.do(lambda ctx: mailroom.evidence(ctx, job=job))
    return name, job


def test_a_part_of_an_open_batch_goes_to_no_printer_beside_it(journeys: Journeys, tmp_path: Path) -> None:
    name, job = paid(journeys, tmp_path / "out")
    assert journeys.open_jobs() == []
    assert resumed(journeys, "desk") == ([], [])
    where = {"name": "Desk 1", "street": "475 L'Enfant Plaza SW", "city": "Washington", "state": "DC", "zip": "20260"}
    with pytest.raises(Refused) as refused:
        Door(journeys.world, [journeys.licensee]).print_one(
            journeys.licensee, json.dumps({**where, "job": job}).encode()
        )
    assert refused.value.code == "door.given"
    done = batching.resume(journeys, name, tmp_path / "out")
    assert (done.batch.body["state"], done.batch.body["printed"]) == ("printed", 3)
    with pytest.raises(Refused) as refused:
        journeys.hand_over(job, [tmp_path / "again.pdf"])
    assert refused.value.code == "mailroom.not-to-hand-over"
    registers, bound = standing(journeys)
    assert (registers.pieces, int(registers.ascending)) == (3, bound)


def test_a_part_that_was_sent_in_for_a_refund_is_not_printed_and_is_counted_as_such(
    journeys: Journeys, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    name, job = paid(journeys, out)
    (out / "envelopes-0002.pdf").write_bytes(b"composed, then killed")
    marks = tuple(bytes.fromhex(mark) for mark in job_of(journeys, name).body["indicia"])
    refund = journeys.new(RefundId.new)
    journeys.do(lambda ctx: refunds.begin(ctx, payloads=marks, refund=refund))
    with pytest.raises(Refused) as refused:
        journeys.hand_over(job, [out / "envelopes-0002.pdf"])
    assert refused.value.code == "refund.job-claimed"
    done = batching.resume(journeys, name, out)
    assert job_of(journeys, name).body["state"] == mailroom.CLAIMED
    assert not (out / "envelopes-0002.pdf").exists()
    told = json.loads(done.manifest.read_text())
    total = job_of(journeys, name).body["total"]
    assert (told["totals"]["pieces"], told["totals"]["postage_mills"]) == (2, 2 * total)
    assert (told["totals"]["pieces_refunded"], told["totals"]["refunded_mills"]) == (1, total)
    assert (told["totals"]["pieces_not_printed"], done.left) == (0, None)
    assert [piece["row"] for piece in told["pieces"]] == [2, 4]
    assert (done.batch.body["state"], done.batch.body["spent"]) == ("printed", 3 * total)

    def refuse(ctx: Context) -> None:
        row = job_of(journeys, name)
        ctx.tx.put("job", job, {**row.body, "state": mailroom.EVIDENCED}, owner=row.owner, expected=row.version)

    journeys.do(refuse)  # a refund that came to nothing gives the part back when its batch is over: a job of its own
    assert [row.key for row in journeys.open_jobs()] == [job]


@pytest.mark.parametrize("step", [batching.resume, batching.give_up])
def test_what_was_evidenced_while_the_device_is_missed_is_not_handed_over(
    step: Callable[[Journeys, str, Path], object], journeys: Journeys, tmp_path: Path
) -> None:
    name, _ = paid(journeys, tmp_path / "out")
    report(journeys, journeys.device, event="stolen", place="mail room", details="the door was broken open")
    with pytest.raises(Refused) as refused:
        step(journeys, name, tmp_path / "out")
    assert refused.value.code.startswith("missing.")
    assert job_of(journeys, name).body["state"] == mailroom.EVIDENCED
    assert not (tmp_path / "out" / "envelopes-0002.pdf").exists()


def test_the_same_line_again_after_a_kill_starts_no_second_batch(journeys: Journeys, tmp_path: Path) -> None:
    def killed(what: str, _count: int, _of: int) -> None:
        if what == PRINTING:
            raise Interrupted

    source, out = listed(tmp_path, good(2)), tmp_path / "out"
    with pytest.raises(Interrupted):
        batching.print_batch(journeys, wish(source), out, progress=killed)
    before = standing(journeys)
    (tmp_path / "same").symlink_to(out)
    again = replace(wish(source), beside=True)
    for asked, where, code in (
        (wish(source), out, "batch.begun-here"),
        (again, tmp_path / "same", "batch.begun-here"),
        (wish(source), tmp_path / "other", "mailroom.job-open"),
    ):
        with pytest.raises(Refused) as refused:
            batching.print_batch(journeys, asked, where)
        assert refused.value.code == code
    assert standing(journeys) == before
    assert batching.print_batch(journeys, again, tmp_path / "other").batch.body["printed"] == 2


def test_a_batch_does_not_write_over_the_manifest_of_another(journeys: Journeys, tmp_path: Path) -> None:
    out = tmp_path / "out"
    name = begun(journeys, out)
    (out / manifest.MANIFEST).write_text('{\n "batch": "BAT-another",\n "pieces": []\n}\n')
    for step in (batching.resume, batching.give_up):
        with pytest.raises(Refused) as refused:
            step(journeys, name, out)
        assert refused.value.code == "batch.other-manifest"
    (out / manifest.MANIFEST).unlink()
    assert batching.resume(journeys, name, out).batch.body["printed"] == 3


def test_a_list_with_too_many_faults_is_not_printed_in_part(
    journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("checking", "batching"):
        monkeypatch.setattr(f"towncircle.world.{module}.MOST_FAULTS", 2)
    source = listed(tmp_path, good(1) + 2 * "No Street,,Washington,DC,20260\n" + good(1))
    before = standing(journeys)
    with pytest.raises(Refused) as refused:
        batching.print_batch(journeys, wish(source, skip=True), tmp_path / "out")
    assert (refused.value.code, refused.value.params["rows"]) == ("batch.too-many-faults", 3)
    assert standing(journeys) == before


def test_another_device_is_not_reset_for_a_batch(
    journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, asked = journeys.device, list[DeviceId]()
    held = journeys.status()

    def shown_of(_journeys: Journeys, device: DeviceId) -> object:
        asked.append(device)
        return replace(held, registers=replace(held.registers, descending=ZERO)) if device == mine else held

    asking = wish(listed(tmp_path, good(3)), refill=True)
    with pytest.raises(Interrupted):
        batching.print_batch(journeys, asking, tmp_path / "out", progress=after(1))
    with journeys.world.store(journeys.licensee).reading() as view:
        (record,) = promises.open_batches(view)
    monkeypatch.setattr(Journeys, "shown_of", shown_of)
    monkeypatch.setattr(Journeys, "device", DeviceId("PSD-another"))
    with pytest.raises(Refused) as refused:
        batching.resume(journeys, record.key, tmp_path / "out")
    assert (refused.value.code, refused.value.params["device"]) == ("batch.other-device", mine)
    assert mine in asked


def test_what_was_not_printed_is_listed_whole_and_no_cell_is_a_formula(journeys: Journeys, tmp_path: Path) -> None:
    lines = "+1 @Home,Urb Las Gladiolas,150 Calle A,San Juan,PR,00926\n" + GOOD.format(at=1).replace("Desk 1", "@Desk,")
    source = listed(tmp_path, lines, header="name,urbanization,street,city,state,zip")
    out = tmp_path / "out"

    def killed(what: str, _count: int, _of: int) -> None:
        if what == PRINTING:
            raise Interrupted

    with pytest.raises(Interrupted):
        batching.print_batch(journeys, wish(source), out, progress=killed)
    with journeys.world.store(journeys.licensee).reading() as view:
        (record,) = promises.open_batches(view)
    left = batching.give_up(journeys, record.key, out).left
    assert left is not None
    with left.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["'+1 @Home", "'@Desk"]
    assert rows[0]["urbanization"].upper() == "URB LAS GLADIOLAS"
    assert [one.address for one in read_addresses(left)] == [one.address for one in read_addresses(source)]
    faults = [manifest.Faulty(row=2, column="=x", code="batch.bad-row", what="-1 is no weight")]
    told = manifest.write_errors(out, faults).read_text(encoding="utf-8").splitlines()
    assert told[1] == "2,'=x,batch.bad-row,'-1 is no weight"


def test_every_faulty_row_is_told_at_once_and_nothing_is_reserved(journeys: Journeys, tmp_path: Path) -> None:
    before = standing(journeys)
    rows = good(1) + "No Street,,Washington,DC,20260\nElsewhere,1 Main St,Denver,CO,20260\n" + good(1)
    rows += "Heavy,475 L'Enfant Plaza SW,Washington,DC,20260,3,\nFlat,475 L'Enfant Plaza SW,Washington,DC,20260,,flat\n"
    source = listed(tmp_path, rows, header="name,street,city,state,zip,weight_oz,shape")
    with pytest.raises(RefusedOnGrounds) as refused:
        batching.print_batch(journeys, wish(source), tmp_path / "out")
    assert refused.value.code == "batch.bad-rows"
    assert [ground.params["row"] for ground in refused.value.grounds] == [3, 4, 6, 7]
    lines = (tmp_path / "out" / manifest.ERRORS).read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["row", "3", "4", "6", "7"]
    assert "template.no-override" in lines[-1]
    assert standing(journeys) == before


def test_good_rows_are_printed_where_bad_ones_may_be_left_out(journeys: Journeys, tmp_path: Path) -> None:
    source = listed(tmp_path, good(2) + "No Street,,Washington,DC,20260\n" + good(1))
    done = batching.print_batch(journeys, wish(source, per_file=2, skip=True), tmp_path / "out")
    told = json.loads(done.manifest.read_text())
    assert [(piece["row"], piece["file"], piece["page"]) for piece in told["pieces"]] == [
        (2, "envelopes-0001.pdf", 1),
        (3, "envelopes-0001.pdf", 2),
        (5, "envelopes-0002.pdf", 1),
    ]
    assert (told["totals"]["pieces"], told["rows_left_out"]) == (3, 1)
    assert told["totals"]["postage_mills"] == int(journeys.status().registers.ascending)
    world_of.audited(journeys, tmp_path / "export")


@pytest.mark.shows("P050-3.6")
def test_a_batch_that_cannot_be_paid_is_refused_before_the_first_debit() -> None:
    dollars = Mills.dollars
    held = batches.Funds(balance=dollars(200), cap=dollars(500))
    held.check(dollars(200))
    for total, code, clause in ((201, "batch.balance-short", "P050 1.5"), (501, "batch.over-cap", "P050 3.6")):
        with pytest.raises(Refused) as refused:
            held.check(dollars(total))
        assert (refused.value.code, refused.value.clause) == (code, clause)
        assert str(dollars(total - 200)) in refused.value.next_step
    refilled = batches.Funds(balance=dollars(200), cap=dollars(500), account=dollars(1_000))
    refilled.check(dollars(1_200))
    with pytest.raises(Refused) as refused:
        refilled.check(dollars(1_201))
    assert refused.value.code == "batch.account-short"
    assert str(dollars(1)) in refused.value.next_step


def test_a_batch_over_the_budget_reserves_and_debits_nothing(journeys: Journeys, tmp_path: Path) -> None:
    journeys.do(lambda ctx: departments.keep(ctx, department="mailroom", budget=Mills.parse("1.55")))
    before = standing(journeys)
    with pytest.raises(Refused) as refused:
        batching.print_batch(journeys, wish(listed(tmp_path, good(2))), tmp_path / "out")
    assert refused.value.code == "department.over-budget"
    assert standing(journeys) == before
    with journeys.world.store(journeys.licensee).reading() as view:
        assert view.find("job") == view.find("batch") == []


def test_an_open_batch_binds_what_it_has_not_spent(journeys: Journeys, tmp_path: Path) -> None:
    begun(journeys, tmp_path / "out")
    with journeys.world.store(journeys.licensee).reading() as view:
        left = promises.bound(view, journeys.device)
        assert left == Mills.parse("2.34") - journeys.status().registers.ascending > ZERO
    with pytest.raises(Refused) as refused:
        journeys.do(downloads.not_in_a_batch)
    assert refused.value.code == "updates.batch-open"


def test_a_batch_goes_on_in_its_own_folder_and_only_once(journeys: Journeys, tmp_path: Path) -> None:
    name = begun(journeys, tmp_path / "out")
    with pytest.raises(Refused) as refused:
        batching.resume(journeys, name, tmp_path / "elsewhere")
    assert refused.value.code == "batch.other-out"
    with pytest.raises(Refused) as refused:
        batching.print_batch(journeys, wish(listed(tmp_path, good(3))), tmp_path / "out")  # the same line again
    assert refused.value.code == "batch.begun-here"
    first = (tmp_path / "out" / "envelopes-0001.pdf").read_bytes()
    shown: list[int] = []
    batching.resume(journeys, name, tmp_path / "out", progress=lambda _what, done, _of: shown.append(done))
    assert (shown[0] >= 1, shown[-1], shown) == (True, 3, sorted(set(shown)))  # what was done before is no speed
    assert (tmp_path / "out" / "envelopes-0001.pdf").read_bytes() == first
    again = batching.resume(journeys, name, tmp_path / "out")
    assert (again.batch.body["state"], journeys.status().registers.pieces) == ("printed", 3)


def test_a_batch_whose_day_is_over_is_given_up_and_the_rest_is_listed(journeys: Journeys, tmp_path: Path) -> None:
    name = begun(journeys, tmp_path / "out")
    journeys.world.advance("1d")
    journeys.contact()
    with pytest.raises(Refused) as refused:
        batching.resume(journeys, name, tmp_path / "out")
    assert refused.value.code == "batch.day-over"
    done = batching.give_up(journeys, name, tmp_path / "out")
    pieces = journeys.status().registers.pieces
    assert (done.batch.body["state"], done.batch.body["printed"]) == ("given up", pieces)
    registers, bound = standing(journeys)
    assert bound == int(registers.ascending) == done.batch.body["spent"]
    assert done.left is not None
    rest = batching.print_batch(journeys, wish(done.left), tmp_path / "rest")
    assert rest.batch.body["printed"] == 3 - pieces
    world_of.audited(journeys, tmp_path / "export")


def test_a_manifest_is_not_given_where_its_totals_are_not_the_devices(journeys: Journeys, tmp_path: Path) -> None:
    name = begun(journeys, tmp_path / "out", pieces=2)

    def forge(ctx: object) -> None:
        row = ctx.tx.get("job", batches.job_of(name, 1))  # type: ignore[attr-defined]  # a context
        piece = {**row.body["pieces"][0], "amount": 790}
        ctx.tx.put("job", row.key, {**row.body, "pieces": [piece]}, owner=row.owner, expected=row.version)  # type: ignore[attr-defined]  # a context

    journeys.do(forge)
    with pytest.raises(BrokenInvariant) as broken:
        batching.resume(journeys, name, tmp_path / "out")
    assert broken.value.code == "batch.totals-differ"
    assert not (tmp_path / "out" / manifest.MANIFEST).exists()


def test_ctrl_c_says_how_to_go_on_and_the_next_command_does(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = listed(tmp_path, good(2)), tmp_path / "out"
    (tmp_path / "one.toml").write_text("[output]\npieces_per_file = 1\n")
    command = f"print {folder} --csv {source} --template {tmp_path / 'one.toml'} --out {out}"

    def stop(_meter: object, what: str, done: int, _of: int) -> None:
        if (what, done) == (PRINTING, 1):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("towncircle.cli.print_batch.Meter.__call__", stop)
        assert main(command.split()) == 130
    told = capsys.readouterr().err
    assert "1 of 2 pieces are printed" in told
    assert f"towncircle print {folder} --out {out} --resume" in told
    assert main(f"print {folder} --out {tmp_path / 'more'}".split()) == 3
    assert "mailroom.job-open" in capsys.readouterr().err
    assert main(f"print {folder} --out {out} --resume --json".split()) == 0
    assert json.loads(capsys.readouterr().out)["batches"][0]["pieces"] == 2
    assert main(f"print {folder} --out {out} --give-up".split()) == 3
    assert "batch.none-open" in capsys.readouterr().err


def test_workers_beside_give_results_in_the_order_of_the_tasks_and_their_errors(tmp_path: Path) -> None:
    with crew(beside=True) as hands:
        assert list(hands.map(abs, iter(range(-9, 0)))) == list(range(9, 0, -1))
        with pytest.raises(FileNotFoundError):
            list(hands.map(Path.read_bytes, [tmp_path / "none"]))


def test_a_batch_counts_the_prices_that_are_less_than_sure_and_takes_low_ones_only_when_told(
    journeys: Journeys, tmp_path: Path
) -> None:
    header = "name,street,city,state,zip,weight_oz,shape,extras"
    rows = "".join(
        f"Desk {at},475 L'Enfant Plaza SW,Washington,DC,20260,{said}\n"
        for at, said in enumerate(("1,letter,", "2,flat,", "1,letter,certified"))
    )
    source, out = listed(tmp_path, rows, header), tmp_path / "out"
    template = Template(name="test", overrides=("weight", "shape"))
    extras = (*template.overrides, "extras")
    for allowed, code in ((template.overrides, "template.no-override"), (extras, "rates.low-confidence")):
        with pytest.raises(RefusedOnGrounds):
            batching.estimate(journeys, Wish(source=source, template=replace(template, overrides=allowed)), out)
        with (out / manifest.ERRORS).open() as stream:
            assert [row["code"] for row in csv.DictReader(stream)] == [code]
    taken = replace(template, overrides=extras, accept_low=True)
    done = batching.print_batch(journeys, Wish(source=source, template=taken), out)
    told = json.loads(done.manifest.read_text())
    doubtful = {"medium": 2, "derived": 1, "low": 1}
    assert (told["totals"]["prices_less_than_sure"], done.batch.body["doubts"]) == (doubtful, doubtful)
    assert [piece["confidence"] for piece in told["pieces"]] == ["medium", "medium", "low"]
    assert told["pieces"][2]["amount_mills"] == 6330


def test_a_batch_under_way_is_taken_up_and_given_up_by_nobody_else(journeys: Journeys, tmp_path: Path) -> None:
    out, told = tmp_path / "out", []

    def beside(what: str, count: int, _of: int) -> None:
        if (what, count) != (PRINTING, 1) or told:
            return
        with journeys.world.store(journeys.licensee).reading() as view:
            (record,) = batches.open_batches(view)
        for verb in ("resume", "give_up"):
            line = (
                "import sys; sys.path.insert(0, '.')\n"
                "from pathlib import Path\n"
                "from tests.faults import killed\n"
                "from towncircle.kernel.errors import Refused\n"
                "from towncircle.world import batching\n"
                f"with killed.opened(Path({str(journeys.world.folder)!r})) as room:\n"
                "    try:\n"
                f"        batching.{verb}(room, {record.key!r}, Path({str(out)!r}))\n"
                "    except Refused as refusal:\n"
                "        print(refusal.code)\n"
            )
            done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False)
            told.append(done.stdout.strip() or done.stderr[-300:])

    done = batching.print_batch(journeys, wish(listed(tmp_path, good(3))), out, progress=beside)
    assert told == ["batch.under-way", "batch.under-way"]
    assert (done.batch.body["state"], done.batch.body["printed"]) == ("printed", 3)
