"""The article numbers under which devices go out (502.20(l)): told by the custodian, from the carrier's label.

Here: naming the number of a device in stock, or of one that was shipped. Not here: the form of a number
(`rules.articles`), the hand-over itself (`handovers`).
Kept: until the custodian has told it a number is not known, and nothing stands in its place. A number names one
shipment; a shipment has one. One that was told wrong is corrected, as a fact of its own beside the first. What a
licensee has signed stays as it was signed.
"""

from __future__ import annotations

from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import Refused
from towncircle.kernel.store import Record
from towncircle.provider import handovers, stock
from towncircle.rules import RuleSet
from towncircle.rules.articles import read_article
from towncircle.rules.duties import HEADQUARTERS


@cites("502.20l/1", "502.20l", "502.8/7")
def name_article(ctx: Context, rules: RuleSet, *, device: str, article: str) -> Record:
    """Record the article number of a device that was shipped, or that will be, or correct it.

    The same told again changes nothing. Raises `Refused` (custody.article-taken, custody.no-shipment), `BadInput`
    (custody.article).
    """
    held = handovers.last_shipment(ctx.tx, device, handovers.OUT)
    if held is None:
        service, _ = handovers.service_in_use(ctx, rules, ctx.now.date_in(HEADQUARTERS))
    else:
        service = str(held.body["service"])
    number = read_article(article, service=service)
    _check_free(ctx, device, number)
    if held is None:
        before = ctx.tx.get(stock.KIND, device)
        row = stock.prepare(ctx, device=device, service=service, article=number)
        if row is None:
            raise Refused("custody.no-shipment", device=device[:20], direction=handovers.OUT)
        told = str(before.body.get("article", "")) if before is not None else ""
        _note(ctx, device, told, shipment="", service=service, article=number)
        return row
    told = number_of(held)
    if told == number:
        return held
    _note(ctx, device, told, shipment=held.key, service=service, article=number)
    papered = {"on_paper": held.body["article"]} if held.body["article"] else {}  # a paper of an earlier version
    body = {**papered, **held.body, "article": number}
    return ctx.tx.put("shipment", held.key, body, owner=held.owner, expected=held.version)


def number_of(held: Record) -> str:
    """Give the article number of a hand-over, or nothing where nobody told it (once its own name stood there)."""
    article = str(held.body["article"])
    return "" if article == held.key else article


def _note(ctx: Context, device: str, before: str, **told: Any) -> None:
    if before and before != told["article"]:
        ctx.note("article.corrected", device, clauses=("502.20(l)",), before=before, **told)
    else:
        ctx.note("article.told", device, clauses=("502.20(l)",), **told)


def _check_free(ctx: Context, device: str, number: str) -> None:
    """Check that no other device goes out under a number; what licensees type for parcels of their own takes none."""
    out = [row.body for row in ctx.tx.find("shipment") if row.body["direction"] == handovers.OUT]
    shipped = {body["device"] for body in out}  # of these the shipment says it, with every correction
    taken = [body["device"] for body in out if body["article"] == number]
    kept = (row for row in ctx.tx.find(stock.KIND) if row.key not in shipped and row.body["custody"] != stock.SCRAPPED)
    taken += [row.key for row in kept if row.body.get("article") == number]
    for other in taken:
        if other != device:
            raise Refused("custody.article-taken", article=number, device=other)
