"""No sequence of journeys breaks the money equation of house.md 5, and two Providers never see each other's rows.

Two mailers, each with a Provider of its own, walk drawn journeys in one world; replies get lost on the way, before or
after the receiver has acted. After every step the money that came in is found again, to the mill; at the end both
settle, the auditor finds no difference, and neither Provider's store knows anything of the other.
"""

from __future__ import annotations

import base64
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.faults.killed import audited, folder_in_memory, nothing_waits
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, SUMMIT, mailer, new_world, reopened

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import BANK as BANK_CHART
from towncircle.ledger import Books
from towncircle.mailpiece.address_files import public_addresses
from towncircle.transport import Transport
from towncircle.world.config import BANK
from towncircle.world.journeys import Journeys
from towncircle.world.world import World

PROVIDER = {MAILROOM: HARBOR, ANNEX: SUMMIT}
CAP = Mills.dollars(500)
Step = tuple[str, int]

STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("deposit"), st.integers(0, 700)),
    st.tuples(st.just("reset"), st.one_of(st.integers(0, 250), st.integers(0, 700))),
    st.tuples(st.just("print"), st.integers(1, 3)),
    st.tuples(st.just("contact"), st.just(0)),
    st.tuples(st.just("advance"), st.sampled_from([10, 25, 73])),
    st.tuples(st.just("settle"), st.just(0)),
)
# who, what, and which message on its way (counted from the step's first) gets lost, before or after it is acted on
WALKS = st.lists(
    st.tuples(
        st.sampled_from([MAILROOM, ANNEX]),
        STEPS,
        st.none() | st.tuples(st.integers(0, 4), st.sampled_from(["before", "after"])),
    ),
    min_size=3,
    max_size=12,
)


class Road:
    """A transport that loses one message, or the reply to it."""

    def __init__(self) -> None:
        self.loss: tuple[int, str] | None = None
        self._sent = 0

    def over(self, inner: Transport) -> Road:
        self._inner = inner
        return self

    def lose(self, loss: tuple[int, str] | None) -> None:
        self.loss, self._sent = loss, 0

    def send(self, audience: str, raw: bytes) -> bytes:
        number, self._sent = self._sent, self._sent + 1
        if self.loss == (number, "before"):
            raise Refused("transport.unreachable", audience=audience, what="the message was lost")
        reply = self._inner.send(audience, raw)
        if self.loss == (number, "after"):
            raise Refused("transport.unreachable", audience=audience, what="the reply was lost")
        return reply


@pytest.fixture(scope="module")
def top() -> Iterator[Path]:
    folder = folder_in_memory()
    world = new_world(folder / "template")
    for name, provider in PROVIDER.items():
        mailer(world, name, provider=provider, deposit=300, reset=100)
    world.close()
    yield folder
    shutil.rmtree(folder)


@settings(max_examples=50, deadline=None)
@given(walk=WALKS)
def test_no_sequence_of_journeys_loses_or_doubles_money(
    top: Path, walk: list[tuple[str, Step, tuple[int, str] | None]]
) -> None:
    folder = top / "walked"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(top / "template", folder)
    road = Road()
    world = reopened(folder, transport=road.over)
    try:
        for who, step, loss in walk:
            road.lose(loss)
            with suppress(Refused, BadInput):
                take(Journeys(world, who), step)
            road.lose(None)
            for name in PROVIDER:
                money_is_found(world, name)
        for name in PROVIDER:
            settled(Journeys(world, name))
        nothing_waits(Journeys(world))
        audited(Journeys(world), folder / "export")
    finally:
        world.close()
    for name, provider in PROVIDER.items():
        assert strangers(folder, provider, *(other for other in PROVIDER if other != name)) == []
        assert len(strangers(folder, provider, name)) > 10  # the search does find the mailer that is its own


def take(journeys: Journeys, step: Step) -> None:
    what, number = step
    match what:
        case "deposit":
            journeys.deposit(Mills.dollars(number))
        case "reset":
            journeys.reset(Mills.dollars(number))
        case "print":
            job = journeys.plan(public_addresses()[:number])
            journeys.evidence(job)
            journeys.hand_over(job, [])
        case "contact":
            journeys.contact()
        case "advance":
            journeys.world.advance(f"{number}h")
        case _:
            journeys.settle()


def money_is_found(world: World, licensee: str) -> None:
    """Assert the law of the registers and the money equation with the device's own registers, at any moment."""
    provider, journeys = PROVIDER[licensee], Journeys(world, licensee)
    status, device = journeys.status(), journeys.device
    with world.store(provider).reading() as view:
        books = Books(view)
        books.check()
        equation = books.equation(licensee)
        account, held = books.balance(f"account/{licensee}"), books.device(licensee, device)
        resets = [row.body for row in view.find("reset", owner=licensee)]
    posted = sum((Mills(row["amount"]) for row in resets if row["state"] == "posted"), ZERO)
    reserved = sum((Mills(row["amount"]) for row in resets if row["state"] == "reserved"), ZERO)
    registers = status.registers
    assert registers.ascending + registers.descending == status.resets_total
    assert ZERO <= registers.descending <= CAP
    assert held.in_transit == reserved
    assert held.control_total == posted
    assert equation.left_sum == account + reserved + posted
    assert status.resets_total - posted in (ZERO, reserved)  # what is in transit is in the device, or will be, or not
    with world.store(BANK).reading() as view:
        at_bank = Books(view, BANK_CHART).balance(f"held/{provider}/{licensee}")
    with world.store(licensee).reading() as view:
        evidenced = sum((row.body["total"] for row in view.find("job") if "indicia" in row.body), 0)
        receipts = sum((row.body["amount"] for row in view.find("deposit")), 0)
        ordered = sum((r.body["amount"] for r in view.find("deposit-order") if r.body["state"] != "declined"), 0)
    assert equation.left_sum <= at_bank
    assert receipts <= at_bank <= ordered
    assert registers.ascending == evidenced


def settled(journeys: Journeys) -> None:
    """Settle, and assert the equation with what everybody then agrees on."""
    world, licensee = journeys.world, journeys.licensee
    journeys.settle()
    provider, status = PROVIDER[licensee], journeys.status()
    assert status.state == "in service"
    assert status.open_request == ""
    with world.store(provider).reading() as view:
        books = Books(view)
        held = books.device(licensee, journeys.device)
        deposits, account = books.equation(licensee).left_sum, books.balance(f"account/{licensee}")
    with world.store(BANK).reading() as view:
        assert deposits == Books(view, BANK_CHART).balance(f"held/{provider}/{licensee}")
    assert held.in_transit == ZERO
    assert (held.ascending, held.descending) == (status.registers.ascending, status.registers.descending)
    assert deposits == account + status.registers.ascending + status.registers.descending


def strangers(folder: Path, provider: str, *others: str) -> list[str]:
    """Name every place in a Provider's store, and in what the bank sent it, that names another's mailer or device."""
    names = [*others, *(PROVIDER[other] for other in others)]
    for other in others:
        world_store = sqlite3.connect(folder / other / "store.sqlite")
        names += [key for (key,) in world_store.execute("SELECT key FROM record WHERE kind IN ('device', 'license')")]
        world_store.close()
    found = []
    for place, cell in cells(folder, provider):
        found += [f"{place}: {name}" for name in names if name.encode() in cell]
    return found


def cells(folder: Path, provider: str) -> Iterator[tuple[str, bytes]]:
    store = sqlite3.connect(folder / provider / "store.sqlite")
    tables = [name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
    assert len(tables) >= 5
    for table in tables:
        for row in store.execute(f"SELECT * FROM {table}"):
            for cell in row:
                yield table, opened(cell)
    store.close()
    bank = sqlite3.connect(folder / BANK / "store.sqlite")
    for (body,) in bank.execute("SELECT body FROM record WHERE kind='outgoing' AND body LIKE ?", (f"%{provider}%",)):
        yield "the bank's reports", opened(body)
    bank.close()


def opened(cell: object) -> bytes:
    """Give a cell's bytes, with what lies in it in base64 or hexadecimal digits laid open."""
    data = cell if isinstance(cell, bytes) else str(cell).encode()
    for text in re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", data):
        with suppress(ValueError):
            data += base64.b64decode(text)
        with suppress(ValueError):
            data += bytes.fromhex(text.decode())
    return data
