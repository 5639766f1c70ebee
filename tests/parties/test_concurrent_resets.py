"""Many devices are reset from one account at once, through the Provider's own door: exact, and never over the cap."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.stories import HARBOR, MAILROOM
from tests.parties.hand import Hand, Puppet

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId, RequestId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.ledger import Books
from towncircle.ledger.recipes import reset_reserved
from towncircle.provider import resetting
from towncircle.testing.dice import dice_for
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire import bodies
from towncircle.wire.shape import Body
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World

PROCESSES, CLIENTS = 2, 64
EACH = 80 if os.environ.get("CI") else 8
SHORT = 1_600  # dollars; by so much less than all ask for is on the account
LEAST = 5_000 if os.environ.get("CI") else 400  # refills that pass the door
HELD = Mills.dollars(400)  # who holds so much prints for it before the next reset: the cap is $500
FIRST_SERIAL = 700
BUSY = "storage.busy"


@contextmanager
def suppress_busy() -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        if refusal.code != BUSY:
            raise


class Client:
    """A device that is reset again and again, prints in between, and says what it holds."""

    def __init__(self, puppet: Puppet) -> None:
        self.puppet, self.counter, self.resets, self.refused = puppet, 0, 0, 0
        self.used, self.held = ZERO, ZERO

    def reset(self, number: int, amount: Mills, *, twice: bool) -> None:
        """Ask, apply and acknowledge; an answer that was lost is asked for again in the same bytes."""
        request = RequestId.new(SeededRandomness(number, f"request {self.puppet.device}"))
        if self.held > HELD:
            self.used, self.held = Mills(self.used + self.held), ZERO
        wanted = self.puppet.audit(**self.told(), open_request=request, open_amount=amount)
        asked = bodies.ResetRequest(request_id=request, amount=amount, audit=wanted)
        self.counter += 1
        answers = [self.say(asked) for _ in range(2 if twice else 1)]
        assert all(answer == answers[0] for answer in answers), answers
        if isinstance(answers[0], bodies.ResetRefusal):
            assert answers[0].code == "ledger.insufficient-funds", answers
            self.refused += 1
            return
        assert isinstance(answers[0], bodies.ResetAuthorisation), answers
        self.held, self.resets = Mills(self.held + amount), self.resets + 1
        applied = bodies.ResetAcknowledgment(request_id=request, amount=amount, **self.told())
        self.counter += 1
        assert isinstance(self.say(applied), bodies.AccountStatement)

    def say(self, body: Body) -> Body:
        """Say it until it is answered: a store that other processes kept busy for too long is no answer."""
        for _ in range(20):
            with suppress_busy():
                answer = self.puppet.say(body, counter=self.counter)
                if not isinstance(answer, bodies.RefusedReply) or answer.code != BUSY:
                    return answer
        raise AssertionError("the store was busy for minutes")

    def told(self) -> dict[str, Any]:
        registers = bodies.Registers(ascending=self.used, descending=self.held, pieces=int(self.used) // 730)
        return {"registers": registers, "resets_total": Mills(self.used + self.held)}


def puppet_in(world: World, serial: int) -> Puppet:
    """Give a puppet that was leased before, in another opening of its world."""
    return Puppet(Hand(world), HARBOR, MAILROOM, serial, known=True)


def opened(folder: Path) -> World:
    return World.open(folder, Wiring(make_port=in_process(folder), only=(HARBOR,)))


def wishes(serial: int) -> list[tuple[Mills, bool]]:
    """Give the amounts that a client will ask for, and whether the answer is lost on the way."""
    dice = dice_for("resets", serial)
    return [(Mills(dice.randrange(10_000, 30_000)), dice.random() < 0.05) for _ in range(EACH)]


def work(folder: str, part: int, together: Barrier, answers: Any) -> None:
    """Be the clients of one process, each in a thread of its own."""
    world = opened(Path(folder))

    def live(serial: int) -> tuple[str, tuple[int, int, int, int]]:
        client = Client(puppet_in(world, serial))
        together.wait(60)  # all of them are here, or nobody begins
        for number, (amount, twice) in enumerate(wishes(serial)):
            client.reset(number, amount, twice=twice)
        return str(client.puppet.device), (int(client.used), int(client.held), client.resets, client.refused)

    mine = range(FIRST_SERIAL + part, FIRST_SERIAL + CLIENTS, PROCESSES)
    with ThreadPoolExecutor(len(mine)) as threads:
        told = dict(threads.map(live, mine))
    world.close()
    answers.put(told)


@pytest.fixture
def leased(world: World, hand: Hand, journeys: Journeys) -> Path:
    """Give the folder of a world with the puppets on its Provider's books, and money on their account."""
    journeys.deposit(DEPOSIT)
    for at in range(CLIENTS):
        Puppet(hand, HARBOR, MAILROOM, FIRST_SERIAL + at)
    world.close()
    return world.folder


ASKED = sum(int(amount) for at in range(CLIENTS) for amount, _ in wishes(FIRST_SERIAL + at))
DEPOSIT = Mills.dollars(ASKED // 1_000 - SHORT)


def test_5000_refills_of_64_clients_at_once_from_one_account_are_exact_to_the_cent(leased: Path) -> None:
    start = multiprocessing.get_context("fork")
    answers, together = start.Queue(), start.Barrier(CLIENTS)
    workers = [start.Process(target=work, args=(str(leased), part, together, answers)) for part in range(PROCESSES)]
    for worker in workers:
        worker.start()
    told: dict[str, tuple[int, int, int, int]] = {}
    for _ in workers:
        told |= answers.get(timeout=300)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    used, held, resets, refused = (sum(column) for column in zip(*told.values(), strict=True))
    assert len(told) == CLIENTS
    assert resets >= LEAST
    assert refused > 0
    assert resets + refused == CLIENTS * EACH
    world = opened(leased)
    with world.store(HARBOR).reading() as view:
        books = Books(view)
        books.check()
        assert books.balance(f"account/{MAILROOM}") == DEPOSIT - Mills(used + held)
        assert books.equation(MAILROOM).difference == ZERO
        recipes = Counter(entry.recipe for entry in books.entries(MAILROOM))
        assert (recipes["reset-reserved"], recipes["reset-posted"]) == (resets, resets)
        for device, (spent, left, _, _) in told.items():
            row = view.get("device", device)
            assert row is not None
            assert (row.body["resets_total"], row.body["open_reset"]) == (spent + left, "")
            assert books.device(MAILROOM, device).control_total == spent + left
        filed = [row for row in view.find("outgoing", owner="waiting") if row.key.startswith("transaction file")]
        assert len(filed) == resets  # each is told to the Postal Service, which nobody reaches here
    world.close()
    assert DEPOSIT - Mills(used + held) < Mills.dollars(30)  # and nothing was refused that the account held


class Pair:
    """Two openings of one world that speak for its devices at the same moment."""

    def __init__(self, folder: Path) -> None:
        self.worlds = [opened(folder), opened(folder)]
        self.together = threading.Barrier(2)

    def say(self, serial: int, *said: tuple[Body, int]) -> list[Body]:
        """Have a device say one thing at each door, or one alone; give the answers in their order."""

        def hand_in(world: World, body: Body, counter: int) -> Body:
            if len(said) > 1:
                self.together.wait(60)
            return puppet_in(world, serial).say(body, counter=counter)

        with ThreadPoolExecutor(2) as threads:
            asked = [threads.submit(hand_in, world, *one) for world, one in zip(self.worlds, said, strict=False)]
            return [one.result() for one in asked]

    def states(self, serial: int) -> list[str]:
        """Give what became of a device's resets, by their amounts."""
        device = DeviceId.of(vendor="TC", model="1A", serial=serial)
        with self.worlds[0].store(HARBOR).reading() as view:
            rows = [row.body for row in view.find("reset") if row.body["device"] == device]
        return [row["state"] for row in sorted(rows, key=lambda row: -row["amount"])]


@pytest.fixture
def pair(leased: Path) -> Iterator[Pair]:
    made = Pair(leased)
    yield made
    for world in made.worlds:
        world.close()


def asked(puppet: Puppet, name: str, dollars: int, *, open_: tuple[str, int], held: int = 0, last: str = "") -> Body:
    """Ask for a reset with the reading that a device of this story truly has."""
    reading = puppet.audit(
        registers=bodies.Registers(ascending=ZERO, descending=Mills.dollars(held), pieces=0),
        resets_total=Mills.dollars(held),
        open_request=request_id(open_[0]),
        open_amount=Mills.dollars(open_[1]),
        last_applied=request_id(last) if last else "",
    )
    return bodies.ResetRequest(request_id=request_id(name), amount=Mills.dollars(dollars), audit=reading)


def request_id(name: str) -> RequestId:
    return RequestId.new(SeededRandomness(1, name))


def in_flight(pair: Pair, serial: int, dollars: int) -> Body:
    """Have $300 in flight (the device took it, its word of it is on the way) and ask for more at the same moment."""
    puppet = puppet_in(pair.worlds[0], serial)
    (first,) = pair.say(serial, (asked(puppet, "first", 300, open_=("first", 300)), 1))
    assert isinstance(first, bodies.ResetAuthorisation)
    holds = bodies.Registers(ascending=ZERO, descending=Mills.dollars(300), pieces=0)
    applied = bodies.ResetAcknowledgment(
        request_id=request_id("first"), amount=Mills.dollars(300), registers=holds, resets_total=Mills.dollars(300)
    )
    second = asked(puppet, "second", dollars, open_=("second", dollars), held=300, last="first")
    statement, answer = pair.say(serial, (applied, 2), (second, 3))
    assert isinstance(statement, bodies.AccountStatement)
    return answer


def test_of_two_resets_in_flight_that_together_pass_the_cap_one_is_refused(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    for serial in range(FIRST_SERIAL, FIRST_SERIAL + 4):  # the two words come in either order
        over = in_flight(pair, serial, 201)
        assert isinstance(over, bodies.ResetRefusal), over
        assert (over.code, over.clause) == ("ledger.ceiling", "P050 3.6")
        assert pair.states(serial) == ["posted"]
    assert isinstance(in_flight(pair, FIRST_SERIAL + 4, 200), bodies.ResetAuthorisation)  # exactly the cap
    assert pair.states(FIRST_SERIAL + 4) == ["posted", "reserved"]
    with monkeypatch.context() as without:
        without.setattr(resetting, "reset_reserved", lambda cap, **names: reset_reserved(cap=Mills(cap * 9), **names))
        assert isinstance(
            in_flight(pair, FIRST_SERIAL + 5, 201), bodies.ResetAuthorisation
        )  # it is the cap that refuses
    assert pair.states(FIRST_SERIAL + 5) == ["posted", "reserved"]


def test_of_two_resets_asked_at_once_one_is_open_and_the_other_is_refused_however_small(pair: Pair) -> None:
    for serial, amounts in enumerate([(300, 250), (2, 1)] * 2, start=FIRST_SERIAL):
        puppet = puppet_in(pair.worlds[0], serial)
        said = [asked(puppet, f"{dollars}", dollars, open_=(f"{amounts[0]}", amounts[0])) for dollars in amounts]
        first, second = pair.say(serial, (said[0], 1), (said[1], 2))
        told = (type(first).__name__, getattr(first, "code", ""), type(second).__name__, getattr(second, "code", ""))
        assert told in (
            ("ResetAuthorisation", "", "ResetRefusal", "provider.reset-open"),
            ("ResetRefusal", "provider.stale-reading", "ResetAuthorisation", ""),  # the later word came first
        )
        assert pair.states(serial) == ["reserved"]
