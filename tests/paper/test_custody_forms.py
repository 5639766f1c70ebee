"""The papers of a device's custody: what stands on them, over as many pages as it takes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pypdfium2

from towncircle.mailpiece.elements import Page, Text
from towncircle.paper.custody_forms import Activity, activity_pages, agreement_pages, receipt_pages
from towncircle.paper.pdf import to_pdf
from towncircle.paper.sheet import lines_of
from towncircle.provider.agreements import CAUTIONS, LEASE_AGREEMENT

TOLD = Activity(
    device=[("Device", "TC1A0000000017"), ("Title", "provider.harbor")],
    events=[("2026-11-23 14:00 UTC", "Installed at the licensee")],
    hand_overs=[("2026-11-23 14:00 UTC", "To the licensee by Registered Mail")],
    registers=[("Ascending register, descending register, pieces", "$1.48, $198.52, 2")],
    check_out=[("Reason", "no longer wanted")],
    amount="$198.52",
    signed="provider.harbor, 2026-11-23 15:00 UTC",
    kept_until="2027-11-23",
)


def text_of(pages: list[Page]) -> list[str]:
    document = pypdfium2.PdfDocument(to_pdf(pages))
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def test_form_3601_c_has_the_amount_in_section_f_and_the_signature_in_section_g() -> None:
    text = " ".join(text_of(activity_pages(TOLD)))
    for said in (
        "Form 3601-C",
        "SPECIMEN",
        "F Balance given back Amount credited to the CMRS account $198.52",
        "G Signature of the Provider Signed provider.harbor, 2026-11-23 15:00 UTC",
        "until 2027-11-23 (502.20(e))",
    ):
        assert said in text, said


def test_a_long_life_takes_more_pages_and_each_has_its_number_and_says_specimen() -> None:
    events = [(f"2026-11-23 14:{minute:02d} UTC", f"Event {minute}") for minute in range(40)]
    pages = activity_pages(replace(TOLD, events=events))
    texts = text_of(pages)
    assert len(pages) == len(texts) > 2
    for number, text in enumerate(texts, start=1):
        assert "SPECIMEN" in text
        assert f"{number} of {len(texts)}" in text
    for minute in range(40):
        assert sum(f"Event {minute} " in f"{text} " for text in texts) == 1


def test_nothing_of_a_page_stands_over_another_or_off_the_sheet() -> None:
    for page in (*activity_pages(TOLD), *agreement_pages("Lease", LEASE_AGREEMENT, [("Licensee", "x")], form="Lease")):
        lines = sorted({element.y for element in page.elements if isinstance(element, Text)})
        assert min(lines) > 0
        assert all(upper - lower >= 7_000 for lower, upper in pairwise(lines))


def test_a_lease_holds_the_cautions_and_a_receipt_both_hands() -> None:
    (lease,) = text_of(agreement_pages("Lease", LEASE_AGREEMENT, [("Licensee", "licensee.mailroom")], form="Lease"))
    for line in CAUTIONS.splitlines():
        assert " ".join(line.split()) in lease
    (receipt,) = text_of(receipt_pages("Hand-over", {"Given by": "provider.harbor", "Received by": "not yet"}))
    assert "Given by provider.harbor Received by not yet" in receipt


def test_a_line_is_never_wider_than_asked_and_loses_no_word() -> None:
    lines = lines_of(LEASE_AGREEMENT, size=9_000, most=200_000)
    assert " ".join(lines) == " ".join(LEASE_AGREEMENT.split())
    broken = lines_of("a" * 200, size=9_000, most=200_000)
    assert len(broken) > 1
    assert "".join(broken) == "a" * 200
