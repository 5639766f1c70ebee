"""The persons who may act for a party where one alone may not.

Here: the list of sign-in names with the offices that each holds, and the check of one. Not here: which act belongs to
which office (`rules.offices`), how a person proves to be the one (that is the host's: the operating system's sign-in
stands for it, see SECURITY.md), departments and PINs.
Kept: a sign-in name is a reference, not personal data; a struck person decides nothing from then on.
"""

from __future__ import annotations

from collections.abc import Iterable

from towncircle.kernel.cites import cites
from towncircle.kernel.context import SIGN_IN, Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.store import Transaction

AUTHORISED, STRUCK = "authorised", "struck"


def authorise(ctx: Context, *, name: str, offices: Iterable[str] = ()) -> list[str]:
    """Put a person on the list with offices, or grant them to who is on it; give the whole list.

    Raises `BadInput` (person.unreadable).
    """
    if not SIGN_IN.fullmatch(name):
        raise BadInput("person.unreadable", name=name[:40])
    row, asked = ctx.tx.get("person", name), set(offices)
    on_list = row is not None and row.body["state"] == AUTHORISED
    held = offices_held(ctx.tx, name) if on_list else []
    if held is None and not asked:
        return listed(ctx)
    wanted = sorted(asked | set(held or ()))
    if not on_list or held != wanted:
        body = {"state": AUTHORISED, "offices": wanted}
        ctx.tx.put("person", name, body, owner=ctx.party, expected=row.version if row else 0)
        ctx.note("person.authorised", name, offices=wanted)
    return listed(ctx)


def strike(ctx: Context, *, name: str) -> list[str]:
    """Strike a person off the list; give what is left. Raises `Refused` (person.unknown)."""
    check(ctx, name)
    row = ctx.tx.get("person", name)
    assert row is not None
    ctx.tx.put("person", name, {"state": STRUCK}, owner=ctx.party, expected=row.version)
    ctx.note("person.struck", name)
    return listed(ctx)


def listed(ctx: Context) -> list[str]:
    """Name the authorised persons."""
    return [row.key for row in ctx.tx.find("person") if row.body["state"] == AUTHORISED]


@cites("P050-2.6")
def check(ctx: Context, name: str, *, clause: str = "house") -> str:
    """Give the name of an authorised person; `clause` is what asks for one. Raises `Refused` (person.unknown)."""
    row = ctx.tx.get("person", name)
    if row is None or row.body["state"] != AUTHORISED:
        raise Refused("person.unknown", name=name[:40], known=", ".join(listed(ctx)) or "nobody", clause=clause)
    return name


def offices_held(view: Transaction, name: str) -> list[str] | None:
    """Name the offices of a listed person; None for one who was listed before there were offices, and holds all."""
    row = view.get("person", name)
    return None if row is None or "offices" not in row.body else list(row.body["offices"])
