"""The codec of indicia: real bytes, cut bytes, foreign bytes, and our own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.indicium.samples import FIELDS, content_of

from towncircle.indicium import decode, encode_content, join, layout, layouts
from towncircle.kernel.errors import BadInput

DATA = Path(__file__).parent.parent / "data"
DUMP_A = bytes.fromhex((DATA / "ibi_dump_a.hex").read_text())


def test_a_real_indicium_of_2010_decodes_to_its_known_values() -> None:
    decoded = decode(DUMP_A)
    assert decoded.layout == "ibi-full"
    assert decoded.missing == ()
    assert decoded.trailing.hex() == "95e62069c775010000"
    assert {name: decoded.fields[name] for name in decoded.fields if name != "signature"} == {
        "version": 0x50,
        "algorithm": 1,
        "certificate_serial": 817372,
        "vendor": "07",
        "model": "1V",
        "psd_serial": 552023,
        "ascending_mills": 338_313_184_890,
        "postage_mills": 10_200,
        "date": "2010-10-02",
        "origin_zip": "20260",
        "software_id": "6749",
        "product_data": "6d1500b5c300000000",
        "descending_mills": 36_815_110,
        "category": "b90290d0",
    }
    assert decoded.signature == DUMP_A[49:89]
    assert decoded.device == "071V0000552023"


def test_a_dump_cut_short_tells_what_is_there_and_names_what_is_missing() -> None:
    decoded = decode(DUMP_A[:30])
    assert decoded.fields["origin_zip"] == "20260"
    assert decoded.missing == ("software_id", "product_data", "descending_mills", "category", "signature")
    assert decoded.as_dict()["missing"] == list(decoded.missing)


def test_a_signature_cut_short_is_missing_but_its_bytes_are_kept() -> None:
    decoded = decode(DUMP_A[:80])
    assert decoded.missing == ("signature",)
    assert len(decoded.signature) == 31


def test_another_vendor_uses_version_5_with_a_printable_category() -> None:
    payload = bytearray(DUMP_A[:89])
    payload[0:1], payload[6:10], payload[45:49] = b"\x05", b"062S", b"8034"
    assert decode(bytes(payload)).fields["category"] == "8034"


@pytest.mark.parametrize("item", layouts(), ids=lambda item: item.id)
def test_every_layout_gives_back_what_was_put_in(item) -> None:
    content = content_of(item.id)
    signature = bytes(range(item.signature_field.length))
    decoded = decode(join(content, signature))
    assert decoded.layout == item.id
    assert decoded.scheme == item.scheme
    assert (decoded.content, decoded.signature, decoded.missing) == (content, signature, ())
    assert {name: decoded.fields[name] for name in FIELDS[item.id]} == FIELDS[item.id]
    assert decoded.device in {"TC1A0000000017", "TC1B0000000017"}


@pytest.mark.parametrize("item", layouts(), ids=lambda item: item.id)
def test_the_packer_of_the_hot_loop_gives_the_same_bytes(item) -> None:
    given = {"version": item.version, "algorithm": item.algorithm, **FIELDS[item.id]}
    row = [item.raw(field.name, given[field.name]) for field in item.content_fields]
    assert item.packer()(*row) == content_of(item.id)


def test_the_packer_refuses_what_does_not_fit() -> None:
    item = layout("imi-std")
    given = {"version": item.version, "algorithm": item.algorithm, **FIELDS["imi-std"]}
    row = [item.raw(field.name, given[field.name]) for field in item.content_fields]
    at = [field.name for field in item.content_fields]
    for name, bad in (("ascending_mills", 2**40), ("postage_mills", -1), ("category", b"abc"), ("piece_count", 2**32)):
        wrong = [*row]
        wrong[at.index(name)] = bad
        with pytest.raises(BadInput, match=r"indicium\.unpackable"):
            item.packer()(*wrong)
    with pytest.raises(BadInput, match=r"indicium\.unpackable"):
        item.packer()(*row[:-1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("postage_mills", 2**24),
        ("postage_mills", -1),
        ("postage_mills", True),
        ("postage_mills", "780"),
        ("ascending_mills", 2**40),
        ("date", "20261121"),
        ("date", "2026-02-30"),
        ("origin_zip", "2026"),
        ("origin_zip", 20260),
        ("vendor", "TCX"),
        ("category", ""),
        ("category", "TOOLONG"),
        ("software_id", b"1"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_field_and_limits(name: str, value: object) -> None:
    with pytest.raises(BadInput) as caught:
        encode_content(layout("ibi-full"), {**FIELDS["ibi-full"], name: value})
    assert caught.value.code == "indicium.field-out-of-range"
    assert name in caught.value.sentence


def test_a_date_object_is_as_good_as_its_text() -> None:
    fields = {**FIELDS["imi-std"], "date": date(2026, 11, 21)}
    assert encode_content(layout("imi-std"), fields) == content_of("imi-std")


def test_missing_and_unknown_fields_are_named() -> None:
    fields = dict(FIELDS["imi-min"])
    with pytest.raises(BadInput, match=r"indicium\.field-unknown"):
        encode_content(layout("imi-min"), {**fields, "ascending_mills": 1})
    del fields["date"]
    with pytest.raises(BadInput, match=r"indicium\.field-missing"):
        encode_content(layout("imi-min"), fields)


def test_a_version_byte_of_another_layout_is_refused() -> None:
    with pytest.raises(BadInput, match=r"indicium\.version-not-of-layout"):
        encode_content(layout("imi-std"), {**FIELDS["imi-std"], "version": 0x98})


def test_a_signature_of_the_wrong_length_is_not_joined() -> None:
    with pytest.raises(BadInput, match=r"indicium\.signature-length"):
        join(content_of("imi-std"), bytes(63))


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "indicium.empty"),
        (b"\x00" * 89, "indicium.unknown-version"),
        (b"\xa2\x03" + bytes(100), "indicium.unknown-vendor"),
        (b"\x99" + bytes(19), "indicium.unknown-vendor"),
        (DUMP_A[:22] + b"\xff\xff\xff\xff" + DUMP_A[26:], "indicium.field-unreadable"),
        (DUMP_A[:26] + b"\xff\xff\xff\xff" + DUMP_A[30:], "indicium.field-unreadable"),
        (bytes([0x50]) * 5000, "indicium.too-long"),
    ],
)
def test_bytes_that_are_no_indicium_are_a_typed_error(payload: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode(payload)
    assert caught.value.code == code


def test_a_mark_of_deutsche_post_is_named_with_its_franking_type() -> None:
    payload = b"DEA" + bytes.fromhex(
        "03" + "17" + "0102030405" + "00" + "50" + "0c8a" + "0001" + "00002a" + "00" + "0000"
    )
    decoded = decode(payload)
    assert decoded.foreign == "Deutsche Post, Frankit"
    assert (decoded.fields["euros"], decoded.fields["cents"], decoded.fields["item_number"]) == (0, 80, 42)
    assert decoded.fields["date"] == "2010-02-01"
    assert (decoded.scheme, decoded.device) == ("", None)


def test_a_stamp_of_deutsche_post_with_matrix_code_is_named() -> None:
    assert decode(b"DEA\x35" + bytes(43)).foreign == "Deutsche Post, stamp with matrix code (2021 and later)"
    assert decode(b"DEA").missing[0] == "franking_type"


def test_a_mailmark_of_royal_mail_is_named() -> None:
    decoded = decode(b"JGB 011123456712345678CWC1A1A    0             ")
    assert decoded.foreign == "Royal Mail, Mailmark"
    assert decoded.as_dict()["layout"] == "royal-mail-mailmark"
    assert decoded.fields["item_id"] == "12345678"


def test_an_unknown_layout_is_a_typed_error_and_a_device_without_code_too() -> None:
    with pytest.raises(BadInput, match=r"indicium\.no-such-layout"):
        layout("ibi-huge")
    assert layout("imi-min").vendor_model_of("TC1A0000000017") == 0x1A
    with pytest.raises(BadInput, match=r"indicium\.vendor-model-unknown"):
        layout("imi-min").vendor_model_of("XX1A0000000017")
