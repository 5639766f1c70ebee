"""Files that strangers made cost no more than their limits, and what they do to their reader is told."""

from __future__ import annotations

import io
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from towncircle.kernel.errors import BadInput
from towncircle.symbol import data_matrix
from towncircle.world import guarding
from towncircle.world.guarding import Guard

PAYLOAD = bytes(range(89))


@pytest.fixture(scope="module")
def guard() -> Iterator[Guard]:
    made = Guard()
    yield made
    made.close()


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def marks(guard: Guard, data: bytes, *, seconds: float = 60) -> list[list[str]]:
    told = guard.ask("marks", data, "a scan", seconds=seconds, page_seconds=seconds)
    return [page["marks"] for page in told]


def symbol() -> bytes:
    return png(Image.fromarray(data_matrix(PAYLOAD).image(dots=6)))


def nested_forms(deep: int) -> bytes:
    """Write a PDF whose forms each draw the next one ten times: 10 to the power of `deep` strokes."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 300]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
        b"<</Length 5>>\nstream\n/F Do\nendstream",
    ]
    for level in range(deep):
        body = b"/F Do " * 10 if level < deep - 1 else b"0 0 m 600 300 l S " * 10
        inner = b"/Resources<</XObject<</F %d 0 R>>>>" % (6 + level) if level < deep - 1 else b""
        head = b"<</Type/XObject/Subtype/Form/BBox[0 0 600 300]%s/Length %d>>" % (inner, len(body))
        objects.append(head + b"\nstream\n" + body + b"\nendstream")
    parts = [b"%d 0 obj%s endobj\n" % (number, body) for number, body in enumerate(objects, start=1)]
    return b"%PDF-1.4\n" + b"".join(parts) + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def test_the_marks_of_a_file_come_back_and_its_errors_are_its_own(guard: Guard) -> None:
    assert marks(guard, symbol()) == [[PAYLOAD.hex()]]
    with pytest.raises(BadInput) as caught:
        marks(guard, b"\x89PNG\r\n\x1a\n and no more")
    assert (caught.value.code, caught.value.params["file"]) == ("scan.not-an-image", "a scan")
    assert marks(guard, symbol()) == [[PAYLOAD.hex()]]


def test_a_page_that_never_ends_is_stopped_and_the_next_file_is_read(guard: Guard) -> None:
    marks(guard, symbol())  # the process is there: what follows is the file's own time
    began = time.monotonic()
    with pytest.raises(BadInput, match=r"scan\.took-too-long") as caught:
        marks(guard, nested_forms(9), seconds=1)
    assert time.monotonic() - began < 10
    assert "after 1 seconds" in caught.value.sentence
    assert marks(guard, symbol()) == [[PAYLOAD.hex()]]


def test_thousands_of_frames_take_no_more_than_the_file_may(guard: Guard) -> None:
    """Each frame is small in the file and large in memory; all of them would take minutes."""
    frame = Image.new("1", (8000, 8000), 1)
    stream = io.BytesIO()
    frame.save(stream, "TIFF", save_all=True, append_images=[frame] * 12, compression="group4")
    marks(guard, symbol())
    began = time.monotonic()
    with pytest.raises(BadInput, match=r"scan\.took-too-long"):
        marks(guard, stream.getvalue(), seconds=1)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("does", "code", "why"),
    [
        ("os.abort()", "scan.reader-ended", "SIGABRT"),
        ("sys.exit(3)", "scan.reader-ended", "exit code 3"),
        ("print('no json', flush=True)", "scan.reader-ended", "no answer"),
        ('print(\'{"error": "refund.unknown", "params": {}}\', flush=True)', "scan.reader-ended", "no answer"),
        ('print(\'{"error": "scan.none-such", "params": {}}\', flush=True)', "scan.reader-ended", "no answer"),
        ("print('x' * 40_000_000, flush=True)", "scan.too-many-marks", ""),
        ("time.sleep(60)", "scan.took-too-long", ""),
        ("[None for _ in iter(int, 1)]", "scan.took-too-long", ""),
    ],
)
def test_whatever_a_file_makes_of_its_reader_one_error_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, code: str, why: str
) -> None:
    """A file that takes its reader over is played by a reader that does as it likes."""
    (tmp_path / "taken_over.py").write_text(
        textwrap.dedent(f"""\
            import os, sys, time, resource
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            head = sys.stdin.buffer.readline()
            sys.stdin.buffer.read(3)
            {does}
            time.sleep(60)
        """)
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    most = 1 if code == "scan.took-too-long" else 60  # the others end at once, on a busy machine too
    monkeypatch.setattr(guarding, "START_SECONDS", most / 2)
    guard = Guard(module="taken_over")
    with pytest.raises(BadInput, match=code.replace(".", r"\.")) as caught:
        guard.ask("marks", b"abc", "a scan", seconds=most, page_seconds=most)
    assert why in caught.value.sentence
    guard.close()


def test_one_that_was_worn_out_by_other_files_is_no_error_of_this_one(guard: Guard) -> None:
    marks(guard, symbol())
    assert guard._child is not None
    guard._child.kill()
    guard._child.wait()
    assert marks(guard, symbol()) == [[PAYLOAD.hex()]]


def test_the_reader_of_strangers_files_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tells.py").write_text(
        "import os, sys, json\n"
        "sys.stdin.buffer.readline()\n"
        "print(json.dumps({'names': sorted(os.environ)}), flush=True)\n"
        "print(json.dumps({'done': True}), flush=True)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TOWNCIRCLE_PASSPHRASE", "no stranger's")
    guard = Guard(module="tells")
    (told,) = guard.ask("marks", b"", "a scan", seconds=60, page_seconds=60)
    guard.close()
    assert "PYTHONPATH" in told["names"]
    assert "TOWNCIRCLE_PASSPHRASE" not in told["names"]
