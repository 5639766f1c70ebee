"""Approval to show the name of a local classified branch in place of the post office (P050 4.5).

Here: the request to the licensing post office, its decision, the answer. Not here: how it is printed
(`indicium.readable`).
Kept: the post office approves what it has itself found to be its classified branch; a classified station, a contract
station and a contract branch are never approved, whatever a request calls them. The last decision stands, and
its licensee has written notice of each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, get_args

from towncircle.indicium.readable import Branch
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record, Transaction
from towncircle.postal.procedures import text_of
from towncircle.postal.standing import VALID, license_row, not_valid
from towncircle.wire.bodies import BranchQuery, BranchRequest, BranchStanding
from towncircle.wire.bodies.forms import Facility
from towncircle.wire.message import Opened

CLAUSE = "P050 4.5(b)"
CLASSIFIED_BRANCH = "classified-branch"
Notify: TypeAlias = Callable[[Context, str, BranchStanding], str]
FACILITIES: tuple[str, ...] = get_args(Facility)


@cites("P050-4.5b", "P050-4.5b/1", "P050-4.5b/2")
def on_request(ctx: Context, opened: Opened) -> BranchStanding:
    """Take a request for a decision; asked again, say how it stands.

    Raises `Refused` (license.unknown, license.not-the-licensee, license.not-valid, branch.not-classified), `BadInput`.
    """
    body = opened.body
    assert isinstance(body, BranchRequest)
    row = _license_of(ctx, body.license, opened.envelope.sender)
    named = Branch(name=body.branch, state=body.state, zip_code=row.body["office_zip"])
    if body.facility != CLASSIFIED_BRANCH:
        raise Refused("branch.not-classified", branch=named.name, facility=body.facility.replace("-", " "))
    key = f"{row.key} {named.name}"
    held = ctx.tx.get("branch", key)
    if held is None:
        record = {"branch": named.name, "state": named.state, "outcome": "waiting", "reasons": "", "at": int(ctx.now)}
        held = ctx.tx.put("branch", key, {**record, "license": row.key}, owner=row.key, expected=0)
        ctx.note("branch.requested", row.key, clauses=(CLAUSE,), branch=named.name)
    return _standing(held)


@cites("P050-4.5b/1")
def on_query(ctx: Context, opened: Opened) -> BranchStanding:
    """Say how a request stands. Raises `Refused` (license.unknown, license.not-the-licensee, branch.unknown)."""
    body = opened.body
    assert isinstance(body, BranchQuery)
    row = license_row(ctx, body.license)
    if row.owner != opened.envelope.sender:
        raise Refused("license.not-the-licensee", sender=opened.envelope.sender, license=row.key)
    return _standing(_request(ctx, row.key, body.branch))


@cites("P050-4.5b/1", "P050-4.5b/2")
def decide(
    ctx: Context, *, number: str, branch: str, approve: bool, facility: str, reasons: str, notify: Notify
) -> Record:
    """Approve or refuse a branch, as what the licensing post office has found it to be; a later decision replaces it.

    `notify` writes the notice of it to the licensee and gives its name. Raises `Refused` (branch.unknown,
    branch.not-classified), `BadInput` (branch.no-facility, procedure.no-reasons).
    """
    row = _request(ctx, number, branch)
    if facility not in FACILITIES:
        raise BadInput("branch.no-facility", text=facility[:40], known=", ".join(FACILITIES))
    if approve and facility != CLASSIFIED_BRANCH:
        raise Refused("branch.not-classified", branch=row.body["branch"], facility=facility.replace("-", " "))
    words = text_of(reasons, CLAUSE)
    outcome = "approved" if approve else "refused"
    record = {
        **row.body,
        "outcome": outcome,
        "facility": facility,
        "reasons": words,
        "at": int(ctx.now),
        "by": ctx.actor,
    }
    kept = ctx.tx.put("branch", row.key, record, owner=row.owner, expected=row.version)
    license_held = ctx.tx.get("license", row.body["license"])
    assert license_held is not None  # a request is taken under a license alone
    told = {"branch": row.body["branch"], "facility": facility}
    told["notice"] = notify(ctx, license_held.owner, _standing(kept))
    ctx.note(f"branch.{outcome}", row.body["license"], clauses=(CLAUSE,), **told)
    return kept


def approved_for(tx: Transaction, device: str) -> frozenset[str]:
    """Name the branches that a device may show: those approved for its license."""
    held = tx.get("device", DeviceId(device))
    if held is None:
        return frozenset()
    rows = tx.find("branch", owner=held.body["license"])
    return frozenset(row.body["branch"] for row in rows if row.body["outcome"] == "approved")


def _license_of(ctx: Context, number: str, sender: str) -> Record:
    row = license_row(ctx, number)
    if row.owner != sender:
        raise Refused("license.not-the-licensee", sender=sender, license=row.key)
    if row.body["state"] != VALID:
        raise not_valid(ctx, row, clause=CLAUSE)
    return row


def _request(ctx: Context, number: str, branch: str) -> Record:
    row = ctx.tx.get("branch", f"{number} {' '.join(branch.upper().split())}")
    if row is None:
        raise Refused("branch.unknown", branch=branch[:40], license=number[:40])
    return row


def _standing(row: Record) -> BranchStanding:
    body = row.body
    return BranchStanding(
        license=body["license"],
        branch=body["branch"],
        state=body["state"],
        outcome=body["outcome"],
        reasons=body["reasons"],
        at=Instant(body["at"]),
    )
