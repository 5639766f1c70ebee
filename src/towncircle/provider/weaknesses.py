"""Security weaknesses and test results that a Provider reports (502.14).

Here: the discovery, and the four reports to the Postal Service. Not here: what is late (`rules.duties`), the Postal
Service's copy (`postal.weaknesses`).
Kept: a report is a fact here only after the Postal Service has taken it. A device that was frozen is an occurrence
outside normal performance; its reports go under its own name, and its 21 days began when it was frozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import WeaknessId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.wire.bodies import WeaknessReport

POSTAL = "postal.usps"
TEST_RESULT = "test-result"
CATEGORIES = (
    *(TEST_RESULT, "tampering", "defect", "licensee-abuse", "employee-abuse", "cmrs-breach", "key-compromise"),
    *("abnormal", "deviation"),
)
FACTS = {
    "preliminary": "weakness.preliminary-reported",
    "written": "weakness.reported",
    "status": "weakness.status-reported",
    "summary": "weakness.summarised",
}
_MOST = 4000


@cites("502.14b/1", "502.14b/2")
def discover(ctx: Context, *, category: str, systems: Sequence[str], words: str, at: Instant | None = None) -> Record:
    """Record that a test result or a weakness was discovered; the 21 days run from then.

    Raises `BadInput` (weakness.no-such-category, weakness.no-words), `Refused` (weakness.not-yet).
    """
    if category not in CATEGORIES:
        raise BadInput("weakness.no-such-category", name=category[:40], known=", ".join(CATEGORIES))
    if not words.strip() or len(words) > _MOST:
        raise BadInput("weakness.no-words", most=_MOST)
    when = at or ctx.now
    if when > ctx.now:
        raise Refused("weakness.not-yet", at=when)
    name = WeaknessId.new(ctx.randomness)
    return _begin(ctx, name, category, systems, words, when)


def _begin(ctx: Context, name: str, category: str, systems: Sequence[str], words: str, when: Instant) -> Record:
    record = {
        "category": category, "systems": list(systems), "words": words, "discovered_at": int(when), "stage": "found",
        "completion_on": "", "statuses": 0,
    }  # fmt: skip
    row = ctx.tx.put("weakness", name, record, owner=ctx.party, expected=0)
    ctx.note(
        "weakness.discovered", name, clauses=("502.14(b)",), occurred_at=when, provider=ctx.party, category=category
    )
    return row


def weakness_row(ctx: Context, about: str) -> Record:
    """Give a weakness; a frozen device is one. Raises `Refused` (weakness.unknown)."""
    row = ctx.tx.get("weakness", about)
    if row is not None:
        return row
    frozen = [fact for fact in ctx.tx.facts() if (fact.type, fact.subject) == ("device.frozen", about)]
    if not frozen:
        raise Refused("weakness.unknown", about=about[:40])
    body = {
        "category": "abnormal", "systems": [about[:4]], "words": "", "discovered_at": int(frozen[-1].occurred_at),
        "stage": "found", "completion_on": "", "statuses": 0,
    }  # fmt: skip
    return Record(kind="weakness", key=about, owner=ctx.party, version=0, body=body)


@cites("502.14b/1", "502.14b/2", "502.14c/1", "502.14c/2", "502.14c/3", "502.14c/4")
def report(
    ctx: Context,
    *,
    about: str,
    stage: str,
    words: str,
    investigation: str = "",
    completion_on: str = "",
    document: str = "",
) -> Steps:
    """Make one of the four reports; `document` is the SHA-256 of its paper. The Postal Service refuses what lacks.

    Raises `Refused` (weakness.unknown), `BadInput` (weakness.no-such-stage) and what the Postal Service refuses.
    """
    row = weakness_row(ctx, about)
    if stage not in FACTS:
        raise BadInput("weakness.no-such-stage", name=stage[:40], known=", ".join(FACTS))
    body = WeaknessReport(
        about=about,
        stage=stage,  # type: ignore[arg-type]  # it was looked up
        category=str(row.body["category"]),
        systems=tuple(row.body["systems"]),
        discovered_at=Instant(row.body["discovered_at"]),
        words=words,
        investigation=investigation,
        completion_on=completion_on,
        document=document,
    )
    yield Ask(POSTAL, body, f"weakness {about} {stage} {row.version} {ctx.now.iso()}")
    row = weakness_row(ctx, about)
    changed: dict[str, Any] = {"stage": stage, "statuses": int(row.body["statuses"]) + (stage == "status")}
    if completion_on:
        changed["completion_on"] = completion_on
    kept = ctx.tx.put("weakness", about, {**row.body, **changed}, owner=ctx.party, expected=row.version)
    told: dict[str, Any] = {"completion_on": completion_on} if completion_on else {}
    clause = "502.14(b)" if stage == "preliminary" else "502.14(c)"
    ctx.note(FACTS[stage], about, clauses=(clause,), provider=ctx.party, **told)
    if stage == "status" and completion_on:
        ctx.note("weakness.completion-moved", about, clauses=(clause,), provider=ctx.party, **told)
    return kept
