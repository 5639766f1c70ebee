"""Suspension and revocation of a Provider's authorization (502.5) and of systems, classes or versions (502.13).

Here: propose, give more time, find corrected, notify, extend, revoke. Not here: decisions and withdrawals
(`decisions`), defenses and appeals (`defenses`), what a Provider may not do meanwhile (`provider.supervision`).
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
from towncircle.postal.decisions import notified, weighed_of
from towncircle.postal.procedures import day_of, form_of, note, procedure_row, shorter, step, tell, text_of
from towncircle.rules import RuleSet
from towncircle.rules.calendars import end_of_day
from towncircle.rules.duties import HEADQUARTERS
from towncircle.rules.inventory import rows_named
from towncircle.rules.procedures import (
    PROCEDURE,
    PROPOSED,
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
    return notified(ctx, row, _cited(row), effective_on, defend_by, rules)


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
    return f"The ground is {row.body['ground']}."[: common.MOST]


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
    return notified(ctx, row, text_of(reasons, clauses["notice"]), effective_on, defend_by, rules)


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
        return notified(ctx, row, words, effective_on, defend_by, rules, revoking=True)
    weighed = weighed_of(form, considered or {})
    appeal_by = shorter(ctx, appeal_by, form.limits["appeal"], rules, form.clauses["appeal"])
    row = step(ctx, row, event, clause=clause, until=0, appeal_by=appeal_by, appeal="", decided_by=ctx.actor,
               considered=weighed, effective_on="")  # fmt: skip
    note(ctx, row, "decided", form.clauses["decision"], appeal_by=appeal_by, by=ctx.actor)
    common.in_effect(ctx, row, revoked=True, clause=clause)
    return tell(ctx, row, "revocation", words, clause, force="in force")
