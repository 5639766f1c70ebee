"""What a licensee asks of its CMRS account in writing (P050 3.3, 3.5, 502.27(c), (d)), and its monthly statements.

Here: requests for an advance, claims, closings, and what became of them; statements as the Provider gave them. Not
here: deposits and resets (`funds`), decisions, which are the Provider's and the Postal Service's.
Kept: a request is written down before it leaves and asked again under its own number; a statement whose balances do not
follow from each other is not taken.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import RequestId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.persons import check
from towncircle.kernel.store import Record
from towncircle.licensee import books
from towncircle.wire.bodies import AccountAnswer, AccountRequest, MonthlyStatement, StatementPartRequest
from towncircle.wire.bodies.cmrs import CLAIMED, STATEMENT_ROWS
from towncircle.wire.statement_file import first_fault

MOST_PARTS = 1_000  # house: of a statement; a million transactions in a month
BEGUN, WAITING, ANSWERED, DROPPED = "begun", "waiting", "answered", "dropped"
_WAITS = (CLAIMED, "asked")


@cites("502.27c/1", "P050-3.3d/1", "502.27d")
def begin(ctx: Context, *, request: AccountRequest, provider: str) -> Record:
    """Write a request down before it leaves; an open one of the same words is taken up again.

    A closing is asked for by an authorised person, as is what names who asks. Raises `Refused` (person.unknown).
    """
    if request.kind == "closing":
        check(ctx, ctx.actor, clause="502.27(c)(1)")
    elif request.asked_by != ctx.party:
        check(ctx, request.asked_by, clause="502.27(d)" if request.kind == "claim" else "502.25(c)(1)")
    words = {name: getattr(request, name) for name in ("kind", "device", "reason", "asked_by")}
    body = {**words, "amount": int(request.amount), "provider": provider}
    for held in ctx.tx.find("account-request"):
        if held.body["state"] == BEGUN and all(held.body[name] == value for name, value in body.items()):
            return held
    return ctx.tx.put("account-request", request.reference, {**body, "state": BEGUN}, owner=ctx.party, expected=0)


@cites("502.27c/1", "P050-3.3d", "P050-3.5a")
def send(ctx: Context, *, reference: str) -> Steps:
    """Send a request, or ask how it stands; give the Provider's answer."""
    held = held_request(ctx, reference)
    request = AccountRequest(
        reference=reference,
        kind=held.body["kind"],
        device=held.body["device"],
        amount=Mills(held.body["amount"]),
        reason=held.body["reason"],
        asked_by=held.body["asked_by"],
    )
    answer = yield Ask(held.body["provider"], request, f"{request.kind} {reference} {RequestId.new(ctx.randomness)}")
    told = answer.body
    assert isinstance(told, AccountAnswer)
    held = held_request(ctx, reference)
    if held.body["state"] in (BEGUN, WAITING):
        _keep(ctx, held, told)
    return told


def _keep(ctx: Context, held: Record, told: AccountAnswer) -> None:
    about: dict[str, Any] = {"asked": told.kind, "outcome": told.state, "amount": int(told.amount), "check": told.check}
    if held.body["state"] == BEGUN:
        ctx.note("account.asked", held.key, clauses=("P050 3.3",), asked=told.kind, provider=held.body["provider"])
    if told.state not in _WAITS:
        ctx.note("account.answered", held.key, clauses=("P050 3.3",), provider=held.body["provider"], **about)
    state = WAITING if told.state in _WAITS else ANSWERED
    if held.body["state"] != state:
        body = {**held.body, "state": state, "outcome": told.state, "granted": int(told.amount), "check": told.check}
        ctx.tx.put("account-request", held.key, body, owner=held.owner, expected=held.version)


def drop(ctx: Context, *, reference: str) -> None:
    """Write down that a request was refused: it is not asked again."""
    held = held_request(ctx, reference)
    if held.body["state"] == BEGUN:
        body = {**held.body, "state": DROPPED}
        ctx.tx.put("account-request", held.key, body, owner=held.owner, expected=held.version)


def held_request(ctx: Context, reference: str) -> Record:
    """Give the record of a request. Raises `Refused` (account.no-request)."""
    held = ctx.tx.get("account-request", reference)
    if held is None:
        raise Refused("account.no-request", reference=reference[:40])
    return held


def _in_parts(ctx: Context, provider: str, month: str) -> Steps:
    """Fetch a statement part by part, all as of the instant of the first one, and put it together."""
    asked, whole = RequestId.new(ctx.randomness), None
    for part in range(1, MOST_PARTS + 1):
        query = StatementPartRequest(month=month, part=part, until=whole.until if whole else Instant(0))
        answer = yield Ask(provider, query, f"statement of {month} {asked}{f' part {part}' if whole else ''}")
        told = answer.body
        assert isinstance(told, MonthlyStatement)
        if whole is None:
            whole = told
        elif (told.month, told.account, told.opening) != (whole.month, whole.account, whole.closing):
            why = f"part {part} does not follow the one before"
            raise Refused("statement.does-not-add-up", month=month, provider=provider, why=why)
        else:
            whole = replace(whole, closing=told.closing, rows=(*whole.rows, *told.rows))
        if len(told.rows) < STATEMENT_ROWS:
            return whole
    why = f"it has not ended after {MOST_PARTS} parts"
    raise Refused("statement.does-not-add-up", month=month, provider=provider, why=why)


@cites("P050-3.5c")
def statement(ctx: Context, *, provider: str, month: str) -> Steps:
    """Fetch the statement of a month, and book what only it tells. Raises `Refused` (statement.does-not-add-up)."""
    told = yield from _in_parts(ctx, provider, month)
    fault = first_fault(told)
    if told.month != month or fault is not None:
        why = fault[1] if fault else f"it is of {told.month}"
        raise Refused("statement.does-not-add-up", month=month, provider=provider, why=why)
    books.book_statement(ctx, provider=provider, rows=told.rows)
    about: dict[str, Any] = {"provider": provider, "month": month, "rows": len(told.rows), "closing": int(told.closing)}
    ctx.note("statement.received", month, clauses=("P050 3.5(c)",), **about)
    return told
