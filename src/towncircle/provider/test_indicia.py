"""Indicia that this Provider makes in testing, and their destruction on the same day (502.17).

Here: a test run of prints, written down before it is printed, and the word of who destroyed them. Not here: the pages
(`world.test_prints`), proofs of a mailer's own mail, which bear no indicium of a test.
Kept: a run is known before its first page exists, so its day begins by itself; it is destroyed once, by a person.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.store import Record
from towncircle.provider.stock import KIND as STOCK
from towncircle.rules.acts import check_reference

KIND = "test-run"
MADE, DESTROYED = "made", "destroyed"
CLAUSE = "502.17"
MOST = 500  # house: pages of one run


@cites("502.17/2", "502.17")
def made(ctx: Context, *, run: str, device: str, pieces: int) -> Record:
    """Write down that a run of test indicia is printed; each has a name of its own.

    Raises `Refused` (testrun.taken, provider.unknown-device), `BadInput` (testrun.pieces, acts.bad-reference).
    """
    check_reference(run)
    if not 1 <= pieces <= MOST:
        raise BadInput("testrun.pieces", most=MOST)
    if ctx.tx.get(STOCK, device) is None and ctx.tx.get("device", device) is None:
        raise Refused("provider.unknown-device", device=device[:20], provider=ctx.party)
    if ctx.tx.get(KIND, run) is not None:
        raise Refused("testrun.taken", run=run)
    ctx.note("test-indicia.made", run, clauses=(CLAUSE,), device=device, pieces=pieces)
    return ctx.tx.put(KIND, run, {"state": MADE, "device": device, "pieces": pieces}, owner=ctx.party, expected=0)


@cites("502.17/2", "502.17")
def destroyed(ctx: Context, *, run: str) -> Record:
    """Write down that the indicia of a run were collected and destroyed. Raises `Refused` (testrun.unknown)."""
    held = ctx.tx.get(KIND, run)
    if held is None:
        raise Refused("testrun.unknown", run=run[:80])
    if held.body["state"] == DESTROYED:
        return held
    ctx.note("test-indicia.destroyed", run, clauses=(CLAUSE,), pieces=held.body["pieces"])
    return ctx.tx.put(KIND, run, {**held.body, "state": DESTROYED}, owner=held.owner, expected=held.version)
