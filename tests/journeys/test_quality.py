"""Quality pieces, notices and the daily inventory in a whole world (502.8, 502.23, 502.26, PRE-16)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageFilter
from tests.conformance.breaking import names, noted, refused
from tests.journeys.stories import ANNEX, HARBOR, MAILROOM, SUMMIT, mailer, new_world
from tests.parties.hand import Hand
from tests.world.test_guarding import nested_forms

from towncircle.auditor import audit
from towncircle.kernel.context import Ask, Context
from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.facts import Fact
from towncircle.kernel.money import Mills
from towncircle.licensee import quality
from towncircle.mailpiece.address_files import public_addresses
from towncircle.paper.png import render
from towncircle.postal.reconciling import telling
from towncircle.provider import inventories
from towncircle.wire import bodies
from towncircle.wire.bodies import QualityFinding
from towncircle.world import guarding, printing
from towncircle.world.exporting import export
from towncircle.world.journeys import Journeys
from towncircle.world.notices import fetch_all, notices_of
from towncircle.world.population import reconcile, today
from towncircle.world.quality import forward, send, settle, standings
from towncircle.world.world import World

POSTAL = "postal.usps"
TEN = Mills.dollars(10)
STOPPED = r"scan\.(took-too-long|reader-ended)"  # by its time, or by its memory where the machine is quick


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = new_world(tmp_path / "world", "ibi-1998")
    yield made
    made.close()


@pytest.fixture
def journeys(world: World) -> Journeys:
    return mailer(world, deposit=300, reset=50)


def facts(world: World, party: str, kind: str) -> list[Fact]:
    with world.store(party).reading() as view:
        return [fact for fact in view.facts() if fact.type == kind]


def scanned(journeys: Journeys, out: Path, *, number: int = 0) -> Path:
    """Print a piece and scan it as a grey PNG that says its resolution."""
    printed = printing.print_job(journeys, public_addresses()[number : number + 1], out / f"job {number}")
    path = out / f"piece {number}.png"
    path.write_bytes(render(printed.pdf))
    return path


def bent(path: Path, name: str, change: object) -> Path:
    with Image.open(path) as image:
        made = change(image)  # type: ignore[operator]
    stream = io.BytesIO()
    made.save(stream, "PNG", dpi=(300, 300))
    out = path.with_name(f"{name}.png")
    out.write_bytes(stream.getvalue())
    return out


def audited(world: World, out: Path) -> None:
    export(world, out)
    assert [str(difference) for difference in audit(out).differences] == []


def codes(finding: QualityFinding) -> list[str]:
    return [one.code for one in finding.deficiencies]


@pytest.mark.requirement("P050-2.5h")
def test_a_good_piece_is_graded_and_meets_the_duty_at_both_ends(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    piece = scanned(journeys, tmp_path)
    finding = send(journeys, journeys.device, piece)
    assert (finding.grade, finding.verdict, codes(finding)) == ("A", "VALID", [])
    assert {row.what for row in finding.measured} == {
        *("contrast", "least-reflectance", "edges", "edge-contrast", "edge-modulation", "defects", "decodability"),
        *("codeword-yield", "unused-error-correction", "turn", "tries"),
    }
    assert any("not calibrated" in what for what in finding.unmeasured)
    assert [fact.subject for fact in facts(world, HARBOR, "quality-piece.received")] == [journeys.device]
    assert [fact.subject for fact in facts(world, MAILROOM, "quality-piece.forwarded")] == [journeys.device]
    assert send(journeys, journeys.device, piece) == finding  # the same file gives the first answer
    assert len(facts(world, HARBOR, "quality-piece.received")) == 1
    [standing] = standings(world)
    assert standing.last is not None
    assert (standing.last.body["piece"], standing.duty.state) == (finding.piece, "due")
    other = scanned(journeys, tmp_path, number=1)
    for row in facts(world, HARBOR, "quality-piece.received"):
        assert names(row.clauses[0], "502.26")
    again = bent(piece, "again", lambda image: image.crop((1, 1, image.width, image.height)))
    with refused("502.26", "quality.seen-before"):
        send(journeys, journeys.device, again)
    annex = mailer(world, ANNEX, deposit=100, reset=50)
    with refused("P050-2.5h", "quality.other-device"):
        send(annex, annex.device, other)
    audited(world, tmp_path / "out")


@pytest.mark.requirement("PRE-16/1")
def test_what_cannot_be_analysed_is_refused_and_stays_no_piece(
    world: World, journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = tmp_path / "blank.png"
    Image.new("L", (900, 400), 255).save(blank)
    with refused("PRE-16", "quality.blank"):
        send(journeys, journeys.device, blank)
    text = tmp_path / "letter.txt"
    text.write_text("this is no scan")
    with pytest.raises(BadInput) as caught:
        send(journeys, journeys.device, text)
    assert caught.value.code == "quality.not-a-scan"
    assert facts(world, HARBOR, "quality-piece.received") == []
    settle(journeys)  # nothing is left open
    real, opened = guarding._GUARD.ask, []

    def ask(what: str, *args: object, **more: object) -> object:
        """Write to the Provider's store while it opens a file; inside its transaction that is `storage.nested`."""
        with world.store(HARBOR).transaction() as tx:
            opened.append((what, tx.next_number("opened")))
        return real(what, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(guarding._GUARD, "ask", ask)
    monkeypatch.setattr(guarding, "PIECE_SECONDS", 2)
    endless = tmp_path / "endless.pdf"
    endless.write_bytes(nested_forms(9))
    with pytest.raises(BadInput, match=STOPPED):
        send(journeys, journeys.device, endless)
    piece = journeys.do(lambda ctx: quality.write_down(ctx, device=journeys.device, scan=endless.read_bytes()))
    with pytest.raises(Refused, match=STOPPED):  # a host that does not look first
        forward(journeys, piece)
    assert [what for what, _ in opened] == ["first", "piece"]
    audited(world, tmp_path / "out")


@pytest.mark.requirement("PRE-16/2", "502.26/4")
@pytest.mark.parametrize(
    ("change", "code", "clause"),
    [
        (lambda image: ImageEnhance.Contrast(image).enhance(0.15), "quality.contrast", "P050-4.2"),
        (lambda image: image.filter(ImageFilter.GaussianBlur(12)), "quality.unreadable", "P050-4.2"),
        (lambda image: image.crop((0, 0, image.width - 900, image.height)), "quality.margin", "P050-4.4"),
    ],
    ids=["pale", "smeared", "at the edge"],
)
def test_each_deficiency_is_told_to_both_with_guidance_and_denies_nothing(
    world: World, journeys: Journeys, tmp_path: Path, change: object, code: str, clause: str
) -> None:
    world.advance("1mo")
    journeys.contact()
    finding = send(journeys, journeys.device, bent(scanned(journeys, tmp_path), "poor", change))
    assert code in codes(finding)
    told = {one.code: one for one in finding.deficiencies}
    assert names(told[code].clause, clause)
    assert len(finding.guidance) == len(finding.deficiencies)
    assert all(len(words) > 40 for words in finding.guidance)
    [reported] = facts(world, POSTAL, "quality-piece.reported")
    assert reported.body["deficiencies"] == codes(finding)
    assert names(reported.clauses[0], "PRE-16")
    noted(facts(world, HARBOR, "quality-piece.received"), "502.26", deficiencies=codes(finding))
    for step in ("2mo", "2mo", "32d"):  # beyond six months from the lease
        world.advance(step)
        journeys.contact()
    journeys.reset(TEN)
    assert facts(world, HARBOR, "resets.denied") == []
    audited(world, tmp_path / "out")


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journeys]:
    """Give a licensee who forwarded no piece: after half a year it was warned, and a month later denied."""
    made = new_world(tmp_path_factory.mktemp("silent") / "world", "ibi-1998")
    journeys = mailer(made, deposit=300, reset=50)
    for step in ("2mo", "2mo", "46d"):
        made.advance(step)
        journeys.contact()
    assert [one.notice.kind for one in notices_of(made, MAILROOM) if one.notice.limit == "quality-piece"] == [
        "reminder"
    ]
    journeys.reset(TEN)
    made.advance("1mo")
    yield journeys
    made.close()


@pytest.mark.requirement("502.26/1")
def test_who_forwarded_no_piece_is_told_that_resets_are_denied(silent: Journeys) -> None:
    told = [one for one in notices_of(silent.world, MAILROOM) if one.notice.limit == "quality-piece"]
    warning = next(one for one in told if one.notice.kind == "reminder")
    assert warning.giver == HARBOR
    assert "resets are denied" in warning.notice.says
    assert names(warning.notice.clause, "502.26")


@pytest.mark.requirement("502.26/3")
def test_who_forwarded_no_piece_is_reported_to_the_postal_service(silent: Journeys) -> None:
    [reported] = facts(silent.world, POSTAL, "quality.noncompliance-reported")
    assert names(reported.clauses[0], "502.26")
    assert (reported.body["licensee"], reported.body["device"]) == (MAILROOM, silent.device)


@pytest.mark.requirement("502.26/2")
def test_who_forwarded_no_piece_is_denied_until_one_comes(silent: Journeys, tmp_path: Path) -> None:
    journeys, world = silent, silent.world
    with refused("502.26", "provider.resets-denied"):
        journeys.reset(TEN)
    [notice] = [one for one in notices_of(world, MAILROOM) if one.notice.kind == "notice"]
    assert names(notice.notice.clause, "502.26")
    assert notice.notice.about == journeys.device
    [standing] = standings(world)
    assert (standing.duty.state, standing.warned, standing.reported, standing.denied) == ("overdue", True, True, True)
    send(journeys, journeys.device, scanned(journeys, tmp_path))
    journeys.reset(TEN)  # lifted at once
    world.advance("1d")
    assert len(facts(world, HARBOR, "resets.denied")) == len(facts(world, HARBOR, "resets.allowed")) == 1
    assert [row.denied for row in standings(world)] == [False]
    audited(world, tmp_path / "out")


def test_a_world_that_lives_over_a_year_is_never_denied_where_pieces_come(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    for number in range(5):
        world.advance("3mo")
        journeys.contact()
        if number % 2:
            send(journeys, journeys.device, scanned(journeys, tmp_path, number=number))
        journeys.reset(Mills.dollars(1))
    assert facts(world, HARBOR, "resets.denied") == []
    audited(world, tmp_path / "out")


def test_a_notice_is_kept_once_however_often_it_is_asked_for(world: World, journeys: Journeys, tmp_path: Path) -> None:
    world.advance("4mo")
    kept = notices_of(world, MAILROOM)
    assert [(one.notice.kind, one.notice.limit) for one in kept] == [("notice", "device-audit")]
    assert fetch_all(world) == 0
    assert notices_of(world, MAILROOM) == kept
    assert "device-audit" in [one.notice.limit for one in notices_of(world, POSTAL) if one.giver == HARBOR]
    assert len(facts(world, HARBOR, "notice.delivered")) == 1
    assert journeys.licensee == MAILROOM
    audited(world, tmp_path / "out")


def test_a_days_inventory_agrees_and_told_again_gives_the_first_finding(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    journeys.contact()
    first = dict(reconcile(world))
    assert {provider: (one.number, one.devices, one.differences) for provider, one in first.items()} == {
        HARBOR: (1, 1, ()),
        SUMMIT: (1, 0, ()),
    }
    mailer(world, ANNEX, deposit=100, reset=20)
    assert dict(reconcile(world)) == first
    world.advance("1d")  # makes its round by itself
    second = dict(reconcile(world))[HARBOR]
    assert (second.number, second.devices) == (2, 2)
    [reset] = second.differences
    assert (reset.code, reset.explained) == ("population.registers", True)
    assert "since the device's last audit" in reset.sentence
    assert [fact.body["number"] for fact in facts(world, POSTAL, "population.reconciled")] == [1, 1, 2, 2]
    audited(world, tmp_path / "out")


@pytest.mark.requirement("502.26/2")
def test_a_device_that_was_never_set_owes_no_piece_and_one_that_was_set_does(world: World, tmp_path: Path) -> None:
    journeys = mailer(world, deposit=300)
    half_a_year(journeys)
    journeys.reset(TEN)  # its first
    half_a_year(journeys)
    with refused("502.26", "provider.resets-denied") as told:
        journeys.reset(TEN)
    assert "towncircle quality send" in told.value.next_step
    audited(world, tmp_path / "out")


def half_a_year(journeys: Journeys) -> None:
    for _ in range(4):
        journeys.world.advance("2mo")
        journeys.contact()


def test_an_inventory_that_is_longer_than_a_message_goes_in_parts(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    mailer(world, ANNEX)
    hand, desk, day = Hand(world), world.desk(HARBOR), today(world)
    desk.perform(lambda ctx: inventories.write_down(ctx, day=day), actor=HARBOR)
    sent: list[bodies.InventoryPart] = []

    def parts(ctx: Context) -> None:
        steps = inventories.tell(ctx, day=day, part_rows=1)
        ask = next(steps)
        assert isinstance(ask, Ask)
        assert isinstance(ask.body, bodies.InventoryPart)
        sent.append(ask.body)
        steps.close()

    desk.perform(parts, actor=HARBOR)
    first = sent[0]
    assert (first.part, first.parts, len(first.rows)) == (1, 2, 1)
    attempts = (
        (replace(first, part=2), "population.bad-inventory"),  # the first one is not there
        (replace(first, part=0), "population.bad-inventory"),
        (replace(first, parts=101), "population.bad-inventory"),
        (replace(first, number=9), "population.out-of-order"),
    )
    for part, code in attempts:
        assert hand.refused(HARBOR, POSTAL, part) == code
    assert isinstance(hand.say(HARBOR, POSTAL, first), bodies.Acknowledged)
    assert hand.refused(HARBOR, POSTAL, replace(first, part=2)) == "population.bad-inventory"  # another digest
    found = desk.perform(lambda ctx: inventories.tell(ctx, day=day, part_rows=1), actor=HARBOR)
    assert (found.devices, [one.explained for one in found.differences]) == (2, [True])  # the reset since its audit
    assert desk.perform(lambda ctx: inventories.tell(ctx, day=day, part_rows=1), actor=HARBOR) == found
    with world.store(POSTAL).reading() as view:
        assert [row.body["rows"] for row in view.find("inventory-part")] == [[], []]
    audited(world, tmp_path / "export")


def test_a_finding_tells_the_differences_that_a_message_holds_and_sums_up_the_rest() -> None:
    rows = [[f"TC1A{number:010d}", "population.status", "x", number != 350] for number in range(400)]
    assert telling(rows[:300]) == rows[:300]
    told = telling(rows)
    assert len(told) == 300
    assert (told[0][0], told[-1][1], told[-1][3]) == ("TC1A0000000350", "population.more", True)
    assert "and 100 more" in told[-1][2]


def test_a_provider_whose_inventory_is_refused_keeps_no_other_fromtelling(world: World, journeys: Journeys) -> None:
    journeys.contact()
    with world.store(HARBOR).transaction() as tx:  # a number that the Postal Service never gets
        tx.next_number("inventory")
    told: dict[str, int] = {}
    with refused("502.8", "population.out-of-order"):
        told.update((provider, one.number) for provider, one in reconcile(world))
    for _ in range(2):
        world.advance("1d")
    assert told == {SUMMIT: 1}
    numbers = [(fact.body["provider"], fact.body["number"]) for fact in facts(world, POSTAL, "population.reconciled")]
    assert numbers == [(SUMMIT, 1), (SUMMIT, 2), (SUMMIT, 3)]
    assert [fact.body["code"] for fact in facts(world, HARBOR, "inventory.refused")] == ["population.out-of-order"]


@pytest.mark.requirement("502.8/4")
def test_a_device_that_only_one_side_knows_is_never_explained_away(
    world: World, journeys: Journeys, tmp_path: Path
) -> None:
    journeys.contact()
    with world.store(HARBOR).transaction() as tx:  # behind the program's back
        row = tx.get("device", journeys.device)
        assert row is not None
        tx.put("device", row.key, {**row.body, "custody": "stocked"}, owner=row.owner, expected=row.version)
        tx.put("device", "TC1A0000000999", {**row.body, "pieces": 3}, owner=row.owner, expected=0)
    finding = dict(reconcile(world))[HARBOR]
    told = {one.device: one for one in finding.differences}
    assert told[journeys.device].code == "population.not-in-inventory"
    assert told["TC1A0000000999"].code == "population.unknown"
    assert not any(one.explained for one in finding.differences)
    assert all(names(one.clause, "502.8") for one in finding.differences)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"descending": 1}, "population.registers"),
        ({"ascending": 7}, "population.registers"),
        ({"custody": "lost"}, "population.status"),
        ({"license": "20260-000099"}, "population.license"),
    ],
)
def test_every_column_of_an_inventory_is_compared(
    world: World, journeys: Journeys, change: dict[str, object], code: str
) -> None:
    journeys.contact()
    with world.store(HARBOR).transaction() as tx:
        row = tx.get("device", journeys.device)
        assert row is not None
        tx.put("device", row.key, {**row.body, **change}, owner=row.owner, expected=row.version)
    [one] = dict(reconcile(world))[HARBOR].differences
    assert (one.code, one.explained) == (code, False)
