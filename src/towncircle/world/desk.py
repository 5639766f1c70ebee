"""The desk of a party: its door for sealed messages, and the shell around what it decides.

Here: receive, perform, ask, deliver. Not here: decisions (the party rooms) and bytes on the way (`transport/`).
Kept: one command, one transaction, one audit record; a retried message gets the first answer; a message is persisted
before it is sent and sent again, byte for byte, until it is answered (house.md 4).

The order of `receive`, each step with its own refusal:
1. the size, the sender, the signature, the audience, the type (`wire.message.open_untimed`);
2. seen before? then the first answer, or a refusal as replay or conflict (`wire.inbox.admit`); and its dates;
3. the handler of the message's type decides; writes, facts, answer and outgoing messages are one commit;
4. only after the commit a byte leaves.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from towncircle.kernel.context import Ask, Carry, Context, Exchange, Question, Reserve, Seal
from towncircle.kernel.errors import BrokenInvariant, Refused, RefusedOnGrounds, RelayedRefusal, TowncircleError
from towncircle.kernel.ids import DeviceId, MessageId
from towncircle.kernel.instants import Clock, Instant
from towncircle.kernel.randomness import Randomness
from towncircle.kernel.store import Store, Transaction
from towncircle.pki.keys import Signer
from towncircle.psd.client import DeviceClient
from towncircle.transport import MAX_MESSAGE, Transport
from towncircle.wire.bodies import RefusedReply
from towncircle.wire.bodies.common import Ground
from towncircle.wire.inbox import Conflict, admit, keep
from towncircle.wire.message import KeyDirectory, Opened, check_key_now, check_times, open_untimed, peek, seal, unseal
from towncircle.wire.shape import Body

MESSAGE_LIFE_HOURS = 24
ANYONE = "anyone"
# a question in such a state may be asked anew: it was refused, or its answer was lost and is too old to be repeated
_OVER = ("refused", "delivered")

Handler = Callable[[Context, Opened], Any]


class Bench(Protocol):
    """Give access to the devices that are in a party's hands."""

    def client(self, device: DeviceId) -> AbstractContextManager[DeviceClient]:
        """Open a device for one exchange or more."""
        ...


class _UndoError(Exception):
    """Ends a transaction whose writes must not stay: the handler asked a question in it."""


class Desk:
    """Answer for one party."""

    def __init__(  # noqa: PLR0913 - the composition root names every part
        self,
        party: str,
        *,
        store: Store,
        signer: Signer,
        directory: KeyDirectory,
        clock: Clock,
        randomness: Randomness,
        transport: Transport,
        rule_digest: str,
        handlers: Mapping[type, Handler],
        bench: Bench | None = None,
        after: Callable[[], None] | None = None,
    ) -> None:
        self.party = party
        self.store = store
        self.clock = clock
        self._signer = signer
        self._directory = directory
        self.randomness = randomness
        self._transport = transport
        self._rule_digest = rule_digest
        self._handlers = handlers
        self._bench = bench
        self._after = after
        self._lock = threading.RLock()

    def receive(self, raw: bytes) -> bytes:
        """Take a sealed message and give the sealed answer; every refusal is an answer too."""
        now = self.clock.now()
        try:
            opened = open_untimed(raw, audience=self.party, directory=self._directory, limit=MAX_MESSAGE)
        except TowncircleError as error:
            return self._sealed(ANYONE, refusal(error), in_reply_to="", now=now)
        try:
            with self._lock, self.store.transaction() as tx:
                known = admit(tx, opened, now)
            check_times(opened.envelope, now)
            if known is None:
                check_key_now(opened, now, self._directory)
                self._decide(opened, now)
        except TowncircleError as error:
            told = self._conflicting(opened, now) if error.code == "wire.conflict" else None
            return self._sealed(opened.envelope.sender, refusal(told or error), in_reply_to=opened.envelope.id, now=now)
        self._afterwards()
        with self._lock, self.store.reading() as tx:
            kept = tx.received(opened.envelope.id)
        if kept is None:
            raise BrokenInvariant("desk.no-answer", message=opened.envelope.id)
        return kept.reply

    def _conflicting(self, opened: Opened, now: Instant) -> TowncircleError | None:
        handler, envelope = self._handlers.get(Conflict), opened.envelope
        if handler is None:
            return None
        told: TowncircleError | None = self._run(
            lambda context: handler(context, opened), envelope.sender, envelope.id, now, lambda _context, _result: None
        )
        return told

    def _decide(self, opened: Opened, now: Instant) -> None:
        handler = self._handlers.get(type(opened.body))
        envelope = opened.envelope
        if handler is None:
            raise Refused("desk.not-for-me", party=self.party, type=type(opened.body).__name__)

        def finish(context: Context, body: Body) -> None:
            # a kept answer is given again as long as the question may be asked again, so it stays good as long
            good_until = max(envelope.expires, now.plus(hours=MESSAGE_LIFE_HOURS))
            reply = self._seal_in(
                context.tx, envelope.sender, body, in_reply_to=envelope.id, now=now, expires=good_until
            )
            keep(context.tx, opened, reply)

        self._run(lambda context: handler(context, opened), envelope.sender, envelope.id, now, finish)

    def perform(self, job: Callable[[Context], Any], *, actor: str, request_id: str = "", quiet: bool = False) -> Any:
        """Do a command of this party's own staff; give its result. A quiet one has no afterwards."""
        result = self._run(job, actor, request_id, self.clock.now(), lambda _context, _result: None)
        if not quiet:
            self._afterwards()
        return result

    def _afterwards(self) -> None:
        self.deliver()
        if self._after is not None:
            self._after()

    def _run(
        self,
        job: Callable[[Context], Any],
        actor: str,
        request_id: str,
        now: Instant,
        finish: Callable[[Context, Any], None],
    ) -> Any:
        steps: Generator[Any, Any, Any] | None = None
        context: Context | None = None
        answer: Any = None
        while True:
            question: Any = None
            try:
                with self._lock, self.store.transaction() as tx:
                    if context is None:
                        context = self._context(tx, now, actor, request_id)
                    context.tx = tx
                    context.sent.clear()
                    if steps is None:
                        result = job(context)
                        if isinstance(result, Generator):
                            steps = result
                    if steps is not None:
                        try:
                            question = steps.send(answer)
                            raise _UndoError
                        except StopIteration as done:
                            result = done.value
                    for audience, body, key in context.sent:
                        assert isinstance(body, Body)
                        self._put_outgoing(tx, audience, body, key, now)
                    finish(context, result)
                    return result
            except _UndoError:
                answer = self._answer(question, now)

    def _context(self, tx: Transaction, now: Instant, actor: str, request_id: str) -> Context:
        def enclosed(raw: bytes, audience: str) -> Opened:
            # what is enclosed may have been sealed after this command began: its time is judged by the clock
            return open_addressed(raw, audience, self.clock.now(), self._directory)

        return Context(
            tx=tx,
            now=now,
            party=self.party,
            actor=actor,
            randomness=self.randomness,
            rule_digest=self._rule_digest,
            request_id=request_id,
            unseal=enclosed,
        )

    def _answer(self, question: Question, now: Instant) -> Any:
        match question:
            case Ask(audience, body, key):
                assert isinstance(body, Body)
                return self.ask(audience, body, key=key)
            case Exchange(device, call):
                if self._bench is None:
                    raise BrokenInvariant("desk.no-bench", party=self.party)
                with self._bench.client(device) as client:
                    return call(client)
            case Carry(audience, raw):
                return self._transport.send(audience, raw)
            case Seal(audience, body, in_reply_to, key):
                assert isinstance(body, Body)
                return self._sealed(audience, body, in_reply_to=in_reply_to, now=now, key=key)
            case Reserve(series, key):
                return self._reserved(series, key)

    def _reserved(self, series: str, key: str) -> int:
        with self._lock, self.store.transaction() as tx:
            row = tx.get("reserved", key)
            if row is None:
                row = tx.put("reserved", key, {"number": tx.next_number(series)}, owner=series, expected=0)
            return int(row.body["number"])

    def ask(self, audience: str, body: Body, *, key: str) -> Opened:
        """Ask another party and give its answer; a key that was answered gives that answer again.

        Raises the other party's refusal in its own words (`RelayedRefusal`).
        """
        now = self.clock.now()
        with self._lock, self.store.transaction() as tx:
            row = tx.get("outgoing", key)
            if row is None or row.body["state"] in _OVER or self._stale(row.body, now):
                self._put_outgoing(tx, audience, body, key, now)
        return self._deliver_one(key)

    def deliver(self) -> list[str]:
        """Send what waits in the outbox; give the keys that could not be delivered."""
        with self._lock, self.store.transaction() as tx:
            rows = sorted(tx.find("outgoing", owner="waiting"), key=lambda row: int(row.body["order"]))
        failed: list[str] = []
        silent: set[str] = set()
        for row in rows:
            if row.body["audience"] in silent:
                failed.append(row.key)
                continue
            try:
                self._deliver_late(row.key)
            except TowncircleError:
                failed.append(row.key)
                silent.add(row.body["audience"])
        return failed

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
        with self._lock, self.store.transaction() as tx:
            row = tx.get("outgoing", key)
            if row is not None and row.body["state"] == "waiting":
                audience, raw = row.body["audience"], base64.b64decode(row.body["raw"])
                body = open_untimed(raw, audience=audience, directory=self._directory, limit=MAX_MESSAGE).body
                self._put_outgoing(tx, audience, body, key, self.clock.now(), again=True)

    def _deliver_one(self, key: str) -> Opened:
        with self._lock, self.store.transaction() as tx:
            row = tx.get("outgoing", key)
            if row is None:
                raise BrokenInvariant("desk.no-answer", message=key)
            audience, raw = row.body["audience"], base64.b64decode(row.body["raw"])
        if row.body["state"] == "answered":
            reply = base64.b64decode(row.body["reply"])
            return self._open_reply(reply, Instant(row.body["answered_at"]))
        reply = self._transport.send(audience, raw)
        now = self.clock.now()
        opened = self._open_reply(reply, now)
        if opened.envelope.in_reply_to not in ("", row.body["id"]) or opened.envelope.sender != audience:
            raise Refused("desk.wrong-reply", message=row.body["id"])
        state = _state_after(opened.body, late=now > Instant(row.body["expires"]))
        with self._lock, self.store.transaction() as tx:
            held = tx.get("outgoing", key)
            if held is not None and held.body["state"] == "waiting" and held.body["id"] == row.body["id"]:
                done = {
                    **held.body,
                    "state": state,
                    "reply": base64.b64encode(reply).decode(),
                    "answered_at": int(now),
                }
                tx.put("outgoing", key, done, owner=state, expected=held.version)
        if isinstance(opened.body, RefusedReply):
            raise relayed(opened.body)
        return opened

    def _open_reply(self, raw: bytes, now: Instant) -> Opened:
        return open_addressed(raw, self.party, now, self._directory)

    def _stale(self, body: Mapping[str, Any], now: Instant) -> bool:
        return bool(body["state"] == "waiting" and body["expires"] <= now)

    def _put_outgoing(
        self, tx: Transaction, audience: str, body: Body, key: str, now: Instant, *, again: bool = False
    ) -> None:
        row = tx.get("outgoing", key)
        if not again and row is not None and row.body["state"] not in _OVER and not self._stale(row.body, now):
            return
        message_id = MessageId.new(self.randomness)
        expires = now.plus(hours=MESSAGE_LIFE_HOURS)
        raw = self._seal_in(tx, audience, body, in_reply_to="", now=now, message_id=message_id)
        held = {
            "id": message_id,
            "audience": audience,
            "raw": base64.b64encode(raw).decode(),
            "state": "waiting",
            "order": row.body["order"] if row is not None and again else tx.next_number("outgoing"),
            "expires": int(expires),
        }
        tx.put("outgoing", key, held, owner="waiting", expected=row.version if row else 0)

    def _sealed(self, audience: str, body: Body, *, in_reply_to: str, now: Instant, key: str = "") -> bytes:
        with self._lock, self.store.transaction() as tx:
            row = tx.get("sealed", key) if key else None
            if row is not None and now <= Instant(row.body["expires"]):
                return base64.b64decode(row.body["raw"])
            raw = self._seal_in(tx, audience, body, in_reply_to=in_reply_to, now=now)
            if key:
                kept = {
                    "raw": base64.b64encode(raw).decode(),
                    "expires": int(now.plus(hours=MESSAGE_LIFE_HOURS)),
                }
                tx.put("sealed", key, kept, owner=audience, expected=row.version if row else 0)
            return raw

    def _seal_in(
        self,
        tx: Transaction,
        audience: str,
        body: Body,
        *,
        in_reply_to: str,
        now: Instant,
        message_id: MessageId | None = None,
        expires: Instant | None = None,
    ) -> bytes:
        return seal(
            body=body,
            sender=self.party,
            audience=audience,
            id=message_id or MessageId.new(self.randomness),
            in_reply_to=in_reply_to,
            issued=now,
            expires=expires or now.plus(hours=MESSAGE_LIFE_HOURS),
            counter=tx.next_number("sent"),
            signer=self._signer,
        )


def _state_after(reply: Body, *, late: bool) -> str:
    if not isinstance(reply, RefusedReply):
        return "answered"
    if reply.code == "wire.expired":
        return "waiting"  # nobody has acted on it
    return "delivered" if late and reply.code == "wire.replayed" else "refused"


def open_addressed(raw: bytes, reader: str, now: Instant, directory: KeyDirectory) -> Opened:
    """Open a message for a reader; a refusal of something unreadable is addressed to anyone."""
    audience = ANYONE if peek(raw, limit=MAX_MESSAGE).audience == ANYONE else reader
    return unseal(raw, audience=audience, now=now, directory=directory, limit=MAX_MESSAGE)


def refusal(error: TowncircleError) -> RefusedReply:
    """Put an error into the message that tells another party of it."""
    grounds = error.grounds if isinstance(error, RefusedOnGrounds) else ()
    return RefusedReply(
        code=error.code,
        sentence=error.sentence,
        clause=error.clause,
        next_step=error.next_step,
        grounds=tuple(Ground(code=one.code, sentence=one.sentence, clause=one.clause) for one in grounds),
    )


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
