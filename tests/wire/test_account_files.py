"""The daily financial file and the statement's file: read back as written, and what was changed is named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.wire import daily_file, statement_file
from towncircle.wire.bodies import MonthlyStatement, StatementRow
from towncircle.wire.daily_file import Account, DailyFile, Event, Held

AT = Instant.parse("2026-11-23T14:00:00Z")
L, D = "licensee.mill", "TC1A0000000017"
DAILY = DailyFile(
    provider="provider.harbor",
    day="2026-11-23",
    number=2,
    made_at=AT,
    through=7,
    events=(
        Event(at=AT, kind="deposit-received", reference="DEP-1", licensee=L, device="", size=500, mills=500),
        Event(at=AT, kind="reset-reserved", reference="REQ-1", licensee=L, device=D, size=200, mills=-200),
    ),
    accounts=(Account(licensee=L, opening=100, moved=300, closing=400, in_transit=200, advances=0, malfunction=0),),
    devices=(Held(device=D, licensee=L, ascending=5, descending=10, pieces=1, counter=3),),
)
STATEMENT = MonthlyStatement(
    month="2026-11",
    account="CMRS-1",
    until=AT,
    opening=Mills(100),
    closing=Mills(400),
    rows=(
        StatementRow(at=AT, kind="deposit", reference="DEP-1", device="", amount=Mills(500), balance=Mills(600)),
        StatementRow(at=AT, kind="reset", reference="REQ-1", device=D, amount=Mills(-200), balance=Mills(400)),
    ),
)


def resealed(data: bytes) -> bytes:
    """Give changed lines the digest that fits them: the totals themselves must then tell."""
    body, _, last = data[:-1].rpartition(b"\n")
    cut = last.rfind(b"|" if b"|" in last else b",")
    return body + b"\n" + last[: cut + 1] + hashlib.sha256(body + b"\n").hexdigest().encode() + b"\n"


def test_files_are_read_back_as_they_were_written() -> None:
    assert daily_file.read(daily_file.write(DAILY)) == DAILY
    data = statement_file.write(STATEMENT, provider="provider.harbor", licensee=L)
    assert statement_file.read(data) == (STATEMENT, "provider.harbor", L)
    assert (
        data.splitlines()[0] == b"H,STATEMENT,1,provider.harbor,licensee.mill,CMRS-1,2026-11,2026-11-23T14:00:00Z,100"
    )
    assert data.splitlines()[-1].startswith(b"T,2,500,200,400,")


Change = tuple[bytes, bytes, int, str]
BOTH: dict[str, Change] = {
    "another name": (b"H", b"X", 1, "kind 'X'"),
    "a field too many": (b"DEP-1", b"DEP-1|x,x", 2, "fields"),
    "a byte that is not ASCII": (b"REQ-1", b"REQ-\xff", 3, "ASCII"),
    "no instant": (b"2026-11-23T14:00:00Z|deposit", b"yesterday|deposit", 2, ""),
    "a number with a zero before it": (b"|500|", b"|0500|", 2, "no whole number"),
    "no totals": (b"\nT", b"\nD", 0, ""),
}
DAILY_ONLY: dict[str, Change] = {
    "an event that moved something else": (b"|500|500", b"|500|501", 4, "make"),
    "an account that does not add up": (b"|300|400|", b"|300|401|", 4, "do not make"),
    "an account twice": (b"D|TC1A", b"A|licensee.mill|0|0|0|0|0|0\nD|TC1A", 5, "twice"),
    "an event of no account": (b"REQ-1|licensee.mill", b"REQ-1|licensee.none", 4, "make"),
    "another version": (b"FINANCIAL|1", b"FINANCIAL|2", 1, "does not begin"),
    "other totals": (b"T|2|1|1|700", b"T|2|1|1|701", 6, "control totals"),
    "a header in the middle": (b"D|TC1A0000000017|licensee.mill|5|10|1|3", b"H|a|b|c|d|1|e|1", 5, "middle"),
}
STATEMENT_ONLY: dict[str, Change] = {
    "a balance": (b"500,600", b"500,601", 2, "do not make"),
    "the opening balance": (b"Z,100", b"Z,101", 2, "do not make"),
    "the closing balance": (b"T,2,500,200,400", b"T,2,500,200,401", 4, "closing"),
    "what came in": (b"T,2,500", b"T,2,501", 4, "control totals"),
    "an older transaction": (b"D,2026-11-23T14:00:00Z,reset", b"D,2026-11-22T14:00:00Z,reset", 3, "older"),
    "another version": (b"STATEMENT,1", b"STATEMENT,2", 1, "does not begin"),
}


def _refused(read: Callable[[bytes], object], data: bytes, change: Change) -> None:
    old, new, line, why = change
    assert old in data
    with pytest.raises(Refused) as caught:
        read(resealed(data.replace(old, new, 1)))
    assert caught.value.code == "lines.broken"
    assert line == 0 or caught.value.sentence.startswith(f"Line {line} "), caught.value.sentence
    assert why in caught.value.sentence


@pytest.mark.parametrize("name", {**BOTH, **DAILY_ONLY})
def test_a_changed_daily_file_is_refused_with_its_line(name: str) -> None:
    _refused(daily_file.read, daily_file.write(DAILY), {**BOTH, **DAILY_ONLY}[name])


@pytest.mark.parametrize("name", STATEMENT_ONLY)
def test_a_changed_statement_is_refused_with_its_line(name: str) -> None:
    data = statement_file.write(STATEMENT, provider="provider.harbor", licensee=L)
    _refused(statement_file.read, data, STATEMENT_ONLY[name])


def test_a_changed_byte_without_another_digest_is_refused() -> None:
    data = daily_file.write(DAILY)
    for bad in (data.replace(b"DEP-1", b"DEP-2"), data[:-1], b"", b"H|x\n"):
        with pytest.raises(Refused):
            daily_file.read(bad)


def test_a_field_with_the_separator_is_not_written() -> None:
    bad = replace(STATEMENT, rows=(replace(STATEMENT.rows[0], reference="a,b"),), closing=Mills(600))
    with pytest.raises(BadInput) as caught:
        statement_file.write(bad, provider="p", licensee=L)
    assert caught.value.code == "lines.unwritable"
    assert statement_file.first_fault(replace(STATEMENT, closing=ZERO)) is not None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"day": "2026-13-45"}, "no day"),
        ({"day": "20261123"}, "no day"),
        ({"events": (replace(DAILY.events[0], reference="a b c"), DAILY.events[1])}, "no name"),
        ({"events": (replace(DAILY.events[0], reference=""), DAILY.events[1])}, "no name"),
        ({"accounts": (replace(DAILY.accounts[0], licensee="licensee/x"),)}, "no licensee"),
        ({"accounts": (replace(DAILY.accounts[0], licensee="licensee x"),)}, "no licensee"),
        ({"devices": (replace(DAILY.devices[0], licensee=""),)}, "no licensee"),
    ],
)
def test_names_that_nobody_can_have_are_refused_with_their_line(changed: dict[str, object], why: str) -> None:
    """The comparison takes them apart, and looks accounts up by them."""
    with pytest.raises(Refused, match=why) as caught:
        daily_file.read(daily_file.write(replace(DAILY, **changed)))  # type: ignore[arg-type]
    assert caught.value.code == "lines.broken"
