"""Written notices that wait for a licensee's host, which answers no calls and so asks for them (ADR 27).

Here: how a party that gives a notice keeps it until it is asked for. Not here: when a notice is owed, its way and its
receipt (`world.notices`).
Kept: a notice is put here in the transaction of the fact that brings it, so that a kill leaves both or neither.
"""

from __future__ import annotations

from towncircle.kernel.context import Context
from towncircle.wire.bodies import Notice

KIND = "notice-waiting"
FIELDS = ("reference", "kind", "limit", "duty", "about", "title", "says", "clause")


def fields_of(notice: Notice) -> dict[str, object]:
    """Give a notice as a record holds it."""
    return {**{name: getattr(notice, name) for name in FIELDS}, "until": int(notice.until)}


def put(ctx: Context, notice: Notice, *, to: str) -> None:
    """Have a notice wait until the licensee that it is for asks."""
    body = {**fields_of(notice), "state": "waiting", "number": ctx.tx.next_number("notice")}
    ctx.tx.put(KIND, notice.reference, body, owner=to, expected=0)
