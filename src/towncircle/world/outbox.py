"""The outbox of a party: what it asks and tells others, persisted before it is sent.

Here: putting, asking, delivering, renewing. Not here: sealing (`world.sealing`), deciding (`world.desk`).
Kept: a message is sent again, byte for byte, until its receiver has decided about it (house.md 4). Only a decision ends
it: a signed answer to this very message, by the one it was sent to, that is no word about the way it came (a damaged
copy, a busy store, a report that came before its forerunner). Everything else leaves it waiting.
"""

from __future__ import annotations

import base64
import heapq
import threading
from collections.abc import Mapping
from typing import Any

from towncircle.kernel.errors import BrokenInvariant, Refused, RelayedRefusal, TowncircleError
from towncircle.kernel.ids import MessageId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Transaction
from towncircle.transport import Transport
from towncircle.wire.bodies import RefusedReply
from towncircle.wire.message import MESSAGE_LIFE_HOURS, Opened
from towncircle.wire.shape import Body
from towncircle.world.sealing import ANYONE, Sealer

_OVER = ("refused", "delivered")  # answered ones are kept and given again
# words about the way a message came, not about what it says
ON_THE_WAY = ("wire.", "storage.", "store.", "desk.", "kernel.", "transport.")
_OUT_OF_ORDER = ("postal.report-out-of-order", "provider.report-gap")
_HALTS = ("transport.unreachable", *_OUT_OF_ORDER)


class Outbox:
    """Send a party's messages."""

    def __init__(self, sealer: Sealer, transport: Transport) -> None:
        self._sealer = sealer
        self._store = sealer.store
        self.transport = transport
        self._delivering = threading.Lock()
        self._deliverer = 0
        self._more = False

    def put(self, tx: Transaction, audience: str, body: Body, key: str, now: Instant, *, again: bool = False) -> None:
        """Put a message into the outbox, once under its key."""
        row = tx.get("outgoing", key)
        if not again and row is not None and row.body["state"] not in _OVER and not _stale(row.body, now):
            return
        message_id = MessageId.new(self._sealer.randomness)
        raw = self._sealer.seal_in(tx, audience, body, now=now, message_id=message_id)
        held = {
            "id": message_id,
            "audience": audience,
            "raw": base64.b64encode(raw).decode(),
            "state": "waiting",
            "order": row.body["order"] if row is not None and again else tx.next_number("outgoing"),
            "since": row.body["since"] if row is not None and row.body["state"] == "waiting" else int(now),
            "expires": int(now.plus(hours=MESSAGE_LIFE_HOURS)),
        }
        tx.put("outgoing", key, held, owner="waiting", expected=row.version if row else 0)

    def ask(self, audience: str, body: Body, *, key: str) -> Opened:
        """Ask another party and give its answer; a key that was answered gives that answer again.

        Raises the other party's refusal in its own words (`RelayedRefusal`).
        """
        now = self._sealer.clock.now()
        with self._store.transaction() as tx:
            row = tx.get("outgoing", key)
            if row is None or row.body["state"] in _OVER or _stale(row.body, now):
                self.put(tx, audience, body, key, now)
        return self._deliver_one(key)

    def refused(self, view: Transaction, key: str) -> RelayedRefusal | None:
        """Give the refusal that ended a message, in the other party's words, or None."""
        row = view.get("outgoing", key)
        if row is None or row.body["state"] != "refused":
            return None
        body = self._sealer.open(base64.b64decode(row.body["reply"])).body
        assert isinstance(body, RefusedReply)
        return relayed(body)

    def deliver(self, *, wait: bool = True) -> None:
        """Send what waits, in order.

        Behind a message that found nobody, or that came before its forerunner, others to the same party wait too; they
        are not even read, so that a party that nobody can reach makes no command slower.
        Threads deliver one after the other: a second one would send what came later before what came first. Who comes
        while a delivery is under way waits for it; with `wait` off, or where that delivery waits for oneself (it told
        another party something, and the answer comes with news for this one), the one under way sends the rest.
        """
        tried: set[str] = set()
        halted: set[str] = set()
        again = True
        while again:
            self._more = True
            own = self._deliverer == threading.get_ident()
            if own or not self._delivering.acquire(blocking=wait):
                return
            try:
                self._deliverer = threading.get_ident()
                while self._more:
                    self._more = False
                    self._deliver_all(tried, halted)
            finally:
                self._deliverer = 0
                self._delivering.release()
            again = self._more

    def _deliver_all(self, tried: set[str], halted: set[str]) -> None:
        with self._store.reading() as view:
            names = view.audiences()
        firsts = [first for name in names if name not in halted for first in self._first(name, 0, tried)]
        heapq.heapify(firsts)
        while firsts:
            order, key, audience = firsts[0]
            tried.add(key)
            try:
                self._deliver_late(key)
            except TowncircleError as error:
                if error.code in _HALTS:
                    halted.add(audience)
            following = () if audience in halted else self._first(audience, order, tried)
            heapq.heappop(firsts)
            for first in following:
                heapq.heappush(firsts, first)

    def _first(self, audience: str, after: int, tried: set[str]) -> tuple[tuple[int, str, str], ...]:
        """Give the order, key and audience of the first message that waits for somebody and was not tried, if any."""
        with self._store.reading() as view:
            row = view.waiting(audience, after=after)
            while row is not None and row.key in tried:
                row = view.waiting(audience, after=int(row.body["order"]))
        return () if row is None else ((int(row.body["order"]), row.key, audience),)

    def _deliver_late(self, key: str) -> None:
        """Deliver a message that may have waited past its time.

        It goes out as it is: the receiver then says whether it had it before (wire.replayed: it is delivered, and only
        the answer was lost) or never (wire.expired: the same content is sealed anew). So nothing is lost or done twice.
        """
        try:
            self._deliver_one(key)
        except RelayedRefusal as told:
            if told.code == "wire.expired":
                self._renew(key)
                self._deliver_one(key)
            elif told.code != "wire.replayed":
                raise

    def _renew(self, key: str) -> None:
        with self._store.transaction() as tx:
            row = tx.get("outgoing", key)
            if row is not None and row.body["state"] == "waiting":
                audience, raw = row.body["audience"], base64.b64decode(row.body["raw"])
                body = self._sealer.open(raw, audience=audience).body
                self.put(tx, audience, body, key, self._sealer.clock.now(), again=True)

    def _deliver_one(self, key: str) -> Opened:
        with self._store.reading() as view:
            row = view.get("outgoing", key)
        if row is None:
            raise BrokenInvariant("desk.no-answer", message=key)
        audience, raw = row.body["audience"], base64.b64decode(row.body["raw"])
        if row.body["state"] == "answered":
            return self._sealer.open(base64.b64decode(row.body["reply"]))
        reply = self.transport.send(audience, raw)
        now = self._sealer.clock.now()
        opened = self._sealer.open_reply(reply)
        if opened.envelope.sender != audience or opened.envelope.in_reply_to not in ("", row.body["id"]):
            raise Refused("desk.wrong-reply", message=row.body["id"])
        state = _state_after(opened, row.body, now)
        if state != "waiting":
            self._settle(key, row.body["id"], state, reply, now)
        if isinstance(opened.body, RefusedReply):
            raise relayed(opened.body)
        return opened

    def _settle(self, key: str, message_id: str, state: str, reply: bytes, now: Instant) -> None:
        with self._store.transaction() as tx:
            held = tx.get("outgoing", key)
            if held is not None and held.body["state"] == "waiting" and held.body["id"] == message_id:
                text = base64.b64encode(reply).decode()
                done = {**held.body, "state": state, "reply": text, "answered_at": int(now)}
                tx.put("outgoing", key, done, owner=state, expected=held.version)


def _stale(body: Mapping[str, Any], now: Instant) -> bool:
    return bool(body["state"] == "waiting" and body["expires"] <= now)


def _state_after(opened: Opened, row: Mapping[str, Any], now: Instant) -> str:
    reply, envelope = opened.body, opened.envelope
    if envelope.in_reply_to != row["id"] or envelope.audience == ANYONE:
        return "waiting"  # it could be the refusal of another message, or an old one played back
    if not isinstance(reply, RefusedReply):
        return "answered"
    if reply.code == "wire.replayed" and now > Instant(row["expires"]):
        return "delivered"
    return "waiting" if reply.code.startswith(ON_THE_WAY) or reply.code in _OUT_OF_ORDER else "refused"


def relayed(body: RefusedReply) -> RelayedRefusal:
    """Turn another party's refusal into an error that says it in its own words."""
    record: dict[str, object] = {
        "code": body.code,
        "sentence": body.sentence,
        "clause": body.clause,
        "next_step": body.next_step,
    }
    if body.grounds:
        record["grounds"] = [{"code": g.code, "sentence": g.sentence, "clause": g.clause} for g in body.grounds]
    return RelayedRefusal(record)
