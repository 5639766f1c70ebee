"""The plain debit: evidence of one piece, decided in plain numbers, for one device or for a hundred in one pass.

Here: what a debit reads of a device (`Standing`), what the commands of one instant have in common (`Round`), and the
change that comes of it (`Debit`). Not here: refusals and all that is not plain, which `automaton` decides and words;
the law of the registers (`registers`), layouts (`indicia`), signatures and stores.
Kept: there is one copy of each rule: law, certificate, deadline, dates, usage and contents are the functions that a
batch passes through. What they would refuse is not refused here: None sends the command the general way. A debit's
bytes, in the answer and in the store, are those of the general way; tests compare the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date
from functools import lru_cache, partial

from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.psd import codec, commands, contact, frames, items, services, software, states
from towncircle.psd.columns import Column, host_fields
from towncircle.psd.evidencing import EVIDENCE, certificate_in_force, check_dates, check_name, merged_within
from towncircle.psd.indicia import Plan, Same, lay_one, plan_of, row_of
from towncircle.psd.keys import KeySlots
from towncircle.psd.memory import Record
from towncircle.psd.recent import ByIdentity
from towncircle.psd.registers import Registers, check_numbers, check_rise, debit
from towncircle.psd.sight import Numbers, Seen
from towncircle.psd.signing import Signing
from towncircle.psd.state import DeviceState, SealedKey, Usage

Moved = tuple[bytes, bytes, bytes, bytes, bytes]  # registers, counter, epoch, high water, usage, as they are stored
_Use = tuple[str, str]  # mailing date and category
_Kind = tuple[str, str, int]  # layout, zone, days in advance


def _keys(kind: type, *names: str) -> list[bytes]:
    """Give the keys under which all fields of a record are written, checking that they are named in their order."""
    held = [field.name for field in fields(kind)]
    assert [name for name in held if name in names] == list(names)
    return [items.integer(held.index(name)) for name in names]


_REGISTERS = _keys(Registers, "ascending", "descending", "pieces")
_REGISTERS[0] = items.map_head(3) + _REGISTERS[0]
_MOVING = _keys(DeviceState, "registers", "counter", "epoch", "high_water", "usage")
_MOVING_HEAD = items.map_head(5)
_USAGE = _keys(Usage, "date", "category", "count", "amount")
_USAGE[0] = items.map_head(4) + _USAGE[0]
_ANSWER = _keys(
    commands.Evidenced,
    *("request_id", "layout", "first_piece", "count", "contents", "signatures", "registers", "at"),
)
_ANSWER[0] = commands.answer_head(commands.NUMBERS[commands.Evidence]) + items.map_head(8) + _ANSWER[0]
_CASES_HELD = 1024
_ONE = _ANSWER[3] + items.integer(1) + _ANSWER[4]


class _Case:
    """Hold what the same columns come to for devices of one layout."""

    __slots__ = ("alone", "days", "plan", "same", "use")

    def __init__(self, days: Sequence[date], plan: Plan, same: Same, use: _Use) -> None:
        self.days, self.plan, self.same, self.use = days, plan, same, use
        self.alone = _MOVING[4] + items.list_head(1) + _usage_head(use)


def _case_of(layout: str, columns: tuple[Column, ...]) -> _Case | None:
    """Read columns, or give None where they are refused or are not of one piece."""
    try:
        host = host_fields(columns)
        dates, plan = host.by_name["date"], plan_of(layout)
        same, varied = plan.written(host)
        dates.spread(1), host.category.spread(1)
    except TowncircleError:
        return None
    return None if varied else _Case(host.days, plan, same, (dates.texts[0], host.categories[0]))


_CASES: dict[str, ByIdentity[tuple[Column, ...], _Case | None]] = {}  # by layout; the columns come again


class Standing:
    """Hold one device as debits see it: what none of them changes, and as numbers what each of them does.

    Raises what the general way refuses a debit for at this instant, whatever the command.
    """

    __slots__ = (
        *(
            "at",
            "counter",
            "device",
            "epoch",
            "high_water",
            "key",
            "kind",
            "layout",
            "limit",
            "registers",
            "since",
            "taken",
            "until",
        ),
        *("_after", "_base", "_before", "_law", "_row", "_rows", "_same", "_serial", "_use", "_used", "_written_epoch"),
    )

    def __init__(self, state: Seen, now: Instant, *, start: int = 0) -> None:
        """Read a state; `start` counts a start that has yet to be kept, with the first debit."""
        _check_served(state.state)
        software.check_build(state, EVIDENCE)
        granted, certificate, locks = state.granted(), certificate_in_force(state, now), contact.locks_after(state)
        assert state.indicia_key is not None
        self.key: SealedKey = state.indicia_key
        self.kind: _Kind = (granted.layout, granted.zone, contact.advance_days(state))
        self.layout = _layout(granted.layout)
        self.limit = granted.piece_limit_mills
        self.since = certificate.not_before
        self.until = certificate.not_after if locks is None else min(certificate.not_after, locks)
        self.device, self.epoch, self._serial = state.device, state.epoch + start, certificate.serial
        self._written_epoch = _MOVING[2] + items.integer(self.epoch)
        self._law, self.registers = state.limits, state.numbers
        self._base, self._row, self._same = state, bytearray(), None  # type: tuple[Seen, bytearray, Same | None]
        self.counter, self.high_water, self.taken = state.counter + start, state.high_water, False
        self._rows, self.at = state.usage, 0
        self._use: _Use | None = None
        self._used = 0, 0

    @property
    def base(self) -> Seen:
        """Give a state of this device, or a sight of it; a debit has left it as it is but for what a debit moves."""
        return self._base

    def state(self) -> DeviceState:
        """Give the state as the debits that were kept have made it."""
        base = self._base
        if self.counter != base.counter or not isinstance(base, DeviceState):
            base = self._base = self.after(self.registers, self.counter, self.high_water, self._used)
        return base

    def after(self, registers: Numbers, counter: int, high_water: Instant, used: tuple[int, int]) -> DeviceState:
        """Give the state with other numbers."""
        ascending, descending, pieces = registers
        return self._base.whole().amended(
            registers=Registers(ascending=Mills(ascending), descending=Mills(descending), pieces=pieces),
            counter=counter,
            epoch=self.epoch,
            high_water=high_water,
            usage=self._usage(used),
        )

    def _usage(self, used: tuple[int, int]) -> tuple[Usage, ...]:
        """Give the usage rows with these numbers in the one that debits add to."""
        rows, at = self._rows, self.at
        if self._use is None:
            return rows
        date, category = self._use
        row = Usage(date=date, category=category, count=used[0], amount=Mills(used[1]))
        return (*rows[:at], *([row] if row.count else ()), *rows[at + 1 :])

    def debited(self, amount: int) -> Numbers:
        """Give the registers after a debit of one piece. Raises `Refused`, `BrokenInvariant` (psd.registers-broken)."""
        ascending, descending, pieces = self.registers
        resets, withdrawn, limit = self._law
        after = debit(ascending, descending, pieces, amount=amount, count=1)
        check_numbers(*after, resets=resets, withdrawn=withdrawn, limit=limit)
        check_rise(ascending, pieces, ascending=after[0], pieces=after[2])
        return after

    def row(self, case: _Case) -> bytearray:
        """Give the row of a piece, as yet without what moves."""
        if self._same is not case.same:
            self._row, self._same = row_of(self._base, case.same, serial=self._serial), case.same
        return self._row.copy()

    def used(self, case: _Case) -> tuple[int, int]:
        """Give pieces and mills of the usage row that a debit adds to. Raises `Refused` (psd.usage-full)."""
        if self._use != case.use:
            self._turn(case)
        return self._used

    def _turn(self, case: _Case) -> None:
        """Make another usage row the one that debits add to; a new one has nothing in it yet and is not told."""
        date, category = case.use
        added = Usage(date=date, category=category, count=0, amount=ZERO)
        rows = merged_within(self._usage(self._used), [added], reported=self._base.rows_reported)
        self._rows, self._use = rows, case.use
        if len(rows) == 1:
            self.at, self._before, self._after = 0, case.alone, b""
        else:
            self.at = [(row.date, row.category) for row in rows].index(case.use)
            first, last = (b"".join(map(codec.encode, part)) for part in (rows[: self.at], rows[self.at + 1 :]))
            self._before = _MOVING[4] + items.list_head(len(rows)) + first + _usage_head(case.use)
            self._after = last
        self._used = rows[self.at].count, int(rows[self.at].amount)

    def moved(self, registers: bytes, counter: int, high_water: bytes, used: tuple[int, int]) -> Moved:
        """Give the stored form of each field that a debit moves, with its key; `high_water` has its own already."""
        integer, (count, amount) = items.integer, used
        return (
            _MOVING[0] + registers,
            _MOVING[1] + integer(counter),
            self._written_epoch,
            high_water,
            b"".join((self._before, integer(count), _USAGE[3], integer(amount), self._after)),
        )

    def take(self, kept: Debit) -> None:
        """Take note that a debit is kept."""
        self.registers, self.counter, self.high_water, self._used = kept.registers, kept.counter, kept.at, kept.used
        self.taken = True


class Debit:
    """Be the change that one debit makes: a `memory.Change`, whose records are made only for who asks for them."""

    __slots__ = (
        *("_digest", "at", "content", "counter", "device", "epoch", "expected_counter", "moved"),
        *("raw", "registers", "request_id", "response", "standing", "tail", "used"),
    )
    standing: Standing
    device: DeviceId
    expected_counter: int  # this and the next: what the store has of the device, as in `Change`
    epoch: int
    counter: int
    registers: Numbers
    at: Instant
    used: tuple[int, int]
    request_id: str
    raw: bytes  # the command
    content: bytes
    moved: Moved
    response: bytes  # as far as the signature, until there is one
    tail: bytes

    def signed(self, slots: KeySlots) -> TowncircleError | None:
        """Sign and make the answer, or give what kept it from being signed."""
        try:
            signature = Signing(slots.signer(self.standing.key), [self.content]).done()
        except TowncircleError as error:
            return error
        if isinstance(signature, TowncircleError):
            return signature
        self.sign(signature)
        return None

    def sign(self, signature: bytes) -> None:
        """Make the answer."""
        self.response += items.octets(signature) + self.tail
        self._digest = hashlib.sha256(self.raw).digest()

    @property
    def moving(self) -> bytes:
        """Give the stored form of what a debit moves, as `DeviceState.encode_moving` gives it."""
        return _MOVING_HEAD + b"".join(self.moved)

    @property
    def first_piece(self) -> int:
        """Give the number of its piece."""
        return self.registers[2]

    @property
    def command_digest(self) -> bytes:
        """Give the digest that tells this command from another one under its id."""
        return self._digest

    @property
    def state(self) -> DeviceState:
        """Give the state after it."""
        return self.standing.after(self.registers, self.counter, self.at, self.used)

    @property
    def records(self) -> tuple[Record, ...]:
        """Give the record of what it releases."""
        return (
            Record(
                kind=EVIDENCE,
                request_id=self.request_id,
                command_digest=self._digest,
                response=self.response,
                first_piece=self.registers[2],
                count=1,
            ),
        )

    def __iter__(self) -> Iterator[object]:
        return iter((self.device, self.expected_counter, self.epoch, self.state, self.records))


class Round:
    """Hold what the commands of one instant have in common, and decide each of them."""

    __slots__ = ("_at", "_cases", "_high_water", "now")

    def __init__(self, now: Instant) -> None:
        written = items.integer(now)
        self.now, self._high_water, self._at = now, _MOVING[3] + written, _ANSWER[7] + written
        self._cases: dict[tuple[_Kind, int], tuple[_Case | None, tuple[Column, ...]]] = {}

    def decide(self, standing: Standing, raw: bytes, parts: frames.OnePiece) -> Debit | None:
        """Decide the command of one piece, or give None where the general way must; nothing is changed."""
        written, start, amount, columns = parts
        case, now = self._case(standing.kind, columns), self.now
        if case is None or not standing.since <= now <= standing.until or now < standing.high_water:
            return None
        if not 0 < amount <= standing.limit:
            return None
        made = Debit()
        made.request_id = request_id = written[start:].decode()
        check_name(request_id)
        made.registers = ascending, descending, pieces = standing.debited(amount)
        count, total = standing.used(case)
        made.used = used = count + 1, total + amount
        out = standing.row(case)
        lay_one(out, case.plan, ascending, amount, descending, pieces)
        made.content = content = bytes(out)
        integer = items.integer
        first = integer(pieces)
        registers = b"".join(
            (_REGISTERS[0], integer(ascending), _REGISTERS[1], integer(descending), _REGISTERS[2], first)
        )
        made.counter = counter = standing.counter + 1
        made.moved = standing.moved(registers, counter, self._high_water, used)
        made.response = b"".join((_ANSWER[0], written, standing.layout, first, _ONE, items.octets(content), _ANSWER[5]))
        made.tail = _ANSWER[6] + registers + self._at
        made.standing, made.device, made.raw, made.at = standing, standing.device, raw, now
        made.expected_counter, made.epoch = standing.counter, standing.epoch
        return made

    def _case(self, kind: _Kind, columns: tuple[Column, ...]) -> _Case | None:
        """Give what columns come to at this instant, or None where their dates are refused now, or they ever are."""
        key = (kind, id(columns))
        held = self._cases.get(key)
        if held is not None:
            return held[0]
        layout, zone, advance_days = kind
        cases = _CASES.get(layout) or _CASES.setdefault(layout, ByIdentity(_CASES_HELD))
        case = cases.get(columns, partial(_case_of, layout))
        if case is not None:
            try:
                check_dates(case.days, self.now, zone=zone, advance_days=advance_days)
            except TowncircleError:
                case = None
        self._cases[key] = case, columns  # held, so that no other object gets its identity
        return case


@lru_cache(maxsize=16)
def _check_served(state: str) -> None:
    """Check that evidence is a service of the user's in this state. Raises `Refused`, each time."""
    services.check(services.role_at_port(services.USER, EVIDENCE), EVIDENCE)
    assert states.DEVICE.move(state, EVIDENCE).to == state


@lru_cache(maxsize=16)
def _layout(name: str) -> bytes:
    """Write what an answer tells of the layout."""
    return _ANSWER[1] + items.text(name) + _ANSWER[2]


def _usage_head(use: _Use) -> bytes:
    """Write a usage row up to its count."""
    date, category = use
    return b"".join((_USAGE[0], items.text(date), _USAGE[1], items.text(category), _USAGE[2]))
