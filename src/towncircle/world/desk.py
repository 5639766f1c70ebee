"""The desk of a party: its door for sealed messages, and the shell around what it decides.

Here: receive and perform. Not here: decisions (the party rooms), sealing (`world.sealing`), sending (`world.outbox`).
Kept: one command, one transaction, one audit record; a retried message gets the first answer (house.md 4).

The order of `receive`, each step with its own refusal:
1. the size, the sender, the signature, the audience, the type (`wire.message.open_untimed`);
2. seen before? then the first answer, or a refusal as replay or conflict (`wire.inbox.admit`); its dates, its key;
3. whether this party takes such a message from such a sender (the table of handlers), and whether its ids are ids;
4. the handler decides; its writes, the facts, the answer and the outgoing messages are one transaction, which first
   looks once more whether a twin of the message was answered meanwhile, before the handler sees what that one changed;
5. only after the commit a byte leaves. What is refused then (a store that is busy, a list that is not due) changes
   nothing about the answer: it is noted, and done with the next command. A broken invariant is not held back.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Ask, Carry, Context, Exchange, Outside, Question, Reserve, Seal
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.store import Received, Transaction
from towncircle.psd.client import DeviceClient
from towncircle.transport import Transport
from towncircle.wire.bodies import RefusedReply
from towncircle.wire.bodies.common import Ground
from towncircle.wire.inbox import Conflict, admit, keep
from towncircle.wire.message import MESSAGE_LIFE_HOURS, Envelope, Opened, check_key_now, check_times
from towncircle.wire.names import check_names
from towncircle.wire.shape import Body
from towncircle.world.outbox import ON_THE_WAY, Outbox
from towncircle.world.sealing import ANYONE, Sealer

Handler = Callable[[Context, Opened], Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """Say whose messages of a type are taken (roles, such as `provider`), and by which handler.

    `refused` gives back what the handler's questions reserved, where it has refused the message (by that code), or
    where a twin of it was answered meanwhile (without one).
    """

    roles: tuple[str, ...]
    handler: Handler
    refused: Callable[[Context, Opened, str], None] | None = None


class Bench(Protocol):
    """Give access to the devices that are in a party's hands."""

    def client(self, device: DeviceId) -> AbstractContextManager[DeviceClient]:
        """Open a device for one exchange or more."""
        ...


class _UndoError(Exception):
    """Ends a transaction whose writes must not stay: the handler asked a question in it."""


class _AnsweredError(Exception):
    """Ends a transaction because a twin of the message was answered meanwhile."""

    def __init__(self, received: Received) -> None:
        super().__init__()
        self.received = received


class Desk:
    """Answer for one party. `after` is done after every commit of a command (the Postal Service publishes).

    `apart_us` says how far the clocks of this party and of a device may differ, both being honest.
    """

    def __init__(
        self,
        sealer: Sealer,
        *,
        transport: Transport,
        rule_digest: str,
        handlers: Mapping[type, Taken],
        bench: Bench | None = None,
        after: Callable[[], None] | None = None,
        apart_us: int = 0,
    ) -> None:
        self._apart_us = apart_us
        self.party = sealer.party
        self.store = sealer.store
        self.clock = sealer.clock
        self.randomness = sealer.randomness
        self._sealer = sealer
        self.outbox = Outbox(sealer, transport)
        self._rule_digest = rule_digest
        self._handlers = handlers
        self._bench = bench
        self._after = after

    @cites("PRE-06/3")
    def receive(self, raw: bytes) -> bytes:
        """Take a sealed message and give the sealed answer; every refusal is an answer too."""
        now = self.clock.now()
        try:
            opened = self._sealer.open(raw)
        except TowncircleError as error:
            return self._sealer.sealed(ANYONE, refusal(error), now=now)
        envelope = opened.envelope
        try:
            with self.store.reading() as view:
                known = admit(view, opened, now)
            check_times(envelope, now, apart_us=self._apart_us if _role(envelope).startswith("device") else 0)
            if known is None:
                check_key_now(opened, now, self._sealer.directory)
                self._decide(opened, now)
        except _AnsweredError as answered:
            with suppress(TowncircleError):  # the answer stands
                self._give_back(opened, "", now)
            return answered.received.reply
        except TowncircleError as error:
            told = self._conflicting(opened, now) if error.code == "wire.conflict" else None
            try:
                self._give_back(opened, error.code, now)
            except Refused as trouble:  # a word about the way lets the message come again, and then it is given back
                told = trouble if trouble.code.startswith(ON_THE_WAY) else told
            return self._sealer.sealed(envelope.sender, refusal(told or error), in_reply_to=envelope.id, now=now)
        self._afterwards()
        with self.store.reading() as view:
            kept = admit(view, opened, now)
        if kept is None:
            raise BrokenInvariant("desk.no-answer", message=envelope.id)
        return kept.reply

    def _conflicting(self, opened: Opened, now: Instant) -> TowncircleError | None:
        taken, envelope = self._handlers.get(Conflict), opened.envelope
        if taken is None or _role(envelope) not in taken.roles:
            return None
        told: TowncircleError | None = self._run(
            lambda context: taken.handler(context, opened), envelope.sender, envelope.id, now, _nothing_more
        )
        return told

    def _give_back(self, opened: Opened, code: str, now: Instant) -> None:
        """Have a refused message's reservations given back; one that comes again (a word about its way) keeps them.

        So are those of a walk that a twin of it has overtaken: what the answer names is not among them any more.
        """
        taken, envelope = self._handlers.get(type(opened.body)), opened.envelope
        if taken is None or taken.refused is None or code.startswith(ON_THE_WAY):
            return
        give_back = taken.refused
        self._run(lambda ctx: give_back(ctx, opened, code), envelope.sender, envelope.id, now, _nothing_more)

    def _decide(self, opened: Opened, now: Instant) -> None:
        taken, envelope = self._handlers.get(type(opened.body)), opened.envelope
        if taken is None or _role(envelope) not in taken.roles:
            raise Refused("desk.not-for-me", party=self.party, type=type(opened.body).__name__, sender=envelope.sender)
        check_names(opened.body)

        def begin(context: Context) -> None:
            twin = admit(context.tx, opened, now)
            if twin is not None:
                raise _AnsweredError(twin)

        def finish(context: Context, body: Body) -> None:
            # a kept answer is given again as long as the question may be asked again, so it stays good as long
            good_until = max(envelope.expires, now.plus(hours=MESSAGE_LIFE_HOURS))
            reply = self._sealer.seal_in(
                context.tx, envelope.sender, body, in_reply_to=envelope.id, now=now, expires=good_until
            )
            keep(context.tx, opened, reply)

        self._run(lambda context: taken.handler(context, opened), envelope.sender, envelope.id, now, finish, begin)

    def perform(
        self,
        job: Callable[[Context], Any],
        *,
        actor: str,
        approvals: tuple[str, ...] = (),
        request_id: str = "",
        quiet: bool = False,
    ) -> Any:
        """Do a command of this party's own staff; give its result. A quiet one has no afterwards."""
        result = self._run(job, actor, request_id, self.clock.now(), _nothing_more, approvals=approvals)
        if not quiet:
            self._afterwards()
        return result

    def deliver(self) -> None:
        """Send what waits in the outbox."""
        self.outbox.deliver()

    def _deliver_unless_under_way(self) -> None:
        self.outbox.deliver(wait=False)

    def _afterwards(self) -> None:
        trouble: TowncircleError | None = None
        for step in (self._deliver_unless_under_way, self._after):
            try:
                if step is not None:
                    step()
            except (Refused, BadInput) as error:
                trouble = error
        with suppress(Refused):  # where even this cannot be written, the next command notes it
            self._note_trouble(trouble)

    def _note_trouble(self, trouble: TowncircleError | None) -> None:
        """Note once what could not be done after a commit, and once that it was done again."""
        code = trouble.code if trouble is not None else ""
        with self.store.reading() as view:
            held = view.get("afterwards", "last")
        if (held.body["code"] if held else "") == code:
            return

        def job(ctx: Context) -> None:
            body = {"code": code, "sentence": trouble.sentence if trouble else "", "since": int(ctx.now)}
            ctx.tx.put("afterwards", "last", body, owner=self.party, expected=held.version if held else 0)
            kind = "afterwards.refused" if trouble else "afterwards.done"
            ctx.note(kind, self.party, clauses=(trouble.clause,) if trouble else (), code=code)

        self._run(job, self.party, "", self.clock.now(), _nothing_more)

    def _run(
        self,
        job: Callable[[Context], Any],
        actor: str,
        request_id: str,
        now: Instant,
        finish: Callable[[Context, Any], None],
        begin: Callable[[Context], None] | None = None,
        approvals: tuple[str, ...] = (),
    ) -> Any:
        steps: Generator[Any, Any, Any] | None = None
        context: Context | None = None
        answer: Any = None
        while True:
            question: Any = None
            try:
                with self.store.transaction() as tx:
                    if context is None:
                        context = self._context(tx, now, actor, request_id, approvals)
                    context.tx = tx
                    context.sent.clear()
                    if begin is not None:
                        begin(context)
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
                        self.outbox.put(tx, audience, body, key, now)
                    finish(context, result)
                    return result
            except _UndoError:
                answer = self._answer(question, now)

    def _context(
        self, tx: Transaction, now: Instant, actor: str, request_id: str, approvals: tuple[str, ...]
    ) -> Context:
        return Context(
            tx=tx,
            now=now,
            party=self.party,
            actor=actor,
            randomness=self.randomness,
            rule_digest=self._rule_digest,
            request_id=request_id,
            approvals=approvals,
            unseal=self._sealer.open_enclosed,
        )

    def _answer(self, question: Question, now: Instant) -> Any:
        match question:
            case Ask(audience, body, key):
                assert isinstance(body, Body)
                return self.outbox.ask(audience, body, key=key)
            case Exchange():
                return self._exchanged(question)
            case Carry(audience, raw):
                return self.outbox.transport.send(audience, raw)
            case Seal(audience, body, in_reply_to, key):
                assert isinstance(body, Body)
                return self._sealer.sealed(audience, body, in_reply_to=in_reply_to, now=now, key=key)
            case Reserve():
                return self._reserved(question)
            case Outside(work):
                return work()

    def _exchanged(self, asked: Exchange) -> Any:
        if self._bench is None:
            raise BrokenInvariant("desk.no-bench", party=self.party)
        try:
            with self._bench.client(asked.device) as client:
                return asked.call(client)
        except TowncircleError as error:
            if asked.failing is None:
                raise
            return asked.failing(error)

    def _reserved(self, asked: Reserve) -> int:
        with self.store.transaction() as tx:
            row = tx.get("reserved", asked.key)
            if row is None:
                body = {"number": tx.next_number(asked.series), **({"about": asked.about} if asked.about else {})}
                row = tx.put("reserved", asked.key, body, owner=asked.series, expected=0)
            return int(row.body["number"])


def _role(envelope: Envelope) -> str:
    return envelope.sender.partition(".")[0]


def _nothing_more(_context: Context, _result: object) -> None:
    return


def refusal(error: TowncircleError) -> RefusedReply:
    """Put an error into the message that tells another party of it."""
    told = error.as_dict().get("grounds")  # its own, or those that another party gave
    grounds = told if isinstance(told, list) else []
    return RefusedReply(
        code=error.code,
        sentence=error.sentence,
        clause=error.clause,
        next_step=error.next_step,
        grounds=tuple(Ground(code=one["code"], sentence=one["sentence"], clause=one["clause"]) for one in grounds),
    )
