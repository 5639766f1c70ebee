"""Pieces as a scanner sees them, both sides askew and noisy, one by one and by the folder (P050 1.6, 4.8, 4.9)."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.journeys.stories import new_world, officers
from tests.journeys.test_corrections import PEOPLE, TWO_OZ, Room

from towncircle.cli.main import main
from towncircle.indicium import decode
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import MemoryStore
from towncircle.mailpiece.eligibility import Size
from towncircle.paper.png import raster
from towncircle.postal import scans
from towncircle.verification import Observed
from towncircle.world import bulk, licensing, printing, verifying
from towncircle.world.bulk import Run
from towncircle.world.config import POSTAL
from towncircle.world.supervising import kept

DUE = Mills(1070)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Print three pieces and what the first lacks at two ounces; no test scans a piece that another one has used."""
    folder = tmp_path_factory.mktemp("room")
    world = new_world(folder / "world")
    made = Room(world, folder)
    made.more = made.correct(1, weight_oz=TWO_OZ)  # type: ignore[attr-defined]  # kept for the tests of this module
    yield made
    world.close()


def side(pdf: Path, page: int = 0, *, degrees: float = 0, noise: int = 0, dpi: int = 200) -> Image.Image:
    """Scan one page, turned and noisy."""
    image = Image.fromarray(raster(pdf, page, dpi=dpi))
    turned = np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255), dtype=np.float32)
    dust = np.random.default_rng(page + 5).normal(0, noise, turned.shape) if noise else 0
    return Image.fromarray(np.clip(turned * 0.9 + dust, 0, 255).astype(np.uint8))


@pytest.fixture
def folder(room: Room, tmp_path: Path) -> Path:
    """A folder as a scanner leaves it: a piece of two sides, a page, a photograph, and what is no scan."""
    made = tmp_path / "scans"
    (made / "tray 2").mkdir(parents=True)
    back = side(room.more.pdf, degrees=-3, noise=12)  # type: ignore[attr-defined]
    front = side(room.first.pdf, degrees=4, noise=12)
    front.save(made / "1 both sides.tif", save_all=True, append_images=[back], compression="tiff_lzw")
    side(room.first.pdf, 1).save(made / "2 front.png")
    side(room.first.pdf, 2, degrees=25).save(made / "tray 2" / "3 photo.jpg", quality=70)
    (made / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (made / "=cmd.txt").write_text("not a scan")
    Image.new("L", (300, 200), 255).save(made / "white.png")
    (made / ".hidden").write_bytes(b"no")
    return made


@pytest.fixture
def white(tmp_path: Path) -> Path:
    """A folder of a white page and a file that is no scan."""
    (made := tmp_path / "plain").mkdir()
    Image.new("L", (300, 200), 255).save(made / "white.png")
    (made / "=cmd.txt").write_text("not a scan")
    return made


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def done(run: Run) -> list[str]:
    return [verdict for _, _, verdict in bulk.judge_files(run)]


def test_two_sides_and_two_tapes_of_a_piece_add_up_to_what_is_due(room: Room, tmp_path: Path) -> None:
    front, back = side(room.first.pdf, degrees=4, noise=12), side(room.more.pdf, degrees=-3, noise=12)  # type: ignore[attr-defined]
    both = Image.new("L", (max(front.width, back.width), front.height + back.height), 255)
    both.paste(front, (0, 0))
    both.paste(back, (0, front.height))
    both.save(tmp_path / "tapes.png")
    marks = list(verifying.marks_of(tmp_path / "tapes.png"))
    assert len(marks) == 2
    now = room.world.clock.now()
    whole, _ = verifying.verify_piece(marks, room.world, at=now, observed=Observed(amount_due=DUE))
    assert (whole.verdict, whole.paid) == ("VALID", DUE)
    alone, _ = verifying.verify_piece(marks[:1], room.world, at=now, observed=Observed(amount_due=DUE))
    assert alone.disposition == "hold"


def test_every_file_of_a_folder_is_a_line_and_a_bad_one_stops_nothing(room: Room, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "verdicts.jsonl"
    seen = {"1 both sides.tif": {"amount_due": DUE}}
    run = Run(folder=folder, out=out, world=room.world, piece=True, seen=seen)
    assert done(run) == ["VALID", "VALID", "ERROR", "ERROR", "VALID", "UNREADABLE"]
    head, *rows = lines(out)
    assert (head["format"], head["batch"]) == (2, "")
    told = {row["file"]: row for row in rows}
    assert (
        list(told)
        == sorted(told)
        == [
            *("1 both sides.tif", "2 front.png", "=cmd.txt", "broken.png", "tray 2/3 photo.jpg", "white.png"),
        ]
    )
    assert told["1 both sides.tif"]["piece"]["paid_mills"] == DUE
    assert [mark["page"] for mark in told["1 both sides.tif"]["marks"]] == [1, 2]
    assert told["broken.png"]["error"]["code"] == "scan.not-an-image"
    assert told["=cmd.txt"]["error"]["code"] == "scan.not-a-mark"
    assert bulk.write_csv(out, tmp_path / "all.csv") == 7
    rows_of = list(csv.DictReader((tmp_path / "all.csv").read_text("utf-8").splitlines()))
    assert [row["file"] for row in rows_of][3] == "'=cmd.txt"  # no formula for a spreadsheet


def test_an_interrupted_run_goes_on_behind_the_last_whole_line(room: Room, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "verdicts.jsonl"
    first = done(Run(folder=folder, out=out, world=room.world))
    whole = out.read_bytes()
    out.write_bytes(whole[: whole.rfind(b"\n", 0, -1) + 30])  # the last line is torn
    again = Run(folder=folder, out=out, world=room.world)
    assert done(again) == first
    assert again.judged == 1
    assert out.read_bytes() == whole
    Image.new("L", (310, 200), 255).save(folder / "white.png")  # another file of that name
    changed = Run(folder=folder, out=out, world=room.world)
    assert done(changed) == first
    assert changed.judged == 1
    (tmp_path / "other.txt").write_text("no results\n")
    with pytest.raises(BadInput, match=r"scan\.other-results"):
        done(Run(folder=folder, out=tmp_path / "other.txt", world=room.world))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"scan\.no-files"):
        done(Run(folder=tmp_path / "empty", out=tmp_path / "none.jsonl", world=room.world))


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"piece": True}, "--piece was False, now True"),
        ({"world": None}, "--world was"),
        ({"at": Instant.parse("2026-12-01T12:00Z")}, "--at was none, now 2026-12-01"),
        ({"observed": Observed(amount_due=DUE)}, "was nothing, now amount_due $1.07"),
        ({"seen": {"white.png": {"amount_due": DUE}}}, "the list of --observed was none, now"),
    ],
)
def test_a_run_goes_on_only_with_the_settings_it_was_begun_with(
    room: Room, white: Path, tmp_path: Path, other: dict[str, Any], named: str
) -> None:
    out = tmp_path / "verdicts.jsonl"
    begun = {"folder": white, "out": out, "world": room.world}
    bulk.go_on(Run(**begun))
    held = out.read_bytes()
    with pytest.raises(BadInput, match=r"scan\.other-run") as caught:
        done(Run(**{**begun, **other}))
    assert named in caught.value.sentence
    assert out.read_bytes() == held
    bulk.go_on(Run(**begun))


def test_results_of_the_first_format_go_on_by_what_they_say(room: Room, white: Path, tmp_path: Path) -> None:
    out = tmp_path / "verdicts.jsonl"
    head = {"format": 1, "folder": white.resolve().as_posix(), "site": "", "piece": False, "batch": ""}
    line = {"file": "white.png", "state": bulk._state(white / "white.png"), "verdict": "UNREADABLE", "marks": []}
    out.write_text(f"{json.dumps(head)}\n{json.dumps(line)}\n")
    assert list(bulk.go_on(Run(folder=white, out=out, world=room.world)).values()) == ["UNREADABLE"]
    with pytest.raises(BadInput, match=r"scan\.other-run"):
        bulk.go_on(Run(folder=white, out=out, world=room.world, site="Here"))


def test_two_runs_do_not_write_one_file_of_results(room: Room, white: Path, tmp_path: Path) -> None:
    out = tmp_path / "verdicts.jsonl"
    first = bulk.judge_files(Run(folder=white, out=out, world=None))
    next(first)
    with pytest.raises(BadInput, match=r"scan\.results-in-use"):
        done(Run(folder=white, out=out, world=None))
    first.close()
    assert len(done(Run(folder=white, out=out, world=None))) == 2


def test_an_error_that_may_pass_is_tried_again_and_another_one_is_not(
    white: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, real = tmp_path / "verdicts.jsonl", bulk.marks_in

    def busy(data: bytes, name: str) -> Any:
        if name == "white.png":
            raise BadInput("scan.took-too-long", file=name, seconds=600)
        return real(data, name)

    monkeypatch.setattr(bulk, "marks_in", busy)
    assert done(Run(folder=white, out=out, world=None)).count("ERROR") == 2
    monkeypatch.setattr(bulk, "marks_in", real)
    again = Run(folder=white, out=out, world=None)
    assert done(again).count("ERROR") == 1
    assert again.judged == 1
    assert [row["verdict"] for row in lines(out)[1:] if row["file"] == "white.png"] == ["ERROR", "UNREADABLE"]
    bulk.write_csv(out, tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_text().count("white.png") == 1
    last = Run(folder=white, out=out, world=None)
    done(last)
    assert last.judged == 0


def test_of_a_file_its_digest_is_kept_and_no_file_is_a_mark_of_any_length(room: Room, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"scan\.mark-too-long"):
        list(verifying.marks_in(bytes(5_000), "dump"))
    with pytest.raises(BadInput, match=r"scan\.mark-too-long"):
        list(verifying.marks_in(bytes(10_000_000), "dump"))
    dump = tmp_path / "dump"
    dump.write_bytes(b"nothing that is known\xff")
    [mark] = verifying.marks_of(dump)
    verifying.record(mark, room.world, site="Here")
    desk, now = room.world.desk(POSTAL), room.world.clock.now()
    about = {"device": "", "pack": room.world.pack(now), "observed": Observed(), "site": "Here", "scanned_at": now}
    desk.perform(lambda ctx: scans.record(ctx, payload=bytes(9_000), **about), actor=POSTAL)
    with room.world.store(POSTAL).reading() as view:
        rows = [row.body for row in view.find("scan") if row.body["site"] == "Here" and not row.body["device"]]
    short, long = sorted(rows, key=lambda row: len(row["payload"]))
    assert (short["payload"], short["file"]) == (dump.read_bytes().hex(), hashlib.sha256(dump.read_bytes()).hexdigest())
    assert (len(long["payload"]), long["payload_bytes"]) == (2 * scans.MOST_KEPT, 9_000)
    assert long["payload_sha256"] == hashlib.sha256(bytes(9_000)).hexdigest()


def test_what_a_mark_is_compared_with_does_not_grow_with_what_its_device_has_made(room: Room) -> None:
    [mark, *_] = verifying.marks_of(room.first.pdf)
    assert mark.payload is not None
    device, fields = verifying.device_of(mark.payload), decode(mark.payload).fields
    count, ascending = int(fields["piece_count"]), int(fields["ascending_mills"])
    store = MemoryStore()
    with store.transaction() as tx:
        for at in range(3_000):
            body = {"ascending": ascending + 440 * (at - 1_500), "postage": 440, "pieces": count + at - 1_500}
            tx.put("scanned", f"{at:064d}", body, owner=device, expected=0)
    with store.reading() as view:
        counted = Counted(view)
        facts = scans.facts_about(counted, mark.payload, device)  # type: ignore[arg-type]
    assert counted.rows <= 12
    assert sorted(int(one.pieces or 0) - count for one in facts.readings[DeviceId(device)]) == [-1, 0, 1]


class Counted:
    """Count the rows that a view gives."""

    def __init__(self, view: Any) -> None:
        self._view, self.rows = view, 0

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            given = getattr(self._view, name)(*args, **more)
            self.rows += len(given) if isinstance(given, list) else given is not None
            return given

        return call


def test_a_scan_whose_line_was_lost_is_told_again_and_not_a_duplicate(room: Room, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "scanned.jsonl"
    seen = {"1 both sides.tif": {"amount_due": DUE}}

    def run(out: Path) -> Run:
        return Run(folder=folder, out=out, world=room.world, site="Portland P&DC", piece=True, seen=seen)

    first, whole = done(run(out)), out.read_bytes()
    assert first == ["VALID", "VALID", "ERROR", "ERROR", "VALID", "UNREADABLE"]
    out.write_bytes(whole[: whole.index(b"\n") + 1])  # every line but the first is lost
    again = run(out)
    assert done(again) == first
    assert again.judged == 6
    assert lines(out) == [json.loads(line) for line in whole.splitlines()]
    assert done(run(tmp_path / "another run.jsonl")) == [
        *("DUPLICATE", "DUPLICATE", "ERROR", "ERROR", "DUPLICATE", "UNREADABLE")
    ]
    room.audited()


def test_of_two_files_that_are_the_same_to_the_byte_one_is_a_duplicate(room: Room, tmp_path: Path) -> None:
    made = printing.print_job(room.journeys, PEOPLE[:1], tmp_path / "mail", formats=("pdf",))
    (folder := tmp_path / "scans").mkdir()
    for name in (b"a.png", b"copy\xe9.png"):  # the second name is no UTF-8, as after unpacking an old archive
        side(made.pdf).save(folder / os.fsdecode(name))
    out = tmp_path / "scanned.jsonl"
    run = {"folder": folder, "out": out, "world": room.world, "site": "Portland P&DC"}
    assert done(Run(**run)) == ["VALID", "DUPLICATE"]
    assert [row["file"] for row in lines(out)[1:]] == ["a.png", "copy\\udce9.png"]
    again = Run(**run)
    assert (done(again), again.judged) == (["VALID", "DUPLICATE"], 0)
    room.audited()


def test_the_command_takes_a_folder_and_says_what_it_needs(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seen.csv").write_text("file,due,redate\n1 both sides.tif,1.07,\n")
    out, table = tmp_path / "verdicts.jsonl", tmp_path / "all.csv"
    argv = ["verify", str(folder), "--out", str(out), "--csv", str(table), "--observed", str(tmp_path / "seen.csv")]
    assert main([*argv, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["judged_now"], told["verdicts"]["ERROR"]) == (6, 6, 2)
    assert main(argv) == 1
    assert "6 files, 0 of them now" in capsys.readouterr().out
    assert table.exists()
    for wrong in (["verify", str(folder)], ["verify", str(folder / "white.png"), "--out", str(out)]):
        assert main(wrong) == 2
        assert "folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("file,due\na,1\n", "scan.observed-columns"),
        ("file,due,redate,wieght\na,,,1oz\n", "scan.observed-columns"),
        ("file,due,redate\na,much,\n", "scan.observed-row"),
        ("file,due,redate,weight\na,,,1 stone\n", "scan.observed-row"),
        ("file,due,redate,size\na,,,9\n", "scan.observed-row"),
        ("file,due,redate,origin\na,,,2026\n", "scan.observed-row"),
        ("file,due,redate,handful\na,,,perhaps\n", "scan.observed-row"),
    ],
)
def test_what_was_observed_is_read_or_refused_by_its_line(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "seen.csv").write_text(text)
    with pytest.raises(BadInput) as caught:
        bulk.observations(tmp_path / "seen.csv")
    assert caught.value.code == code


def test_each_row_says_what_was_observed_and_nothing_of_what_was_not(tmp_path: Path) -> None:
    (tmp_path / "seen.csv").write_text(
        "file,due,redate,weight,size,origin,handful,other_payment,month_only,branch\n"
        "a.png,1.07,2026-11-27,1.01oz,9.5x4.125x0.02,10001,yes,stamps,no,Capitol Heights\n"
        "b.png,,,,,,,,,\n"
    )
    told = bulk.observations(tmp_path / "seen.csv")
    assert told["b.png"] == {}
    assert told["a.png"] == {
        "amount_due": DUE,
        "redate": date(2026, 11, 27),
        "weight_tenths": 11,  # rounded up: what weighs more than an ounce pays for two
        "size": Size.parse("9.5x4.125x0.02"),
        "origin": "10001",
        "handful": True,
        "other_payment": "stamps",
        "month_only": False,
        "branch": "Capitol Heights",
    }


# ---- what an officer weighs, measures and sees


def judged_by_command(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[dict[str, Any], dict[str, Any]]:
    main([*argv, "--json"])
    (told,) = json.loads(capsys.readouterr().out)["results"]
    return told, {one["code"]: one for one in told["findings"]}


@pytest.mark.shows("P050-1.5/2", "P050-5.1", "P050-5.3/1", "P050-5.3/2")
def test_the_command_takes_weight_size_and_place_and_says_what_it_was_not_given(
    room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = printing.print_job(room.journeys, PEOPLE[:1], tmp_path / "mail", formats=("pdf",))
    side(made.pdf).save(tmp_path / "piece.png")
    verify = ["verify", str(tmp_path / "piece.png"), "--world", str(room.world.folder)]
    told, found = judged_by_command(capsys, *verify)
    assert told["disposition"] == "accept with notes"
    assert [found[code]["ok"] for code in ("value.due", "piece.limits", "origin.deposit")] == [None, None, None]
    told, found = judged_by_command(
        capsys, *verify, "--weighed", "1oz", "--size", "9.5x4.125x0.02", "--origin", "20260"
    )
    assert [found[code]["ok"] for code in ("value.due", "piece.limits", "origin.deposit")] == [True, True, True]
    told, found = judged_by_command(capsys, *verify, "--weighed", "1.01oz", "--size", "6x6x0.1", "--origin", "10001")
    bad = {code: one["clause"] for code, one in found.items() if one["ok"] is False}
    assert bad == {"value.due": "P050 1.5", "piece.limits": "P050 5.1", "origin.deposit": "P050 5.3"}
    assert (told["verdict"], told["disposition"]) == ("VALID", "hold")
    _, found = judged_by_command(capsys, *verify, "--origin", "10001", "--handful")
    assert found["origin.deposit"]["ok"] is True
    for wrong in (["--weighed", "heavy"], ["--weighed", ""], ["--size", "9"], ["--origin", "2026"]):
        assert main([*verify, *wrong]) == 2
        assert capsys.readouterr().err


@pytest.mark.shows("P050-5.2")
def test_a_mailing_combined_with_stamps_is_held_until_it_is_authorized(room: Room, tmp_path: Path) -> None:
    world, day = room.world, room.journeys.today()
    (mark,) = verifying.marks_of(printing.print_job(room.journeys, PEOPLE[:1], tmp_path, formats=("pdf",)).pdf)
    seen = Observed(other_payment="stamps")
    first = verifying.record(mark, world, site="here", observed=seen).verdict
    assert (first.disposition, [one.clause for one in first.faults()]) == ("hold", ["P050 5.2"])
    number = str(kept(world, room.journeys.licensee, "license")[0].key)
    officers(world, "officer")
    licensing.permit(world, number, "combined", "MTM-C-1", day, by="officer")
    assert verifying.record(mark, world, site="here", observed=seen).verdict.disposition == "accept with notes"
    licensing.end_permit(world, number, "combined", by="officer")
    (other,) = verifying.marks_of(printing.print_job(room.journeys, PEOPLE[:1], tmp_path, formats=("pdf",)).pdf)
    assert verifying.verify(other, world, observed=seen).verdict.disposition == "hold"
    held = [row.body["observed"] for row in kept(world, POSTAL, "scan") if "observed" in row.body]
    assert held.count({"other_payment": "stamps"}) == 2
    room.audited()


@pytest.mark.shows("P050-4.2/1", "P050-4.2/3")
def test_a_piece_in_faint_print_is_no_postage_by_command_and_by_the_folder(
    room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = printing.print_job(room.journeys, PEOPLE[:1], tmp_path / "mail", formats=("pdf",))
    share = raster(made.pdf, dpi=200)[..., None] / 255
    (folder := tmp_path / "scans").mkdir()
    for name, ink in (("black.png", (20, 20, 25)), ("red.png", (240, 40, 40))):
        Image.fromarray((np.array(ink) + (250 - np.array(ink)) * share).astype(np.uint8)).save(folder / name)
    verify = ["verify", "--world", str(room.world.folder)]
    told, found = judged_by_command(capsys, *verify, str(folder / "red.png"))
    assert (told["verdict"], told["disposition"]) == ("UNREADABLE", "hold")
    assert (found["mark.reflectance"]["ok"], found["mark.reflectance"]["clause"]) == (False, "P050 4.2")
    told, found = judged_by_command(capsys, *verify, str(folder / "black.png"))
    assert (told["verdict"], found["mark.reflectance"]["ok"]) == ("VALID", True)
    for piece in (True, False):
        run = Run(folder=folder, out=tmp_path / f"{piece}.jsonl", world=room.world, site="here", piece=piece)
        assert done(run) == ["DUPLICATE" if piece is False else "VALID", "UNREADABLE"]
    room.audited()
