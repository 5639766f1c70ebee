"""Reports of security weaknesses at the Postal Service (502.14).

Here: the file of each weakness, and what a report must have. Not here: sanctions for failing to report (`sanctions`).
Kept: the reports come in their order, each with what the rule asks of it; one that came late is taken and its lateness
stands in the file, because a sanction counts from the day of discovery.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.rules.duties import HEADQUARTERS
from towncircle.wire.bodies import Acknowledged, WeaknessReport
from towncircle.wire.message import Opened

_AFTER = {"": ("preliminary",), "preliminary": ("written",), "written": ("status", "summary"), "summary": ()}


@cites("502.14b/1", "502.14b/2", "502.14c/1", "502.14c/2", "502.14c/3", "502.14c/4")
def on_report(ctx: Context, opened: Opened) -> Acknowledged:
    """File a report.

    Raises `Refused`: weakness.taken, weakness.out-of-order, weakness.not-yet, weakness.incomplete.
    """
    body, provider = opened.body, opened.envelope.sender
    assert isinstance(body, WeaknessReport)
    row = ctx.tx.get("weakness", body.about)
    if row is not None and row.owner != provider:
        raise Refused("weakness.taken", about=body.about)
    clause = "502.14(b)" if body.stage == "preliminary" else "502.14(c)"
    before = str(row.body["stage"]) if row is not None else ""
    if body.stage not in _AFTER[before]:
        raise Refused("weakness.out-of-order", stage=body.stage, about=body.about, before=before or "nothing",
                      possible=", ".join(_AFTER[before]) or "nothing", clause=clause)  # fmt: skip
    if body.discovered_at > ctx.now:
        raise Refused("weakness.not-yet", at=body.discovered_at)
    _check_complete(ctx, body, clause)
    days = (ctx.now.date_in(HEADQUARTERS) - body.discovered_at.date_in(HEADQUARTERS)).days
    kept = _filed(ctx, row, body, provider)
    told: dict[str, Any] = {"stage": body.stage, "category": body.category, "days": days, "report": kept}
    ctx.note("weakness.report-filed", body.about, clauses=(clause,), provider=provider, **told)
    return Acknowledged(note=f"{body.about}: {body.stage} report filed, {days} days after the discovery")


def _check_complete(ctx: Context, body: WeaknessReport, clause: str) -> None:
    lacks = [] if body.words.strip() else ["the circumstances" if body.stage == "written" else "what is known"]
    if body.stage == "preliminary":
        lacks += [] if body.systems and all(body.systems) else ["the systems or models subject to it"]
        lacks += ["the findings as a paper"] if body.category == "test-result" and not body.document else []
        clause = "502.14(b)(1)" if body.category == "test-result" else "502.14(b)(2)"
    if body.stage == "written":
        lacks += [] if body.investigation.strip() else ["the proposed investigative procedure"]
        lacks += [] if body.completion_on else ["the anticipated completion date"]
    if body.completion_on and not _ahead(ctx, body.completion_on):
        lacks += ["a completion date that is not past"]
    if lacks:
        raise Refused("weakness.incomplete", stage=body.stage, about=body.about, lacks="; ".join(lacks), clause=clause)


def _ahead(ctx: Context, text: str) -> bool:
    try:
        return date.fromisoformat(text) >= ctx.now.date_in(HEADQUARTERS)
    except ValueError:
        return False


def _filed(ctx: Context, row: Record | None, body: WeaknessReport, provider: str) -> int:
    number = int(row.body["reports"]) + 1 if row is not None else 1
    paper = {name: getattr(body, name) for name in ("stage", "words", "investigation", "completion_on", "document")}
    ctx.tx.put("weakness-report", f"{body.about} {number}", {**paper, "at": int(ctx.now)}, owner=provider, expected=0)
    stage = "written" if body.stage == "status" else body.stage
    held: dict[str, Any] = dict(row.body) if row is not None else {"completion_on": ""}
    record = {
        **held, "stage": stage, "reports": number, "category": body.category, "systems": list(body.systems),
        "discovered_at": int(body.discovered_at), "completion_on": body.completion_on or held["completion_on"],
    }  # fmt: skip
    ctx.tx.put("weakness", body.about, record, owner=provider, expected=row.version if row is not None else 0)
    return number
