"""Unused pieces that a licensee sends in for a refund (P050 3.3, 502.27(a)(1), (2)).

Here: Form 3533 with the details of Part IV, and what became of it. Not here: whether a piece qualifies (the Provider's
and the Postal Service's).
Kept: the pieces are of the licensee's own print jobs. The same pieces sent in again get the first answer, unless that
refund came to nothing: then they are another one. A piece is sent in or printed again, never both: what was printed
again and did not spoil is not claimed, and what is claimed is not printed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Context, Steps
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.ids import DeviceId, RefundId, RequestId
from towncircle.kernel.money import Mills
from towncircle.kernel.persons import check
from towncircle.kernel.store import Record, Transaction
from towncircle.licensee import mailroom, spool
from towncircle.licensee.funds import held_device
from towncircle.verification.refunding import Unused, groups_of, total_of, unused
from towncircle.wire.bodies import RefundApplication, RefundQuery, RefundStatement
from towncircle.wire.bodies.refund import CREDITED, REFUSED

BEGUN, CLAIMED = "begun", "claimed"
MOST_PIECES = 500  # house: of one form


@cites("502.27a/2", "P050-3.3b/2")
def begin(ctx: Context, *, payloads: tuple[bytes, ...], refund: RefundId, unused_job: str = "") -> Record:
    """Write a form down: the pieces, their device and their print jobs. Nothing is sent yet.

    `unused_job` is a job that is sent in because it was never handed over, and still is not. Raises `BadInput`
    (refund.no-pieces, refund.no-mark), `Refused` (refund.two-devices, refund.not-ours, refund.part-of-job,
    refund.printed-again, refund.job-handed-over).
    """
    if ctx.actor != ctx.party:
        check(ctx, ctx.actor)
    if not 1 <= len(payloads) <= MOST_PIECES:
        raise BadInput("refund.no-pieces", count=len(payloads), most=MOST_PIECES)
    pieces = unused(payloads)
    devices = sorted({piece.device for piece in pieces})
    if len(devices) > 1:
        raise Refused("refund.two-devices", devices=", ".join(devices))
    jobs = _jobs(ctx, DeviceId(devices[0]), pieces)
    row = ctx.tx.get("job", unused_job) if unused_job else None
    if row is not None and row.body["state"] not in (mailroom.EVIDENCED, mailroom.CLAIMED):
        raise Refused("refund.job-handed-over", job=unused_job, state=row.body["state"])
    digest = hashlib.sha256("".join(sorted(piece.key for piece in pieces)).encode()).hexdigest()
    same = ctx.tx.get("refund-of", digest)
    held = ctx.tx.get("refund", same.body["refund"]) if same is not None else None
    if held is not None and held.body["state"] != REFUSED:
        return held
    _check_paper(ctx, jobs, pieces)
    _withhold(ctx, jobs)
    of = {"refund": refund}
    ctx.tx.put("refund-of", digest, of, owner=ctx.party, expected=same.version if same else 0)
    body = {
        "state": BEGUN,
        "device": devices[0],
        "jobs": jobs,
        "pieces": [piece.payload.hex() for piece in pieces],
        "total": int(total_of(groups_of(pieces))),
        "claimed_by": ctx.actor,
    }
    return ctx.tx.put("refund", refund, body, owner=ctx.party, expected=0)


def _jobs(ctx: Context, device: DeviceId, pieces: tuple[Unused, ...]) -> dict[str, list[int]]:
    """Give the print jobs of the pieces, each with its numbers on the form."""
    made = {indicium: row.key for row in ctx.tx.find("job", owner=device) for indicium in row.body.get("indicia", ())}
    jobs: dict[str, list[int]] = {}
    for piece in pieces:
        job = made.get(piece.payload.hex())
        if job is None:
            raise Refused("refund.not-ours", piece=piece.number)
        jobs.setdefault(job, []).append(piece.number)
    return jobs


def _check_paper(ctx: Context, jobs: Mapping[str, list[int]], pieces: tuple[Unused, ...]) -> None:
    """Check that no other copy of a piece is under way or was printed since: it could be mailed besides."""
    for job, numbers in jobs.items():
        row = ctx.tx.get("job", job)
        assert row is not None
        whole = row.body["indicia"]
        if row.body["state"] == mailroom.EVIDENCED and len(numbers) < len(whole):
            raise Refused("refund.part-of-job", job=job, count=len(whole))
        for number in numbers:
            place = whole.index(pieces[number - 1].payload.hex()) + 1
            standing = spool.copy_of(ctx.tx, job=job, piece=place)
            if standing is not None:
                entry, state = standing.body["number"], spool.standing_of(standing)
                raise Refused("refund.printed-again", piece=number, entry=entry, state=state, place=place)


@cites("502.27a/2")
def not_claimed(view: Transaction, *, job: str, pieces: Iterable[int]) -> None:
    """Refuse to print pieces of a job (their numbers from 1) again that were sent in for a refund.

    Raises `Refused` (refund.claimed).
    """
    row = view.get("job", job)
    assert row is not None
    wanted = {row.body["indicia"][piece - 1]: piece for piece in pieces}
    for held in view.find("refund", states=(BEGUN, CLAIMED, CREDITED)):
        for mark in held.body["pieces"] if job in held.body["jobs"] else ():
            if mark in wanted:
                raise Refused("refund.claimed", piece=wanted[mark], job=job, refund=held.key)


def _withhold(ctx: Context, jobs: Mapping[str, list[int]], *, back: bool = False) -> None:
    """Hand a job of which all is on the form over to nobody: it was never printed, or (`back`) it may be again."""
    state, then = (mailroom.CLAIMED, mailroom.EVIDENCED) if back else (mailroom.EVIDENCED, mailroom.CLAIMED)
    for job, numbers in jobs.items():
        row = ctx.tx.get("job", job)
        if row is not None and row.body["state"] == state and len(numbers) == len(row.body["indicia"]):
            ctx.tx.put("job", job, {**row.body, "state": then}, owner=row.owner, expected=row.version)


@cites("502.27a/2", "P050-3.3b/2", "PRE-19/1")
def claim(ctx: Context, *, refund: str) -> Steps:
    """Send the form and the pieces to the Provider; give its statement."""
    held = held_refund(ctx, refund)
    pieces = unused(bytes.fromhex(piece) for piece in held.body["pieces"])
    groups = groups_of(pieces)
    device = DeviceId(held.body["device"])
    form = RefundApplication(
        refund=refund,
        device=device,
        pieces=tuple(piece.payload for piece in pieces),
        groups=groups,
        total=total_of(groups),
        claimed_by=held.body["claimed_by"],
    )
    answer = yield Ask(held_device(ctx, device).body["provider"], form, f"refund {refund}")
    told = answer.body
    assert isinstance(told, RefundStatement)
    held = held_refund(ctx, refund)
    if held.body["state"] == BEGUN:
        _write(ctx, held, state=CLAIMED)
        values = {piece.number: piece.value for piece in pieces}
        for job, numbers in sorted(held.body["jobs"].items()):
            total = sum((values[number] for number in numbers), Mills(0))
            note: dict[str, Any] = {"refund": refund, "device": device, "count": len(numbers), "total": int(total)}
            ctx.note("refund.claimed", job, clauses=("502.27(a)(1)",), **note)
    return told


@cites("502.27a")
def follow(ctx: Context, *, refund: str) -> Steps:
    """Ask the Provider how a refund stands, and write its end down; give the Provider's statement."""
    held = held_refund(ctx, refund)
    provider = held_device(ctx, DeviceId(held.body["device"])).body["provider"]
    answer = yield Ask(provider, RefundQuery(refund=refund), f"status {refund} {RequestId.new(ctx.randomness)}")
    told = answer.body
    assert isinstance(told, RefundStatement)
    held = held_refund(ctx, refund)
    if told.state in (CREDITED, REFUSED) and held.body["state"] == CLAIMED:
        _write(ctx, held, state=told.state)
        if told.state == REFUSED:
            _withhold(ctx, held.body["jobs"], back=True)
        ctx.note(f"refund.{told.state}", refund, clauses=("502.27(a)(6)",), amount=int(told.amount))
    return told


def held_refund(ctx: Context, refund: str) -> Record:
    """Give the record of a refund. Raises `Refused` (refund.unknown)."""
    held = ctx.tx.get("refund", refund)
    if held is None:
        raise Refused("refund.unknown", refund=refund[:40])
    return held


def _write(ctx: Context, held: Record, **values: Any) -> None:
    ctx.tx.put("refund", held.key, {**held.body, **values}, owner=held.owner, expected=held.version)
