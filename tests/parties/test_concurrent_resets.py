"""Many devices are reset from one account at once, through the Provider's own door: exact, and never over the cap."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, MAILROOM
from tests.parties.hand import Hand, Puppet

from towncircle.kernel.ids import DeviceId, RequestId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.ledger import Books
from towncircle.testing.dice import dice_for
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire import bodies
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World

PROCESSES = 4
CLIENTS, EACH = 64, 10 if os.environ.get("CI") else 2
DEPOSIT = Mills.dollars(CLIENTS * EACH * 12)  # not enough for all: each asks for some $20
FIRST_SERIAL = 700


class Client:
    """A device that is reset again and again, and says what it holds."""

    def __init__(self, puppet: Puppet) -> None:
        self.puppet, self.counter, self.held, self.refused = puppet, 0, ZERO, 0

    def reset(self, number: int, amount: Mills, *, twice: bool) -> None:
        """Ask, apply and acknowledge; an answer that was lost is asked for again in the same bytes."""
        request = RequestId.new(SeededRandomness(number, f"request {self.puppet.device}"))
        registers = bodies.Registers(ascending=ZERO, descending=self.held, pieces=0)
        audit = self.puppet.audit(registers=registers, resets_total=self.held, open_request=request, open_amount=amount)
        self.counter += 1
        wanted = bodies.ResetRequest(request_id=request, amount=amount, audit=audit)
        answers = [self.puppet.say(wanted, counter=self.counter) for _ in range(2 if twice else 1)]
        if not isinstance(answers[0], bodies.ResetAuthorisation):
            assert all(isinstance(one, bodies.ResetRefusal) for one in answers), answers
            self.refused += 1
            return
        self.held = Mills(self.held + amount)
        applied = bodies.ResetAcknowledgment(
            request_id=request,
            amount=amount,
            registers=bodies.Registers(ascending=ZERO, descending=self.held, pieces=0),
            resets_total=self.held,
        )
        self.counter += 1
        assert isinstance(self.puppet.say(applied, counter=self.counter), bodies.AccountStatement)


def puppet_in(world: World, serial: int) -> Puppet:
    """Give a puppet that was leased before, in another opening of its world."""
    return Puppet(Hand(world), HARBOR, MAILROOM, serial, known=True)


def opened(folder: Path) -> World:
    return World.open(folder, Wiring(make_port=in_process(folder), only=(HARBOR,)))


def work(folder: str, part: int, answers: object) -> None:
    world = opened(Path(folder))
    clients = [Client(puppet_in(world, FIRST_SERIAL + at)) for at in range(part, CLIENTS, PROCESSES)]
    for number in range(EACH):
        for client in clients:
            dice = dice_for("resets", client.puppet.device, number)
            client.reset(number, Mills(dice.randrange(10_000, 30_000)), twice=dice.random() < 0.1)
    world.close()
    answers.put({str(one.puppet.device): (int(one.held), one.refused) for one in clients})  # type: ignore[attr-defined]


@pytest.fixture
def leased(world: World, hand: Hand, journeys: Journeys) -> Path:
    """Give the folder of a world with the puppets on its Provider's books, and money on their account."""
    journeys.deposit(DEPOSIT)
    for at in range(CLIENTS):
        Puppet(hand, HARBOR, MAILROOM, FIRST_SERIAL + at)
    world.close()
    return world.folder


def test_sixty_four_devices_are_reset_from_one_account_to_the_cent(leased: Path) -> None:
    start = multiprocessing.get_context("fork")
    answers = start.Queue()
    workers = [start.Process(target=work, args=(str(leased), part, answers)) for part in range(PROCESSES)]
    for worker in workers:
        worker.start()
    told: dict[str, tuple[int, int]] = {}
    for _ in workers:
        told |= answers.get(timeout=300)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    taken, refused = sum(held for held, _ in told.values()), sum(one for _, one in told.values())
    assert len(told) == CLIENTS
    assert refused > 0
    world = opened(leased)
    with world.store(HARBOR).reading() as view:
        books = Books(view)
        books.check()
        assert books.balance(f"account/{MAILROOM}") == DEPOSIT - Mills(taken)
        assert books.equation(MAILROOM).difference == ZERO
        for device, (held, _) in told.items():
            row = view.get("device", device)
            assert row is not None
            assert (row.body["resets_total"], row.body["open_reset"]) == (held, "")
    world.close()
    assert DEPOSIT - Mills(taken) < Mills.dollars(30)  # and nothing was refused that the account held


def clone(folder: str, request: str, dollars: int, answers: object) -> None:
    world = opened(Path(folder))
    answer = puppet_in(world, FIRST_SERIAL).ask_reset(request, Mills.dollars(dollars), counter=1)
    world.close()
    answers.put((type(answer).__name__, getattr(answer, "code", "")))  # type: ignore[attr-defined]


def test_of_two_resets_at_once_that_together_pass_the_cap_one_is_refused(leased: Path) -> None:
    start = multiprocessing.get_context("fork")
    answers = start.Queue()
    asked = [(str(RequestId.new(SeededRandomness(dollars, "clone"))), dollars) for dollars in (300, 250)]
    workers = [start.Process(target=clone, args=(str(leased), *one, answers)) for one in asked]
    for worker in workers:
        worker.start()
    told = sorted(answers.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join()
    assert [kind for kind, _ in told].count("ResetAuthorisation") == 1, told
    world = opened(leased)
    with world.store(HARBOR).reading() as view:
        device = DeviceId.of(vendor="TC", model="1A", serial=FIRST_SERIAL)
        rows = [row for row in view.find("reset") if row.body["device"] == device]
    world.close()
    assert sorted(row.body["state"] for row in rows if row.body["state"] != "refused") == ["reserved"]
