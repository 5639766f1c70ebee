"""Suspension and revocation of a Provider's authorization (502.5) and of systems, classes or versions (502.13).

Here: propose, give more time, find corrected, notify, decide, extend, revoke, withdraw. Not here: defenses and appeals
(`defenses`), what a Provider may not do meanwhile (`provider.supervision`, `certificates`).
Kept: the time to correct comes first, except where 502.5 leaves it out for a willful violation; a decision comes after
the defense or the time for it; 90 days are the most at once; a revocation comes only out of a suspension and takes
effect at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.postal import procedures as common
from towncircle.postal.procedures import day_of, form_of, note, procedure_row, shorter, step, tell, text_of
from towncircle.rules import RuleSet
from towncircle.rules.calendars import end_of_day
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.inventory import rows_named
from towncircle.rules.procedures import (
    DEFENDED,
    NOTICED,
    PROCEDURE,
    PROPOSED,
    REVOKING_DEFENDED,
    Procedure,
    in_force,
    procedures,
)

UNLAWFUL, NONCOMPLIANCE, INSTRUCTIONS, RISK = "unlawful-scheme", "noncompliance", "instructions", "risk"
GROUNDS = (
    UNLAWFUL,
    NONCOMPLIANCE,
    INSTRUCTIONS,
)  # 502.5(a); a system is suspended for one ground, its risk (502.13(a))


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Hold what a procedure is opened for.

    `about` is what the ground rests on: a provision of part 502, the procedure of a final decision, or words;
    `scope` what may be suspended, as `system TC1A`, `class stand-alone`, `version DIGEST` or `all`.
    """

    form: str
    provider: str
    ground: str
    about: str
    deficiencies: tuple[str, ...]
    scope: tuple[str, ...]


@cites("502.5/1", "502.13/1", "502.5a/1", "502.25b/3")
def propose(ctx: Context, complaint: Complaint, *, correct_by: str) -> Record:
    """Propose a suspension: the notice cites the deficiencies and gives until when they may be corrected.

    Raises `Refused`: procedure.no-such-ground, procedure.no-deficiency, procedure.no-time, procedure.scope.
    """
    row = _opened(ctx, complaint, willful=False)
    clause = form_of(row).clauses["cure"]
    if not correct_by:
        raise Refused("procedure.no-time", clause=clause)
    row = step(ctx, row, "propose", clause=clause, correct_by=day_of(ctx, correct_by, clause))
    note(ctx, row, "suspension-proposed", clause, correct_by=correct_by, ground=complaint.ground)
    return tell(ctx, row, "proposal", _cited(row), clause)


@cites("502.5/2", "502.13/2", "502.5/3")
def notify_willful(
    ctx: Context, complaint: Complaint, *, effective_on: str, rules: RuleSet, defend_by: str = ""
) -> Record:
    """Notify a suspension for a willful violation at once. Raises `Refused` (procedure.no-willful-branch) and more."""
    kind = _form(complaint.form)
    if not kind.willful:
        raise Refused("procedure.no-willful-branch", clause=kind.clauses["cure"])
    row = _opened(ctx, complaint, willful=True)
    return _notified(ctx, row, _cited(row), effective_on, defend_by, rules)


def _form(name: str) -> Procedure:
    form = procedures().get(name)
    if form is None or form.form != "suspension":
        raise BadInput("procedure.no-such-form", name=name[:40])
    return form


def _opened(ctx: Context, complaint: Complaint, *, willful: bool) -> Record:
    form = _form(complaint.form)
    clauses = form.clauses
    _check_ground(ctx, form, complaint.ground, complaint.about)
    cited = [one.strip() for one in complaint.deficiencies if one.strip()]
    if not cited:
        raise Refused("procedure.no-deficiency", clause=clauses["notice" if willful else "cure"])
    for one in complaint.scope or ("",):
        word, _, value = one.partition(" ")
        if word not in form.scopes or bool(value) == (word == "all"):
            raise Refused("procedure.scope", scope=one[:80], known=", ".join(form.scopes), clause=clauses["grounds"])
    named: dict[str, Any] = {
        "ground": f"{complaint.ground}: {complaint.about}",
        "provision": complaint.about if complaint.ground == NONCOMPLIANCE else "",
        "deficiencies": cited,
        "scope": list(complaint.scope),
        "willful": willful,
    }
    return common.begin(ctx, complaint.form, complaint.provider, **named)


def _check_ground(ctx: Context, form: Procedure, ground: str, about: str) -> None:
    clause = form.clauses["grounds"]
    known = GROUNDS if form.name == "authorization" else (RISK,)
    shown = bool(about.strip())
    if ground == NONCOMPLIANCE:
        shown = any(row.startswith("502.") for row in rows_named(about))
    elif ground == INSTRUCTIONS:
        earlier = ctx.tx.get("procedure", about)
        shown = earlier is not None and bool(earlier.body["decision"])
    if ground not in known or not shown:
        raise Refused("procedure.no-such-ground", ground=ground[:40], about=about[:80], known=", ".join(known),
                      clause=clause)  # fmt: skip


def _cited(row: Record) -> str:
    return f"{row.body['ground']}. Deficiencies: {'; '.join(row.body['deficiencies'])}"[: common.MOST]


@cites("502.5/2", "502.13/2")
def extend_cure(ctx: Context, *, procedure: str, correct_by: str) -> Record:
    """Give more time to correct."""
    row = procedure_row(ctx, procedure)
    clause = form_of(row).clauses.get("cure", "")
    row = step(ctx, row, "extend the time", clause=clause, correct_by=day_of(ctx, correct_by, clause))
    note(ctx, row, "cure-extended", clause, correct_by=correct_by)
    return tell(ctx, row, "more-time", f"The deficiencies may be corrected until {correct_by}.", clause)


@cites("502.5/2", "502.13/2")
def find_corrected(ctx: Context, *, procedure: str, reasons: str) -> Record:
    """Find the deficiencies corrected; the procedure ends."""
    row = procedure_row(ctx, procedure)
    clause = form_of(row).clauses.get("cure", "")
    words = text_of(reasons, clause)
    row = step(ctx, row, "find corrected", clause=clause, ended="corrected")
    note(ctx, row, "deficiencies-corrected", clause)
    return tell(ctx, row, "corrected", words, clause, force="over")


@cites("502.5/3", "502.13/3", "502.5/2", "502.13/2")
def notify(
    ctx: Context, *, procedure: str, reasons: str, effective_on: str, rules: RuleSet, defend_by: str = ""
) -> Record:
    """Notify the suspension, with facts, reasons and effective date: the deficiencies were not corrected in time.

    Raises `Refused`: procedure.cure-running, procedure.effective-early, procedure.period-longer.
    """
    row = procedure_row(ctx, procedure)
    clauses = form_of(row).clauses
    if row.body["state"] == PROPOSED:
        duty = common.duty_of(ctx, row, "cure", rules)
        if duty is None or not duty.missed(ctx.now):
            raise Refused("procedure.cure-running", procedure=row.key, until=row.body["correct_by"],
                          clause=clauses["cure"])  # fmt: skip
    return _notified(ctx, row, text_of(reasons, clauses["notice"]), effective_on, defend_by, rules)


def _notified(
    ctx: Context, row: Record, words: str, effective_on: str, defend_by: str, rules: RuleSet, *, revoking: bool = False
) -> Record:
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
    what = "revocation-notified" if revoking else "suspension-notified"
    note(ctx, row, what, clause, defend_by=defend_by, effective_on=effective_on)
    return tell(ctx, row, "revocation-notice" if revoking else "notice", words, clause)


@cites("502.5/5", "502.13/5", "502.5a/2", "502.5/4", "502.13/4")
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
    weighed = _weighed(form, considered or {})
    appeal_by = shorter(ctx, appeal_by, form.limits["appeal"], rules, form.clauses["appeal"])
    revoking = row.body["state"] == REVOKING_DEFENDED
    begins = common.day_begins(day_of(ctx, effective_on, clause)) if effective_on else ctx.now
    force = {"until": 0} if revoking else common.force_from(row, begins, rules)
    if not effective_on and not revoking:
        force["from"] = 0  # on receipt
    row = step(ctx, row, "sustain", clause=clause, effective_on=effective_on, appeal_by=appeal_by, appeal="",
               decided_by=ctx.actor, considered=weighed, **force)  # fmt: skip
    note(ctx, row, "decided", clause, appeal_by=appeal_by, effective_on=effective_on, by=ctx.actor)
    common.in_effect(ctx, row, revoked=revoking, clause=form.clauses["revoked" if revoking else "suspended"])
    return tell(ctx, row, "decision", words, clause, force="in force")


def _weighed(form: Procedure, considered: Mapping[str, str]) -> list[str]:
    missing = [name for name in form.considers if not considered.get(name, "").strip()]
    if missing:
        raise Refused("procedure.not-considered", missing=", ".join(missing), clause=form.clauses["weighs"])
    return [f"{name}: {considered[name].strip()[:400]}" for name in form.considers]


@cites("502.5/6", "502.13/6")
def extend(ctx: Context, *, procedure: str, until: str, reasons: str) -> Record:
    """Extend a suspension beyond its end. Raises `Refused` (procedure.not-longer, procedure.no-such-step)."""
    row = procedure_row(ctx, procedure)
    clause = form_of(row).clauses.get("extended", "")
    words = text_of(reasons, clause)
    ends = end_of_day(date.fromisoformat(day_of(ctx, until, clause)[:10]), HEADQUARTERS)
    ran_out = int(ctx.now) > int(row.body["until"])
    if row.body["until"] and (ran_out or int(ends) <= int(row.body["until"])):
        raise Refused("procedure.not-longer", procedure=row.key, day=until,
                      until=Instant(row.body["until"]).date_in(HEADQUARTERS), clause=clause)  # fmt: skip
    row = step(ctx, row, "extend", clause=clause, until=int(ends))
    note(ctx, row, "suspension-extended", clause, until=until)
    return tell(ctx, row, "extension", words, clause, force="in force")


@cites("502.5/6", "502.13/6", "502.5a/3", "502.13/4", "502.25b/3")
def revoke(
    ctx: Context,
    *,
    procedure: str,
    reasons: str,
    rules: RuleSet,
    considered: Mapping[str, str] | None = None,
    effective_on: str = "",
    appeal_by: str = "",
    defend_by: str = "",
) -> Record:
    """Turn a suspension into a revocation, which takes effect at its end.

    An authorization is revoked at once by this decision; the revocation of a system is noticed first and may be
    defended against (502.13(c)). Raises `Refused` (procedure.not-suspended, procedure.not-considered, and others).
    """
    row = procedure_row(ctx, procedure)
    form = form_of(row)
    clause = form.clauses.get("revoked", "")
    words = text_of(reasons, clause)
    event = "notify revocation" if form.heard_again else "revoke"
    if event not in PROCEDURE.legal(row.body["state"]) or not in_force(row.body, ctx.now):
        raise Refused("procedure.not-suspended", procedure=row.key, state=row.body["state"],
                      clause=form.clauses["weighs"] if form.considers else clause)  # fmt: skip
    if form.heard_again:
        return _notified(ctx, row, words, effective_on, defend_by, rules, revoking=True)
    weighed = _weighed(form, considered or {})
    appeal_by = shorter(ctx, appeal_by, form.limits["appeal"], rules, form.clauses["appeal"])
    row = step(ctx, row, event, clause=clause, until=0, appeal_by=appeal_by, appeal="", decided_by=ctx.actor,
               considered=weighed, effective_on="")  # fmt: skip
    note(ctx, row, "decided", form.clauses["decision"], appeal_by=appeal_by, by=ctx.actor)
    common.in_effect(ctx, row, revoked=True, clause=clause)
    return tell(ctx, row, "revocation", words, clause, force="in force")


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
