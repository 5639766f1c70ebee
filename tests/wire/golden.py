"""One message of every type, and the making of its golden file.

Run `python -m tests.wire.golden` to write the files of new message types. A file that is there is never written again:
a changed encoding is another major version, not another golden file.
"""

from pathlib import Path

from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.wire import bodies as b
from towncircle.wire.message import seal
from towncircle.wire.registry import all_types, type_of
from towncircle.wire.shape import Body

FOLDER = Path(__file__).parents[1] / "data" / "wire"
NOW = Instant.parse("2026-11-21T15:04:05.000006Z")
LATER = NOW.plus(hours=72)
DEVICE = DeviceId("TC1A0000000017")
SENDER, AUDIENCE = "provider.harbor", "postal.usps"
KEY = SoftwareKey.generate("ecdsa-p256", SeededRandomness(1998, "golden messages"))

_REGISTERS = b.Registers(ascending=Mills(1_234_567), descending=Mills(98_765), pieces=4242)
_AUDIT = b.DeviceAudit(
    state="in service",
    registers=_REGISTERS,
    resets_total=Mills(1_333_332),
    withdrawn_total=Mills(0),
    high_water=NOW,
    contact_due=LATER,
    open_request="REQ-7K3MQ9ZX2RTB",
    open_amount=Mills(50_000),
    last_applied="REQ-222222222222",
    usage=(b.UsageRow(date="2026-11-21", category="FCMR", count=2, mills=Mills(1_480)),),
    reprints=1,
)
_PARAMETERS = b.DeviceParameters(
    licensee="licensee.mill",
    license="20260-000001",
    office_zip="20260",
    office_city="WASHINGTON",
    office_state="DC",
    zone="America/New_York",
    cap_mills=Mills(500_000),
    contact_months=0,
    contact_hours=72,
    lapse_effect="lock",
    layout="imi-std",
    advance_days=30,
    piece_limit_mills=Mills(100_000),
    rule_digest="ab" * 32,
    specimen=True,
)
_GROUPS = (b.RefundGroup(value=Mills(740), pieces=2, total=Mills(1_480)),)
_ANNOTATIONS = (b.Annotation(piece=3, code="used.mailed", sentence="First scanned at P&DC.", clause="502.27(a)"),)
_DEVICE_TERMS = b.DeviceTerms(
    contact_warning_months=0,
    contact_warning_hours=24,
    certificate_warning_days=30,
    clock_difference_minutes=5,
    advance_limit_days=31,
)
_GROUND = b.Ground(code="license.incomplete", sentence="The ZIP Code is missing.", clause="P050 2.1")
_CERTIFIED = {
    "indicia_certificate": b"\x30\x01",
    "message_certificate": b"\x30\x02",
    "chain": (b"\x30\x03", b"\x30\x04"),
}
_TERMS = b.PackTerms(
    regime="ibi-1998",
    rule_digest="cd" * 32,
    cap_mills=Mills(500_000),
    refund_days=30,
    advance_days=30,
    stale_days=30,
    decertified_on="2024-06-30",
    indicia_valid_through="2025-06-30",
)
_CERTIFICATE_ROW = b.CertificateRow(
    serial=0x80000004,
    device=DEVICE,
    scheme="ecdsa-p256",
    public=KEY.public.raw,
    not_before=NOW,
    not_after=LATER,
    revoked_at=None,
    revoked_reason="",
    office_zip="20260",
    zone="America/New_York",
    regime="imi-2024",
    layout="imi-std",
    specimen=True,
)

SPECIMENS: tuple[Body, ...] = (
    b.DeviceKeyReport(
        device=DEVICE,
        regime="imi-2024",
        scheme="ecdsa-p256",
        indicia_public=b"\x04" + b"\x11" * 64,
        message_public=b"\x04" + b"\x22" * 64,
        indicia_proof=b"\x33" * 64,
    ),
    b.DeviceReport(state="initialised", registers=_REGISTERS, high_water=NOW, applied=""),
    _AUDIT,
    b.ResetRequest(request_id="REQ-7K3MQ9ZX2RTB", amount=Mills(50_000), audit=_AUDIT),
    b.ResetAcknowledgment(
        request_id="REQ-7K3MQ9ZX2RTB", amount=Mills(50_000), registers=_REGISTERS, resets_total=Mills(1_383_332)
    ),
    b.DeviceWithdrawal(registers=_REGISTERS, resets_total=Mills(1_333_332), reason="end of lease"),
    b.Initialise(device=DEVICE, regime="imi-2024", scheme="ecdsa-p256", domain=b"", root_fingerprint=b"\x44" * 32),
    b.Certify(**_CERTIFIED),
    b.FirstAuthorise(parameters=_PARAMETERS),
    b.Authorise(parameters=_PARAMETERS, terms=_DEVICE_TERMS),
    b.FirstRenewal(
        audit_counter=12,
        contact_at=NOW,
        parameters=_PARAMETERS,
        settle_request="REQ-7K3MQ9ZX2RTB",
        settle_outcome="void",
    ),
    b.Renewal(
        audit_counter=12,
        contact_at=NOW,
        parameters=_PARAMETERS,
        settle_request="REQ-7K3MQ9ZX2RTB",
        settle_outcome="void",
        terms=_DEVICE_TERMS,
    ),
    b.ResetAuthorisation(request_id="REQ-7K3MQ9ZX2RTB", device=DEVICE, amount=Mills(50_000), request_counter=13),
    b.ResetRefusal(
        request_id="REQ-7K3MQ9ZX2RTB",
        code="provider.no-funds",
        sentence="There are not enough funds.",
        clause="502.25(a)",
        next_step="Make a deposit.",
    ),
    b.Withdraw(reason="end of lease"),
    b.LicenseApplication(
        application_id="APP-7K3MQ9ZX2RTB",
        applicant="licensee.mill",
        name="Mill Paper Company",
        street="1 Mill Street",
        city="WASHINGTON",
        state="DC",
        zip="20260",
        telephone="202-555-0100",
        contact="A. Miller",
        office_zip="20260",
        office_city="WASHINGTON",
        office_state="DC",
        device_location="mailroom",
        products="TC1A",
    ),
    b.LicenseTransmittal(application=b"\xd2\x84", provider="provider.harbor"),
    b.LicenseDecision(
        application_id="APP-7K3MQ9ZX2RTB",
        outcome="refused",
        license="",
        office_zip="20260",
        office_city="WASHINGTON",
        office_state="DC",
        grounds=(_GROUND,),
    ),
    b.LicenseNotice(decision=b"\xd2\x84"),
    b.LeaseSigned(
        license="20260-000001",
        agreement_digest="ef" * 32,
        financial_agreement=True,
        deposit_acknowledgment="01" * 32,
        signed_by="A. Miller",
    ),
    b.LeaseConfirmed(lease="LSE-7K3MQ9ZX2RTB", device=DEVICE, account="licensee.mill"),
    b.DepositAcknowledgmentForwarded(lease=b"\xd2\x84"),
    b.CertificateRequest(report=b"\xd2\x84", license="20260-000001"),
    b.CertificateIssued(device=DEVICE, **_CERTIFIED),
    b.DeviceActivity(device=DEVICE, license="20260-000001", event="lost", registers=_REGISTERS, at=NOW),
    b.DepositOrder(
        deposit_id="DEP-7K3MQ9ZX2RTB",
        provider="provider.harbor",
        account="licensee.mill",
        amount=Mills(250_000),
        form="wire",
    ),
    b.DepositReceipt(deposit_id="DEP-7K3MQ9ZX2RTB", amount=Mills(250_000), value_date="2026-11-21", balance=Mills(-1)),
    b.LockboxReport(
        day="2026-11-21",
        number=3,
        deposits=(
            b.LockboxRow(
                deposit_id="DEP-7K3MQ9ZX2RTB",
                licensee="licensee.mill",
                provider="provider.harbor",
                amount=Mills(-250_000),
                form="check",
            ),
        ),
        opening=Mills(250_000),
        closing=Mills(0),
    ),
    b.Acknowledged(note="taken in"),
    b.RefusedReply(
        code="license.incomplete",
        sentence="The application is not complete.",
        clause="P050 2.2",
        next_step="Mend what is named.",
        grounds=(_GROUND,),
    ),
    b.TransactionFile(
        day="2026-11-21",
        number=3,
        rows=(
            b.TransactionRow(
                device=DEVICE,
                licensee="licensee.mill",
                request_id="REQ-7K3MQ9ZX2RTB",
                amount=Mills(50_000),
                posted_at=NOW,
            ),
        ),
        total=Mills(50_000),
    ),
    b.AuditForward(audit=b"\xd2\x84"),
    b.FirstPublishedPack(
        anchor="test",
        number=5,
        issued=NOW,
        next_update=LATER,
        chain=(b"\x30\x01", b"\x30\x02", b"\x30\x03"),
        terms=(_TERMS,),
        certificates=(_CERTIFICATE_ROW,),
        statuses=(b.StatusRow(device=DEVICE, status="stolen", since=NOW),),
    ),
    b.PublishedPack(
        anchor="test",
        number=5,
        issued=NOW,
        next_update=LATER,
        chain=(b"\x30\x01", b"\x30\x02", b"\x30\x03"),
        terms=(_TERMS,),
        certificates=(_CERTIFICATE_ROW,),
        statuses=(b.StatusRow(device=DEVICE, status="withdrawn", since=NOW),),
        last_readings=(b.LastReading(device=DEVICE, ascending=Mills(98_765)),),
    ),
    b.AccountStatement(
        request_id="REQ-7K3MQ9ZX2RTB",
        device=DEVICE,
        amount=Mills(50_000),
        account_balance=Mills(200_000),
        at=NOW,
    ),
    b.ResetStatusQuery(request_id="REQ-7K3MQ9ZX2RTB"),
    b.CheckOutRequest(
        device=DEVICE,
        purpose="replacement",
        reason="the display is broken",
        requested_by="anna",
        approved_by="ben",
        transfer="TRF-7K3MQ9ZX2RTB",
        faulted=False,
    ),
    b.CheckOutNoted(device=DEVICE, refund="RFD-7K3MQ9ZX2RTB", noted=Mills(98_765), at=NOW),
    b.CheckOutQuery(device=DEVICE),
    b.CheckOutStatement(
        device=DEVICE,
        refund="RFD-7K3MQ9ZX2RTB",
        outcome="credited",
        noted=Mills(98_765),
        used=Mills(780),
        amount=Mills(97_985),
        account_balance=Mills(197_985),
        at=NOW,
    ),
    b.CheckOutReport(
        device=DEVICE,
        license="20260-000001",
        refund="RFD-7K3MQ9ZX2RTB",
        outcome="credited",
        noted=Mills(98_765),
        amount=Mills(97_985),
        signed_by="provider.harbor",
        requested_by="anna",
        approved_by="ben",
        reading=b"\xd2\x84",
        at=NOW,
    ),
    b.ExaminationOrder(device=DEVICE, reference="EXAM-1", chain=(b"\x30\x05", b"\x30\x03", b"\x30\x04")),
    b.ExaminationReport(
        reference="EXAM-1",
        state="locked",
        reason="no contact with the Provider",
        registers=_REGISTERS,
        resets_total=Mills(1_333_332),
        withdrawn_total=Mills(0),
        counter=99,
        epoch=3,
        clock=NOW,
        high_water=NOW,
        contact_due=LATER,
        open_request="REQ-7K3MQ9ZX2RTB",
        open_amount=Mills(50_000),
        last_applied="REQ-222222222222",
        reprints=1,
        certificate_serial=0x80000004,
        module=bytes(range(32)),
    ),
    b.ExaminationRequest(device=DEVICE, reference="EXM-7K3MQ9ZX2RTB", order=b"\xd2\x84"),
    b.ExaminationQuery(device=DEVICE),
    b.ExaminationWaiting(reference="EXM-7K3MQ9ZX2RTB", order=b"\xd2\x84"),
    b.ExaminationAnswer(device=DEVICE, reference="EXM-7K3MQ9ZX2RTB", report=b"\xd2\x84", code="", words=""),
    b.ExaminationReturned(
        device=DEVICE, reference="EXM-7K3MQ9ZX2RTB", report=b"", code="psd.faulted", words="It signs nothing."
    ),
    b.ExaminationFinding(
        device=DEVICE,
        reference="EXM-7K3MQ9ZX2RTB",
        outcome="irregular",
        case="CSE-7K3MQ9ZX2RTB",
        differences=(b.Ground(code="examination.law", sentence="The registers do not add up.", clause="P050 3.6"),),
    ),
    b.IrregularityReport(
        case="CSE-7K3MQ9ZX2RTB",
        device=DEVICE,
        ground="a register went back",
        discovered_at=NOW,
        evidence=b"\xd2\x84",
    ),
    b.CaseClosed(
        case="CSE-7K3MQ9ZX2RTB",
        device=DEVICE,
        outcome="released",
        reason="The copy was destroyed.",
        approved_by=("officer-17", "officer-23"),
        examination="EXM-7K3MQ9ZX2RTB",
    ),
    b.Notice(
        reference="NTC-7K3MQ9ZX2RTB",
        kind="notice",
        limit="quality-piece",
        duty="quality-piece FCT-7K3MQ9ZX2RTB",
        about=DEVICE,
        title="receive a mailpiece for quality assurance from the licensee",
        says="Missed: All further resets are denied.",
        clause="502.26",
        until=LATER,
    ),
    b.NoticeQuery(received="NTC-7K3MQ9ZX2RTB"),
    b.NoticeWaiting(notice=b"\xd2\x84"),
    b.QualityPiece(piece="QLP-7K3MQ9ZX2RTB", device=DEVICE, scan=b"%PDF-1.7"),
    b.QualityFinding(
        piece="QLP-7K3MQ9ZX2RTB",
        device=DEVICE,
        grade="D",
        verdict="VALID",
        deficiencies=(b.Ground(code="quality.contrast", sentence="It is pale.", clause="P050 4.2"),),
        guidance=("Use black ink.",),
        measured=(b.MeasureRow(what="contrast", found="31 %", grade="D"),),
        unmeasured=("Reflectance in red and green light.",),
    ),
    b.QualityReport(
        piece="QLP-7K3MQ9ZX2RTB",
        device=DEVICE,
        grade="D",
        deficiencies=(b.Ground(code="quality.contrast", sentence="It is pale.", clause="P050 4.2"),),
        received_at=NOW,
    ),
    b.InventoryFile(
        day="2026-11-21",
        number=7,
        rows=(
            b.InventoryRow(
                device=DEVICE,
                custody="leased",
                license="20260-000001",
                licensee="licensee.mill",
                registers=_REGISTERS,
                message_counter=12,
            ),
        ),
    ),
    b.InventoryFinding(
        day="2026-11-21",
        number=7,
        devices=1,
        differences=(
            b.InventoryDifference(
                device=DEVICE,
                code="population.status",
                sentence="The register has it as installed, the inventory as lost.",
                clause="502.8",
                explained=False,
            ),
        ),
    ),
    b.LicenseRevoked(
        decision="RVK-20260-000001-1",
        license="20260-000001",
        licensee="licensee.mill",
        grounds=(_GROUND,),
        at=NOW,
    ),
    b.LicenseStandingQuery(about="20260-000001"),
    b.LicenseStanding(
        about="20260-000001",
        license="20260-000001",
        state="revoked",
        decision="RVK-20260-000001-1",
        grounds=(_GROUND,),
        at=NOW,
        appeal_by="2026-12-01",
        docket="",
        appeal="none",
        reasons="",
        office_zip="20260",
        office_city="WASHINGTON",
        office_state="DC",
        provider="provider.harbor",
    ),
    b.LicenseAppeal(
        about="20260-000001",
        decision="RVK-20260-000001-1",
        reasons="The device was audited in time.",
        evidence="ab" * 32,
    ),
    b.AppealDocketed(docket="MTM-2026-000001", about="20260-000001", filed_at=NOW),
    b.LicenseDataStated(
        statement="APP-7K3MQ9ZX2RTB",
        license="20260-000001",
        licensee="licensee.mill",
        purpose="change",
        name="The Mill",
        street="1 Mill Lane",
        city="Washington",
        state="DC",
        zip="20260",
        telephone="202-555-0100",
        contact="Miller",
        device_location="Ground floor",
    ),
    b.LicenseDataTransmitted(statement=b"sealed", provider="provider.harbor"),
    b.RevisedLicense(statement="APP-7K3MQ9ZX2RTB", license="20260-000001", state="valid", revision=2, at=NOW),
    b.RevisedLicenseNotice(revised=b"sealed"),
    b.AppealDecided(
        docket="MTM-2026-000001",
        about="20260-000001",
        license="20260-000001",
        licensee="licensee.mill",
        outcome="reversed",
        office_zip="20260",
        office_city="WASHINGTON",
        office_state="DC",
        at=NOW,
    ),
    b.RefundApplication(
        refund="RFD-7K3MQ9ZX2RTB",
        device=DEVICE,
        pieces=(b"\x01\x02", b"\x03"),
        groups=_GROUPS,
        total=Mills(1_480),
        claimed_by="dora",
    ),
    b.RefundStatement(
        refund="RFD-7K3MQ9ZX2RTB",
        state="credited",
        claimed=Mills(2_220),
        total=Mills(1_480),
        share=90,
        amount=Mills(1_332),
        annotations=_ANNOTATIONS,
        account_balance=Mills(-5),
        at=NOW,
    ),
    b.RefundQuery(refund="RFD-7K3MQ9ZX2RTB"),
    b.RefundInquiry(refund="RFD-7K3MQ9ZX2RTB", device=DEVICE, pieces=(b"\x01\x02", b"\x03")),
    b.RefundKnown(
        refund="RFD-7K3MQ9ZX2RTB",
        pieces=(b.KnownPiece(content="ab" * 32, mailed="SCN-7K3MQ9ZX2RTB", site="P&DC", repaid="", at=NOW),),
        readings=(b.KnownReading(content="cd" * 32, ascending=None, postage=Mills(740), pieces=17),),
    ),
    b.Form3533(
        refund="RFD-7K3MQ9ZX2RTB",
        license="20260-000001",
        application=b"\xd2\x84",
        annotations=_ANNOTATIONS,
        groups=_GROUPS,
        total=Mills(1_480),
        share=90,
        amount=Mills(1_332),
        scanned_by="ann",
        certified_by="ben",
        at=NOW,
    ),
    b.RefundDecided(
        refund="RFD-7K3MQ9ZX2RTB",
        outcome="granted",
        annotations=_ANNOTATIONS,
        total=Mills(1_480),
        amount=Mills(1_332),
        decided_by="mats",
        at=NOW,
    ),
    b.RefundSample(refund="RFD-7K3MQ9ZX2RTB", pieces=(1, 3), asked_by="olaf"),
    b.RefundSampleShown(refund="RFD-7K3MQ9ZX2RTB", pieces=(b.ShownPiece(piece=1, payload=b"\x01\x02"),)),
    b.MissingReport(
        device=DEVICE,
        event="stolen",
        at=NOW,
        place="Mail room, ground floor",
        details="The door was broken open.",
        police_reference="26-1234",
        police_report=b"%PDF-",
    ),
    b.MissingNoted(
        device=DEVICE,
        incident="INC-7K3MQ9ZX2RTB",
        custody="stolen",
        in_transit=Mills(50_000),
        next_step="File a police report.",
        at=NOW,
    ),
    b.IncidentReport(
        report="INC-7K3MQ9ZX2RTB",
        references="INC-222222222222",
        device=DEVICE,
        license="20260-000001",
        event="recovered",
        determined_at=NOW,
        source="search",
        place="Mail room, ground floor",
        details="It stood behind the shelf.",
        steps=(b.StepRow(step="post-office", result="nothing", reference="file-3", document="ab" * 32, at=NOW),),
        registers=_REGISTERS,
    ),
    b.LostAndStolenFile(period="2026-10", file=b"H|LOST-AND-STOLEN|1\n"),
)


def sealed(body: Body) -> bytes:
    """Seal a specimen, always the same way."""
    return seal(
        sender=SENDER,
        audience=AUDIENCE,
        id="MSG-7K3MQ9ZX2RTB",
        in_reply_to="MSG-222222222222",
        issued=NOW,
        expires=LATER,
        counter=17,
        body=body,
        signer=KEY,
    )


def file_of(body: Body) -> Path:
    """Give the golden file of a specimen's type and version."""
    kind = type_of(body)
    version = f"-{kind.version}" if kind.version > 1 else ""
    return FOLDER / f"{kind.number:02d}-{kind.name}{version}.hex"


def main() -> None:
    """Write the golden files that are not there yet."""
    assert {type_of(body) for body in SPECIMENS} == set(all_types())
    for body in SPECIMENS:
        if not file_of(body).exists():
            text = sealed(body).hex()
            file_of(body).write_text("\n".join(text[at : at + 96] for at in range(0, len(text), 96)) + "\n")


if __name__ == "__main__":
    main()
