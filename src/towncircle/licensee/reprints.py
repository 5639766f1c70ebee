"""Reprints: the same indicium on paper once more, counted by the device before it leaves.

Here: asking the device for the bytes of pieces that it evidenced, and the record of it. Not here: pages (`envelopes`).
Kept: a reprint is the same bytes and debits nothing; the device counts it first and tells the count in its signed
audit, so the Provider sees it. What stands with a printer and did not spoil, or was sent in for a refund, is not
printed again; a copy in files is an entry of the spool, so it bars a refund until somebody says that it spoiled. After
a crash the device may only count more than was written down.
"""

from __future__ import annotations

from collections.abc import Sequence

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context, Exchange, Steps
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.store import Record
from towncircle.licensee import advertising, spool
from towncircle.licensee.corrections import places
from towncircle.licensee.mailroom import EVIDENCED, PRINTED, numbers_of
from towncircle.licensee.refunds import not_claimed
from towncircle.psd.commands import Reprinted


@cites("502.8b")
def reprint(ctx: Context, *, job: JobId, pieces: Sequence[int] = (), into_files: bool = False) -> Steps:
    """Have the device count a reprint of pieces of a job (none: all); give a record that holds just those pieces.

    `into_files`: they go to no printer, and their entry of the spool (`entry`) is written in the same transaction.
    """
    row = ctx.tx.get("job", job)
    if row is None:
        raise Refused("mailroom.no-such-job", job=job[:40])
    if row.body["state"] not in (EVIDENCED, PRINTED) or not row.body["indicia"]:
        raise Refused("mailroom.no-indicium", job=job, state=row.body["state"])
    chosen = places(row, pieces)
    advertising.check_job(ctx, row.body)
    numbers = [place + 1 for place in chosen]
    spool.may_print_again(ctx.tx, job=job, pieces=numbers)
    not_claimed(ctx.tx, job=job, pieces=numbers)
    done: Reprinted = yield Exchange(DeviceId(row.body["device"]), lambda client: client.reprint(job, chosen))
    spool.may_print_again(ctx.tx, job=job, pieces=numbers)  # what happened while the device counted
    not_claimed(ctx.tx, job=job, pieces=numbers)
    row = ctx.tx.get("job", job)
    assert row is not None
    ctx.note("print.reprinted", job, device=row.body["device"], of=job, count=len(chosen), reprints=done.reprints)
    counted = row.body.get("reprints", 0) + len(chosen)
    kept = ctx.tx.put("job", job, {**row.body, "reprints": counted}, owner=row.owner, expected=row.version)
    counts, where = numbers_of(kept.body), {}
    if into_files:
        where = {"entry": spool.into_files(ctx, job=kept, pieces=numbers).body["number"]}
    body = {
        **kept.body,
        "pieces": [kept.body["pieces"][place] for place in chosen],
        "indicia": [indicium.hex() for indicium in done.indicia],
        "device_reprints": done.reprints,
        "numbers": [counts[place] for place in chosen],
        **where,
    }
    return Record(kind=kept.kind, key=kept.key, owner=kept.owner, version=kept.version, body=body)
