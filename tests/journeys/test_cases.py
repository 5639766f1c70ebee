"""A device that went back is a case at both ends, and the case ends by two persons or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from tests.journeys.stories import HARBOR, PEOPLE, SUMMIT, mailer, new_world, refused
from tests.journeys.test_examinations import STAFF, no_difference, outcome
from tests.parties.hand import Hand, Line

from towncircle.auditor import audit
from towncircle.kernel.cites import cites
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.money import Mills
from towncircle.rules.offices import grant
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire import bodies
from towncircle.world import printing
from towncircle.world.config import POSTAL
from towncircle.world.examinations import Case, cases_of, close, examine
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.world import Wiring, World


@dataclass(slots=True)
class Twice:
    """A device of which an older copy runs; `swap` puts the other one in its place."""

    journeys: Journeys
    away: Path

    @property
    def world(self) -> World:
        return self.journeys.world

    def swap(self) -> None:
        folder = self.world.shelf.folder_of(self.journeys.device)
        self.world.shelf.close()
        middle = self.away.with_suffix(".middle")
        folder.rename(middle)
        self.away.rename(folder)
        middle.rename(self.away)

    def case(self, party: str = HARBOR) -> Case:
        (found,) = [case for case in cases_of(self.world) if case.party == party]
        return found

    def custody(self) -> str:
        with self.world.store(HARBOR).reading() as view:
            row = view.get("device", self.journeys.device)
        assert row is not None
        return str(row.body["custody"])


def copied(tmp_path: Path) -> Twice:
    """Have a device print and connect, and an older copy of it take its place five minutes later."""
    world = new_world(tmp_path / "world")
    journeys = mailer(world, deposit=600, reset=200)
    folder = world.shelf.folder_of(journeys.device)
    world.shelf.close()
    shutil.copytree(folder, tmp_path / "away")
    printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    journeys.contact()
    both = Twice(journeys, tmp_path / "away")
    both.swap()
    world.advance("5m")
    return both


@pytest.fixture
def twice(tmp_path: Path) -> Iterator[Twice]:
    both = copied(tmp_path)
    with refused("provider.frozen"):
        both.journeys.contact()
    yield both
    both.journeys.world.close()


def test_a_restored_copy_opens_a_case_that_the_postal_service_knows(twice: Twice, tmp_path: Path) -> None:
    twice.world.deliver()
    ours, theirs = twice.case(), twice.case(POSTAL)
    assert ours.record.key == theirs.record.key
    assert ours.record.body["ground"] == theirs.record.body["ground"]
    assert "older copy" in ours.record.body["ground"]
    assert [step.type for step in ours.steps] == ["case.opened", "case.step", "case.step"]
    assert twice.custody() == "suspect"
    with twice.world.store(HARBOR).reading() as view:
        row = view.get("device", twice.journeys.device)
        assert row is not None
        assert 0 < row.body["heard_counter"] < row.body["message_counter"]  # of its acknowledgment
    with refused("provider.frozen"):
        twice.journeys.contact()
    assert twice.case().record == ours.record  # another contact is no other case
    twice.swap()
    no_difference(twice.world, tmp_path / "export")


@cites("P050-2.6", "502.14b")
def test_the_real_device_is_released_after_a_regular_examination_by_two_persons(twice: Twice, tmp_path: Path) -> None:
    world, journeys, case = twice.world, twice.journeys, twice.case().record.key
    assert outcome(examine(world, journeys.device))[0] == "irregular"
    with refused("case.not-cleared"):
        close(world, case, outcome="released", reason="x", approved_by=STAFF)
    twice.swap()
    assert outcome(examine(world, journeys.device)) == ("regular", [])
    close(world, case, outcome="released", reason="The copy was destroyed.", approved_by=STAFF)
    assert (twice.custody(), twice.case(POSTAL).record.body["state"]) == ("leased", "released")
    journeys.contact()
    journeys.reset(Mills.dollars(50))
    with refused("case.over"):
        close(world, case, outcome="retired", reason="x", approved_by=STAFF)
    no_difference(world, tmp_path / "export")


def test_an_examination_before_the_case_releases_nothing(tmp_path: Path, twice: Twice) -> None:
    """Regular, the copy found, regular again by word only: the first examination does not count."""
    world, case = twice.world, twice.case()
    with world.store(HARBOR).transaction() as tx:
        row = tx.put(
            "examination",
            "EXM-222222222222",
            {"device": twice.journeys.device, "state": "returned", "outcome": "regular", "number": 1, "case": ""}
            | {"found_at": int(case.opened_at) - 1},
            owner=twice.journeys.licensee,
            expected=0,
        )
    with refused("case.not-cleared"):
        close(world, case.record.key, outcome="released", reason="x", approved_by=STAFF)
    with world.store(HARBOR).transaction() as tx:
        later = {**row.body, "found_at": int(case.opened_at)}
        tx.put("examination", row.key, later, owner=row.owner, expected=row.version)
    # a Provider that wrote itself a finding: the Postal Service does not close, and the auditor says so
    close(world, case.record.key, outcome="released", reason="x", approved_by=STAFF)
    assert twice.case(POSTAL).record.body["state"] == "open"
    twice.swap()
    export(world, tmp_path / "export")
    codes = {one.code for one in audit(tmp_path / "export").differences}
    assert {"case.not-cleared", "case.differs"} <= codes


@pytest.mark.parametrize(
    "staff",
    [
        (),
        ("officer-17",),
        ("officer-17", "officer-17"),
        ("officer-17", "officer-17."),
        ("officer-17", "officer17"),
        ("officer-17", "officer.1-7"),
        ("officer-17", "officer-"),
        ("officer-17", "Officer-23"),
        ("officer-17", "Jane Doe"),
        ("a", "b", "c"),
        ("", "b"),
        ("a" * 32, "a" * 33),
    ],
)
def test_one_person_closes_no_case(twice: Twice, staff: tuple[str, ...]) -> None:
    with refused("case.two-persons"):
        close(twice.world, twice.case().record.key, outcome="retired", reason="x", approved_by=staff)
    assert twice.case().record.body["state"] == "open"


@pytest.mark.parametrize("staff", [("officer-17", "officer-18"), ("a", "a" * 32), ("ab-1", "ab-2")])
def test_two_persons_close_a_case(twice: Twice, staff: tuple[str, str]) -> None:
    for name in staff:
        twice.world.desk(HARBOR).perform(partial(grant, name=name, named=("examiner",)), actor=HARBOR)
    close(twice.world, twice.case().record.key, outcome="retired", reason="x", approved_by=staff)
    assert twice.case().record.body["state"] == "retired"


@pytest.mark.parametrize(
    ("reason", "well"), [("", False), (" ", False), ("x", True), ("x" * 400, True), ("x" * 401, False)]
)
def test_a_case_is_closed_with_a_reason(twice: Twice, reason: str, well: bool) -> None:
    case = twice.case().record.key

    def end() -> None:
        close(twice.world, case, outcome="retired", reason=reason, approved_by=STAFF)

    if well:
        end()
    else:
        with pytest.raises(BadInput, match=r"case\.reason"):
            end()


def test_a_retired_device_stays_frozen_and_what_it_last_signed_counts(twice: Twice, tmp_path: Path) -> None:
    world, journeys = twice.world, twice.journeys
    close(world, twice.case().record.key, outcome="retired", reason="It cannot be trusted.", approved_by=STAFF)
    assert (twice.custody(), twice.case(POSTAL).record.body["state"]) == ("returned", "retired")
    twice.swap()
    for _ in range(2):  # in the second of the revocation, in which its word is still read, and after it
        with refused("provider.retired"):
            journeys.contact()
        with refused("provider.retired"):
            journeys.reset(Mills.dollars(50))
        world.advance("1m")
    with refused("postal.out-of-service"):
        examine(world, journeys.device)
    with refused("case.over"):
        close(world, twice.case().record.key, outcome="released", reason="x", approved_by=STAFF)
    no_difference(world, tmp_path / "export")


def test_a_case_that_is_not_there_is_not_closed(twice: Twice) -> None:
    with refused("case.unknown"):
        close(twice.world, "CSE-222222222222", outcome="retired", reason="x", approved_by=STAFF)


def report(twice: Twice, evidence: bytes, **changes: object) -> bodies.IrregularityReport:
    fields: dict[str, object] = {
        "case": "CSE-222222222222",
        "device": twice.journeys.device,
        "ground": "a word",
        "discovered_at": twice.world.clock.now(),
        "evidence": evidence,
    }
    return bodies.IrregularityReport(**{**fields, **changes})  # type: ignore[arg-type]  # bent on purpose


def closed(twice: Twice, **changes: object) -> bodies.CaseClosed:
    fields: dict[str, object] = {
        "case": twice.case().record.key,
        "device": twice.journeys.device,
        "outcome": "released",
        "reason": "x",
        "approved_by": STAFF,
        "examination": "",
    }
    return bodies.CaseClosed(**{**fields, **changes})  # type: ignore[arg-type]  # bent on purpose


def test_the_postal_service_takes_no_case_on_a_providers_bare_word(twice: Twice) -> None:
    twice.world.deliver()
    hand = Hand(twice.world)
    with twice.world.shelf.client(twice.journeys.device) as client:
        audit_ = client.audit().message
    own = hand.seal(HARBOR, HARBOR, bodies.Acknowledged(note="x"))
    tries: dict[str, tuple[str, bodies.IrregularityReport, str]] = {
        "another Provider": (SUMMIT, report(twice, audit_), "postal.unknown-device"),
        "no evidence": (HARBOR, report(twice, b""), "world.enclosure-refused"),
        "its own word as evidence": (HARBOR, report(twice, own), "postal.no-evidence"),
    }
    for name, (sender, body, code) in tries.items():
        assert hand.refused(sender, POSTAL, body) == code, name
    endings: dict[str, tuple[str, bodies.CaseClosed, str]] = {
        "another Provider": (SUMMIT, closed(twice), "postal.no-such-case"),
        "no such case": (HARBOR, closed(twice, case="CSE-222222222222"), "postal.no-such-case"),
        "no examination": (HARBOR, closed(twice), "postal.not-cleared"),
        "one person": (HARBOR, closed(twice, outcome="retired", approved_by=STAFF[:1]), "case.two-persons"),
    }
    for name, (sender, ending, code) in endings.items():
        assert hand.refused(sender, POSTAL, ending) == code, name
    assert isinstance(hand.say(HARBOR, POSTAL, report(twice, audit_)), bodies.Acknowledged)


def test_a_provider_in_a_process_of_its_own_closes_its_cases_itself(twice: Twice) -> None:
    case = twice.case().record.key
    beside = World.open(twice.world.folder, Wiring(only=(POSTAL,)))
    with refused("case.elsewhere"):
        close(beside, case, outcome="retired", reason="x", approved_by=STAFF)
    beside.close()
    assert twice.case().record.body["state"] == "open"


def test_a_case_that_has_not_reached_the_postal_service_is_excused_by_its_waiting_message_only(tmp_path: Path) -> None:
    folder, line = tmp_path / "world", Line()
    mailer(new_world(folder), deposit=600, reset=200).world.close()
    world = World.open(folder, Wiring(make_port=in_process(folder), transport=line.over))
    journeys = Journeys(world)
    device = world.shelf.folder_of(journeys.device)
    shutil.copytree(device, tmp_path / "old")
    printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    journeys.contact()
    world.shelf.close()
    device.rename(tmp_path / "new")
    (tmp_path / "old").rename(device)
    world.advance("5m")

    def away(audience: str, raw: bytes) -> bytes:
        if audience == POSTAL:
            raise Refused("transport.unreachable", audience=audience, what="away")
        return raw

    line.going = away
    with refused("provider.frozen"):
        journeys.contact()
    world.shelf.close()
    shutil.rmtree(device)
    (tmp_path / "new").rename(device)
    assert not export(world, tmp_path / "export").quiet
    assert [str(one) for one in audit(tmp_path / "export").differences] == []
    messages = tmp_path / "export" / HARBOR / "messages.jsonl"
    kept = [text for text in messages.read_text().splitlines() if '"type":76' not in text]
    messages.write_text("".join(f"{text}\n" for text in kept))
    assert "case.one-sided" in {one.code for one in audit(tmp_path / "export").differences}
    line.going = lambda _audience, raw: raw
    no_difference(world, tmp_path / "later")
    world.close()
