"""The Postal Service examines devices in use: order, report, finding, case, and who may read and forge what."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.journeys.stories import ANNEX, HARBOR, LAPSE, MAILROOM, PEOPLE, REGIMES, mailer, new_world, refused
from tests.parties.hand import Hand

from towncircle.auditor import audit
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import Refused
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.licensee import examination
from towncircle.postal import examining
from towncircle.psd import process
from towncircle.psd.device import Device
from towncircle.psd.ports import BytePort
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire import bodies
from towncircle.world import printing, verifying
from towncircle.world.config import POSTAL
from towncircle.world.examinations import Examined, cases_of, close, examine, examined
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.parties import approved_builds
from towncircle.world.world import Wiring, World

STAFF = ("crypto-officer", "examiner")


@pytest.fixture
def journeys(world: World) -> Journeys:
    return mailer(world, deposit=600, reset=200)


def outcome(done: Examined) -> tuple[str, list[str]]:
    return done.record.body["outcome"], [code for code, _, _ in done.record.body["differences"]]


def ordered(world: World, device: DeviceId) -> str:
    """Order an examination and leave it at that."""
    chain = tuple(world.cabinet.certificate(name).der for name in (POSTAL, "authority", "root"))
    examiner = examining.Examiner(chain=chain, builds=approved_builds())
    return str(
        world.desk(POSTAL).perform(lambda ctx: examining.order(ctx, device=device, examiner=examiner), actor=POSTAL)
    )


def report_of(world: World, device: DeviceId, reference: str) -> bytes:
    """Show an order to a device and keep the report."""
    with world.store(POSTAL).reading() as view:
        row = view.get("examination", reference)
    assert row is not None
    with world.shelf.client(device) as client:
        return client.examine(base64.b64decode(row.body["order"])).message


def returned(world: World, device: DeviceId, reference: str, report: bytes) -> bodies.ExaminationReturned:
    return bodies.ExaminationReturned(device=device, reference=reference, report=report, code="", words="")


def no_difference(world: World, out: Path) -> None:
    export(world, out)
    assert [str(one) for one in audit(out, root=world.config.root).differences] == []


@cites("P050-2.6", "P050-3.4", "502.10")
@pytest.mark.parametrize("regime", REGIMES)
def test_an_honest_device_is_regular_in_every_state_in_which_it_answers(regime: str, tmp_path: Path) -> None:
    world = new_world(tmp_path / "world", regime)
    journeys = mailer(world, deposit=600)
    seen = [journeys.status().state]
    assert outcome(examine(world, journeys.device)) == ("regular", [])
    journeys.reset(Mills.dollars(200))
    printed = printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    for mark in verifying.marks_of(printed.pdf):
        verifying.record(mark, world, site="Washington DC P&DC")
    seen.append(journeys.status().state)
    assert outcome(examine(world, journeys.device)) == ("regular", [])
    for step in LAPSE[regime]:
        world.advance(step)
    seen.append(journeys.status().state)
    done = examine(world, journeys.device)
    assert outcome(done) == ("regular", [])
    assert done.found is not None
    assert done.found.body["pieces"] == len(PEOPLE)
    assert seen == ["authorised", "in service", "locked"]
    assert cases_of(world) == []
    no_difference(world, tmp_path / "export")
    world.close()


def test_a_faulted_device_signs_nothing_and_that_opens_a_case(world: World, journeys: Journeys, tmp_path: Path) -> None:
    device = journeys.device
    world.shelf.close()

    def broken(folder: Path) -> Device:
        sound = process.open_device(folder, clock_file=world.folder / "clock.json", seed=3)
        return Device(sound._memory, device, slots=sound._slots, clock=world.clock, tests={"a test": lambda: False})

    world.shelf._make_port = broken
    done = examine(world, device)
    assert outcome(done) == ("unanswered", ["examination.no-report"])
    assert "psd.faulted" in done.record.body["differences"][0][1]
    assert {(case.party, case.record.body["state"]) for case in cases_of(world)} == {(HARBOR, "open"), (POSTAL, "open")}
    with world.store(HARBOR).reading() as view:
        row = view.get("device", device)
    assert row is not None
    assert row.body["custody"] == "suspect"
    no_difference(world, tmp_path / "export")


def test_a_copy_that_printed_is_found_by_the_scan_of_its_piece(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    """The original never printed; a copy did, and its piece was scanned before the copy ever called."""
    device, folder = journeys.device, world.shelf.folder_of(journeys.device)
    world.shelf.close()
    shutil.copytree(folder, tmp_path / "original")
    printed = printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    verifying.record(next(iter(verifying.marks_of(printed.pdf))), world, site="Here")
    world.shelf.close()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "original", folder)
    assert outcome(examine(world, device)) == ("irregular", ["examination.scanned-beyond"])
    with refused("provider.not-leased"):  # suspect: no postage
        journeys.reset(Mills.dollars(50))
    with refused("case.not-cleared"):
        close(world, cases_of(world)[0].record.key, outcome="released", reason="x", approved_by=STAFF)


def test_an_open_order_is_given_again_and_one_that_ran_out_is_ordered_anew(world: World, journeys: Journeys) -> None:
    device = journeys.device
    first = ordered(world, device)
    assert ordered(world, device) == first
    world.advance("25h")
    done = examine(world, device)
    assert done.record.key != first
    assert outcome(done) == ("regular", [])
    with world.store(POSTAL).reading() as view:
        old = view.get("examination", first)
    assert old is not None
    assert old.body["state"] == "lapsed"


def test_an_order_that_the_host_shows_too_late_lapses_and_is_no_case(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    device = journeys.device
    reference = ordered(world, device)
    world.advance("25h")
    told = world.desk(MAILROOM).perform(lambda ctx: examination.answer(ctx, device=device), actor=MAILROOM)
    assert told == reference
    assert outcome(examined(world, reference)) == ("lapsed", [])
    assert cases_of(world) == []
    assert outcome(examine(world, device)) == ("regular", [])
    no_difference(world, tmp_path / "export")


@pytest.fixture
def hand(world: World) -> Hand:
    return Hand(world)


@cites("P050-2.6")
def test_a_report_that_is_altered_replayed_or_another_devices_is_refused_without_a_trace(
    world: World, journeys: Journeys, hand: Hand
) -> None:
    device = journeys.device
    other = mailer(world, ANNEX).device
    first = ordered(world, device)
    old = report_of(world, device, first)
    world.advance("1m")
    assert outcome(examine(world, device))[0] == "regular"  # another report than `old` ended it
    reference, foreign = ordered(world, device), ordered(world, other)
    fresh, theirs = report_of(world, device, reference), report_of(world, other, foreign)
    altered = bytes([*fresh[:-70], fresh[-70] ^ 1, *fresh[-69:]])
    tries = {
        "an altered report": (reference, altered, "world.enclosure-refused"),
        "no message at all": (reference, b"\x00", "world.enclosure-refused"),
        "a second report under an order that is over": (first, old, "postal.examination-over"),
        "an older report under a new order": (reference, old, "postal.not-a-report"),
        "another device's report": (reference, theirs, "postal.not-a-report"),
        "an examination of nobody": ("EXM-222222222222", fresh, "postal.no-such-examination"),
        "another device's examination": (foreign, fresh, "postal.no-such-examination"),
    }
    for name, (named, report, code) in tries.items():
        assert hand.refused(HARBOR, POSTAL, returned(world, device, named, report)) == code, name
    assert hand.refused("provider.summit", POSTAL, returned(world, device, reference, fresh)) == (
        "postal.no-such-examination"
    )
    told = hand.say(HARBOR, POSTAL, returned(world, device, reference, fresh))
    assert isinstance(told, bodies.ExaminationFinding)
    assert told.outcome == "regular"
    assert hand.say(HARBOR, POSTAL, returned(world, device, reference, fresh)) == told  # the first answer, again


def test_a_report_that_was_held_back_while_the_device_went_on_is_refused_as_older(
    world: World, journeys: Journeys, hand: Hand, tmp_path: Path
) -> None:
    reference = ordered(world, journeys.device)
    held = report_of(world, journeys.device, reference)
    world.advance("1h")
    printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    journeys.contact()
    body = returned(world, journeys.device, reference, held)
    assert hand.refused(HARBOR, POSTAL, body) == "postal.report-older"
    assert outcome(examine(world, journeys.device)) == ("regular", [])


def test_nobody_but_the_postal_service_orders_an_examination(world: World, journeys: Journeys, hand: Hand) -> None:
    device = journeys.device
    before = journeys.status().registers
    for forger in (HARBOR, MAILROOM):
        for name in (forger, POSTAL):  # with his own certificate, or the Postal Service's that he read in an order
            chain = tuple(world.cabinet.certificate(part).der for part in (name, "authority", "root"))
            body = bodies.ExaminationOrder(device=device, reference="EXM-222222222222", chain=chain)
            for sender in (forger, POSTAL):
                raw = hand.seal(forger, f"device.{device}", body)
                if sender == POSTAL:
                    raw = hand.seal(POSTAL, f"device.{device}", body, key=world.cabinet.key(forger))
                with world.shelf.client(device) as client, pytest.raises(Refused) as caught:
                    client.examine(raw)
                assert caught.value.code in ("psd.not-an-examiner", "wire.unknown-key"), (forger, name, sender)
    assert journeys.status().registers == before


def test_the_order_of_one_device_is_handed_to_its_own_licensee_only(
    world: World, journeys: Journeys, hand: Hand
) -> None:
    mailer(world, ANNEX)
    reference = ordered(world, journeys.device)
    query = bodies.ExaminationQuery(device=journeys.device)
    assert hand.refused(ANNEX, HARBOR, query) == "provider.unknown-device"
    answer = bodies.ExaminationAnswer(
        device=journeys.device, reference=reference, report=b"", code="psd.faulted", words="x"
    )
    assert hand.refused(ANNEX, HARBOR, answer) == "provider.no-such-examination"
    told = hand.say(MAILROOM, HARBOR, query)
    assert isinstance(told, bodies.ExaminationWaiting)
    assert told.reference == reference


def test_a_licensee_reads_his_own_registers_and_no_finding(world: World, journeys: Journeys, tmp_path: Path) -> None:
    device, folder = journeys.device, world.shelf.folder_of(journeys.device)
    world.shelf.close()
    shutil.copytree(folder, tmp_path / "copy")
    printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    journeys.contact()
    world.shelf.close()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "copy", folder)
    assert outcome(examine(world, device))[0] == "irregular"
    raw = (world.folder / MAILROOM / "store.sqlite").read_bytes() + (
        world.folder / MAILROOM / "store.sqlite-wal"
    ).read_bytes()
    with world.store(MAILROOM).reading() as view:
        facts = [fact for fact in view.facts() if fact.type.startswith("examination")]
        replies = [row for row in view.find("outgoing") if row.key.startswith("examination EXM")]
        assert view.find("case") == []
    assert [set(fact.body) for fact in facts] == [{"device", "provider"}]
    (reply,) = (Hand(world).read_as(base64.b64decode(row.body["reply"]), MAILROOM) for row in replies)
    assert isinstance(reply, bodies.Acknowledged)
    assert b"irregular" not in raw
    assert b"older copy" not in raw


def test_a_device_that_cannot_be_reached_is_examined_later(world: World, journeys: Journeys) -> None:
    device = journeys.device
    world.shelf.close()
    make: Callable[[Path], BytePort] = world.shelf._make_port

    def away(folder: Path) -> Device:
        raise Refused("psd.unreachable", what="it is switched off")

    world.shelf._make_port = away  # type: ignore[assignment]  # a port that cannot be opened
    with refused("psd.unreachable"):
        examine(world, device)
    world.shelf._make_port = make  # type: ignore[assignment]  # the first one again
    with world.store(POSTAL).reading() as view:
        (open_,) = view.find("examination")
    done = examine(world, device)
    assert done.record.key == open_.key
    assert outcome(done) == ("regular", [])


def test_a_device_that_is_in_no_register_is_not_examined(world: World) -> None:
    with refused("postal.not-in-register"):
        examine(world, DeviceId.parse("TC1A0000000099"))


def test_the_host_asks_and_nothing_waits(world: World, journeys: Journeys) -> None:
    device = journeys.device
    told = world.desk(MAILROOM).perform(lambda ctx: examination.answer(ctx, device=device), actor=MAILROOM)
    assert told == ""


def test_a_postal_service_that_is_away_gets_the_finding_when_the_host_comes_again(tmp_path: Path) -> None:
    class Away:
        def __init__(self, inner: object) -> None:
            self.inner, self.out = inner, False

        def send(self, audience: str, raw: bytes) -> bytes:
            if self.out and audience == POSTAL:
                raise Refused("transport.unreachable", audience=audience, what="away")
            answer: bytes = self.inner.send(audience, raw)  # type: ignore[attr-defined]  # the world's own transport
            return answer

    ways: list[Away] = []

    def wrap(inner: object) -> Away:
        ways.append(Away(inner))
        return ways[-1]

    folder = tmp_path / "world"
    mailer(new_world(folder), deposit=600, reset=200).world.close()
    world = World.open(folder, Wiring(make_port=in_process(folder), transport=wrap))  # type: ignore[arg-type]  # as above
    journeys = Journeys(world)
    reference = ordered(world, journeys.device)
    ways[0].out = True
    with pytest.raises(Refused):
        examine(world, journeys.device)
    ways[0].out = False
    done = examine(world, journeys.device)
    assert done.record.key == reference
    assert outcome(done) == ("regular", [])
    no_difference(world, tmp_path / "export")
    world.close()
