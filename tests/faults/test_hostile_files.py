"""Hostile files of every kind, opened in one child that the system limits: each is refused or harmless.

The child has a gibibyte and a half of addresses and a minute of the processor for all of them. What each kind of file
does by itself is shown beside its reader (`tests/mailpiece`, `tests/paper`, `tests/world/test_guarding`).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

MEMORY, PROCESSOR_SECONDS = 1_536 << 20, 60
RESIDENT_KIB = 700_000  # what they may hold at most, with numpy, Pillow and pdfium
TEN_MB = 10_000_000


def peak_kib() -> int:
    """Give the most memory that this program held; `ru_maxrss` counts what its parent held before it was started."""
    with Path("/proc/self/status").open(encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


EXPECTED = {
    "csv of a field of 10 MB": "addresses.",
    "csv of 10 MB of quotes": "addresses.",
    "csv of formulas": "refused or a fault: no address",
    "csv that reads from right to left": "refused or a fault: no address",
    "xlsx that is a bomb": "addresses.workbook-bomb",
    "zip of zips": "addresses.",
    "xlsx of a text of 10 MB": "refused or a fault: no address",
    "observed of a field of 10 MB": "scan.observed-row",
    "png of 2^31 by 2^31": "scan.too-many-pixels",
    "png of 9,000 by 9,000 in 80 kB": "scan.too-many-pixels",
    "png of a comment of 80 MB": "scan.not-an-image",
    "tiff that promises 3.6 thousand million": "scan.too-many-pixels",
    "tiff whose frames are a ring": "a page",
    "pdf of a thin page": "scan.too-many-pixels",
    "pdf of a stream of a thousand times its size": "a page",
    "pdf whose pages are their own parents": "scan.not-an-image",
    "hex digits of 10 MB": "scan.mark-too-long",
    "artwork that is a bomb": "artwork.too-large",
    "artwork of a comment of 80 MB": "artwork.unreadable",
    "a name that is a formula from right to left": "'=1\\u202e",
}


def test_hostile_files_are_refused_or_harmless_in_bounded_time_and_memory(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    for name, expected in EXPECTED.items():
        assert told["files"][name].startswith(expected), (name, told["files"][name])
    assert set(told["files"]) == set(EXPECTED)
    assert told["resident_kib"] < RESIDENT_KIB
    assert told["processor_seconds"] < PROCESSOR_SECONDS
    assert time.monotonic() - began < 300


def outcome(work: Callable[[], str]) -> str:
    """Give what was done, or the code of the error; anything else is a defect and ends the child."""
    from towncircle.kernel.errors import BadInput, Refused

    try:
        return work()
    except (BadInput, Refused) as error:
        return error.code if error.sentence.isprintable() and len(error.sentence) < 2_000 else "told as it is"


def main(folder: Path) -> dict[str, str]:
    from tests.mailpiece import test_artwork as art
    from tests.mailpiece.test_address_files import HEADER, written
    from tests.mailpiece.test_hostile_address_files import forged, sheet
    from tests.paper.test_scan import page_of

    from towncircle.mailpiece.address_files import Recipient, open_addresses
    from towncircle.mailpiece.artwork import picture
    from towncircle.paper import scan
    from towncircle.world import bulk

    def listed(file: Path) -> str:
        rows = list(open_addresses(file))
        good = [row for row in rows if isinstance(row, Recipient)]
        return f"{len(good)} addresses" if good else "refused or a fault: no address"

    def address(text: bytes) -> Callable[[], str]:
        file = written(folder, HEADER.encode() + b"\n" + text, f"{len(list(folder.iterdir()))}.csv")
        return lambda: listed(file)

    def pages(data: bytes) -> Callable[[], str]:
        def work() -> str:
            shown = [page.shape for page, _ in scan.pages_of(data, "hostile")]
            return "a page" if len(shown) == 1 else f"{len(shown)} pages"

        return work

    def observed(text: bytes) -> str:
        (file := folder / "seen.csv").write_bytes(text)
        return f"{len(bulk.observations(file))} rows"

    def workbook(**parts: bytes) -> Callable[[], str]:
        (place := folder / f"book {len(list(folder.iterdir()))}").mkdir()
        file = forged(place, **parts)
        return lambda: listed(file)

    cell = "<c t='inlineStr'><is><t>{}</t></is></c>".format
    head = "".join(map(cell, HEADER.split(",")))
    long = "".join(map(cell, ["A" * TEN_MB, "1 Main St", "Boston", "MA", "02108"]))
    cases: dict[str, Callable[[], str]] = {
        "csv of a field of 10 MB": address(b"A" * TEN_MB + b",1 Main St,Boston,MA,02108\n"),
        "csv of 10 MB of quotes": address(b'"' * (TEN_MB + 1)),
        "csv of formulas": address(b"=HYPERLINK(1),@SUM(1),+Boston,MA,02108\n"),
        "csv that reads from right to left": address("\u202eecilA,1 Main St,Boston,MA,02108\n".encode()),
        "xlsx that is a bomb": workbook(sheet=sheet(" " * (8 << 20))),
        "zip of zips": lambda: listed(zips(folder)),
        "xlsx of a text of 10 MB": workbook(sheet=sheet(f"<row>{head}</row><row>{long}</row>" + noise())),
        "observed of a field of 10 MB": lambda: observed(b"file,due,redate\n" + b"x" * TEN_MB + b",1,\n"),
        "png of 2^31 by 2^31": pages(art.png(2**31 - 1, 2**31 - 1)),
        "png of 9,000 by 9,000 in 80 kB": pages(art.png(9_000, 9_000, b"")),
        "png of a comment of 80 MB": pages(art.text_bomb()),
        "tiff that promises 3.6 thousand million": pages(tiff(60_000, ring=False)),
        "tiff whose frames are a ring": pages(tiff(8, ring=True)),
        "pdf of a thin page": pages(page_of("0 0 0.1 14000000")),
        "pdf of a stream of a thousand times its size": pages(swollen()),
        "pdf whose pages are their own parents": pages(
            b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
            b"2 0 obj<</Type/Pages/Count 1/Kids[2 0 R]/Parent 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
        ),
        "hex digits of 10 MB": lambda: str(len(scan.bytes_of(b"a2" * (TEN_MB // 2)))),
        "artwork that is a bomb": lambda: str(picture(art.png(9_000, 9_000))),
        "artwork of a comment of 80 MB": lambda: str(picture(art.text_bomb())),
        "a name that is a formula from right to left": lambda: bulk._plain("=1\u202egnp.exe"),
    }
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    return {name: outcome(work) for name, work in cases.items()}


def noise() -> str:
    """Give what does not shrink, so that the workbook is no bomb by its ratio alone."""
    import random

    return f"<!--{random.Random(1).randbytes(200_000).hex()}-->"


def zips(folder: Path) -> Path:
    import io
    import zipfile

    data = bytes(1 << 20)
    for _ in range(4):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
            for number in range(10):
                made.writestr(f"{number}.zip", data)
        data = stream.getvalue()
    (file := folder / "zips.xlsx").write_bytes(data)
    return file


def tiff(side: int, *, ring: bool) -> bytes:
    """Write a TIFF of one bit a pixel by hand; in a ring its frame is its own next one."""
    import struct

    entries = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 1), (259, 3, 1, 1), (262, 3, 1, 0)]
    entries += [(273, 4, 1, 8), (278, 4, 1, side), (279, 4, 1, 8)]
    body = b"II*\x00" + struct.pack("<I", 16) + bytes(8) + struct.pack("<H", len(entries))
    return body + b"".join(struct.pack("<HHII", *entry) for entry in entries) + struct.pack("<I", 16 if ring else 0)


def swollen() -> bytes:
    """Write a PDF whose content is 100 MB of spaces, in 100 kB."""
    import zlib

    packed = zlib.compress(b" " * 100_000_000, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 300]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>\nstream\n%s\nendstream" % (len(packed), packed),
    ]
    parts = [b"%d 0 obj%s endobj\n" % (number, body) for number, body in enumerate(objects, start=1)]
    return b"%PDF-1.4\n" + b"".join(parts) + b"trailer<</Root 1 0 R>>\n%%EOF\n"


if __name__ == "__main__":
    top = Path(__file__).parents[2]
    sys.path[:0] = [str(top), str(top / "src")]
    files = main(Path(sys.argv[1]))
    spent = resource.getrusage(resource.RUSAGE_SELF)
    told = {"files": files, "resident_kib": peak_kib(), "processor_seconds": spent.ru_utime + spent.ru_stime}
    sys.stdout.write(json.dumps(told))
