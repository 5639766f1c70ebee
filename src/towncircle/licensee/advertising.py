"""The slogan or advertising art that a host prints (502.20(d), P050 4.10).

Here: asking the Provider for art, and what stands in a print job. Not here: its look (`mailpiece.imprint`).
Kept: a job keeps the art that it was planned with, so that a reprint shows the same; a host without any prints the art
that came with its system.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.wire.bodies import ArtQuery, ArtSupplied


@cites("502.20d/1")
def fetch(ctx: Context, *, name: str, provider: str) -> Steps:
    """Fetch approved art from the Provider and use it from now on; give its record. Raises the Provider's refusal."""
    answer = yield Ask(provider, ArtQuery(name=name), f"art {name} {ctx.now.iso()}")
    supplied = answer.body
    assert isinstance(supplied, ArtSupplied)
    held = ctx.tx.get("advertising", "in use")
    record = {"name": supplied.name, "words": list(supplied.words), "approved_at": int(supplied.approved_at)}
    row = ctx.tx.put("advertising", "in use", record, owner=provider, expected=held.version if held else 0)
    ctx.note("advertising.received", supplied.name, clauses=("502.20(d)",), provider=provider)
    return row


def of_job(ctx: Context) -> dict[str, Any]:
    """Give what a new print job keeps of the art in use; nothing where none was fetched."""
    held = ctx.tx.get("advertising", "in use")
    return {"art": list(held.body["words"])} if held is not None else {}
