"""Denied resets: what a missed limit does to a device's resets (502.26, 502.20(e), 502.23).

Here: the record of what is denied, and the look at it when a reset is asked for. Not here: when a limit is missed
(`rules.duties`), cases and notices (`rules.acting`).
Kept: a denial rests on a missed limit and falls with it: a device that may be denied is looked at anew by the facts
about it, so that what was done meanwhile counts at once. A reset is judged by what stood before its own audit came: an
overdue audit asks for a connection first.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.rules import Duty, RuleSet
from towncircle.rules.acting import Notify, act, governed_by


def deny_resets(ctx: Context, duty: Duty, deny: bool) -> None:  # noqa: FBT001 - the shape of an effect
    """Deny the resets of a device because of a missed duty, or allow them again."""
    row = ctx.tx.get("denial", duty.thread)
    held = dict(row.body["duties"]) if row else {}
    if deny == (duty.key in held):
        return
    if deny:
        held[duty.key] = duty.limit.id
    else:
        del held[duty.key]
    ctx.tx.put("denial", duty.thread, {"duties": held}, owner=ctx.party, expected=row.version if row else 0)
    kind = "resets.denied" if deny else "resets.allowed"
    ctx.note(
        kind, duty.thread, clauses=(duty.limit.clause,), limit=duty.limit.id, duty=duty.key, **governed_by(ctx, duty)
    )


EFFECTS = {"resets": deny_resets}


@cites("502.26", "502.23", "502.20e", "502.26/2")
def denial(ctx: Context, rules: RuleSet, device: str, *, notify: Notify | None = None) -> Refused | None:
    """Give the refusal that a device's reset meets because of a missed limit, or None."""
    row = ctx.tx.get("denial", device)
    if row is None or not row.body["duties"]:
        return None
    about = [fact for fact in ctx.tx.facts() if device in (fact.subject, fact.body.get("device"))]
    act(ctx, rules, effects=EFFECTS, notify=notify, wanted=lambda limit: bool(limit.consequence.denies), facts=about)
    row = ctx.tx.get("denial", device)
    assert row is not None
    names = sorted(name for name in row.body["duties"].values() if name in rules.limits)
    if not names:
        return None
    limit = rules.limits[names[0]]
    return Refused("provider.resets-denied", device=device, title=limit.title, clause=limit.clause)
