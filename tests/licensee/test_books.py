"""The licensee's own books when words get lost: they follow the device and the bank, and nothing is booked twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from towncircle.auditor import audit
from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import ZERO, Mills
from towncircle.ledger import LICENSEE, Books
from towncircle.mailpiece.address_files import public_addresses
from towncircle.testing.rehearsal_world import in_process
from towncircle.transport import Transport
from towncircle.wire.message import peek
from towncircle.wire.registry import find_type
from towncircle.world import printing
from towncircle.world.exporting import export
from towncircle.world.journeys import Applicant, Journeys
from towncircle.world.world import Wiring, World

OWN, HARBOR = "licensee.mailroom", "provider.harbor"
START = Instant.parse("2026-11-23T14:00Z")
FIRST, SECOND = Mills.dollars(100), Mills.dollars(50)


class Lossy:
    """Deliver every message, and lose the next reply to one of a type."""

    def __init__(self) -> None:
        self.inner: Transport | None = None
        self.lose = ""

    def around(self, inner: Transport) -> Lossy:
        self.inner = inner
        return self

    def send(self, audience: str, raw: bytes) -> bytes:
        assert self.inner is not None
        reply = self.inner.send(audience, raw)
        envelope = peek(raw)
        if find_type(envelope.type, envelope.version).body.__name__ == self.lose:
            self.lose = ""
            raise Refused("transport.unreachable", audience=audience, what="the reply was lost")
        return reply


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("licensee") / "world"
    World.create(folder, regime="imi-2024", seed=7, start=START).close()
    world = World.open(folder, Wiring(make_port=in_process(folder)))
    journeys = Journeys(world)
    journeys.apply(Applicant(), provider=HARBOR)
    journeys.lease()
    journeys.deposit(Mills.dollars(300))
    world.close()
    return folder


@pytest.fixture
def line() -> Lossy:
    return Lossy()


@pytest.fixture
def journeys(template: Path, tmp_path: Path, line: Lossy) -> Iterator[Journeys]:
    folder = Path(shutil.copytree(template, tmp_path / "world"))
    world = World.open(folder, Wiring(make_port=in_process(folder), transport=line.around))
    yield Journeys(world)
    world.close()


def lost(journeys: Journeys, line: Lossy, amount: Mills = FIRST) -> None:
    """Walk a reset that the device applies and the Provider posts, and whose statement never comes."""
    line.lose = "ResetAcknowledgment"
    with pytest.raises(Refused) as caught:
        journeys.reset(amount)
    assert caught.value.code == "transport.unreachable"
    assert journeys.status().resets_total >= amount


def balances(journeys: Journeys) -> dict[str, Mills]:
    with journeys.world.store(OWN).reading() as view:
        books = Books(view, LICENSEE)
        books.check()
        return books.sums()


def resets(journeys: Journeys) -> list[int]:
    """Give the resets as booked, in order; each has its fact."""
    with journeys.world.store(OWN).reading() as view:
        booked = [e for e in Books(view, LICENSEE).entries() if e.recipe == "reset-received"]
        noted = [fact.subject for fact in view.facts() if fact.type == "reset.received"]
    assert [entry.reference for entry in booked] == noted
    return [int(entry.lines[0].amount) for entry in booked]


def agree(journeys: Journeys, tmp_path: Path, *, quiet: bool = True) -> None:
    """Assert that books and device agree and that the export audits to nothing."""
    status = journeys.status()
    assert balances(journeys)["in-device"] == status.registers.descending
    made = export(journeys.world, tmp_path / "export")
    assert made.quiet is quiet
    assert audit(tmp_path / "export").differences == []


def test_a_reset_without_a_statement_is_no_quiet_moment(journeys: Journeys, line: Lossy, tmp_path: Path) -> None:
    lost(journeys, line)
    assert resets(journeys) == []
    assert not export(journeys.world, tmp_path / "export").quiet
    assert audit(tmp_path / "export").differences == []


def test_a_contact_books_a_reset_whose_statement_was_lost(journeys: Journeys, line: Lossy, tmp_path: Path) -> None:
    lost(journeys, line)
    journeys.contact()
    assert resets(journeys) == [int(FIRST)]
    journeys.contact()
    journeys.settle()
    assert resets(journeys) == [int(FIRST)]
    agree(journeys, tmp_path)


def test_settling_books_it_once_with_the_providers_statement(journeys: Journeys, line: Lossy, tmp_path: Path) -> None:
    lost(journeys, line)
    for _ in range(3):
        journeys.settle()
    assert resets(journeys) == [int(FIRST)]
    agree(journeys, tmp_path)


def test_the_next_reset_books_the_lost_one_before_it_asks(journeys: Journeys, line: Lossy, tmp_path: Path) -> None:
    lost(journeys, line)
    lost(journeys, line, SECOND)
    journeys.contact()
    assert resets(journeys) == [int(FIRST), int(SECOND)]
    agree(journeys, tmp_path)


def test_a_print_job_may_spend_what_was_not_booked_yet(journeys: Journeys, line: Lossy, tmp_path: Path) -> None:
    lost(journeys, line)
    printed = printing.print_job(journeys, public_addresses()[:2], tmp_path / "job")
    assert printed.job.body["state"] == "evidenced"
    assert resets(journeys) == [int(FIRST)]
    assert balances(journeys)["postage"] == printed.total
    journeys.contact()
    agree(journeys, tmp_path)


def test_a_reset_that_was_refused_is_not_booked(journeys: Journeys, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        journeys.reset(Mills.dollars(400))  # more than was deposited
    journeys.settle()
    assert resets(journeys) == []
    assert balances(journeys) == {"paid-in": Mills.dollars(300), "on-deposit": Mills.dollars(300)}


def test_a_deposit_whose_receipt_was_lost_is_booked_once_and_may_be_used_before(
    journeys: Journeys, line: Lossy, tmp_path: Path
) -> None:
    journeys.reset(Mills.dollars(300))
    printing.print_job(journeys, public_addresses()[:2], tmp_path / "job")
    line.lose = "DepositOrder"
    with pytest.raises(Refused):
        journeys.deposit(Mills.dollars(80))
    journeys.world.deliver()  # the bank's answer is here, and nobody has booked it
    journeys.reset(Mills.dollars(30))
    assert balances(journeys)["on-deposit"] == -Mills.dollars(30)
    assert not export(journeys.world, tmp_path / "early").quiet
    assert audit(tmp_path / "early").differences == []
    for _ in range(2):
        journeys.settle()
    assert balances(journeys)["paid-in"] == Mills.dollars(380)
    assert balances(journeys)["on-deposit"] == Mills.dollars(50)
    agree(journeys, tmp_path)


def test_a_job_that_is_asked_for_again_is_booked_once(journeys: Journeys, tmp_path: Path) -> None:
    journeys.reset(FIRST)
    job = journeys.plan(public_addresses()[:2])
    assert balances(journeys)["in-device"] == FIRST
    record = journeys.evidence(job)
    journeys.evidence(job)
    printing.finish_job(journeys, job, tmp_path / "job")
    held = balances(journeys)
    assert held["postage"] == Mills(record.body["total"]) > ZERO
    assert held["in-device"] == FIRST - held["postage"]
    journeys.contact()
    agree(journeys, tmp_path)
