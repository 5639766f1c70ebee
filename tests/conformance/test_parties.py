"""The duties between licensee, Provider, Postal Service and bank: a hand that holds every key breaks one at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.conformance.breaking import answered, grounded, refused
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, SUMMIT
from tests.parties.hand import BANK, POSTAL, Hand, Puppet, funded, key_request
from tests.parties.test_tenants import NONE, application, device, new_keys

from towncircle.kernel.ids import ApplicationId, DepositId
from towncircle.kernel.money import ZERO, Mills
from towncircle.postal.licenses import file_meter_license
from towncircle.provider.agreements import DEPOSIT_ACKNOWLEDGMENT, LEASE_AGREEMENT, digest_of
from towncircle.provider.inventory import device_record
from towncircle.wire import bodies
from towncircle.wire.shape import Body
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import World


def form(hand: Hand, applicant: str = MAILROOM, **changes: str) -> bodies.LicenseApplication:
    return replace(application(ApplicationId.new(hand.source), applicant), **changes)  # type: ignore[arg-type]


def grounds_of(answer: Body) -> list[str]:
    assert isinstance(answer, bodies.LicenseNotice | bodies.RefusedReply | bodies.LicenseDecision), answer
    return [ground.clause for ground in getattr(answer, "grounds", ())]


def transmitted(
    hand: Hand, application: bodies.LicenseApplication, *, provider: str = HARBOR
) -> bodies.LicenseTransmittal:
    return bodies.LicenseTransmittal(
        application=hand.seal(application.applicant, provider, application), provider=provider
    )


def decided(hand: Hand, application: bodies.LicenseApplication) -> bodies.LicenseDecision:
    answer = hand.say(HARBOR, POSTAL, transmitted(hand, application))
    assert isinstance(answer, bodies.LicenseDecision), answer
    return answer


def lease(hand: Hand, **changes: object) -> bodies.LeaseSigned:
    fields = {
        "license": hand.license_of(MAILROOM),
        "agreement_digest": digest_of(LEASE_AGREEMENT),
        "financial_agreement": True,
        "deposit_acknowledgment": digest_of(DEPOSIT_ACKNOWLEDGMENT),
        "signed_by": MAILROOM,
        **changes,
    }
    return bodies.LeaseSigned(**fields)  # type: ignore[arg-type]  # each test says what is unusual


# ---- licenses


@pytest.mark.requirement("P050-2.1/1", "P050-2.2/4", "PRE-07/1")
def test_an_application_that_lacks_data_is_refused_with_every_ground(hand: Hand) -> None:
    decision = decided(hand, form(hand, contact=" ", telephone="call me"))
    assert (decision.outcome, decision.license) == ("refused", "")
    grounded(decision, ("P050-2.1", "postal.form-incomplete"), ("P050-2.2", "postal.form-fictitious"))


@pytest.mark.requirement("P050-2.1/2", "P050-2.2/1")
@pytest.mark.parametrize("changes", [{"office_zip": "00000"}, {"office_state": "NY"}, {"zip": "99999"}])
def test_a_post_office_or_an_address_that_does_not_exist_is_fictitious(hand: Hand, changes: dict[str, str]) -> None:
    decision = decided(hand, form(hand, **changes))
    assert decision.outcome == "refused"
    assert decision.grounds
    for ground in decision.grounds:
        answered(ground, "P050-2.2", "postal.form-fictitious")


@pytest.mark.requirement("P050-2.1/3", "502.20b", "PRE-06/1")
def test_a_provider_transmits_its_applicants_own_application_in_its_own_name(hand: Hand) -> None:
    other = bodies.LicenseTransmittal(application=hand.seal(MAILROOM, HARBOR, form(hand)), provider=SUMMIT)
    answered(hand.say(HARBOR, POSTAL, other), "502.20b", "postal.not-the-provider")
    forged = bodies.LicenseTransmittal(application=hand.seal(ANNEX, HARBOR, form(hand)), provider=HARBOR)
    answered(hand.say(HARBOR, POSTAL, forged), "P050-2.1", "postal.not-the-applicant")


@pytest.mark.requirement("P050-2.2/5")
@pytest.mark.shows("P050-2.1/5")
def test_a_provider_hands_on_the_postal_services_decision_and_the_refusal_is_in_its_journal(
    world: World, journeys: Journeys
) -> None:
    with refused("P050-2.2"):
        journeys.apply(Applicant(telephone="call me"), provider=HARBOR)
    with world.store(HARBOR).reading() as view:
        last = [fact for fact in view.facts() if fact.type.startswith("license.")][-1]
    assert (last.type, last.clauses, last.body["outcome"]) == ("license.notified", ("P050 2.2",), "refused")


@pytest.mark.requirement("P050-2.1/6", "PRE-09/2")
def test_a_holder_of_a_license_at_the_office_gets_no_second_one(hand: Hand) -> None:
    held = hand.license_of(MAILROOM)
    decision = decided(hand, form(hand))
    assert (decision.outcome, decision.license) == ("existing", held)
    with hand.world.store(POSTAL).reading() as view:
        office = view.find("license", owner=MAILROOM)[0].body["office_zip"]
    for row in ("P050-2.1", "PRE-09"):
        with refused(row, "license.on-file"):
            hand.world.desk(POSTAL).perform(
                lambda ctx: file_meter_license(ctx, licensee=MAILROOM, office_zip=office), actor=POSTAL
            )
    with hand.world.store(POSTAL).reading() as view:
        assert [row.key for row in view.find("license", owner=MAILROOM)] == [held]


@pytest.mark.requirement("P050-2.1/7")
def test_one_application_serves_one_post_office(hand: Hand) -> None:
    first = form(hand)
    decided(hand, first)
    for changes in ({"office_zip": "10001", "office_city": "NEW YORK", "office_state": "NY"}, {"name": "Another"}):
        elsewhere = replace(first, **changes)  # type: ignore[arg-type]  # fields that are text
        answered(hand.say(HARBOR, POSTAL, transmitted(hand, elsewhere)), "P050-2.1", "postal.application-differs")
    assert decided(hand, first).outcome == "existing"  # told again as it was, it is answered as it was


@pytest.mark.shows("P050-2.1/7")
def test_a_license_of_one_post_office_is_none_of_another(hand: Hand) -> None:
    elsewhere = form(hand, zip="10001", state="NY", office_zip="10001", office_city="NEW YORK", office_state="NY")
    decision = decided(hand, elsewhere)
    assert decision.outcome == "issued"
    assert decision.license != hand.license_of(MAILROOM)


@pytest.mark.requirement("P050-2.1/8")
def test_a_license_books_nothing_at_anybody(hand: Hand) -> None:
    before = [hand.world.store(party).reading for party in (POSTAL, HARBOR, BANK, MAILROOM)]
    counts = []
    for reading in before:
        with reading() as view:
            counts.append(len(view.entries()))
    elsewhere = form(hand, zip="10001", state="NY", office_zip="10001", office_city="NEW YORK", office_state="NY")
    assert decided(hand, elsewhere).outcome == "issued"
    after = []
    for reading in before:
        with reading() as view:
            after.append(len(view.entries()))
    assert counts == after


# ---- leases


@pytest.mark.requirement("PRE-09/1", "P050-1.3/1", "502.20c", "502.8/1")
def test_nothing_is_leased_without_a_valid_license(hand: Hand) -> None:
    answered(hand.say(MAILROOM, HARBOR, lease(hand, license="20260-999999")), "502.20c", "provider.no-license")
    answered(hand.say(ANNEX, HARBOR, lease(hand)), "502.20c", "provider.no-license")
    unlicensed = key_request(hand, HARBOR, device(77), "20260-999999", **new_keys())
    answered(hand.say(HARBOR, POSTAL, unlicensed), "502.20c", "postal.no-license")


@pytest.mark.requirement("P050-1.3/2", "P050-2.5i", "P050-3.1/2")
def test_a_lease_without_its_financial_agreement_is_none(hand: Hand) -> None:
    answered(
        hand.say(MAILROOM, HARBOR, lease(hand, financial_agreement=False)),
        "P050-2.5i",
        "provider.no-financial-agreement",
    )


@pytest.mark.requirement("502.25c/3", "502.20a/1")
def test_a_lease_or_an_acknowledgment_of_another_text_is_refused(hand: Hand) -> None:
    sold = digest_of("The system is sold to the licensee.")
    for changes in ({"agreement_digest": sold}, {"deposit_acknowledgment": sold}):
        answered(hand.say(MAILROOM, HARBOR, lease(hand, **changes)), "502.25c", "provider.other-agreement")
    answered(hand.say(MAILROOM, HARBOR, lease(hand, agreement_digest=sold)), "502.20a", "provider.other-agreement")


@pytest.mark.requirement("502.25c/5")
def test_only_a_signed_acknowledgment_is_filed_at_the_accounting_service_center(hand: Hand) -> None:
    note = hand.seal(MAILROOM, HARBOR, bodies.Acknowledged(note="x"))
    forwarded = bodies.DepositAcknowledgmentForwarded(lease=note)
    answered(hand.say(HARBOR, POSTAL, forwarded), "502.25c", "postal.not-a-lease")
    with hand.world.store(POSTAL).reading() as view:
        assert len([fact for fact in view.facts() if fact.type == "deposit-acknowledgment.filed"]) == 2


# ---- the register of devices


@pytest.mark.requirement("PRE-10/1")
def test_no_device_is_ever_sold(hand: Hand) -> None:
    told = bodies.DeviceActivity(
        device=hand.world.device_of(MAILROOM),
        license=hand.license_of(MAILROOM),
        event="sold",
        registers=NONE,
        at=hand.world.clock.now(),
    )
    answered(hand.say(HARBOR, POSTAL, told), "PRE-10", "postal.no-such-activity")


@pytest.mark.requirement("PRE-07/3", "502.8/4")
def test_a_device_that_no_register_knows_is_reported_by_nobody(hand: Hand) -> None:
    puppet = Puppet(hand, HARBOR, MAILROOM, 77)  # certified for one Provider; the other one's books have no such device
    raw = hand.seal(puppet.name, SUMMIT, puppet.audit(), key=puppet.key)
    answered(hand.say(SUMMIT, POSTAL, bodies.AuditForward(audit=raw)), "502.8", "postal.unknown-device")


@pytest.mark.requirement("PRE-13/1", "P050-3.5b")
def test_a_device_that_is_not_in_the_providers_records_is_answered_nothing(hand: Hand, world: World) -> None:
    puppet = Puppet(hand, HARBOR, MAILROOM, 77)
    with world.store(HARBOR).transaction() as tx:
        moves = [fact.type for fact in tx.facts() if fact.subject == world.device_of(MAILROOM)]
    assert [name for name in moves if name.startswith("custody.")] == [
        "custody.stocked",
        "custody.shipped",
        "custody.leased",
    ]
    wanted = puppet.audit(open_request="REQ-222222222222", open_amount=Mills.dollars(1))
    body = bodies.ResetRequest(request_id="REQ-222222222222", amount=Mills.dollars(1), audit=wanted)  # type: ignore[arg-type]
    raw = hand.seal(puppet.name, SUMMIT, body, key=puppet.key)
    answered(hand.hand_in(raw, SUMMIT), "502.28")
    with refused("P050-3.5b", "provider.unknown-device"):
        world.desk(HARBOR).perform(lambda ctx: device_record(ctx, "TC1A0000000078"), actor=HARBOR)
    stranger = hand.seal(puppet.name, HARBOR, body, key=new_keys()["message"])
    answered(hand.hand_in(stranger, HARBOR), "502.28")


@pytest.mark.requirement("PRE-06/3")
def test_a_provider_takes_from_each_side_its_own_messages_only(hand: Hand) -> None:
    report = bodies.LockboxReport(day="2026-11-23", number=1, deposits=(), opening=ZERO, closing=ZERO)
    answered(hand.say(MAILROOM, HARBOR, report), "PRE-06", "desk.not-for-me")
    other = hand.seal(ANNEX, HARBOR, form(hand))
    answered(hand.hand_in(other, HARBOR), "P050-2.1", "provider.not-the-applicant")


@pytest.mark.requirement("502.2/2", "PRE-07/6", "P050-1.2/1", "502.7/1", "IMI-07")
@pytest.mark.parametrize("changes", [{"regime": "ibi-1998"}, {"scheme": "dsa-1024"}])
def test_a_device_beyond_its_providers_assignment_gets_no_certificate(hand: Hand, changes: dict[str, str]) -> None:
    request = key_request(hand, HARBOR, device(77), hand.license_of(MAILROOM), **new_keys(), **changes)  # type: ignore[arg-type]
    answered(hand.say(HARBOR, POSTAL, request), "502.2", "postal.not-assigned")


# ---- keys


@pytest.mark.requirement("502.28/1")
def test_keys_that_do_not_prove_themselves_are_not_certified(hand: Hand) -> None:
    request = key_request(hand, HARBOR, device(77), hand.license_of(MAILROOM), **new_keys(), proof=bytes(64))
    answered(hand.say(HARBOR, POSTAL, request), "502.28", "postal.no-key-proof")


@pytest.mark.requirement("502.28/4")
def test_a_message_under_a_key_that_is_not_its_senders_is_refused(hand: Hand) -> None:
    raw = hand.seal(MAILROOM, HARBOR, form(hand), key=new_keys()["message"])
    answered(hand.hand_in(raw, HARBOR), "502.28", "wire.unknown-key")


@pytest.mark.requirement("502.28/5")
def test_a_device_gets_its_next_key_only_for_the_key_it_has(hand: Hand) -> None:
    first = new_keys()
    request = key_request(hand, HARBOR, device(77), hand.license_of(MAILROOM), **first)
    assert isinstance(hand.say(HARBOR, POSTAL, request), bodies.CertificateIssued)
    another = key_request(hand, HARBOR, device(77), hand.license_of(MAILROOM), **new_keys("another"))
    answered(hand.say(HARBOR, POSTAL, another), "502.28", "postal.already-certified")


@pytest.mark.requirement("502.28/6")
def test_a_certificate_is_revoked_for_a_reason_that_is_known(world: World) -> None:
    from towncircle.postal.certificates import revoke

    name = world.device_of(MAILROOM)
    with refused("502.28", "postal.no-such-reason"):
        world.desk(POSTAL).perform(lambda ctx: revoke(ctx, device=name, reason="a whim"), actor=POSTAL)
    world.desk(POSTAL).perform(lambda ctx: revoke(ctx, device=name, reason="key-compromise"), actor=POSTAL)
    assert [row.revoked_reason for row in world.pack().certificates.values() if row.device == name] == [
        "key-compromise"
    ]


# ---- money


@pytest.mark.requirement("P050-1.1/4", "P050-3.2/1", "P050-3.5a/1", "502.25a/3", "502.25c/1")
def test_a_reset_beyond_the_funds_is_refused_and_nothing_moves(journeys: Journeys, hand: Hand) -> None:
    journeys.deposit(Mills.dollars(100))
    with refused("P050-3.5a", "ledger.insufficient-funds"):
        journeys.reset(Mills.dollars(100) + Mills(1))
    assert hand.account(MAILROOM, HARBOR) == Mills.dollars(100)
    assert journeys.status().registers.descending == ZERO


@pytest.mark.requirement("P050-3.1/1")
def test_a_device_that_was_never_set_prints_nothing(journeys: Journeys) -> None:
    with refused("P050-3.1", "mailroom.no-postage-set"):
        journeys.plan(())


@pytest.mark.requirement("P050-3.5a/3")
def test_a_form_of_payment_that_the_rule_does_not_name_is_refused(hand: Hand) -> None:
    order = bodies.DepositOrder(
        deposit_id=DepositId.new(hand.source), provider=HARBOR, account="a", amount=Mills.dollars(3), form="barter"
    )
    answer = hand.say(MAILROOM, BANK, order)
    answered(answer, "P050-3.5a", "bank.unknown-form")
    assert "ach-debit, ach-credit, wire, debit-card, credit-card, check" in answer.next_step  # type: ignore[attr-defined]


@pytest.mark.requirement("502.25c/4")
def test_a_deposit_for_a_provider_that_the_lockbox_does_not_know_is_refused(hand: Hand) -> None:
    order = bodies.DepositOrder(
        deposit_id=DepositId.new(hand.source),
        provider="provider.nobody",
        account="a",
        amount=Mills.dollars(3),
        form="wire",
    )
    answered(hand.say(MAILROOM, BANK, order), "502.25c", "bank.no-such-provider")


@pytest.mark.requirement("PRE-07/4", "502.20m", "502.8/3")
def test_a_file_that_does_not_follow_or_does_not_add_up_is_refused(hand: Hand, journeys: Journeys) -> None:
    funded(journeys)
    row = bodies.TransactionRow(
        device=journeys.device,
        licensee=MAILROOM,
        request_id="REQ-222222222222",  # type: ignore[arg-type]  # as a device would write it
        amount=Mills.dollars(1),
        posted_at=hand.world.clock.now(),
    )
    for number, total, code in ((9, 1, "postal.report-out-of-order"), (2, 2, "postal.report-does-not-add-up")):
        filed = bodies.TransactionFile(day="2026-11-23", number=number, rows=(row,), total=Mills.dollars(total))
        answered(hand.say(HARBOR, POSTAL, filed), "502.20m", code)


# ---- audits


@pytest.mark.requirement("PRE-15/2", "502.8/2", "502.23/2", "IMI-11")
def test_the_postal_service_takes_no_audit_that_a_device_has_not_signed(hand: Hand, journeys: Journeys) -> None:
    funded(journeys)
    journeys.contact()
    with hand.world.store(POSTAL).reading() as view:
        forwarded = [fact for fact in view.facts() if fact.type == "audit.forwarded"]
    assert forwarded[-1].body["ascending"] == int(journeys.status().registers.ascending)
    note = hand.seal(MAILROOM, HARBOR, bodies.Acknowledged(note="all is well"))
    answered(hand.say(HARBOR, POSTAL, bodies.AuditForward(audit=note)), "502.23", "postal.not-an-audit")


@pytest.mark.requirement("PRE-12/2", "502.25a/2", "502.20j/1")
def test_a_device_whose_register_went_back_is_frozen(hand: Hand) -> None:
    puppet = Puppet(hand, HARBOR, MAILROOM, 77)
    spent = bodies.Registers(ascending=Mills(5_000), descending=ZERO, pieces=9)
    puppet.say(puppet.audit(registers=spent), counter=1)  # it never got the value: frozen, and told so
    answer = puppet.ask_reset("REQ-222222222222", Mills.dollars(1), counter=2)
    answered(answer, "502.20j", "provider.frozen")


@pytest.mark.requirement("502.25a/1", "P050-3.1/3")
def test_a_request_whose_identifying_data_are_anothers_is_refused(hand: Hand, journeys: Journeys) -> None:
    funded(journeys)
    puppet = Puppet(hand, HARBOR, MAILROOM, 77)
    first = puppet.ask_reset("REQ-222222222222", Mills.dollars(1), counter=1)
    assert isinstance(first, bodies.ResetAuthorisation)
    answered(puppet.ask_reset("REQ-222222222222", Mills.dollars(2), counter=2), "502.25a", "provider.reset-conflict")
    stranger = hand.seal(puppet.name, HARBOR, puppet.audit(), key=new_keys()["message"])
    answered(hand.hand_in(stranger, HARBOR), "502.28", "wire.unknown-key")


@pytest.mark.requirement("502.25a/2")
def test_a_reading_that_came_late_sets_nothing(hand: Hand) -> None:
    puppet = Puppet(hand, HARBOR, MAILROOM, 77)
    puppet.say(puppet.audit(), counter=5)
    answer = puppet.ask_reset("REQ-222222222222", Mills.dollars(1), counter=4)
    answered(answer, "502.25a", "provider.stale-reading")


@pytest.mark.requirement("502.20e/3")
@pytest.mark.parametrize("custody", ["returned", "missing", "stolen"])
def test_a_device_that_is_no_longer_leased_is_not_reset(hand: Hand, custody: str) -> None:
    puppet = Puppet(hand, HARBOR, MAILROOM, 77)
    with hand.world.store(HARBOR).transaction() as tx:
        row = tx.get("device", puppet.device)
        assert row is not None
        tx.put("device", puppet.device, {**row.body, "custody": custody}, owner=row.owner, expected=row.version)
    answer = puppet.ask_reset("REQ-222222222222", Mills.dollars(1), counter=1)
    answered(answer, "502.20e", "provider.not-leased")


# ---- the licensee


@pytest.mark.requirement("P050-3.5c")
def test_a_statement_of_somebody_else_is_none(hand: Hand, journeys: Journeys, line) -> None:  # type: ignore[no-untyped-def]
    from towncircle.wire.message import peek

    funded(journeys, 300, 50)
    told = bodies.AccountStatement(
        request_id=journeys.status().last_applied,
        device=journeys.device,
        amount=Mills.dollars(10),
        account_balance=Mills.dollars(9),
        at=hand.world.clock.now(),
    )
    forged = hand.seal(SUMMIT, f"device.{journeys.device}", told)
    line.coming = lambda _audience, raw: forged if peek(raw).type == 58 else raw
    with refused("P050-3.5c", "licensee.not-the-statement"):
        journeys.reset(Mills.dollars(10))


def wanted(world: World, name: str, amount: Mills) -> None:
    from towncircle.kernel.ids import JobId
    from towncircle.licensee import departments

    job = JobId.new(world.desk(MAILROOM).randomness)
    world.desk(MAILROOM).perform(
        lambda ctx: departments.reserve(ctx, department=name, job=job, amount=amount), actor=MAILROOM
    )


@pytest.mark.requirement("IMI-05/1")
def test_a_department_that_is_unknown_prints_nothing(world: World) -> None:
    with refused("IMI-05", "department.unknown"):
        wanted(world, "nowhere", Mills(1))


@pytest.mark.requirement("IMI-05/2")
def test_a_department_over_its_budget_prints_nothing(world: World) -> None:
    with world.store(MAILROOM).transaction() as tx:
        tx.put("department", "press", {"budget": 1_000, "reserved": 0, "spent": 0}, owner=MAILROOM, expected=0)
    with refused("IMI-05", "department.over-budget"):
        wanted(world, "press", Mills(1_001))
