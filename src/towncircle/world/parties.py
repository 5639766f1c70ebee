"""Which message goes to which decision: the four parties' tables of handlers.

Here: the tables, with what each handler needs bound to it. Not here: the handlers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from towncircle.bank import lockbox
from towncircle.kernel.money import Mills
from towncircle.mailpiece.zipcode import place_of
from towncircle.pki.domain import DSA_1024_DOMAIN
from towncircle.postal import certificates, licenses, population, trust
from towncircle.postal.certificates import Authority
from towncircle.provider import accounts, audits, leasing, licensing, readings, resetting
from towncircle.provider.leasing import Product
from towncircle.rules import RuleSet
from towncircle.wire import bodies
from towncircle.wire.inbox import Conflict
from towncircle.world.desk import Handler

DEVICE_CERTIFICATE_DAYS = 3 * 365  # house
# House: how far ahead a piece may be dated, and the most one piece may cost.
ADVANCE_DAYS = 3
PIECE_LIMIT = Mills.dollars(100)
SERIALS_EACH = 1_000_000
_PRODUCTS = {
    "imi-2024": {"model": "1A", "scheme": "ecdsa-p256", "domain": b"", "layout": "imi-std"},
    "ibi-1998": {"model": "1B", "scheme": "dsa-1024", "domain": DSA_1024_DOMAIN, "layout": "ibi-full"},
}


def product_of(regime: str, root: bytes, *, place: int = 0) -> Product:
    """Describe the system that the sandbox's Providers lease under a regime.

    They share vendor and model, so each has serials of its own by its place among the world's Providers.
    """
    parts = _PRODUCTS[regime]
    return Product(
        vendor="TC",
        model=str(parts["model"]),
        regime=regime,
        scheme=str(parts["scheme"]),
        domain=bytes(parts["domain"]),  # type: ignore[arg-type]  # the table holds bytes here
        layout=str(parts["layout"]),
        advance_days=ADVANCE_DAYS,
        piece_limit=PIECE_LIMIT,
        root_fingerprint=root,
        serials_from=place * SERIALS_EACH + 1,
        zone_of=lambda zip_code: place_of(zip_code).zone,
    )


def postal_handlers(authority: Authority) -> Mapping[type, Handler]:
    """Give the Postal Service's table."""
    return {
        bodies.LicenseTransmittal: licenses.on_transmittal,
        bodies.CertificateRequest: partial(certificates.on_request, authority=authority),
        bodies.DeviceActivity: population.on_activity,
        bodies.AuditForward: population.on_audit,
        bodies.LockboxReport: trust.on_lockbox_report,
        bodies.TransactionFile: trust.on_transaction_file,
        bodies.DepositAcknowledgmentForwarded: trust.on_deposit_acknowledgment,
    }


def provider_handlers(product: Product, rules: RuleSet) -> Mapping[type, Handler]:
    """Give a Provider's table."""
    return {
        bodies.LicenseApplication: licensing.on_application,
        bodies.LeaseSigned: partial(leasing.on_lease, product=product, rules=rules),
        bodies.LockboxReport: accounts.on_lockbox_report,
        bodies.ResetRequest: resetting.on_request,
        bodies.ResetAcknowledgment: resetting.on_acknowledgment,
        bodies.ResetStatusQuery: resetting.on_status_query,
        bodies.DeviceAudit: audits.on_audit,
        Conflict: readings.on_conflict,
    }


def bank_handlers() -> Mapping[type, Handler]:
    """Give the lockbox bank's table."""
    return {bodies.DepositOrder: lockbox.on_order}
