"""The licensee's local classified branches (P050 4.5): asking for approval, and what was approved.

Here: request, answer, and the branch that a job may show. Not here: the decision.
Kept: a branch is shown only after the licensing post office said so, in its own words, and no longer than it says so.
"""

from __future__ import annotations

from towncircle.indicium.readable import Branch
from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import MessageId
from towncircle.kernel.store import Record
from towncircle.licensee.licenses import POSTAL, license_held
from towncircle.wire.bodies import BranchQuery, BranchRequest, BranchStanding
from towncircle.wire.bodies.forms import Facility

CLAUSE = "P050 4.5(b)"


@cites("P050-4.5b/1")
def request(ctx: Context, *, name: str, state: str, facility: Facility) -> Steps:
    """Ask the licensing post office for approval to show a branch; give how it stands. Raises its refusal."""
    row = license_held(ctx)
    named = Branch(name=name, state=state, zip_code=row.body["office_zip"])
    body = BranchRequest(license=row.key, branch=named.name, state=named.state, facility=facility)
    answer = yield Ask(POSTAL, body, f"branch {row.key} {named.name} {MessageId.new(ctx.randomness)}")
    return take(ctx, answer.body)


@cites("P050-4.5b/1")
def ask(ctx: Context, *, name: str) -> Steps:
    """Ask how the request for a branch stands, and keep the answer."""
    row = license_held(ctx)
    body = BranchQuery(license=row.key, branch=" ".join(name.upper().split()))
    answer = yield Ask(POSTAL, body, f"branch {row.key} {MessageId.new(ctx.randomness)}")
    return take(ctx, answer.body)


def take(ctx: Context, told: object) -> Record:
    """Keep how a request stands, as an answer or a notice says it; what is older than what is known changes nothing."""
    assert isinstance(told, BranchStanding)
    key = f"{told.license} {told.branch}"
    held = ctx.tx.get("branch", key)
    record = {
        "license": told.license, "branch": told.branch, "state": told.state, "outcome": told.outcome,
        "reasons": told.reasons, "at": int(told.at),
    }  # fmt: skip
    if held is not None and (held.body == record or held.body["at"] > int(told.at)):
        return held
    if told.outcome != "waiting":
        ctx.note("branch.answered", told.license, clauses=(CLAUSE,), branch=told.branch, outcome=told.outcome)
    return ctx.tx.put("branch", key, record, owner=ctx.party, expected=held.version if held else 0)


@cites("P050-4.5b/1", "P050-4.5b/2")
def approved(ctx: Context, *, license_number: str, name: str) -> Record:
    """Give the approved branch of a license. Raises `Refused` (branch.not-approved)."""
    row = ctx.tx.get("branch", f"{license_number} {' '.join(name.upper().split())}")
    if row is None or row.body["outcome"] != "approved":
        raise Refused("branch.not-approved", branch=name[:40])
    return row
