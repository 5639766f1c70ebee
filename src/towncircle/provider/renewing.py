"""Key rollover and renewal of certificates (502.28): the device reports its next key, the Provider has it certified.

Here: the Provider's answer to a key report of a device in use. Not here: the first keys, which are made on the bench
(`leasing`), and the decision to certify, which is the Postal Service's.
Kept: before the certificate of the old key ends, so that no day is without one; both verify in between.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.pki.verifying import read_certificate
from towncircle.provider.inventory import change, device_record
from towncircle.provider.readings import frozen_refusal
from towncircle.wire.bodies import CertificateIssued, CertificateRequest, Certify, DeviceKeyReport
from towncircle.wire.message import Opened


@cites("502.28", "PRE-05")
def on_key_report(ctx: Context, opened: Opened) -> Steps:
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
    )
    ctx.note("key.renewed", device, clauses=("502.28",), licensee=row.owner)
    return Certify(
        indicia_certificate=issued.indicia_certificate,
        message_certificate=issued.message_certificate,
        chain=issued.chain,
    )


def _may_renew(row: Record) -> None:
    if row.body["frozen"]:
        raise frozen_refusal(row)
    if row.body["custody"] != "leased":
        raise Refused("provider.not-leased", device=row.key, custody=row.body["custody"])
