"""Rate tables and software come down with a connection, take hold on their day or at a start, and never in a batch."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.journeys.stories import ANNEX, HARBOR, mailer
from tests.journeys.test_examinations import no_difference
from tests.journeys.test_journeys import PEOPLE, refused
from tests.journeys.updates import (
    BY,
    DEARER,
    FIRST,
    OTHER,
    THIRD,
    change_approved,
    installed,
    published,
    released,
    restarted,
    specimen,
    told,
)
from tests.parties.test_papers import text_of

from towncircle.kernel.context import Exchange, Steps
from towncircle.kernel.errors import BadInput, RefusedOnGrounds
from towncircle.kernel.facts import Fact
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.money import Mills
from towncircle.licensee import downloads, funds, rates
from towncircle.mailpiece import rate_files
from towncircle.mailpiece.tariff import FIRST_CLASS, first_class_tables
from towncircle.postal import rates as postal_rates
from towncircle.provider import rates as provider_rates
from towncircle.verification import Observed, judge, load_pack
from towncircle.world import printing, updates, verifying
from towncircle.world.board import PACK
from towncircle.world.config import POSTAL
from towncircle.world.deadlines import duties_of
from towncircle.world.journeys import Journeys
from towncircle.world.rate_papers import write_withdrawals
from towncircle.world.world import World


def table_of(journeys: Journeys, day: date) -> tuple[str, list[str]]:
    with journeys.world.store(journeys.licensee).reading() as view:
        used, waiting = rates.standing(view, HARBOR, day=day)
    return next((one.id for one in used if one.series == FIRST_CLASS), ""), [one.id for one in waiting]


def cost(journeys: Journeys, out: Path) -> Mills:
    return printing.print_job(journeys, PEOPLE, out, formats=("pdf",)).total


# ---- rate tables


def test_a_table_is_at_the_host_before_its_day_and_holds_from_midnight_of_the_office(
    journeys: Journeys, tmp_path: Path
) -> None:
    world = journeys.world
    before = cost(journeys, tmp_path / "0")
    published(world)
    assert table_of(journeys, FIRST)[0] == "2026-07-12"
    journeys.contact()
    assert table_of(journeys, journeys.today()) == ("2026-07-12", ["specimen"])
    assert cost(journeys, tmp_path / "1") == before
    for _ in range(3):
        world.advance("60h")
        journeys.contact()
    assert world.clock.now().iso() == "2026-12-01T02:00:00Z"  # the world's day has begun, the office's has not
    assert journeys.today() == date(2026, 11, 30)
    assert cost(journeys, tmp_path / "2") == before
    world.advance("179m")
    assert cost(journeys, tmp_path / "3") == before
    world.advance("1m")
    assert journeys.today() == FIRST
    assert cost(journeys, tmp_path / "4") == before + DEARER * len(PEOPLE)
    assert table_of(journeys, FIRST) == ("specimen", [])
    assert told(world, HARBOR, "rates") == ["rates.published", "rates.assigned", "rates.taken"]
    no_difference(world, tmp_path / "export")


@pytest.mark.shows("P050-1.5/2", "IMI-03/2")
@pytest.mark.parametrize(("dearer", "accepted"), [(Mills(-80), True), (Mills(-80), False), (DEARER, False)])
def test_the_verifier_prices_by_what_the_provider_published(
    journeys: Journeys, tmp_path: Path, dearer: Mills, accepted: bool
) -> None:
    world, weighed, first = journeys.world, Observed(weight_tenths=10), date(2026, 11, 30)
    number = published(world, specimen(first, dearer=dearer))
    if accepted:
        for person, code in (("postmaster", "person.other-office"), ("nobody", "person.unknown")):
            with refused(code):
                updates.accept_rates(world, HARBOR, number, person=person)
        with refused("updates.not-filed"):
            updates.accept_rates(world, HARBOR, 99)
        updates.accept_rates(world, HARBOR, number)
        updates.accept_rates(world, HARBOR, number)  # once more changes nothing
    published(world, specimen(date(2026, 12, 20), dearer=Mills(5000), id="too soon"))
    journeys.contact()

    def front(place: str) -> verifying.Mark:
        job = printing.print_job(journeys, PEOPLE[:1], tmp_path / place, formats=("pdf",))
        return next(verifying.marks_of(job.pdf))

    old, priced = front("old"), {}
    for _ in range(3):
        world.advance("60h")
        journeys.contact()
    assert journeys.today() == first
    new = front("new")
    offline = load_pack(
        (world.folder / PACK).read_bytes(),
        root_fingerprint=bytes.fromhex(world.config.root),
        anchor="test",
        now=world.clock.now(),
    )
    for mark, where in ((old, "2026-07-12, of this program"), (new, f"specimen, published by {HARBOR}")):
        for verdict in (
            verifying.verify(mark, world, observed=weighed).verdict,
            judge(mark.payload or b"", offline, None, world.clock.now(), weighed),
            verifying.record(mark, world, site=verifying.DEFAULT_SITE, observed=weighed).verdict,
        ):
            found = verdict.finding("value.due")
            assert found is not None
            sure = True if mark is old or accepted or dearer > 0 else None  # less than the program's, on one word
            assert (found.ok, f"by the table first-class {where}." in found.text) == (sure, True), found.text
            priced[where] = verdict.fields["postage_mills"]
    assert list(priced.values()) == [780, 780 + int(dearer)]  # what was printed, before the turn and on its day
    assert told(world, POSTAL, "rates") == ["rates.filed", *["rates.accepted"] * accepted, "rates.filed"]
    no_difference(world, tmp_path / "export")


@pytest.mark.shows("IMI-03/2", "P050-1.5/2")
def test_only_an_officer_publishes_and_a_refused_filing_is_told(
    journeys: Journeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, file = journeys.world, rate_files.write(specimen())
    for person, code in (("examiner", "person.other-office"), ("nobody", "person.unknown")):
        with refused(code):
            updates.publish_rates(world, HARBOR, file, person=person)
    assert told(world, HARBOR, "rates") == []
    assert filing(world) == []
    stricter = SimpleNamespace(read=lambda data: rate_files.read(data[:-9]))
    monkeypatch.setattr(postal_rates, "rate_files", stricter)
    row = updates.publish_rates(world, HARBOR, file)
    assert row.body["refused"]["code"] == "updates.file-unreadable"
    world.advance("1d")
    assert told(world, HARBOR, "rates.filing") == ["rates.filing-refused"]  # once
    assert filing(world) == [("due", "2026-11-27")]  # three business days, over Thanksgiving
    world.advance("4d")
    assert filing(world) == [("overdue", "2026-11-27")]
    assert "rate table not filed" in [row.body["case"] for row in cases_opened(world)]
    monkeypatch.undo()
    published(world, specimen(date(2026, 12, 20), id="mended"))
    assert filing(world) == [("met late", "2026-11-27")]
    assert [*world.pack().prices.providers] == [HARBOR]
    assert [one.table.id for one in world.pack().prices.providers[HARBOR].filed] == ["mended"]


def filing(world: World) -> list[tuple[str, str]]:
    """Give how the Provider stands with tables that were not filed."""
    duties = duties_of(world, HARBOR, as_of=world.clock.now())
    return [(duty.state, duty.last_day.isoformat()) for duty in duties if duty.limit.id == "rate-filing"]


def standing_at_provider(world: World, number: int) -> int:
    """Give since when a table is accepted, as its Provider was told; 0 where it was not."""
    with world.store(HARBOR).reading() as view:
        row = view.get(provider_rates.RATES, f"{number:06d}")
    assert row is not None
    return int(row.body.get("accepted", 0))


def cases_opened(world: World) -> list[Fact]:
    with world.store(HARBOR).reading() as view:
        return [fact for fact in view.facts() if fact.type == "limit.case-opened"]


@pytest.mark.shows("P050-1.5/2")
def test_an_acceptance_is_withdrawn_with_notice_and_its_earlier_pieces_stand(
    journeys: Journeys, tmp_path: Path
) -> None:
    world, weighed, first, last = journeys.world, Observed(weight_tenths=10), date(2026, 11, 30), date(2026, 12, 1)
    number = published(world, specimen(first, dearer=Mills(-80)))
    told_why: dict[str, Any] = {"through": last, "reasons": "The prices rose."}
    with refused("updates.not-accepted"):
        updates.withdraw_rates(world, HARBOR, number, **told_why)
    assert standing_at_provider(world, number) == 0
    updates.accept_rates(world, HARBOR, number)
    assert told(world, HARBOR, "rates.accepted") == ["rates.accepted"]
    assert standing_at_provider(world, number) == int(world.clock.now())
    updates.accept_rates(world, HARBOR, number)  # once more changes nothing
    assert told(world, HARBOR, "rates.accepted") == told(world, POSTAL, "rates.accepted") == ["rates.accepted"]
    for about, code in ((99, "updates.not-filed"), (number, "updates.not-withdrawn")):
        with refused(code):
            write_withdrawals(world, HARBOR, about, tmp_path)
    for changes, code in (
        ({"person": "postmaster"}, "person.other-office"),
        ({"through": date(2026, 11, 24)}, "updates.withdrawn-too-late"),  # nobody could mend it by then
        ({"number": 99}, "updates.not-filed"),
    ):
        with refused(code):
            updates.withdraw_rates(world, HARBOR, **{"number": number, **told_why, **changes})
    with pytest.raises(BadInput, match=r"updates\.no-reasons"):
        updates.withdraw_rates(world, HARBOR, number, through=last, reasons=" ")
    updates.withdraw_rates(world, HARBOR, number, **told_why)
    updates.withdraw_rates(world, HARBOR, number, **told_why)  # once more changes nothing
    for through in (date(2026, 12, 5), last):  # a day that was told wrong is put right, as long as the notice runs
        updates.withdraw_rates(world, HARBOR, number, through=through, reasons="the day was mistyped")
    for party, kind, key in (
        (POSTAL, "rate-table", f"{HARBOR} {number:06d}"),
        (HARBOR, provider_rates.RATES, f"{number:06d}"),
    ):
        assert told(world, party, "rates.acceptance") == ["rates.acceptance-withdrawn"] * 3
        with world.store(party).reading() as view:
            row = view.get(kind, key)
        assert row is not None
        assert row.body["accepted_through"] == last.isoformat()
    first_told, _, again = map(text_of, write_withdrawals(world, HARBOR, number, tmp_path))
    stands = f"Stands through {last}, the last mailing date"
    for words in ("To provider.harbor By postal.usps, the manager-mtm", stands, "From 2026-12-02 on postage"):
        assert words in first_told, first_told
        assert words in again, again
    assert "Under P050 1.5 Reasons The prices rose." in first_told
    assert "In the place of the notice through 2026-12-05 Under P050 1.5 Reasons the day was mistyped" in again
    journeys.contact()
    due = {}
    for _ in range(5):
        world.advance("48h")
        journeys.contact()
        if (day := journeys.today()) >= first:
            job = printing.print_job(journeys, PEOPLE[:1], tmp_path / day.isoformat(), formats=("pdf",))
            mark = next(verifying.marks_of(job.pdf))
            found = verifying.verify(mark, world, observed=weighed).verdict.finding("value.due")
            assert found is not None
            due[day] = found.ok
    assert due == {day: True if day <= last else None for day in due}
    assert {*due.values()} == {True, None}
    with refused("updates.withdrawn"):  # hosts go by it
        updates.withdraw_rates(world, HARBOR, number, through=date(2027, 1, 5), reasons="later")
    no_difference(world, tmp_path / "export")


def test_a_table_of_before_tables_were_filed_is_filed_by_the_next_round(journeys: Journeys) -> None:
    world = journeys.world
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(provider_rates, "_filed", lambda ctx, row, file: row)
        published(world)
    assert told(world, POSTAL, "rates") == []
    world.advance("1d")
    world.advance("1d")
    assert told(world, POSTAL, "rates") == ["rates.filed"]
    assert world.pack().prices.tables(journeys.device).publisher == HARBOR


def test_a_job_that_is_open_keeps_its_prices_and_what_waits_comes_after_it(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    job = journeys.plan(PEOPLE)
    published(world)
    journeys.contact()
    assert table_of(journeys, FIRST) == ("2026-07-12", [])
    with refused("updates.batch-open"):
        updates.take(journeys, journeys.device)
    printing.finish_job(journeys, job, tmp_path / "out", formats=("pdf",))
    journeys.contact()
    assert table_of(journeys, FIRST) == ("specimen", [])
    no_difference(world, tmp_path / "export")


def test_of_two_tables_the_later_one_holds_from_its_own_first_day(journeys: Journeys) -> None:
    for first, name in ((FIRST, "one"), (date(2026, 12, 8), "two"), (date(2026, 12, 3), "three")):
        published(journeys.world, specimen(first, id=name))
    journeys.contact()
    days = {day: table_of(journeys, date(2026, 12, day))[0] for day in (1, 2, 3, 8, 9)}
    assert days == {1: "one", 2: "one", 3: "three", 8: "two", 9: "two"}  # whichever was published first
    assert table_of(journeys, date(2026, 11, 30)) == ("2026-07-12", ["one", "three", "two"])
    assert told(journeys.world, HARBOR, "rates.taken") == ["rates.taken"]


def test_a_table_too_late_for_every_host_needs_a_reason(journeys: Journeys) -> None:
    world = journeys.world
    soon = specimen(date(2026, 11, 26), id="soon")
    with refused("updates.too-late"):
        published(world, soon)
    published(world, soon, late="the first table had a slip")
    assert published(world, soon) == 1  # published again it is the same
    published(world, specimen(date(2026, 11, 27)))
    assert told(world, HARBOR, "rates") == ["rates.published", "rates.assigned", "rates.published"]


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.replace("lines = ", "lines = 1"),
        lambda text: text.replace('total_usd = "', 'total_usd = "1'),
        lambda text: text.replace('amount_usd = "', 'amount_usd = "9', 1),
        lambda text: text.replace("[[line]]", "[[row]]"),
        lambda text: text.replace('kind = "piece"', 'kind = "lump"', 1),
        lambda text: text.replace('source = "a specimen for tests, no published price"', 'source = ""', 1),
        lambda text: "\xff" + text,
    ],
)
def test_a_rate_file_that_is_not_whole_is_not_published(journeys: Journeys, changed) -> None:  # type: ignore[no-untyped-def]  # a lambda
    file = changed(rate_files.write(specimen()).decode()).encode("latin-1")
    with pytest.raises((BadInput, RefusedOnGrounds)) as caught:
        updates.publish_rates(journeys.world, HARBOR, file)
    assert caught.value.code in ("updates.file-totals", "updates.file-unreadable", "updates.file-faulty")
    assert told(journeys.world, HARBOR, "rates") == []


@pytest.mark.parametrize("table", [*first_class_tables(), specimen()], ids=lambda table: table.id)
def test_a_table_written_as_a_file_reads_back(table) -> None:  # type: ignore[no-untyped-def]  # a Table
    assert rate_files.read(rate_files.write(table)) == table


def test_who_has_not_taken_the_table_connects_first(journeys: Journeys) -> None:
    world = journeys.world
    published(world)
    for _ in range(4):
        world.advance("60h")
        journeys.do(lambda ctx: funds.contact(ctx, device=journeys.device))  # a host that connects and takes nothing
    assert told(world, HARBOR, "rates", "resets.denied") == ["rates.published", "rates.assigned", "resets.denied"]
    with refused("provider.resets-denied"):
        journeys.reset(Mills.dollars(10))
    journeys.contact()
    journeys.reset(Mills.dollars(10))


# ---- software


def test_a_version_is_taken_at_a_connection_and_bound_at_the_start_under_it(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    released(world, 1)
    journeys.contact()
    assert (journeys.status().software_version, journeys.status().software_next) == (1, 0)
    released(world, 2, OTHER)
    journeys.contact()
    assert (journeys.status().software_version, journeys.status().software_next) == (1, 2)
    assert "waits for the next start" in journeys.status().warnings[0]
    cost(journeys, tmp_path / "under 1")
    restarted(journeys)  # the package was not installed: the old build is still the bound one
    assert (journeys.status().software_version, journeys.status().software_next) == (1, 2)
    restarted(journeys)
    with installed(OTHER):
        assert (journeys.status().software_version, journeys.status().software_next) == (2, 0)
        journeys.contact()
        cost(journeys, tmp_path / "under 2")
        log = [(1, "replaced", "version 1"), (2, "in use", "version 2")]
        assert updates.change_log(journeys, journeys.device) == log[::-1]
    assert told(world, HARBOR, "software.installed") == ["software.installed"] * 2
    with world.store(POSTAL).reading() as view:
        row = view.get("device", journeys.device)
    assert row is not None
    assert (row.body["software_version"], row.body["software_build"]) == (2, OTHER)
    no_difference(world, tmp_path / "export")


def test_a_build_that_is_not_the_bound_one_serves_nobody_until_it_is_approved(
    journeys: Journeys, tmp_path: Path
) -> None:
    world = journeys.world
    released(world, 1)
    journeys.contact()
    with installed(OTHER):
        restarted(journeys)
        assert any("not version 1" in line for line in journeys.status().warnings)
        with refused("psd.build-not-approved"):
            journeys.contact()
        with refused("psd.build-not-approved"):
            cost(journeys, tmp_path / "refused")
        assert journeys.open_jobs() == []
        released(world, 2, OTHER)
        journeys.contact()
        cost(journeys, tmp_path / "served")
    restarted(journeys)  # the former build comes back: a rollback
    with refused("psd.build-not-approved"):
        journeys.reset(Mills.dollars(10))
    with installed(OTHER):
        no_difference(world, tmp_path / "export")


def test_a_stage_chooses_by_group_and_percent_and_a_halt_recalls(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    annex = mailer(world, ANNEX)
    released(world, 1, OTHER, groups=(ANNEX,), percent=0)
    journeys.contact()
    annex.contact()
    assert (journeys.status().software_next, annex.status().software_next) == (0, 1)
    change_approved(world, THIRD)
    released_two = updates.approve_build(world, version=2, build=THIRD, changes="two")
    assert released_two.body["version"] == 2
    updates.stage(world, HARBOR, version=2, percent=100, groups=(), by=BY)
    updates.halt(world, HARBOR, version=2, reason="it prints too slowly")
    journeys.contact()
    assert journeys.status().software_next == 0
    with refused("software.halted"):
        updates.stage(world, HARBOR, version=2, percent=100, groups=(), by=BY)
    world.advance("40d")
    # the annex was chosen for both versions
    assert told(world, HARBOR, "resets.denied", "software.recalled") == ["software.recalled"] * 3
    no_difference(world, tmp_path / "export")


def test_versions_only_rise_and_a_stage_only_adds(journeys: Journeys) -> None:
    world = journeys.world
    released(world, 3, percent=50)
    with refused("software.version-lower"):
        updates.approve_build(world, version=3, build=OTHER, changes="again")
    with refused("software.version-lower"):
        updates.approve_build(world, version=2, build=OTHER, changes="older")
    with refused("software.build-known"):
        released(world, 4)
    with refused("software.stage-shrinks"):
        updates.stage(world, HARBOR, version=3, percent=49, groups=(), by=BY)
    with refused("software.no-release"):
        updates.stage(world, HARBOR, version=9, percent=10, groups=(), by=BY)
    with pytest.raises(BadInput):
        updates.stage(world, HARBOR, version=3, percent=101, groups=(), by=BY)


@pytest.mark.parametrize("halted", [False, True])
def test_an_order_that_expired_at_the_host_is_refused_once_and_the_host_goes_on(
    halted: bool, journeys: Journeys, tmp_path: Path
) -> None:
    world = journeys.world
    released(world, 1)
    journeys.do(lambda ctx: downloads.fetch(ctx, device=journeys.device))
    world.advance("48h")
    if halted:
        updates.halt(world, HARBOR, version=1, reason="it prints too slowly")
    assert "valid until" in journeys.do(lambda ctx: downloads.install(ctx, device=journeys.device))
    assert told(world, journeys.licensee, "software") == ["software.refused"]
    assert journeys.do(lambda ctx: downloads.install(ctx, device=journeys.device)) == ""
    journeys.contact()
    assert journeys.status().software_version == (0 if halted else 1)
    no_difference(world, tmp_path / "export")


def test_an_order_taken_just_before_the_host_died_is_taken_also_when_it_has_expired_since(
    journeys: Journeys, tmp_path: Path
) -> None:
    world = journeys.world
    released(world, 1)
    journeys.do(lambda ctx: downloads.fetch(ctx, device=journeys.device))
    with world.store(journeys.licensee).reading() as view:
        row = view.get("downloads", journeys.device)
    assert row is not None
    journeys.do(lambda _: handed_in(journeys.device, base64.b64decode(row.body["order"])))  # and the host noted nothing
    world.advance("48h")
    journeys.contact()
    assert journeys.status().software_version == 1
    assert told(world, journeys.licensee, "software") == ["software.taken"]
    assert [(number, new) for number, _, new in updates.change_log(journeys, journeys.device)] == [(1, "version 1")]
    no_difference(world, tmp_path / "export")


def handed_in(device: DeviceId, order: bytes) -> Steps:
    yield Exchange(device, lambda client: client.update(order))


def test_two_hosts_at_once_take_the_same_table_and_order_once(journeys: Journeys, tmp_path: Path) -> None:
    world = journeys.world
    published(world)
    released(world, 1)
    other = Journeys(world)  # a second clerk at the same host
    updates.take(journeys, journeys.device)
    updates.take(other, journeys.device)
    journeys.contact()
    assert told(world, journeys.licensee, "rates", "software") == ["rates.received", "software.taken"]
    assert told(world, HARBOR, "rates.taken", "software.installed") == ["rates.taken", "software.installed"]
    no_difference(world, tmp_path / "export")
