"""Which message goes to which decision: the four parties' tables of handlers.

Here: the tables, with what each handler needs bound to it. Not here: the handlers.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import partial

from towncircle.bank import lockbox
from towncircle.kernel.money import Mills
from towncircle.mailpiece.zipcode import place_of
from towncircle.pki.domain import DSA_1024_DOMAIN
from towncircle.postal import certificates, licenses, population, trust
from towncircle.postal.certificates import Assigned, Authority
from towncircle.provider import accounts, audits, leasing, licensing, readings, renewing, resetting
from towncircle.provider.leasing import Product
from towncircle.rules import RuleSet
from towncircle.wire import bodies
from towncircle.wire.inbox import Conflict
from towncircle.world.desk import Taken

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


def assignment(product: Product) -> Assigned:
    """Give what the Postal Service has assigned for a product."""
    return Assigned(
        vendor=product.vendor,
        model=product.model,
        first=product.serials_from,
        last=product.serials_from + SERIALS_EACH - 1,
        regime=product.regime,
        scheme=product.scheme,
    )


def postal_handlers(authority: Authority) -> Mapping[type, Taken]:
    """Give the Postal Service's table: Providers report and ask, the bank reports."""
    certify = partial(certificates.on_request, authority=authority)
    return {
        bodies.LicenseTransmittal: Taken(("provider",), licenses.on_transmittal),
        bodies.CertificateRequest: Taken(("provider",), certify),
        bodies.DeviceActivity: Taken(("provider",), population.on_activity),
        bodies.AuditForward: Taken(("provider",), population.on_audit),
        bodies.LockboxReport: Taken(("bank",), trust.on_lockbox_report),
        bodies.TransactionFile: Taken(("provider",), trust.on_transaction_file),
        bodies.DepositAcknowledgmentForwarded: Taken(("provider",), trust.on_deposit_acknowledgment),
    }


def provider_handlers(product: Product, rules: RuleSet) -> Mapping[type, Taken]:
    """Give a Provider's table: licensees apply and lease, devices speak, the bank reports."""
    lease = partial(leasing.on_lease, product=product, rules=rules)
    return {
        bodies.LicenseApplication: Taken(("licensee",), licensing.on_application),
        bodies.LeaseSigned: Taken(("licensee",), lease),
        bodies.ResetStatusQuery: Taken(("licensee",), resetting.on_status_query),
        bodies.LockboxReport: Taken(("bank",), accounts.on_lockbox_report),
        bodies.ResetRequest: Taken(("device",), partial(resetting.on_request, rules=rules)),
        bodies.ResetAcknowledgment: Taken(("device",), resetting.on_acknowledgment),
        bodies.DeviceAudit: Taken(("device",), audits.on_audit),
        bodies.DeviceKeyReport: Taken(("device",), renewing.on_key_report),
        Conflict: Taken(("device",), readings.on_conflict),
    }


def bank_handlers(providers: Container[str]) -> Mapping[type, Taken]:
    """Give the lockbox bank's table: licensees order deposits for accounts with known Providers."""
    return {bodies.DepositOrder: Taken(("licensee",), partial(lockbox.on_order, providers=providers))}
