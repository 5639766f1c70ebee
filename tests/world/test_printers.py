"""Jobs on printers: what was handed over, confirmed and spoiled, and nothing twice. One world for all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from tests.faults import killed as world_of
from tests.journeys.stories import refused
from tests.transport.test_printers import listening

from towncircle.cli import on_printer
from towncircle.cli import print as print_command
from towncircle.cli import printer as printer_command
from towncircle.cli import quality as quality_command
from towncircle.cli.main import build_parser
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import JobId, RefundId
from towncircle.kernel.store import Record
from towncircle.licensee import mailroom, printers, refunds, spool, trend
from towncircle.licensee.looks import Look
from towncircle.licensee.printers import Printer
from towncircle.mailpiece.address_files import EMBEDDED, public_addresses
from towncircle.mailpiece.forms import form_of_piece
from towncircle.paper.png import raster
from towncircle.symbol import read
from towncircle.transport.printers import FolderWay
from towncircle.wire.bodies.refund import REFUSED
from towncircle.world import labels, printing, refunding, spooling
from towncircle.world import quality as quality_world
from towncircle.world.journeys import Journeys

LETTERS = tuple(one for one in public_addresses() if one.shape in (None, "letter"))[:3]


@pytest.fixture
def desk(room: Journeys, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    kept(room, name="desk", kind="folder", address=str(folder))
    return folder


def kept(room: Journeys, **profile) -> None:
    room.do(lambda ctx: printers.keep(ctx, printer=Printer(**profile)))


def standing(room: Journeys, number: int) -> str:
    with room.world.store(room.licensee).reading() as view:
        return spool.standing_of(spool.entry(view, number))


def job_of(room: Journeys, job: str) -> Record:
    with room.world.store(room.licensee).reading() as view:
        row = view.get("job", job)
    assert row is not None
    return row


def marks(file: Path) -> list[str]:
    document = pypdfium2.PdfDocument(file)
    count = len(document)
    document.close()
    return [read(raster(file, at))[0].payload.hex() for at in range(count)]


def test_a_job_goes_to_a_folder_and_its_pieces_are_confirmed(room: Journeys, desk: Path) -> None:
    done = spooling.print_on(room, room.plan(LETTERS), "desk")
    assert done.trouble is None
    number, job = done.entry.body["number"], done.entry.body["job"]
    assert standing(room, number) == "handed over"
    (file,) = desk.iterdir()
    assert file.name == f"{job}-{number:06d}.pdf"
    assert marks(file) == job_of(room, job).body["indicia"]
    assert job_of(room, job).body["state"] == "printed"
    assert [path.name for path in (room.world.folder / room.licensee / "spool").iterdir()] == [".lock"]
    spooling.decide(room, number, pieces=(1, 2), came_out=True)
    assert standing(room, number) == "confirmed and open"
    spooling.decide(room, number, came_out=True)
    assert standing(room, number) == "confirmed"
    with refused("spool.nothing-left"):
        spooling.decide(room, number, came_out=True)
    assert spooling.waiting(room) == []


def test_only_a_spoiled_piece_is_printed_again_and_the_device_counts_it(room: Journeys, desk: Path) -> None:
    number = spooling.print_on(room, room.plan(LETTERS), "desk").entry.body["number"]
    job = JobId(room.last_job())
    before = room.status().reprints
    with refused("spool.not-spoiled"):
        spooling.reprint_on(room, job, (2,), "desk")
    with refused("spool.not-spoiled"):
        printing.reprint_job(room, job, (2,), desk / "again")  # a file is a copy too
    spooling.decide(room, number, pieces=(1, 3), came_out=True)
    with refused("spool.not-spoiled") as caught:
        spooling.reprint_on(room, job, (1, 2), "desk")
    assert "spool spoil DIR" in caught.value.next_step
    assert room.status().reprints == before
    spooling.decide(room, number, pieces=(2,), came_out=False, reason="jammed")
    assert standing(room, number) == "confirmed and spoiled"
    again = spooling.reprint_on(room, job, (2,), "desk")
    assert room.status().reprints == before + 1
    (file,) = desk.glob(f"*-{again.entry.body['number']:06d}.pdf")
    assert marks(file) == [job_of(room, job).body["indicia"][1]]
    with refused("spool.not-spoiled"):
        spooling.reprint_on(room, job, (2,), "desk")
    with refused("spool.spoiled-already"):
        spooling.decide(room, number, pieces=(2,), came_out=True)
    spooling.decide(room, again.entry.body["number"], came_out=False)
    assert spooling.reprint_on(room, job, (2,), "desk").trouble is None


def claimed(room: Journeys, job: str, *pieces: int) -> RefundId:
    marks = tuple(bytes.fromhex(job_of(room, job).body["indicia"][piece - 1]) for piece in pieces)
    refund = room.new(RefundId.new)
    room.do(lambda ctx: refunds.begin(ctx, payloads=marks, refund=refund))
    return refund


def test_a_spoiled_piece_is_printed_again_or_refunded_and_never_both(room: Journeys, desk: Path) -> None:
    number = spooling.print_on(room, room.plan(LETTERS), "desk").entry.body["number"]
    job = JobId(room.last_job())
    spooling.decide(room, number, came_out=False, reason="jammed")
    refund, before = claimed(room, job, 1), room.status().reprints
    for again in (
        lambda: spooling.reprint_on(room, job, (1,), "desk"),
        lambda: printing.reprint_job(room, job, (2, 1), desk / "again"),
    ):
        with refused("refund.claimed") as caught:
            again()
        assert caught.value.params["refund"] == refund
    assert room.status().reprints == before
    again = spooling.reprint_on(room, job, (2,), "desk").entry.body["number"]
    with refused("refund.printed-again") as caught:
        claimed(room, job, 2)
    assert caught.value.params["entry"] == again
    spooling.decide(room, again, came_out=False)  # the copy spoiled too
    claimed(room, job, 2)

    def refuse(ctx: Context) -> None:
        row = refunds.held_refund(ctx, refund)
        ctx.tx.put("refund", refund, {**row.body, "state": REFUSED}, owner=row.owner, expected=row.version)

    room.do(refuse)  # nothing came of it: the piece may be printed again
    assert spooling.reprint_on(room, job, (1,), "desk").trouble is None


def test_of_a_job_that_was_never_handed_over_all_pieces_are_claimed_or_none(room: Journeys, desk: Path) -> None:
    job = room.plan(LETTERS)
    room.evidence(job)
    with refused("refund.part-of-job"):
        claimed(room, job, 1, 2)
    assert spooling.print_on(room, job, "desk").trouble is None


def test_a_job_that_was_handed_over_while_its_paper_was_drawn_is_not_claimed_as_unused(
    room: Journeys, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, draw = room.plan(LETTERS[:1]), refunding.print_unused
    room.evidence(job)

    def drawn(*given):
        paper = draw(*given)
        printing.finish_job(room, job, tmp_path / "out", formats=("pdf",))
        return paper

    monkeypatch.setattr(refunding, "print_unused", drawn)
    with refused("refund.job-handed-over"):
        refunding.submit_job(room, job, tmp_path / "unused")
    assert job_of(room, job).body["state"] == "printed"


def test_what_a_kill_left_of_a_job_is_taken_away_when_its_pieces_are_sent_in(
    room: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir()
    (out / "notes.txt").write_text("of somebody else")
    job, later = room.plan(LETTERS[:1]), room.plan(LETTERS[1:2])

    def killed(*_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Journeys, "hand_over", killed)
        for where in (out, other):
            with pytest.raises(KeyboardInterrupt):
                printing.finish_job(room, job, where)
    printing.finish_job(room, later, other)  # another job wrote over it there
    (room.world.folder / room.licensee / "spool" / f"{job}.pdf").write_bytes(b"drawn for a printer, never queued")
    assert sorted(path.suffix for path in out.rglob("*.*")) == [".pdf", ".png", ".txt"]
    refunding.submit_job(room, job, tmp_path / "unused")
    assert [path.name for path in out.rglob("*")] == ["notes.txt"]
    assert (other / "envelopes.pdf").is_file()
    assert not list((room.world.folder / room.licensee / "spool").glob(f"{job}*"))
    assert (tmp_path / "unused" / "unused.pdf").is_file()


def test_a_file_that_lay_there_before_a_job_wrote_any_stays(
    room: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "envelopes.pdf").write_bytes(b"of somebody else")
    job = room.plan(LETTERS[:1])
    with monkeypatch.context() as broken:
        broken.setattr(printing.pdf, "write_pdf", lambda *_given, **_more: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            printing.finish_job(room, job, tmp_path)
    refunding.submit_job(room, job, tmp_path / "unused")
    assert (tmp_path / "envelopes.pdf").read_bytes() == b"of somebody else"


def test_a_profile_is_not_changed_under_a_file_that_waits(room: Journeys) -> None:
    with listening() as printer:
        port = printer.port
    held = {"name": "zebra", "kind": "raw", "address": f"127.0.0.1:{port}", "language": "zpl"}
    kept(room, **held)
    number = spooling.print_on(room, room.plan(LETTERS[:1]), "zebra").entry.body["number"]
    assert standing(room, number) == "queued"
    for other in ({"dpi": 203}, {"shift_x": 7200}, {"scale_y": 1_001_000}, {"native": True}, {"language": "pdf"}):
        with refused("printer.busy"):
            kept(room, **{**held, **other})
    kept(room, **{**held, "address": "127.0.0.1:9"})  # the way to it may change
    spooling.decide(room, number, came_out=False)
    kept(room, **{**held, "dpi": 203})


def test_a_person_may_say_what_became_of_an_entry_whose_folder_is_gone_for_good(room: Journeys, desk: Path) -> None:
    job = room.plan(LETTERS[:1])
    number = _interrupted(room, desk, job)
    desk.rename(desk.with_name("elsewhere"))
    desk.mkdir()  # the mount point without what was mounted
    done = spooling.send(room, number)
    assert done.trouble is not None
    assert (done.trouble.code, standing(room, number)) == ("printer.away", "sending")
    spooling.decide(room, number, came_out=False, reason="the share is gone")
    assert standing(room, number) == "spoiled"
    assert spooling.reprint_on(room, job, (), "desk").trouble is None


def _interrupted(room: Journeys, desk: Path, job: JobId) -> int:
    """Leave an entry as a kill between the last byte and the word of it does."""
    held = FolderWay.hand_over

    def dies(way: FolderWay) -> str:
        held(way)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FolderWay, "hand_over", dies)
        with pytest.raises(KeyboardInterrupt):
            spooling.print_on(room, job, "desk")
    (number,) = spooling.waiting(room)
    return number


def test_a_piece_that_was_confirmed_may_spoil_later(room: Journeys, desk: Path) -> None:
    number = spooling.print_on(room, room.plan(LETTERS), "desk").entry.body["number"]
    spooling.decide(room, number, came_out=True)
    spooling.decide(room, number, pieces=(3,), came_out=False, reason="torn by the folder")
    assert standing(room, number) == "confirmed and spoiled"
    with pytest.raises(BadInput, match=r"spool\.no-such-piece"):
        spooling.decide(room, number, pieces=(4,), came_out=False)
    with refused("spool.no-such-entry"):
        spooling.decide(room, 999, came_out=True)


def test_a_refused_connection_keeps_the_entry_queued_and_it_is_sent_once(room: Journeys) -> None:
    with listening() as printer:
        port = printer.port
    kept(room, name="labels", kind="raw", address=f"127.0.0.1:{port}", language="zpl", dpi=203)
    done = spooling.print_on(room, room.plan(LETTERS[:1]), "labels")
    number = done.entry.body["number"]
    assert done.trouble is not None
    assert done.trouble.code == "printer.unreachable"
    assert standing(room, number) == "queued"
    assert spooling.waiting(room) == [number]
    with refused("printer.busy"):
        room.do(lambda ctx: printers.remove(ctx, name="labels"))
    with refused("printer.busy"):  # its file waits in the language of the old profile
        kept(room, name="labels", kind="raw", address=f"127.0.0.1:{port}", language="pdf")
    with listening() as printer:
        kept(room, name="labels", kind="raw", address=f"127.0.0.1:{printer.port}", language="zpl", dpi=203)
        assert spooling.send(room, number).trouble is None
        assert printer.taken.startswith(b"^XA")
        assert printer.taken.count(b"^XZ") == 1
        trouble = spooling.send(room, number).trouble
        assert trouble is not None
        assert trouble.code == "machine.illegal-move"
        assert printer.calls == 1
    assert standing(room, number) == "handed over"


def test_a_cut_in_the_middle_is_unknown_and_never_printed_again_by_itself(room: Journeys) -> None:
    with listening(most=2000) as printer:
        kept(room, name="cut", kind="raw", address=f"127.0.0.1:{printer.port}", language="zpl", dpi=600)
        done = spooling.print_on(room, room.plan(LETTERS), "cut")
        number = done.entry.body["number"]
        assert done.trouble is not None
        assert done.trouble.code == "printer.doubt"
        assert standing(room, number) == "unknown"
        assert spooling.waiting(room) == []
        assert spooling.send(room, number).trouble is not None
        assert printer.calls == 1
    job = JobId(done.entry.body["job"])
    with refused("spool.not-spoiled"):
        spooling.reprint_on(room, job, (3,), "cut")
    spooling.decide(room, number, pieces=(1,), came_out=True)
    spooling.decide(room, number, came_out=False, reason="the cable was pulled out")
    with listening() as printer:
        kept(room, name="cut", kind="raw", address=f"127.0.0.1:{printer.port}", language="zpl")
        assert spooling.reprint_on(room, job, (2, 3), "cut").trouble is None
        assert printer.taken.count(b"^XZ") == 2


def test_lp_is_told_the_queue_and_the_pages(room: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.transport.test_printers import LP, sys

    places = {name: str(tmp_path / name) for name in ("log", "mode", "got")}
    (tmp_path / "mode").write_text("take")
    (tmp_path / "lp").write_text(LP.format(python=sys.executable, **places))
    (tmp_path / "lp").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    kept(room, name="office", kind="lp", address="Envelopes", form="no10", options=("media=Custom.4.125x9.5in",))
    done = spooling.print_on(room, room.plan(LETTERS[:2]), "office")
    assert done.entry.body["reference"] == "request id is Envelopes-12 (1 file(s))"
    told = (tmp_path / "log").read_text().split("\t")
    assert told[:2] == ["-d", "Envelopes"]
    assert told[4:8] == ["-o", "print-scaling=none", "-o", "media=Custom.4.125x9.5in"]
    assert marks(tmp_path / "got") == job_of(room, done.entry.body["job"]).body["indicia"]
    (tmp_path / "lp").unlink()
    assert spooling.print_on(room, room.plan(LETTERS[:1]), "office").trouble.code == "printer.no-lp"
    spooling.decide(room, spooling.waiting(room)[0], came_out=False)


def test_another_form_is_refused_before_anything_is_debited(room: Journeys, desk: Path) -> None:
    kept(room, name="cards", kind="folder", address=str(desk), form="postcard")
    before = room.status().registers
    with refused("printer.other-form"):
        spooling.print_new(room, lambda journeys: journeys.plan(LETTERS), "cards")
    assert room.status().registers == before
    assert room.open_jobs() == []
    with refused("printer.unknown"):
        spooling.print_new(room, lambda journeys: pytest.fail("planned for no printer"), "nobody")


def test_an_interrupted_job_of_another_form_stays_and_holds_up_no_other(
    room: Journeys, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(room, name="no10s", kind="folder", address=str(desk), form="no10")
    answered = room.plan(LETTERS[:1], look=Look(form="no6-3-4"))
    with room.world.shelf.client(room.device) as client:  # it debits, and its answer is lost
        mailroom._ask(client, answered, job_of(room, answered).body)
    other = room.plan(LETTERS[:1], look=Look(form="no6-3-4"))
    fits = room.plan(LETTERS[:1])
    done, failed = on_printer.resumed(room, "no10s")
    assert [one.entry.body["job"] for one in done] == [fits]
    assert [error.code for error in failed] == ["printer.other-form"] * 2
    assert {row.key for row in room.open_jobs()} == {answered, other}
    assert on_printer.told(room, done, failed, json=True) == 3
    told = json.loads(capsys.readouterr().out)
    assert [one["job"] for one in told["jobs"]] == [fits]
    assert [one["code"] for one in told["refused"]] == ["printer.other-form"] * 2
    done, failed = on_printer.resumed(room, "desk")  # what was debited is on paper at last
    assert {one.entry.body["job"] for one in done} == {answered, other}
    assert failed == []
    assert room.open_jobs() == []


def planner(*arguments: str) -> Callable[[Journeys], JobId]:
    args = build_parser().parse_args(["print", "world", "--printer", "desk", *arguments])
    day = date.fromisoformat(args.on) if args.on is not None else None
    return print_command._planner(args, day, None, ())


def test_a_stock_is_looked_up_before_anything_is_debited(room: Journeys, desk: Path, tmp_path: Path) -> None:
    labels.approve(room.world, stock="avery-5163", form="label2x4", reference="MTM-L-1")
    list_of_one = tmp_path / "one.csv"
    list_of_one.write_text("name,street,city,state,zip\nWINDLE,100 MAIN ST,NASHUA,NH,03060\n")
    before = room.status().registers
    for start, code in (("0", r"page\.no-such-place"), ("11", r"page\.no-such-place")):
        with pytest.raises(BadInput, match=code):
            spooling.print_new(room, planner("--stock", "avery-5163", "--start", start), "desk")
    with pytest.raises(BadInput):
        spooling.print_new(room, planner("--stock", "no-such-stock"), "desk")
    assert room.status().registers == before
    assert room.open_jobs() == []
    chosen = planner("--stock", "avery-5163", "--start", "9", "--addresses", str(list_of_one))
    done = spooling.print_new(room, chosen, "desk")  # the register is taken, and the stock says the form
    assert done.trouble is None
    assert form_of_piece(job_of(room, done.entry.body["job"]).body["pieces"][0]).key == "label2x4"
    (file,) = desk.iterdir()
    assert marks(file) == job_of(room, done.entry.body["job"]).body["indicia"]


def test_old_address_data_need_a_reason_on_a_printer_too(
    room: Journeys, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(EMBEDDED), "edition", "2026-01")
    given = tmp_path / "one.csv"
    given.write_text("name,street,city,state,zip\nWINDLE,100 MAIN ST,NASHUA,NH,03060\n")
    before = room.status().registers
    with refused("addresses.data-old"):
        spooling.print_new(room, planner("--addresses", str(given)), "desk")
    assert room.status().registers == before
    chosen = planner("--addresses", str(given), "--old-data", "the new edition is late")
    assert spooling.print_new(room, chosen, "desk").trouble is None
    with room.world.store(room.licensee).reading() as view:
        (noted,) = [fact for fact in view.facts() if fact.type == "address-data.old-used"]
    assert noted.body["reason"] == "the new edition is late"


def test_a_file_that_was_changed_in_the_spool_is_not_sent(room: Journeys, desk: Path) -> None:
    desk.rmdir()
    done = spooling.print_on(room, room.plan(LETTERS[:1]), "desk")
    assert done.trouble is not None
    number = done.entry.body["number"]
    (room.world.folder / room.licensee / "spool" / done.entry.body["file"]).write_bytes(b"%PDF-1.5 other")
    desk.mkdir()
    trouble = spooling.send(room, number).trouble
    assert trouble is not None
    assert trouble.code == "spool.file-changed"
    assert list(desk.iterdir()) == []
    spooling.decide(room, number, came_out=False)
    assert standing(room, number) == "spoiled"
    assert not (room.world.folder / room.licensee / "spool" / done.entry.body["file"]).exists()


def test_a_printer_stays_where_an_interrupted_entry_was_sent(room: Journeys, desk: Path, tmp_path: Path) -> None:
    desk.rmdir()
    row = spooling.print_on(room, room.plan(LETTERS[:1]), "desk").entry
    number = row.body["number"]
    desk.mkdir()
    file = room.world.folder / room.licensee / "spool" / row.body["file"]
    FolderWay(desk, f"{row.body['job']}-{number:06d}.pdf", file).ready()
    room.do(lambda ctx: spool.begin(ctx, number=number))  # and here its process died
    with refused("printer.busy"):  # in another folder it would look as if it had been taken
        kept(room, name="desk", kind="folder", address=str(tmp_path))
    assert spooling.send(room, number).trouble is None
    assert standing(room, number) == "handed over"
    assert [path.name for path in desk.iterdir()] == [f"{row.body['job']}-{number:06d}.pdf"]
    kept(room, name="desk", kind="folder", address=str(tmp_path))


def test_an_interrupted_entry_is_never_queued_again_though_its_folder_is_away(room: Journeys, desk: Path) -> None:
    desk.rmdir()
    row = spooling.print_on(room, room.plan(LETTERS[:1]), "desk").entry
    number, name = row.body["number"], f"{row.body['job']}-{row.body['number']:06d}.pdf"
    desk.mkdir()
    way = FolderWay(desk, name, room.world.folder / room.licensee / "spool" / row.body["file"])
    way.ready()
    room.do(lambda ctx: spool.begin(ctx, number=number))
    way.hand_over()  # and here its process died, and the folder was unmounted
    away = desk.rename(desk.with_name("away"))
    for _ in range(2):
        trouble = spooling.send(room, number).trouble
        assert trouble is not None
        assert trouble.code == "printer.away"
        assert standing(room, number) == "sending"
    away.rename(desk)
    (desk / name).unlink()  # it was printed meanwhile
    assert spooling.send(room, number).trouble is None
    assert standing(room, number) == "handed over"
    assert list(desk.iterdir()) == []


@pytest.mark.parametrize(("kind", "after"), [("folder", "handed over"), ("raw", "unknown")])
def test_what_was_taken_but_not_written_down_is_not_printed_again(
    room: Journeys, desk: Path, monkeypatch: pytest.MonkeyPatch, kind: str, after: str
) -> None:
    def busy(ctx: Context, *, number: int, event: str, reference: str = "", why: str = "") -> Record:
        raise Refused("storage.busy", path="store")

    with listening() as printer:
        address = str(desk) if kind == "folder" else f"127.0.0.1:{printer.port}"
        kept(room, name="slow", kind=kind, address=address, language="zpl")
        job = room.plan(LETTERS[:1])
        with monkeypatch.context() as held:
            held.setattr(spooling.spool, "ended", busy)
            done = spooling.print_on(room, job, "slow")
        number = done.entry.body["number"]
        assert done.trouble is not None
        assert done.trouble.code == "storage.busy"
        assert standing(room, number) == "sending"
        spooling.send(room, number)
        assert standing(room, number) == after
        if kind == "folder":
            assert len(list(desk.iterdir())) == 1
        else:
            assert printer.calls == 1
            assert printer.taken.count(b"^XZ") == 1


def test_two_processes_do_not_send_at_once(room: Journeys, desk: Path) -> None:
    with spooling._alone(room), refused("spool.under-way"):
        spooling.send(room, 1)


def test_a_test_page_has_no_postage_and_its_printer_s_shift(room: Journeys, desk: Path) -> None:
    spooling.print_test(room, "desk")
    kept(room, name="desk", kind="folder", address=str(desk), shift_x=7200, shift_y=-7200)
    spooling.print_test(room, "desk")
    still, moved = (raster(desk / f"test-desk-00000{at}.pdf", dpi=100) for at in (1, 2))
    assert read(still) == []
    assert (moved[:-10, 10:] == still[10:, :-10]).all()


def test_the_commands_show_printers_and_entries(room: Journeys, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from towncircle.cli import spool as spool_command

    with room.world.store(room.licensee).reading() as view:
        spool_command.told(view.find("spool")[:1], json=True)
        held = printers.all_of(view)
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert entry["state"] == "confirmed"
    assert entry["pieces"] == [[1, 3]]
    printer_command._told(held, json=False)
    assert "raw 127.0.0.1" in capsys.readouterr().out
    room.do(lambda ctx: printers.remove(ctx, name="desk"))
    with refused("printer.unknown"):
        spooling.print_test(room, "desk")


def test_the_auditor_finds_nothing_in_it(room: Journeys, tmp_path: Path) -> None:
    world_of.audited(room, tmp_path / "export")


def test_the_trend_of_quality_names_the_printer_of_the_print_records(
    room: Journeys, desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Own scans of a faint piece of a printer, and of one that went to no printer."""
    spooling.print_on(room, room.plan(LETTERS[:2]), "desk")
    (file,) = desk.iterdir()
    elsewhere = printing.print_job(room, LETTERS[:1], tmp_path / "elsewhere", formats=("pdf",))
    for name, pixels, share in (("faint", raster(file, 1), 0.25), ("good", raster(elsewhere.pdf), 1)):
        grey = (255 - (255 - pixels.astype(float)) * share).astype("uint8")
        Image.fromarray(grey).save(tmp_path / f"{name}.png", dpi=(300, 300))
    first = [quality_world.check(room, tmp_path / f"{name}.png") for name in ("faint", "good", "faint")]
    assert [(one.printer, one.grade, one.weakest) for one in first[:2]] == [
        ("desk", "D", "contrast"),
        (trend.UNKNOWN, "A", ""),
    ]
    assert first[2] == first[0]  # the same file is one check
    args = build_parser().parse_args(["quality", "trend", str(room.world.folder), "--json"])
    assert (quality_command.show_trend(room, json=args.json), args.run) == (1, quality_command._trend)
    told = json.loads(capsys.readouterr().out)
    assert "an estimate" in told["estimate"]
    by = {one["name"]: one for one in told["printers"]}
    assert {name: (one["recent_points"], one["weakest"]) for name, one in by.items()} == {
        "desk": (100, "contrast"),
        trend.UNKNOWN: (400, ""),
    }
    assert "below grade C" in by["desk"]["warning"]
    assert [(one["name"], len(one["pieces"])) for one in told["devices"]] == [(room.device, 2)]
    assert quality_command.show_trend(room, json=False) == 1
    assert "printer desk: D (1.00) of late; the weakest is contrast" in capsys.readouterr().out


def test_a_job_that_waits_for_one_printer_is_not_drawn_anew_for_another(room: Journeys, desk: Path) -> None:
    number = spooling.print_on(room, room.plan(LETTERS), "desk").entry.body["number"]
    job = JobId(room.last_job())
    kept(room, name="other", kind="folder", address=str(desk), language="zpl", dpi=203)
    folder = room.world.folder / room.licensee / "spool"
    before = sorted(path.name for path in folder.iterdir())
    again = spooling._queued(room, job, "other")
    assert again == number
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_mount_point_that_nothing_is_mounted_on_is_not_the_folder_that_was_added(
    room: Journeys, tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    profile = Printer(name="share", kind="folder", address=str(folder))
    assert spooling.add_printer(room, profile).mark == ""  # nothing to lay it into
    folder.mkdir()
    mark = spooling.add_printer(room, profile).mark
    assert spooling.add_printer(room, profile).mark == mark
    elsewhere = folder.rename(tmp_path / "elsewhere")
    folder.mkdir()  # the mount point without the mount
    for again in (profile, replace(profile, dpi=600)):
        with refused("printer.other-folder"):  # the mark is laid into no folder but the one that was added
            spooling.add_printer(room, again)
    done = spooling.print_on(room, room.plan(LETTERS[:1]), "share")
    assert done.trouble is not None
    assert done.trouble.code == "printer.other-folder"
    number = done.entry.body["number"]
    assert (standing(room, number), list(folder.iterdir())) == ("queued", [])
    folder.rmdir()
    elsewhere.rename(folder)
    assert spooling.send(room, number).trouble is None
    assert len(list(folder.glob("*.pdf"))) == 1
    other = Printer(name="share", kind="folder", address=str(tmp_path / "third"))
    (tmp_path / "third").mkdir()
    number = spooling._queued(room, room.plan(LETTERS[:1]), "share")
    with refused("printer.busy"):  # a refused profile marks nothing
        spooling.add_printer(room, replace(other, dpi=600))
    assert list((tmp_path / "third").iterdir()) == []
    assert spooling.send(room, number).trouble is None
    folder.rename(tmp_path / "gone")
    folder.mkdir()
    assert spooling.add_printer(room, profile, new_folder=True).mark not in ("", mark)
