"""Many clients refill at once from one account: exact to the cent, and never over the cap."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.psd.setting import Story

from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.ledger import Books
from towncircle.ledger.recipes import deposit_received, reset_posted, reset_reserved
from towncircle.storage.sqlite import SqliteStore
from towncircle.testing.dice import dice_for
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import World

AT = Instant.parse("2026-11-21T15:00:00Z")
LICENSEE, PROVIDER = "licensee.mailroom", "provider.harbor"
PROCESSES, THREADS = 4, 16
REFILLS = 5000
DEPOSIT, CAP = Mills.dollars(25_000), Mills.dollars(1_000)
SHARED = Path("/dev/shm")  # a disk in memory where there is one: this is about clients, not about syncs


@pytest.fixture
def store_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=SHARED if SHARED.is_dir() else None) as place:
        path = Path(place) / "store.sqlite"
        store = SqliteStore(path, create=True)
        with store.transaction() as tx:
            Books(tx).post(deposit_received(deposit_id="DEP-1", licensee=LICENSEE, amount=DEPOSIT, at=AT))
        store.close()
        yield path


def device_of(client: int) -> str:
    return DeviceId.of(vendor="TC", model="1A", serial=client + 1)


def commit(store: SqliteStore, *, client: int, number: int, amount: Mills, posted: bool, cap: Mills = CAP) -> bool:
    """Post one entry in a transaction of its own, asking again while the store is busy; tell whether it was taken."""
    names = {"request_id": f"REQ-{client}-{number}", "licensee": LICENSEE, "device": device_of(client), "at": AT}
    while True:
        try:
            with store.transaction() as tx:
                entry = reset_posted if posted else reset_reserved
                extra = {} if posted else {"cap": cap}
                Books(tx).post(entry(amount=amount, **names, **extra))  # type: ignore[arg-type, operator]
        except Refused as refusal:
            if refusal.code == "storage.busy":
                continue
            if refusal.code in ("ledger.insufficient-funds", "ledger.floor", "ledger.ceiling"):
                return False
            raise
        return True


def refill(path: Path, client: int, times: int) -> tuple[int, int]:
    """Be one client: draw amounts, ask for each, sometimes twice under its id; give what was taken and refused."""
    store, dice = SqliteStore(path), dice_for("refills", client)
    taken = refused = 0
    for number in range(times):
        amount = Mills(dice.randrange(1_000, 10_000))
        if not commit(store, client=client, number=number, amount=amount, posted=False):
            refused += 1
            continue
        for _ in range(2 if dice.random() < 0.02 else 1):  # a lost answer: the same request once more
            commit(store, client=client, number=number, amount=amount, posted=True)
        taken += int(amount)
    store.close()
    return taken, refused


def clients_of(path: Path, process: int, sent: multiprocessing.SimpleQueue[list[tuple[int, int]]]) -> None:
    mine = range(process * THREADS, (process + 1) * THREADS)
    share = [REFILLS // 64 + (client < REFILLS % 64) for client in range(64)]
    with ThreadPoolExecutor(THREADS) as pool:
        sent.put(list(pool.map(lambda client: refill(path, client, share[client]), mine)))


def test_64_clients_and_5000_refills_of_one_account_are_exact_to_the_cent(store_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    sent: multiprocessing.SimpleQueue[list[tuple[int, int]]] = context.SimpleQueue()
    children = [context.Process(target=clients_of, args=(store_path, number, sent)) for number in range(PROCESSES)]
    for child in children:
        child.start()
    results = [row for _ in children for row in sent.get()]
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * PROCESSES
    taken, refused = sum(row[0] for row in results), sum(row[1] for row in results)
    assert len(results) == 64
    assert refused > 0  # more was asked for than was there
    store = SqliteStore(store_path)
    with store.reading() as view:
        books = Books(view)
        books.check()
        sums = books.sums(LICENSEE)
        assert books.equation(LICENSEE).difference == 0
        entries = books.entries()
    store.close()
    assert sums["account"] == DEPOSIT - Mills(taken)
    assert 0 <= sums["account"] < 10_000
    assert sums["descending"] == taken
    assert sums["in-transit"] == 0
    reserved = [entry for entry in entries if entry.recipe == "reset-reserved"]
    assert len(reserved) + refused == REFILLS
    assert len([entry for entry in entries if entry.recipe == "reset-posted"]) == len(reserved)


@pytest.mark.parametrize("_round", range(8))
def test_of_two_resets_in_flight_that_together_pass_the_cap_one_is_refused(store_path: Path, _round: int) -> None:
    start = threading.Barrier(2)

    def ask(number: int) -> bool:
        store = SqliteStore(store_path)
        start.wait()
        taken = commit(store, client=0, number=number, amount=Mills.dollars(300), posted=False, cap=Mills.dollars(500))
        store.close()
        return taken

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, (1, 2))) == [False, True]


def test_the_device_has_one_reset_in_flight_and_holds_the_cap_itself() -> None:
    story = Story()
    story.commission()
    first = story.client.request_reset(Mills.dollars(300))
    with pytest.raises(Refused, match=r"psd\.reset-open"):
        story.client.request_reset(Mills.dollars(250))
    opened = story.workshop.open(story.name, story.client, first.message)
    story.client.apply_reset(story.workshop.authorisation(story.name, opened, story.now))
    with pytest.raises(Refused, match=r"psd\.over-cap"):
        story.client.request_reset(Mills.dollars(250))
    again = story.workshop.authorisation(
        story.name, opened, story.now, request_id="REQ-OTHER", amount=Mills.dollars(250)
    )
    with pytest.raises(Refused, match=r"psd\.reset-unknown"):
        story.client.apply_reset(again)
    assert story.state().registers.descending == Mills.dollars(300)


def test_64_deliveries_of_one_request_at_once_reserve_once_and_get_one_answer(tmp_path: Path) -> None:
    World.create(tmp_path / "world", regime="imi-2024", seed=5, start=AT).close()
    world = World.open(tmp_path / "world")
    try:
        journeys = Journeys(world, LICENSEE)
        journeys.apply(Applicant(), provider=PROVIDER)
        journeys.lease()
        journeys.deposit(Mills.dollars(1000))
        with world.shelf.client(journeys.device) as client:
            request = client.request_reset(Mills.dollars(300)).message
        desk = world.desk(PROVIDER)
        with ThreadPoolExecutor(64) as pool:
            answers = set(pool.map(desk.receive, [request] * 64))
        assert len(answers) == 1
        with world.shelf.client(journeys.device) as client:
            client.apply_reset(answers.pop())
        journeys.settle()
        with world.store(PROVIDER).reading() as view:
            books = Books(view)
            books.check()
            money = books.device(LICENSEE, journeys.device)
            assert books.balance(f"account/{LICENSEE}") == Mills.dollars(700)
        assert (money.in_transit, money.descending) == (0, Mills.dollars(300))
    finally:
        world.close()
