"""Every limit of the shipped rule sets rests on facts that the program records, in the journal that the limit names."""

from __future__ import annotations

from tools.limits_page import unrecorded


def test_no_limit_rests_on_a_fact_that_nobody_records() -> None:
    assert unrecorded() == []
