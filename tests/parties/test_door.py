"""Many at one door: everybody is answered, twins get one answer, and what comes after an answer does not undo it."""

from __future__ import annotations

import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.conformance.breaking import refused
from tests.journeys.stories import HARBOR, MAILROOM, SUMMIT
from tests.parties.hand import BANK, POSTAL, Hand, Line, Puppet, funded, waiting

from towncircle.auditor import audit
from towncircle.kernel.errors import BrokenInvariant, Refused
from towncircle.kernel.ids import DepositId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.ledger import BANK as BANK_CHART
from towncircle.ledger import POSTAL as POSTAL_CHART
from towncircle.ledger import Books
from towncircle.testing.rehearsal_world import in_process
from towncircle.transport import MAX_MESSAGE
from towncircle.transport.http import HttpTransport
from towncircle.wire import bodies
from towncircle.wire.message import DEFAULT_LIMIT, open_untimed, peek
from towncircle.world.board import PACK
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.up import Servers, open_world
from towncircle.world.world import Wiring, World

THREADS, EACH = 4, 8
SLOWEST_S = 0.2


def orders(hand: Hand, number: int) -> list[bytes]:
    return [
        hand.seal(
            MAILROOM,
            BANK,
            bodies.DepositOrder(
                deposit_id=DepositId.new(hand.source),
                provider=HARBOR,
                account="a",
                amount=Mills.dollars(3),
                form="wire",
            ),
        )
        for _ in range(number)
    ]


def the_books_are_exact(world: World, expected: Mills) -> None:
    with world.store(BANK).reading() as view:
        assert Books(view, BANK_CHART).balance(f"held/{HARBOR}/{MAILROOM}") == expected
    with world.store(POSTAL).reading() as view:
        assert Books(view, POSTAL_CHART).balance(f"trust/{HARBOR}/{MAILROOM}") == expected
    with world.store(HARBOR).reading() as view:
        assert Books(view).balance(f"account/{MAILROOM}") == expected


def test_32_messages_from_4_threads_are_all_answered_in_one_process(world: World, hand: Hand) -> None:
    raws = orders(hand, THREADS * EACH)
    with ThreadPoolExecutor(THREADS) as pool:
        answers = [hand.read(reply) for reply in pool.map(world.desk(BANK).receive, raws)]
    assert [type(answer.body) for answer in answers] == [bodies.DepositReceipt] * len(raws)
    assert [answer.envelope.in_reply_to for answer in answers] == [peek(raw).id for raw in raws]
    assert waiting(world, BANK) == []
    the_books_are_exact(world, Mills.dollars(3) * len(raws))


def test_32_messages_from_4_threads_are_all_answered_over_http(folder: Path) -> None:
    servers = Servers.start(folder)
    try:
        world = open_world(folder)
        hand, way = Hand(world), HttpTransport(servers.addresses)
        raws = orders(hand, THREADS * EACH)
        with ThreadPoolExecutor(THREADS) as pool:
            answers = [hand.read(reply) for reply in pool.map(lambda raw: way.send(BANK, raw), raws)]
        assert [type(answer.body) for answer in answers] == [bodies.DepositReceipt] * len(raws)
        assert waiting(world, BANK) == []
        the_books_are_exact(world, Mills.dollars(3) * len(raws))
        world.close()
    finally:
        servers.stop()


def test_twins_of_one_message_get_one_answer_whichever_comes_first(world: World, hand: Hand) -> None:
    for raw in orders(hand, 6):
        gate = threading.Barrier(2)

        def knock(raw: bytes = raw, gate: threading.Barrier = gate) -> bytes:
            gate.wait()
            return world.desk(BANK).receive(raw)

        with ThreadPoolExecutor(2) as pool:
            first, second = [one.result() for one in [pool.submit(knock), pool.submit(knock)]]
        assert first == second
        assert isinstance(hand.read(first).body, bodies.DepositReceipt)
    the_books_are_exact(world, Mills.dollars(18))


@pytest.mark.parametrize("kind", ["an audit", "a lockbox report"])
def test_a_twin_that_was_let_in_beside_the_first_is_not_decided_again(
    world: World, hand: Hand, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is past the first look when the first commits: its handler would refuse what it finds then."""
    puppet = Puppet(hand, HARBOR, MAILROOM, 77)
    now = world.clock.now()
    if kind == "an audit":
        raw = hand.seal(puppet.name, HARBOR, puppet.audit(), key=puppet.key, counter=1)
    else:
        none = bodies.LockboxReport(day="2026-11-23", number=1, deposits=(), opening=Mills(0), closing=Mills(0))
        raw = hand.seal(BANK, HARBOR, none)
    desk = world.desk(HARBOR)
    decide, answers = type(desk)._decide, []

    def late(self: object, opened: object, at: Instant) -> None:
        monkeypatch.setattr(type(desk), "_decide", decide)
        answers.append(desk.receive(raw))  # the twin comes in between
        decide(self, opened, at)  # type: ignore[arg-type]  # a desk and an opened message

    monkeypatch.setattr(type(desk), "_decide", late)
    answers.append(desk.receive(raw))
    assert answers[0] == answers[1]
    assert not isinstance(hand.read(answers[0]).body, bodies.RefusedReply)
    assert now == world.clock.now()


# ---- after the answer


def test_a_pack_that_cannot_be_published_takes_no_answer_back(
    world: World, hand: Hand, journeys: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = world.desk(POSTAL)

    def refuse() -> None:
        raise Refused("storage.busy", path="the board")

    monkeypatch.setattr(desk, "_after", refuse)
    for number in range(1, 4):
        journeys.deposit(Mills.dollars(number))
    assert waiting(world, BANK) == []
    with world.store(POSTAL).reading() as view:
        told = [fact for fact in view.facts() if fact.type.startswith("afterwards.")]
        assert [(fact.type, fact.body["code"]) for fact in told] == [("afterwards.refused", "storage.busy")]
    monkeypatch.setattr(desk, "_after", world.publish)
    journeys.deposit(Mills.dollars(4))
    with world.store(POSTAL).reading() as view:
        told = [fact for fact in view.facts() if fact.type.startswith("afterwards.")]
        assert [fact.type for fact in told] == ["afterwards.refused", "afterwards.done"]
    the_books_are_exact(world, Mills.dollars(10))
    assert hand.world is world


def test_a_defect_after_an_answer_is_not_hidden_and_the_answer_stands(
    world: World, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise BrokenInvariant("desk.no-answer", message="x")

    [raw] = orders(hand, 1)
    monkeypatch.setattr(world.desk(BANK), "_after", broken)
    with pytest.raises(BrokenInvariant):
        world.desk(BANK).receive(raw)
    monkeypatch.undo()
    assert isinstance(hand.read(world.desk(BANK).receive(raw)).body, bodies.DepositReceipt)
    the_books_are_exact(world, Mills.dollars(3))


# ---- the board


def test_one_publishes_at_a_time_and_nobody_puts_up_an_older_pack(world: World, folder: Path) -> None:
    other = World.open(folder, Wiring(make_port=in_process(folder)))
    before = world.board.shown()
    world.clock.advance("5d")
    with world.board.alone():
        thread = threading.Thread(target=other.publish)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert world.board.shown() == before
    thread.join()
    assert world.board.shown() == before + 1
    shown, running = [world.board.shown()], threading.Event()

    def look() -> None:
        while not running.is_set():
            shown.append(world.board.shown())

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(5):
        world.clock.advance("5d")
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(one.publish) for one in (world, other)]:
                done.result()
    running.set()
    watcher.join()
    other.close()
    assert shown == sorted(shown)
    assert world.board.shown() == before + 6


def test_a_verifier_takes_no_pack_older_than_one_it_saw(world: World, folder: Path) -> None:
    old = (folder / PACK).read_bytes()
    world.pack()
    world.clock.advance("5d")  # within the old one's own week
    world.publish()
    assert world.pack().number == peek(old).counter + 1
    (folder / PACK).write_bytes(old)
    with pytest.raises(Refused) as caught:
        world.pack()
    assert "older" in caught.value.sentence or "number" in caught.value.sentence


def test_the_folder_of_a_world_is_its_owners_only(tmp_path: Path) -> None:
    World.create(tmp_path / "new", regime="imi-2024", seed=1, start=None).close()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


# ---- what a stranger's bytes may cost


def bundle(item: bytes) -> bytes:
    many = DEFAULT_LIMIT - 200
    return b"\x9a" + (many // len(item)).to_bytes(4, "big") + item * (many // len(item))


def framed(payload: bytes) -> bytes:
    protected = b"\xa2\x01\x26\x04\x50" + bytes(16)
    return (
        b"\xd2\x84\x55" + protected + b"\xa0\x5a" + len(payload).to_bytes(4, "big") + payload + b"\x58\x40" + bytes(64)
    )


@pytest.mark.parametrize("item", [b"\x00", b"\x80", b"\xa0", b"\x40", b"\x60", b"\x61a", b"\x82\x80\x80"])
def test_the_worst_bytes_cost_little_before_any_key_is_looked_at(world: World, item: bytes) -> None:
    assert DEFAULT_LIMIT <= MAX_MESSAGE <= 256 * 1024
    for raw in (bundle(item), framed(bundle(item)), framed(b"\xa1\x0a" + bundle(item)), b"\xd2" + bundle(item)):
        begun = time.process_time()
        with pytest.raises(Refused):
            open_untimed(raw, audience=POSTAL, directory=world.desk(POSTAL)._sealer.directory)
        assert time.process_time() - begun < SLOWEST_S


# ---- what a licensee believes


def test_a_licensee_takes_no_statement_but_its_providers_of_this_very_reset(
    world: World, line: Line, hand: Hand, journeys: Journeys, tmp_path: Path
) -> None:
    funded(journeys, 300, 50)
    device = f"device.{journeys.device}"

    def statement(sender: str, request_id: str) -> bytes:
        told = bodies.AccountStatement(
            request_id=request_id,
            device=journeys.device,
            amount=Mills.dollars(999),
            account_balance=Mills.dollars(9),
            at=world.clock.now(),
        )
        return hand.seal(sender, device, told)

    def forged(sender: str, request_id: str) -> None:
        def swap(_audience: str, raw: bytes) -> bytes:
            envelope = peek(raw)
            return statement(sender, request_id or journeys.status().last_applied) if envelope.type == 58 else raw

        line.coming = swap

    for sender, request_id in ((SUMMIT, ""), (HARBOR, "REQ-222222222222")):
        forged(sender, request_id)
        with pytest.raises(Refused) as caught:
            journeys.reset(Mills.dollars(10))
        assert caught.value.code == "licensee.not-the-statement"
        line.coming = lambda _audience, raw: raw
        journeys.settle()
    export(world, tmp_path / "export")
    assert audit(tmp_path / "export").differences == []
    assert hand.account(MAILROOM, HARBOR) == Mills.dollars(230)


@pytest.mark.requirement("P050-2.1/5")
def test_a_licensee_takes_no_decision_but_the_postal_services_of_this_very_application(
    world: World, line: Line, hand: Hand, journeys: Journeys
) -> None:
    from towncircle.world.journeys import Applicant

    def notice(sender: str, application_id: str, question: str) -> bytes:
        decision = bodies.LicenseDecision(
            application_id=application_id,
            outcome="issued",
            license="10001-000009",
            office_zip="10001",
            office_city="NEW YORK",
            office_state="NY",
            grounds=(),
        )
        enclosed = hand.seal(sender, HARBOR, decision)
        return hand.seal(HARBOR, MAILROOM, bodies.LicenseNotice(decision=enclosed), in_reply_to=question)

    asked: list[bytes] = []

    def going(_audience: str, raw: bytes) -> bytes:
        if peek(raw).type == 40:
            asked.append(raw)
        return raw

    line.going = going
    for sender, own in ((HARBOR, True), (POSTAL, False)):

        def coming(audience: str, raw: bytes, sender: str = sender, own: bool = own) -> bytes:
            if audience != HARBOR:
                return raw
            form = hand.read_as(asked[-1], HARBOR)
            assert isinstance(form, bodies.LicenseApplication)
            name = form.application_id if own else "APP-222222222222"
            return notice(sender, name, peek(asked[-1]).id)

        line.coming = coming
        with refused("P050-2.1", "licensee.not-a-decision"):
            journeys.apply(Applicant(office_zip="10001", zip="10001", state="NY"), provider=HARBOR)
    with world.store(MAILROOM).reading() as view:
        assert [row.key for row in view.find("license")] == [hand.license_of(MAILROOM)]
