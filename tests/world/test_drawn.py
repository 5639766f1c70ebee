"""What is printed stands on the dots of its printer and where the printer puts it: on it, and in files drawn for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from tests.world.batch_stories import good, listed

from towncircle.cli.main import main
from towncircle.kernel.errors import BadInput
from towncircle.licensee import printers
from towncircle.licensee.looks import Drawn, Look
from towncircle.licensee.printers import Printer
from towncircle.mailpiece.address_files import public_addresses
from towncircle.mailpiece.templates import Template
from towncircle.paper.png import raster
from towncircle.symbol import read
from towncircle.world import batching, printing, spooling
from towncircle.world.batching import Wish
from towncircle.world.journeys import Journeys
from towncircle.world.proofs import proof_job

ONE = public_addresses()[:1]
MOVED = Drawn(shift_x=7200, shift_y=-3600)  # 30 dots of 300 to the right, 15 up


def kept(room: Journeys, folder: Path, **profile) -> None:
    folder.mkdir(exist_ok=True)
    printer = Printer(name="desk", kind="folder", address=str(folder), **profile)
    room.do(lambda ctx: printers.keep(ctx, printer=printer))


def modules(file: Path, dpi: int) -> set[int]:
    """Give the widths, in dots of an inch, of the modules that alternate along the upper edge of the symbol."""
    page = raster(file, dpi=dpi)
    (found,) = read(page)
    x, y = (np.array([corner[at] for corner in found.position]) for at in (0, 1))
    edge = page[int(y.min()) + 2, int(x.min()) : int(x.max())] < 128
    widths = np.diff(np.flatnonzero(np.diff(edge)))
    assert len(widths) > 20
    return {int(width) for width in widths}


@pytest.mark.parametrize(("dpi", "fine", "dot"), [(203, 1016, 5), (600, 600, 1)], ids=["203", "600"])
def test_on_a_printer_modules_are_whole_dots_of_its_head(
    room: Journeys, tmp_path: Path, dpi: int, fine: int, dot: int
) -> None:
    folder = tmp_path / "spool"
    kept(room, folder, dpi=dpi)
    assert spooling.print_on(room, room.plan(ONE), "desk").trouble is None
    (file,) = folder.glob("*.pdf")
    (width,) = modules(file, fine)
    assert width % dot == 0
    if dpi == 203:  # a head of 8 dots a millimetre, seen five times finer
        other = printing.print_job(room, ONE, tmp_path / "out", formats=())  # drawn for 300
        assert any(width % dot for width in modules(other.pdf, fine))


def test_files_drawn_for_a_printer_stand_on_its_dots_and_are_moved_in_jobs_proofs_and_batches(
    room: Journeys, tmp_path: Path
) -> None:
    still = printing.print_job(room, ONE, tmp_path / "still", formats=())
    moved = printing.print_job(room, ONE, tmp_path / "moved", formats=(), look=Look(drawn=MOVED))
    assert shifted(still.pdf, moved.pdf)
    fine = printing.print_job(room, ONE, tmp_path / "fine", formats=(), look=Look(drawn=Drawn(dpi=600)))
    assert len(modules(fine.pdf, 600)) == 1
    looks = enumerate((Look(), Look(drawn=MOVED)))
    proofs = [proof_job(room, ONE, tmp_path / f"proof-{at}", look=look)[0] for at, look in looks]
    assert shifted(*proofs)
    source, template = listed(tmp_path, good(1)), Template(name="test")
    for name, drawn in (("plain", Drawn()), ("drawn", MOVED)):
        batching.print_batch(room, Wish(source=source, template=template, drawn=drawn), tmp_path / name)
    assert shifted(tmp_path / "plain" / "envelopes-0001.pdf", tmp_path / "drawn" / "envelopes-0001.pdf")


def shifted(still: Path, moved: Path) -> bool:
    """Tell whether the return address stands 30 dots to the right and 15 up in the second file."""
    first, second = (raster(file) < 128 for file in (still, moved))
    words = first[60:300, 60:900]
    return bool(words.any()) and np.array_equal(words, second[45:285, 90:930])


def test_a_printer_that_stretches_its_pages_has_no_files_drawn_for_it() -> None:
    with pytest.raises(BadInput, match=r"printer\.unfit"):
        printers.drawn(Printer(name="x", kind="raw", address="10.0.0.9", language="zpl", scale_x=1_001_000))


def test_zones_are_shown_on_proofs_and_on_nothing_that_is_paid(
    room: Journeys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, _, _ = proof_job(room, ONE, tmp_path / "plain")
    file, pictures, _ = proof_job(room, ONE, tmp_path / "zones", zones=True)
    document = pypdfium2.PdfDocument(file)
    words = document[0].get_textpage().get_text_range()
    document.close()
    for zone in ("OCR read area", "FIM clear zone", "barcode clear zone", "indicium", "clear space", "return address"):
        assert zone in words
    assert "PROOF" in words
    greys = (raster(file) > 100) & (raster(file) < 250)
    assert greys.mean() > ((raster(plain) > 100) & (raster(plain) < 250)).mean() + 0.05
    assert len(pictures) == 1
    before = room.status().registers
    for line in ("--overlay", "--overlay --printer desk", "--overlay --csv list.csv", "--proof --resume"):
        out = "" if "--printer" in line else f"--out {tmp_path / 'never'}"
        assert main(f"print {tmp_path / 'no-world'} {line} {out}".split()) == 2
        assert "cli.argument-astray" in capsys.readouterr().err
    assert room.status().registers == before
