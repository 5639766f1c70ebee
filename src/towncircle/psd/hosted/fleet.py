"""A fleet of devices in one store, run by one host.

Here: the queue of each device, groups, fencing, retries of doubtful groups. Not here: seats (`seat`), caches
(`caches`), who may call (transports).
Kept: a device is with one group at a time, in the order in which groups asked (a queue per device, before the
database); a group is committed as one statement, and no answer leaves before. A host that was overtaken by another one
has the older epoch: its commit does not match, its answer is psd.store-stale, and it issues nothing.

Order of one group: 1. wait until every device of it is free; 2. seat the devices that are not at hand; 3. run the
commands in order, assuming that each request is new; 4. ask the store for what the commit will not prove, and run a
device again where the assumption was wrong; 5. commit; 6. release.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Clock
from towncircle.kernel.randomness import Randomness
from towncircle.pki.keyfile import SecretProvider
from towncircle.psd import commands, selftest
from towncircle.psd.debits import Debit, Round
from towncircle.psd.device import Device
from towncircle.psd.hosted.caches import DEFAULT_LIMIT, RecentSlots, Watch, entries_for
from towncircle.psd.hosted.place import Place
from towncircle.psd.hosted.seat import FleetStore, Seat, Sighted, read_each
from towncircle.psd.hosted.tokens import MixedSlots, Token
from towncircle.psd.hosted.wrapping import Bindable, WrappedSlots, WrappingKeys
from towncircle.psd.keys import TOKEN_MARK
from towncircle.psd.memory import Record, RecordName
from towncircle.psd.recent import Recent
from towncircle.psd.sight import Seen
from towncircle.psd.signing import Signing, Work, finish, run
from towncircle.psd.state import DeviceState

MAX_GROUP = 500
MAX_WAITING = 64  # groups that may wait for one device
_DOUBLED = 2  # how often a group is run again because a request was not new


@cites("PRE-03", "PRE-03/2", "PRE-23/2")
class Fleet:
    """Host many devices of one store in one process; callers may be many threads.

    `memory_limit` bounds the resident memory of the process (bytes). `secret` and `randomness` are those of the key
    slots, as of a device with a process of its own; with `wrapping` a key that has ended is dead in every copy of the
    store, and with `token` too new keys are made there. `rehearsed` is the clock of a rehearsed world: devices under a
    test root heed it, all others `clock`.
    Raises `Refused` (psd.wrapping-failed) where what a host before it owed cannot be destroyed, (psd.wrapping-other,
    psd.token-other) where the wrapping keys are another database's, or the token another one, and `BadInput`
    (psd.token-folder) for a token without wrapping keys. What is owed to a token that is away keeps nobody from
    starting.
    """

    def __init__(
        self,
        store: FleetStore,
        *,
        secret: SecretProvider,
        randomness: Randomness,
        clock: Clock,
        rehearsed: Clock | None = None,
        memory_limit: int = DEFAULT_LIMIT,
        wrapping: WrappingKeys | None = None,
        token: Token | None = None,
    ) -> None:
        with suppress(BrokenInvariant):  # kept by `selftest`: no device of this host is any more at fault than another
            selftest.power_on()
        count = entries_for(memory_limit)
        self._store, self._clock, self._rehearsed = store, clock, rehearsed or clock
        self._read = store.sights if isinstance(store, Sighted) else store.load
        if wrapping is not None:
            if isinstance(store, Bindable):
                wrapping.bind(store)
            wrapping.settle(store)
        self._slots = _slots_of(secret, randomness, count, wrapping, token)
        self._mixed = self._slots if isinstance(self._slots, MixedSlots) else None
        if self._mixed is not None:
            self._mixed.settle(store)
        self._at_hand: Recent[DeviceId, Place] = Recent(count)
        tables: tuple[Recent[Any, Any], ...] = (self._at_hand, self._slots.opened)
        self._watch = Watch(memory_limit, tables)
        self._waiting: dict[DeviceId, tuple[object, ...]] = {}  # tickets; the first one's turn it is
        self._turn = threading.Condition()

    def exchange(self, device: DeviceId, command: bytes) -> bytes:
        """Run one command of one device."""
        return self.exchange_many([(device, command)])[0]

    def exchange_many(self, asked: Sequence[tuple[DeviceId, bytes]]) -> list[bytes]:
        """Run commands of many devices and give their answers in order; commands of one device run in their order.

        What is refused is an answer too. A device that another host has taken over answers psd.store-stale; the next
        command takes it back.
        """
        answers: list[bytes] = []
        for at in range(0, len(asked), MAX_GROUP):
            answers += self._group(asked[at : at + MAX_GROUP])
        return answers

    def close(self) -> None:
        """Let go of keys and store."""
        self._slots.drop()
        self._store.close()
        if self._mixed is not None:
            self._mixed.close()
        if isinstance(self._slots, WrappedSlots):
            self._slots.wrapping.close()

    def _group(self, asked: Sequence[tuple[DeviceId, bytes]]) -> list[bytes]:
        names = dict.fromkeys(name for name, _ in asked)
        try:
            with self._turns(names), self._whole(names):  # 1
                answers = self._run(asked, names)
        except TowncircleError as error:
            return [commands.encode_error(error)] * len(asked)
        self._watch.look()
        return answers

    @contextmanager
    def _turns(self, names: Collection[DeviceId]) -> Iterator[None]:
        """Wait in the queue of every device; tickets are drawn at once, so no two groups wait for each other."""
        ticket, queues = object(), self._waiting
        with self._turn:
            if any(len(queues[name]) >= MAX_WAITING for name in queues.keys() & names):
                raise Refused("psd.host-busy")
            if queues.keys().isdisjoint(names):
                queues.update(dict.fromkeys(names, (ticket,)))
            else:
                queues.update({name: (*queues.get(name, ()), ticket) for name in names})
                self._turn.wait_for(lambda: all(queues[name][0] is ticket for name in names))
        try:
            yield
        finally:
            with self._turn:
                for name in names:
                    left = queues.pop(name)[1:]
                    if left:
                        queues[name] = left
                self._turn.notify_all()

    @contextmanager
    def _whole(self, names: Collection[DeviceId]) -> Iterator[None]:
        """Let go of devices that an interrupt or a defect left in the middle of a group."""
        try:
            yield
        except BaseException:
            for name in names:
                self._at_hand.drop(name)
            raise

    def _run(self, asked: Sequence[tuple[DeviceId, bytes]], names: Collection[DeviceId]) -> list[bytes]:
        answers = [b""] * len(asked)
        if isinstance(self._slots, WrappedSlots):
            self._slots.begin()
        seated, missing = self._seated(names)  # 2
        for at, (name, command) in enumerate(asked):
            place = seated.get(name)
            if place is None:
                answers[at] = commands.encode_error(missing[name])
            else:
                place.at.append(at)
                place.commands.append(command)
        places = list(seated.values())
        self._decide(places)  # 3
        if selftest.failed():
            _stop([place for place in places if place.sound and not place.broken])
        self._settle(places)  # 4, 5
        for place in places:  # 6
            for at, answer in zip(place.at, place.answers, strict=True):
                answers[at] = answer
            place.at, place.commands, place.answers = [], [], []
        return answers

    def _decide(self, places: list[Place]) -> None:
        """Decide the plain debits of a group in one pass and sign them; all others run the general way."""
        rounds: dict[int, Round] = {}  # by clock, which is read once
        debits: list[tuple[Place, Debit]] = []
        others: list[Place] = []
        for place in places:
            clock = place.clock
            at = rounds.get(id(clock)) or rounds.setdefault(id(clock), Round(clock.now()))
            debit = place.decide(at)
            if debit is None:
                others.append(place)
            else:
                debits.append((place, debit))
        for place, debit in debits if self._mixed is None else self._by_token(self._mixed, debits, others):
            if debit.signed(self._slots) is None:
                place.debit, place.answers = debit, [debit.response]
            else:
                others.append(place)  # it fails again there, and is worded
        if others:
            _start([place for place in others if place.sits()])

    def _by_token(
        self, slots: MixedSlots, debits: list[tuple[Place, Debit]], others: list[Place]
    ) -> list[tuple[Place, Debit]]:
        """Sign the debits whose keys are in the token, in few walks there, and give all others."""
        there = [one for one in debits if one[1].standing.key.sealed.startswith(TOKEN_MARK)]
        made = slots.sign_each([(debit.standing.key, debit.content) for _, debit in there])
        for (place, debit), signature in zip(there, made, strict=True):
            if isinstance(signature, bytes):
                debit.sign(signature)
                place.debit, place.answers = debit, [debit.response]
            else:
                others.append(place)  # as one of software that fails
        return [one for one in debits if not one[1].standing.key.sealed.startswith(TOKEN_MARK)] if there else debits

    def _seated(self, names: Collection[DeviceId]) -> tuple[dict[DeviceId, Place], dict[DeviceId, TowncircleError]]:
        """Take the devices at hand and load the others; each that was loaded counts its epoch up."""
        held = self._at_hand.all(names)
        if selftest.failed():  # the module is one for all its devices: each is started again, and answers as faulted
            held = {name: None if place is not None and place.sound else place for name, place in held.items()}
        cold = [name for name, place in held.items() if place is None]
        seated: dict[DeviceId, Place] = {}
        missing: dict[DeviceId, TowncircleError] = {}
        found = self._loaded(cold, missing)
        for name, place in held.items():
            if place is not None:
                seated[name] = place
            elif name in missing:
                continue
            elif name not in found:
                missing[name] = BadInput("psd.no-such-device", device=name)
            else:
                kept = found[name]
                seated[name] = Place(name, kept, self._rehearsed if kept.test_root else self._clock, self._seat)
        return seated, missing

    def _loaded(self, cold: Sequence[DeviceId], missing: dict[DeviceId, TowncircleError]) -> Mapping[DeviceId, Seen]:
        """Load devices; one whose row is damaged answers so, and holds nobody else up."""
        return read_each(self._read, cold, missing)

    def _seat(self, name: DeviceId, kept: DeviceState, clock: Clock) -> tuple[Seat, Device]:
        """Seat a device; `kept` is its state as the store has it."""
        seat = Seat(self._store, name, kept)
        slots = self._slots if self._mixed is None else self._mixed.seated(seat, name)
        return seat, Device(seat, name, slots=slots, clock=clock)

    def _settle(self, places: list[Place]) -> None:
        """Commit what the devices of a group have changed; who could not be kept answers why."""
        self._doubt(places)
        for turn in range(_DOUBLED):
            changes = [change for place in places if (change := place.change()) is not None]
            try:
                loose = self._owe(places)
                lost = set(self._store.commit_each(changes)) if changes else set()
            except BrokenInvariant as error:
                if error.code != "psd.record-doubled" or turn == _DOUBLED - 1:
                    return self._failed(places, error)
                self._again(places, {name for place in places for name in place.names()})
            except TowncircleError as error:
                return self._failed(places, error)
            else:
                return self._kept(places, lost, loose=loose)
        return None

    def _doubt(self, places: list[Place]) -> None:
        """Ask for the records that were assumed missing, where the commit will not prove it."""
        doubts: set[RecordName] = set()
        for place in places:
            if place.debit is None:
                doubts |= place.doubts(refused=any(map(commands.is_error, place.answers)))
        if doubts:
            self._again(places, doubts)

    def _again(self, places: list[Place], names: set[RecordName]) -> None:
        """Run the devices again whose requests are known already; nothing of them was kept or released."""
        found = self._store.find(names)
        known = {name.device for name in found}
        for place in places:
            if place.name in known:
                _rerun(place, found)

    def _kept(self, places: list[Place], lost: set[DeviceId], *, loose: bool) -> None:
        whole = [place for place in places if place.debit is None and place.name not in lost]
        for place in places:
            if place.name in lost:
                self._at_hand.drop(place.name)
                for key in place.slots():  # another host may have ended them
                    self._slots.opened.drop(key.public)
                stale = commands.encode_error(Refused("psd.store-stale", device=place.name))
                place.answers = [stale] * len(place.commands)
                continue
            place.settled()
        self._at_hand.put_all({place.name: place for place in places if place.name not in lost and not place.broken})
        ended = [place for place in places if place.zeroised and place.name not in lost]
        if self._mixed is not None:
            self._settle_token(ended, self._mixed)
        if ended:
            self._forget(ended, loose=loose)
        if isinstance(self._slots, WrappedSlots):
            self._check_ended([place for place in whole if place.keyless], self._slots.wrapping)
        for place in ended:
            place.ending = ()

    def _settle_token(self, ended: list[Place], slots: MixedSlots) -> None:
        """Destroy in the token what this group ended there; a device whose keys are still there does not say so."""
        failed = slots.settle_group(self._store)
        for place in ended:
            if place.name in failed and place.keyless:  # a rollover is done, whatever became of the old key
                place.deny(failed[place.name])

    def _owe(self, places: list[Place]) -> bool:
        """Write down which keys the commit ends, so that a host that dies after it destroys them at its next start.

        Tells whether one of them has no wrapping key.
        """
        ending = [place.name for place in places if place.zeroised]
        return self._slots.owe(ending) if ending and isinstance(self._slots, WrappedSlots) else bool(ending)

    def _forget(self, ended: list[Place], *, loose: bool) -> None:
        """Destroy the keys that have ended; a device whose keys could not be destroyed does not say that they are."""
        try:
            if isinstance(self._slots, WrappedSlots):
                self._slots.wrapping.settle(self._store)
            if loose:
                self._store.forget_keys()
        except TowncircleError as error:
            for place in ended:
                place.deny(error)

    def _check_ended(self, places: list[Place], wrapping: WrappingKeys) -> None:
        """Say of no device that it has no keys while one of its wrapping keys is there, whichever host ended it."""
        for place in places:
            try:
                wrapping.check_ended(place.name, self._store)
            except TowncircleError as error:
                place.deny(error)

    def _failed(self, places: list[Place], error: TowncircleError) -> None:
        """Answer with the error, and read every device anew next time: nobody knows what the store has kept."""
        told = commands.encode_error(error)
        if self._mixed is not None:
            self._mixed.begin()
        for place in places:
            self._at_hand.drop(place.name)
            place.answers = [told] * len(place.commands)


def _slots_of(
    secret: SecretProvider, randomness: Randomness, limit: int, wrapping: WrappingKeys | None, token: Token | None
) -> RecentSlots:
    if token is not None:
        if wrapping is None:
            raise BadInput("psd.token-folder")
        return MixedSlots(secret, randomness, limit=limit, wrapping=wrapping, token=token)
    if wrapping is not None:
        return WrappedSlots(secret, randomness, limit=limit, wrapping=wrapping)
    return RecentSlots(secret, randomness, limit=limit)


def _stop(places: list[Place]) -> None:
    """Have a group under way answer as a module whose self-test failed: what it has signed is not kept or released."""
    for place in places:
        _rerun(place, None)


def _rerun(place: Place, known: Mapping[RecordName, Record] | None) -> None:
    """Run a device's commands again, from what is kept.

    The command that found that the module is unsound is answered with that, as by a device of its own; it is not found
    again, since the device has started as faulted by then.
    """
    first = place.answers
    place.again()
    place.run(known)
    if selftest.failed():
        found = commands.encode_error(selftest.reason())
        place.answers = [was if was == found else now for was, now in zip(first, place.answers, strict=True)]


def _start(places: list[Place]) -> None:
    """Run every place's commands; the first ones are signed for in one go (`Device.steps`)."""
    waiting: list[tuple[Place, Work, Signing]] = []
    for place in places:
        work = place.device.steps(place.commands[0])
        try:
            waiting.append((place, work, next(work)))
        except StopIteration as end:
            place.say(end.value)
    signatures = [signing.done() for _, _, signing in waiting]
    for (place, work, _), made in zip(waiting, signatures, strict=True):
        place.say(finish(work, made))
    for place in places:
        for command in place.commands[1:]:
            place.say(run(place.device.steps(command)))
