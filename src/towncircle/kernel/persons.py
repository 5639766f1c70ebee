"""The persons who may act for a party where one alone may not.

Here: the list of sign-in names, and the check of one. Not here: how a person proves to be the one (that is the host's:
the operating system's sign-in stands for it, see SECURITY.md), departments and PINs.
Kept: a sign-in name is a reference, not personal data; a struck person decides nothing from then on.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import SIGN_IN, Context
from towncircle.kernel.errors import BadInput, Refused

AUTHORISED, STRUCK = "authorised", "struck"


def authorise(ctx: Context, *, name: str) -> list[str]:
    """Put a person on the list; give the whole list. Raises `BadInput` (person.unreadable)."""
    return _put(ctx, name, AUTHORISED)


def strike(ctx: Context, *, name: str) -> list[str]:
    """Strike a person off the list; give what is left. Raises `Refused` (person.unknown)."""
    check(ctx, name)
    return _put(ctx, name, STRUCK)


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


def _put(ctx: Context, name: str, state: str) -> list[str]:
    if not SIGN_IN.fullmatch(name):
        raise BadInput("person.unreadable", name=name[:40])
    row = ctx.tx.get("person", name)
    if row is None or row.body["state"] != state:
        ctx.tx.put("person", name, {"state": state}, owner=ctx.party, expected=row.version if row else 0)
        ctx.note(f"person.{state}", name)
    return listed(ctx)
