"""The device's shell: bytes in, bytes out.

Here: loading, opening sealed orders, retries, signing, the one commit, faults. Not here: any decision (`automaton`).
Kept: durable before released: state, signed content, signature and answer are in one commit, and only after it does a
byte leave. A retried command gets the first answer; the same id with other content is a conflict (house.md 3, 4).

Order of one command: 1. read the clock once; 2. let time pass over the state (a lapse is kept even if the command is
then refused); 3. open a sealed order; 4. look for the answer of the same command; 5. decide; 6. make keys and sign;
7. commit; 8. release.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import cast

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Clock, Instant
from towncircle.pki.verifying import PublicKey
from towncircle.psd import commands, frames, reporting, selftest, services, software, states
from towncircle.psd.automaton import decide, faulted, observe
from towncircle.psd.contact import clock_difference_us
from towncircle.psd.debits import Debit, Round, Standing
from towncircle.psd.evidencing import EVIDENCE, check_name
from towncircle.psd.examining import examiner_key
from towncircle.psd.keys import KeySlots, SoftwareSlots
from towncircle.psd.memory import Change, Memory, Record
from towncircle.psd.outcome import EVENTS, KeyBirth, Order, Outcome, message_id
from towncircle.psd.releasing import COUNTED, RECEIVED, ended_by, facts_digest, records_of, released, reprinted
from towncircle.psd.resetting import APPLIED
from towncircle.psd.signing import Signing, Work, run
from towncircle.psd.state import DeviceState
from towncircle.wire import bodies
from towncircle.wire.directory import Keyring
from towncircle.wire.message import Opened, check_times, open_certified, open_untimed, seal
from towncircle.wire.shape import Body

_SILENT = (states.FAULTED, states.ZEROISED)
_FAULTS = ("psd.registers-broken", "psd.pairwise-failed")  # what puts a device into its error state


def sender_of(device: DeviceId) -> str:
    """Give the party id under which a device sends and is addressed."""
    return f"device.{device}"


def manufacture(
    memory: Memory, *, device: DeviceId, provider: str, provider_key: bytes, root_fingerprint: bytes, test_root: bool
) -> None:
    """Make a new device in a memory, with Provider and root pinned. Raises `Refused` (psd.store-stale)."""
    state = DeviceState(
        device=device,
        provider=provider,
        provider_key=provider_key,
        root_fingerprint=root_fingerprint,
        test_root=test_root,
        counter=1,
        epoch=1,
    )
    memory.commit([Change(device, 0, 0, state, ())])


class Device:
    """Run one device over a memory. Raises `BadInput` (psd.no-such-device) and what the memory raises.

    Starting it counts up its epoch, so a process that still runs on an older copy cannot commit any more.
    """

    def __init__(
        self,
        memory: Memory,
        device: DeviceId,
        *,
        slots: KeySlots,
        clock: Clock,
        tests: Mapping[str, Callable[[], bool]] = selftest.TESTS,
    ) -> None:
        self._memory, self._device, self._slots, self._clock, self._tests = memory, device, slots, clock, tests
        self._held: DeviceState | None = None
        self._standing: Standing | None = None  # made for debits, and again after any other change
        self._unsound = ""  # why this module must not touch its store: it answers as faulted, a sound one goes on
        state = self._load()
        started = software.started(state).amended(epoch=state.epoch + 1, counter=state.counter + 1)
        try:
            if tests is selftest.TESTS:
                selftest.power_on(device)
            else:
                selftest.run(tests)
            state.check()
        except BrokenInvariant as error:
            if self._of_the_module(error):
                self._unsound, self._epoch = _stopped(error), state.epoch
                return
            if state.state in (states.FAULTED, states.ZEROISED):
                started = replace(started, since=state.since)
            else:
                started = replace(faulted(state, error.sentence, clock.now()), epoch=state.epoch + 1)
        self._epoch = started.epoch
        self._commit(state, started, ())

    @property
    def device(self) -> DeviceId:
        """Give the device's id."""
        return self._device

    @property
    def clock(self) -> Clock:
        """Give the clock that this device heeds."""
        return self._clock

    def close(self) -> None:
        """Let go of the store; the next owner starts where this one ended."""
        self._memory.close()

    def exchange(self, command: bytes, *, role: str = services.USER) -> bytes:
        """Run one command and give its answer; what is refused is an answer too.

        `role` is whom the port has let in (`services`); the pipe of a process lets in its owner, the licensee's user.
        """
        now = self._clock.now()  # 1
        quick = self._debited(command, now) if role == services.USER else None
        return quick if quick is not None else run(self.steps(command, role=role, now=now))

    def _debited(self, command: bytes, now: Instant) -> bytes | None:
        """Run the command of one piece the quick way (`debits`), or give None where it has to go the general way."""
        debit = self.debit(command, Round(now))
        if debit is None:
            return None
        try:
            if self._record(EVIDENCE, debit.request_id) is not None:
                return None
            failed = debit.signed(self._slots)
            if failed is not None:
                return commands.encode_error(failed)
            self._held = None  # as in `_commit`
            standing, self._standing = self._standing, None
            self._memory.commit([cast("Change", debit)])
        except TowncircleError as error:
            return commands.encode_error(error)
        self._standing = standing
        self.keep(debit)
        return debit.response

    def debit(self, command: bytes, at: Round) -> Debit | None:
        """Decide the command of one piece the quick way, changing nothing; None where it has to go the general way."""
        try:
            parts = frames.one_piece(command)
            if parts is None or self._unsound:
                return None
            if self._standing is None:
                self._standing = Standing(self._state(), at.now)
            return at.decide(self._standing, command, parts)
        except (TowncircleError, UnicodeDecodeError):
            return None

    def keep(self, debit: Debit) -> None:
        """Take note that a debit is kept."""
        debit.standing.take(debit)
        self._held = None

    @property
    def held(self) -> DeviceState:
        """Give the state as this device has it. Raises `Refused` (psd.store-stale)."""
        return self._state()

    def steps(self, command: bytes, *, role: str = services.USER, now: Instant | None = None) -> Work:
        """Run one command, stopping where contents are to be signed (`finish` goes on); return its answer.

        A host of many devices signs for all of them in one go: the tables of a signature drive everything else out of
        the processor's cache, so signing one by one costs half as much again.
        """
        try:
            return (yield from self._run(command, role, self._clock.now() if now is None else now))
        except TowncircleError as error:
            return commands.encode_error(error)

    def _run(self, raw: bytes, role: str, now: Instant) -> Work:
        command = commands.decode_command(raw)
        event = commands.NAMES[type(command)]
        services.check(services.role_at_port(role, event), event)
        state = self._state()
        if isinstance(command, commands.Zeroise) and self._held is not None:  # as it is kept: a module that has failed
            states.DEVICE.move(self._held.state, event)  # ends no device that a sound one would go on with
        passed = observe(state, now)  # 2
        if passed is not state:
            self._commit(state, passed, ())
            state = passed
        if isinstance(command, commands.SelfTest):
            return self._tested(state, now)
        digest = hashlib.sha256(raw).digest()
        opened: Opened | None = None
        known: bytes | None = None
        order: commands.Command | Order = command
        if isinstance(command, commands.FromProvider):
            opened, order = self._open(state, command, now)  # 3
            digest = opened.digest
            if not isinstance(command, commands.Examine):
                known = self._known_order(opened, now)  # 4
        else:
            known = self._known_command(command, digest)
        if known is not None and released(state, command):
            return known
        try:
            outcome = decide(state, order, now)  # 5
            if outcome.birth is not None:
                outcome = self._born(outcome, outcome.birth)  # 6
        except BrokenInvariant as error:
            if error.code in _FAULTS:
                if error.code == "psd.pairwise-failed" and isinstance(self._slots, SoftwareSlots):
                    selftest.stop(error, device=self._device)  # a token's pair says nothing of this module
                self._commit(state, faulted(state, error.sentence, now), ())
            raise
        return (yield from self._settle(state, outcome, now, command, digest, opened))

    # 3, 4: sealed orders and retries

    def _open(self, state: DeviceState, command: commands.FromProvider, now: Instant) -> tuple[Opened, Order]:
        me = sender_of(self._device)
        if isinstance(command, commands.Examine):
            opened = open_certified(command.message, audience=me, key_of=partial(examiner_key, state, now))
            check_times(opened.envelope, now)
            return opened, Order(event="examine", envelope=opened.envelope, body=opened.body)
        ring = Keyring()
        ring.add(state.provider, PublicKey("ecdsa-p256", state.provider_key), since=Instant(0))
        opened = open_untimed(command.message, audience=me, directory=ring)
        event = EVENTS[type(command)].get(type(opened.body))
        if event is None or opened.envelope.sender != state.provider:
            raise Refused("psd.wrong-order", verb=commands.NAMES[type(command)], got=type(opened.body).__name__)
        terms = opened.body.terms if isinstance(opened.body, bodies.Authorise | bodies.Renewal) else state.terms
        if now < opened.envelope.issued.plus(microseconds=-clock_difference_us(terms)):
            check_times(opened.envelope, now)
        return opened, Order(event=event, envelope=opened.envelope, body=opened.body)

    def _known_order(self, opened: Opened, now: Instant) -> bytes | None:
        envelope = opened.envelope
        held = self._record(RECEIVED, envelope.id)
        if held is not None:
            if held.command_digest != opened.digest:
                raise Refused("wire.conflict", id=envelope.id)
            if now > envelope.expires:
                raise Refused("wire.replayed", id=envelope.id, counter=envelope.counter)
            return held.response
        if now > envelope.expires:
            check_times(envelope, now)
        if self._record(COUNTED, str(envelope.counter)) is not None:
            raise Refused("wire.replayed", id=envelope.id, counter=envelope.counter)
        if isinstance(opened.body, bodies.ResetAuthorisation):
            applied = self._record(APPLIED, opened.body.request_id)
            if applied is not None:
                if applied.command_digest != facts_digest(opened.body):
                    raise Refused("psd.request-conflict", request=opened.body.request_id)
                return applied.response
        return None

    def _known_command(self, command: commands.Command, digest: bytes) -> bytes | None:
        if not isinstance(command, commands.Evidence):
            return None
        check_name(command.request_id)
        held = self._record(EVIDENCE, command.request_id)
        if held is None:
            return None
        if held.command_digest != digest:
            raise Refused("psd.request-conflict", request=command.request_id)
        return held.response

    # 6, 7, 8: keys, signatures, the commit, the release

    def _settle(
        self, state: DeviceState, outcome: Outcome, now: Instant, command: commands.Command, digest: bytes,
        opened: Opened | None,
    ) -> Work:  # fmt: skip
        verb = commands.NUMBERS[type(command)]
        after, answer, message = outcome.state, outcome.answer, outcome.message
        if outcome.replay is not None:
            held = self._record(*outcome.replay)
            if held is None:
                raise Refused("psd.request-unknown", request=outcome.replay[1])
            if after is state:
                return held.response
            answer = reprinted(command, answer, held)
        if after is state and message is None:
            return commands.encode_answer(verb, reporting.within(answer, self._slots))
        if outcome.contents:
            assert isinstance(answer, commands.Evidenced)
            answer = answer.amended(signatures=(yield self._signing(after, outcome)))
        if message is not None:
            assert isinstance(answer, commands.Done)
            answer = replace(answer, message=self._seal(state, after, message, outcome, now))
        response = commands.encode_answer(verb, answer)
        if after is state:
            return response
        ended, last = ended_by(state, after), after.state == states.ZEROISED
        # before it says so: a token that cannot be reached or was not named refuses, and it is asked for again
        (self._slots.destroy if last else self._slots.may_end)(*ended)
        self._commit(state, after, records_of(outcome, digest, response, opened))
        if ended:  # no copy of a key that has ended stays, neither here nor in a token
            if not last:
                with suppress(Refused):  # the rollover is done and is not refused any more for a token that is away
                    self._slots.destroy(*ended)
            self._memory.forget_keys()
        if last:  # now no state needs it; a start finishes what is cut here
            self._slots.end()
        return response

    def _born(self, outcome: Outcome, birth: KeyBirth) -> Outcome:
        """Make the keys and the report on them; the message key is P-256 in every regime."""
        scheme, state = birth.scheme, outcome.state
        waiting = state.next_key if birth.next else None
        indicia = waiting or self._slots.make(scheme, domain=birth.domain)
        message = state.message_key if birth.next else self._slots.make("ecdsa-p256")
        assert message is not None
        report = bodies.DeviceKeyReport(
            device=state.device,
            regime=state.regime,
            scheme=scheme,
            indicia_public=indicia.public,
            message_public=message.public,
            indicia_proof=self._slots.signer(indicia).sign(message.public),
        )
        kept = {"next_key": indicia} if birth.next else {"indicia_key": indicia, "message_key": message}
        return outcome.amended(state=state.amended(**kept), message=report)

    def _signing(self, state: DeviceState, outcome: Outcome) -> Signing:
        assert state.indicia_key is not None
        contents, size = outcome.contents, outcome.content_size
        parts = [contents[at : at + size] for at in range(0, len(contents), size)]
        return Signing(self._slots.signer(state.indicia_key), parts)

    def _seal(self, before: DeviceState, after: DeviceState, body: Body, outcome: Outcome, now: Instant) -> bytes:
        assert after.message_key is not None
        return seal(
            sender=sender_of(after.device),
            audience=outcome.audience or after.provider,
            id=outcome.message_id or message_id(before),
            issued=now,
            expires=now.plus(hours=outcome.valid_hours),
            counter=after.counter,
            body=body,
            signer=self._slots.signer(after.message_key),
            in_reply_to=outcome.in_reply_to,
        )

    def _tested(self, state: DeviceState, now: Instant) -> bytes:
        try:
            passed = selftest.on_demand(self._tests, device=self._device)
            state.check()
        except BrokenInvariant as error:
            if self._of_the_module(error):
                self._unsound = _stopped(error)
            elif state.state not in _SILENT:
                self._commit(state, faulted(state, error.sentence, now), ())
            raise
        return commands.encode_answer(commands.NUMBERS[commands.SelfTest], commands.SelfTested(passed=passed))

    def _of_the_module(self, error: BrokenInvariant) -> bool:
        """Tell whether a failure says nothing of this device: its module was altered, or failed for another one."""
        others = selftest.failed() and not selftest.found_by(self._device)
        return error.code == "psd.module-altered" or (others and error.code != "psd.registers-broken")

    # the store

    def _load(self) -> DeviceState:
        state = self._memory.load([self._device]).get(self._device)
        if state is None:
            raise BadInput("psd.no-such-device", device=self._device)
        return state

    def _state(self) -> DeviceState:
        if self._held is None:
            self._held = self._standing.state() if self._standing is not None else self._load()
        if self._held.epoch != self._epoch:
            self._held = None
            raise Refused("psd.store-stale", device=self._device)
        if self._held.state == states.ZEROISED:  # nothing is told of it while what a disk refused to destroy is there
            self._slots.end()
        if self._unsound and self._held.state != states.ZEROISED:
            return replace(self._held, state=states.FAULTED, reason=self._unsound)
        return self._held

    def _record(self, kind: str, request_id: str) -> Record | None:
        return self._memory.record(self._device, kind=kind, request_id=request_id)

    def _commit(self, before: DeviceState, after: DeviceState, records: tuple[Record, ...]) -> None:
        self._held = self._standing = None  # whatever happens, the next command reads what the store really holds
        self._memory.commit([Change(self._device, before.counter, before.epoch, after, records)])
        self._held = after


def _stopped(error: BrokenInvariant) -> str:
    """Word why a module must not touch its store."""
    if error.code == "psd.module-altered":
        return error.sentence
    return (
        f"{error.sentence} It is its host's process that failed, not the device: end that process and start it again."
    )
