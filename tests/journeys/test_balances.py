"""Balances of returned devices while somebody is away: the device, its host, the desk that is to sign, the form."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, MAILROOM, PEOPLE, mailer, new_world, refused, reopened
from tests.journeys.test_returning import account, audited, two_persons
from tests.psd.shops import CHANCE, NOW
from tests.world.batch_stories import begun
from tests.world.batch_stories import job_of as part_of

from towncircle.kernel.cites import cites
from towncircle.kernel.context import Context
from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record
from towncircle.ledger import LICENSEE, Books
from towncircle.licensee import mailroom, returns
from towncircle.provider import balances
from towncircle.provider.inventory import device_record
from towncircle.testing.rehearsal_world import in_process
from towncircle.transport import Transport
from towncircle.wire.bodies import MoneyDifference
from towncircle.world import accounts, batching, leases, lines, returning
from towncircle.world.config import BANK, POSTAL
from towncircle.world.journeys import Journeys
from towncircle.world.notebook import FIRST, Notebook
from towncircle.world.stations import enrol, found
from towncircle.world.world import Wiring, World

HUNDRED = Mills.dollars(100)


@contextmanager
def out_of_reach(world: World, device: DeviceId, place: Path) -> Iterator[None]:
    """Have a device's host be away: the line to it leads to where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        address = ("127.0.0.1", held.getsockname()[1])
    found(place / "host", CHANCE, NOW)
    enrol(place / "host", "desk", place / "desk", devices=[device], randomness=CHANCE, now=NOW)
    at = world.shelf.folder_of(device) / lines.LINE
    world.shelf.close()
    lines.write(at, lines.line_table(lines.Line(station=place / "desk", address=address)))
    yield
    world.shelf.close()
    at.unlink()


def held_back(journeys: Journeys) -> DeviceId:
    """Give the device back and leave its balance to the persons of both offices; give its name."""
    device = journeys.device
    with refused("provider.balance-waiting"):
        returning.withdraw(journeys, reason="no longer wanted", wait=True)
    return device


def stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def case_of(journeys: Journeys, device: DeviceId) -> str:
    held = journeys.do(lambda ctx: returns.case(ctx, device=device))
    return str(held.body["state"])


def differences(world: World) -> list[MoneyDifference]:
    return list(dict(accounts.reconcile(world))[HARBOR].differences)


@cites("P050-2.6")
def test_a_transfer_whose_old_device_is_out_of_reach_holds_up_nothing_else(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    old = journeys.device
    two_persons(journeys)
    returning.request_transfer(journeys, by="anna", reason="x")
    with monkeypatch.context() as patched:
        patched.setattr(returns, "give_back", stopped)
        with pytest.raises(KeyboardInterrupt):
            returning.approve_transfer(journeys, by="ben")
    with out_of_reach(world, old, tmp_path):
        journeys.settle()
        assert returning.waiting(journeys) == [(old, None)]
    journeys.settle()
    assert journeys.device != old
    assert journeys.status().registers.descending == 2 * HUNDRED
    audited(world, tmp_path / "export")


@cites("502.27b/4", "502.8/7")
def test_the_credit_of_a_device_that_cannot_be_asked_any_more_is_booked_by_what_it_signed(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    device = held_back(journeys)
    with out_of_reach(world, device, tmp_path):
        assert returning.waiting(journeys) == [(device, 2 * HUNDRED)]
        returning.sign_form(world, device, by="officer")
        returning.arrange(world, device, by="mats")
        journeys.settle()
        assert case_of(journeys, device) == returns.DONE
        with world.store(MAILROOM).reading() as view:
            assert Books(view, LICENSEE).balance(f"in-device/{MAILROOM}/{device}") == ZERO
    audited(world, tmp_path / "export")


class Across:
    """Reach each party at the world that has its desk, as HTTP does."""

    def __init__(self, worlds: list[World]) -> None:
        self.worlds = worlds

    def send(self, audience: str, raw: bytes) -> bytes:
        return next(world for world in self.worlds if audience in world.desks).desk(audience).receive(raw)  # type: ignore[call-overload]


@contextmanager
def apart(folder: Path) -> Iterator[Journeys]:
    """Open a world as a licensee finds it while `towncircle up` runs: the Provider's desk is elsewhere."""
    worlds: list[World] = []

    def over(_direct: Transport) -> Transport:
        return Across(worlds)

    for only in ((HARBOR, BANK), (POSTAL, MAILROOM)):
        made = World.open(folder, Wiring(make_port=in_process(folder), transport=over, only=only))
        worlds.append(made)
    yield Journeys(worlds[1])
    for world in worlds:
        world.close()


@cites("502.27b/2", "502.27b/4")
def test_a_withdrawal_beside_running_parties_says_whom_it_waits_for_and_ends_when_they_acted(tmp_path: Path) -> None:
    folder = tmp_path / "world"
    made = new_world(folder)
    mailer(made, deposit=300, reset=200)
    made.close()
    with apart(folder) as journeys:
        device = journeys.device
        with refused("provider.balance-waiting") as caught:
            returning.withdraw(journeys, reason="no longer wanted")
        assert f"towncircle withdraw DIR --device {device}" in caught.value.next_step
        assert "'towncircle up' is stopped" in caught.value.next_step
        with refused("missing.elsewhere"):
            returning.sign_form(journeys.world, device, by="officer")
        journeys.settle()  # it waits, and holds nothing else up
        assert case_of(journeys, device) == returns.NOTED
    whole = reopened(folder)
    returning.sign_form(whole, device, by="officer")
    returning.arrange(whole, device, by="mats")
    whole.close()
    with apart(folder) as journeys:
        journeys.settle()
        assert case_of(journeys, device) == returns.DONE
        assert account(journeys) == 3 * HUNDRED


@cites("502.27b/2", "502.27b/4", "502.20m")
def test_a_credit_that_nobody_arranged_is_found_on_the_day_and_can_be_signed_for_afterwards(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    device = held_back(journeys)

    def at_once(ctx: Context) -> None:  # as an earlier release did, and as a Provider might that asks nobody
        row, held = device_record(ctx, device), ctx.tx.get("check-out", device)
        assert held is not None
        balances._credit(ctx, row, held, Mills(held.body["amount"]), by="")

    world.desk(HARBOR).perform(at_once, actor=HARBOR)
    journeys.settle()
    world.advance("25h")
    (told,) = differences(world)
    assert (told.about, told.code, told.explained, told.amount) == (device, "daily.not-arranged", False, 2 * HUNDRED)
    returning.sign_form(world, device, by="officer")
    returning.arrange(world, device, by="mats")
    world.advance("1d")
    assert differences(world) == []
    assert account(journeys) == 3 * HUNDRED
    audited(world, tmp_path / "export")


@cites("502.27b/2", "502.20m")
def test_a_form_that_nobody_signs_explains_the_difference_for_28_days(world: World) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    device = held_back(journeys)
    found = []
    for step in ("28d", "1d"):
        world.advance(step)
        found += [(one.about, one.cause) for one in differences(world) if one.code == "daily.registers"]
    assert found == [(device, "a-balance-that-waits"), (device, "")]


@cites("502.27b/2", "502.27b/3")
def test_a_form_that_the_postal_service_refused_goes_again_when_it_is_signed_again(world: World) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    device = held_back(journeys)

    def known(amount: int) -> None:
        with world.store(POSTAL).transaction() as tx:
            row = tx.get("device", device)
            assert row is not None
            body = {**row.body, "given": {**row.body["given"], "amount": amount}}
            tx.put("device", device, body, owner=row.owner, expected=row.version)

    known(1)
    with refused("postal.balance-differs"):
        returning.sign_form(world, device, by="officer")
    known(int(2 * HUNDRED))
    signed = returning.sign_form(world, device, by="officer").body["signed_at"]
    returning.arrange(world, device, by="mats")
    journeys.settle()
    assert case_of(journeys, device) == returns.DONE
    assert (account(journeys), signed) == (3 * HUNDRED, int(world.clock.now()))


# ---- a job whose answer was lost at a half that was given back


def half_of(journeys: Journeys) -> DeviceId:
    """Lease the device in use a half; give it."""
    first = journeys.device
    journeys.contact()
    with journeys.world.store(MAILROOM).reading() as view:
        (license_row,) = view.find("license")
    return leases._lease(journeys, license_row, f"{license_row.key} beside {first}", half_of=first).device


@cites("P050-1.5")
def test_a_batch_that_is_given_up_debits_nothing_while_its_half_cannot_be_asked(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=300, reset=100)
    first, half, out = journeys.device, half_of(journeys), tmp_path / "out"
    name = begun(journeys, out)
    held = journeys.status()
    waiting = [row for at in (1, 2, 3) if (row := part_of(journeys, name, at)).body["state"] == mailroom.WAITING]
    with out_of_reach(world, half, tmp_path):
        with refused("mailroom.half-silent") as caught:
            batching.give_up(journeys, name, out)
        assert f"--device {half}" in caught.value.next_step
        assert journeys.status().registers == held.registers
        notes = Notebook(world.shelf.folder_of(first), first=first, other=half)  # as the hybrid's host keeps them
        for row in waiting:
            notes.note(row.key, FIRST)
        notes.close()
        assert batching.give_up(journeys, name, out).batch.body["state"] == "given up"  # they say that it got nothing
    assert journeys.status().registers == held.registers
    with world.store(MAILROOM).reading() as view:
        (department,) = view.find("department")
    assert (department.body["reserved"], department.body["spent"]) == (0, int(held.registers.ascending))


def job_of(journeys: Journeys, job: JobId) -> Record:
    with journeys.world.store(MAILROOM).reading() as view:
        row = view.get("job", job)
    assert row is not None
    return row


@cites("P050-1.5")
def test_what_a_half_debited_before_it_was_given_back_is_not_taken_for_never_evidenced(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=100)
    half = half_of(journeys)
    journeys.reset(Mills.dollars(50), device=half)
    paid, planned = journeys.plan(PEOPLE), journeys.plan(PEOPLE)
    total = Mills(job_of(journeys, paid).body["total"])
    with world.shelf.client(half) as client:
        mailroom._ask(client, paid, job_of(journeys, paid).body)  # the hybrid sent it there, and its answer was lost
    returning.withdraw(journeys, reason="moved", device=half)
    world.advance("73h")  # the first device, which never evidenced anything, is locked and refuses
    for job in (paid, planned):  # the half still tells which of them it debited
        with pytest.raises(TowncircleError):
            journeys.evidence(job)
    assert [job_of(journeys, job).body["state"] for job in (paid, planned)] == ["planned", "given up"]
    with world.shelf.client(half) as client:
        client.zeroise(half)  # it is scrapped, so nobody can ask it any more
    with refused("mailroom.marks-lost"):
        journeys.evidence(paid)
    row = job_of(journeys, paid)
    assert (row.body["state"], row.body["device"]) == (mailroom.LOST, half)
    with world.store(MAILROOM).reading() as view:
        (held,) = view.find("department")
        assert (held.body["reserved"], held.body["spent"]) == (0, int(total))
        assert Books(view, LICENSEE).balance(f"in-device/{MAILROOM}/{half}") == ZERO
    audited(world, tmp_path / "export")
