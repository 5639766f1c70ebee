"""Profiles of printers, and the numbers of pieces as people write them."""

from __future__ import annotations

import pytest

from towncircle.kernel.errors import BadInput
from towncircle.licensee.printers import Printer
from towncircle.licensee.spool import as_text, from_text, numbers, spans

MULTIPLYING = (  # each would make more or fewer of a piece that was paid for once, or another size of it
    *("copies=2", "page-ranges=1-1", "page-set=odd", "number-up=2", "job-hold-until=indefinite", "fit-to-page"),
    *("scaling=150", "print-scaling=fit", "sides=two-sided-long-edge", "Duplex=DuplexNoTumble", "outputorder=reverse"),
    *("raw", "multiple-document-handling=separate-documents-collated-copies", "Copies=2", "media-col=Env10"),
)


OPTIONS = ("media=Custom.4.125x9.5in", "InputSlot=Tray2", "print-quality=5")


def printer(**changes) -> Printer:
    return Printer(**{"name": "desk", "kind": "raw", "address": "10.0.0.9", **changes}).checked()


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("10.0.0.9", ("10.0.0.9", 9100)),
        ("labels.example:9101", ("labels.example", 9101)),
        ("::1", ("::1", 9100)),
        ("[::1]:9102", ("::1", 9102)),
    ],
)
def test_a_raw_address_has_a_host_and_a_port(address: str, where: tuple[str, int]) -> None:
    assert printer(address=address).host_port() == where


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("name", {"name": "Desk"}),
        ("name", {"name": "../desk"}),
        ("address", {"address": ""}),
        ("address", {"address": "-oProxy"}),
        ("address", {"address": "host:0"}),
        ("address", {"address": "host:65536"}),
        ("address", {"address": "host:http"}),
        ("address", {"address": "a b"}),
        ("address", {"kind": "lp", "address": "-d"}),
        ("address", {"kind": "lp", "address": "a/b"}),
        ("address", {"kind": "folder", "address": "relative"}),
        ("address", {"kind": "folder", "address": "/x\n/y"}),
        ("options", {"options": ("media=Custom.4x6in", "-h evil")}),
        ("options", {"options": ("media=$(id)",)}),
        ("options", {"options": ("media",)}),
        *(("options", {"options": ("media=Env10", option)}) for option in MULTIPLYING),
        ("dpi", {"dpi": 301}),
        ("shift", {"shift_x": 36_001}),
        ("scale", {"scale_y": 949_999}),
        ("language", {"language": "pcl"}),
    ],
)
def test_what_is_no_printer_is_bad_input_that_names_the_part(part: str, changes: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=r"printer\.unfit") as caught:
        printer(**changes)
    assert f"no {part} of a printer" in caught.value.sentence


def test_limits_of_shift_and_scale_hold() -> None:
    assert printer(shift_x=-36_000, shift_y=36_000, scale_x=950_000, scale_y=1_050_000)
    assert printer(kind="lp", address="Envelopes_2", options=OPTIONS)


@pytest.mark.parametrize(("text", "held"), [("1", [1]), ("1-3, 5", [1, 2, 3, 5]), ("7-7", [7])])
def test_numbers_of_pieces_are_written_as_people_do(text: str, held: list[int]) -> None:
    assert list(from_text(text)) == held
    assert numbers(spans(held)) == held
    assert as_text(spans(held)).replace(" ", "") in (text.replace(" ", ""), "7")


@pytest.mark.parametrize("text", ["", "a", "1,,2", "3-1", "-1", "1-9999999", "1--2"])
def test_what_is_no_number_of_pieces_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput, match=r"cli\.pieces-unreadable"):
        from_text(text)
