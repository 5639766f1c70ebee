"""Measuring scans: a 300 dpi #10 envelope to its verdict, from grey pixels and from a file.

Here: distinct pieces with real signatures under a pack of their own, drawn once before the clock starts. Not here: how
well bad scans are read (`robustness`).
Every turn reads the whole page, every region that may hold another symbol included, decodes the mark and judges it;
the file cases open the file too. The limits do what no verifier can leave out: zxing-cpp on the cropped symbol, and
before it Pillow unpacking the same file.
"""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from towncircle.bench import Result
from towncircle.indicium import encode_content, join, layout
from towncircle.indicium.readable import Office, for_postage
from towncircle.kernel.errors import BrokenInvariant
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.mailpiece.address_files import public_addresses
from towncircle.mailpiece.geometry import form_for
from towncircle.mailpiece.page import EnvelopeSpec, envelope
from towncircle.paper import pdf, png, scan
from towncircle.pki.keys import SoftwareKey
from towncircle.rules import ruleset
from towncircle.symbol import data_matrix, imb, read
from towncircle.verification import Pack, StatusFacts, judge
from towncircle.verification.pack import terms_of
from towncircle.wire.bodies import CertificateRow, PublishedPack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PIECES = 12
DPI = 300
JPEG_QUALITY = 85
_REGIME = "imi-2024"
_DAY = date(2026, 11, 23)
_NOW = Instant.parse("2026-11-23T17:00Z")
_DEVICE = DeviceId("TC1A0000000001")
_SERIAL = 0x80000008


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """Hold scanned pieces and the pack that they are judged by."""

    pack: Pack
    pages: list[NDArray[np.uint8]]
    crops: list[NDArray[np.uint8]]


def measure(*, seconds: float = 1.0) -> list[Result]:
    """Measure `scan.image`, `scan.file.jpeg` and `scan.file.png`, about `seconds` for each loop."""
    import numpy as np

    pieces = _pieces()
    rows = [_row("scan.image", [partial(np.asarray, page) for page in pieces.pages], pieces, None, seconds)]
    for name, form, options in (("jpeg", "JPEG", {"quality": JPEG_QUALITY}), ("png", "PNG", {})):
        files = [_file(page, form, options) for page in pieces.pages]
        rows.append(_row(f"scan.file.{name}", [partial(_opened, data) for data in files], pieces, files, seconds))
    return rows


def _row(
    name: str, sources: Sequence[Callable[[], Any]], pieces: _Pieces, files: list[bytes] | None, seconds: float
) -> Result:
    turns, raw = itertools.cycle(sources), itertools.cycle(zip(files or pieces.pages, pieces.crops, strict=True))

    def whole() -> None:
        (symbol,) = read(next(turns)())
        verdict = judge(symbol.payload, pieces.pack, StatusFacts(), _NOW)
        if verdict.verdict != "VALID":
            raise BrokenInvariant("bench.piece-not-valid", verdict=verdict.verdict)

    def limit() -> None:
        page, crop = next(raw)
        if isinstance(page, bytes):
            _unpacked(page)
        read(crop, fast_only=True)

    unpacked = "Pillow unpacking, and " if files else ""
    rate, limit_rate = _rate(whole, seconds), _rate(limit, seconds)
    return Result.of(name, rate=rate, unit="images/s", limit=f"{unpacked}zxing-cpp on the crop", limit_rate=limit_rate)


def _rate(work: Callable[[], None], seconds: float) -> float:
    """Give how often a second of this process's own time, which other programs on the machine do not shorten."""
    work()
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds or not count:
        work()
        count += 1
    return count / spent


def _opened(data: bytes) -> NDArray[np.uint8]:
    return next(scan.pages_of(data, "page"))[0]


def _unpacked(data: bytes) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        image.load()


def _file(page: NDArray[np.uint8], form: str, options: dict[str, int]) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(page).save(stream, form, dpi=(DPI, DPI), **options)
    return stream.getvalue()


def _pieces() -> _Pieces:
    key = SoftwareKey.generate("ecdsa-p256", SeededRandomness(1, "scans"))
    specs = [_spec(number, key) for number in range(PIECES)]
    drawn = pdf.to_pdf([envelope(spec) for spec in specs])
    pages = [png.raster(drawn, number, dpi=DPI) for number in range(PIECES)]
    return _Pieces(pack=_pack(key), pages=pages, crops=[_crop(page) for page in pages])


def _crop(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    (found,) = read(page, fast_only=True)
    xs, ys = [x for x, _ in found.position], [y for _, y in found.position]
    return page[max(min(ys) - 20, 0) : max(ys) + 20, max(min(xs) - 20, 0) : max(xs) + 20].copy()


def _spec(number: int, key: SoftwareKey) -> EnvelopeSpec:
    postage, recipients = Mills(780 + 10 * number), public_addresses()
    recipient = recipients[number % len(recipients)].address
    readable = for_postage(
        Office(city="Washington", state="DC", zip_code="20260"),
        device=_DEVICE,
        day=_DAY,
        category="FIRST-CLASS LTR",
        postage=postage,
        first_class=True,
    )
    return EnvelopeSpec(
        form=form_for("letter"),
        rules=ruleset(_REGIME),
        on=_DAY,
        readable=replace(readable, specimen=True),
        symbol=data_matrix(_payload(number, postage, key)),
        recipient=recipient,
        imb=imb.encode(f"00000000000{number:09d}", recipient.routing),
    )


def _payload(number: int, postage: Mills, key: SoftwareKey) -> bytes:
    fields = {
        "certificate_serial": _SERIAL,
        "vendor": _DEVICE.vendor,
        "model": _DEVICE.model,
        "psd_serial": _DEVICE.serial,
        "ascending_mills": int(postage) + 1_000 * number,
        "postage_mills": int(postage),
        "date": _DAY.isoformat(),
        "origin_zip": "20260",
        "descending_mills": 90_000,
        "category": "FCLM",
        "piece_count": number + 1,
        "mail_service": 0,
        "software_id": b"TC",
    }
    content = encode_content(layout("imi-std"), fields)
    return join(content, key.sign(content))


def _pack(key: SoftwareKey) -> Pack:
    certificate = CertificateRow(
        serial=_SERIAL,
        device=_DEVICE,
        scheme=key.scheme,
        public=key.public.raw,
        not_before=_NOW.plus(days=-1),
        not_after=_NOW.plus(days=365),
        revoked_at=None,
        revoked_reason="",
        office_zip="20260",
        zone="America/New_York",
        regime=_REGIME,
        layout="imi-std",
        specimen=True,
    )
    body = PublishedPack(
        anchor="test",
        number=1,
        issued=_NOW.plus(days=-1),
        next_update=_NOW.plus(days=6),
        chain=(),
        terms=(terms_of(_REGIME, on=_DAY, judged_in=_REGIME, stale_days=10),),
        certificates=(certificate,),
        statuses=(),
        last_readings=(),
        rates=(),
        publishers=(),
    )
    return Pack.of(body)
