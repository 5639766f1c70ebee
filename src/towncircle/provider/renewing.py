"""Key rollover and renewal of certificates (502.28): the device reports its next key, the Provider has it certified.

Here: the Provider's answer to a key report of a device in use. Not here: the first keys, which are made on the bench
(`leasing`), and the decision to certify, which is the Postal Service's.
Kept: before the certificate of the old key ends, so that no day is without one; both verify in between. Not again and
again: certificate serials are few, so the rule sets the least time between two, which ends early when the certificate
nears its end, and once when the Provider's officer permits it because a key is in doubt.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.pki.verifying import read_certificate
from towncircle.provider.inventory import change, device_record
from towncircle.provider.readings import frozen_refusal
from towncircle.rules import RuleSet
from towncircle.wire.bodies import CertificateIssued, CertificateRequest, Certify, DeviceKeyReport
from towncircle.wire.message import Opened


@cites("502.28", "PRE-05")
def on_key_report(ctx: Context, opened: Opened, *, rules: RuleSet) -> Steps:
    """Have the next key of a leased device certified; give it the certificates."""
    report = opened.body
    assert isinstance(report, DeviceKeyReport)
    device = opened.envelope.sender.partition(".")[2]
    row = device_record(ctx, device)
    _may_renew(row)
    if opened.envelope.counter <= row.body["message_counter"]:
        raise Refused("provider.stale-reading", device=device, counter=opened.envelope.counter)
    known = read_certificate(bytes.fromhex(row.body["message_certificate"])).public.raw
    if (report.device, report.message_public) != (device, known):
        raise Refused("provider.not-its-keys", device=device)
    _not_too_soon(ctx, row, report, rules)
    request = CertificateRequest(report=opened.raw, license=row.body["license"])
    answer = yield Ask("postal.usps", request, f"certificates {device} {opened.envelope.id}")
    issued = answer.body
    assert isinstance(issued, CertificateIssued)
    row = device_record(ctx, device)
    _may_renew(row)
    change(
        ctx,
        row,
        message_counter=max(row.body["message_counter"], opened.envelope.counter),
        message_certificate=issued.message_certificate.hex(),
        indicia_certificate=issued.indicia_certificate.hex(),
        renewal_permitted="",
    )
    ctx.note("key.renewed", device, clauses=("502.28",), licensee=row.owner)
    return Certify(
        indicia_certificate=issued.indicia_certificate,
        message_certificate=issued.message_certificate,
        chain=issued.chain,
    )


@cites("502.28", "502.14b")
def permit_early(ctx: Context, *, device: str, reason: str) -> None:
    """Let a device have its next key certified once before its time, because a key is in doubt (an officer's decision).

    Raises `Refused` (provider.unknown-device, provider.frozen, provider.not-leased).
    """
    row = device_record(ctx, device)
    _may_renew(row)
    change(ctx, row, renewal_permitted=reason)
    ctx.note("key.renewal-permitted", device, clauses=("502.28",), licensee=row.owner, reason=reason)


def _not_too_soon(ctx: Context, row: Record, report: DeviceKeyReport, rules: RuleSet) -> None:
    """Check the least time between two keys. Raises `Refused` (provider.renewal-too-soon), naming the first instant.

    A report of the key that was certified last is the same renewal asked again: it takes no serial.
    """
    held = read_certificate(bytes.fromhex(row.body["indicia_certificate"]))
    if row.body.get("renewal_permitted") or held.public.raw == report.indicia_public:
        return
    zone = str(row.body["zone"])
    today = ctx.now.date_in(zone)
    first = min(
        rules.term("key_renewal_interval", today).after(held.not_before, zone),
        rules.term("certificate_warning", today).before(held.not_after, zone),
    )
    if ctx.now < first:
        raise Refused("provider.renewal-too-soon", device=row.key, issued=held.not_before, first=first)


def _may_renew(row: Record) -> None:
    if row.body["frozen"]:
        raise frozen_refusal(row)
    if row.body["custody"] != "leased":
        raise Refused("provider.not-leased", device=row.key, custody=row.body["custody"])
