"""The forms of an indicium as a mail room walks them: branches, ZIP Code, art with a picture, reply, marking, proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.breaking import refused
from tests.journeys.stories import HARBOR, MAILROOM, PEOPLE, mailer, new_world
from tests.journeys.test_supervision import act
from tests.mailpiece.test_artwork import file_of, ring

from towncircle.indicium import decode
from towncircle.indicium.readable import Branch, MailedFrom, Office
from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import JobId
from towncircle.kernel.store import Record
from towncircle.licensee import advertising as host
from towncircle.licensee import branches, envelopes
from towncircle.licensee.looks import PLAIN, Look
from towncircle.mailpiece.art import Art
from towncircle.mailpiece.artwork import picture
from towncircle.mailpiece.bitmap import Bitmap
from towncircle.mailpiece.elements import Element, Image, Page, Symbol
from towncircle.mailpiece.lints import require
from towncircle.mailpiece.proof import marked
from towncircle.postal import advertising as approval
from towncircle.postal import branches as office
from towncircle.provider import advertising
from towncircle.symbol.bars import fim
from towncircle.verification import Observed
from towncircle.world import notices, printing, verifying
from towncircle.world.journeys import Journeys
from towncircle.world.printing import Printed
from towncircle.world.proofs import proof_job
from towncircle.world.supervising import at_provider, kept
from towncircle.world.world import World

PAIR = ("pdf",)


@pytest.fixture(scope="module")
def journeys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journeys]:
    world = new_world(tmp_path_factory.mktemp("forms") / "world")
    yield mailer(world, deposit=300, reset=100)
    world.close()


@pytest.fixture
def world(journeys: Journeys) -> World:
    return journeys.world


def printed(journeys: Journeys, out: Path, look: Look = PLAIN) -> Printed:
    return printing.print_job(journeys, PEOPLE[:1], out, formats=PAIR, look=look)


def page_of(journeys: Journeys, job: Record) -> Page:
    (page,) = envelopes.pages(job.body, journeys.stationery(job))
    return page


def words(page: Page, role: str) -> list[str]:
    return [getattr(element, "text", "") for element, _ in page.having(role)]


def judged(world: World, done: Printed, **observed: Any) -> tuple[str, str, dict[str, bool | None]]:
    (mark,) = verifying.marks_of(done.pdf)
    verdict = verifying.verify(mark, world, observed=Observed(**observed)).verdict
    return verdict.verdict, verdict.disposition, {one.code: one.ok for one in verdict.findings}


# ---- the place (P050 4.5)


@pytest.mark.requirement("P050-4.5b/2")
@pytest.mark.parametrize("facility", ["classified-station", "contract-station", "contract-branch"])
def test_what_is_no_classified_branch_is_never_shown(journeys: Journeys, facility: str) -> None:
    with refused("P050-4.5b", "branch.not-classified"):
        journeys.do(lambda ctx: branches.request(ctx, name="Capitol Heights", state="MD", facility=facility))


@pytest.mark.requirement("P050-4.5b/1")
@pytest.mark.shows("P050-4.5b/2")
def test_a_branch_is_shown_on_approval_and_a_station_never(journeys: Journeys, tmp_path: Path) -> None:
    world, name, look = journeys.world, "Capitol  Heights", Look(place="branch", branch="capitol heights")
    with refused("P050-4.5b", "branch.not-approved"):
        printed(journeys, tmp_path / "none", look)
    asked = journeys.do(lambda ctx: branches.request(ctx, name=name, state="MD", facility="classified-branch"))
    assert asked.body["outcome"] == "waiting"
    with refused("P050-4.5b", "branch.not-approved"):
        printed(journeys, tmp_path / "none", look)
    told: dict[str, Any] = {"number": asked.body["license"], "branch": name, "reasons": "Found on the spot."}
    told["notify"] = notices.give_standing
    with refused("P050-4.5b", "branch.not-classified"):  # whatever the request calls it
        act(world, office.decide, approve=True, facility="contract-branch", **told)
    act(world, office.decide, approve=True, facility="classified-branch", **told)
    journeys.do(lambda ctx: branches.ask(ctx, name=name))
    done = printed(journeys, tmp_path / "out", look)
    page = page_of(journeys, done.job)
    assert words(page, "place") == ["CAPITOL HEIGHTS MD", "20260"]
    verdict, disposition, found = judged(world, done, branch="Capitol Heights")
    assert (verdict, found["origin.branch"]) == ("VALID", True)
    assert judged(world, done, branch="Union Station")[1:][0] == "hold"
    assert judged(world, done)[2].get("origin.branch") is None
    act(world, office.decide, approve=False, facility="contract-station", **told)  # and nobody asks how it stands
    with refused("P050-4.5b", "branch.not-approved"):
        printed(journeys, tmp_path / "none", look)
    told_of = [one.notice for one in notices.notices_of(world, MAILROOM)]
    assert [one.title for one in told_of] == [f"The branch CAPITOL HEIGHTS is {how}" for how in ("approved", "refused")]
    assert (told_of[-1].says, told_of[-1].clause) == ("Found on the spot.", "P050 4.5(b)")
    notices.fetch_all(world)
    assert len(notices.notices_of(world, MAILROOM)) == len(told_of)
    assert judged(world, done, branch="Capitol Heights")[1] == "hold"
    assert disposition == "accept with notes"


@pytest.mark.shows("P050-4.5c")
def test_the_mailers_zip_code_stands_for_the_post_office(journeys: Journeys, tmp_path: Path) -> None:
    (own,) = kept(journeys.world, MAILROOM, "profile")
    changed(journeys.world, MAILROOM, own, {**own.body, "zip": "20024-3210"})  # its office's is 20260
    done = printed(journeys, tmp_path / "out", Look(place="zip"))
    page = page_of(journeys, done.job)
    assert words(page, "place") == ["MAILED FROM ZIP CODE", "20024"]
    verdict, disposition, found = judged(journeys.world, done, origin="20260")
    assert (verdict, disposition, found["origin.license"]) == ("VALID", "accept with notes", True)
    assert words(page_of(journeys, printed(journeys, tmp_path / "plain").job), "place") == ["WASHINGTON DC", "20260"]
    changed(journeys.world, MAILROOM, own, own.body)


@pytest.mark.requirement("P050-4.6/1")
def test_a_job_of_first_class_mail_shows_the_day(journeys: Journeys, tmp_path: Path) -> None:
    with refused("P050-4.6", "indicium.date-incomplete"):
        printed(journeys, tmp_path / "out", Look(month_only=True))
    assert not list((tmp_path / "out").iterdir())


def test_a_reply_bears_fim_a_and_a_marked_job_its_marking(journeys: Journeys, tmp_path: Path) -> None:
    done = printed(journeys, tmp_path / "out", Look(reply=True, marking=True))
    page = page_of(journeys, done.job)
    assert [getattr(element, "pattern", "") for element, _ in page.having("fim")] == [fim("A")]
    assert " ".join(words(page, "marking")) == "FIRST-CLASS MAIL"
    assert not page.having("art", "attribution")
    assert judged(journeys.world, done)[0] == "VALID"


# ---- art with a picture (P050 4.10)


def submitted(world: World, name: str, art: Bitmap) -> str:
    made = at_provider(
        world, HARBOR, lambda ctx: advertising.submit(ctx, name=name, words=("Write once",), picture=art)
    )
    return str(made.body["digest"])


@pytest.mark.requirement("P050-4.10/5")
def test_no_picture_is_supplied_before_its_approval(journeys: Journeys) -> None:
    submitted(journeys.world, "early", picture(file_of(ring(200, 310))))
    with refused("P050-4.10", "advertising.not-approved"):
        journeys.do(lambda ctx: host.fetch(ctx, name="early", provider=HARBOR))


@pytest.mark.requirement("P050-4.10/4")
def test_no_picture_is_approved_that_nobody_examined_or_refused_for_taste(journeys: Journeys) -> None:
    submitted(journeys.world, "unseen", picture(file_of(ring(200, 320))))
    told: dict[str, Any] = {"provider": HARBOR, "name": "unseen", "reasons": "It was looked at."}
    with refused("P050-4.10", "advertising.not-examined"):
        act(journeys.world, approval.decide, approve=True, **told)
    with refused("P050-4.10", "advertising.no-ground"):
        act(journeys.world, approval.decide, approve=False, ground="taste", **told)


@pytest.mark.requirement("P050-4.10/2")
@pytest.mark.shows("P050-4.10/5")
def test_a_picture_is_printed_by_its_approved_digest_and_no_other(journeys: Journeys, tmp_path: Path) -> None:
    world, drawn = journeys.world, picture(file_of(ring()))
    digest = submitted(world, "ring", drawn)
    with refused("P050-4.10", "advertising.not-approved"):
        journeys.do(lambda ctx: host.fetch(ctx, name="ring", provider=HARBOR))
    told: dict[str, Any] = {"provider": HARBOR, "name": "ring", "reasons": "It was looked at."}
    act(world, approval.decide, approve=True, examined=True, **told)
    row = journeys.do(lambda ctx: host.fetch(ctx, name="ring", provider=HARBOR))
    assert row.body["digest"] == digest == Art(words=("Write once",), picture=drawn).digest
    done = printed(journeys, tmp_path / "out")
    page = page_of(journeys, done.job)
    assert [element.bitmap for element, _ in page.having("art") if isinstance(element, Image)] == [drawn]
    assert judged(world, done)[0] == "VALID"
    another = bytes([drawn.packed[0] ^ 0x80]) + drawn.packed[1:]
    for party, kind, key in ((HARBOR, "advertising", "ring"), (MAILROOM, "advertising", "in use")):
        (held,) = [one for one in kept(world, party, kind) if one.key == key]
        changed(world, party, held, {**held.body, "picture": another.hex()})
        with refused("P050-4.10", "advertising.not-the-approved"):
            if party == HARBOR:
                journeys.do(lambda ctx: host.fetch(ctx, name="ring", provider=HARBOR))
            else:
                printed(journeys, tmp_path / "changed")
        changed(world, party, held, held.body)
    art = Art(words=("Write once",), picture=Bitmap(width=drawn.width, height=drawn.height, packed=another))
    forged = {**held.body, "picture": another.hex(), "digest": art.digest}  # with its digest, and not with a decision
    for body in (forged, {**forged, "decision": ""}):
        changed(world, MAILROOM, held, body)
        with refused("P050-4.10", "advertising.not-the-approved"):
            printed(journeys, tmp_path / "forged")
    changed(world, MAILROOM, held, held.body)
    again = printed(journeys, tmp_path / "again").job
    kept_art = {**again.body["art_of"], "picture": another.hex(), "digest": art.digest}
    changed(world, MAILROOM, again, {**again.body, "art_of": kept_art})
    with refused("P050-4.10", "advertising.not-the-approved"):
        printing.reprint_job(journeys, JobId(again.key), (), tmp_path / "reprint")
    changed(world, MAILROOM, again, again.body)
    printing.reprint_job(journeys, JobId(again.key), (), tmp_path / "reprint")


@pytest.mark.requirement("P050-4.5b/1", "P050-4.5c", "P050-4.3")
def test_a_page_is_compared_with_the_license_and_not_with_what_it_names(journeys: Journeys, tmp_path: Path) -> None:
    done = printed(journeys, tmp_path / "out")
    job, stationery = dict(done.job.body), journeys.stationery(done.job)
    assert stationery.licensed is not None
    assert (stationery.licensed.office, stationery.licensed.branches) == ("WASHINGTON DC", frozenset())
    for place, row in (
        (Branch(name="Union Station", state="DC", zip_code="20260"), "P050-4.5b"),
        (Office(city="Washington", state="DC", zip_code="20024"), "P050-4.5b"),
        (MailedFrom(zip_code="10001"), "P050-4.5c"),
    ):
        with refused(row, "page.lints"):
            envelopes.prove(job, replace(stationery, office=place))
    with refused("P050-4.7", "page.lints"):
        (page,) = envelopes.pages(job, stationery)
        require(page, stationery.rules, stationery.day + timedelta(days=1))
    job["pieces"] = [{**one, "on": "label4x6"} for one in job["pieces"]]
    with refused("P050-4.3", "page.lints"):
        envelopes.prove(job, stationery)


def changed(world: World, party: str, held: Record, body: Any) -> None:
    """Write over a record, as somebody who holds the store could."""

    def write(ctx: Any) -> None:
        now = ctx.tx.get(held.kind, held.key)
        ctx.tx.put(held.kind, held.key, dict(body), owner=held.owner, expected=now.version)

    world.desk(party).perform(write, actor=party)


@pytest.mark.shows("P050-4.10/4")
def test_refused_art_names_its_ground(world: World) -> None:
    submitted(world, "gamble", picture(file_of(ring(200, 300))))
    told: dict[str, Any] = {"provider": HARBOR, "name": "gamble", "approve": False, "reasons": "A lottery."}
    row = act(world, approval.decide, ground="unlawful", **told)
    assert (row.body["state"], row.body["ground"]) == ("refused", "unlawful")


# ---- proof before pay


def drawn(page: Page, *, without: tuple[str, ...] = ()) -> list[Element]:
    return [element for element, _ in page.boxed if element.role not in without]


@pytest.mark.parametrize("look", [PLAIN, Look(place="zip", reply=True, marking=True)])
def test_a_proof_is_the_page_but_for_the_symbol_and_asks_no_device(
    look: Look, journeys: Journeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = journeys.world
    before, jobs = journeys.status().registers, kept(world, MAILROOM, "job")
    with monkeypatch.context() as patch:
        patch.setattr(type(world.shelf), "client", lambda *_: pytest.fail("a device was called"))
        patch.setattr("towncircle.licensee.envelopes.marked", lambda page: pages.append(page) or marked(page))
        pages: list[Page] = []
        pdf, pictures, total = proof_job(journeys, PEOPLE[:1], tmp_path / "proof", look=look)
    assert (journeys.status().registers, kept(world, MAILROOM, "job")) == (before, jobs)
    assert [path.parent.name for path in pictures] == ["proofs"]
    done = printed(journeys, tmp_path / "out", look)
    real, proof = page_of(journeys, done.job), marked(pages[0])
    assert total == done.total
    assert drawn(proof, without=("symbol", "proof")) == drawn(real, without=("symbol",))
    ((one, box), (other, place)) = proof.having("symbol")[0], real.having("symbol")[0]
    assert isinstance(one, Symbol)
    assert isinstance(other, Symbol)
    assert box == place
    assert one.modules != other.modules
    assert "PROOF \u00b7 NOT POSTAGE" in words(proof, "proof")
    for mark in verifying.marks_of(pdf):
        assert verifying.verify(mark, world).verdict.verdict == "UNREADABLE"
    with pytest.raises(BadInput):
        decode(envelopes.STAND_IN)


def test_a_proof_meets_the_lints_that_the_job_will_meet(journeys: Journeys, tmp_path: Path) -> None:
    with refused("P050-4.6"):
        proof_job(journeys, PEOPLE[:1], tmp_path / "proof", look=Look(month_only=True))
    assert not (tmp_path / "proof").exists()
