"""A mailer with a device on a forgetful disk: mixed work, and what everybody knows at each moment of it.

Here: evidence batches, resets, contacts, reprints, key rollovers, restarts and the end of service through the real
device, its production store and a Provider, in an order that a seed draws; the commits of the store and the answers,
each with the disk operation at which it was there. Not here: power cuts and their judgement (`power_loss`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from towncircle.bench.workshop import Workshop
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.psd import commands
from towncircle.psd.client import DeviceClient
from towncircle.psd.device import Device, manufacture
from towncircle.psd.keys import SoftwareSlots
from towncircle.psd.memory import Change, Memory, Record
from towncircle.psd.sqlite import SqliteMemory
from towncircle.psd.state import DeviceState
from towncircle.testing.dice import Dice
from towncircle.testing.forgetful_disk import ForgetfulDisk
from towncircle.wire import bodies

DEVICE = DeviceId.of(vendor="TC", model="1A", serial=17)
STORE = Path("/device.sqlite")
CHECKPOINT_PAGES = 24  # a short log, so that many checkpoints happen
_START = Instant.parse("2026-11-21T15:00:00Z")
_CATEGORIES = ("FCML", "FCMF", "MKTL")
_SIZES = (1, 1, 1, 1, 1, 2, 3, 8, 40)
_SECRET = bytes(range(32))


class Hands:
    """Be a clock that stands where it was put."""

    def __init__(self, at: Instant = _START) -> None:
        self.at = at

    def now(self) -> Instant:
        """Give the instant it was put to."""
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Hold one commit: the disk operations at which it began and at which it was kept, the state, records so far."""

    begun: int
    kept: int
    state: DeviceState | None
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold that a command was answered: the disk operation at which it was, and what had been evidenced by then.

    `job` is empty where it was no evidence; `ended` holds the sealed keys that had been destroyed by then.
    """

    at: int
    command: bytes
    job: str
    spent: Mills
    ended: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Hold an evidence command and its answer."""

    command: bytes
    answer: bytes
    amount: Mills


class Watched:
    """Wrap the device's memory and write down its commits."""

    def __init__(self, inner: Memory, tell: Callable[[Sequence[Change], Callable[[], None]], None]) -> None:
        self._inner, self._tell = inner, tell

    def load(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, DeviceState]:
        """Give the states of the devices that are kept."""
        return self._inner.load(ids)

    def commit(self, changes: Sequence[Change]) -> None:
        """Keep the changes and tell when it began and ended."""
        self._tell(changes, lambda: self._inner.commit(changes))

    def record(self, device: DeviceId, *, kind: str, request_id: str) -> Record | None:
        """Give the record of a request, or None."""
        return self._inner.record(device, kind=kind, request_id=request_id)

    def records(self, device: DeviceId) -> Iterable[Record]:
        """Give all records of a device, oldest first."""
        return self._inner.records(device)

    def forget_keys(self) -> None:
        """Leave no older copy of a state behind."""
        self._inner.forget_keys()

    def close(self) -> None:
        """Let go of the store."""
        self._inner.close()


def slots(life: int = 0) -> SoftwareSlots:
    """Give key slots that repeat; each life draws keys of its own."""
    return SoftwareSlots(lambda: _SECRET, SeededRandomness(7, f"device {life}"))


class _Desk:
    """Take an order that is meant for the device, to be handed in when the mailer gets to it."""

    def __init__(self, client: DeviceClient) -> None:
        self.identify, self.sealed = client.identify, b""

    def certify(self, sealed: bytes) -> None:
        self.sealed = sealed


class Mailer:
    """Work with one device over several lives; each begins on what a power cut left of the last one."""

    def __init__(self, dice: Dice, disk: ForgetfulDisk) -> None:
        self.dice, self.disk, self.clock = dice, disk, Hands()
        self.workshop = Workshop(_START)
        self.records: list[Record] = []
        self.jobs: dict[str, Job] = {}
        self.commits = [Commit(begun=0, kept=0, state=None, records=0)]
        self.answers: list[Answer] = []
        self.spent = Mills(0)
        self.ended: frozenset[bytes] = frozenset()
        self._lives = 0
        self._post: tuple[str, bytes] | None = None
        self._names = 0
        self._again: bytes | None = None  # the command whose answer the last cut took away

    # the life of the device

    def be_born(self) -> None:
        """Manufacture, commission and fund the device, and evidence the first piece."""
        store = SqliteMemory(STORE, create=True, vfs=self.disk.vfs, checkpoint_pages=CHECKPOINT_PAGES)
        self._memory = Watched(store, self._committed)
        manufacture(self._memory, **self.workshop.birth(DEVICE))
        self._switch_on()
        self.workshop.commission(self.client, DEVICE, self.clock.at)
        self.workshop.reset(self.client, DEVICE, Mills.dollars(200), self.clock.at)
        self._evidence()

    def switch_off(self) -> None:
        """Switch the device off as it should be."""
        self.device.close()

    def answers_so_far(self, count: int) -> list[str]:
        """Name the jobs that were acknowledged when so many answers had been given in this life, or in earlier ones."""
        later = {row.job for row in self.answers[count:]}
        return [name for name in self.jobs if name not in later]

    def one_more(self) -> bytes:
        """Give the command for one more piece of one mill, under a name of its own."""
        day = self.clock.at.date_in("America/New_York").isoformat()
        command = commands.Evidence.of(
            "ONE-MORE", amounts=[1], date=day, category="FCML", mail_service=40, software_id="0001"
        )
        return commands.encode_command(command)

    def wake(self, files: Mapping[str, bytes], at: Commit, answers: int) -> None:
        """Begin a new life on what a cut left: the commit that was kept, and the answers that had been given."""
        self.device.close()  # the machine that lost its power writes no more to this disk
        self._forget_after(answers)
        self.disk.insert(files)
        self.commits = [replace(at, begun=0, kept=0)]
        del self.records[at.records :]
        self.ended = self.answers[answers - 1].ended if answers else frozenset()
        self.answers = [Answer(at=0, command=b"", job="", spent=self.spent, ended=self.ended)]
        self._open()
        if self._again is not None:
            self._ask(self._again)

    def _forget_after(self, answers: int) -> None:
        for row in self.answers[answers:]:
            if row.job:
                self.spent -= self.jobs.pop(row.job).amount
            if type(commands.decode_command(row.command)) in (commands.RequestReset, commands.Audit, commands.Rekey):
                self._post = None
            self._again = row.command

    def _open(self) -> None:
        store = SqliteMemory(STORE, vfs=self.disk.vfs, checkpoint_pages=CHECKPOINT_PAGES)
        self._memory = Watched(store, self._committed)
        self._switch_on()

    def _switch_on(self) -> None:
        self._lives += 1
        self.device = Device(self._memory, DEVICE, slots=slots(self._lives), clock=self.clock)
        self.client = DeviceClient(self.device)

    def _committed(self, changes: Sequence[Change], do: Callable[[], None]) -> None:
        begun = len(self.disk.operations)
        do()
        (change,) = changes
        self.records += change.records
        kept = len(self.disk.operations)
        self.commits.append(Commit(begun=begun, kept=kept, state=change.state, records=len(self.records)))

    # one step of work

    def work(self) -> None:
        """Do one drawn piece of work: one command, or switching the device off and on."""
        self.clock.at = self.clock.at.plus(microseconds=1_000_000)
        if self._post is not None and self.dice.random() < 0.7:
            self._deliver(*self._post)
            return
        steps = (self._evidence, self._request, self._audit, self._reprint, self._rekey, self._off_and_on)
        self.dice.choices(steps, _ODDS)[0]()

    def end(self) -> None:
        """End the service: give the balance back and have the keys destroyed. An open reset keeps it in service."""
        order = self.workshop.seal(DEVICE, bodies.Withdraw(reason="returned"), self.clock.at)
        if self._ask(commands.encode_command(commands.Withdraw(message=order))) is not None:
            self._ask(commands.encode_command(commands.Zeroise(confirm=DEVICE)))

    def _ask(self, raw: bytes) -> object | None:
        """Send a command; give the answer, or None where the device refused it."""
        before = self.commits[-1].state
        command, answer = commands.decode_command(raw), self.device.exchange(raw)
        self._again = None
        try:
            done = commands.decode_answer(answer)
        except Refused:
            return None
        job = ""
        if isinstance(command, commands.Evidence) and command.request_id not in self.jobs:
            job = command.request_id
            amount = Mills(sum(struct.unpack(f"<{command.count}I", command.amounts)))
            self.jobs[job] = Job(command=raw, answer=answer, amount=amount)
            self.spent += amount
        self.ended |= _keys(before) - _keys(self.commits[-1].state)
        at = len(self.disk.operations)
        self.answers.append(Answer(at=at, command=raw, job=job, spent=self.spent, ended=self.ended))
        return done

    def _evidence(self) -> None:
        self._names += 1
        count = self.dice.choice(_SIZES)
        command = commands.Evidence.of(
            f"JOB-{self._names}",
            amounts=[self.dice.randrange(1, 900) for _ in range(count)],
            date=self.clock.at.date_in("America/New_York").isoformat(),
            category=[self.dice.choice(_CATEGORIES) for _ in range(count)],
            mail_service=40,
            software_id="0001",
        )
        self._ask(commands.encode_command(command))

    def _request(self) -> None:
        amount = Mills.dollars(self.dice.choice((20, 60, 150)))
        done = self._ask(commands.encode_command(commands.RequestReset(amount=amount)))
        if isinstance(done, commands.Done):
            opened = self.workshop.open(DEVICE, self.client, done.message)
            self._post = ("reset", self.workshop.authorisation(DEVICE, opened, self.clock.at))

    def _audit(self) -> None:
        done = self._ask(commands.encode_command(commands.Audit()))
        if isinstance(done, commands.Done):
            opened = self.workshop.open(DEVICE, self.client, done.message)
            self._post = ("renewal", self.workshop.renewal(DEVICE, opened, self.clock.at))

    def _rekey(self) -> None:
        done = self._ask(commands.encode_command(commands.Rekey()))
        if isinstance(done, commands.Done):
            report, desk = self.workshop.open(DEVICE, self.client, done.message).body, _Desk(self.client)
            assert isinstance(report, bodies.DeviceKeyReport)
            told = cast("DeviceClient", desk)
            self.workshop.certify_next(told, DEVICE, self.clock.at, indicia=report.indicia_public)
            self._post = ("certificates", desk.sealed)

    def _deliver(self, what: str, sealed: bytes) -> None:
        command: commands.Command
        if what == "reset":
            command = commands.ApplyReset(message=sealed)
        elif what == "renewal":
            command = commands.Contact(message=sealed)
        else:
            command = commands.Certify(message=sealed)
        self._ask(commands.encode_command(command))
        if self.dice.random() < 0.8:
            self._post = None

    def _reprint(self) -> None:
        if self.jobs:
            job = self.dice.choice(sorted(self.jobs))
            self._ask(commands.encode_command(commands.Reprint(request_id=job, offsets=(0,))))

    def _off_and_on(self) -> None:
        self.device.close()
        self._open()


_ODDS = (68, 7, 6, 4, 2, 3)


def _keys(state: DeviceState | None) -> frozenset[bytes]:
    held = () if state is None else (state.indicia_key, state.message_key, state.next_key)
    return frozenset(key.sealed for key in held if key is not None)
