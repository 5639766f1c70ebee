"""Form 3533 on paper and as a file: the voucher for a refund of unused postage (502.27(a)), in our own design.

Here: the form's data, its page, its machine-readable file and the reader that checks it. Not here: the decisions on it.
Kept: the page and the file say the same; the file carries control totals, and the reader adds everything up again.
Where only a percentage is refunded the page says so, and how it was rounded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.kernel.money import ZERO, Mills
from towncircle.mailpiece.elements import Page
from towncircle.mailpiece.geometry import POINT
from towncircle.paper.letter import GREY, LEFT, Column, Sheet, moment

FORMAT, VERSION = "towncircle-form-3533", 1
_COLUMNS = tuple(Column(x=LEFT + offset * POINT) for offset in (0, 110, 225, 340))
_FOOT = "SPECIMEN: made under a test root, no voucher of the Postal Service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Hold one group of Part IV: its value, the pieces sent in, those that qualify, and the total of these."""

    value_mills: int
    claimed: int
    qualifying: int
    total_mills: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Hold one annotation of Part IV: why a piece does not qualify."""

    piece: int
    code: str
    sentence: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """Hold all that stands on the form. Dates are ISO instants, empty where the step is not done, shown in `zone`."""

    refund: str
    state: str
    licensee: str
    license: str
    device: str
    provider: str
    lines: tuple[Line, ...]
    notes: tuple[Note, ...]
    share: int
    amount_mills: int
    claimed_by: str
    claimed_at: str
    scanned_by: str
    certified_by: str
    certified_at: str
    decided_by: str
    kept_until: str
    zone: str

    @property
    def pieces(self) -> int:
        """Give the pieces that were sent in."""
        return sum(line.claimed for line in self.lines)

    @property
    def qualifying(self) -> int:
        """Give the pieces that qualify."""
        return sum(line.qualifying for line in self.lines)

    @property
    def total(self) -> Mills:
        """Give the postage of the pieces that qualify."""
        return sum((Mills(line.total_mills) for line in self.lines), ZERO)


@cites("502.27a/2", "502.27a/4")
def pages(voucher: Voucher) -> Iterator[Page]:
    """Lay the form out: Part IV by groups, annotations, certification; further pages where the notes need them."""
    sheet = Sheet(voucher.refund, columns=_COLUMNS, foot=_FOOT)
    _head(sheet, voucher)
    _part_four(sheet, voucher)
    _annotations(sheet, voucher)
    _certification(sheet, voucher)
    yield from sheet.pages()


def _head(sheet: Sheet, voucher: Voucher) -> None:
    sheet.row("Form 3533", font="bold", size=20_000)
    sheet.row("Application and Voucher for Refund of Postage and Fees: unused postage", size=10_500, gap=4 * POINT)
    sheet.rule()
    sheet.row("Refund", voucher.refund, "State", voucher.state, gap=2 * POINT)
    sheet.row("Licensee", voucher.licensee, "License", voucher.license)
    sheet.row("Provider", voucher.provider, "Device", voucher.device)
    sheet.row("Applied for by", voucher.claimed_by, "On", moment(voucher.claimed_at, voucher.zone))


def _part_four(sheet: Sheet, voucher: Voucher) -> None:
    sheet.row("Part IV. Pieces by postage value", font="bold", size=12_000, gap=14 * POINT)
    sheet.row("Postage value", "Pieces sent in", "Pieces qualifying", "Total of the group", ink=GREY, gap=2 * POINT)
    sheet.rule(gap=4 * POINT)
    for line in voucher.lines:
        total = str(Mills(line.total_mills))
        sheet.row(str(Mills(line.value_mills)), str(line.claimed), str(line.qualifying), total)
    sheet.rule()
    sheet.row("All groups", str(voucher.pieces), str(voucher.qualifying), str(voucher.total), font="bold")
    if voucher.share != 100:
        sheet.row(f"{voucher.share} percent of it", "", "", str(Mills(voucher.amount_mills)))
        sheet.text("A percentage is rounded half up to the mill (1/1000 dollar), once, on the total.", ink=GREY)
    sheet.row("Amount of the refund", "", "", str(Mills(voucher.amount_mills)), font="bold", gap=2 * POINT)


def _annotations(sheet: Sheet, voucher: Voucher) -> None:
    sheet.need(60 * POINT)
    sheet.row("Corrections for nonqualifying pieces", font="bold", size=12_000, gap=14 * POINT)
    if not voucher.notes:
        sheet.row("None: every piece qualifies.")
    for note in voucher.notes:
        sheet.text(f"Piece {note.piece}: {note.sentence} ({note.clause})", gap=2 * POINT)


def _certification(sheet: Sheet, voucher: Voucher) -> None:
    sheet.need(140 * POINT)
    sheet.row("Certification", font="bold", size=12_000, gap=14 * POINT)
    sheet.row("Scanned by", voucher.scanned_by or "not yet")
    sheet.row("Certified by", voucher.certified_by or "not yet", "On", moment(voucher.certified_at, voucher.zone))
    sheet.row("Decided by", voucher.decided_by or "not yet", "As", "District MATS coordinator")
    sheet.text("Two persons: who scanned the pieces does not certify the amount (502.27(a)(4)).", ink=GREY)
    if voucher.kept_until:
        sheet.text(f"The envelopes are kept through {voucher.kept_until} for audit (502.27(a)(7)).", ink=GREY)


def to_file(voucher: Voucher) -> bytes:
    """Write the machine-readable form: JSON with control totals (docs/form-3533.md)."""
    body = asdict(voucher)
    record = {"format": FORMAT, "version": VERSION, "form": body, "control": _control(voucher, body)}
    return json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def read_file(data: bytes, *, path: str) -> Voucher:
    """Read the machine-readable form and check it. Raises `BadInput` (refund.file-unreadable, refund.file-changed)."""
    try:
        record = json.loads(data)
        if (record["format"], record["version"]) != (FORMAT, VERSION):
            raise BadInput("refund.file-unreadable", path=path, what="another format or version")
        body = dict(record["form"])
        lines = tuple(Line(**line) for line in body.pop("lines"))
        voucher = Voucher(lines=lines, notes=tuple(Note(**note) for note in body.pop("notes")), **body)
        control = record["control"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput("refund.file-unreadable", path=path, what=f"{type(error).__name__} {error}"[:80]) from error
    expected = _control(voucher, record["form"])
    for name, value in expected.items():
        if control.get(name) != value:
            raise BadInput("refund.file-changed", path=path, what=f"{name} is {control.get(name)}, not {value}")
    for line in voucher.lines:
        if line.value_mills * line.qualifying != line.total_mills or not 0 <= line.qualifying <= line.claimed:
            raise BadInput("refund.file-changed", path=path, what=f"the group of {Mills(line.value_mills)}")
    return voucher


def _control(voucher: Voucher, body: Mapping[str, Any]) -> dict[str, object]:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {
        "pieces": voucher.pieces,
        "qualifying": voucher.qualifying,
        "total_mills": int(voucher.total),
        "amount_mills": voucher.amount_mills,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
