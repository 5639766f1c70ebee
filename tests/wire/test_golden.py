"""The golden bytes of every message type, and the message page."""

from pathlib import Path

import pytest
from tests.wire.golden import AUDIENCE, KEY, NOW, SENDER, SPECIMENS, file_of, sealed

from towncircle.wire.directory import Keyring
from towncircle.wire.message import unseal
from towncircle.wire.page import wire_page
from towncircle.wire.registry import all_types, type_of


def named(body):
    return type(body).__name__


def test_every_message_type_has_its_specimen():
    assert {type_of(body) for body in SPECIMENS} == set(all_types())
    numbers = [
        *range(1, 7),
        *range(20, 27),
        *range(40, 67),
        *range(70, 78),
        *range(80, 84),
        *range(90, 99),
        *range(100, 108),
        *range(110, 129),
        *range(130, 140),
        *range(140, 149),
        *range(160, 170),
        174,
        *range(178, 181),
        182,
        *range(184, 188),
        *range(189, 192),
        *range(197, 199),
        *range(204, 211),
        215,
    ]
    assert list(dict.fromkeys(kind.number for kind in all_types())) == numbers
    later = {kind.name: kind.version for kind in all_types() if kind.version > 1}
    assert later == {
        "ArtDecided": 3,
        "ArtSubmitted": 2,
        "ArtSupplied": 2,
        "Authorise": 2,
        "DepositOrder": 2,
        "PublishedPack": 5,
        "Renewal": 2,
    }


@pytest.mark.parametrize("body", SPECIMENS, ids=named)
def test_the_golden_bytes_are_what_is_written_today_and_read_back(body):
    golden = bytes.fromhex(file_of(body).read_text())
    assert sealed(body) == golden
    keys = Keyring()
    keys.add(SENDER, KEY.public, since=NOW)
    opened = unseal(golden, audience=AUDIENCE, now=NOW, directory=keys)
    assert opened.body == body
    assert type(opened.body) is type(body)
    assert (opened.envelope.counter, opened.envelope.in_reply_to) == (17, "MSG-222222222222")


def test_the_message_page_is_the_one_that_the_registry_gives():
    page = Path(__file__).parents[2] / "docs" / "wire.md"
    assert page.read_text() == wire_page(), "write it: python -m tests.wire.test_golden"


if __name__ == "__main__":
    (Path(__file__).parents[2] / "docs" / "wire.md").write_text(wire_page())
