"""One value has one encoding, and every other one is refused."""

import cbor2
import pytest

from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.wire import cbor


def nested(depth: int):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (256, "190100"),
        (2**32, "1b0000000100000000"),
        (2**64 - 1, "1bffffffffffffffff"),
        (-1, "20"),
        (-(2**64), "3bffffffffffffffff"),
        (b"", "40"),
        ("ü", "62c3bc"),
        ([1, [True, False, None]], "820183f5f4f6"),
        ({}, "a0"),
    ],
)
def test_a_value_has_its_shortest_encoding_and_reads_back(value, encoded):
    assert cbor.encode(value).hex() == encoded
    assert cbor.decode(bytes.fromhex(encoded)) == value
    assert cbor2.loads(bytes.fromhex(encoded)) == value


def test_map_keys_are_ordered_by_their_bytes_as_rfc_8949_orders_them():
    # the example of RFC 8949 4.2.1, without its keys of other types
    value = {"aa": 6, 100: 2, -1: 3, "z": 5, 10: 1}
    assert cbor.encode(value).hex() == "a5" + "0a01" + "186402" + "2003" + "617a05" + "62616106"
    assert cbor2.dumps(value, canonical=True) != cbor.encode(value)  # the older order, by length first
    assert list(cbor.decode(cbor.encode(value))) == [10, 100, -1, "z", "aa"]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "ends too early"),
        ("0000", "follow the end"),
        ("1801", "longer than needed"),
        ("190018", "longer than needed"),
        ("1a0000ffff", "longer than needed"),
        ("1b00000000ffffffff", "longer than needed"),
        ("3800", "longer than needed"),
        ("580141", "longer than needed"),
        ("780161", "longer than needed"),
        ("980100", "longer than needed"),
        ("b8010101", "longer than needed"),
        ("1c", "reserved"),
        ("5f4100ff", "indefinite"),
        ("7f6161ff", "indefinite"),
        ("9f01ff", "indefinite"),
        ("bf0101ff", "indefinite"),
        ("f90000", "float"),
        ("fa00000000", "float"),
        ("fb0000000000000000", "float"),
        ("f7", "simple"),
        ("f800", "simple"),
        ("e0", "simple"),
        ("c001", "tag"),
        ("d81801", "tag"),
        ("a201010102", "duplicate"),
        ("a202010102", "out of order"),
        ("a26161016101", "out of order"),
        ("a1410101", "map key"),
        ("a1f501", "map key"),
        ("a1f601", "map key"),
        ("a1800101", "deeper than 8"),
        ("61ff", "UTF-8"),
        ("4201", "ends too early"),
        ("9b00ffffffffffffff00", "ends too early"),
        ("bb00ffffffffffffff0000", "ends too early"),
        ("1900", "ends too early"),
    ],
)
def test_every_other_form_is_malformed_and_says_why(raw, why):
    with pytest.raises(Refused, match=r"wire\.malformed") as caught:
        cbor.decode(bytes.fromhex(raw))
    assert why in caught.value.sentence


def test_nesting_is_read_to_a_depth_of_eight():
    assert cbor.decode(cbor.encode(nested(8))) == nested(8)
    with pytest.raises(Refused, match="deeper than 8"):
        cbor.decode(cbor2.dumps(nested(9)))
    with pytest.raises(BrokenInvariant, match="deeper than 8"):
        cbor.encode(nested(9))


def test_input_is_read_up_to_its_limit():
    raw = cbor.encode(b"x" * 97)
    assert len(raw) == 99
    assert cbor.decode(raw, limit=99) == b"x" * 97
    with pytest.raises(Refused, match=r"wire\.too-large"):
        cbor.decode(raw, limit=98)


@pytest.mark.parametrize("value", [1.0, 2**64, -(2**64) - 1, {1.5: 1}, {True: 1}, {b"k": 1}, object(), {1, 2}])
def test_what_has_no_place_in_a_message_cannot_be_written(value):
    with pytest.raises(BrokenInvariant, match=r"wire\.cannot-encode"):
        cbor.encode(value)
