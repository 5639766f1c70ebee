"""Whatever the bytes: a message or a coded refusal; whatever the value: one encoding."""

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire.golden import AUDIENCE, KEY, NOW, SENDER, SPECIMENS, sealed

from towncircle.kernel.errors import Refused
from towncircle.wire import cbor
from towncircle.wire.directory import Keyring
from towncircle.wire.message import unseal

LEAVES = st.one_of(
    st.integers(-(2**64), 2**64 - 1), st.binary(max_size=40), st.text(max_size=20), st.booleans(), st.none()
)
KEYS = st.one_of(st.integers(-(2**64), 2**64 - 1), st.text(max_size=8))
VALUES = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)), max_leaves=8
)
RING = Keyring()
RING.add(SENDER, KEY.public, since=NOW)
SEALED = [sealed(body) for body in SPECIMENS]


def opened(raw):
    return unseal(raw, audience=AUDIENCE, now=NOW, directory=RING)


def deep(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (1 + max(map(deep, inner), default=0)) if isinstance(value, dict | list) else 0


@settings(max_examples=300, deadline=None)
@given(value=VALUES)
def test_a_value_reads_back_and_another_decoder_reads_the_same(value):
    if deep(value) > cbor.MAX_DEPTH:
        return
    raw = cbor.encode(value)
    assert cbor.decode(raw) == value
    assert cbor2.loads(raw) == value
    assert cbor.encode(cbor.decode(raw)) == raw


@settings(max_examples=500, deadline=None)
@given(raw=st.binary(max_size=60))
def test_bytes_are_the_one_encoding_of_a_value_or_refused(raw):
    try:
        value = cbor.decode(raw)
    except Refused as refusal:
        given_code = refusal.code
    else:
        given_code = "wire.malformed"
        assert cbor.encode(value) == raw
    assert given_code == "wire.malformed"


@settings(max_examples=200, deadline=None)
@given(data=st.data(), raw=st.sampled_from(SEALED))
def test_a_damaged_message_is_refused_by_a_code_of_the_wire(data, raw):
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:at] + bytes([raw[at] ^ data.draw(st.integers(1, 255))]) + raw[at + 1 :]
    with pytest.raises(Refused, match=r"^wire\."):
        opened(changed)


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=200))
def test_no_bytes_are_a_message_by_chance(raw):
    with pytest.raises(Refused, match=r"^wire\."):
        opened(raw)


@settings(max_examples=200, deadline=None)
@given(first=st.sampled_from(SEALED), second=st.sampled_from(SEALED), at=st.integers(0, 400))
def test_two_messages_cannot_be_spliced(first, second, at):
    spliced = first[:at] + second[at:]
    if spliced not in (first, second):
        with pytest.raises(Refused, match=r"^wire\."):
            opened(spliced)
