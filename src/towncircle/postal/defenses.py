"""What a Provider answers in a procedure of supervision: corrections, defenses, appeals.

Here: the docket, and the decision on an appeal. Not here: what is answered (`suspensions`, `sanctions`).
Kept (502.5, 502.13, 502.15, 502.21): an answer comes within its time, which is derived from facts, with reasons and
supporting evidence; an appeal against a sanction stays it from the moment it is docketed; another person than the one
who decided decides the appeal.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, same_person
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.postal.procedures import duty_of, form_of, note, procedure_row, step, tell, text_of
from towncircle.rules import RuleSet
from towncircle.rules.procedures import NOTICED, PROPOSED, REVOKING, Procedure
from towncircle.wire.bodies import AnswerDocketed, SupervisionAnswer
from towncircle.wire.message import Opened

FILED, UPHELD, REVERSED = "filed", "upheld", "reversed"
_CORRECTION, _DEFENSE, _APPEAL = "correction", "defense", "appeal"


@cites("502.5/4", "502.5/8", "502.13/4", "502.13/8", "502.15/3", "502.15/5", "502.21/3", "502.21/5")
def on_answer(ctx: Context, opened: Opened, *, rules: RuleSet) -> AnswerDocketed:
    """Put a Provider's answer on the docket.

    Raises `Refused`: procedure.unknown, procedure.answer-empty, procedure.nothing-to-answer, procedure.too-late.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, SupervisionAnswer)
    row = procedure_row(ctx, body.procedure)
    if row.owner != provider:
        raise Refused("procedure.unknown", procedure=body.procedure)
    form = form_of(row)
    clause = form.clauses.get("cure", "") if body.kind == _CORRECTION else form.clauses[body.kind]
    if not body.reasons.strip() or not body.evidence or not all(one.strip() for one in body.evidence):
        raise Refused("procedure.answer-empty", kind=body.kind, clause=clause)
    earlier = _earlier(ctx, row, body)
    if earlier is not None:
        return _docketed(row, earlier, form)
    _check_open(ctx, row, body, rules, clause)
    docket = f"MTM-{ctx.now.utc():%Y}-S{ctx.tx.next_number('supervision docket'):05d}"
    record = {
        "procedure": row.key, "kind": body.kind, "number": body.number, "reasons": body.reasons,
        "evidence": list(body.evidence), "filed_at": int(ctx.now), "state": FILED, "answer": "",
    }  # fmt: skip
    held = ctx.tx.put("supervision-answer", docket, record, owner=provider, expected=0)
    _move(ctx, row, body.kind, form, clause)
    fact = {_CORRECTION: "correction-reported", _DEFENSE: "defended", _APPEAL: "appealed"}[body.kind]
    note(ctx, row, fact, clause, docket=docket, evidence=len(body.evidence))
    return _docketed(row, held, form)


def _earlier(ctx: Context, row: Record, body: SupervisionAnswer) -> Record | None:
    for held in ctx.tx.find("supervision-answer", owner=row.owner):
        told = tuple(held.body[name] for name in ("procedure", "kind", "number", "reasons"))
        if told == (row.key, body.kind, body.number, body.reasons) and held.body["evidence"] == list(body.evidence):
            return held
    return None


def _docketed(row: Record, held: Record, form: Procedure) -> AnswerDocketed:
    kind = held.body["kind"]
    return AnswerDocketed(
        procedure=row.key, docket=held.key, kind=kind, stays=form.stays and kind == _APPEAL, at=held.body["filed_at"]
    )


def _check_open(ctx: Context, row: Record, body: SupervisionAnswer, rules: RuleSet, clause: str) -> None:
    state, held = row.body["state"], row.body
    if body.kind == _CORRECTION:
        possible, which = state == PROPOSED, "cure"
    elif body.kind == _DEFENSE:
        possible, which = state in (NOTICED, REVOKING) and body.number == held["notice"], "defense"
    else:
        standing = state not in (NOTICED, PROPOSED) and not held["ended"]
        possible, which = standing and body.number == held["decision"] and not held["appeal"], "appeal"
    if not possible:
        raise Refused("procedure.nothing-to-answer", procedure=row.key, kind=body.kind, state=held["ended"] or state,
                      clause=clause)  # fmt: skip
    duty = duty_of(ctx, row, which, rules)
    if duty is None or duty.missed(ctx.now):
        last = duty.last_day if duty is not None else "none"
        raise Refused("procedure.too-late", procedure=row.key, kind=body.kind, last_day=last, clause=clause)


def _move(ctx: Context, row: Record, kind: str, form: Procedure, clause: str) -> Record:
    if kind == _DEFENSE:
        return step(ctx, row, "defend", clause=clause)
    if kind == _APPEAL and form.stays:
        return step(ctx, row, "stay", clause=clause, appeal=FILED)
    changed = {**row.body, **({"appeal": FILED} if kind == _APPEAL else {})}
    return ctx.tx.put("procedure", row.key, changed, owner=row.owner, expected=row.version)


@cites("502.5/8", "502.13/8", "502.15/5", "502.21/5")
def decide_appeal(ctx: Context, *, procedure: str, reverse: bool, reasons: str) -> Record:
    """Decide an appeal: what was decided is upheld, or reversed and no longer in force.

    Raises `Refused` (procedure.no-appeal, procedure.same-person), `BadInput` (procedure.no-reasons).
    """
    row = procedure_row(ctx, procedure)
    form = form_of(row)
    clause = form.clauses["appeal"]
    if row.body["appeal"] != FILED:
        raise Refused("procedure.no-appeal", procedure=row.key, appeal=row.body["appeal"] or "none", clause=clause)
    if same_person(ctx.actor, row.body["decided_by"]):
        raise Refused("procedure.same-person", person=ctx.actor, procedure=row.key, clause=clause)
    words = text_of(reasons, clause)
    outcome = REVERSED if reverse else UPHELD
    if reverse:
        row = step(ctx, row, "reverse", clause=clause, appeal=outcome, ended="reversed")
    elif form.stays:
        row = step(ctx, row, "uphold", clause=clause, appeal=outcome)
    else:
        row = ctx.tx.put("procedure", row.key, {**row.body, "appeal": outcome}, owner=row.owner, expected=row.version)
    docket = next(
        held
        for held in ctx.tx.find("supervision-answer", owner=row.owner)
        if (held.body["procedure"], held.body["kind"], held.body["state"]) == (row.key, _APPEAL, FILED)
    )
    record = {**docket.body, "state": outcome, "answer": words}
    ctx.tx.put("supervision-answer", docket.key, record, owner=row.owner, expected=docket.version)
    note(ctx, row, "appeal-decided", clause, outcome=outcome, docket=docket.key)
    if reverse and form.form == "sanction":
        note(ctx, row, "withdrawn", clause)
    elif reverse:
        note(ctx, row, "suspension-withdrawn", clause)
    return tell(ctx, row, f"appeal-{outcome}", words, clause, force="over" if reverse else "none")
