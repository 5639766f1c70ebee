"""The duties of P050 2.0 after a license was applied for: each is broken, and the refusal names it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pypdfium2
import pytest
from tests.conformance.breaking import answered, grounded, names, refused
from tests.conformance.test_parties import decided, form, lease
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, SUMMIT, new_world, officers, reopened
from tests.parties.hand import POSTAL, Hand

from towncircle.auditor import audit
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.mailpiece.address_files import public_addresses
from towncircle.provider.missing import police
from towncircle.wire import bodies
from towncircle.world import licensing, missing, returning
from towncircle.world.exporting import export
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.license_papers import write_forms
from towncircle.world.notices import fetch_all, notices_of
from towncircle.world.printing import print_job
from towncircle.world.world import World

TEN = "10d"


def number_of(world: World, licensee: str = MAILROOM) -> str:
    with world.store(POSTAL).reading() as view:
        return [row.key for row in view.find("license", owner=licensee) if row.body["state"] == "valid"][-1]


def in_new_york(hand: Hand, **changes: str) -> bodies.LicenseApplication:
    office = {"office_zip": "10001", "office_city": "NEW YORK", "office_state": "NY"}
    return form(hand, **{"zip": "10001", "state": "NY", **office, **changes})


def revoked(world: World, **grounds: str) -> str:
    number = number_of(world)
    named = {name.replace("_", "-"): text for name, text in grounds.items()} or {"control": "It stood open."}
    licensing.revoke(world, number, named, by="mats")
    return number


def facts(world: World, party: str, kind: str) -> list[dict[str, object]]:
    with world.store(party).reading() as view:
        return [dict(fact.body) for fact in view.facts() if fact.type == kind]


def clean(world: World, out: Path) -> None:
    assert export(world, out).quiet
    assert [str(one) for one in audit(out).differences] == []


# ---- revocation


@pytest.mark.requirement("P050-2.3a", ground="illegal-use")
@pytest.mark.requirement("P050-2.3c", ground="control")
@pytest.mark.requirement("P050-2.3d", ground="abroad")
@pytest.mark.requirement("P050-2.3e", ground="other-office")
@pytest.mark.requirement("502.20h/1")
@pytest.mark.parametrize(
    ("ground", "row"),
    [
        ("illegal-use", "P050-2.3a"),
        ("control", "P050-2.3c"),
        ("abroad", "P050-2.3d"),
        ("other-office", "P050-2.3e"),
    ],
)
def test_a_license_revoked_on_a_found_ground_ends_resets_at_once(
    world: World, journeys: Journeys, ground: str, row: str
) -> None:
    journeys.deposit(Mills.dollars(50))
    number = number_of(world)
    with pytest.raises(BadInput):
        licensing.revoke(world, number, {ground: " "}, by="mats")
    with refused("P050-2.3a", "license.no-such-ground"):
        licensing.revoke(world, number, {"whim": "today"}, by="mats")
    licensing.revoke(world, number, {ground: "It was seen."}, by="mats")
    with refused(row, "license.lease-cancelled"):
        journeys.reset(Mills.dollars(10))
    with refused(row, "license.not-valid"):
        licensing.revoke(world, number, {ground: "Again."}, by="mats")


@pytest.mark.requirement("P050-2.3d")
def test_a_device_abroad_is_no_ground_while_an_authorization_is_in_force(world: World, tmp_path: Path) -> None:
    number, ground = number_of(world), {"abroad": "In Lyon."}
    today = world.clock.now().date_in("America/New_York")
    with refused("P050-2.3d", "license.permit-ended"):
        licensing.permit(world, number, "abroad", "ABROAD-1", today - timedelta(days=1), by="mats")
    with refused("P050-2.3d", "license.no-such-permit"):
        licensing.permit(world, number, "moon", "ABROAD-1", today, by="mats")
    with pytest.raises(Refused) as unknown:
        licensing.permit(world, number, "abroad", "ABROAD-1", today, by="nobody")
    assert unknown.value.code == "person.unknown"
    licensing.permit(world, number, "abroad", "ABROAD-1", today + timedelta(days=30), by="mats")
    with refused("P050-2.3d", "license.permitted"):
        licensing.revoke(world, number, ground, by="mats")
    licensing.end_permit(world, number, "abroad", by="mats")
    with refused("P050-2.3d", "license.no-permit"):
        licensing.end_permit(world, number, "abroad", by="mats")
    licensing.permit(world, number, "abroad", "ABROAD-2", today, by="mats")
    world.clock.advance("2d")  # the authorization has ended by its own date
    licensing.revoke(world, number, ground, by="mats")
    with refused("P050-2.3d", "license.not-valid"):
        licensing.permit(world, number, "abroad", "ABROAD-3", today + timedelta(days=9), by="mats")
    clean(world, tmp_path / "export")


@pytest.mark.requirement("P050-2.3b")
def test_a_device_that_was_not_audited_is_a_ground_only_when_the_register_shows_it(
    world: World, journeys: Journeys
) -> None:
    number = number_of(world)
    world.clock.advance("3mo")
    with refused("P050-2.3b", "license.ground-not-shown"):  # the last day is not over
        licensing.revoke(world, number, {"not-reset": "It is said."}, by="mats")
    world.clock.advance("1d")
    licensing.revoke(world, number, {"not-reset": ""}, by="mats")
    told = licensing.ask_standing(journeys)
    assert [ground.clause for ground in told.grounds] == ["P050 2.3(b)"]
    assert str(world.device_of(MAILROOM)) in told.grounds[0].sentence


@pytest.mark.requirement("P050-2.3f")
def test_a_missing_quality_piece_is_a_ground_only_when_it_was_reported(world: World, journeys: Journeys) -> None:
    number = number_of(world)
    with refused("P050-2.3f", "license.ground-not-shown"):
        licensing.revoke(world, number, {"no-quality-piece": "It is said."}, by="mats")
    with refused("P050-2.3f", "license.nothing-to-decline"):
        licensing.decline(world, number, "none", by="mats")
    world.desk(POSTAL).perform(
        lambda ctx: ctx.note("quality.noncompliance-reported", number, provider=HARBOR), actor=POSTAL
    )
    licensing.revoke(world, number, {"no-quality-piece": ""}, by="mats")
    assert [ground.clause for ground in licensing.ask_standing(journeys).grounds] == ["P050 2.3(f)"]
    with pytest.raises(Refused):
        licensing.decline(world, number, "too late", by="mats")


@pytest.mark.requirement("P050-2.3g/1")
def test_the_licensee_gets_the_notice_and_nobody_else(world: World, journeys: Journeys, hand: Hand) -> None:
    number = revoked(world, control="It stood open.", abroad="In Lyon.")
    told = licensing.ask_standing(journeys)
    assert (told.state, told.decision) == ("revoked", f"RVK-{number}-1")
    assert [ground.clause for ground in told.grounds] == ["P050 2.3(c)", "P050 2.3(d)"]
    query = bodies.LicenseStandingQuery(about=number)
    answered(hand.say(ANNEX, POSTAL, query), "P050-2.3g", "license.unknown")
    licensing.ask_standing(journeys)
    assert len(facts(world, POSTAL, "license.decision-received")) == 1


@pytest.mark.requirement("P050-2.3g/1")
def test_the_notice_of_a_revocation_waits_for_the_licensee_who_asks_for_nothing(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    number = revoked(world, control="It stood open.")
    world.clock.advance("3d")
    fetch_all(world)
    (kept,) = notices_of(world, MAILROOM)
    assert (kept.giver, kept.notice.about, kept.notice.duty) == (POSTAL, number, f"RVK-{number}-1")
    assert "It stood open." in kept.notice.says
    assert "10 days" in kept.notice.says
    assert names(kept.notice.clause, "P050-2.3g")
    assert notices_of(world, ANNEX) == []
    assert [body["how"] for body in facts(world, POSTAL, "license.decision-received")] == ["notice"]
    world.clock.advance(TEN)
    first = licensing.appeal(journeys, about=number, reasons="It was locked.")
    assert len(facts(world, POSTAL, "license.decision-received")) == 1
    licensing.decide(world, first.docket, reverse=False, reasons="It stood open all the same.", by="olaf")
    fetch_all(world)
    assert "stood open all the same" in notices_of(world, MAILROOM)[-1].notice.says
    clean(world, tmp_path / "out")


@pytest.mark.requirement("P050-2.3g/2")
@pytest.mark.shows("502.20h/1")
def test_each_provider_of_the_licensee_gets_the_notice_and_another_does_not(
    world: World, journeys: Journeys, hand: Hand
) -> None:
    number = revoked(world)
    assert [body["decision"] for body in facts(world, HARBOR, "license.revocation-noticed")] == [f"RVK-{number}-1"]
    cancelled = facts(world, HARBOR, "lease.cancelled")
    assert [body["device"] for body in cancelled] == [world.device_of(MAILROOM)]
    assert facts(world, SUMMIT, "license.revocation-noticed") == []
    forged = bodies.LicenseRevoked(
        decision="RVK-x-1",
        license=hand.license_of(ANNEX),
        licensee=ANNEX,
        grounds=(bodies.Ground(code="license.revoked-control", sentence="It is said.", clause="P050 2.3(c)"),),
        at=world.clock.now(),
    )
    assert hand.refused(SUMMIT, HARBOR, forged) == "desk.not-for-me"
    answered(hand.say(MAILROOM, HARBOR, lease(hand)), "P050-2.3g", "license.revoked-here")


# ---- appeals


@pytest.mark.requirement("P050-2.4")
def test_an_appeal_is_taken_to_the_tenth_day_and_refused_with_that_day_afterwards(
    world: World, journeys: Journeys
) -> None:
    number = revoked(world)
    told = licensing.ask_standing(journeys)
    assert date.fromisoformat(told.appeal_by) == date.fromordinal(
        world.clock.now().date_in("America/New_York").toordinal() + 10
    )
    with pytest.raises(TowncircleError):
        licensing.appeal(journeys, about=number, reasons=" ")
    world.clock.advance("11d")
    with refused("P050-2.4", "license.appeal-late") as _:
        licensing.appeal(journeys, about=number, reasons="It was locked.")
    with pytest.raises(TowncircleError, match=told.appeal_by):
        licensing.appeal(journeys, about=number, reasons="It was locked.")
    assert facts(world, POSTAL, "license.appealed") == []


def test_an_appeal_on_the_last_day_stays_nothing_and_a_reversal_makes_the_license_valid(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    number = revoked(world)
    world.clock.advance(TEN)
    first = licensing.appeal(journeys, about=number, reasons="It was locked.")
    assert licensing.appeal(journeys, about=number, reasons="It was locked.") == first
    with refused("P050-2.4", "license.appeal-filed"):
        licensing.appeal(journeys, about=number, reasons="Moreover it was guarded.")
    with pytest.raises(Refused, match="revoked"):
        licensing.revoke(world, number, {"control": "Again."}, by="mats")
    with refused("P050-2.4", "license.same-person"):
        licensing.decide(world, first.docket, reverse=True, reasons="It was.", by="mats")
    licensing.decide(world, first.docket, reverse=True, reasons="It was locked indeed.", by="olaf")
    with refused("P050-2.4", "license.no-such-docket"):
        licensing.decide(world, first.docket, reverse=False, reasons="No.", by="olaf")
    told = licensing.ask_standing(journeys, number)
    assert (told.state, told.appeal, told.reasons) == ("valid", "reversed", "It was locked indeed.")
    journeys.contact()
    returning.withdraw(journeys, reason="its lease was cancelled")
    assert journeys.lease().device != facts(world, HARBOR, "lease.cancelled")[0]["device"]
    assert journeys.apply(Applicant(), provider=HARBOR).outcome == "existing"  # no look-back after a reversal
    clean(world, tmp_path / "out")


def test_the_ten_days_run_anew_from_the_return_receipt_of_the_paper(world: World, journeys: Journeys) -> None:
    number = revoked(world)
    world.clock.advance("8d")
    on = world.clock.now().date_in("America/New_York")
    with pytest.raises(BadInput):
        licensing.receipt(world, number, date.fromordinal(on.toordinal() + 1), by="mats")
    licensing.receipt(world, number, on, by="mats")
    with refused("P050-2.4", "license.receipt-known"):
        licensing.receipt(world, number, on, by="mats")
    world.clock.advance(TEN)
    assert licensing.appeal(journeys, about=number, reasons="It was locked.").docket.startswith("MTM-")


@pytest.mark.requirement("P050-2.2/6")
def test_a_refused_applicant_may_appeal_and_nobody_for_it(world: World, journeys: Journeys, hand: Hand) -> None:
    licensing.caution(world, MAILROOM, by="mats")
    elsewhere = in_new_york(hand)
    decision = decided(hand, elsewhere)
    assert decision.outcome == "refused"
    about = elsewhere.application_id
    theirs = bodies.LicenseAppeal(about=about, decision=about, reasons="It is ours.", evidence="")
    for row in ("P050-2.2", "P050-2.4"):
        answered(hand.say(ANNEX, POSTAL, theirs), row, "license.nothing-to-appeal")
    docket = licensing.appeal(journeys, about=elsewhere.application_id, reasons="Nothing is known against us.").docket
    licensing.decide(world, docket, reverse=True, reasons="The caution rested on another's name.", by="olaf")
    told = licensing.ask_standing(journeys, elsewhere.application_id)
    assert (told.state, told.office_zip, told.license[:5]) == ("valid", "10001", "10001")
    with world.store(HARBOR).reading() as view:
        row = view.get("license", told.license)
    assert row is not None
    assert row.body["state"] == "valid"
    with world.store(POSTAL).reading() as view:
        data = view.get("license-data", told.license)
    assert data is not None
    assert (data.body["revision"], data.body["zip"]) == (1, "10001")


def test_a_second_appeal_in_the_same_words_is_another_appeal(world: World, journeys: Journeys, tmp_path: Path) -> None:
    number = revoked(world)
    first = licensing.appeal(journeys, about=number, reasons="It was locked.")
    licensing.decide(world, first.docket, reverse=True, reasons="It was.", by="olaf")
    revoked(world, abroad="In Lyon.")
    told = licensing.ask_standing(journeys, number)
    assert (told.state, told.decision) == ("revoked", f"RVK-{number}-2")
    assert (told.docket, told.appeal, told.reasons) == ("", "none", "")
    second = licensing.appeal(journeys, about=number, reasons="It was locked.")
    assert second.docket != first.docket
    with refused("P050-2.4", "license.appeal-filed"):  # other evidence is not taken for the same appeal
        licensing.appeal(journeys, about=number, reasons="It was locked.", evidence="ab" * 32)
    assert licensing.ask_standing(journeys, number).docket == second.docket
    assert len(facts(world, POSTAL, "license.appealed")) == 2
    clean(world, tmp_path / "out")


def test_the_time_for_an_appeal_does_not_run_before_the_decision_was_received(
    world: World, journeys: Journeys, hand: Hand
) -> None:
    number = revoked(world)
    world.clock.advance("30d")
    named = bodies.LicenseAppeal(about=number, decision=f"RVK-{number}-9", reasons="It was locked.", evidence="")
    answered(hand.say(MAILROOM, POSTAL, named), "P050-2.4", "license.nothing-to-appeal")
    mine = bodies.LicenseAppeal(about=number, decision=f"RVK-{number}-1", reasons="It was locked.", evidence="")
    answer = hand.say(MAILROOM, POSTAL, mine)
    assert isinstance(answer, bodies.AppealDocketed)
    assert [body["how"] for body in facts(world, POSTAL, "license.decision-received")] == ["appeal"]
    assert licensing.ask_standing(journeys, number).appeal_by == ""


@pytest.mark.requirement("P050-2.4")
def test_only_an_authorised_person_acts_and_another_spelling_is_no_other_person(world: World) -> None:
    number = number_of(world)
    for name in ("17", "", "nobody"):
        with pytest.raises(Refused, match="not authorised"):
            licensing.revoke(world, number, {"control": "It stood open."}, by=name)
    revoked(world)
    officers(world, "m-ats")
    docket = licensing.appeal(Journeys(world, MAILROOM), about=number, reasons="It was locked.").docket
    with refused("P050-2.4", "license.same-person"):
        licensing.decide(world, docket, reverse=True, reasons="It was.", by="m-ats")
    with pytest.raises(Refused, match="not authorised"):
        licensing.decide(world, docket, reverse=True, reasons="It was.", by="someone")
    licensing.decide(world, docket, reverse=True, reasons="It was.", by="olaf")


@pytest.mark.parametrize("later", ["the revocation", "the refusal"])
def test_two_reversals_leave_one_valid_license_at_an_office(
    world: World, journeys: Journeys, hand: Hand, later: str, tmp_path: Path
) -> None:
    first = revoked(world)
    again = form(hand)
    assert decided(hand, again).outcome == "refused"  # within the look-back
    dockets = {
        "the revocation": licensing.appeal(journeys, about=first, reasons="It was locked.").docket,
        "the refusal": licensing.appeal(journeys, about=again.application_id, reasons="It was locked.").docket,
    }
    for name in sorted(dockets, key=lambda name: name == later):
        licensing.decide(world, dockets[name], reverse=True, reasons="It was.", by="olaf")
    with world.store(POSTAL).reading() as view:
        valid = [row.key for row in view.find("license", owner=MAILROOM) if row.body["state"] == "valid"]
    assert len(valid) == 1
    assert (valid == [first]) is (later == "the refusal")
    assert licensing.ask_standing(journeys, again.application_id).license == valid[0]
    assert decided(hand, form(hand)).license == valid[0]
    clean(world, tmp_path / "out")


def test_a_license_that_an_appeal_revived_is_the_one_of_its_office(
    world: World, journeys: Journeys, hand: Hand
) -> None:
    first = revoked(world)
    again = form(hand)
    decided(hand, again)
    old = licensing.appeal(journeys, about=first, reasons="It was locked.").docket
    new = licensing.appeal(journeys, about=again.application_id, reasons="It was locked.").docket
    licensing.decide(world, new, reverse=True, reasons="It was.", by="olaf")
    second = licensing.ask_standing(journeys, again.application_id).license
    licensing.revoke(world, second, {"control": "It stood open again."}, by="mats")
    licensing.decide(world, old, reverse=True, reasons="It was.", by="olaf")
    assert (decided(hand, form(hand)).license, decided(hand, form(hand)).outcome) == (first, "existing")


@pytest.mark.shows("P050-2.4")
def test_an_applicant_whose_refusal_was_reversed_prints_under_its_own_name(tmp_path: Path) -> None:
    world = new_world(tmp_path / "world")
    annex = Journeys(world, ANNEX)
    with refused("P050-2.2", "postal.license-refused"):
        annex.apply(Applicant(name="The Annex", telephone="none"), provider=HARBOR)
    with world.store(POSTAL).reading() as view:
        about = [fact.subject for fact in view.facts() if fact.type == "license.refused"][-1]
    docket = licensing.appeal(annex, about=about, reasons="The telephone is being installed.").docket
    officers(world, "olaf")
    licensing.decide(world, docket, reverse=True, reasons="It is in the directory.", by="olaf")
    world.deliver()
    number = licensing.ask_standing(annex, about).license
    assert licensing.form_of(annex, number)["name"] == "The Annex"
    annex.lease()
    annex.deposit(Mills.dollars(50))
    annex.reset(Mills.dollars(20))
    assert print_job(annex, public_addresses()[:1], tmp_path / "out", formats=("pdf",)).pdf.is_file()
    clean(world, tmp_path / "export")
    world.close()


# ---- refusals that rest on what is known of the applicant


@pytest.mark.requirement("P050-2.2/2", outcome="refused")
@pytest.mark.parametrize(("days", "outcome"), [(0, "refused"), (-1, "refused"), (1, "issued")])
def test_a_revocation_is_a_ground_for_refusal_for_five_years(hand: Hand, days: int, outcome: str) -> None:
    today = hand.world.clock.now()
    day = today.date_in("America/New_York")
    back = (day - day.replace(year=day.year - 5)).days + days
    at, number = today.plus(days=-back), number_of(hand.world)

    def revoke_then(ctx: Context) -> None:
        ctx.tx.put("revocation", number, {"decision": "RVK-x-1", "at": int(at)}, owner=MAILROOM, expected=0)
        about = {"licensee": MAILROOM, "decision": "RVK-x-1", "provider": HARBOR, "grounds": ["control"]}
        ctx.note("license.revoked", number, clauses=("P050 2.3(c)",), occurred_at=at, **about)  # type: ignore[arg-type]

    hand.world.desk(POSTAL).perform(revoke_then, actor=POSTAL)
    decision = decided(hand, in_new_york(hand))
    assert decision.outcome == outcome
    grounded(decision, *([("P050-2.2", "license.revoked-before")] if outcome == "refused" else []))
    assert decided(hand, form(hand)).outcome == "existing"  # what is held needs no other license
    assert decided(hand, form(hand, ANNEX)).outcome == "existing"  # nobody else's revocation


@pytest.mark.requirement("P050-2.2/3")
def test_a_caution_is_a_ground_until_it_is_lifted_and_every_ground_is_named(hand: Hand) -> None:
    licensing.caution(hand.world, MAILROOM, by="mats")
    decision = decided(hand, in_new_york(hand, telephone="call me"))
    grounded(decision, ("P050-2.2", "postal.form-fictitious"), ("P050-2.2", "license.believed-violation"))
    licensing.caution(hand.world, MAILROOM, by="mats", lift=True)
    assert decided(hand, in_new_york(hand)).outcome == "issued"


def test_the_holder_of_a_valid_license_is_not_refused_there_because_of_another_office(
    world: World, journeys: Journeys, hand: Hand
) -> None:
    number = number_of(world)
    elsewhere = decided(hand, in_new_york(hand)).license
    licensing.revoke(world, elsewhere, {"control": "It stood open."}, by="mats")
    assert decided(hand, in_new_york(hand)).outcome == "refused"
    held = decided(hand, form(hand))
    assert (held.outcome, held.license) == ("existing", number)


# ---- licenses that are held


@pytest.mark.requirement("PRE-09/3", "P050-2.1/10")
def test_a_meter_license_on_file_is_used_and_no_second_one_issued(hand: Hand) -> None:
    number = licensing.file_meter(hand.world, MAILROOM, "10001", by="mats")
    with refused("PRE-09", "license.on-file"):
        licensing.file_meter(hand.world, MAILROOM, "10001", by="mats")
    elsewhere = in_new_york(hand)
    decision = decided(hand, elsewhere)
    assert (decision.outcome, decision.license) == ("existing", number)
    with hand.world.store(POSTAL).reading() as view:
        row = view.get("license", number)
    assert row is not None
    assert (row.body["provider"], row.body["system"]) == (HARBOR, "postage meter")
    answered(hand.say(ANNEX, HARBOR, lease(hand, license=number)), "502.20c", "provider.no-license")


@pytest.mark.requirement("P050-2.1/9")
def test_form_3601_b_is_issued_on_approval_only(world: World, journeys: Journeys, tmp_path: Path) -> None:
    files = write_forms(journeys, tmp_path / "forms")
    assert [path.name for path in files] == ["form-3601-a.pdf", "form-3601-b.pdf"]
    assert all(path.read_bytes().startswith(b"%PDF-") for path in files)
    with refused("P050-2.1", "license.unknown"):
        write_forms(journeys, tmp_path / "none", number="20260-999999")


@pytest.mark.shows("P050-2.1/9")
def test_a_refused_applicant_has_its_form_3601_a_and_no_license(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    annex = Journeys(world, ANNEX)
    with refused("P050-2.2", "postal.license-refused"):
        annex.apply(Applicant(street="a street", telephone="none"), provider=HARBOR)
    with world.store(POSTAL).reading() as view:
        about = next(fact.subject for fact in reversed(view.facts()) if fact.type == "license.refused")
    (file,) = write_forms(annex, tmp_path / "forms", about=about)
    (page,) = pypdfium2.PdfDocument(file.read_bytes())
    words = page.get_textpage().get_text_bounded()
    assert [word in words for word in ("Form 3601-A", "a street", "Transmitted by", HARBOR)] == [True] * 4
    with refused("P050-2.3g", "license.unknown"):  # another's application
        write_forms(journeys, tmp_path / "none", about=about)


# ---- stated data


@pytest.mark.requirement("P050-2.5d")
def test_a_change_that_was_not_notified_stops_leases_until_it_is(world: World, journeys: Journeys) -> None:
    returning.withdraw(journeys, reason="moving within the house")
    licensing.change(journeys, {"telephone": "202-555-0199"})
    with refused("P050-2.5d", "license.data-open"):
        journeys.lease()
    assert len(facts(world, MAILROOM, "license-data.changed")) == 1
    licensing.revise(journeys, {})
    assert len(facts(world, MAILROOM, "license-data.notified")) == 1
    journeys.lease()


@pytest.mark.requirement("P050-2.5e/1")
def test_a_revised_license_rests_on_data_that_are_true(world: World, journeys: Journeys, hand: Hand) -> None:
    with refused("P050-2.5e", "license.data-fictitious"):
        licensing.revise(journeys, {"telephone": "call me"})
    assert facts(world, POSTAL, "license.revised") == []
    told = licensing.revise(journeys, {"telephone": "202-555-0199", "contact": "The night shift"})
    assert (told.state, told.revision) == ("valid", 2)
    assert len(facts(world, POSTAL, "license.revised")) == 1
    with refused("P050-2.5d", "license.no-change"):
        licensing.revise(journeys, {"telephone": "202-555-0199"})
    forged = bodies.LicenseDataStated(
        statement="APP-222222222222",
        license=number_of(world),
        licensee=MAILROOM,
        purpose="give-up",
        **licensing.form_of(journeys, number_of(world)),
    )
    assert hand.refused(ANNEX, HARBOR, forged) == "license.not-the-licensee"


@pytest.mark.requirement("P050-2.5e/2")
def test_license_data_are_verified_each_year_and_only_while_the_license_is_valid(
    world: World, journeys: Journeys
) -> None:
    assert licensing.verify(journeys).revision == 1
    assert len(facts(world, MAILROOM, "license-data.verified")) == 1
    revoked(world)
    with refused("P050-2.5e", "license.not-valid"):
        licensing.verify(journeys)
    world.clock.advance("12mo")
    world.advance("1d")
    missed = [body for body in facts(world, MAILROOM, "limit.missed") if body["limit"] == "license-data-verification"]
    assert len(missed) == 1


@pytest.mark.requirement("P050-2.5e/3")
def test_a_license_is_not_given_up_while_its_device_is_in_service(hand: Hand, journeys: Journeys) -> None:
    number = number_of(hand.world)
    stated = bodies.LicenseDataStated(
        statement="APP-222222222222",
        license=number,
        licensee=MAILROOM,
        purpose="give-up",
        **licensing.form_of(journeys, number),
    )
    assert hand.refused(MAILROOM, HARBOR, stated) == "license.device-in-service"
    straight = bodies.LicenseDataTransmitted(statement=hand.seal(MAILROOM, HARBOR, stated), provider=HARBOR)
    answered(hand.say(HARBOR, POSTAL, straight), "P050-2.5e", "license.device-in-service")


@pytest.mark.requirement("P050-2.5e/4")
def test_a_replacement_is_leased_under_the_license_of_the_new_office_only(
    hand: Hand, journeys: Journeys, tmp_path: Path
) -> None:
    world, old = hand.world, number_of(hand.world)
    journeys.deposit(Mills.dollars(50))
    journeys.reset(Mills.dollars(20))
    device = journeys.device
    with refused("P050-2.5e", "license.same-office"):
        licensing.move(journeys, office_zip="20260")
    decision = licensing.move(journeys, office_zip="10001")
    assert decision.office_zip == "10001"
    answered(hand.say(MAILROOM, HARBOR, lease(hand, license=old)), "P050-2.5e", "license.given-up")
    confirmed = journeys.lease()
    assert confirmed.device != device
    journeys.reset(Mills.dollars(50))
    with world.store(HARBOR).reading() as view:
        row = view.get("device", confirmed.device)
    assert row is not None
    assert row.body["license"] == decision.license


def reported(journeys: Journeys, device: DeviceId, event: str) -> None:
    missing.report(journeys, device, event=event, place="mail room", details="the door was broken open")


def replaced(journeys: Journeys) -> tuple[DeviceId, DeviceId]:
    """Report the device as stolen and lease another; give both."""
    old = journeys.device
    reported(journeys, old, "stolen")
    told = {"reference": "26-7", "document": "ab" * 32, "cpip": "C-1"}
    missing.at_provider(journeys.world, old, lambda ctx: police(ctx, device=old, **told))
    return old, DeviceId(journeys.lease().device)


def custody(world: World, device: str) -> str:
    with world.store(HARBOR).reading() as view:
        row = view.get("device", device)
    assert row is not None
    return str(row.body["custody"])


@pytest.mark.shows("P050-2.5e/3")
@pytest.mark.parametrize("leased_again", [False, True])
def test_a_stolen_device_holds_up_no_move_and_the_one_in_service_is_withdrawn(
    world: World, journeys: Journeys, leased_again: bool, tmp_path: Path
) -> None:
    old = number_of(world)
    journeys.deposit(Mills.dollars(100))
    journeys.reset(Mills.dollars(20))
    stolen, other = replaced(journeys) if leased_again else (journeys.device, None)
    if not leased_again:
        reported(journeys, stolen, "stolen")
    decision = licensing.move(journeys, office_zip="10001")
    assert (decision.office_zip, custody(world, stolen)) == ("10001", "stolen")
    assert other is None or custody(world, other) == "checked out"
    with world.store(POSTAL).reading() as view:
        row = view.get("license", old)
    assert row is not None
    assert row.body["state"] == "given up"
    clean(world, tmp_path / "out")


def test_a_recovered_device_is_given_back_before_its_license_is_given_up(world: World, journeys: Journeys) -> None:
    device = journeys.device
    reported(journeys, device, "lost")
    reported(journeys, device, "recovered")
    with refused("502.24", "missing.reported"):
        licensing.move(journeys, office_zip="10001")
    assert number_of(world).startswith("20260")


# ---- at once


def test_a_reset_authorised_before_the_revocation_stands_and_one_asked_for_after_it_does_not(
    folder: Path, tmp_path: Path
) -> None:
    world = reopened(folder)
    journeys = Journeys(world, MAILROOM)
    journeys.deposit(Mills.dollars(50))
    number = number_of(world)
    send, done = world.desk(MAILROOM).outbox.transport, []

    class Between:
        """Lets the revocation in after the Provider has authorised and before the device knows."""

        def send(self, audience: str, raw: bytes) -> bytes:
            reply = send.send(audience, raw)
            if audience == HARBOR and not done:
                done.append(True)
                licensing.revoke(world, number, {"control": "It stood open."}, by="mats")
            return reply

    world.desk(MAILROOM).outbox.transport = Between()
    assert journeys.reset(Mills.dollars(20)).amount == Mills.dollars(20)
    assert facts(world, HARBOR, "lease.cancelled")[0]["open_reset"] != ""
    with refused("P050-2.3c", "license.lease-cancelled"):
        journeys.reset(Mills.dollars(10))
    journeys.settle()
    clean(world, tmp_path / "out")
    world.close()


def test_the_device_of_a_revoked_license_is_out_in_fifteen_days_or_it_is_a_case(world: World, tmp_path: Path) -> None:
    revoked(world)
    world.advance("15d")
    opened = [body["case"] for body in facts(world, HARBOR, "limit.case-opened")]
    assert "device not removed" not in opened
    world.advance("1d")
    assert "device not removed" in [body["case"] for body in facts(world, HARBOR, "limit.case-opened")]
    assert isinstance(world.clock.now(), Instant)


def test_the_lost_device_of_a_revoked_license_is_to_be_removed_when_it_is_found(
    world: World, journeys: Journeys
) -> None:
    reported(journeys, journeys.device, "lost")
    revoked(world)
    assert facts(world, HARBOR, "lease.cancelled")[0]["removal"] == "when found"
    world.advance("20d")
    cases = [body["case"] for body in facts(world, HARBOR, "limit.case-opened")]
    assert "device not removed" not in cases
    reported(journeys, journeys.device, "recovered")
    world.advance("16d")
    cases = [body["case"] for body in facts(world, HARBOR, "limit.case-opened")]
    assert cases.count("device not removed") == 1
