"""Proof before pay, also of corrections, of batches and on printers: what is paid later but for symbol and marks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from tests.world.batch_stories import good, listed

from towncircle.cli.main import main
from towncircle.kernel.ids import JobId
from towncircle.kernel.store import Record
from towncircle.licensee import envelopes, printers
from towncircle.licensee.corrections import Redate, Shortpaid
from towncircle.licensee.printers import Printer
from towncircle.mailpiece.address_files import public_addresses
from towncircle.mailpiece.elements import Element, Page
from towncircle.mailpiece.templates import Template
from towncircle.mailpiece.weights import parse_weight
from towncircle.world import batching, labels, printing, proofs
from towncircle.world.batching import Wish
from towncircle.world.composing import ToWrite
from towncircle.world.journeys import Journeys
from towncircle.world.verifying import marks_of

LETTERS = public_addresses()[:2]


def held(room: Journeys) -> tuple[object, ...]:
    """Give everything that a proof must leave as it is."""
    with room.world.store(room.licensee).reading() as view:
        rows = [(row.key, row.version) for kind in ("job", "batch", "reservation", "spool") for row in view.find(kind)]
        return room.status().registers, rows, len(view.facts())


def same_but_for_the_marks(proof: list[Page], paid: list[Page]) -> bool:
    def rest(page: Page) -> list[Element]:
        return [one for one, _ in page.boxed if one.role not in ("symbol", "proof")]

    def boxes(page: Page) -> list[object]:
        return [box for _, box in page.having("symbol")]

    assert all(any(one.role == "proof" for one, _ in page.boxed) for page in proof)
    assert not any(one.role == "proof" for page in paid for one, _ in page.boxed)
    return [(rest(one), boxes(one)) for one in proof] == [(rest(one), boxes(one)) for one in paid]


def shown(room: Journeys, record: Record, **changed: Any) -> list[Page]:
    stationery = replace(room.stationery(record), **changed)
    return list(envelopes.proofs(record.body, stationery, proofs.numbers_of(room, record)))


def job_of(room: Journeys, job: str) -> Record:
    with room.world.store(room.licensee).reading() as view:
        row = view.get("job", job)
    assert row is not None
    return row


def words(file: Path) -> str:
    document = pypdfium2.PdfDocument(file)
    try:
        return " ".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


@pytest.fixture(scope="module")
def job(room: Journeys) -> JobId:
    out = room.world.folder.parent / "first"
    return JobId(printing.print_job(room, LETTERS, out, formats=()).job.key)


def test_the_proof_of_a_postage_correction_is_what_is_paid_later(room: Journeys, job: JobId, tmp_path: Path) -> None:
    told: dict[str, Any] = {"weight_oz": parse_weight("3oz")}
    before = held(room)
    record = proofs.of_correction(room, job, day=None, pieces=(1,), told=told)
    done = proofs.write(room, record, tmp_path / "proof")
    assert held(room) == before
    order = Shortpaid(job=job, mailing_date=room.today(), pieces=(1,), **told)
    paid = printing.correct_job(room, order, tmp_path / "paid", formats=())
    row = job_of(room, paid.job.key)
    assert (done.total, done.pieces) == (paid.total, 1)
    assert same_but_for_the_marks(shown(room, record), list(envelopes.pages(row.body, room.stationery(row))))
    assert "PROOF" in words(done.pdfs[0])
    assert marks_of(paid.pdf)
    assert not [mark for mark in marks_of(done.pdfs[0]) if mark.payload and mark.payload.hex() in row.body["indicia"]]


def test_the_proof_of_a_date_correction_is_what_is_printed_later(room: Journeys, job: JobId, tmp_path: Path) -> None:
    tomorrow = room.today().replace(day=room.today().day + 1)
    before = held(room)
    record = proofs.of_redate(room, job, day=tomorrow, pieces=(1,))
    done = proofs.write(room, record, tmp_path / "proof")
    assert held(room) == before
    paid = printing.redate_job(room, Redate(job=job, mailing_date=tomorrow, pieces=(1,)), tmp_path / "out", formats=())
    row = job_of(room, paid.job.key)
    assert int(done.total) == 0
    assert same_but_for_the_marks(shown(room, record), list(envelopes.pages(row.body, room.stationery(row))))


@pytest.mark.parametrize("on_labels", [False, True])
def test_the_proof_of_a_batch_is_file_by_file_what_is_paid_later(
    room: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_labels: bool
) -> None:
    template = Template(name="test", pieces_per_file=2)
    if on_labels:
        labels.approve(room.world, stock="avery-5163", form="label2x4", reference="MTM-L-1")
        labels.refresh(room)
        template = replace(template, form="label2x4", stock="avery-5163", start=9)
    pages: dict[str, list[Page]] = {}
    given = ToWrite.pages
    monkeypatch.setattr(
        ToWrite,
        "pages",
        lambda task, stationery: pages.setdefault(task.stem, list(given(task, stationery))),
    )
    wish, before = Wish(source=listed(tmp_path, good(3)), template=template), held(room)
    done = proofs.proof_batch(room, wish, tmp_path / "proof")
    assert held(room) == before
    paid = batching.print_batch(room, wish, tmp_path / "paid")
    assert (done.pieces, int(done.total)) == (paid.batch.body["printed"], paid.batch.body["spent"])
    assert [one.name for one in done.pdfs] == ["proofs-0001.pdf", "proofs-0002.pdf"]
    for at in ("0001", "0002"):
        assert same_but_for_the_marks(pages[f"proofs-{at}"], pages[f"envelopes-{at}"])
        assert "PROOF" in words(tmp_path / "proof" / f"proofs-{at}.pdf")


def test_a_proof_goes_to_the_printer_that_would_print_it_on_its_dots(room: Journeys, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    profile = Printer(name="desk", kind="folder", address=str(folder), dpi=203)
    room.do(lambda ctx: printers.keep(ctx, printer=profile))
    record = proofs.of_new(room, LETTERS)
    before = held(room)
    proofs.hand_over(room, record, "desk", zones=True)
    assert held(room) == before
    (file,) = folder.glob("*.pdf")
    assert "PROOF" in words(file)
    assert "barcode clear zone" in words(file)
    proof = shown(room, record, dpi=203)  # with the counts that the next pieces have
    paid = room.evidence(room.plan(LETTERS))
    stationery = replace(room.stationery(paid), dpi=203)
    assert same_but_for_the_marks(proof, list(envelopes.pages(paid.body, stationery)))


def test_what_is_paid_already_has_no_proof(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("--proof --resume", "--proof --reprint last", "--proof --redate last --zip"):
        assert main(f"print {tmp_path / 'no-world'} {line} --out {tmp_path}".split()) == 2
        assert "cli.argument-astray" in capsys.readouterr().err
