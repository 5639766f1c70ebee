"""Papers of decisions, notices and custody: what everybody was told, in ink, as their records have it."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest
from tests.conformance.test_parties import decided, form
from tests.journeys.stories import ANNEX, MAILROOM, refused
from tests.parties.hand import Hand

from towncircle.kernel.ids import NoticeId
from towncircle.kernel.instants import Instant
from towncircle.provider import defects
from towncircle.wire.bodies import Notice
from towncircle.world import custody, licensing
from towncircle.world.config import POSTAL
from towncircle.world.custody_papers import write_papers
from towncircle.world.journeys import Journeys
from towncircle.world.missing import at_provider
from towncircle.world.notice_papers import write_decisions, write_notices
from towncircle.world.notices import Kept, fetch_all, notices_of
from towncircle.world.world import World


def texts_of(files: list[Path]) -> dict[str, str]:
    return {path.name: text_of(path) for path in files}


def text_of(path: Path) -> str:
    pages = pypdfium2.PdfDocument(path.read_bytes())
    return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in pages)


def test_a_revocation_its_appeal_and_the_decision_are_papers_and_the_notices_too(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    number = licensing.held(journeys).key
    with refused("license.no-notice"):
        write_decisions(world, number, tmp_path)
    licensing.revoke(world, number, {"control": "Стояло open."}, by="mats")
    told = licensing.ask_standing(journeys, number)
    assert told.appeal_by
    docket = licensing.appeal(journeys, about=number, reasons="It was locked.").docket
    licensing.decide(world, docket, reverse=False, reasons="It stood open all the same.", by="olaf")
    papers = texts_of(write_decisions(world, number, tmp_path / "a", licensee=MAILROOM, appeal_by=told.appeal_by))
    notice = papers["notice-of-revocation.pdf"]
    assert f"SPECIMEN Decision RVK-{number}-1 To {MAILROOM} By {POSTAL}, the licensing post office at" in notice
    assert f"An appeal may be filed by {told.appeal_by}" in notice
    assert "?????? open. [P050 2.3(c)]" in notice
    assert "within 10 days of receiving this notice (P050 2.4)" in notice
    decision = papers[f"appeal-{docket}-decision.pdf"]
    assert f"By {POSTAL}, the Manager, MTM" in decision
    assert "Reasons of the appeal It was locked. Reasons of the decision It stood open all the same." in decision
    assert "the decision is upheld" in decision
    assert "the rule gives an appeal under P050 2.4 no stay" in papers[f"appeal-{docket}.pdf"]
    with refused("license.unknown"):
        write_decisions(world, number, tmp_path, licensee=ANNEX)
    fetch_all(world)
    kept = notices_of(world, MAILROOM)
    files = write_notices(world, kept, tmp_path / "n")
    assert [path.name for path in files] == [f"notice-{one.notice.reference}.pdf" for one in kept]
    assert f"Decision {docket}" in text_of(files[-1])


def test_a_refused_applicant_gets_every_ground_on_paper(world: World, hand: Hand, tmp_path: Path) -> None:
    licensing.caution(world, MAILROOM, by="mats")
    asked = form(hand, zip="10001", state="NY", office_zip="10001", office_city="NEW YORK", office_state="NY")
    grounds = decided(hand, asked).grounds
    (path,) = write_decisions(world, asked.application_id, tmp_path)
    assert path.name == "notice-of-refusal.pdf"
    assert grounds
    for ground in grounds:
        assert f"{ground.sentence} [{ground.clause}]" in text_of(path)


@pytest.mark.parametrize(("kind", "words"), [("notice", "Was to be done before"), ("reminder", "To be done before")])
def test_the_notice_of_a_limit_says_until_when_as_the_post_office_counts(
    world: World, journeys: Journeys, tmp_path: Path, kind: str, words: str
) -> None:
    notice = Notice(
        reference=NoticeId.derived("a"),
        kind=kind,  # type: ignore[arg-type]  # one of two
        limit="quality-piece",
        duty="a duty",
        about=journeys.device,
        title="forward a mailpiece",
        says="Missed: resets are denied.",
        clause="502.26",
        until=Instant.parse("2027-01-01T05:00:00Z"),
    )
    kept = Kept(party=MAILROOM, giver="provider.harbor", notice=notice, at=Instant.parse("2027-01-02T15:00:00Z"))
    (path,) = write_notices(world, [kept], tmp_path)
    text = text_of(path)
    for said in ("Under 502.26", f"{words} 2027-01-01 00:00 EST", "Received 2027-01-02 10:00 EST", notice.says):
        assert said in text, said


def test_the_inspectors_receipt_and_the_malfunction_of_a_device_are_among_its_papers(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    device = journeys.device
    custody.report_defect(journeys, device, kind="misregistering", details="The register did not move.")
    at_provider(world, device, lambda ctx: defects.retrieve(ctx, device=device, reference="bench-7"))
    told = {"fault": "A sensor failed.", "remedy": "withdrawn", "reference": "bench-8"}
    at_provider(world, device, lambda ctx: defects.examine(ctx, device=device, **told))
    custody.order_removal(world, device, reason="It is suspect.", condition="", by="mats")
    assert "Ordered by" in texts_of(write_papers(world, device, tmp_path / "a"))["removal-order.pdf"]
    custody.order_removal(world, device, reason="It is suspect.", condition="The seal is whole.", by="mats")
    papers = texts_of(write_papers(world, device, tmp_path / "b"))
    assert (
        "Condition The seal is whole. Taken along by postal.usps, an inspector, 20" in papers["inspector-receipt.pdf"]
    )
    notice, report = (text for name, text in papers.items() if name.startswith("malfunction-"))
    assert "D What was seen Kind misregistering The register did not move." in notice
    assert "A sensor failed. E What was done Remedy withdrawn Examination, reference bench-8" in report
