"""Properties of symbols: any bytes come back, any digits come back, any bars are a value or a typed error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towncircle.kernel.errors import BadInput
from towncircle.symbol import data_matrix, imb, pdf417, read


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=130), st.sampled_from([pdf417, data_matrix]))
def test_any_bytes_come_back_from_a_clean_symbol(payload: bytes, make) -> None:
    (found,) = read(make(payload).image(dots=4))
    assert found.payload == payload


@settings(max_examples=100, deadline=None)
@given(
    st.from_regex(r"[0-9][0-4][0-9]{18}", fullmatch=True),
    st.sampled_from([0, 5, 9, 11]).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n)),
)
def test_any_digits_come_back_from_an_intelligent_mail_barcode(tracking: str, routing: str) -> None:
    found = imb.decode(imb.encode(tracking, routing))
    assert (found.tracking, found.routing) == (tracking, routing)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=70), st.text("ADFT", min_size=65, max_size=65)))
def test_any_other_bars_are_a_typed_error(bars: str) -> None:
    with pytest.raises(BadInput):
        imb.decode(bars)
