"""What a device says before something hurts: its contact deadline, its clock, a pending credit, a certificate.

Here: the warnings of a status, and the words of a countdown. Not here: what happens when nobody heeds them (`contact`).
Kept: when a warning begins is a signed term of the rule. A device without terms (a store of release 0.1.0 before its
next contact) warns all the time: the contact brings them.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.instants import HOUR_US, Instant
from towncircle.psd import integrity, states
from towncircle.psd.state import DeviceState, OpenReset
from towncircle.rules.terms import Term

_MINUTE_US, _DAY_HOURS = 60_000_000, 24


@cites("IMI-01", "P050-3.4")
def warnings(state: DeviceState, now: Instant) -> tuple[str, ...]:
    """Say what will need the licensee's attention."""
    found = []
    if state.parameters is not None and state.state in (states.AUTHORISED, states.IN_SERVICE):
        left = state.contact_due - now
        if left < 0:
            found.append(f"The contact with the Provider was due by {state.contact_due}.")
        elif now >= contact_warning_from(state):
            found.append(f"Contact the Provider within {countdown(left)}, by {state.contact_due}.")
    if now < state.high_water:
        found.append(f"The clock says {now}, but the device was already used at {state.high_water}.")
    if state.open_reset is not None:
        found.append(pending_words(state.open_reset))
    if state.next_build:
        found.append(f"Version {state.next_version} of the software waits for the next start under it.")
    if state.software_build and state.software_build != integrity.running():
        found.append(f"This build is not version {state.software_version}, which the device is bound to.")
    certificate = state.indicia_certificate
    if certificate is not None and now >= renewal_from(state, now):
        found.append(
            f"The certificate {certificate.serial} ends at {certificate.not_after}: renew the key. "
            "The next contact does (towncircle status DIR --contact)."
        )
    return tuple(found)


def renewal_from(state: DeviceState, now: Instant) -> Instant:
    """Give the instant from which the key is to be renewed, 0 where no certificate is held."""
    certificate, terms = state.indicia_certificate, state.terms
    if certificate is None:
        return Instant(0)
    return certificate.not_after.plus(days=-terms.certificate_warning_days) if terms is not None else now


def contact_warning_from(state: DeviceState) -> Instant:
    """Give the instant from which the device warns of its contact deadline."""
    terms = state.terms
    if terms is None:
        return state.last_contact
    warning = Term(months=terms.contact_warning_months, hours=terms.contact_warning_hours)
    return warning.before(state.contact_due, state.granted().zone)


def countdown(left_us: int) -> str:
    """Say how long is left, in two units at most: `2 days 3 hours`, `22 hours`, `7 minutes`."""
    hours, rest = divmod(max(left_us, 0), HOUR_US)
    days, hours = divmod(hours, _DAY_HOURS)
    parts = ((days, "day"), (hours, "hour")) if days or hours else ((rest // _MINUTE_US, "minute"),)
    words = [f"{count} {unit}{'s' if count != 1 else ''}" for count, unit in parts if count]
    return " ".join(words) or "less than a minute"


def pending_words(pending: OpenReset) -> str:
    """Say in words that a reset is under way."""
    return f"Credit pending: the reset of {pending.amount} will finish at the next connection."
