"""What a host takes with each connection: rate tables, and the order of a software update for its device (IMI-02).

Here: asking the Provider, keeping what came, handing an order to the device, carrying its word back. Not here: prices
(`rates`), the device's own checks (`psd.software`).
Kept: nothing is taken while a job is open; what is kept is kept before the next step, so that after a kill the next
connection goes on where this one ended; an order is handed in until the device has answered it.
"""

from __future__ import annotations

import base64
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Carry, Context, Exchange, Steps
from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.ids import DeviceId, MessageId
from towncircle.licensee import promises, rates
from towncircle.licensee.funds import held_device, raise_refusal
from towncircle.licensee.mailroom import OPEN
from towncircle.psd.client import DeviceClient
from towncircle.psd.commands import Done
from towncircle.psd.states import AUTHORISED, IN_SERVICE, LOCKED
from towncircle.wire.bodies import BuildApproval, DownloadQuery, Downloads, DownloadsTaken, SoftwareUpdate
from towncircle.wire.message import body_of

HOSTS = "hosts"
WAITING, TAKEN, REFUSED = "waiting", "taken", "refused"
_NEW: dict[str, Any] = {"rates": 0, "order": "", "state": "", "told": [], "log": []}
_SPEAKING = (AUTHORISED, IN_SERVICE, LOCKED)


@cites("IMI-03/2", "IMI-03/1")
def not_in_a_batch(ctx: Context) -> None:
    """Take nothing while a print job or a batch of them is open. Raises `Refused` (updates.batch-open)."""
    jobs = [row.key for row in (*ctx.tx.find("job", states=OPEN), *ctx.tx.find("batch", states=(promises.RESERVED,)))]
    if jobs:
        raise Refused("updates.batch-open", jobs=", ".join(jobs))


@cites("IMI-02", "IMI-02/3")
def fetch(ctx: Context, *, device: DeviceId) -> Steps:
    """Ask the Provider what the device and this host are to have, and keep it; tell whether more may wait."""
    not_in_a_batch(ctx)
    provider = str(held_device(ctx, device).body["provider"])
    held = ctx.tx.get("downloads", device)
    last = int(held.body["rates"]) if held is not None else 0
    status = yield Exchange(device, lambda client: client.status())
    version = max(status.software_version, status.software_next)
    question = DownloadQuery(device=device, rates=last, software=version)
    answer = yield Ask(provider, question, f"downloads of {device} {MessageId.new(ctx.randomness)}")
    told = answer.body
    assert isinstance(told, Downloads)
    not_in_a_batch(ctx)
    number = last
    for raw in told.rates:
        number = max(number, rates.take(ctx, ctx.unseal(raw, HOSTS, answer.envelope), provider=provider))
    held = ctx.tx.get("downloads", device)
    body: dict[str, Any] = dict(held.body) if held is not None else {**_NEW}
    if told.update:
        body |= {"order": base64.b64encode(told.update).decode(), "state": WAITING}
    if number > body["rates"]:
        body["rates"] = number
        ctx.send(provider, DownloadsTaken(device=device, rates=number), key=f"downloads taken {device} {number}")
    if told.update or told.rates:
        ctx.tx.put("downloads", device, body, owner=provider, expected=held.version if held else 0)
    return bool(told.rates)


@cites("IMI-03/1", "IMI-02/3")
def install(ctx: Context, *, device: DeviceId) -> Steps:
    """Hand the device the order that waits, and write down what it said; a refusal of its own ends the order."""
    held = ctx.tx.get("downloads", device)
    if held is None or held.body["state"] != WAITING:
        return ""
    not_in_a_batch(ctx)
    order = base64.b64decode(held.body["order"])
    status = yield Exchange(device, lambda client: client.status())
    if _version(order) in (status.software_version, status.software_next):  # taken just before this host died
        answer: Done | Refused = Done(state=status.state, sentence="The device has taken this version before.")
    else:
        answer = yield Exchange(device, lambda client: _handed_in(client, order))
    if isinstance(answer, Refused):
        ctx.note("software.refused", device, clauses=(answer.clause,), code=answer.code)
        ctx.tx.put("downloads", device, {**held.body, "state": REFUSED}, owner=held.owner, expected=held.version)
        return answer.sentence
    version, changes = _news(order)
    ctx.note("software.taken", device, clauses=("IMI-03",), provider=held.owner, version=version)
    log = [*held.body["log"], [version, changes]]
    body = {**held.body, "state": TAKEN, "log": log}
    ctx.tx.put("downloads", device, body, owner=held.owner, expected=held.version)
    return answer.sentence


def _handed_in(client: DeviceClient, order: bytes) -> Done | Refused:
    """Hand an order to the device; give its answer, or its refusal where that is about the order itself."""
    try:
        return client.update(order)
    except Refused as refusal:
        if refusal.code.startswith(("psd.version", "psd.approval", "wire.expired")):
            return refusal
        raise


@cites("IMI-03/1", "IMI-02/3")
def tell(ctx: Context, *, device: DeviceId) -> Steps:
    """Carry the device's signed word on its software to the Provider, where it differs from what was told last."""
    row, held = held_device(ctx, device), ctx.tx.get("downloads", device)
    status = yield Exchange(device, lambda client: client.status())
    now = [status.software_version, status.software_next]
    if held is None or held.body["told"] == now or status.state not in _SPEAKING:
        return None
    report = yield Exchange(device, lambda client: client.software())
    reply = yield Carry(row.body["provider"], report.message)
    raise_refusal(ctx, reply, device)
    held = ctx.tx.get("downloads", device)
    assert held is not None
    ctx.tx.put("downloads", device, {**held.body, "told": now}, owner=held.owner, expected=held.version)
    return None


def _version(order: bytes) -> int | None:
    """Read which version an order is for, before anybody has checked it; None where it cannot be read."""
    try:
        update = body_of(order)
    except TowncircleError:
        return None
    return update.version if isinstance(update, SoftwareUpdate) else None


def _news(order: bytes) -> tuple[int, str]:
    """Give version and change log of an order that the device has checked and taken."""
    update = body_of(order)
    assert isinstance(update, SoftwareUpdate)
    approval = body_of(update.approval)
    assert isinstance(approval, BuildApproval)
    return update.version, approval.changes
