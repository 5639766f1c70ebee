"""Files from a scanner become bounded grey pages."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from towncircle.kernel.errors import BadInput
from towncircle.paper import scan

GREY = np.array([[0, 128], [200, 255]], np.uint8)


def test_a_png_comes_back_pixel_by_pixel(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png")
    (page,) = scan.load_pages(tmp_path / "a.png")
    assert page.tolist() == GREY.tolist()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_becomes_8_bit_grey(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(np.full((4, 4), 65_535, np.uint16)) if mode == "I;16" else Image.new(mode, (4, 4), "white")
    image.save(tmp_path / "a.png")
    (page,) = scan.load_pages(tmp_path / "a.png")
    assert (page.dtype, page.shape, page.min()) == (np.uint8, (4, 4), 255)


def test_what_is_transparent_is_white_paper(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert scan.load_pages(tmp_path / "a.png")[0].min() == 255


def test_every_page_of_a_pdf_is_drawn_at_the_resolution_asked_for(tmp_path: Path) -> None:
    first, second = (Image.new("L", (100, 50), shade) for shade in (0, 255))
    first.save(tmp_path / "a.pdf", save_all=True, append_images=[second], resolution=100)
    shown = scan.load_pages(tmp_path / "a.pdf", dpi=200)
    assert [page.shape for page in shown] == [(100, 200), (100, 200)]
    assert [int(page.mean()) for page in shown] == [0, 255]


@pytest.mark.parametrize(
    "data", [b"not an image", b"%PDF-1.7 cut", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a"]
)
def test_what_is_no_image_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(BadInput, match=r"scan\.not-an-image"):
        scan.load_pages(tmp_path / "a")


def test_a_missing_file_an_empty_file_and_a_folder_are_three_errors(tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").touch()
    for name, code in (("none.pdf", "scan.no-such-file"), ("empty.pdf", "scan.empty-file"), ("", "scan.not-readable")):
        with pytest.raises(BadInput) as caught:
            scan.load_pages(tmp_path / name)
        assert caught.value.code == code


@pytest.mark.parametrize("side", [9_500, 14_000, 60_000])
def test_a_picture_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, side: int) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(BadInput, match=r"scan\.too-many-pixels"):
        scan.load_pages(tmp_path / "bomb.png")


def test_a_pdf_page_of_too_many_pixels_is_refused_before_it_is_drawn(tmp_path: Path) -> None:
    Image.new("L", (1000, 1000)).save(tmp_path / "a.pdf", resolution=10)
    with pytest.raises(BadInput, match=r"scan\.too-many-pixels"):
        scan.load_pages(tmp_path / "a.pdf", dpi=600)


@pytest.mark.parametrize(
    ("mode", "compression"),
    [("1", "group4"), ("1", "group3"), ("L", "tiff_lzw"), ("L", "jpeg"), ("RGB", "tiff_adobe_deflate"), ("L", None)],
)
def test_every_frame_of_a_tiff_is_a_page_with_its_resolution(mode: str, compression: str | None) -> None:
    stream = io.BytesIO()
    first, second = (Image.new(mode, (64, 32), colour) for colour in ("black", "white"))
    first.save(stream, "TIFF", save_all=True, append_images=[second], compression=compression, dpi=(200, 200))
    shown = list(scan.pages_of(stream.getvalue(), "a.tif"))
    assert [(page.shape, dpi, int(page.mean())) for page, dpi in shown] == [((32, 64), 200, 0), ((32, 64), 200, 255)]


def test_a_fax_of_flat_pixels_gets_square_ones() -> None:
    stream = io.BytesIO()
    Image.new("1", (204, 98), 1).save(stream, "TIFF", compression="group3", dpi=(204, 98))
    [(page, dpi)] = scan.pages_of(stream.getvalue(), "a.tif")
    assert (page.shape, dpi) == ((204, 204), None)


def test_a_tiff_of_too_many_frames_is_refused_when_the_limit_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MAX_PAGES", 3)
    stream = io.BytesIO()
    frames = [Image.new("1", (8, 8), 1) for _ in range(4)]
    frames[0].save(stream, "TIFF", save_all=True, append_images=frames[1:])
    shown = scan.pages_of(stream.getvalue(), "a.tif")
    assert len([next(shown) for _ in range(3)]) == 3
    with pytest.raises(BadInput, match=r"scan\.too-many-pages"):
        next(shown)


def test_a_tiff_that_promises_more_pixels_than_allowed_is_refused_before_it_is_unpacked() -> None:
    entries = [(256, 4, 1, 60_000), (257, 4, 1, 60_000), (258, 3, 1, 1), (259, 3, 1, 4), (262, 3, 1, 0)]
    entries += [(273, 4, 1, 8), (278, 4, 1, 60_000), (279, 4, 1, 4)]
    body = b"II*\x00" + struct.pack("<I", 12) + bytes(4) + struct.pack("<H", len(entries))
    body += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    with pytest.raises(BadInput, match=r"scan\.too-many-pixels"):
        next(scan.pages_of(body, "bomb.tif"))


@pytest.mark.parametrize("cut", [9, 40, 120])
def test_a_tiff_that_was_cut_off_is_no_image(cut: int) -> None:
    stream = io.BytesIO()
    Image.new("L", (64, 64), 7).save(stream, "TIFF", compression="tiff_lzw")
    with pytest.raises(BadInput, match=r"scan\.not-an-image"):
        list(scan.pages_of(stream.getvalue()[:cut], "a.tif"))


def page_of(box: str) -> bytes:
    """Write a PDF of one page by hand."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[" + box.encode() + b"]>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF\n"
    )


@pytest.mark.parametrize("box", ["0 0 14400000 0.2", "0 0 0.2 900000", "0 0 30000 1"])
def test_a_thin_pdf_page_is_as_many_pixels_as_it_is_drawn_with(box: str) -> None:
    """Rounded down, a page of a fifth of a point has no pixels at all, however long it is."""
    with pytest.raises(BadInput, match=r"scan\.too-many-pixels"):
        list(scan.pages_of(page_of(box), "thin.pdf", dpi=300))
    [(page, _)] = scan.pages_of(page_of("0 0 0.2 7200"), "thin.pdf", dpi=300)
    assert max(page.shape) <= scan.MAX_SIDE


def test_memory_that_runs_out_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise MemoryError

    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "PNG")
    monkeypatch.setattr(scan, "_grey", full)
    with pytest.raises(BadInput, match=r"scan\.too-much-memory"):
        list(scan.pages_of(stream.getvalue(), "a.png"))
