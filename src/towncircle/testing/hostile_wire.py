"""The reset protocol over a hostile wire: `python -m towncircle.testing.hostile_wire --seed N --rounds M`.

Here: a transport that loses, doubles, delays, reorders, cuts, replays, alters and misdelivers what it carries, in both
directions and between all parties; the stories that are told over it with parties and device crashing; and the law that
must hold when everybody has been heard again. Not here: the protocol, which is the device's, the host's and the
Provider's own code (house.md 4).

The law: no reset is open, nothing is in transit, the device is not frozen, the account and the resets that the device
has applied make up the deposits to the mill, the Provider's and the Postal Service's books agree, and every message of
the story delivered once more changes nothing. `legs` count the messages and answers as they come on the wire, from 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from towncircle.kernel.errors import Refused, TowncircleError
from towncircle.kernel.money import Mills
from towncircle.ledger import POSTAL, Books
from towncircle.psd.commands import Evidence
from towncircle.testing.dice import Dice, dice_for
from towncircle.testing.sandbox import LICENSEE, PROVIDER, START, CrashError, Sandbox
from towncircle.transport import Transport
from towncircle.wire.message import peek
from towncircle.world.clock import WorldClock

FAULTS = ("lost", "doubled", "delayed", "reordered", "cut", "replayed", "altered", "misdelivered")
_PARTIES = ("provider.harbor", "provider.summit", "postal.usps", "bank.lockbox")
_DEPOSIT = Mills.dollars(1000)
Plan = Callable[[int], str]


class BrokenLawError(Exception):
    """Tell which part of the law did not hold."""


class HostileWire:
    """Carry messages, each leg with the fault that the plan gives it (empty: none)."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.begin(lambda _leg: "")

    def begin(self, plan: Plan) -> None:
        """Forget everything that was sent, and follow another plan."""
        self.plan = plan
        self.legs = 0
        self.sent: list[tuple[str, bytes]] = []
        self.answers: list[bytes] = []
        self._late: list[tuple[str, bytes]] = []
        self._next: list[tuple[str, bytes]] = []
        self.met: list[str] = []

    def send(self, audience: str, raw: bytes) -> bytes:
        """Carry a message and its answer. Raises `Refused` (transport.unreachable) where one does not arrive."""
        fault = self._fault()
        self.sent.append((audience, raw))
        if fault in ("lost", "delayed", "reordered"):
            if fault != "lost":
                (self._late if fault == "delayed" else self._next).append((audience, raw))
            raise Refused("transport.unreachable", audience=audience, what="the message is lost")
        if fault in ("doubled", "replayed"):
            for earlier in self.sent[-1:] if fault == "doubled" else self.sent[:-1]:
                self._carry(*earlier)
        to = _another(audience) if fault == "misdelivered" else audience
        answer = self._carried(to, _damaged(raw, fault))
        for waiting in self._taken(self._next):
            self._carry(*waiting)
        return self._back(audience, answer)

    def _back(self, audience: str, answer: bytes) -> bytes:
        fault = self._fault()
        earlier = self.answers[-1] if self.answers else b""
        self.answers.append(answer)
        if fault in ("lost", "delayed", "reordered") or (fault in ("misdelivered", "replayed") and not earlier):
            raise Refused("transport.unreachable", audience=audience, what="the answer is lost")
        return earlier if fault in ("misdelivered", "replayed") else _damaged(answer, fault)

    def deliver_late(self) -> None:
        """Deliver what was delayed."""
        for waiting in (*self._taken(self._next), *self._taken(self._late)):
            self._carry(*waiting)

    def deliver_again(self) -> None:
        """Deliver every message of the story once more."""
        for message in tuple(self.sent):
            self._carry(*message)

    def _fault(self) -> str:
        self.legs += 1
        fault = self.plan(self.legs)
        if fault:
            self.met.append(f"leg {self.legs} {fault}")
        return fault

    def _carried(self, audience: str, raw: bytes) -> bytes:
        try:
            return self._inner.send(audience, raw)
        except CrashError as crash:
            raise Refused("transport.unreachable", audience=audience, what="its process has ended") from crash

    def _carry(self, audience: str, raw: bytes) -> None:
        """Carry a stray message; nobody waits for its answer."""
        try:
            self._carried(audience, raw)
        except Refused as refusal:
            if refusal.code != "transport.unreachable":
                raise

    @staticmethod
    def _taken(queue: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        taken = list(queue)
        queue.clear()
        return taken


def _damaged(raw: bytes, fault: str) -> bytes:
    if fault == "cut":
        return raw[: len(raw) // 2]
    if fault == "altered":
        at = len(raw) // 3
        return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
    return raw


def _another(audience: str) -> str:
    return _PARTIES[(_PARTIES.index(audience) + 1) % len(_PARTIES)] if audience in _PARTIES else _PARTIES[0]


class Stage:
    """Tell stories over the hostile wire, each from the same beginning."""

    def __init__(self, folder: Path, *, seed: int = 3) -> None:
        self._wires: list[HostileWire] = []
        self.sandbox = Sandbox(folder, seed=seed, around=self._around)
        self.fuse, self.journeys = self.sandbox.fuse, self.sandbox.journeys
        self._back = self.sandbox.mark()
        self.spent = 0

    @property
    def wire(self) -> HostileWire:
        """Give the wire of the world."""
        return self._wires[-1]

    def _around(self, inner: Transport) -> Transport:
        self._wires.append(HostileWire(inner))
        return self.wire

    def rewind(self) -> None:
        """Put everything back to the beginning: a device with $100, $900 in the account."""
        self.fuse.arm()
        self.wire.begin(lambda _leg: "")
        self._back()
        self.spent = 0
        clock = self.sandbox.world.clock
        if clock.now() != START:
            WorldClock.start(clock.path, START)

    def tell(self, plan: Mapping[int, str], crash_at: int = 0) -> tuple[int, int]:
        """Tell the story of one reset with these faults by leg and a crash; give the legs and crash points it had.

        Raises `BrokenLawError`.
        """
        self.rewind()
        self.wire.begin(lambda leg: plan.get(leg, ""))
        self.fuse.arm(lambda count: count == crash_at)
        done = self.attempt(lambda: self.journeys.reset(Mills.dollars(50)))
        self.attempt(self.journeys.settle)
        told = (self.wire.legs, len(self.fuse.passed))
        self.settle()
        applied = self.sandbox.memory().load([self.sandbox.device])[self.sandbox.device].resets_total
        _demand(
            applied in ({Mills.dollars(150)} if done else {Mills.dollars(100), Mills.dollars(150)}), f"{applied} is set"
        )
        return told

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do something that a fault or a crash may end; tell whether it came to its end."""
        try:
            act()
        except CrashError:
            return False
        except TowncircleError as error:
            if error.kind == "broken":
                raise
            return False
        return True

    def settle(self) -> None:
        """Let everybody be heard, and check the law. Raises `BrokenLawError`."""
        self.fuse.arm()
        self.wire.plan = lambda _leg: ""
        self.wire.deliver_late()
        self._strays()
        self.attempt(self.journeys.settle)  # what was cut off may be refused once, as overtaken
        self.journeys.settle()
        self.check()
        before = self._told()
        self.wire.deliver_again()
        self._strays()
        _demand(self._told() == before, "a message delivered again changed something")

    def _strays(self) -> None:
        """Bring every answer of the Provider to the device once more."""
        for raw in tuple(self.wire.answers):
            if peek(raw, limit=len(raw)).audience.startswith("device."):
                with self.sandbox.world.shelf.client(self.sandbox.device) as client:
                    self.attempt(lambda raw=raw, client=client: client.apply_reset(raw))  # type: ignore[misc]
                    self.attempt(lambda raw=raw, client=client: client.contact(raw))  # type: ignore[misc]

    def _told(self) -> tuple[object, ...]:
        state = self.sandbox.memory().load([self.sandbox.device])[self.sandbox.device]
        with self.sandbox.store(PROVIDER).reading() as view:
            balances = Books(view).balances()
        return (state.registers, state.resets_total, state.open_reset, balances)

    def check(self) -> None:
        """Check the law. Raises `BrokenLawError`."""
        device = self.sandbox.device
        state = self.sandbox.memory().load([device])[device]
        state.check()
        _demand(state.open_reset is None, "the device's reset is still open")
        _demand(state.registers.ascending == self.spent, "the ascending register is not what was evidenced")
        with self.sandbox.store(PROVIDER).reading() as view:
            row, books = view.get("device", device), Books(view)
            _demand(row is not None and not row.body["frozen"], "the device is frozen")
            _demand(row is not None and not row.body["open_reset"], "the Provider's reset is still open")
            books.check()
            money, account = books.device(LICENSEE, device), books.balance(f"account/{LICENSEE}")
            _demand(books.equation(LICENSEE).difference == 0, "the money equation does not hold")
        _demand(money.in_transit == 0, f"{money.in_transit} is in transit")
        _demand(money.control_total == state.registers.control_total, "the Provider's books are not the device's")
        _demand(account + state.resets_total == _DEPOSIT, f"{account} and {state.resets_total} are not {_DEPOSIT}")
        with self.sandbox.store("postal.usps").reading() as view:
            filed = Books(view, POSTAL).balance(f"postage-set/{PROVIDER}/{LICENSEE}")
        _demand(filed == state.resets_total, f"{filed} is filed with the Postal Service, {state.resets_total} is set")

    # long stories

    def wander(self, dice: Dice, acts: int) -> None:
        """Tell a long story: drawn acts, faults on one leg in six, a crash at one point in forty. Raises as `tell`."""
        self.rewind()
        for number in range(acts):
            self.wire.begin(lambda _leg: dice.choice(FAULTS) if dice.random() < 1 / 6 else "")
            self.fuse.arm(lambda _count: dice.random() < 1 / 40)
            for again in range(dice.randint(1, 4)):
                self._act(dice, f"JOB-{number}-{again}")
            self.settle()
            if dice.random() < 1 / 3:
                self.sandbox.world.clock.advance(dice.choice(("1s", "1h", "20h")))

    def _act(self, dice: Dice, job: str) -> None:
        match dice.randrange(5):
            case 0 | 1:
                self.attempt(lambda: self.journeys.reset(Mills.dollars(dice.choice((1, 5, 20)))))
            case 2:
                self.attempt(self.journeys.contact)
            case 3:
                self.attempt(self.journeys.settle)
            case _:
                self._spend(job, dice.randrange(1, 5000))

    def _spend(self, name: str, mills: int) -> None:
        """Evidence a piece, asking again until an answer comes: its id makes that safe."""
        day = self.sandbox.world.clock.now().date_in("America/New_York").isoformat()
        command = Evidence.of(name, amounts=[mills], date=day, category="FCML", mail_service=40, software_id="0001")

        def ask() -> None:
            with self.sandbox.world.shelf.client(self.sandbox.device) as client:
                self.spent = max(self.spent, int(client.evidence(command).registers.ascending))

        while not self.attempt(ask) and self._unsure(name):
            continue

    def _unsure(self, name: str) -> bool:
        """Tell whether the device may hold the job, or could not be asked."""
        answers: list[str] = []

        def ask() -> None:
            try:
                with self.sandbox.world.shelf.client(self.sandbox.device) as client:
                    client.recover(name)
            except Refused as refusal:
                answers.append(refusal.code)

        self.attempt(ask)
        return answers in ([], ["psd.unreachable"])


def _demand(ok: bool, what: str) -> None:  # noqa: FBT001 - the outcome of a question
    if not ok:
        raise BrokenLawError(what)


def run(argv: list[str]) -> int:
    """Run the soak and give its exit code: 0 the law held, 1 it did not."""
    parser = argparse.ArgumentParser(prog="towncircle.testing.hostile_wire", description="Long stories, drawn.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=100, metavar="M")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="ROUND")
    parser.add_argument("--acts", type=int, default=20)
    args = parser.parse_args(argv)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        stage = Stage(Path(place) / "world")
        for number in range(args.first, args.first + args.rounds):
            try:
                stage.wander(dice_for("hostile wire", args.seed, number), args.acts)
            except (BrokenLawError, TowncircleError) as error:
                sys.stdout.write(f"seed {args.seed} round {number}: {error}\n{stage.wire.met}\n")
                return 1
            sys.stdout.write(f"seed {args.seed} round {number}: well, {time.perf_counter() - began:.0f} s\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
