"""Every row of a list, read, priced and linted, before anything of a batch is reserved.

Here: the rows that can be printed, cut into parts, and everything that is wrong with the others. Not here: what is done
with them (`batching`), one address (`mailpiece.addresses`), one page's lints (`mailpiece.lints`).
Kept: a list of any length is checked in the memory of a few parts: what was planned waits in a file without a name. A
part is what a device can take in one command and hold the postage of at once. On label sheets a part ends with a full
sheet where it can, and the next goes on at the next free label; the tapes of a piece stand in one part.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.money import ZERO, Mills
from towncircle.licensee.address_data import counted
from towncircle.licensee.batches import Part
from towncircle.licensee.limits import Limits
from towncircle.licensee.mailroom import on_form
from towncircle.licensee.pricing import Pricer
from towncircle.licensee.pricing import Terms as PriceTerms
from towncircle.licensee.pricing import doubts_of_job as doubts_of
from towncircle.licensee.tapes import on_tapes, places_of_pieces, whole_pieces
from towncircle.mailpiece.address_files import EMBEDDED, FaultyRow, Recipient, open_addresses
from towncircle.mailpiece.address_source import AddressSource
from towncircle.mailpiece.forms import form_of_piece, label_stock
from towncircle.mailpiece.sheets import position, stock
from towncircle.mailpiece.templates import Template, astray
from towncircle.world.composing import Shared, ToLint, Unfit, lint_part
from towncircle.world.crews import Crew
from towncircle.world.manifest import Faulty
from towncircle.world.printing import Progress

CHECKING = "checking the list"
MOST_FAULTS = 10_000  # of a list that is wrong as a whole
_LINTED_AT_ONCE = 500
Piece = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Hold what the pieces of a batch are checked against.

    `most` is what a part may cost; `old_data` why address data may be used that are too old.
    """

    template: Template
    prices: PriceTerms
    limits: Limits
    most: Mills
    layout: str
    design: Mapping[str, Any]
    shared: Shared
    old_data: str = ""

    @property
    def day(self) -> date:
        """Give the mailing date."""
        return self.prices.day


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Hold what a check found: the parts, every fault in the order of the rows, and the list's SHA-256.

    `doubts` counts the pieces whose price is less than sure (`licensee.pricing`), `routed` those with a ZIP+4
    (`licensee.address_data`). `capped`: there were so many faults that the rest of the list was not read.
    """

    parts: tuple[Part, ...]
    rows: int
    faults: tuple[Faulty, ...]
    digest: str
    plan: IO[bytes]
    capped: bool
    doubts: Mapping[str, int]
    routed: Mapping[str, int]

    @property
    def bad_rows(self) -> int:
        """Count the rows that have a fault."""
        return len({fault.row for fault in self.faults})

    def pieces(self) -> Iterator[list[Piece]]:
        """Give the pieces of each part in turn."""
        self.plan.seek(0)
        for line in self.plan:
            yield json.loads(line)


@contextmanager
def check(
    source: Path, terms: Terms, hands: Crew, progress: Progress, data: AddressSource = EMBEDDED
) -> Iterator[Checked]:
    """Check a list by address data; what was planned is there as long as the block runs.

    Raises `BadInput` (addresses.*).
    """
    digest, lines = _digest(source)
    with tempfile.TemporaryFile() as plan:
        reading = _Reading(source, terms, max(lines - 1, 0), progress, data)  # the first line has the headings
        packing = _Packing(plan, terms)
        for unfit in hands.map(lint_part, reading.tasks()):
            packing.take(reading.linted(unfit))
        parts = packing.close()
        faults = sorted(reading.faults, key=lambda fault: fault.row)
        yield Checked(
            parts=parts, rows=reading.rows, faults=tuple(faults), digest=digest, plan=plan, capped=reading.capped,
            doubts=packing.doubts, routed=packing.routed,
        )  # fmt: skip


def _digest(source: Path) -> tuple[str, int]:
    """Give the SHA-256 of a file and how many lines it has."""
    whole, lines = hashlib.sha256(), 0
    try:
        with source.open("rb") as stream:
            while block := stream.read(1 << 20):
                whole.update(block)
                lines += block.count(b"\n")
    except OSError as error:
        raise BadInput("addresses.no-file", path=str(source), why=error.strerror or "unreadable") from error
    return whole.hexdigest(), lines


class _Reading:
    """Read rows into pieces that have a price, and hand them out to be linted."""

    def __init__(self, source: Path, terms: Terms, lines: int, progress: Progress, data: AddressSource) -> None:
        self.rows, self.capped = 0, False
        self.faults: list[Faulty] = []
        self._source, self._terms, self._lines, self._progress, self._data = source, terms, lines, progress, data
        self._under_way: deque[list[Piece]] = deque()
        self._pricer, self._paid = Pricer(terms.prices), set[int]()

    def tasks(self) -> Iterator[ToLint]:
        """Give the priced pieces, some at a time."""
        pieces: list[Piece] = []
        self._progress(CHECKING, 0, self._lines)
        chosen = {ours: (heading,) for ours, heading in self._terms.template.columns.items()}
        reading = self._terms.template.reading()
        for row in open_addresses(self._source, chosen=chosen, source=self._data, **reading):
            self.rows += 1
            if isinstance(row, FaultyRow):
                for one in row.faults:
                    self._fault(row.row, one.error, column=one.column)
            else:
                pieces += self._marks(row)
            if len(self.faults) >= MOST_FAULTS:
                self.capped = True
                return
            if len(pieces) >= _LINTED_AT_ONCE:
                yield self._task(pieces)
                pieces = []
                self._progress(CHECKING, self.rows, max(self._lines, self.rows))
        if pieces:
            yield self._task(pieces)
        self._progress(CHECKING, self.rows, self.rows)

    def linted(self, unfit: Sequence[Unfit]) -> list[Piece]:
        """Give the pieces of the task that came back whose pages are well; the others are faults."""
        pieces = self._under_way.popleft()
        wrong = set[int]()
        for one in unfit:
            row = pieces[one.place]["row"]
            if row not in wrong:  # the tapes of a piece look alike
                self.faults += [Faulty(row=row, column="", code=one.code, what=sentence) for sentence in one.sentences]
            wrong.add(row)
        return [piece for piece in pieces if piece["row"] not in wrong]

    def _task(self, pieces: list[Piece]) -> ToLint:
        self._under_way.append(pieces)
        terms = self._terms
        job = {"form": "postage", "layout": terms.layout, "pieces": pieces, **terms.design}
        return ToLint(job=job, shared=terms.shared)

    def _fault(self, row: int, error: TowncircleError, *, column: str = "") -> None:
        self.faults.append(Faulty(row=row, column=column, code=error.code, what=error.sentence))

    def _marks(self, row: Recipient) -> list[Piece]:
        """Give a row as a piece of a job, or as its tapes; nothing where it has a fault."""
        template = self._terms.template
        said = astray(template, row)
        for name in said:
            self._fault(row.row, BadInput("template.no-override", name=name, template=template.name), column=name)
        if said:
            return []
        try:
            piece = self._on_form({"row": row.row, **self._pricer.piece(row)})
            marks = [piece] if template.each is None else on_tapes([piece], template.each)
            for mark in marks:
                self._check_amount(mark["amount"])
            if piece["amount"] > self._terms.most:
                raise Refused("batch.piece-over-cap", amount=Mills(piece["amount"]), cap=self._terms.most)
        except (Refused, BadInput) as error:
            self._fault(row.row, error)
            return []
        return marks

    def _on_form(self, piece: Piece) -> Piece:
        """Put a piece on the template's form. Raises as `on_form`, and `Refused` (template.label-stock)."""
        template = self._terms.template
        if template.form and piece["shape"] == template.shape:  # the template's reader has found that it suits
            return {**piece, "on": template.form}
        (put,) = on_form([piece], template.form)
        if label_stock(form_of_piece(put)) and not template.stock:
            raise Refused("template.label-stock", form=form_of_piece(put).name)
        return put

    def _check_amount(self, amount: int) -> None:
        """Check each amount once. Raises as `Limits.check`."""
        if amount not in self._paid:
            self._terms.limits.check(day=self._terms.day, amounts=[Mills(amount)])
            self._paid.add(amount)


class _Packing:
    """Cut pieces into parts, write them down and add them up."""

    def __init__(self, plan: IO[bytes], terms: Terms) -> None:
        self._plan, self._most = plan, terms.most
        self._per_file = terms.template.pieces_per_file
        self._stock = stock(terms.template.stock) if terms.template.stock else None
        self._start = terms.template.start if self._stock else 0
        self._pieces: list[Piece] = []
        self._total = ZERO
        self._parts: list[Part] = []
        self.doubts: Counter[str] = Counter()
        self.routed: Counter[str] = Counter()

    def take(self, pieces: Sequence[Piece]) -> None:
        """Take pieces in their order, the tapes of each together."""
        for places in places_of_pieces(pieces):
            marks = [pieces[place] for place in places]
            amount = _sum(marks)
            while self._pieces and (
                len(self._pieces) + len(marks) > self._per_file or self._total + amount > self._most
            ):
                self._end(self._next_end())
            self._pieces += marks
            self._total += amount

    def close(self) -> tuple[Part, ...]:
        """Give the parts."""
        if self._pieces:
            self._end(len(self._pieces))
        self._plan.flush()
        return tuple(self._parts)

    def _next_end(self) -> int:
        """Give how many of the pieces at hand are the next part: all, on sheets those up to the last full one."""
        held = self._stock
        if held is None or held.places == 1:
            return len(self._pieces)
        ends = [places[-1] + 1 for places in places_of_pieces(self._pieces)]
        return next((end for end in reversed(ends) if position(held, self._start, end)[1] == 1), len(self._pieces))

    def _end(self, count: int) -> None:
        part, rest = self._pieces[:count], self._pieces[count:]
        self._plan.write(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        self._parts.append(Part.of(part, start=self._start))
        self.doubts += doubts_of(part)
        self.routed.update(counted(whole_pieces(part)))
        if self._stock is not None:
            self._start = position(self._stock, self._start, count)[1]
        self._pieces, self._total = rest, _sum(rest)


def _sum(pieces: Sequence[Piece]) -> Mills:
    return Mills(sum(piece["amount"] for piece in pieces))
