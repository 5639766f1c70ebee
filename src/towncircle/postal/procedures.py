"""What all procedures of supervision have in common (502.5, 502.13, 502.15, 502.21).

Here: the record of a procedure, its steps, the written notice of each, receipts, what lapses or runs out by itself.
Not here: opening and deciding one (`suspensions`, `sanctions`), defenses and appeals (`defenses`).
Kept: one step, one fact, one notice, in one transaction; a step that the state does not allow is refused and names who
took the last one. The last days are derived from facts, never kept.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, cast

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import ProcedureId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.rules import Duty, RuleSet
from towncircle.rules.calendars import start_of_day
from towncircle.rules.duties import HEADQUARTERS, derive
from towncircle.rules.procedures import (
    IN_FORCE,
    NEW,
    NOTICED,
    PROCEDURE,
    REVOKED,
    REVOKING,
    REVOKING_DEFENDED,
    Procedure,
    Subject,
    about,
    in_force,
    procedures,
)
from towncircle.rules.terms import Term
from towncircle.wire.bodies import Acknowledged, SupervisionNotice, SupervisionReceipt
from towncircle.wire.bodies.supervision import Form
from towncircle.wire.message import Opened

MOST = 4000
_STANDING = (IN_FORCE, REVOKING, REVOKING_DEFENDED, REVOKED)
_NEEDS = {  # steps that not every procedure has, and the clause that gives it
    "propose": "cure", "extend the time": "cure", "find corrected": "cure",
    "extend": "extended", "revoke": "revoked", "notify revocation": "revoked",
}  # fmt: skip
_BLANK: dict[str, Any] = {
    "state": NEW, "willful": False, "ground": "", "provision": "", "deficiencies": [], "scope": ["all"],
    "correct_by": "", "defend_by": "", "effective_on": "", "appeal_by": "", "from": 0, "until": 0, "notices": 0,
    "notice": 0, "decision": 0, "forced_by": 0, "decided_by": "", "considered": [], "appeal": "", "ended": "",
    "amount": 0,
}  # fmt: skip


def begin(ctx: Context, form: str, provider: str, **fields: Any) -> Record:
    """Give a procedure that is about to be opened; `step` writes it."""
    body = {**_BLANK, "form": form, "opened_at": int(ctx.now), "by": ctx.actor, **fields}
    return Record(kind="procedure", key=ProcedureId.new(ctx.randomness), owner=provider, version=0, body=body)


def procedure_row(ctx: Context, name: str) -> Record:
    """Give a procedure. Raises `Refused` (procedure.unknown)."""
    row = ctx.tx.get("procedure", name)
    if row is None:
        raise Refused("procedure.unknown", procedure=name[:64])
    return row


def form_of(row: Record) -> Procedure:
    """Give the procedure that a record follows."""
    return procedures()[row.body["form"]]


def step(ctx: Context, row: Record, event: str, *, clause: str, **changes: Any) -> Record:
    """Move a procedure by an event that its form has, and write it. Raises `Refused` (procedure.no-such-step)."""
    state, clauses = str(row.body["state"]), form_of(row).clauses
    legal = [one for one in PROCEDURE.legal(state) if _NEEDS.get(one, "notice") in clauses]
    if event not in legal:
        raise Refused("procedure.no-such-step", procedure=row.key, state=state, event=event, by=row.body["by"],
                      legal=", ".join(legal) or "nothing", clause=clause or clauses["grounds"])  # fmt: skip
    moved = PROCEDURE.move(state, event)
    body = {**row.body, "state": moved.to, "by": ctx.actor, **changes}
    return ctx.tx.put("procedure", row.key, body, owner=row.owner, expected=row.version)


def note(ctx: Context, row: Record, what: str, clause: str, *, at: Instant | None = None, **body: Any) -> None:
    """Record a step as a fact, under the name that its time limits know."""
    ctx.note(form_of(row).fact(what), row.key, clauses=(clause,), occurred_at=at, provider=row.owner, **body)


def tell(ctx: Context, row: Record, kind: str, words: str, clause: str, *, force: str = "none") -> Record:
    """Give the Provider written notice of a step; `notice` and `decision` name the last of each."""
    body, number = row.body, int(row.body["notices"]) + 1
    changes: dict[str, Any] = {"notices": number}
    if kind in ("notice", "revocation-notice"):
        changes["notice"] = number
    if kind in ("decision", "revocation"):
        changes["decision"] = number
    if force == "in force":
        changes["forced_by"] = number
        clause = ", ".join(filter(None, (clause, body["provision"])))
    notice = SupervisionNotice(
        procedure=row.key,
        number=number,
        form=cast("Form", body["form"]),
        step=kind,
        words=words,
        deficiencies=tuple(body["deficiencies"]),
        scope=tuple(body["scope"]),
        correct_by=body["correct_by"],
        defend_by=body["defend_by"],
        effective_on=body["effective_on"],
        appeal_by=body["appeal_by"],
        amount=Mills(body["amount"]),
        force=cast("Literal['none', 'in force', 'over']", force),
        begins=Instant(body["from"]) if body["from"] else None,
        ends=Instant(body["until"]) if body["until"] else None,
        clause=clause,
        at=ctx.now,
    )
    paper = {
        "step": kind, "words": words, "force": force, "clause": clause, "at": int(ctx.now), "by": ctx.actor,
        "received_at": 0, **{name: body[name] for name in ("deficiencies", "scope", "correct_by", "defend_by")},
        **{name: body[name] for name in ("effective_on", "appeal_by", "amount", "from", "until")},
    }  # fmt: skip
    ctx.tx.put("supervision-notice", f"{row.key} {number}", paper, owner=row.owner, expected=0)
    ctx.send(row.owner, notice, key=f"supervision {row.key} {number}")
    told: dict[str, Any] = {"number": number, "form": body["form"], "step": kind, "force": force}
    ctx.note("supervision.given", row.key, clauses=(clause,), provider=row.owner, **told)
    return ctx.tx.put("procedure", row.key, {**body, **changes}, owner=row.owner, expected=row.version)


def text_of(text: str, clause: str) -> str:
    """Give the facts and reasons of a step. Raises `BadInput` (procedure.no-reasons)."""
    if not text.strip() or len(text) > MOST:
        raise BadInput("procedure.no-reasons", most=MOST, clause=clause)
    return text.strip()


def day_of(ctx: Context, text: str, clause: str) -> str:
    """Read a day, today or later, or an instant ahead. Raises `BadInput` (time.unreadable), `Refused`."""
    try:
        past = date.fromisoformat(text) < ctx.now.date_in(HEADQUARTERS)
    except ValueError:
        past = Instant.parse(text) <= ctx.now
    if past:
        raise Refused("procedure.day-past", day=text, clause=clause)
    return text


def shorter(ctx: Context, text: str, limit: str, rules: RuleSet, clause: str) -> str:
    """Read the day of a period that a decision shortens. Raises `Refused` (procedure.period-longer, ...day-past)."""
    if not text:
        return ""
    day_of(ctx, text, clause)
    longest = term_of(rules, limit, ctx.now).ends(ctx.now, HEADQUARTERS).date_in(HEADQUARTERS)
    if date.fromisoformat(text[:10]) > longest:
        raise Refused("procedure.period-longer", day=text, longest=longest, clause=clause)
    return text


def term_of(rules: RuleSet, limit: str, at: Instant) -> Term:
    """Give the length of a time limit of the rule set on a day."""
    return rules.length_of(limit, at.date_in(HEADQUARTERS))


def duty_of(ctx: Context, row: Record, which: str, rules: RuleSet) -> Duty | None:
    """Give the last duty of a procedure under one of its limits (`cure`, `defense`, `term`, `appeal`), or None."""
    name = form_of(row).limits[which]
    facts = [fact for fact in ctx.tx.facts() if fact.subject == row.key]
    found = derive(rules, facts, party=ctx.party, as_of=ctx.now, wanted=lambda limit: limit.id == name)
    return found[-1] if found else None


@cites("502.5/5", "502.13/5", "502.5/4")
def on_receipt(ctx: Context, opened: Opened) -> Acknowledged:
    """Note that a notice was received: times count from here, and what is effective on receipt is in force.

    Raises `Refused` (procedure.unknown, procedure.receipt-impossible).
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, SupervisionReceipt)
    row = procedure_row(ctx, body.procedure)
    paper = ctx.tx.get("supervision-notice", f"{row.key} {body.number}")
    if paper is None or row.owner != provider:
        raise Refused("procedure.unknown", procedure=body.procedure)
    if not Instant(paper.body["at"]) <= body.at <= ctx.now:
        raise Refused("procedure.receipt-impossible", procedure=row.key, at=body.at)
    if paper.body["received_at"]:
        return Acknowledged(note=f"notice {body.number} of {row.key} was received before")
    received = {**paper.body, "received_at": int(body.at)}
    ctx.tx.put("supervision-notice", paper.key, received, owner=provider, expected=paper.version)
    clauses = form_of(row).clauses
    told = {"number": body.number, "defend_by": row.body["defend_by"], "appeal_by": row.body["appeal_by"]}
    if body.number == row.body["notice"]:
        note(ctx, row, "notice-received", clauses["defense"], at=body.at, **told)
    elif body.number == row.body["decision"]:
        note(ctx, row, "decision-received", clauses["appeal"], at=body.at, **told)
    waits = row.body["state"] in _STANDING and not row.body["from"]  # it may have been withdrawn meanwhile
    if body.number == row.body["forced_by"] and waits:
        changed = {**row.body, "from": int(body.at)}
        ctx.tx.put("procedure", row.key, changed, owner=provider, expected=row.version)
        note(ctx, row, "in-force", clauses["decision"], at=body.at)
    return Acknowledged(note=f"notice {body.number} of {row.key} received")


@cites("502.5/3", "502.13/3", "502.5/6", "502.13/6", "502.15/2", "502.21/2")
def settle(ctx: Context, rules: RuleSet) -> list[str]:
    """Do what time alone does: a notice that nobody defended against takes effect, a suspension runs out.

    Gives the names of the procedures that moved. A procedure is looked at in the state that it has, so a run that was
    missed is caught up and one that is repeated changes nothing.
    """
    moved = []
    for row in ctx.tx.find("procedure"):
        state = row.body["state"]
        if state in (NOTICED, REVOKING):
            duty = duty_of(ctx, row, "defense", rules)
            if duty is not None and duty.closed is None and duty.missed(ctx.now):
                _lapsed(ctx, row, duty, rules)
                moved.append(row.key)
        elif state == IN_FORCE and row.body["until"] and int(ctx.now) > row.body["until"]:
            _ran_out(ctx, row)
            moved.append(row.key)
    return moved


def _lapsed(ctx: Context, row: Record, duty: Duty, rules: RuleSet) -> None:
    clauses = form_of(row).clauses
    revoking = row.body["state"] == REVOKING
    ready = duty.until.plus(microseconds=1)
    begins = max(ready, day_begins(row.body["effective_on"])) if row.body["effective_on"] else ready
    changes = {"until": 0} if revoking else force_from(row, begins, rules)
    clause = clauses["revoked" if revoking else "suspended"]
    row = step(ctx, row, "lapse", clause=clause, **changes)
    in_effect(ctx, row, revoked=revoking, clause=clause)
    words = f"No written defense was presented by {duty.last_day}: what was noticed takes effect."
    tell(ctx, row, "in-effect", words, clause, force="in force")


def _ran_out(ctx: Context, row: Record) -> None:
    clause = form_of(row).clauses["suspended"]
    row = step(ctx, row, "run out", clause=clause, ended="ran out")
    at = Instant(row.body["until"])
    note(ctx, row, "suspension-ended", clause, at=at)
    tell(ctx, row, "ended", f"The suspension ended on {at.date_in(HEADQUARTERS)}.", clause, force="over")


def day_begins(text: str) -> Instant:
    """Give the instant from which a day that a decision names counts, or the instant that it names."""
    try:
        return start_of_day(date.fromisoformat(text), HEADQUARTERS)
    except ValueError:
        return Instant.parse(text)


def force_from(row: Record, begins: Instant, rules: RuleSet) -> dict[str, int]:
    """Give from when and to when what was decided holds: a suspension its days of the rule, a sanction without end."""
    form = form_of(row)
    if form.form == "sanction":
        return {"from": int(begins), "until": 0}
    return {"from": int(begins), "until": int(term_of(rules, form.limits["term"], begins).ends(begins, HEADQUARTERS))}


def in_effect(ctx: Context, row: Record, *, revoked: bool, clause: str) -> None:
    """Record the fact that a suspension, a revocation or a sanction takes effect."""
    if form_of(row).form == "sanction":
        note(ctx, row, "imposed", clause, amount=row.body["amount"])
    elif revoked:
        note(ctx, row, "revoked", clause, scope=list(row.body["scope"]))
    else:
        until = Instant(row.body["until"]).date_in(HEADQUARTERS).isoformat()
        note(ctx, row, "suspended", clause, until=until, scope=list(row.body["scope"]))


@cites("502.13/6")
def barred_build(ctx: Context, build: str) -> Refused | None:
    """Give the refusal that the approval of a build meets while a decision names that version, or None."""
    for row in ctx.tx.find("procedure"):
        form, body = form_of(row), row.body
        if body["state"] in _STANDING and in_force(body, ctx.now) and f"version {build}" in body["scope"]:
            word = "revoked" if body["state"] == REVOKED else "suspended"
            told = {"title": form.title, "provider": row.owner, "word": word, "procedure": row.key}
            return Refused("procedure.in-force", **told, clause=form.clauses[word])
    return None


@cites("502.5", "502.13", "502.25b/3")
def barred(ctx: Context, provider: str, subject: Subject) -> Refused | None:
    """Give the refusal that a Provider's new devices meet while a suspension or revocation is in force, or None."""
    for row in ctx.tx.find("procedure", owner=provider):
        form, body = form_of(row), row.body
        standing = form.form == "suspension" and body["state"] in _STANDING
        if standing and in_force(body, ctx.now) and about(body["scope"], subject):
            word = "revoked" if body["state"] == REVOKED else "suspended"
            clause = ", ".join(filter(None, (form.clauses[word], body["provision"])))
            told = {"title": form.title, "provider": provider, "word": word, "procedure": row.key}
            return Refused("procedure.in-force", **told, clause=clause)
    return None
