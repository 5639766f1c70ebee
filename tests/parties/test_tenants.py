"""What belongs to one licensee, device or Provider is out of the reach of every other."""

from __future__ import annotations

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, SUMMIT
from tests.parties.hand import BANK, POSTAL, Hand, Puppet, foretold, funded, key_request

from towncircle.auditor import audit
from towncircle.kernel.ids import ApplicationId, DepositId, DeviceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.provider.agreements import DEPOSIT_ACKNOWLEDGMENT, LEASE_AGREEMENT, digest_of
from towncircle.wire import bodies
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys

NONE = bodies.Registers(ascending=ZERO, descending=ZERO, pieces=0)
REQUEST = "REQ-222222222222"


def new_keys(name: str = "home-made") -> dict[str, SoftwareKey]:
    source = SeededRandomness(5, name)
    return {part: SoftwareKey.generate("ecdsa-p256", source) for part in ("indicia", "message")}


def device(serial: int, model: str = "1A", vendor: str = "TC") -> DeviceId:
    return DeviceId.of(vendor=vendor, model=model, serial=serial)


def application(name: str, applicant: str) -> bodies.LicenseApplication:
    return bodies.LicenseApplication(
        application_id=ApplicationId(name),
        applicant=applicant,
        name="Somebody",
        street="475 L'Enfant Plaza SW",
        city="Washington",
        state="DC",
        zip="20260",
        telephone="202-268-5311",
        contact="c",
        office_zip="20260",
        office_city="WASHINGTON",
        office_state="DC",
        device_location="d",
        products="p",
    )


# ---- certificates


def test_a_home_made_key_is_certified_for_nobody_but_the_licenses_provider(hand: Hand) -> None:
    license_number = hand.license_of(MAILROOM)
    ours = key_request(hand, ANNEX, device(77), license_number, **new_keys())
    assert hand.refused(ANNEX, POSTAL, ours) == "desk.not-for-me"
    theirs = key_request(hand, SUMMIT, device(1_000_077), license_number, **new_keys())
    assert hand.refused(SUMMIT, POSTAL, theirs) == "postal.no-license"
    unknown = key_request(hand, HARBOR, device(77), "20260-999999", **new_keys())
    assert hand.refused(HARBOR, POSTAL, unknown) == "postal.no-license"
    right = key_request(hand, HARBOR, device(77), license_number, **new_keys())
    assert isinstance(hand.say(HARBOR, POSTAL, right), bodies.CertificateIssued)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (device(1_000_001), {}),  # a serial of the other Provider
        (device(77, model="1B"), {}),
        (device(77, vendor="XX"), {}),
        (device(77), {"regime": "ibi-1998"}),
        (device(77), {"regime": "martian"}),
        (device(77), {"scheme": "dsa-1024"}),
        (device(77), {"scheme": "zzz"}),
    ],
)
def test_a_device_beyond_its_providers_assignment_is_not_certified(
    hand: Hand, name: DeviceId, changes: dict[str, str]
) -> None:
    request = key_request(hand, HARBOR, name, hand.license_of(MAILROOM), **new_keys(), **changes)  # type: ignore[arg-type]
    assert hand.refused(HARBOR, POSTAL, request) == "postal.not-assigned"
    hand.world.publish()
    assert hand.world.pack().number


def test_what_is_no_key_report_of_the_device_itself_is_not_certified(hand: Hand) -> None:
    license_number = hand.license_of(MAILROOM)
    keys = new_keys()
    proofless = key_request(hand, HARBOR, device(77), license_number, **keys, proof=bytes(64))
    assert hand.refused(HARBOR, POSTAL, proofless) == "postal.no-key-proof"
    note = hand.seal(HARBOR, HARBOR, bodies.Acknowledged(note="x"))
    other = bodies.CertificateRequest(report=note, license=license_number)
    assert hand.refused(HARBOR, POSTAL, other) == "postal.no-key-proof"
    first = key_request(hand, HARBOR, device(77), license_number, **keys)
    assert isinstance(hand.say(HARBOR, POSTAL, first), bodies.CertificateIssued)
    second = key_request(hand, HARBOR, device(77), license_number, **new_keys("another"))
    assert hand.refused(HARBOR, POSTAL, second) == "postal.already-certified"


# ---- applications and leases


@pytest.mark.parametrize("provider", [HARBOR, SUMMIT])
def test_an_application_under_anothers_id_brings_nothing(hand: Hand, provider: str) -> None:
    with hand.world.store(HARBOR).reading() as view:
        [theirs] = [row.key for row in view.find("application", owner=MAILROOM)]
    before = hand.state(POSTAL)
    answer = hand.say(ANNEX, provider, application(theirs, ANNEX))
    assert isinstance(answer, bodies.RefusedReply)
    assert answer.code == "postal.application-of-another"
    assert hand.state(POSTAL) == before
    with hand.world.store(provider).reading() as view:
        assert [row.owner for row in view.find("license") if row.key == hand.license_of(MAILROOM)] in ([], [MAILROOM])


def test_nobody_applies_for_another_or_leases_under_anothers_license(hand: Hand) -> None:
    form = application(ApplicationId.new(hand.source), MAILROOM)
    assert hand.refused(ANNEX, HARBOR, form) == "provider.not-the-applicant"
    signed = bodies.LeaseSigned(
        license=hand.license_of(MAILROOM),
        agreement_digest=digest_of(LEASE_AGREEMENT),
        financial_agreement=True,
        deposit_acknowledgment=digest_of(DEPOSIT_ACKNOWLEDGMENT),
        signed_by="annex",
    )
    assert hand.refused(ANNEX, HARBOR, signed) == "provider.no-license"
    assert hand.refused(ANNEX, SUMMIT, signed) == "provider.no-license"


# ---- the register of devices


def test_a_provider_squats_on_no_device_and_reports_none_of_anothers(hand: Hand) -> None:
    now = hand.world.clock.now()
    mine = hand.world.device_of(MAILROOM)
    for provider, name in ((SUMMIT, mine), (HARBOR, device(78)), (SUMMIT, device(78)), (SUMMIT, device(1_000_001))):
        license_number = hand.license_of(MAILROOM)
        stolen = bodies.DeviceActivity(device=name, license=license_number, event="stolen", registers=NONE, at=now)
        assert hand.refused(provider, POSTAL, stolen) in ("postal.unknown-device", "postal.no-license")
    hand.world.publish()
    assert dict(hand.world.pack().statuses) == {}


def test_a_report_of_a_device_names_a_known_event_that_has_happened(hand: Hand) -> None:
    now, name = hand.world.clock.now(), hand.world.device_of(MAILROOM)
    for event, at in (("sold", now), ("stolen", now.plus(hours=1))):
        told = bodies.DeviceActivity(device=name, license=hand.license_of(MAILROOM), event=event, registers=NONE, at=at)
        assert hand.refused(HARBOR, POSTAL, told) == "postal.no-such-activity"


def test_a_provider_gives_its_device_to_no_licensee_of_another(hand: Hand) -> None:
    Journeys(hand.world, ANNEX)
    store = hand.world.store(POSTAL)
    theirs = hand.license_of(ANNEX)
    with store.transaction() as tx:
        row = tx.get("license", theirs)
        assert row is not None
        tx.put("license", theirs, {**row.body, "provider": SUMMIT}, owner=row.owner, expected=row.version)
    told = bodies.DeviceActivity(
        device=hand.world.device_of(MAILROOM),
        license=theirs,
        event="installed",
        registers=NONE,
        at=hand.world.clock.now(),
    )
    assert hand.refused(HARBOR, POSTAL, told) == "postal.no-license"
    assert hand.refused(SUMMIT, POSTAL, told) == "postal.unknown-device"  # its licensee's license, another's device


# ---- enclosed messages of another kind


def test_an_enclosure_of_another_kind_is_refused_and_no_defect(hand: Hand) -> None:
    note = hand.seal(MAILROOM, HARBOR, bodies.Acknowledged(note="x"))
    nested = hand.seal(HARBOR, HARBOR, bodies.AuditForward(audit=b"x"))
    for enclosed in (note, nested):
        assert hand.refused(HARBOR, POSTAL, bodies.AuditForward(audit=enclosed)) == "postal.not-an-audit"
        forwarded = bodies.DepositAcknowledgmentForwarded(lease=enclosed)
        assert hand.refused(HARBOR, POSTAL, forwarded) == "postal.not-a-lease"
    for garbage in (b"", b"\xd2", bytes(40)):
        assert hand.refused(HARBOR, POSTAL, bodies.AuditForward(audit=garbage)) == "world.enclosure-refused"


def test_an_audit_is_forwarded_by_its_own_provider_only(hand: Hand) -> None:
    puppet = Puppet(hand, HARBOR, MAILROOM, 77)
    raw = hand.seal(puppet.name, SUMMIT, puppet.audit(), key=puppet.key)
    assert hand.refused(SUMMIT, POSTAL, bodies.AuditForward(audit=raw)) == "postal.unknown-device"


def test_the_audit_of_a_device_that_nobody_has_signed_for_is_recorded_and_is_no_installation(hand: Hand) -> None:
    puppet = Puppet(hand, HARBOR, MAILROOM, 77)
    raw = hand.seal(puppet.name, HARBOR, puppet.audit(), key=puppet.key)
    assert isinstance(hand.say(HARBOR, POSTAL, bodies.AuditForward(audit=raw)), bodies.Acknowledged)
    with hand.world.store(POSTAL).reading() as view:
        assert view.get("device", puppet.device) is None
        assert [fact.type for fact in view.facts() if fact.subject == puppet.device][-1] == "audit.forwarded"


# ---- devices of two tenants


def test_a_foretold_message_id_freezes_nobodys_device(hand: Hand, journeys: Journeys) -> None:
    funded(journeys)
    status = journeys.status()
    for ahead in range(1, 6):
        claimed = foretold(status.device, status.counter + ahead)
        answer = hand.say(ANNEX, HARBOR, application(ApplicationId.new(hand.source), ANNEX), id=claimed)
        assert isinstance(answer, bodies.LicenseNotice)
    journeys.contact()
    journeys.reset(Mills.dollars(10))
    with hand.world.store(HARBOR).reading() as view:
        row = view.get("device", status.device)
    assert row is not None
    assert row.body["frozen"] == ""


def test_two_devices_may_use_one_request_id(hand: Hand, journeys: Journeys) -> None:
    funded(journeys)
    Journeys(hand.world, ANNEX).deposit(Mills.dollars(100))
    puppets = [Puppet(hand, HARBOR, owner, serial) for owner, serial in ((MAILROOM, 77), (ANNEX, 78))]
    amounts = [Mills.dollars(20), Mills.dollars(30)]
    for puppet, amount in zip(puppets, amounts, strict=True):
        answer = puppet.ask_reset(REQUEST, amount, counter=1)
        assert isinstance(answer, bodies.ResetAuthorisation), answer
        assert (answer.device, answer.amount) == (puppet.device, amount)
    standing = hand.say(ANNEX, HARBOR, bodies.ResetStatusQuery(request_id=REQUEST))
    assert isinstance(standing, bodies.ResetStanding), standing
    assert (standing.state, standing.amount) == ("reserved", Mills.dollars(30))
    assert standing.sentence.startswith("Credit pending: the reset of $30.00 will finish at the next connection")
    for puppet, amount in zip(puppets, amounts, strict=True):
        after = bodies.Registers(ascending=ZERO, descending=amount, pieces=0)
        done = bodies.ResetAcknowledgment(request_id=REQUEST, amount=amount, registers=after, resets_total=amount)
        answer = puppet.say(done, counter=2)
        assert isinstance(answer, bodies.AccountStatement), answer
        assert (answer.device, answer.amount) == (puppet.device, amount)
    assert hand.account(MAILROOM, HARBOR) == Mills.dollars(230)
    assert hand.account(ANNEX, HARBOR) == Mills.dollars(70)
    question = bodies.ResetStatusQuery(request_id=REQUEST)
    told = hand.say(ANNEX, HARBOR, question)
    assert isinstance(told, bodies.AccountStatement)
    assert told.amount == Mills.dollars(30)


# ---- deposits


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": ZERO}, "bank.nothing-to-deposit"),
        ({"amount": Mills.dollars(1_000_000) + Mills(1)}, "bank.item-too-large"),
        ({"amount": Mills(2**63 - 1)}, "bank.item-too-large"),
        ({"provider": "provider.nobody"}, "bank.no-such-provider"),
        ({"provider": POSTAL}, "bank.no-such-provider"),
        ({"provider": ""}, "bank.no-such-provider"),
        ({"form": "cowries"}, "bank.unknown-form"),
    ],
)
def test_the_bank_takes_sums_it_can_hold_for_providers_it_knows(
    hand: Hand, changes: dict[str, object], code: str
) -> None:
    order = {"deposit_id": DepositId.new(hand.source), "provider": HARBOR, "account": "a", "form": "wire"}
    fields = {**order, "amount": Mills(5000), **changes}
    assert hand.refused(ANNEX, BANK, bodies.DepositOrder(**fields)) == code  # type: ignore[arg-type]  # bent on purpose
    assert isinstance(
        hand.say(MAILROOM, BANK, bodies.DepositOrder(**order, amount=Mills(100_000))), bodies.DepositReceipt
    )
    assert hand.account(MAILROOM, HARBOR) == Mills.dollars(100)


def test_a_deposit_under_anothers_id_is_not_taken(hand: Hand) -> None:
    order = bodies.DepositOrder(
        deposit_id=DepositId.new(hand.source), provider=HARBOR, account="a", amount=Mills(5000), form="wire"
    )
    assert isinstance(hand.say(MAILROOM, BANK, order), bodies.DepositReceipt)
    assert hand.refused(ANNEX, BANK, order).startswith(("ledger.", "store."))
    assert hand.account(ANNEX, HARBOR) == ZERO


def test_after_all_that_the_books_audit_to_nothing(hand: Hand, journeys: Journeys, tmp_path) -> None:  # type: ignore[no-untyped-def]
    funded(journeys)
    test_nobody_applies_for_another_or_leases_under_anothers_license(hand)
    test_a_provider_squats_on_no_device_and_reports_none_of_anothers(hand)
    export(hand.world, tmp_path / "export")
    assert audit(tmp_path / "export").differences == []
