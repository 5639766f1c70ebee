"""NACHA files: what is written is read back, and what was changed is named with its line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from towncircle.kernel.errors import BadInput, Refused
from towncircle.wire import nacha
from towncircle.wire.nacha import AchFile, Batch, Entry

DEBITS = tuple(
    Entry(
        code=nacha.DEBIT,
        routing="990000026",
        account=f"00012345{number}",
        cents=12_345 + number,
        identification=f"DEP{number}",
        name="LICENSEE.MAILROOM",
        trace=f"99000001{number:07d}",
    )
    for number in range(1, 4)
)
BACK = replace(DEBITS[0], code=nacha.RETURNED_DEBIT, trace="990000010000009", reason="R01", original=DEBITS[0].trace)
FILE = AchFile(
    destination="990000039",
    destination_name="ACH OPERATOR",
    origin="990000013",
    origin_name="LOCKBOX BANK",
    date="261123",
    time="",
    modifier="A",
    batches=tuple(
        Batch(
            company="USPS CMRS",
            company_id="9USPSCMRS",
            purpose=purpose,
            effective="261123",
            origin="99000001",
            number=number,
            entries=entries,
        )
        for number, (purpose, entries) in enumerate((("DEPOSIT", DEBITS), ("RETURN", (BACK,))), start=1)
    ),
)


def test_a_file_is_read_back_as_it_was_written() -> None:
    data = nacha.write(FILE)
    lines = data.decode().splitlines()
    assert {len(line) for line in lines} == {94}
    assert len(lines) % 10 == 0
    assert [line[0] for line in lines[:10]] == ["1", "5", "6", "6", "6", "8", "5", "6", "7", "8"]
    assert nacha.read(data) == FILE
    assert nacha.read(data.replace(b"\n", b"\r\n")) == FILE


def test_the_bytes_of_an_entry_and_its_control_are_those_of_the_layout() -> None:
    lines = nacha.write(FILE).decode().splitlines()
    assert lines[2] == (
        "6" + "27" + "99000002" + "6" + "000123451".ljust(17) + "0000012346" + "DEP1".ljust(15)
        + "LICENSEE.MAILROOM".ljust(22) + "  " + "0" + "990000010000001"
    )  # fmt: skip
    assert lines[5] == (
        "8" + "225" + "000003" + "0297000006" + "000000037041" + "000000000000" + "9USPSCMRS ".ljust(10)
        + " " * 19 + " " * 6 + "99000001" + "0000001"
    )  # fmt: skip
    assert lines[10].startswith("9" + "000002" + "000002" + "00000005" + "0396000008" + "000000049387")


@pytest.mark.parametrize(("text", "good"), [("021000021", True), ("011401533", True), ("021000022", False)])
def test_a_routing_number_has_its_check_digit(text: str, good: bool) -> None:
    if good:
        assert nacha.routing_number(text) == text
        assert nacha.check_digit(text[:8]) == text[8]
    else:
        with pytest.raises(BadInput) as caught:
            nacha.routing_number(text)
        assert caught.value.code == "ach.bad-routing"


@pytest.mark.parametrize("text", ["", "12345678", "1234567890", "12345678x"])
def test_what_is_no_routing_number_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        nacha.routing_number(text)


def test_the_hash_keeps_its_ten_rightmost_digits() -> None:
    many = (replace(DEBITS[0], routing="990000026"),) * 200
    assert nacha.entry_hash(many) == 99_000_002 * 200 % 10**10
    assert 99_000_002 * 200 >= 10**10


def at(line: int, start: int, text: str) -> bytes:
    """Change the columns of a line, counted from 1."""
    lines = nacha.write(FILE).decode().splitlines()
    old = lines[line - 1]
    lines[line - 1] = old[: start - 1] + text + old[start - 1 + len(text) :]
    return "".join(f"{one}\n" for one in lines).encode()


def without(line: int) -> bytes:
    lines = nacha.write(FILE).decode().splitlines()
    return "".join(f"{one}\n" for place, one in enumerate(lines, start=1) if place != line).encode()


DAMAGES = {
    "an amount": (at(3, 30, "0000099999"), 6, "total debits"),
    "a routing number": (at(3, 4, "99000003"), 3, "routing number"),
    "both digits of a routing number": (at(3, 4, "990000039"), 6, "entry hash"),
    "the count of a batch": (at(6, 5, "000004"), 6, "entry and addenda count"),
    "the total of the file": (at(11, 32, "000000000001"), 11, "total debits"),
    "the hash of the file": (at(11, 22, "0000000001"), 11, "entry hash"),
    "the count of batches": (at(11, 2, "000003"), 11, "batch count"),
    "the count of blocks": (at(11, 8, "000003"), 11, "block count"),
    "the number of a batch": (at(7, 88, "0000007"), 7, "batch number"),
    "the service class": (at(2, 2, "220"), 2, "service class"),
    "the company of a control": (at(6, 45, "OTHER     "), 6, "company identification"),
    "an unknown code": (at(3, 2, "99"), 3, "code 99"),
    "an amount of nothing": (at(3, 30, "0000000000"), 3, "0 cents"),
    "a trace number twice": (at(4, 80, "990000010000001"), 4, "twice"),
    "an addenda that is announced": (at(3, 79, "1"), 3, "addenda"),
    "the trace number of an addenda": (at(9, 80, "990000010000001"), 9, "trace number"),
    "a letter in an amount": (at(3, 30, "00000O2345"), 3, "no number"),
    "an unknown record": (at(3, 1, "4"), 3, "type '4'"),
    "the record size": (at(1, 35, "095"), 1, "record size"),
    "the origin of the file": (at(1, 15, "990000014"), 1, "routing number"),
    "the padding": (at(20, 1, "8"), 20, "nines"),
    "a record too few": (without(20), 11, "block count"),
    "no batch control": (without(6), 6, "type 5 where an entry or the batch control"),
    "no header": (without(1), 1, "the file header"),
    "no addenda": (without(9), 9, "addenda of a returned item"),
    "an umlaut": (nacha.write(FILE).replace(b"ACH OPERATOR", "ÄCH OPERATO".encode()), 1, "not ASCII"),
    "a longer line": (nacha.write(FILE).replace(b"LOCKBOX BANK", b"LOCKBOX BANKS"), 1, "95 characters"),
    "an empty file": (b"", 1, "empty"),
    "a file that is cut": (nacha.write(FILE)[: 95 * 4], 5, "ends"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_changed_file_is_refused_with_its_line(name: str) -> None:
    data, line, why = DAMAGES[name]
    with pytest.raises(Refused) as caught:
        nacha.read(data)
    assert caught.value.code == "ach.file-broken"
    assert caught.value.sentence.startswith(f"Line {line} ")
    assert why in caught.value.sentence


@pytest.mark.parametrize(
    "changes", [{"account": "1" * 18}, {"name": "MÜLLER"}, {"cents": -1}, {"identification": "a" * 16}]
)
def test_what_does_not_fit_a_field_is_not_written(changes: dict) -> None:
    batch = replace(FILE.batches[0], entries=(replace(DEBITS[0], **changes),))
    with pytest.raises(BadInput) as caught:
        nacha.write(replace(FILE, batches=(batch,)))
    assert caught.value.code == "ach.field-too-long"
