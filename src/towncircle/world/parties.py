"""Which message goes to which decision: the four parties' tables of handlers.

Here: the tables, with what each handler needs bound to it. Not here: the handlers.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import partial
from types import MappingProxyType

from towncircle.bank import lockbox, payouts
from towncircle.kernel.instants import Instant
from towncircle.mailpiece.zipcode import place_of
from towncircle.pki.domain import DSA_1024_DOMAIN
from towncircle.postal import advertising as postal_advertising
from towncircle.postal import (
    appeals,
    branches,
    builds,
    cases,
    certificates,
    closings,
    custody,
    defenses,
    examining,
    inventory_parts,
    license_data,
    licenses,
    population,
    procedures,
    reconciling,
    standing,
    trust,
    weaknesses,
    withdrawals,
)
from towncircle.postal import balances as postal_balances
from towncircle.postal import daily as postal_daily
from towncircle.postal import inspections as postal_inspections
from towncircle.postal import missing as postal_missing
from towncircle.postal import quality as pieces
from towncircle.postal import rates as postal_rates
from towncircle.postal import refunds as postal_refunds
from towncircle.postal.certificates import Assigned, Authority
from towncircle.provider import (
    accounts,
    advertising,
    audits,
    balances,
    checkouts,
    closing,
    defects,
    downloads,
    envelopes,
    examinations,
    handovers,
    leasing,
    licensing,
    missing,
    quality,
    readings,
    refund_endings,
    refunds,
    removals,
    renewing,
    requests,
    resetting,
    revocations,
    software,
    statements,
    supervision,
    upkeep,
)
from towncircle.provider import cases as provider_cases
from towncircle.provider import inspections as provider_inspections
from towncircle.provider import rates as provider_rates
from towncircle.provider.leasing import Product
from towncircle.psd.integrity import module_digest
from towncircle.rules import RuleSet, ruleset
from towncircle.rules.rulesets import REGISTRY
from towncircle.verification import Pack
from towncircle.wire import bodies
from towncircle.wire.inbox import Conflict
from towncircle.world import guarding, notices, reviews
from towncircle.world.desk import Taken

DEVICE_CERTIFICATE_DAYS = 3 * 365  # house
SERIALS_EACH = 1_000_000
CATEGORY = "stand-alone"  # the class of the systems that a world leases (502.6)
# the sandbox's models by the signatures they make, with the parameters of the scheme
_MODELS = {"ecdsa-p256": ("1A", b""), "dsa-1024": ("1B", DSA_1024_DOMAIN)}


def product_of(regime: str, root: bytes, *, place: int = 0) -> Product:
    """Describe the system that the sandbox's Providers lease under a regime.

    They share vendor and model, so each has serials of its own by its place among the world's Providers.
    """
    about = REGISTRY[ruleset(regime).name]
    model, domain = _MODELS[about.scheme]
    return Product(
        vendor="TC",
        model=model,
        regime=regime,
        scheme=about.scheme,
        domain=domain,
        layout=about.layout,
        root_fingerprint=root,
        serials_from=place * SERIALS_EACH + 1,
        category=CATEGORY,
        build=module_digest(),
        zone_of=lambda zip_code: place_of(zip_code).zone,
    )


def assignment(product: Product) -> Assigned:
    """Give what the Postal Service has assigned for a product."""
    return Assigned(
        vendor=product.vendor,
        model=product.model,
        first=product.serials_from,
        last=product.serials_from + SERIALS_EACH - 1,
        regime=product.regime,
        scheme=product.scheme,
        category=product.category,
        build=product.build,
    )


def approved_builds() -> frozenset[bytes]:
    """Give the build that this installation is: approved where a Provider's file is older than approvals on file."""
    return frozenset({bytes.fromhex(module_digest())})


def postal_handlers(authority: Authority, rules: RuleSet) -> Mapping[type, Taken]:
    """Give the Postal Service's table: Providers report and ask, the bank reports."""
    certify = partial(certificates.on_request, authority=authority)
    noticed = partial(notices.on_notice, then=pieces.on_noncompliance)
    examined = partial(examining.on_returned, builds=approved_builds())
    return {
        bodies.LicenseTransmittal: Taken(("provider",), partial(licenses.on_transmittal, rules=rules)),
        bodies.CertificateRequest: Taken(("provider",), certify),
        bodies.DeviceActivity: Taken(("provider",), partial(population.on_activity, rules=rules)),
        bodies.CheckOutReport: Taken(("provider",), withdrawals.on_check_out),
        bodies.BalanceForm: Taken(("provider",), postal_balances.on_form),
        bodies.AuditForward: Taken(("provider",), partial(population.on_audit, rules=rules)),
        bodies.LockboxReport: Taken(("bank",), trust.on_lockbox_report),
        bodies.TransactionFile: Taken(("provider",), trust.on_transaction_file),
        bodies.DepositAcknowledgmentForwarded: Taken(("provider",), trust.on_deposit_acknowledgment),
        bodies.ExaminationReturned: Taken(("provider",), examined),
        bodies.IrregularityReport: Taken(("provider",), cases.on_report),
        bodies.CaseClosed: Taken(("provider",), cases.on_closed),
        bodies.Notice: Taken(("provider", "licensee"), noticed),
        bodies.QualityReport: Taken(("provider",), pieces.on_report),
        bodies.InventoryFile: Taken(("provider",), reconciling.on_inventory),
        bodies.InventoryPart: Taken(("provider",), inventory_parts.on_part),
        bodies.NoticeQuery: Taken(("licensee",), partial(notices.on_query, then=standing.on_delivered)),
        bodies.ReviewGranted: Taken(("licensee",), reviews.on_granted),
        bodies.LicenseStandingQuery: Taken(("licensee",), partial(standing.on_query, rules=rules)),
        bodies.LicenseAppeal: Taken(("licensee",), partial(appeals.on_appeal, rules=rules)),
        bodies.LicenseDataTransmitted: Taken(("provider",), license_data.on_transmitted),
        bodies.RefundInquiry: Taken(("provider",), postal_refunds.on_inquiry),
        bodies.Form3533: Taken(("provider",), partial(postal_refunds.on_form, rules=rules)),
        bodies.RefundSampleShown: Taken(("provider",), postal_refunds.on_shown),
        bodies.ClosingNotice: Taken(("provider",), closings.on_notice),
        bodies.DailyFinancialFile: Taken(("provider",), postal_daily.on_file),
        bodies.DailyFilePart: Taken(("provider",), postal_daily.on_part),
        bodies.MissingReport: Taken(("licensee",), postal_missing.on_report),
        bodies.HandOverQuery: Taken(("licensee",), custody.on_query),
        bodies.MalfunctionReport: Taken(("provider",), custody.on_malfunction),
        bodies.CarrierProposed: Taken(("provider",), custody.on_proposed),
        bodies.IncidentReport: Taken(("provider",), postal_missing.on_incident),
        bodies.LostAndStolenFile: Taken(("provider",), postal_missing.on_file),
        bodies.SupervisionReceipt: Taken(("provider",), procedures.on_receipt),
        bodies.ArtSubmitted: Taken(("provider",), postal_advertising.on_submitted),
        bodies.FirstArtSubmitted: Taken(("provider",), postal_advertising.on_submitted),
        bodies.BranchRequest: Taken(("licensee",), branches.on_request),
        bodies.BranchQuery: Taken(("licensee",), branches.on_query),
        bodies.WeaknessReport: Taken(("provider",), weaknesses.on_report),
        **_REPORTED_HANDLERS,
        bodies.SupervisionAnswer: Taken(("provider",), partial(defenses.on_answer, rules=rules)),
        bodies.SoftwareForward: Taken(("provider",), builds.on_software),
        bodies.RateTableFiled: Taken(("provider",), postal_rates.on_filed),
    }


def provider_handlers(product: Product, rules: RuleSet, pack: Callable[[Instant], Pack]) -> Mapping[type, Taken]:
    """Give a Provider's table: licensees apply and lease, devices speak, the bank reports."""
    lease = partial(leasing.on_lease, product=product, rules=rules)
    evaluating = quality.Desk(look=guarding.sighting, pack=pack)
    return {
        bodies.LicenseApplication: Taken(("licensee",), licensing.on_application),
        bodies.LeaseSigned: Taken(("licensee",), lease, partial(leasing.on_refused, product=product)),
        bodies.ResetStatusQuery: Taken(("licensee",), resetting.on_status_query),
        bodies.CheckOutRequest: Taken(("licensee",), checkouts.on_request),
        bodies.CheckOutQuery: Taken(("licensee",), checkouts.on_query),
        bodies.DeviceWithdrawal: Taken(("device",), checkouts.on_withdrawal),
        bodies.LockboxReport: Taken(("bank",), partial(accounts.on_lockbox_report, rules=rules)),
        bodies.AccountRequest: Taken(("licensee",), partial(requests.on_request, rules=rules)),
        bodies.StatementRequest: Taken(("licensee",), statements.on_request),
        bodies.StatementPartRequest: Taken(("licensee",), statements.on_part_request),
        bodies.CheckIssued: Taken(("postal",), closing.on_check),
        bodies.IrregularityReport: Taken(("postal",), provider_cases.on_told),
        bodies.ResetRequest: Taken(
            ("device",), partial(resetting.on_request, rules=rules, product=product, notify=notices.give)
        ),
        bodies.ResetAcknowledgment: Taken(("device",), resetting.on_acknowledgment),
        bodies.DeviceAudit: Taken(("device",), partial(audits.on_audit, rules=rules)),
        bodies.DeviceKeyReport: Taken(("device",), partial(renewing.on_key_report, rules=rules)),
        bodies.ExaminationRequest: Taken(("postal",), examinations.on_request),
        bodies.ExaminationQuery: Taken(("licensee",), examinations.on_query),
        bodies.ExaminationAnswer: Taken(("licensee",), examinations.on_answer),
        bodies.Notice: Taken(("postal", "licensee"), notices.on_notice),
        bodies.QualityPiece: Taken(("licensee",), partial(quality.on_piece, desk=evaluating, rules=rules)),
        bodies.NoticeQuery: Taken(("licensee",), notices.on_query),
        bodies.ReviewGranted: Taken(("licensee",), reviews.on_granted),
        bodies.LicenseRevoked: Taken(("postal",), revocations.on_revoked),
        bodies.AppealDecided: Taken(("postal",), revocations.on_appeal_decided),
        bodies.LicenseDataStated: Taken(("licensee",), revocations.on_stated),
        bodies.RefundApplication: Taken(("licensee",), refunds.on_application),
        bodies.RefundQuery: Taken(("licensee",), refunds.on_query),
        bodies.RefundDecided: Taken(("postal",), refund_endings.on_decided),
        bodies.RefundSample: Taken(("postal",), envelopes.on_sample),
        bodies.MissingReport: Taken(("licensee",), missing.on_report),
        bodies.ArtDecided: Taken(("postal",), advertising.on_decided),
        bodies.FirstArtDecided: Taken(("postal",), advertising.on_decided),
        bodies.SecondArtDecided: Taken(("postal",), advertising.on_decided),
        bodies.ArtQuery: Taken(("licensee",), advertising.on_query),
        bodies.DownloadQuery: Taken(("licensee",), downloads.on_query),
        bodies.DownloadsTaken: Taken(("licensee",), downloads.on_taken),
        bodies.BuildApproved: Taken(("postal",), software.on_approved),
        bodies.SoftwareReport: Taken(("device",), software.on_report),
        **_custody_handlers(rules),
        **_SUPERVISED_HANDLERS,
        Conflict: Taken(("device",), readings.on_conflict),
    }


_REPORTED_HANDLERS: Mapping[type, Taken] = MappingProxyType(
    {
        bodies.InspectionAnswer: Taken(("provider",), postal_inspections.on_answer),
        bodies.PoliceCopySent: Taken(("provider",), postal_missing.on_copy_sent),
        bodies.LocationInquiry: Taken(("provider",), postal_missing.on_inquiry),
    }
)
_SUPERVISED_HANDLERS: Mapping[type, Taken] = MappingProxyType(
    {
        bodies.InspectionAnnounced: Taken(("postal",), provider_inspections.on_announced),
        bodies.InspectionReport: Taken(("postal",), provider_inspections.on_report),
        bodies.InspectionClosed: Taken(("postal",), provider_inspections.on_closed),
        bodies.SupervisionNotice: Taken(("postal",), supervision.on_notice),
        bodies.PoliceCopyReceived: Taken(("postal",), missing.on_copy_received),
    }
)


def _custody_handlers(rules: RuleSet) -> Mapping[type, Taken]:
    return {
        bodies.HandOverQuery: Taken(("licensee",), handovers.on_query),
        bodies.HandOverReceipt: Taken(("licensee",), handovers.on_receipt),
        bodies.HandOver: Taken(("licensee",), partial(handovers.on_sent_back, rules=rules)),
        bodies.DefectReport: Taken(("licensee",), partial(defects.on_report, rules=rules)),
        bodies.RemovalOrdered: Taken(("postal",), removals.on_ordered),
        bodies.ServicePermitted: Taken(("postal",), handovers.on_permitted),
        bodies.ServiceWithdrawn: Taken(("postal",), partial(handovers.on_withdrawn, rules=rules)),
        bodies.AcceptanceWithdrawn: Taken(("postal",), provider_rates.on_withdrawn),
        bodies.RateTableAccepted: Taken(("postal",), provider_rates.on_accepted),
        bodies.SystemPurchased: Taken(("postal", "licensee"), upkeep.on_purchased),
        bodies.BalanceArranged: Taken(("postal",), balances.on_arranged),
    }


def bank_handlers(providers: Container[str]) -> Mapping[type, Taken]:
    """Give the lockbox bank's table: licensees order deposits for known Providers, the Postal Service checks."""
    ordered = Taken(("licensee",), partial(lockbox.on_order, providers=providers))
    return {
        bodies.DepositOrder: ordered,
        bodies.FirstDepositOrder: ordered,
        bodies.PayoutInstruction: Taken(("postal",), payouts.on_instruction),
    }
