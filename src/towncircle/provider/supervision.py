"""Supervision at the Provider: notices of the Postal Service, what they forbid, and the answers (502.5, 502.13).

Here: keeping a notice and confirming its receipt, the look at what is in force before a lease or a reset, corrections,
defenses and appeals. Not here: the decisions, which are the Postal Service's.
Kept: a decision is in force from the instant that the notice names, or from its receipt, up to its last instant, with
no further message. Who is suspended leases no device and resets none of those that the decision names; what devices
evidence from postage they hold, returns and refunds go on (ADR 31).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.rules.procedures import Subject, about, in_force, procedures
from towncircle.wire.bodies import (
    Acknowledged,
    AnswerDocketed,
    SupervisionAnswer,
    SupervisionNotice,
    SupervisionReceipt,
)
from towncircle.wire.message import Opened

POSTAL = "postal.usps"


def on_notice(ctx: Context, opened: Opened) -> Acknowledged:
    """Keep a notice, put in force what it says, and confirm its receipt."""
    body = opened.body
    assert isinstance(body, SupervisionNotice)
    key = f"{body.procedure} {body.number}"
    if ctx.tx.get("supervision-notice", key) is None:
        record = {
            "step": body.step, "form": body.form, "words": body.words, "deficiencies": list(body.deficiencies),
            "scope": list(body.scope), "correct_by": body.correct_by, "defend_by": body.defend_by,
            "effective_on": body.effective_on, "appeal_by": body.appeal_by, "amount": int(body.amount),
            "force": body.force, "clause": body.clause, "at": int(body.at), "received_at": int(ctx.now),
        }  # fmt: skip
        ctx.tx.put("supervision-notice", key, record, owner=body.procedure, expected=0)
        told: dict[str, Any] = {"number": body.number, "form": body.form, "step": body.step, "force": body.force}
        told |= {"begins": body.begins.iso() if body.begins else "", "ends": body.ends.iso() if body.ends else ""}
        told["scope"] = list(body.scope)
        ctx.note("supervision.noticed", body.procedure, clauses=(body.clause,), **told)
        if body.force != "none" and procedures()[body.form].form == "suspension":
            _restrain(ctx, body)
        receipt = SupervisionReceipt(procedure=body.procedure, number=body.number, at=ctx.now)
        ctx.send(POSTAL, receipt, key=f"receipt {key}")
    return Acknowledged(note=f"notice {body.number} of {body.procedure} received")


def _restrain(ctx: Context, body: SupervisionNotice) -> None:
    held = ctx.tx.get("restraint", body.procedure)
    if held is not None and held.body["notice"] > body.number:
        return  # a later notice overtook this one
    if body.force == "over":
        since = int(held.body["from"]) if held is not None else int(ctx.now)
        ended = {"over": True, "until": max(since, int(ctx.now) - 1), "notice": body.number}
        blank = {"form": body.form, "from": since, "scope": list(body.scope), "step": body.step, "clause": body.clause}
        record = {**(held.body if held is not None else blank), **ended}
    else:
        begins = body.begins or (Instant(held.body["from"]) if held is not None else ctx.now)
        record = {
            "form": body.form, "from": int(begins), "until": int(body.ends) if body.ends else 0, "over": False,
            "scope": list(body.scope), "step": body.step, "clause": body.clause, "notice": body.number,
        }  # fmt: skip
    ctx.tx.put("restraint", body.procedure, record, owner=POSTAL, expected=held.version if held else 0)


@cites("502.5", "502.13", "502.25b/3")
def restrained(ctx: Context, subject: Subject) -> Refused | None:
    """Give the refusal that a lease or a reset of a system meets while a decision is in force, or None."""
    for row in ctx.tx.find("restraint"):
        body = row.body
        if not body["over"] and in_force(body, ctx.now) and about(body["scope"], subject):
            word = "suspended" if body["until"] else "revoked"
            told = {"title": procedures()[body["form"]].title, "provider": ctx.party, "word": word}
            return Refused("procedure.in-force", **told, procedure=row.key, clause=body["clause"])
    return None


def answer(ctx: Context, *, procedure: str, kind: str, reasons: str, evidence: Sequence[str]) -> Steps:
    """Send a correction, a defense or an appeal, and keep its docket. Raises `Refused` (procedure.not-noticed)."""
    number = _number(ctx, procedure, kind)
    body = SupervisionAnswer(
        procedure=procedure,
        number=number,
        kind=kind,  # type: ignore[arg-type]  # the shape of the message refuses any other word
        reasons=reasons,
        evidence=tuple(evidence),
    )
    said = yield Ask(POSTAL, body, f"answer {procedure} {number} {kind} {ctx.now.iso()}")
    docketed = said.body
    assert isinstance(docketed, AnswerDocketed)
    if ctx.tx.get("supervision-answer", docketed.docket) is None:
        record = {"procedure": procedure, "kind": kind, "stays": docketed.stays, "at": int(docketed.at)}
        ctx.tx.put("supervision-answer", docketed.docket, record, owner=procedure, expected=0)
        ctx.note("supervision.answered", procedure, docket=docketed.docket, answer=kind, stays=docketed.stays)
    return docketed


_ANSWERED = {
    "correction": ("proposal", "more-time"),
    "defense": ("notice", "revocation-notice"),
    "appeal": ("decision", "revocation"),
}


def _number(ctx: Context, procedure: str, kind: str) -> int:
    """Give the number of the last notice that an answer of a kind speaks to."""
    rows = [row for row in ctx.tx.find("supervision-notice", owner=procedure) if row.body["step"] in _ANSWERED[kind]]
    if not rows:
        raise Refused("procedure.not-noticed", procedure=procedure[:64], kind=kind)
    return max(int(row.key.rpartition(" ")[2]) for row in rows)


def notices(ctx: Context) -> list[Record]:
    """Give every notice of supervision that this Provider keeps, in their order."""
    rows = ctx.tx.find("supervision-notice")
    return sorted(rows, key=lambda row: (row.owner, int(row.key.rpartition(" ")[2])))
