"""The byte forms of states, commands and answers."""

from __future__ import annotations

from dataclasses import dataclass

import cbor2
import pytest
from tests.psd.setting import Story, batch

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.psd import codec, commands, items
from towncircle.psd.state import DeviceState
from towncircle.wire import cbor


def test_the_byte_forms_are_the_deterministic_ones() -> None:
    story = Story().to("in service")
    done = story.evidence(amounts=(1, 2))
    for record in (story.state(), batch(), done, story.client.status(), story.client.identify()):
        raw = codec.encode(record)
        assert raw == cbor.encode(cbor.decode(raw)) == cbor2.dumps(cbor2.loads(raw))  # three writers agree
        assert codec.decode(type(record), raw) == record


_EDGES = [
    at + more for at in (0, 24, 1 << 8, 1 << 16, 1 << 32, 1 << 64) for more in (-1, 0) if 0 <= at + more < 1 << 64
]


@pytest.mark.parametrize("number", [*_EDGES, *(~edge for edge in _EDGES)])
def test_an_integer_is_written_in_its_one_form(number: int) -> None:
    assert items.integer(number) == items.integer(Mills(number)) == cbor.encode(number)


@pytest.mark.parametrize("length", [0, 23, 24, 255, 256, 65_535, 65_536])
def test_a_string_and_a_list_are_written_in_their_one_form(length: int) -> None:
    assert items.text("x" * length) == cbor.encode("x" * length)
    assert items.octets(bytes(length)) == cbor.encode(bytes(length))
    assert items.row([items.truth(True)] * length) == cbor.encode([True] * length)


@pytest.mark.parametrize("number", [1 << 64, -(1 << 64) - 1])
def test_an_integer_beyond_64_bits_is_not_written(number: int) -> None:
    with pytest.raises(BrokenInvariant, match=r"wire\.cannot-encode"):
        items.integer(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    name: DeviceId
    amount: Mills
    rows: tuple[int, ...] = ()
    pair: tuple[str, int] = ("", 0)
    more: Mills | None = None


@pytest.mark.parametrize(
    "values",
    [
        [],
        {},
        {0: "x"},
        {0: 1, 1: 1},
        {0: "x", 1: True},
        {0: "x", 1: 1, 9: 1},
        {0: "x", 1: 1, 2: [True]},
        {0: "x", 1: 1, 2: {}},
        {0: "x", 1: 1, 3: ["a"]},
        {0: "x", 1: 1, 3: ["a", "b"]},
        {0: "x", 1: 1, 4: "y"},
    ],
)
def test_what_is_not_the_record_is_refused(values: object) -> None:
    with pytest.raises(BadInput, match=r"psd\.malformed"):
        codec.from_map(Sample, values)


def test_fields_with_a_default_may_be_missing_in_older_records() -> None:
    assert codec.from_map(Sample, {0: "x", 1: 1}) == Sample(name=DeviceId("x"), amount=Mills(1))


def test_an_error_crosses_the_port_with_its_words() -> None:
    for error in (
        BadInput("psd.request-id", text="a b"),
        Refused("psd.over-cap", amount=Mills(1), descending=Mills(2), cap=Mills(3), room=Mills(4)),
        BrokenInvariant("psd.selftest-failed", name="x"),
    ):
        with pytest.raises(TowncircleError) as raised:
            commands.decode_answer(commands.encode_error(error))
        assert raised.value.as_dict() == error.as_dict()
        assert type(raised.value) is type(error)


def test_a_state_that_cannot_be_read_is_damage() -> None:
    with pytest.raises(BrokenInvariant, match=r"psd\.store-damaged"):
        DeviceState.decode(b"\xa0")


@pytest.mark.parametrize("values", [{0: 2, 1: 1, 2: {}}, {0: 1, 1: 99, 2: {}}, {0: 1, 1: 0, 2: {0: "new kind"}}])
def test_frames_of_another_version_or_verb_are_refused(values: dict[int, object]) -> None:
    raw = cbor2_of(values)
    for read in (commands.decode_command, commands.decode_answer):
        with pytest.raises(BadInput, match=r"psd\.malformed"):
            read(raw)


def cbor2_of(values: dict[int, object]) -> bytes:
    import cbor2

    return cbor2.dumps(values)


def test_an_amended_state_is_a_replaced_state() -> None:
    from dataclasses import replace

    from tests.psd.setting import Story

    state = Story().to("in service").state()
    assert state.amended(counter=9, reason="x") == replace(state, counter=9, reason="x")
    assert state.amended() == state
    with pytest.raises(TypeError, match="no such field: unknown"):
        state.amended(unknown=1)


def test_a_writer_writes_each_record_as_it_is_whatever_it_wrote_before() -> None:
    first = Story().to("in service").state()
    other = first.amended(registers=first.registers.debited(Mills(780), pieces=1), counter=first.counter + 1)
    writer = codec.Writer(DeviceState)
    for state in (
        first,
        other,
        first,
        other.amended(reason="x", indicia_key=None, usage=()),
        DeviceState.decode(first.encode()),
    ):
        assert writer.encode(state) == state.encode()
        assert DeviceState.decode(writer.encode(state)) == state
