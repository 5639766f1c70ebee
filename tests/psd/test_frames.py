"""The quick reader of evidence commands reads what the strict one reads, and nothing else."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.psd.setting import batch

from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.psd import codec, commands, frames
from towncircle.psd.columns import Column
from towncircle.psd.registers import Registers
from towncircle.wire import cbor

AMOUNTS = st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=80)
SPECIMENS = [
    commands.encode_command(batch(name, amounts))
    for name in ("J", "J" * 23, "J" * 24, "J" * 64)
    for amounts in ((1,), tuple(range(1, 6)), tuple(range(1, 7)), tuple(range(1, 70)))
]


def slowly(raw: bytes) -> object:
    """Read a command item by item, as every other command is read."""
    frame = cbor.decode(raw, limit=commands.MAX_COMMAND)
    assert type(frame) is dict
    assert frame.keys() == {0, 1, 2}
    assert frame[0] == 1
    assert frame[1] == 11
    return codec.from_map(commands.Evidence, frame[2])


def both(raw: bytes) -> tuple[object, object]:
    found: list[object] = []
    for read in (commands.decode_command, slowly):
        try:
            found.append(read(raw))
        except (TowncircleError, AssertionError):
            found.append("refused")
    return found[0], found[1]


@given(st.text("abcXYZ019._:-", min_size=1, max_size=70), AMOUNTS, st.lists(st.integers(0, 2**33), max_size=40))
def test_every_evidence_command_reads_to_the_same_record(name: str, amounts: list[int], services: list[int]) -> None:
    spread = [services[at % len(services)] for at in range(len(amounts))] if services else 7
    raw = commands.encode_command(
        commands.Evidence.of(name, amounts=amounts, date="2026-11-21", mail_service=spread, category="FCML")
    )
    assert frames.evidence_parts(raw) is not None
    quick, slow = both(raw)
    assert quick == slow == commands.decode_command(raw)


@pytest.mark.parametrize("raw", SPECIMENS)
def test_damage_is_refused_by_both_or_read_alike(raw: bytes) -> None:
    for at in range(min(len(raw), 140)):
        for value in (0, 1, 0x17, 0x18, 0x40, 0x58, 0x59, 0x60, 0x78, 0x80, 0xA3, 0xFF, raw[at] ^ 1, raw[at] ^ 0x80):
            quick, slow = both(raw[:at] + bytes([value]) + raw[at + 1 :])
            assert quick == slow, (at, value)
        quick, slow = both(raw[:at])
        assert quick == slow == "refused", at
    assert both(raw + b"\0") == ("refused", "refused")


@pytest.mark.parametrize(
    "longer",
    [
        lambda raw: raw.replace(b"\x02\x01\x00", b"\x02\x18\x01\x00", 1),
        lambda raw: raw[:8] + b"\x78\x01J" + raw[10:],
        lambda raw: raw[:10] + b"\x01\x58\x04" + raw[12:],
        lambda raw: raw[:10] + b"\x01\x59\x00\x04" + raw[12:],
    ],
)
def test_a_form_longer_than_needed_is_refused(longer) -> None:
    raw = commands.encode_command(batch("J", (1,)))
    assert frames.evidence_parts(raw) is not None
    made = longer(raw)
    assert made == raw or both(made) == ("refused", "refused")


def test_columns_are_read_once_for_small_batches_and_never_kept_for_large_ones() -> None:
    first = commands.decode_command(commands.encode_command(batch("A", (1,))))
    second = commands.decode_command(commands.encode_command(batch("B", (2,))))
    assert isinstance(first, commands.Evidence)
    assert isinstance(second, commands.Evidence)
    assert first.columns is second.columns
    wide = cbor2.loads(commands.encode_command(batch("C", tuple(range(1, 400)))))
    wide[2][2][0][3] = bytes(2 * 399)
    assert len(cbor2.dumps(wide[2][2])) > 512


def test_a_refused_command_leaves_none_of_its_columns_behind() -> None:
    from towncircle.psd import columns
    from towncircle.psd.columns import Again, host_fields

    wide = commands.decode_command(
        commands.encode_command(
            commands.Evidence(request_id="W", amounts=b"\1\0\0\0", columns=_date_and("unknown", tuple(range(9000))))
        )
    )
    assert isinstance(wide, commands.Evidence)
    assert type(wide.columns) is not Again
    before = len(columns._READ._held)
    host_fields(wide.columns)
    assert len(columns._READ._held) == before


def _date_and(name: str, numbers: tuple[int, ...]) -> tuple[Column, ...]:
    return (Column(name="date", texts=("2026-11-21",)), Column(name=name, numbers=numbers))


def test_a_command_of_too_many_items_is_refused_at_once() -> None:
    many = commands.Evidence(request_id="W", amounts=b"\1\0\0\0", columns=_date_and("x", tuple(range(60_000))))
    with pytest.raises(TowncircleError, match="more items"):
        commands.decode_command(commands.encode_command(many))


@given(st.text(min_size=1, max_size=300), AMOUNTS, st.lists(st.integers(0, 2**33), max_size=40))
def test_an_evidence_command_is_written_as_every_other_one(name: str, amounts: list[int], services: list[int]) -> None:
    spread = [services[at % len(services)] for at in range(len(amounts))] if services else 7
    for _ in range(2):  # the second time columns of one value are known
        asked = commands.Evidence.of(name, amounts=amounts, date="2026-11-21", mail_service=spread, category="FCML")
        body = codec.encode(asked)
        assert commands.encode_command(asked) == cbor.encode({0: 1, 1: 11, 2: {}})[:-1] + body


def test_columns_of_equal_values_of_two_kinds_are_two() -> None:
    assert Column.one("at", 1).numbers == (1,)
    assert Column.one("at", True).numbers == (1,)
    assert Column.one("at", "1").texts == ("1",)


ANSWERED = [
    commands.Evidenced(
        request_id=name,
        layout="imi-min",
        first_piece=number,
        count=1,
        contents=bytes(size),
        signatures=bytes(64),
        registers=Registers(ascending=Mills(number), descending=Mills(2 * number), pieces=number),
        at=Instant(1_234_567_890_123_456),
    )
    for name, number, size in (
        ("J", 1, 40),
        ("J" * 24, 24, 23),
        ("Ü" * 40, 256, 300),
        ("J", 70_000, 24),
        ("J", 2**33, 1),
    )
]


def answers(raw: bytes) -> tuple[object, object]:
    """Read an answer by hand, else item by item, and item by item alone."""
    found: list[object] = []
    for read in (commands.decode_answer, _answer_slowly):
        try:
            found.append(read(raw))
        except TowncircleError:
            found.append("refused")
    return found[0], found[1]


def _answer_slowly(raw: bytes) -> object:
    verb, body = commands._open(raw)
    if verb not in commands.ANSWERS:
        raise TowncircleError("psd.malformed", what="another answer")
    return codec.from_map(commands.ANSWERS[verb], body)


@pytest.mark.parametrize("answer", ANSWERED)
def test_an_answer_reads_alike_by_hand_and_item_by_item_whole_and_damaged(answer: commands.Evidenced) -> None:
    raw = commands.encode_answer(11, answer)
    assert frames.answered(raw) is not None
    assert answers(raw) == (answer, answer)
    for at in range(len(raw)):
        assert answers(raw[:at]) == ("refused", "refused"), at
        for value in (0, 1, 0x17, 0x18, 0x19, 0x1B, 0x40, 0x58, 0x60, 0x78, 0xA3, 0xFF, raw[at] ^ 1, raw[at] ^ 0x80):
            quick, slow = answers(raw[:at] + bytes([value]) + raw[at + 1 :])
            assert quick == slow, (at, value)
    assert answers(raw + b"\0") == ("refused", "refused")


def test_an_answer_in_a_form_longer_than_needed_is_refused() -> None:
    raw = commands.encode_answer(11, ANSWERED[0])
    for short, longer in ((b"\2\1\3\1", b"\2\x18\1\3\1"), (b"\3\1\4", b"\3\x19\0\1\4"), (b"\7\x1b", b"\7\x1b\0")):
        assert short in raw
        assert answers(raw.replace(short, longer, 1)) == ("refused", "refused")
