"""Contact with the Provider: the audit up, the renewal down, and the deadline between them.

Here: the signed audit and report, the renewal, and what a lapse is. Not here: resets; the warnings (`warning`).
Kept: past its contact deadline a device locks where the signed lapse effect says so (IMI-01; for 1998 that is a house
reading of P050 3.4), and only a contact opens it. The high-water mark only rises, except by a signed word of the
Provider, which is the way out for a clock that ran ahead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from towncircle.indicium.catalogue import layout
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant, zone_named
from towncircle.kernel.money import ZERO
from towncircle.psd import commands, states
from towncircle.psd.outcome import Order, Outcome
from towncircle.psd.sight import Seen
from towncircle.psd.state import DeviceState, Usage
from towncircle.rules.terms import Term
from towncircle.wire.bodies import (
    DeviceAudit,
    DeviceParameters,
    DeviceReport,
    DeviceTerms,
    FirstRenewal,
    Registers,
    Renewal,
    UsageRow,
)

LOCK, WARN = "lock", "warn"
MINUTE_US = 60_000_000
CLOCK_CEILING_MINUTES, ADVANCE_CEILING_DAYS = 5, 31  # house: the module's own, for a device that has no terms yet
_YEARS = 10  # house: no term of a device is longer
_LONGEST = {  # what a device can reckon with; the rule's own figures are far below
    "contact_warning_months": 12 * _YEARS,
    "contact_warning_hours": 24 * 366 * _YEARS,
    "certificate_warning_days": 366 * _YEARS,
    "clock_difference_minutes": 24 * 60,
    "advance_limit_days": 366,
}
MAX_USAGE_ROWS = 2000
_ZIP = re.compile(r"[0-9]{5}(?:-[0-9]{4})?\Z", re.ASCII)


@cites("502.23", "IMI-02")
def audit(state: DeviceState, command: commands.Audit, now: Instant) -> Outcome:  # noqa: ARG001 - leaves share a shape
    """Make the signed audit message; the renewal that answers it must name its counter."""
    reported = merged(state.reported, state.usage)
    after = replace(state, usage=(), reported=reported, audit_counter=state.counter + 1)
    return Outcome(
        state=after,
        answer=commands.Done(state=state.state, sentence="The audit is signed; send it to the Provider."),
        message=audit_body(after),
    )


def audit_body(state: DeviceState) -> DeviceAudit:
    """Give the device audit data as they stand (502.23, 502.25(a))."""
    pending = state.open_reset
    return DeviceAudit(
        state=state.state,
        registers=reading(state),
        resets_total=state.resets_total,
        withdrawn_total=state.withdrawn_total,
        high_water=state.high_water,
        contact_due=state.contact_due,
        open_request=pending.request_id if pending else "",
        open_amount=pending.amount if pending else ZERO,
        last_applied=state.last_applied,
        usage=tuple(
            UsageRow(date=row.date, category=row.category, count=row.count, mills=row.amount)
            for row in merged(state.reported, state.usage)
        ),
        reprints=state.reprints,
    )


def reading(state: DeviceState) -> Registers:
    """Give the registers as messages carry them."""
    held = state.registers
    return Registers(ascending=held.ascending, descending=held.descending, pieces=held.pieces)


def report_body(state: DeviceState) -> DeviceReport:
    """Give the short signed report on state and registers."""
    return DeviceReport(
        state=state.state, registers=reading(state), high_water=state.high_water, applied=state.last_applied
    )


@cites("P050-3.4", "IMI-01")
def renew(state: DeviceState, command: Order, now: Instant) -> Outcome:
    """Take the Provider's renewal: a new deadline, perhaps new parameters, perhaps the end of an open request.

    1. it answers the last audit (psd.renewal-stale); 2. what it settles is the open request (psd.settle-unknown);
    3. its parameters can be kept under its terms (psd.parameters-unusable); 4. the deadline and the clock follow the
    Provider's time.
    """
    body = command.body
    assert isinstance(body, Renewal | FirstRenewal)
    if state.audit_counter == 0 or body.audit_counter != state.audit_counter:  # 1
        raise Refused("psd.renewal-stale", answers=body.audit_counter, expected=state.audit_counter or "none")
    after = state
    if body.settle_request:  # 2
        if (
            state.open_reset is None
            or state.open_reset.request_id != body.settle_request
            or body.settle_outcome != "void"
        ):
            raise Refused("psd.settle-unknown", request=body.settle_request)
        after = replace(after, open_reset=None)
    if isinstance(body, Renewal):  # 3
        _check_terms(body.terms)
        after = replace(after, terms=body.terms)
    if body.parameters is not None:
        after = accept(after, body.parameters, after.terms)
    after = touched(after, body.contact_at)  # 4
    after = replace(after, reported=(), audit_counter=0, high_water=mark(after, body.contact_at, now))
    after = replace(after, state=states.DEVICE.move(state.state, "contact").to)
    if after.state != state.state:
        after = replace(after, reason="", since=now)
    return Outcome(
        state=after,
        answer=commands.Done(state=after.state, sentence=f"Contact made; the next is due by {after.contact_due}."),
        message=report_body(after),
        in_reply_to=command.envelope.id,
    )


def advance_days(state: Seen) -> int:
    """Give how many days ahead a mailing date may lie: as the parameters say, and within the terms of the rule."""
    terms = state.terms
    return min(state.granted().advance_days, terms.advance_limit_days if terms is not None else ADVANCE_CEILING_DAYS)


def clock_difference_us(terms: DeviceTerms | None) -> int:
    """Give how far the clocks of device and Provider may differ."""
    if terms is None:
        return CLOCK_CEILING_MINUTES * MINUTE_US
    return min(terms.clock_difference_minutes, _LONGEST["clock_difference_minutes"]) * MINUTE_US


def ran_ahead(state: DeviceState, at: Instant) -> bool:
    """Tell whether the high-water mark lies ahead of a signed time of the Provider by more than clocks may differ."""
    return state.high_water > at + clock_difference_us(state.terms)


def mark(state: DeviceState, contact_at: Instant, now: Instant) -> Instant:
    """Give the high-water mark after a signed word of the Provider, which is of the instant `contact_at`."""
    high_water, difference = state.high_water, clock_difference_us(state.terms)
    if ran_ahead(state, contact_at):
        return max(contact_at, min(now, high_water))  # the device's clock had run ahead: the Provider's word counts
    if contact_at > now + difference:
        return contact_at  # the device's clock is behind: no money moves until it is set right
    return max(high_water, now)


def touched(state: DeviceState, at: Instant) -> DeviceState:
    """Give the state with the contact deadline counted from a signed time of the Provider."""
    granted = state.granted()
    last = max(state.last_contact, at)
    return replace(state, last_contact=last, contact_due=term_of(granted).after(last, granted.zone))


def term_of(parameters: DeviceParameters) -> Term:
    """Give the contact interval: calendar months in the office's zone, or exact hours."""
    return Term(months=parameters.contact_months, hours=parameters.contact_hours)


def lapsed(state: DeviceState, now: Instant) -> bool:
    """Tell whether the deadline has passed and locks; at the deadline itself it has not."""
    last = locks_after(state)
    return last is not None and now > last


def locks_after(state: Seen) -> Instant | None:
    """Give the deadline after which the device locks itself, or None where it only warns."""
    return state.contact_due if state.granted().lapse_effect == LOCK else None


def lapse_reason(state: DeviceState) -> str:
    """Say why the device locked itself."""
    return f"no contact with the Provider for {term_of(state.granted())} after {state.last_contact}"


def lapse_clause(state: DeviceState) -> str:
    """Name the clause of the contact interval: months are of the 1998 rule, hours of IMI."""
    return "P050 3.4, 2.5(c), 502.23, PRE-15, IMI-10" if state.granted().contact_months else "IMI-01"


def accept(state: DeviceState, parameters: DeviceParameters, terms: DeviceTerms | None) -> DeviceState:
    """Take signed parameters and terms. Raises `Refused` (psd.parameters-unusable), naming what cannot be kept."""
    if terms is not None:
        _check_terms(terms)
    reason = _unusable(state, parameters, terms)
    if reason:
        raise Refused("psd.parameters-unusable", what=reason)
    limit = max(parameters.cap_mills, state.registers.descending)
    return replace(state, parameters=parameters, terms=terms, balance_limit=limit)


def _check_terms(terms: DeviceTerms) -> None:
    """Check that a device can reckon with its terms. Raises `Refused` (psd.parameters-unusable)."""
    for name, longest in _LONGEST.items():
        given = getattr(terms, name)
        if not 0 <= given <= longest:
            raise Refused("psd.parameters-unusable", what=f"its term {name} is {given}, not from 0 to {longest}")


def _unusable(state: DeviceState, parameters: DeviceParameters, terms: DeviceTerms | None) -> str:
    try:
        zone_named(parameters.zone)
        chosen = layout(parameters.layout)
    except BadInput as error:
        return error.sentence
    limit = terms.advance_limit_days if terms is not None else ADVANCE_CEILING_DAYS
    top = 256 ** chosen.field("postage_mills").length
    checks = (
        (chosen.scheme != state.scheme, f"layout {chosen.id} needs {chosen.scheme}, this device signs {state.scheme}"),
        (state.test_root and not parameters.specimen, "a device of the test root makes specimens only"),
        (parameters.lapse_effect not in (LOCK, WARN), f"the lapse effect '{parameters.lapse_effect}' is not known"),
        (parameters.contact_months + parameters.contact_hours == 0, "there is no contact interval"),
        (
            parameters.advance_days > limit,
            f"a mailing date {parameters.advance_days} days ahead",
        ),
        (not 0 < parameters.piece_limit_mills < top, "the piece limit does not fit the layout"),
        (_ZIP.match(parameters.office_zip) is None, f"the office ZIP Code '{parameters.office_zip}'"),
    )
    return next((reason for bad, reason in checks if bad), "")


def merged(first: Sequence[Usage], second: Sequence[Usage]) -> tuple[Usage, ...]:
    """Add up usage rows by mailing date and category; what is merged already is in the order of both."""
    if len(second) == 1:  # a debit: most often its row is there
        (row,) = second
        if not first:
            return (row,)
        for at, held in enumerate(first):
            if held.date == row.date and held.category == row.category:
                return (*first[:at], _added(held, row), *first[at + 1 :])
    rows: dict[tuple[str, str], Usage] = {}
    for row in (*first, *second):
        known = rows.get((row.date, row.category))
        rows[row.date, row.category] = row if known is None else _added(known, row)
    return tuple(rows[key] for key in sorted(rows))


def _added(one: Usage, other: Usage) -> Usage:
    return Usage(date=one.date, category=one.category, count=one.count + other.count, amount=one.amount + other.amount)
