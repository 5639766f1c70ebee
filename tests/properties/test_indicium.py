"""Properties of the codec: any bytes, any fields."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from towncircle.indicium import decode, encode_content, join, layouts
from towncircle.kernel.errors import BadInput

_STARTS = [bytes([version]) for item in layouts() for version, _ in item.chosen_by] + [b"DEA", b"JGB ", b""]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_STARTS), st.binary(max_size=140))
def test_any_bytes_give_a_value_or_a_typed_error(start: bytes, rest: bytes) -> None:
    try:
        decoded = decode(start + rest)
    except BadInput:
        return
    assert decoded.content + decoded.signature + decoded.trailing == start + rest


def _value(field) -> st.SearchStrategy[object]:
    return {
        "uint": st.integers(0, 256**field.length - 1),
        "mills": st.integers(0, 256**field.length - 1),
        "date": st.dates().map(date.isoformat),
        "days": st.dates(date(1998, 1, 1), date(2177, 6, 5)).map(date.isoformat),
        "zip": st.integers(0, 99_999).map("{:05d}".format),
        "ascii": st.just("P"),
        "category": st.binary(min_size=4, max_size=4).map(bytes.hex),
        "routing": st.sampled_from([0, 5, 9, 11]).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n)),
        "bytes": st.binary(min_size=field.length, max_size=field.length).map(bytes.hex),
    }[field.encoding]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(layouts()))
def test_what_is_encoded_decodes_to_the_same_bytes_and_fields(data: st.DataObject, item) -> None:
    fixed = {"version": item.version, "vendor": "TC", "model": "1A", "vendor_model": next(iter(item.vendor_models), 0)}
    fields = {
        field.name: fixed.get(field.name) or data.draw(_value(field), label=field.name) for field in item.content_fields
    }
    content = encode_content(item, fields)
    decoded = decode(join(content, bytes(item.signature_field.length)))
    again = {name: value for name, value in decoded.fields.items() if name in fields}
    assert encode_content(item, again) == content
    assert {**again, "category": ""} == {**fields, "category": ""}
