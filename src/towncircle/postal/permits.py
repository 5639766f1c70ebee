"""Written authorizations of the Postal Service to a licensee, each the exception to a rule.

Here: keeping or using a device abroad (P050 2.3(d)), combining mail with what is paid by other methods (5.2): granting
an authorization, withdrawing it, whether it is in force. Not here: what follows without it (`revocations`,
`verification.condition`).
Kept: an authorization is of one license and of one kind, names its paper, and ends on its last day or by withdrawal;
what was done under it stays permitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.postal.standing import VALID, license_row, not_valid
from towncircle.rules.acts import check_reference
from towncircle.rules.duties import HEADQUARTERS

ABROAD = "abroad"
COMBINED = "combined"
KINDS: Mapping[str, str] = MappingProxyType({ABROAD: "P050 2.3(d)", COMBINED: "P050 5.2"})


@cites("P050-2.3d", "P050-5.2")
def grant(ctx: Context, *, number: str, kind: str, reference: str, until: date) -> Record:
    """Grant a license an authorization up to a day, that day included, in place of one that it has.

    Raises `BadInput`: license.no-such-permit, license.permit-ended, acts.bad-reference; `Refused`: license.unknown,
    license.not-valid.
    """
    _check_kind(kind)
    check_reference(reference)
    row = license_row(ctx, number)
    if row.body["state"] != VALID:
        raise not_valid(ctx, row, clause=KINDS[kind])
    if until < _today(ctx.now):
        raise BadInput("license.permit-ended", day=until.isoformat())
    held = ctx.tx.get("permit", _key(number, kind))
    body = {"reference": reference, "until": until.isoformat(), "at": int(ctx.now), "by": ctx.actor}
    kept = ctx.tx.put("permit", _key(number, kind), body, owner=row.owner, expected=held.version if held else 0)
    last = until.isoformat()
    ctx.note(
        "permit.granted",
        number,
        clauses=(KINDS[kind],),
        licensee=row.owner,
        permit=kind,
        reference=reference,
        until=last,
    )
    return kept


def withdraw(ctx: Context, *, number: str, kind: str) -> Record:
    """Withdraw an authorization from now on.

    Raises `BadInput` (license.no-such-permit), `Refused` (license.no-permit).
    """
    _check_kind(kind)
    held = ctx.tx.get("permit", _key(number, kind))
    if held is None or not held.body["until"]:
        raise Refused("license.no-permit", permit=kind, license=number, clause=KINDS[kind])
    kept = ctx.tx.put(held.kind, held.key, {**held.body, "until": ""}, owner=held.owner, expected=held.version)
    reference = str(held.body["reference"])
    ctx.note("permit.withdrawn", number, clauses=(KINDS[kind],), licensee=held.owner, permit=kind, reference=reference)
    return kept


def in_force(view: Transaction, *, number: str, kind: str, at: Instant) -> Record | None:
    """Give the authorization of a license that is in force at an instant, by the calendar of headquarters."""
    held = view.get("permit", _key(number, kind))
    if held is None or not held.body["until"] or date.fromisoformat(held.body["until"]) < _today(at):
        return None
    return held


@cites("P050-5.2")
def combined_until(view: Transaction, device: str) -> date | None:
    """Give the last day on which the license of a device may combine its mail with what is paid otherwise, or None."""
    held = view.get("device", device)
    permit = view.get("permit", _key(held.body["license"], COMBINED)) if held is not None else None
    return date.fromisoformat(permit.body["until"]) if permit is not None and permit.body["until"] else None


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise BadInput("license.no-such-permit", text=kind[:40], known=", ".join(KINDS))


def _key(number: str, kind: str) -> str:
    return f"{number} {kind}"


def _today(at: Instant) -> date:
    return at.date_in(HEADQUARTERS)
