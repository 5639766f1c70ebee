"""Leases: a device for a licensee, initialised, certified and authorised before it is handed over (P050 3.1).

Here: the lease and the preparation of its device. Not here: its texts (`agreements`), the way of the device to its
licensee (`handovers`), money and resets.
Kept: only to holders of a valid license (502.20(c)); with a financial agreement and the Acknowledgment of Deposit
(P050 2.5i, 502.25(c)); the title stays with the Provider (502.20(a)); keys are born inside the device (502.28); it is
inspected before it leaves the bench (502.18).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, NoReturn

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Exchange, Seal, Steps
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import DeviceId, LeaseId
from towncircle.kernel.store import Record
from towncircle.provider import handovers, missing, stock
from towncircle.provider.accounts import open_account
from towncircle.provider.agreements import DEPOSIT_ACKNOWLEDGMENT, LEASE_AGREEMENT, digest_of
from towncircle.provider.inventory import CUSTODY
from towncircle.provider.revocations import check_valid
from towncircle.provider.supervision import restrained
from towncircle.rules import RuleSet
from towncircle.rules.procedures import Subject
from towncircle.wire.bodies import (
    Authorise,
    CertificateIssued,
    CertificateRequest,
    Certify,
    DepositAcknowledgmentForwarded,
    DeviceParameters,
    DeviceTerms,
    Initialise,
    LeaseConfirmed,
    LeaseSigned,
)
from towncircle.wire.cbor import encode
from towncircle.wire.message import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Describe the system a Provider leases: its marks and its model."""

    vendor: str
    model: str
    regime: str
    scheme: str
    domain: bytes
    layout: str
    root_fingerprint: bytes
    zone_of: Callable[[str], str]
    serials_from: int = 1
    category: str = ""
    build: str = ""

    @property
    def subject(self) -> Subject:
        """Name the system as decisions of the Postal Service name it."""
        return Subject(system=self.vendor + self.model, category=self.category, build=self.build)


@cites(
    "502.20a",
    "502.20c",
    "P050-1.3",
    "P050-2.5i",
    "P050-3.1",
    "502.25c",
    "502.25c2",
    "PRE-10",
    "P050-1.2/1",
    "502.7/1",
    "502.8/1",
    "PRE-09/1",
)
def on_lease(ctx: Context, opened: Opened, *, product: Product, rules: RuleSet) -> Steps:
    """Lease a device to the sender: check license and agreements, prepare the device, confirm."""
    body = opened.body
    assert isinstance(body, LeaseSigned)
    licensee = opened.envelope.sender
    license_row = _valid_license(ctx, body, licensee)
    _agreements(body)
    held = _unused(ctx, body.license, licensee)
    if held is not None:
        return LeaseConfirmed(lease=held.key, device=held.body["device"], account=held.body["account"])
    missing.may_replace(ctx, licensee)
    _unrestrained(ctx, product)
    parameters = _parameters(ctx, license_row, product, rules, licensee)
    authorise = Authorise(parameters=parameters, terms=device_terms(rules, ctx.now.date_in(parameters.zone)))
    passed: list[DeviceId] = []
    device = yield from _answering(ctx, opened, product, passed)
    prepared = yield from _prepare(ctx, device, body.license, authorise, product)
    tested, told = yield _at(device, lambda client: (client.selftest(), client.status()))
    _valid_license(ctx, body, licensee)  # a revocation may have come while the device was prepared
    _unrestrained(ctx, product)
    lease = LeaseId.new(ctx.randomness)
    account = f"CMRS-{body.license}"
    service, permission = handovers.service_in_use(ctx, rules, ctx.now.date_in(parameters.zone))
    handovers.inspect(ctx, device, tested, told)
    sent = {"service": service, "permission": permission, "article": stock.article_of(ctx.tx, device, service)}
    row = _stock(ctx, device, licensee, lease, prepared, parameters)
    handovers.send_out(ctx, row, lease=lease, regime=product.regime, **sent)
    signed = {"license": body.license, "device": device, "account": account, "signed": opened.envelope.id}
    ctx.tx.put("lease", lease, signed, owner=licensee, expected=0)
    open_account(ctx, licensee, account)
    missing.replaced(ctx, licensee=licensee, license_number=body.license, device=device)
    for one in passed:
        ctx.note("device.not-reached", one, clauses=("502.18",), code=stock.unreached(ctx.tx, one))
    ctx.note("lease.signed", lease, clauses=("502.20(c)",), licensee=licensee, device=device, license=body.license)
    ctx.send("postal.usps", DepositAcknowledgmentForwarded(lease=opened.raw), key=f"deposit acknowledgment {lease}")
    return LeaseConfirmed(lease=lease, device=device, account=account)


def _answering(ctx: Context, opened: Opened, product: Product, passed: list[DeviceId]) -> Steps:
    """Take the device of a lease: when a crash comes in between, the same one is prepared to the end.

    One in stock that is not reached stays there, and the next one is taken; those are added to `passed`.
    """
    place = _place(opened, product)
    while True:
        device = yield from stock.take(ctx, **place, besides=passed)
        if not stock.may_pass(ctx.tx, device):
            return device
        code = yield Exchange(
            device, _greet, failing=partial(_why_away, device, stock.is_begun(ctx.tx, device, ctx.now))
        )
        if not code:
            return device
        passed.append(device)
        yield from stock.pass_over(ctx, device=device, lease=place["lease"], code=code)


def _greet(client: Any) -> str:
    client.identify()
    return ""


def _why_away(device: DeviceId, begun: bool, error: TowncircleError) -> str:  # noqa: FBT001  # bound by its place
    """Give why a device was not reached; another refusal is its own, and the end of the lease.

    One that somebody is at, or that the lease has begun with, is not left: the message comes again.
    """
    if error.code not in stock.NOT_REACHED:
        _comes_again(device, error)
    if begun:
        raise Refused("desk.device-busy", device=device, code=error.code) from error
    return error.code


def _at(device: DeviceId, call: Callable[[Any], Any]) -> Exchange:
    return Exchange(device, call, failing=partial(_comes_again, device))


def _comes_again(device: DeviceId, error: TowncircleError) -> NoReturn:
    """Raise a refusal; of a device that another walk of its lease may be at it is a word about the way."""
    if error.code in stock.AT_WORK:
        raise Refused("desk.device-busy", device=device, code=error.code) from error
    raise error


def _place(opened: Opened, product: Product) -> dict[str, Any]:
    """Name the place of a lease in the stock: one device a signed lease."""
    body = opened.body
    assert isinstance(body, LeaseSigned)
    digest = hashlib.sha256(encode(body.to_map())).hexdigest()  # not the message's id: one that waits is sealed anew
    named = f"{opened.envelope.sender} {body.license} {digest}"
    told = {"model": product.subject.system, "serials_from": product.serials_from}
    return {**told, "lease": named, "license_number": body.license}


@cites("502.8/7")
def on_refused(ctx: Context, opened: Opened, code: str, *, product: Product) -> None:
    """Give the device of a lease that was refused half-way back to the stock."""
    stock.give_back(ctx, **_place(opened, product), code=code)


def _valid_license(ctx: Context, body: LeaseSigned, licensee: str) -> Record:
    row = ctx.tx.get("license", body.license)
    if row is None or row.owner != licensee:
        raise Refused("provider.no-license", license=body.license, licensee=licensee)
    check_valid(row)
    return row


@cites("502.5/6", "502.13/6")
def _unrestrained(ctx: Context, product: Product) -> None:
    refusal = restrained(ctx, product.subject)
    if refusal is not None:
        raise refusal


@cites("502.25c/3", "502.20a/1", "P050-2.5i")
def _agreements(body: LeaseSigned) -> None:
    if not body.financial_agreement:
        raise Refused("provider.no-financial-agreement")
    if body.agreement_digest != digest_of(LEASE_AGREEMENT):
        clause = "502.20(a), PRE-22, 502.25(c), 502.25(c)(2)"  # what it says of title, cautions and the acknowledgment
        raise Refused("provider.other-agreement", what="the lease agreement", clause=clause)
    if body.deposit_acknowledgment != digest_of(DEPOSIT_ACKNOWLEDGMENT):
        raise Refused("provider.other-agreement", what="the Acknowledgment of Deposit Requirement")


def _unused(ctx: Context, license_number: str, licensee: str) -> Record | None:
    """Give the lease under a license whose device has never spoken: its confirmation may have been lost (house)."""
    for row in ctx.tx.find("lease", owner=licensee):
        device = ctx.tx.get("device", row.body["device"])
        mine = (
            row.body["license"] == license_number
            and device is not None
            and device.body["custody"] in ("shipped", "leased")
        )
        if mine and not row.body.get("cancelled") and device is not None and device.body["message_counter"] == 0:
            return row
    return None


@cites("PRE-11/2", "IMI-10")
def _parameters(ctx: Context, license_row: Record, product: Product, rules: RuleSet, licensee: str) -> DeviceParameters:
    zone = product.zone_of(str(license_row.body["office_zip"]))
    today = ctx.now.date_in(zone)
    interval = rules.term("contact_interval", today)
    return DeviceParameters(
        licensee=licensee,
        license=license_row.key,
        office_zip=license_row.body["office_zip"],
        office_city=license_row.body["office_city"],
        office_state=license_row.body["office_state"],
        zone=zone,
        cap_mills=rules.mills("descending_cap", today),
        contact_months=interval.months,
        contact_hours=interval.hours,
        lapse_effect=rules.text("lapse_effect", today),
        layout=product.layout,
        advance_days=rules.term("next_collection", today).days,
        piece_limit_mills=rules.mills("keyed_postage_limit", today),
        rule_digest=rules.digest,
        specimen=True,
    )


def device_terms(rules: RuleSet, on: date) -> DeviceTerms:
    """Give what the rule of a day says of a device's warnings, clock and dates, for the device to keep."""
    warning = rules.term("contact_warning", on)
    return DeviceTerms(
        contact_warning_months=warning.months,
        contact_warning_hours=warning.hours,
        certificate_warning_days=rules.term("certificate_warning", on).days,
        clock_difference_minutes=rules.integer("clock_difference_minutes", on),
        advance_limit_days=rules.integer("advance_limit_days", on),
    )


@cites("502.28", "PRE-05")
def _prepare(ctx: Context, device: DeviceId, license_number: str, authorise: Authorise, product: Product) -> Steps:
    """Initialise, certify and authorise a device; one that was certified before goes on from there."""
    name = f"device.{device}"
    start = Initialise(
        device=device,
        regime=product.regime,
        scheme=product.scheme,
        domain=product.domain,
        root_fingerprint=product.root_fingerprint,
    )
    asked, report = ctx.tx.get("outgoing", f"certificates {device}"), b""
    if asked is None or asked.body["state"] != "answered":  # that answer is given again, without a report
        sealed = yield Seal(name, start, key=f"initialise {device}")
        report = (yield _at(device, lambda client: client.initialise(sealed))).message
    request = CertificateRequest(report=report, license=license_number)
    answer = yield Ask("postal.usps", request, f"certificates {device}")
    issued = answer.body
    assert isinstance(issued, CertificateIssued)
    certify = Certify(
        indicia_certificate=issued.indicia_certificate,
        message_certificate=issued.message_certificate,
        chain=issued.chain,
    )
    sealed_certify = yield Seal(name, certify, key=f"certify {device}")
    yield _at(device, lambda client: client.certify(sealed_certify))
    sealed_authorise = yield Seal(name, authorise, key=f"authorise {device} {license_number}")
    yield _at(device, lambda client: client.authorise(sealed_authorise))
    return issued


def _stock(
    ctx: Context,
    device: DeviceId,
    licensee: str,
    lease: LeaseId,
    issued: CertificateIssued,
    parameters: DeviceParameters,
) -> Record:
    """Take a device that was inspected into stock, for its licensee."""
    step = CUSTODY.move(CUSTODY.start, "inspect")
    if not stock.taken(ctx, device):  # it was made for this lease
        ctx.note(f"custody.{step.to}", device, clauses=(step.clause,), licensee=licensee, zone=parameters.zone)
    record: dict[str, Any] = {
        "custody": step.to,
        "lease": lease,
        "license": parameters.license,
        "office_zip": parameters.office_zip,
        "zone": parameters.zone,
        "cap": int(parameters.cap_mills),
        "message_certificate": issued.message_certificate.hex(),
        "indicia_certificate": issued.indicia_certificate.hex(),
        "ascending": 0,
        "descending": 0,
        "pieces": 0,
        "reprints": 0,
        "resets_total": 0,
        "withdrawn_total": 0,
        "message_counter": 0,
        "contact_at": int(ctx.now),
        "audited_at": int(ctx.now),
        "open_reset": "",
        "frozen": "",
    }
    return ctx.tx.put("device", device, record, owner=licensee, expected=0)
