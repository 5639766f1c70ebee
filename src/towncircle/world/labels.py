"""Label stocks as one walks them in a world: approving, publishing the register, and taking it before a print.

Here: the file on the board and the two ends of it. Not here: who may approve (`postal.labels`), what is refused
(`licensee.labels`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from towncircle.kernel.context import Context
from towncircle.kernel.ids import MessageId
from towncircle.kernel.store import Record
from towncircle.licensee import labels as host
from towncircle.licensee.looks import Look
from towncircle.mailpiece import sheets
from towncircle.postal import labels
from towncircle.wire.message import peek, seal
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.supervising import at_postal
from towncircle.world.world import World

REGISTER = "published/label-stocks.cose"
AUDIENCE = "licensees"


def approve(world: World, *, stock: str, form: str, reference: str, by: str = labels.MANAGER) -> Record:
    """Approve a label stock and publish the register. Raises what `postal.labels.approve` raises."""
    return _changed(world, lambda ctx: labels.approve(ctx, stock=stock, form_key=form, reference=reference), by)


def withdraw(world: World, *, stock: str, reasons: str, by: str = labels.MANAGER) -> Record:
    """Withdraw a label stock and publish the register. Raises what `postal.labels.withdraw` raises."""
    return _changed(world, lambda ctx: labels.withdraw(ctx, stock=stock, reasons=reasons), by)


def _changed(world: World, job: Callable[[Context], Record], by: str) -> Record:
    row: Record = at_postal(world, job, by=by)
    publish(world)
    return row


def publish(world: World) -> None:
    """Put the register on the board, signed by the Postal Service; also after a crash that came before it."""
    body = at_postal(world, lambda ctx: labels.register(ctx, test=True))
    raw = seal(
        sender=POSTAL,
        audience=AUDIENCE,
        id=MessageId.new(world.desk(POSTAL).randomness),
        issued=body.issued,
        expires=body.issued.plus(hours=24 * labels.NEXT_UPDATE_DAYS),
        counter=body.number,
        body=body,
        signer=world.cabinet.key(POSTAL),
    )
    with world.board.alone():  # not before: what the Postal Service commits is published under the same lock
        held = world.folder / REGISTER
        if not held.exists() or peek(held.read_bytes()).counter < body.number:
            world.board.put(REGISTER, raw)


def loaded(journeys: Journeys, look: Look) -> Look:
    """Make ready for a new job: take the register, and give the look with the form of its stock.

    Before anything is planned, because a page that no sheet holds would be found out after the debit. Raises `BadInput`
    (page.no-such-place, and what `sheets.stock` raises) and what `unseal` raises.
    """
    if look.stock:
        held = sheets.stock(look.stock)
        sheets.check_start(held, look.start)
        look = replace(look, form=look.form or held.form.key)
    refresh(journeys)
    return look


def refresh(journeys: Journeys) -> None:
    """Take the register that is on the board, where there is one. Raises what `unseal` raises."""
    path = journeys.world.folder / REGISTER
    if path.exists():
        raw = path.read_bytes()
        journeys.do(lambda ctx: host.take(ctx, ctx.unseal(raw, AUDIENCE, None)))
