"""Devices that are away: a LAN device out of service, a hybrid's device or half, one that is gone for good."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.journeys.stories import MAILROOM, PEOPLE, mailer, refused
from tests.journeys.test_balances import case_of, half_of, held_back, job_of, out_of_reach
from tests.journeys.test_missing import provider
from tests.journeys.test_returning import audited, break_down
from tests.psd.shops import CHANCE, NOW
from tests.world.batch_stories import begun
from tests.world.test_hybrid import refusal

from towncircle.cli.main import main
from towncircle.kernel import persons
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, TowncircleError
from towncircle.kernel.ids import DeviceId, JobId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.store import Record
from towncircle.licensee import batches, mailroom, returns
from towncircle.licensee.corrections import Shortpaid
from towncircle.provider import missing as incident
from towncircle.psd import commands
from towncircle.psd.opening import SECRET
from towncircle.psd.ports import BytePort
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire.bodies.checkout import EXAMINATION
from towncircle.world import batching, evidenced, lan, missing, returning, settling, stations
from towncircle.world.batch_prices import funds_of
from towncircle.world.config import STARTS
from towncircle.world.departments import Payer, set_pin
from towncircle.world.hybrid import HybridPort
from towncircle.world.journeys import Journeys
from towncircle.world.notebook import MOVED, Notebook, move
from towncircle.world.world import Wiring, World


def debited(journeys: Journeys, job: JobId, device: DeviceId | None = None) -> Mills:
    """Have a device evidence a job whose answer is lost; give what it cost."""
    body = job_of(journeys, job).body
    with journeys.world.shelf.client(device or journeys.device) as client:
        mailroom._ask(client, job, body)
    return Mills(body["total"])


class Port:
    """Reach a device as somebody wants it to be reached; whoever wants it closes it."""

    def __init__(self, exchange: Callable[[bytes], bytes]) -> None:
        self.exchange = exchange

    def close(self) -> None:
        """Leave it open: others reach the device by the same port."""


class Serving:
    """Serve the devices of a world in this process: through a list of stations, or two of them as a hybrid."""

    def __init__(self, folder: Path) -> None:
        World.create(folder, regime="imi-2024", seed=3, start=Instant.parse(STARTS["imi-2024"])).close()
        self._make, self._ports = in_process(folder), {}  # type: ignore[var-annotated]
        self.around: Callable[[Path, BytePort], Callable[[bytes], bytes]] = lambda _place, port: port.exchange
        self.world = World.open(folder, Wiring(make_port=self.open))
        self.notes: Notebook | None = None
        self.away = self.half_away = self.busy = False

    def device(self, place: Path) -> BytePort:
        if place not in self._ports:
            self._ports[place] = self._make(place)
        port: BytePort = self._ports[place]
        return port

    def open(self, place: Path) -> Port:
        return Port(self.around(place, self.device(place)))

    def through(self, listed: Path, caller: str) -> None:
        """Reach each device through the gate of a host from now on."""
        self.around = lambda place, port: (
            lambda command: stations.gate(listed, lambda _, asked: port.exchange(asked))(
                caller, DeviceId(place.name), command
            )
        )
        self.world.shelf.close()

    def hybrid(self, first: DeviceId, half: DeviceId) -> None:
        """Reach a device as a hybrid's host does from now on.

        `away`: the host's own device does not answer. `busy`: it runs long pieces, and shows no registers meanwhile.
        `half_away`: the hosted one is not reached.
        """
        place_of = self.world.shelf.folder_of
        self.notes = Notebook(place_of(first), first=first, other=half)

        def exchange(command: bytes) -> bytes:
            if self.away:
                raise refusal("psd.restarting")
            if self.busy and isinstance(commands.decode_command(command), commands.Status):
                raise refusal("psd.host-busy")
            return self.device(place_of(first)).exchange(command)

        def hosted(command: bytes) -> bytes:
            if self.half_away:
                raise refusal("transport.unreachable")
            return self.device(place_of(half)).exchange(command)

        hybrid = HybridPort(Port(exchange), Port(hosted), self.notes)
        ways = {first: hybrid.exchange, half: hosted}
        self.around = lambda place, port: ways.get(DeviceId(place.name), port.exchange)
        self.world.shelf.close()

    def fail(self, device: DeviceId) -> None:
        """Have a device be faulted from now on, as a failed self-test does; its host goes on."""
        place = self.world.shelf.folder_of(device)
        self._ports.pop(place).close()
        break_down(self.world, device)

    def close(self) -> None:
        self.world.close()
        if self.notes is not None:
            self.notes.close()
        for port in self._ports.values():
            port.close()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    with closing(Serving(tmp_path / "world")) as made:
        yield made


@cites("P050-1.5")
def test_marks_that_a_lan_device_still_holds_are_fetched_after_it_was_checked_out(
    serving: Serving, tmp_path: Path
) -> None:
    journeys = mailer(serving.world, deposit=300, reset=100)
    device, listed = journeys.device, tmp_path / "stations"
    stations.found(listed, CHANCE, NOW)
    caller = stations.enrol(listed, "desk", tmp_path / "desk", devices=[stations.EVERY], randomness=CHANCE, now=NOW)
    lan.note(serving.world.shelf.folder_of(device), listed)
    serving.through(listed, caller)
    paid, planned = journeys.plan(PEOPLE), journeys.plan(PEOPLE)
    total = debited(journeys, paid)
    returning.withdraw(journeys, reason="moved")
    with refused("psd.role-refused"), serving.world.shelf.client(device) as client:
        client.audit()  # it may watch only
    with refused("psd.role-refused"):
        journeys.evidence(planned)
    row = journeys.resume(paid)
    assert (row.body["state"], len(row.body["indicia"])) == (mailroom.EVIDENCED, len(PEOPLE))
    assert job_of(journeys, planned).body["state"] == "given up"
    with serving.world.store(MAILROOM).reading() as view:
        (held,) = view.find("department")
    assert (held.body["reserved"], held.body["spent"]) == (0, int(total))
    audited(serving.world, tmp_path / "export")


def test_a_hybrids_half_pays_while_the_device_is_away_and_for_good_once_moved(serving: Serving, tmp_path: Path) -> None:
    journeys = mailer(serving.world, deposit=300, reset=100)
    first, half = journeys.device, half_of(journeys)
    journeys.reset(Mills.dollars(50), device=half)
    serving.hybrid(first, half)
    name = begun(journeys, tmp_path / "out")
    serving.away = True
    single = journeys.evidence(journeys.plan(PEOPLE))  # a batch is open, and its money is in the device that is away
    assert (single.body["state"], single.body["device"]) == (mailroom.EVIDENCED, half)
    serving.away = False
    job = journeys.plan(PEOPLE)
    body, left = job_of(journeys, job).body, int(journeys.status_of(first).registers.descending) - 10
    pieces = [
        {**piece, "amount": amount} for piece, amount in zip(body["pieces"], (left // 2, left - left // 2), strict=True)
    ]
    journeys._give_up(job_row := job_of(journeys, job))
    with serving.world.shelf.client(first) as client:  # as somebody else's pieces would
        mailroom._ask(client, JobId(job_row.key), {**body, "pieces": pieces})
    with refused("batch.money-gone"):
        batching.resume(journeys, name, tmp_path / "out")
    move(serving.world.shelf.folder_of(first))
    shown = journeys.status_of(half).registers.descending
    assert funds_of(journeys, refill=True).balance == shown
    assert funds_of(journeys, refill=True).account is None  # neither of the two is reset for it
    journeys.evidence(journeys.plan(PEOPLE))
    assert batching.resume(journeys, name, tmp_path / "out").batch.body["printed"] == 3
    assert int(journeys.status_of(first).registers.descending) == 10


@cites("P050-1.5")
def test_a_hybrids_half_keeps_what_a_batch_wants_of_it(serving: Serving, tmp_path: Path) -> None:
    journeys = mailer(serving.world, deposit=300, reset=100)
    first, half = journeys.device, half_of(journeys)
    journeys.reset(Mills.dollars(4), device=half)
    serving.hybrid(first, half)
    serving.away = True
    name = begun(journeys, tmp_path / "out", pieces=5)  # 3.90 of the half's 4.00
    serving.away = False
    aside = journeys.evidence(journeys.plan(PEOPLE))  # the device itself owes the batch nothing that it lacks
    assert aside.body["device"] == first
    move(serving.world.shelf.folder_of(first))
    made = job_of(journeys, batches.job_of(name, 1))
    assert made.body["device"] == half
    short = Shortpaid(job=JobId(made.key), mailing_date=journeys.today(), pieces=(1,), due=Mills.parse("1.07"))
    for again in (True, False):  # for good once moved, and while it stands in
        for plan in (lambda: journeys.plan(PEOPLE[:1]), lambda: journeys.plan_correction(short)):
            with refused("mailroom.promised") as caught:
                journeys.evidence(plan())
            assert (caught.value.params["batch"], caught.value.params["device"]) == (name, half)
        serving.away = again
        if again:
            (serving.world.shelf.folder_of(first) / MOVED).unlink()
    serving.away = False
    move(serving.world.shelf.folder_of(first))
    (waits,) = [JobId(row.key) for row in journeys.open_jobs() if row.key != aside.key]
    with refused("mailroom.promised"):
        journeys.evidence(waits)
    assert job_of(journeys, waits).body["state"] == "given up"  # the device can say now that it never got it
    spent = job_of(journeys, waits)
    (piece,) = spent.body["pieces"]
    with serving.world.shelf.client(half) as client:  # as somebody else's pieces would
        mailroom._ask(client, waits, {**spent.body, "pieces": [{**piece, "amount": 2500}]})
    with refused("batch.money-gone") as caught:
        batching.resume(journeys, name, tmp_path / "out")
    assert caught.value.params["device"] == half
    with refused("licensee.service-moved"):
        settling.set_postage(journeys, Mills.dollars(3))
    settling.set_postage(journeys, Mills.dollars(3), device=half)
    serving.fail(first)  # the half goes on with the batch
    assert batching.resume(journeys, name, tmp_path / "out").batch.body["printed"] == 5
    assert journeys.status_of(half).registers.descending == Mills.parse("0.60")


@cites("502.20f", "IMI-05")
def test_a_person_decides_on_jobs_of_an_examined_device_that_nobody_can_ask(serving: Serving) -> None:
    journeys = mailer(serving.world, deposit=300, reset=100)
    device, paid, other = journeys.device, journeys.plan(PEOPLE), journeys.plan(PEOPLE)
    total = debited(journeys, paid)
    serving.fail(device)
    assert returning.withdraw(journeys, reason="it failed").outcome == EXAMINATION

    def struck(_command: bytes) -> bytes:
        raise refusal("world.station-refused")  # it was scrapped

    serving.around = lambda _place, _port: struck
    serving.world.shelf.close()
    journeys.do(lambda ctx: persons.authorise(ctx, name="ann"))
    set_pin(journeys, name="ann", pin="739184")
    for job, is_lost in ((paid, True), (other, False)):
        with refused("batch.in-doubt") as caught:
            journeys.evidence(job)
        assert "at most" in caught.value.sentence
        payer = Payer(person="ann", pin="739184")
        evidenced.decide(journeys, job, debited=is_lost, payer=payer, reason="the pages are here" if is_lost else "no")
    assert [job_of(journeys, job).body["state"] for job in (paid, other)] == [mailroom.LOST, "given up"]
    with serving.world.store(MAILROOM).reading() as view:
        (held,) = view.find("department")
    assert (held.body["reserved"], held.body["spent"]) == (0, int(total))


@cites("502.25a")
def test_a_device_whose_secret_is_cut_short_does_not_hold_up_its_half(world: World) -> None:
    journeys = mailer(world, deposit=300, reset=100)
    first, half = journeys.device, half_of(journeys)
    with world.shelf.client(half) as client:
        client.request_reset(Mills.dollars(50))  # the host died before it carried the request
    world.shelf.close()
    (world.shelf.folder_of(first) / SECRET).write_bytes(b"short")
    with pytest.raises(BadInput, match=r"pki\.bad-secret"):
        journeys.settle()
    assert journeys.status_of(half).registers.descending == Mills.dollars(50)


def found_again(journeys: Journeys, device: DeviceId) -> None:
    """Have a device that was reported found, connected, inspected, and given back by its Provider."""
    missing.report(journeys, device, event="recovered", place="rack", details="It was behind a shelf.")
    assert f"{device} is not connected: " in journeys.contact()  # what it signed is taken; its inspection asks for it
    provider(journeys, incident.inspect, device=device, outcome="regular", reference="b-1", document="")
    provider(journeys, incident.give_back, device=device, regime="imi-2024")


@cites("502.24c/1", "502.24c/4")
def test_a_half_that_was_missed_and_found_stands_in_for_its_device_again(serving: Serving, tmp_path: Path) -> None:
    journeys = mailer(serving.world, deposit=300, reset=100)
    first, half = journeys.device, half_of(journeys)
    missing.report(journeys, half, event="stolen", place="rack", details="The door was broken open.")
    found_again(journeys, half)
    with refused("missing.not-in-hand"):
        journeys.reset(Mills.dollars(50), device=half)  # nobody has renewed it yet
    assert "not connected" not in journeys.contact()
    journeys.reset(Mills.dollars(50), device=half)
    serving.hybrid(first, half)
    serving.away = True
    single = journeys.evidence(journeys.plan(PEOPLE))
    assert (single.body["state"], single.body["device"]) == (mailroom.EVIDENCED, half)
    serving.away = False
    missing.report(journeys, first, event="stolen", place="rack", details="The door was broken open.")
    assert journeys.device == half
    found_again(journeys, first)
    journeys.contact()
    assert journeys.evidence(journeys.plan(PEOPLE)).body["device"] == journeys.device == first
    audited(serving.world, tmp_path / "export")


@cites("P050-2.8")
def test_a_half_that_was_struck_before_a_job_was_planned_leaves_its_reservation_free(
    world: World, tmp_path: Path
) -> None:
    journeys = mailer(world, deposit=300, reset=100)
    half = half_of(journeys)
    early = journeys.plan(PEOPLE)
    missing.report(journeys, half, event="lost", place="The Provider's rack", details="It is not there.")
    late = journeys.plan(PEOPLE)
    world.advance("73h")  # the first device is locked and refuses
    with out_of_reach(world, half, tmp_path):
        for job in (early, late):
            with pytest.raises(TowncircleError):
                journeys.evidence(job)
    assert [job_of(journeys, job).body["state"] for job in (early, late)] == ["planned", "given up"]
    with world.store(MAILROOM).reading() as view:
        (held,) = view.find("department")
    assert held.body["reserved"] == job_of(journeys, early).body["total"]


def written(journeys: Journeys, kind: str, key: str, body: dict[str, object]) -> Record:
    """Put a record as a kill, or somebody else, would have left it."""
    with journeys.world.store(MAILROOM).transaction() as tx:
        held = tx.get(kind, key)
        return tx.put(
            kind, key, body, owner=held.owner if held else journeys.device, expected=held.version if held else 0
        )


@cites("502.27b/4", "P050-3.3c")
def test_a_gone_device_is_booked_by_the_statement_where_open_jobs_explain_it_and_status_tells_its_end(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journeys = mailer(world, deposit=300, reset=200)
    other = half_of(journeys)
    journeys.reset(Mills.dollars(50), device=other)
    paid = journeys.plan(PEOPLE)
    total = debited(journeys, paid)
    device, job = held_back(journeys), job_of(journeys, paid)
    case = journeys.do(lambda ctx: returns.case(ctx, device=device))
    unkept = {name: value for name, value in case.body.items() if name != "given"}
    written(journeys, "check-out", device, unkept)  # a kill came between its word and the commit
    with refused("provider.balance-waiting"):
        returning.withdraw(journeys, reason="no longer wanted", device=other, wait=True)
    with out_of_reach(world, device, tmp_path):
        for one in (device, other):
            returning.sign_form(world, one, by="officer")
            returning.arrange(world, one, by="mats")
        written(journeys, "job", paid, {**job.body, "state": "given up"})
        dearer = {**job.body, "total": int(total) + 780}  # an open job that costs another sum explains nothing
        written(journeys, "job", "JOB-dearer", dearer)
        for _ in range(2):
            journeys.settle()  # nothing is open that would explain the first one, which holds up nothing else
        assert (case_of(journeys, device), case_of(journeys, other)) == (returns.NOTED, returns.DONE)
        with refused("licensee.not-what-it-gave"):
            returning.withdraw(journeys, reason="no longer wanted", device=device)
        with world.store(MAILROOM).reading() as view:
            (disputed,) = returns.disputes(view)
            noted = [fact.subject for fact in view.facts() if fact.type == "check-out.disputed"]
        assert (disputed, noted) == ((device, Mills.dollars(200) - total, Mills.dollars(200)), [device])
        assert returning.waiting(journeys) == []
        written(journeys, "job", "JOB-dearer", {**dearer, "state": "given up"})
        for at in range(13):  # many other jobs of another device are open too
            written(journeys, "job", f"JOB-0{at}", {**job.body, "device": other})
        written(journeys, "job", paid, dict(job.body))
        journeys.settle()
        assert case_of(journeys, device) == returns.DONE
        written(journeys, "job", "JOB-other", {**job.body, "department": "another"})
        with refused("batch.in-doubt"):
            evidenced.lose(journeys, job_of(journeys, paid), device)  # it may have been that one
        written(journeys, "job", "JOB-other", {**job.body, "department": "another", "state": "given up"})
        assert evidenced.lose(journeys, job_of(journeys, paid), device).body["state"] == mailroom.LOST
        world.close()
        assert main(["status", str(world.folder), "--device", device, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["device"], told["state"]) == (device, "out of service")
        assert f"{200 * 1000 - int(total)}"[:3] in told["sentence"].replace(".", "")
        assert main(["status", str(world.folder), "--device", device]) == 0
        assert "It was given back on" in capsys.readouterr().out


def test_a_device_in_use_that_does_not_answer_is_not_told_as_ended(world: World, tmp_path: Path) -> None:
    journeys = mailer(world)
    with out_of_reach(world, journeys.device, tmp_path):
        world.close()
        assert main(["status", str(world.folder)]) != 0
