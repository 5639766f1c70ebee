"""Evidence: postage for 1 to 1,000 pieces, all or none.

Here: the checks of a batch, the debit, the usage rows, recovery and reprints. Not here: rates, and the host's lints.
Kept: the debit, the signed content and the answer are one change; a mailing date is a date in the licensing office's
zone, not past and not further ahead than the signed parameters allow (P050 4.6, 4.7).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.psd import commands, contact
from towncircle.psd.columns import HostFields, host_fields
from towncircle.psd.commands import MAX_PIECES
from towncircle.psd.indicia import build
from towncircle.psd.outcome import Outcome
from towncircle.psd.sight import Seen
from towncircle.psd.state import CertificateFacts, DeviceState, Usage

EVIDENCE = "evidence"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)


@cites("502.8b", "P050-4.6", "P050-4.7")
def evidence(state: DeviceState, command: commands.Evidence, now: Instant) -> Outcome:
    """Debit and build a batch.

    1. its size and id (psd.batch-size, psd.request-id); 2. the certificate is in force (psd.certificate-not-in-force);
    3. every amount (psd.amount-zero, psd.amount-over-limit); 4. every mailing date (psd.date-refused); 5. the registers
    (psd.funds-short, psd.ascending-full, psd.pieces-full); 6. the host's fields; 7. room for usage (psd.usage-full).
    """
    count = command.count
    if not 1 <= count <= MAX_PIECES or len(command.amounts) != 4 * count:  # 1
        raise BadInput("psd.batch-size", count=count, limit=MAX_PIECES)
    check_name(command.request_id)
    serial = certificate_in_force(state, now).serial  # 2
    amounts = struct.unpack(f"<{count}I", command.amounts)
    limit = state.granted().piece_limit_mills
    if min(amounts) == 0:  # 3
        raise BadInput("psd.amount-zero", piece=amounts.index(0) + 1)
    if max(amounts) > limit:
        raise BadInput("psd.amount-over-limit", amount=Mills(max(amounts)), limit=limit)
    host = host_fields(command.columns)
    check_dates(host.days, now, zone=state.granted().zone, advance_days=contact.advance_days(state))  # 4
    registers = state.registers.debited(Mills(sum(amounts)), pieces=count)  # 5
    contents = build(state, amounts=amounts, host=host, serial=serial)  # 6
    usage = merged_within(state.usage, _used(amounts, host), reported=len(state.reported))  # 7
    after = state.amended(registers=registers, usage=usage)
    first = state.registers.pieces + 1
    return Outcome(
        state=after,
        answer=commands.Evidenced(
            request_id=command.request_id,
            layout=state.granted().layout,
            first_piece=first,
            count=count,
            contents=contents.joined,
            signatures=b"",
            registers=registers,
            at=now,
        ),
        contents=contents.joined,
        content_size=contents.size,
        record=(EVIDENCE, command.request_id),
        first_piece=first,
        count=count,
    )


def check_name(request_id: str) -> None:
    """Check a client's request id. Raises `BadInput` (psd.request-id)."""
    if not _NAME.fullmatch(request_id):
        raise BadInput("psd.request-id", text=request_id[:40])


def certificate_in_force(state: Seen, now: Instant) -> CertificateFacts:
    """Give the indicia certificate. Raises `Refused` (psd.not-certified, psd.certificate-not-in-force)."""
    certificate = state.indicia_certificate
    if certificate is None:
        raise Refused("psd.not-certified", device=state.device)
    if not certificate.not_before <= now <= certificate.not_after:
        raise Refused(
            "psd.certificate-not-in-force",
            serial=certificate.serial,
            begins=certificate.not_before,
            ends=certificate.not_after,
        )
    return certificate


def check_dates(days: Sequence[date], now: Instant, *, zone: str, advance_days: int) -> None:
    """Check mailing dates against today in the licensing office's zone. Raises `Refused` (psd.date-refused)."""
    today = now.date_in(zone)
    last = today + timedelta(days=advance_days)
    for day in days:
        if not today <= day <= last:
            raise Refused("psd.date-refused", date=day, first=today, last=last, zone=zone)


def merged_within(held: Sequence[Usage], rows: Sequence[Usage], *, reported: int) -> tuple[Usage, ...]:
    """Add usage rows to those held, as long as there is room. Raises `Refused` (psd.usage-full)."""
    usage = contact.merged(held, rows)
    if len(usage) + reported > contact.MAX_USAGE_ROWS:
        raise Refused("psd.usage-full", rows=len(held) + reported)
    return usage


def _used(amounts: Sequence[int], host: HostFields) -> list[Usage]:
    """Add up a batch by mailing date and category."""
    dates, categories, names, count = host.by_name["date"], host.category, host.categories, len(amounts)
    at_days, at_names = dates.spread(count), categories.spread(count)
    if not dates.at and not categories.at:
        return [Usage(date=dates.texts[0], category=names[0], count=count, amount=Mills(sum(amounts)))]
    wide = len(names)
    keys = [day * wide + name for day, name in zip(at_days, at_names, strict=True)]
    pieces, sums = [0] * (wide * len(dates.texts)), [0] * (wide * len(dates.texts))
    for key, amount in zip(keys, amounts, strict=True):
        pieces[key] += 1
        sums[key] += amount
    return [
        Usage(date=dates.texts[key // wide], category=names[key % wide], count=held, amount=Mills(sums[key]))
        for key, held in enumerate(pieces)
        if held
    ]


def recover(state: DeviceState, command: commands.Recover, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Ask for the kept answer of an evidence command; the shell finds it (psd.request-unknown)."""
    check_name(command.request_id)
    return Outcome(state=state, answer=None, replay=(EVIDENCE, command.request_id))


def reprint(state: DeviceState, command: commands.Reprint, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Count a reprint of pieces of an earlier batch; the shell finds their bytes (psd.request-unknown)."""
    check_name(command.request_id)
    if not 1 <= len(command.offsets) <= MAX_PIECES:
        raise BadInput("psd.batch-size", count=len(command.offsets), limit=MAX_PIECES)
    total = state.reprints + len(command.offsets)
    return Outcome(
        state=replace(state, reprints=total),
        answer=commands.Reprinted(indicia=(), reprints=total),
        replay=(EVIDENCE, command.request_id),
    )
