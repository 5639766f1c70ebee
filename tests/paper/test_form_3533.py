"""Form 3533 as a page and as a file: they say the same, and a changed total is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pypdfium2
import pytest

from towncircle.kernel.errors import BadInput
from towncircle.paper.form_3533 import Line, Note, Voucher, pages, read_file, to_file
from towncircle.paper.pdf import to_pdf

VOUCHER = Voucher(
    refund="RFD-7K3MQ9ZX2RTB",
    state="credited",
    licensee="licensee.mailroom",
    license="20260-000001",
    device="TC1A0000000017",
    provider="provider.harbor",
    lines=(
        Line(value_mills=740, claimed=2, qualifying=1, total_mills=740),
        Line(value_mills=1_070, claimed=3, qualifying=3, total_mills=3_210),
    ),
    notes=(Note(piece=2, code="used.mailed", sentence="First scanned somewhere.", clause="502.27(a)"),),
    share=90,
    amount_mills=3_555,
    claimed_by="dora",
    claimed_at="2026-11-21T15:04:05.000006Z",
    scanned_by="ann",
    certified_by="ben",
    certified_at="2026-11-22T15:04:05Z",
    decided_by="mats",
    kept_until="2027-01-06",
    zone="America/Chicago",
)


def text_of(voucher: Voucher) -> list[str]:
    document = pypdfium2.PdfDocument(to_pdf(pages(voucher)))
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def test_the_page_shows_groups_totals_annotations_and_persons() -> None:
    (text,) = text_of(VOUCHER)
    for said in (
        *("$0.74 2 1 $0.74", "$1.07 3 3 $3.21", "All groups 5 4 $3.95", "90 percent of it $3.555"),
        *(
            "rounded half up to the mill",
            "Amount of the refund $3.555",
            "Piece 2: First scanned somewhere. (502.27(a))",
        ),
        *("Scanned by ann", "Certified by ben On 2026-11-22 09:04 CST", "Decided by mats", "SPECIMEN"),
        "kept through 2027-01-06",
    ):
        assert said in text, said
    assert "percent" not in text_of(replace(VOUCHER, share=100))[0]


def test_many_annotations_go_on_over_further_pages_and_every_line_stays_on_the_sheet() -> None:
    notes = tuple(replace(VOUCHER.notes[0], piece=number, sentence="Words " * 40) for number in range(1, 60))
    made = list(pages(replace(VOUCHER, notes=notes)))
    assert len(made) > 2
    assert all(page.form.sheet.contains(box) for page in made for _, box in page.boxed)
    text = " ".join(text_of(replace(VOUCHER, notes=notes)))
    assert all(f"Piece {number}: " in text for number in range(1, 60))


def test_the_file_says_what_the_form_says() -> None:
    assert read_file(to_file(VOUCHER), path="form.json") == VOUCHER


def _line(record: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = record["form"]["lines"][0]
    return line


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a word": (lambda record: record["form"].update(licensee="licensee.annex"), "refund.file-changed"),
    "an amount": (lambda record: record["form"].update(amount_mills=9), "refund.file-changed"),
    "a control total": (lambda record: record["control"].update(pieces=9), "refund.file-changed"),
    "a group": (lambda record: _line(record).update(total_mills=9), "refund.file-changed"),
    "another version": (lambda record: record.update(version=2), "refund.file-unreadable"),
    "a key gone": (lambda record: record["form"].pop("share"), "refund.file-unreadable"),
    "no control": (lambda record: record.pop("control"), "refund.file-unreadable"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_file_is_refused(name: str) -> None:
    change, code = CHANGES[name]
    record = json.loads(to_file(VOUCHER))
    change(record)
    with pytest.raises(BadInput) as caught:
        read_file(json.dumps(record).encode(), path="form.json")
    assert caught.value.code == code


def test_groups_that_do_not_multiply_are_refused_also_under_a_right_digest() -> None:
    wrong = replace(VOUCHER, lines=(replace(VOUCHER.lines[0], total_mills=741), VOUCHER.lines[1]))
    with pytest.raises(BadInput, match=r"the group of \$0\.74"):
        read_file(to_file(wrong), path="form.json")
    for data in (b"", b"[]", b"no json", b'{"format": 1}'):
        with pytest.raises(BadInput, match="is not a Form 3533 file"):
            read_file(data, path="form.json")
