"""The duties of leasing and custody: each is broken, and the refusal names its clause."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.conformance.breaking import answered, refused
from tests.conformance.test_licenses import number_of, revoked
from tests.conformance.test_parties import lease
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, SUMMIT
from tests.journeys.test_custody import account, defect, facts, provider, state
from tests.parties.hand import POSTAL, Hand

from towncircle.kernel.context import Context, Exchange, Steps
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.provider import agreements, checkouts, defects, handovers, removals, upkeep
from towncircle.rules import ruleset
from towncircle.rules.duties import derive
from towncircle.rules.offices import grant
from towncircle.wire import bodies
from towncircle.world import address_data, custody, licensing, notices, returning
from towncircle.world.custody_papers import write_papers
from towncircle.world.deadlines import act_on_deadlines
from towncircle.world.journeys import Journeys
from towncircle.world.missing import at_provider
from towncircle.world.supervising import at_provider as on_the_bench
from towncircle.world.world import World


@pytest.fixture
def device(journeys: Journeys) -> DeviceId:
    return journeys.device


def back(hand: Hand, device: DeviceId, **changes: object) -> bodies.HandOver:
    fields: dict[str, object] = {
        "shipment": "SHP-222222222222",
        "device": device,
        "direction": "back",
        "service": "Priority Mail, Return Receipt for Merchandise",
        "article": "9407-1",
        "permission": "",
        "at": hand.world.clock.now(),
        **changes,
    }
    return bodies.HandOver(**fields)  # type: ignore[arg-type]  # each test says what is unusual


# ---- the lease


@pytest.mark.requirement("PRE-22/2", "502.25c2")
def test_a_lease_on_a_text_without_the_cautions_or_the_acknowledgment_is_refused(hand: Hand) -> None:
    for left_out, row in ((agreements.CAUTIONS, "PRE-22"), (agreements.DEPOSIT_ACKNOWLEDGMENT, "502.25c2")):
        text = agreements.LEASE_AGREEMENT.replace(left_out, "")
        assert text != agreements.LEASE_AGREEMENT
        answered(hand.say(MAILROOM, HARBOR, lease(hand, agreement_digest=agreements.digest_of(text))), row)


@pytest.mark.requirement("PRE-10/2", "502.20a/2")
def test_nobody_but_the_postal_service_purchases_a_system(hand: Hand, world: World, device: DeviceId) -> None:
    body = bodies.SystemPurchased(device=device, reference="p-1", document="ab" * 32, at=world.clock.now())
    answered(hand.say(MAILROOM, HARBOR, body), "502.20a", "custody.title-stays")
    answered(hand.say(MAILROOM, HARBOR, body), "PRE-10")
    custody.purchase(world, device, reference="p-1", document=b"deed")
    with refused("502.20a", "custody.not-owned"):
        provider(Journeys(world), upkeep.scrap, device)


# ---- the way of a device


@pytest.mark.requirement("502.18")
def test_a_new_device_that_fails_its_inspection_is_not_distributed(world: World) -> None:
    (made,) = custody.manufacture(world, HARBOR, 1)
    device = DeviceId(made.key)

    def spoil(ctx: Context) -> Steps:
        yield Exchange(device, lambda client: client.zeroise(device))

    on_the_bench(world, HARBOR, spoil)  # it is not as it was made
    with refused("502.18", "custody.inspection-failed"):
        custody.inspect(world, HARBOR, device)
    assert [row.body["custody"] for _, row in custody.stock_of(world) if row.key == device] == [
        "new"
    ]  # no lease has it
    custody.inspect(world, HARBOR, device, reject="It is not as it was made.")


@pytest.mark.requirement("502.20l/1")
def test_a_device_is_shipped_by_no_carrier_but_registered_mail(world: World) -> None:
    with refused("502.20l", "custody.carrier-not-permitted"):
        custody.use_carrier(world, HARBOR, service="Armored Express")


@pytest.mark.requirement("502.20l/2")
def test_a_carrier_that_was_shown_and_not_permitted_in_writing_ships_nothing(world: World) -> None:
    custody.show_carrier(world, HARBOR, service="Armored Express", reference="r-1", document=b"x")
    with refused("502.20l", "custody.carrier-not-permitted"):
        custody.use_carrier(world, HARBOR, service="Armored Express")


@pytest.mark.requirement("502.20l/3")
def test_a_carrier_that_was_not_shown_to_be_as_safe_is_not_permitted(world: World) -> None:
    paper = {"permission": "MTM-1", "document": b"x"}
    with refused("502.20l", "custody.carrier-not-shown"):
        custody.permit(world, provider=HARBOR, direction="out", service="Armored Express", **paper)  # type: ignore[arg-type]


@pytest.mark.requirement("P050-2.5a", "P050-2.9/1")
def test_a_delivered_device_stays_until_it_is_given_back(hand: Hand, journeys: Journeys, device: DeviceId) -> None:
    with refused("P050-2.5a", "custody.not-given-up"):
        custody.send_back(journeys, device, article="9407-1")
    answered(hand.say(MAILROOM, HARBOR, back(hand, device)), "P050-2.5a", "custody.stays")
    answered(hand.say(MAILROOM, HARBOR, back(hand, device)), "P050-2.9")
    answered(hand.say(ANNEX, HARBOR, back(hand, device)), "502.20a", "provider.unknown-device")


@pytest.mark.requirement("P050-2.9/2")
def test_a_device_goes_back_by_no_other_service(hand: Hand, journeys: Journeys, device: DeviceId) -> None:
    returning.withdraw(journeys, reason="no longer wanted")
    answered(
        hand.say(MAILROOM, HARBOR, back(hand, device, service="First-Class Mail")), "P050-2.9", "custody.return-service"
    )


@pytest.mark.requirement("PRE-13/2", "502.8/7", "PRE-06/2")
def test_a_device_is_not_scrapped_before_it_left_service_and_came_back(journeys: Journeys, device: DeviceId) -> None:
    for row in ("502.8", "PRE-06", "502.20e"):
        with refused(row, "custody.not-out"):
            provider(journeys, upkeep.scrap, device)
    returning.withdraw(journeys, reason="no longer wanted")
    with refused("PRE-13", "custody.not-back"):
        provider(journeys, upkeep.scrap, device)
    assert state(journeys, device) == "checked out"


@pytest.mark.requirement("502.20e/1")
def test_an_unwanted_device_that_is_not_checked_out_is_missed(hand: Hand, journeys: Journeys, device: DeviceId) -> None:
    world = journeys.world
    asked = {"purpose": "return", "reason": "no longer wanted", "transfer": "", "approved_by": "", "faulted": False}
    told = hand.say(MAILROOM, HARBOR, bodies.CheckOutRequest(device=device, requested_by=MAILROOM, **asked))  # type: ignore[arg-type]
    assert isinstance(told, bodies.CheckOutNoted)
    with refused("502.20e", "custody.not-silent"):
        provider(journeys, checkouts.write_off, device, reference="x")
    world.advance("10d")
    act_on_deadlines(world, [HARBOR])
    assert ("unwanted-device", ("502.20(e)",), device) in missed(world)


def missed(world: World) -> list[tuple[str, tuple[str, ...], str]]:
    with world.store(HARBOR).reading() as view:
        facts = [fact for fact in view.facts() if fact.type == "limit.missed"]
    return [(fact.body["limit"], fact.clauses, fact.body.get("device", fact.subject)) for fact in facts]


@pytest.mark.requirement("502.20e/2")
def test_a_server_element_that_is_not_disabled_is_missed_and_gets_no_postage(
    journeys: Journeys, device: DeviceId
) -> None:
    world = journeys.world
    journeys.deposit(Mills.dollars(50))
    provider(journeys, removals.host, device)
    with refused("502.20e", "custody.not-unwanted"):
        provider(journeys, removals.disable_now, device)
    with world.shelf.client(device) as client:
        client.request_reset(Mills.dollars(10))  # it stands in the way
    custody.order_removal(world, device, reason="A weak class.", by="olaf")
    assert facts(world, HARBOR, "element.unwanted", "element.disabled") == [("element.unwanted", device)]
    with refused("502.20e", "custody.not-disabled"):
        provider(journeys, removals.disable_now, device)
    act_on_deadlines(world, [HARBOR])
    with world.store(HARBOR).reading() as view:
        told = [fact.body["limit"] for fact in view.facts() if fact.type == "limit.reminded" and fact.subject == device]
    assert told == ["server-element"]
    world.advance("2h")
    act_on_deadlines(world, [HARBOR])
    assert ("server-element", ("502.20(e)",), device) in missed(world)
    with refused("502.20e", "provider.not-leased"):
        journeys.reset(Mills.dollars(10))
    assert journeys.status().open_request == ""  # it was refused, so nothing stands in the way any more
    provider(journeys, removals.disable_now, device)
    assert (state(journeys, device), journeys.status().state) == ("checked out", "withdrawn")


@pytest.mark.requirement("502.20e/4")
def test_form_3601_c_is_kept_a_year(journeys: Journeys, device: DeviceId) -> None:
    world = journeys.world
    filed = world.clock.now().date_in("America/New_York")
    with refused("502.20e", "custody.form-kept"):
        _let_go(world, device)
    world.advance(f"{(date(filed.year + 1, filed.month, filed.day) - filed).days}d")
    with refused("502.20e", "custody.form-kept"):
        _let_go(world, device)  # its last day
    world.advance("1d")
    _let_go(world, device)
    _let_go(world, device)
    assert facts(world, HARBOR, "form-3601-c.destroyed") == [("form-3601-c.destroyed", device)]


def _let_go(world: World, device: DeviceId) -> None:
    at_provider(world, device, lambda ctx: upkeep.let_form_go(ctx, world.rules, device=device))


# ---- defects


@pytest.mark.requirement("P050-2.5f/1", "P050-2.7/1")
def test_a_defective_device_is_used_by_nobody_and_its_report_reaches_the_provider(
    journeys: Journeys, device: DeviceId
) -> None:
    defect(journeys)
    for row in ("P050-2.5f", "P050-2.7"):
        with refused(row, "custody.defective"):
            journeys.reset(Mills.dollars(10))
    assert facts(journeys.world, HARBOR, "defect.notified") == [("defect.notified", device)]
    returning.withdraw(journeys, reason="defective")
    with refused("P050-2.7", "custody.not-in-use"):
        answer = Hand(journeys.world).say(
            MAILROOM,
            HARBOR,
            bodies.DefectReport(device=device, kind="faulty", details="x", found_at=Instant(1)),
        )
        if isinstance(answer, bodies.DefectNoted):  # the open one is told again, no second one is opened
            provider(journeys, defects.examine, device, fault="x", remedy="corrected", reference="b")


def test_a_defect_or_a_parcel_of_tomorrow_is_not_taken(hand: Hand, world: World) -> None:
    device, now = world.device_of(MAILROOM), world.clock.now()
    found = bodies.DefectReport(device=device, kind="faulty", details="x", found_at=Instant(int(now) + 1))
    answered(hand.say(MAILROOM, HARBOR, found), "P050-2.7", "custody.in-the-future")
    answered(hand.say(MAILROOM, HARBOR, back(hand, device, at=now.plus(days=1))), "P050-2.9", "custody.in-the-future")
    assert isinstance(hand.say(MAILROOM, HARBOR, replace(found, found_at=now)), bodies.DefectNoted)


def test_a_device_that_was_leased_before_the_defect_replaces_nothing(journeys: Journeys, device: DeviceId) -> None:
    journeys.contact()
    spare = journeys.replace(device)
    journeys.world.advance("1h")
    defect(journeys, device)
    provider(journeys, defects.retrieve, device, reference="van")
    with refused("P050-2.7", "custody.no-replacement"):
        provider(journeys, defects.examine, device, fault="x", remedy="replaced", reference="b")
    assert state(journeys, spare) == "leased"


@pytest.mark.requirement("P050-2.7/2", "502.20f/1")
def test_a_device_that_is_not_retrieved_in_three_business_days_is_overdue(journeys: Journeys, device: DeviceId) -> None:
    world, held = journeys.world, defect(journeys)
    limit = world.rules.limits["defective-device"]
    assert {"502.20f", "P050-2.7"} <= set(limit.cites)
    until = date.fromisoformat(held.body["retrieve_by"])
    with refused("502.20f", "custody.not-retrieved"):
        provider(journeys, defects.examine, device, fault="x", remedy="withdrawn", reference="b")
    with world.store(HARBOR).reading() as view:
        journal = view.facts()
    for days, state_ in ((0, "due"), (1, "overdue")):
        at = Instant.parse(f"{date.fromordinal(until.toordinal() + days).isoformat()}T17:00Z")
        (duty,) = [one for one in derive(world.rules, journal, party=HARBOR, as_of=at) if one.limit.id == limit.id]
        assert (duty.state, duty.last_day) == (state_, until)


@pytest.mark.requirement("P050-2.7/3", "502.20f/2", "502.20j/2")
def test_a_report_on_a_fault_needs_the_notice_before_it(hand: Hand, journeys: Journeys, device: DeviceId) -> None:
    registers = bodies.Registers(ascending=Mills(0), descending=Mills(0), pieces=0)
    now = journeys.world.clock.now()
    body = bodies.MalfunctionReport(
        defect="DFT-222222222222",
        device=device,
        stage="report",
        kind="faulty",
        fault="a plug",
        remedy="withdrawn",
        reference="b",
        registers=registers,
        notified_at=now,
        at=now,
    )
    answered(hand.say(HARBOR, POSTAL, body), "502.20f", "custody.no-notice")
    notice = replace(body, stage="notice", remedy="")
    assert isinstance(hand.say(HARBOR, POSTAL, notice), bodies.Acknowledged)
    other = hand.world.device_of(ANNEX)
    answered(hand.say(HARBOR, POSTAL, replace(body, device=other)), "502.20j", "custody.report-differs")
    answered(hand.say(SUMMIT, POSTAL, body), "502.8", "postal.unknown-device")
    defect(journeys)
    assert ("malfunction.told", device) in facts(journeys.world, POSTAL, "malfunction.told")


@pytest.mark.requirement("P050-2.7/5", "P050-1.2/2", "502.22a")
def test_a_defect_is_not_over_without_the_replacement_that_is_said(journeys: Journeys, device: DeviceId) -> None:
    defect(journeys)
    provider(journeys, defects.retrieve, device, reference="van")
    for row in ("P050-2.7", "502.22a"):
        with refused(row, "custody.no-replacement"):
            provider(journeys, defects.examine, device, fault="x", remedy="replaced", reference="b")


@pytest.mark.requirement("502.22a")
def test_a_part_is_replaced_before_its_life_ends_or_resets_are_denied(journeys: Journeys, device: DeviceId) -> None:
    world = journeys.world
    today = world.clock.now().date_in("America/New_York")
    with refused("502.22a", "custody.part-over"):
        provider(journeys, upkeep.know, device, part="battery", until=today, reference="maker")
    last = date.fromordinal(today.toordinal() + 30)
    provider(journeys, upkeep.know, device, part="battery", until=last, reference="maker")
    act_on_deadlines(world, [HARBOR])
    assert "limit.reminded" in [kind for kind, _ in facts(world, HARBOR, "limit.reminded")]
    world.advance("31d")
    journeys.contact()
    act_on_deadlines(world, [HARBOR])
    with refused("502.22a", "provider.resets-denied"):
        journeys.reset(Mills.dollars(10))
    later = date.fromordinal(last.toordinal() + 400)
    provider(journeys, upkeep.know, device, part="battery", until=later, reference="maker-2")
    assert [one.until for one in custody.kept(world)[0].parts] == [later.isoformat(), "", ""]
    with world.store(HARBOR).reading() as view:
        assert "part.replaced" in [fact.type for fact in view.facts()]


# ---- removals


@pytest.mark.requirement("502.20i/1")
def test_an_element_that_the_postal_service_indicates_is_not_given_back_to_use(
    journeys: Journeys, device: DeviceId
) -> None:
    defect(journeys)
    custody.order_removal(journeys.world, device, reason="A weak class.", by="olaf")
    with refused("502.20i", "custody.removal-ordered"):
        provider(journeys, defects.examine, device, fault="x", remedy="corrected", reference="b")
    assert state(journeys, device) == "suspect"


@pytest.mark.requirement("502.20i/2", "502.20h/2")
def test_a_cancelled_license_takes_every_element_of_its_licensee_out(journeys: Journeys, device: DeviceId) -> None:
    world = journeys.world
    journeys.deposit(Mills.dollars(20))
    revoked(world)
    for row in ("502.20i", "502.20h"):
        with refused(row, "license.lease-cancelled"):
            journeys.reset(Mills.dollars(10))
    world.advance("16d")
    act_on_deadlines(world, [HARBOR])
    assert any(name[:2] == ("revoked-license-device", ("502.20(h)",)) for name in missed(world))


@pytest.mark.requirement("P050-2.6/3")
def test_nobody_but_an_inspector_withdraws_a_suspect_device(world: World, device: DeviceId) -> None:
    world.desk(POSTAL).perform(lambda ctx: grant(ctx, name="pam", named=("postmaster",)), actor=POSTAL)
    with refused("P050-2.6", "person.other-office"):
        custody.order_removal(world, device, reason="A suspect mark.", condition="sealed", by="pam")
    assert facts(world, POSTAL, "removal.ordered") == []


@pytest.mark.requirement("P050-2.6/4")
@pytest.mark.shows("P050-2.6/3")
def test_an_inspector_takes_a_device_along_and_only_its_licensee_has_the_receipt(
    hand: Hand, journeys: Journeys, device: DeviceId
) -> None:
    query = bodies.HandOverQuery(device=device, direction="inspector")
    answered(hand.say(MAILROOM, POSTAL, query), "P050-2.6", "custody.no-receipt")
    custody.order_removal(journeys.world, device, reason="A suspect mark.", condition="sealed", by="olaf")
    answered(hand.say(ANNEX, POSTAL, query), "P050-2.6", "custody.no-receipt")
    told = hand.say(MAILROOM, POSTAL, query)
    assert isinstance(told, bodies.HandOverReceipt)
    assert (told.device, told.condition) == (device, "sealed")
    with refused("502.20e"):  # it was withdrawn at once
        journeys.reset(Mills.dollars(10))


@pytest.mark.requirement("P050-2.6/5")
def test_no_balance_moves_from_a_device_that_is_believed_to_be_fraudulently_set(
    journeys: Journeys, device: DeviceId
) -> None:
    with journeys.world.store(HARBOR).transaction() as tx:
        row = tx.get("device", device)
        assert row is not None
        tx.put("device", device, {**row.body, "frozen": "a register went back"}, owner=row.owner, expected=row.version)
    with refused("P050-2.6", "provider.frozen"):
        returning.withdraw(journeys, reason="a replacement is wanted")


# ---- the licensee's care


@pytest.mark.requirement("P050-2.5b/2")
def test_transaction_records_are_shown_to_who_may_see_them(journeys: Journeys) -> None:
    journeys.deposit(Mills.dollars(20))
    world = journeys.world
    with refused("P050-2.5b", "custody.no-review"):
        custody.review(journeys)
    with refused("P050-2.5b", "custody.not-entitled"):
        custody.ask_review(world, SUMMIT, MAILROOM, reference="r-1")
    custody.ask_review(world, POSTAL, MAILROOM, reference="r-1")
    custody.ask_review(world, HARBOR, MAILROOM, reference="r-2")
    with refused("P050-2.5b", "custody.review-taken"):
        custody.ask_review(world, POSTAL, ANNEX, reference="r-1")
    notices.fetch_all(world, (MAILROOM,))
    assert facts(world, MAILROOM, "review.requested", "review.granted") == [
        ("review.requested", "r-2"),
        ("review.requested", "r-1"),
    ]
    assert facts(world, POSTAL, "review.asked", "review.shown") == [("review.asked", "r-1")]  # it is open
    held, shown = custody.review(journeys, reference="r-1")
    assert (held.body["by"], b'"entry"' in shown) == (POSTAL, True)
    custody.review(journeys, reference="r-1")
    assert facts(world, POSTAL, "review.asked", "review.shown") == [("review.asked", "r-1"), ("review.shown", "r-1")]
    assert custody.review(journeys)[0].key == "r-2"
    assert facts(world, HARBOR, "review.shown") == [("review.shown", "r-2")]
    assert len(facts(world, MAILROOM, "review.granted")) == 2


@pytest.mark.requirement("P050-2.5g")
def test_address_data_is_updated_with_a_newer_edition_that_is_still_good(journeys: Journeys) -> None:
    today = journeys.world.clock.now().date_in("America/New_York")
    this = f"{today:%Y-%m}"
    for edition in (f"{today.year - 1}-01", f"{today.year + 1}-12"):
        with refused("P050-2.5g", "custody.address-data-old"):
            custody.update_address_data(journeys, edition=edition)
    custody.update_address_data(journeys, edition=this)
    custody.update_address_data(journeys, edition=this)
    assert len(facts(journeys.world, MAILROOM, "address-data.updated")) == 1


@pytest.mark.requirement("P050-2.5g")
def test_mail_is_not_addressed_by_data_that_are_too_old_unless_a_reason_is_kept(journeys: Journeys) -> None:
    good, late = date(2026, 12, 1), date(2026, 12, 2)
    custody.update_address_data(journeys, edition="2026-11")  # a word: the data in use are as old as they are
    address_data.use(journeys, day=good, reason="")
    with refused("P050-2.5g", "addresses.data-old"):
        address_data.use(journeys, day=late, reason="")
    assert facts(journeys.world, MAILROOM, "address-data.old-used") == []
    address_data.use(journeys, day=late, reason="the new edition is late")
    assert len(facts(journeys.world, MAILROOM, "address-data.old-used")) == 1


# ---- the balance of a device, and who changes license data


@pytest.mark.requirement("PRE-07/2")
def test_license_data_are_updated_on_the_licensees_own_word_only(hand: Hand, journeys: Journeys, world: World) -> None:
    told = licensing.revise(journeys, {"contact": "Another desk"}, number="")
    assert told.revision > 1
    stated = bodies.LicenseDataTransmitted(statement=hand.seal(ANNEX, HARBOR, lease(hand)), provider=HARBOR)
    answer = hand.say(HARBOR, POSTAL, stated)
    answered(answer, "PRE-07", "license.not-the-licensee")
    assert number_of(world)


@pytest.mark.requirement("P050-3.3c/1", resides="site")
@pytest.mark.requirement("P050-3.3c/2", resides="server")
@pytest.mark.requirement("PRE-19/2", "502.27b/4")
@pytest.mark.parametrize("resides", ["site", "server"])
def test_the_balance_of_a_device_is_credited_once(journeys: Journeys, device: DeviceId, resides: str) -> None:
    journeys.deposit(Mills.dollars(20))
    journeys.reset(Mills.dollars(20))
    noted, before = journeys.status().registers.descending, account(journeys)
    if resides == "server":
        provider(journeys, removals.host, device)
        custody.order_removal(journeys.world, device, reason="A weak class.", by="olaf")
        journeys.settle()
    else:
        returning.withdraw(journeys, reason="no longer wanted")
    assert account(journeys) == before + noted
    for row in ("502.27b", "P050-3.3c", "PRE-19"):
        with refused(row, "licensee.checked-out"):
            returning.withdraw(journeys, reason="again")
    assert account(journeys) == before + noted


@pytest.mark.requirement("502.27b/1")
@pytest.mark.shows("502.27b/2", "502.27b/3")
def test_a_form_3601_c_whose_section_f_is_not_what_the_device_signed_is_refused(
    hand: Hand, journeys: Journeys, device: DeviceId, tmp_path: Path
) -> None:
    report = bodies.CheckOutReport(
        device=device,
        license=number_of(journeys.world),
        refund="RFD-222222222222",
        outcome="to be examined",
        noted=Mills(0),
        amount=Mills.dollars(5),
        signed_by=HARBOR,
        requested_by=MAILROOM,
        approved_by="",
        reading=b"",
        at=journeys.world.clock.now(),
    )
    answered(hand.say(HARBOR, POSTAL, report), "502.27b", "postal.balance-differs")
    with journeys.world.shelf.client(device) as client:
        reading = client.audit().message  # it has given nothing back
    told = replace(report, outcome="credited", reading=reading)
    answered(hand.say(HARBOR, POSTAL, told), "502.27b", "postal.balance-differs")
    returning.withdraw(journeys, reason="no longer wanted")
    assert ("device.withdrawn", device) in facts(journeys.world, POSTAL, "device.withdrawn")
    assert (tmp_path / "papers" / "form-3601-c.pdf") in write_papers(journeys.world, device, tmp_path / "papers")


def test_the_limits_of_the_custody_quote_what_they_cite() -> None:
    limits = ruleset("ibi-1998").limits
    for name in ("clock-life", "timer-life", "battery-life"):
        assert (limits[name].clause, limits[name].consequence.denies) == ("502.22(a)", "resets")


@pytest.mark.requirement("502.20j/2")
def test_a_device_is_received_and_examined_before_its_fault_is_said(journeys: Journeys, device: DeviceId) -> None:
    with refused("502.20f", "custody.no-defect"):
        provider(journeys, defects.examine, device, fault="x", remedy="withdrawn", reference="b")
    defect(journeys)
    with refused("502.20j", "custody.fault"):
        provider(journeys, defects.examine, device, fault=" ", remedy="corrected", reference="b")
    with refused("PRE-13", "custody.no-shipment"):
        provider(journeys, handovers.receive, device, condition="sound")
