"""Verifying what was scanned: files and bytes to verdicts (journey C).

Here: finding marks in files, judging each, or all marks of one piece together, with what this verifier holds, recording
scans. Not here: the decision.
Kept: `verify` changes nothing; `scan` records. Without a world there is no pack, and what cannot be checked is said so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

from towncircle.indicium import decode
from towncircle.indicium.words import words
from towncircle.kernel.errors import BadInput
from towncircle.kernel.instants import Instant
from towncircle.mailpiece.rates import describe_category
from towncircle.paper import scan
from towncircle.postal import scans
from towncircle.symbol.reading import MAX_SYMBOLS
from towncircle.symbol.reflectance import Reflectance
from towncircle.verification import Observed, Pack, PieceVerdict, Verdict, judge, judge_piece
from towncircle.world.config import POSTAL
from towncircle.world.guarding import pages_with_marks
from towncircle.world.world import World

DEFAULT_SITE = "Washington DC P&DC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Hold the bytes of one mark and where they were found; no payload: the page has no readable symbol.

    `more`: it stands for the symbols of a page beyond those that are read of one; it has no payload.
    `digest` is the SHA-256 of the file. `printed` is what was measured of its print, `redate` the date of a REDATE that
    the words of its page say.
    """

    file: str
    page: int
    payload: bytes | None
    more: bool = False
    digest: str = ""
    printed: Reflectance | None = None
    redate: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Hold a verdict and the mark it is about."""

    mark: Mark
    verdict: Verdict

    def as_dict(self) -> dict[str, object]:
        """Give the record for JSON answers."""
        more = {"more_symbols": True} if self.mark.more else {}
        return {"file": self.mark.file, "page": self.mark.page, **more, **self.verdict.as_dict()}


def marks_of(path: Path) -> Iterator[Mark]:
    """Find the marks of a file: of every page of a PDF or image, or of a file of bytes or hexadecimal digits."""
    yield from marks_in(scan.read_bytes(path), str(path))


def marks_in(data: bytes, name: str) -> Iterator[Mark]:
    """Find the marks in the bytes of a file of that name, a page at a time."""
    digest = hashlib.sha256(data).hexdigest()
    if not scan.looks_like_a_scan(data):
        yield Mark(file=name, page=1, payload=scan.bytes_of(data), digest=digest)
        return
    for number, page in enumerate(pages_with_marks(data, Path(name).name), start=1):
        for payload, printed in zip(page.marks, page.prints, strict=True):
            yield Mark(file=name, page=number, payload=payload, digest=digest, printed=printed)
        if page.more or not page.marks:
            yield Mark(file=name, page=number, payload=None, more=page.more, digest=digest, redate=page.redate)


def seen_on(marks: Iterable[Mark], observed: Observed) -> Observed:
    """Add what the scan of a piece itself shows: how each mark is printed, and the latest REDATE if nobody said one.

    Of a mark that stands on the piece twice the fainter print counts.
    """
    prints, redate = dict(observed.prints), observed.redate
    for mark in marks:
        if mark.payload is not None and mark.printed is not None:
            both = [one for one in (prints.get(mark.payload), mark.printed) if one is not None]
            prints[mark.payload] = min(both, key=lambda one: one.worst)
    if redate is None:
        redate = max((mark.redate for mark in marks if mark.redate is not None), default=None)
    return replace(observed, prints=MappingProxyType(prints), redate=redate)


def verify(
    mark: Mark,
    world: World | None,
    *,
    at: Instant | None = None,
    observed: Observed | None = None,
    pack: Pack | None = None,
) -> Judged:
    """Judge one mark with what a world's Postal Service publishes and has seen, or with nothing.

    `pack` is one that was fetched before, for many marks at once.
    """
    seen = seen_on((mark,), observed or Observed())
    payload = mark.payload if mark.payload is not None else b""
    if world is None:
        return Judged(mark=mark, verdict=judge(payload, None, None, at or Instant(0), seen))
    now = at or world.clock.now()
    with world.store(POSTAL).reading() as view:
        facts = scans.facts_about(view, payload, device_of(payload)) if device_of(payload) else None
    return Judged(mark=mark, verdict=judge(payload, pack or world.pack(now), facts, now, seen))


def of_one_piece(marks: Iterable[Mark]) -> list[Mark]:
    """Take marks as those of one piece: sides without a symbol say nothing, unless no side has one.

    Raises `BadInput` (scan.too-many-symbols): what was not read might be used before, or another piece's.
    """
    found = list(marks)
    for mark in found:
        if mark.more:
            raise BadInput("scan.too-many-symbols", file=mark.file, page=mark.page, limit=MAX_SYMBOLS)
    return [mark for mark in found if mark.payload is not None] or found[:1]


def by_page(marks: Iterable[Mark]) -> list[list[Mark]]:
    """Take each page of a file as a piece of its own: give the marks of each, in their order."""
    return [list(held) for _, held in groupby(marks, key=lambda mark: (mark.file, mark.page))]


def verify_piece(
    marks: Iterable[Mark], world: World | None, *, at: Instant, observed: Observed, pack: Pack | None = None
) -> tuple[PieceVerdict, list[Judged]]:
    """Judge the marks of one piece together; nothing is recorded. `pack` is one that was fetched before."""
    marks = list(marks)
    sides, observed = of_one_piece(marks), seen_on(marks, observed)
    payloads = [mark.payload or b"" for mark in sides]
    if world is None:
        verdict = judge_piece([(payload, None) for payload in payloads], None, at, observed)
    else:
        with world.store(POSTAL).reading() as view:
            known = [
                (payload, scans.facts_about(view, payload, device_of(payload)) if device_of(payload) else None)
                for payload in payloads
            ]
        verdict = judge_piece(known, pack or world.pack(at), at, observed)
    return verdict, [Judged(mark=mark, verdict=one) for mark, one in zip(sides, verdict.marks, strict=True)]


def record_piece(
    marks: Iterable[Mark], world: World, *, site: str, at: Instant, observed: Observed
) -> tuple[PieceVerdict, list[Judged]]:
    """Judge the marks of one piece together and record their scans at the Postal Service, in one transaction."""
    marks = list(marks)
    sides, observed, pack = of_one_piece(marks), seen_on(marks, observed), world.pack(at)
    given = [(mark.payload or b"", device_of(mark.payload or b"")) for mark in sides]
    files = [mark.digest for mark in sides]
    verdict: PieceVerdict = world.desk(POSTAL).perform(
        lambda ctx: scans.record_piece(
            ctx, marks=given, pack=pack, observed=observed, site=site, scanned_at=at, files=files
        ),
        actor=POSTAL,
    )
    return verdict, [Judged(mark=mark, verdict=one) for mark, one in zip(sides, verdict.marks, strict=True)]


def record(
    mark: Mark, world: World, *, site: str, at: Instant | None = None, observed: Observed | None = None
) -> Judged:
    """Judge one mark and record the scan at the Postal Service."""
    payload = mark.payload if mark.payload is not None else b""
    now = at or world.clock.now()
    pack = world.pack(now)
    verdict: Verdict = world.desk(POSTAL).perform(
        lambda ctx: scans.record(
            ctx,
            payload=payload,
            device=device_of(payload),
            pack=pack,
            observed=seen_on((mark,), observed or Observed()),
            site=site,
            scanned_at=now,
            file=mark.digest,
        ),
        actor=POSTAL,
    )
    return Judged(mark=mark, verdict=verdict)


def field_words(name: str, value: object) -> str:
    """Say a field in words; a rate category that is ours in full."""
    assert isinstance(value, int | str)
    if name == "category" and isinstance(value, str):
        try:
            return describe_category(value)
        except BadInput:
            return words(name, value)
    return words(name, value)


def device_of(payload: bytes) -> str:
    """Name the device that a mark says it is of; "" where it says none."""
    try:
        return decode(payload).device or ""
    except BadInput:
        return ""
