"""A device is lost or stolen: everybody knows at once, and two things at the same time have one outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pypdfium2
import pytest
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, PEOPLE, mailer, new_world, refused
from tests.journeys.test_examinations import no_difference
from tests.parties.hand import Line

from towncircle.kernel.errors import BadInput, Refused, RefusedOnGrounds, RelayedRefusal
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import ZERO, Mills
from towncircle.kernel.store import Record as Row
from towncircle.ledger import Books
from towncircle.provider import incidents, missing, searching
from towncircle.psd.memory import Change, Memory, Record
from towncircle.psd.state import DeviceState
from towncircle.testing.rehearsal_world import in_process
from towncircle.wire.lost_and_stolen import read
from towncircle.world import printing
from towncircle.world.config import POSTAL
from towncircle.world.deadlines import duties_of
from towncircle.world.incident_papers import write_reports
from towncircle.world.journeys import Journeys
from towncircle.world.missing import at_provider, file_months, file_of, kept, report, return_recovered
from towncircle.world.verifying import Mark, record
from towncircle.world.world import Wiring, World

PAPER = "ab" * 32


@pytest.fixture
def journeys(tmp_path: Path) -> Iterator[Journeys]:
    world = new_world(tmp_path / "world")
    yield mailer(world, deposit=600, reset=200)
    world.close()


def lose(journeys: Journeys, event: str = "stolen") -> Row:
    return report(journeys, journeys.device, event=event, place="mail room", details="the door was broken open")


def find(journeys: Journeys, device: DeviceId | None = None) -> Row:
    return report(journeys, device or journeys.device, event="recovered", place="mail room", details="behind a shelf")


def provider(journeys: Journeys, job: Callable[..., Row], **told: str) -> Row:
    device = told.pop("device", journeys.device)
    done: Row = at_provider(journeys.world, device, lambda ctx: job(ctx, device=device, **told))
    return done


def connected(journeys: Journeys, device: DeviceId | None = None) -> None:
    with refused("missing.reported"):
        journeys.contact_of(device or journeys.device)


def text_of(path: Path) -> str:
    """Read the words of a PDF back."""
    pages = pypdfium2.PdfDocument(path.read_bytes())
    return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in pages)


def custody(journeys: Journeys, device: str = "") -> str:
    with journeys.world.store(HARBOR).reading() as view:
        row = view.get("device", device or journeys.device)
    assert row is not None
    return str(row.body["custody"])


def states(journeys: Journeys, party: str, limit: str) -> set[str]:
    """Tell how the duties of a limit stand."""
    found = duties_of(journeys.world, party, as_of=journeys.world.clock.now())
    return {one.state for one in found if one.limit.id == limit}


def facts(world: World, party: str, *kinds: str) -> list[tuple[str, str]]:
    with world.store(party).reading() as view:
        return [(fact.type, fact.subject) for fact in view.facts() if fact.type in kinds]


def printed(journeys: Journeys, out: Path) -> list[bytes]:
    printing.print_job(journeys, PEOPLE, out, formats=("pdf",))
    with journeys.world.store(journeys.licensee).reading() as view:
        (row,) = view.find("job")
    return [bytes.fromhex(text) for text in row.body["indicia"]]


def verdict(world: World, mark: bytes) -> tuple[str, str, str]:
    """Give the verdict, the disposition and the clause of the status finding of a scan."""
    told = record(Mark(file="a mark", page=1, payload=mark), world, site="facility").verdict
    (status,) = [one for one in told.findings if one.code == "device.status"]
    return told.verdict, told.disposition, "" if status.ok else status.clause


def test_a_theft_reaches_the_provider_the_register_and_the_verifiers_at_once(
    journeys: Journeys, tmp_path: Path
) -> None:
    world = journeys.world
    first, second = printed(journeys, tmp_path / "out")
    assert verdict(world, first)[0] == "VALID"
    lose(journeys)
    assert custody(journeys) == "stolen"
    assert [row.status for row in world.pack().statuses[journeys.device]] == ["stolen"]
    assert verdict(world, second) == ("INVALID", "reject", "502.24")
    assert facts(world, POSTAL, "missing.told", "device.stolen") == [
        ("device.stolen", journeys.device),
        ("missing.told", journeys.device),
    ]
    no_difference(world, tmp_path / "export")


def test_a_device_that_was_reported_prints_and_resets_nothing(journeys: Journeys, tmp_path: Path) -> None:
    lose(journeys, "lost")
    with refused("missing.not-in-hand"):
        journeys.reset(Mills.dollars(50))
    with refused("missing.not-in-hand"):
        printing.print_job(journeys, PEOPLE, tmp_path / "out", formats=("pdf",))
    connected(journeys)
    no_difference(journeys.world, tmp_path / "export")


def test_telling_it_again_changes_nothing_and_a_lost_device_may_turn_out_stolen(journeys: Journeys) -> None:
    incident = lose(journeys, "lost").body["incident"]
    assert lose(journeys, "lost").body["incident"] == incident
    assert lose(journeys, "stolen").body["incident"] == incident
    assert custody(journeys) == "stolen"
    assert len(kept(journeys.world).incidents) == 1


def test_a_recovered_device_is_inspected_before_it_is_used_again(journeys: Journeys, tmp_path: Path) -> None:
    first, second = printed(journeys, tmp_path / "out")
    lose(journeys)
    assert states(journeys, MAILROOM, "quality-piece-forwarded") == {"fell away"}  # nobody prints with it
    find(journeys)
    assert verdict(journeys.world, first)[0] == "INVALID"  # a stranger may have used it
    with refused("missing.no-reading"):
        provider(journeys, missing.inspect, outcome="regular", reference="b-1", document="")
    connected(journeys)
    with refused("missing.not-inspected"):
        provider(journeys, missing.give_back, regime="imi-2024")
    with refused("missing.not-in-hand"):
        journeys.reset(Mills.dollars(50))
    provider(journeys, missing.inspect, outcome="regular", reference="b-1", document="")
    provider(journeys, missing.give_back, regime="imi-2024")
    journeys.contact()
    journeys.reset(Mills.dollars(50))
    assert (custody(journeys), verdict(journeys.world, second)[0]) == ("leased", "VALID")
    assert states(journeys, MAILROOM, "quality-piece-forwarded") == {"fell away", "due"}
    provider(journeys, incidents.file_due)
    provider(journeys, incidents.file_due)
    first_report, second_report = sorted(kept(journeys.world).filed, key=lambda row: bool(row.body["references"]))
    assert (first_report.body["event"], second_report.body["event"]) == ("stolen", "recovered")
    assert second_report.body["references"] == first_report.key
    no_difference(journeys.world, tmp_path / "export")


def test_the_reports_of_a_loss_and_of_the_recovery_are_papers_that_say_what_was_told(
    journeys: Journeys, tmp_path: Path
) -> None:
    with refused("missing.no-report"):
        write_reports(journeys.world, journeys.device, tmp_path)
    lose(journeys)
    provider(journeys, missing.police, reference="99-1234", document=PAPER, cpip="CPIP-17")
    first = provider(journeys, incidents.file_due)
    find(journeys)
    second = provider(journeys, incidents.file_due)
    texts = [text_of(path) for path in write_reports(journeys.world, journeys.device, tmp_path / "papers")]
    assert f"Report {first.key} Event stolen Determined 2026-" in texts[0]
    assert " EST " in texts[0]  # as the clock of the licensing post office says it
    assert f"Device {journeys.device}" in texts[0]
    assert "Place mail room the door was broken open" in texts[0]
    assert "descending register, pieces $0.00, $200.00, 0" in texts[0]
    assert "502.24(b)(1) A police report is made. done, 2026-" in texts[0]
    assert f"SHA-256 of the paper that shows it {PAPER}" in texts[0]
    assert f"Report {second.body['recovery_report']} References the first report {first.key}" in texts[1]
    assert "Place mail room behind a shelf" in texts[1]


def test_a_replaced_device_is_checked_out_and_its_balance_credited(journeys: Journeys, tmp_path: Path) -> None:
    old = journeys.device
    lose(journeys)
    with refused("missing.replacement-withheld"):
        journeys.lease()
    provider(journeys, missing.police, reference="26-7", document=PAPER, cpip="C-1")
    new = DeviceId(journeys.lease().device)
    assert new not in ("", old)
    journeys.reset(Mills.dollars(50))
    find(journeys, old)
    with refused("missing.not-inspected"):
        return_recovered(journeys, old)
    connected(journeys, old)
    provider(journeys, missing.inspect, device=old, outcome="regular", reference="b-1", document="")
    with refused("missing.replaced"):
        provider(journeys, missing.give_back, device=old, regime="imi-2024")
    assert return_recovered(journeys, old).amount == Mills.dollars(200)
    assert (custody(journeys, old), custody(journeys, new)) == ("checked out", "leased")
    assert [row.body["state"] for row in kept(journeys.world).incidents] == ["closed"]
    no_difference(journeys.world, tmp_path / "export")


TOLD = {
    "directory-assistance": "603 555 0100",
    "post-office": "03060",
    "rental-agency": "Elm Street Rentals",
    "last-address": "2026-11-20",
    "certified-letter": "7000 0000 0000 0000 0001",
}


def step(
    journeys: Journeys, name: str, result: str = "nothing", document: str = PAPER, told: str | None = None
) -> None:
    said = {"result": result, "reference": "file-1", "document": document}
    said["told"] = TOLD.get(name, "") if told is None else told
    provider(journeys, searching.take_step, step=name, **said)


def test_a_step_of_the_search_says_what_its_evidence_says_and_its_question_goes_to_whom_it_concerns(
    journeys: Journeys,
) -> None:
    provider(journeys, searching.search, reason="letters come back")
    for name, told in (
        ("directory-assistance", "a friend"),
        ("post-office", "0306"),
        ("rental-agency", ""),
        ("last-address", "2099-01-01"),
        ("last-address", "yesterday"),
        ("certified-letter", "a letter"),
        ("cmls-and-mats", "they said no"),
    ):
        with pytest.raises(BadInput, match=r"missing\.step-evidence|custody\.article"):
            step(journeys, name, told=told)
    step(journeys, "rental-agency", "not-applicable", told="")
    step(journeys, "cmls-and-mats")
    with journeys.world.store(POSTAL).reading() as view:
        asked = [fact.body["reference"] for fact in view.facts() if fact.type == "location.inquired"]
    assert asked == ["file-1"]


def test_a_search_ends_after_every_step_and_every_open_one_is_named(journeys: Journeys, tmp_path: Path) -> None:
    provider(journeys, searching.search, reason="letters come back")
    assert custody(journeys) == "missing"
    with refused("provider.not-leased"):
        journeys.reset(Mills.dollars(50))
    for place, one in enumerate(searching.STEPS):
        with pytest.raises(RefusedOnGrounds) as caught:
            provider(journeys, searching.determine, event="lost")
        assert [ground.clause for ground in caught.value.grounds] == [left.clause for left in searching.STEPS[place:]]
        step(journeys, one.name)
    provider(journeys, searching.determine, event="lost")
    provider(journeys, incidents.file_report)
    assert len(kept(journeys.world).filed[0].body["steps"]) == len(searching.STEPS)
    no_difference(journeys.world, tmp_path / "export")


def test_a_new_address_makes_the_inspection_due_before_the_search_ends(journeys: Journeys) -> None:
    provider(journeys, searching.search, reason="letters come back")
    with refused("missing.not-located"):
        step(journeys, "inspection")
    for one in searching.STEPS:
        step(journeys, one.name, "new-address" if one.name == "last-address" else "nothing")
    with pytest.raises(RefusedOnGrounds) as caught:
        provider(journeys, searching.determine, event="lost")
    assert [ground.clause for ground in caught.value.grounds] == ["502.24(a)(7)"]
    connected(journeys)  # an audit is the inspection
    provider(journeys, searching.determine, event="lost")


def test_the_inspection_at_a_new_address_that_the_provider_recorded_is_no_longer_due(journeys: Journeys) -> None:
    provider(journeys, searching.search, reason="letters come back")
    step(journeys, "last-address", "new-address")
    assert states(journeys, HARBOR, "located-inspection") == {"due"}
    step(journeys, "inspection")
    assert states(journeys, HARBOR, "located-inspection") == {"met"}


def test_the_monthly_file_is_due_with_and_without_devices(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    lose(journeys)
    world.advance("40d")
    find(journeys)
    world.advance("30d")
    files = sorted(kept(world).files, key=lambda one: one[1].key)
    assert [len(read(file_of(row)).devices) for _, row in files] == [1, 1, 0]
    assert file_months(world, HARBOR) == []  # the round of the day sent them
    assert "overdue" not in states(journeys, HARBOR, "lost-and-stolen-file")
    assert "met late" not in states(journeys, HARBOR, "lost-and-stolen-file")
    purged = {row.key: read(file_of(row)).purged for _, row in kept(world).files}
    assert sum(purged.values()) == 1
    no_difference(world, tmp_path / "export")


def test_the_file_names_what_is_missing_and_what_is_new(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    lose(journeys)
    month = incidents.month_of(world.clock.now())
    with refused("missing.period-open"):
        file_months(world, HARBOR, month)
    world.advance("40d")
    first, second = [read(file_of(row)).devices for _, row in sorted(kept(world).files, key=lambda one: one[1].key)]
    assert [(row.device, row.status, row.new, row.descending_mills) for row in (*first, *second)] == [
        (journeys.device, "stolen", True, 200_000),
        (journeys.device, "stolen", False, 200_000),
    ]
    with world.store(POSTAL).reading() as view:
        assert [row.body["differences"] for row in view.find("lost-and-stolen-file")] == [[], []]
    no_difference(world, tmp_path / "export")


def test_nobody_reports_the_device_of_another(tmp_path: Path, journeys: Journeys) -> None:
    other = mailer(journeys.world, ANNEX)
    with pytest.raises(Refused):
        report(other, journeys.device, event="lost", place="x", details="y")
    assert custody(journeys) == "leased"


def test_a_find_that_the_provider_does_not_know_of_is_told_and_refused(journeys: Journeys, tmp_path: Path) -> None:
    with refused("missing.no-incident"):
        find(journeys)
    assert facts(journeys.world, journeys.licensee, "device.incident-reported") != []
    journeys.reset(Mills.dollars(20))
    no_difference(journeys.world, tmp_path / "export")


def transit(journeys: Journeys) -> Mills:
    with journeys.world.store(HARBOR).reading() as view:
        return Books(view).device(journeys.licensee, journeys.device).in_transit


@pytest.mark.parametrize("when", ["before the Provider saw it", "after the Provider answered"])
def test_a_loss_during_a_reset_has_one_outcome(when: str, tmp_path: Path) -> None:
    folder, line = tmp_path / "world", Line()
    mailer(new_world(folder), deposit=600, reset=200).world.close()
    world = World.open(folder, Wiring(make_port=in_process(folder), transport=line.over))
    journeys, answers = Journeys(world), list[Row]()

    def meanwhile(audience: str, raw: bytes) -> bytes:
        if audience == HARBOR and not answers:
            answers.append(None)  # type: ignore[arg-type]  # so that the report itself does not report
            answers[0] = lose(journeys)
        return raw

    setattr(line, "going" if when.startswith("before") else "coming", meanwhile)
    if when.startswith("before"):
        with pytest.raises(RelayedRefusal, match="not leased"):
            journeys.reset(Mills.dollars(50))
    else:
        journeys.reset(Mills.dollars(50))
    assert answers[0].body["in_transit"] == (0 if when.startswith("before") else 50_000)
    assert (transit(journeys), custody(journeys)) == (ZERO, "stolen")
    no_difference(world, tmp_path / "export")
    world.close()


class Meanwhile:
    """A device's memory: something happens elsewhere just before its next debit is kept."""

    def __init__(self, inner: Memory) -> None:
        self.inner = inner
        self.then: Callable[[], object] = lambda: None

    def load(self, ids: Iterable[DeviceId]) -> Mapping[DeviceId, DeviceState]:
        return self.inner.load(ids)

    def commit(self, changes: Sequence[Change]) -> None:
        then, self.then = self.then, lambda: None
        then()
        self.inner.commit(changes)

    def record(self, device: DeviceId, *, kind: str, request_id: str) -> Record | None:
        return self.inner.record(device, kind=kind, request_id=request_id)

    def records(self, device: DeviceId) -> Iterable[Record]:
        return self.inner.records(device)

    def forget_keys(self) -> None:
        self.inner.forget_keys()

    def close(self) -> None:
        self.inner.close()


def test_a_loss_during_a_print_leaves_paid_pieces_that_nobody_hands_over(tmp_path: Path) -> None:
    folder, memories = tmp_path / "world", list[Meanwhile]()

    def around(inner: Memory) -> Memory:
        memories.append(Meanwhile(inner))
        return memories[-1]

    mailer(new_world(folder), deposit=600, reset=200).world.close()
    world = World.open(folder, Wiring(make_port=in_process(folder, around)))
    journeys = Journeys(world)
    job = journeys.plan(PEOPLE)
    memories[-1].then = lambda: lose(journeys)
    with refused("missing.evidenced-meanwhile") as told:
        journeys.evidence(job)
    assert "stolen" in told.value.sentence
    assert [row.body["state"] for row in journeys.open_jobs()] == ["evidenced"]
    assert journeys.status().registers.pieces == len(PEOPLE)
    no_difference(world, tmp_path / "export")
    world.close()


def test_a_print_that_was_planned_before_the_loss_is_given_up_unpaid(journeys: Journeys, tmp_path: Path) -> None:
    job = journeys.plan(PEOPLE)
    lose(journeys)
    with refused("missing.not-in-hand"):
        journeys.evidence(job)
    assert (journeys.open_jobs(), journeys.status().registers.pieces) == ([], 0)
    no_difference(journeys.world, tmp_path / "export")


def test_what_still_waits_for_the_postal_service_is_no_difference_and_missing_without_it_is_one(tmp_path: Path) -> None:
    folder, line = tmp_path / "world", Line()
    mailer(new_world(folder), deposit=600, reset=200).world.close()
    world = World.open(folder, Wiring(make_port=in_process(folder), transport=line.over))
    journeys = Journeys(world)

    def down(audience: str, raw: bytes) -> bytes:
        if audience == POSTAL:
            raise Refused("transport.unreachable", party=POSTAL)
        return raw

    line.going = down
    lose(journeys)
    provider(journeys, missing.police, reference="26-7", document=PAPER, cpip="C-1")
    provider(journeys, incidents.file_report)
    world.advance("1h")
    no_difference(world, tmp_path / "export")
    line.going = lambda _audience, raw: raw
    world.deliver()
    no_difference(world, tmp_path / "later")
    assert len(kept(world).filed) == 1
    world.close()
