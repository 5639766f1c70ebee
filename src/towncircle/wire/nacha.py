"""NACHA files: how the lockbox bank collects ACH deposits, and how it tells that one came back (P050 3.5(a)).

Here: the writer, the reader that checks every control total and names the line, routing numbers. Not here: the fields
of a record (`nacha_layout`), which deposits are in a file (`bank.ach`). The layout is documented in docs/ach-files.md.
Kept: a file that was read whole agrees with its own hash, counts and totals; the first fault is named with its line.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput
from towncircle.wire.nacha_layout import BLOCK, PADDING, broken, read_record, write_record

# of a checking account: what the entry does to it
CREDIT, RETURNED_CREDIT, DEBIT, RETURNED_DEBIT = "22", "21", "27", "26"
CODES = (CREDIT, RETURNED_CREDIT, DEBIT, RETURNED_DEBIT)
RETURNS = (RETURNED_CREDIT, RETURNED_DEBIT)
_CREDITS = (CREDIT, RETURNED_CREDIT)
MODIFIERS = string.ascii_uppercase + string.digits  # of the files of a day, in their order
MIXED, CREDITS_ONLY, DEBITS_ONLY = "200", "220", "225"
CLASS = "CCD"  # corporate credit or debit
_WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7)
_HASH = 10**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Hold one entry: what it does to which account, the amount in cents, the deposit, and its trace number.

    Of a returned item `reason` is the return code (`R01`) and `original` the trace number of the entry that came back.
    """

    code: str
    routing: str
    account: str
    cents: int
    identification: str
    name: str
    trace: str
    reason: str = ""
    original: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Hold one batch: the company for whom it is, its purpose, the day on which it takes effect (YYMMDD)."""

    company: str
    company_id: str
    purpose: str
    effective: str
    origin: str
    number: int
    entries: tuple[Entry, ...]

    @property
    def service_class(self) -> str:
        """Give the service class: debits only, credits only, or both."""
        debits, credits_ = totals(self.entries)
        return MIXED if debits and credits_ else CREDITS_ONLY if credits_ else DEBITS_ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class AchFile:
    """Hold a file: from whom to whom (routing numbers and names), when it was made (YYMMDD, HHMM), its batches."""

    destination: str
    destination_name: str
    origin: str
    origin_name: str
    date: str
    time: str
    modifier: str
    batches: tuple[Batch, ...]


def check_digit(eight: str) -> str:
    """Give the ninth digit of a routing number."""
    return str(-sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, eight, strict=True)) % 10)


def routing_number(text: str) -> str:
    """Read a routing number. Raises `BadInput` (ach.bad-routing)."""
    if not (len(text) == 9 and text.isascii() and text.isdigit()) or check_digit(text[:8]) != text[8]:
        raise BadInput("ach.bad-routing", text=text[:20])
    return text


def totals(entries: tuple[Entry, ...]) -> tuple[int, int]:
    """Give the debits and the credits of entries, in cents."""
    credits_ = sum(entry.cents for entry in entries if entry.code in _CREDITS)
    return sum(entry.cents for entry in entries) - credits_, credits_


def entry_hash(entries: tuple[Entry, ...]) -> int:
    """Give the sum of the first eight digits of the routing numbers; its ten rightmost digits."""
    return sum(int(entry.routing[:8]) for entry in entries) % _HASH


def _count(entries: tuple[Entry, ...]) -> int:
    return len(entries) + sum(bool(entry.reason) for entry in entries)


def _control(entries: tuple[Entry, ...]) -> dict[str, int]:
    debits, credits_ = totals(entries)
    return {
        "entry and addenda count": _count(entries),
        "entry hash": entry_hash(entries),
        "total debits": debits,
        "total credits": credits_,
    }


@cites("P050-3.5a")
def write(file: AchFile) -> bytes:
    """Write a file with its controls, filled up to whole blocks of ten records. Raises `BadInput` (ach. ...)."""
    lines = [
        write_record(
            "1",
            {
                "immediate destination": f" {routing_number(file.destination)}",
                "immediate origin": f" {routing_number(file.origin)}",
                "file creation date": file.date,
                "file creation time": file.time,
                "file id modifier": file.modifier,
                "immediate destination name": file.destination_name,
                "immediate origin name": file.origin_name,
            },
        )
    ]
    for batch in file.batches:
        lines += _batch_lines(batch)
    every = tuple(entry for batch in file.batches for entry in batch.entries)
    blocks = -(-(len(lines) + 1) // BLOCK)
    control = {"batch count": len(file.batches), "block count": blocks, **_control(every)}
    lines.append(write_record("9", control))
    lines += [PADDING] * (blocks * BLOCK - len(lines))
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _batch_lines(batch: Batch) -> Iterator[str]:
    shared = {
        "service class": batch.service_class,
        "company identification": batch.company_id,
        "originating institution": batch.origin[:8],
        "batch number": batch.number,
    }
    yield write_record(
        "5",
        {
            **shared,
            "company name": batch.company,
            "standard entry class": CLASS,
            "company entry description": batch.purpose,
            "effective entry date": batch.effective,
        },
    )
    for entry in batch.entries:
        yield from _entry_lines(entry)
    yield write_record("8", {**shared, **_control(batch.entries)})


def _entry_lines(entry: Entry) -> Iterator[str]:
    routing = routing_number(entry.routing)
    yield write_record(
        "6",
        {
            "transaction code": entry.code,
            "receiving institution": routing[:8],
            "check digit": routing[8],
            "account number": entry.account,
            "amount": entry.cents,
            "identification": entry.identification,
            "individual name": entry.name,
            "addenda indicator": "1" if entry.reason else "0",
            "trace number": entry.trace,
        },
    )
    if entry.reason:
        told = {"return reason": entry.reason, "original trace number": entry.original, "trace number": entry.trace}
        yield write_record("7", {**told, "original receiving institution": routing[:8]})


@cites("P050-3.5a")
def read(data: bytes) -> AchFile:
    """Read a file and check its order, hash, counts, totals and padding. Raises `Refused` (ach.file-broken)."""
    return _Reader(data).file()


class _Reader:
    """Walk a file record by record."""

    def __init__(self, data: bytes) -> None:
        try:
            text = data.decode("ascii").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise broken(data[: error.start].count(b"\n") + 1, "it is not ASCII") from error
        self._lines = text.removesuffix("\n").split("\n")
        self._at = 0
        self._traces: set[str] = set()

    def file(self) -> AchFile:
        if self._lines == [""]:
            raise broken(1, "the file is empty")
        head = self._expect("1", "the file header")
        if head["file id modifier"] not in tuple(MODIFIERS):
            raise broken(1, f"the file id modifier is '{head['file id modifier']}', no capital letter and no digit")
        batches: list[Batch] = []
        while self._peek() == "5":
            batches.append(self._batch(len(batches) + 1))
        every = tuple(entry for batch in batches for entry in batch.entries)
        control = self._expect("9", "a batch or the file control")
        self._agree(control, {"batch count": len(batches), **_control(every)})
        self._padding(int(control["block count"]))
        try:
            destination = routing_number(head["immediate destination"])
            origin = routing_number(head["immediate origin"])
        except BadInput as error:
            raise broken(1, error.sentence.rstrip(".")) from error
        return AchFile(
            destination=destination,
            destination_name=head["immediate destination name"],
            origin=origin,
            origin_name=head["immediate origin name"],
            date=head["file creation date"],
            time=head["file creation time"],
            modifier=head["file id modifier"],
            batches=tuple(batches),
        )

    def _batch(self, place: int) -> Batch:
        head = self._expect("5", "a batch header")
        begun = self._at
        entries: list[Entry] = []
        while self._peek() == "6":
            entries.append(self._entry())
        control = self._expect("8", "an entry or the batch control")
        made = Batch(
            company=head["company name"],
            company_id=head["company identification"],
            purpose=head["company entry description"],
            effective=head["effective entry date"],
            origin=head["originating institution"],
            number=int(head["batch number"]),
            entries=tuple(entries),
        )
        if made.number != place:
            raise broken(begun, f"the batch number is {made.number}; batches count 1, 2, 3, ...: {place}")
        if not entries or head["service class"] not in (MIXED, made.service_class):
            raise broken(begun, f"the service class {head['service class']} is not that of its entries")
        for name in ("service class", "company identification", "originating institution", "batch number"):
            if control[name] != head[name]:
                raise broken(self._at, f"the {name} is '{control[name]}', in the batch header '{head[name]}'")
        self._agree(control, _control(made.entries))
        return made

    def _entry(self) -> Entry:
        row = self._expect("6", "an entry")
        here = self._at
        try:
            routing = routing_number(row["receiving institution"] + row["check digit"])
        except BadInput as error:
            raise broken(here, error.sentence.rstrip(".")) from error
        if row["transaction code"] not in CODES or row["amount"].strip("0") == "":
            raise broken(
                here, f"an entry of code {row['transaction code']} and {int(row['amount'])} cents is none of ours"
            )
        if row["trace number"] in self._traces:
            raise broken(here, f"the trace number {row['trace number']} stands in it twice")
        self._traces.add(row["trace number"])
        returned = row["transaction code"] in RETURNS
        if row["addenda indicator"] != ("1" if returned else "0"):
            raise broken(here, "a returned item, and no other entry, has an addenda record")
        more: Mapping[str, str] = self._expect("7", "the addenda of a returned item") if returned else {}
        if more and more["trace number"] != row["trace number"]:
            raise broken(
                self._at, f"its trace number is {more['trace number']}, that of its entry {row['trace number']}"
            )
        return Entry(
            code=row["transaction code"],
            routing=routing,
            account=row["account number"],
            cents=int(row["amount"]),
            identification=row["identification"],
            name=row["individual name"],
            trace=row["trace number"],
            reason=more.get("return reason", ""),
            original=more.get("original trace number", ""),
        )

    def _peek(self) -> str:
        return self._lines[self._at][:1] if self._at < len(self._lines) else ""

    def _expect(self, kind: str, what: str) -> dict[str, str]:
        if self._at >= len(self._lines):
            raise broken(self._at + 1, f"the file ends where {what} was expected")
        found, row = read_record(self._at + 1, self._lines[self._at])
        if found != kind:
            raise broken(self._at + 1, f"it is a record of type {found} where {what} was expected")
        self._at += 1
        return row

    def _agree(self, control: Mapping[str, str], counted: Mapping[str, Any]) -> None:
        for name, value in counted.items():
            if int(control[name]) != value:
                raise broken(self._at, f"the {name} is {int(control[name])}; counted {value}")

    def _padding(self, blocks: int) -> None:
        for place, line in enumerate(self._lines[self._at :], start=self._at + 1):
            if line != PADDING:
                raise broken(place, "after the file control only records of nines may follow")
        if len(self._lines) != blocks * BLOCK:
            raise broken(self._at, f"the block count is {blocks}; the file has {len(self._lines)} records")
