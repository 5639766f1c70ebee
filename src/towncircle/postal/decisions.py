"""Notices and decisions that every procedure of supervision has (502.5, 502.13, 502.15, 502.21).

Here: the notice with its effective date, the decision after a defense, the withdrawal. Not here: what a procedure is
opened for (`suspensions`, `sanctions`), appeals (`defenses`).
Kept: a notice takes effect after the time for a defense, never within it; a decision comes after the defense, gives its
reasons and says what was found of each circumstance that the procedure weighs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.postal import procedures as common
from towncircle.postal.procedures import day_of, form_of, note, procedure_row, shorter, step, tell, text_of
from towncircle.rules import RuleSet
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.procedures import DEFENDED, NOTICED, PROPOSED, REVOKING_DEFENDED, Procedure


@cites("502.5/3", "502.13/3", "502.15/2", "502.21/2")
def notified(
    ctx: Context, row: Record, words: str, effective_on: str, defend_by: str, rules: RuleSet, *, revoking: bool = False
) -> Record:
    """Give the notice of a suspension, a revocation or a sanction, with its effective date.

    Raises `Refused`: procedure.no-effective-date, procedure.effective-early, procedure.period-longer.
    """
    form = form_of(row)
    clause = form.clauses["revoked" if revoking else "notice"]
    defend_by = shorter(ctx, defend_by, form.limits["defense"], rules, form.clauses["defense"])
    if not effective_on:
        raise Refused("procedure.no-effective-date", clause=clause)
    longest = common.term_of(rules, form.limits["defense"], ctx.now).ends(ctx.now, HEADQUARTERS)
    last = date.fromisoformat(defend_by[:10]) if defend_by else longest.date_in(HEADQUARTERS)
    if date.fromisoformat(day_of(ctx, effective_on, clause)[:10]) <= last:
        raise Refused("procedure.effective-early", day=effective_on, last=last, clause=clause)
    event = "notify revocation" if revoking else "notify"
    row = step(ctx, row, event, clause=clause, effective_on=effective_on, defend_by=defend_by)
    what = "noticed" if form.form == "sanction" else "revocation-notified" if revoking else "suspension-notified"
    note(ctx, row, what, clause, defend_by=defend_by, effective_on=effective_on)
    return tell(ctx, row, "revocation-notice" if revoking else "notice", words, clause)


@cites("502.5/5", "502.13/5", "502.5a/2", "502.5/4", "502.13/4", "502.15/4", "502.21/4")
def decide(
    ctx: Context,
    *,
    procedure: str,
    reasons: str,
    rules: RuleSet,
    considered: Mapping[str, str] | None = None,
    effective_on: str = "",
    appeal_by: str = "",
) -> Record:
    """Decide, after the defense, that what was noticed is warranted; effective on receipt unless a day is named.

    `considered` says what was found of each circumstance that the procedure weighs. Raises `Refused`:
    procedure.defense-open, procedure.not-considered, procedure.no-such-step, procedure.period-longer.
    """
    row = procedure_row(ctx, procedure)
    form = form_of(row)
    clause = form.clauses["decision"]
    if row.body["state"] == NOTICED:
        duty = common.duty_of(ctx, row, "defense", rules)
        raise Refused("procedure.defense-open", procedure=row.key, last_day=duty.last_day if duty else "",
                      clause=form.clauses["defense"])  # fmt: skip
    words = text_of(reasons, clause)
    weighed = weighed_of(form, considered or {})
    appeal_by = shorter(ctx, appeal_by, form.limits["appeal"], rules, form.clauses["appeal"])
    revoking = row.body["state"] == REVOKING_DEFENDED
    begins = common.day_begins(day_of(ctx, effective_on, clause)) if effective_on else ctx.now
    force = {"until": 0} if revoking else common.force_from(row, begins, rules)
    if not effective_on and not revoking:
        force["from"] = 0  # on receipt
    row = step(ctx, row, "sustain", clause=clause, effective_on=effective_on, appeal_by=appeal_by, appeal="",
               decided_by=ctx.actor, considered=weighed, **force)  # fmt: skip
    _considered(ctx, row)
    note(ctx, row, "decided", clause, appeal_by=appeal_by, effective_on=effective_on, by=ctx.actor)
    common.in_effect(ctx, row, revoked=revoking, clause=form.clauses["revoked" if revoking else "suspended"])
    return tell(ctx, row, "decision", words, clause, force="in force")


def _considered(ctx: Context, row: Record) -> None:
    """Mark the defense of a procedure as considered."""
    for held in ctx.tx.find("supervision-answer", owner=row.owner):
        if (held.body["procedure"], held.body["kind"], held.body["state"]) == (row.key, "defense", "filed"):
            record = {**held.body, "state": "considered"}
            ctx.tx.put(held.kind, held.key, record, owner=held.owner, expected=held.version)


def weighed_of(form: Procedure, considered: Mapping[str, str]) -> list[str]:
    """Give what was found of each circumstance. Raises `Refused` (procedure.not-considered)."""
    missing = [name for name in form.considers if not considered.get(name, "").strip()]
    if missing:
        raise Refused("procedure.not-considered", missing=", ".join(missing), clause=form.clauses["weighs"])
    return [f"{name}: {considered[name].strip()[:400]}" for name in form.considers]


@cites("502.5/7", "502.13/7")
def withdraw(ctx: Context, *, procedure: str, solution: str) -> Record:
    """Withdraw a proposal, a notice, a suspension or a sanction, with the solution or the reasons it rests on.

    Raises `Refused` (procedure.no-solution, procedure.no-such-step). An appeal that is open falls away with it.
    """
    row = procedure_row(ctx, procedure)
    form, before = form_of(row), row.body["state"]
    clause = form.clauses["decision" if before in (DEFENDED, REVOKING_DEFENDED) else "withdrawn"]
    if not solution.strip() or len(solution) > common.MOST:
        raise Refused("procedure.no-solution", procedure=row.key, clause=clause)
    appeal = "fell away" if row.body["appeal"] == "filed" else row.body["appeal"]
    row = step(ctx, row, "withdraw", clause=clause, ended="withdrawn", appeal=appeal)
    what = "withdrawn" if form.form == "sanction" else "suspension-withdrawn"
    note(ctx, row, "proposal-withdrawn" if before == PROPOSED else what, clause, appeal=appeal)
    return tell(ctx, row, "withdrawal", solution.strip(), clause, force="over")
