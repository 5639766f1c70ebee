"""What an officer observed of a piece is read whole, from arguments and rows alike, or refused."""

from __future__ import annotations

import argparse

import pytest

from towncircle.cli import verify
from towncircle.kernel.errors import BadInput
from towncircle.kernel.money import Mills
from towncircle.world.observing import seen


def observed(*words: str) -> object:
    parser = argparse.ArgumentParser()
    verify.arguments(parser)
    return verify.observed(parser.parse_args(list(words)))


def test_zone_services_and_value_are_read_from_arguments_and_rows() -> None:
    told = {"weight": "3lb", "zone": "5", "extras": "certified; insurance", "value": "$50"}
    row = seen(told)
    assert row == {
        "weight_tenths": 480,
        "zone": "5",
        "extras": ("certified", "insurance"),
        "declared_value": Mills.dollars(50),
    }
    words = ("--weighed", "3lb", "--zone", "5", "--extra", "certified", "--extra", "insurance", "--value", "50")
    found = observed(*words)
    assert {name: getattr(found, name) for name in row} == row
    assert seen({"extras": "none"}) == {"extras": ()}  # a row without services, whatever was said of all


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--zone", "10"), "rates.unknown-zone"),
        (("--zone", ""), "rates.unknown-zone"),
        (("--extra", "confetti"), "rates.unknown-extra"),
        (("--extra", "certified", "--extra", "certified"), "rates.extra-twice"),
        (("--value", "50"), "rates.value-astray"),
        (("--weighed", "3"), "weight.no-unit"),
    ],
)
def test_what_cannot_be_read_is_refused(words: tuple[str, ...], code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        observed(*words)
    assert refusal.value.code == code
