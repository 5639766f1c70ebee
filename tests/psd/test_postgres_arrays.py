"""Packed columns reach PostgreSQL as the values they were made of."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from towncircle.psd import postgres_arrays as arrays

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=1100)


def test_columns_come_back_as_they_were_packed(databases: Callable[[], str]) -> None:
    import psycopg

    with psycopg.connect(databases(), autocommit=True) as connection:
        arrays.register(connection)

        @settings(max_examples=60, deadline=None)
        @given(
            st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40),
            st.lists(st.integers(-(2**31), 2**31 - 1), max_size=40),
            st.lists(TEXT, max_size=8),
            st.lists(st.none() | st.binary(max_size=1100), max_size=8),
        )
        def check(longs: list[int], shorts: list[int], words: list[str], parts: list[bytes | None]) -> None:
            packed = (arrays.bigints(longs), arrays.integers(shorts), arrays.texts(words), arrays.byteas(parts))
            row = connection.execute("SELECT %b, %b, %b, %b", packed, binary=True).fetchone()
            assert row == (longs, shorts, words, parts)

        check()
