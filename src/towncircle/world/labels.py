"""Label stocks as one walks them in a world: approving, publishing the register, and taking it before a print.

Here: the file on the board and the two ends of it. Not here: who may approve (`postal.labels`), what is refused
(`licensee.labels`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from towncircle.kernel.context import Context
from towncircle.kernel.ids import MessageId
from towncircle.kernel.store import Record
from towncircle.licensee import labels as host
from towncircle.licensee.looks import Look
from towncircle.mailpiece import sheets
from towncircle.postal import labels
from towncircle.wire.bodies.labels import LabelRegister
from towncircle.wire.message import body_of, peek, seal
from towncircle.world import notices
from towncircle.world.config import POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.supervising import at_postal, by_officer
from towncircle.world.world import World

REGISTER = "published/label-stocks.cose"
AUDIENCE = "licensees"


def approve(world: World, *, stock: str, form: str, reference: str, by: str = labels.MANAGER) -> Record:
    """Approve a label stock and publish the register. Raises what `postal.labels.approve` raises."""
    job = partial(labels.approve, stock=stock, form_key=form, reference=reference)
    return _changed(world, job, by, act="labels approve")


def withdraw(world: World, *, stock: str, reasons: str, by: str = labels.MANAGER) -> Record:
    """Withdraw a label stock and publish the register. Raises what `postal.labels.withdraw` raises."""
    job = partial(labels.withdraw, stock=stock, reasons=reasons)
    return _changed(world, job, by, act="labels withdraw")


def _changed(world: World, job: Callable[[Context], Record], by: str, *, act: str) -> Record:
    renew(world)  # what a crash left unpublished
    row: Record = by_officer(world, job, by=by, act=act)
    renew(world)
    return row


def renew(world: World) -> None:
    """Publish the register where the one on the board is not what stands in it now, or is half used up.

    Does nothing where the Postal Service is not at home, or has approved no stock yet.
    """
    if POSTAL not in world.desks:
        return
    with world.store(POSTAL).reading() as view:
        rows = labels.rows(view)
    if not rows:
        return
    path = world.folder / REGISTER
    if path.exists():
        raw = path.read_bytes()
        shown, half = body_of(raw), peek(raw).issued.plus(hours=24 * labels.NEXT_UPDATE_DAYS // 2)
        if isinstance(shown, LabelRegister) and shown.stocks == rows and world.clock.now() < half:
            return
    _publish(world)


def _publish(world: World) -> None:
    """Put the register on the board, signed by the Postal Service."""
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
    """Make ready for a new job: take the register and what is new of its branch, give the look with its stock's form.

    Before anything is planned, because a page that no sheet holds would be found out after the debit. Raises `BadInput`
    (page.no-such-place, and what `sheets.stock` raises) and what `unseal` raises.
    """
    if look.stock:
        held = sheets.stock(look.stock)
        sheets.check_start(held, look.start)
        look = replace(look, form=look.form or held.form.key)
    refresh(journeys)
    if look.place == "branch":
        notices.fetch_from(journeys.world, journeys.licensee, POSTAL)
    return look


def refresh(journeys: Journeys) -> None:
    """Take the register that is on the board, where there is one that is not known. Raises what `unseal` raises."""
    renew(journeys.world)
    path = journeys.world.folder / REGISTER
    if not path.exists():
        return
    raw = path.read_bytes()
    with journeys.world.store(journeys.licensee).reading() as view:
        known = host.number_held(view)
    if peek(raw).counter > known:
        journeys.do(lambda ctx: host.take(ctx, ctx.unseal(raw, AUDIENCE, None)))
