"""Batches on label sheets, tape and labels, of flats and parcels: from the template to the marks and the manifest."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.world.batch_stories import Interrupted, after, good, job_of, listed, standing

from towncircle.cli.main import main
from towncircle.cli.print_batch import _from_label
from towncircle.kernel.errors import Refused
from towncircle.kernel.money import Mills
from towncircle.licensee import batches, mailroom, promises, zoning
from towncircle.licensee.looks import TRUE
from towncircle.licensee.pricing import Claim, claim_of, price_for
from towncircle.mailpiece import templates
from towncircle.mailpiece.sheets import stock, used
from towncircle.paper.png import raster
from towncircle.symbol import read
from towncircle.verification import Observed
from towncircle.world import batching, labels
from towncircle.world.batch_prices import terms_of
from towncircle.world.batching import Batched, Wish
from towncircle.world.checking import check
from towncircle.world.composing import Shared, ToWrite, write_part
from towncircle.world.crews import crew
from towncircle.world.journeys import Journeys
from towncircle.world.printing import silent
from towncircle.world.verifying import by_page, marks_of, verify_piece

DPI = 200
SHEETS = """
[piece]
shape = "flat"
weight = "2 oz"
overrides = ["weight"]
[page]
stock = "avery-5163"
start = 9
[output]
formats = ["pdf", "svg"]
pieces_per_file = 5
"""
TAPE = """
[piece]
overrides = ["weight"]
[page]
stock = "tape-roll"
each = "0.50"
[output]
pieces_per_file = 3
"""
PARCELS = """
[piece]
class = "priority"
price_type = "commercial"
shape = "parcel"
weight = "2 lb"
[page]
stock = "roll-4x6"
"""


def wish(source: Path, template: str, *, skip: bool = False) -> Wish:
    return Wish(source=source, template=templates.parse(template.encode(), name="ours"), skip_bad_rows=skip)


def interrupted(room: Journeys, asked: Wish, out: Path, *, done: int) -> str:
    with pytest.raises(Interrupted):
        batching.print_batch(room, asked, out, progress=after(done))
    with room.world.store(room.licensee).reading() as view:
        (record,) = promises.open_batches(view)
    return record.key


def told(done: Batched) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.manifest.read_text())
    return found


def label_at(x: float, y: float) -> int:
    """Give the label of a sheet of Avery 5163 at a place in inches: two columns, five rows of two inches."""
    return int((y - 0.5) // 2) * 2 + (1 if x < 4.25 else 2)


@pytest.mark.shows("P050-4.3")
def test_flats_on_label_sheets_go_on_where_the_last_sheet_ended_also_when_interrupted(
    room: Journeys, tmp_path: Path
) -> None:
    asked, out, before = wish(listed(tmp_path, good(9)), SHEETS), tmp_path / "out", standing(room)
    with pytest.raises(Refused) as refused:
        batching.print_batch(room, asked, tmp_path / "no")
    assert refused.value.code == "labels.not-approved"
    assert standing(room) == before

    labels.approve(room.world, stock="avery-5163", form="label2x4", reference="MTM-L-1")  # taken by the batch itself
    name = interrupted(room, asked, out, done=2)
    room.do(lambda ctx: mailroom.evidence(ctx, job=batches.job_of(name, 2)))
    done = batching.resume(room, name, out)
    paper = told(done)
    assert paper["labels"] == {
        "stock": "avery-5163", "start": 9, "labels": 9, "sheets": 2, "next_start": 8,
    }  # fmt: skip
    # a file ends with the sheet where it can (2), else the next begins at its next free label
    assert [(file["pieces"], file["start"]) for file in paper["files"]] == [(2, 9), (5, 1), (2, 6)]
    seen = {}
    for file in paper["files"]:
        for mark in read(raster(out / file["file"], dpi=DPI)):
            x, y = (sum(corner[at] for corner in mark.position) / 4 / DPI for at in (0, 1))
            seen[mark.payload.hex()] = (file["file"], 1, label_at(x, y))
    signed = [mark for number in (1, 2, 3) for mark in job_of(room, name, number).body["indicia"]]
    assert [seen[mark] for mark in signed] == [(one["file"], one["page"], one["label"]) for one in paper["pieces"]]
    assert [one["label"] for one in paper["pieces"]] == [9, 10, 1, 2, 3, 4, 5, 6, 7]
    assert (out / "envelopes-0002" / "sheet-001.svg").exists()
    for number, file in enumerate(paper["files"], start=1):
        job = job_of(room, name, number)
        shared = Shared.of(room.world.config.regime, room.stationery(job))
        again = write_part(ToWrite(job=job.body, shared=shared, out=tmp_path, stem=file["file"][:-4], formats=("pdf",)))
        assert again.sha256 == file["sha256"]


@pytest.mark.shows("P050-4.5/7")
def test_the_tapes_of_a_piece_stand_in_one_file_and_rows_that_take_too_many_are_told(
    room: Journeys, tmp_path: Path
) -> None:
    labels.approve(room.world, stock="tape-roll", form="tape", reference="MTM-L-2")
    rows = "".join(f"Desk {at},475 L'Enfant Plaza SW,Washington,DC,20260,{oz}\n" for at, oz in enumerate("1313"))
    source = listed(tmp_path, rows, header="name,street,city,state,zip,weight_oz")
    out, dear = tmp_path / "out", TAPE.replace("0.50", "0.04")
    estimate = batching.estimate(room, wish(source, dear, skip=True), out)
    assert (estimate.order.pieces, estimate.order.told["rows_left_out"]) == (40, 2)
    with (out / "errors.csv").open(encoding="utf-8") as stream:
        assert [(row["row"], row["code"]) for row in csv.DictReader(stream)] == [
            ("3", "mailroom.too-many-tapes"),
            ("5", "mailroom.too-many-tapes"),
        ]
    name = interrupted(room, wish(source, TAPE), out, done=5)  # pieces of two and of three tapes
    done = batching.give_up(room, name, out)
    paper = told(done)
    assert [(one["row"], one["tape"], one["page"]) for one in paper["pieces"]] == [
        (2, [1, 2], 1), (2, [2, 2], 2), (3, [1, 3], 1), (3, [2, 3], 2), (3, [3, 3], 3),
    ]  # fmt: skip
    whole = price_for("letter", Fraction(1), day=room.today()).amount
    assert sum(one["amount_mills"] for one in paper["pieces"][:2]) == whole
    marks = [mark for number in (1, 2) for mark in job_of(room, name, number).body["indicia"]]
    files = [(one["file"], one["page"] - 1) for one in paper["pieces"]]
    assert [read(raster(out / file, page, dpi=DPI))[0].payload.hex() for file, page in files] == marks
    assert done.left is not None
    assert len(done.left.read_text().splitlines()) == 3  # a piece on several tapes is one row


def test_each_page_of_a_file_is_judged_as_a_piece_of_its_own(
    room: Journeys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batching.print_batch(room, wish(listed(tmp_path, good(2)), ""), tmp_path / "out")
    marks = list(marks_of(tmp_path / "out" / "envelopes-0001.pdf"))
    due = price_for("letter", Fraction(1), day=room.today()).amount
    seen = {"at": room.world.clock.now(), "observed": Observed()}
    assert [len(held) for held in by_page(marks)] == [1, 1]
    for held in by_page(marks):
        whole, judged = verify_piece(held, room.world, **seen)
        assert (whole.verdict, whole.paid, len(judged)) == ("VALID", due, 1)
    together, _ = verify_piece(marks, room.world, **seen)
    assert together.paid == due + due
    for line in ("x.pdf --by-page", "--hex a2 --piece --by-page", f"{tmp_path} --piece --by-page"):
        assert main(["verify", *line.split()]) == 2
        assert "cli.argument-astray" in capsys.readouterr().err
    file = str(tmp_path / "out" / "envelopes-0001.pdf")
    assert main(["verify", file, "--piece", "--by-page", "--json"]) == 1  # without a world nothing is VALID
    pieces = json.loads(capsys.readouterr().out)["pieces"]
    assert [one["results"][0]["page"] for one in pieces] == [1, 2]


def test_a_piece_whose_tapes_no_device_could_pay_at_once_is_a_bad_row(room: Journeys, tmp_path: Path) -> None:
    template = templates.parse(SHEETS.replace("start = 9", 'each = "0.50"').encode(), name="ours")
    terms = terms_of(room, template, day=None, drawn=TRUE, status=room.status())
    due = price_for("flat", Fraction(2), day=terms.day).amount
    source = listed(tmp_path, good(1))
    for cap, codes in ((due, []), (due - Mills(1), ["batch.piece-over-cap"])):
        with (
            crew(beside=False) as hands,
            check(source, replace(terms, most=cap), hands, silent) as it,
        ):
            assert [fault.code for fault in it.faults] == codes
            assert [part.pieces for part in it.parts] == ([] if codes else [-(-int(due) // 500)])


def test_parcels_on_labels_are_each_paid_by_their_zone_and_a_row_whose_label_is_not_well_is_left_out(
    room: Journeys, tmp_path: Path
) -> None:
    labels.approve(room.world, stock="roll-4x6", form="label4x6", reference="MTM-L-3")
    cells = [{"ZipCodes": zips, "Zone": zone, "MailService": ""} for zips, zone in (("202", "1"), ("606", "5"))]
    sheet = {"ZIPCodeError": "", "PageError": "", "EffectiveDate": "October 1, 2026", "Column0": cells}
    chart = json.dumps(sheet | {"Column1": [], "Column2": [], "Column3": []}).encode()
    room.do(lambda ctx: zoning.take(ctx, data=chart, origin="20260"))
    far = "Reader,400 S State St,Chicago,IL,60605\n".replace("60605", "60604")
    rows = good(1) + far + f"{'Wide ' * 11},475 L'Enfant Plaza SW,Washington,DC,20260\n"
    done = batching.print_batch(room, wish(listed(tmp_path, rows), PARCELS, skip=True), tmp_path / "out")
    job = job_of(room, done.batch.key, 1)
    claim = Claim(mail_class="priority", price_type="commercial", zone="1")
    assert [claim_of(piece).zone for piece in job.body["pieces"]] == ["1", "5"]
    near = price_for("parcel", Fraction(32), day=room.today(), claim=claim).amount
    assert job.body["pieces"][0]["amount"] == near < job.body["pieces"][1]["amount"]
    with (tmp_path / "out" / "errors.csv").open(encoding="utf-8") as stream:
        assert {row["row"] for row in csv.DictReader(stream)} == {"4"}
    pages = [raster(tmp_path / "out" / "envelopes-0001.pdf", page, dpi=DPI) for page in (0, 1)]
    assert [read(page)[0].payload.hex() for page in pages] == job.body["indicia"]
    assert told(done)["labels"]["sheets"] == 2


def test_labels_that_were_not_printed_leave_their_places_empty() -> None:
    held = stock("avery-5163")
    assert used(held, 9, [(2, True), (5, False), (4, True)]) == {"labels": 6, "sheets": 2, "next_start": 10}
    assert used(held, 3, [(2, True), (18, False)]) == {"labels": 2, "sheets": 1, "next_start": 5}
    assert used(held, 3, [(2, False)]) == {"labels": 0, "sheets": 0, "next_start": 3}


def test_the_first_free_label_is_said_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    known = templates.find("flat-labels")
    assert (_from_label(known, None).start, _from_label(known, 7).start) == (1, 7)
    for template, start, code in (("flat-labels", 11, "page.no-such-place"), ("letter", 2, "cli.argument-astray")):
        assert main(f"print no-world --csv x.csv --template {template} --start {start} --out y".split()) == 2
        assert code in capsys.readouterr().err
