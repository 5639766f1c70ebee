"""Nobody speaks for anybody else: each message is taken from one role; from nobody else it changes anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, SUMMIT
from tests.parties.hand import BANK, POSTAL, Hand, Puppet
from tests.wire.golden import SPECIMENS

from towncircle.kernel.ids import DepositId
from towncircle.kernel.money import Mills
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire import bodies
from towncircle.wire.names import FIELDS, OPTIONAL
from towncircle.wire.shape import Body
from towncircle.world.world import Wiring, World

# whose messages of a type each party takes (one role, or several with spaces); everything else is not for it
TAKEN = {
    POSTAL: {
        "LicenseTransmittal": "provider",
        "CertificateRequest": "provider",
        "DeviceActivity": "provider",
        "CheckOutReport": "provider",
        "BalanceForm": "provider",
        "AuditForward": "provider",
        "LockboxReport": "bank",
        "TransactionFile": "provider",
        "DepositAcknowledgmentForwarded": "provider",
        "ExaminationReturned": "provider",
        "IrregularityReport": "provider",
        "CaseClosed": "provider",
        "Notice": "provider licensee",
        "QualityReport": "provider",
        "InventoryFile": "provider",
        "InventoryPart": "provider",
        "NoticeQuery": "licensee",
        "InspectionAnswer": "provider",
        "PoliceCopySent": "provider",
        "LocationInquiry": "provider",
        "ReviewGranted": "licensee",
        "LicenseStandingQuery": "licensee",
        "LicenseAppeal": "licensee",
        "LicenseDataTransmitted": "provider",
        "RefundInquiry": "provider",
        "Form3533": "provider",
        "RefundSampleShown": "provider",
        "MissingReport": "licensee",
        "IncidentReport": "provider",
        "LostAndStolenFile": "provider",
        "SoftwareForward": "provider",
        "RateTableFiled": "provider",
        "ClosingNotice": "provider",
        "DailyFinancialFile": "provider",
        "DailyFilePart": "provider",
        "HandOverQuery": "licensee",
        "MalfunctionReport": "provider",
        "CarrierProposed": "provider",
        "SupervisionReceipt": "provider",
        "SupervisionAnswer": "provider",
        "WeaknessReport": "provider",
        "ArtSubmitted": "provider",
        "FirstArtSubmitted": "provider",
        "BranchRequest": "licensee",
        "BranchQuery": "licensee",
    },
    HARBOR: {
        "LicenseApplication": "licensee",
        "LeaseSigned": "licensee",
        "ResetStatusQuery": "licensee",
        "CheckOutRequest": "licensee",
        "CheckOutQuery": "licensee",
        "DeviceWithdrawal": "device",
        "LockboxReport": "bank",
        "ResetRequest": "device",
        "ResetAcknowledgment": "device",
        "DeviceAudit": "device",
        "DeviceKeyReport": "device",
        "ExaminationRequest": "postal",
        "ExaminationQuery": "licensee",
        "ExaminationAnswer": "licensee",
        "Notice": "postal licensee",
        "QualityPiece": "licensee",
        "NoticeQuery": "licensee",
        "InspectionAnnounced": "postal",
        "PoliceCopyReceived": "postal",
        "InspectionReport": "postal",
        "InspectionClosed": "postal",
        "ReviewGranted": "licensee",
        "LicenseRevoked": "postal",
        "AppealDecided": "postal",
        "LicenseDataStated": "licensee",
        "RefundApplication": "licensee",
        "RefundQuery": "licensee",
        "RefundDecided": "postal",
        "RefundSample": "postal",
        "AccountRequest": "licensee",
        "StatementPartRequest": "licensee",
        "StatementRequest": "licensee",
        "CheckIssued": "postal",
        "BalanceArranged": "postal",
        "IrregularityReport": "postal",
        "MissingReport": "licensee",
        "DownloadQuery": "licensee",
        "DownloadsTaken": "licensee",
        "BuildApproved": "postal",
        "SoftwareReport": "device",
        "HandOverQuery": "licensee",
        "HandOverReceipt": "licensee",
        "HandOver": "licensee",
        "DefectReport": "licensee",
        "RemovalOrdered": "postal",
        "ServicePermitted": "postal",
        "ServiceWithdrawn": "postal",
        "AcceptanceWithdrawn": "postal",
        "RateTableAccepted": "postal",
        "SystemPurchased": "postal licensee",
        "SupervisionNotice": "postal",
        "ArtDecided": "postal",
        "FirstArtDecided": "postal",
        "SecondArtDecided": "postal",
        "ArtQuery": "licensee",
    },
    BANK: {"DepositOrder": "licensee", "FirstDepositOrder": "licensee", "PayoutInstruction": "postal"},
    MAILROOM: {},
}
SENDERS = {"postal": POSTAL, "bank": BANK, "provider": SUMMIT, "licensee": ANNEX, "device": ""}
BODIES = {type(body).__name__: body for body in SPECIMENS}


@pytest.fixture(scope="module")
def stage(lived_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hand, Puppet]]:
    folder = Path(shutil.copytree(lived_in, tmp_path_factory.mktemp("roles") / "world"))
    world = World.open(folder, Wiring(make_port=in_process(folder)))
    hand = Hand(world)
    yield hand, Puppet(hand, HARBOR, MAILROOM, 77)
    world.close()


def answer_of(stage: tuple[Hand, Puppet], role: str, party: str, body: Body) -> Body:
    hand, puppet = stage
    if role == "device":
        return hand.say(puppet.name, party, body, key=puppet.key)
    return hand.say(SENDERS[role], party, body)


@pytest.mark.parametrize("party", TAKEN)
@pytest.mark.parametrize("role", SENDERS)
def test_what_is_not_for_a_party_or_not_from_that_role_changes_nothing(
    stage: tuple[Hand, Puppet], role: str, party: str
) -> None:
    before = stage[0].state(party)
    others = {name: body for name, body in BODIES.items() if role not in TAKEN[party].get(name, "").split()}
    assert len(others) > 25
    # a device is known to its Provider and to the Postal Service only
    expected = "wire.unknown-sender" if role == "device" and party in (BANK, MAILROOM) else "desk.not-for-me"
    for name, body in others.items():
        answer = answer_of(stage, role, party, body)
        assert isinstance(answer, bodies.RefusedReply), name
        assert answer.code == expected, name
    assert stage[0].state(party) == before


def test_what_is_of_the_table_reaches_its_handler(stage: tuple[Hand, Puppet]) -> None:
    for party, taken in TAKEN.items():
        for name, roles in taken.items():
            for role in roles.split():
                answer = answer_of(stage, role, party, BODIES[name])
                assert getattr(answer, "code", "") != "desk.not-for-me", (party, name)


def row(licensee: str, dollars: int, hand: Hand) -> bodies.LockboxRow:
    name = DepositId.new(hand.source)
    return bodies.LockboxRow(
        deposit_id=name, licensee=licensee, provider=HARBOR, amount=Mills.dollars(dollars), form="wire"
    )


def lockbox(hand: Hand, number: int, *rows: bodies.LockboxRow) -> bodies.LockboxReport:
    total = Mills(sum(int(one.amount) for one in rows))
    return bodies.LockboxReport(day="2026-11-23", number=number, deposits=rows, opening=Mills(0), closing=total)


@pytest.mark.parametrize("sender", [ANNEX, MAILROOM, SUMMIT, POSTAL])
def test_only_the_bank_has_an_account_credited_or_charged(hand: Hand, sender: str) -> None:
    hand.world.desk(BANK)
    assert hand.refused(sender, HARBOR, lockbox(hand, 1, row(ANNEX, 400, hand))) == "desk.not-for-me"
    assert hand.refused(sender, HARBOR, lockbox(hand, 1, row(MAILROOM, -400, hand))) == "desk.not-for-me"
    assert hand.refused(sender, POSTAL, lockbox(hand, 1, row(ANNEX, 400, hand))) == "desk.not-for-me"
    assert isinstance(hand.say(BANK, HARBOR, lockbox(hand, 1, row(ANNEX, 400, hand))), bodies.Acknowledged)
    assert hand.account(ANNEX, HARBOR) == Mills.dollars(400)


def test_a_licensee_sets_no_postage_and_reports_no_device_in_a_providers_name(hand: Hand) -> None:
    device = hand.world.device_of(MAILROOM)
    none = bodies.Registers(ascending=Mills(0), descending=Mills(0), pieces=0)
    stolen = bodies.DeviceActivity(
        device=device,
        license=hand.license_of(MAILROOM),
        event="stolen",
        registers=none,
        at=hand.world.clock.now(),
    )
    filed = bodies.TransactionFile(day="2026-11-23", number=1, rows=(), total=Mills(0))
    assert hand.refused(ANNEX, POSTAL, stolen) == "desk.not-for-me"
    assert hand.refused(ANNEX, POSTAL, filed) == "desk.not-for-me"
    assert dict(hand.world.pack().statuses) == {}


@pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)
def test_an_id_that_is_none_is_refused_at_the_door(stage: tuple[Hand, Puppet], kind: type[Body]) -> None:
    name = kind.__name__
    for party, taken in TAKEN.items():
        before = stage[0].state(party)
        for field in FIELDS[kind] if name in taken else ():
            for text in ("CSE-1", "a\nb", *([] if (kind, field) in OPTIONAL else [""])):
                bent = replace(BODIES[name], **{field: text})  # type: ignore[type-var]  # every body is a dataclass
                answer = answer_of(stage, taken[name].split()[0], party, bent)
                assert isinstance(answer, bodies.RefusedReply)
                assert "unreadable" in answer.code, (field, answer.code)
        assert stage[0].state(party) == before
