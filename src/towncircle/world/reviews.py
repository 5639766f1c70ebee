"""Reviews of a licensee's transaction records, as who asks for one keeps it (P050 2.5(b)).

Here: the request of the Postal Service or a Provider, which waits for the licensee's host with its notices, and the
licensee's word that the records were shown. Not here: what is shown (`licensee.care`).
Kept: who asks and who shows are two parties; a request is open at both until the licensee has answered it.
"""

from __future__ import annotations

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import NoticeId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Record
from towncircle.licensee.care import CLAUSE, REFERENCE
from towncircle.wire import waiting
from towncircle.wire.bodies import Acknowledged, Notice, ReviewGranted, ReviewRequest
from towncircle.wire.message import Opened

KIND = "review-asked"
ASKED, SHOWN = "asked", "shown"


@cites("P050-2.5b/2")
def ask(ctx: Context, *, licensee: str, reference: str) -> Record:
    """Ask a licensee for its transaction records; the same asked again is one request.

    Raises `Refused` (custody.not-entitled, custody.review-taken), `BadInput` (custody.reference).
    """
    if not REFERENCE.fullmatch(reference):
        raise BadInput("custody.reference", most=80)
    if ctx.party.startswith("provider.") and not _leases_to(ctx, licensee):
        raise Refused("custody.not-entitled", party=ctx.party)
    held = ctx.tx.get(KIND, reference)
    if held is not None:
        if held.owner != licensee:
            raise Refused("custody.review-taken", reference=reference, licensee=held.owner)
        return held
    request = ReviewRequest(reference=reference, at=ctx.now)
    notice = notice_of(request)
    body = {"state": "waiting", "number": ctx.tx.next_number("notice"), "review": {"at": int(ctx.now)}}
    ctx.tx.put(waiting.KIND, notice.reference, {**waiting.fields_of(notice), **body}, owner=licensee, expected=0)
    ctx.note("review.asked", reference, clauses=(CLAUSE,), licensee=licensee)
    return ctx.tx.put(KIND, reference, {"state": ASKED, "at": int(ctx.now), "digest": ""}, owner=licensee, expected=0)


def notice_of(request: ReviewRequest) -> Notice:
    """Give a request as the written notice that both ends name alike."""
    return Notice(
        reference=NoticeId.derived("review", request.reference, str(int(request.at))),
        kind="notice",
        limit="records-for-audit",
        duty=request.reference,
        about=request.reference,
        title="The transaction records are to be made available",
        says="Show them: towncircle custody review",
        clause=CLAUSE,
        until=request.at,
    )


def request_of(row: Record) -> ReviewRequest:
    """Give the request that waits under a notice."""
    return ReviewRequest(reference=str(row.body["about"]), at=Instant(row.body["review"]["at"]))


@cites("P050-2.5b/2")
def on_granted(ctx: Context, opened: Opened) -> Acknowledged:
    """Take the licensee's word that the records were shown. Raises `Refused` (custody.no-review)."""
    body, licensee = opened.body, opened.envelope.sender
    assert isinstance(body, ReviewGranted)
    held = ctx.tx.get(KIND, body.reference)
    if held is None or held.owner != licensee:
        raise Refused("custody.no-review", reference=body.reference)
    if held.body["state"] == ASKED:
        told = {"licensee": licensee, "records": body.records, "digest": body.digest}
        ctx.note("review.shown", body.reference, clauses=(CLAUSE,), occurred_at=body.at, **told)
        done = {**held.body, "state": SHOWN, "digest": body.digest}
        ctx.tx.put(KIND, held.key, done, owner=licensee, expected=held.version)
    return Acknowledged(note=f"review {body.reference} is answered")


def _leases_to(ctx: Context, licensee: str) -> bool:
    return bool(ctx.tx.find("device", owner=licensee))
